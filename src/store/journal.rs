//! The journal: groups are appended and synced one at a time, and segments are given back once nothing in them lives.
//! One thread owns it. Readers, followers and the thread that keeps spare segments work beside it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::message::Place;
use crate::store::disk::{Disk, DiskFile, Mode};
use crate::store::error::{self, Error};
use crate::store::published::{Published, Segment};
use crate::store::reader::{Follower, Reader};
use crate::store::record::{self, CHECKPOINT_BYTES_MAX, GROUP_BYTES_MAX, GROUP_HEADER_BYTES, GroupHeader};
use crate::store::recovery::{self, Found, Replay};
use crate::store::segment::{self, DATA_START, FOLDER};
use crate::store::shelf::{Shelf, ShelfConfig, Stock};

const LOCK: &str = "lock";
/// Segments are a multiple of it.
const PAGE_BYTES: u32 = 4096;

/// How the journal is laid out on the disk.
#[derive(Clone, Debug)]
pub struct Config {
    /// Size of a new segment in bytes, default 64 MiB, a multiple of 4096. Small ones roll often (each roll writes a
    /// checkpoint), large ones are given back late. Segments of another size in an existing store stay as they are.
    pub segment_bytes: u32,
    /// The most bytes of records in one group, default and most 256 KiB. Smaller ones let tests use small segments.
    pub group_bytes_max: usize,
    /// Zeroed segments kept ready beside the prepared one, default 2. With none a roll waits for 64 MiB of zeros; more
    /// of them let more be drained while the disk is full.
    pub spares: usize,
    /// The most segment files, spares included; `None`, the default, leaves it to the disk.
    pub segments_max: Option<u32>,
    /// Whether a thread of its own keeps the spares, default true. Without one rolls are slow and a simulation is
    /// reproducible.
    pub helper_thread: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            segment_bytes: 64 << 20,
            group_bytes_max: GROUP_BYTES_MAX,
            spares: 2,
            segments_max: None,
            helper_thread: true,
        }
    }
}

impl Config {
    fn check(&self) -> Result<(), Error> {
        let least = DATA_START as usize + 2 * record::group_stride(self.group_bytes_max);
        let what = if !self.segment_bytes.is_multiple_of(PAGE_BYTES) || self.segment_bytes > 1 << 30 {
            "a segment must be a multiple of 4096 bytes and at most 1 GiB".to_string()
        } else if self.group_bytes_max > GROUP_BYTES_MAX {
            format!("a group holds at most {GROUP_BYTES_MAX} bytes")
        } else if (self.segment_bytes as usize) < least {
            format!("a segment must have room for two groups, {least} bytes")
        } else {
            return Ok(());
        };
        Err(Error::Config { what })
    }
}

/// Where the next group's first record will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextPlace {
    /// The place of the group's first record.
    pub place: Place,
    /// Whether the group is the first of its segment, and so has to be a checkpoint of all that is not per message.
    pub opens_segment: bool,
}

/// A group that is on stable storage.
#[derive(Clone, Copy, Debug)]
pub struct Committed {
    /// The place of its first record.
    pub place: Place,
    /// The number of its first record.
    pub first_fact: u64,
    /// Bytes it takes in the segment, header and padding included.
    pub bytes: u32,
    /// How long the sync took.
    pub sync: Duration,
}

/// A segment in use, as the owner of the journal sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentUse {
    /// Its number, the `segment` of places in it.
    pub segment: u32,
    /// Bytes up to the end of its last group.
    pub used: u32,
    /// Size of the file.
    pub bytes: u32,
}

/// An open journal. The data directory's lock is free once it and all its readers and followers are dropped.
pub struct Journal<D: Disk> {
    published: Arc<Published<D>>,
    shelf: Shelf<D>,
    config: Config,
    active: Arc<D::File>,
    active_bytes: u32,
    /// Where the next group's header goes.
    end: Place,
    next_group: u64,
    next_fact: u64,
    /// Header, records and padding of the group being written.
    buffer: Vec<u8>,
    poisoned: Option<String>,
}

impl<D: Disk> Journal<D> {
    /// Takes the lock of the data directory, finds the end of the synced groups and gives the replay of all of them,
    /// which has to be read to its end before the first commit. An empty directory becomes a new journal.
    pub fn open(disk: D, config: Config) -> Result<(Journal<D>, Replay<D>), Error> {
        config.check()?;
        let disk = Arc::new(disk);
        let lock = lock(&*disk)?;
        disk.create_dir(FOLDER).map_err(recovery::disk_error(&*disk, "create", FOLDER))?;
        disk.hold_dir(FOLDER).map_err(recovery::disk_error(&*disk, "open", FOLDER))?;
        let mut found = recovery::survey(&*disk, Mode::Write)?;
        recovery::tidy(&*disk, &mut found, config.segment_bytes)?;
        let Found { mut segments, spares } = found;
        let shelf_config = ShelfConfig {
            segment_bytes: config.segment_bytes,
            spares: config.spares,
            segments_max: config.segments_max,
            helper_thread: config.helper_thread,
        };
        let mut stock = Stock { live: 0, prepared: [].into(), next_epoch: 1, spares };
        let tail;
        let shelf;
        if segments.is_empty() {
            shelf = Shelf::start(Arc::clone(&disk), shelf_config, stock);
            let (epoch, file) = shelf.take()?;
            let segment = Segment { file, bytes: config.segment_bytes, first_fact: None, used: DATA_START };
            segments.insert(epoch, segment);
            tail = recovery::find_tail(&*disk, &mut segments)?;
        } else {
            tail = recovery::find_tail(&*disk, &mut segments)?;
            let prepared = segments.split_off(&(tail.place.segment + 1));
            stock.live = segments.len() as u32;
            stock.next_epoch = tail.place.segment + 1 + prepared.len() as u32;
            stock.prepared = prepared.into_iter().map(|(epoch, segment)| (epoch, segment.file)).collect();
            shelf = Shelf::start(Arc::clone(&disk), shelf_config, stock);
        }
        let active = segments.last_entry().expect("there is the segment of the tail").get().clone();
        let published = Arc::new(Published::new(disk, segments, tail.place, lock));
        let replay = Replay::new(Arc::clone(&published), &tail);
        let journal = Journal {
            published,
            shelf,
            active: active.file,
            active_bytes: active.bytes,
            end: tail.place,
            next_group: tail.next_group,
            next_fact: tail.next_fact,
            buffer: Vec::with_capacity(record::group_stride(config.group_bytes_max) + PAGE_BYTES as usize),
            config,
            poisoned: None,
        };
        Ok((journal, replay))
    }

    /// Where the next group will be. Goes on to the next segment first if this one has no room for a group of the
    /// largest size; `Full` if there is none, and then everything is as before and may be asked again.
    pub fn next_place(&mut self) -> Result<NextPlace, Error> {
        self.refuse_if_poisoned()?;
        self.shelf.refuse_if_broken().map_err(|error| self.poison_by(error))?;
        let room = (self.active_bytes - self.end.offset) as usize;
        if room < record::group_stride(self.config.group_bytes_max) {
            self.roll()?;
        }
        let place = Place { segment: self.end.segment, offset: self.end.offset + GROUP_HEADER_BYTES as u32 };
        Ok(NextPlace { place, opens_segment: self.end.offset == DATA_START })
    }

    /// As `next_place`, with one segment beyond the limit if it must be: a store that has used up its limit starts, so that it can send
    /// what it holds.
    pub fn next_place_beyond(&mut self) -> Result<NextPlace, Error> {
        self.next_place().or_else(|error| match error {
            Error::Full { .. } => {
                self.shelf.allow_one_more();
                self.next_place()
            }
            error => Err(error),
        })
    }

    fn roll(&mut self) -> Result<(), Error> {
        let (epoch, file) = self.shelf.take().map_err(|error| self.poison_by(error))?;
        let bytes = file.len().map_err(|error| self.poison("look at", epoch, &error))? as u32;
        let segment = Segment { file: Arc::clone(&file), bytes, first_fact: None, used: DATA_START };
        self.published.close_segment(self.end);
        self.published.change(|segments| segments.insert(epoch, segment));
        (self.active, self.active_bytes) = (file, bytes);
        self.end = Place { segment: epoch, offset: DATA_START };
        Ok(())
    }

    /// Writes one group at `next_place` and syncs it; `payload` is its records as `put_record` lays them out, and
    /// `records` their count. Only when this has returned may anybody hear of them. After `Full` the same or
    /// another group may be committed at the same place; after any other error none may.
    pub fn commit(&mut self, payload: &[u8], records: u32) -> Result<Committed, Error> {
        self.refuse_if_poisoned()?;
        self.check_group(payload, records)?;
        self.write(payload, records)
    }

    /// Declares, durably, that all records before `next_fact` that are not here are lost: the next one has this number. Call it after
    /// `next_place`, where that opens no segment.
    pub fn declare_lost(&mut self, next_fact: u64) -> Result<(), Error> {
        self.refuse_if_poisoned()?;
        debug_assert!(self.end.offset != DATA_START, "a segment opens with a checkpoint");
        self.next_fact = self.next_fact.max(next_fact);
        self.write(&[], 0).map(|_| ())
    }

    fn write(&mut self, payload: &[u8], records: u32) -> Result<Committed, Error> {
        let header = GroupHeader {
            epoch: self.end.segment,
            number: self.next_group,
            first_fact: self.next_fact,
            records,
            length: payload.len() as u32,
        };
        self.buffer.clear();
        self.buffer.extend_from_slice(&header.encode(payload));
        self.buffer.extend_from_slice(payload);
        // Whole pages are written, so that the kernel need not read one first; the next group overwrites the zeros.
        let page_end = (self.end.offset + header.stride()).next_multiple_of(PAGE_BYTES);
        self.buffer.resize((page_end - self.end.offset) as usize, 0);
        match self.active.write_all_at(&self.buffer, u64::from(self.end.offset)) {
            Ok(()) => {}
            Err(error) if error::is_full(&error) => {
                return Err(Error::Full { path: self.published.disk.path(FOLDER), why: error.to_string() });
            }
            Err(error) => return Err(self.poison("write", self.end.segment, &error)),
        }
        let sync = self.active.sync().map_err(|error| self.poison("sync", self.end.segment, &error))?;
        let place = Place { segment: self.end.segment, offset: self.end.offset + GROUP_HEADER_BYTES as u32 };
        let committed = Committed { place, first_fact: self.next_fact, bytes: header.stride(), sync };
        if self.end.offset == DATA_START {
            self.published.change(|segments| {
                if let Some(segment) = segments.get_mut(&place.segment) {
                    segment.first_fact = Some(header.first_fact);
                }
            });
        }
        self.end.offset += header.stride();
        self.next_group += 1;
        self.next_fact += u64::from(records);
        self.published.advance(self.end);
        Ok(committed)
    }

    fn check_group(&self, payload: &[u8], records: u32) -> Result<(), Error> {
        let room = (self.active_bytes - self.end.offset) as usize;
        let bytes_max = if self.end.offset == DATA_START { CHECKPOINT_BYTES_MAX } else { self.config.group_bytes_max };
        let what = if payload.len() > bytes_max {
            "it is larger than a group may be"
        } else if record::group_stride(payload.len()) > room {
            "the segment has no room for it; ask for the next place first"
        } else if records == 0 || record::count_records(payload) != Some(records) {
            "its records do not add up"
        } else if !self.published.replayed.load(Ordering::Acquire) {
            "the replay has not been read to its end"
        } else {
            return Ok(());
        };
        Err(Error::BadGroup { bytes: payload.len(), records, what })
    }

    /// The number that the next record will have; records count from 1 through the life of the store.
    pub fn next_fact(&self) -> u64 {
        self.next_fact
    }

    /// Whether spare segments could not be made: the disk or the budget is full, or the disk is failing. Refuse
    /// intake; what is stored can be drained into the segments that are still there. It turns false by itself.
    pub fn is_low(&self) -> bool {
        self.shelf.is_low()
    }

    /// Whether another segment is ready.
    pub fn has_next(&self) -> bool {
        self.shelf.ready() > 0
    }

    /// Why spare segments could not be made, in the system's or the budget's words.
    pub fn why_low(&self) -> String {
        self.shelf.why_low().unwrap_or_default()
    }

    /// Gives back the oldest segment, of which nothing is needed any more. Says false, and does nothing, if it is not
    /// the oldest, is the one being written, or a follower still needs it; ask again later.
    pub fn recycle(&mut self, segment: u32) -> bool {
        if segment != self.published.oldest() || segment >= self.end.segment {
            return false;
        }
        let next_first = self.published.segment(segment + 1).and_then(|next| next.first_fact);
        // Without a group in the next segment this one holds the newest checkpoint.
        let Some(next_first) = next_first else { return false };
        if self.published.needed_from().is_some_and(|needed| needed < next_first) {
            return false;
        }
        let bytes = self.published.segment(segment).map(|segment| segment.bytes);
        self.published.remove_oldest(segment);
        self.shelf.retire(segment, bytes == Some(self.config.segment_bytes));
        true
    }

    /// Whether every follower has released all records before `fact`.
    pub fn is_followed_to(&self, fact: u64) -> bool {
        self.published.needed_from().is_none_or(|needed| needed >= fact)
    }

    /// The segments in use, oldest first; the last one is being written.
    pub fn segments(&self) -> Vec<SegmentUse> {
        let mut segments: Vec<_> = self
            .published
            .segments()
            .into_iter()
            .map(|(segment, in_use)| SegmentUse { segment, used: in_use.used, bytes: in_use.bytes })
            .collect();
        if let Some(active) = segments.last_mut() {
            active.used = self.end.offset;
        }
        segments
    }

    /// Bytes that the journal takes on the disk, spares included.
    pub fn bytes_on_disk(&self) -> u64 {
        let used: u64 = self.published.segments().iter().map(|(_, segment)| u64::from(segment.bytes)).sum();
        used + self.shelf.ready() as u64 * u64::from(self.config.segment_bytes)
    }

    /// Waits until the spares are made, or cannot be. For tests, and before figures are taken.
    pub fn wait_for_spares(&self) {
        self.shelf.wait_until_idle();
    }

    /// A reader of records by their place, for another thread.
    pub fn reader(&self) -> Reader<D> {
        Reader::new(Arc::clone(&self.published))
    }

    /// A follower of all synced groups from the one that holds record `from_fact` on; segments are kept for it.
    pub fn follow(&self, from_fact: u64) -> Follower<D> {
        Follower::new(Arc::clone(&self.published), from_fact)
    }

    fn refuse_if_poisoned(&self) -> Result<(), Error> {
        match &self.poisoned {
            Some(why) => Err(Error::Poisoned { why: why.clone() }),
            None => Ok(()),
        }
    }

    fn poison(&mut self, doing: &str, epoch: u32, error: &std::io::Error) -> Error {
        let path = self.published.disk.path(&segment::segment_name(epoch));
        self.poison_by(Error::Poisoned { why: format!("cannot {doing} {}: {error}", path.display()) })
    }

    fn poison_by(&mut self, error: Error) -> Error {
        if let Error::Poisoned { why } = &error {
            self.poisoned = Some(why.clone());
        }
        error
    }
}

/// Takes the lock of the data directory.
pub(crate) fn lock<D: Disk>(disk: &D) -> Result<D::Lock, Error> {
    disk.lock(LOCK).map_err(|source| match source.kind() {
        std::io::ErrorKind::WouldBlock => Error::Locked { path: disk.path(LOCK) },
        _ => recovery::disk_error(disk, "lock", LOCK)(source),
    })
}
