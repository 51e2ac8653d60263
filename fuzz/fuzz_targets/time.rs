//! Gives libFuzzer's octets to `sluice_fuzz::time`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sluice_fuzz::time::body(data));
