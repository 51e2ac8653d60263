//! The national language tables of GSM-7 (TS 23.038, annex A): which languages there are.

/// Languages with a national table, by their identifiers (TS 23.038, 6.2.1.2.4).
const NAMES: [&str; LANGUAGES] = [
    "turkish",
    "spanish",
    "portuguese",
    "bengali",
    "gujarati",
    "hindi",
    "kannada",
    "malayalam",
    "oriya",
    "punjabi",
    "tamil",
    "telugu",
    "urdu",
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

    /// The identifiers, in order.
    pub fn ids(self) -> impl Iterator<Item = u8> {
        (1..=LANGUAGES as u8).filter(move |&id| self.has(id))
    }
}

/// The name of a language in answers and settings, such as "turkish". Bengali stands for Assamese as well.
pub fn name(id: u8) -> Option<&'static str> {
    NAMES.get(usize::from(id).checked_sub(1)?).copied()
}

/// The identifier of a language by its name.
pub fn id(name: &str) -> Option<u8> {
    (1..).zip(NAMES).find(|(_, known)| *known == name).map(|(id, _)| id)
}

#[cfg(test)]
mod tests {
    use super::{Languages, id, name};

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
        assert_eq!([id("turkish"), id("urdu"), id("klingon")], [Some(1), Some(13), None]);
    }
}
