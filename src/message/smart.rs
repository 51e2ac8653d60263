//! Smart encoding: what is done about characters that make a message dear, by the words of the configuration and the API.

/// What a sender wants done about characters outside the plain alphabets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Smart {
    /// Nothing: the text goes as it was given.
    #[default]
    Strict,
    /// The text goes as it was given, and the answer says what replacing would save.
    Suggest,
    /// They are replaced where that helps, and the answer lists each place.
    Transliterate,
}

impl Smart {
    /// All modes by their words; the first is the default.
    pub const WORDS: [(&str, Smart); 3] =
        [("strict", Smart::Strict), ("suggest", Smart::Suggest), ("transliterate", Smart::Transliterate)];

    /// The mode of this word.
    pub fn of(word: &str) -> Option<Smart> {
        Smart::WORDS.iter().find(|(known, _)| *known == word).map(|(_, smart)| *smart)
    }
}
