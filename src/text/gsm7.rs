//! The GSM 7-bit default alphabet and its extension table (TS 23.038, 6.2.1 and 6.2.1.1): text to unpacked septets
//! and back, one septet an octet. Text that is plain ASCII goes through 32 characters at a time.

use crate::text::PART_OCTETS_MAX;
use crate::text::gsm7_table::{ABSENT, DEFAULT, EXTENDED, LOW};
use crate::text::pack::Packer;
use crate::text::wide::Wide;

/// The septet that announces a character of the extension table.
pub const ESCAPE: u8 = 0x1B;

/// Characters taken at once on the fast path; a multiple of the vector width of every current machine.
const CHUNK: usize = 32;

/// Where a character is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Septet {
    /// In the default table: one septet.
    Default(u8),
    /// In the extension table: the escape and this septet.
    Extended(u8),
}

/// The septet of a character, or `None` if neither table has it.
pub fn septet(character: char) -> Option<Septet> {
    let code = match character {
        '\0'..='\u{FF}' => LOW[character as usize],
        _ => high_code(character),
    };
    match code {
        ABSENT => None,
        code if code & EXTENDED != 0 => Some(Septet::Extended(code & !EXTENDED)),
        code => Some(Septet::Default(code)),
    }
}

/// The code of a character above U+00FF as [`LOW`] has those below.
fn high_code(character: char) -> u8 {
    match character {
        '€' => 0x65 | EXTENDED,
        'Δ' => 0x10,
        'Φ' => 0x12,
        'Γ' => 0x13,
        'Λ' => 0x14,
        'Ω' => 0x15,
        'Π' => 0x16,
        'Ψ' => 0x17,
        'Σ' => 0x18,
        'Θ' => 0x19,
        'Ξ' => 0x1A,
        _ => ABSENT,
    }
}

/// The character of a septet of the default table; the escape reads as a space, an octet above 0x7F as U+FFFD.
pub fn default_character(septet: u8) -> char {
    match septet {
        ESCAPE => ' ',
        0..=0x7F => DEFAULT[usize::from(septet)],
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// The character of a septet of the extension table, if it is defined.
pub fn extended_character(septet: u8) -> Option<char> {
    Some(match septet {
        0x0A => '\u{C}',
        0x14 => '^',
        0x28 => '{',
        0x29 => '}',
        0x2F => '\\',
        0x3C => '[',
        0x3D => '~',
        0x3E => ']',
        0x40 => '|',
        0x65 => '€',
        _ => return None,
    })
}

/// What a text takes in septets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Septets, an escape pair counting two.
    pub septets: usize,
    /// Whether there is an escape pair at all. Without one a text may be cut anywhere.
    pub pairs: bool,
}

/// Counts septets in one pass, or tells the octet offset of the first character that is in neither table.
pub fn count(text: &str) -> Result<Count, usize> {
    let mut count = Count::default();
    let mut rest = text.as_bytes();
    while let Some((chunk, present)) = next_chunk(rest) {
        if is_plain(&chunk) {
            count.septets += present;
            rest = &rest[present..];
            continue;
        }
        let mixed = Mixed::take(rest).map_err(|beyond| text.len() - rest.len() + beyond)?;
        count.septets += mixed.length;
        count.pairs |= mixed.length > mixed.characters;
        rest = &rest[mixed.octets..];
    }
    Ok(count)
}

/// Appends the septets of a text, or tells the octet offset of the first character that is in neither table; what
/// came before it may then be in `out`.
pub fn encode(text: &str, out: &mut Vec<u8>) -> Result<(), usize> {
    let unbroken = |_: &mut Vec<u8>, _: usize| usize::MAX;
    encode_parts(text, usize::MAX, out, unbroken)
}

/// Appends the septets of a text and calls `turn(out, wanted)` whenever the part in hand has no room for the next
/// `wanted` septets; it answers how much room the next part has. `room` is that of the first part.
///
/// An escape pair is never parted: `turn` must answer at least 2.
pub(super) fn encode_parts<F>(text: &str, mut room: usize, out: &mut Vec<u8>, mut turn: F) -> Result<(), usize>
where
    F: FnMut(&mut Vec<u8>, usize) -> usize,
{
    let mut rest = text.as_bytes();
    while let Some((chunk, present)) = next_chunk(rest) {
        if is_plain(&chunk) {
            let septets = plain_septets(&chunk);
            // The common case has a length that the compiler knows.
            if present == CHUNK && room >= CHUNK {
                out.extend_from_slice(&septets);
                room -= CHUNK;
            } else {
                distribute(&septets[..present], &mut room, out, &mut turn);
            }
            rest = &rest[present..];
            continue;
        }
        let mixed = Mixed::take(rest).map_err(|beyond| text.len() - rest.len() + beyond)?;
        distribute(mixed.septets(), &mut room, out, &mut turn);
        rest = &rest[mixed.octets..];
    }
    Ok(())
}

/// Appends a text as packed septets that follow a header of `header_octets`, in one pass; says how many septets there are,
/// or at which octet of the text the first character stands that is in neither table.
///
/// The same as [`encode`] and then [`pack::pack`], and several times faster.
pub fn encode_packed(text: &str, header_octets: usize, out: &mut Vec<u8>) -> Result<usize, usize> {
    encode_packed_by(Wide::detect(), text, header_octets, out)
}

fn encode_packed_by(wide: Option<Wide>, text: &str, header_octets: usize, out: &mut Vec<u8>) -> Result<usize, usize> {
    let start = out.len();
    let mut packer = Packer::after(header_octets);
    let mut septets = 0;
    let mut rest = text.as_bytes();
    loop {
        if let Some(wide) = wide {
            let plain = wide.pack_gsm7(rest, &mut packer, out);
            septets += plain;
            rest = &rest[plain..];
        }
        while let Some(chunk) = rest.first_chunk::<CHUNK>()
            && is_plain(chunk)
        {
            packer.put_32(&plain_septets(chunk), out);
            septets += CHUNK;
            rest = &rest[CHUNK..];
        }
        let Some((chunk, present)) = next_chunk(rest) else { break };
        if is_plain(&chunk) {
            packer.put(&plain_septets(&chunk)[..present], out);
            septets += present;
            rest = &rest[present..];
            continue;
        }
        let mixed = Mixed::take(rest).map_err(|beyond| text.len() - rest.len() + beyond)?;
        packer.put(mixed.septets(), out);
        septets += mixed.length;
        rest = &rest[mixed.octets..];
    }
    let full = header_octets + (out.len() - start) >= PART_OCTETS_MAX;
    packer.finish(text.ends_with('\r') && !full, out);
    Ok(septets)
}

/// The next [`CHUNK`] octets, filled up with spaces at the end of the text, and how many there are; `None` at the end.
fn next_chunk(rest: &[u8]) -> Option<([u8; CHUNK], usize)> {
    if let Some(chunk) = rest.first_chunk::<CHUNK>() {
        return Some((*chunk, CHUNK));
    }
    if rest.is_empty() {
        return None;
    }
    let mut chunk = [b' '; CHUNK];
    chunk[..rest.len()].copy_from_slice(rest);
    Some((chunk, rest.len()))
}

/// Appends septets to parts. Only escapes are 0x1B here, so a cut behind one is a cut inside a pair.
fn distribute<F>(mut septets: &[u8], room: &mut usize, out: &mut Vec<u8>, turn: &mut F)
where
    F: FnMut(&mut Vec<u8>, usize) -> usize,
{
    while septets.len() > *room {
        let inside = *room > 0 && septets[*room - 1] == ESCAPE;
        let (now, later) = septets.split_at(*room - usize::from(inside));
        out.extend_from_slice(now);
        *room = turn(out, if later[0] == ESCAPE { 2 } else { 1 });
        septets = later;
    }
    out.extend_from_slice(septets);
    *room -= septets.len();
}

/// The septets of the characters that begin in the next [`CHUNK`] octets, whatever characters they are.
struct Mixed {
    septets: [u8; 2 * CHUNK],
    length: usize,
    characters: usize,
    octets: usize,
}

impl Mixed {
    /// Encodes from `rest`, which begins with a character; or says at which of its octets a character stands that is in
    /// neither table.
    fn take(rest: &[u8]) -> Result<Mixed, usize> {
        let mut mixed = Mixed { septets: [0; 2 * CHUNK], length: 0, characters: 0, octets: 0 };
        let (mut length, mut at) = (0, 0);
        while at < CHUNK.min(rest.len()) {
            let (code, width) = code(&rest[at..]);
            if code == ABSENT {
                return Err(at);
            }
            // The escape is written in any case and stays only where it is wanted: no branch that text decides.
            mixed.septets[length] = ESCAPE;
            length += usize::from(code >> 7);
            mixed.septets[length] = code & !EXTENDED;
            length += 1;
            at += width;
            mixed.characters += 1;
        }
        (mixed.length, mixed.octets) = (length, at);
        Ok(mixed)
    }

    fn septets(&self) -> &[u8] {
        &self.septets[..self.length]
    }
}

/// The code of the first character as [`LOW`] has it, and how many octets of UTF-8 it takes.
fn code(character: &[u8]) -> (u8, usize) {
    match *character {
        [lead @ ..0x80, ..] => (LOW[usize::from(lead)], 1),
        [lead @ ..0xE0, second, ..] => match u32::from(lead & 0x1F) << 6 | u32::from(second & 0x3F) {
            point @ ..0x100 => (LOW[point as usize], 2),
            point => (char::from_u32(point).map_or(ABSENT, high_code), 2),
        },
        [0xE2, 0x82, 0xAC, ..] => (high_code('€'), 3),
        _ => (ABSENT, 4),
    }
}

/// Appends the text of unpacked septets, as a receiver shows it (TS 23.038, 6.2.1.1): after an escape an undefined
/// septet reads as its default character, a second escape or a lone one at the end as a space.
pub fn decode(septets: &[u8], out: &mut String) {
    let mut rest = septets.iter();
    while let Some(&septet) = rest.next() {
        if septet != ESCAPE {
            out.push(default_character(septet));
            continue;
        }
        match rest.next() {
            Some(&next) => out.push(extended_character(next).unwrap_or_else(|| default_character(next))),
            None => out.push(' '),
        }
    }
}

/// Whether all are ASCII characters of the default table. Written without branches, so that it becomes vector code.
fn is_plain(chunk: &[u8; CHUNK]) -> bool {
    let plain = |byte: u8| {
        (byte.wrapping_sub(b' ') <= b'Z' - b' ')
            | (byte.wrapping_sub(b'a') <= b'z' - b'a')
            | (byte == b'_')
            | (byte == b'\n')
            | (byte == b'\r')
    };
    chunk.iter().fold(true, |all, &byte| all & plain(byte))
}

/// The septets of a plain chunk: ASCII keeps its codes but for `@`, `$` and `_`. Masks instead of branches: vector code.
fn plain_septets(chunk: &[u8; CHUNK]) -> [u8; CHUNK] {
    let when = |equal: bool| 0u8.wrapping_sub(u8::from(equal));
    let mut septets = *chunk;
    for byte in &mut septets {
        let at = when(*byte == b'@') & b'@';
        let dollar = when(*byte == b'$') & (b'$' ^ 0x02);
        let low_line = when(*byte == b'_') & (b'_' ^ 0x11);
        *byte ^= at | dollar | low_line;
    }
    septets
}

#[cfg(test)]
mod tests {
    use super::{
        CHUNK, Count, Septet, Wide, count, decode, default_character, encode, encode_packed_by, extended_character,
        is_plain, septet,
    };

    #[test]
    fn both_tables_agree_in_both_directions() {
        for octet in 0..=0x7Fu8 {
            if octet != super::ESCAPE {
                assert_eq!(septet(default_character(octet)), Some(Septet::Default(octet)), "{octet:#04x}");
            }
            if let Some(character) = extended_character(octet) {
                assert_eq!(septet(character), Some(Septet::Extended(octet)), "{octet:#04x}");
            }
        }
        assert_eq!((0..=0x10FFFFu32).filter_map(char::from_u32).filter(|&c| septet(c).is_some()).count(), 127 + 10);
    }

    #[test]
    fn the_fast_path_takes_exactly_the_plain_characters() {
        for byte in 0..=0xFFu8 {
            let plain = byte < 0x80 && matches!(septet(char::from(byte)), Some(Septet::Default(_)));
            let mut chunk = [b'a'; CHUNK];
            chunk[17] = byte;
            assert_eq!(is_plain(&chunk), plain, "{byte:#04x}");
            if plain {
                assert_eq!(Septet::Default(super::plain_septets(&chunk)[17]), septet(char::from(byte)).expect("plain"));
            }
        }
    }

    #[test]
    fn text_comes_back_and_escapes_count_two() {
        let text = "Price: 5 € [net] @home_$ Ωδ".replace('δ', "Δ").repeat(5);
        let mut septets = Vec::new();
        encode(&text, &mut septets).expect("all of it is in the alphabet");
        assert_eq!(count(&text), Ok(Count { septets: septets.len(), pairs: true }));
        let mut back = String::new();
        decode(&septets, &mut back);
        assert_eq!(back, text);
    }

    #[test]
    fn the_vector_step_and_its_scalar_twin_pack_alike() {
        for plain in 0..140 {
            for foreign in ["", "€", "é", "Ω", "\r", "ж"] {
                let text = format!("{}{foreign}{}", "a".repeat(plain), "b@_$\n".repeat(plain % 17));
                for header in [0, 6, 7] {
                    let packed = |wide| {
                        let mut octets = vec![0xEE];
                        (encode_packed_by(wide, &text, header, &mut octets), octets)
                    };
                    let (scalar, vector) = (packed(None), packed(Wide::detect()));
                    assert_eq!(scalar.0, vector.0, "{text:?}");
                    // What stands in front of a foreign character is not promised.
                    assert!(scalar.0.is_err() || scalar.1 == vector.1, "{header} octets, then {text:?}");
                }
            }
        }
    }

    #[test]
    fn the_first_foreign_character_is_found() {
        let text = format!("{}ж", "a".repeat(70));
        assert_eq!(count(&text), Err(70));
        assert_eq!(encode(&text, &mut Vec::new()), Err(70));
    }

    #[test]
    fn undefined_septets_read_as_a_receiver_shows_them() {
        let mut text = String::new();
        decode(&[0x1B, 0x41, 0x1B, 0x1B, 0x41, 0x80, 0x1B], &mut text);
        assert_eq!(text, "A A\u{FFFD} ");
    }
}
