//! Entries of ids that a carrier has given to many parts at once, in order, so that each is found without looking at all.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::receipt::correlate::Entry;

/// Folded id, number, exact id, count of the insertion.
type Key = (u64, u32, u32, u64);

/// Empty for a carrier whose ids differ.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    parts: BTreeMap<Key, u32>,
    /// Part, folded and exact id: number and count.
    keys: BTreeMap<(u32, u64, u32), (u32, u64)>,
}

impl Crowd {
    /// Adds an entry; `inserted` is the whole count of which the entry has the low bits.
    pub(super) fn insert(&mut self, entry: &Entry, inserted: u64) {
        self.parts.insert((entry.folded, entry.number, entry.exact, inserted), entry.part);
        self.keys.insert((entry.part, entry.folded, entry.exact), (entry.number, inserted));
    }

    pub(super) fn remove(&mut self, folded: u64, exact: u32, part: u32) {
        if let Some((number, inserted)) = self.keys.remove(&(part, folded, exact)) {
            self.parts.remove(&(folded, number, exact, inserted));
        }
    }

    /// All of this folded id, one by one.
    pub(super) fn of(&self, folded: u64) -> impl Iterator<Item = Entry> + '_ {
        self.range((folded, 0, 0, 0)..=(folded, u32::MAX, u32::MAX, u64::MAX))
    }

    /// All of this folded id and number, one by one.
    pub(super) fn of_number(&self, folded: u64, number: u32) -> impl Iterator<Item = Entry> + '_ {
        self.range((folded, number, 0, 0)..=(folded, number, u32::MAX, u64::MAX))
    }

    /// The newest of this number whose id was spelled exactly so.
    pub(super) fn newest(&self, folded: u64, number: u32, exact: u32) -> Option<Entry> {
        self.range((folded, number, exact, 0)..=(folded, number, exact, u64::MAX)).next_back()
    }

    pub(super) fn has(&self, folded: u64, part: u32) -> bool {
        self.keys.range((part, folded, 0)..=(part, folded, u32::MAX)).next().is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    fn range(&self, keys: RangeInclusive<Key>) -> impl DoubleEndedIterator<Item = Entry> + '_ {
        self.parts.range(keys).map(|((folded, number, exact, inserted), part)| Entry {
            folded: *folded,
            exact: *exact,
            part: *part,
            number: *number,
            inserted: *inserted as u32,
        })
    }
}
