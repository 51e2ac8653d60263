//! A data directory that is put back from an older copy: the daemon starts, and no id that the lost time gave out is given again, so
//! that late receipts and questions of senders meet no stranger's message. It does not look at what is sent again.

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use support::esme::Esme;
use support::smsc::Smsc;
use support::{Daemon, settings};

const MESSAGES: usize = 50;

#[test]
fn after_a_backup_was_put_back() {
    let smsc = Smsc::delivering();
    let mut daemon = Daemon::start(&settings::one_carrier(smsc.address, ""));
    let (data, copy) = (daemon.dir.join("data"), daemon.dir.join("copy"));
    let before = submit(&daemon);
    daemon.kill9();
    copy_folder(&data, &copy);
    daemon.restart();
    let lost = submit(&daemon);
    daemon.kill9();
    std::fs::remove_dir_all(&data).expect("it can be removed");
    copy_folder(&copy, &data);
    daemon.restart();
    let after = submit(&daemon);
    assert_eq!((before.len(), lost.len(), after.len()), (MESSAGES, MESSAGES, MESSAGES));
    assert!(before.is_disjoint(&lost) && before.is_disjoint(&after) && lost.is_disjoint(&after));
}

fn submit(daemon: &Daemon) -> BTreeSet<String> {
    let mut esme = Esme::riverside(daemon.smpp);
    let sequences: Vec<u32> = (0..MESSAGES).map(|n| esme.submit(&format!("4477009{n:05}"), "hello")).collect();
    let mut ids = BTreeSet::new();
    for sequence in sequences {
        ids.insert(esme.response_or_receipts(sequence, |_| ()).message_id());
    }
    ids
}

fn copy_folder(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp is part of every system");
    assert!(copied.success());
}
