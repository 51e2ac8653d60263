//! The user data header (TS 23.040, 9.2.3.24): a length octet, then information elements. Writes the two forms of
//! concatenation and walks every element; unknown ones are kept as they are. What the ids mean is in
//! [`udh_kind`](crate::text::udh_kind).

use crate::text::udh_kind::{Kind, Repeats};

/// Octets of a header with one 8-bit concatenation element, its length octet included.
pub const CONCAT8_OCTETS: u8 = 6;

/// Octets of a header with one 16-bit concatenation element, its length octet included.
pub const CONCAT16_OCTETS: u8 = 7;

/// Information element: concatenated short messages, 8-bit reference.
pub const CONCAT8: u8 = 0x00;

/// Information element: concatenated short messages, 16-bit reference.
pub const CONCAT16: u8 = 0x08;

/// Information element: application ports, 8-bit.
pub const PORTS8: u8 = 0x04;

/// Information element: application ports, 16-bit.
pub const PORTS16: u8 = 0x05;

/// Information element: the single shift table of a national language.
pub const SINGLE_SHIFT: u8 = 0x24;

/// Information element: the locking shift table of a national language.
pub const LOCKING_SHIFT: u8 = 0x25;

/// Which part of which message this is. Of two elements in one header the last valid one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concatenation {
    /// The sender's reference; the same in all parts. Of the 8-bit form only the low octet is used.
    pub reference: u16,
    /// Whether the reference has 16 bits. The same number in both forms is not the same message.
    pub wide: bool,
    /// Parts of the message, 1 to 255.
    pub total: u8,
    /// Number of this part, from 1.
    pub sequence: u8,
}

impl Concatenation {
    /// Appends a whole header with this one element. The 8-bit form takes the low octet of the reference.
    pub fn write_header(&self, out: &mut Vec<u8>) {
        let [high, low] = self.reference.to_be_bytes();
        if self.wide {
            out.extend_from_slice(&[CONCAT16_OCTETS - 1, CONCAT16, 4, high, low, self.total, self.sequence]);
        } else {
            out.extend_from_slice(&[CONCAT8_OCTETS - 1, CONCAT8, 3, low, self.total, self.sequence]);
        }
    }

    /// Reads an element; `None` if it is another one or its numbers make no sense and it is to be ignored.
    pub fn of_element(element: Element<'_>) -> Option<Concatenation> {
        let (reference, wide, total, sequence) = match (element.id, element.data) {
            (CONCAT8, &[reference, total, sequence]) => (u16::from(reference), false, total, sequence),
            (CONCAT16, &[high, low, total, sequence]) => (u16::from_be_bytes([high, low]), true, total, sequence),
            _ => return None,
        };
        (sequence >= 1 && sequence <= total).then_some(Concatenation { reference, wide, total, sequence })
    }
}

/// One information element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// What it is (TS 23.040, 9.2.3.24).
    pub id: u8,
    /// Its data, without id and length.
    pub data: &'a [u8],
}

impl Element<'_> {
    /// Whether it is a concatenation that a receiver ignores.
    fn is_senseless(self) -> bool {
        matches!(self.id, CONCAT8 | CONCAT16) && Concatenation::of_element(self).is_none()
    }

    /// Whether an earlier element with this id does not count beside this one.
    fn excludes(self, earlier: u8) -> bool {
        let form = |id| match id {
            CONCAT16 => CONCAT8,
            PORTS16 => PORTS8,
            id => id,
        };
        form(self.id) == form(earlier)
    }

    /// Appends id, length and data. The length is one octet: data beyond 255 octets is cut, but no header holds it.
    pub fn write(&self, out: &mut Vec<u8>) {
        let length = u8::try_from(self.data.len()).unwrap_or(u8::MAX);
        out.extend_from_slice(&[self.id, length]);
        out.extend_from_slice(&self.data[..usize::from(length)]);
    }
}

/// A header that is not what its length octets say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Splits user data into the octets of its elements and the text behind the header.
pub fn split(user_data: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let (&length, rest) = user_data.split_first().ok_or(Malformed)?;
    rest.split_at_checked(usize::from(length)).ok_or(Malformed)
}

/// Walks the octets of the elements in order. A broken one ends the walk with [`Malformed`].
pub fn elements(octets: &[u8]) -> Elements<'_> {
    Elements { rest: octets }
}

/// See [`elements`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&id, rest) = self.rest.split_first()?;
        self.rest = &[];
        let Some((&length, rest)) = rest.split_first() else {
            return Some(Err(Malformed));
        };
        let Some((data, rest)) = rest.split_at_checked(usize::from(length)) else {
            return Some(Err(Malformed));
        };
        self.rest = rest;
        Some(Ok(Element { id, data }))
    }
}

/// The elements that count, in order: of a kind that may stand only once the last (TS 23.040, 9.2.3.24), and of kinds
/// that exclude each other, which are the two forms of concatenation and of ports, the last of either.
///
/// A concatenation whose numbers make no sense is passed over as if it were not there. A broken element ends the walk,
/// as in [`elements`]; by the standard the whole header is then to be ignored.
pub fn in_effect(octets: &[u8]) -> impl Iterator<Item = Result<Element<'_>, Malformed>> {
    let mut rest = elements(octets);
    std::iter::from_fn(move || {
        loop {
            let element = match rest.next()? {
                Ok(element) => element,
                Err(malformed) => return Some(Err(malformed)),
            };
            let replaced = Kind::of(element.id).repeats == Repeats::No
                && rest.clone().flatten().any(|later| !later.is_senseless() && later.excludes(element.id));
            if !element.is_senseless() && !replaced {
                return Some(Ok(element));
            }
        }
    })
}

/// The concatenation that user data with a header speaks of, if any, and the text behind the header.
pub fn concatenation(user_data: &[u8]) -> Result<(Option<Concatenation>, &[u8]), Malformed> {
    let (octets, text) = split(user_data)?;
    let mut found = None;
    for element in elements(octets) {
        found = Concatenation::of_element(element?).or(found);
    }
    Ok((found, text))
}

#[cfg(test)]
mod tests {
    use super::{Concatenation, Element, Malformed, concatenation, elements, in_effect, split};

    #[test]
    fn both_forms_come_back() {
        for wide in [false, true] {
            let part = Concatenation { reference: if wide { 0xABCD } else { 0xCD }, wide, total: 3, sequence: 2 };
            let mut octets = Vec::new();
            part.write_header(&mut octets);
            assert_eq!(octets.len(), if wide { 7 } else { 6 });
            octets.extend_from_slice(b"text");
            assert_eq!(concatenation(&octets), Ok((Some(part), &b"text"[..])));
        }
    }

    #[test]
    fn unknown_elements_are_kept_and_written_again() {
        let user_data = [9, 0x24, 1, 1, 0x05, 4, 0x0B, 0x84, 0, 0, b'x'];
        let (octets, text) = split(&user_data).expect("well formed");
        assert_eq!(text, b"x");
        let walked: Vec<Element<'_>> = elements(octets).map(|element| element.expect("well formed")).collect();
        assert_eq!(walked.iter().map(|element| element.id).collect::<Vec<_>>(), [0x24, 0x05]);
        let mut again = Vec::new();
        walked.iter().for_each(|element| element.write(&mut again));
        assert_eq!(again, octets);
    }

    #[test]
    fn senseless_numbers_are_ignored_and_the_last_valid_element_counts() {
        assert_eq!(concatenation(&[5, 0, 3, 1, 0, 1]), Ok((None, &[][..])));
        assert_eq!(concatenation(&[5, 0, 3, 1, 2, 3]), Ok((None, &[][..])));
        let twice = [10, 0, 3, 1, 2, 1, 0, 3, 7, 2, 2];
        let (found, _) = concatenation(&twice).expect("well formed");
        assert_eq!(found.map(|part| (part.reference, part.sequence)), Some((7, 2)));
    }

    #[test]
    fn the_last_of_what_stands_once_is_in_effect() {
        let counted = |octets: &[u8]| -> Vec<(u8, Vec<u8>)> {
            let walked = in_effect(octets).map(|element| element.expect("well formed"));
            walked.map(|element| (element.id, element.data.to_vec())).collect()
        };
        assert_eq!(counted(&[0x24, 1, 1, 0x24, 1, 2]), [(0x24, vec![2])], "not repeatable");
        assert_eq!(counted(&[0x01, 2, 0, 1, 0x01, 2, 1, 1]).len(), 2, "repeatable");
        assert_eq!(counted(&[0x70, 0, 0xA0, 1, 9, 0xA0, 1, 9]).len(), 3, "unknown ones are all kept");
        assert_eq!(
            counted(&[0x04, 2, 1, 2, 0x05, 4, 0, 1, 0, 2]),
            [(0x05, vec![0, 1, 0, 2])],
            "one excludes the other"
        );
        assert_eq!(counted(&[0x08, 4, 0, 9, 2, 1, 0x00, 3, 9, 2, 2]), [(0x00, vec![9, 2, 2])]);
        assert_eq!(
            counted(&[0x00, 3, 9, 2, 2, 0x08, 4, 0, 9, 0, 1]),
            [(0x00, vec![9, 2, 2])],
            "a total of 0 is no element"
        );
        assert_eq!(in_effect(&[0x24, 1, 1, 0x24]).last(), Some(Err(Malformed)));
    }

    #[test]
    fn lengths_that_lie_are_malformed() {
        assert_eq!(split(&[]), Err(Malformed));
        assert_eq!(split(&[5, 0, 3, 1]), Err(Malformed));
        assert_eq!(concatenation(&[3, 0, 3, 1]), Err(Malformed));
        assert_eq!(concatenation(&[1, 0]), Err(Malformed));
    }
}
