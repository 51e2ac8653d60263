//! A carrier that cannot be reached any more, in each way in which that happens: what waits for it goes by the other one of the route, its
//! parts together, and what may have arrived is marked.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use support::fault::{Conditions, Faults};
use support::http::{get, post};
use support::smsc::{Answer, Smsc};
use support::{Daemon, eventually, settings};

const MESSAGES: usize = 20;
const WINDOW: usize = 4;

/// Refused by the carrier: ESME_RBINDFAIL.
const BIND_FAILED: u32 = 0x0D;

/// A carrier that answers no submit, and refuses binds once it is told to.
fn hanging(refuses: &Arc<AtomicBool>) -> Smsc {
    let refuses = refuses.clone();
    Smsc::choosing(move |_| if refuses.load(Ordering::Relaxed) { BIND_FAILED } else { 0 }, |_| Answer::Silence)
}

fn start(first: std::net::SocketAddr, second: std::net::SocketAddr) -> Daemon {
    let quick = "enquire_link = \"1s\"\nresponse_timeout = \"500ms\"\nresponse_grace = \"30s\"";
    let config = settings::tenant("riverside", "")
        + &settings::carrier("alpha", first, &format!("window = {WINDOW}\n{quick}"))
        + &settings::carrier("beta", second, "window = 100")
        + &settings::route(&["alpha", "beta"]);
    let daemon = Daemon::start(&config);
    eventually("both are bound", || {
        let text = get(daemon.http, "/metrics", None).text;
        ["alpha", "beta"].iter().all(|id| text.contains(&format!("carrier_binds{{carrier=\"{id}\"}} 1"))).then_some(())
    });
    daemon
}

/// Fills the window of the first carrier and its lane; says where to ask for the messages.
fn backlog(daemon: &Daemon, first: &Smsc) -> Vec<String> {
    let paths = (0..MESSAGES)
        .map(|n| {
            let text = format!("{n} ").repeat(90);
            let body = serde_json::json!({ "to": format!("4477009{n:05}"), "from": "Shop", "text": text });
            let answer = post(daemon.http, "/v1/messages", Some("riverside-key"), &body);
            assert_eq!(answer.status, 202, "{}", answer.text);
            format!("/v1/messages/{}", answer.body["id"].as_str().expect("an id"))
        })
        .collect();
    eventually("the window is full", || (first.submits().len() == WINDOW).then_some(()));
    paths
}

#[expect(clippy::disallowed_methods, reason = "how long it takes is printed")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "a figure for whoever runs it with --nocapture")]
fn said(figure: &str) {
    println!("{figure}");
}

/// Every part is with the second carrier, once, those that the first one had are marked, and it took less than `at_most` (generously).
fn all_with(daemon: &Daemon, second: &Smsc, paths: &[String], since: Instant, how: &str) {
    let parts: usize = paths.len() * 2;
    eventually("all parts are with the second carrier", || (second.submits().len() >= parts).then_some(()));
    said(&format!("{how}: the last part was with the second carrier after {:?}", since.elapsed()));
    assert_eq!(second.submits().len(), parts, "each part once");
    let mut marked = 0;
    for path in paths {
        let message = get(daemon.http, path, Some("riverside-key")).body;
        let list = message["part_list"].as_array().expect("parts").clone();
        assert!(list.iter().all(|part| part["carrier"] == "beta"), "{message}");
        marked += list.iter().filter(|part| part["possible_duplicate"] == true).count();
    }
    assert_eq!(marked, WINDOW, "what was in the window of the first");
    let counted = format!("sluice_messages_rerouted_total {MESSAGES}");
    eventually(&counted, || get(daemon.http, "/metrics", None).text.contains(&counted).then_some(()));
}

fn taking() -> Smsc {
    Smsc::start(|submit| Answer::Take(format!("{}", submit.number), vec![]))
}

#[test]
fn when_it_hangs_up_and_refuses_binds() {
    let refuses = Arc::new(AtomicBool::new(false));
    let (first, second) = (hanging(&refuses), taking());
    let daemon = start(first.address, second.address);
    let paths = backlog(&daemon, &first);
    refuses.store(true, Ordering::Relaxed);
    let since = now();
    first.hang_up();
    all_with(&daemon, &second, &paths, since, "bind refused");
}

#[test]
fn when_it_falls_silent() {
    let refuses = Arc::new(AtomicBool::new(false));
    let (first, second) = (hanging(&refuses), taking());
    let line = Faults::before(first.address);
    let daemon = start(line.address, second.address);
    let paths = backlog(&daemon, &first);
    let since = now();
    line.set(Conditions { stalled: true, ..Conditions::default() });
    eventually("the silence is noticed", || daemon.log().contains("probes stayed unanswered").then_some(()));
    said(&format!("silence: noticed after {:?} (interval 1 s, timeout 0.5 s)", since.elapsed()));
    all_with(&daemon, &second, &paths, since, "silence");
}

#[test]
fn when_the_connection_is_reset() {
    let refuses = Arc::new(AtomicBool::new(false));
    let (first, second) = (hanging(&refuses), taking());
    let line = Faults::before(first.address);
    let daemon = start(line.address, second.address);
    let paths = backlog(&daemon, &first);
    refuses.store(true, Ordering::Relaxed);
    let since = now();
    line.reset();
    all_with(&daemon, &second, &paths, since, "reset");
}
