//! A part of an envelope as submit_sm.

use crate::envelope::{Carriage, Envelope, Party};
use crate::smpp::address::Address;
use crate::smpp::pdu::SubmitSm;
use crate::smpp::tag::Tag;
use crate::smpp::tlv::{TlvWriter, Tlvs};

/// Octets of short_message at most: SMPP 3.4 section 5.2.21 ends sm_length at 254, 5.0 one later.
const SHORT_MESSAGE_OCTETS_MAX: usize = 254;

/// What a carrier wants otherwise than the message says it (quirk Q90).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// service_type of messages that have none.
    pub service_type: String,
    /// Type of number of senders.
    pub source_ton: Option<u8>,
    /// Numbering plan of senders.
    pub source_npi: Option<u8>,
    /// Type of number of destinations.
    pub dest_ton: Option<u8>,
    /// Numbering plan of destinations.
    pub dest_npi: Option<u8>,
    /// International numbers are written with + in front (quirk Q93).
    pub plus: bool,
}

/// Type of number: international (SMPP 3.4, 5.2.5).
const TON_INTERNATIONAL: u8 = 1;

/// submit_sm of part `part` (from 0). `tlvs` is scratch space for its optional parameters; `None` if there is no such part.
///
/// Receipts are always asked for: the gateway needs them itself, whatever the sender wants to be told.
pub fn submit_sm<'a>(
    envelope: &Envelope<'a>,
    part: u8,
    validity_period: &'a [u8],
    style: &'a Style,
    tlvs: &'a mut Vec<u8>,
) -> Option<SubmitSm<'a>> {
    let octets = envelope.part(part)?;
    let in_body = envelope.carriage == Carriage::InBody && octets.len() <= SHORT_MESSAGE_OCTETS_MAX;
    let own_tlvs = !(in_body && envelope.carriage == Carriage::InBody);
    let addresses = write_addresses(envelope, style, tlvs);
    if own_tlvs {
        write_tlvs(envelope, part, octets, tlvs);
    }
    let (addresses, written) = tlvs.split_at(addresses);
    let plus = addresses.split_at(addresses.len().min(envelope.source.addr.len() + 1));
    let tlvs = Tlvs::parse_lossy(if own_tlvs { written } else { envelope.tlvs });
    let in_short_message = in_body || envelope.carriage == Carriage::Sar;
    Some(SubmitSm {
        service_type: if envelope.service_type.is_empty() {
            style.service_type.as_bytes()
        } else {
            envelope.service_type
        },
        source: address(envelope.source, plus.0, style.source_ton, style.source_npi),
        dest: address(envelope.dest, plus.1, style.dest_ton, style.dest_npi),
        esm_class: envelope.esm_class,
        protocol_id: envelope.protocol_id,
        priority_flag: envelope.priority,
        schedule_delivery_time: b"",
        validity_period,
        registered_delivery: 1,
        replace_if_present_flag: 0,
        data_coding: envelope.data_coding,
        sm_default_msg_id: 0,
        short_message: if in_short_message { octets } else { b"" },
        tlvs,
    })
}

/// Both addresses with + in front, if the carrier wants that; says how many octets they take.
fn write_addresses(envelope: &Envelope<'_>, style: &Style, out: &mut Vec<u8>) -> usize {
    out.clear();
    if style.plus {
        for party in [envelope.source, envelope.dest] {
            out.push(b'+');
            out.extend_from_slice(party.addr);
        }
    }
    out.len()
}

/// The sender's optional parameters, and behind them those that carry the text or tie the segments together.
fn write_tlvs(envelope: &Envelope<'_>, part: u8, octets: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(envelope.tlvs);
    let mut writer = TlvWriter::new(out);
    if envelope.carriage == Carriage::Sar {
        writer.u16(Tag::SAR_MSG_REF_NUM, envelope.sar_reference);
        writer.u8(Tag::SAR_TOTAL_SEGMENTS, envelope.parts);
        writer.u8(Tag::SAR_SEGMENT_SEQNUM, part + 1);
    } else {
        writer.octets(Tag::MESSAGE_PAYLOAD, octets);
    }
}

/// `plus` is the address with + in front; empty for carriers that want none.
fn address<'a>(party: Party<'a>, plus: &'a [u8], ton: Option<u8>, npi: Option<u8>) -> Address<'a> {
    let addr = if party.ton == TON_INTERNATIONAL && !plus.is_empty() { plus } else { party.addr };
    Address { ton: ton.unwrap_or(party.ton), npi: npi.unwrap_or(party.npi), addr }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(carriage: Carriage, bodies: &[u8], ends: &[u32]) -> Vec<u8> {
        let mut octets = Vec::new();
        let written = Envelope {
            source: Party { ton: 5, npi: 0, addr: b"MyBrand" },
            dest: Party { ton: 1, npi: 1, addr: b"447700900123" },
            carriage,
            sar_reference: 0x0102,
            tlvs: &[0x14, 0, 0, 1, 7],
            ..Envelope::default()
        };
        written.write(bodies, ends, &mut octets);
        octets
    }

    #[test]
    fn each_carriage_puts_the_text_where_it_belongs() {
        let style = Style::default();
        let mut scratch = Vec::new();
        let octets = envelope(Carriage::InBody, b"onetwo", &[3, 6]);
        let read = Envelope::read(&octets).expect("as written");
        let sm = submit_sm(&read, 1, b"", &style, &mut scratch).expect("part 1");
        assert_eq!((sm.short_message, sm.registered_delivery, sm.tlvs.octets()), (&b"two"[..], 1, read.tlvs));
        assert!(submit_sm(&read, 2, b"", &style, &mut Vec::new()).is_none());

        for (length, in_payload) in [(254, None), (255, Some(255))] {
            let octets = envelope(Carriage::InBody, &vec![b'x'; length], &[length as u32]);
            let read = Envelope::read(&octets).expect("as written");
            let sm = submit_sm(&read, 0, b"", &style, &mut scratch).expect("the only part");
            assert_eq!(sm.tlvs.get(Tag::MESSAGE_PAYLOAD).map(<[u8]>::len), in_payload, "sm_length ends at 254 in 3.4");
        }

        let octets = envelope(Carriage::Sar, b"onetwo", &[3, 6]);
        let read = Envelope::read(&octets).expect("as written");
        let sm = submit_sm(&read, 0, b"", &style, &mut scratch).expect("part 0");
        assert_eq!(sm.short_message, b"one");
        let sar = [Tag::SAR_TOTAL_SEGMENTS, Tag::SAR_SEGMENT_SEQNUM].map(|tag| sm.tlvs.get_u8(tag));
        assert_eq!((sm.tlvs.get_u16(Tag::SAR_MSG_REF_NUM), sar), (Some(0x0102), [Some(2), Some(1)]));
        assert_eq!(sm.tlvs.get(Tag(0x1400)), Some(&[7][..]), "what the sender gave stays on each part");

        let octets = envelope(Carriage::Payload, &[b'x'; 400], &[400]);
        let read = Envelope::read(&octets).expect("as written");
        let sm = submit_sm(&read, 0, b"", &style, &mut scratch).expect("the only PDU");
        assert_eq!((sm.short_message.len(), sm.tlvs.get(Tag::MESSAGE_PAYLOAD).map(<[u8]>::len)), (0, Some(400)));
    }

    #[test]
    fn a_carrier_has_its_own_ways_with_addresses() {
        let octets = envelope(Carriage::InBody, b"one", &[3]);
        let read = Envelope::read(&octets).expect("as written");
        let style =
            Style { service_type: "CMT".to_owned(), source_npi: Some(9), dest_ton: Some(0), ..Style::default() };
        let mut scratch = Vec::new();
        let sm = submit_sm(&read, 0, b"", &style, &mut scratch).expect("part 0");
        assert_eq!((sm.service_type, sm.source.ton, sm.source.npi), (&b"CMT"[..], 5, 9));
        assert_eq!((sm.dest.ton, sm.dest.npi), (0, 1));
    }
}
