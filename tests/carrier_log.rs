//! What an operator reads while a carrier misbehaves: each trouble once, with its name and its extent, and not once for each attempt.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use support::esme::Esme;
use support::http::get;
use support::smsc::{Answer, Smsc};
use support::{Daemon, eventually, settings};

const QUICK: &str = "binds = 2\nreconnect_first = \"5ms\"\nreconnect_max = \"20ms\"";
const INVALID_SYSTEM_TYPE: u32 = 0x53;
const BIND_FAILED: u32 = 0x0D;

/// The lines that say this.
fn lines(daemon: &Daemon, what: &str) -> Vec<String> {
    daemon.log().lines().filter(|line| line.contains(what)).map(str::to_owned).collect()
}

#[test]
fn a_carrier_that_goes_away_is_told_once_and_so_is_its_coming_back() {
    let refuses = Arc::new(AtomicBool::new(false));
    let says = refuses.clone();
    let smsc = Smsc::choosing(
        move |_| if says.load(Ordering::Relaxed) { BIND_FAILED } else { 0 },
        |_| Answer::Take("1".into(), vec![]),
    );
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, QUICK));
    eventually("both are bound", || (lines(&daemon, "bound carrier=alpha").len() == 2).then_some(()));
    refuses.store(true, Ordering::Relaxed);
    smsc.hang_up();
    eventually("it is tried again and again", || (smsc.asked().len() > 20).then_some(()));
    let gone = lines(&daemon, "no bind is left");
    assert!(gone.len() == 1 && gone[0].contains("ERROR") && gone[0].contains("carrier=alpha"), "{gone:?}");
    let refused = lines(&daemon, "the bind was refused");
    assert!(refused.len() == 1 && refused[0].contains("ESME_RBINDFAIL"), "{refused:?}");
    assert_eq!(lines(&daemon, "WARN unbound carrier=alpha").len(), 2, "{}", daemon.log());
    refuses.store(false, Ordering::Relaxed);
    eventually("both come back", || (lines(&daemon, "bound carrier=alpha kind").len() >= 4).then_some(()));
}

#[test]
fn a_wrong_account_is_an_error_and_not_tried_again_soon() {
    let smsc = Smsc::choosing(|_| INVALID_SYSTEM_TYPE, |_| Answer::Silence);
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, QUICK));
    let refused = eventually("it is refused", || lines(&daemon, "the bind was refused").pop());
    assert!(refused.contains("ERROR") && refused.contains("ESME_RINVSYSTYP"), "{refused}");
    assert!(smsc.asked().len() <= 2, "one attempt for each bind");
}

#[test]
fn throttling_is_told_once_a_minute_and_counted() {
    let smsc = Smsc::start(|submit| if submit.number % 2 == 0 { Answer::Refuse(0x58) } else { taken(submit.number) });
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, "window = 1"));
    let mut esme = Esme::riverside(daemon.smpp);
    let asked: Vec<u32> = (0..8).map(|n| esme.submit("447700900123", &format!("{n}"))).collect();
    asked.into_iter().for_each(|sequence| assert_eq!(esme.response_in_any_order(sequence).status, 0));
    eventually("eight are taken", || (smsc.submits().len() >= 15).then_some(()));
    assert_eq!(lines(&daemon, "asks to slow down").len(), 1);
    let counted = "sluice_carrier_binds_slowed{carrier=\"alpha\"} 1";
    eventually(counted, || get(daemon.http, "/metrics", None).text.contains(counted).then_some(()));
}

#[test]
fn late_and_unasked_responses_are_counted() {
    let smsc = Smsc::start(|submit| match submit.number {
        1 => Answer::TakeSlowly("late".into(), vec![], Duration::from_millis(400), Duration::ZERO),
        number => taken(number),
    });
    let further = "response_timeout = \"100ms\"\nresponse_grace = \"30s\"";
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, further));
    let mut esme = Esme::riverside(daemon.smpp);
    let sequence = esme.submit("447700900123", "first");
    assert_eq!(esme.response_to(sequence).status, 0);
    eventually("it has come", || (!smsc.submits().is_empty()).then_some(()));
    smsc.say(0, 0x8000_0004, 0x7FFF_FFF0, b"other\0");
    let counted = ["carrier_responses_late_total", "carrier_responses_unmatched_total"];
    eventually("both are counted", || {
        let metrics = get(daemon.http, "/metrics", None).text;
        counted.iter().all(|name| metrics.contains(&format!("sluice_{name}{{carrier=\"alpha\"}} 1"))).then_some(())
    });
}

fn taken(number: usize) -> Answer {
    Answer::Take(format!("{number}"), vec![])
}
