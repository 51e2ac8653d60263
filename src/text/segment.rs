//! Text into parts: a plan that only counts, then the octets of each part. An escape pair and a surrogate pair stay
//! whole, so a part may end one unit early; a grapheme cluster does if that is asked for.

use crate::text::gsm7::{self, Septet};
use crate::text::national::choice::{self, Chosen};
use crate::text::national::write_elements;
use crate::text::pieces::{self, Coder};
use crate::text::udh::Concatenation;
use crate::text::{Alphabet, Choice, Concat, Options, PARTS_MAX, TextError, latin1, ucs2};

/// What a message takes: a pure count. [`segment`] writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The alphabet that the text goes in.
    pub alphabet: Alphabet,
    /// How several parts are carried; says nothing about a message of one part.
    pub concat: Concat,
    /// Units of the whole text: septets, UTF-16 code units or octets.
    pub units_total: usize,
    /// Parts on the air, which is what is counted and charged. An empty text is one part.
    pub parts: u8,
    /// Octets of user data header written at the start of every part, or once in message_payload. It has a concatenation
    /// element in several parts that are tied together by it, and an element for each national table in any.
    pub header_octets: u8,
    /// Units that one part takes at most.
    pub part_units_max: usize,
    /// The language of the locking shift table (1 to 13), or 0 for the default table.
    pub locking: u8,
    /// The language of the single shift table (1 to 13), or 0 for the default extension table.
    pub single: u8,
    /// Whether grapheme clusters stay whole. Not set where there is none of several units.
    pub clusters: bool,
}

impl Plan {
    /// PDUs that the message takes on a link: one for each part, but message_payload carries all in one.
    pub fn pdus(&self) -> u8 {
        if self.concat == Concat::Payload { 1 } else { self.parts }
    }

    /// Makes a plan of what has been counted. `cut` tells the parts for a given room, asked only if one is too small.
    pub(super) fn new(
        alphabet: Alphabet,
        concat: Concat,
        units_total: usize,
        cut: impl FnOnce(usize) -> usize,
    ) -> Result<Plan, TextError> {
        let part_units_max = alphabet.part_units_max(0);
        let (locking, single, clusters) = (0, 0, false);
        let (parts, header_octets) = (1, 0);
        let one =
            Plan { alphabet, concat, units_total, parts, header_octets, part_units_max, locking, single, clusters };
        if units_total <= part_units_max {
            return Ok(one);
        }
        let part_units_max = alphabet.part_units_max(concat.air_header_octets());
        let parts = cut(part_units_max);
        match u8::try_from(parts) {
            Ok(parts) => Ok(Plan { parts, header_octets: concat.written_header_octets(), part_units_max, ..one }),
            Err(_) => Err(TextError::TooManyParts { parts, units_total }),
        }
    }

    /// The plan for the tables that were chosen.
    fn of_chosen(chosen: Chosen, options: Options) -> Result<Plan, TextError> {
        let Chosen { locking, single, septets: units_total, parts } = chosen;
        let concat = options.concat;
        Ok(Plan {
            alphabet: Alphabet::Gsm7,
            concat,
            units_total,
            parts: u8::try_from(parts).map_err(|_| TextError::TooManyParts { parts, units_total })?,
            header_octets: chosen.written_header_octets(concat),
            part_units_max: chosen.part_units_max(concat),
            locking,
            single,
            clusters: options.clusters,
        })
    }

    /// How the text becomes units if it must be cut by pieces; `None` if the plain way of its alphabet does.
    fn coder(&self) -> Option<Coder> {
        let Plan { locking, single, .. } = *self;
        if (locking, single) == (0, 0) && (!self.clusters || self.pdus() == 1) {
            return None;
        }
        Some(match self.alphabet {
            Alphabet::Gsm7 => Coder::Gsm7 { locking, single },
            Alphabet::Ucs2 => Coder::Ucs2,
            Alphabet::Latin1 | Alphabet::Binary => Coder::Latin1,
        })
    }

    /// Units that the first PDU takes: all of them if there is no other.
    pub(super) fn pdu_units_max(&self) -> usize {
        if self.pdus() == 1 { usize::MAX } else { self.part_units_max }
    }

    /// Appends the header of part `sequence`, if parts have one.
    pub(super) fn write_header(&self, reference: u16, sequence: u8, out: &mut Vec<u8>) {
        if self.header_octets == 0 {
            return;
        }
        let start = out.len();
        if self.parts > 1 && self.concat.written_header_octets() > 0 {
            let wide = self.concat == Concat::Udh16;
            Concatenation { reference, wide, total: self.parts, sequence }.write_header(out);
        } else {
            out.push(0);
        }
        write_elements(self.locking, self.single, out);
        out[start] = self.header_octets - 1;
    }
}

const _: () = assert!(PARTS_MAX == u8::MAX as usize, "a plan counts parts in one octet");

/// Counts what a text takes, in the alphabet asked for. Allocates nothing.
pub fn plan(text: &str, options: Options) -> Result<Plan, TextError> {
    match options.choice {
        Choice::Auto | Choice::Gsm7 => {
            let count = gsm7::count(text);
            if may_be_national(count, options)
                && let Some(chosen) = choice::choose(text, options)
            {
                return Plan::of_chosen(chosen, options);
            }
            match (count, options.choice) {
                (Ok(count), _) => plan_gsm7(text, count, options),
                (Err(offset), Choice::Gsm7) => Err(not_in(Alphabet::Gsm7, text, offset)),
                (Err(_), _) => plan_ucs2(text, options),
            }
        }
        Choice::Ucs2 => plan_ucs2(text, options),
        Choice::Latin1 => match latin1::count(text) {
            Ok(octets) => plan_latin1(text, octets, options),
            Err(offset) => Err(not_in(Alphabet::Latin1, text, offset)),
        },
        Choice::AutoLatin1 => match (latin1::count(text), gsm7::count(text)) {
            (Ok(octets), Ok(_)) => plan_latin1(text, octets, options),
            _ => plan_ucs2(text, options),
        },
    }
}

/// Whether national tables can do better than the default ones: where those lack a character, or where escapes fill
/// more than one part.
fn may_be_national(count: Result<gsm7::Count, usize>, options: Options) -> bool {
    let dear = |count: gsm7::Count| count.pairs && count.septets > Alphabet::Gsm7.part_units_max(0);
    !options.languages.is_empty() && count.map_or(true, dear)
}

/// Appends the octets of each part to `out`, header first, and to `ends` where in `out` each part ends.
///
/// One entry for each of [`Plan::pdus`]. `reference` ties the parts together; the 8-bit form takes its low octet. The
/// plan must be of this very text: of another, the characters that the alphabet lacks are reported as an error.
pub fn segment(
    text: &str,
    plan: &Plan,
    reference: u16,
    out: &mut Vec<u8>,
    ends: &mut Vec<u32>,
) -> Result<(), TextError> {
    let mut sequence = 1u8;
    plan.write_header(reference, sequence, out);
    let room = plan.pdu_units_max();
    let turn = |out: &mut Vec<u8>, _: usize| {
        ends.push(end_of(out));
        sequence = sequence.saturating_add(1);
        plan.write_header(reference, sequence, out);
        plan.part_units_max
    };
    if let Some(coder) = plan.coder() {
        let rooms = (room, plan.part_units_max);
        let written = pieces::encode_parts(text, coder, plan.clusters, rooms, out, turn);
        written.map_err(|offset| not_in(plan.alphabet, text, offset))?;
        ends.push(end_of(out));
        return Ok(());
    }
    let written = match plan.alphabet {
        Alphabet::Gsm7 => gsm7::encode_parts(text, room, out, turn),
        Alphabet::Latin1 | Alphabet::Binary => latin1::encode_parts(text, room, out, turn),
        Alphabet::Ucs2 => {
            ucs2::encode_parts(text, room, out, turn);
            Ok(())
        }
    };
    written.map_err(|offset| not_in(plan.alphabet, text, offset))?;
    ends.push(end_of(out));
    Ok(())
}

/// The end of what has been written, as `ends` has it. Buffers beyond 4 GiB do not occur: a message is below 64 KiB.
pub(super) fn end_of(out: &[u8]) -> u32 {
    u32::try_from(out.len()).unwrap_or(u32::MAX)
}

fn plan_gsm7(text: &str, count: gsm7::Count, options: Options) -> Result<Plan, TextError> {
    let clusters = has_lines(text, options);
    let plan = Plan::new(Alphabet::Gsm7, options.concat, count.septets, |room| {
        if clusters {
            return pieces::cut(text, Coder::Gsm7 { locking: 0, single: 0 }, true, room);
        }
        if !count.pairs {
            return count.septets.div_ceil(room);
        }
        let pair = |character| matches!(gsm7::septet(character), Some(Septet::Extended(_)));
        cut(text.chars().map(|character| if pair(character) { 2 } else { 1 }), room)
    })?;
    Ok(Plan { clusters, ..plan })
}

fn plan_ucs2(text: &str, options: Options) -> Result<Plan, TextError> {
    let count = ucs2::count(text);
    let clusters = options.clusters && !pieces::is_all_lone(text);
    let plan = Plan::new(Alphabet::Ucs2, options.concat, count.units, |room| match (clusters, count.pairs) {
        (true, _) => pieces::cut(text, Coder::Ucs2, true, room),
        (false, true) => cut(text.chars().map(char::len_utf16), room),
        (false, false) => count.units.div_ceil(room),
    })?;
    Ok(Plan { clusters, ..plan })
}

fn plan_latin1(text: &str, octets: usize, options: Options) -> Result<Plan, TextError> {
    let clusters = has_lines(text, options);
    let plan = Plan::new(Alphabet::Latin1, options.concat, octets, |room| {
        if clusters { pieces::cut(text, Coder::Latin1, true, room) } else { octets.div_ceil(room) }
    })?;
    Ok(Plan { clusters, ..plan })
}

/// Whether clusters are to be minded in GSM-7 and Latin-1, whose only cluster of several characters ends a line: a
/// carriage return and a line feed.
fn has_lines(text: &str, options: Options) -> bool {
    options.clusters && text.as_bytes().contains(&b'\r')
}

/// Parts of `room` units that characters of these sizes fill when none is split.
fn cut(sizes: impl Iterator<Item = usize>, room: usize) -> usize {
    let mut parts = 1;
    let mut filled = 0;
    for size in sizes {
        if filled + size > room {
            parts += 1;
            filled = 0;
        }
        filled += size;
    }
    parts
}

/// The error for the character at this octet offset.
fn not_in(alphabet: Alphabet, text: &str, offset: usize) -> TextError {
    let (before, from) = text.split_at(offset);
    let character = from.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
    TextError::NotInAlphabet { character, at: before.chars().count(), alphabet }
}

#[cfg(test)]
mod tests {
    use super::{plan, segment};
    use crate::text::{Alphabet, Choice, Concat, Options, TextError};

    #[test]
    fn a_choice_is_kept_or_refused() {
        let alphabet = |text, choice| plan(text, Options::new(choice, Concat::Udh8)).map(|plan| plan.alphabet);
        assert_eq!(alphabet("plain", Choice::Auto), Ok(Alphabet::Gsm7));
        assert_eq!(alphabet("ж", Choice::Auto), Ok(Alphabet::Ucs2));
        assert_eq!(alphabet("plain", Choice::Ucs2), Ok(Alphabet::Ucs2));
        assert_eq!(alphabet("½", Choice::Latin1), Ok(Alphabet::Latin1));
        let refused = |character, at, alphabet| Err(TextError::NotInAlphabet { character, at, alphabet });
        assert_eq!(alphabet("éж", Choice::Gsm7), refused('ж', 1, Alphabet::Gsm7));
        assert_eq!(alphabet("é€", Choice::Latin1), refused('€', 1, Alphabet::Latin1));
    }

    #[test]
    fn a_latin1_peer_gets_only_what_survives_its_conversion() {
        let alphabet = |text| plan(text, Options::new(Choice::AutoLatin1, Concat::Udh8)).map(|plan| plan.alphabet);
        assert_eq!(alphabet("é"), Ok(Alphabet::Latin1));
        assert_eq!(alphabet("½"), Ok(Alphabet::Ucs2));
        assert_eq!(alphabet("€"), Ok(Alphabet::Ucs2));
    }

    #[test]
    fn each_form_writes_its_own_header() {
        let text = "a".repeat(200);
        let parts = |concat| {
            let plan = plan(&text, Options::new(Choice::Auto, concat)).expect("two parts");
            let (mut out, mut ends) = (vec![0xEE], vec![]);
            segment(&text, &plan, 0x1234, &mut out, &mut ends).expect("planned from this text");
            assert_eq!(plan.parts, 2);
            assert_eq!(ends.len(), usize::from(plan.pdus()));
            (out, ends)
        };
        let (out, ends) = parts(Concat::Udh8);
        assert_eq!(ends, [160, 160 + 6 + 47]);
        assert_eq!(out[160..166], [5, 0, 3, 0x34, 2, 2]);
        let (out, ends) = parts(Concat::Udh16);
        assert_eq!(ends, [160, 160 + 7 + 48]);
        assert_eq!(out[1..8], [6, 8, 4, 0x12, 0x34, 2, 1]);
        assert_eq!(parts(Concat::Sar).1, [154, 201]);
        assert_eq!(parts(Concat::Payload).1, [201]);
    }

    #[test]
    fn an_empty_text_is_one_empty_part() {
        let plan = plan("", Options::default()).expect("empty fits");
        let (mut out, mut ends) = (vec![], vec![]);
        segment("", &plan, 1, &mut out, &mut ends).expect("planned from this text");
        assert_eq!((plan.parts, out.len(), ends), (1, 0, vec![0]));
    }
}
