//! Looking at a store that is not running: every whole group there is, and exactly what is not there any more.
//! Nothing is changed. `journal verify` and `journal dump` of the command line stand on this, `crate::store::salvage` too.

use std::path::PathBuf;

use crate::message::Place;
use crate::store::disk::{Disk, DiskFile, Mode};
use crate::store::error::Error;
use crate::store::journal;
use crate::store::record::{GROUP_HEADER_BYTES, GroupHeader, Record};
use crate::store::recovery::{Cut, Group, disk_error};
use crate::store::segment::{self, DATA_START, FOLDER, GroupAt, SegmentHeader, Walk};

/// Something that was synced and cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The segment's file.
    pub path: PathBuf,
    /// Where the trouble begins.
    pub place: Place,
    /// What is wrong there.
    pub what: String,
    /// Groups that are missing here.
    pub groups_lost: u64,
    /// Records that are missing here, the first and the one after the last; equal if none.
    pub facts_lost: (u64, u64),
}

/// What a look over the whole journal has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Segment files.
    pub segments: u32,
    /// Whole groups.
    pub groups: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of whole groups.
    pub bytes: u64,
    /// Number of the first record there is; 0 without any.
    pub first_fact: u64,
    /// The number that the next record would have.
    pub next_fact: u64,
    /// Damage, in order. Empty: the store opens.
    pub findings: Vec<Finding>,
    /// Groups declared lost by an earlier salvage.
    pub gaps: u64,
    /// The unfinished group at the end, which the next start overwrites; no damage.
    pub cut: Option<Cut>,
}

/// What a look over the journal passes, in order.
pub(crate) enum Item<'a> {
    /// A segment begins; its size, and whether its file exists.
    Segment { epoch: u32, bytes: u32, exists: bool },
    /// A whole group; `raw` is its header and records as they are on the disk.
    Group { group: Group<'a>, header: GroupHeader, raw: &'a [u8] },
}

/// Checks every group of a store that is not running. Damage is in the report; an error means that no look was
/// possible.
pub fn verify<D: Disk>(disk: &D) -> Result<Report, Error> {
    look(disk, |_| Ok(()))
}

/// Gives every readable record of a store that is not running, with its place and number, to `sink`, in order.
pub fn dump<D: Disk>(
    disk: &D,
    mut sink: impl FnMut(Place, u64, Record<'_>) -> Result<(), Error>,
) -> Result<Report, Error> {
    look(disk, |item| {
        let Item::Group { group, .. } = item else { return Ok(()) };
        for (index, record) in group.records().enumerate() {
            let place = Place { segment: group.place.segment, offset: group.place.offset + record.offset };
            sink(place, group.first_fact + index as u64, record)?;
        }
        Ok(())
    })
}

/// Walks over all segments, passing every whole group that follows the ones before it.
pub(crate) fn look<D: Disk>(disk: &D, sink: impl FnMut(Item<'_>) -> Result<(), Error>) -> Result<Report, Error> {
    let _lock = journal::lock(disk)?;
    let names = disk.list(FOLDER).map_err(disk_error(disk, "list", FOLDER))?;
    let epochs: Vec<u32> = names.iter().filter_map(|name| segment::segment_epoch(name)).collect();
    let (Some(&oldest), Some(&newest)) = (epochs.iter().min(), epochs.iter().max()) else {
        return Ok(Report::default());
    };
    let left = Place { segment: oldest, offset: DATA_START };
    let mut look = Look { disk, sink, report: Report::default(), expected: None, left, walk: Walk::new() };
    for epoch in oldest..=newest {
        if epochs.contains(&epoch) {
            look.segment(epoch)?;
        } else {
            (look.sink)(Item::Segment { epoch, bytes: 0, exists: false })?;
            look.find(Place { segment: epoch, offset: 0 }, "the file is missing", 0, (0, 0));
        }
    }
    look.report.next_fact = look.expected.map_or(1, |(_, fact)| fact);
    Ok(look.report)
}

struct Look<'d, D: Disk, S> {
    disk: &'d D,
    sink: S,
    report: Report,
    /// Number of the next group and of its first record.
    expected: Option<(u64, u64)>,
    /// Where the last readable group ended.
    left: Place,
    walk: Walk,
}

impl<D: Disk, S: FnMut(Item<'_>) -> Result<(), Error>> Look<'_, D, S> {
    fn segment(&mut self, epoch: u32) -> Result<(), Error> {
        let name = segment::segment_name(epoch);
        let file = self.disk.open(&name, Mode::Read).map_err(disk_error(self.disk, "open", &name))?;
        let length = file.len().map_err(disk_error(self.disk, "look at", &name))?;
        let bytes = length.min(1 << 30) as u32;
        match SegmentHeader::read(self.disk, &file, epoch) {
            Ok(_) => {}
            Err(Error::Damaged { what, .. }) => self.find(Place { segment: epoch, offset: 0 }, &what, 0, (0, 0)),
            Err(error) => return Err(error),
        }
        self.report.segments += 1;
        (self.sink)(Item::Segment { epoch, bytes, exists: true })?;
        self.walk.start(epoch, DATA_START);
        let groups_before = self.report.groups;
        loop {
            while let Some(at) = self.walk.advance(&file, bytes).map_err(disk_error(self.disk, "read", &name))? {
                self.group(&at)?;
            }
            let end = self.walk.position();
            let behind = segment::find_group(&file, epoch, end, bytes);
            match behind.map_err(disk_error(self.disk, "read", &name))? {
                Some(behind) => self.walk.start(epoch, behind),
                None => {
                    let mut header = [0; GROUP_HEADER_BYTES];
                    let read = file.read_full_at(&mut header, u64::from(end));
                    read.map_err(disk_error(self.disk, "read", &name))?;
                    let place = Place { segment: epoch, offset: end };
                    let cut = GroupHeader::decode(&header, epoch).map(|_| Cut { place });
                    // Behind an unfinished group there may be prepared segments, but no group.
                    self.report.cut = if self.report.groups > groups_before { cut } else { self.report.cut.or(cut) };
                    return Ok(());
                }
            }
        }
    }

    fn group(&mut self, at: &GroupAt) -> Result<(), Error> {
        let header = at.header;
        let (number, fact) = self.expected.unwrap_or((header.number, header.first_fact));
        let declared = header.records == 0 && header.number >= number;
        if header.number < number {
            let place = Place { segment: self.walk.epoch(), offset: at.offset };
            self.find(place, &format!("group {} is here again or too late", header.number), 0, (fact, fact));
            return Ok(());
        }
        if declared {
            self.report.gaps += 1;
        } else if (header.number, header.first_fact) != (number, fact) {
            let lost = header.number - number;
            let what = format!("{lost} groups with records {fact} to {} cannot be read", header.first_fact - 1);
            self.find(self.left, &what, lost, (fact, header.first_fact));
        }
        self.expected = Some((header.number + 1, header.first_fact + u64::from(header.records)));
        self.left = Place { segment: self.walk.epoch(), offset: self.walk.position() };
        self.report.groups += u64::from(!declared);
        self.report.records += u64::from(header.records);
        self.report.bytes += u64::from(header.stride());
        if self.report.first_fact == 0 {
            self.report.first_fact = header.first_fact;
        }
        let group = Group::of(&self.walk, at);
        (self.sink)(Item::Group { group, header, raw: self.walk.group(at) })
    }

    fn find(&mut self, place: Place, what: &str, groups_lost: u64, facts_lost: (u64, u64)) {
        let path = self.disk.path(&segment::segment_name(place.segment));
        self.report.findings.push(Finding { path, place, what: what.to_string(), groups_lost, facts_lost });
    }
}
