//! Ten times the disk budget goes through the daemon: its journal stays within the budget at every look, and the one message that
//! waits all the while is copied forward, survives a crash with its body, and is sent and paid once. Checked: I1, I2, I4.

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use support::daemon::sluice;
use support::esme::Esme;
use support::program::Program;
use support::settings::PRICE_MICROS;
use support::smsc::Smsc;
use support::{Carrier, Daemon, cdr, eventually, pause, settings};

const SEGMENT_OCTETS: u64 = 1 << 20;
const BUDGET_OCTETS: u64 = 8 * SEGMENT_OCTETS;
const MESSAGES_PER_ROUND: u64 = 10_000;
/// A message takes more than 400 octets of journal on its way.
const ROUNDS_MAX: u64 = 10 * BUDGET_OCTETS / (400 * MESSAGES_PER_ROUND) + 1;
const TEXT: &str = "written long ago and still to be sent";

#[test]
fn while_ten_budgets_go_through() {
    let alpha = Carrier::start(&[]);
    let mut daemon = Daemon::start(&configuration(alpha.smpp, support::silent_address()));
    let data = daemon.dir.join("data");
    let mut esme = Esme::riverside(daemon.smpp);
    let sequence = esme.submit("499912345678", TEXT);
    let waiting = esme.response_to(sequence).message_id();
    drop(esme);
    let mut rounds = 0;
    while newest_segment(&data) * SEGMENT_OCTETS < 10 * BUDGET_OCTETS {
        assert!(rounds < ROUNDS_MAX, "{rounds} rounds and only segment {}", newest_segment(&data));
        one_round(&daemon, rounds);
        rounds += 1;
    }
    daemon.kill9();

    let beta = Smsc::delivering();
    daemon.configure(&configuration(alpha.smpp, beta.address));
    daemon.restart();
    let mut esme = Esme::riverside(daemon.smpp);
    let receipt = esme.receipt();
    assert!(receipt.contains(&waiting) && receipt.contains("stat:DELIVRD"), "{receipt}");
    let submits = beta.submits();
    assert_eq!(submits.len(), 1, "sent once");
    assert_eq!((submits[0].to.as_str(), submits[0].octets.as_slice()), ("499912345678", TEXT.as_bytes()));
    assert!(journal_octets(&data) <= BUDGET_OCTETS);

    let expected = rounds * MESSAGES_PER_ROUND + 1;
    eventually("every message is billed", || (cdr::lines(&data).len() as u64 >= expected).then_some(()));
    assert_eq!(daemon.term().code(), Some(0), "{}", daemon.log());
    let lines = cdr::lines(&data);
    assert!(cdr::by_part(&lines).values().all(|times| *times == 1), "a part is billed twice");
    assert_eq!(lines.len() as u64, expected, "what was billed is what was sent");
    assert_eq!(cdr::total_micros(&lines), i64::try_from(expected).expect("few") * PRICE_MICROS);
}

/// Sends a round and awaits its receipts, looking at the journal all the while.
fn one_round(daemon: &Daemon, round: u64) {
    let (address, count) = (daemon.smpp.to_string(), MESSAGES_PER_ROUND.to_string());
    let first = (1 + round * MESSAGES_PER_ROUND).to_string();
    let mut command = sluice();
    command.args(["load", "--connect", &address, "--system-id", "riverside", "--password", "secret"]);
    command.args(["--binds", "2", "--count", &count, "--first", &first, "--json"]);
    let mut load = Program::start("sluice load", command, &daemon.dir.join("load.log"));
    let data = daemon.dir.join("data");
    while load.is_running() {
        let octets = journal_octets(&data);
        assert!(octets <= BUDGET_OCTETS, "{octets} octets in the journal");
        pause(Duration::from_millis(5));
    }
    assert!(load.wait().success(), "round {round}: {}", load.log());
}

fn configuration(alpha: SocketAddr, beta: SocketAddr) -> String {
    let store = "[store]\nsegment = \"1MiB\"\ndisk_max = \"8MiB\"\n\n";
    let far = "[[route]]\nprefix = \"4999\"\ncarriers = [\"beta\"]\n\n";
    let carriers = settings::carrier("alpha", alpha, "binds = 2") + &settings::carrier("beta", beta, "");
    [store, &settings::tenant("riverside", ""), &carriers, &settings::route(&["alpha"]), far].concat()
}

/// Octets of all files of the journal, spare ones and those in the making included.
fn journal_octets(data: &Path) -> u64 {
    journal_files(data).iter().map(|(_, octets)| octets).sum()
}

fn newest_segment(data: &Path) -> u64 {
    let files = journal_files(data);
    let numbers = files.iter().filter_map(|(name, _)| name.strip_suffix(".segment")?.parse().ok());
    numbers.max().expect("a journal has a segment")
}

fn journal_files(data: &Path) -> Vec<(String, u64)> {
    let files = std::fs::read_dir(data.join("journal")).expect("the journal").map_while(Result::ok);
    // A file may go between the listing and the look at it.
    let sized = files.filter_map(|file| Some((file.file_name().into_string().ok()?, file.metadata().ok()?.len())));
    sized.collect()
}
