//! Alphabets and segmentation, sans-IO: a library of its own that imports nothing else of this crate.
//!
//! [`segment::plan`] counts without allocating, [`segment::segment`] writes the parts that were counted.
//! [`resplit`] cuts what has a header already, [`reassemble`] joins parts again, [`udh`] walks their headers.

pub mod data_coding;
pub mod dear;
pub mod gsm7;
mod gsm7_table;
pub mod joined;
pub mod latin1;
pub mod link;
pub mod national;
pub mod pack;
mod pieces;
pub mod reassemble;
pub mod resplit;
pub mod replace;
pub mod segment;
pub mod segment_octets;
pub mod ucs2;
pub mod udh;
pub mod udh_kind;
mod wide;

mod replace_table;

use std::fmt;

use crate::text::national::Languages;

/// Octets that one short message carries in its user data, header included (TS 23.040, 9.2.3.16).
pub const PART_OCTETS_MAX: usize = 140;

/// Parts of one message at most: the total is a single octet in every form of concatenation.
pub const PARTS_MAX: usize = 255;

/// The alphabet that a text was put in. One unit is a septet, a UTF-16 code unit or an octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Alphabet {
    /// GSM 7-bit default alphabet with its extension table (TS 23.038, 6.2.1). On an SMPP link unpacked: a septet an octet.
    Gsm7 = 0,
    /// UTF-16BE, surrogate pairs allowed (SMPP data_coding 8).
    Ucs2 = 1,
    /// ISO 8859-1, an octet a character (SMPP data_coding 3, or 0 with some peers).
    Latin1 = 2,
    /// Octets without characters (SMPP data_coding 2 and 4): counted and cut like Latin-1.
    Binary = 3,
}

impl Alphabet {
    /// The word used in answers, records and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Alphabet::Gsm7 => "gsm7",
            Alphabet::Ucs2 => "ucs2",
            Alphabet::Latin1 => "latin1",
            Alphabet::Binary => "binary",
        }
    }

    /// Units that fit in one part beside `header_octets` of user data header (its length octet included).
    pub fn part_units_max(self, header_octets: u8) -> usize {
        let octets = PART_OCTETS_MAX - usize::from(header_octets).min(PART_OCTETS_MAX);
        match self {
            Alphabet::Gsm7 => octets * 8 / 7,
            Alphabet::Ucs2 => octets / 2,
            Alphabet::Latin1 | Alphabet::Binary => octets,
        }
    }

    /// Octets that one unit takes on an SMPP link.
    pub fn unit_octets(self) -> usize {
        if self == Alphabet::Ucs2 { 2 } else { 1 }
    }
}

/// Which alphabet the caller asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Choice {
    /// GSM-7 if every character is in it, else UCS-2.
    #[default]
    Auto,
    /// As `Auto`, for a peer whose default alphabet is Latin-1: Latin-1 if every character is in Latin-1 *and* in
    /// GSM-7 (the peer converts, and would lose the others), else UCS-2.
    AutoLatin1,
    /// GSM-7, or [`TextError::NotInAlphabet`].
    Gsm7,
    /// UCS-2 always.
    Ucs2,
    /// Latin-1, or [`TextError::NotInAlphabet`].
    Latin1,
}

impl Choice {
    /// The alphabet that replacing characters aims at; `None` for UCS-2, which has them all. A peer of Latin-1 gets only
    /// characters that are in GSM-7 too.
    pub fn aim(self) -> Option<Alphabet> {
        match self {
            Choice::Auto | Choice::AutoLatin1 | Choice::Gsm7 => Some(Alphabet::Gsm7),
            Choice::Latin1 => Some(Alphabet::Latin1),
            Choice::Ucs2 => None,
        }
    }
}

/// How a message of several parts is carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Concat {
    /// A user data header with an 8-bit reference in each part: 6 octets (TS 23.040, 9.2.3.24.1).
    #[default]
    Udh8 = 0,
    /// A user data header with a 16-bit reference: 7 octets (TS 23.040, 9.2.3.24.8).
    Udh16 = 1,
    /// SMPP's sar_* TLVs; the octets carry no header. The peer adds one on the air, so parts are cut as for `Udh8`.
    Sar = 2,
    /// One PDU with message_payload; the peer cuts it. Parts are counted as for `Udh8`.
    Payload = 3,
}

impl Concat {
    /// Octets of header that each of several parts has on the air, by our choice or by the peer's.
    pub fn air_header_octets(self) -> u8 {
        match self {
            Concat::Udh8 | Concat::Sar | Concat::Payload => udh::CONCAT8_OCTETS,
            Concat::Udh16 => udh::CONCAT16_OCTETS,
        }
    }

    /// Octets of header that we write at the start of each of several parts.
    pub fn written_header_octets(self) -> u8 {
        match self {
            Concat::Udh8 | Concat::Udh16 => self.air_header_octets(),
            Concat::Sar | Concat::Payload => 0,
        }
    }
}

/// How a text is to be cut. The default is that of the standard: GSM-7 or UCS-2, an 8-bit reference, no national table,
/// and cuts between any two code points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    /// Which alphabet.
    pub choice: Choice,
    /// How several parts are carried.
    pub concat: Concat,
    /// Whose national language tables may be used where the alphabet is GSM-7.
    pub languages: Languages,
    /// Whether a grapheme cluster stays in one part, as an emoji of several code points should; one that is longer
    /// than a part is cut between its code points.
    pub clusters: bool,
}

impl Options {
    /// An alphabet and a form of concatenation, and the rest by default.
    pub fn new(choice: Choice, concat: Concat) -> Options {
        Options { choice, concat, ..Options::default() }
    }
}

/// Why a text cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// More than [`PARTS_MAX`] parts; how many it would have been, and of how many units.
    TooManyParts {
        /// Parts that the text would need.
        parts: usize,
        /// Units of the whole text in the chosen alphabet.
        units_total: usize,
    },
    /// A character that the alphabet asked for does not have.
    NotInAlphabet {
        /// The character.
        character: char,
        /// Its place: characters before it.
        at: usize,
        /// The alphabet asked for.
        alphabet: Alphabet,
    },
}

impl fmt::Display for TextError {
    // The character itself is content, which logs must not show: only its place is told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TextError::TooManyParts { parts, .. } => {
                write!(f, "the text needs {parts} parts and a message has at most {PARTS_MAX}")
            }
            TextError::NotInAlphabet { at, alphabet, .. } => {
                write!(f, "character {} is not in the alphabet asked for ({})", at + 1, alphabet.name())
            }
        }
    }
}

impl std::error::Error for TextError {}

#[cfg(test)]
mod tests {
    use super::{Alphabet, Choice, Concat};

    #[test]
    fn capacities_are_those_of_the_standard() {
        let of = |alphabet: Alphabet| [0u8, 6, 7].map(|header| alphabet.part_units_max(header));
        assert_eq!(of(Alphabet::Gsm7), [160, 153, 152]);
        assert_eq!(of(Alphabet::Ucs2), [70, 67, 66]);
        assert_eq!(of(Alphabet::Latin1), [140, 134, 133]);
        assert_eq!(Concat::Sar.air_header_octets(), 6);
        assert_eq!(Concat::Sar.written_header_octets(), 0);
        assert_eq!(Choice::default(), Choice::Auto);
    }
}
