//! With few descriptors, connections that strangers hold cost neither the store nor the platforms theirs.

mod support;

use std::net::TcpStream;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use support::esme::Esme;
use support::smsc::Smsc;
use support::{Daemon, cdr, eventually, http, settings};

const TO: &str = "447700900001";

/// Lets a process have as many more descriptors as given, or all it ever may have.
fn allow_more(pid: u32, more: Option<usize>) {
    let held = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("the process runs");
    let held: Vec<u64> = held.filter_map(|fd| fd.expect("an entry").file_name().to_str()?.parse().ok()).collect();
    let pid = Pid::from_raw(i32::try_from(pid).expect("a pid"));
    let maximum = Some(1_000);
    let free = |more| (0..).filter(|fd| !held.contains(fd)).nth(more).expect("there is a next one");
    prlimit(pid, Resource::Nofile, Rlimit { current: more.map_or(maximum, |more| Some(free(more))), maximum })
        .expect("the process is ours");
}

/// The last descriptor opens a segment, and the renaming that follows has none for its folder.
#[test]
fn a_last_descriptor_does_not_end_the_journal() {
    let smsc = Smsc::delivering();
    let store = "[store]\nsegment = \"1MiB\"\ndisk_max = \"64MiB\"\nhistory = \"0s\"\n";
    let daemon = Daemon::start_with_descriptors(&format!("{store}{}", settings::one_carrier(smsc.address, "")), 1_000);
    let mut esme = Esme::riverside(daemon.smpp);
    let sequence = esme.submit(TO, "x");
    assert_eq!(esme.response_to(sequence).status, 0);
    allow_more(daemon.pid(), Some(1));
    // As much as two segments of the journal.
    for _ in 0..40 {
        let sent: Vec<u32> = (0..100).map(|_| esme.submit(TO, &"x".repeat(160))).collect();
        sent.into_iter().for_each(|sequence| drop(esme.response_to(sequence)));
    }
    allow_more(daemon.pid(), None);
    eventually("there is room again", || (http::get(daemon.http, "/readyz", None).status == 200).then_some(()));
    let sequence = esme.submit(TO, "x");
    assert_eq!(esme.response_to(sequence).status, 0, "{}", daemon.log());
}

#[test]
fn the_store_goes_on_and_platforms_get_in() {
    let smsc = Smsc::delivering();
    let store = "[store]\nsegment = \"1MiB\"\ndisk_max = \"64MiB\"\n";
    let config = format!("{store}{}", settings::one_carrier(smsc.address, ""));
    let daemon = Daemon::start_with_descriptors(&config, 300);
    let mut esme = Esme::riverside(daemon.smpp);
    let mut held = Vec::new();
    for address in [daemon.smpp, daemon.http].repeat(200) {
        held.push(TcpStream::connect(address).expect("the backlog takes it"));
    }
    // As much as four segments of the journal: new files have to be opened.
    let text = "x".repeat(160);
    for _ in 0..80 {
        let sent: Vec<u32> = (0..100).map(|_| esme.submit(TO, &text)).collect();
        for sequence in sent {
            assert_eq!(esme.response_to(sequence).status, 0);
        }
    }
    assert_eq!(http::get(daemon.http, "/readyz", None).status, 200);
    assert!(Esme::riverside(daemon.smpp).is_alive());
    let lines = || cdr::lines(&daemon.dir.join("data")).len();
    eventually("each part has its CDR line", || (lines() == 8_000).then_some(()));
    let log = daemon.log();
    assert!(!log.contains("Too many open files"), "{log}");
    assert!(log.contains("LimitNOFILE="), "the operator is told: {log}");
}
