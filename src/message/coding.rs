//! How a carrier wants its texts: what its data_coding 0 means, and how the parts of a long message are tied together.

use crate::text::{Alphabet, Choice, Concat};

/// The encoding settings of one carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coding {
    /// How the parts of a long message are carried.
    pub concat: Concat,
    /// What the carrier takes data_coding 0 for: GSM-7, or Latin-1.
    pub default_alphabet: Alphabet,
}

impl Default for Coding {
    fn default() -> Coding {
        Coding { concat: Concat::Udh8, default_alphabet: Alphabet::Gsm7 }
    }
}

impl Coding {
    /// What to ask `text::segment::plan` for when the sender asks for `wanted` and this carrier takes the message.
    pub fn choice(self, wanted: Choice) -> Choice {
        match wanted {
            Choice::Auto if self.default_alphabet == Alphabet::Latin1 => Choice::AutoLatin1,
            wanted => wanted,
        }
    }

    /// The data_coding that this carrier reads as `alphabet`.
    pub fn data_coding(self, alphabet: Alphabet) -> u8 {
        if alphabet == self.default_alphabet { 0 } else { alphabet.data_coding() }
    }

    /// The word for a form of concatenation: "udh8", "udh16", "sar", "payload".
    pub fn concat_of(word: &str) -> Option<Concat> {
        Some(match word {
            "udh8" => Concat::Udh8,
            "udh16" => Concat::Udh16,
            "sar" => Concat::Sar,
            "payload" => Concat::Payload,
            _ => return None,
        })
    }

    /// The word for a carrier's default alphabet: "gsm7", "latin1".
    pub fn alphabet_of(word: &str) -> Option<Alphabet> {
        match word {
            "gsm7" => Some(Alphabet::Gsm7),
            "latin1" => Some(Alphabet::Latin1),
            _ => None,
        }
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
    use crate::text::{Alphabet, Choice, Concat};

    #[test]
    fn a_latin1_carrier_is_asked_in_its_own_alphabet() {
        let latin1 = Coding { default_alphabet: Alphabet::Latin1, concat: Concat::Sar };
        assert_eq!(latin1.choice(Choice::Auto), Choice::AutoLatin1);
        assert_eq!(latin1.choice(Choice::Ucs2), Choice::Ucs2);
        assert_eq!([Alphabet::Latin1, Alphabet::Ucs2].map(|alphabet| latin1.data_coding(alphabet)), [0, 8]);
        assert_eq!([Alphabet::Latin1, Alphabet::Gsm7].map(|alphabet| Coding::default().data_coding(alphabet)), [3, 0]);
        assert_eq!(Coding::concat_of("udh16"), Some(Concat::Udh16));
        assert_eq!(Coding::alphabet_of("ucs2"), None);
    }
}
