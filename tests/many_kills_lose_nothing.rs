//! Messages of one to five parts flow to a quick and to a slow carrier at some hundreds a second while the daemon is killed again and
//! again, at times while it is still recovering, on a journal so small that segments are recycled and copied forward all along. Three
//! programs keep the accounts: `sluice load` what was acknowledged and receipted, `sluice carrier` what came, the CDR files what is
//! billed. Checked: I1, I2, I3 as far as receipts tell it, I4 as far as the bill tells it, I10. Not checked: opt-outs, memory, order.
//! `SLUICE_KILLS=1000 cargo test --test many_kills_lose_nothing -- --nocapture` is the long run.

mod support;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use serde::Deserialize;
use support::daemon::sluice;
use support::program::Program;
use support::{Carrier, Daemon, cdr, eventually, free_address, pause, settings};

const KILLS: usize = 5;
const MESSAGES_PER_SECOND: usize = 1_200;
const BINDS: usize = 2;
const WINDOW: usize = 50;
/// All carriers' windows together: what one kill may repeat.
const IN_WINDOWS: usize = 2 * BINDS * WINDOW;
/// What each load sends: parts, characters, and what its destinations start with, which names its tenant too. 4478 goes to the slow
/// carrier.
const LOADS: [(usize, &str, &str); 6] = [
    (1, "160", "4477001"),
    (2, "300", "4477002"),
    (3, "450", "4477003"),
    (5, "750", "4477005"),
    (1, "150", "4478001"),
    (4, "600", "4478004"),
];

#[test]
fn under_load() {
    let kills = std::env::var("SLUICE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let mut stage = Stage::set();
    let mut dice = Dice(kills as u64);
    let mut killed: Vec<Vec<i64>> = Vec::new();
    while killed.iter().map(Vec::len).sum::<usize>() < kills {
        pause(Duration::from_millis(100 + dice.below(1_100)));
        let recoveries = if dice.below(3) == 0 { 1 + dice.below(3) } else { 0 };
        killed.push(stage.kill(recoveries, &mut dice));
    }
    let account = stage.settle();
    let repeats = account.judge(&killed);
    account.tell(&killed, &repeats, &stage.recovered);
}

/// The programs, and the files in which they keep their accounts.
struct Stage {
    dir: tempfile::TempDir,
    daemon: Daemon,
    carriers: [Carrier; 2],
    loads: Vec<Program>,
    /// How long each start took.
    recovered: Vec<Duration>,
}

impl Stage {
    fn set() -> Stage {
        let dir = tempfile::Builder::new().prefix("sluice-kills-").tempdir().expect("a temporary directory");
        let record = |name: &str| dir.path().join(name).display().to_string();
        let quick = Carrier::start(&["--record", &record("quick")]);
        let slow = Carrier::start(&["--record", &record("slow"), "--delay", "15", "--receipts-after", "40"]);
        let (smpp, account) = (free_address(), format!("binds = {BINDS}\nwindow = {WINDOW}"));
        let config = [
            "[store]\nsegment = \"1MiB\"\ndisk_max = \"32MiB\"\n\n".to_owned(),
            format!("[smpp]\nlisten = \"{smpp}\"\n\n"),
            LOADS.map(|(.., prefix)| settings::tenant(prefix, "")).concat(),
            settings::carrier("quick", quick.smpp, &account),
            settings::carrier("slow", slow.smpp, &account),
            settings::route(&["quick"]),
            "[[route]]\nprefix = \"4478\"\ncarriers = [\"slow\"]\n".to_owned(),
        ];
        let daemon = Daemon::start(&config.concat());
        let loads = LOADS.iter().map(|load| start_load(smpp.to_string(), *load, dir.path())).collect();
        Stage { dir, daemon, carriers: [quick, slow], loads, recovered: Vec::new() }
    }

    /// Kills the daemon, then so many starts of it before they are ready, and says when.
    fn kill(&mut self, recoveries: u64, dice: &mut Dice) -> Vec<i64> {
        let mut killed = vec![wall_micros()];
        self.daemon.kill9();
        for _ in 0..recoveries {
            let mut command = sluice();
            command.arg("serve").arg("--config").arg(self.daemon.config()).current_dir(&self.daemon.dir);
            let mut start = Program::start("sluice serve", command, &self.daemon.dir.join("sluice.log"));
            pause(Duration::from_millis(5 + dice.below(300)));
            killed.push(wall_micros());
            start.kill9();
        }
        let begun = now();
        self.daemon.restart();
        self.recovered.push(begun.elapsed());
        killed
    }

    /// Lets the loads end and all be sent, receipted and billed, stops everything and reads the accounts.
    fn settle(&mut self) -> Account {
        self.loads.iter().for_each(|load| load.signal("TERM"));
        for load in &mut self.loads {
            let lines = load.lines_to_end();
            let report: serde_json::Value =
                serde_json::from_str(&lines.concat()).unwrap_or_else(|_| panic!("a load ended: {}", load.log()));
            assert_eq!(report["receipts"]["missing"], 0, "{report}");
            assert_eq!(report["refused"], serde_json::json!({}), "{report}");
        }
        let mut account = Account::default();
        for (parts, _, prefix) in LOADS {
            account.read_acknowledged(&self.dir.path().join(format!("{prefix}.accepted")), parts);
            account.read_receipts(&self.dir.path().join(format!("{prefix}.receipts")));
        }
        let data = self.daemon.dir.join("data");
        let parts: usize = account.acknowledged.values().map(|message| message.parts).sum();
        eventually("what was acknowledged is billed", || {
            let lines: usize = cdr::files(&data).iter().map(|file| lines(file).count()).sum();
            (lines >= parts).then_some(())
        });
        assert_eq!(self.daemon.term().code(), Some(0), "{}", self.daemon.log());
        for carrier in &mut self.carriers {
            carrier.program().signal("TERM");
            carrier.program().wait();
        }
        account.read_submits(&["quick", "slow"].map(|name| self.dir.path().join(name)));
        account.read_bill(&cdr::files(&data));
        account
    }
}

fn start_load(address: String, (_, characters, prefix): (usize, &str, &str), dir: &Path) -> Program {
    let rate = format!("{}/s", MESSAGES_PER_SECOND / LOADS.len());
    let file = |kind: &str| dir.join(format!("{prefix}.{kind}"));
    let mut command: Command = sluice();
    command.args(["load", "--connect", &address, "--system-id", prefix, "--password", "secret", "--json"]);
    command.args(["--binds", "2", "--window", "50", "--rate", &rate, "--seconds", "86400", "--patience", "20"]);
    command.args(["--characters", characters, "--dest-prefix", prefix, "--reconnect"]);
    command.arg("--ledger").arg(file("accepted")).arg("--receipt-ledger").arg(file("receipts"));
    Program::start("sluice load", command, &file("log"))
}

struct Acknowledged {
    id: String,
    parts: usize,
}

/// What the programs wrote down. Messages go by their destinations: each has its own.
#[derive(Default)]
struct Account {
    acknowledged: HashMap<u64, Acknowledged>,
    /// The final state in the receipts for an id.
    receipts: HashMap<String, String>,
    /// When each part of a destination came to a carrier that took it.
    submits: HashMap<(u64, usize), Vec<i64>>,
    /// For each part of an id, whether it is marked as a possible duplicate.
    bill: HashMap<(String, usize), bool>,
}

#[derive(Deserialize)]
struct Submit {
    time: i64,
    dest: String,
    part: usize,
    status: Option<u32>,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    part: usize,
    price: String,
    possible_duplicate: bool,
}

impl Account {
    fn read_acknowledged(&mut self, file: &Path, parts: usize) {
        for line in lines(file) {
            let words: Vec<&str> = line.split(' ').collect();
            let message = Acknowledged { id: words[0].to_owned(), parts };
            let before = self.acknowledged.insert(digits(words[1]), message);
            assert!(before.is_none(), "acknowledged twice: {line}");
        }
    }

    fn read_receipts(&mut self, file: &Path) {
        for line in lines(file) {
            let (id, state) = line.split_once(' ').expect("two words");
            let first = self.receipts.entry(id.to_owned()).or_insert_with(|| state.to_owned());
            assert_eq!(first, state, "two ends of {id}");
        }
    }

    fn read_submits(&mut self, files: &[PathBuf]) {
        for line in files.iter().flat_map(|file| lines(file)) {
            let submit: Submit = serde_json::from_str(&line).expect("a line of the record");
            assert_eq!(submit.status, Some(0), "{line}");
            self.submits.entry((digits(&submit.dest), submit.part)).or_default().push(submit.time);
        }
    }

    fn read_bill(&mut self, files: &[PathBuf]) {
        for text in files.iter().flat_map(|file| lines(file)) {
            let line: Line = serde_json::from_str(&text).expect("a whole line");
            assert_eq!(cdr::micros(&line.price), settings::PRICE_MICROS, "{text}");
            let before = self.bill.insert((line.id, line.part), line.possible_duplicate);
            assert!(before.is_none(), "billed twice: {text}");
        }
    }

    /// Gives the repeats after each kill.
    fn judge(&self, killed: &[Vec<i64>]) -> Vec<usize> {
        for (destination, message) in &self.acknowledged {
            assert!(self.receipts.contains_key(&message.id), "no receipt: {destination}");
            for part in 1..=message.parts {
                let times = self.submits.get(&(*destination, part)).map_or(0, Vec::len);
                assert!(times > 0, "acknowledged and lost: {destination}, part {part}");
                let marked = self.bill.get(&(message.id.clone(), part));
                let marked = *marked.unwrap_or_else(|| panic!("not billed: {destination}, part {part}"));
                assert!(marked || times == 1, "sent {times} times and not marked: {destination}, part {part}");
            }
        }
        assert_eq!(self.bill.len(), self.submits.len(), "what came to the carriers is what is billed");
        let mut repeats = vec![0; killed.len()];
        for times in self.submits.values() {
            let mut times = times.clone();
            times.sort_unstable();
            for again in &times[1..] {
                let before = killed.iter().rposition(|kill| kill[0] < *again);
                repeats[before.expect("nothing is sent twice before the first kill")] += 1;
            }
        }
        // What one kill has put in doubt may be sent again after the next one only.
        let (mut kills, mut again) = (0, 0);
        for (kill, repeats) in killed.iter().zip(&repeats) {
            (kills, again) = (kills + kill.len(), again + repeats);
            assert!(again <= IN_WINDOWS * kills, "{again} repeats after {kills} kills");
        }
        repeats
    }

    #[expect(clippy::print_stdout, reason = "the figures of the long run")]
    fn tell(&self, killed: &[Vec<i64>], repeats: &[usize], recovered: &[Duration]) {
        let kills: usize = killed.iter().map(Vec::len).sum();
        let mut recovered = recovered.to_vec();
        recovered.sort_unstable();
        let rank = |percent: usize| recovered[(recovered.len() * percent / 100).min(recovered.len() - 1)];
        println!(
            "{kills} kills, {} of them during recovery; {} messages acknowledged, {} parts sent; lost 0, billed twice 0; repeats {}, \
             at most {} after a kill; ready after {:?} (p50), {:?} (p99)",
            kills - killed.len(),
            self.acknowledged.len(),
            self.submits.len(),
            repeats.iter().sum::<usize>(),
            repeats.iter().max().unwrap_or(&0),
            rank(50),
            rank(99),
        );
    }
}

fn lines(file: &Path) -> impl Iterator<Item = String> + use<> {
    let file = std::fs::File::open(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    BufReader::new(file).lines().map(|line| line.expect("readable text"))
}

fn digits(destination: &str) -> u64 {
    destination.trim_start_matches('+').parse().expect("digits")
}

#[expect(clippy::disallowed_methods, reason = "the time that other programs write down, and how long a start takes")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "the time that other programs write down")]
fn wall_micros() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).expect("this side of the year 294,000")
}

/// A small linear congruential generator: the same seed throws the same numbers.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}
