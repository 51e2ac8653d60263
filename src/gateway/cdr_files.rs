//! CDR lines: the journal followed behind its sync, one file a day, each line exactly once.
//!
//! Each line carries the number of its Concluded fact. At start the newest file is cut to its last whole message and the journal is
//! followed from there; segments are kept until their lines are on the disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::billing::cdr::{Names, last_whole_line, write_lines};
use crate::fact::layout::{self, Kind};
use crate::fact::{Concluded, Fact};
use crate::gateway::names::NameBook;
use crate::message::{PrintedId, Timestamp};
use crate::seal::Keyring;
use crate::store::disk::Disk;
use crate::store::error::Error;
use crate::store::reader::Follower;
use crate::store::recovery::Group;

const SUFFIX: &str = ".jsonl";
const BUFFER_OCTETS: usize = 64 << 10;
/// Enough for the lines of the largest message.
const TAIL_OCTETS: u64 = 1 << 20;
const PATIENCE: Duration = Duration::from_millis(200);
/// Lines are synced at least this often, in groups followed; segments are kept until then.
const GROUPS_BETWEEN_SYNCS: u32 = 2_000;

/// Where the files are, and from which fact on lines are missing.
pub(super) struct CdrFiles {
    dir: PathBuf,
    /// First fact whose line may be missing.
    pub next_fact: u64,
}

impl CdrFiles {
    /// Makes the directory, cuts the newest file to whole messages and reads where it ends.
    pub(super) fn open(dir: &Path) -> io::Result<CdrFiles> {
        fs::create_dir_all(dir)?;
        let mut names: Vec<_> = fs::read_dir(dir)?.collect::<Result<Vec<_>, _>>()?;
        names.retain(|entry| entry.file_name().to_string_lossy().ends_with(SUFFIX));
        names.sort_by_key(fs::DirEntry::file_name);
        for entry in names.iter().rev() {
            if let Some(fact) = cut(&entry.path())? {
                return Ok(CdrFiles { dir: dir.to_owned(), next_fact: fact + 1 });
            }
        }
        Ok(CdrFiles { dir: dir.to_owned(), next_fact: 0 })
    }
}

/// Cuts a file to its last whole message and gives its fact; `None` if there is none.
fn cut(path: &Path) -> io::Result<Option<u64>> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let length = file.seek(SeekFrom::End(0))?;
    let from = length.saturating_sub(TAIL_OCTETS);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let first_line = if from == 0 { 0 } else { tail.iter().position(|octet| *octet == b'\n').map_or(0, |at| at + 1) };
    let whole = last_whole_line(&tail[first_line..]);
    let end = from + (first_line + whole.octets) as u64;
    if end < length {
        file.set_len(end)?;
        file.sync_data()?;
    }
    Ok(whole.fact)
}

/// The thread that writes the lines.
pub(super) struct CdrWriter<D: Disk> {
    pub files: CdrFiles,
    pub follower: Follower<D>,
    pub names: Arc<NameBook>,
    pub keyring: Arc<Keyring>,
    pub finish: Arc<AtomicBool>,
}

struct Day {
    day: u32,
    file: File,
}

impl<D: Disk> CdrWriter<D> {
    /// Follows the journal until told to finish, then to its end.
    pub(super) fn run(&mut self) -> Result<(), CdrError> {
        let mut lines = Vec::with_capacity(2 * BUFFER_OCTETS);
        let mut day: Option<Day> = None;
        let mut unsynced = 0;
        loop {
            let finish = self.finish.load(Ordering::Acquire);
            let mut reached = None;
            while let Some(group) = self.follower.next_group()? {
                reached = Some(group.first_fact + u64::from(group.records));
                append(&group, &self.names, &self.keyring, self.files.next_fact, |at, write| {
                    if day.as_ref().is_none_or(|day| day.day != at.day()) {
                        flush(&mut day, &mut lines)?;
                        day = Some(open_day(&self.files.dir, at)?);
                    }
                    write(&mut lines);
                    Ok(())
                })?;
                unsynced += 1;
                if lines.len() > BUFFER_OCTETS || unsynced > GROUPS_BETWEEN_SYNCS {
                    break;
                }
            }
            flush(&mut day, &mut lines)?;
            if let Some(reached) = reached {
                self.files.next_fact = reached;
                if let Some(day) = &day {
                    day.file.sync_data()?;
                }
                self.follower.release(reached);
                unsynced = 0;
            } else if finish {
                return Ok(());
            } else {
                self.follower.wait(PATIENCE);
            }
        }
    }
}

/// Why CDR lines cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum CdrError {
    #[error("cannot read the journal for CDR lines: {0}")]
    Journal(#[from] Error),
    #[error("cannot write CDR lines: {0}")]
    File(#[from] io::Error),
}

type WriteLine<'a> = dyn FnMut(&mut Vec<u8>) + 'a;

fn append(
    group: &Group<'_>,
    names: &NameBook,
    keyring: &Keyring,
    from_fact: u64,
    mut put: impl FnMut(Timestamp, &mut WriteLine<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let book = names.read();
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
        let names = Names {
            tenant: &|tenant| book.tenant(tenant),
            carrier: &|carrier| book.carrier(carrier),
            id: &|id| PrintedId::new(id, keyring.id_check(id)),
        };
        put(concluded.at, &mut |lines| write_lines(fact, &concluded, &names, lines))?;
    }
    Ok(())
}

fn flush(day: &mut Option<Day>, lines: &mut Vec<u8>) -> io::Result<()> {
    if let Some(day) = day
        && !lines.is_empty()
    {
        day.file.write_all(lines)?;
        lines.clear();
    }
    Ok(())
}

fn open_day(dir: &Path, at: Timestamp) -> io::Result<Day> {
    let date = jiff::Timestamp::from_second(at.seconds()).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC).date();
    let path = dir.join(format!("{date}{SUFFIX}"));
    let file = OpenOptions::new().append(true).create(true).open(&path)?;
    File::open(dir)?.sync_all()?;
    Ok(Day { day: at.day(), file })
}
