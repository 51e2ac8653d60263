//! A carrier that does everything wrong that carriers do with receipts, and is right about one thing: how each part ended, which follows
//! from its text alone. Responses come in any order, receipts before them, on any bind, several times, contradicted and in the carrier's
//! own spelling; links break off; nonsense comes in between.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::esme::{BIND_TRANSMITTER, DELIVER_SM, Pdu, RESPONSE, SUBMIT_SM};
use super::hand::{Deliver, tlv};
use super::pause;
use super::smsc::{Submit, parsed, read};

/// How a carrier spells its ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// In the parameter alone, as the response had it.
    Parameter,
    /// Counted from 1; hexadecimal in the response, decimal in the receipt.
    HexThenDecimal,
    /// Counted from 1; decimal in the response, hexadecimal with zeros and capitals in the receipt.
    DecimalThenHex,
    /// Letters in lower case and zeros in the response, in capitals and without zeros in the receipt.
    Folded,
    /// Each id is given again after two thousand others.
    Reused,
    /// None at all.
    WithoutId,
}

pub(crate) const HABITS: [Habit; 6] =
    [Habit::Parameter, Habit::HexThenDecimal, Habit::DecimalThenHex, Habit::Folded, Habit::Reused, Habit::WithoutId];

/// The words of ends, the worst first.
pub(crate) const ENDS: [&str; 6] = ["REJECTD", "UNDELIV", "DELETED", "EXPIRED", "UNKNOWN", "DELIVRD"];

/// How a part ends: by its text, which names its message, and its number.
pub(crate) fn end_of(key: u64, part: u64) -> &'static str {
    let mixed = (key * 8 + part).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    // Mostly well.
    if mixed % 16 < 8 { "DELIVRD" } else { ENDS[(mixed / 16 % 6) as usize] }
}

/// Receipts that may be unanswered on a link.
const UNANSWERED_MAX: usize = 200;
const PAUSE: Duration = Duration::from_millis(1);

/// A listening carrier.
#[derive(Clone)]
pub(crate) struct Wild {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    habit: Habit,
    random: u64,
    next_id: u64,
    links: Vec<Link>,
    /// Submits that wait for their response, with what follows it.
    responses: Vec<(usize, Pdu, Vec<Receipt>)>,
    receipts: Vec<Receipt>,
    unanswered: BTreeMap<(usize, u32), Receipt>,
    sequence: u32,
    /// Links may break off, and nonsense is said.
    is_wild: bool,
    counts: Counts,
}

/// What it has done.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) submits: u64,
    pub(crate) receipts: u64,
    pub(crate) refused: u64,
    pub(crate) early: u64,
    pub(crate) repeated: u64,
    pub(crate) contradicted: u64,
    pub(crate) nonsense: u64,
    pub(crate) broken_off: u64,
}

struct Link {
    stream: TcpStream,
    receives: bool,
    unanswered: usize,
}

#[derive(Clone)]
struct Receipt {
    body: Vec<u8>,
    /// What is sent once this one has been answered.
    then: Option<Vec<u8>>,
    /// Only on this link, if it lives: behind a response there.
    link: Option<usize>,
}

impl Wild {
    pub(crate) fn start(habit: Habit, seed: u64) -> Wild {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let state = State {
            habit,
            random: seed,
            next_id: 0,
            links: Vec::new(),
            responses: Vec::new(),
            receipts: Vec::new(),
            unanswered: BTreeMap::new(),
            sequence: 0,
            is_wild: true,
            counts: Counts::default(),
        };
        let wild = Wild { address, state: Arc::new(Mutex::new(state)) };
        let accepting = wild.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let _ = stream.set_nodelay(true);
                let twin = stream.try_clone().expect("a socket has a twin");
                let mut state = accepting.lock();
                state.links.push(Link { stream: twin, receives: false, unanswered: 0 });
                let at = state.links.len() - 1;
                drop(state);
                let wild = accepting.clone();
                std::thread::spawn(move || wild.serve(stream, at));
            }
        });
        let moving = wild.clone();
        std::thread::spawn(move || {
            loop {
                pause(PAUSE);
                moving.lock().go_on();
            }
        });
        wild
    }

    pub(crate) fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// From here on it breaks nothing off, so that what there is can come to its end.
    pub(crate) fn calm(&self) {
        self.lock().is_wild = false;
    }

    /// Whether nothing is to be sent or awaited any more.
    pub(crate) fn is_quiet(&self) -> bool {
        let state = self.lock();
        state.responses.is_empty() && state.receipts.is_empty() && state.unanswered.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the carrier panics while it holds this")
    }

    fn serve(&self, mut stream: TcpStream, at: usize) {
        while let Some(pdu) = read(&mut stream) {
            let mut state = self.lock();
            match pdu.command {
                SUBMIT_SM => state.submitted(at, pdu),
                command if command == DELIVER_SM | RESPONSE => state.answered(at, &pdu),
                command if command & RESPONSE == 0 => {
                    let is_bind = [1, 2, 9].contains(&command);
                    state.links[at].receives |= is_bind && command != BIND_TRANSMITTER;
                    let body: &[u8] = if is_bind { b"wild\0\x02\x10\0\x01\x34" } else { b"" };
                    state.write(at, &Pdu { command: command | RESPONSE, status: 0, body: body.to_vec(), ..pdu });
                }
                _ => {}
            }
        }
        self.lock().closed(at);
    }
}

impl State {
    fn draw(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    fn write(&mut self, at: usize, pdu: &Pdu) {
        // A peer that is gone hears nothing.
        let _ = self.links[at].stream.write_all(&pdu.octets());
    }

    fn submitted(&mut self, at: usize, pdu: Pdu) {
        let submit = parsed(&pdu, 0, at);
        if self.is_wild && self.draw(400) == 0 {
            self.counts.broken_off += 1;
            let _ = self.links[at].stream.shutdown(Shutdown::Both);
            return;
        }
        self.next_id += 1;
        self.counts.submits += 1;
        let n = self.next_id;
        let (given, reported) = match self.habit {
            Habit::Parameter => (format!("{n:08x}-5d1c-4c8e-9b1a"), format!("{n:08x}-5d1c-4c8e-9b1a")),
            Habit::HexThenDecimal => (format!("{n:x}"), n.to_string()),
            Habit::DecimalThenHex => (n.to_string(), format!("{n:010X}")),
            Habit::Folded => (format!("{:010x}", 0xab_0000 + n), format!("{:X}", 0xab_0000 + n)),
            Habit::Reused => (format!("r{}", n % 2_000), format!("r{}", n % 2_000)),
            Habit::WithoutId => (String::new(), String::new()),
        };
        let (key, part) = key_and_part(&submit.octets);
        let stat = end_of(key, part);
        let receipts = self.receipts_of(&submit, &reported, stat, at);
        let response =
            Pdu { command: SUBMIT_SM | RESPONSE, status: 0, body: [given.as_bytes(), b"\0"].concat(), ..pdu };
        if self.habit != Habit::WithoutId && self.draw(4) == 0 {
            self.counts.early += receipts.len() as u64;
            self.receipts.extend(receipts);
            self.responses.push((at, response, Vec::new()));
        } else {
            self.responses.push((at, response, receipts));
        }
    }

    fn receipts_of(&mut self, submit: &Submit, id: &str, stat: &str, at: usize) -> Vec<Receipt> {
        let link = (self.habit == Habit::WithoutId).then_some(at);
        let body = |stat: &str| self.body(submit, id, stat);
        let (end, step) = (body(stat), body("ENROUTE"));
        let opposite = body(if stat == "DELIVRD" { "UNDELIV" } else { "DELIVRD" });
        let mut receipts = Vec::new();
        if self.draw(8) == 0 && link.is_none() {
            receipts.push(Receipt { body: step, then: None, link });
        }
        let copies = if self.draw(20) == 0 && link.is_none() { 10 } else { 1 };
        self.counts.repeated += copies - 1;
        let contradicts = self.draw(20) == 0 && link.is_none();
        for copy in 0..copies {
            let then = (copy == 0 && contradicts && copies == 1).then(|| opposite.clone());
            receipts.push(Receipt { body: end.clone(), then, link });
        }
        receipts
    }

    fn body(&self, submit: &Submit, id: &str, stat: &str) -> Vec<u8> {
        let dates = "submit date:2611211200 done date:2611211201";
        let from = (submit.to_plan.0, submit.to_plan.1, submit.to.as_str());
        let to = (submit.from_plan.0, submit.from_plan.1, submit.from.as_str());
        let (text, tlvs) = match self.habit {
            Habit::Parameter => (format!("{dates} stat:{stat}"), tlv(0x001E, &[id.as_bytes(), b"\0"].concat())),
            Habit::WithoutId => (format!("sub:001 {dates} stat:{stat} err:000 Text:id"), Vec::new()),
            Habit::Folded => (format!("STAT:{stat} ID:{id};ERR:7"), Vec::new()),
            _ => (format!("id:{id} sub:001 dlvrd:001 {dates} stat:{stat} err:000 text:id:1 stat:x"), Vec::new()),
        };
        Deliver { from, to, text: text.as_bytes(), tlvs: &tlvs, ..Deliver::default() }.body()
    }

    fn answered(&mut self, at: usize, pdu: &Pdu) {
        let Some(receipt) = self.unanswered.remove(&(at, pdu.sequence)) else { return };
        self.links[at].unanswered -= 1;
        self.counts.refused += u64::from(pdu.status != 0);
        if let Some(body) = receipt.then {
            self.counts.contradicted += 1;
            self.receipts.push(Receipt { body, then: None, link: None });
        }
    }

    /// What was not answered there goes again elsewhere; what waited for a response is never answered.
    fn closed(&mut self, at: usize) {
        self.links[at].receives = false;
        let keys: Vec<_> = self.unanswered.range((at, 0)..=(at, u32::MAX)).map(|(key, _)| *key).collect();
        for key in keys {
            let receipt = self.unanswered.remove(&key).expect("the key was just seen");
            self.receipts.push(Receipt { link: None, ..receipt });
        }
        let (gone, stay) = std::mem::take(&mut self.responses).into_iter().partition(|(link, ..)| *link == at);
        self.responses = stay;
        let gone: Vec<(usize, Pdu, Vec<Receipt>)> = gone;
        // It had taken them, though.
        for receipt in gone.into_iter().flat_map(|(.., receipts)| receipts) {
            self.receipts.push(Receipt { link: None, ..receipt });
        }
    }

    /// A few responses and receipts at random.
    fn go_on(&mut self) {
        for _ in 0..self.responses.len().div_ceil(2) {
            let pick = self.draw(self.responses.len() as u64) as usize;
            let (at, response, receipts) = self.responses.swap_remove(pick);
            self.write(at, &response);
            self.receipts.extend(receipts);
        }
        for _ in 0..self.receipts.len().div_ceil(2) {
            let pick = self.draw(self.receipts.len() as u64) as usize;
            let receipt = self.receipts.swap_remove(pick);
            if let Some(receipt) = self.send(receipt) {
                self.receipts.push(receipt);
            }
        }
        if self.is_wild {
            self.misbehave();
        }
    }

    /// Over a link that may receive and has room; gives the receipt back if there is none.
    fn send(&mut self, receipt: Receipt) -> Option<Receipt> {
        let fits = |link: &Link| link.receives && link.unanswered < UNANSWERED_MAX;
        let wanted = receipt.link.filter(|at| self.links[*at].receives);
        let able: Vec<usize> = (0..self.links.len())
            .filter(|at| fits(&self.links[*at]) && wanted.is_none_or(|wanted| wanted == *at))
            .collect();
        if able.is_empty() {
            return Some(receipt);
        }
        let at = able[self.draw(able.len() as u64) as usize];
        self.sequence += 1;
        self.counts.receipts += 1;
        self.links[at].unanswered += 1;
        let pdu = Pdu { command: DELIVER_SM, status: 0, sequence: self.sequence, body: receipt.body.clone() };
        self.unanswered.insert((at, self.sequence), receipt);
        self.write(at, &pdu);
        None
    }

    fn misbehave(&mut self) {
        if self.draw(10) == 0 {
            let texts: [&[u8]; 6] = [
                b"id:never-given stat:DELIVRD",
                b"id:\0\0 stat:\xff",
                b"stat:DELIVRD id:",
                b"id:ffffffffffffffffffffffffffffffff stat:UNDELIV",
                b"\x05\0\x03\x01\x02\x01 text: id:",
                b"",
            ];
            let text = texts[self.draw(6) as usize];
            let body = Deliver { from: (1, 1, "447999999999"), text, ..Deliver::default() }.body();
            self.counts.nonsense += 1;
            self.receipts.push(Receipt { body, then: None, link: None });
        }
    }
}

/// The text of a part says over and over which message it belongs to; the header, if there is one, which part it is.
fn key_and_part(octets: &[u8]) -> (u64, u64) {
    let (part, text) = match octets {
        [5, 0, 3, _, _, part, text @ ..] => (u64::from(*part), text),
        text => (1, text),
    };
    let text = std::str::from_utf8(text).expect("ASCII");
    // The first piece may have been cut at the seam.
    let whole = text.split('k').skip(usize::from(!text.starts_with('k'))).find(|piece| piece.len() == 8);
    let key = whole.and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("no key in {text}"));
    (key, part)
}
