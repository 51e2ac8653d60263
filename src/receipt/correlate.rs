//! From a carrier's message id to the part that got it, per carrier account and over all its binds (quirk Q05).
//!
//! The ids themselves are not kept: an entry holds keyed hashes of the id, folded and exact, and of the destination.

use hashbrown::HashTable;

use crate::fact::Notice;
use crate::message::CarrierId;
use crate::receipt::crowd::Crowd;
use crate::receipt::habit::{Base, Reading};
use crate::receipt::spelling::{Hashes, Spelling};

/// The tables grow one by one, so that none holds up the core for long.
const TABLES: usize = 64;
/// Entries of one id beyond so many stand in the crowd, where they are found in order: a carrier may give one id to everything.
const ALIKE_MAX: usize = 8;

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
    crowd: Crowd,
    spelling: Spelling,
    /// Counts insertions; tells the newest of entries with one id.
    inserted: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) folded: u64,
    pub(super) exact: u32,
    pub(super) part: u32,
    pub(super) number: u32,
    /// The low bits of the count, which goes around.
    pub(super) inserted: u32,
}

impl Correlation {
    /// An empty correlation whose hashes are keyed with `key`.
    pub fn new(key: [u64; 2]) -> Self {
        let tables = vec![HashTable::new(); TABLES];
        Correlation { tables, crowd: Crowd::default(), spelling: Spelling::new(key), inserted: 0 }
    }

    /// The carrier has taken a part under this id. `part` is the index of the core's part slab, `number` the keyed hash of the
    /// destination. An empty id finds nothing and is not kept.
    pub fn insert(&mut self, carrier: CarrierId, id: &[u8], part: u32, number: u64) {
        let Some(Hashes { folded, exact }) = self.spelling.hashes(carrier, id) else { return };
        self.inserted += 1;
        let entry = Entry { folded, exact, part, number: short(number), inserted: self.inserted as u32 };
        let table = &mut self.tables[table_of(folded)];
        if let Some(old) = table.find_mut(folded, |old| (old.folded, old.exact, old.part) == (folded, exact, part)) {
            *old = entry;
            return;
        }
        self.crowd.remove(folded, exact, part);
        if table.iter_hash(folded).filter(|old| old.folded == folded).take(ALIKE_MAX).count() < ALIKE_MAX {
            table.insert_unique(folded, entry, |entry| entry.folded);
        } else {
            self.crowd.insert(&entry, self.inserted);
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

    /// The part to this number that the carrier took without giving an id, if it is the only one.
    pub fn without_id(&self, carrier: CarrierId, number: u64) -> Found {
        let Some(Hashes { folded, exact }) = self.spelling.hashes(carrier, &stand_in(number)) else {
            return Found::None;
        };
        let mut entries = self.entries(folded).filter(|entry| (entry.exact, entry.number) == (exact, short(number)));
        match (entries.next(), entries.next()) {
            (None, _) => Found::None,
            (Some(entry), None) => Found::Part(entry.part),
            (Some(_), Some(_)) => Found::Ambiguous,
        }
    }

    /// The part gets no more receipts under this id.
    pub fn remove(&mut self, carrier: CarrierId, id: &[u8], part: u32) {
        let Some(Hashes { folded, exact }) = self.spelling.hashes(carrier, id) else { return };
        let table = &mut self.tables[table_of(folded)];
        let found = table.find_entry(folded, |old| (old.folded, old.exact, old.part) == (folded, exact, part));
        match found {
            Ok(entry) => drop(entry.remove()),
            Err(_) => self.crowd.remove(folded, exact, part),
        }
    }

    /// The part that a receipt speaks of: by the id in receipted_message_id, then by the id in the text (quirk Q07).
    ///
    /// Each is tried as it is written, then with letter case and leading zeros folded, then in the other base, as far as `reading`
    /// goes. As it is written it counts by itself where it cannot be meant otherwise, and of several parts that got the same id the
    /// newest of the receipt's number is meant. Any other spelling counts only if it is that of one part alone of this number; then it
    /// also goes before an id as written that is of another number.
    pub fn find(&self, carrier: CarrierId, notice: &Notice<'_>, reading: Reading) -> Found {
        let number = short(notice.number);
        match self.find_id(carrier, notice.tlv_id, number, reading) {
            Found::Part(part) => Found::Part(part),
            by_tlv => match self.find_id(carrier, notice.text_id, number, reading) {
                Found::None => by_tlv,
                by_text => by_text,
            },
        }
    }

    /// Whether, read in another base, an id that was found as it is written is that of another part of the receipt's number, and the
    /// carrier's habit is not known: then nothing says which is meant.
    pub fn rival(&self, carrier: CarrierId, notice: &Notice<'_>, part: u32) -> Option<u32> {
        let id = if notice.tlv_id.is_empty() { notice.text_id } else { notice.tlv_id };
        match self.only(self.spelling.converted(carrier, id), short(notice.number)) {
            Found::Part(other) if other != part => Some(other),
            _ => None,
        }
    }

    /// What the receipt that found this part tells of the carrier's habit: whether it spells an id as the response did, but for case and
    /// zeros, or in another base; `None` if the id reads the same in both.
    pub fn spelled(&self, carrier: CarrierId, notice: &Notice<'_>, part: u32) -> Option<Base> {
        for id in [notice.tlv_id, notice.text_id] {
            let Some(Hashes { folded, .. }) = self.spelling.hashes(carrier, id) else { continue };
            let [in_hexadecimal, in_decimal] = self.spelling.converted(carrier, id);
            if self.has(folded, part) {
                let other = [in_hexadecimal, in_decimal].into_iter().flatten().any(|hash| hash != folded);
                return other.then_some(Base::AsWritten);
            }
            if in_hexadecimal.is_some_and(|hash| self.has(hash, part)) {
                return Some(Base::Hexadecimal);
            }
            if in_decimal.is_some_and(|hash| self.has(hash, part)) {
                return Some(Base::Decimal);
            }
        }
        None
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.tables.iter().map(HashTable::len).sum::<usize>() + self.crowd.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn find_id(&self, carrier: CarrierId, id: &[u8], number: u32, reading: Reading) -> Found {
        let Some(Hashes { folded, exact }) = self.spelling.hashes(carrier, id) else { return Found::None };
        let (as_written, of_number) = self.as_written(folded, exact, number);
        if reading == Reading::AsWritten || (matches!(reading, Reading::Either | Reading::AtLast) && of_number) {
            return as_written;
        }
        let converted = self.spelling.converted(carrier, id).map(|hash| hash.filter(|hash| *hash != folded));
        let [in_hexadecimal, in_decimal] = converted;
        let (first, second) = match reading {
            Reading::Mostly(Base::Decimal) => ([None, in_decimal], [in_hexadecimal, None]),
            Reading::Mostly(_) => ([in_hexadecimal, None], [None, in_decimal]),
            Reading::Only(Base::Decimal) => ([None, in_decimal], [None, None]),
            Reading::Only(_) => ([in_hexadecimal, None], [None, None]),
            Reading::Either | Reading::AtLast | Reading::AsWritten => (converted, [None, None]),
        };
        let found = match self.only(first, number) {
            Found::None => self.only(second, number),
            found => found,
        };
        let is_coincidence = match reading {
            Reading::Either | Reading::Mostly(_) => first != [None, None] && !of_number,
            Reading::Only(_) => first != [None, None],
            Reading::AtLast | Reading::AsWritten => false,
        };
        match found {
            // Its own response may still be to come.
            Found::None if is_coincidence => Found::None,
            Found::None => as_written,
            found => found,
        }
    }

    /// As it is written, or with case and zeros folded; and whether that is of this number.
    fn as_written(&self, folded: u64, exact: u32, number: u32) -> (Found, bool) {
        match self.exact(folded, exact, number) {
            (Found::None, _) => {
                let found = self.only([Some(folded), None], number);
                (found, found != Found::None)
            }
            found => found,
        }
    }

    /// The part whose id was spelled exactly so; of several the newest of this number (quirk Q06). And whether it is of this number.
    fn exact(&self, folded: u64, exact: u32, number: u32) -> (Found, bool) {
        let mut entries = self.entries(folded).filter(|entry| entry.exact == exact);
        let first = match (entries.next(), entries.next()) {
            (None, _) => return (Found::None, false),
            (Some(only), None) => return (Found::Part(only.part), only.number == number),
            (Some(first), Some(_)) => first,
        };
        let age = |entry: &Entry| (self.inserted as u32).wrapping_sub(entry.inserted);
        let in_table = self.alike(folded).filter(|entry| (entry.exact, entry.number) == (exact, number)).copied();
        let newest = in_table.chain(self.crowd.newest(folded, number, exact)).min_by_key(age);
        newest.map_or((Found::Ambiguous, first.number == number), |entry| (Found::Part(entry.part), true))
    }

    /// The one part of this number that has any of these spellings.
    fn only(&self, spellings: [Option<u64>; 2], number: u32) -> Found {
        let mut ours = spellings.into_iter().flatten().flat_map(|folded| {
            let in_table = self.alike(folded).filter(|entry| entry.number == number).copied();
            in_table.chain(self.crowd.of_number(folded, number))
        });
        let Some(first) = ours.next() else { return Found::None };
        let alone = ours.all(|entry| entry.part == first.part);
        if alone { Found::Part(first.part) } else { Found::Ambiguous }
    }

    /// All entries of this spelling.
    fn entries(&self, folded: u64) -> impl Iterator<Item = Entry> + '_ {
        self.alike(folded).copied().chain(self.crowd.of(folded))
    }

    /// Those in the tables; few.
    fn alike(&self, folded: u64) -> impl Iterator<Item = &Entry> + '_ {
        self.tables[table_of(folded)].iter_hash(folded).filter(move |entry| entry.folded == folded)
    }

    fn has(&self, folded: u64, part: u32) -> bool {
        self.alike(folded).any(|entry| entry.part == part) || self.crowd.has(folded, part)
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
