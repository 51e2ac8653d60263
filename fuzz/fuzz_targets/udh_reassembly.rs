//! Gives libFuzzer's octets to `sluice_fuzz::udh_reassembly`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sluice_fuzz::udh_reassembly::body(data));
