//! A tenant that does not take its receipts, or does not even read, costs the others nothing; what is due to it
//! is kept and comes when it takes again.

mod support;

use std::collections::BTreeSet;

use support::esme::{BIND_RECEIVER, BIND_TRANSMITTER, DELIVER_SM, Esme, Next};
use support::smsc::Smsc;
use support::{Daemon, eventually, settings};

const SLOW_MESSAGES: usize = 2_000;
const BATCH: usize = 100;
const QUICK_MESSAGES: usize = 200;

#[test]
fn one_that_never_answers_its_receipts() {
    let (daemon, smsc) = road();
    // It reads and never answers, so its delivery window stays full.
    let mut deaf = Esme::bind(daemon.smpp, BIND_RECEIVER, "slow", "secret").expect("a bind");
    let ids = submitted(&daemon, "slow", SLOW_MESSAGES);
    everything_is_submitted(&smsc, SLOW_MESSAGES);
    assert!(matches!(deaf.next(), Next::Pdu(pdu) if pdu.command == DELIVER_SM), "it is offered receipts");

    the_other_is_served(&daemon);

    drop(deaf);
    all_come(&daemon, ids);
}

#[test]
fn one_that_never_reads() {
    let (daemon, smsc) = road();
    let mute = Esme::bind(daemon.smpp, BIND_RECEIVER, "slow", "secret").expect("a bind");
    let ids = submitted(&daemon, "slow", SLOW_MESSAGES);
    everything_is_submitted(&smsc, SLOW_MESSAGES);
    the_other_is_served(&daemon);
    drop(mute);
    all_come(&daemon, ids);
}

#[test]
fn one_that_is_away() {
    let (mut daemon, smsc) = road();
    let ids = submitted(&daemon, "slow", SLOW_MESSAGES);
    everything_is_submitted(&smsc, SLOW_MESSAGES);
    the_other_is_served(&daemon);
    // What is due to it is as durable as anything else.
    daemon.kill9();
    daemon.restart();
    all_come(&daemon, ids);
}

fn road() -> (Daemon, Smsc) {
    let smsc = Smsc::delivering();
    let config = settings::tenant("slow", "")
        + &settings::tenant("quick", "")
        + &settings::carrier("alpha", smsc.address, "binds = 2\nwindow = 50")
        + &settings::route(&["alpha"]);
    (Daemon::start(&config), smsc)
}

/// Submits over a transmitter, which gets no receipts, and returns the ids.
fn submitted(daemon: &Daemon, tenant: &str, count: usize) -> BTreeSet<String> {
    let mut esme = Esme::bind(daemon.smpp, BIND_TRANSMITTER, tenant, "secret").expect("a bind");
    let mut ids = BTreeSet::new();
    for batch in 0..count / BATCH {
        let asked = (0..BATCH).map(|n| esme.submit(&format!("4477009{:05}", batch * BATCH + n), "hello"));
        let last = asked.last().expect("a batch is not empty");
        for sequence in last - u32::try_from(BATCH).expect("small") + 1..=last {
            let response = esme.response_in_any_order(sequence);
            assert_eq!(response.status, 0, "{response:?}");
            ids.insert(response.message_id());
        }
    }
    ids
}

fn everything_is_submitted(smsc: &Smsc, count: usize) {
    eventually("the carrier has everything", || (smsc.submits().len() >= count).then_some(()));
    eventually("its receipts are answered", || (smsc.delivered().len() >= count).then_some(()));
}

/// The other tenant gets every receipt, within the patience for a single PDU each.
fn the_other_is_served(daemon: &Daemon) {
    let mut receiver = Esme::bind(daemon.smpp, BIND_RECEIVER, "quick", "secret").expect("a bind");
    let ids = submitted(daemon, "quick", QUICK_MESSAGES);
    let came: BTreeSet<String> = (0..QUICK_MESSAGES).map(|_| id_in(&receiver.receipt())).collect();
    assert_eq!(came, ids);
}

/// A fresh bind that answers gets every receipt of the slow tenant.
fn all_come(daemon: &Daemon, mut ids: BTreeSet<String>) {
    let mut receiver = Esme::bind(daemon.smpp, BIND_RECEIVER, "slow", "secret").expect("a bind");
    while !ids.is_empty() {
        // One that was offered and not answered before may come again; one that is not ours never.
        let id = id_in(&receiver.receipt());
        assert!(ids.remove(&id), "{id} came a second time or belongs to nobody");
    }
}

fn id_in(text: &str) -> String {
    text.split(' ').find_map(|word| word.strip_prefix("id:")).unwrap_or_default().to_owned()
}
