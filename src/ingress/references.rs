//! Reference numbers of concatenated messages: counted per destination, so that no two live messages to one handset share one.

use std::sync::atomic::{AtomicU16, Ordering};

/// Counters; destinations share one only if their keyed hashes agree in the low bits.
const COUNTERS: usize = 4096;

/// The counters of this gateway, shared by all that admit messages (quirk Q63).
#[derive(Debug)]
pub struct References {
    counters: Box<[AtomicU16]>,
}

impl Default for References {
    fn default() -> References {
        References::new(0)
    }
}

impl References {
    /// Counters that start at places given by `seed`, so that a restart does not begin with the references just used.
    pub fn new(seed: u64) -> References {
        let start = |index: u64| (seed ^ index).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
        References { counters: (0..COUNTERS as u64).map(|index| AtomicU16::new(start(index) as u16)).collect() }
    }

    /// The next reference for a destination, by the keyed hash of its number. The 8-bit form takes the low octet.
    pub fn next(&self, number: u64) -> u16 {
        self.counters[number as usize % COUNTERS].fetch_add(1, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_sees_each_reference_once_in_a_round() {
        let references = References::new(7);
        let mut seen: Vec<u16> = (0..256).map(|_| references.next(42) & 0xFF).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..256).collect::<Vec<u16>>(), "all 256 of the 8-bit form before any comes again");
        let mut wide: Vec<u16> = (0..300).map(|_| references.next(42)).collect();
        wide.sort_unstable();
        wide.dedup();
        assert_eq!(wide.len(), 300, "the 16-bit form goes on without repeating");
        assert_ne!(References::new(1).next(42), References::new(2).next(42));
    }
}
