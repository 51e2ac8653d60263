//! Every valid vector decodes to its fields and encodes back to its octets; every malformed one has its outcome.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use sluice::smpp::calendar::Civil;
use sluice::smpp::decode::decode;
use sluice::smpp::encode::encode;
use sluice::smpp::frame::{PDU_OCTETS_MAX_DEFAULT, frame};
use sluice::smpp::pdu::{Body, Pdu};
use sluice::smpp::session::{CloseReason, Session, TimeoutEvent};
use sluice::smpp::status::CommandStatus;
use sluice::smpp::tlv::{Tlv, Tlvs};
use sluice::smpp::validate::{validate_data, validate_replace, validate_submit, validate_submit_multi};
use sluice::tools::inspect::fields::{self, Fields};
use sluice::tools::inspect::outcome::{Place, outcome};

/// The present of the vectors, 2026-11-21 12:00 in UTC.
fn now_micros() -> u64 {
    Civil { year: 2026, month: 11, day: 21, hour: 12, minute: 0, second: 0 }.micros()
}

fn facts() -> Value {
    serde_json::from_str(include_str!("data/facts/pdu_vectors.json")).expect("the facts are JSON")
}

fn octets_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")).collect()
}

fn number_of(value: &Value) -> u64 {
    let digits = value.as_str().expect("a number is written as text");
    u64::from_str_radix(digits.trim_start_matches("0x"), 16).expect("hexadecimal")
}

fn decoded<'a>(octets: &'a [u8], name: &str) -> Pdu<'a> {
    let whole = frame(octets, PDU_OCTETS_MAX_DEFAULT).expect("a sound length");
    assert_eq!(whole, Some(octets.len()), "{name}: the frame is the vector");
    decode(octets).unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

fn assert_tlvs(name: &str, found: Tlvs<'_>, wanted: &[Value]) {
    let found: Vec<Tlv<'_>> = found.iter().collect();
    assert_eq!(found.len(), wanted.len(), "{name}: TLVs {found:?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert_eq!(u64::from(found.tag.0), number_of(&wanted["tag"]), "{name}: tags in wire order");
        assert_eq!(found.tag.name(), wanted["name"].as_str(), "{name}: names of tags");
        let value = &wanted["value"];
        if let Some(number) = value.as_u64() {
            let read = found.value.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet));
            assert_eq!(read, number, "{name}: {}", found.tag);
        } else if let Some(text) = value.as_str() {
            let mut with_nul = text.as_bytes().to_vec();
            with_nul.push(0);
            assert_eq!(found.value, with_nul, "{name}: {}", found.tag);
        } else {
            assert_eq!(found.value, octets_of(value["hex"].as_str().expect("hex")), "{name}: {}", found.tag);
        }
    }
}

#[test]
fn valid_vectors_decode_to_their_fields() {
    let facts = facts();
    let mut commands = BTreeMap::new();
    for vector in facts["valid"].as_array().expect("a list") {
        let name = vector["name"].as_str().expect("a name");
        let octets = octets_of(vector["hex"].as_str().expect("hex"));
        let pdu = decoded(&octets, name);
        assert_eq!(pdu.body.command().name(), vector["command"].as_str(), "{name}");
        assert_eq!(u64::from(pdu.body.command().0), number_of(&vector["command_id"]), "{name}");
        assert_eq!(u64::from(pdu.status.0), number_of(&vector["command_status"]), "{name}");
        assert_eq!(Some(u64::from(pdu.sequence)), vector["sequence_number"].as_u64(), "{name}");
        let found = serde_json::to_value(Fields(&pdu.body)).expect("fields are JSON");
        assert_eq!(&found, &vector["fields"], "{name}");
        assert_tlvs(name, fields::tlvs(&pdu.body), vector["tlvs"].as_array().expect("a list"));
        *commands.entry(pdu.body.command()).or_insert(0) += 1;
    }
    assert!(commands.len() >= 30, "the vectors cover the commands: {commands:?}");
}

#[test]
fn valid_vectors_encode_back_to_their_octets() {
    let facts = facts();
    let mut out = vec![0xEE; 3];
    for vector in facts["valid"].as_array().expect("a list") {
        let name = vector["name"].as_str().expect("a name");
        let octets = octets_of(vector["hex"].as_str().expect("hex"));
        out.truncate(3);
        encode(&decoded(&octets, name), &mut out);
        assert_eq!(out[..3], [0xEE; 3], "{name}: what stood in the buffer stays");
        assert_eq!(out[3..], octets, "{name}");
    }
}

#[test]
fn valid_requests_are_not_refused() {
    let facts = facts();
    let mut checked = 0;
    for vector in facts["valid"].as_array().expect("a list") {
        let name = vector["name"].as_str().expect("a name");
        let octets = octets_of(vector["hex"].as_str().expect("hex"));
        let verdict = match decoded(&octets, name).body {
            Body::SubmitSm(message) => validate_submit(&message, now_micros()).map(|_| ()),
            Body::SubmitMulti(message) => validate_submit_multi(&message, now_micros()).map(|_| ()),
            Body::DataSm(message) => validate_data(&message),
            Body::ReplaceSm(message) => validate_replace(&message, now_micros()).map(|_| ()),
            _ => continue,
        };
        assert_eq!(verdict, Ok(()), "{name}");
        checked += 1;
    }
    assert!(checked > 60, "{checked}");
}

/// Outcomes that differ from the first one expected and are among those that the vectors also accept.
const ALSO_ACCEPTED: &[(&str, &str)] = &[
    // The octet behind the one destination is read as the next dest_flag, and 0 is no dest_flag: that the body is too
    // short cannot be known before.
    ("submit_multi number_of_dests 3 with 1 present", "submit_multi_resp 0x00000040"),
];

#[test]
fn malformed_vectors_have_their_outcome() {
    let facts = facts();
    let mut also_accepted = Vec::new();
    for vector in facts["malformed"].as_array().expect("a list") {
        let name = vector["name"].as_str().expect("a name");
        let octets = octets_of(vector["hex"].as_str().expect("hex"));
        let text = |key: &str| vector[key].as_str().expect("text");
        let place = Place::of(text("role"), text("state"), &octets).expect("a role and a state");
        let (found, mut session) = outcome(place, &octets, now_micros());
        if found.session == "keep" {
            assert_in_step(name, &mut session);
        }
        let as_told = serde_json::to_value(&found).expect("an outcome is JSON");
        if as_told == vector["expect"] {
            continue;
        }
        let reply = format!("{} {}", found.reply, found.command_status);
        let listed = vector["also_accepted"].as_array().expect("a list").iter().any(|other| other == &reply);
        assert!(listed, "{name}: {found:?}, wanted {}", vector["expect"]);
        for key in ["action", "sequence_number", "session"] {
            assert_eq!(as_told[key], vector["expect"][key], "{name}");
        }
        also_accepted.push((name.to_owned(), reply));
    }
    let listed: Vec<_> = ALSO_ACCEPTED.iter().map(|(name, reply)| (name.to_string(), reply.to_string())).collect();
    assert_eq!(also_accepted, listed);
}

/// Whatever the octets were, the next PDU is read and answered.
fn assert_in_step(name: &str, session: &mut Session) {
    let probe = Pdu { status: CommandStatus::ROK, sequence: 4_711, body: Body::EnquireLink };
    let mut out = Vec::new();
    session.handle_pdu(Duration::from_secs(2_000), probe, &mut out);
    let reply = decode(&out).expect("an answer");
    assert_eq!((reply.sequence, reply.body), (4_711, Body::EnquireLinkResp), "{name}");
}

/// A stream that ends inside a PDU is not answered, and the timers end the session.
#[test]
fn half_a_pdu_is_waited_for_and_then_the_session_ends() {
    let half = octets_of("0000003f00000004");
    let place = Place::of("MC", "BOUND_TRX", &half).expect("a role and a state");
    let (found, mut session) = outcome(place, &half, now_micros());
    assert_eq!((found.action, found.session), ("wait", "close"));
    let mut out = Vec::new();
    let mut closed = None;
    while let Some(at) = session.poll_timeout() {
        while let Some(event) = session.handle_timeout(at, &mut out) {
            if let TimeoutEvent::Closed(reason) = event {
                closed = Some(reason);
            }
        }
    }
    assert_eq!(closed, Some(CloseReason::Dead));
}
