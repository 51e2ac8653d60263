//! The single writer: a sans-IO state machine over admission, release, receipt and billing.
//!
//! [`Core::turn`] takes commands in order; each is decided, then applied; then one release turn; then the group closes as record octets
//! plus effects. The driver makes the octets durable and only then lets the effects out. The core reads no clock, no disk and no
//! random source, and no decision depends on the order of a map, so the same commands at the same times give the same group.
//!
//! | File | holds |
//! |---|---|
//! | fold, messages, slot, names, requests | what the journal says: `apply`, the same live and at replay |
//! | schedule | what follows from it and is not written: lanes, wheel, binds and their windows, the arena |
//! | accept, outcome, receipts, report, status, timers, sweep | one kind of command each |
//! | release | the release turn |
//! | doubt | parts without an outcome |
//! | reroute | messages whose carrier is out of reach |
//! | order | destinations whose messages keep their order |
//! | start | replay, and what happens before the first turn |

mod accept;
mod arena;
mod doubt;
mod fold;
mod group;
mod messages;
mod names;
mod numbers;
mod order;
mod outcome;
mod receipts;
mod release;
mod report;
mod requests;
mod reroute;
mod schedule;
mod slot;
mod start;
mod status;
mod sweep;
#[cfg(test)]
mod tests;
mod timers;

pub use group::{Group, Outboxes};
pub use numbers::Numbers;
pub use schedule::{Config, Terms};

use crate::billing::ledger::Balance;
use crate::command::Command;
use crate::core::fold::{Bounds, Fold};
use crate::core::schedule::Schedule;
use crate::exchange::Batch;
use crate::fact::Fact;
use crate::message::{CarrierId, Place, Timestamp};
use crate::receipt::habit::Habits;

/// A group holds at most this many octets of records.
pub const GROUP_OCTETS_MAX: usize = 256 << 10;
/// Commands are taken while the group is smaller than this; the rest is room for what one command and the release turn may add.
const COMMANDS_OCTETS_MAX: usize = 128 << 10;
const RELEASE_OCTETS_MAX: usize = 192 << 10;

/// All messages of one shard, their money and their way.
pub struct Core {
    fold: Fold,
    schedule: Schedule,
    config: Config,
    numbers: Numbers,
    habits: Habits,
    now: Timestamp,
    base: Place,
    stopping: bool,
    full: bool,
    room: bool,
    scratch: Vec<u8>,
}

impl Core {
    /// An empty core. `key` keys its hashes; it must be the same at every start on one store.
    pub fn new(config: Config, key: [u64; 2], now: Timestamp) -> Core {
        let bounds = Bounds {
            finished_max: config.finished_max,
            pending_entries_max: config.unmatched_max,
            pending_octets_max: config.unmatched_max.saturating_mul(384),
        };
        Core {
            fold: Fold::new(key, bounds),
            schedule: Schedule::new(config.arena_octets, now),
            config,
            numbers: Numbers::default(),
            habits: Habits::default(),
            now,
            base: Place::default(),
            stopping: false,
            full: false,
            room: true,
            scratch: Vec::new(),
        }
    }

    /// Decides and applies the commands of `batch` from `*cursor` on, as far as the group has room, then what time and credits allow.
    /// `base` is where the group's first record will stand. The work of one call is bounded by the group's size.
    pub fn turn(&mut self, batch: &Batch, cursor: &mut usize, now: Timestamp, base: Place, group: &mut Group) {
        self.begin(now, base);
        self.leave_rest(group);
        while *cursor < batch.commands.len() && group.records.octets().len() < COMMANDS_OCTETS_MAX {
            self.command(&batch.commands[*cursor], &batch.bytes, group);
            *cursor += 1;
        }
        self.expire(group);
        self.release(group);
        self.report(group);
        self.give_up_reports(group);
        self.numbers.waiting = self.fold.live;
        self.numbers.owed = self.fold.owed;
        self.numbers.pending = self.fold.pending.len() as u64;
        self.numbers.in_windows = self.schedule.in_windows;
    }

    fn begin(&mut self, now: Timestamp, base: Place) {
        self.now = now.max(self.now);
        self.base = base;
    }

    fn command(&mut self, command: &Command, bytes: &[u8], group: &mut Group) {
        match *command {
            Command::Accept { reply, record, envelope } => {
                self.accept(reply, record.of(bytes), envelope.of(bytes), group)
            }
            Command::Open { link, role, window } => self.open(link, role, window),
            Command::Close { link } => self.close(link, group),
            Command::Hold { link, held } => self.hold(link, held),
            Command::Submitted { link, slot, outcome } => self.submitted(link, slot, outcome, bytes, group),
            Command::Receipt { reply, carrier, notice, only_if_known } => {
                self.receipt(reply, carrier, notice.of(bytes), only_if_known, group)
            }
            Command::Delivered { link, slot, answer } => self.delivered(link, slot, answer, group),
            Command::Status { reply, tenant, id } => self.status(reply, tenant, id, group),
            Command::Recall { reply, key, body } => self.recall(reply, key, body, group),
            Command::Forget { key } => self.fold.requests.forget(key),
            Command::Loaded { id, place, envelope } => self.loaded(id, place, envelope.of(bytes), group),
            Command::Survivor { place, record, kept } => self.survivor(place, record.of(bytes), kept, group),
            Command::Swept { segment } => self.swept(segment, group),
            Command::Drain => self.drain(),
        }
    }

    /// When to call [`Core::turn`] again although nothing has come in.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let wheel = self.schedule.wheel.next_at().map(|second| Timestamp(i64::from(second) * 1_000_000));
        let unmatched = self.fold.pending.oldest_at().map(|at| at.plus_micros(self.config.unmatched_micros));
        let doubtful = self.schedule.doubtful.front().map(|(until, _)| *until);
        let carriers = self.schedule.carriers.iter().filter_map(|carrier| carrier.ready_at).min();
        let lanes = self.schedule.lanes.next_at().filter(|_| !self.stopping);
        let left = (!self.schedule.left.is_empty()).then_some(self.now);
        [wheel, unmatched, doubtful, carriers, lanes, left].into_iter().flatten().min()
    }

    /// From here on nothing new is accepted or released, so that windows empty.
    fn drain(&mut self) {
        self.stopping = true;
        self.schedule.carriers.iter_mut().for_each(|carrier| carrier.ready_at = None);
    }

    /// Whether it was told to drain and nothing is in any window, so that a stop repeats nothing.
    pub fn is_drained(&self) -> bool {
        self.stopping && self.schedule.in_windows == 0 && self.schedule.left.is_empty()
    }

    /// Whether the disk has no room: nothing new is accepted, what is stored goes on.
    /// `room` says that another segment is ready, so that there is something to sweep into.
    pub fn set_full(&mut self, full: bool, room: bool) {
        self.full = full;
        self.room = room;
    }

    /// What has happened since the start, and how much waits.
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// What every tenant owes, in the order of their numbers.
    pub fn balances(&self) -> impl Iterator<Item = &Balance> + '_ {
        self.fold.ledger.balances()
    }

    /// How often the ledger's totals disagreed with a fact. It is never anything but 0.
    pub fn ledger_faults(&self) -> u64 {
        self.fold.ledger.faults()
    }

    /// Messages that wait for their turn, for each carrier for which some do.
    pub fn waiting(&self) -> impl Iterator<Item = (CarrierId, u64)> + '_ {
        let lanes = &self.schedule.lanes;
        lanes.carriers().map(|carrier| (carrier, lanes.waiting(carrier)))
    }

    /// Writes a fact into the group and applies it.
    fn record(&mut self, fact: &Fact<'_>, group: &mut Group) {
        let offset = group.records.push(fact);
        self.fold.apply(fact, self.place(offset));
    }

    fn place(&self, offset: u32) -> Place {
        Place { segment: self.base.segment, offset: self.base.offset + offset }
    }

    fn now_seconds(&self) -> u32 {
        seconds(self.now)
    }
}

/// Whole seconds as the wheel counts them.
fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.seconds()).unwrap_or(if at.0 < 0 { 0 } else { u32::MAX })
}
