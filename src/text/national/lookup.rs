//! Which national tables have a character, and at which septet: one look-up answers for all of them. What is looked up
//! is made from the tables when the program is compiled.

use crate::text::national::LANGUAGES;
use crate::text::national::locking::LOCKING;
use crate::text::national::single::SINGLE;

/// Characters of a page: the low bits of their codes.
const PAGE: usize = 64;

/// Pages that hold something, and the empty one in front that stands for all others.
const PAGES: usize = 32;

/// Pages up to the highest character of any table, the infinity sign of Portuguese.
const REACH: usize = 0x221E / PAGE + 1;

/// Septets in all tables together, a character that stands twice in one counting once.
const CODES: usize = 2274;

/// Where a character is found: a bit for each language, and where its septets begin.
#[derive(Clone, Copy)]
pub(super) struct Places {
    /// Languages whose locking table has it.
    pub(super) locking: u16,
    /// Languages whose single shift table has it.
    pub(super) single: u16,
    /// The first of its septets: those of the locking tables in the order of the languages, then those of the single ones.
    first: u16,
}

struct Lookup {
    /// The page of a character by the high bits of its code.
    index: [u8; REACH],
    pages: [[Places; PAGE]; PAGES],
    codes: [u8; CODES],
}

static LOOKUP: Lookup = Lookup::new();

/// Where a character is found; nowhere, if no table has it.
pub(super) fn places(character: char) -> Places {
    let code = character as usize;
    let page = LOOKUP.index.get(code / PAGE).map_or(0, |&page| usize::from(page));
    LOOKUP.pages[page][code % PAGE]
}

impl Places {
    const NOWHERE: Places = Places { locking: 0, single: 0, first: 0 };

    /// The septet in the locking table of a language.
    pub(super) fn locking_septet(self, language: u8) -> Option<u8> {
        let bit = 1u16.checked_shl(u32::from(language))?;
        (self.locking & bit != 0).then(|| LOOKUP.codes[self.rank(bit, 0) as usize])
    }

    /// The septet in the single shift table of a language; the lower one of two.
    pub(super) fn single_septet(self, language: u8) -> Option<u8> {
        let bit = 1u16.checked_shl(u32::from(language))?;
        (self.single & bit != 0).then(|| LOOKUP.codes[self.rank(0, bit) as usize])
    }

    /// The place among all septets of the one for this bit of either mask.
    const fn rank(self, locking: u16, single: u16) -> u32 {
        let before = if locking != 0 {
            (self.locking & (locking - 1)).count_ones()
        } else {
            self.locking.count_ones() + (self.single & (single - 1)).count_ones()
        };
        self.first as u32 + before
    }
}

impl Lookup {
    const fn new() -> Lookup {
        let mut lookup = Lookup { index: [0; REACH], pages: [[Places::NOWHERE; PAGE]; PAGES], codes: [0; CODES] };
        let mut used = 1;
        let mut at = 0;
        while at < LANGUAGES * 128 {
            let (table, septet) = (at / 128, at % 128);
            let bit = 1 << (table + 1);
            if LOCKING[table][septet] != '\0' {
                used = lookup.open(LOCKING[table][septet], used);
                lookup.places(LOCKING[table][septet]).locking |= bit;
            }
            if SINGLE[table][septet] != '\0' {
                used = lookup.open(SINGLE[table][septet], used);
                lookup.places(SINGLE[table][septet]).single |= bit;
            }
            at += 1;
        }
        lookup.give_room();
        lookup.fill();
        lookup
    }

    /// Gives the character's page a number if it has none yet; answers how many are in use then.
    const fn open(&mut self, character: char, used: u8) -> u8 {
        let page = &mut self.index[character as usize / PAGE];
        if *page != 0 {
            return used;
        }
        *page = used;
        used + 1
    }

    const fn places(&mut self, character: char) -> &mut Places {
        &mut self.pages[self.index[character as usize / PAGE] as usize][character as usize % PAGE]
    }

    const fn give_room(&mut self) {
        let mut next = 0;
        let mut at = 0;
        while at < PAGES * PAGE {
            let places = &mut self.pages[at / PAGE][at % PAGE];
            places.first = next;
            next += (places.locking.count_ones() + places.single.count_ones()) as u16;
            at += 1;
        }
        assert!(next as usize == CODES, "every septet has room");
    }

    /// From the highest septet down, so that of two for one character the lower stays.
    const fn fill(&mut self) {
        let mut at = LANGUAGES * 128;
        while at > 0 {
            at -= 1;
            let (table, septet) = (at / 128, at % 128);
            let bit = 1 << (table + 1);
            if LOCKING[table][septet] != '\0' {
                let rank = self.places(LOCKING[table][septet]).rank(bit, 0);
                self.codes[rank as usize] = septet as u8;
            }
            if SINGLE[table][septet] != '\0' {
                let rank = self.places(SINGLE[table][septet]).rank(0, bit);
                self.codes[rank as usize] = septet as u8;
            }
        }
    }
}
