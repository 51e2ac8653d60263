//! A carrier's receipt, in whichever form it came, as the core is told it.

use crate::fact::Notice;
use crate::message::{State, Timestamp};
use crate::seal::Keyring;
use crate::smpp::address::Address;
use crate::smpp::fields::MessageType;
use crate::smpp::pdu::{DataSm, SubmitSm};
use crate::smpp::receipt::{Receipt, is_receipt, receipt_text};
use crate::smpp::tag::Tag;
use crate::smpp::tlv::Tlvs;

/// Octets of an id or an error code that are kept.
const ID_OCTETS_MAX: usize = 255;

/// A deliver_sm or data_sm of a carrier, as far as a receipt needs it.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    source: Address<'a>,
    dest: Address<'a>,
    tlvs: Tlvs<'a>,
    receipt: Receipt<'a>,
}

/// How the receipts of a carrier are to be read.
#[derive(Clone, Copy, Default)]
pub struct Reading<'c> {
    /// Offset of its dates from UTC (quirk Q26).
    pub zone_minutes: i32,
    /// Its error codes, and what they are shown as; others stay as they are (quirk Q27).
    pub errors: &'c [(String, String)],
}

impl<'a> Delivery<'a> {
    /// The receipt of a deliver_sm; `None` if it is a message of a person.
    pub fn of_deliver(sm: &SubmitSm<'a>) -> Option<Delivery<'a>> {
        is_receipt(sm.esm_class, &sm.tlvs).then(|| Delivery {
            source: sm.source,
            dest: sm.dest,
            tlvs: sm.tlvs,
            receipt: Receipt::of(sm),
        })
    }

    /// The receipt of a data_sm (quirk Q23); `None` if it is a message of a person.
    pub fn of_data(sm: &DataSm<'a>) -> Option<Delivery<'a>> {
        is_receipt(sm.esm_class, &sm.tlvs).then(|| {
            let text = receipt_text(sm.esm_class, b"", sm.tlvs);
            Delivery { source: sm.source, dest: sm.dest, tlvs: sm.tlvs, receipt: Receipt::parse(text, sm.tlvs) }
        })
    }

    /// A deliver_sm without any mark of a receipt whose text is one all the same: it names an id and a known state. It is one only if
    /// the id is of a part of ours (quirk Q11); people write about states, too.
    pub fn of_unmarked(sm: &SubmitSm<'a>) -> Option<Delivery<'a>> {
        let receipt = Receipt::of(sm);
        let reads_like_one = receipt.id.is_some() && receipt.stat.is_some() && receipt.state.is_some();
        let unmarked = MessageType::of(sm.esm_class) == MessageType::Default && reads_like_one;
        unmarked.then_some(Delivery { source: sm.source, dest: sm.dest, tlvs: sm.tlvs, receipt })
    }

    /// Appends the octets of [`Notice::write`].
    pub fn write(&self, keyring: &Keyring, reading: Reading<'_>, out: &mut Vec<u8>) {
        let receipt = &self.receipt;
        // The parser gives the TLV's id first, and the text's own only if it is another.
        let tlv_id = self.tlvs.get_text(Tag::RECEIPTED_MESSAGE_ID).unwrap_or_default();
        let text_id = if tlv_id.is_empty() { receipt.id } else { receipt.text_id }.unwrap_or_default();
        let local = receipt.done_micros.and_then(|micros| i64::try_from(micros).ok());
        let done_at =
            local.map_or(Timestamp(0), |micros| Timestamp(micros).plus_seconds(-60 * i64::from(reading.zone_minutes)));
        let mut digits = [b'0'; 5];
        let err = match (receipt.err, receipt.network_error) {
            (Some(err), _) => err,
            (None, Some(network)) => decimal(network.code, &mut digits),
            (None, None) => b"",
        };
        let err =
            reading.errors.iter().find(|(theirs, _)| theirs.as_bytes() == err).map_or(err, |(_, ours)| ours.as_bytes());
        let notice = Notice {
            tlv_id: cut(tlv_id),
            text_id: cut(text_id),
            number: self.number(keyring),
            state: receipt.state.and_then(|state| State::from_smpp(state.octet())),
            done_at,
            err: cut(err),
        };
        notice.write(out);
    }

    /// The number that the receipt is about. By the standard it is the source; some carriers do not swap the two (quirk Q30), and then
    /// the source is a name or a short code.
    fn number(&self, keyring: &Keyring) -> u64 {
        let mut digits = [0; 20];
        let digits = match international(self.source, &mut digits) {
            Some(length) => &digits[..length],
            None => match international(self.dest, &mut digits) {
                Some(length) => &digits[..length],
                None => self.source.addr,
            },
        };
        keyring.number_hash(digits)
    }
}

/// The digits of an address without + or 00, if it may be an international number (quirk Q93).
fn international(address: Address<'_>, digits: &mut [u8; 20]) -> Option<usize> {
    let addr = address.addr.strip_prefix(b"+").or(address.addr.strip_prefix(b"00")).unwrap_or(address.addr);
    let valid = (7..=15).contains(&addr.len()) && addr.iter().all(u8::is_ascii_digit);
    valid.then(|| {
        digits[..addr.len()].copy_from_slice(addr);
        addr.len()
    })
}

fn cut(octets: &[u8]) -> &[u8] {
    &octets[..octets.len().min(ID_OCTETS_MAX)]
}

/// At least three digits, as err is usually written.
fn decimal(code: u16, digits: &mut [u8; 5]) -> &[u8] {
    let mut rest = code;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let start = if code < 1_000 { 2 } else { usize::from(code < 10_000) };
    &digits[start..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::MasterKey;
    use crate::smpp::tlv::TlvWriter;

    fn noted(sm: &SubmitSm<'_>, zone_minutes: i32, check: impl FnOnce(Notice<'_>, &Keyring)) {
        let keyring = Keyring::new(&MasterKey::from_hex(&"17".repeat(32)).expect("64 digits"), 0, 1);
        let mut octets = Vec::new();
        Delivery::of_deliver(sm).expect("a receipt").write(
            &keyring,
            Reading { zone_minutes, errors: &[] },
            &mut octets,
        );
        check(Notice::read(&octets).expect("a notice"), &keyring);
    }

    fn address(addr: &[u8]) -> Address<'_> {
        Address { ton: 1, npi: 1, addr }
    }

    #[test]
    fn text_and_tlvs_are_told_apart() {
        let mut octets = Vec::new();
        let mut writer = TlvWriter::new(&mut octets);
        writer.text(Tag::RECEIPTED_MESSAGE_ID, b"5a3f").u8(Tag::MESSAGE_STATE, 5);
        writer.octets(Tag::NETWORK_ERROR_CODE, &[3, 0, 27]);
        let tlvs = writer.finish();
        let text = b"id:23103 sub:001 dlvrd:000 submit date:2611211200 done date:2611211201 stat:DELIVRD text:";
        let sm = SubmitSm {
            esm_class: 4,
            source: address(b"+447700900123"),
            short_message: text,
            tlvs,
            ..SubmitSm::default()
        };
        noted(&sm, 120, |notice, keyring| {
            assert_eq!((notice.tlv_id, notice.text_id), (&b"5a3f"[..], &b"23103"[..]));
            assert_eq!((notice.state, notice.err), (Some(State::Undeliverable), &b"027"[..]), "the TLV is right");
            assert_eq!(notice.number, keyring.number_hash(b"447700900123"));
            // 2026-11-21 12:01 at two hours east of Greenwich.
            assert_eq!(notice.done_at, Timestamp(1_795_255_260_000_000));
        });
    }

    #[test]
    fn addresses_may_not_be_swapped_and_words_may_be_unknown() {
        let sm = SubmitSm {
            esm_class: 0x44,
            source: address(b"MyBrand"),
            dest: address(b"00447700900123"),
            short_message: b"id:7 stat:BADSTAT err:21b text:x",
            ..SubmitSm::default()
        };
        noted(&SubmitSm { esm_class: 4, ..sm }, 0, |notice, keyring| {
            assert_eq!(notice.number, keyring.number_hash(b"447700900123"));
            assert_eq!((notice.tlv_id, notice.text_id, notice.state), (&b""[..], &b"7"[..], None));
            assert_eq!((notice.err, notice.done_at), (&b"21b"[..], Timestamp(0)));
        });
        assert!(Delivery::of_deliver(&SubmitSm { esm_class: 0, ..sm }).is_none(), "a person's message");
    }

    #[test]
    fn codes_have_three_digits_or_more() {
        let written = [0, 27, 999, 1_000, 65_535].map(|code| decimal(code, &mut [b'0'; 5]).to_vec());
        assert_eq!(written, [&b"000"[..], b"027", b"999", b"1000", b"65535"]);
    }
}
