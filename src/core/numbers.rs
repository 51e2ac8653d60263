//! Counts of what happened, for metrics and for people.

/// Receipts that were given up, by the reason.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Quarantined {
    /// No part of ours has their id, or none that has ended so lately that it is still known.
    pub unknown: u64,
    /// They fit several parts, and nothing says which.
    pub ambiguous: u64,
    /// They had to make room for others before their time was over.
    pub crowded: u64,
}

impl Quarantined {
    /// Each reason in one word, and how many.
    pub fn by_reason(&self) -> [(&'static str, u64); 3] {
        [("unknown", self.unknown), ("ambiguous", self.ambiguous), ("crowded", self.crowded)]
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.unknown + self.ambiguous + self.crowded
    }
}

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
    pub quarantined: Quarantined,
    /// Receipts whose date lies before the sending or in the future by more than the minute to which dates are written.
    pub misdated: u64,
    /// Receipts given up because they waited too long for their tenant.
    pub unreported: u64,
    pub reported: u64,
    /// Receipts that their tenant has refused for good.
    pub report_refused: u64,
    /// Concluded messages by [`crate::message::State`] octet.
    pub concluded: [u64; 9],
    /// Parts in carriers' windows, now.
    pub in_windows: u32,
    /// Times that a waiting message went over to another carrier of its route.
    pub rerouted: u64,
    /// Messages not at their end, now.
    pub waiting: u64,
    /// Ended messages whose receipt is owed to their tenant, now.
    pub owed: u64,
    /// Receipts of carriers that wait for their part, now.
    pub pending: u64,
    /// Bodies asked of the reader.
    pub loads: u64,
    pub kept: u64,
}
