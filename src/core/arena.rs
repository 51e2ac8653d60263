//! Open envelopes of messages that are about to be sent or reported, in a ring of fixed size.
//!
//! What is overwritten is not lost: it stands sealed in the journal, and the reader brings it back.

use crate::message::MessageId;

/// A ring of open envelopes. A handle stays good until the ring has gone round.
#[derive(Debug)]
pub(super) struct Arena {
    ring: Vec<u8>,
    /// Octets ever written, gaps included; a handle is such a position plus one, so that zero is none.
    head: u64,
    octets_max: u64,
}

const HEAD_OCTETS: usize = 12;

impl Arena {
    /// A ring of `octets_max`; its memory is taken as it fills.
    pub(super) fn new(octets_max: usize) -> Arena {
        Arena { ring: Vec::new(), head: 0, octets_max: octets_max as u64 }
    }

    /// Copies an envelope in. Zero if it is larger than a quarter of the ring.
    pub(super) fn put(&mut self, id: MessageId, envelope: &[u8]) -> u64 {
        let need = (HEAD_OCTETS + envelope.len()) as u64;
        if need > self.octets_max / 4 {
            return 0;
        }
        if self.head % self.octets_max + need > self.octets_max {
            self.head = self.head.next_multiple_of(self.octets_max);
        }
        let start = (self.head % self.octets_max) as usize;
        let end = start + need as usize;
        if self.ring.capacity() == 0 {
            // Growing by doubling would copy it whole, in the core's thread; pages that are not reached are not taken.
            self.ring.reserve_exact(self.octets_max as usize);
        }
        if self.ring.len() < end {
            self.ring.resize(end, 0);
        }
        let length = (envelope.len() as u32).to_le_bytes();
        self.ring[start..start + 8].copy_from_slice(&id.0.to_le_bytes());
        self.ring[start + 8..start + HEAD_OCTETS].copy_from_slice(&length);
        self.ring[start + HEAD_OCTETS..end].copy_from_slice(envelope);
        let handle = self.head + 1;
        self.head += need;
        handle
    }

    /// The envelope of `id`, if the ring still holds it.
    pub(super) fn get(&self, handle: u64, id: MessageId) -> Option<&[u8]> {
        let position = handle.checked_sub(1)?;
        if self.head.checked_sub(position)? > self.octets_max {
            return None;
        }
        let start = (position % self.octets_max) as usize;
        let head = self.ring.get(start..start + HEAD_OCTETS)?;
        let (owner, length) = head.split_at(8);
        if owner != id.0.to_le_bytes() {
            return None;
        }
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
        self.ring.get(start + HEAD_OCTETS..)?.get(..length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_the_newest_and_knows_what_is_gone() {
        let mut arena = Arena::new(1000);
        let handles: Vec<u64> = (1..=40).map(|n| arena.put(MessageId(n), &[n as u8; 50])).collect();
        let held = (1..=40).filter(|n| arena.get(handles[*n as usize - 1], MessageId(*n)).is_some()).count();
        assert!((12..=16).contains(&held), "{held} of 62 octets each fit in 1000");
        assert_eq!(arena.get(handles[39], MessageId(40)), Some(&[40u8; 50][..]));
        assert_eq!(arena.get(handles[39], MessageId(39)), None);
        assert_eq!(arena.get(0, MessageId(1)), None);
        assert_eq!(arena.put(MessageId(1), &[0; 300]), 0);
    }
}
