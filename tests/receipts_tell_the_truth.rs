//! Six carriers misbehave with their receipts in every way at once, each with a habit of its own, and the daemon is killed in between:
//! every message ends as its carrier said, each tenant is told once, and nobody hears of another's message.
//!
//! `SLUICE_TRUTH_MESSAGES=100000` makes it a long run.

mod support;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use support::esme::{BIND_TRANSCEIVER, DELIVER_SM, Pdu, RESPONSE, SUBMIT_SM, submit_body};
use support::smsc::read;
use support::wild::{ENDS, HABITS, Habit, Wild, end_of};
use support::{Daemon, eventually, settings};

const MESSAGES: u64 = 3_000;
const WINDOW: usize = 300;
/// Receipts that may be in a window when the daemon is killed, and those whose answer was on its way to the disk.
const TWICE_MAX: usize = 2_000;

/// What the platform has seen.
#[derive(Default)]
struct Seen {
    /// Message by sequence_number of a submit without a response.
    asked: BTreeMap<u32, u64>,
    /// Message by the id of its response.
    ids: BTreeMap<String, u64>,
    /// Ends by id, as they came.
    told: BTreeMap<String, Vec<String>>,
    /// How many submits never got a response because the daemon was killed.
    lost: usize,
}

/// A platform's connection: writes here, reads in a thread of its own.
struct Platform {
    stream: TcpStream,
    seen: Arc<Mutex<Seen>>,
    sequence: u32,
}

impl Platform {
    fn bind(address: SocketAddr, seen: &Arc<Mutex<Seen>>) -> Platform {
        let mut stream = TcpStream::connect(address).expect("the port is open");
        stream.set_nodelay(true).expect("a socket takes the option");
        let body = b"riverside\0secret\0\0\x34\0\0\0".to_vec();
        let bind = Pdu { command: BIND_TRANSCEIVER, status: 0, sequence: 1, body };
        stream.write_all(&bind.octets()).expect("the daemon reads");
        let mut reading = stream.try_clone().expect("a socket has a twin");
        assert_eq!(read(&mut reading).expect("a response").status, 0);
        let noting = seen.clone();
        std::thread::spawn(move || {
            while let Some(pdu) = read(&mut reading) {
                if pdu.command & RESPONSE == 0 {
                    let body = if pdu.command == DELIVER_SM { vec![0] } else { Vec::new() };
                    let response = Pdu { command: pdu.command | RESPONSE, status: 0, sequence: pdu.sequence, body };
                    let _ = reading.write_all(&response.octets());
                }
                note(&mut noting.lock().expect("nobody panics with it"), &pdu);
            }
        });
        Platform { stream, seen: seen.clone(), sequence: 1 }
    }

    fn submit(&mut self, key: u64) {
        eventually("the window has room", || (self.seen().asked.len() < WINDOW).then_some(()));
        let habit = (key % HABITS.len() as u64) as usize;
        // Where the number alone tells messages apart each has its own; elsewhere a few share one.
        // So has each of the first, because until a carrier's habit is known nothing says which of two readings is meant.
        let shared = if HABITS[habit] == Habit::WithoutId || key < 600 { key } else { key / 12 };
        let long = key.is_multiple_of(5) && HABITS[habit] != Habit::WithoutId;
        let text = format!("k{key:08}").repeat(if long { 40 } else { 5 });
        self.sequence += 1;
        let body = submit_body(&format!("44{habit}{shared:08}"), &text);
        self.seen().asked.insert(self.sequence, key);
        let pdu = Pdu { command: SUBMIT_SM, status: 0, sequence: self.sequence, body };
        // If the daemon is gone, so is the message.
        let _ = self.stream.write_all(&pdu.octets());
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().expect("nobody panics with it")
    }
}

fn note(seen: &mut Seen, pdu: &Pdu) {
    if pdu.command == SUBMIT_SM | RESPONSE {
        let key = seen.asked.remove(&pdu.sequence).expect("a response to a request");
        assert_eq!(pdu.status, 0, "{pdu:?}");
        seen.ids.insert(pdu.message_id(), key);
    } else if pdu.command == DELIVER_SM {
        let text = pdu.short_message();
        let word =
            |label: &str| text.split(' ').find_map(|word| word.strip_prefix(label)).unwrap_or_default().to_owned();
        seen.told.entry(word("id:")).or_default().push(word("stat:"));
    }
}

/// The end of a message: the worst of its parts'.
fn truth(key: u64) -> &'static str {
    let long = key.is_multiple_of(5) && HABITS[(key % HABITS.len() as u64) as usize] != Habit::WithoutId;
    let ends = (1..=if long { 3 } else { 1 }).map(|part| end_of(key, part));
    ends.min_by_key(|end| ENDS.iter().position(|other| other == end)).expect("a part")
}

fn config(carriers: &[Wild]) -> String {
    let mut config = settings::tenant("riverside", "");
    for (n, carrier) in carriers.iter().enumerate() {
        config +=
            &settings::carrier(&format!("c{n}"), carrier.address, "binds = 3\nwindow = 50\nresponse_timeout = \"2s\"");
        config += &format!("[[route]]\nprefix = \"44{n}\"\ncarriers = [\"c{n}\"]\n\n");
    }
    config
}

#[test]
#[expect(clippy::print_stderr, reason = "what the long run was like")]
fn whatever_carriers_do_with_them() {
    let messages = std::env::var("SLUICE_TRUTH_MESSAGES").ok().and_then(|n| n.parse().ok()).unwrap_or(MESSAGES);
    let carriers: Vec<Wild> = HABITS.iter().zip(1..).map(|(habit, seed)| Wild::start(*habit, seed)).collect();
    let mut daemon = Daemon::start(&config(&carriers));
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let mut platform = Platform::bind(daemon.smpp, &seen);
    for key in 0..messages {
        if key == messages / 2 {
            daemon.kill9();
            let _ = platform.stream.shutdown(Shutdown::Both);
            let mut lost = seen.lock().expect("nobody panics with it");
            lost.lost = lost.asked.len();
            lost.asked.clear();
            drop(lost);
            daemon.restart();
            platform = Platform::bind(daemon.smpp, &seen);
        }
        platform.submit(key);
    }
    carriers.iter().for_each(Wild::calm);
    let all_told = |seen: &Seen| seen.asked.is_empty() && seen.ids.keys().all(|id| seen.told.contains_key(id));
    let told = std::panic::catch_unwind(|| {
        eventually("the carriers are done", || carriers.iter().all(Wild::is_quiet).then_some(()));
        eventually("every message has ended", || all_told(&seen.lock().expect("nobody panics with it")).then_some(()));
    });
    let seen = seen.lock().expect("nobody panics with it");
    let wrong: Vec<String> = seen
        .ids
        .iter()
        .filter_map(|(id, key)| {
            let (ends, truth) = (seen.told.get(id), truth(*key));
            let right = ends.is_some_and(|ends| ends.iter().all(|end| end == truth));
            (!right).then(|| format!("{:?}: message {key} ended {truth}, told {ends:?}", HABITS[(*key % 6) as usize]))
        })
        .collect();
    let twice = seen.told.values().filter(|ends| ends.len() > 1).count();
    let counts: Vec<_> = carriers.iter().map(Wild::counts).collect();
    let strays = seen.told.keys().filter(|id| !seen.ids.contains_key(*id)).count();
    eprintln!("{} acknowledged, {} lost, {twice} told twice, {strays} strays", seen.ids.len(), seen.lost);
    eprintln!("{counts:#?}");
    assert!(wrong.is_empty(), "{} of {} are wrong: {:#?}", wrong.len(), seen.ids.len(), &wrong[..wrong.len().min(20)]);
    assert!(told.is_ok());
    // Whom the crash left without a response may still hear of the message; what was in a window then may come again.
    assert!(strays <= seen.lost && twice <= TWICE_MAX, "{strays} of {} and {twice}", seen.lost);
    assert!(counts.iter().all(|counts| counts.refused == 0), "every receipt is taken");
}
