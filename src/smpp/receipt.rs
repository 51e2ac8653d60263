//! Delivery receipts (SMPP 3.4 section 2.11 and appendix B): the text that every vendor writes in its own way, the
//! TLVs that say the same, and the standard text for our own receipts.
//!
//! Reading never fails: what cannot be understood is left out, and the rest stands.

use crate::smpp::calendar::Civil;
use crate::smpp::fields::{ESM_UDHI, MessageState, MessageType};
use crate::smpp::pdu::SubmitSm;
use crate::smpp::receipt_style::ReceiptStyle;
use crate::smpp::receipt_text::{Extras, Fields, read_fields};
use crate::smpp::tag::Tag;
use crate::smpp::tlv::Tlvs;
use crate::smpp::validate::split_udh;

/// Octets of the original message that a receipt may quote (appendix B).
pub const QUOTE_OCTETS_MAX: usize = 20;

/// A receipt as it was read. Where text and TLVs disagree, the TLVs are right.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Receipt<'a> {
    /// The carrier's id of the message, in its own spelling; None: not given.
    pub id: Option<&'a [u8]>,
    /// The id of the text where a TLV gives another.
    pub text_id: Option<&'a [u8]>,
    /// Messages submitted.
    pub sub: Option<u32>,
    /// Messages delivered.
    pub dlvrd: Option<u32>,
    /// When it was submitted: wall clock of the carrier as microseconds since 1970, because receipts carry no zone.
    pub submit_micros: Option<u64>,
    /// When it reached its state, likewise.
    pub done_micros: Option<u64>,
    /// The word after `stat:` as it stands.
    pub stat: Option<&'a [u8]>,
    /// The state; None: neither a TLV nor a known word.
    pub state: Option<MessageState>,
    /// The carrier's error, which is not always a number.
    pub err: Option<&'a [u8]>,
    /// The network's error from the TLV network_error_code.
    pub network_error: Option<NetworkError>,
    /// The first octets of the message; None: the text has no such part.
    pub text: Option<&'a [u8]>,
    /// Labels that the standard does not know.
    pub extras: Extras<'a>,
}

/// network_error_code (SMPP 3.4 section 5.3.2.31).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NetworkError {
    /// 1 ANSI-136, 2 IS-95, 3 GSM, 4 to 8 others; 0 where the carrier wrote digits.
    pub network: u8,
    /// The error within that network.
    pub code: u16,
}

impl NetworkError {
    /// Reads the three octets; three digits, as some carriers write, are a code without a network (quirk Q28).
    pub fn of(value: &[u8]) -> Option<NetworkError> {
        match *value {
            [a, b, c] if value.iter().all(u8::is_ascii_digit) => {
                let digit = |octet: u8| u16::from(octet - b'0');
                Some(NetworkError { network: 0, code: digit(a) * 100 + digit(b) * 10 + digit(c) })
            }
            [network, high, low] => Some(NetworkError { network, code: u16::from_be_bytes([high, low]) }),
            _ => None,
        }
    }

    /// The value of the TLV.
    pub fn octets(self) -> [u8; 3] {
        let [high, low] = self.code.to_be_bytes();
        [self.network, high, low]
    }
}

impl<'a> Receipt<'a> {
    /// Reads the text of a receipt and the TLVs of the same PDU.
    pub fn parse(text: &'a [u8], tlvs: Tlvs<'a>) -> Receipt<'a> {
        let fields: Fields<'a> = read_fields(text);
        let tlv_id = tlvs.get_text(Tag::RECEIPTED_MESSAGE_ID).filter(|id| !id.is_empty());
        let tlv_state = tlvs.get_u8(Tag::MESSAGE_STATE).and_then(MessageState::of);
        Receipt {
            id: tlv_id.or(fields.id),
            text_id: fields.id.filter(|id| tlv_id.is_some_and(|tlv_id| tlv_id != *id)),
            sub: fields.sub.and_then(number),
            dlvrd: fields.dlvrd.and_then(number),
            submit_micros: fields.submit_date.and_then(date),
            done_micros: fields.done_date.and_then(date),
            stat: fields.stat,
            state: tlv_state.or_else(|| fields.stat.and_then(MessageState::from_stat)),
            err: fields.err,
            network_error: tlvs.get(Tag::NETWORK_ERROR_CODE).and_then(NetworkError::of),
            text: fields.text,
            extras: fields.extras,
        }
    }

    /// Reads the receipt of a deliver_sm: its text is short_message, or message_payload where that is empty.
    pub fn of(message: &SubmitSm<'a>) -> Receipt<'a> {
        Receipt::parse(receipt_text(message.esm_class, message.short_message, message.tlvs), message.tlvs)
    }

    /// Whether this says that the message is done with; None: it names no state.
    pub fn is_final(&self) -> Option<bool> {
        self.state.map(MessageState::is_final)
    }
}

/// Whether a deliver_sm or data_sm is a receipt or an intermediate notification: by its esm_class, or by the TLV that
/// only receipts have (quirk Q11).
pub fn is_receipt(esm_class: u8, tlvs: &Tlvs<'_>) -> bool {
    match MessageType::of(esm_class) {
        MessageType::Receipt | MessageType::Intermediate => true,
        MessageType::Default => tlvs.get(Tag::RECEIPTED_MESSAGE_ID).is_some(),
        _ => false,
    }
}

/// The text of a message that may be a receipt, also from message_payload (quirk Q24), without a user data header.
pub fn receipt_text<'a>(esm_class: u8, short_message: &'a [u8], tlvs: Tlvs<'a>) -> &'a [u8] {
    let message =
        if short_message.is_empty() { tlvs.get(Tag::MESSAGE_PAYLOAD).unwrap_or_default() } else { short_message };
    match split_udh(message) {
        Some((_, text)) if esm_class & ESM_UDHI != 0 => text,
        _ => message,
    }
}

/// What a receipt of ours says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReceiptText<'a> {
    /// Our id of the message, as the submit_sm_resp gave it.
    pub id: &'a [u8],
    /// Messages submitted, at most 999.
    pub sub: u16,
    /// Messages delivered, at most 999.
    pub dlvrd: u16,
    /// Microseconds since 1970, written in UTC to the minute.
    pub submit_micros: u64,
    /// Likewise.
    pub done_micros: u64,
    /// The state it reports.
    pub state: MessageState,
    /// Three digits by the standard; others are written as they are.
    pub err: &'a [u8],
    /// The start of the message, cut to [`QUOTE_OCTETS_MAX`].
    pub text: &'a [u8],
}

impl ReceiptText<'_> {
    /// Appends the text of appendix B: `id:… sub:001 dlvrd:001 submit date:YYMMDDhhmm done date:YYMMDDhhmm stat:DELIVRD
    /// err:000 text:…`. Other ways to write it: [`ReceiptText::write_in`].
    pub fn write(&self, out: &mut Vec<u8>) {
        self.write_in(&ReceiptStyle::STANDARD, out);
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    digits.iter().try_fold(0_u32, |sum, digit| sum.checked_mul(10)?.checked_add(u32::from(digit - b'0')))
}

/// `YYMMDDhhmm`, `YYMMDDhhmmss`, `YYYYMMDDhhmm` or `YYYYMMDDhhmmss`: by length, and by which reading is a date at all (quirk
/// Q25).
fn date(digits: &[u8]) -> Option<u64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    match digits.len() {
        10 => date_of(digits, 2, 10),
        12 => date_of(digits, 2, 12).or_else(|| date_of(digits, 4, 12)),
        14 => date_of(digits, 4, 14),
        _ => None,
    }
}

fn date_of(digits: &[u8], year_digits: usize, length: usize) -> Option<u64> {
    let value =
        |from: usize, to: usize| digits[from..to].iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    let pair = |at: usize| value(at, at + 2);
    let year = value(0, year_digits);
    let second_at = year_digits + 8;
    let civil = Civil {
        year: if year_digits == 2 { 2000 + year } else { year },
        month: pair(year_digits),
        day: pair(year_digits + 2),
        hour: pair(year_digits + 4),
        minute: pair(year_digits + 6),
        second: if length > second_at { pair(second_at) } else { 0 },
    };
    civil.is_valid().then(|| civil.micros())
}
