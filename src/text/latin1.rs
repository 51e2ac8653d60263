//! ISO 8859-1, an octet a character with the code of the character: SMPP data_coding 3, or 0 with some peers.

/// Counts characters, or tells the octet offset of the first one above U+00FF.
pub fn count(text: &str) -> Result<usize, usize> {
    if text.is_ascii() {
        return Ok(text.len());
    }
    let mut octets = 0;
    for (at, character) in text.char_indices() {
        if character > '\u{FF}' {
            return Err(at);
        }
        octets += 1;
    }
    Ok(octets)
}

/// Appends the octets of a text, or tells the octet offset of the first character above U+00FF.
pub fn encode(text: &str, out: &mut Vec<u8>) -> Result<(), usize> {
    encode_parts(text, usize::MAX, out, |_, _| usize::MAX)
}

/// Appends the octets of a text and calls `turn(out, 1)` whenever the part in hand is full; it answers how many
/// octets the next part takes.
pub(super) fn encode_parts<F>(text: &str, mut room: usize, out: &mut Vec<u8>, mut turn: F) -> Result<(), usize>
where
    F: FnMut(&mut Vec<u8>, usize) -> usize,
{
    for (at, character) in text.char_indices() {
        let octet = u8::try_from(u32::from(character)).map_err(|_| at)?;
        if room == 0 {
            room = turn(out, 1);
        }
        out.push(octet);
        room -= 1;
    }
    Ok(())
}

/// Appends the text of the octets; every octet is a character.
pub fn decode(octets: &[u8], out: &mut String) {
    out.extend(octets.iter().copied().map(char::from));
}

#[cfg(test)]
mod tests {
    use super::{count, decode, encode};

    #[test]
    fn every_octet_is_a_character() {
        let octets: Vec<u8> = (0..=255).collect();
        let mut text = String::new();
        decode(&octets, &mut text);
        assert_eq!(count(&text), Ok(256));
        let mut back = Vec::new();
        encode(&text, &mut back).expect("all of it is Latin-1");
        assert_eq!(back, octets);
        assert_eq!(count("né€"), Err(3));
        assert_eq!(encode("né€", &mut back), Err(3));
    }
}
