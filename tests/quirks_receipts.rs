//! Peers' oddities by their numbers: which message a receipt is about (Q01 to Q09), and whose business it is.

mod support;

use std::collections::BTreeMap;

use sluice::smpp::receipt::Receipt;
use sluice::smpp::tlv::Tlvs;
use support::esme::{BIND_TRANSMITTER, DELIVER_SM};
use support::eventually;
use support::hand::{Deliver, Road, TO, text, tlv};

const OTHER: &str = "447700900999";

fn rows() -> Vec<BTreeMap<String, String>> {
    let table = include_str!("data/facts/dlr_receipt_formats.csv");
    csv::Reader::from_reader(table.as_bytes()).deserialize().map(|row| row.expect("a row")).collect()
}

#[test]
fn q01_a_receipt_that_comes_before_the_response_waits_for_it() {
    let mut road = Road::open("");
    let sequence = road.esme.submit(TO, "hello");
    let submit = road.carrier.submit();
    let id = road.esme.response_to(sequence).message_id();
    // Answered at once, although the id means nothing yet.
    road.carrier.report(&text("c1", "DELIVRD"));
    road.carrier.respond(&submit, 0, b"c1\0");
    road.told(&id, "DELIVRD");
    road.silent();
    assert_eq!(road.state(&id), "delivered");
}

#[test]
fn q02_an_id_in_another_base_finds_its_message_and_no_other_number() {
    let mut road = Road::open("");
    // Response and receipt, from the notes of the rows about bases.
    let pairs = [("5a3f9c01", "1514118145"), ("998121924", "3b7e21c4"), ("3b7e21c5", "0998121925")];
    for row in rows().iter().filter(|row| ["46", "47"].contains(&row["id"].as_str())) {
        let sample: String = serde_json::from_str(&row["sample_json"]).expect("a JSON string");
        let id = Receipt::parse(sample.as_bytes(), Tlvs::NONE).id.expect("an id").to_vec();
        assert!(pairs.iter().any(|(_, receipt)| receipt.as_bytes() == id), "{sample}");
    }
    for (given, reported) in pairs {
        let id = road.sent(TO, given);
        let foreign = text(reported, "UNDELIV");
        let foreign = Deliver { from: (1, 1, OTHER), text: foreign.as_bytes(), ..Deliver::default() };
        assert_eq!(road.carrier.deliver(&foreign).status, 0, "it is kept, not refused");
        assert_eq!(road.state(&id), "enroute", "{reported} of another number is a guess");
        road.carrier.report(&text(reported, "DELIVRD"));
        road.told(&id, "DELIVRD");
    }
}

#[test]
fn q03_leading_zeros_make_no_other_id() {
    let mut road = Road::open("");
    for (given, reported) in [("023", "23"), ("24", "0024"), ("39", "0000000057")] {
        let id = road.sent(TO, given);
        road.carrier.report(&text(reported, "DELIVRD"));
        road.told(&id, "DELIVRD");
    }
}

#[test]
fn q04_the_case_of_an_id_does_not_matter_unless_both_are_out() {
    let mut road = Road::open("");
    let id = road.sent(TO, "5a3f9c01");
    road.carrier.report(&text("5A3F9C01", "DELIVRD"));
    road.told(&id, "DELIVRD");
    let (small, capital) = (road.sent(TO, "xab12"), road.sent(TO, "XAB12"));
    road.carrier.report(&text("XAB12", "UNDELIV"));
    road.told(&capital, "UNDELIV");
    assert_eq!(road.state(&small), "enroute", "they never merge");
    road.carrier.report(&text("xab12", "DELIVRD"));
    road.told(&small, "DELIVRD");
}

#[test]
fn q05_a_receipt_may_come_on_another_bind_also_after_the_first_is_gone() {
    let mut road = Road::open("bind = \"transmitter+receiver\"\nbinds = 1");
    // The first connection that was accepted is one of the pair; the other comes now.
    let mut second = road.exchange.accept();
    let sequence = road.esme.submit(TO, "hello");
    let id = road.esme.response_to(sequence).message_id();
    let (mut transmitter, receiver) = if road.carrier.bound_as == BIND_TRANSMITTER {
        (road.carrier, &mut second)
    } else {
        (second, &mut road.carrier)
    };
    transmitter.take("c1");
    eventually("the response is read", || {
        let answer = support::http::get(road.daemon.http, &format!("/v1/messages/{id}"), Some("riverside-key"));
        (answer.body["state"] == "enroute").then_some(())
    });
    drop(transmitter);
    receiver.report(&text("c1", "DELIVRD"));
    let receipt = road.esme.receipt();
    assert!(receipt.starts_with(&format!("id:{id} ")) && receipt.contains("stat:DELIVRD"), "{receipt}");
}

#[test]
fn q06_an_id_used_again_means_the_newest_message() {
    let mut road = Road::open("");
    let first = road.sent(TO, "9");
    road.carrier.report(&text("9", "DELIVRD"));
    road.told(&first, "DELIVRD");
    let second = road.sent(TO, "9");
    road.carrier.report(&text("9", "UNDELIV"));
    road.told(&second, "UNDELIV");
    assert_eq!((road.state(&first), road.state(&second)), ("delivered".to_owned(), "undeliverable".to_owned()));
    road.silent();
}

#[test]
fn q07_the_parameter_names_the_message_before_the_text_does() {
    let mut road = Road::open("");
    let (by_tlv, by_text) = (road.sent(TO, "a1"), road.sent(TO, "b2"));
    let words = text("b2", "DELIVRD");
    let parameter = tlv(0x001E, b"a1\0");
    let both = Deliver { text: words.as_bytes(), tlvs: &parameter, ..Deliver::default() };
    assert_eq!(road.carrier.deliver(&both).status, 0);
    road.told(&by_tlv, "DELIVRD");
    assert_eq!(road.state(&by_text), "enroute");
    // The text's id is the way out where the parameter's means nothing, and the only one where there is none.
    let unknown = tlv(0x001E, b"zz\0");
    assert_eq!(road.carrier.deliver(&Deliver { tlvs: &unknown, ..both }).status, 0);
    road.told(&by_text, "DELIVRD");
    for row in rows().iter().filter(|row| row["tlvs"].contains("receipted_message_id")) {
        let id = row["exp_id"].clone();
        let ours = road.sent(TO, &id);
        let state = row["exp_message_state"].parse::<u8>().expect("a state");
        let parameters = [tlv(0x001E, format!("{id}\0").as_bytes()), tlv(0x0427, &[state])].concat();
        let sample: String = serde_json::from_str(&row["sample_json"]).expect("a JSON string");
        let receipt = Deliver { text: sample.as_bytes(), tlvs: &parameters, ..Deliver::default() };
        assert_eq!(road.carrier.deliver(&receipt).status, 0);
        road.told(&ours, if state == 2 { "DELIVRD" } else { "UNDELIV" });
    }
}

#[test]
fn q08_a_receipt_without_any_id_is_of_the_only_message_to_its_number() {
    let mut road = Road::open("");
    let only = road.sent(TO, "");
    let other = road.sent(OTHER, "");
    road.carrier.report("stat:DELIVRD");
    road.told(&only, "DELIVRD");
    assert_eq!(road.state(&other), "enroute");
    let (first, second) = (road.sent(TO, ""), road.sent(TO, ""));
    road.carrier.report("stat:DELIVRD");
    road.silent();
    assert_eq!((road.state(&first), road.state(&second)), ("enroute".to_owned(), "enroute".to_owned()));
}

#[test]
fn q09_a_message_taken_without_an_id_is_taken() {
    let mut road = Road::open("");
    for body in [&b"\0"[..], b""] {
        let sequence = road.esme.submit(TO, "hello");
        let submit = road.carrier.submit();
        road.carrier.respond(&submit, 0, body);
        let id = road.esme.response_to(sequence).message_id();
        eventually("the response is read", || (road.state(&id) == "enroute").then_some(()));
        road.carrier.report("stat:DELIVRD");
        road.told(&id, "DELIVRD");
    }
    assert_eq!(road.daemon.log().matches("gives no message_id").count(), 1, "{}", road.daemon.log());
}

#[test]
fn q30_addresses_are_swapped_for_tenants_and_may_be_either_way_round_at_carriers() {
    let mut road = Road::open("");
    for (number, swapped) in [("c1", true), ("c2", false)] {
        let id = road.sent(TO, number);
        let words = text(number, "DELIVRD");
        let receipt = Deliver { text: words.as_bytes(), ..Deliver::default() };
        let (from, to) = if swapped { (receipt.from, receipt.to) } else { (receipt.to, receipt.from) };
        assert_eq!(road.carrier.deliver(&Deliver { from, to, ..receipt }).status, 0);
        let told = road.esme.deliver_sm();
        assert_eq!(told.command, DELIVER_SM);
        assert!(told.short_message().starts_with(&format!("id:{id} ")));
        // From the number that the message went to, to the name that it came from, types and plans included.
        let head = [&b"\0\x01\x01447700900123\0\x05\0Riverside\0\x04"[..]].concat();
        assert_eq!(told.body[..head.len()], head, "{told:?}");
    }
}

#[test]
fn q33_a_message_that_was_put_off_is_followed_when_it_is_taken() {
    const THROTTLED: u32 = 0x58;
    let mut road = Road::open("");
    let sequence = road.esme.submit(TO, "hello");
    for _ in 0..2 {
        let submit = road.carrier.submit();
        road.carrier.respond(&submit, THROTTLED, b"");
    }
    road.carrier.take("c3");
    let id = road.esme.response_to(sequence).message_id();
    road.carrier.report(&text("c3", "DELIVRD"));
    road.told(&id, "DELIVRD");
}
