//! A message that makes the carrier drop the link each time ends, uncharged, and everything else goes on.

mod support;

use std::collections::BTreeMap;

use support::esme::Esme;
use support::http::get;
use support::smsc::{Answer, Smsc, receipt};
use support::{Daemon, eventually, settings};

const POISON: &str = "447700900666";
const OTHERS: usize = 40;

/// Hangs up on one number and delivers to all others.
fn picky() -> Smsc {
    Smsc::start(|submit| {
        if submit.to == POISON {
            return Answer::HangUp;
        }
        let id = format!("{:08x}", submit.number);
        Answer::Take(id.clone(), vec![receipt(&id, "DELIVRD")])
    })
}

#[test]
fn a_message_that_costs_the_link_each_time_is_refused_and_the_rest_is_delivered() {
    let smsc = picky();
    let further = "window = 10\nreconnect_first = \"10ms\"\nreconnect_max = \"50ms\"\nretry_first = \"100ms\"";
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, further));
    let mut esme = Esme::riverside(daemon.smpp);
    let asked: Vec<(usize, u32)> = (0..OTHERS)
        .map(|n| (n, esme.submit(if n == 7 { POISON } else { "447700900123" }, &format!("text {n}"))))
        .collect();
    let mut ids = BTreeMap::new();
    let mut receipts = Vec::new();
    for (n, sequence) in asked {
        let response = esme.response_or_receipts(sequence, |text| receipts.push(text));
        assert_eq!(response.status, 0);
        ids.insert(n, response.message_id());
    }
    while receipts.len() < OTHERS {
        receipts.push(esme.receipt());
    }
    let told = |n: usize| receipts.iter().find(|text| text.contains(&ids[&n])).expect("each is reported");
    for n in 0..OTHERS {
        assert!(told(n).contains(if n == 7 { "stat:REJECTD" } else { "stat:DELIVRD" }), "{n}: {}", told(n));
    }
    let poison = get(daemon.http, &format!("/v1/messages/{}", ids[&7]), Some("riverside-key")).body;
    assert_eq!((&poison["state"], &poison["part_list"][0]["possible_duplicate"]), (&"rejected".into(), &true.into()));
    assert_eq!(poison["part_list"][0]["error"], "ESME_RUNKNOWNERR (0x000000FF)");
    let hung_up = smsc.submits().iter().filter(|submit| submit.to == POISON).count();
    assert!((3..=6).contains(&hung_up), "{hung_up} links were lost to it");
    let metrics = eventually("it is counted", || {
        let text = get(daemon.http, "/metrics", None).text;
        text.contains("sluice_parts_given_up_total 1").then_some(text)
    });
    assert!(metrics.contains("sluice_parts_rejected_total 1"), "{metrics}");
}

/// A carrier that closes the link at each tenth submit, whatever it is: it is bound to again soon, because it works in between, and no part is
/// taken for poison.
#[test]
fn a_carrier_that_hangs_up_now_and_then_gets_everything() {
    let smsc = Smsc::start(|submit| match submit.number % 10 {
        0 => Answer::HangUp,
        _ => Answer::Take(format!("m-{}", submit.number), vec![receipt(&format!("m-{}", submit.number), "DELIVRD")]),
    });
    // With pauses that grow from loss to loss this would take minutes.
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, "window = 4"));
    let mut esme = Esme::riverside(daemon.smpp);
    let mut receipts = Vec::new();
    let asked: Vec<u32> = (0..100).map(|n| esme.submit("447700900123", &format!("text {n}"))).collect();
    for sequence in asked {
        assert_eq!(esme.response_or_receipts(sequence, |text| receipts.push(text)).status, 0);
    }
    while receipts.len() < 100 {
        receipts.push(esme.receipt());
    }
    assert!(receipts.iter().all(|text| text.contains("stat:DELIVRD")), "{receipts:?}");
    assert!(smsc.binds().0 >= 10, "it has hung up often");
}
