//! What the store's tests share: a small journal, records that prove themselves, and a replay that checks them.
#![allow(dead_code, reason = "each test uses its part of it")]

use sluice::message::Place;
use sluice::store::Error;
use sluice::store::disk::Disk;
use sluice::store::journal::{Committed, Config, Journal};
use sluice::store::record::put_record;
use sluice::store::recovery::Replay;

/// SplitMix64: a seeded source of choices.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// A journal of 32 KiB segments and groups of at most 4 KiB, kept in the caller's thread.
pub(crate) fn small() -> Config {
    Config { segment_bytes: 32 * 1024, group_bytes_max: 4096, spares: 1, segments_max: None, helper_thread: false }
}

/// The type and bytes that the record of this number has in every test.
pub(crate) fn record_of(fact: u64) -> (u8, Vec<u8>) {
    let mut random = Random(fact);
    let length = random.below(300) as usize;
    let mut bytes = fact.to_le_bytes().to_vec();
    bytes.extend((0..length).map(|_| random.next() as u8));
    (random.next() as u8, bytes)
}

/// The payload of a group of `records` records from number `first_fact` on.
pub(crate) fn payload_of(first_fact: u64, records: u32) -> Vec<u8> {
    let mut payload = Vec::new();
    for fact in first_fact..first_fact + u64::from(records) {
        let (kind, bytes) = record_of(fact);
        put_record(&mut payload, kind, &bytes);
    }
    payload
}

/// Commits the next group.
pub(crate) fn append<D: Disk>(journal: &mut Journal<D>, records: u32) -> Result<Committed, Error> {
    let next = journal.next_place()?;
    let committed = journal.commit(&payload_of(journal.next_fact(), records), records)?;
    assert_eq!(committed.place, next.place, "a group is where it was announced");
    Ok(committed)
}

/// A group as a replay gave it, its records checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) place: Place,
    pub(crate) number: u64,
    pub(crate) first_fact: u64,
    pub(crate) records: u32,
}

/// Reads a replay to its end; every record has to be the one of its number.
pub(crate) fn replay_all<D: Disk>(replay: &mut Replay<D>) -> Result<Vec<Seen>, Error> {
    let mut seen: Vec<Seen> = Vec::new();
    while let Some(group) = replay.next_group()? {
        if let Some(before) = seen.last() {
            assert_eq!(group.number, before.number + 1, "groups come in order");
            assert_eq!(group.first_fact, before.first_fact + u64::from(before.records), "no record is left out");
        }
        let mut fact = group.first_fact;
        for record in group.records() {
            assert_eq!((record.kind, record.payload.to_vec()), record_of(fact), "record {fact}");
            fact += 1;
        }
        assert_eq!(fact - group.first_fact, u64::from(group.records));
        let (place, number, first_fact, records) = (group.place, group.number, group.first_fact, group.records);
        seen.push(Seen { place, number, first_fact, records });
    }
    Ok(seen)
}

/// Opens a journal and replays it.
pub(crate) fn open<D: Disk>(disk: D, config: Config) -> Result<(Journal<D>, Vec<Seen>), Error> {
    let (journal, mut replay) = Journal::open(disk, config)?;
    let seen = replay_all(&mut replay)?;
    Ok((journal, seen))
}
