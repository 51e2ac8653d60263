//! Reading the journal beside its writer: single records by their place, one segment's groups for copying forward,
//! and a follower that sees every synced group once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::message::Place;
use crate::store::disk::{Disk, DiskFile};
use crate::store::error::Error;
use crate::store::published::Published;
use crate::store::record::{self, GROUP_BYTES_MAX, GROUP_HEADER_BYTES};
use crate::store::recovery::Group;
use crate::store::segment::{self, DATA_START, Walk};

/// Bytes read at once when places follow one another; the largest record fits.
const AHEAD_BYTES: usize = GROUP_BYTES_MAX;
/// Bytes read at once for a place out of order.
const ALONE_BYTES: usize = 8 * 1024;

/// Reads records by their place. Each thread has its own; it keeps the block that it read last, so that places in
/// written order cost one read per 256 KiB.
pub struct Reader<D: Disk> {
    published: Arc<Published<D>>,
    block: Vec<u8>,
    /// Where the block lies.
    block_at: Place,
}

impl<D: Disk> Reader<D> {
    pub(crate) fn new(published: Arc<Published<D>>) -> Reader<D> {
        Reader { published, block: Vec::new(), block_at: Place::default() }
    }

    /// Another reader of the same journal.
    pub fn another(&self) -> Reader<D> {
        Reader::new(Arc::clone(&self.published))
    }

    /// The type and payload of the record at `place`. Its bounds are checked, not its checksum: groups were checked
    /// when they were replayed or written, and sealed contents carry their own proof. `NoRecord` if the segment has
    /// been recycled or the place is beyond what is synced.
    pub fn read(&mut self, place: Place) -> Result<(u8, &[u8]), Error> {
        let missing = Error::NoRecord { segment: place.segment, offset: place.offset };
        if place.segment < self.published.oldest() || place >= self.published.synced() || place.offset < DATA_START {
            return Err(missing);
        }
        if self.cached(place).is_none() {
            self.load(place)?;
        }
        self.cached(place).ok_or(missing)
    }

    fn cached(&self, place: Place) -> Option<(u8, &[u8])> {
        if place.segment != self.block_at.segment {
            return None;
        }
        let from = place.offset.checked_sub(self.block_at.offset)? as usize;
        record::split_record(self.block.get(from..)?)
    }

    fn load(&mut self, place: Place) -> Result<(), Error> {
        let gone = || Error::NoRecord { segment: place.segment, offset: place.offset };
        let synced = self.published.synced();
        let segment = self.published.segment(place.segment).ok_or_else(gone)?;
        let end = if place.segment == synced.segment { synced.offset } else { segment.used };
        let left = end.saturating_sub(place.offset) as usize;
        let block_end = self.block_at.offset as usize + self.block.len();
        let follows = place.segment == self.block_at.segment
            && place.offset >= self.block_at.offset
            && (place.offset as usize) < block_end + AHEAD_BYTES;
        let mut wanted = if follows { AHEAD_BYTES } else { ALONE_BYTES };
        loop {
            self.block.resize(wanted.min(left), 0);
            let read = segment.file.read_full_at(&mut self.block, u64::from(place.offset));
            self.block_at = place;
            self.block.truncate(*read.as_ref().unwrap_or(&0));
            read.map_err(self.published.disk_error("read", place.segment))?;
            // The file may have been given away while it was being read; then these are somebody else's bytes.
            if place.segment < self.published.oldest() {
                self.block.clear();
                return Err(gone());
            }
            if wanted == AHEAD_BYTES || self.cached(place).is_some() {
                return Ok(());
            }
            wanted = AHEAD_BYTES;
        }
    }

    /// The groups of one segment from its start, for copying forward what lives in it. `NoRecord` if it is gone.
    pub fn groups(&self, segment: u32) -> Result<SegmentGroups<D>, Error> {
        self.groups_from(Place { segment, offset: DATA_START + GROUP_HEADER_BYTES as u32 })
    }

    /// The groups of one segment from the one on whose first record is at `place`. `NoRecord` if the segment is gone.
    pub fn groups_from(&self, place: Place) -> Result<SegmentGroups<D>, Error> {
        if self.published.segment(place.segment).is_none() {
            return Err(Error::NoRecord { segment: place.segment, offset: place.offset });
        }
        let mut groups = Groups::start(Arc::clone(&self.published), place.segment);
        groups.walk.start(place.segment, place.offset - GROUP_HEADER_BYTES as u32);
        Ok(SegmentGroups { groups })
    }

    /// A follower of the same journal: see [`crate::store::journal::Journal::follow`].
    pub fn follow(&self, from_fact: u64) -> Follower<D> {
        Follower::new(Arc::clone(&self.published), from_fact)
    }

    /// The numbers of the segments in use, oldest first.
    pub fn segments(&self) -> Vec<u32> {
        self.published.segments().into_iter().map(|(segment, _)| segment).collect()
    }
}

/// The synced groups of one segment.
pub struct SegmentGroups<D: Disk> {
    groups: Groups<D>,
}

impl<D: Disk> SegmentGroups<D> {
    /// The next group, or nothing after the segment's last one (for now, if the segment is still being written).
    /// A segment that reads shorter than it was written is `Damaged`, so that nothing alive is left behind in it.
    pub fn next_group(&mut self) -> Result<Option<Group<'_>>, Error> {
        match self.groups.step()? {
            Some(at) => Ok(Some(Group::of(&self.groups.walk, &at))),
            None => Ok(None),
        }
    }
}

/// Follows the journal: gives every synced group once, in order, and keeps the segments that it has not released.
pub struct Follower<D: Disk> {
    groups: Groups<D>,
    from_fact: u64,
    mark: Arc<AtomicU64>,
}

impl<D: Disk> Follower<D> {
    pub(crate) fn new(published: Arc<Published<D>>, from_fact: u64) -> Follower<D> {
        let mark = published.follow(from_fact);
        let segments = published.segments();
        let holds = |first: Option<u64>| first.is_some_and(|first| first <= from_fact);
        let start = segments.iter().rev().find(|(_, segment)| holds(segment.first_fact)).or(segments.first());
        let start = start.map_or(published.oldest(), |(epoch, _)| *epoch);
        Follower { groups: Groups::start(published, start), from_fact, mark }
    }

    /// The next synced group, or nothing if there is none yet. The first one may begin before the record that was
    /// asked for, or after it if that one has been recycled.
    pub fn next_group(&mut self) -> Result<Option<Group<'_>>, Error> {
        while let Some(at) = self.groups.next()? {
            if at.header.first_fact + u64::from(at.header.records) > self.from_fact {
                return Ok(Some(Group::of(&self.groups.walk, &at)));
            }
        }
        Ok(None)
    }

    /// Says that no record before `fact` is needed again, even after a crash.
    pub fn release(&self, fact: u64) {
        self.mark.fetch_max(fact, Ordering::AcqRel);
    }
}

/// A walk bounded by what is synced.
struct Groups<D: Disk> {
    published: Arc<Published<D>>,
    walk: Walk,
}

impl<D: Disk> Groups<D> {
    fn start(published: Arc<Published<D>>, segment: u32) -> Groups<D> {
        let mut walk = Walk::new();
        walk.start(segment, DATA_START);
        Groups { published, walk }
    }

    fn place(&self) -> Place {
        Place { segment: self.walk.epoch(), offset: self.walk.position() }
    }

    /// The next group, in this segment or a later one.
    fn next(&mut self) -> Result<Option<segment::GroupAt>, Error> {
        loop {
            if let Some(at) = self.step()? {
                return Ok(Some(at));
            }
            let epoch = self.walk.epoch();
            if epoch >= self.published.synced().segment {
                return Ok(None);
            }
            self.walk.start(epoch + 1, DATA_START);
        }
    }

    /// The next group in this segment. What a salvage has declared lost is passed over.
    fn step(&mut self) -> Result<Option<segment::GroupAt>, Error> {
        let epoch = self.walk.epoch();
        // The position is read before the bytes, so that nothing unsynced is looked at.
        let synced = self.published.synced();
        let gone = Error::NoRecord { segment: epoch, offset: self.walk.position() };
        let Some(segment) = self.published.segment(epoch) else { return Err(gone) };
        let end = match epoch.cmp(&synced.segment) {
            std::cmp::Ordering::Less => segment.used,
            std::cmp::Ordering::Equal => synced.offset,
            std::cmp::Ordering::Greater => return Ok(None),
        };
        loop {
            let step = self.walk.advance(&*segment.file, end).map_err(self.published.disk_error("read", epoch))?;
            if epoch < self.published.oldest() {
                return Err(gone);
            }
            match step {
                Some(at) if at.header.records == 0 => {}
                Some(at) => return Ok(Some(at)),
                None if self.walk.position() == end => return Ok(None),
                None => return Err(self.damaged()),
            }
        }
    }

    /// The segment reads shorter than it was written.
    fn damaged(&self) -> Error {
        let place = self.place();
        let path = self.published.disk.path(&segment::segment_name(place.segment));
        let what = "a group that was synced cannot be read".to_string();
        Error::Damaged { path, offset: u64::from(place.offset), what }
    }
}
