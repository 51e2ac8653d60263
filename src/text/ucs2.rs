//! UTF-16BE, which SMPP calls UCS-2 (data_coding 8): text to octets and back, surrogate pairs allowed.

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
pub(super) fn encode_parts<F>(text: &str, mut room: usize, out: &mut Vec<u8>, mut turn: F)
where
    F: FnMut(&mut Vec<u8>, usize) -> usize,
{
    for character in text.chars() {
        let mut units = [0u16; 2];
        let units = character.encode_utf16(&mut units);
        if units.len() > room {
            room = turn(out, units.len());
        }
        room -= units.len();
        match units {
            [unit] => out.extend_from_slice(&unit.to_be_bytes()),
            units => units.iter().for_each(|unit| out.extend_from_slice(&unit.to_be_bytes())),
        }
    }
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
    use super::{Count, count, decode, encode};

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
    fn broken_pairs_and_odd_octets_are_replaced() {
        let mut text = String::new();
        decode(&[0xD8, 0x3D, 0x00, 0x41, 0xDE, 0x00, 0x42], &mut text);
        assert_eq!(text, "\u{FFFD}A\u{FFFD}\u{FFFD}");
    }
}
