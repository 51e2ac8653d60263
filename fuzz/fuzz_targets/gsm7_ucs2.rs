//! Gives libFuzzer's octets to `sluice_fuzz::gsm7_ucs2`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sluice_fuzz::gsm7_ucs2::body(data));
