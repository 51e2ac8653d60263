//! Quirks Q51 to Q67: what carriers and platforms do to texts, and what arrives all the same.

mod support;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sluice::text::segment::plan;
use sluice::text::{Alphabet, Choice, Concat, Options, ucs2};
use support::esme::{Esme, SUBMIT_SM};
use support::http::{get, post};
use support::smsc::{Smsc, Submit};
use support::{Daemon, eventually, settings};

const TO: &str = "447700900123";
const SAR_REFERENCE: u16 = 0x020C;
const SAR_TOTAL: u16 = 0x020E;
const SAR_SEQUENCE: u16 = 0x020F;
const PAYLOAD: u16 = 0x0424;

/// Carriers that read optional parameters although they do not say so.
const KNOWS_TLVS: &str = "version_when_absent = \"3.4\"\nwindow = 1";

/// A submit_sm with these octets.
fn body(esm_class: u8, data_coding: u8, octets: &[u8], tlvs: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = b"\0\x05\0Shop\0\x01\x01447700900123\0".to_vec();
    body.extend_from_slice(&[esm_class, 0, 0, 0, 0, 0, 0, data_coding, 0]);
    body.push(u8::try_from(octets.len()).expect("a short message"));
    body.extend_from_slice(octets);
    for (tag, value) in tlvs {
        body.extend_from_slice(&tag.to_be_bytes());
        body.extend_from_slice(&u16::try_from(value.len()).expect("a parameter").to_be_bytes());
        body.extend_from_slice(value);
    }
    body
}

/// Submits this and returns the message's id.
fn submit(esme: &mut Esme, body: &[u8]) -> String {
    let sequence = esme.request(SUBMIT_SM, body);
    let answer = esme.response_to(sequence);
    assert_eq!(answer.status, 0);
    answer.message_id()
}

fn submits(smsc: &Smsc, count: usize) -> Vec<Submit> {
    eventually("the submits", || Some(smsc.submits()).filter(|submits| submits.len() >= count))
}

/// Sends a text over HTTP and returns the answer.
fn send(daemon: &Daemon, text: &str) -> Value {
    let body = json!({ "to": TO, "from": "Shop", "text": text });
    let answer = post(daemon.http, "/v1/messages", Some("riverside-key"), &body);
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.body
}

fn rows(group: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(include_str!("data/facts/segmentation.csv").as_bytes());
    let rows = reader.deserialize().map(|row| row.expect("a row"));
    rows.filter(|row: &BTreeMap<String, String>| group.is_empty() || row["group"] == group).collect()
}

fn text_of(row: &BTreeMap<String, String>) -> String {
    let unit: String = serde_json::from_str(&row["text_json"]).expect("a JSON string");
    unit.repeat(row["repeat"].parse().expect("a number"))
}

#[test]
fn q53_a_latin1_carrier_gets_latin1_only_where_it_loses_nothing() {
    let smsc = Smsc::delivering();
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, "window = 1\ndefault_alphabet = \"latin1\""));
    for text in ["\u{e9}", "\u{bd}"] {
        send(&daemon, text);
    }
    let sent: Vec<(u8, Vec<u8>)> =
        submits(&smsc, 2).into_iter().map(|submit| (submit.data_coding, submit.octets)).collect();
    assert_eq!(sent, [(0, vec![0xE9]), (8, vec![0x00, 0xBD])], "one half is not in GSM-7, and would be dropped");
}

#[test]
fn q54_pairs_travel_and_half_a_pair_harms_nobody() {
    let smsc = Smsc::delivering();
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, "window = 1"));
    send(&daemon, "a\u{1F600}");
    let mut esme = Esme::riverside(daemon.smpp);
    submit(&mut esme, &body(0, 8, &[0xD8, 0x3D], &[]));
    let submits = submits(&smsc, 2);
    assert_eq!((submits[0].data_coding, &submits[0].octets[..]), (8, &[0x00, 0x61, 0xD8, 0x3D, 0xDE, 0x00][..]));
    assert_eq!((submits[1].data_coding, &submits[1].octets[..]), (8, &[0xD8, 0x3D][..]), "its octets are kept");
    let read = |octets: &[u8]| {
        let mut text = String::new();
        ucs2::decode(octets, &mut text);
        text
    };
    assert_eq!([read(&submits[0].octets), read(&submits[1].octets)], ["a\u{1F600}", "\u{FFFD}"]);
}

#[test]
fn q55_a_byte_order_mark_is_obeyed_and_taken_away() {
    let smsc = Smsc::delivering();
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, "window = 1"));
    let mut esme = Esme::riverside(daemon.smpp);
    for octets in [&[0xFF, 0xFE, 0x41, 0x00][..], &[0xFE, 0xFF, 0x00, 0x41], &[0x00, 0x41]] {
        submit(&mut esme, &body(0, 8, octets, &[]));
    }
    for submit in submits(&smsc, 3) {
        assert_eq!((submit.data_coding, &submit.octets[..]), (8, &[0x00, 0x41][..]), "submit {}", submit.number);
    }
    let mut text = String::new();
    ucs2::decode_marked(&[0xFF, 0xFE, 0x3D, 0xD8, 0x00, 0xDE], &mut text);
    assert_eq!(text, "\u{1F600}");
}

#[test]
fn q57_a_16_bit_reference_leaves_66_code_units() {
    let options = Options::new(Choice::Ucs2, Concat::Udh16);
    let plan = |units: usize| plan(&"\u{416}".repeat(units), options).expect("few parts");
    assert_eq!((plan(71).header_octets, plan(71).part_units_max), (7, 66));
    assert_eq!([70, 71, 132, 133].map(|units| plan(units).parts), [1, 2, 2, 3]);
    let wide = |row: &BTreeMap<String, String>| {
        row["ref_bits"] == "16" && row["alphabet"] == "ucs2" && row["result"] == "ok" && row["national_ids"].is_empty()
    };
    let rows: Vec<_> = rows("").into_iter().filter(wide).collect();
    assert!(!rows.is_empty());
    for row in rows {
        let choice = if row["alphabet_option"] == "ucs2" { Choice::Ucs2 } else { Choice::Auto };
        let plan = sluice::text::segment::plan(&text_of(&row), Options::new(choice, Concat::Udh16)).expect("it fits");
        assert_eq!(plan.parts.to_string(), row["parts"], "row {}", row["id"]);
    }
}

#[test]
fn q60_a_near_miss_of_the_alphabet_is_no_character_of_it() {
    let rows = rows("forces-ucs2");
    assert!(rows.len() > 10);
    for row in rows.iter().filter(|row| row["national_ids"].is_empty() && row["alphabet_option"] == "auto") {
        let plan = plan(&text_of(row), Options::default()).expect("it fits");
        assert_eq!(
            (plan.alphabet, plan.parts.to_string()),
            (Alphabet::Ucs2, row["parts"].clone()),
            "row {}",
            row["id"]
        );
    }
    let alphabet = |text: &str| plan(text, Options::default()).expect("it fits").alphabet;
    assert_eq!(
        [alphabet("\u{c7}a"), alphabet("\u{e7}a")],
        [Alphabet::Gsm7, Alphabet::Ucs2],
        "only the capital is there"
    );
}

/// A segment's header with an 8-bit or a 16-bit reference.
fn header(wide: bool, total: u8, sequence: u8) -> Vec<u8> {
    if wide { vec![6, 8, 4, 0x12, 0x34, total, sequence] } else { vec![5, 0, 3, 0x34, total, sequence] }
}

fn parameter(submit: &Submit, tag: u16) -> Option<Vec<u8>> {
    submit.parameters().into_iter().find(|(known, _)| *known == tag).map(|(_, value)| value)
}

/// What a handset makes of submits, in the way that each says.
fn joined(submits: &[Submit]) -> Vec<u8> {
    let mut parts: Vec<(u8, Vec<u8>)> = Vec::new();
    for submit in submits {
        let header_octets = if submit.esm_class & 0x40 == 0 { 0 } else { 1 + usize::from(submit.octets[0]) };
        let sequence = match (header_octets, parameter(submit, SAR_SEQUENCE)) {
            (0, Some(sequence)) => sequence[0],
            (0, None) => 1,
            (octets, None) => submit.octets[octets - 1],
            (_, Some(_)) => panic!("two ways at once: {submit:?}"),
        };
        let text = parameter(submit, PAYLOAD).unwrap_or_else(|| submit.octets[header_octets..].to_vec());
        parts.push((sequence, text));
    }
    parts.sort();
    parts.into_iter().flat_map(|(_, text)| text).collect()
}

#[test]
fn q61_a_long_text_arrives_however_a_carrier_wants_it() {
    let text = "four ways lead there ".repeat(16);
    for (way, count) in [("udh8", 3), ("udh16", 3), ("sar", 3), ("payload", 1)] {
        let smsc = Smsc::delivering();
        let further = format!("{KNOWS_TLVS}\nconcat = \"{way}\"");
        let daemon = Daemon::start(&settings::one_carrier(smsc.address, &further));
        send(&daemon, &text);
        let submits = submits(&smsc, count);
        assert_eq!(String::from_utf8_lossy(&joined(&submits)), text, "{way}");
        assert_eq!(submits.len(), count, "{way}");
    }
}

#[test]
fn q61_a_long_text_arrives_however_its_sender_carries_it() {
    let smsc = Smsc::delivering();
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, KNOWS_TLVS));
    let mut esme = Esme::riverside(daemon.smpp);
    let text = "four ways lead there ".repeat(10);
    let halves = text.as_bytes().split_at(120);
    let mut seen = 0;
    for way in 0..4 {
        for (sequence, half) in [(1, halves.0), (2, halves.1)] {
            let submitted = match way {
                0 | 1 => body(0x40, 0, &[header(way == 1, 2, sequence), half.to_vec()].concat(), &[]),
                2 => {
                    body(0, 0, half, &[(SAR_REFERENCE, &[0x12, 0x34]), (SAR_TOTAL, &[2]), (SAR_SEQUENCE, &[sequence])])
                }
                _ if sequence == 1 => body(0, 0, b"", &[(PAYLOAD, text.as_bytes())]),
                _ => continue,
            };
            submit(&mut esme, &submitted);
        }
        let submits = submits(&smsc, seen + 2);
        assert_eq!(String::from_utf8_lossy(&joined(&submits[seen..])), text, "way {way}");
        seen += 2;
    }
    assert_eq!(smsc.submits().len(), 8);
}

#[test]
fn q62_a_header_and_sar_parameters_are_one_part_and_never_sent_together() {
    let smsc = Smsc::delivering();
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, KNOWS_TLVS));
    let mut esme = Esme::riverside(daemon.smpp);
    let sar: [(u16, &[u8]); 3] = [(SAR_REFERENCE, &[0, 0x34]), (SAR_TOTAL, &[2]), (SAR_SEQUENCE, &[1])];
    let octets = [header(false, 2, 1), b"first".to_vec()].concat();
    let id = submit(&mut esme, &body(0x40, 0, &octets, &sar));
    let submits = submits(&smsc, 1);
    assert_eq!((submits[0].esm_class & 0x40, &submits[0].octets), (0x40, &octets), "the header stays");
    assert!(SAR_REFERENCE.max(SAR_TOTAL) < SAR_SEQUENCE && submits[0].tlvs.is_empty(), "{:?}", submits[0].tlvs);
    let status = get(daemon.http, &format!("/v1/messages/{id}"), Some("riverside-key")).body;
    assert_eq!((&status["parts"], &status["price"]["amount"]), (&json!(1), &json!("0.0264")), "{status}");
}

#[test]
fn q65_parts_over_different_binds_are_one_message_of_one_account() {
    let smsc = Smsc::delivering();
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, "window = 1"));
    let mut binds = [Esme::riverside(daemon.smpp), Esme::riverside(daemon.smpp)];
    let halves: [&[u8]; 2] = [b"the first half and ", b"the second"];
    let mut price = 0.0;
    for (sequence, (bind, half)) in (1..).zip(binds.iter_mut().zip(halves)) {
        let octets = [header(false, 2, sequence), half.to_vec()].concat();
        let id = submit(bind, &body(0x40, 0, &octets, &[]));
        // Either bind may ask: the message is the account's.
        let status = get(daemon.http, &format!("/v1/messages/{id}"), Some("riverside-key")).body;
        price += status["price"]["amount"].as_str().and_then(|amount| amount.parse().ok()).unwrap_or(f64::NAN);
    }
    let submits = submits(&smsc, 2);
    let references: Vec<u8> = submits.iter().map(|submit| submit.octets[3]).collect();
    assert_eq!(references, [0x34, 0x34], "what ties them together is untouched");
    assert_eq!(joined(&submits), halves.concat());
    assert!((price - 2.0 * 0.0264).abs() < 1e-9, "two parts are paid: {price}");
}

#[test]
fn q67_parts_are_counted_whatever_carries_the_text() {
    let text = "x".repeat(400);
    for (way, pdus) in [("payload", 1), ("udh8", 3)] {
        let smsc = Smsc::delivering();
        let further = format!("{KNOWS_TLVS}\nconcat = \"{way}\"");
        let daemon = Daemon::start(&settings::one_carrier(smsc.address, &further));
        let answer = send(&daemon, &text);
        assert_eq!((&answer["parts"], &answer["price"]["amount"]), (&json!(3), &json!("0.0792")), "{way}: {answer}");
        assert_eq!(submits(&smsc, pdus).len(), pdus);
        let mut esme = Esme::riverside(daemon.smpp);
        let id = submit(&mut esme, &body(0, 0, b"", &[(PAYLOAD, text.as_bytes())]));
        assert_eq!(submits(&smsc, 2 * pdus).len(), 2 * pdus);
        let status = get(daemon.http, &format!("/v1/messages/{id}"), Some("riverside-key")).body;
        assert_eq!(status["price"]["amount"], "0.0792", "{way}: {status}");
    }
}
