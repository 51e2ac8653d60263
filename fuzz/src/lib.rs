//! What is fuzzed: one body a target, which libFuzzer and the property tests of `tests/fuzz_twins.rs` both run.
//!
//! A body takes any octets and panics where a promise is broken: a panic below it, a loop without progress, more octets
//! written than the input can need, or a round trip that does not come back.

pub mod frame;
pub mod gsm7_ucs2;
pub mod octets;
pub mod pdu;
pub mod receipt_text;
pub mod session;
pub mod time;
pub mod tlvs;
pub mod udh_reassembly;

/// A target by its name.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 8] = [
    ("frame", frame::body),
    ("pdu", pdu::body),
    ("tlvs", tlvs::body),
    ("session", session::body),
    ("udh_reassembly", udh_reassembly::body),
    ("gsm7_ucs2", gsm7_ucs2::body),
    ("receipt_text", receipt_text::body),
    ("time", time::body),
];
