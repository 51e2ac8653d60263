//! A concatenated message as far as its parts have come: kept in the order of their coming, read in their own.

use core::time::Duration;

use crate::text::data_coding::DataCoding;
use crate::text::reassemble::{End, Key, PART_OCTETS, Part, Reading};
use crate::text::{Alphabet, latin1, national, ucs2};

/// Where in the octets each part begins that is there, by its sequence number.
type Places = [Option<u32>; 256];

/// A message that was handed over, or the parts of one that waits.
#[derive(Clone, PartialEq, Eq)]
pub struct Joined {
    key: Key,
    began_at: Duration,
    /// Why it was handed over.
    pub(super) end: End,
    count: u8,
    /// Each part: its number, how it is read, two octets of length, then as many octets.
    held: Vec<u8>,
}

impl Joined {
    pub(super) fn new(key: Key, began_at: Duration) -> Joined {
        Joined { key, began_at, end: End::Complete, count: 0, held: Vec::new() }
    }

    /// Which message it is.
    pub fn key(&self) -> Key {
        self.key
    }

    /// When its first part came.
    pub fn began_at(&self) -> Duration {
        self.began_at
    }

    /// Why it was handed over.
    pub fn end(&self) -> End {
        self.end
    }

    /// Whether all parts are there.
    pub fn is_complete(&self) -> bool {
        self.count == self.key.total
    }

    /// The sequence numbers that are not there, in order.
    pub fn missing(&self) -> impl Iterator<Item = u8> {
        let places = self.places();
        (1..=self.key.total).filter(move |&sequence| places[usize::from(sequence)].is_none())
    }

    /// The parts that are there, in the order of their numbers.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        self.places().into_iter().flatten().filter_map(|place| self.at(place as usize))
    }

    /// The octets of all parts that are there, in the order of their numbers, without their headers.
    pub fn octets(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(self.held.len());
        self.parts().for_each(|part| octets.extend_from_slice(part.octets));
        octets
    }

    /// Appends the text. `default` is how the sender's data_coding 0 is read.
    ///
    /// Octets are joined first and decoded then, because some senders cut a surrogate pair or an escape pair in two.
    /// They are decoded in runs: a missing part ends one, and so does a part that is read otherwise. Nothing is put in
    /// the place of what is missing. A NUL is a character like any other and ends nothing.
    pub fn decode(&self, default: Alphabet, out: &mut String) {
        let mut run = Vec::new();
        let mut before: Option<Part<'_>> = None;
        for part in self.parts() {
            if let Some(last) = before
                && (last.reading != part.reading || last.sequence + 1 != part.sequence)
            {
                decode_run(&run, last.reading, default, out);
                run.clear();
            }
            run.extend_from_slice(part.octets);
            before = Some(part);
        }
        if let Some(last) = before {
            decode_run(&run, last.reading, default, out);
        }
    }

    /// The part with this number, if it is there.
    pub(super) fn part(&self, sequence: u8) -> Option<Part<'_>> {
        let mut place = 0;
        while let Some(part) = self.at(place) {
            if part.sequence == sequence {
                return Some(part);
            }
            place += PART_OCTETS + part.octets.len();
        }
        None
    }

    /// Keeps a part that is not there yet: how many octets more are allocated. Beyond what the part needs it takes at
    /// most `room` ahead, so that a long message is not moved for every part.
    pub(super) fn push(&mut self, part: Part<'_>, room: usize) -> usize {
        let length = u16::try_from(part.octets.len()).unwrap_or(u16::MAX);
        let octets = &part.octets[..usize::from(length)];
        let before = self.held.capacity();
        let needed = self.held.len() + PART_OCTETS + octets.len();
        if needed > before {
            let ahead = (2 * before).min(before + room).max(needed);
            self.held.reserve_exact(ahead - self.held.len());
        }
        let Reading { data_coding, locking_id, single_id } = part.reading;
        let [high, low] = length.to_be_bytes();
        self.held.extend_from_slice(&[part.sequence, data_coding, locking_id, single_id, high, low, 0, 0]);
        self.held.extend_from_slice(octets);
        self.count += 1;
        self.held.capacity() - before
    }

    /// Octets that are allocated.
    pub(super) fn capacity(&self) -> usize {
        self.held.capacity()
    }

    /// Octets that can be taken without allocating.
    pub(super) fn spare(&self) -> usize {
        self.held.capacity() - self.held.len()
    }

    fn at(&self, place: usize) -> Option<Part<'_>> {
        let (head, rest) = self.held.get(place..)?.split_first_chunk::<PART_OCTETS>()?;
        let [sequence, data_coding, locking_id, single_id, high, low, ..] = *head;
        let octets = rest.get(..usize::from(u16::from_be_bytes([high, low])))?;
        Some(Part { sequence, reading: Reading { data_coding, locking_id, single_id }, octets })
    }

    fn places(&self) -> Places {
        let mut places = [None; 256];
        let mut place = 0;
        while let Some(part) = self.at(place) {
            places[usize::from(part.sequence)] = u32::try_from(place).ok();
            place += PART_OCTETS + part.octets.len();
        }
        places
    }
}

impl core::fmt::Debug for Joined {
    // The text is content, which logs must not show.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Joined {{ {} of {} parts, {:?}, … }}", self.count, self.key.total, self.end)
    }
}

fn decode_run(octets: &[u8], reading: Reading, default: Alphabet, out: &mut String) {
    match DataCoding(reading.data_coding).alphabet(default) {
        Alphabet::Gsm7 => national::decode(octets, reading.locking_id, reading.single_id, out),
        Alphabet::Ucs2 => ucs2::decode(octets, out),
        Alphabet::Latin1 | Alphabet::Binary => latin1::decode(octets, out),
    }
}
