//! Quirks Q90 to Q100: addresses as carriers want them, validity that carriers refuse, times, operations that are not offered,
//! parameters of regulators, and ids that stay at home.

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use sluice::smpp::calendar::Civil;
use sluice::smpp::time::{TIME_OCTETS, format_absolute, format_relative, parse_time};
use support::esme::{Esme, RESPONSE, SUBMIT_SM};
use support::http::{get, post};
use support::smsc::{Answer, Smsc, Submit, receipt};
use support::{Daemon, eventually, settings};

const TO: &str = "447700900123";
const QUERY_SM: u32 = 3;
const REPLACE_SM: u32 = 7;
const CANCEL_SM: u32 = 8;
const SUBMIT_MULTI: u32 = 0x21;
const INVALID_COMMAND: u32 = 3;
const INVALID_SENDER: u32 = 0x0A;
const INVALID_EXPIRY: u32 = 0x62;
const SYSTEM_ERROR: u32 = 8;

fn delivered(submit: &Submit) -> Answer {
    let id = format!("carrier-{:08x}", submit.number);
    Answer::Take(id.clone(), vec![receipt(&id, "DELIVRD")])
}

fn message(from: &str, to: &str) -> Value {
    json!({ "to": to, "from": from, "text": "hello" })
}

/// Sends over HTTP; a refusal gives the word of its reason.
fn send(daemon: &Daemon, body: &Value) -> Result<(), String> {
    let answer = post(daemon.http, "/v1/messages", Some("riverside-key"), body);
    if answer.status == 202 { Ok(()) } else { Err(answer.body["code"].as_str().unwrap_or_default().to_owned()) }
}

fn submits(smsc: &Smsc, count: usize) -> Vec<Submit> {
    eventually("the submits", || Some(smsc.submits()).filter(|submits| submits.len() >= count))
}

#[test]
fn q90_each_kind_of_sender_has_its_plan_unless_the_carrier_wants_another() {
    let senders = [("Shop", (5, 0)), ("60606", (3, 0)), ("+447700900000", (1, 1)), ("", (0, 0))];
    for (further, own) in [("", None), ("source_ton = 2\nsource_npi = 8\ndest_ton = 0\ndest_npi = 9", Some((2, 8)))] {
        let smsc = Smsc::delivering();
        let daemon = Daemon::start(&settings::one_carrier(smsc.address, &format!("window = 1\n{further}")));
        for (sender, _) in senders {
            send(&daemon, &message(sender, TO)).expect("it is taken");
        }
        for (submit, (sender, plan)) in submits(&smsc, senders.len()).iter().zip(senders) {
            assert_eq!(submit.from, sender.trim_start_matches('+'));
            assert_eq!(submit.from_plan, own.unwrap_or(plan), "{sender:?}");
            assert_eq!(submit.to_plan, if own.is_some() { (0, 9) } else { (1, 1) });
        }
    }
}

/// A submit_sm from this sender, as octets of the link.
fn submit_from(sender: &[u8]) -> Vec<u8> {
    [b"\0\0\0", sender, b"\0\x01\x01447700900123\0\0\0\0\0\0\0\0\0\0\x05hello"].concat()
}

#[test]
fn q91_a_name_has_eleven_septets_and_is_never_cut() {
    let smsc = Smsc::delivering();
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, ""));
    let mut esme = Esme::riverside(daemon.smpp);
    let mut answered = |sender: &str| {
        let sequence = esme.request(SUBMIT_SM, &submit_from(sender.as_bytes()));
        esme.response_to(sequence).status
    };
    assert_eq!(answered("ABCDEFGHIJK"), 0);
    assert_eq!(answered("ABCDEFGHIJKL"), INVALID_SENDER);
    assert_eq!(answered("ABCDEFGHI\u{20AC}"), 0, "the euro sign counts two");
    assert_eq!(answered("ABCDEFGHIJ\u{20AC}"), INVALID_SENDER);
    assert_eq!(send(&daemon, &message("ABCDEFGHIJ\u{20AC}", TO)), Err("invalid_sender".to_owned()));
    assert_eq!(submits(&smsc, 2)[0].from, "ABCDEFGHIJK");
}

#[test]
fn q92_what_is_not_digits_is_a_name() {
    let names = ["Test-SM", "my_shop", "My Shop", "24-7", "1st", "+44x"];
    let smsc = Smsc::delivering();
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, "window = 1"));
    for name in names {
        send(&daemon, &message(name, TO)).expect("it is taken");
    }
    for (submit, name) in submits(&smsc, names.len()).iter().zip(names) {
        assert_eq!((submit.from.as_str(), submit.from_plan), (name, (5, 0)));
    }
}

#[test]
fn q93_all_spellings_of_a_number_are_one() {
    // The carrier spells ids in two ways, and writes the number with + in its receipts: only the number tells whose they are.
    let smsc = Smsc::start(|submit| Answer::Take(format!("{:x}", 0xA0 + submit.number), vec![]));
    for (further, written) in [("", TO), ("plus = true", "+447700900123")] {
        let daemon = Daemon::start(&settings::one_carrier(smsc.address, &format!("window = 1\n{further}")));
        let mut esme = Esme::riverside(daemon.smpp);
        let before = smsc.submits().len();
        for (n, to) in ["+447700900123", "00447700900123", TO].into_iter().enumerate() {
            let sequence = esme.submit(to, "hello");
            assert_eq!(esme.response_to(sequence).status, 0, "{to}");
            let submit = submits(&smsc, before + n + 1)[before + n].clone();
            assert_eq!((submit.to.as_str(), submit.to_plan), (written, (1, 1)));
            let reporter = Submit { to: "+447700900123".to_owned(), ..submit };
            smsc.report(&reporter, &receipt(&format!("{}", 0xA0 + before + n + 1), "DELIVRD"));
            assert!(esme.receipt().contains("stat:DELIVRD"));
        }
    }
}

#[test]
fn q94_a_carrier_that_refuses_validity_gets_none() {
    let smsc = Smsc::start(
        |submit| {
            if submit.validity.is_empty() { delivered(submit) } else { Answer::Refuse(INVALID_EXPIRY) }
        },
    );
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, "window = 1\nattempts_max = 1"));
    let mut esme = Esme::riverside(daemon.smpp);
    for text in ["first", "second"] {
        let sequence = esme.submit(TO, text);
        assert_eq!(esme.response_to(sequence).status, 0);
        assert!(esme.receipt().contains("stat:DELIVRD"));
    }
    let seen: Vec<bool> = smsc.submits().iter().map(|submit| submit.validity.is_empty()).collect();
    assert_eq!(seen, [false, true, true], "one retry, and then it is known");
}

/// Whether a validity period is as a carrier wants it.
type Wanted = fn(&str) -> bool;

#[test]
fn q94_a_carrier_is_told_the_validity_as_it_wants() {
    let forms: [(&str, Wanted); 4] = [
        ("", |validity| validity.ends_with('R') && validity.starts_with("0000")),
        ("validity = \"none\"", str::is_empty),
        ("validity = \"absolute\"", |validity| validity.ends_with("00+") && !validity.starts_with("0000")),
        ("validity_max = \"90s\"", |validity| validity == "000000000130000R"),
    ];
    for (further, wanted) in forms {
        let smsc = Smsc::delivering();
        let daemon = Daemon::start(&settings::one_carrier(smsc.address, further));
        send(&daemon, &message("Shop", TO)).expect("it is taken");
        let validity = submits(&smsc, 1)[0].validity.clone();
        assert!(wanted(&validity), "{further}: {validity:?}");
    }
}

fn rows() -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(include_str!("data/facts/time_formats.csv").as_bytes());
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// Microseconds since 1970 of `2026-11-21T12:00:00.0Z`.
fn micros_of(text: &str) -> u64 {
    let number = |from: usize, to: usize| text[from..to].parse::<u64>().expect("digits");
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let civil = Civil { year, month, day, hour: number(11, 13), minute: number(14, 16), second: number(17, 19) };
    civil.micros() + text.get(20..21).map_or(0, |tenths| tenths.parse::<u64>().expect("a digit")) * 100_000
}

fn value_of(row: &std::collections::BTreeMap<String, String>) -> String {
    serde_json::from_str(&row["value_json"]).expect("a JSON string")
}

#[test]
fn q95_every_time_string_is_read_or_refused_as_its_row_says() {
    for row in rows() {
        let parsed = parse_time(value_of(&row).as_bytes(), micros_of(&row["now_utc"]));
        assert_eq!(parsed.is_err(), row["result"] == "invalid", "{row:?}");
        if let Ok(Some(time)) = parsed {
            assert_eq!(time.micros, micros_of(&row["expected_utc"]), "{row:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn q95_what_is_written_has_sixteen_characters_and_reads_back(
        tenths in 0_u64..41_000_000_000, seconds in 0_u64..=31 * 86_400,
    ) {
        let micros = tenths * 100_000;
        let absolute = format_absolute(micros);
        let (digits, sign) = absolute.split_at(TIME_OCTETS - 1);
        prop_assert!(digits.iter().all(u8::is_ascii_digit) && sign == b"+");
        // Two digits of a year are 20YY.
        let from_2000 = micros >= micros_of("2000-01-01T00:00:00");
        let read = parse_time(&absolute, 0).expect("well formed").expect("not empty");
        prop_assert!(!from_2000 || (read.micros, read.lenient) == (micros, false));
        let relative = format_relative(seconds).expect("at most 31 days");
        prop_assert!(relative.ends_with(b"000R"));
        let read = parse_time(&relative, micros).expect("well formed").expect("not empty");
        prop_assert_eq!((read.micros, read.lenient), (micros + seconds * 1_000_000, false));
    }
}

#[test]
fn q96_an_offset_from_utc_is_applied_with_its_sign() {
    let mut seen = [0; 2];
    for row in rows() {
        let value = value_of(&row);
        let Ok(Some(time)) = parse_time(value.as_bytes(), micros_of(&row["now_utc"])) else { continue };
        let Some(side) = ["+", "-"].iter().position(|sign| value.ends_with(sign)) else { continue };
        let quarters: u64 = value[13..15].parse().expect("two digits");
        let local = parse_time(format!("{}00+", &value[..13]).as_bytes(), 0).expect("well formed").expect("not empty");
        let offset = quarters * 900_000_000;
        let utc = if side == 0 { local.micros - offset } else { local.micros + offset };
        assert_eq!((time.micros, utc), (micros_of(&row["expected_utc"]), utc), "{value}");
        assert!(format_absolute(time.micros).ends_with(b"00+"), "ours are in UTC");
        seen[side] += usize::from(quarters > 0);
    }
    assert!(seen.iter().all(|count| *count > 0), "offsets of both signs: {seen:?}");
}

#[test]
fn q97_what_expires_before_it_can_go_is_never_submitted() {
    // Nobody listens at the carrier's address.
    let daemon = Daemon::start(&settings::one_carrier(support::silent_address(), ""));
    let mut esme = Esme::riverside(daemon.smpp);
    let body =
        [b"\0\x05\0Riverside\0\x01\x01447700900123\0\0\0\0\0".as_slice(), b"000000000005000R\0\x01\0\0\0\x05hello"];
    let sequence = esme.request(SUBMIT_SM, &body.concat());
    assert_eq!(esme.response_to(sequence).status, 0);
    let told = esme.receipt();
    assert!(told.contains("stat:EXPIRED") && told.contains("sub:000"), "{told}");
}

#[test]
fn q97_each_try_says_what_is_left() {
    let smsc = Smsc::start(|submit| if submit.number < 3 { Answer::Refuse(SYSTEM_ERROR) } else { delivered(submit) });
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, "retry_first = \"1s\""));
    let mut body = message("Shop", TO);
    body["validity"] = json!(50);
    send(&daemon, &body).expect("it is taken");
    let left: Vec<String> = submits(&smsc, 3).into_iter().map(|submit| submit.validity).collect();
    assert!(left[0].as_str() <= "000000000050000R", "{left:?}");
    assert!(left[0] > left[1] && left[1] > left[2], "each a second later at least: {left:?}");
}

#[test]
fn q98_operations_that_are_not_offered_are_answered_and_the_bind_stays() {
    let smsc = Smsc::delivering();
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, ""));
    let mut esme = Esme::riverside(daemon.smpp);
    let bodies = [
        (QUERY_SM, b"id\0\x05\0Shop\0".to_vec()),
        (CANCEL_SM, b"\0id\0\x05\0Shop\0\x01\x01447700900123\0".to_vec()),
        (REPLACE_SM, b"id\0\x05\0Shop\0\0\0\0\0\x02hi".to_vec()),
        (SUBMIT_MULTI, b"\0\x05\0Shop\0\x01\x01\x01\x01447700900123\0\0\0\0\0\0\0\0\0\0\x02hi".to_vec()),
    ];
    for (command, body) in bodies {
        let sequence = esme.request(command, &body);
        let answer = esme.response_to(sequence);
        assert_eq!((answer.command, answer.status), (command | RESPONSE, INVALID_COMMAND), "{command:#x}");
    }
    assert!(esme.is_alive());
}

#[test]
fn q98_a_carrier_that_does_not_know_an_operation_keeps_its_bind() {
    let smsc = Smsc::start(|submit| if submit.number == 1 { Answer::Nack(INVALID_COMMAND) } else { delivered(submit) });
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, "window = 1"));
    let mut esme = Esme::riverside(daemon.smpp);
    for stat in ["stat:REJECTD", "stat:DELIVRD"] {
        let sequence = esme.submit(TO, "hello");
        assert_eq!(esme.response_to(sequence).status, 0);
        assert!(esme.receipt().contains(stat), "{stat}");
    }
    assert_eq!(smsc.binds(), (1, 0));
}

#[test]
fn q99_parameters_of_account_and_message_stand_on_every_part() {
    let smsc = Smsc::delivering();
    let tlvs = "tlvs = { \"0x1400\" = \"1201159\", \"0x1401\" = \"hex:0a1b\" }";
    let config = settings::tenant("riverside", tlvs)
        + &settings::carrier("alpha", smsc.address, "window = 1\nversion_when_absent = \"3.4\"")
        + &settings::route(&["alpha"]);
    let daemon = Daemon::start(&config);
    let long = "three parts ".repeat(400 / 12);
    send(&daemon, &json!({ "to": TO, "from": "Shop", "text": long })).expect("it is taken");
    let own = json!({ "5121": "own", "0x1402": "hex:ff" });
    send(&daemon, &json!({ "to": TO, "from": "Shop", "text": long, "tlvs": own })).expect("it is taken");
    let mut esme = Esme::riverside(daemon.smpp);
    let parameter = b"\x14\x01\x00\x03own";
    esme.request(SUBMIT_SM, &[&submit_from(b"Shop"), parameter.as_slice()].concat());
    let submits = submits(&smsc, 7);
    let (usual, octets) = ((0x1400, b"1201159".to_vec()), (0x1401, vec![0x0A, 0x1B]));
    let (own, further) = ((0x1401, b"own".to_vec()), (0x1402, vec![0xFF]));
    for submit in &submits {
        let mut tlvs = submit.parameters();
        tlvs.sort();
        let wanted = match submit.number {
            1..=3 => vec![usual.clone(), octets.clone()],
            4..=6 => vec![usual.clone(), own.clone(), further.clone()],
            _ => vec![usual.clone(), own.clone()],
        };
        assert_eq!(tlvs, wanted, "submit {}", submit.number);
    }
    let refused = send(&daemon, &json!({ "to": TO, "from": "Shop", "text": "hi", "tlvs": { "0x0424": "x" } }));
    assert_eq!(refused, Err("invalid_tlvs".to_owned()), "the text has its own place");
}

#[test]
fn q100_a_platform_never_sees_a_carriers_id() {
    let smsc = Smsc::start(|submit| {
        let id = format!("carrier-{:08x}", submit.number);
        let text = format!(
            "id:{id} sub:001 dlvrd:000 submit date:2611211200 done date:2611211207 stat:UNDELIV err:027 text:hello"
        );
        Answer::Take(id, vec![text])
    });
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, ""));
    let mut esme = Esme::riverside(daemon.smpp);
    let sequence = esme.submit(TO, "hello");
    let id = esme.response_to(sequence).message_id();
    let told = esme.receipt();
    assert!(!id.contains("carrier") && !told.contains("carrier-"), "{id} {told}");
    assert!(told.starts_with(&format!("id:{id} sub:001 dlvrd:000 submit date:")), "{told}");
    assert!(told.contains("stat:UNDELIV err:027"), "what the carrier says of the error is passed on: {told}");
    assert_eq!(get(daemon.http, &format!("/v1/messages/{id}"), Some("riverside-key")).body["state"], "undeliverable");
}
