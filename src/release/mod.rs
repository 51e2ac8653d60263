//! What is due, whose turn it is, how fast, and when again.

pub mod chunks;
pub mod wheel;
pub mod lanes;
pub mod buckets;
pub mod retry;
