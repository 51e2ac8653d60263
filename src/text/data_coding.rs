//! data_coding, octet by octet (SMPP 3.4 section 5.2.19 and TS 23.038 section 4): which characters the octets are, and
//! beside that, kept apart, the message class, message waiting and what else the same octet says.

use crate::text::Alphabet;

/// The groups of TS 23.038 section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// 0000: in SMPP the values 0 to 14 are character sets of its own, 0 the peer's default alphabet.
    General,
    /// 01xx: to be deleted by the handset once it was read.
    AutomaticDeletion,
    /// 1000 to 1011.
    Reserved,
    /// 1100: message waiting, the text may be discarded.
    WaitingDiscard,
    /// 1101 and 1110: message waiting, the text is stored.
    WaitingStore,
    /// 1111: data coding and message class.
    Class,
}

/// The alphabet of TS 23.038: what the octet says to a handset. In SMPP the values below 16 mean something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lettering {
    /// GSM 7-bit default alphabet.
    Gsm7,
    /// 8-bit data.
    EightBit,
    /// UCS-2.
    Ucs2,
    /// Reserved.
    Reserved,
}

/// What is waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// A voicemail.
    Voicemail,
    /// A fax.
    Fax,
    /// An electronic mail.
    Email,
    /// Something else.
    Other,
}

/// The characters that octets on an SMPP link stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// Whatever the peer takes data_coding 0 for.
    PeerDefault,
    /// GSM 7-bit default alphabet, in the peer's packing.
    Gsm7,
    /// ASCII, an octet a character.
    Ascii,
    /// ISO 8859-1.
    Latin1,
    /// UTF-16 big endian, surrogate pairs allowed.
    Utf16,
    /// Octets without characters, or compressed text.
    Binary,
    /// A character set that is passed on and not read; its usual name.
    Named(&'static str),
}

/// How a link writes data_coding when it carries a message class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ClassStyle {
    /// As the sender wrote it.
    #[default]
    AsSent,
    /// In the general group: flash is 0x10 in GSM-7, 0x14 in octets, 0x18 in UCS-2.
    General,
    /// In group 1111: flash is 0xF0 in GSM-7 and 0xF4 in octets. It has no UCS-2: that stays 0x18.
    Class,
}

/// A data_coding octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DataCoding(pub u8);

impl DataCoding {
    /// The group of TS 23.038.
    pub fn group(self) -> Group {
        match self.0 >> 4 {
            0x0..=0x3 => Group::General,
            0x4..=0x7 => Group::AutomaticDeletion,
            0x8..=0xB => Group::Reserved,
            0xC => Group::WaitingDiscard,
            0xD | 0xE => Group::WaitingStore,
            _ => Group::Class,
        }
    }

    /// The alphabet that a handset reads in this octet.
    pub fn lettering(self) -> Lettering {
        match self.group() {
            Group::General | Group::AutomaticDeletion => match (self.0 >> 2) & 3 {
                0 => Lettering::Gsm7,
                1 => Lettering::EightBit,
                2 => Lettering::Ucs2,
                _ => Lettering::Reserved,
            },
            Group::WaitingStore if self.0 >= 0xE0 => Lettering::Ucs2,
            Group::Class if self.0 & 4 != 0 => Lettering::EightBit,
            _ => Lettering::Gsm7,
        }
    }

    /// The message class, 0 (shown at once, "flash") to 3; `None` where the octet says none.
    pub fn class(self) -> Option<u8> {
        let told = match self.group() {
            Group::General | Group::AutomaticDeletion => self.0 & 0x10 != 0,
            Group::Class => true,
            _ => false,
        };
        told.then_some(self.0 & 3)
    }

    /// Whether the text is compressed (TS 23.042): such octets are passed on as they are.
    pub fn is_compressed(self) -> bool {
        matches!(self.group(), Group::General | Group::AutomaticDeletion) && self.0 & 0x20 != 0
    }

    /// Whether the handset deletes it once it was read.
    pub fn deletes_itself(self) -> bool {
        self.group() == Group::AutomaticDeletion
    }

    /// What is waiting, and whether it now does (true) or no longer does; `None` outside the two groups for it.
    pub fn waiting(self) -> Option<(Waiting, bool)> {
        if !matches!(self.group(), Group::WaitingDiscard | Group::WaitingStore) {
            return None;
        }
        let what = match self.0 & 3 {
            0 => Waiting::Voicemail,
            1 => Waiting::Fax,
            2 => Waiting::Email,
            _ => Waiting::Other,
        };
        Some((what, self.0 & 8 != 0))
    }

    /// How octets with this data_coding are read on an SMPP link: the character sets of SMPP below 15, TS 23.038 above
    /// (quirk Q58). Reserved alphabets and compressed text are octets.
    pub fn charset(self) -> Charset {
        match self.0 {
            0x00 => Charset::PeerDefault,
            0x01 => Charset::Ascii,
            0x03 => Charset::Latin1,
            0x05 => Charset::Named("jis"),
            0x06 => Charset::Named("iso8859-5"),
            0x07 => Charset::Named("iso8859-8"),
            0x08 => Charset::Utf16,
            0x0A => Charset::Named("iso2022jp"),
            0x0D => Charset::Named("jis0212"),
            0x0E => Charset::Named("euc-kr"),
            0x02 | 0x04 | 0x09 | 0x0B | 0x0C | 0x0F => Charset::Binary,
            _ if self.is_compressed() => Charset::Binary,
            _ => match self.lettering() {
                Lettering::Gsm7 => Charset::Gsm7,
                Lettering::Ucs2 => Charset::Utf16,
                Lettering::EightBit | Lettering::Reserved => Charset::Binary,
            },
        }
    }

    /// How octets with this data_coding are counted and cut. `default` is the peer's reading of 0. ASCII counts as septets,
    /// because that is what it becomes on the air; a character set that is not known here counts as octets.
    pub fn alphabet(self, default: Alphabet) -> Alphabet {
        match self.charset() {
            Charset::PeerDefault => default,
            Charset::Gsm7 | Charset::Ascii => Alphabet::Gsm7,
            Charset::Latin1 => Alphabet::Latin1,
            Charset::Utf16 => Alphabet::Ucs2,
            Charset::Binary | Charset::Named(_) => Alphabet::Binary,
        }
    }

    /// The octet that says this class for text in this alphabet (quirk Q59). `AsSent` keeps the group of `self` where that
    /// group has the alphabet.
    pub fn with_class(self, class: u8, alphabet: Alphabet, style: ClassStyle) -> DataCoding {
        let class = class & 3;
        let in_general = match (style, self.group()) {
            (ClassStyle::General, _) => true,
            (ClassStyle::Class, _) | (ClassStyle::AsSent, Group::Class) => alphabet == Alphabet::Ucs2,
            (ClassStyle::AsSent, _) => true,
        };
        let letters = match alphabet {
            Alphabet::Gsm7 => 0,
            Alphabet::Ucs2 => 2,
            Alphabet::Latin1 | Alphabet::Binary => 1,
        };
        // Automatic deletion is a bit of the general group and exists in no other.
        let deletes = if self.deletes_itself() { 0x40 } else { 0 };
        match in_general || self.deletes_itself() {
            true => DataCoding(deletes | 0x10 | letters << 2 | class),
            false => DataCoding(0xF0 | letters << 2 | class),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Charset, ClassStyle, DataCoding};
    use crate::text::Alphabet;

    #[test]
    fn flash_is_written_in_the_style_of_the_link() {
        let flash = |sent: u8, alphabet, style| DataCoding(sent).with_class(0, alphabet, style).0;
        for sent in [0x10, 0xF0] {
            assert_eq!(flash(sent, Alphabet::Gsm7, ClassStyle::General), 0x10);
            assert_eq!(flash(sent, Alphabet::Gsm7, ClassStyle::Class), 0xF0);
            assert_eq!(flash(sent, Alphabet::Gsm7, ClassStyle::AsSent), sent);
            assert_eq!(flash(sent, Alphabet::Ucs2, ClassStyle::AsSent), 0x18);
            assert_eq!(flash(sent, Alphabet::Binary, ClassStyle::Class), 0xF4);
        }
        assert_eq!(flash(0x18, Alphabet::Ucs2, ClassStyle::Class), 0x18, "group 1111 has no UCS-2");
        assert_eq!(flash(0x50, Alphabet::Gsm7, ClassStyle::Class), 0x50, "nor automatic deletion");
    }

    #[test]
    fn the_class_comes_back_from_what_was_written() {
        for sent in 0..=255u8 {
            for class in 0..4 {
                for alphabet in [Alphabet::Gsm7, Alphabet::Ucs2, Alphabet::Binary] {
                    for style in [ClassStyle::AsSent, ClassStyle::General, ClassStyle::Class] {
                        let written = DataCoding(sent).with_class(class, alphabet, style);
                        assert_eq!(written.class(), Some(class), "{sent:#04x} {alphabet:?} {style:?}");
                        assert_eq!(written.alphabet(Alphabet::Gsm7), alphabet, "{sent:#04x} {class} {style:?}");
                        assert_eq!(written.deletes_itself(), DataCoding(sent).deletes_itself());
                    }
                }
            }
        }
    }

    #[test]
    fn the_default_is_the_peers() {
        assert_eq!(DataCoding(0).charset(), Charset::PeerDefault);
        assert_eq!(DataCoding(0).alphabet(Alphabet::Latin1), Alphabet::Latin1);
    }
}
