//! The thread that writes CDR lines: follows the journal behind its sync, and tries again by itself whatever goes wrong.
//!
//! Segments are kept until their lines are on the disk, so a directory that cannot be written delays the bill and loses none of it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::billing::cdr::{Names, write_lines};
use crate::clock::Clock;
use crate::dashboard::metrics::Numbers as Metrics;
use crate::fact::layout::{self, Kind};
use crate::fact::{Concluded, Fact};
use crate::gateway::cdr_files::CdrFiles;
use crate::gateway::names::NameBook;
use crate::gateway::spine::Shared;
use crate::message::PrintedId;
use crate::seal::Keyring;
use crate::store::disk::Disk;
use crate::store::error::Error;
use crate::store::reader::{Follower, Reader};
use crate::store::recovery::Group;

/// Lines are written when they have grown to this many octets.
const BUFFER_OCTETS: usize = 64 << 10;
/// How often the journal is looked at once its end is reached.
const LOOK: Duration = Duration::from_millis(100);
/// How often lines are synced, unless a segment waits for them.
const SYNC_EVERY_MICROS: i64 = 1_000_000;
/// Between two tries after an error, in looks.
const LOOKS_BETWEEN_TRIES: u32 = 10;

/// The thread's state.
pub(super) struct CdrWriter<D: Disk> {
    pub files: CdrFiles<D>,
    pub reader: Reader<D>,
    /// Holds the segments whose lines are missing.
    pub follower: Follower<D>,
    pub names: Arc<NameBook>,
    pub keyring: Arc<Keyring>,
    pub shared: Arc<Shared>,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
    pub finish: Arc<AtomicBool>,
    /// No fact from here on has been followed, so what a file says of one is not true.
    pub limit: u64,
    pub now: Progress,
}

/// How far it has come since it began or began anew.
#[derive(Clone, Copy, Default)]
pub(super) struct Progress {
    /// The first fact that has not been followed.
    reached: u64,
    /// The first fact whose lines may not be on the disk.
    synced: u64,
    /// Lines between the two.
    lines: u64,
    /// The last try failed, and nothing has been synced since.
    failing: bool,
}

/// Why CDR lines cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum CdrError {
    #[error("cannot read the journal for CDR lines: {0}")]
    Journal(#[from] Error),
    #[error("cannot write CDR lines: {0}")]
    File(#[from] io::Error),
}

impl<D: Disk> CdrWriter<D> {
    /// Writes lines until told to finish, then to the journal's end. After an error it begins anew once a second.
    pub(super) fn run(&mut self) {
        loop {
            let finishing = self.finish.load(Ordering::Acquire);
            let Err(error) = self.begin().and_then(|()| self.follow()) else { return };
            if finishing {
                return tracing::error!(%error, "CDR lines cannot be written; the next start goes on with them");
            }
            if !self.now.failing {
                tracing::error!(%error, "CDR lines wait in the journal and are tried again every second");
            }
            self.now.failing = true;
            self.metrics.cdr.failing.set(1);
            for _ in 0..LOOKS_BETWEEN_TRIES {
                if !self.finish.load(Ordering::Acquire) {
                    std::thread::sleep(LOOK);
                }
            }
        }
    }

    fn begin(&mut self) -> Result<(), CdrError> {
        let from = self.files.resume(self.limit)?;
        self.follower = self.reader.follow(from);
        self.now = Progress { reached: from, synced: from, lines: 0, ..self.now };
        Ok(())
    }

    fn follow(&mut self) -> Result<(), CdrError> {
        let mut synced_at = self.clock.now();
        loop {
            let finish = self.finish.load(Ordering::Acquire);
            let more = self.take_groups()?;
            self.files.flush()?;
            let ends = finish && !more;
            let Progress { reached, synced, failing, .. } = self.now;
            let now = self.clock.now();
            let due = now.micros_since(synced_at) >= SYNC_EVERY_MICROS || self.shared.wanted_fact() > synced;
            if failing || reached > synced && (due || ends) {
                self.sync()?;
                synced_at = now;
            }
            if ends {
                return Ok(());
            }
            if !more {
                std::thread::sleep(LOOK);
            }
        }
    }

    /// Takes the lines of some groups; says whether there are more.
    fn take_groups(&mut self) -> Result<bool, CdrError> {
        let CdrWriter { follower, files, names, keyring, now, limit, .. } = self;
        while let Some(group) = follower.next_group()? {
            if now.reached == now.synced && group.first_fact > now.synced.max(1) {
                let (from_fact, to_fact) = (now.synced, group.first_fact - 1);
                tracing::error!(
                    from_fact,
                    to_fact,
                    "the journal no longer holds these facts; if lines of theirs are missing they stay so"
                );
            }
            now.lines += append(&group, names, keyring, now.synced, files)?;
            now.reached = group.first_fact + u64::from(group.records);
            *limit = now.reached.max(*limit);
            if files.waiting() > BUFFER_OCTETS {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn sync(&mut self) -> Result<(), CdrError> {
        self.files.sync(self.now.reached)?;
        self.follower.release(self.now.reached);
        self.metrics.cdr.lines.add(self.now.lines);
        if self.now.failing {
            self.metrics.cdr.failing.set(0);
            tracing::info!("CDR lines are written again");
        }
        self.now = Progress { synced: self.now.reached, lines: 0, failing: false, ..self.now };
        Ok(())
    }
}

/// Appends the lines of a group's facts from `from_fact` on; says how many.
fn append<D: Disk>(
    group: &Group<'_>,
    names: &NameBook,
    keyring: &Keyring,
    from_fact: u64,
    files: &mut CdrFiles<D>,
) -> io::Result<u64> {
    let book = names.read();
    let names = Names {
        tenant: &|tenant| book.tenant(tenant),
        carrier: &|carrier| book.carrier(carrier),
        id: &|id| PrintedId::new(id, keyring.id_check(id)),
    };
    let mut count = 0;
    for (index, record) in group.records().enumerate() {
        let fact = group.first_fact + index as u64;
        if record.kind != Kind::Concluded as u8 || fact < from_fact {
            continue;
        }
        let mut concluded: Option<Concluded<'_>> = None;
        let _ = layout::read(record.kind, record.payload, &mut |fact| {
            if let Fact::Concluded(found) = fact {
                concluded = Some(found);
            }
        });
        let Some(concluded) = concluded else { continue };
        write_lines(fact, &concluded, &names, files.lines(fact, concluded.at)?);
        count += u64::from(concluded.count);
    }
    Ok(count)
}
