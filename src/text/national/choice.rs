//! Which pair of tables a text goes in: the one of the fewest parts, then of the fewest header elements, then of the
//! fewest septets, then of the lowest identifiers.

use crate::text::gsm7::{self, Septet};
use crate::text::national::{ELEMENT_OCTETS, LANGUAGES, Languages, lookup};
use crate::text::pieces::{self, Coder};
use crate::text::{Alphabet, Concat, Options};

/// A pair of tables that has every character of a text, and what the text takes in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::text) struct Chosen {
    /// Language of the locking shift table, 0 for the default table.
    pub(in crate::text) locking: u8,
    /// Language of the single shift table, 0 for the default extension table.
    pub(in crate::text) single: u8,
    /// Septets, an escape pair counting two.
    pub(in crate::text) septets: usize,
    /// Parts on the air.
    pub(in crate::text) parts: usize,
}

/// The best pair of tables for a text, or `None` if no pair has all its characters.
///
/// What a character takes depends on the locking table alone, and which single shift table is behind it matters only
/// for the header. So there is one candidate for each locking table: with the default extension table if that is
/// enough, else with the lowest language that is.
pub(in crate::text) fn choose(text: &str, options: Options) -> Option<Chosen> {
    let tally = Tally::of(text, options.languages)?;
    let mut best: Option<Chosen> = None;
    for locking in tally.lockings() {
        let single = tally.singles[usize::from(locking)].trailing_zeros() as u8;
        let septets = tally.septets(locking);
        let mut candidate = Chosen { locking, single, septets, parts: 1 };
        let fits = septets <= candidate.room(None);
        let room = candidate.room(Some(options.concat));
        if !fits {
            candidate.parts = septets.div_ceil(room);
        }
        // What whole pairs and clusters leave empty can only add parts, so a bound that is no better settles it.
        if best.is_some_and(|best| best.rank() <= candidate.rank()) {
            continue;
        }
        let cut_anywhere = septets == tally.characters && !options.clusters;
        if !fits && !cut_anywhere {
            candidate.parts = pieces::cut(text, candidate.coder(), options.clusters, room);
        }
        if best.is_none_or(|best| candidate.rank() < best.rank()) {
            best = Some(candidate);
        }
    }
    best
}

impl Chosen {
    /// Elements in the header of each part that name tables.
    fn elements(&self) -> u8 {
        u8::from(self.locking != 0) + u8::from(self.single != 0)
    }

    fn rank(&self) -> (usize, u8, usize, u8, u8) {
        (self.parts, self.elements(), self.septets, self.locking, self.single)
    }

    /// Octets of header that we write at the start of each part.
    pub(in crate::text) fn written_header_octets(&self, concat: Concat) -> u8 {
        header_octets(if self.parts > 1 { concat.written_header_octets() } else { 0 }, self.elements())
    }

    /// Septets that one part takes at most.
    pub(in crate::text) fn part_units_max(&self, concat: Concat) -> usize {
        self.room((self.parts > 1).then_some(concat))
    }

    fn coder(&self) -> Coder {
        Coder::Gsm7 { locking: self.locking, single: self.single }
    }

    /// Septets of one part on the air, alone or among several.
    fn room(&self, concat: Option<Concat>) -> usize {
        let concat_octets = concat.map_or(0, Concat::air_header_octets);
        Alphabet::Gsm7.part_units_max(header_octets(concat_octets, self.elements()))
    }
}

/// Octets of a header with the length octet, of which the elements that name tables are added to `concat_octets`.
fn header_octets(concat_octets: u8, elements: u8) -> u8 {
    match (concat_octets, elements) {
        (_, 0) => concat_octets,
        (0, _) => 1 + elements * ELEMENT_OCTETS,
        _ => concat_octets + elements * ELEMENT_OCTETS,
    }
}

/// What a text takes in each locking table. Bit 0 and place 0 stand for the default tables.
struct Tally {
    characters: usize,
    /// Characters that are not in the locking table and take an escape.
    escapes: [usize; LANGUAGES + 1],
    /// Single shift tables that have all of those.
    singles: [u16; LANGUAGES + 1],
    /// Locking tables that are allowed, exist and have a single shift table left.
    alive: u16,
}

impl Tally {
    /// One pass over the text; `None` as soon as no table is left.
    fn of(text: &str, languages: Languages) -> Option<Tally> {
        let allowed = languages.bits() | 1;
        let alive = allowed & !(1 << SPANISH);
        let mut tally = Tally { characters: 0, escapes: [0; LANGUAGES + 1], singles: [allowed; LANGUAGES + 1], alive };
        for character in text.chars() {
            let (locking, single) = masks(character);
            tally.characters += 1;
            let mut without = tally.alive & !locking;
            while without != 0 {
                let table = without.trailing_zeros() as usize;
                without &= without - 1;
                tally.escapes[table] += 1;
                tally.singles[table] &= single;
                if tally.singles[table] == 0 {
                    tally.alive &= !(1 << table);
                }
            }
            if tally.alive == 0 {
                return None;
            }
        }
        Some(tally)
    }

    fn lockings(&self) -> impl Iterator<Item = u8> {
        (0..=LANGUAGES as u8).filter(|table| self.alive & (1 << table) != 0)
    }

    fn septets(&self, locking: u8) -> usize {
        self.characters + self.escapes[usize::from(locking)]
    }
}

/// The one language without a locking shift table.
const SPANISH: u8 = 2;

/// The tables that have a character, as bits: locking, and single shift.
fn masks(character: char) -> (u16, u16) {
    let places = lookup::places(character);
    match gsm7::septet(character) {
        Some(Septet::Default(_)) => (places.locking | 1, places.single),
        Some(Septet::Extended(_)) => (places.locking, places.single | 1),
        None => (places.locking, places.single),
    }
}
