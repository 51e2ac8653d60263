//! The end of a message as the deliver_sm that tells its tenant (SMPP 3.4 appendix B, and the TLVs that say the same).

use crate::callback::shown_id::ShownId;
use crate::command::Report;
use crate::envelope::{Envelope, Party};
use crate::message::receipt_format::{QuoteLabel, ReceiptFormat};
use crate::seal::Keyring;
use crate::smpp::address::Address;
use crate::smpp::fields::{MessageState, Version};
use crate::smpp::pdu::SubmitSm;
use crate::smpp::receipt::{NetworkError, ReceiptText};
use crate::smpp::receipt_style::{Quote, ReceiptStyle};
use crate::smpp::tag::Tag;
use crate::smpp::tlv::{TlvWriter, Tlvs};

/// esm_class of a receipt.
const ESM_RECEIPT: u8 = 0x04;
/// network_error_code's network type of GSM.
const NETWORK_GSM: u8 = 3;

/// Writes receipts into buffers that are used again.
#[derive(Debug, Default)]
pub struct Receipts {
    text: Vec<u8>,
    tlvs: Vec<u8>,
}

impl Receipts {
    /// The deliver_sm of a report, as the tenant's format says. Its source is the message's destination and the other way round (quirk
    /// Q30).
    pub fn deliver_sm<'a>(
        &'a mut self,
        report: &Report,
        envelope: &Envelope<'a>,
        format: &ReceiptFormat,
        version: Version,
        keyring: &Keyring,
    ) -> SubmitSm<'a> {
        let id = ShownId::in_receipt(report.id, format.receipt_id, version, keyring);
        let state = MessageState::of(report.state.smpp()).unwrap_or(MessageState::Unknown);
        let length = report.err.iter().position(|octet| *octet == 0).unwrap_or(report.err.len());
        let err = &report.err[..length];
        let text = ReceiptText {
            id: id.as_bytes(),
            sub: u16::from(report.submitted),
            dlvrd: u16::from(report.delivered),
            submit_micros: u64::try_from(report.accepted_at.0).unwrap_or(0),
            done_micros: u64::try_from(report.done_at.0).unwrap_or(0),
            state,
            err: if err.is_empty() { b"000" } else { err },
            text: b"",
        };
        self.text.clear();
        text.write_in(&style(format), &mut self.text);
        let id = ShownId::in_response(report.id, format.response_id, version, keyring);
        SubmitSm {
            source: address(envelope.dest),
            dest: address(envelope.source),
            esm_class: ESM_RECEIPT,
            short_message: &self.text,
            // A 3.3 peer knows no TLVs.
            tlvs: if version < Version::V34 { Tlvs::NONE } else { tlvs(&mut self.tlvs, format, id, state, err) },
            ..SubmitSm::default()
        }
    }
}

fn tlvs<'a>(buffer: &'a mut Vec<u8>, format: &ReceiptFormat, id: ShownId, state: MessageState, err: &[u8]) -> Tlvs<'a> {
    buffer.clear();
    let mut writer = TlvWriter::new(buffer);
    if format.tlv_id {
        writer.text(Tag::RECEIPTED_MESSAGE_ID, id.as_bytes());
    }
    if format.tlv_state {
        writer.u8(Tag::MESSAGE_STATE, state.octet());
    }
    if let Some(code) = number(err).filter(|code| *code != 0 && format.tlv_error) {
        writer.octets(Tag::NETWORK_ERROR_CODE, &NetworkError { network: NETWORK_GSM, code }.octets());
    }
    writer.finish()
}

/// The tenant's words in those of the codec, which knows no tenants.
fn style(format: &ReceiptFormat) -> ReceiptStyle {
    ReceiptStyle {
        upper_labels: format.upper_labels,
        count_digits: format.count_digits,
        date_digits: format.date_digits,
        long_states: format.long_states,
        err_digits: format.err_digits,
        quote: match format.quote {
            QuoteLabel::Lower => Quote::Lower,
            QuoteLabel::Capital => Quote::Capital,
            QuoteLabel::Absent => Quote::Absent,
        },
        semicolons: format.semicolons,
    }
}

fn address(party: Party<'_>) -> Address<'_> {
    Address { ton: party.ton, npi: party.npi, addr: party.addr }
}

/// The carrier's error if it is a number.
fn number(err: &[u8]) -> Option<u16> {
    std::str::from_utf8(err).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{MessageId, State, Timestamp};
    use crate::seal::MasterKey;

    fn delivered(version: Version, err: [u8; 8], check: impl FnOnce(SubmitSm<'_>)) {
        let keyring = Keyring::new(&MasterKey::from_hex(&"17".repeat(32)).expect("64 digits"), 0, 1);
        let report = Report {
            id: MessageId::new(0, 0xbeef),
            state: State::Undeliverable,
            part: None,
            submitted: 2,
            delivered: 1,
            accepted_at: Timestamp(1_795_255_200_000_000),
            done_at: Timestamp(1_795_255_320_000_000),
            err,
        };
        let envelope = Envelope {
            source: Party { ton: 5, npi: 0, addr: b"MyBrand" },
            dest: Party { ton: 1, npi: 1, addr: b"447700900123" },
            ..Envelope::default()
        };
        check(Receipts::default().deliver_sm(&report, &envelope, &ReceiptFormat::STANDARD, version, &keyring));
    }

    #[test]
    fn text_and_tlvs_say_the_same() {
        delivered(Version::V34, *b"027\0\0\0\0\0", |sm| {
            let text = std::str::from_utf8(sm.short_message).expect("ASCII");
            let rest = " sub:002 dlvrd:001 submit date:2611211000 done date:2611211002 stat:UNDELIV err:027 text:";
            assert!(text.starts_with("id:") && text.ends_with(rest), "{text}");
            assert_eq!(text.len(), 3 + 26 + rest.len());
            assert_eq!((sm.esm_class, sm.source.addr, sm.dest.ton), (4, &b"447700900123"[..], 5));
            assert_eq!(sm.tlvs.get_text(Tag::RECEIPTED_MESSAGE_ID), Some(&sm.short_message[3..29]));
            assert_eq!(sm.tlvs.get_u8(Tag::MESSAGE_STATE), Some(5));
            assert_eq!(sm.tlvs.get(Tag::NETWORK_ERROR_CODE), Some(&[3, 0, 27][..]));
        });
    }

    #[test]
    fn a_peer_of_3_3_gets_its_own_id_and_no_tlvs() {
        delivered(Version::V33, *b"21b\0\0\0\0\0", |sm| {
            assert!(sm.short_message.starts_with(b"id:0000beef sub:"));
            assert!(sm.short_message.ends_with(b"err:21b text:"));
            assert!(sm.tlvs.is_empty());
        });
        delivered(Version::V34, [0; 8], |sm| {
            assert!(sm.short_message.ends_with(b"err:000 text:"));
            assert_eq!(sm.tlvs.get(Tag::NETWORK_ERROR_CODE), None);
        });
    }
}
