//! The carrier simulator does what its options say: the tests that lean on it may.

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use support::esme::{BIND_TRANSCEIVER, BIND_TRANSMITTER, DELIVER_SM, ENQUIRE_LINK, Esme, Next, Pdu, RESPONSE};
use support::{Carrier, eventually};

/// SMPP 3.4 section 5.1.3.
const ROK: u32 = 0x00;
const RINVCMDID: u32 = 0x03;
const RINVBNDSTS: u32 = 0x04;
const RINVDSTADR: u32 = 0x0b;
const RINVPASWD: u32 = 0x0e;
const RMSGQFUL: u32 = 0x14;
const RTHROTTLED: u32 = 0x58;

#[test]
fn a_message_is_taken_and_receipted() {
    let carrier = Carrier::start(&["--first-id", "41"]);
    let mut esme = bound(&carrier);
    let sequence = esme.submit("447700900001", "hello");
    let answer = esme.response_to(sequence);
    assert_eq!((answer.status, answer.message_id().as_str()), (ROK, "41"));
    let receipt = esme.receipt();
    assert!(receipt.starts_with("id:41 ") && receipt.contains(" stat:DELIVRD "), "{receipt}");
    assert!(esme.is_alive());
}

#[test]
fn faults_happen_when_they_are_certain() {
    for (option, status) in [("--throttle", RTHROTTLED), ("--queue-full", RMSGQFUL), ("--reject", RINVDSTADR)] {
        let carrier = Carrier::start(&[option, "1"]);
        let mut esme = bound(&carrier);
        let sequence = esme.submit("447700900001", "hello");
        assert_eq!(esme.response_to(sequence).status, status, "{option}");
    }
    let carrier = Carrier::start(&["--undeliverable", "1"]);
    let mut esme = bound(&carrier);
    esme.submit("447700900001", "hello");
    assert!(esme.receipt().contains("stat:UNDELIV"));
}

#[test]
fn a_seed_repeats_itself_and_another_differs() {
    let statuses = |seed: &str| {
        let carrier =
            Carrier::start(&["--seed", seed, "--throttle", "0.3", "--reject", "0.3", "--receipts-after", "none"]);
        let mut esme = bound(&carrier);
        let sequences: Vec<u32> = (0..64).map(|_| esme.submit("447700900001", "hello")).collect();
        sequences.into_iter().map(|sequence| esme.response_to(sequence).status).collect::<Vec<u32>>()
    };
    let first = statuses("7");
    assert_eq!(first, statuses("7"));
    assert_ne!(first, statuses("8"));
    for status in [ROK, RTHROTTLED, RINVDSTADR] {
        assert!(first.contains(&status), "{status:#x} is among 64 answers: {first:x?}");
    }
}

#[test]
fn a_rate_is_held_against_a_burst() {
    let carrier = Carrier::start(&["--rate", "100/s", "--receipts-after", "none"]);
    let mut esme = bound(&carrier);
    let sequences: Vec<u32> = (0..60).map(|_| esme.submit("447700900001", "hello")).collect();
    let answers: Vec<u32> = sequences.into_iter().map(|sequence| esme.response_to(sequence).status).collect();
    let taken = answers.iter().filter(|status| **status == ROK).count();
    // A tenth of a second's worth at once; on a slow machine a little more comes free meanwhile.
    assert!((11..60).contains(&taken), "{taken} taken");
    assert!(answers.iter().all(|status| [ROK, RTHROTTLED].contains(status)), "{answers:x?}");
}

#[test]
fn a_receipt_may_come_first_and_twice() {
    let carrier = Carrier::start(&["--receipt-before-response", "1", "--duplicate-receipts", "1", "--first-id", "5"]);
    let mut esme = bound(&carrier);
    let sequence = esme.submit("447700900001", "hello");
    let order: Vec<u32> = (0..3).map(|_| answered_pdu(&mut esme).command).collect();
    assert_eq!(order, [DELIVER_SM, 4 | RESPONSE, DELIVER_SM], "response to {sequence}");
}

#[test]
fn a_lost_response_stays_lost_and_its_receipt_comes() {
    let carrier = Carrier::start(&["--lose-response", "1"]);
    let mut esme = bound(&carrier);
    esme.submit("447700900001", "hello");
    assert!(esme.receipt().contains("stat:DELIVRD"));
    // Had there been a response, it would stand before this one.
    let sequence = esme.request(ENQUIRE_LINK, &[]);
    let next = pdu(&mut esme);
    assert_eq!((next.command, next.sequence), (ENQUIRE_LINK | RESPONSE, sequence));
}

#[test]
fn an_unanswered_receipt_is_repeated_to_the_next_bind() {
    let carrier = Carrier::start(&["--first-id", "9"]);
    let mut esme = bound(&carrier);
    let sequence = esme.submit("447700900001", "hello");
    assert_eq!(pdu(&mut esme).sequence, sequence);
    assert_eq!(pdu(&mut esme).command, DELIVER_SM);
    drop(esme);
    let mut again = bound(&carrier);
    assert!(again.receipt().starts_with("id:9 "));
}

#[test]
fn a_transmitter_gets_no_receipts() {
    let carrier = Carrier::start(&[]);
    let mut sender = Esme::bind(carrier.smpp, BIND_TRANSMITTER, "gateway", "").expect("anybody may bind");
    let sequence = sender.submit("447700900001", "hello");
    assert_eq!(sender.response_to(sequence).status, ROK);
    let mut receiver = Esme::bind(carrier.smpp, support::esme::BIND_RECEIVER, "gateway", "").expect("and receive");
    assert!(receiver.receipt().contains("stat:DELIVRD"));
    let sequence = receiver.submit("447700900001", "hello");
    assert_eq!(receiver.response_to(sequence).status, RINVBNDSTS);
    assert!(sender.is_alive(), "nothing but the answer to the enquiry is on the transmitter");
}

#[test]
fn a_connection_is_dropped_on_time() {
    let carrier = Carrier::start(&["--disconnect-every", "3", "--receipts-after", "none"]);
    let mut esme = bound(&carrier);
    for _ in 0..2 {
        let sequence = esme.submit("447700900001", "hello");
        assert_eq!(esme.response_to(sequence).status, ROK);
    }
    esme.submit("447700900001", "hello");
    assert_eq!(esme.next(), Next::Closed);
    assert!(bound(&carrier).is_alive());
}

#[test]
fn strangers_and_unknown_commands_are_answered() {
    let carrier = Carrier::start(&["--system-id", "gateway", "--password", "right"]);
    let refused = Esme::bind(carrier.smpp, BIND_TRANSCEIVER, "gateway", "wrong").expect_err("the password is wrong");
    assert_eq!(refused, RINVPASWD);
    let mut esme = Esme::bind(carrier.smpp, BIND_TRANSCEIVER, "gateway", "right").expect("the password is right");
    let sequence = esme.request(0x0f0f, b"what");
    assert_eq!(esme.response_to(sequence).status, RINVCMDID);
    assert!(esme.is_alive());
}

#[test]
fn a_record_tells_all_that_came_in() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (file, receipts) = (dir.path().join("seen.jsonl"), dir.path().join("receipts.jsonl"));
    let paths = [&file, &receipts].map(|path| path.to_str().expect("a path in UTF-8"));
    let mut carrier =
        Carrier::start(&["--record", paths[0], "--record-receipts", paths[1], "--first-id", "70", "--json"]);
    let mut esme = bound(&carrier);
    for text in ["one", "two", "two"] {
        let sequence = esme.submit("447700900001", text);
        assert_eq!(esme.response_to(sequence).status, ROK);
        esme.receipt();
    }
    eventually("the record is written while the simulator runs", || (lines(&file).len() == 3).then_some(()));
    carrier.program().signal("TERM");
    let summary: Value = serde_json::from_str(&carrier.program().line_after("")).expect("one JSON object");
    assert!(carrier.program().wait().success());
    assert_eq!((&summary["submits"], &summary["duplicates"]), (&Value::from(3), &Value::from(1)), "{summary}");
    assert_eq!(summary["receipts"]["answered"], 3, "{summary}");
    assert_eq!(summary["by_status"]["ESME_ROK"], 3, "{summary}");
    let seen = lines(&file);
    let texts: Vec<&str> = seen.iter().filter_map(|line| line["text"].as_str()).collect();
    assert_eq!(texts, ["one", "two", "two"]);
    assert_eq!(seen[2]["message_id"], "72", "{}", seen[2]);
    assert_eq!(seen[1]["octets"], "74776f", "{}", seen[1]);
    assert_eq!((&seen[2]["duplicate"], &seen[1]["duplicate"]), (&Value::from(true), &Value::from(false)));
    let answered: BTreeMap<String, u64> = lines(&receipts)
        .iter()
        .map(|line| {
            (line["message_id"].as_str().expect("an id").to_owned(), line["status"].as_u64().expect("a status"))
        })
        .collect();
    assert_eq!(answered, ["70", "71", "72"].map(|id| (id.to_owned(), 0)).into());
}

fn bound(carrier: &Carrier) -> Esme {
    Esme::bind(carrier.smpp, BIND_TRANSCEIVER, "gateway", "secret").expect("anybody may bind")
}

fn pdu(esme: &mut Esme) -> Pdu {
    match esme.next() {
        Next::Pdu(pdu) => pdu,
        Next::Closed => panic!("the simulator closed the connection"),
    }
}

/// The next PDU, answered if it is a request, so that the simulator goes on.
fn answered_pdu(esme: &mut Esme) -> Pdu {
    let pdu = pdu(esme);
    esme.answer(&pdu);
    pdu
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("whole lines of JSON")).collect()
}
