//! Messages that arrive encoded: counted, and cut again where one PDU holds more than a part, without decoding them.

use crate::text::gsm7::ESCAPE;
use crate::text::segment::{Plan, end_of};
use crate::text::ucs2::{is_high_surrogate, is_low_surrogate};
use crate::text::{Alphabet, Concat, TextError};

/// Counts what octets in this alphabet take. GSM-7 is unpacked, a septet an octet; UCS-2 is big-endian.
///
/// The octets are a text without a header of its own: where there is one, see [`resplit`](crate::text::resplit).
pub fn plan_octets(octets: &[u8], alphabet: Alphabet, concat: Concat) -> Result<Plan, TextError> {
    let units_total = octets.len().div_ceil(alphabet.unit_octets());
    Plan::new(alphabet, concat, units_total, |room| Cuts::new(octets, alphabet, room).count())
}

/// Appends the octets of each part to `out`, header first, and to `ends` where in `out` each part ends.
///
/// One entry for each of [`Plan::pdus`]. The plan must be of these very octets.
pub fn segment_octets(octets: &[u8], plan: &Plan, reference: u16, out: &mut Vec<u8>, ends: &mut Vec<u32>) {
    if plan.pdus() == 1 {
        out.extend_from_slice(octets);
        ends.push(end_of(out));
        return;
    }
    let cuts = Cuts::new(octets, plan.alphabet, plan.part_units_max);
    for (part, sequence) in cuts.zip(1..=plan.parts) {
        plan.write_header(reference, sequence, out);
        out.extend_from_slice(part);
        ends.push(end_of(out));
    }
}

/// The parts of encoded octets, each as long as it may be. Looks only at the places of the cuts.
pub(super) struct Cuts<'a> {
    rest: &'a [u8],
    alphabet: Alphabet,
    room: usize,
}

impl<'a> Iterator for Cuts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let full = self.room * self.alphabet.unit_octets();
        let end = if full >= self.rest.len() { self.rest.len() } else { self.back_from(full) };
        let (part, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(part)
    }
}

impl<'a> Cuts<'a> {
    /// Parts of at most `room` units, which is at least 2.
    pub(super) fn new(octets: &'a [u8], alphabet: Alphabet, room: usize) -> Cuts<'a> {
        Cuts { rest: octets, alphabet, room }
    }

    /// The last place at or before `at` where nothing is split.
    fn back_from(&self, at: usize) -> usize {
        match self.alphabet {
            Alphabet::Gsm7 => {
                // An escape may itself be the second of a pair, so the length of their run decides.
                let escapes = self.rest[..at].iter().rev().take_while(|&&octet| octet == ESCAPE).count();
                at - escapes % 2
            }
            Alphabet::Ucs2 => match self.rest[at - 2..] {
                [h0, h1, l0, l1, ..] if is_high_surrogate([h0, h1]) && is_low_surrogate([l0, l1]) => at - 2,
                _ => at,
            },
            Alphabet::Latin1 | Alphabet::Binary => at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{plan_octets, segment_octets};
    use crate::text::{Alphabet, Concat, TextError};

    /// The lengths of the parts without their headers.
    fn lengths(octets: &[u8], alphabet: Alphabet, concat: Concat) -> Vec<usize> {
        let plan = plan_octets(octets, alphabet, concat).expect("few parts");
        let (mut out, mut ends) = (vec![], vec![]);
        segment_octets(octets, &plan, 7, &mut out, &mut ends);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let lengths = starts.zip(&ends).map(|(start, end)| (end - start) as usize - usize::from(plan.header_octets));
        lengths.collect()
    }

    #[test]
    fn pairs_stay_whole() {
        let straddling = [vec![b'a'; 152], vec![0x1B, 0x65], vec![b'b'; 20]].concat();
        assert_eq!(lengths(&straddling, Alphabet::Gsm7, Concat::Udh8), [152, 22]);
        assert_eq!(lengths(&[0x1B; 306], Alphabet::Gsm7, Concat::Udh8), [152, 152, 2]);
        let smileys = [0xD8, 0x3D, 0xDE, 0x00].repeat(67);
        assert_eq!(lengths(&smileys, Alphabet::Ucs2, Concat::Udh8), [132, 132, 4]);
        assert_eq!(lengths(&smileys, Alphabet::Binary, Concat::Udh16), [133, 133, 2]);
    }

    #[test]
    fn whatever_fits_stays_as_it_is() {
        assert_eq!(lengths(&[b'a'; 160], Alphabet::Gsm7, Concat::Udh8), [160]);
        assert_eq!(lengths(&[0; 140], Alphabet::Ucs2, Concat::Udh8), [140]);
        assert_eq!(lengths(&[], Alphabet::Gsm7, Concat::Udh8), [0]);
        assert_eq!(lengths(&[b'a'; 500], Alphabet::Gsm7, Concat::Payload), [500]);
    }

    #[test]
    fn more_than_255_parts_are_refused() {
        let octets = vec![b'a'; 153 * 255 + 1];
        let refused = Err(TextError::TooManyParts { parts: 256, units_total: octets.len() });
        assert_eq!(plan_octets(&octets, Alphabet::Gsm7, Concat::Udh8), refused);
        assert!(plan_octets(&octets[1..], Alphabet::Gsm7, Concat::Udh8).is_ok());
    }
}
