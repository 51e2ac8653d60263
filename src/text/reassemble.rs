//! Reassembly of concatenated messages, sans-IO: parts come in, in any order, and messages go out, whole or with what
//! is missing told (TS 23.040, 9.2.3.24.1 and SMPP 3.4, 5.3.2.22).
//!
//! Nothing is lost: each part is in exactly one message that is handed over, except those that repeat a part that is
//! held, octet for octet. Sets of parts are bounded in number, octets and age; the oldest goes first.

use core::time::Duration;
use std::collections::BTreeMap;

use crate::text::joined::Joined;
use crate::text::national::tables_of;
use crate::text::udh::{Concatenation, Malformed};

/// Octets counted for a set beside its parts: its keys, its place in the two trees, its bookkeeping.
pub const SET_OCTETS: usize = 352;

// A tree's nodes have room for 11 and may hold only 5; 32 octets more for the nodes' own links.
const _: () = assert!(SET_OCTETS >= 11 * (size_of::<(u64, Joined)>() + size_of::<(Key, u64)>()) / 5 + 32);

/// Octets counted for a part beside its text.
pub const PART_OCTETS: usize = 8;

/// How the parts of a message are tied together. The same reference in another form is another message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// A header with an 8-bit reference.
    Udh8,
    /// A header with a 16-bit reference.
    Udh16,
    /// SMPP's sar_* parameters.
    Sar,
}

/// Which message a part belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The caller's name for (account, source, destination), for example a keyed hash of them. The account and not the
    /// bind: parts of one message may come over several.
    pub peers: u128,
    /// How the parts are tied together.
    pub form: Form,
    /// The sender's reference; 0 is one like any other.
    pub reference: u16,
    /// Parts of the message, from 1.
    pub total: u8,
}

impl Key {
    /// The key of a part with this element in its header.
    pub fn of_header(peers: u128, concatenation: &Concatenation) -> Key {
        let form = if concatenation.wide { Form::Udh16 } else { Form::Udh8 };
        Key { peers, form, reference: concatenation.reference, total: concatenation.total }
    }
}

/// How the octets of a part are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reading {
    /// data_coding, as it came.
    pub data_coding: u8,
    /// Language of the locking shift table that the part's header names; 0 is none.
    pub locking_id: u8,
    /// Language of the single shift table that the part's header names; 0 is none.
    pub single_id: u8,
}

impl Reading {
    /// How a part with these elements in its header is read; they are as [`crate::text::udh::split`] gives them, empty for none.
    pub fn of(data_coding: u8, elements: &[u8]) -> Result<Reading, Malformed> {
        let (locking_id, single_id) = tables_of(elements)?;
        Ok(Reading { data_coding, locking_id, single_id })
    }
}

/// One part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its number, 1 to the total of its key.
    pub sequence: u8,
    /// How its octets are read.
    pub reading: Reading,
    /// Its octets behind the header. Beyond 65,535 they are cut; no PDU brings as many.
    pub octets: &'a [u8],
}

/// The bounds of a [`Reassembly`]. At each of them the oldest set is handed over as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sets at most. Default 10,000; too few cut messages of slow senders, many cost search time.
    pub sets_max: usize,
    /// Octets at most, bookkeeping counted as [`SET_OCTETS`] and [`PART_OCTETS`]. Default 16 MiB. While a set grows,
    /// that one set is held twice.
    pub octets_max: usize,
    /// How long a set may wait, from its first part on. Default 1 h: carriers repeat a lost part for minutes, and a
    /// reader should not wait longer for what is there.
    pub age_max: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { sets_max: 10_000, octets_max: 16 << 20, age_max: Duration::from_secs(3600) }
    }
}

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It waits for the others, or it was the last one and the message has been handed over.
    Kept,
    /// The same part is held already; it was ignored.
    Repeated,
    /// Its number is 0 or beyond the total, so it is no part of anything: the caller has a message of its own in it.
    Senseless,
}

/// Why a message was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// All parts were there.
    Complete,
    /// A part came again with other octets: its sender has begun another message with the same reference.
    Replaced,
    /// Its time was over.
    TimedOut,
    /// Room was needed for others.
    Evicted,
}

/// Messages in the making.
///
/// ```
/// use core::time::Duration;
/// use sluice::text::reassemble::{Form, Key, Limits, Part, Reading, Reassembly};
///
/// let mut reassembly = Reassembly::new(Limits::default());
/// let key = Key { peers: 7, form: Form::Udh8, reference: 0, total: 2 };
/// let reading = Reading { data_coding: 0, locking_id: 0, single_id: 0 };
/// let mut texts = Vec::new();
/// for (sequence, octets) in [(2, b"world"), (1, b"hello")] {
///     let part = Part { sequence, reading, octets };
///     reassembly.handle_part(Duration::ZERO, key, part, |message| texts.push(message.octets()));
/// }
/// assert_eq!(texts, [b"helloworld"]);
/// ```
#[derive(Debug)]
pub struct Reassembly {
    limits: Limits,
    /// By age: numbers are given in the order in which sets begin.
    sets: BTreeMap<u64, Joined>,
    numbers: BTreeMap<Key, u64>,
    number_next: u64,
    octets: usize,
}

impl Reassembly {
    /// An empty one. Allocates nothing yet.
    pub fn new(limits: Limits) -> Reassembly {
        Reassembly { limits, sets: BTreeMap::new(), numbers: BTreeMap::new(), number_next: 0, octets: 0 }
    }

    /// Takes a part that came at `now`, which never goes back, and hands over what this ends: the message that it
    /// completes, the one that it contradicts, and those that make room for it.
    ///
    /// A part that no limit has room for is handed over alone. The work is bounded by the parts of one message and by
    /// the sets that a part of its size can displace.
    pub fn handle_part(&mut self, now: Duration, key: Key, part: Part<'_>, mut hand_over: impl FnMut(Joined)) -> Taken {
        if part.sequence == 0 || part.sequence > key.total {
            return Taken::Senseless;
        }
        let held = self.numbers.get(&key).and_then(|number| self.sets.get(number));
        match held.and_then(|held| held.part(part.sequence)) {
            Some(same) if same == part => return Taken::Repeated,
            Some(_) => self.end(key, End::Replaced, &mut hand_over),
            None => {}
        }
        if !self.make_room(key, part.octets.len() + PART_OCTETS, &mut hand_over) {
            let mut alone = Joined::new(key, now);
            alone.push(part, 0);
            alone.end = if key.total == 1 { End::Complete } else { End::Evicted };
            hand_over(alone);
            return Taken::Kept;
        }
        let number = self.numbers.get(&key).copied().unwrap_or_else(|| self.begin(key, now));
        let room = self.limits.octets_max - self.octets;
        if let Some(set) = self.sets.get_mut(&number) {
            self.octets += set.push(part, room);
            if set.is_complete() {
                self.end(key, End::Complete, &mut hand_over);
            }
        }
        Taken::Kept
    }

    /// When to come back with [`Reassembly::handle_timeout`]; `None` while nothing waits.
    pub fn poll_timeout(&self) -> Option<Duration> {
        let (_, oldest) = self.sets.first_key_value()?;
        Some(oldest.began_at().saturating_add(self.limits.age_max))
    }

    /// Hands over one message whose time is over at `now`, the oldest first. To be called again until it says `None`.
    pub fn handle_timeout(&mut self, now: Duration) -> Option<Joined> {
        if self.poll_timeout()? > now { None } else { self.take_oldest(End::TimedOut) }
    }

    /// Hands over the oldest message as if its time were over: for the end of the service. `None` when nothing waits.
    pub fn drain(&mut self) -> Option<Joined> {
        self.take_oldest(End::TimedOut)
    }

    /// Sets that wait.
    pub fn sets(&self) -> usize {
        self.sets.len()
    }

    /// Octets that are counted against the limit.
    pub fn octets(&self) -> usize {
        self.octets
    }

    fn begin(&mut self, key: Key, now: Duration) -> u64 {
        let number = self.number_next;
        self.number_next += 1;
        self.sets.insert(number, Joined::new(key, now));
        self.numbers.insert(key, number);
        self.octets += SET_OCTETS;
        number
    }

    /// Evicts the oldest sets until one more part of `octets` fits; `false` if it does not fit even then.
    fn make_room(&mut self, key: Key, octets: usize, hand_over: &mut impl FnMut(Joined)) -> bool {
        loop {
            // Asked anew in each turn: the oldest set may be the one that the part belongs to.
            let is_held = self.numbers.get(&key).and_then(|number| self.sets.get(number));
            let growth = is_held.map_or(SET_OCTETS + octets, |set| octets.saturating_sub(set.spare()));
            let one_more = usize::from(is_held.is_none());
            if self.octets + growth <= self.limits.octets_max && self.sets.len() + one_more <= self.limits.sets_max {
                return true;
            }
            match self.take_oldest(End::Evicted) {
                Some(evicted) => hand_over(evicted),
                None => return false,
            }
        }
    }

    fn take_oldest(&mut self, end: End) -> Option<Joined> {
        let (_, set) = self.sets.pop_first()?;
        self.numbers.remove(&set.key());
        Some(self.given(set, end))
    }

    fn end(&mut self, key: Key, end: End, hand_over: &mut impl FnMut(Joined)) {
        let set = self.numbers.remove(&key).and_then(|number| self.sets.remove(&number));
        if let Some(set) = set {
            hand_over(self.given(set, end));
        }
    }

    /// A set that is no longer counted.
    fn given(&mut self, mut set: Joined, end: End) -> Joined {
        self.octets -= SET_OCTETS + set.capacity();
        set.end = end;
        set
    }
}
