//! Gives libFuzzer's octets to `sluice_fuzz::tlvs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sluice_fuzz::tlvs::body(data));
