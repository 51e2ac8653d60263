//! Gives libFuzzer's octets to `sluice_fuzz::pdu`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sluice_fuzz::pdu::body(data));
