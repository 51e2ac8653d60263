//! A stop while a backlog flows: what is in windows is awaited, nothing more is released, and after the next start every part has been
//! submitted exactly once; so after a pause of the process. It does not look at receipts.

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use support::esme::Esme;
use support::smsc::{Answer, Smsc};
use support::{Daemon, eventually, pause, settings};

const MESSAGES: usize = 200;

#[test]
fn sigterm_under_load() {
    let smsc = Smsc::start(|submit| {
        Answer::TakeSlowly(format!("{:08x}", submit.number), Vec::new(), Duration::from_millis(150), Duration::ZERO)
    });
    let mut daemon = Daemon::start(&settings::one_carrier(smsc.address, "binds = 2\nwindow = 5"));
    let mut esme = Esme::riverside(daemon.smpp);
    let sequences: Vec<u32> = (0..MESSAGES).map(|n| esme.submit(&format!("4477009{n:05}"), "hello")).collect();
    for sequence in sequences {
        assert_eq!(esme.response_or_receipts(sequence, |_| ()).status, 0);
    }
    eventually("the backlog flows", || (smsc.submits().len() >= 20).then_some(()));
    assert_eq!(daemon.term().code(), Some(0), "{}", daemon.log());
    assert!(smsc.submits().len() < MESSAGES, "there was a backlog left");
    assert!(!daemon.log().contains("sent again"), "{}", daemon.log());
    let (binds, unbinds) = smsc.binds();
    assert_eq!(binds, unbinds, "every bind was unbound");

    daemon.restart();
    eventually("the rest is sent after the next start", || (smsc.submits().len() >= MESSAGES).then_some(()));
    assert_eq!(daemon.term().code(), Some(0), "{}", daemon.log());
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for submit in smsc.submits() {
        *times.entry(submit.to).or_default() += 1;
    }
    assert_eq!(times.len(), MESSAGES);
    assert!(times.values().all(|times| *times == 1), "{times:?}");
}

/// A process that was stopped for longer than a response may take finds the responses in its sockets, and repeats nothing.
#[test]
fn a_pause_of_the_process() {
    let smsc = Smsc::start(|submit| {
        Answer::TakeSlowly(format!("{:08x}", submit.number), Vec::new(), Duration::from_millis(400), Duration::ZERO)
    });
    let patience = "binds = 2\nwindow = 10\nresponse_timeout = \"1s\"\nresponse_grace = \"1s\"";
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, patience));
    let mut esme = Esme::riverside(daemon.smpp);
    let sequences: Vec<u32> = (0..MESSAGES / 2).map(|n| esme.submit(&format!("4477009{n:05}"), "hello")).collect();
    for sequence in sequences {
        assert_eq!(esme.response_or_receipts(sequence, |_| ()).status, 0);
    }
    eventually("the windows are full", || (smsc.submits().len() >= 40).then_some(()));
    daemon.signal("STOP");
    pause(Duration::from_secs(4));
    daemon.signal("CONT");
    eventually("all are sent", || (smsc.submits().len() >= MESSAGES / 2).then_some(()));
    assert_eq!(smsc.submits().len(), MESSAGES / 2, "sent again: {}", daemon.log());
}
