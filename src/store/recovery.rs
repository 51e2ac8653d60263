//! Opening what a stop or a crash has left: finds the end of the synced groups, refuses damage, and replays.
//! A torn tail is cut at the last whole group. A whole group behind a broken one cannot be a tail, because a group is
//! written only after the one before it is synced: that is damage, and nothing is guessed over it.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::message::Place;
use crate::store::disk::{Disk, DiskFile, Mode};
use crate::store::error::Error;
use crate::store::published::{Published, Segment};
use crate::store::record::{GROUP_HEADER_BYTES, GroupHeader, Records};
use crate::store::segment::{self, DATA_START, FOLDER, SegmentHeader, Walk};
use crate::store::shelf::MAKING;

/// A synced group.
#[derive(Clone, Copy, Debug)]
pub struct Group<'a> {
    /// Where its first record is.
    pub place: Place,
    /// Its number; groups are numbered from 1 without a gap.
    pub number: u64,
    /// The number of its first record.
    pub first_fact: u64,
    /// How many records it has.
    pub records: u32,
    /// Their bytes, see `records`.
    pub payload: &'a [u8],
}

impl<'a> Group<'a> {
    /// The records in written order. The place of one is the group's place plus the record's offset.
    pub fn records(&self) -> Records<'a> {
        Records::new(self.payload)
    }

    /// The group that `walk` gave last.
    pub(crate) fn of(walk: &'a Walk, at: &segment::GroupAt) -> Group<'a> {
        Group {
            place: Place { segment: walk.epoch(), offset: at.records_at() },
            number: at.header.number,
            first_fact: at.header.first_fact,
            records: at.header.records,
            payload: walk.payload(at),
        }
    }
}

/// A tail that a crash left unfinished and that will be overwritten. No acknowledged group is in it, unless the disk
/// lost what it had promised to keep: worth a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Where the unfinished group starts.
    pub place: Place,
}

/// The files of a journal as they were found.
pub(crate) struct Found<F> {
    pub(crate) segments: BTreeMap<u32, Segment<F>>,
    pub(crate) spares: Vec<u32>,
}

/// Where writing goes on.
pub(crate) struct Tail {
    pub(crate) place: Place,
    pub(crate) next_group: u64,
    pub(crate) next_fact: u64,
    pub(crate) cut: Option<Cut>,
}

pub(crate) fn disk_error<D: Disk>(disk: &D, doing: &'static str, name: &str) -> impl FnOnce(io::Error) -> Error {
    let path = disk.path(name);
    move |source| Error::Disk { doing, path, source }
}

/// Lists and opens the files of the journal, without changing any.
pub(crate) fn survey<D: Disk>(disk: &D, mode: Mode) -> Result<Found<D::File>, Error> {
    let names = disk.list(FOLDER).map_err(disk_error(disk, "list", FOLDER))?;
    let mut segments = BTreeMap::new();
    for epoch in names.iter().filter_map(|name| segment::segment_epoch(name)) {
        let name = segment::segment_name(epoch);
        let file = disk.open(&name, mode).map_err(disk_error(disk, "open", &name))?;
        let header = SegmentHeader::read(disk, &file, epoch)?;
        let mut first = [0; GROUP_HEADER_BYTES];
        file.read_full_at(&mut first, u64::from(DATA_START)).map_err(disk_error(disk, "read", &name))?;
        let first_fact = GroupHeader::decode(&first, epoch).map(|header| header.first_fact);
        let bytes = header.segment_bytes;
        segments.insert(epoch, Segment { file: Arc::new(file), bytes, first_fact, used: bytes });
    }
    let epochs: Vec<u32> = segments.keys().copied().collect();
    if let Some(gap) = epochs.windows(2).find(|pair| pair[1] != pair[0] + 1) {
        let path = disk.path(&segment::segment_name(gap[0] + 1));
        return Err(Error::Damaged { path, offset: 0, what: "this segment is missing between two others".into() });
    }
    let spares = names.iter().filter_map(|name| segment::spare_number(name)).collect();
    Ok(Found { segments, spares })
}

/// Removes what must not be used again: a spare that was never finished, and spares of another size. Without any
/// segment the epochs start anew, so that no spare may bring groups of an earlier life with it.
pub(crate) fn tidy<D: Disk>(disk: &D, found: &mut Found<D::File>, segment_bytes: u32) -> Result<(), Error> {
    match disk.remove(MAKING) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(disk_error(disk, "remove", MAKING)(error)),
        _ => {}
    }
    let mut kept = Vec::new();
    for number in std::mem::take(&mut found.spares) {
        let name = segment::spare_name(number);
        let file = disk.open(&name, Mode::Read).map_err(disk_error(disk, "open", &name))?;
        let bytes = file.len().map_err(disk_error(disk, "look at", &name))?;
        if bytes == u64::from(segment_bytes) && !found.segments.is_empty() {
            kept.push(number);
        } else {
            disk.remove(&name).map_err(disk_error(disk, "remove", &name))?;
        }
    }
    found.spares = kept;
    disk.sync_dir(FOLDER).map_err(disk_error(disk, "sync", FOLDER))
}

/// Finds the end of the synced groups, from the newest segment backwards, and makes it durable: what a killed process
/// wrote and never synced may so far be in memory only.
pub(crate) fn find_tail<D: Disk>(disk: &D, segments: &mut BTreeMap<u32, Segment<D::File>>) -> Result<Tail, Error> {
    let oldest = *segments.keys().next().expect("the caller has made the first segment");
    let mut walk = Walk::new();
    for (&epoch, segment) in segments.iter_mut().rev() {
        let name = segment::segment_name(epoch);
        let mut last = None;
        walk.start(epoch, DATA_START);
        while let Some(at) = walk.advance(&*segment.file, segment.bytes).map_err(disk_error(disk, "read", &name))? {
            last = Some(at);
        }
        let end = walk.position();
        let behind = segment::find_group(&*segment.file, epoch, end, segment.bytes);
        if let Some(behind) = behind.map_err(disk_error(disk, "read", &name))? {
            let what = format!("a group cannot be read, although there is a whole one behind it at byte {behind}");
            return Err(Error::Damaged { path: disk.path(&name), offset: u64::from(end), what });
        }
        let Some(last) = last else {
            (segment.first_fact, segment.used) = (None, DATA_START);
            if epoch != oldest {
                continue;
            }
            if epoch != 1 {
                // Segments are given back only after later ones hold groups, so these were there.
                let what = "not one group of this journal can be read".to_string();
                return Err(Error::Damaged { path: disk.path(&name), offset: u64::from(DATA_START), what });
            }
            let place = Place { segment: epoch, offset: DATA_START };
            return Ok(Tail { place, next_group: 1, next_fact: 1, cut: torn(segment, place, disk)? });
        };
        let mut group = vec![0; GROUP_HEADER_BYTES + last.header.length as usize];
        let again = segment.file.read_exact_at(&mut group, u64::from(last.offset));
        again.map_err(disk_error(disk, "read", &name))?;
        let written = segment.file.write_all_at(&group, u64::from(last.offset));
        written.map_err(disk_error(disk, "write", &name))?;
        segment.file.sync().map_err(disk_error(disk, "sync", &name))?;
        segment.used = end;
        let place = Place { segment: epoch, offset: end };
        return Ok(Tail {
            place,
            next_group: last.header.number + 1,
            next_fact: last.header.first_fact + u64::from(last.header.records),
            cut: torn(segment, place, disk)?,
        });
    }
    unreachable!("the loop returns at the oldest segment")
}

/// Whether a group was begun at the end of the whole ones.
fn torn<D: Disk>(segment: &Segment<D::File>, place: Place, disk: &D) -> Result<Option<Cut>, Error> {
    let mut header = [0; GROUP_HEADER_BYTES];
    let name = segment::segment_name(place.segment);
    let read = segment.file.read_full_at(&mut header, u64::from(place.offset));
    read.map_err(disk_error(disk, "read", &name))?;
    Ok(GroupHeader::decode(&header, place.segment).map(|_| Cut { place }))
}

/// The synced groups from the oldest segment on, in order, each checked. The journal may not be written to before the
/// replay has given its last group: damage may still lie before it.
pub struct Replay<D: Disk> {
    published: Arc<Published<D>>,
    walk: Walk,
    ahead: VecDeque<(u32, Segment<D::File>)>,
    end: Place,
    /// Number of the next group and of its first record; `None` before the first.
    expected: Option<(u64, u64)>,
    /// Where the whole groups of the segment before ended.
    left: Option<Place>,
    cut: Option<Cut>,
}

impl<D: Disk> Replay<D> {
    pub(crate) fn new(published: Arc<Published<D>>, tail: &Tail) -> Replay<D> {
        let ahead: VecDeque<_> =
            published.segments().into_iter().filter(|(epoch, _)| *epoch <= tail.place.segment).collect();
        let mut walk = Walk::new();
        walk.start(ahead.front().map_or(tail.place.segment, |(epoch, _)| *epoch), DATA_START);
        Replay { published, walk, ahead, end: tail.place, expected: None, left: None, cut: tail.cut }
    }

    /// The unfinished group at the end, if there was one.
    pub fn cut(&self) -> Option<Cut> {
        self.cut
    }

    /// Bytes of segments still to be read.
    pub fn bytes_left(&self) -> u64 {
        self.ahead.iter().map(|(_, segment)| u64::from(segment.used)).sum()
    }

    /// The next group, or nothing after the last one.
    pub fn next_group(&mut self) -> Result<Option<Group<'_>>, Error> {
        while let Some((epoch, segment)) = self.ahead.front() {
            let end = segment.used;
            let step = self.walk.advance(&*segment.file, end).map_err(self.published.disk_error("read", *epoch))?;
            if let Some(at) = step {
                let header = at.header;
                let found = (header.number, header.first_fact);
                // An empty group declares what a salvage could not save before it.
                let declared = header.records == 0 && self.expected.is_none_or(|expected| expected <= found);
                if self.expected.is_some_and(|expected| expected != found) && !declared {
                    return Err(self.gap(&at));
                }
                self.expected = Some((header.number + 1, header.first_fact + u64::from(header.records)));
                if declared {
                    continue;
                }
                return Ok(Some(Group::of(&self.walk, &at)));
            }
            if self.walk.position() == DATA_START && *epoch != self.end.segment {
                return Err(self.damaged(*epoch, DATA_START, "its first group cannot be read".into()));
            }
            if *epoch == self.end.segment && self.walk.position() != self.end.offset {
                return Err(self.damaged(
                    *epoch,
                    self.walk.position(),
                    "a group that was whole is not any more".into(),
                ));
            }
            let left = Place { segment: *epoch, offset: self.walk.position() };
            self.left = Some(left);
            self.published.close_segment(left);
            self.ahead.pop_front();
            if let Some((next, _)) = self.ahead.front() {
                self.walk.start(*next, DATA_START);
            }
        }
        self.published.replayed.store(true, Ordering::Release);
        Ok(None)
    }

    /// Groups are missing before this one. Before the first of a segment they were at the end of the one before.
    fn gap(&self, found: &segment::GroupAt) -> Error {
        let at = match self.left {
            Some(left) if found.offset == DATA_START => left,
            _ => Place { segment: self.walk.epoch(), offset: found.offset },
        };
        let (expected, number) = (self.expected.map_or(0, |(number, _)| number), found.header.number);
        self.damaged(at.segment, at.offset, format!("group {expected} cannot be read, although group {number} follows"))
    }

    fn damaged(&self, epoch: u32, offset: u32, what: String) -> Error {
        let path = self.published.disk.path(&segment::segment_name(epoch));
        Error::Damaged { path, offset: u64::from(offset), what }
    }
}
