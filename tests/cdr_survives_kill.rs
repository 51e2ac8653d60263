//! The bill survives any crash: after a kill every ended part has exactly one line, no line is cut, and a file
//! that ends in half a line is put right and continued.

mod support;

use std::io::Write;
use std::path::{Path, PathBuf};

use support::esme::Esme;
use support::smsc::Smsc;
use support::{Daemon, cdr, eventually, settings};

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
