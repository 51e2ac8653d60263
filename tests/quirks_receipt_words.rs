//! Peers' oddities by their numbers: what receipts say, in which form and how often (Q10 to Q29).

mod support;

use std::collections::BTreeMap;

use sluice::carrier::notice::{Delivery, Reading};
use sluice::fact::Notice;
use sluice::message::Timestamp;
use sluice::seal::{Keyring, MasterKey};
use sluice::smpp::calendar::Civil;
use sluice::smpp::fields::MessageType;
use sluice::smpp::pdu::SubmitSm;
use sluice::smpp::receipt::{NetworkError, Receipt, is_receipt};
use sluice::smpp::tlv::Tlvs;
use support::esme::{Esme, RESPONSE, SUBMIT_SM, submit_body};
use support::hand::{Deliver, Road, TO, text, tlv};
use support::smsc::{Answer, Smsc, receipt};
use support::{Daemon, eventually, http, settings};

const DATA_SM: u32 = 0x103;

fn rows() -> Vec<BTreeMap<String, String>> {
    let table = include_str!("data/facts/dlr_receipt_formats.csv");
    csv::Reader::from_reader(table.as_bytes()).deserialize().map(|row| row.expect("a row")).collect()
}

/// The octets of a row's receipt.
fn sample(row: &BTreeMap<String, String>) -> Vec<u8> {
    let sample: String = serde_json::from_str(&row["sample_json"]).expect("a JSON string");
    sample.chars().map(|c| u8::try_from(u32::from(c)).expect("an octet")).collect()
}

/// A submit_sm to the usual number that asks for receipts in this way.
fn registered(registered: u8) -> Vec<u8> {
    let mut body = submit_body(TO, "hello");
    body[21 + TO.len()] = registered;
    body
}

#[test]
fn q10_every_vendors_text_is_taken_and_breaks_nothing() {
    let mut road = Road::open("");
    for row in rows() {
        let receipt = Deliver { text: &sample(&row), ..Deliver::default() };
        assert_eq!(road.carrier.deliver(&receipt).status, 0, "{}", row["variant"]);
    }
    // All those were about messages of others; one of ours is found as before, whatever is around its fields.
    let id = road.sent(TO, "c1");
    road.carrier.report("stat : DELIVRD;  ERR: 000, vendor:x Id: c1|text:id:99");
    road.told(&id, "DELIVRD");
    road.silent();
}

#[test]
fn q11_a_receipt_without_its_mark_is_told_by_its_parameter_or_where_it_may_be_by_its_text() {
    const TRY_LATER: u32 = 0x64;
    fn unmarked(words: &[u8]) -> Deliver<'_> {
        Deliver { esm_class: 0, text: words, ..Deliver::default() }
    }
    let known = unmarked(b"id:c1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:");
    for allowed in [false, true] {
        let mut road = Road::open(&format!("receipts_unmarked = {allowed}"));
        let first = road.sent(TO, "c1");
        let second = road.sent(TO, "c2");
        let parameters = [tlv(0x001E, b"c2\0"), tlv(0x0427, &[2])].concat();
        let by_parameter = Deliver { tlvs: &parameters, ..unmarked(b"") };
        assert_eq!(road.carrier.deliver(&by_parameter).status, 0);
        road.told(&second, "DELIVRD");
        // A person's words, and a receipt of nothing of ours: inbound messages, which the carrier keeps for now.
        for words in [&b"id:my stat:is good"[..], b"id:zz stat:DELIVRD err:000", b"hello"] {
            assert_eq!(road.carrier.deliver(&unmarked(words)).status, TRY_LATER);
        }
        assert_eq!(road.carrier.deliver(&known).status, if allowed { 0 } else { TRY_LATER });
        if allowed {
            road.told(&first, "DELIVRD");
        }
        assert_eq!(road.state(&first), if allowed { "delivered" } else { "enroute" });
    }
}

#[test]
fn q12_only_the_bits_of_the_message_type_are_looked_at() {
    let types = [(0x04, MessageType::Receipt), (0x44, MessageType::Receipt), (0x84, MessageType::Receipt)];
    for (esm_class, wanted) in types {
        assert_eq!((MessageType::of(esm_class), is_receipt(esm_class, &Tlvs::NONE)), (wanted, true));
    }
    assert_eq!(MessageType::of(0x20), MessageType::Intermediate);
    for (esm_class, receipt) in
        [(0x24, false), (0x08, false), (0x10, false), (0x18, false), (0x20, true), (0x40, false)]
    {
        assert_eq!(is_receipt(esm_class, &Tlvs::NONE), receipt, "0x{esm_class:02X}");
    }
    let mut road = Road::open("");
    let id = road.sent(TO, "c1");
    let words = text("c1", "DELIVRD");
    let with_reply_path = Deliver { esm_class: 0x84, text: words.as_bytes(), ..Deliver::default() };
    assert_eq!(road.carrier.deliver(&with_reply_path).status, 0);
    road.told(&id, "DELIVRD");
}

#[test]
fn q13_a_step_on_the_way_ends_nothing_and_loses_nothing() {
    let mut road = Road::open("");
    let id = road.sent(TO, "c1");
    for stat in ["ACCEPTD", "ENROUTE", "BADSTAT"] {
        road.carrier.report(&text("c1", stat));
        assert_eq!(road.state(&id), "enroute", "{stat}");
    }
    road.carrier.report(&text("c1", "DELIVRD"));
    road.told(&id, "DELIVRD");
    road.silent();
}

#[test]
fn q14_a_step_after_the_end_changes_nothing() {
    let mut road = Road::open("");
    let id = road.sent(TO, "c1");
    for stat in ["DELIVRD", "ENROUTE"] {
        road.carrier.report(&text("c1", stat));
    }
    road.told(&id, "DELIVRD");
    road.silent();
    assert_eq!(road.state(&id), "delivered");
}

#[test]
fn q15_the_first_of_two_ends_counts() {
    let mut road = Road::open("");
    let id = road.sent(TO, "c1");
    for stat in ["UNDELIV", "DELIVRD"] {
        road.carrier.report(&text("c1", stat));
    }
    road.told(&id, "UNDELIV");
    road.silent();
    assert_eq!(road.state(&id), "undeliverable");
}

#[test]
fn q15_a_success_may_follow_a_failure_where_the_carrier_is_known_for_it() {
    let mut road = Road::open("delivered_wins = true");
    let (id, other) = (road.sent(TO, "c1"), road.sent(TO, "c2"));
    for stat in ["UNDELIV", "DELIVRD"] {
        road.carrier.report(&text("c1", stat));
    }
    road.told(&id, "DELIVRD");
    road.carrier.report(&text("c2", "UNDELIV"));
    assert_eq!(road.state(&other), "enroute", "it waits");
    // It is durable while it waits: a crash does not lose it, and the success still comes first.
    road.daemon.restart();
    road.carrier = road.exchange.accept();
    road.esme = Esme::riverside(road.daemon.smpp);
    assert_eq!(road.state(&other), "enroute");
    road.carrier.report(&text("c2", "DELIVRD"));
    eventually("the success counts", || (road.state(&other) == "delivered").then_some(()));
}

#[test]
fn q16_a_repeated_receipt_is_answered_each_time_and_told_once() {
    let mut road = Road::open("");
    let id = road.sent(TO, "c1");
    for _ in 0..5 {
        road.carrier.report(&text("c1", "DELIVRD"));
    }
    road.told(&id, "DELIVRD");
    road.silent();
}

#[test]
fn q17_what_was_not_stored_was_not_answered_and_comes_again() {
    const MESSAGES: usize = 20;
    let smsc = Smsc::start(|submit| Answer::Take(format!("c{:03}", submit.number), Vec::new()));
    let mut daemon = Daemon::start(&settings::one_carrier(smsc.address, ""));
    let mut esme = Esme::riverside(daemon.smpp);
    let sequences: Vec<u32> = (0..MESSAGES).map(|_| esme.submit(TO, "hello")).collect();
    let ids: Vec<String> =
        sequences.iter().map(|sequence| esme.response_in_any_order(*sequence).message_id()).collect();
    drop(esme);
    let state = |daemon: &Daemon, id: &str| {
        http::get(daemon.http, &format!("/v1/messages/{id}"), Some("riverside-key")).body["state"].clone()
    };
    eventually("all are taken", || ids.iter().all(|id| state(&daemon, id) == "enroute").then_some(()));
    for submit in smsc.submits() {
        smsc.report(&submit, &receipt(&format!("c{:03}", submit.number), "DELIVRD"));
    }
    daemon.kill9();
    daemon.restart();
    eventually("none is lost", || ids.iter().all(|id| state(&daemon, id) == "delivered").then_some(()));
    let mut esme = Esme::riverside(daemon.smpp);
    let mut told: Vec<String> =
        (0..MESSAGES).map(|_| esme.receipt().split([':', ' ']).nth(1).expect("an id").to_owned()).collect();
    told.sort();
    let mut wanted = ids;
    wanted.sort();
    assert_eq!(told, wanted, "each once");
    assert!(smsc.delivered().iter().all(|status| *status == 0));
}

#[test]
fn q18_receipts_that_were_not_asked_for_are_noted_and_not_passed_on() {
    let mut road = Road::open("");
    let sequence = road.esme.request(SUBMIT_SM, &registered(0));
    road.carrier.take("c1");
    let id = road.esme.response_to(sequence).message_id();
    road.carrier.report(&text("c1", "DELIVRD"));
    assert_eq!(road.state(&id), "delivered");
    road.silent();
}

#[test]
fn q19_nothing_is_reported_of_what_was_refused_or_never_known() {
    let mut road = Road::open("");
    let sequence = road.esme.submit("12", "hello");
    let refused = road.esme.response_to(sequence);
    assert_eq!((refused.command, refused.status), (SUBMIT_SM | RESPONSE, 0x0B));
    road.carrier.report(&text("never-given", "DELIVRD"));
    road.silent();
}

#[test]
fn q20_registered_delivery_is_honoured() {
    let ends = ["DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "REJECTD", "ACCEPTD"];
    let mut road = Road::open("");
    let mut number = 0;
    for asked in 0..4 {
        for stat in ends {
            number += 1;
            let sequence = road.esme.request(SUBMIT_SM, &registered(asked));
            road.carrier.take(&format!("c{number}"));
            let id = road.esme.response_to(sequence).message_id();
            road.carrier.report(&text(&format!("c{number}"), stat));
            let wanted = match (asked, stat) {
                (0, _) | (_, "ACCEPTD") => false,
                (1, _) => true,
                (2, stat) => stat != "DELIVRD",
                (_, stat) => stat == "DELIVRD",
            };
            if wanted {
                road.told(&id, stat);
            }
            road.silent();
        }
    }
}

#[test]
fn q21_a_long_message_is_as_its_parts_are() {
    let long = "0123456789".repeat(40);
    // Which parts are reported, how, and what becomes of the message.
    let cases: [(&[(usize, &str)], &str); 4] = [
        (&[(1, "DELIVRD")], "enroute"),
        (&[(3, "DELIVRD")], "enroute"),
        (&[(1, "DELIVRD"), (2, "DELIVRD"), (3, "DELIVRD")], "delivered"),
        (&[(3, "DELIVRD"), (1, "UNDELIV"), (2, "DELIVRD")], "undeliverable"),
    ];
    let mut road = Road::open("");
    for (case, (reports, wanted)) in cases.iter().enumerate() {
        let sequence = road.esme.submit(TO, &long);
        (1..=3).for_each(|part| drop(road.carrier.take(&format!("m{case}p{part}"))));
        let id = road.esme.response_to(sequence).message_id();
        for (part, stat) in *reports {
            road.carrier.report(&text(&format!("m{case}p{part}"), stat));
        }
        match *wanted {
            "delivered" => road.told(&id, "DELIVRD"),
            "undeliverable" => road.told(&id, "UNDELIV"),
            _ => {}
        }
        road.silent();
        assert_eq!(road.state(&id), *wanted, "{reports:?}");
    }
}

#[test]
fn q21_a_tenant_may_want_a_receipt_of_each_part() {
    let mut road = Road::with("", "receipts = \"part\"");
    let sequence = road.esme.submit(TO, &"0123456789".repeat(40));
    (1..=3).for_each(|part| drop(road.carrier.take(&format!("p{part}"))));
    let id = road.esme.response_to(sequence).message_id();
    for (part, stat) in [(1, "DELIVRD"), (2, "UNDELIV"), (3, "DELIVRD")] {
        road.carrier.report(&text(&format!("p{part}"), stat));
    }
    for stat in ["DELIVRD", "UNDELIV", "DELIVRD"] {
        road.told(&id, stat);
    }
    road.silent();
}

#[test]
fn q23_a_receipt_may_come_as_data_sm() {
    let mut road = Road::open("");
    let id = road.sent(TO, "c1");
    let parameters = [tlv(0x001E, b"c1\0"), tlv(0x0427, &[2])].concat();
    let body = [&b"\0\x01\x01447700900123\0\x05\0Riverside\0\x04\0\0"[..], &parameters].concat();
    let sequence = road.carrier.link.request(DATA_SM, &body);
    let response = road.carrier.link.response_to(sequence);
    assert_eq!((response.command, response.status), (DATA_SM | RESPONSE, 0));
    road.told(&id, "DELIVRD");
}

#[test]
fn q24_the_text_of_a_receipt_may_be_in_the_payload() {
    let mut road = Road::open("");
    let id = road.sent(TO, "c1");
    let payload = tlv(0x0424, text("c1", "UNDELIV").as_bytes());
    assert_eq!(road.carrier.deliver(&Deliver { tlvs: &payload, ..Deliver::default() }).status, 0);
    road.told(&id, "UNDELIV");
}

#[test]
fn q25_dates_have_ten_twelve_or_fourteen_digits_or_are_dropped() {
    let second = |second| Some(Civil { year: 2026, month: 11, day: 21, hour: 12, minute: 1, second }.micros());
    for (digits, wanted) in [
        ("2611211201", second(0)),
        ("261121120107", second(7)),
        ("20261121120107", second(7)),
        ("2613451299", None),
        ("0000000000", None),
    ] {
        let words = format!("id:c1 submit date:{digits} done date:2611211201 stat:DELIVRD err:000 text:x");
        let read = Receipt::parse(words.as_bytes(), Tlvs::NONE);
        assert_eq!((read.submit_micros, read.done_micros), (wanted, second(0)), "{digits}");
        assert_eq!(read.id, Some(&b"c1"[..]), "the receipt is kept");
    }
    let mut road = Road::open("");
    let id = road.sent(TO, "c1");
    road.carrier.report("id:c1 submit date:2613451299 done date:9999999999 stat:DELIVRD err:000 text:");
    road.told(&id, "DELIVRD");
}

#[test]
fn q26_dates_are_in_the_zone_of_the_carrier() {
    let keyring = Keyring::new(&MasterKey::from_hex(&"17".repeat(32)).expect("64 digits"), 0, 1);
    let words = b"id:c1 submit date:2611211200 done date:2611211201 stat:DELIVRD err:000 text:";
    let sm = SubmitSm { esm_class: 4, short_message: words, ..SubmitSm::default() };
    let utc = Civil { year: 2026, month: 11, day: 21, hour: 10, minute: 1, second: 0 }.micros();
    let mut octets = Vec::new();
    let reading = Reading { zone_minutes: 120, errors: &[] };
    Delivery::of_deliver(&sm).expect("a receipt").write(&keyring, reading, &mut octets);
    let done_at = Notice::read(&octets).expect("a notice").done_at;
    assert_eq!(done_at, Timestamp(i64::try_from(utc).expect("this century")));
    // What is done before it was sent, or is yet to come, is brought to the time in which it can have been.
    let mut road = Road::with("receipt_zone = \"+02:00\"", "receipt_format = { dates = 14 }");
    let mut last = 0;
    for done in ["0001010000", "9912312359"] {
        let id = road.sent(TO, done);
        road.carrier.report(&format!("id:{done} submit date:2611211201 done date:{done} stat:DELIVRD err:000 text:"));
        let told = road.esme.receipt();
        let read = Receipt::parse(told.as_bytes(), Tlvs::NONE);
        assert_eq!(read.id, Some(id.as_bytes()));
        let (submitted, ended) = (read.submit_micros.expect("a date"), read.done_micros.expect("a date"));
        assert!((submitted..submitted + 60_000_000).contains(&ended), "{told}");
        last = submitted;
    }
    let counted = |daemon: &Daemon, wanted: &str| {
        let metrics = http::get(daemon.http, "/metrics", None).text;
        metrics.lines().any(|line| line == wanted).then_some(())
    };
    eventually("both are counted", || counted(&road.daemon, "sluice_receipts_misdated_total 2"));
    // The present as the carrier's clock shows it, two hours ahead, is no wrong date.
    let id = road.sent(TO, "now");
    let Civil { year, month, day, hour, minute, second } = Civil::of(last + 2 * 3_600_000_000);
    let local = format!("{:02}{month:02}{day:02}{hour:02}{minute:02}{second:02}", year % 100);
    road.carrier.report(&format!("id:now submit date:{local} done date:{local} stat:DELIVRD err:000 text:"));
    road.told(&id, "DELIVRD");
    let reported = "sluice_receipts_total{state=\"delivered\"} 3";
    eventually("it is counted as a receipt", || counted(&road.daemon, reported));
    counted(&road.daemon, "sluice_receipts_misdated_total 2").expect("and as nothing else");
}

#[test]
fn q27_an_error_is_text_and_may_be_shown_as_another() {
    let mut road = Road::open("receipt_errors = { \"21b\" = \"027\" }");
    for (number, (theirs, shown)) in
        [("21b", "027"), ("0x1B", "0x1B"), ("-1", "-1"), ("0000", "0000"), ("21B", "21B")].into_iter().enumerate()
    {
        let id = road.sent(TO, &format!("c{number}"));
        road.carrier.report(&format!("id:c{number} stat:UNDELIV err:{theirs} text:x"));
        let told = road.esme.receipt();
        assert!(told.starts_with(&format!("id:{id} ")) && told.contains(&format!(" err:{shown} ")), "{theirs}: {told}");
    }
}

#[test]
fn q28_three_digits_are_a_network_error_too() {
    assert_eq!(NetworkError::of(&[3, 0, 5]), Some(NetworkError { network: 3, code: 5 }));
    assert_eq!(NetworkError::of(b"005"), Some(NetworkError { network: 0, code: 5 }));
    let mut road = Road::open("");
    for (number, value) in [("c1", &[3, 0, 5]), ("c2", b"005")] {
        road.sent(TO, number);
        let id = [number.as_bytes(), b"\0"].concat();
        let parameters = [tlv(0x001E, &id), tlv(0x0427, &[5]), tlv(0x0423, value)].concat();
        assert_eq!(road.carrier.deliver(&Deliver { tlvs: &parameters, ..Deliver::default() }).status, 0);
        let told = road.esme.receipt();
        assert!(told.contains(" stat:UNDELIV err:005 "), "{told}");
    }
}

#[test]
fn q29_what_a_receipt_quotes_may_be_any_octets() {
    let mut road = Road::open("");
    let quotes: [(u8, &[u8], &[u8]); 3] = [
        (4, b"", b"\x04\x1a\0\xff\x80"),
        (0x44, b"\x05\0\x03\x09\x01\x01", b"hello"),
        (4, b"", b"\x05\0\x03\x09\x02\x01\xd8\x3d"),
    ];
    for (number, (esm_class, before, quoted)) in quotes.into_iter().enumerate() {
        let id = road.sent(TO, &format!("c{number}"));
        let words = [before, text(&format!("c{number}"), "DELIVRD").as_bytes(), quoted].concat();
        let receipt = Deliver { esm_class, text: &words, ..Deliver::default() };
        assert_eq!(road.carrier.deliver(&receipt).status, 0);
        road.told(&id, "DELIVRD");
    }
}

#[test]
fn q31_a_receipt_goes_to_a_name() {
    let mut road = Road::open("");
    let mut body = b"\0\x05\0MyBrand\0\x01\x01".to_vec();
    body.extend_from_slice(&submit_body(TO, "hello")[15..]);
    let sequence = road.esme.request(SUBMIT_SM, &body);
    let submit = road.carrier.take("c1");
    assert_eq!(submit.body[..11], *b"\0\x05\0MyBrand\0");
    assert_eq!(road.esme.response_to(sequence).status, 0);
    road.carrier.report(&text("c1", "DELIVRD"));
    let told = road.esme.deliver_sm();
    let head = b"\0\x01\x01447700900123\0\x05\0MyBrand\0\x04";
    assert_eq!(told.body[..head.len()], *head, "{told:?}");
}

#[test]
fn q32_receipts_that_were_not_answered_come_again_in_order() {
    let mut road = Road::open("");
    let ids: Vec<String> = (0..10).map(|number| road.sent(TO, &format!("c{number}"))).collect();
    (0..10).for_each(|number| road.carrier.report(&text(&format!("c{number}"), "DELIVRD")));
    let read = |esme: &mut Esme| -> Vec<String> {
        let receipt = |esme: &mut Esme| match esme.next() {
            support::esme::Next::Pdu(pdu) => pdu.short_message().split([':', ' ']).nth(1).expect("an id").to_owned(),
            support::esme::Next::Closed => panic!("closed"),
        };
        (0..10).map(|_| receipt(esme)).collect()
    };
    assert_eq!(read(&mut road.esme), ids, "none of them is answered");
    road.esme = Esme::riverside(road.daemon.smpp);
    assert_eq!(read(&mut road.esme), ids);
    // And once more after a crash.
    road.daemon.restart();
    road.esme = Esme::riverside(road.daemon.smpp);
    assert_eq!(read(&mut road.esme), ids);
}
