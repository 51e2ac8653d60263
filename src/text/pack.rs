//! Septets packed into octets (TS 23.038, 6.1.2.1), with the fill bits that follow a user data header
//! (TS 23.040, 9.2.3.24). SMPP links carry septets unpacked; a few peers want them packed.

use crate::text::PART_OCTETS_MAX;

/// The character that pads seven spare bits where nothing else tells how many septets there are.
const CARRIAGE_RETURN: u8 = 0x0D;

/// Bits between a header of this many octets and the first septet, which starts on a septet boundary.
pub fn fill_bits(header_octets: usize) -> usize {
    (7 - header_octets * 8 % 7) % 7
}

/// Appends `septets` packed, after the fill bits for a header of `header_octets` that the caller has written.
///
/// Without a septet count seven spare bits at the end would read as `@`: they become a carriage return, and a text
/// that itself ends so on an octet boundary gets a second one (TS 23.038, 6.1.2.3.1), where the part has an octet left for it.
pub fn pack(septets: &[u8], header_octets: usize, out: &mut Vec<u8>) {
    let start = out.len();
    let mut packer = Packer::after(header_octets);
    packer.put(septets, out);
    let full = header_octets + (out.len() - start) >= PART_OCTETS_MAX;
    packer.finish(septets.last() == Some(&CARRIAGE_RETURN) && !full, out);
}

/// Packs septets that come in pieces.
pub(super) struct Packer {
    /// Bits that fill no octet yet, the first of them lowest.
    pub(super) held: u64,
    /// How many: 0 to 7.
    pub(super) held_bits: usize,
}

impl Packer {
    /// Begins after a header of so many octets, or at the start of a part with 0.
    pub(super) fn after(header_octets: usize) -> Packer {
        Packer { held: 0, held_bits: fill_bits(header_octets) }
    }

    /// Packs any number of septets.
    pub(super) fn put(&mut self, septets: &[u8], out: &mut Vec<u8>) {
        let (blocks, rest) = septets.as_chunks::<32>();
        for block in blocks {
            self.put_32(block, out);
        }
        let (eights, rest) = rest.as_chunks::<8>();
        for &eight in eights {
            let octets = self.join(squeeze(u64::from_le_bytes(eight)));
            out.extend_from_slice(&octets[..7]);
        }
        for &septet in rest {
            self.put_one(septet, out);
        }
    }

    /// Packs 32 septets into 28 octets.
    #[inline]
    pub(super) fn put_32(&mut self, septets: &[u8; 32], out: &mut Vec<u8>) {
        let (eights, _) = septets.as_chunks::<8>();
        let eight = |at: usize| squeeze(u64::from_le_bytes(eights[at]));
        let (a, b, c, d) = (eight(0), eight(1), eight(2), eight(3));
        // Four times 56 bits as 224 in a row, all of them then moved up behind the bits held.
        let row = [a | b << 56, b >> 8 | c << 48, c >> 16 | d << 40, d >> 24];
        let up = self.held_bits;
        let over = |word: u64| word >> 1 >> (63 - up);
        let words = [
            self.held | row[0] << up,
            over(row[0]) | row[1] << up,
            over(row[1]) | row[2] << up,
            over(row[2]) | row[3] << up,
        ];
        self.held = words[3] >> 32;
        let mut octets = [0u8; 28];
        for (octets, word) in octets.chunks_mut(8).zip(words) {
            octets.copy_from_slice(&word.to_le_bytes()[..octets.len()]);
        }
        out.extend_from_slice(&octets);
    }

    /// Puts 56 bits behind the bits held and keeps what is left of them; the first seven octets are complete.
    fn join(&mut self, bits: u64) -> [u8; 8] {
        let joined = self.held | bits << self.held_bits;
        self.held = joined >> 56;
        joined.to_le_bytes()
    }

    fn put_one(&mut self, septet: u8, out: &mut Vec<u8>) {
        self.held |= u64::from(septet & 0x7F) << self.held_bits;
        self.held_bits += 7;
        if self.held_bits >= 8 {
            out.push(self.held as u8);
            self.held >>= 8;
            self.held_bits -= 8;
        }
    }

    /// Writes what is held, with a carriage return where spare bits would read as a character.
    pub(super) fn finish(mut self, ends_with_return: bool, out: &mut Vec<u8>) {
        if self.held_bits == 1 || (self.held_bits == 0 && ends_with_return) {
            self.put_one(CARRIAGE_RETURN, out);
        }
        if self.held_bits > 0 {
            out.push(self.held as u8);
        }
    }
}

/// Eight septets, the first in the lowest octet, as 56 bits: neighbours move together in pairs, fours, then all eight.
fn squeeze(septets: u64) -> u64 {
    let pairs = (septets & 0x007F_007F_007F_007F) | (septets & 0x7F00_7F00_7F00_7F00) >> 1;
    let fours = (pairs & 0x0000_3FFF_0000_3FFF) | (pairs & 0x3FFF_0000_3FFF_0000) >> 2;
    (fours & 0x0FFF_FFFF) | (fours & 0x0FFF_FFFF_0000_0000) >> 4
}

/// Appends the septets of packed octets that follow a header of `header_octets`; undoes the padding of [`pack`].
pub fn unpack(octets: &[u8], header_octets: usize, out: &mut Vec<u8>) {
    let fill = fill_bits(header_octets);
    let bits = octets.len() * 8;
    if bits < fill {
        return;
    }
    let count = (bits - fill) / 7;
    for index in 0..count {
        let bit = fill + index * 7;
        let low = u16::from(octets[bit / 8]);
        let high = octets.get(bit / 8 + 1).copied().map_or(0, u16::from);
        out.push(((((high << 8) | low) >> (bit % 8)) & 0x7F) as u8);
    }
    let on_boundary = (bits - fill).is_multiple_of(7);
    if on_boundary && count > 0 && out.last() == Some(&CARRIAGE_RETURN) {
        out.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::{fill_bits, pack, unpack};

    #[test]
    fn the_example_of_every_handbook() {
        let mut octets = Vec::new();
        pack(b"hellohello", 0, &mut octets);
        assert_eq!(octets, [0xE8, 0x32, 0x9B, 0xFD, 0x46, 0x97, 0xD9, 0xEC, 0x37]);
    }

    #[test]
    fn fill_bits_bring_the_text_to_a_septet_boundary() {
        assert_eq!([0, 6, 7, 8].map(fill_bits), [0, 1, 0, 6]);
    }

    #[test]
    fn every_length_comes_back_without_an_extra_at_sign() {
        for header in [0, 6, 7] {
            for length in 0..=153u8 {
                let septets: Vec<u8> = (0..length).map(|at| at.wrapping_mul(11).wrapping_add(1) & 0x7F).collect();
                let mut octets = Vec::new();
                pack(&septets, header, &mut octets);
                let mut back = Vec::new();
                unpack(&octets, header, &mut back);
                if septets.last() == Some(&0x0D) {
                    back.truncate(septets.len());
                }
                assert_eq!(back, septets, "header {header}, length {length}");
            }
        }
    }

    #[test]
    fn no_part_grows_beyond_its_octets() {
        for (header, length) in [(0, 160), (6, 153), (7, 152)] {
            let mut octets = vec![0; header];
            pack(&vec![0x0D; length], header, &mut octets);
            assert_eq!(octets.len(), 140, "{length} septets behind {header} octets");
        }
    }

    #[test]
    fn a_carriage_return_on_the_boundary_is_kept() {
        let mut octets = Vec::new();
        pack(b"abcdefg\r", 0, &mut octets);
        let mut back = Vec::new();
        unpack(&octets, 0, &mut back);
        assert_eq!(back, b"abcdefg\r\r");
    }
}
