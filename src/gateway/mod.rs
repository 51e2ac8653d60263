//! Builds the stages and their threads; the order of start and stop.

pub mod dump;
pub mod offline;
