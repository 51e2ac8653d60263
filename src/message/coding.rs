//! How a carrier wants its texts: what its data_coding 0 means, and how the parts of a long message are tied together.

pub use crate::text::national::Languages;
use crate::text::{Alphabet, Choice, Concat, Options};

/// The encoding settings of one carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coding {
    /// How the parts of a long message are carried.
    pub concat: Concat,
    /// What the carrier takes data_coding 0 for: GSM-7, or Latin-1.
    pub default_alphabet: Alphabet,
    /// The languages whose national tables the carrier takes.
    pub languages: Languages,
    /// Whether grapheme clusters stay in one part.
    pub clusters: bool,
}

impl Default for Coding {
    fn default() -> Coding {
        Coding { concat: Concat::Udh8, default_alphabet: Alphabet::Gsm7, languages: Languages::NONE, clusters: false }
    }
}

impl Coding {
    /// The forms of concatenation by the words of the configuration; the first is the default.
    pub const CONCATS: [(&str, Concat); 4] =
        [("udh8", Concat::Udh8), ("udh16", Concat::Udh16), ("sar", Concat::Sar), ("payload", Concat::Payload)];

    /// The default alphabets of carriers by the words of the configuration; the first is the default.
    pub const DEFAULT_ALPHABETS: [(&str, Alphabet); 2] = [("gsm7", Alphabet::Gsm7), ("latin1", Alphabet::Latin1)];

    /// What to ask `text::segment::plan` for when the sender asks for `wanted` and this carrier takes the message.
    pub fn options(self, wanted: Choice) -> Options {
        let choice = match wanted {
            Choice::Auto if self.default_alphabet == Alphabet::Latin1 => Choice::AutoLatin1,
            wanted => wanted,
        };
        Options { choice, concat: self.concat, languages: self.languages, clusters: self.clusters }
    }

    /// The data_coding that this carrier reads as `alphabet`.
    pub fn data_coding(self, alphabet: Alphabet) -> u8 {
        if alphabet == self.default_alphabet { 0 } else { alphabet.data_coding() }
    }

    /// The word of the API for what a sender asks for: "auto", "gsm7", "ucs2", "latin1".
    pub fn choice_of(word: &str) -> Option<Choice> {
        Some(match word {
            "auto" => Choice::Auto,
            "gsm7" => Choice::Gsm7,
            "ucs2" => Choice::Ucs2,
            "latin1" => Choice::Latin1,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Coding;
    use crate::text::{Alphabet, Choice, Concat, Options};

    #[test]
    fn a_latin1_carrier_is_asked_in_its_own_alphabet() {
        let latin1 = Coding { default_alphabet: Alphabet::Latin1, concat: Concat::Sar, ..Coding::default() };
        assert_eq!(latin1.options(Choice::Auto), Options::new(Choice::AutoLatin1, Concat::Sar));
        assert_eq!(latin1.options(Choice::Ucs2).choice, Choice::Ucs2);
        assert_eq!([Alphabet::Latin1, Alphabet::Ucs2].map(|alphabet| latin1.data_coding(alphabet)), [0, 8]);
        assert_eq!([Alphabet::Latin1, Alphabet::Gsm7].map(|alphabet| Coding::default().data_coding(alphabet)), [3, 0]);
        assert_eq!(Coding::choice_of("latin1"), Some(Choice::Latin1));
        assert_eq!(Coding::choice_of("payload"), None);
        assert_eq!((Coding::CONCATS[0].1, Coding::DEFAULT_ALPHABETS[0].1), (Concat::Udh8, Alphabet::Gsm7));
    }
}
