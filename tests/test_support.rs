//! The shared test support itself: a ledger that misses nothing, a platform and a carrier that understand
//! each other. A test that fails beside these fails because of the daemon.

mod support;

use support::esme::{Esme, Next, Pdu, SUBMIT_SM, UNBIND};
use support::smsc::{Answer, Smsc, receipt};
use support::{Ledger, eventually};

#[test]
fn ledger_tells_what_is_missing_and_what_is_repeated() {
    let mut ledger = Ledger::default();
    ledger.sent("a", 2);
    ledger.sent("b", 1);
    ledger.acknowledged("a", "id-a");
    ledger.submitted("a", 1);
    assert_eq!(ledger.missing_at_carrier(), ["a"], "part 2 of a was never seen; b was never promised");
    ledger.submitted("a", 2);
    ledger.submitted("a", 2);
    assert!(ledger.missing_at_carrier().is_empty());
    assert_eq!(ledger.repeated_more_than(0), ["a"]);
    assert!(ledger.repeated_more_than(1).is_empty());
    assert_eq!((ledger.repeats(), ledger.acknowledged_count()), (1, 1));
    assert_eq!(ledger.without_one_receipt(), ["a"]);
    ledger.receipted("id-a", "DELIVRD");
    assert!(ledger.without_one_receipt().is_empty());
    ledger.receipted("id-z", "DELIVRD");
    ledger.submitted("z", 1);
    assert_eq!(ledger.strays().len(), 2);
}

#[test]
fn platform_and_carrier_understand_each_other() {
    let smsc = Smsc::start(|submit| match submit.number {
        1 => Answer::Take("one".to_owned(), vec![receipt("one", "DELIVRD")]),
        2 => Answer::ReceiptsFirst("two".to_owned(), vec![receipt("two", "UNDELIV")]),
        3 => Answer::Refuse(0x58),
        4 => Answer::Silence,
        _ => Answer::HangUp,
    });
    let mut esme = Esme::riverside(smsc.address);
    let first = esme.submit("447700900001", "hello");
    assert_eq!(esme.response_to(first).message_id(), "one");
    assert_eq!(esme.receipt(), receipt("one", "DELIVRD"));
    let second = esme.submit("447700900002", "hello");
    assert_eq!(esme.receipt(), receipt("two", "UNDELIV"), "before the response");
    assert_eq!(esme.response_to(second).message_id(), "two");
    let third = esme.submit("447700900003", "hello");
    assert_eq!(esme.response_to(third).status, 0x58);
    esme.submit("447700900004", "hello");
    assert!(esme.is_alive(), "nothing but the answer to this comes after a silence");
    eventually("both receipts are answered", || (smsc.delivered() == [0, 0]).then_some(()));

    let mut other = Esme::riverside(smsc.address);
    let sequence = other.request(UNBIND, &[]);
    assert_eq!(other.response_to(sequence).status, 0);
    assert_eq!(smsc.binds(), (2, 1));
    esme.submit("447700900005", "bye");
    assert_eq!(esme.next(), Next::Closed);

    let submits = smsc.submits();
    assert_eq!(submits.len(), 5);
    assert_eq!((submits[0].to.as_str(), submits[0].from.as_str()), ("447700900001", "Riverside"));
    assert_eq!((submits[0].octets.as_slice(), submits[0].registered), (&b"hello"[..], 1));
}

#[test]
fn octets_of_a_pdu_are_as_the_standard_lays_them_out() {
    let pdu = Pdu { command: SUBMIT_SM, status: 0, sequence: 0x0102_0304, body: vec![0xff] };
    assert_eq!(pdu.octets(), [0, 0, 0, 17, 0, 0, 0, 4, 0, 0, 0, 0, 1, 2, 3, 4, 0xff]);
}
