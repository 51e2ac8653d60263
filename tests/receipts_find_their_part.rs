//! A carrier's receipt finds its part, however the carrier spells the id, on whichever bind it comes, before or
//! after the response, once or several times; the tenant gets one receipt with its own id.

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use support::esme::Esme;
use support::smsc::{Answer, Smsc, Submit, receipt};
use support::{Daemon, eventually, http, settings};

/// How an id is spelled in the response, and how in the receipt.
type Spelling = fn(usize) -> (String, String);

/// Ids of this size have eight hexadecimal digits, some of them letters, as carriers' counters do.
const BASE: usize = 0x5a0b_0000;

#[test]
fn in_every_spelling() {
    let spellings: [(&str, Spelling); 9] = [
        ("as it was", |n| same(format!("{:x}", BASE + n))),
        ("hex, then decimal", |n| (format!("{:x}", BASE + n), (BASE + n).to_string())),
        ("decimal, then hex", |n| ((BASE + n).to_string(), format!("{:x}", BASE + n))),
        ("decimal, then hex in capitals", |n| ((BASE + n).to_string(), format!("{:X}", BASE + n))),
        ("small letters, then capitals", |n| (format!("{:x}", BASE + n), format!("{:X}", BASE + n))),
        ("zeros only in the response", |n| (format!("{:010}", BASE + n), (BASE + n).to_string())),
        ("zeros only in the receipt", |n| ((BASE + n).to_string(), format!("{:010}", BASE + n))),
        ("hex with zeros, then decimal with zeros", |n| (format!("{:010X}", BASE + n), format!("{:010}", BASE + n))),
        ("a UUID", |n| same(format!("{n:08x}-5d1c-4c8e-9b1a-{:012x}", BASE + n))),
    ];
    for (name, spelling) in spellings {
        let smsc = Smsc::start(move |submit| {
            let (given, reported) = spelling(submit.number);
            Answer::Take(given, vec![receipt(&reported, state_of(submit))])
        });
        all_are_reported(name, &smsc, "");
    }
}

#[test]
fn before_the_response_and_several_times() {
    let smsc = Smsc::start(|submit| {
        let id = format!("{:x}", BASE + submit.number);
        let text = receipt(&id, state_of(submit));
        match submit.number % 3 {
            0 => Answer::ReceiptsFirst(id, vec![text]),
            1 => Answer::Take(id, vec![text.clone(), text.clone(), text]),
            _ => Answer::ReceiptsFirst(id, vec![text.clone(), text]),
        }
    });
    all_are_reported("early and repeated", &smsc, "");
}

#[test]
fn on_another_bind() {
    let smsc = Smsc::start(|submit| {
        let id = format!("{:x}", BASE + submit.number);
        let text = receipt(&id, state_of(submit));
        Answer::Take(id, vec![text])
    });
    all_are_reported("a receiver of its own", &smsc, "bind = \"transmitter+receiver\"\nbinds = 2");
}

#[test]
fn small_ids_of_one_number_are_not_mixed_up() {
    // Counted from 1, so that 00000010 is one part's id and another's in the other base; each receipt comes first.
    let smsc = Smsc::start(|submit| {
        let id = format!("{:08x}", submit.number);
        let stat = if submit.octets.ends_with(b"3") || submit.octets.ends_with(b"7") { "UNDELIV" } else { "DELIVRD" };
        Answer::ReceiptsFirst(id.clone(), vec![receipt(&id, stat)])
    });
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, ""));
    let mut esme = Esme::riverside(daemon.smpp);
    let mut expected: BTreeMap<String, &str> = BTreeMap::new();
    let mut answered: BTreeMap<String, String> = BTreeMap::new();
    for n in 0..60 {
        let text = format!("number {n}");
        let sequence = esme.submit("447700900001", &text);
        let response = esme.response_or_receipts(sequence, |text| note(&mut answered, "small ids", text));
        assert_eq!(response.status, 0, "{response:?}");
        expected.insert(response.message_id(), state_of_number(&text));
    }
    while answered.len() < expected.len() {
        note(&mut answered, "small ids", esme.receipt());
    }
    let wrong = expected.iter().filter(|(id, stat)| answered.get(*id).map(String::as_str) != Some(**stat));
    assert_eq!(wrong.count(), 0, "expected {expected:?}, answered {answered:?}");
}

#[test]
fn small_ids_of_one_number_do_not_wait_for_minutes() {
    // Nearly all of these ids are another's in the other base, of the same number and waiting as well. No test of ours waits for a minute.
    let smsc = Smsc::start(|submit| {
        let stat = if submit.octets.ends_with(b"3") || submit.octets.ends_with(b"7") { "UNDELIV" } else { "DELIVRD" };
        Answer::TakeSlowly(
            submit.number.to_string(),
            vec![receipt(&submit.number.to_string(), stat)],
            Duration::ZERO,
            Duration::from_millis(300),
        )
    });
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, "window = 100"));
    let mut esme = Esme::riverside(daemon.smpp);
    let texts: Vec<String> = (0..60).map(|n| format!("number {n}")).collect();
    let sequences: Vec<u32> = texts.iter().map(|text| esme.submit("447700900001", text)).collect();
    let mut expected: BTreeMap<String, &str> = BTreeMap::new();
    let mut answered: BTreeMap<String, String> = BTreeMap::new();
    for (text, sequence) in texts.iter().zip(sequences) {
        let response = esme.response_or_receipts(sequence, |text| note(&mut answered, "small ids", text));
        expected.insert(response.message_id(), state_of_number(text));
    }
    while answered.len() < expected.len() {
        note(&mut answered, "small ids", esme.receipt());
    }
    assert!(expected.iter().all(|(id, stat)| answered.get(id).map(String::as_str) == Some(*stat)), "{answered:?}");
}

#[test]
fn intermediate_states_end_nothing() {
    let smsc = Smsc::start(|submit| {
        let id = format!("{:x}", BASE + submit.number);
        let steps = ["ENROUTE", "ACCEPTD", state_of(submit)];
        Answer::Take(id.clone(), steps.iter().map(|stat| receipt(&id, stat)).collect())
    });
    all_are_reported("steps on the way", &smsc, "");
}

/// Sends messages that are to end in different states and sees that each ends in its own.
fn all_are_reported(name: &str, smsc: &Smsc, further: &str) {
    const MESSAGES: usize = 24;
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, further));
    let mut esme = Esme::riverside(daemon.smpp);
    let mut expected: BTreeMap<String, &str> = BTreeMap::new();
    let mut answered: BTreeMap<String, String> = BTreeMap::new();
    for n in 0..MESSAGES {
        let to = format!("4477009{n:05}");
        // A receipt of an earlier message may come before this response.
        let sequence = esme.submit(&to, "hello");
        let response = esme.response_or_receipts(sequence, |text| note(&mut answered, name, text));
        assert_eq!(response.status, 0, "{name}: {response:?}");
        expected.insert(response.message_id(), state_of_number(&to));
    }
    while answered.len() < MESSAGES {
        note(&mut answered, name, esme.receipt());
    }
    for (id, stat) in &expected {
        assert_eq!(answered.get(id).map(String::as_str), Some(*stat), "{name}: {id}");
        let answer = http::get(daemon.http, &format!("/v1/messages/{id}"), Some("riverside-key"));
        let state = if *stat == "DELIVRD" { "delivered" } else { "undeliverable" };
        assert_eq!(answer.body["state"], state, "{name}: {answer:?}");
    }
    let receipts = smsc.submits().len();
    eventually("every receipt is answered", || (smsc.delivered().len() >= receipts).then_some(()));
    assert!(smsc.delivered().iter().all(|status| *status == 0), "{name}: {:?}", smsc.delivered());
}

/// Notes the state of a receipt under its id; a second receipt for one message is an error.
fn note(answered: &mut BTreeMap<String, String>, name: &str, text: String) {
    let word = |key: &str| text.split(' ').find_map(|word| word.strip_prefix(key)).unwrap_or_default().to_owned();
    let before = answered.insert(word("id:"), word("stat:"));
    assert!(before.is_none(), "{name}: a second receipt: {text}");
}

fn same(id: String) -> (String, String) {
    (id.clone(), id)
}

fn state_of(submit: &Submit) -> &'static str {
    state_of_number(&submit.to)
}

/// Numbers that end in 3 or 7 are unreachable.
fn state_of_number(to: &str) -> &'static str {
    if to.ends_with('3') || to.ends_with('7') { "UNDELIV" } else { "DELIVRD" }
}
