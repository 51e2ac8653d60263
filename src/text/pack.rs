//! Septets packed into octets (TS 23.038, 6.1.2.1), with the fill bits that follow a user data header
//! (TS 23.040, 9.2.3.24). SMPP links carry septets unpacked; a few peers want them packed.

/// The character that pads seven spare bits where nothing else tells how many septets there are.
const CARRIAGE_RETURN: u8 = 0x0D;

/// Bits between a header of this many octets and the first septet, which starts on a septet boundary.
pub fn fill_bits(header_octets: usize) -> usize {
    (7 - header_octets * 8 % 7) % 7
}

/// Appends `septets` packed, after the fill bits for a header of `header_octets` that the caller has written.
///
/// Without a septet count seven spare bits at the end would read as `@`: they become a carriage return, and a text
/// that itself ends so on an octet boundary gets a second one (TS 23.038, 6.1.2.3.1).
pub fn pack(septets: &[u8], header_octets: usize, out: &mut Vec<u8>) {
    let mut held = 0u32;
    let mut held_bits = fill_bits(header_octets);
    let mut put = |septet: u8, held_bits: &mut usize| {
        held |= u32::from(septet & 0x7F) << *held_bits;
        *held_bits += 7;
        if *held_bits >= 8 {
            out.push((held & 0xFF) as u8);
            held >>= 8;
            *held_bits -= 8;
        }
    };
    for &septet in septets {
        put(septet, &mut held_bits);
    }
    let ends_with_return = septets.last() == Some(&CARRIAGE_RETURN);
    if held_bits == 1 || (held_bits == 0 && ends_with_return) {
        put(CARRIAGE_RETURN, &mut held_bits);
    }
    if held_bits > 0 {
        out.push((held & 0xFF) as u8);
    }
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
    fn a_carriage_return_on_the_boundary_is_kept() {
        let mut octets = Vec::new();
        pack(b"abcdefg\r", 0, &mut octets);
        let mut back = Vec::new();
        unpack(&octets, 0, &mut back);
        assert_eq!(back, b"abcdefg\r\r");
    }
}
