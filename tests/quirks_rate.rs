//! Quirks Q68 to Q76: carriers that throttle, answer late, differently or never, and windows and rates that hold all the same.

mod support;

use std::time::Duration;

use sluice::carrier::outcome::{Statuses, Treatment};
use sluice::smpp::status::CommandStatus;
use support::esme::Esme;
use support::http::{get, post};
use support::smsc::{Answer, Smsc, Submit, receipt};
use support::{Daemon, eventually, settings};

const THROTTLED: u32 = 0x58;
const QUEUE_FULL: u32 = 0x14;
const TO: &str = "447700900123";

/// Takes it and reports it as delivered.
fn delivered(submit: &Submit) -> Answer {
    let id = format!("{:08x}", submit.number);
    Answer::Take(id.clone(), vec![receipt(&id, "DELIVRD")])
}

fn texts(submits: &[Submit]) -> Vec<String> {
    submits.iter().map(|submit| String::from_utf8_lossy(&submit.octets).into_owned()).collect()
}

/// Submits these texts to one number and waits until all are accepted.
fn submit_all(esme: &mut Esme, to: &str, texts: &[&str]) {
    let asked: Vec<u32> = texts.iter().map(|text| esme.submit(to, text)).collect();
    for sequence in asked {
        assert_eq!(esme.response_in_any_order(sequence).status, 0);
    }
}

#[test]
fn q68_throttling_keeps_the_order_and_loses_nothing() {
    let smsc =
        Smsc::start(
            |submit| if submit.number % 3 == 0 { Answer::Refuse(THROTTLED) } else { Answer::Take("1".into(), vec![]) },
        );
    // A single attempt: throttling is none, or the third message would be refused for good.
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, "window = 1\nattempts_max = 1"));
    let mut esme = Esme::riverside(daemon.smpp);
    submit_all(&mut esme, TO, &["1", "2", "3", "4", "5"]);
    let submits = eventually("seven submits", || Some(smsc.submits()).filter(|submits| submits.len() >= 7));
    assert_eq!(texts(&submits), ["1", "2", "3", "3", "4", "5", "5"], "each refused one comes again before the next");
}

#[test]
fn q69_a_queue_that_is_full_for_one_number_delays_that_number_alone() {
    let smsc = Smsc::start(|submit| if submit.to == TO { Answer::Refuse(QUEUE_FULL) } else { delivered(submit) });
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, "window = 1\nattempts_max = 2"));
    let full = posted(&daemon, &serde_json::json!({ "to": TO, "from": "Shop", "text": "full" }));
    let others =
        (0..20).map(|n| serde_json::json!({ "to": format!("4477009002{n:02}"), "from": "Shop", "text": "hi" }));
    let others: Vec<String> = others.map(|body| posted(&daemon, &body)).collect();
    for path in &others {
        part(&daemon, path, |part| part["state"] == "delivered");
    }
    let tries = || smsc.submits().iter().filter(|submit| submit.to == TO).count();
    eventually("it is tried on, beyond the attempts of other errors", || (tries() > 4).then_some(()));
    assert_eq!(part(&daemon, &full, |_| true)["state"], "accepted");
}

#[test]
fn q69_a_queue_that_is_full_for_all_is_throttling() {
    let smsc = Smsc::start(|submit| if submit.number <= 4 { Answer::Refuse(QUEUE_FULL) } else { delivered(submit) });
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, "window = 1\nattempts_max = 1"));
    let bodies = (0..3).map(|n| serde_json::json!({ "to": format!("4477009002{n:02}"), "from": "Shop", "text": "hi" }));
    let paths: Vec<String> = bodies.map(|body| posted(&daemon, &body)).collect();
    for path in &paths {
        part(&daemon, path, |part| part["state"] == "delivered");
    }
    assert_eq!(smsc.submits().len(), 7);
}

#[test]
fn q70_no_window_is_ever_exceeded() {
    for window in [1, 3] {
        let smsc = Smsc::start(|submit| {
            Answer::TakeSlowly(format!("{}", submit.number), vec![], Duration::from_millis(5), Duration::ZERO)
        });
        let daemon = Daemon::start(&settings::one_carrier(smsc.address, &format!("window = {window}")));
        let mut esme = Esme::riverside(daemon.smpp);
        submit_all(&mut esme, TO, &["text"; 20]);
        eventually("all are submitted", || (smsc.submits().len() == 20).then_some(()));
        assert!((1..=window).contains(&smsc.most_outstanding()), "{} at once", smsc.most_outstanding());
    }
}

#[test]
fn q71_a_long_message_passes_a_low_rate_whole_and_in_order() {
    let smsc = Smsc::delivering();
    let config = settings::tenant("riverside", "rate = \"10/s\"")
        + &settings::carrier("alpha", smsc.address, "rate = \"10/s\"\nwindow = 1")
        + &settings::route(&["alpha"]);
    let daemon = Daemon::start(&config);
    let mut esme = Esme::riverside(daemon.smpp);
    let long = "twelve parts ".repeat(12 * 153 / 13);
    submit_all(&mut esme, TO, &[&long, "short"]);
    let submits = eventually("all parts", || Some(smsc.submits()).filter(|submits| submits.len() == 13));
    // The header is six octets; the last says which part it is.
    let numbers: Vec<u8> = submits[..12].iter().map(|submit| submit.octets[5]).collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<u8>>());
    assert_eq!(submits[12].octets, b"short", "nothing came between the parts");
}

#[test]
fn q72_every_status_is_treated_by_its_class_unless_the_carrier_differs() {
    let standard = Statuses::default();
    let mut rows = csv::Reader::from_reader(include_str!("data/facts/smpp_status.csv").as_bytes());
    let mut seen = 0;
    for row in rows.deserialize::<std::collections::BTreeMap<String, String>>() {
        let row = row.expect("a row");
        let code = u32::from_str_radix(row["code"].trim_start_matches("0x"), 16).expect("hexadecimal");
        seen += 1;
        let wanted = match (row["class"].as_str(), row["gateway_action"].as_str()) {
            ("ok", _) => continue,
            ("throttle", _) => Treatment::SlowDown,
            ("temporary", _) | (_, "retry" | "slow-down") => Treatment::Retry,
            _ => Treatment::Refuse,
        };
        assert_eq!(standard.treatment(CommandStatus(code)), wanted, "{}", row["name"]);
        for own in [Treatment::Retry, Treatment::SlowDown, Treatment::Refuse] {
            assert_eq!(Statuses::new(vec![(code, own)]).treatment(CommandStatus(code)), own, "{}", row["name"]);
        }
    }
    assert!(seen >= 67, "{seen} statuses");
    assert_eq!(standard.treatment(CommandStatus(0x55F)), Treatment::Refuse);
}

/// Submits over HTTP and returns the path that tells what became of it.
fn posted(daemon: &Daemon, body: &serde_json::Value) -> String {
    let answer = post(daemon.http, "/v1/messages", Some("riverside-key"), body);
    assert_eq!(answer.status, 202, "{}", answer.text);
    format!("/v1/messages/{}", answer.body["id"].as_str().expect("an id"))
}

/// The only part of a message, once `wanted` says that it has come so far.
fn part(daemon: &Daemon, path: &str, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    eventually("the part comes so far", || {
        let answer = get(daemon.http, path, Some("riverside-key"));
        let part = answer.body["part_list"][0].clone();
        wanted(&part).then_some(part)
    })
}

#[test]
fn q73_a_vendors_status_is_kept_as_a_number_and_can_be_mapped() {
    for (mapped, state, submits) in [("", "rejected", 1), ("statuses = { \"1375\" = \"retry\" }", "delivered", 2)] {
        let smsc = Smsc::start(|submit| if submit.number == 1 { Answer::Refuse(0x55F) } else { delivered(submit) });
        let daemon = Daemon::start(&settings::one_carrier(smsc.address, mapped));
        let path = posted(&daemon, &serde_json::json!({ "to": TO, "from": "Shop", "text": "hello" }));
        let part = part(&daemon, &path, |part| part["state"] == state);
        assert_eq!(smsc.submits().len(), submits);
        if submits == 1 {
            assert_eq!(part["error"], "0x0000055F (1375)");
        }
    }
}

#[test]
fn q74_a_response_after_its_time_is_still_the_answer() {
    let smsc = Smsc::start(|submit| {
        let id = format!("{:08x}", submit.number);
        let receipt = receipt(&id, "DELIVRD");
        Answer::TakeSlowly(id, vec![receipt], Duration::from_millis(1_500), Duration::ZERO)
    });
    let further = "response_timeout = \"500ms\"\nresponse_grace = \"30s\"";
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, further));
    let late = posted(&daemon, &serde_json::json!({ "to": TO, "from": "Shop", "text": "late" }));
    let part = part(&daemon, &late, |part| part["state"] == "delivered");
    assert_eq!((&part["possible_duplicate"], &part["carrier_id"]), (&false.into(), &"00000001".into()), "{part}");
    assert_eq!(smsc.submits().len(), 1, "it was submitted once");
    assert_eq!(smsc.binds().0, 1, "over one link");
}

#[test]
fn q75_responses_that_answer_nothing_close_no_link() {
    let smsc = Smsc::start(delivered);
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, ""));
    let mut esme = Esme::riverside(daemon.smpp);
    submit_all(&mut esme, TO, &["first"]);
    esme.receipt();
    let first = smsc.submits()[0].clone();
    // The same response twice more, and one to what was never asked.
    for sequence in [first.sequence, first.sequence, 0x7FFF_FFF0] {
        smsc.say(first.connection, 0x8000_0004, sequence, b"other\0");
        esme.send(&support::esme::Pdu { command: 0x8000_0005, status: 0, sequence, body: vec![0] });
    }
    submit_all(&mut esme, TO, &["second"]);
    assert!(esme.receipt().contains("stat:DELIVRD"));
    assert_eq!((smsc.binds().0, smsc.submits().len()), (1, 2));
}

/// The submit that is never answered because the daemon ends, in the test that ends it.
const LOST_BY_US: usize = 22;

/// Ten messages whose link was cut before any response.
fn cut_with_ten_outstanding(further: &str) -> (Daemon, Smsc, Vec<String>) {
    let smsc = Smsc::start(|submit| match submit.number {
        10 => Answer::HangUp,
        n if n < 10 || n == LOST_BY_US => Answer::Silence,
        _ => delivered(submit),
    });
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, &format!("window = 10\n{further}")));
    let body = serde_json::json!({ "to": TO, "from": "Shop", "text": "hello" });
    let paths = (0..10).map(|_| posted(&daemon, &body)).collect();
    (daemon, smsc, paths)
}

#[test]
fn q76_what_a_lost_link_leaves_open_is_sent_again_and_marked() {
    let (daemon, smsc, paths) = cut_with_ten_outstanding("");
    for path in &paths {
        let part = part(&daemon, path, |part| part["state"] == "delivered");
        assert_eq!(part["possible_duplicate"], true);
    }
    assert_eq!(smsc.submits().len(), 20);
}

#[test]
fn q76_or_is_left_alone_where_once_at_most_is_wanted() {
    let (mut daemon, smsc, paths) = cut_with_ten_outstanding("in_doubt = \"leave\"");
    let hello = |text: &str| serde_json::json!({ "to": TO, "from": "Shop", "text": text });
    for n in 11..LOST_BY_US {
        let fresh = posted(&daemon, &hello("fresh"));
        part(&daemon, &fresh, |part| part["state"] == "delivered");
        assert_eq!(smsc.submits().len(), n);
    }
    let lost_by_us = posted(&daemon, &hello("lost"));
    eventually("it is submitted", || (smsc.submits().len() == LOST_BY_US).then_some(()));
    daemon.restart();
    let fresh = posted(&daemon, &hello("fresh"));
    part(&daemon, &fresh, |part| part["state"] == "delivered");
    for path in paths.iter().chain([&lost_by_us]) {
        let part = part(&daemon, path, |_| true);
        assert_eq!((&part["state"], &part["carrier_id"]), (&"enroute".into(), &serde_json::Value::Null));
        assert_eq!(part["possible_duplicate"], false);
    }
    assert_eq!(smsc.submits().len(), LOST_BY_US + 1, "no part was submitted twice");
}
