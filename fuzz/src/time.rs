//! A time string is read or refused at any present, and what is written reads as the same moment.

use sluice::smpp::calendar::Civil;
use sluice::smpp::time::{TIME_OCTETS, format_absolute, format_relative, parse_time};

use super::octets::Octets;

const TENTH_MICROS: u64 = 100_000;

/// Microseconds from 1970 to 2000 and to 2100: the years that two digits can tell.
const CENTURY_MICROS: core::ops::Range<u64> = 946_684_800_000_000..4_102_444_800_000_000;

/// The first octets are the present, the others the time string.
pub fn body(data: &[u8]) {
    let mut data = Octets::new(data);
    let wide = data.octet() % 2 == 1;
    let seconds = u64::from(data.quad());
    let now_micros = if wide { seconds << 32 | u64::from(data.quad()) } else { seconds * 1_000_000 };
    let civil = Civil::of(now_micros);
    assert!(civil.is_valid());
    assert_eq!(civil.micros(), now_micros / 1_000_000 * 1_000_000);
    written_and_read(now_micros);

    let value = data.all();
    match parse_time(value, now_micros) {
        Ok(None) => assert!(value.is_empty()),
        Ok(Some(time)) => {
            assert_eq!(value.len(), TIME_OCTETS);
            assert!(value.ends_with(b"R") || time.micros < CENTURY_MICROS.end + 15 * 3_600_000_000);
            assert!(!value.ends_with(b"R") || time.micros >= now_micros, "a relative time is not in the past");
            written_and_read(time.micros);
        }
        Err(_) => assert!(!value.is_empty()),
    }
}

/// A moment survives to the tenth of a second, a span to the second.
fn written_and_read(micros: u64) {
    let text = format_absolute(micros);
    assert!(text[..15].iter().all(u8::is_ascii_digit));
    if CENTURY_MICROS.contains(&micros) {
        let read = parse_time(&text, 0).expect("what was written can be read").expect("it is not empty");
        assert_eq!((read.micros, read.lenient), (micros - micros % TENTH_MICROS, false));
    }
    let seconds = micros % 4_000_000;
    match format_relative(seconds) {
        Some(text) => {
            let now = CENTURY_MICROS.start;
            let read = parse_time(&text, now).expect("what was written can be read").expect("it is not empty");
            assert_eq!(read.micros - now, seconds * 1_000_000);
        }
        None => assert!(seconds >= 32 * 86_400),
    }
}
