//! Time strings (SMPP 3.4 section 7.1.1, 5.0 section 4.7.23): 16 characters, absolute `YYMMDDhhmmsstnn+` or relative
//! `YYMMDDhhmmss000R`. Times are microseconds since 1970-01-01 in UTC; the present comes in as an argument.

use crate::smpp::calendar::{Civil, DAY_MICROS, SECOND_MICROS};

/// Characters of a time string that is not empty.
pub const TIME_OCTETS: usize = 16;

/// A quarter of an hour, the unit of the offset from UTC.
const QUARTER_MICROS: u64 = 15 * 60 * SECOND_MICROS;

/// The largest offset the standard allows, 12 hours.
const QUARTERS_MAX_STRICT: u64 = 48;

/// The largest offset in use anywhere, 14 hours.
const QUARTERS_MAX: u64 = 56;

/// A time string that was understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParsedTime {
    /// Microseconds since 1970 in UTC.
    pub micros: u64,
    /// Out of the standard's range but common and clear, such as 48 hours.
    pub lenient: bool,
}

/// Not a time string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidTime;

/// Reads a time string; empty means that none is given, and is None. Relative times count from `now_micros`, in calendar
/// months and years whose missing days become the last of the month. Two digits of a year are 20YY.
pub fn parse_time(value: &[u8], now_micros: u64) -> Result<Option<ParsedTime>, InvalidTime> {
    if value.is_empty() {
        return Ok(None);
    }
    let value: &[u8; TIME_OCTETS] = value.try_into().map_err(|_| InvalidTime)?;
    let (digits, sign) = (&value[..15], value[15]);
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(InvalidTime);
    }
    let two = |at: usize| u64::from(digits[at] - b'0') * 10 + u64::from(digits[at + 1] - b'0');
    let fields = [two(0), two(2), two(4), two(6), two(8), two(10)];
    let (tenths, quarters) = (u64::from(digits[12] - b'0'), two(13));
    match sign {
        b'R' => Ok(Some(relative(fields, tenths, quarters, now_micros))),
        b'+' => absolute(fields, tenths, quarters).map(|(local, lenient)| {
            Some(ParsedTime { micros: local.saturating_sub(quarters * QUARTER_MICROS), lenient })
        }),
        b'-' => absolute(fields, tenths, quarters)
            .map(|(local, lenient)| Some(ParsedTime { micros: local + quarters * QUARTER_MICROS, lenient })),
        _ => Err(InvalidTime),
    }
}

/// Writes an absolute time in UTC, to the tenth of a second.
pub fn format_absolute(micros: u64) -> [u8; TIME_OCTETS] {
    let civil = Civil::of(micros);
    let tenths = micros / (SECOND_MICROS / 10) % 10;
    let mut text = [b'0'; TIME_OCTETS];
    let pairs = [civil.year % 100, civil.month, civil.day, civil.hour, civil.minute, civil.second];
    for (at, pair) in pairs.into_iter().enumerate() {
        put_pair(&mut text, at * 2, pair);
    }
    text[12] = digit(tenths);
    text[15] = b'+';
    text
}

/// Writes a relative time of whole days, hours, minutes and seconds; None over 31 days, where only an absolute time says
/// the same to every reader.
pub fn format_relative(seconds: u64) -> Option<[u8; TIME_OCTETS]> {
    let days = seconds / 86_400;
    if days > 31 {
        return None;
    }
    let mut text = [b'0'; TIME_OCTETS];
    put_pair(&mut text, 4, days);
    put_pair(&mut text, 6, seconds / 3_600 % 24);
    put_pair(&mut text, 8, seconds / 60 % 60);
    put_pair(&mut text, 10, seconds % 60);
    text[15] = b'R';
    Some(text)
}

/// The local time as if it were UTC, and whether the offset is out of the strict range.
fn absolute(fields: [u64; 6], tenths: u64, quarters: u64) -> Result<(u64, bool), InvalidTime> {
    let [year, month, day, hour, minute, second] = fields;
    let civil = Civil { year: 2000 + year, month, day, hour, minute, second };
    if !civil.is_valid() || quarters > QUARTERS_MAX {
        return Err(InvalidTime);
    }
    Ok((civil.micros() + tenths * (SECOND_MICROS / 10), quarters > QUARTERS_MAX_STRICT))
}

fn relative(fields: [u64; 6], tenths: u64, quarters: u64, now_micros: u64) -> ParsedTime {
    let [years, months, days, hours, minutes, seconds] = fields;
    let lenient =
        months > 12 || days > 31 || hours > 23 || minutes > 59 || seconds > 59 || tenths != 0 || quarters != 0;
    let behind_months =
        now_micros % SECOND_MICROS + days * DAY_MICROS + (hours * 3_600 + minutes * 60 + seconds) * SECOND_MICROS;
    // A present near the end of what 64 bits hold comes to that end.
    let micros = Civil::of(now_micros).plus_months(years * 12 + months).micros().saturating_add(behind_months);
    ParsedTime { micros, lenient }
}

fn put_pair(text: &mut [u8; TIME_OCTETS], at: usize, number: u64) {
    text[at] = digit(number / 10);
    text[at + 1] = digit(number);
}

fn digit(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}
