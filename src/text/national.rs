//! The national language tables of GSM-7 (TS 23.038, annex A): which languages there are, their septets, and the header
//! elements that name them. A locking shift table takes the place of the default alphabet, a single shift table that of
//! the extension table; either may be of another language than the other.

pub(super) mod choice;
mod locking;
mod lookup;
mod single;

use crate::text::Options;
use crate::text::gsm7::{self, ESCAPE, Septet};
use crate::text::national::locking::LOCKING;
use crate::text::national::single::SINGLE;
use crate::text::udh::{Element, LOCKING_SHIFT, Malformed, SINGLE_SHIFT, elements};

/// Octets of a header element that names a table: id, length, language.
pub(super) const ELEMENT_OCTETS: u8 = 3;

/// Languages with a national table, by their identifiers (TS 23.038, 6.2.1.2.4): name and ISO 639-1 code.
const NAMES: [(&str, &str); LANGUAGES] = [
    ("turkish", "tr"),
    ("spanish", "es"),
    ("portuguese", "pt"),
    ("bengali", "bn"),
    ("gujarati", "gu"),
    ("hindi", "hi"),
    ("kannada", "kn"),
    ("malayalam", "ml"),
    ("oriya", "or"),
    ("punjabi", "pa"),
    ("tamil", "ta"),
    ("telugu", "te"),
    ("urdu", "ur"),
];

/// How many languages have national tables; their identifiers are 1 to 13.
pub const LANGUAGES: usize = 13;

/// A set of languages, identifiers 1 to 13.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Languages(u16);

impl Languages {
    /// No language: the tables of every telephone.
    pub const NONE: Languages = Languages(0);

    /// Every language that has a table.
    pub const ALL: Languages = Languages(((1 << LANGUAGES) - 1) << 1);

    /// The set with `id` added; an identifier that no language has changes nothing.
    #[must_use]
    pub fn with(self, id: u8) -> Languages {
        Languages(self.0 | 1u16.checked_shl(u32::from(id)).unwrap_or(0) & Languages::ALL.0)
    }

    /// Those that are in both sets.
    #[must_use]
    pub fn and(self, other: Languages) -> Languages {
        Languages(self.0 & other.0)
    }

    /// Whether a language is in the set.
    pub fn has(self, id: u8) -> bool {
        1u16.checked_shl(u32::from(id)).is_some_and(|bit| self.0 & bit != 0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names, in the order of the identifiers.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.ids().filter_map(name)
    }

    /// The set of these languages, by name or code; "all" stands for every one. An unknown word is handed back.
    pub fn named<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Languages, &'a str> {
        words.into_iter().try_fold(Languages::NONE, |set, word| match word {
            "all" => Ok(Languages::ALL),
            word => id(word).map(|id| set.with(id)).ok_or(word),
        })
    }

    /// A bit for each identifier.
    fn bits(self) -> u16 {
        self.0
    }

    /// The identifiers, in order.
    pub fn ids(self) -> impl Iterator<Item = u8> {
        (1..=LANGUAGES as u8).filter(move |&id| self.has(id))
    }
}

/// The name of a language in answers and settings, such as "turkish". Bengali stands for Assamese as well.
pub fn name(id: u8) -> Option<&'static str> {
    NAMES.get(usize::from(id).checked_sub(1)?).map(|(name, _)| *name)
}

/// The identifier of a language by its name or its ISO 639-1 code.
pub fn id(word: &str) -> Option<u8> {
    (1..).zip(NAMES).find(|(_, (name, code))| *name == word || *code == word).map(|(id, _)| id)
}

/// The pair of tables (locking, single) that [`crate::text::segment::plan`] takes for a text in GSM-7, however many parts
/// that is; `None` if no pair has all its characters.
pub fn best_tables(text: &str, options: Options) -> Option<(u8, u8)> {
    choice::choose(text, options).map(|chosen| (chosen.locking, chosen.single))
}

/// The septet of a character with these tables (0: the default ones), or `None` if neither has it.
pub fn septet(character: char, locking: u8, single: u8) -> Option<Septet> {
    let places = lookup::places(character);
    let locked = match locking {
        0 => gsm7::septet(character).filter(|septet| matches!(septet, Septet::Default(_))),
        _ => places.locking_septet(locking).map(Septet::Default),
    };
    let shifted = || match single {
        0 => gsm7::septet(character).filter(|septet| matches!(septet, Septet::Extended(_))),
        _ => places.single_septet(single).map(Septet::Extended),
    };
    locked.or_else(shifted)
}

/// Whether the locking shift table of a language (1 to 13) has a character.
pub(super) fn is_locked(character: char, language: u8) -> bool {
    1u16.checked_shl(u32::from(language)).is_some_and(|bit| lookup::places(character).locking & bit != 0)
}

/// The character of a septet in a locking shift table (0: the default alphabet), if it is defined.
pub fn locking_character(septet: u8, language: u8) -> Option<char> {
    match language {
        0 => (septet < 0x80 && septet != ESCAPE).then(|| gsm7::default_character(septet)),
        _ => character(&LOCKING, septet, language),
    }
}

/// The character of a septet in a single shift table (0: the extension table), if it is defined.
pub fn single_character(septet: u8, language: u8) -> Option<char> {
    if language == 0 { gsm7::extended_character(septet) } else { character(&SINGLE, septet, language) }
}

fn character(tables: &[[char; 128]; LANGUAGES], septet: u8, language: u8) -> Option<char> {
    let table = tables.get(usize::from(language).checked_sub(1)?)?;
    table.get(usize::from(septet)).copied().filter(|&character| character != '\0')
}

/// Appends the text of unpacked septets, as a receiver with these tables shows it (TS 23.038, 6.2.1.2): after an escape
/// a septet that the single shift table lacks reads as if there were no escape, and whatever no table has as a space.
pub fn decode(septets: &[u8], locking: u8, single: u8, out: &mut String) {
    if (locking, single) == (0, 0) {
        return gsm7::decode(septets, out);
    }
    let locked = |septet: u8| match septet {
        0x80.. => char::REPLACEMENT_CHARACTER,
        _ => locking_character(septet, locking).unwrap_or(' '),
    };
    let mut rest = septets.iter();
    while let Some(&septet) = rest.next() {
        if septet != ESCAPE {
            out.push(locked(septet));
            continue;
        }
        match rest.next() {
            Some(&next) => out.push(single_character(next, single).unwrap_or_else(|| locked(next))),
            None => out.push(' '),
        }
    }
}

/// Appends the elements that name these tables; none for a default table.
pub(super) fn write_elements(locking: u8, single: u8, out: &mut Vec<u8>) {
    for (id, language) in [(SINGLE_SHIFT, single), (LOCKING_SHIFT, locking)] {
        if language != 0 {
            Element { id, data: &[language] }.write(out);
        }
    }
}

/// The tables (locking, single) that the elements of a header name, as [`crate::text::udh::split`] gives them; 0 where
/// they name none. An unknown language is given as it stands, and decodes to spaces.
pub fn tables_of(octets: &[u8]) -> Result<(u8, u8), Malformed> {
    let (mut locking, mut single) = (0, 0);
    for element in elements(octets) {
        match element? {
            Element { id: LOCKING_SHIFT, data: &[language] } => locking = language,
            Element { id: SINGLE_SHIFT, data: &[language] } => single = language,
            _ => {}
        }
    }
    Ok((locking, single))
}

#[cfg(test)]
mod tests {
    use super::{Languages, decode, id, name, septet};
    use crate::text::gsm7::Septet;

    #[test]
    fn a_set_holds_only_languages_that_exist() {
        let set = [0, 1, 13, 14, 15, 16, 255].into_iter().fold(Languages::NONE, Languages::with);
        assert_eq!(set.ids().collect::<Vec<_>>(), [1, 13]);
        assert!(set.has(13) && !set.has(2) && !set.has(0) && !set.has(255));
        assert_eq!(Languages::ALL.ids().count(), 13);
        assert_eq!(set.and(Languages::NONE.with(13)).ids().collect::<Vec<_>>(), [13]);
        assert!(Languages::NONE.is_empty() && Languages::default().is_empty() && !set.is_empty());
    }

    #[test]
    fn every_language_is_found_by_its_name() {
        for language in 1..=13 {
            assert_eq!(name(language).and_then(id), Some(language));
        }
        assert_eq!([name(0), name(14)], [None, None]);
        assert_eq!([id("turkish"), id("ur"), id("klingon")], [Some(1), Some(13), None]);
        assert_eq!(Languages::named(["tr", "urdu"]), Ok(Languages::NONE.with(1).with(13)));
        assert_eq!(Languages::named(["all"]), Ok(Languages::ALL));
        assert_eq!(Languages::named(["tr", "klingon", "x"]), Err("klingon"));
        assert_eq!(Languages::named([]), Ok(Languages::NONE));
    }

    #[test]
    fn a_character_is_found_where_its_tables_have_it() {
        assert_eq!(septet('ş', 1, 0), Some(Septet::Default(0x1D)));
        assert_eq!(septet('ş', 0, 1), Some(Septet::Extended(0x73)));
        assert_eq!(septet('ş', 0, 0), None);
        assert_eq!(septet('*', 6, 6), Some(Septet::Extended(0x0B)), "the lower of two septets");
        assert_eq!(septet('€', 1, 0), Some(Septet::Default(0x04)));
        assert_eq!(septet('è', 1, 1), None, "the locking table took its place");
        assert_eq!([septet('a', 2, 0), septet('a', 14, 0), septet('€', 0, 255)], [None; 3]);
    }

    #[test]
    fn what_no_table_has_reads_as_a_receiver_shows_it() {
        let mut text = String::new();
        decode(&[0x1D, 0x1B, 0x41, 0x1B, 0x1B, 0x1B, 0x73, 0x80, 0x1B], 1, 1, &mut text);
        assert_eq!(text, "şA ş\u{FFFD} ");
        text.clear();
        decode(&[0x0C, 0x1B, 0x0C, 0x00], 4, 14, &mut text);
        assert_eq!(text, "  \u{981}");
    }
}
