//! User data that has a header of its own and is too long for one part: cut, with its elements kept in every part and a
//! concatenation beside them. Without a header [`segment_octets`](crate::text::segment_octets) does it.

use crate::text::segment::end_of;
use crate::text::segment_octets::Cuts;
use crate::text::udh::{self, CONCAT8, CONCAT16, Concatenation};
use crate::text::{Alphabet, Concat};

/// What user data with a header takes: a pure count. [`resplit`] writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resplit {
    /// How the text behind the header is counted.
    pub alphabet: Alphabet,
    /// Units of the text: septets, UTF-16 code units or octets.
    pub units_total: usize,
    /// Parts on the air. One part goes as it stands.
    pub parts: u8,
    /// Octets of the header of each of several parts.
    pub header_octets: u8,
    /// Units that one part takes at most.
    pub part_units_max: usize,
    wide: bool,
}

/// Why user data cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Its header is broken, or it leaves no room for text.
    Header,
    /// It takes more than 255 parts.
    TooManyParts {
        /// As many.
        parts: usize,
    },
}

/// Counts what user data takes, header included. GSM-7 is unpacked, a septet an octet; UCS-2 is big-endian.
///
/// A header that already ties this part to others, by a total above 1, stays as it is, whatever its length. Several
/// parts are tied by an element with a 16-bit reference for [`Concat::Udh16`] and with an 8-bit one for any other: where
/// there is a header, that is where the reference belongs.
pub fn plan_user_data(user_data: &[u8], alphabet: Alphabet, concat: Concat) -> Result<Resplit, Unfit> {
    let (found, text) = udh::concatenation(user_data).map_err(|_| Unfit::Header)?;
    let units_total = text.len().div_ceil(alphabet.unit_octets());
    let wide = concat == Concat::Udh16;
    let header_octets = user_data.len() - text.len();
    let narrow = |octets: usize| u8::try_from(octets).unwrap_or(u8::MAX);
    let one = Resplit {
        alphabet,
        units_total,
        parts: 1,
        header_octets: narrow(header_octets),
        part_units_max: alphabet.part_units_max(narrow(header_octets)),
        wide,
    };
    if units_total <= one.part_units_max || found.is_some_and(|found| found.total > 1) {
        return Ok(one);
    }
    let element_octets = if wide { udh::CONCAT16_OCTETS } else { udh::CONCAT8_OCTETS };
    let header_octets =
        narrow(usize::from(element_octets) + kept(user_data).map(|element| 2 + element.data.len()).sum::<usize>());
    let part_units_max = alphabet.part_units_max(header_octets);
    // A pair that stays whole needs two units.
    if part_units_max < 2 {
        return Err(Unfit::Header);
    }
    let parts = Cuts::new(text, alphabet, part_units_max).count();
    match u8::try_from(parts) {
        Ok(parts) => Ok(Resplit { parts, header_octets, part_units_max, ..one }),
        Err(_) => Err(Unfit::TooManyParts { parts }),
    }
}

/// Appends the octets of each part to `out`, header first, and to `ends` where in `out` each part ends.
///
/// The plan must be of this very user data.
pub fn resplit(user_data: &[u8], plan: &Resplit, reference: u16, out: &mut Vec<u8>, ends: &mut Vec<u32>) {
    let text = udh::split(user_data).map_or(&[][..], |(_, text)| text);
    if plan.parts == 1 {
        out.extend_from_slice(user_data);
        ends.push(end_of(out));
        return;
    }
    for (part, sequence) in Cuts::new(text, plan.alphabet, plan.part_units_max).zip(1..=plan.parts) {
        let start = out.len();
        let total = plan.parts;
        Concatenation { reference, wide: plan.wide, total, sequence }.write_header(out);
        kept(user_data).for_each(|element| element.write(out));
        out[start] = plan.header_octets - 1;
        out.extend_from_slice(part);
        ends.push(end_of(out));
    }
}

/// The elements that every part keeps: all that are no concatenation.
fn kept(user_data: &[u8]) -> impl Iterator<Item = udh::Element<'_>> {
    let header = udh::split(user_data).map_or(&[][..], |(header, _)| header);
    udh::elements(header).flatten().filter(|element| !matches!(element.id, CONCAT8 | CONCAT16))
}

#[cfg(test)]
mod tests {
    use super::{Resplit, Unfit, plan_user_data, resplit};
    use crate::text::{Alphabet, Concat};

    const PORTS: [u8; 7] = [6, 0x05, 4, 0x0B, 0x84, 0x23, 0xF0];

    fn parts(user_data: &[u8], alphabet: Alphabet, concat: Concat) -> Vec<Vec<u8>> {
        let plan = plan_user_data(user_data, alphabet, concat).expect("it fits");
        let (mut out, mut ends) = (vec![], vec![]);
        resplit(user_data, &plan, 0x0107, &mut out, &mut ends);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(&ends).map(|(start, &end)| out[start as usize..end as usize].to_vec()).collect()
    }

    #[test]
    fn elements_are_kept_beside_the_reference() {
        let user_data = [&PORTS[..], &[7; 200]].concat();
        let cut = parts(&user_data, Alphabet::Binary, Concat::Udh8);
        assert_eq!(cut[0][..12], [11, 0, 3, 7, 2, 1, 0x05, 4, 0x0B, 0x84, 0x23, 0xF0]);
        assert_eq!(cut[1][..12], [11, 0, 3, 7, 2, 2, 0x05, 4, 0x0B, 0x84, 0x23, 0xF0]);
        assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), [140, 12 + 72]);
        let cut = parts(&user_data, Alphabet::Binary, Concat::Udh16);
        assert_eq!(cut[1][..8], [12, 8, 4, 1, 7, 2, 2, 0x05]);
        assert_eq!(parts(&user_data, Alphabet::Binary, Concat::Sar)[0][1], 0, "the reference joins the header");
    }

    #[test]
    fn pairs_stay_whole_behind_any_header() {
        // 133 octets hold 152 septets: 7 of header leave room for them, and 12 of header for 146.
        let escape = [&PORTS[..], &[b'a'; 145], &[0x1B, 0x65], &[b'b'; 20]].concat();
        let cut = parts(&escape, Alphabet::Gsm7, Concat::Udh8);
        assert_eq!(cut.iter().map(|part| part.len() - 12).collect::<Vec<_>>(), [145, 22]);
        let smileys = [&[3, 0x24, 1, 1][..], &[0xD8, 0x3D, 0xDE, 0x00].repeat(35)].concat();
        let cut = parts(&smileys, Alphabet::Ucs2, Concat::Udh8);
        assert_eq!(cut.iter().map(|part| part.len() - 9).collect::<Vec<_>>(), [128, 12], "64 of 65 units");
    }

    #[test]
    fn what_fits_or_is_a_part_stays_as_it_is() {
        let fits = [&PORTS[..], &[7; 133]].concat();
        assert_eq!(parts(&fits, Alphabet::Binary, Concat::Udh8), std::slice::from_ref(&fits));
        let part = [&[5, 0, 3, 9, 2, 1][..], &[7; 300]].concat();
        assert_eq!(parts(&part, Alphabet::Binary, Concat::Udh8), std::slice::from_ref(&part));
        let only = [&[5, 0, 3, 9, 1, 1][..], &[7; 140]].concat();
        let cut = parts(&only, Alphabet::Binary, Concat::Udh8);
        assert_eq!((cut.len(), cut[0][..6].to_vec()), (2, vec![5, 0, 3, 7, 2, 1]), "one of one ties nothing");
    }

    #[test]
    fn no_room_and_too_many_parts_are_told() {
        let plan = |header: &[u8], text: usize| {
            plan_user_data(&[header, &vec![7; text]].concat(), Alphabet::Binary, Concat::Udh8)
        };
        let roomy = [&[133, 0x70, 131][..], &[0; 131]].concat();
        assert_eq!(plan(&roomy, 6).map(|plan| plan.parts), Ok(1));
        assert_eq!(plan(&roomy, 7), Err(Unfit::Header), "139 octets of header leave one for text");
        assert_eq!(plan(&[9, 0], 3), Err(Unfit::Header));
        assert_eq!(plan(&[3, 0x70, 2, 0], 300), Err(Unfit::Header), "an element that does not end");
        assert_eq!(plan(&PORTS, 128 * 255).map(|plan| plan.parts), Ok(255));
        assert_eq!(plan(&PORTS, 128 * 255 + 1), Err(Unfit::TooManyParts { parts: 256 }));
        let Resplit { header_octets, part_units_max, .. } = plan(&PORTS, 300).expect("three parts");
        assert_eq!((header_octets, part_units_max), (12, 128));
    }
}
