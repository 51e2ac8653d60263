//! Gives libFuzzer's octets to `sluice_fuzz::receipt_text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sluice_fuzz::receipt_text::body(data));
