//! Finds the accepted record of a message that has ended, while any copy of it is in the journal.
//!
//! Ids rise with their places, so a few marks for each segment lead to any Accepted record; Kept records stand in no order and are
//! listed. Memory is a hundredth of an octet for a message, and 16 octets for one that was copied forward.

use std::collections::BTreeMap;

use crate::fact::layout::{Kind, read_kept_payload};
use crate::message::{MessageId, Place};
use crate::store::disk::Disk;
use crate::store::error::Error;
use crate::store::reader::{Reader, SegmentGroups};
use crate::store::record::{RECORD_HEADER_BYTES, split_record};
use crate::store::recovery::Group;

/// Marks of one segment are at least so far apart.
const OCTETS_BETWEEN_MARKS: u32 = 64 << 10;

/// Where a segment's records of messages stand.
#[derive(Debug, Default)]
struct Marks {
    /// First id, and place of the first record, of a group that holds Accepted records.
    accepted: Vec<(u64, u32)>,
    /// The last id.
    last: u64,
    /// Id and offset of each Kept record.
    kept: Vec<(u64, u32)>,
    sorted: bool,
    /// Place of the last group noted.
    noted: u32,
}

/// The accepted records of all messages in the journal.
pub struct AcceptedRecords<D: Disk> {
    reader: Reader<D>,
    segments: BTreeMap<u32, Marks>,
    /// Whether the segments before the first one noted have been read too.
    whole: bool,
    walk: Option<Walk<D>>,
}

/// A position between two Accepted records, from which the search for a later one goes on.
struct Walk<D: Disk> {
    groups: SegmentGroups<D>,
    place: Place,
    /// The records of the group at `place`, and how far they have been looked at.
    payload: Vec<u8>,
    at: usize,
    /// The last id looked at.
    id: u64,
}

impl<D: Disk> AcceptedRecords<D> {
    /// Knows of nothing yet.
    pub fn new(reader: Reader<D>) -> AcceptedRecords<D> {
        AcceptedRecords { reader, segments: BTreeMap::new(), whole: false, walk: None }
    }

    /// Notes what stands in a group. Groups come in written order.
    pub fn note(&mut self, group: &Group<'_>) {
        note(self.segments.entry(group.place.segment).or_default(), group);
    }

    /// Forgets segments that have been given back.
    pub fn prune(&mut self) {
        if let Some(oldest) = self.reader.segments().first() {
            self.segments = self.segments.split_off(oldest);
        }
    }

    /// Appends the octets of a message's Accepted record; says false if it is not in the journal. Ids that rise from call to call
    /// cost one read of the journal in all.
    pub fn append(&mut self, id: MessageId, out: &mut Vec<u8>) -> Result<bool, Error> {
        if self.search(id, out)? {
            return Ok(true);
        }
        if self.whole {
            return Ok(false);
        }
        self.read_older()?;
        self.search(id, out)
    }

    fn search(&mut self, id: MessageId, out: &mut Vec<u8>) -> Result<bool, Error> {
        match self.search_marks(id, out) {
            // Its segment went while it was being read: what lives is elsewhere.
            Err(Error::NoRecord { .. }) => {
                self.walk = None;
                self.prune();
                self.search_marks(id, out).or_else(|error| match error {
                    Error::NoRecord { .. } => Ok(false),
                    error => Err(error),
                })
            }
            other => other,
        }
    }

    fn search_marks(&mut self, id: MessageId, out: &mut Vec<u8>) -> Result<bool, Error> {
        let holds = |marks: &Marks| marks.last >= id.0 && marks.accepted.first().is_some_and(|first| first.0 <= id.0);
        let found = self.segments.iter().rev().find(|(_, marks)| holds(marks));
        if let Some((segment, marks)) = found {
            let mark = marks.accepted.partition_point(|mark| mark.0 <= id.0) - 1;
            let place = Place { segment: *segment, offset: marks.accepted[mark].1 };
            if self.walk_to(id.0, place, out)? {
                return Ok(true);
            }
        }
        self.search_kept(id, out)
    }

    fn search_kept(&mut self, id: MessageId, out: &mut Vec<u8>) -> Result<bool, Error> {
        for (segment, marks) in self.segments.iter_mut().rev() {
            if !marks.sorted {
                marks.kept.sort_unstable();
                marks.sorted = true;
            }
            let after = marks.kept.partition_point(|kept| kept.0 <= id.0);
            let Some((_, offset)) = after.checked_sub(1).map(|at| marks.kept[at]).filter(|kept| kept.0 == id.0) else {
                continue;
            };
            let (kind, payload) = self.reader.read(Place { segment: *segment, offset })?;
            if kind == Kind::Kept as u8
                && let Some(kept) = read_kept_payload(payload)
                && kept.accepted.id == id
            {
                kept.accepted.write(out);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Goes on from where the last search ended if `place` is not beyond it, else from `place`.
    fn walk_to(&mut self, id: u64, place: Place, out: &mut Vec<u8>) -> Result<bool, Error> {
        let goes_on = self
            .walk
            .as_ref()
            .is_some_and(|walk| walk.place.segment == place.segment && walk.place >= place && walk.id <= id);
        if !goes_on {
            let groups = self.reader.groups_from(place)?;
            self.walk = Some(Walk { groups, place, payload: Vec::new(), at: 0, id: 0 });
        }
        let walk = self.walk.as_mut().expect("it was there or has been made");
        walk.find(id, out)
    }

    /// Reads the segments that were not followed, for messages that were accepted before the last start.
    fn read_older(&mut self) -> Result<(), Error> {
        let first = self.segments.keys().next().copied().unwrap_or(u32::MAX);
        for segment in self.reader.segments().into_iter().filter(|segment| *segment <= first) {
            let mut marks = Marks::default();
            let mut groups = match self.reader.groups(segment) {
                Err(Error::NoRecord { .. }) => continue,
                groups => groups?,
            };
            while let Some(group) = groups.next_group()? {
                note(&mut marks, &group);
            }
            self.segments.insert(segment, marks);
        }
        self.whole = true;
        Ok(())
    }
}

impl<D: Disk> Walk<D> {
    fn find(&mut self, id: u64, out: &mut Vec<u8>) -> Result<bool, Error> {
        loop {
            while let Some((kind, payload)) = split_record(&self.payload[self.at..]) {
                if kind == Kind::Accepted as u8
                    && let Some(found) = id_at_start(payload)
                {
                    if found > id {
                        return Ok(false);
                    }
                    self.id = found;
                    if found == id {
                        out.extend_from_slice(payload);
                        return Ok(true);
                    }
                }
                self.at += RECORD_HEADER_BYTES + payload.len();
            }
            let Some(group) = self.groups.next_group()? else { return Ok(false) };
            self.payload.clear();
            self.payload.extend_from_slice(group.payload);
            self.place = group.place;
            self.at = 0;
        }
    }
}

fn note(marks: &mut Marks, group: &Group<'_>) {
    if group.place.offset <= marks.noted {
        return;
    }
    marks.noted = group.place.offset;
    let mut first = None;
    for record in group.records() {
        if record.kind == Kind::Accepted as u8
            && let Some(id) = id_at_start(record.payload)
        {
            first = first.or(Some(id));
            marks.last = marks.last.max(id);
        } else if record.kind == Kind::Kept as u8
            && let Some(kept) = read_kept_payload(record.payload)
        {
            marks.kept.push((kept.accepted.id.0, group.place.offset + record.offset));
            marks.sorted = false;
        }
    }
    let far = |last: &(u64, u32)| group.place.offset - last.1 >= OCTETS_BETWEEN_MARKS;
    if let Some(id) = first
        && marks.accepted.last().is_none_or(far)
    {
        marks.accepted.push((id, group.place.offset));
    }
}

/// The id of a message stands first in its Accepted record.
fn id_at_start(payload: &[u8]) -> Option<u64> {
    payload.first_chunk::<8>().map(|octets| u64::from_le_bytes(*octets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::records::Records;
    use crate::fact::{Accepted, Fact, Kept};
    use crate::store::journal::{Config, Journal};
    use crate::store::reader::Follower;
    use crate::store::sim_disk::SimDisk;

    fn journal(disk: SimDisk) -> Journal<SimDisk> {
        let config = Config {
            segment_bytes: 32 * 1024,
            group_bytes_max: 4096,
            spares: 1,
            segments_max: None,
            helper_thread: false,
        };
        let (journal, mut replay) = Journal::open(disk, config).expect("a journal");
        while replay.next_group().expect("sound").is_some() {}
        journal
    }

    fn accepted(id: u64, sealed: &[u8]) -> Accepted<'_> {
        Accepted { id: MessageId(id), parts: 1, sealed, ..Accepted::default() }
    }

    fn sealed(id: u64) -> Vec<u8> {
        vec![id as u8; 100 + (id % 50) as usize]
    }

    fn commit(journal: &mut Journal<SimDisk>, facts: &[Fact<'_>]) {
        let mut records = Records::default();
        facts.iter().for_each(|fact| {
            records.push(fact);
        });
        journal.next_place().expect("space");
        journal.commit(records.octets(), records.records()).expect("committed");
    }

    /// Accepts the ids, a few in each group.
    fn accept(journal: &mut Journal<SimDisk>, ids: std::ops::Range<u64>) {
        for first in ids.clone().step_by(5) {
            let bodies: Vec<_> = (first..(first + 5).min(ids.end)).map(|id| (id, sealed(id))).collect();
            let facts: Vec<_> = bodies.iter().map(|(id, sealed)| Fact::Accepted(accepted(*id, sealed))).collect();
            commit(journal, &facts);
        }
    }

    fn keep(journal: &mut Journal<SimDisk>, id: u64) {
        let sealed = sealed(id);
        commit(journal, &[Fact::Kept(Kept { accepted: accepted(id, &sealed), ..Kept::default() })]);
    }

    fn follow(records: &mut AcceptedRecords<SimDisk>, follower: &mut Follower<SimDisk>) {
        while let Some(group) = follower.next_group().expect("sound") {
            records.note(&group);
        }
    }

    fn finds(records: &mut AcceptedRecords<SimDisk>, id: u64) -> bool {
        let mut octets = Vec::new();
        let found = records.append(MessageId(id), &mut octets).expect("it can be read");
        if found {
            let record = Accepted::read(&octets).expect("a record");
            assert_eq!((record.id, record.sealed), (MessageId(id), sealed(id).as_slice()));
        }
        found
    }

    #[test]
    fn every_record_is_found_in_any_order() {
        let mut journal = journal(SimDisk::new());
        let mut records = AcceptedRecords::new(journal.reader());
        let mut follower = journal.follow(1);
        accept(&mut journal, 1..1_000);
        follow(&mut records, &mut follower);
        assert!(journal.segments().len() > 4);
        assert!((1..1_000).all(|id| finds(&mut records, id)));
        assert!((1..1_000).rev().step_by(7).all(|id| finds(&mut records, id)));
        assert!(finds(&mut records, 500) && finds(&mut records, 500), "twice in a row");
        assert!(!finds(&mut records, 1_000) && !finds(&mut records, 0));
    }

    #[test]
    fn what_was_copied_forward_is_found_when_its_first_segment_is_gone() {
        let mut journal = journal(SimDisk::new());
        let mut records = AcceptedRecords::new(journal.reader());
        let mut follower = journal.follow(1);
        accept(&mut journal, 1..300);
        for id in [40, 3, 17] {
            keep(&mut journal, id);
        }
        accept(&mut journal, 300..600);
        follow(&mut records, &mut follower);
        follower.release(journal.next_fact());
        assert!(journal.recycle(1));
        records.prune();
        assert!([3, 17, 40].into_iter().all(|id| finds(&mut records, id)));
        assert!(!finds(&mut records, 4), "nobody copied it");
        assert!(finds(&mut records, 299) && finds(&mut records, 599));
    }

    #[test]
    fn segments_from_before_the_start_are_read_when_they_are_needed() {
        let disk = SimDisk::new();
        let mut journal = journal(disk.clone());
        accept(&mut journal, 1..500);
        keep(&mut journal, 7);
        let start = journal.next_fact();
        let mut records = AcceptedRecords::new(journal.reader());
        let mut follower = journal.follow(start);
        accept(&mut journal, 500..1_000);
        follow(&mut records, &mut follower);
        assert!(finds(&mut records, 999) && !records.whole);
        assert!((1..1_000).all(|id| finds(&mut records, id)));
        assert!(records.whole);
    }

    #[test]
    fn a_segment_that_goes_while_it_is_searched_is_no_error() {
        let mut journal = journal(SimDisk::new());
        let mut records = AcceptedRecords::new(journal.reader());
        let mut follower = journal.follow(1);
        accept(&mut journal, 1..600);
        follow(&mut records, &mut follower);
        assert!(finds(&mut records, 1), "the search stands in the first segment");
        follower.release(journal.next_fact());
        assert!(journal.recycle(1));
        assert!(!finds(&mut records, 60) && finds(&mut records, 599));
    }
}
