//! How many messages were refused, and why: counted by both edges, read by the metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Words of `admission::refusal` and of the HTTP bodies; what is none of them counts as the last.
pub(super) const CODES: [&str; 24] = [
    "throttled",
    "stopping",
    "malformed",
    "missing_field",
    "unknown_field",
    "unsupported",
    "invalid_destination",
    "invalid_sender",
    "sender_not_allowed",
    "empty_text",
    "invalid_reference",
    "invalid_encoding",
    "invalid_tlvs",
    "invalid_validity",
    "invalid_schedule",
    "invalid_header",
    "not_in_alphabet",
    "too_long",
    "no_route",
    "no_price",
    "insufficient_credit",
    "queue_full",
    "key_reused",
    "other",
];

/// The counts since the start.
#[derive(Debug, Default)]
pub struct Refused {
    counts: [AtomicU64; CODES.len()],
}

impl Refused {
    /// Counts a message that was refused for the reason of this word.
    pub fn count(&self, code: &str) {
        let place = CODES.iter().position(|known| *known == code).unwrap_or(CODES.len() - 1);
        self.counts[place].fetch_add(1, Ordering::Relaxed);
    }

    /// Each word with its count, those that did not occur too.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CODES.iter().copied().zip(self.counts.iter().map(|count| count.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::Refused;

    #[test]
    fn reasons_are_counted_apart() {
        let refused = Refused::default();
        for code in ["no_price", "no_price", "no_such_word"] {
            refused.count(code);
        }
        let seen: Vec<_> = refused.counts().filter(|(_, count)| *count > 0).collect();
        assert_eq!(seen, [("no_price", 2), ("other", 1)]);
    }
}
