//! UTF-16BE, which SMPP calls UCS-2 (data_coding 8): text to octets and back, surrogate pairs allowed.

use crate::text::wide::Wide;

/// Octets of UTF-8 in which the characters begin that the portable step takes at once.
const BLOCK: usize = 32;

/// Octets of units that one step writes at most: an octet that begins no pair is at most one unit, and a pair may begin last.
const UNITS_OCTETS: usize = 2 * (BLOCK + 1);

/// What a text takes in UTF-16 code units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Code units, a surrogate pair counting two.
    pub units: usize,
    /// Whether there is a surrogate pair at all. Without one a text may be cut anywhere.
    pub pairs: bool,
}

/// Counts code units from the octets of the UTF-8 alone: one for each lead octet, one more for a lead of four.
pub fn count(text: &str) -> Count {
    let mut pairs = 0;
    let mut leads = 0;
    for chunk in text.as_bytes().chunks(128) {
        // Small sums stay in octets, which lets the compiler add 16 or more at once.
        leads += usize::from(chunk.iter().map(|&octet| u8::from(octet & 0xC0 != 0x80)).sum::<u8>());
        pairs += usize::from(chunk.iter().map(|&octet| u8::from(octet >= 0xF0)).sum::<u8>());
    }
    Count { units: leads + pairs, pairs: pairs > 0 }
}

/// Appends the UTF-16BE octets of a text.
pub fn encode(text: &str, out: &mut Vec<u8>) {
    encode_parts(text, usize::MAX, out, |_, _| usize::MAX);
}

/// Appends the octets of a text and calls `turn(out, wanted)` whenever the part in hand has no room for the next
/// `wanted` units; it answers how many units the next part takes, at least 2. A surrogate pair is never parted.
pub(super) fn encode_parts<F>(text: &str, room: usize, out: &mut Vec<u8>, turn: F)
where
    F: FnMut(&mut Vec<u8>, usize) -> usize,
{
    encode_parts_by(Wide::detect(), text, room, out, turn);
}

fn encode_parts_by<F>(wide: Option<Wide>, text: &str, mut room: usize, out: &mut Vec<u8>, mut turn: F)
where
    F: FnMut(&mut Vec<u8>, usize) -> usize,
{
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let mut octets_max = BLOCK;
        if let Some(wide) = wide {
            let start = out.len();
            rest = &rest[wide.encode_ucs2(rest, room, out)..];
            room -= (out.len() - start) / 2;
            // What it leaves is a character that needs a pair or another part; after that it goes on.
            octets_max = 1;
            if rest.is_empty() {
                break;
            }
        }
        let mut units = [0; UNITS_OCTETS];
        let (octets, length) = encode_block(rest, octets_max, &mut units);
        distribute(&units[..length], &mut room, out, &mut turn);
        rest = &rest[octets..];
    }
}

/// Writes the code units of the characters that begin in the next `octets_max` octets of `rest`, at most a block; says how
/// many octets they took and how many octets of units there are. `rest` begins with a character.
fn encode_block(rest: &[u8], octets_max: usize, units: &mut [u8; UNITS_OCTETS]) -> (usize, usize) {
    if octets_max == BLOCK
        && let Some(plain) = rest.first_chunk::<BLOCK>()
        && plain.is_ascii()
    {
        for (unit, &octet) in units.as_chunks_mut::<2>().0.iter_mut().zip(plain) {
            *unit = [0, octet];
        }
        return (BLOCK, 2 * BLOCK);
    }
    let (mut at, mut length) = (0, 0);
    let mut put = |unit: u32| {
        units[length..length + 2].copy_from_slice(&(unit as u16).to_be_bytes());
        length += 2;
    };
    while at < octets_max.min(rest.len()) {
        let (character, octets) = character(&rest[at..]);
        at += octets;
        match character.checked_sub(0x1_0000) {
            Some(beyond) => {
                put(0xD800 | beyond >> 10);
                put(0xDC00 | beyond & 0x3FF);
            }
            None => put(character),
        }
    }
    (at, length)
}

/// The first character of octets that are UTF-8, and how many octets it takes.
fn character(octets: &[u8]) -> (u32, usize) {
    let six = |octet: u8| u32::from(octet & 0x3F);
    match *octets {
        [a @ 0xC0..0xE0, b, ..] => (u32::from(a & 0x1F) << 6 | six(b), 2),
        [a @ 0xE0..0xF0, b, c, ..] => (u32::from(a & 0x0F) << 12 | six(b) << 6 | six(c), 3),
        [a @ 0xF0..=0xFF, b, c, d, ..] => (u32::from(a & 0x07) << 18 | six(b) << 12 | six(c) << 6 | six(d), 4),
        [a, ..] => (u32::from(a), 1),
        [] => (0, 1),
    }
}

/// Appends units to parts, so that no pair is parted.
fn distribute<F>(mut units: &[u8], room: &mut usize, out: &mut Vec<u8>, turn: &mut F)
where
    F: FnMut(&mut Vec<u8>, usize) -> usize,
{
    while units.len() / 2 > *room {
        let inside = *room > 0 && is_high_surrogate([units[2 * *room - 2], 0]);
        let (now, later) = units.split_at(2 * (*room - usize::from(inside)));
        out.extend_from_slice(now);
        *room = turn(out, if is_high_surrogate([later[0], 0]) { 2 } else { 1 });
        units = later;
    }
    out.extend_from_slice(units);
    *room -= units.len() / 2;
}

/// Appends the text of UTF-16BE octets. A surrogate without its other half and a last odd octet read as U+FFFD.
pub fn decode(octets: &[u8], out: &mut String) {
    let (pairs, odd) = octets.as_chunks::<2>();
    let units = pairs.iter().map(|&unit| u16::from_be_bytes(unit));
    out.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
    if !odd.is_empty() {
        out.push(char::REPLACEMENT_CHARACTER);
    }
}

/// The byte order mark as each order writes it.
const MARK_BIG: [u8; 2] = [0xFE, 0xFF];
const MARK_LITTLE: [u8; 2] = [0xFF, 0xFE];

/// Whether the octets of a whole message begin with a byte order mark. The standard knows none: UCS-2 is big-endian on SMPP links.
pub fn is_marked(octets: &[u8]) -> bool {
    octets.starts_with(&MARK_BIG) || octets.starts_with(&MARK_LITTLE)
}

/// As [`decode`], for the octets of a whole message that somebody else wrote: a byte order mark at the start tells the order and is
/// no part of the text (quirk Q55).
pub fn decode_marked(octets: &[u8], out: &mut String) {
    if let Some(big) = octets.strip_prefix(&MARK_BIG) {
        return decode(big, out);
    }
    let Some(little) = octets.strip_prefix(&MARK_LITTLE) else { return decode(octets, out) };
    let mut turned = little.to_vec();
    turned.as_chunks_mut::<2>().0.iter_mut().for_each(|unit| unit.reverse());
    decode(&turned, out);
}

/// Whether a big-endian code unit is the first half of a pair.
pub(super) fn is_high_surrogate(unit: [u8; 2]) -> bool {
    unit[0] & 0xFC == 0xD8
}

/// Whether a big-endian code unit is the second half of a pair.
pub(super) fn is_low_surrogate(unit: [u8; 2]) -> bool {
    unit[0] & 0xFC == 0xDC
}

#[cfg(test)]
mod tests {
    use super::{Count, Wide, count, decode, encode, encode_parts_by};

    #[test]
    fn units_are_those_of_the_encoder() {
        for text in ["", "a", "я", "😀", "aя€😀", &"x😀я".repeat(200)] {
            let units = text.encode_utf16().count();
            assert_eq!(count(text), Count { units, pairs: text.contains('😀') });
            let mut octets = Vec::new();
            encode(text, &mut octets);
            assert_eq!(octets.len(), 2 * units);
            let mut back = String::new();
            decode(&octets, &mut back);
            assert_eq!(back, text);
        }
    }

    #[test]
    fn the_vector_step_and_its_scalar_twin_agree() {
        // Every width of character meets every place in a block, and every cut.
        let widths = ["a", "é", "一", "😀"];
        for first in 0..70 {
            for (second, third) in widths.iter().flat_map(|second| widths.iter().map(move |third| (second, third))) {
                let text = format!("{}{second}{third}яя一 plain 😀{}", "a".repeat(first), second.repeat(40));
                let encoded = |wide, room| {
                    let (mut out, mut cuts) = (vec![], vec![]);
                    encode_parts_by(wide, &text, room, &mut out, |out, _| {
                        cuts.push(out.len());
                        room
                    });
                    (out, cuts)
                };
                let expected: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
                for room in [2, 3, 66, 67, 70, usize::MAX] {
                    let (scalar, cuts) = encoded(None, room);
                    assert_eq!(scalar, expected);
                    assert_eq!(encoded(Wide::detect(), room), (scalar, cuts), "{room} units of {text}");
                }
            }
        }
    }

    #[test]
    fn broken_pairs_and_odd_octets_are_replaced() {
        let mut text = String::new();
        decode(&[0xD8, 0x3D, 0x00, 0x41, 0xDE, 0x00, 0x42], &mut text);
        assert_eq!(text, "\u{FFFD}A\u{FFFD}\u{FFFD}");
    }
}
