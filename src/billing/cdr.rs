//! The bill line by line: one JSON object for each part of a concluded message, and where to go on after a crash.
//!
//! Lines are derived from the journal; each carries the number of the fact it comes from.

use serde::Deserialize;

use crate::fact::layout::part_summaries;
use crate::fact::{Concluded, PartSummary};
use crate::message::{CarrierId, Currency, MessageId, PrintedId, TenantId, Timestamp};

/// Gives numbers their names.
pub struct Names<'a> {
    /// A tenant's id in the configuration.
    pub tenant: &'a dyn Fn(TenantId) -> &'a str,
    /// A carrier's id in the configuration.
    pub carrier: &'a dyn Fn(CarrierId) -> &'a str,
    /// The id as its sender knows it.
    pub id: &'a dyn Fn(MessageId) -> PrintedId,
}

/// Appends one line for each part of `concluded`, which is fact number `fact`: `docs/billing.md` has the fields.
pub fn write_lines(fact: u64, concluded: &Concluded<'_>, names: &Names<'_>, out: &mut Vec<u8>) {
    let id = (names.id)(concluded.id);
    for part in part_summaries(concluded.parts) {
        write_line(fact, concluded, &part, &id, names, out);
    }
}

fn write_line(
    fact: u64,
    concluded: &Concluded<'_>,
    part: &PartSummary<'_>,
    id: &PrintedId,
    names: &Names<'_>,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"{\"fact\":");
    push_number(fact, 1, out);
    out.extend_from_slice(b",\"id\":\"");
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(b"\",\"tenant\":");
    push_string((names.tenant)(concluded.tenant).chars(), out);
    out.extend_from_slice(b",\"part\":");
    push_number(u64::from(part.part) + 1, 1, out);
    out.extend_from_slice(b",\"parts\":");
    push_number(u64::from(concluded.count), 1, out);
    out.extend_from_slice(b",\"carrier\":");
    push_string((names.carrier)(part.carrier).chars(), out);
    out.extend_from_slice(b",\"carrier_id\":");
    push_octets(part.carrier_id, out);
    out.extend_from_slice(b",\"state\":");
    push_octets(part.state.name().as_bytes(), out);
    out.extend_from_slice(b",\"encoding\":");
    push_octets(concluded.encoding.name().as_bytes(), out);
    out.extend_from_slice(b",\"price\":\"");
    push_micros(part.posted_micros, out);
    out.extend_from_slice(b"\",\"price_micros\":");
    push_number(part.posted_micros.unsigned_abs(), 1, out);
    out.extend_from_slice(b",\"currency\":");
    match concluded.currency {
        currency if currency == Currency::default() => out.extend_from_slice(b"null"),
        currency => push_octets(&currency.0, out),
    }
    out.extend_from_slice(b",\"accepted\":");
    push_time(concluded.accepted_at, out);
    out.extend_from_slice(b",\"sent\":");
    push_time(part.sent_at, out);
    out.extend_from_slice(b",\"done\":");
    push_time(part.done_at, out);
    out.extend_from_slice(b",\"status\":");
    push_number(u64::from(part.status), 1, out);
    out.extend_from_slice(b",\"err\":");
    push_octets(part.err, out);
    out.extend_from_slice(b",\"possible_duplicate\":");
    out.extend_from_slice(if part.repeat { b"true" } else { b"false" });
    out.extend_from_slice(b",\"number\":\"");
    push_hexadecimal(concluded.number, 16, out);
    out.extend_from_slice(b"\"}\n");
}

/// Where to go on writing after a crash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WholeLines {
    /// Octets of the tail that stay; what follows is half a line, or the first lines of a message whose last are missing.
    pub octets: usize,
    /// The fact of the last line that stays; `None` if none does. The next fact is the next to write.
    pub fact: Option<u64>,
}

/// What stays of the end of a CDR file. `tail` must begin with a line or hold at least 256 whole lines, which is one message and more.
/// Lines that cannot be read are kept and passed over.
pub fn last_whole_line(tail: &[u8]) -> WholeLines {
    let whole = tail.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
    let (mut stays, mut start, mut broken) = (whole, whole, None);
    for line in tail[..whole].split_inclusive(|octet| *octet == b'\n').rev() {
        start -= line.len();
        let Ok(Line { fact, part, parts }) = serde_json::from_slice(line) else { continue };
        if broken.is_none() && part < parts {
            broken = Some(fact);
        }
        if broken != Some(fact) {
            return WholeLines { octets: stays, fact: Some(fact) };
        }
        stays = start;
    }
    WholeLines { octets: stays, fact: None }
}

/// Whether it is a line as they are written here.
pub fn is_line(text: &[u8]) -> bool {
    serde_json::from_slice::<Line>(text).is_ok()
}

/// What is read of a line.
#[derive(Deserialize)]
struct Line {
    fact: u64,
    part: u16,
    parts: u16,
}

/// Decimal, with leading zeros to at least `digits_min` digits.
fn push_number(mut number: u64, digits_min: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    while number > 0 || digits.len() - first < digits_min {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&digits[first..]);
}

/// Hexadecimal in lower case, the lowest `digits` digits.
fn push_hexadecimal(number: u64, digits: u32, out: &mut Vec<u8>) {
    let nibbles = (0..digits).rev().map(|place| (number >> (4 * place)) as usize & 15);
    out.extend(nibbles.map(|nibble| b"0123456789abcdef"[nibble]));
}

/// A JSON string (RFC 8259 section 7).
fn push_string(text: impl Iterator<Item = char>, out: &mut Vec<u8>) {
    out.push(b'"');
    for letter in text {
        match letter {
            '"' | '\\' => out.extend_from_slice(&[b'\\', letter as u8]),
            ' '..='~' => out.push(letter as u8),
            '\0'..='\u{1f}' | '\u{7f}' => {
                out.extend_from_slice(b"\\u");
                push_hexadecimal(u64::from(letter), 4, out);
            }
            _ => out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

/// Octets that a carrier wrote: each is the letter of its own number, so none is lost.
fn push_octets(octets: &[u8], out: &mut Vec<u8>) {
    push_string(octets.iter().map(|octet| char::from(*octet)), out);
}

/// As [`crate::message::print_micros`], without an allocation.
fn push_micros(micros: i64, out: &mut Vec<u8>) {
    if micros < 0 {
        out.push(b'-');
    }
    push_number(micros.unsigned_abs() / 1_000_000, 1, out);
    out.push(b'.');
    push_number(micros.unsigned_abs() % 1_000_000, 6, out);
    let zeros = out.iter().rev().take_while(|octet| **octet == b'0').count();
    out.truncate(out.len() - zeros.min(4));
}

/// RFC 3339 in UTC with microseconds; `null` for no time. The calendar is Gregorian without leap seconds.
fn push_time(at: Timestamp, out: &mut Vec<u8>) {
    if at == Timestamp::default() {
        return out.extend_from_slice(b"null");
    }
    let (second, micros) = (at.seconds().rem_euclid(86_400), at.0.rem_euclid(1_000_000));
    // Days since the first of March of the year 0, so that the leap day is the last of its year and eras of 400 years are alike.
    let days = at.seconds().div_euclid(86_400) + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let fields = [
        (b'"', year, 4),
        (b'-', month, 2),
        (b'-', day, 2),
        (b'T', second / 3_600, 2),
        (b':', second / 60 % 60, 2),
        (b':', second % 60, 2),
        (b'.', micros, 6),
    ];
    for (mark, field, digits) in fields {
        out.push(mark);
        push_number(field.unsigned_abs(), digits, out);
    }
    out.extend_from_slice(b"Z\"");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::fact::Stage;
    use crate::message::{Encoding, State, print_micros};

    fn names() -> Names<'static> {
        Names {
            tenant: &|tenant| if tenant.0 == 1 { "riverside" } else { "quo\"te" },
            carrier: &|_| "alpha",
            id: &|id| PrintedId::new(id, 5),
        }
    }

    fn lines(fact: u64, parts: &[PartSummary<'_>]) -> Vec<u8> {
        let mut summaries = Vec::new();
        parts.iter().for_each(|part| part.write(&mut summaries));
        let concluded = Concluded {
            id: MessageId::new(0, 9),
            tenant: TenantId(1),
            state: State::Delivered,
            encoding: Encoding::Gsm7,
            currency: Currency(*b"GBP"),
            number: 0xab,
            accepted_at: Timestamp(1_795_262_400_000_000),
            count: parts.len() as u8,
            parts: &summaries,
            ..Concluded::default()
        };
        let mut out = Vec::new();
        write_lines(fact, &concluded, &names(), &mut out);
        out
    }

    fn part(part: u8) -> PartSummary<'static> {
        PartSummary {
            part,
            stage: Stage::Done,
            state: State::Delivered,
            sent_at: Timestamp(1_795_262_400_000_001),
            posted_micros: 26_400,
            carrier_id: b"5a3f\"9c01\xff",
            err: b"000",
            ..PartSummary::default()
        }
    }

    #[test]
    fn a_part_is_a_line() {
        let text = lines(7, &[part(0), PartSummary { repeat: true, status: 8, ..part(1) }]);
        let lines: Vec<&[u8]> = text.split_inclusive(|octet| *octet == b'\n').collect();
        assert_eq!(lines.len(), 2);
        let first: Value = serde_json::from_slice(lines[0]).expect("JSON");
        let id = PrintedId::new(MessageId::new(0, 9), 5).to_string();
        let expected = json!({
            "fact": 7, "id": id, "tenant": "riverside", "part": 1, "parts": 2, "carrier": "alpha",
            "carrier_id": "5a3f\"9c01\u{ff}", "state": "delivered", "encoding": "gsm7", "price": "0.0264", "price_micros": 26_400, "currency": "GBP",
            "accepted": "2026-11-21T12:00:00.000000Z", "sent": "2026-11-21T12:00:00.000001Z", "done": null, "status": 0,
            "err": "000", "possible_duplicate": false, "number": "00000000000000ab",
        });
        assert_eq!(first, expected);
        let second: Value = serde_json::from_slice(lines[1]).expect("JSON");
        assert_eq!(
            (&second["part"], &second["possible_duplicate"], &second["status"]),
            (&json!(2), &json!(true), &json!(8))
        );
    }

    #[test]
    fn any_cut_goes_on_after_a_whole_message() {
        let messages = [lines(3, &[part(0)]), lines(4, &[part(0), part(1), part(2)]), lines(9, &[part(0)])];
        let text = messages.concat();
        let ends =
            [(0, None), (messages[0].len(), Some(3)), (text.len() - messages[2].len(), Some(4)), (text.len(), Some(9))];
        for cut in 0..=text.len() {
            let (octets, fact) = *ends.iter().rfind(|(end, _)| *end <= cut).expect("0 is before all");
            assert_eq!(last_whole_line(&text[..cut]), WholeLines { octets, fact }, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_line_is_passed_over() {
        let mut text = lines(3, &[part(0)]);
        text.extend_from_slice(b"# not ours\n");
        assert_eq!(last_whole_line(&text), WholeLines { octets: text.len(), fact: Some(3) });
        assert_eq!(last_whole_line(b""), WholeLines { octets: 0, fact: None });
    }

    proptest! {
        #[test]
        fn times_and_amounts_are_exact(micros in any::<i64>(), at in 1..253_402_300_799_999_999i64) {
            let mut out = Vec::new();
            push_micros(micros, &mut out);
            prop_assert_eq!(String::from_utf8_lossy(&out), print_micros(micros));
            out.clear();
            push_time(Timestamp(at), &mut out);
            let known = jiff::Timestamp::from_microsecond(at).expect("in the range of jiff");
            prop_assert_eq!(String::from_utf8_lossy(&out), format!("\"{known:.6}\""));
        }

        #[test]
        fn any_text_is_json(text in any::<String>(), octets in any::<Vec<u8>>()) {
            let mut out = Vec::new();
            push_string(text.chars(), &mut out);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).expect("JSON"), text);
            out.clear();
            push_octets(&octets, &mut out);
            let read = serde_json::from_slice::<String>(&out).expect("JSON");
            prop_assert!(read.chars().map(|letter| letter as u32).eq(octets.iter().map(|octet| u32::from(*octet))));
        }
    }
}
