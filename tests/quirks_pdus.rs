//! Peers' oddities by their numbers: responses and PDUs that bend the standard (Q34 to Q50).

mod support;

use std::time::Duration;

use serde_json::Value;
use sluice::smpp::address::Address;
use sluice::smpp::calendar::Civil;
use sluice::smpp::decode::decode;
use sluice::smpp::encode::encode;
use sluice::smpp::pdu::{Body, Pdu, QuerySm, SubmitSm};
use sluice::smpp::session::{BindKind, CloseReason, Event, Session, SessionConfig};
use sluice::smpp::status::CommandStatus;
use sluice::smpp::tag::Tag;
use sluice::smpp::validate::split_udh;
use sluice::tools::inspect::outcome::{Place, outcome};
use support::esme::{DELIVER_SM, ENQUIRE_LINK, Esme, GENERIC_NACK, Next, RESPONSE, SUBMIT_SM, submit_body};
use support::eventually;
use support::hand::{Deliver, Road, TO, text, tlv};

const RINVMSGLEN: u32 = 0x01;
const RINVOPTPARSTREAM: u32 = 0xC0;
const UDHI: u8 = 0x40;

fn facts() -> Value {
    serde_json::from_str(include_str!("data/facts/pdu_vectors.json")).expect("the facts are JSON")
}

fn octets_of(vector: &Value) -> Vec<u8> {
    let hex = vector["hex"].as_str().expect("hex");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")).collect()
}

/// The octets of the valid vector of this name.
fn valid(name: &str) -> Vec<u8> {
    let facts = facts();
    let found = facts["valid"].as_array().expect("a list").iter().find(|vector| vector["name"] == name);
    octets_of(found.unwrap_or_else(|| panic!("no vector {name}")))
}

/// Holds the malformed vectors of a rule (`R9`, not `R91`) against a session.
fn rule_holds(rule: &str) {
    let facts = facts();
    let now = Civil { year: 2026, month: 11, day: 21, hour: 12, minute: 0, second: 0 }.micros();
    let of_rule = |vector: &&Value| vector["rule"].as_str().is_some_and(|text| text.split(' ').next() == Some(rule));
    let vectors: Vec<&Value> = facts["malformed"].as_array().expect("a list").iter().filter(of_rule).collect();
    assert!(!vectors.is_empty(), "{rule}");
    for vector in vectors {
        let octets = octets_of(vector);
        let word = |key: &str| vector[key].as_str().expect("text");
        let place = Place::of(word("role"), word("state"), &octets).expect("a role and a state");
        let (found, _) = outcome(place, &octets, now);
        for (key, found) in
            [("action", found.action), ("command_status", found.command_status.as_str()), ("session", found.session)]
        {
            assert_eq!(vector["expect"][key], found, "{}: {key}", word("name"));
        }
    }
}

/// A submit_sm to the usual number with these octets and parameters.
fn submit(esm_class: u8, octets: &[u8], tlvs: &[u8]) -> Vec<u8> {
    let mut body = submit_body(TO, "");
    let at = body.len() - 10;
    body[at] = esm_class;
    *body.last_mut().expect("sm_length") = u8::try_from(octets.len()).expect("one octet");
    [&body, octets, tlvs].concat()
}

/// What stands behind sm_length in a submit_sm of the gateway, the message and its parameters, and its esm_class.
fn passed_on(pdu: &support::esme::Pdu) -> (u8, Vec<u8>, Vec<u8>) {
    let read = pdu.octets();
    match decode(&read).expect("what we send can be read").body {
        Body::SubmitSm(sm) => (sm.esm_class, sm.short_message.to_vec(), sm.tlvs.octets().to_vec()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn q34_an_error_needs_no_body() {
    let facts = facts();
    let without = facts["valid"].as_array().expect("a list").iter().filter(|vector| vector["body_present"] == false);
    let responses: Vec<Vec<u8>> = without.map(octets_of).filter(|octets| octets[4] & 0x80 != 0).collect();
    assert!(responses.len() > 10);
    for octets in responses {
        assert!(decode(&octets).is_ok(), "{octets:02X?}");
    }
    let mut road = Road::open("");
    let sequence = road.esme.submit(TO, "hello");
    let refused = road.carrier.submit();
    road.carrier.respond(&refused, 0x0B, b"");
    let id = road.esme.response_to(sequence).message_id();
    road.told(&id, "REJECTD");
    let next = road.sent(TO, "c2");
    road.carrier.report(&text("c2", "DELIVRD"));
    road.told(&next, "DELIVRD");
}

#[test]
fn q35_an_error_with_any_body_is_that_error() {
    rule_holds("R23");
    let mut road = Road::open("");
    for body in [&b"\0"[..], b"12345\0", b"12345", b"\0\xFF\xFF", b"\x1b\x00\x01"] {
        let sequence = road.esme.submit(TO, "hello");
        let refused = road.carrier.submit();
        road.carrier.respond(&refused, 0x45, body);
        let id = road.esme.response_to(sequence).message_id();
        road.told(&id, "REJECTD");
    }
    // A bind response of 17 octets.
    let octets = [&[0, 0, 0, 17, 0x80, 0, 0, 9, 0, 0, 0, 0x0D, 0, 0, 0, 1][..], b"\0"].concat();
    assert_eq!(decode(&octets).map(|pdu| pdu.status), Ok(CommandStatus::RBINDFAIL));
}

#[test]
fn q36_an_error_may_say_more_in_parameters() {
    let octets = valid("submit_sm_resp 5.0 error with TLVs");
    let Body::SubmitSmResp(resp) = decode(&octets).expect("a response").body else { panic!("a submit_sm_resp") };
    assert_eq!(resp.tlvs.get(Tag::NETWORK_ERROR_CODE), Some(&[3, 0, 1][..]));
    assert_eq!(resp.tlvs.get_text(Tag::ADDITIONAL_STATUS_INFO_TEXT), Some(&b"blocked by policy"[..]));
}

#[test]
fn q37_a_nul_may_be_missing_or_one_too_many() {
    for rule in ["R10", "R13", "R23"] {
        rule_holds(rule);
    }
    let mut road = Road::open("");
    for (given, id) in [(&b"c1"[..], "c1"), (b"c2\0\0", "c2")] {
        let sequence = road.esme.submit(TO, "hello");
        let taken = road.carrier.submit();
        road.carrier.respond(&taken, 0, given);
        let ours = road.esme.response_to(sequence).message_id();
        road.carrier.report(&text(id, "DELIVRD"));
        road.told(&ours, "DELIVRD");
    }
    let words = text("c3", "DELIVRD");
    let id = road.sent(TO, "c3");
    let padded = Deliver { text: words.as_bytes(), tlvs: b"\0", ..Deliver::default() };
    assert_eq!(road.carrier.deliver(&padded).status, 0);
    road.told(&id, "DELIVRD");
}

#[test]
fn q38_padding_costs_its_own_pdu_alone() {
    rule_holds("R9");
    let mut road = Road::open("");
    let padded = road.esme.request(SUBMIT_SM, &submit(0, b"hello", b"\x07\x07\x07"));
    let sound = road.esme.request(SUBMIT_SM, &submit(0, b"world", b""));
    assert_eq!(road.esme.response_to(padded).status, RINVOPTPARSTREAM);
    assert_eq!(passed_on(&road.carrier.take("c1")).1, b"world");
    assert_eq!(road.esme.response_to(sound).status, 0);
}

#[test]
fn q39_parameters_of_no_table_are_passed_on() {
    rule_holds("R14");
    let mut road = Road::open("");
    let unknown = [tlv(0x0428, b"7"), tlv(0x060D, b"network-1\0"), tlv(0x2FFF, b""), tlv(0x1400, b"1101\0")].concat();
    let sequence = road.esme.request(SUBMIT_SM, &submit(0, b"hello", &unknown));
    assert_eq!(passed_on(&road.carrier.take("c1")), (0, b"hello".to_vec(), unknown));
    assert_eq!(road.esme.response_to(sequence).status, 0);
}

#[test]
fn q40_unknown_values_keep_their_last_octet() {
    let mut road = Road::open("");
    for value in [&[0, 1][..], &[1, 0], &[0], &[0, 0, 0], b"text\0"] {
        let parameter = tlv(0x1999, value);
        road.esme.request(SUBMIT_SM, &submit(0, b"hello", &parameter));
        assert_eq!(passed_on(&road.carrier.take("c1")).2, parameter, "{value:?}");
    }
}

#[test]
fn q41_values_outside_the_tables_are_carried() {
    let mut octets = valid("submit_sm callback_num");
    let at = octets.windows(2).position(|window| window == [0x03, 0x81]).expect("the parameter") + 4;
    octets[at] = 0x71;
    let pdu = decode(&octets).expect("any digit mode");
    let mut again = Vec::new();
    encode(&pdu, &mut again);
    assert_eq!(again, octets);
    let address = Address { ton: 0x71, npi: 0xFE, addr: b"447700900123" };
    let body = Body::SubmitSm(SubmitSm { source: address, dest: address, data_coding: 0xCB, ..SubmitSm::default() });
    let mut odd = Vec::new();
    encode(&Pdu { status: CommandStatus::ROK, sequence: 1, body }, &mut odd);
    assert_eq!(decode(&odd).map(|pdu| pdu.body), Ok(body));
    let mut road = Road::open("");
    let parameter = tlv(0x0381, b"\x71\x01\x0114155550123");
    road.esme.request(SUBMIT_SM, &submit(0, b"hello", &parameter));
    assert_eq!(passed_on(&road.carrier.take("c1")).2, parameter);
}

#[test]
fn q42_message_state_is_a_field_here_and_a_parameter_there() {
    let octets = valid("query_sm_resp DELIVERED");
    let Body::QuerySmResp(Some(resp)) = decode(&octets).expect("a response").body else { panic!("with a body") };
    assert_eq!(resp.message_state, 2);
    let mut road = Road::open("");
    let id = road.sent(TO, "c1");
    let words = text("c1", "DELIVRD");
    let parameter = tlv(0x0427, &[5]);
    let receipt = Deliver { text: words.as_bytes(), tlvs: &parameter, ..Deliver::default() };
    assert_eq!(road.carrier.deliver(&receipt).status, 0);
    road.told(&id, "UNDELIV");
}

#[test]
fn q43_two_messages_in_one_are_refused() {
    rule_holds("R16");
    let mut road = Road::open("");
    let both = submit(0, b"hello", &tlv(0x0424, b"world"));
    let sequence = road.esme.request(SUBMIT_SM, &both);
    assert_eq!(road.esme.response_to(sequence).status, RINVMSGLEN);
    // And we never send both, however long it is.
    let sequence = road.esme.submit(TO, &"0123456789".repeat(40));
    for part in 0..3 {
        let (_, octets, tlvs) = passed_on(&road.carrier.take(&format!("p{part}")));
        assert!(!octets.is_empty() && tlvs.is_empty());
    }
    assert_eq!(road.esme.response_to(sequence).status, 0);
}

#[test]
fn q44_a_header_may_stand_in_the_payload() {
    let part = b"\x05\0\x03\x09\x02\x01hello";
    assert_eq!(split_udh(part).map(|(_, text)| text), Some(&b"hello"[..]));
    let mut road = Road::open("");
    let sequence = road.esme.request(SUBMIT_SM, &submit(UDHI, b"", &tlv(0x0424, part)));
    let (esm_class, octets, tlvs) = passed_on(&road.carrier.take("c1"));
    assert_eq!((esm_class & UDHI, octets.as_slice(), tlvs.len()), (UDHI, &part[..], 0));
    assert_eq!(road.esme.response_to(sequence).status, 0);
    let overrun = tlv(0x0424, b"\x09\0\x03\x09\x02\x01hi");
    let sequence = road.esme.request(SUBMIT_SM, &submit(UDHI, b"", &overrun));
    assert_ne!(road.esme.response_to(sequence).status, 0, "the header is looked at there as well");
}

#[test]
fn q45_nothing_is_a_message_too() {
    let octets = valid("deliver_sm MO empty");
    let Body::DeliverSm(sm) = decode(&octets).expect("a deliver_sm").body else { panic!("a deliver_sm") };
    assert!(sm.short_message.is_empty() && sm.tlvs.is_empty());
    let mut road = Road::open("");
    let sequence = road.esme.request(SUBMIT_SM, &submit(0, b"", b""));
    assert_eq!(passed_on(&road.carrier.take("c1")), (0, Vec::new(), Vec::new()));
    let id = road.esme.response_to(sequence).message_id();
    road.carrier.report(&text("c1", "DELIVRD"));
    road.told(&id, "DELIVRD");
}

#[test]
fn q46_a_nul_in_a_message_is_an_at_sign() {
    let mut road = Road::open("");
    for octets in [&b"\0"[..], b"me\0example.org", b"\0\0\0", b"end\0"] {
        let sequence = road.esme.request(SUBMIT_SM, &submit(0, octets, b""));
        assert_eq!(passed_on(&road.carrier.take("c1")).1, octets);
        assert_eq!(road.esme.response_to(sequence).status, 0);
    }
}

#[test]
fn q47_a_deliver_sm_resp_has_an_empty_id_and_may_have_any() {
    let mut road = Road::open("");
    let id = road.sent(TO, "c1");
    let words = text("c1", "DELIVRD");
    let response = road.carrier.deliver(&Deliver { text: words.as_bytes(), ..Deliver::default() });
    assert_eq!((response.octets().len(), response.body.as_slice()), (17, &b"\0"[..]));
    // The platform answers ours with an id of its own, and is not told again.
    let Next::Pdu(told) = road.esme.next() else { panic!("a receipt") };
    assert!(told.short_message().starts_with(&format!("id:{id} ")));
    let command = DELIVER_SM | RESPONSE;
    road.esme.send(&support::esme::Pdu {
        command,
        status: 0,
        sequence: told.sequence,
        body: b"an-id-of-mine\0".to_vec(),
    });
    road.silent();
    road.esme = Esme::riverside(road.daemon.smpp);
    road.silent();
}

#[test]
fn q48_a_generic_nack_answers_the_request_of_its_number() {
    let mut road = Road::open("");
    let sequence = road.esme.submit(TO, "hello");
    let submit = road.carrier.submit();
    let nack = support::esme::Pdu { command: GENERIC_NACK, status: 3, sequence: submit.sequence, body: Vec::new() };
    road.carrier.link.send(&nack);
    let id = road.esme.response_to(sequence).message_id();
    road.told(&id, "REJECTD");
    road.sent(TO, "c2");

    let now = Duration::from_secs(1);
    let mut out = Vec::new();
    let mut session = Session::esme(SessionConfig::default(), now);
    session.bind(now, BindKind::Transceiver, Default::default(), &mut out);
    let ok = CommandStatus::ROK;
    let bound = Pdu { status: ok, sequence: 1, body: Body::BindTransceiverResp(Default::default()) };
    assert!(matches!(session.handle_pdu(now, bound, &mut out), Event::Bound { .. }));
    let query = QuerySm { message_id: b"1", source: Address::default() };
    let sequence = session.submit(now, &Body::QuerySm(query), 7, &mut out).expect("a free window");
    let nack = |sequence| Pdu { status: CommandStatus::RINVCMDID, sequence, body: Body::GenericNack };
    let answered = session.handle_pdu(now, nack(sequence), &mut out);
    assert_eq!(answered, Event::Response { token: 7, status: CommandStatus::RINVCMDID, body: Body::GenericNack });
    for _ in 1..SessionConfig::default().unmatched_nacks_max {
        assert_eq!(session.handle_pdu(now, nack(0), &mut out), Event::None);
    }
    assert_eq!(session.handle_pdu(now, nack(0), &mut out), Event::Closed(CloseReason::OutOfStep));
}

#[test]
fn q49_another_protocol_is_told_so_once_and_closed() {
    for rule in ["R1", "R2"] {
        rule_holds(rule);
    }
    let road = Road::open("");
    let openings: [&[u8]; 4] = [b"GET / HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n", &[0; 16], &[0xFF; 64]];
    for octets in openings {
        let mut peer = Esme::connect(road.daemon.smpp);
        peer.write(octets);
        let Next::Pdu(answer) = peer.next() else { panic!("it is told") };
        assert!(answer.refuses_the_length() && answer.sequence == 0, "{answer:?}");
        assert_eq!(peer.next(), Next::Closed, "once");
    }
    let lines = || road.daemon.log().matches("not SMPP").count();
    eventually("it is in the log", || (lines() > 0).then_some(()));
    assert_eq!(lines(), 1, "one line for the address: {}", road.daemon.log());
}

#[test]
fn q50_the_cut_of_the_stream_changes_nothing() {
    let mut road = Road::open("window = 1000");
    let mut octets = Vec::new();
    for (sequence, command, body) in
        [(900, ENQUIRE_LINK, Vec::new()), (901, SUBMIT_SM, submit(0, b"hello", b"")), (902, ENQUIRE_LINK, Vec::new())]
    {
        octets.extend(support::esme::Pdu { command, status: 0, sequence, body }.octets());
    }
    for cut in 0..octets.len() {
        let (first, second) = octets.split_at(cut);
        road.esme.write(first);
        road.esme.write(second);
        road.carrier.take(&format!("c{cut}"));
        let mut answers: Vec<(u32, u32, u32)> = (0..3)
            .map(|_| match road.esme.next() {
                Next::Pdu(pdu) => (pdu.sequence, pdu.command, pdu.status),
                Next::Closed => panic!("closed at cut {cut}"),
            })
            .collect();
        answers.sort_unstable();
        let wanted =
            [(900, ENQUIRE_LINK | RESPONSE, 0), (901, SUBMIT_SM | RESPONSE, 0), (902, ENQUIRE_LINK | RESPONSE, 0)];
        assert_eq!(answers, wanted, "cut at {cut}");
    }
    octets.iter().for_each(|octet| road.esme.write(&[*octet]));
    road.carrier.take("one by one");
    assert_eq!(road.esme.response_to(901).status, 0);
}
