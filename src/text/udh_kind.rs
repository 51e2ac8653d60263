//! The kinds of information elements of a user data header: names, lengths, and which may stand more than once
//! (TS 23.040, 9.2.3.24). The lengths are the standard's; a walk keeps elements of any other length as well.

use core::ops::RangeInclusive;

use crate::text::udh::Element;

/// What an element speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Control of the short message itself.
    SmControl,
    /// Control of enhanced messages.
    EmsControl,
    /// Content of enhanced messages.
    EmsContent,
    /// Not assigned: a receiver skips it, a relay keeps it.
    Reserved,
}

impl Class {
    /// The standard's words; empty for what is reserved.
    pub fn name(self) -> &'static str {
        match self {
            Class::SmControl => "SM control",
            Class::EmsControl => "EMS control",
            Class::EmsContent => "EMS content",
            Class::Reserved => "",
        }
    }
}

/// Whether a header may have several elements of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Repeats {
    /// Each of them counts.
    Yes,
    /// The last one counts.
    No,
    /// The element's own standard says; each of them is kept.
    Elsewhere,
}

/// What the standard says of a range of element identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The identifiers it holds for.
    pub ids: RangeInclusive<u8>,
    /// Its name.
    pub name: &'static str,
    /// How many octets of data it has; for what is reserved, any that a header holds.
    pub octets: RangeInclusive<u8>,
    /// What it speaks of.
    pub class: Class,
    /// Whether it may stand more than once.
    pub repeats: Repeats,
}

impl Kind {
    /// The kind of an identifier. Every identifier has one.
    pub fn of(id: u8) -> &'static Kind {
        let after = KINDS.partition_point(|kind| *kind.ids.end() < id);
        &KINDS[after.min(KINDS.len() - 1)]
    }

    /// Whether an element of this kind has as much data as the standard gives it.
    pub fn fits(&self, element: &Element<'_>) -> bool {
        u8::try_from(element.data.len()).is_ok_and(|octets| self.octets.contains(&octets))
    }
}

/// Octets of data that one element can have beside its id and length in a header of 140 octets.
const OCTETS_MAX: u8 = 137;

const fn row(first: u8, last: u8, name: &'static str, min: u8, max: u8, class: Class, repeats: Repeats) -> Kind {
    Kind { ids: first..=last, name, octets: min..=max, class, repeats }
}

const fn sm(id: u8, name: &'static str, min: u8, max: u8, repeats: Repeats) -> Kind {
    row(id, id, name, min, max, Class::SmControl, repeats)
}

const fn ems(id: u8, name: &'static str, min: u8, max: u8) -> Kind {
    row(id, id, name, min, max, Class::EmsContent, Repeats::Yes)
}

const fn ems_control(id: u8, name: &'static str, min: u8, max: u8) -> Kind {
    row(id, id, name, min, max, Class::EmsControl, Repeats::Yes)
}

const fn reserved(first: u8, last: u8, name: &'static str) -> Kind {
    row(first, last, name, 0, u8::MAX, Class::Reserved, Repeats::Elsewhere)
}

const fn elsewhere(first: u8, last: u8, name: &'static str) -> Kind {
    row(first, last, name, 0, OCTETS_MAX, Class::SmControl, Repeats::Elsewhere)
}

/// All identifiers, in order and without a gap.
static KINDS: [Kind; 40] = [
    sm(0x00, "concatenated short messages, 8-bit reference", 3, 3, Repeats::No),
    sm(0x01, "special SMS message indication", 2, 2, Repeats::Yes),
    reserved(0x02, 0x02, "reserved"),
    reserved(0x03, 0x03, "value not used (avoids the LF character)"),
    sm(0x04, "application port addressing, 8-bit", 2, 2, Repeats::No),
    sm(0x05, "application port addressing, 16-bit", 4, 4, Repeats::No),
    sm(0x06, "SMSC control parameters", 1, 1, Repeats::No),
    sm(0x07, "UDH source indicator", 1, 1, Repeats::Yes),
    sm(0x08, "concatenated short messages, 16-bit reference", 4, 4, Repeats::No),
    elsewhere(0x09, 0x09, "wireless control message protocol"),
    ems(0x0A, "text formatting", 3, 4),
    ems(0x0B, "predefined sound", 2, 2),
    ems(0x0C, "user defined sound (iMelody, 128 max)", 1, 129),
    ems(0x0D, "predefined animation", 2, 2),
    ems(0x0E, "large animation (16x16x4)", 129, 129),
    ems(0x0F, "small animation (8x8x4)", 33, 33),
    ems(0x10, "large picture (32x32)", 129, 129),
    ems(0x11, "small picture (16x16)", 33, 33),
    ems(0x12, "variable picture", 4, OCTETS_MAX),
    ems(0x13, "user prompt indicator", 1, 1),
    ems(0x14, "extended object", 7, OCTETS_MAX),
    ems(0x15, "reused extended object", 3, 3),
    ems_control(0x16, "compression control", 3, OCTETS_MAX),
    ems_control(0x17, "object distribution indicator", 2, 2),
    ems(0x18, "standard WVG object", 1, OCTETS_MAX),
    ems(0x19, "character size WVG object", 1, OCTETS_MAX),
    ems_control(0x1A, "extended object data request command", 0, 0),
    reserved(0x1B, 0x1F, "reserved for future EMS"),
    sm(0x20, "RFC 5322 e-mail header length", 1, 1, Repeats::No),
    sm(0x21, "hyperlink format element", 4, 4, Repeats::Yes),
    sm(0x22, "reply address element", 2, 12, Repeats::No),
    sm(0x23, "enhanced voice mail information", 5, OCTETS_MAX, Repeats::No),
    sm(0x24, "national language single shift", 1, 1, Repeats::No),
    sm(0x25, "national language locking shift", 1, 1, Repeats::No),
    reserved(0x26, 0x6F, "reserved for future use"),
    elsewhere(0x70, 0x7F, "(U)SIM toolkit security headers"),
    elsewhere(0x80, 0x9F, "SME to SME specific use"),
    reserved(0xA0, 0xBF, "reserved for future use"),
    elsewhere(0xC0, 0xDF, "SC specific use"),
    reserved(0xE0, 0xFF, "reserved for future use"),
];
