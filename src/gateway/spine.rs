//! The thread that drives the core: takes commands, lets it decide, makes the group durable, then lets its effects out.
//!
//! The sync runs in this thread. While it waits nothing could leave anyway, and a thread of its own would cost each group two more
//! hand-offs; `docs/decisions.md` has the figures.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::billing::ledger::Balance;
use crate::clock::Clock;
use crate::command::Effect;
use crate::core::{Core, Group, Numbers};
use crate::dashboard::metrics::Numbers as Metrics;
use crate::exchange::{Batch, Exchange};
use crate::message::{CarrierId, LinkId, Timestamp};
use crate::store::disk::Disk;
use crate::store::error::Error;
use crate::store::journal::Journal;

/// How commands are gathered into groups.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gathering {
    /// Facts that are synced without waiting for more.
    pub enough: usize,
    /// How long the oldest waits for company.
    pub linger: Duration,
}

/// What the spine has done, for metrics; copied out once a turn.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Progress {
    /// The core's counts.
    pub core: Numbers,
    /// Groups made durable.
    pub groups: u64,
    /// Facts in them, by records.
    pub records: u64,
    /// Octets written.
    pub octets: u64,
    /// Microseconds spent in writing and syncing them.
    pub sync_micros: u64,
    /// Journal segments in use.
    pub segments: u32,
    /// Octets that the journal takes on the disk.
    pub disk_octets: u64,
    /// The disk has no room for more messages.
    pub full: bool,
    /// The core was told to drain, and nothing is in any window.
    pub drained: bool,
    /// How often the ledger disagreed with a fact.
    pub ledger_faults: u64,
}

/// Something to be done in the core's thread between two turns, with its facts in the next group.
pub(super) type Errand = Box<dyn FnOnce(&mut Core, &mut Group) + Send>;

/// What other threads share with the spine.
#[derive(Default)]
pub(super) struct Shared {
    errands: Mutex<Vec<Errand>>,
    has_errands: AtomicBool,
    finish: AtomicBool,
    wanted: AtomicU64,
    /// When the last turn ended.
    turned: AtomicI64,
    published: Mutex<Published>,
}

#[derive(Default)]
struct Published {
    progress: Progress,
    /// Messages that wait for their turn, for each carrier for which some do.
    waiting: Vec<(CarrierId, u64)>,
    /// What every tenant owes, and when that was copied.
    balances: Vec<Balance>,
    balances_at: Timestamp,
}

impl Shared {
    /// Hands in an errand; it runs at the next turn.
    pub(super) fn send(&self, errand: Errand) {
        self.errands.lock().unwrap_or_else(|e| e.into_inner()).push(errand);
        self.has_errands.store(true, Ordering::Release);
    }

    /// Lets the spine end after its next group.
    pub(super) fn finish(&self) {
        self.finish.store(true, Ordering::Release);
    }

    /// Whether the last turn ended a moment ago. A disk that hangs stops the turns, and nothing is answered meanwhile.
    pub(super) fn is_turning(&self, now: Timestamp) -> bool {
        now.micros_since(Timestamp(self.turned.load(Ordering::Relaxed))) < STALLED_AFTER_MICROS
    }

    /// The fact up to which segments wait to be followed before they can be given back.
    pub(super) fn wanted_fact(&self) -> u64 {
        self.wanted.load(Ordering::Relaxed)
    }

    /// The counts as of the last turn.
    pub(super) fn progress(&self) -> Progress {
        self.published().progress
    }

    /// Messages that wait for their turn, for each carrier for which some do, as of the last turn.
    pub(super) fn waiting(&self) -> Vec<(CarrierId, u64)> {
        self.published().waiting.clone()
    }

    /// What every tenant owes, at most a moment ago.
    pub(super) fn balances(&self) -> Vec<Balance> {
        self.published().balances.clone()
    }

    fn published(&self) -> MutexGuard<'_, Published> {
        self.published.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// The core, its journal, and what passes between them.
pub(super) struct Spine<D: Disk> {
    pub core: Core,
    pub journal: Journal<D>,
    pub exchange: Arc<Exchange>,
    pub shared: Arc<Shared>,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    pub gathering: Gathering,
    /// The link whose effects are for the journal itself.
    pub journal_link: LinkId,
    pub group: Group,
    pub progress: Progress,
    /// Segments that the core no longer needs and a follower may still need: until it has come to this fact, all that was decided
    /// before may refer to them.
    pub retired: Vec<(u32, u64)>,
}

/// How long the spine sleeps at most when nothing is due: errands and the end are seen within this time.
const IDLE_MAX: Duration = Duration::from_millis(50);
/// How often the journal's size is looked at.
const GROUPS_BETWEEN_LOOKS: u64 = 64;
/// How often balances are copied out: there may be thousands.
const BALANCES_EVERY_MICROS: i64 = 100_000;
/// A turn that takes longer is told of: `/readyz` turns red. An idle spine turns every [`IDLE_MAX`].
const STALLED_AFTER_MICROS: i64 = 2_000_000;
/// Between two tries when the disk has no room at all.
const FULL_PAUSE: Duration = Duration::from_millis(100);

impl<D: Disk> Spine<D> {
    /// Runs until told to finish. An error is the journal's and fatal: nothing may be acknowledged after it.
    pub(super) fn run(mut self) -> Result<(), Error> {
        let mut batch = Batch::default();
        let mut cursor = 0;
        loop {
            if cursor == batch.commands.len() {
                batch.clear();
                cursor = 0;
                let timeout = self.patience();
                let Gathering { enough, linger } = self.gathering;
                self.exchange.inbox.take(&mut batch, enough, linger, timeout);
            }
            self.turn(&batch, &mut cursor)?;
            if self.shared.finish.load(Ordering::Acquire) && cursor == batch.commands.len() {
                return Ok(());
            }
        }
    }

    fn patience(&self) -> Duration {
        let now = self.clock.now();
        let due = self
            .core
            .poll_timeout()
            .map_or(IDLE_MAX, |at| Duration::from_micros(u64::try_from(at.micros_since(now)).unwrap_or(0)));
        due.min(IDLE_MAX)
    }

    /// One turn and its group.
    pub(super) fn turn(&mut self, batch: &Batch, cursor: &mut usize) -> Result<(), Error> {
        let next = loop {
            match self.journal.next_place() {
                Ok(next) => break next,
                Err(Error::Full { .. }) if !self.shared.finish.load(Ordering::Acquire) => {
                    // All that was applied is durable here, so what is dead may go although no turn can be made.
                    self.core.let_go(&mut self.group);
                    self.let_out();
                    self.wait_for_room();
                }
                Err(error) => return Err(error),
            }
        };
        if next.opens_segment {
            self.core.checkpoint(next.place, &mut self.group);
        }
        if self.shared.has_errands.swap(false, Ordering::AcqRel) {
            let errands = std::mem::take(&mut *self.shared.errands.lock().unwrap_or_else(|e| e.into_inner()));
            errands.into_iter().for_each(|errand| errand(&mut self.core, &mut self.group));
        }
        let low = self.journal.is_low();
        self.core.set_full(low, low && self.journal.has_next());
        self.core.turn(batch, cursor, self.clock.now(), next.place, &mut self.group);
        self.close_group()
    }

    /// Makes the group durable, then lets its effects out.
    pub(super) fn close_group(&mut self) -> Result<(), Error> {
        if !self.group.records.is_empty() {
            self.commit()?;
        }
        self.let_out();
        self.give_back();
        self.publish(self.journal.is_low());
        Ok(())
    }

    /// Lets the effects of a durable group out.
    fn let_out(&mut self) {
        let Spine { group, exchange, retired, journal, journal_link, .. } = self;
        group.outboxes.drain(|link, outbox| {
            if link == *journal_link {
                let decided = journal.next_fact();
                retired.extend(outbox.effects.iter().filter_map(recycled).map(|segment| (segment, decided)));
            } else if let Some(mailbox) = exchange.mailbox(link) {
                mailbox.deliver(outbox);
            }
        });
        group.clear();
    }

    /// Gives back the segments that nobody needs any more.
    fn give_back(&mut self) {
        let journal = &mut self.journal;
        self.retired.retain(|(segment, fact)| !(journal.is_followed_to(*fact) && journal.recycle(*segment)));
        if let Some((_, fact)) = self.retired.first() {
            self.shared.wanted.store(*fact, Ordering::Relaxed);
        }
    }

    fn commit(&mut self) -> Result<(), Error> {
        let committed = loop {
            match self.journal.commit(self.group.records.octets(), self.group.records.records()) {
                Ok(committed) => break committed,
                // The group has been applied and must become durable before anything else: wait for room.
                Err(Error::Full { .. }) if !self.shared.finish.load(Ordering::Acquire) => self.wait_for_room(),
                Err(error) => return Err(error),
            }
        };
        let records = self.group.records.records();
        self.metrics.journal.sync_seconds.note(committed.sync.as_secs_f64());
        self.metrics.journal.group_facts.note(f64::from(records));
        self.progress.groups += 1;
        self.progress.records += u64::from(records);
        self.progress.octets += u64::from(committed.bytes);
        self.progress.sync_micros += u64::try_from(committed.sync.as_micros()).unwrap_or(u64::MAX);
        Ok(())
    }

    fn wait_for_room(&mut self) {
        self.publish(true);
        std::thread::sleep(FULL_PAUSE);
        self.exchange.inbox.rouse();
        // The room may come from a segment that a follower was still reading.
        self.give_back();
    }

    fn publish(&mut self, full: bool) {
        if full != self.progress.full {
            self.progress.full = full;
            match full {
                true => tracing::warn!(
                    why = self.journal.why_low(),
                    "the disk has no room for more messages: new ones are refused, what is stored is sent"
                ),
                false => tracing::info!("the disk has room again: messages are taken"),
            }
        }
        if self.progress.segments == 0 || self.progress.groups.is_multiple_of(GROUPS_BETWEEN_LOOKS) {
            self.progress.segments = self.journal.segments().len() as u32;
            self.progress.disk_octets = self.journal.bytes_on_disk();
        }
        self.progress.core = *self.core.numbers();
        self.progress.drained = self.core.is_drained();
        self.progress.ledger_faults = self.core.ledger_faults();
        let now = self.clock.now();
        self.shared.turned.store(now.0, Ordering::Relaxed);
        let mut published = self.shared.published();
        published.progress = self.progress;
        published.waiting.clear();
        published.waiting.extend(self.core.waiting());
        if now.micros_since(published.balances_at) >= BALANCES_EVERY_MICROS {
            published.balances_at = now;
            published.balances.clear();
            published.balances.extend(self.core.balances());
        }
    }
}

fn recycled(effect: &Effect) -> Option<u32> {
    match effect {
        Effect::Recycle { segment } => Some(*segment),
        _ => None,
    }
}
