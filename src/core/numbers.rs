//! Counts of what happened, for metrics and for people.

/// Counted since the start of the process, except where it says otherwise.
#[derive(Clone, Copy, Default, Debug)]
#[allow(missing_docs, reason = "each is the count of facts of its name")]
pub struct Numbers {
    pub accepted: u64,
    pub accepted_parts: u64,
    pub denied: u64,
    pub released: u64,
    pub sent: u64,
    pub deferred: u64,
    pub rejected: u64,
    /// Parts that will be, or were, submitted again although they may have been taken: possible duplicates.
    pub in_doubt: u64,
    /// Parts refused because the carrier never answered them, however often they were submitted.
    pub given_up: u64,
    /// Receipts that found their part, by [`crate::message::State`] octet.
    pub receipted: [u64; 9],
    pub unmatched: u64,
    pub quarantined: u64,
    /// Receipts whose date lies before the sending or in the future by more than the minute to which dates are written.
    pub misdated: u64,
    /// Receipts given up because they waited too long for their tenant.
    pub unreported: u64,
    pub reported: u64,
    /// Concluded messages by [`crate::message::State`] octet.
    pub concluded: [u64; 9],
    /// Parts in carriers' windows, now.
    pub in_windows: u32,
    /// Times that a waiting message went over to another carrier of its route.
    pub rerouted: u64,
    /// Messages not at their end, now.
    pub waiting: u64,
    /// Bodies asked of the reader.
    pub loads: u64,
    pub kept: u64,
}
