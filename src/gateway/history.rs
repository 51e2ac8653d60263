//! The thread behind the archive of finished messages: it follows the journal, takes in what has ended, and answers for messages that
//! the core has forgotten.
//!
//! The journal is looked at ten times a second and not at each commit, so the thread costs the commit path no wake-up. What has ended
//! waits in memory until its segment is closed, its slice is full, or a segment waits to be given back; until then it is found there.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::clock::Clock;
use crate::command::{Denial, Effect, Reply, Span};
use crate::config::Config;
use crate::exchange::{Exchange, Mailbox, Outbox};
use crate::fact::layout::{self, Kind, kept_head, read_kept_payload};
use crate::fact::{Accepted, Concluded, Fact, Kept};
use crate::gateway::seals::Seals;
use crate::gateway::spine::Shared;
use crate::message::{MessageId, TenantId, Timestamp};
use crate::store::accepted::AcceptedRecords;
use crate::store::disk::Disk;
use crate::store::error::Error;
use crate::store::history::{Archive, ArchiveError, Bounds};
use crate::store::reader::{Follower, Reader};
use crate::store::record::GROUP_BYTES_MAX;

const LOOK: Duration = Duration::from_millis(100);
/// A slice is full when its Concluded records have this many octets, about 8,000 messages. A larger one holds up the journal's syncs
/// while it is synced itself; smaller ones are more tables to look into.
const SLICE_OCTETS: usize = 1 << 20;
/// Groups followed between two looks into the mailbox.
const GROUPS_AT_ONCE: usize = 512;

/// How long the archive stays closed after an error.
const SECONDS_CLOSED: i64 = 60;

/// Where the archive is, in the data directory.
const FOLDER: &str = "history";

/// The thread's state.
pub(super) struct History<D: Disk> {
    /// Absent if no archive is wanted; then nothing is found.
    pub source: Option<Source<D>>,
    /// Absent while the archive cannot be used.
    pub following: Option<Following<D>>,
    /// When it may be opened again.
    pub again_at: Timestamp,
    pub seals: Seals<D>,
    pub exchange: Arc<Exchange>,
    pub mailbox: Arc<Mailbox>,
    pub shared: Arc<Shared>,
    pub clock: Clock,
    pub finish: Arc<AtomicBool>,
}

/// The archive, and what is on its way there.
pub(super) struct Following<D: Disk> {
    archive: Archive,
    follower: Follower<D>,
    records: AcceptedRecords<D>,
    ended: Ended,
    /// The first fact that has not been followed.
    next_fact: u64,
    /// The first fact that was not let go of yet.
    released: u64,
    segment: u32,
    accepted: Vec<u8>,
}

/// Concluded records that have not been taken in.
#[derive(Default)]
struct Ended {
    /// Whose, and where they stand in `octets`.
    messages: Vec<(MessageId, Span)>,
    octets: Vec<u8>,
    /// The first and the last end.
    between: (Timestamp, Timestamp),
}

/// Where the archive is, and what it is filled from.
pub(super) struct Source<D: Disk> {
    dir: PathBuf,
    bounds: Bounds,
    reader: Reader<D>,
}

impl<D: Disk> Source<D> {
    /// The archive as the configuration wants it; one that is not wanted is removed.
    pub(super) fn of(config: &Config, reader: Reader<D>) -> Option<Source<D>> {
        let dir = config.node.data_dir.join(FOLDER);
        let bounds = Bounds { age: config.store.history, octets_max: config.store.history_octets_max };
        if !bounds.age.is_zero() && bounds.octets_max > 0 {
            return Some(Source { dir, bounds, reader });
        }
        if let Err(error) = Archive::remove(&dir) {
            tracing::warn!(%error, "the archive of finished messages is not wanted and cannot be removed");
        }
        None
    }

    /// Opens the archive and follows the journal from where it ends. The archive promises nothing, so whatever is wrong with it is a
    /// line in the log and never a failed start.
    pub(super) fn open(&self) -> Option<Following<D>> {
        match Archive::open(&self.dir, self.bounds) {
            Ok((archive, why)) => {
                if let Some(why) = why {
                    tracing::warn!(%why, "the archive of finished messages could not be read and begins anew, from what the journal holds");
                }
                Some(self.follow(archive))
            }
            Err(error) => {
                tracing::error!(%error, "the archive of finished messages cannot be opened; it is tried again");
                None
            }
        }
    }

    fn follow(&self, archive: Archive) -> Following<D> {
        let next_fact = archive.next_fact();
        Following {
            archive,
            follower: self.reader.follow(next_fact),
            records: AcceptedRecords::new(self.reader.another()),
            ended: Ended::default(),
            next_fact,
            released: next_fact,
            segment: 0,
            accepted: Vec::new(),
        }
    }
}

/// Why no more is taken in.
#[derive(Debug, thiserror::Error)]
pub(super) enum HistoryError {
    #[error("cannot read the journal: {0}")]
    Journal(#[from] Error),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl<D: Disk> History<D> {
    /// Works until told to finish. What was not taken in by then is read from the journal again at the next start.
    pub(super) fn run(mut self) {
        let mut outbox = Outbox::default();
        let mut patience = LOOK;
        while !self.finish.load(Ordering::Acquire) {
            self.mailbox.take_blocking(&mut outbox, patience);
            patience = if self.follow() { Duration::ZERO } else { LOOK };
            for effect in &outbox.effects {
                if let Effect::LookUp { reply, tenant, id } = *effect {
                    self.answer(reply, tenant, id);
                }
            }
            outbox.clear();
        }
    }

    /// Goes on in the journal; says whether there is more. After an error the archive is closed, so that no segment waits for it, and
    /// opened again after a while.
    fn follow(&mut self) -> bool {
        let Some(source) = &self.source else { return false };
        let now = self.clock.now();
        let Some(following) = &mut self.following else {
            if now >= self.again_at {
                self.following = source.open();
                self.again_at = now.plus_seconds(SECONDS_CLOSED);
            }
            return self.following.is_some();
        };
        match following.step(self.shared.wanted_fact(), now) {
            Ok(more) => more,
            Err(error) => {
                tracing::error!(%error, "the archive of finished messages is closed, and tried again");
                self.following = None;
                self.again_at = now.plus_seconds(SECONDS_CLOSED);
                false
            }
        }
    }

    fn answer(&mut self, reply: Reply, tenant: TenantId, id: MessageId) {
        let mut outbox = Outbox::default();
        let found =
            self.following.as_mut().map_or(Ok(false), |archive| archive.find(id, self.clock.now(), &mut outbox.bytes));
        let found = found.unwrap_or_else(|error| {
            tracing::error!(%error, "the archive of finished messages cannot be read");
            false
        });
        let kept = Span::since(0, &outbox.bytes);
        let message = read_kept_payload(&outbox.bytes).filter(|message| found && message.accepted.tenant == tenant);
        let effect = match message {
            None => Effect::Denied { tag: reply.tag, denial: Denial::NoSuchMessage },
            Some(message) => {
                let mut plain = Vec::new();
                // Without its key the message is still there, without its addresses.
                if self.seals.open(&message.accepted, &mut plain).is_err() {
                    plain.clear();
                }
                let envelope = Span::append(&plain, &mut outbox.bytes);
                Effect::Status { tag: reply.tag, kept, envelope }
            }
        };
        outbox.effects.push(effect);
        if let Some(mailbox) = self.exchange.mailbox(reply.link) {
            mailbox.deliver(&mut outbox);
        }
    }
}

impl<D: Disk> Following<D> {
    /// The first fact of the journal that has not been followed.
    pub(super) fn next_fact(&self) -> u64 {
        self.next_fact
    }

    /// Follows some groups and takes in what is due; says whether there is more to follow. `wanted` is the fact up to which somebody
    /// waits for it.
    fn step(&mut self, wanted: u64, now: Timestamp) -> Result<bool, HistoryError> {
        let mut more = true;
        for _ in 0..GROUPS_AT_ONCE {
            let Some(group) = self.follower.next_group()? else {
                more = false;
                break;
            };
            let closed = self.segment != 0 && group.place.segment != self.segment;
            self.segment = group.place.segment;
            self.records.note(&group);
            self.ended.note(&group, self.archive.next_fact());
            self.next_fact = self.next_fact.max(group.first_fact + u64::from(group.records));
            if closed || self.ended.octets.len() >= SLICE_OCTETS {
                self.take_in(now)?;
            }
        }
        if !more && wanted > self.released {
            self.take_in(now)?;
        }
        Ok(more)
    }

    fn take_in(&mut self, now: Timestamp) -> Result<(), HistoryError> {
        if !self.ended.messages.is_empty() {
            self.ended.messages.sort_unstable_by_key(|(id, _)| *id);
            self.ended.messages.dedup_by_key(|(id, _)| *id);
            self.archive.trim(now, 4 * self.ended.octets.len() as u64)?;
            let Following { archive, records, ended, accepted, .. } = self;
            let mut messages = ended.messages.iter();
            archive.take_in(self.next_fact, ended.between, |value| {
                for (id, span) in messages.by_ref() {
                    if write_value(*id, span.of(&ended.octets), records, accepted, value)? {
                        return Ok::<_, HistoryError>(Some(*id));
                    }
                }
                Ok(None)
            })?;
            self.ended.clear();
        }
        self.released = self.next_fact;
        self.follower.release(self.next_fact);
        self.records.prune();
        Ok(())
    }

    /// Appends the value of a finished message; says false if it is not known.
    fn find(&mut self, id: MessageId, now: Timestamp, value: &mut Vec<u8>) -> Result<bool, HistoryError> {
        let waiting = self.ended.messages.iter().rev().find(|(ended, _)| *ended == id);
        if let Some((_, span)) = waiting {
            return write_value(id, span.of(&self.ended.octets), &mut self.records, &mut self.accepted, value);
        }
        let Some(found) = self.archive.find(id)? else { return Ok(false) };
        let ended = read_kept_payload(&found).map(|kept| kept.at);
        if ended.is_none_or(|ended| self.archive.is_too_old(ended, now)) {
            return Ok(false);
        }
        value.extend_from_slice(&found);
        Ok(true)
    }
}

impl Ended {
    fn note(&mut self, group: &crate::store::recovery::Group<'_>, from_fact: u64) {
        for (index, record) in group.records().enumerate() {
            if record.kind != Kind::Concluded as u8 || group.first_fact + (index as u64) < from_fact {
                continue;
            }
            let Some(concluded) = concluded_in(record.payload) else { continue };
            if self.messages.is_empty() {
                // Growing by doubling would hold twice of it; pages that are not reached are not taken.
                self.octets.reserve_exact(SLICE_OCTETS + GROUP_BYTES_MAX);
                self.between = (concluded.at, concluded.at);
            }
            self.between.1 = self.between.1.max(concluded.at);
            let span = Span::append(record.payload, &mut self.octets);
            self.messages.push((concluded.id, span));
        }
    }

    fn clear(&mut self) {
        self.messages.clear();
        self.octets.clear();
    }
}

/// Appends what a status query needs of a message that has ended: a Kept payload, sealed as the journal has it. Says false if its
/// accepted record is gone, which happens to messages that ended before there was an archive.
fn write_value<D: Disk>(
    id: MessageId,
    concluded: &[u8],
    records: &mut AcceptedRecords<D>,
    accepted: &mut Vec<u8>,
    value: &mut Vec<u8>,
) -> Result<bool, HistoryError> {
    accepted.clear();
    let Some(concluded) = concluded_in(concluded) else { return Ok(false) };
    if !records.append(id, accepted)? {
        return Ok(false);
    }
    let ended_at = layout::part_summaries(concluded.parts).map(|part| part.done_at).max().unwrap_or(concluded.at);
    let kept = Kept {
        at: concluded.at,
        accepted: Accepted::default(),
        concluded_at: ended_at.max(Timestamp(1)),
        state: concluded.state,
        report: false,
        started: concluded.count,
        count: concluded.count,
        parts: concluded.parts,
    };
    kept_head(&kept, value);
    value.extend_from_slice(accepted);
    Ok(true)
}

fn concluded_in(payload: &[u8]) -> Option<Concluded<'_>> {
    let mut concluded = None;
    let read = layout::read(Kind::Concluded as u8, payload, &mut |fact| {
        if let Fact::Concluded(found) = fact {
            concluded = Some(found);
        }
    });
    read.ok().and(concluded)
}

#[cfg(test)]
mod tests;
