//! A finished message is found after the journal and the core have forgotten it: when its segment was given back, after a restart and
//! after a crash. The archive that answers promises nothing: without it the daemon starts and messages are simply not found.

mod support;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::{Carrier, Daemon, eventually, http, settings};

/// The smallest journal there is: two segments stay, the third lets the oldest go.
const STORE: &str = "[store]\nsegment = \"1MiB\"\ndisk_max = \"8MiB\"\n\n";
const KEY: &str = "riverside-key";
const BATCH: usize = 500;

fn configuration(carrier: &Carrier) -> String {
    STORE.to_owned() + &settings::one_carrier(carrier.smpp, "") + &settings::tenant("lakeside", "")
}

/// Posts a batch of messages and returns their ids.
fn post(daemon: &Daemon, batch: usize) -> Vec<String> {
    let text = "A message that is long enough to fill a segment soon, and that nobody reads. ".repeat(2);
    let to = |n: usize| format!("4477009{:05}", batch * BATCH + n);
    let messages: Vec<Value> =
        (0..BATCH).map(|n| json!({ "to": to(n), "from": "Riverside", "text": &text[..150] })).collect();
    let answer = http::post(daemon.http, "/v1/messages", Some(KEY), &json!({ "messages": messages }));
    assert_eq!(answer.status, 202, "{}", answer.text);
    let rows = answer.body["messages"].as_array().expect("rows");
    rows.iter().map(|row| row["id"].as_str().expect("all are accepted").to_owned()).collect()
}

fn ask(daemon: &Daemon, id: &str, key: &str) -> http::Answer {
    http::get(daemon.http, &format!("/v1/messages/{id}"), Some(key))
}

/// What the daemon says of a message once it has ended.
fn ended(daemon: &Daemon, id: &str) -> Value {
    eventually("a message ends", || {
        let found = ask(daemon, id, KEY);
        assert_eq!(found.status, 200, "{}", found.text);
        found.body["done_at"].is_string().then_some(found.body)
    })
}

/// Sends batches until the segment that is the first now has been given back. Every message must have been found at its end.
fn push_out_the_first_segment(daemon: &Daemon, from_batch: usize) -> usize {
    let first = segments(&daemon.dir).into_iter().next().expect("there is a segment");
    for batch in from_batch..from_batch + 200 {
        let ids = post(daemon, batch);
        ended(daemon, ids.last().expect("a batch is not empty"));
        if !segments(&daemon.dir).contains(&first) {
            return batch + 1;
        }
    }
    panic!("{} is never given back: {}", first.display(), daemon.log());
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join("data/journal")).expect("there is a journal");
    let mut names: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    names.retain(|name| name.extension().is_some_and(|extension| extension == "segment"));
    names.sort();
    names
}

#[test]
fn a_finished_message_outlives_its_segment_restarts_and_crashes() {
    let carrier = Carrier::start(&[]);
    let mut daemon = Daemon::start(&configuration(&carrier));
    let first = post(&daemon, 0);
    let told: Vec<Value> = first.iter().map(|id| ended(&daemon, id)).collect();
    let next = push_out_the_first_segment(&daemon, 1);
    let all_are_found = |daemon: &Daemon, when: &str| {
        for (id, told) in first.iter().zip(&told) {
            assert_eq!(&ended(daemon, id), told, "{when}: the answer stays the same");
        }
    };
    all_are_found(&daemon, "without its segment");
    let foreign = ask(&daemon, &first[0], "lakeside-key");
    assert_eq!(foreign.status, 404, "another tenant's message does not exist: {}", foreign.text);
    assert_eq!(daemon.term().code(), Some(0), "{}", daemon.log());
    daemon.restart();
    all_are_found(&daemon, "after a stop");
    push_out_the_first_segment(&daemon, next);
    daemon.kill9();
    daemon.restart();
    all_are_found(&daemon, "after a crash");
}

#[test]
fn without_the_archive_the_daemon_starts_and_begins_a_new_one() {
    let carrier = Carrier::start(&[]);
    let mut daemon = Daemon::start(&configuration(&carrier));
    let first = post(&daemon, 0);
    ended(&daemon, &first[0]);
    let next = push_out_the_first_segment(&daemon, 1);
    assert_eq!(ask(&daemon, &first[0], KEY).status, 200);
    daemon.kill9();
    let archive = daemon.dir.join("data/history");
    std::fs::remove_dir_all(&archive).expect("there is an archive");
    daemon.restart();
    assert_eq!(ask(&daemon, &first[0], KEY).status, 404, "its only trace was in the archive");
    let second = post(&daemon, next);
    let told = ended(&daemon, &second[0]);
    let mut next = next + 1;
    for _ in 0..3 {
        next = push_out_the_first_segment(&daemon, next);
    }
    assert_eq!(ended(&daemon, &second[0]), told, "the new archive answers");
    assert_eq!(daemon.term().code(), Some(0), "{}", daemon.log());
    ruin(&archive);
    daemon.restart();
    assert_eq!(ask(&daemon, &second[0], KEY).status, 404);
    assert!(daemon.log().contains("begins anew"), "{}", daemon.log());
}

#[test]
fn history_that_is_not_wanted_is_removed() {
    let carrier = Carrier::start(&[]);
    let mut daemon = Daemon::start(&configuration(&carrier));
    let first = post(&daemon, 0);
    ended(&daemon, &first[0]);
    push_out_the_first_segment(&daemon, 1);
    let store = STORE.replace("disk_max", "history = \"0s\"\ndisk_max");
    daemon.configure(&(store + &configuration(&carrier).replace(STORE, "")));
    daemon.restart();
    assert_eq!(ask(&daemon, &first[0], KEY).status, 404);
    assert!(!daemon.dir.join("data/history").exists());
}

#[test]
fn an_archive_that_cannot_be_opened_stops_nothing() {
    let carrier = Carrier::start(&[]);
    let mut daemon = Daemon::start(&configuration(&carrier));
    daemon.kill9();
    let archive = daemon.dir.join("data/history");
    std::fs::remove_dir_all(&archive).expect("there is an archive");
    std::fs::write(&archive, b"no folder").expect("writable");
    daemon.restart();
    assert!(daemon.log().contains("archive of finished messages cannot be opened"), "{}", daemon.log());
    let first = post(&daemon, 0);
    ended(&daemon, &first[0]);
    push_out_the_first_segment(&daemon, 1);
    assert_eq!(ask(&daemon, &first[0], KEY).status, 404, "no segment waits for it, and nobody knows the message");
    assert!(daemon.is_running());
}

/// Overwrites the start of every file.
fn ruin(dir: &Path) {
    for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            ruin(&path);
        } else {
            let length = entry.metadata().expect("it is there").len().min(4096);
            std::fs::write(&path, vec![0x5a; length as usize]).expect("writable");
        }
    }
}
