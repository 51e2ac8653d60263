//! How a receipt's text is written: the standard's way (SMPP 3.4 appendix B), or as programs that read receipts have come to expect
//! it. Whatever is chosen, [`crate::smpp::receipt::Receipt::parse`] reads it back to the same fields.

use crate::smpp::calendar::Civil;
use crate::smpp::receipt::{QUOTE_OCTETS_MAX, ReceiptText};

/// The ways in which receipts of message centres differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReceiptStyle {
    /// `ID:… SUB:…` in place of `id:… sub:…`.
    pub upper_labels: bool,
    /// At least this many digits of `sub` and `dlvrd`, at most 3; 0 leaves both out.
    pub count_digits: u8,
    /// 10 (`YYMMDDhhmm`), 12 (with seconds) or 14 (with seconds and the century).
    pub date_digits: u8,
    /// `stat:DELIVERED` in place of `stat:DELIVRD`.
    pub long_states: bool,
    /// At least this many digits of an `err` that is a decimal number; 0 writes it as it is, and others always are.
    pub err_digits: u8,
    /// The label of the quoted message.
    pub quote: Quote,
    /// Semicolons between the fields in place of blanks.
    pub semicolons: bool,
}

/// What stands before the quoted message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quote {
    /// Neither label nor text.
    Absent,
    /// `text:`.
    Lower,
    /// `Text:`.
    Capital,
}

impl ReceiptStyle {
    /// `id:… sub:001 dlvrd:001 submit date:YYMMDDhhmm done date:YYMMDDhhmm stat:DELIVRD err:000 text:…`.
    pub const STANDARD: ReceiptStyle = ReceiptStyle {
        upper_labels: false,
        count_digits: 3,
        date_digits: 10,
        long_states: false,
        err_digits: 0,
        quote: Quote::Lower,
        semicolons: false,
    };
}

impl ReceiptText<'_> {
    /// Appends the text in this style.
    pub fn write_in(&self, style: &ReceiptStyle, out: &mut Vec<u8>) {
        label(style, b"id:", b"ID:", out);
        out.extend_from_slice(self.id);
        if style.count_digits > 0 {
            separate(style, out);
            label(style, b"sub:", b"SUB:", out);
            write_at_least(self.sub.min(999).into(), style.count_digits.min(3), out);
            separate(style, out);
            label(style, b"dlvrd:", b"DLVRD:", out);
            write_at_least(self.dlvrd.min(999).into(), style.count_digits.min(3), out);
        }
        separate(style, out);
        label(style, b"submit date:", b"SUBMIT DATE:", out);
        write_date(self.submit_micros, style.date_digits, out);
        separate(style, out);
        label(style, b"done date:", b"DONE DATE:", out);
        write_date(self.done_micros, style.date_digits, out);
        separate(style, out);
        label(style, b"stat:", b"STAT:", out);
        let stat = if style.long_states { self.state.name() } else { self.state.stat() };
        out.extend_from_slice(stat.as_bytes());
        separate(style, out);
        label(style, b"err:", b"ERR:", out);
        self.write_err(style.err_digits, out);
        self.write_quote(style, out);
    }

    fn write_err(&self, digits: u8, out: &mut Vec<u8>) {
        let text = core::str::from_utf8(self.err).ok().filter(|text| text.bytes().all(|octet| octet.is_ascii_digit()));
        match text.and_then(|text| text.parse().ok()) {
            Some(number) if digits > 0 => write_at_least(number, digits, out),
            _ => out.extend_from_slice(self.err),
        }
    }

    fn write_quote(&self, style: &ReceiptStyle, out: &mut Vec<u8>) {
        if style.quote == Quote::Absent {
            return;
        }
        separate(style, out);
        label(style, if style.quote == Quote::Capital { b"Text:" } else { b"text:" }, b"TEXT:", out);
        out.extend_from_slice(&self.text[..self.text.len().min(QUOTE_OCTETS_MAX)]);
    }
}

fn separate(style: &ReceiptStyle, out: &mut Vec<u8>) {
    out.push(if style.semicolons { b';' } else { b' ' });
}

fn label(style: &ReceiptStyle, lower: &[u8], upper: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(if style.upper_labels { upper } else { lower });
}

fn write_date(micros: u64, digits: u8, out: &mut Vec<u8>) {
    let civil = Civil::of(micros);
    if digits >= 14 {
        write_digits(civil.year / 100, 2, out);
    }
    for pair in [civil.year % 100, civil.month, civil.day, civil.hour, civil.minute] {
        write_digits(pair, 2, out);
    }
    if digits >= 12 {
        write_digits(civil.second, 2, out);
    }
}

fn write_at_least(number: u32, digits: u8, out: &mut Vec<u8>) {
    write_digits(number.into(), u32::from(digits).max(number.checked_ilog10().unwrap_or(0) + 1), out);
}

fn write_digits(number: u64, digits: u32, out: &mut Vec<u8>) {
    for place in (0..digits).rev() {
        out.push(b'0' + (number / 10_u64.pow(place) % 10) as u8);
    }
}
