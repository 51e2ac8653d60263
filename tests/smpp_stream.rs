//! Framing does not depend on how the octets are cut, decoding never panics, and what was written is read the same.

use proptest::prelude::*;
use sluice::smpp::address::Address;
use sluice::smpp::decode::decode;
use sluice::smpp::destinations::{Destination, Destinations, Failure, Failures};
use sluice::smpp::encode::encode;
use sluice::smpp::frame::{FrameError, HEADER_OCTETS, PDU_OCTETS_MAX_DEFAULT, frame};
use sluice::smpp::pdu::{
    Bind, BindResp, Body, CancelSm, DataSm, Pdu, QuerySm, QuerySmResp, ReplaceSm, SubmitMulti, SubmitMultiResp,
    SubmitSm, SubmitSmResp,
};
use sluice::smpp::receipt::Receipt;
use sluice::smpp::status::CommandStatus;
use sluice::smpp::tag::Tag;
use sluice::smpp::time::{format_absolute, format_relative, parse_time};
use sluice::smpp::tlv::{TlvWriter, Tlvs};
use sluice::smpp::validate::{split_udh, validate_submit};

fn octets_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")).collect()
}

/// All vectors whose length is sound, in one stream, and where each PDU ends.
fn stream() -> (Vec<u8>, Vec<usize>) {
    let facts: serde_json::Value =
        serde_json::from_str(include_str!("data/facts/pdu_vectors.json")).expect("the facts are JSON");
    let (mut octets, mut ends) = (Vec::new(), Vec::new());
    for vector in ["valid", "malformed"].iter().flat_map(|list| facts[list].as_array().expect("a list")) {
        let pdu = octets_of(vector["hex"].as_str().expect("hex"));
        if frame(&pdu, PDU_OCTETS_MAX_DEFAULT) == Ok(Some(pdu.len())) {
            octets.extend_from_slice(&pdu);
            ends.push(octets.len());
        }
    }
    (octets, ends)
}

/// Reads what arrived so far, as a link does, and says where the PDUs ended.
fn read_until_dry(octets: &[u8], from: usize, until: usize, ends: &mut Vec<usize>) -> usize {
    let mut at = from;
    while let Some(length) = frame(&octets[at..until], PDU_OCTETS_MAX_DEFAULT).expect("sound lengths") {
        at += length;
        ends.push(at);
    }
    at
}

#[test]
fn the_cut_of_the_stream_changes_nothing() {
    let (octets, wanted) = stream();
    assert!(wanted.len() > 200);
    for cut in 0..=octets.len() {
        let mut ends = Vec::with_capacity(wanted.len());
        let at = read_until_dry(&octets, 0, cut, &mut ends);
        assert_eq!(read_until_dry(&octets, at, octets.len(), &mut ends), octets.len());
        assert_eq!(ends, wanted, "cut at {cut}");
    }
    let (mut ends, mut at) = (Vec::new(), 0);
    for until in 1..=octets.len() {
        at = read_until_dry(&octets, at, until, &mut ends);
    }
    assert_eq!(ends, wanted, "one octet at a time");
}

#[test]
fn a_length_out_of_bounds_is_known_at_the_fourth_octet() {
    for command_length in [0_u32, 1, 15, 65_537, 0x7FFF_FFFF, u32::MAX] {
        let head = command_length.to_be_bytes();
        assert_eq!(frame(&head[..3], PDU_OCTETS_MAX_DEFAULT), Ok(None));
        let error = FrameError { command_length, octets_max: PDU_OCTETS_MAX_DEFAULT };
        assert_eq!(frame(&head, PDU_OCTETS_MAX_DEFAULT), Err(error));
    }
    assert_eq!(frame(&65_536_u32.to_be_bytes(), PDU_OCTETS_MAX_DEFAULT), Ok(None));
    assert_eq!(frame(&16_u32.to_be_bytes(), HEADER_OCTETS), Ok(None));
}

#[test]
fn other_protocols_are_told_by_name() {
    let openings: [(&[u8], &str); 8] = [
        (b"GET / HTTP/1.1\r\n", "HTTP"),
        (b"POST /v1/messages", "HTTP"),
        (b"PRI * HTTP/2.0", "HTTP/2"),
        (b"SSH-2.0-OpenSSH_9.2", "SSH"),
        (b"AMQP\x00\x00\x09\x01", "AMQP"),
        (b"PROXY TCP4", "PROXY protocol"),
        (b"\x16\x03\x01\x02\x00\x01", "TLS"),
        (b"HTTP/1.1 400", "HTTP"),
    ];
    for (octets, name) in openings {
        let error = frame(octets, PDU_OCTETS_MAX_DEFAULT).expect_err("no length of ours");
        assert_eq!(error.protocol(), Some(name));
        assert!(error.to_string().contains(name));
    }
    let error = frame(&[0, 0, 0, 3], PDU_OCTETS_MAX_DEFAULT).expect_err("too short");
    assert_eq!(error.protocol(), None);
}

fn text(octets_max: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(1_u8..=255, 0..octets_max)
}

fn address() -> impl Strategy<Value = (u8, u8, Vec<u8>)> {
    (any::<u8>(), any::<u8>(), text(21))
}

fn tlv_list() -> impl Strategy<Value = Vec<(u16, Vec<u8>)>> {
    prop::collection::vec((any::<u16>(), prop::collection::vec(any::<u8>(), 0..40)), 0..5)
}

fn written(list: &[(u16, Vec<u8>)], buffer: &mut Vec<u8>) {
    let mut writer = TlvWriter::new(buffer);
    for (tag, value) in list {
        writer.octets(Tag(*tag), value);
    }
}

fn borrowed((ton, npi, addr): &(u8, u8, Vec<u8>)) -> Address<'_> {
    Address { ton: *ton, npi: *npi, addr }
}

fn assert_round_trip(status: u32, sequence: u32, body: Body<'_>) {
    let pdu = Pdu { status: CommandStatus(status), sequence, body };
    let mut octets = Vec::new();
    encode(&pdu, &mut octets);
    assert_eq!(frame(&octets, PDU_OCTETS_MAX_DEFAULT), Ok(Some(octets.len())));
    let read = decode(&octets).expect("what we write can be read");
    assert_eq!(read, pdu);
    let mut again = Vec::new();
    encode(&read, &mut again);
    assert_eq!(again, octets);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decoding_never_panics(mut octets in prop::collection::vec(any::<u8>(), 0..300), command in 0_usize..64) {
        let commands: Vec<_> = sluice::smpp::command::CommandId::all().collect();
        if octets.len() >= HEADER_OCTETS {
            octets[4..8].copy_from_slice(&commands[command % commands.len()].0.to_be_bytes());
        }
        match decode(&octets) {
            Ok(pdu) => {
                let mut out = Vec::new();
                encode(&pdu, &mut out);
                prop_assert!(frame(&out, usize::MAX) == Ok(Some(out.len())));
                if let Body::SubmitSm(message) | Body::DeliverSm(message) = pdu.body {
                    let _ = validate_submit(&message, 0);
                    let _ = Receipt::of(&message);
                }
            }
            Err(error) => prop_assert!(!error.command.is_response() || octets.len() < HEADER_OCTETS),
        }
    }

    #[test]
    fn messages_round_trip(
        ids in (any::<u32>(), any::<u32>()), service_type in text(6), from in address(), to in address(),
        times in (text(17), text(17)), flags in any::<[u8; 7]>(),
        message in prop::collection::vec(any::<u8>(), 0..=255), list in tlv_list(),
    ) {
        let mut buffer = Vec::new();
        written(&list, &mut buffer);
        let tlvs = Tlvs::parse(&buffer).expect("whole TLVs");
        let [esm_class, protocol_id, priority_flag, registered_delivery, replace_if_present_flag, data_coding,
            sm_default_msg_id] = flags;
        let submit_sm = SubmitSm {
            service_type: &service_type, source: borrowed(&from), dest: borrowed(&to), esm_class, protocol_id,
            priority_flag, schedule_delivery_time: &times.0, validity_period: &times.1, registered_delivery,
            replace_if_present_flag, data_coding, sm_default_msg_id, short_message: &message, tlvs,
        };
        assert_round_trip(ids.0, ids.1, Body::SubmitSm(submit_sm));
        assert_round_trip(ids.0, ids.1, Body::DeliverSm(submit_sm));
        let (service_type, source, dest) = (&service_type[..], borrowed(&from), borrowed(&to));
        let data_sm = DataSm { service_type, source, dest, esm_class, registered_delivery, data_coding, tlvs };
        assert_round_trip(ids.0, ids.1, Body::DataSm(data_sm));
        let replace_sm = ReplaceSm {
            message_id: &times.0, source, schedule_delivery_time: &times.0, validity_period: &times.1,
            registered_delivery, sm_default_msg_id, short_message: &message, tlvs,
        };
        assert_round_trip(ids.0, ids.1, Body::ReplaceSm(replace_sm));
        let mut dests = Vec::new();
        let several = [Destination::Sme(dest), Destination::List(service_type), Destination::Sme(source)];
        let submit_multi = SubmitMulti {
            service_type, source, dests: Destinations::write(&several, &mut dests), esm_class, protocol_id,
            priority_flag, schedule_delivery_time: &times.0, validity_period: &times.1, registered_delivery,
            replace_if_present_flag, data_coding, sm_default_msg_id, short_message: &message, tlvs,
        };
        prop_assert_eq!(submit_multi.dests.iter().collect::<Vec<_>>(), several);
        assert_round_trip(ids.0, ids.1, Body::SubmitMulti(submit_multi));
    }

    #[test]
    fn operations_and_responses_round_trip(
        ids in (any::<u32>(), any::<u32>()), texts in (text(16), text(9), text(13), text(41)), message_id in text(65),
        from in address(), to in address(), flags in any::<[u8; 3]>(), list in tlv_list(),
    ) {
        let mut buffer = Vec::new();
        written(&list, &mut buffer);
        let tlvs = Tlvs::parse(&buffer).expect("whole TLVs");
        let (source, dest) = (borrowed(&from), borrowed(&to));
        let bind = Bind {
            system_id: &texts.0, password: &texts.1, system_type: &texts.2, interface_version: flags[0],
            addr_ton: flags[1], addr_npi: flags[2], address_range: &texts.3,
        };
        let bind_resp = BindResp { system_id: Some(&texts.0), tlvs };
        let resp = SubmitSmResp { message_id: Some(&message_id), tlvs };
        let mut octets = Vec::new();
        let failures = [Failure { address: dest, status: CommandStatus(ids.0) }, Failure { address: source, status: CommandStatus::ROK }];
        let failures = Failures::write(&failures, &mut octets);
        let query_sm_resp = QuerySmResp {
            message_id: &message_id, final_date: &texts.0, message_state: flags[0], error_code: flags[1], tlvs,
        };
        let cancel_sm = CancelSm { service_type: &message_id[..message_id.len().min(5)], message_id: &message_id, source, dest };
        for body in [
            Body::BindReceiver(bind), Body::BindTransmitter(bind), Body::BindTransceiver(bind),
            Body::BindReceiverResp(bind_resp), Body::BindTransmitterResp(bind_resp), Body::BindTransceiverResp(bind_resp),
            Body::SubmitSmResp(resp), Body::DeliverSmResp(resp), Body::DataSmResp(resp),
            Body::SubmitSmResp(SubmitSmResp::default()), Body::SubmitMultiResp(None), Body::QuerySmResp(None),
            Body::SubmitMultiResp(Some(SubmitMultiResp { message_id: &message_id, failures, tlvs })),
            Body::QuerySm(QuerySm { message_id: &message_id, source }),
            Body::QuerySmResp(Some(query_sm_resp)), Body::CancelSm(cancel_sm),
        ] {
            assert_round_trip(ids.0, ids.1, body);
        }
    }

    #[test]
    fn formatted_times_parse_to_themselves(tenths in 0_u64..41_024_448_000, seconds in 0_u64..32 * 86_400, now in any::<u32>()) {
        // From 2000 on, which two digits of a year can say.
        let micros = 946_684_800_000_000 + tenths % 31_556_736_000 * 100_000;
        let text = format_absolute(micros);
        prop_assert_eq!(parse_time(&text, 0).expect("valid").map(|time| (time.micros, time.lenient)), Some((micros, false)));
        let now = u64::from(now) * 1_000_000;
        let text = format_relative(seconds).expect("at most 31 days");
        let parsed = parse_time(&text, now).expect("valid").map(|time| (time.micros, time.lenient));
        prop_assert_eq!(parsed, Some((now + seconds * 1_000_000, false)));
    }

    #[test]
    fn receipts_never_panic(octets in prop::collection::vec(any::<u8>(), 0..200), text in "[ -~]{0,120}") {
        let labelled = format!("id:{text} stat:{text} err:{text} text:{text}");
        for octets in [&octets[..], text.as_bytes(), labelled.as_bytes()] {
            let receipt = Receipt::parse(octets, Tlvs::NONE);
            prop_assert!(receipt.extras.iter().count() <= octets.len());
            prop_assert!(receipt.text.is_none_or(|text| text.len() <= octets.len()));
            let _ = split_udh(octets);
        }
    }
}
