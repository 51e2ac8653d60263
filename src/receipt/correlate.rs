//! From a carrier's message id to the part that got it, per carrier account and over all its binds (quirk Q05).
//!
//! The ids themselves are not kept: an entry holds keyed hashes of the id, folded and exact, and of the destination.

use hashbrown::HashTable;

use crate::fact::Notice;
use crate::message::CarrierId;
use crate::receipt::spelling::{Hashes, Spelling};

/// The tables grow one by one, so that none holds up the core for long.
const TABLES: usize = 64;

/// Where a receipt belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// To this part.
    Part(u32),
    /// To one of several, and nothing says which.
    Ambiguous,
    /// To none that is known.
    None,
}

/// Carrier's ids of the parts that may still get a receipt. 24 octets an entry, and the table's own spare room.
#[derive(Debug)]
pub struct Correlation {
    tables: Vec<HashTable<Entry>>,
    spelling: Spelling,
    /// Counts insertions, around; tells the newest of entries with one id.
    inserted: u32,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    folded: u64,
    exact: u32,
    part: u32,
    number: u32,
    inserted: u32,
}

impl Correlation {
    /// An empty correlation whose hashes are keyed with `key`.
    pub fn new(key: [u64; 2]) -> Self {
        Correlation { tables: vec![HashTable::new(); TABLES], spelling: Spelling::new(key), inserted: 0 }
    }

    /// The carrier has taken a part under this id. `part` is the index of the core's part slab, `number` the keyed hash of the
    /// destination. An empty id finds nothing and is not kept.
    pub fn insert(&mut self, carrier: CarrierId, id: &[u8], part: u32, number: u64) {
        let Some(Hashes { folded, exact }) = self.spelling.hashes(carrier, id) else { return };
        self.inserted = self.inserted.wrapping_add(1);
        let entry = Entry { folded, exact, part, number: short(number), inserted: self.inserted };
        let table = &mut self.tables[table_of(folded)];
        match table.find_mut(folded, |old| (old.folded, old.exact, old.part) == (folded, exact, part)) {
            Some(old) => *old = entry,
            None => {
                table.insert_unique(folded, entry, |entry| entry.folded);
            }
        }
    }

    /// The carrier has taken a part without giving an id: only its number can find it.
    pub fn insert_without_id(&mut self, carrier: CarrierId, part: u32, number: u64) {
        self.insert(carrier, &stand_in(number), part, number);
    }

    /// Takes back [`Correlation::insert_without_id`].
    pub fn remove_without_id(&mut self, carrier: CarrierId, part: u32, number: u64) {
        self.remove(carrier, &stand_in(number), part);
    }

    /// The parts to this number that the carrier took without giving an id.
    pub fn without_id(&self, carrier: CarrierId, number: u64) -> impl Iterator<Item = u32> + '_ {
        let hashes = self.spelling.hashes(carrier, &stand_in(number));
        let entries = hashes.into_iter().flat_map(move |hashes| {
            self.entries(hashes.folded)
                .filter(move |entry| entry.exact == hashes.exact && entry.number == short(number))
        });
        entries.map(|entry| entry.part)
    }

    /// The part gets no more receipts under this id.
    pub fn remove(&mut self, carrier: CarrierId, id: &[u8], part: u32) {
        let Some(Hashes { folded, exact }) = self.spelling.hashes(carrier, id) else { return };
        let table = &mut self.tables[table_of(folded)];
        let found = table.find_entry(folded, |old| (old.folded, old.exact, old.part) == (folded, exact, part));
        if let Ok(entry) = found {
            entry.remove();
        }
    }

    /// The part that a receipt speaks of: by the id in receipted_message_id, then by the id in the text (quirk Q07).
    ///
    /// Each is tried as it is written, then with letter case and leading zeros folded, then with hexadecimal read as decimal and
    /// decimal as hexadecimal. As it is written it counts by itself, and where a carrier has used it several times, the newest with
    /// the receipt's number wins. Any other spelling counts only if it matches one part alone and that part's number is the receipt's.
    pub fn find(&self, carrier: CarrierId, notice: &Notice<'_>) -> Found {
        self.find_spelled(carrier, notice, true)
    }

    /// As [`Correlation::find`]; ids are read in another base only if `convert` says so.
    pub fn find_spelled(&self, carrier: CarrierId, notice: &Notice<'_>, convert: bool) -> Found {
        let number = short(notice.number);
        match self.find_id(carrier, notice.tlv_id, number, convert) {
            Found::Part(part) => Found::Part(part),
            by_tlv => match self.find_id(carrier, notice.text_id, number, convert) {
                Found::None => by_tlv,
                by_text => by_text,
            },
        }
    }

    /// Whether the part was found by an id as the response spelled it, but for case and zeros, that would read differently in the
    /// other base: `Some(true)`; only by reading it in the other base: `Some(false)`; nothing can be told: `None`.
    pub fn is_as_written(&self, carrier: CarrierId, notice: &Notice<'_>, part: u32) -> Option<bool> {
        let mut told = Some(false);
        for id in [notice.tlv_id, notice.text_id] {
            let Some(Hashes { folded, .. }) = self.spelling.hashes(carrier, id) else { continue };
            if self.entries(folded).any(|entry| entry.part == part) {
                let other = self.spelling.converted(carrier, id).into_iter().flatten().any(|hash| hash != folded);
                told = other.then_some(true);
                break;
            }
        }
        told
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.tables.iter().map(HashTable::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tables.iter().all(HashTable::is_empty)
    }

    fn find_id(&self, carrier: CarrierId, id: &[u8], number: u32, convert: bool) -> Found {
        let Some(Hashes { folded, exact }) = self.spelling.hashes(carrier, id) else { return Found::None };
        let as_written = self.exact(folded, exact, number);
        if as_written != Found::None {
            return as_written;
        }
        match self.only([Some(folded), None], number) {
            Found::None if convert => self.only(self.spelling.converted(carrier, id), number),
            found => found,
        }
    }

    fn entries(&self, folded: u64) -> impl Iterator<Item = &Entry> + '_ {
        self.tables[table_of(folded)].iter_hash(folded).filter(move |entry| entry.folded == folded)
    }

    /// The part whose id was spelled exactly so; of several the newest of this number (quirk Q06).
    fn exact(&self, folded: u64, exact: u32, number: u32) -> Found {
        let entries = || self.entries(folded).filter(|entry| entry.exact == exact);
        let newest = |entry: &&Entry| std::cmp::Reverse(self.inserted.wrapping_sub(entry.inserted));
        let Some(first) = entries().next() else { return Found::None };
        if entries().all(|entry| entry.part == first.part) {
            return Found::Part(first.part);
        }
        let of_number = entries().filter(|entry| entry.number == number).max_by_key(newest);
        of_number.map_or(Found::Ambiguous, |entry| Found::Part(entry.part))
    }

    /// The one part that has any of these spellings, if its number is the receipt's.
    fn only(&self, spellings: [Option<u64>; 2], number: u32) -> Found {
        let entries = || spellings.into_iter().flatten().flat_map(|folded| self.entries(folded));
        let Some(ours) = entries().find(|entry| entry.number == number) else { return Found::None };
        let alone = entries().all(|entry| entry.part == ours.part);
        if alone { Found::Part(ours.part) } else { Found::Ambiguous }
    }
}

/// What stands for the id of a part that has none. No carrier can write it, because an id ends before its NUL.
fn stand_in(number: u64) -> [u8; 17] {
    let mut octets = [0; 17];
    for (place, octet) in octets[1..].iter_mut().enumerate() {
        *octet = b"0123456789abcdef"[(number >> (60 - 4 * place)) as usize & 15];
    }
    octets
}

/// Bits of the hash that hashbrown uses neither for the place in a table nor, up to 2^48 entries, for its tags.
fn table_of(folded: u64) -> usize {
    (folded >> 50) as usize % TABLES
}

/// A keyed hash in 32 bits: it only ever confirms a match that the id has made.
fn short(number: u64) -> u32 {
    (number >> 32) as u32 ^ number as u32
}

#[cfg(test)]
mod tests;
