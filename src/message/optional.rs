//! Optional parameters as people write them: a tag by number, a value as text or in hexadecimal (quirk Q99).

/// What ties segments together or carries the text: the gateway sets these itself.
const OWN_TAGS: [u16; 4] = [0x020C, 0x020E, 0x020F, 0x0424];

/// Octets of a value: regulators' ids have a few dozen.
const VALUE_OCTETS_MAX: usize = 255;

/// Octets of all parameters of a message that people write. Each part carries them, and they are stored with it.
const ALL_OCTETS_MAX: usize = 2_048;

/// Appends tag, length and value as they stand on the wire (SMPP 3.4, 5.3). `tag` is "0x1400" or "5120"; `value` is a text, or `hex:`
/// and pairs of digits. `out` holds the parameters of this message that were read before. An error says what to write.
pub fn write_optional(tag: &str, value: &str, out: &mut Vec<u8>) -> Result<(), String> {
    let number = match tag.strip_prefix("0x") {
        Some(digits) => u16::from_str_radix(digits, 16),
        None => tag.parse(),
    };
    let number = number.map_err(|_| format!("{tag:?} is no tag, as \"0x1400\" or \"5120\" are"))?;
    if OWN_TAGS.contains(&number) {
        return Err(format!("{tag}: the gateway sets this parameter itself"));
    }
    if parameters(out).any(|given| given[..2] == number.to_be_bytes()) {
        return Err(format!("{tag}: this parameter stands twice"));
    }
    let octets = match value.strip_prefix("hex:") {
        Some(digits) => of_hex(digits).ok_or_else(|| format!("{tag}: write pairs of digits, as in \"hex:0a1b\""))?,
        None => value.as_bytes().to_vec(),
    };
    if octets.len() > VALUE_OCTETS_MAX {
        return Err(format!("{tag}: the value is longer than {VALUE_OCTETS_MAX} octets"));
    }
    if out.len() + 4 + octets.len() > ALL_OCTETS_MAX {
        return Err(format!("{tag}: with this one the parameters take more than {ALL_OCTETS_MAX} octets"));
    }
    out.extend_from_slice(&number.to_be_bytes());
    out.extend_from_slice(&(octets.len() as u16).to_be_bytes());
    out.extend_from_slice(&octets);
    Ok(())
}

/// Appends those parameters of `usual` whose tags do not stand in `own`. Both are whole runs of parameters.
pub fn append_missing(own: &[u8], usual: &[u8], out: &mut Vec<u8>) {
    for parameter in parameters(usual) {
        if !parameters(own).any(|given| given[..2] == parameter[..2]) {
            out.extend_from_slice(parameter);
        }
    }
}

/// The parameters of a run, whole.
fn parameters(mut run: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (parameter, rest) = split(run)?;
        run = rest;
        Some(parameter)
    })
}

/// The first parameter of a run, and what follows it.
fn split(run: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(u16::from_be_bytes([*run.get(2)?, *run.get(3)?]));
    run.split_at_checked(4 + length)
}

fn of_hex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| {
        let text = std::str::from_utf8(pair).ok().filter(|text| text.len() == 2 && !text.starts_with('+'))?;
        u8::from_str_radix(text, 16).ok()
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_numbers_and_values_text_or_hexadecimal() {
        let mut out = Vec::new();
        write_optional("0x1400", "1201", &mut out).expect("a text");
        write_optional("5121", "hex:00ff", &mut out).expect("octets");
        assert_eq!(out, b"\x14\x00\x00\x041201\x14\x01\x00\x02\x00\xff");
        let long = "x".repeat(256);
        for (tag, value) in
            [("x", "1"), ("0x10000", "1"), ("0x0424", "1"), ("9", "hex:0"), ("9", "hex:é"), ("9", &long)]
        {
            assert!(write_optional(tag, value, &mut out).is_err(), "{tag} {value}");
        }
    }

    #[test]
    fn together_they_are_bounded() {
        let (mut out, value) = (Vec::new(), "x".repeat(252));
        for tag in 0x1400..0x1408 {
            write_optional(&tag.to_string(), &value, &mut out).expect("8 of 256 octets");
        }
        assert!(write_optional("0x1408", "", &mut out).is_err());
        assert_eq!(out.len(), 2_048);
    }

    #[test]
    fn what_a_message_gives_itself_is_not_added() {
        let (mut own, mut usual, mut out) = (Vec::new(), Vec::new(), Vec::new());
        write_optional("0x1401", "own", &mut own).expect("a text");
        write_optional("0x1400", "usual", &mut usual).expect("a text");
        write_optional("0x1401", "usual", &mut usual).expect("a text");
        append_missing(&own, &usual, &mut out);
        assert_eq!(out, b"\x14\x00\x00\x05usual");
    }
}
