//! Gives libFuzzer's octets to `sluice_fuzz::session`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sluice_fuzz::session::body(data));
