//! How a message centre spells its message ids and its receipts: the standard's way and the ways found in the field.

use crate::smpp::fields::MessageState;
use crate::smpp::tag::Tag;
use crate::smpp::tlv::{TlvWriter, Tlvs};
use crate::tools::carrier::conduct::next_random;
use crate::tools::quantity::write_decimal;

/// How an id looks in submit_sm_resp.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IdStyle {
    /// 1763761522000001
    Decimal,
    /// 64421bafcc081
    Hex,
    /// 0a1b2c3d-4e5f-4a6b-0006-4421bafcc081
    Uuid,
    /// 00001763761522000001
    Padded,
}

/// How a receipt tells of a message.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ReceiptFormat {
    /// The text of SMPP 3.4 appendix B and the TLVs receipted_message_id and message_state
    Standard,
    /// The text alone
    Text,
    /// The TLVs alone, with an empty text
    Tlv,
    /// The text alone, its id in hexadecimal whatever the response said
    Hex,
    /// The text alone, its id in decimal whatever the response said
    Decimal,
    /// The text alone, its id in decimal with zeros before it
    Padded,
    /// The text alone, in capital letters
    Upper,
    /// The text alone, with dates of 14 digits and no counts
    LongDates,
    /// The text in message_payload and no short_message
    Payload,
    /// Each of the above in turn
    Mixed,
}

/// What a receipt says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    pub(crate) id: u64,
    pub(crate) state: MessageState,
    /// When the message came and when it was done with: yyMMddhhmmss.
    pub(crate) submitted: &'a [u8; 12],
    pub(crate) done: &'a [u8; 12],
}

/// Buffers for the parts of a receipt, used again for each.
#[derive(Debug, Default)]
pub(crate) struct Speller {
    id: Vec<u8>,
    text: Vec<u8>,
    tlvs: Vec<u8>,
}

/// The formats that `Mixed` goes through.
const MIXED: [ReceiptFormat; 9] = [
    ReceiptFormat::Standard,
    ReceiptFormat::Text,
    ReceiptFormat::Tlv,
    ReceiptFormat::Hex,
    ReceiptFormat::Decimal,
    ReceiptFormat::Padded,
    ReceiptFormat::Upper,
    ReceiptFormat::LongDates,
    ReceiptFormat::Payload,
];

/// Digits of a padded id.
const PADDED_DIGITS: usize = 20;

/// Appends the id as the response has it.
pub(crate) fn write_id(id: u64, style: IdStyle, out: &mut Vec<u8>) {
    match style {
        IdStyle::Decimal => write_decimal(id, 1, out),
        IdStyle::Hex => write_hex(id, 1, out),
        IdStyle::Padded => write_decimal(id, PADDED_DIGITS, out),
        IdStyle::Uuid => {
            let mut state = id;
            let random = next_random(&mut state);
            write_hex(random >> 32, 8, out);
            out.push(b'-');
            write_hex((random >> 16) & 0xFFFF, 4, out);
            out.extend_from_slice(b"-4");
            write_hex(random & 0xFFF, 3, out);
            out.push(b'-');
            write_hex(id >> 48, 4, out);
            out.push(b'-');
            write_hex(id & 0xFFFF_FFFF_FFFF, 12, out);
        }
    }
}

impl Speller {
    /// The short_message and the TLVs of a receipt.
    pub(crate) fn receipt(&mut self, told: &Told<'_>, format: ReceiptFormat, style: IdStyle) -> (&[u8], Tlvs<'_>) {
        let format = match format {
            ReceiptFormat::Mixed => MIXED[(told.id % MIXED.len() as u64) as usize],
            other => other,
        };
        self.id.clear();
        self.text.clear();
        self.tlvs.clear();
        match format {
            ReceiptFormat::Hex => write_hex(told.id, 1, &mut self.id),
            ReceiptFormat::Decimal => write_decimal(told.id, 1, &mut self.id),
            ReceiptFormat::Padded => write_decimal(told.id, PADDED_DIGITS, &mut self.id),
            _ => write_id(told.id, style, &mut self.id),
        }
        if format != ReceiptFormat::Tlv {
            write_text(told, &self.id, format == ReceiptFormat::LongDates, &mut self.text);
        }
        if format == ReceiptFormat::Upper {
            self.text.make_ascii_uppercase();
        }
        let mut tlvs = TlvWriter::new(&mut self.tlvs);
        if matches!(format, ReceiptFormat::Standard | ReceiptFormat::Tlv) {
            tlvs.text(Tag::RECEIPTED_MESSAGE_ID, &self.id).u8(Tag::MESSAGE_STATE, told.state.octet());
        }
        if format == ReceiptFormat::Payload {
            tlvs.octets(Tag::MESSAGE_PAYLOAD, &self.text);
            self.text.clear();
        }
        (&self.text, tlvs.finish())
    }
}

/// SMPP 3.4 appendix B.
fn write_text(told: &Told<'_>, id: &[u8], long_dates: bool, out: &mut Vec<u8>) {
    let delivered = told.state == MessageState::Delivered;
    out.extend_from_slice(b"id:");
    out.extend_from_slice(id);
    if !long_dates {
        out.extend_from_slice(if delivered { b" sub:001 dlvrd:001" } else { b" sub:001 dlvrd:000" });
    }
    for (label, date) in [(" submit date:", told.submitted), (" done date:", told.done)] {
        out.extend_from_slice(label.as_bytes());
        if long_dates {
            out.extend_from_slice(b"20");
            out.extend_from_slice(date);
        } else {
            out.extend_from_slice(&date[..10]);
        }
    }
    out.extend_from_slice(b" stat:");
    out.extend_from_slice(told.state.stat().as_bytes());
    out.extend_from_slice(if delivered { b" err:000 text:" } else { b" err:001 text:" });
}

fn write_hex(number: u64, width: usize, out: &mut Vec<u8>) {
    let digits = (64 - number.leading_zeros()).div_ceil(4).max(1) as usize;
    for at in (0..digits.max(width)).rev() {
        out.push(b"0123456789abcdef"[(number >> (4 * at)) as usize & 15]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(id: u64, state: MessageState) -> Told<'static> {
        Told { id, state, submitted: b"261121120000", done: b"261121120103" }
    }

    fn id(style: IdStyle) -> String {
        let mut out = Vec::new();
        write_id(1_763_761_522_000_001, style, &mut out);
        String::from_utf8(out).expect("an id is ASCII")
    }

    #[test]
    fn ids_have_their_styles() {
        assert_eq!(id(IdStyle::Decimal), "1763761522000001");
        assert_eq!(id(IdStyle::Hex), "64421bafcc081");
        assert_eq!(id(IdStyle::Padded), "00001763761522000001");
        let uuid = id(IdStyle::Uuid);
        assert_eq!(uuid.len(), 36);
        assert!(uuid.ends_with("-0006-4421bafcc081"), "{uuid}");
    }

    #[test]
    fn receipts_follow_the_standard() {
        let mut speller = Speller::default();
        let (text, tlvs) =
            speller.receipt(&told(42, MessageState::Delivered), ReceiptFormat::Standard, IdStyle::Decimal);
        let expected = "id:42 sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 stat:DELIVRD err:000 text:";
        assert_eq!(text, expected.as_bytes());
        assert_eq!(tlvs.get_text(Tag::RECEIPTED_MESSAGE_ID), Some(&b"42"[..]));
        assert_eq!(tlvs.get_u8(Tag::MESSAGE_STATE), Some(2));
    }

    #[test]
    fn other_spellings_differ_where_they_should() {
        let mut speller = Speller::default();
        let mut spell = |format| {
            let (text, tlvs) = speller.receipt(&told(255, MessageState::Undeliverable), format, IdStyle::Decimal);
            (String::from_utf8(text.to_vec()).expect("ASCII"), tlvs.octets().to_vec())
        };
        assert!(spell(ReceiptFormat::Hex).0.starts_with("id:ff sub:001 dlvrd:000 "));
        assert!(spell(ReceiptFormat::Padded).0.starts_with("id:00000000000000000255 "));
        assert!(spell(ReceiptFormat::Upper).0.contains("STAT:UNDELIV ERR:001"));
        assert!(spell(ReceiptFormat::LongDates).0.contains("submit date:20261121120000 done date:20261121120103"));
        let (text, tlvs) = spell(ReceiptFormat::Tlv);
        assert!(text.is_empty() && !tlvs.is_empty());
        let (text, tlvs) = spell(ReceiptFormat::Payload);
        assert!(text.is_empty() && tlvs.windows(6).any(|window| window == b"id:255"));
        assert!(spell(ReceiptFormat::Text).1.is_empty());
        // 255 = 3 (mod 9): the fourth of the mixed formats.
        assert_eq!(spell(ReceiptFormat::Mixed), spell(ReceiptFormat::Hex));
    }
}
