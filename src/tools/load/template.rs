//! The submit_sm that all messages of a run are copied from. Three fields are patched in each copy: sequence_number,
//! the last digits of the destination, and the number at the end of the text.

use crate::smpp::address::Address;
use crate::smpp::encode::encode;
use crate::smpp::pdu::{Body, Pdu, SubmitSm};
use crate::smpp::status::CommandStatus;
use crate::smpp::tag::Tag;
use crate::smpp::tlv::{TlvWriter, Tlvs};
use crate::text::{gsm7, ucs2};

/// Digits of the number in a text.
const NUMBER_DIGITS: usize = 8;

/// Octets of a short_message at most (SMPP 3.4 section 5.2.22); longer texts go as message_payload.
const SHORT_MESSAGE_OCTETS_MAX: usize = 254;

/// Digits of a destination: an ordinary number has 12, and no number has more than 15 (E.164).
const DEST_DIGITS: usize = 12;
const DEST_DIGITS_MAX: usize = 15;

/// An encoded submit_sm and where its changing fields are.
#[derive(Debug)]
pub(crate) struct Template {
    octets: Vec<u8>,
    /// Where the last digits of the destination are, and how many count up.
    dest_at: usize,
    dest_digits: usize,
    dest_prefix: String,
    /// Where the digits of the number are, and the octets from one to the next.
    number_at: usize,
    number_step: usize,
}

/// What makes the messages of a run.
#[derive(Debug)]
pub(crate) struct Pattern<'a> {
    pub(crate) source: &'a str,
    pub(crate) dest_prefix: &'a str,
    /// None: a made-up text of so many `characters`.
    pub(crate) text: Option<&'a str>,
    pub(crate) characters: usize,
    pub(crate) receipts: bool,
    /// The largest number that will be asked for, if that is known.
    pub(crate) last: Option<u32>,
}

impl Template {
    pub(crate) fn new(pattern: &Pattern<'_>) -> Result<Template, String> {
        let prefix = pattern.dest_prefix;
        if prefix.is_empty() || !prefix.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(format!("--dest-prefix {prefix:?} is not a row of digits"));
        }
        let wanted = pattern.last.map_or(NUMBER_DIGITS, |last| last.to_string().len());
        let total = (prefix.len() + wanted).clamp(DEST_DIGITS, DEST_DIGITS_MAX);
        let dest_digits = total.saturating_sub(prefix.len());
        if dest_digits == 0 {
            return Err(format!("--dest-prefix {prefix:?} leaves no digit to count with"));
        }
        let dest = format!("{prefix}{}", "0".repeat(dest_digits));
        let (octets, data_coding) = message_octets(&text_of(pattern)?);
        let number_step = if data_coding == 0 { 1 } else { 2 };
        let mut payload = Vec::new();
        let (short_message, tlvs) = if octets.len() > SHORT_MESSAGE_OCTETS_MAX {
            let mut writer = TlvWriter::new(&mut payload);
            writer.octets(Tag::MESSAGE_PAYLOAD, &octets);
            (&[][..], writer.finish())
        } else {
            (&octets[..], Tlvs::NONE)
        };
        let digits = pattern.source.bytes().all(|octet| octet.is_ascii_digit());
        let (ton, npi) = if digits { (1, 1) } else { (5, 0) };
        let submit_sm = SubmitSm {
            source: Address { ton, npi, addr: pattern.source.as_bytes() },
            dest: Address { ton: 1, npi: 1, addr: dest.as_bytes() },
            registered_delivery: u8::from(pattern.receipts),
            data_coding,
            short_message,
            tlvs,
            ..SubmitSm::default()
        };
        let mut pdu = Vec::new();
        encode(&Pdu { status: CommandStatus::ROK, sequence: 0, body: Body::SubmitSm(submit_sm) }, &mut pdu);
        let dest_start = position(&pdu, dest.as_bytes()).ok_or("the destination is not in the PDU")?;
        // The text ends the PDU, whether as short_message or as the only TLV.
        let number_at = pdu.len() - (NUMBER_DIGITS - 1) * number_step - 1;
        Ok(Template {
            octets: pdu,
            dest_at: dest_start + prefix.len(),
            dest_digits,
            dest_prefix: prefix.to_owned(),
            number_at,
            number_step,
        })
    }

    /// Appends the message with this number.
    pub(crate) fn write(&self, number: u32, sequence: u32, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.octets);
        let pdu = &mut out[start..];
        pdu[12..16].copy_from_slice(&sequence.to_be_bytes());
        let mut rest = number;
        for at in (0..self.dest_digits).rev() {
            pdu[self.dest_at + at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        let mut rest = number;
        for at in (0..NUMBER_DIGITS).rev() {
            pdu[self.number_at + at * self.number_step] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }

    /// Appends the destination of the message with this number.
    pub(crate) fn write_dest(&self, number: u32, out: &mut Vec<u8>) {
        out.extend_from_slice(self.dest_prefix.as_bytes());
        let tail = u64::from(number) % 10u64.pow(self.dest_digits as u32);
        crate::tools::quantity::write_decimal(tail, self.dest_digits, out);
    }
}

/// The text with a number of zeros at its end.
fn text_of(pattern: &Pattern<'_>) -> Result<String, String> {
    let number = format!("#{}", "0".repeat(NUMBER_DIGITS));
    if let Some(text) = pattern.text {
        return Ok(format!("{text} {number}"));
    }
    let words = pattern.characters.checked_sub(number.len());
    let words = words.ok_or_else(|| format!("--characters is less than the {} of the number", number.len()))?;
    let story = "Your parcel is on its way and will be with you between nine and eleven. ";
    Ok(story.chars().cycle().take(words).chain(number.chars()).collect())
}

/// The octets of a text and its data_coding: the default alphabet if it can say it, else UCS-2.
fn message_octets(text: &str) -> (Vec<u8>, u8) {
    let mut octets = Vec::new();
    if gsm7::encode(text, &mut octets).is_ok() {
        return (octets, 0);
    }
    octets.clear();
    ucs2::encode(text, &mut octets);
    (octets, 8)
}

fn position(octets: &[u8], wanted: &[u8]) -> Option<usize> {
    octets.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smpp::decode::decode;

    fn pattern<'a>(text: Option<&'a str>) -> Pattern<'a> {
        let (source, dest_prefix) = ("Riverside", "4477009");
        Pattern { source, dest_prefix, text, characters: 160, receipts: true, last: Some(1_000_000) }
    }

    fn message(template: &Template, number: u32, look: impl FnOnce(&Pdu<'_>, &SubmitSm<'_>)) {
        let mut octets = b"before".to_vec();
        template.write(number, 77, &mut octets);
        let pdu = decode(&octets[6..]).expect("a PDU of our own");
        let Body::SubmitSm(message) = pdu.body else { panic!("{pdu:?}") };
        look(&pdu, &message);
    }

    #[test]
    fn a_message_carries_its_number_twice() {
        let template = Template::new(&pattern(None)).expect("a sound pattern");
        message(&template, 1_234_567, |pdu, message| {
            assert_eq!(pdu.sequence, 77);
            assert_eq!(message.dest.addr, b"44770091234567");
            assert_eq!(message.short_message.len(), 160);
            assert!(message.short_message.ends_with(b"#01234567"));
        });
        let mut dest = Vec::new();
        template.write_dest(1_234_567, &mut dest);
        assert_eq!(dest, b"44770091234567");
    }

    #[test]
    fn other_alphabets_and_long_texts_carry_it_too() {
        let template = Template::new(&pattern(Some("Добрый день"))).expect("a sound pattern");
        message(&template, 42, |_, message| {
            assert_eq!(message.data_coding, 8);
            let mut text = String::new();
            ucs2::decode(message.short_message, &mut text);
            assert_eq!(text, "Добрый день #00000042");
        });
        let long = "ten signs.".repeat(40);
        let template = Template::new(&pattern(Some(&long))).expect("a sound pattern");
        message(&template, 7, |_, message| {
            let payload = message.tlvs.get(Tag::MESSAGE_PAYLOAD).expect("too long for short_message");
            assert!(payload.ends_with(b"ten signs. #00000007"));
        });
    }

    #[test]
    fn what_cannot_be_counted_is_refused() {
        assert!(Template::new(&Pattern { dest_prefix: "44x", ..pattern(None) }).is_err());
        assert!(Template::new(&Pattern { dest_prefix: "447700900123456", ..pattern(None) }).is_err());
        assert!(Template::new(&Pattern { characters: 3, ..pattern(None) }).is_err());
    }
}
