//! What was acknowledged is present after any crash: nothing is missing at the carrier, nothing is charged
//! twice, what was sent twice is marked. Checked: I1, I2, I4 (one posting for each part) and that each
//! acknowledged message gets a receipt. Not checked here: opt-outs, inbound messages, memory, order.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use support::esme::{DELIVER_SM, Esme, Next, SUBMIT_SM, submit_body};
use support::smsc::{Answer, Smsc, receipt};
use support::{Daemon, Ledger, cdr, eventually, settings};

const ROUNDS: usize = 20;
const MESSAGES_PER_ROUND: usize = 60;
const BINDS: usize = 2;
const WINDOW: usize = 10;
const RESPONSE: u32 = support::esme::RESPONSE;

#[test]
fn with_a_quick_carrier() {
    survives(Smsc::delivering(), 1);
}

#[test]
fn with_a_slow_carrier() {
    // Slow enough that most kills find parts released, sent, or waiting for their receipt.
    let slow = Smsc::start(|submit| {
        let id = format!("{:08x}", submit.number);
        let receipts = vec![receipt(&id, "DELIVRD")];
        Answer::TakeSlowly(id, receipts, Duration::from_millis(15), Duration::from_millis(25))
    });
    survives(slow, 2);
}

fn survives(smsc: Smsc, seed: u64) {
    let further = format!("binds = {BINDS}\nwindow = {WINDOW}");
    let mut daemon = Daemon::start(&settings::one_carrier(smsc.address, &further));
    let mut ledger = Ledger::default();
    let mut dice = Dice(seed);
    for round in 0..ROUNDS {
        // Both responses and receipts count, so that kills fall before, between and after them.
        let events = 1 + dice.below(2 * MESSAGES_PER_ROUND - 1);
        one_round(&mut daemon, &mut ledger, round, events);
        daemon.kill9();
        daemon.restart();
    }
    let acknowledged = ledger.acknowledged_count();
    assert!(acknowledged > ROUNDS, "seed {seed}: only {acknowledged} messages were acknowledged at all");
    settle(&daemon, &smsc, &mut ledger, seed);
    judge(&mut daemon, &ledger, seed);
}

/// Submits a batch in one write and reads what comes until so many responses and receipts were seen.
fn one_round(daemon: &mut Daemon, ledger: &mut Ledger, round: usize, events: usize) {
    let mut esme = Esme::riverside(daemon.smpp);
    let mut keys: Vec<(u32, String)> = Vec::new();
    for n in 0..MESSAGES_PER_ROUND {
        let key = format!("message {:06}", round * MESSAGES_PER_ROUND + n);
        ledger.sent(&key, 1);
        let body = submit_body(&number(round * MESSAGES_PER_ROUND + n), &key);
        keys.push((esme.request(SUBMIT_SM, &body), key));
    }
    let mut seen = 0;
    while seen < events {
        let Next::Pdu(pdu) = esme.next() else { panic!("the daemon closed a bind: {}", daemon.log()) };
        if pdu.command == SUBMIT_SM | RESPONSE {
            assert_eq!(pdu.status, 0, "nothing here is to be refused");
            let (_, key) = keys.iter().find(|(sequence, _)| *sequence == pdu.sequence).expect("a response to ours");
            ledger.acknowledged(key, &pdu.message_id());
            seen += 1;
        } else if pdu.command == DELIVER_SM {
            note_receipt(ledger, &pdu.short_message());
            esme.answer(&pdu);
            seen += 1;
        } else {
            esme.answer(&pdu);
        }
    }
}

/// Waits until every acknowledged message has reached the carrier and its receipt has come back.
fn settle(daemon: &Daemon, smsc: &Smsc, ledger: &mut Ledger, seed: u64) {
    let mut esme = Esme::riverside(daemon.smpp);
    loop {
        let open = |ledger: &Ledger| {
            let entries = ledger.entries().values();
            entries.filter(|entry| entry.acknowledged.is_some() && entry.receipts.is_empty()).count()
        };
        if open(ledger) == 0 {
            break;
        }
        let Next::Pdu(pdu) = esme.next() else { panic!("seed {seed}: closed with {} open", open(ledger)) };
        if pdu.command == DELIVER_SM {
            note_receipt(ledger, &pdu.short_message());
        }
        esme.answer(&pdu);
    }
    for submit in smsc.submits() {
        ledger.submitted(&String::from_utf8_lossy(&submit.octets), 1);
    }
}

fn judge(daemon: &mut Daemon, ledger: &Ledger, seed: u64) {
    assert_eq!(ledger.missing_at_carrier(), Vec::<String>::new(), "seed {seed}: acknowledged and lost");
    assert_eq!(ledger.repeated_more_than(ROUNDS), Vec::<String>::new(), "seed {seed}");
    let repeats = ledger.repeats();
    assert!(repeats <= ROUNDS * BINDS * WINDOW, "seed {seed}: {repeats} repeats, more than the windows held");

    let ids: BTreeSet<&str> = ledger.entries().values().filter_map(|entry| entry.acknowledged.as_deref()).collect();
    let data = daemon.dir.join("data");
    let billed = |id: &str| cdr::by_part(&cdr::lines(&data)).contains_key(&(id.to_owned(), 1));
    eventually("every acknowledged message is billed", || ids.iter().all(|id| billed(id)).then_some(()));
    assert_eq!(daemon.term().code(), Some(0), "seed {seed}: {}", daemon.log());

    let lines = cdr::lines(&data);
    let twice: Vec<_> = cdr::by_part(&lines).into_iter().filter(|(_, times)| *times > 1).collect();
    assert_eq!(twice, Vec::new(), "seed {seed}: billed twice");
    for line in &lines {
        assert_eq!(cdr::micros(line["price"].as_str().expect("a price")), settings::PRICE_MICROS, "{line}");
    }
    // Messages whose response was lost in the kill are there too; only acknowledged ones have an id we know.
    for (key, entry) in ledger.entries().iter().filter(|(_, entry)| entry.submits.values().any(|times| *times > 1)) {
        let Some(id) = entry.acknowledged.as_deref() else { continue };
        let line = lines.iter().find(|line| line["id"] == id).expect("billed, as was just seen");
        assert_eq!(line["possible_duplicate"], true, "seed {seed}: {key} was sent again unmarked: {line}");
    }
}

/// The receipt's id and state. An unanswered receipt may come again after a crash; a second one must say the same.
fn note_receipt(ledger: &mut Ledger, text: &str) {
    let word = |name: &str| text.split(' ').find_map(|word| word.strip_prefix(name)).unwrap_or_default().to_owned();
    assert_eq!(word("stat:"), "DELIVRD", "{text}");
    let id = word("id:");
    let known = ledger.entries().values().any(|entry| entry.acknowledged.as_deref() == Some(&id));
    // A receipt may overtake nothing, but the response it belongs to may have been lost in the kill.
    if known {
        ledger.receipted(&id, "DELIVRD");
    }
}

/// A destination of its own for each message.
fn number(n: usize) -> String {
    format!("4477009{n:05}")
}

/// A small linear congruential generator: the same seed throws the same numbers.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }
}
