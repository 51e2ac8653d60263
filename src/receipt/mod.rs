//! From a carrier's receipt to the part it speaks of, and from parts to a message.

pub mod spelling;
pub mod habit;
pub mod correlate;
mod crowd;
pub mod pending;
pub mod fold;
