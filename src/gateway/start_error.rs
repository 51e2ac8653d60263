//! Why the gateway could not start, in words for whoever started it.

use crate::store::error::Error as StoreError;

/// Why the gateway could not start.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    /// The data directory cannot be used at all.
    #[error("cannot use the data directory {path}: {source}; check [node] data_dir, its owner and its mode")]
    DataDir {
        /// The directory.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The master key is not one.
    #[error("[node] key: {0}")]
    Key(crate::seal::SealError),
    /// The journal holds a record that does not read.
    #[error(
        "the journal has a group at segment {segment}, offset {offset} that does not read: {source}; run `sluice journal verify`"
    )]
    Record {
        /// Where.
        segment: u32,
        /// Octets from the segment's start.
        offset: u32,
        /// What is wrong.
        source: crate::fact::layout::Malformed,
    },
    /// The configuration does not hold together in a way that its own checks did not see.
    #[error("{0}")]
    Policy(#[from] crate::admission::policy::PolicyError),
    /// The same, of a price.
    #[error("the price prefix {0:?} is not made of digits")]
    Price(String),
    /// A port is taken, or not ours to take.
    #[error("cannot listen on {address} for {what}: {source}; is another process using it?")]
    Listen {
        /// The address.
        address: String,
        /// SMPP or HTTP.
        what: &'static str,
        /// Why not.
        source: std::io::Error,
    },
    /// A thread or the runtime could not be made.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}
