//! The bill survives any crash and any operator: every ended part has exactly one line whatever is killed, cut, filled up, removed or
//! taken away, and a directory that cannot be written delays the lines and nothing else.

mod support;

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::esme::Esme;
use support::smsc::Smsc;
use support::{Daemon, cdr, eventually, http, settings};

const ROUNDS: usize = 6;
const MESSAGES: usize = 40;

#[test]
fn every_part_has_one_line_after_kills() {
    let smsc = Smsc::delivering();
    let mut daemon = Daemon::start(&settings::one_carrier(smsc.address, ""));
    let mut ids = Vec::new();
    for round in 0..ROUNDS {
        ids.extend(delivered(&daemon, round));
        daemon.kill9();
        daemon.restart();
    }
    finish(&mut daemon, &ids);
}

#[test]
fn half_a_line_is_cut_and_written_again() {
    let smsc = Smsc::delivering();
    let mut daemon = Daemon::start(&settings::one_carrier(smsc.address, ""));
    let data = daemon.dir.join("data");
    let mut ids = delivered(&daemon, 0);
    eventually("the lines are written", || (cdr::lines(&data).len() == MESSAGES).then_some(()));
    assert_eq!(daemon.term().code(), Some(0), "{}", daemon.log());
    let file = newest(&data);
    let text = std::fs::read(&file).expect("the file is there");
    // As if the machine had stopped in the middle of the last write but two, with half a page behind it.
    let keep = text.len() - text.len() / MESSAGES * 5 / 2;
    std::fs::write(&file, &text[..keep]).expect("writable");
    std::fs::OpenOptions::new()
        .append(true)
        .open(&file)
        .and_then(|mut file| file.write_all(&[0; 100]))
        .expect("writable");
    daemon.restart();
    ids.extend(delivered(&daemon, 1));
    finish(&mut daemon, &ids);
}

#[test]
fn a_bill_that_cannot_be_written_is_written_later() {
    let smsc = Smsc::delivering();
    let aside = tempfile::tempdir().expect("a temporary directory");
    let (mount, bills) = (aside.path().join("mount"), aside.path().join("mount/bills"));
    // Nothing can be made below a file.
    std::fs::write(&mount, "").expect("writable");
    let store = format!("[store]\nsegment = \"4MiB\"\ncdr_dir = \"{}\"\n\n", bills.display());
    let mut daemon = Daemon::start(&(store + &settings::one_carrier(smsc.address, "")));
    let mut ids = delivered(&daemon, 0);
    eventually("the fault is told", || (metric(&daemon, "sluice_cdr_failing") == "1").then_some(()));
    // The directory is there again, and its disk is full.
    std::fs::remove_file(&mount).expect("removable");
    std::fs::create_dir_all(&bills).expect("writable");
    let full = daily_files(&bills);
    full.iter().for_each(|file| std::os::unix::fs::symlink("/dev/full", file).expect("writable"));
    ids.extend(delivered(&daemon, 1));
    assert_eq!(metric(&daemon, "sluice_cdr_failing"), "1");
    assert_eq!(http::get(daemon.http, "/numbers.json", None).body["journal"]["cdr"], "waiting");
    full.iter().for_each(|file| std::fs::remove_file(file).expect("removable"));

    let has = |id: &String| cdr::by_part(&cdr::lines_in(&bills)).contains_key(&(id.clone(), 1));
    eventually("every message is billed", || ids.iter().all(has).then_some(()));
    eventually("all is told to be well", || (metric(&daemon, "sluice_cdr_failing") == "0").then_some(()));
    assert_eq!(daemon.term().code(), Some(0), "{}", daemon.log());
    let parts = cdr::by_part(&cdr::lines_in(&bills));
    assert!(parts.len() == ids.len() && parts.values().all(|times| *times == 1), "{parts:?}");
    let log = daemon.log();
    assert_eq!(log.matches("CDR lines wait in the journal").count(), 1, "told once and not every second: {log}");
    assert_eq!(log.matches("CDR lines are written again").count(), 1, "{log}");
}

#[test]
fn no_segment_goes_before_its_lines_are_written() {
    let smsc = Smsc::delivering();
    let bills = tempfile::tempdir().expect("a temporary directory");
    let full = daily_files(bills.path());
    full.iter().for_each(|file| std::os::unix::fs::symlink("/dev/full", file).expect("writable"));
    let cdr_dir = bills.path().display();
    let store = format!("[store]\nsegment = \"1MiB\"\ndisk_max = \"8MiB\"\ncdr_dir = \"{cdr_dir}\"\n\n");
    let carrier = settings::carrier("alpha", smsc.address, "binds = 2\nwindow = 100");
    let mut daemon =
        Daemon::start(&(store + &settings::tenant("riverside", "") + &carrier + &settings::route(&["alpha"])));
    let mut accepted = 0;
    let mut rounds = 0..200;
    while rounds.next().is_some_and(|round| {
        let more = post(&daemon, round);
        accepted += more;
        more > 0
    }) {}
    assert!(!rounds.is_empty() && accepted > 1_000, "the journal keeps what is not billed: {accepted} accepted");
    full.iter().for_each(|file| std::fs::remove_file(file).expect("removable"));
    eventually("messages are taken again", || {
        let more = rounds.next().map_or(0, |round| post(&daemon, round));
        accepted += more;
        (more > 0).then_some(())
    });
    eventually("every message is billed", || (cdr::lines_in(bills.path()).len() >= accepted).then_some(()));
    assert_eq!(daemon.term().code(), Some(0), "{}", daemon.log());
    let parts = cdr::by_part(&cdr::lines_in(bills.path()));
    assert!(parts.len() == accepted && parts.values().all(|times| *times == 1), "{} of {accepted}", parts.len());
}

#[test]
fn files_that_were_taken_away_are_not_written_again() {
    let smsc = Smsc::delivering();
    let mut daemon = Daemon::start(&settings::one_carrier(smsc.address, ""));
    let data = daemon.dir.join("data");
    let first = delivered(&daemon, 0);
    eventually("the lines are written", || (cdr::lines(&data).len() == MESSAGES).then_some(()));
    assert_eq!(daemon.term().code(), Some(0), "{}", daemon.log());
    let archive = daemon.dir.join("archive");
    std::fs::rename(data.join("cdr"), &archive).expect("it can be moved");
    daemon.restart();
    let second = delivered(&daemon, 1);
    finish(&mut daemon, &second);
    let archived = cdr::by_part(&cdr::lines_in(&archive));
    assert!(first.iter().all(|id| archived[&(id.clone(), 1)] == 1), "they are where they were taken");
}

/// The paths that CDR files of today and tomorrow would have.
fn daily_files(dir: &Path) -> [PathBuf; 2] {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let tomorrow = today.tomorrow().expect("not the last of days");
    [today, tomorrow].map(|date| dir.join(format!("{date}.jsonl")))
}

/// Posts a batch and says how many of it were accepted.
fn post(daemon: &Daemon, round: usize) -> usize {
    let message =
        |n: usize| json!({"to": format!("4477{:08}", round * 500 + n), "from": "Riverside", "text": "x".repeat(150)});
    let messages: Vec<Value> = (0..500).map(message).collect();
    let answer = http::post(daemon.http, "/v1/messages", Some("riverside-key"), &json!({"messages": messages}));
    let listed = answer.body["messages"].as_array().map_or(&[][..], Vec::as_slice);
    listed.iter().filter(|message| message["id"].is_string()).count()
}

/// The value of a metric.
fn metric(daemon: &Daemon, name: &str) -> String {
    let text = http::get(daemon.http, "/metrics", None).text;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {name} in {text}")).to_owned()
}

/// Sends messages over a bind of its own and returns their ids when all receipts have come.
fn delivered(daemon: &Daemon, round: usize) -> Vec<String> {
    let mut esme = Esme::riverside(daemon.smpp);
    let mut receipts = 0;
    let mut ids = Vec::new();
    for n in 0..MESSAGES {
        let sequence = esme.submit(&format!("4477009{:05}", round * MESSAGES + n), "hello");
        let response = esme.response_or_receipts(sequence, |text| receipts += usize::from(!text.is_empty()));
        assert_eq!(response.status, 0, "{response:?}");
        ids.push(response.message_id());
    }
    // Receipts of an earlier round that were on their way when it was killed may come again and are welcome.
    while receipts < MESSAGES {
        receipts += usize::from(!esme.receipt().is_empty());
    }
    ids
}

fn finish(daemon: &mut Daemon, ids: &[String]) {
    let data = daemon.dir.join("data");
    let has = |id: &String| cdr::by_part(&cdr::lines(&data)).contains_key(&(id.clone(), 1));
    eventually("every message is billed", || ids.iter().all(has).then_some(()));
    assert_eq!(daemon.term().code(), Some(0), "{}", daemon.log());
    let lines = cdr::lines(&data);
    let parts = cdr::by_part(&lines);
    assert!(parts.values().all(|times| *times == 1), "billed twice: {parts:?}");
    assert_eq!(parts.len(), ids.len(), "nothing else is billed");
    let facts: Vec<u64> = lines.iter().map(|line| line["fact"].as_u64().expect("a line names its fact")).collect();
    assert!(facts.is_sorted(), "lines stand in the order of their facts: {facts:?}");
    let text = std::fs::read(newest(&data)).expect("the file is there");
    assert_eq!(text.last(), Some(&b'\n'), "the file ends with a whole line");
}

/// The CDR file written last.
fn newest(data: &Path) -> PathBuf {
    cdr::files(data).pop().expect("there is a CDR file")
}
