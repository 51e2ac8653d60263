//! The archive of finished messages: what a status query finds once the journal and the core have forgotten a message.
//!
//! It holds only what the journal said, sealed as it was there, so losing it breaks no promise. Messages come in slices sorted by
//! id, each slice is one table that is never rewritten, and what is too old or too much goes in whole generations.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fjall::compaction::Leveled;
use fjall::config::{BlockSizePolicy, PinningPolicy};
use fjall::{Database, Keyspace, KeyspaceCreateOptions};

use crate::message::{MessageId, Timestamp};

/// The archive lives in so many generations, so that dropping one frees about this fraction of it.
const GENERATIONS: u64 = 16;
/// Reads of one message cost one block; larger ones need less of an index.
const BLOCK_OCTETS: u32 = 8 << 10;
const CACHE_OCTETS: u64 = 2 << 20;
/// Files kept open.
const FILES_MAX: usize = 64;
/// Under this key, which is no message's, stands how far a generation has come.
const POSITION_KEY: [u8; 8] = [0; 8];
/// Tables are merged when there are this many in one generation, which only slices far smaller than usual bring about.
const TABLES_MAX: u8 = 200;

/// How much is kept. Both bounds hold; the first one reached decides.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long after its end a message is found.
    pub age: Duration,
    /// Octets that the archive may take on the disk, give or take one slice.
    pub octets_max: u64,
}

/// Why the archive cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The engine below it refuses.
    #[error("{0}")]
    Engine(#[from] fjall::Error),
    /// Its folder cannot be made or removed.
    #[error("{path}: {source}")]
    Folder {
        /// The folder.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// Its files made the engine panic.
    #[error("its files do not hold together")]
    Damaged,
}

/// Finished messages by id.
pub struct Archive {
    database: Database,
    /// Oldest first.
    generations: Vec<Generation>,
    bounds: Bounds,
}

struct Generation {
    number: u64,
    keyspace: Keyspace,
    reached: Reached,
}

/// How far a generation has come.
#[derive(Clone, Copy, Debug, Default)]
struct Reached {
    /// The first fact that is not in it.
    next_fact: u64,
    /// When the first of its messages ended that was put in with its first slice.
    oldest: Timestamp,
    /// When the last of its messages ended.
    newest: Timestamp,
}

impl Archive {
    /// Opens the archive in `dir`, or makes it. A damaged one is removed and made anew; the second value says why. One that cannot be
    /// opened for another reason (a full disk, no permission, too many open files) is left alone.
    pub fn open(dir: &Path, bounds: Bounds) -> Result<(Archive, Option<ArchiveError>), ArchiveError> {
        let why = match Archive::open_as_it_is(dir, bounds) {
            Ok(archive) => return Ok((archive, None)),
            Err(why) if !why.is_damage() => return Err(why),
            Err(why) => why,
        };
        Archive::remove(dir)?;
        Ok((Archive::open_as_it_is(dir, bounds)?, Some(why)))
    }

    /// Removes the archive in `dir`, if there is one.
    pub fn remove(dir: &Path) -> Result<(), ArchiveError> {
        match fs::remove_dir_all(dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(folder(dir)(error)),
            _ => Ok(()),
        }
    }

    fn open_as_it_is(dir: &Path, bounds: Bounds) -> Result<Archive, ArchiveError> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(folder(dir))?;
        // The engine asserts what it reads of its own files; a file that is not as it was written must not stop the start.
        let opened = catch_unwind(AssertUnwindSafe(|| Archive::open_files(dir.to_owned(), bounds)));
        opened.unwrap_or(Err(ArchiveError::Damaged))
    }

    fn open_files(dir: PathBuf, bounds: Bounds) -> Result<Archive, ArchiveError> {
        let builder = Database::builder(dir).worker_threads(1).cache_size(CACHE_OCTETS);
        let database = builder.max_cached_files(Some(FILES_MAX)).open()?;
        let mut numbers: Vec<u64> =
            database.list_keyspace_names().iter().filter_map(|name| name.parse().ok()).collect();
        numbers.sort_unstable();
        let mut generations = Vec::new();
        for number in numbers {
            let keyspace = database.keyspace(&number.to_string(), options)?;
            let reached = keyspace.get(POSITION_KEY)?.and_then(|octets| Reached::read(&octets)).unwrap_or_default();
            generations.push(Generation { number, keyspace, reached });
        }
        Ok(Archive { database, generations, bounds })
    }

    /// The first fact of the journal that has not been taken in.
    pub fn next_fact(&self) -> u64 {
        self.generations.iter().map(|generation| generation.reached.next_fact).max().unwrap_or(0)
    }

    /// A message's value, if it is there.
    pub fn find(&self, id: MessageId) -> Result<Option<Vec<u8>>, ArchiveError> {
        if id == MessageId::default() {
            return Ok(None);
        }
        for generation in self.generations.iter().rev() {
            if let Some(value) = generation.keyspace.get(id.0.to_be_bytes())? {
                return Ok(Some(value.to_vec()));
            }
        }
        Ok(None)
    }

    /// Takes in one slice, all or nothing, and then has everything before `next_fact`. `next` writes a value into the empty buffer and
    /// gives its id, in rising order of ids; `ended` holds the first and the last end of the slice's messages.
    pub fn take_in<E: From<ArchiveError>>(
        &mut self,
        next_fact: u64,
        ended: (Timestamp, Timestamp),
        mut next: impl FnMut(&mut Vec<u8>) -> Result<Option<MessageId>, E>,
    ) -> Result<u64, E> {
        let generation = self.writable(ended.1)?;
        let fresh = generation.reached.next_fact == 0;
        let reached = Reached {
            next_fact,
            oldest: if fresh { ended.0 } else { generation.reached.oldest },
            newest: ended.1.max(generation.reached.newest),
        };
        let failed = |error| ArchiveError::Engine(error);
        let mut slice = generation.keyspace.start_ingestion().map_err(failed)?;
        slice.write(POSITION_KEY, reached.octets()).map_err(failed)?;
        let mut value = Vec::new();
        let mut count = 0;
        while let Some(id) = next(&mut value)? {
            slice.write(id.0.to_be_bytes(), value.as_slice()).map_err(failed)?;
            value.clear();
            count += 1;
        }
        slice.finish().map_err(failed)?;
        generation.reached = reached;
        Ok(count)
    }

    /// Drops what is older than its time, and the oldest while there is no room for `octets` more.
    pub fn trim(&mut self, now: Timestamp, octets: u64) -> Result<(), ArchiveError> {
        let too_old = now.plus_micros(-self.age_micros());
        while let Some(oldest) = self.generations.first() {
            let held: u64 = self.generations.iter().map(|generation| generation.keyspace.disk_space()).sum();
            if oldest.reached.newest >= too_old && held + octets <= self.bounds.octets_max {
                break;
            }
            // The position must outlive the generation that holds it.
            let next_fact = self.next_fact();
            let gone = self.generations.remove(0);
            self.database.delete_keyspace(gone.keyspace)?;
            if self.generations.is_empty() {
                self.begin(gone.number + 1, Reached { next_fact, oldest: now, newest: now })?;
                break;
            }
        }
        Ok(())
    }

    /// Whether a message that ended then is too old to be told of.
    pub fn is_too_old(&self, ended: Timestamp, now: Timestamp) -> bool {
        now.micros_since(ended) > self.age_micros()
    }

    fn age_micros(&self) -> i64 {
        i64::try_from(self.bounds.age.as_micros()).unwrap_or(i64::MAX)
    }

    /// The generation that takes in what ended at `ended`: the newest, unless it is full or spans its share of the time.
    fn writable(&mut self, ended: Timestamp) -> Result<&mut Generation, ArchiveError> {
        let share = self.bounds.octets_max / GENERATIONS;
        let span = self.age_micros() / GENERATIONS as i64;
        let full = self.generations.last().is_none_or(|newest| {
            newest.keyspace.disk_space() >= share || ended.micros_since(newest.reached.oldest) > span
        });
        if full {
            let number = self.generations.last().map_or(1, |newest| newest.number + 1);
            self.begin(number, Reached::default())?;
        }
        Ok(self.generations.last_mut().expect("one was begun if there was none"))
    }

    fn begin(&mut self, number: u64, reached: Reached) -> Result<(), ArchiveError> {
        let keyspace = self.database.keyspace(&number.to_string(), options)?;
        if reached.next_fact > 0 {
            let mut slice = keyspace.start_ingestion()?;
            slice.write(POSITION_KEY, reached.octets())?;
            slice.finish()?;
        }
        self.generations.push(Generation { number, keyspace, reached });
        Ok(())
    }
}

impl ArchiveError {
    /// Whether the files are not as they were written, and not the system that refuses them.
    fn is_damage(&self) -> bool {
        let of_system = |error: &io::Error| error.raw_os_error().is_some() && error.kind() != io::ErrorKind::NotFound;
        match self {
            ArchiveError::Damaged => true,
            ArchiveError::Folder { .. } | ArchiveError::Engine(fjall::Error::Locked) => false,
            ArchiveError::Engine(fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error))) => {
                !of_system(error)
            }
            ArchiveError::Engine(_) => true,
        }
    }
}

impl Reached {
    fn octets(&self) -> [u8; 24] {
        let mut octets = [0; 24];
        octets[..8].copy_from_slice(&self.next_fact.to_le_bytes());
        octets[8..16].copy_from_slice(&self.oldest.0.to_le_bytes());
        octets[16..].copy_from_slice(&self.newest.0.to_le_bytes());
        octets
    }

    fn read(octets: &[u8]) -> Option<Reached> {
        let (next_fact, rest) = octets.split_first_chunk::<8>()?;
        let (oldest, rest) = rest.split_first_chunk::<8>()?;
        let newest = rest.first_chunk::<8>()?;
        Some(Reached {
            next_fact: u64::from_le_bytes(*next_fact),
            oldest: Timestamp(i64::from_le_bytes(*oldest)),
            newest: Timestamp(i64::from_le_bytes(*newest)),
        })
    }
}

/// Tables are kept as they were taken in: sorting them into each other would rewrite every message several times. Nothing of them is
/// held in memory but what the cache has room for.
fn options() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .index_block_pinning_policy(PinningPolicy::all(false))
        .filter_block_pinning_policy(PinningPolicy::all(false))
        .data_block_size_policy(BlockSizePolicy::all(BLOCK_OCTETS))
        .compaction_strategy(std::sync::Arc::new(Leveled::default().with_l0_threshold(TABLES_MAX)))
}

fn folder(dir: &Path) -> impl FnOnce(io::Error) -> ArchiveError {
    let path = dir.display().to_string();
    move |source| ArchiveError::Folder { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn bounds(octets_max: u64) -> Bounds {
        Bounds { age: Duration::from_secs(30 * 86_400), octets_max }
    }

    fn fill(archive: &mut Archive, ids: std::ops::Range<u64>, next_fact: u64, ended: Timestamp) {
        let mut ids = ids.map(MessageId);
        let taken = archive.take_in(next_fact, (ended, ended), |value| {
            let id = ids.next();
            value.extend_from_slice(&[id.map_or(0, |id| id.0 as u8); 300]);
            Ok::<_, ArchiveError>(id)
        });
        taken.expect("there is room");
    }

    fn has(archive: &Archive, id: u64) -> bool {
        let value = archive.find(MessageId(id)).expect("it can be read");
        assert!(value.as_ref().is_none_or(|value| *value == [id as u8; 300]));
        value.is_some()
    }

    #[test]
    fn slices_are_found_again_and_the_position_with_them() {
        let dir = tempfile::tempdir().expect("a place");
        let (mut archive, why) = Archive::open(dir.path(), bounds(1 << 30)).expect("a new archive");
        assert!(why.is_none() && archive.next_fact() == 0 && !has(&archive, 1));
        fill(&mut archive, 1..500, 700, Timestamp(DAY));
        fill(&mut archive, 500..900, 1_700, Timestamp(DAY));
        drop(archive);
        let (archive, why) = Archive::open(dir.path(), bounds(1 << 30)).expect("the same archive");
        assert!(why.is_none());
        assert_eq!(archive.next_fact(), 1_700);
        assert!((1..900).all(|id| has(&archive, id)));
        assert!(!has(&archive, 900) && !has(&archive, 0));
    }

    #[test]
    fn the_oldest_go_first_when_there_is_too_much() {
        let dir = tempfile::tempdir().expect("a place");
        let most = 1 << 20;
        let (mut archive, _) = Archive::open(dir.path(), bounds(most)).expect("a new archive");
        for round in 0..60 {
            archive.trim(Timestamp(DAY), 60_000).expect("trimmed");
            fill(&mut archive, 1 + round * 100..101 + round * 100, round + 1, Timestamp(DAY));
            let held: u64 = archive.generations.iter().map(|generation| generation.keyspace.disk_space()).sum();
            assert!(held <= most, "{held}");
        }
        assert!(!has(&archive, 1) && has(&archive, 6_000) && has(&archive, 5_000));
    }

    #[test]
    fn what_is_too_old_goes_and_the_position_stays() {
        let dir = tempfile::tempdir().expect("a place");
        let (mut archive, _) = Archive::open(dir.path(), bounds(1 << 30)).expect("a new archive");
        fill(&mut archive, 1..10, 50, Timestamp(DAY));
        fill(&mut archive, 10..20, 60, Timestamp(20 * DAY));
        archive.trim(Timestamp(32 * DAY), 0).expect("trimmed");
        assert!(!has(&archive, 1) && has(&archive, 10));
        archive.trim(Timestamp(60 * DAY), 0).expect("trimmed");
        assert!(!has(&archive, 10));
        drop(archive);
        let (archive, why) = Archive::open(dir.path(), bounds(1 << 30)).expect("the same archive");
        assert!(why.is_none());
        assert_eq!(archive.next_fact(), 60);
    }

    #[test]
    fn a_damaged_archive_is_made_anew() {
        let dir = tempfile::tempdir().expect("a place");
        let (mut archive, _) = Archive::open(dir.path(), bounds(1 << 30)).expect("a new archive");
        fill(&mut archive, 1..500, 700, Timestamp(DAY));
        drop(archive);
        let mut files = Vec::new();
        list(dir.path(), &mut files);
        assert!(files.len() > 3);
        for file in files {
            let length = fs::metadata(&file).expect("it is there").len() as usize;
            fs::write(&file, vec![0xa5; length.min(4096)]).expect("writable");
        }
        let (mut archive, why) = Archive::open(dir.path(), bounds(1 << 30)).expect("a new archive");
        assert!(why.is_some(), "it says why");
        assert_eq!(archive.next_fact(), 0);
        fill(&mut archive, 1..5, 7, Timestamp(DAY));
        assert!(has(&archive, 4));
    }

    #[test]
    fn an_archive_that_the_system_refuses_is_left_alone() {
        let dir = tempfile::tempdir().expect("a place");
        let path = dir.path().join("history");
        let (mut archive, _) = Archive::open(&path, bounds(1 << 30)).expect("a new archive");
        fill(&mut archive, 1..5, 7, Timestamp(DAY));
        let second = Archive::open(&path, bounds(1 << 30));
        assert!(second.is_err(), "another holder has it");
        drop(archive);
        let (archive, why) = Archive::open(&path, bounds(1 << 30)).expect("the same archive");
        assert!(why.is_none() && has(&archive, 4));
        let refused = ArchiveError::Engine(fjall::Error::Io(io::Error::from_raw_os_error(28)));
        assert!(!refused.is_damage(), "a full disk");
        let cut = ArchiveError::Engine(fjall::Error::Io(io::ErrorKind::UnexpectedEof.into()));
        assert!(cut.is_damage(), "a file that was cut");
    }

    fn list(dir: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("a folder").flatten() {
            if entry.path().is_dir() {
                list(&entry.path(), files);
            } else {
                files.push(entry.path());
            }
        }
    }
}
