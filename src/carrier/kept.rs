//! What a bind keeps of a part: while it waits for its turn, and of what was submitted from its window place last.

use crate::message::Timestamp;

/// A part to be submitted.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) slot: u16,
    pub(super) part: u8,
    pub(super) expires: Timestamp,
    pub(super) envelope: &'a [u8],
}

/// A window place: what was submitted from it last, and the part that waits in it.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The destination, as [`crate::carrier::full::number`] has it.
    pub(super) number: u128,
    /// It was submitted with a validity period.
    pub(super) validity: bool,
    pub(super) part: u8,
    pub(super) expires: Timestamp,
    pub(super) envelope: Vec<u8>,
}
