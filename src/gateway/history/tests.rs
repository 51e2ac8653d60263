//! The follower of the journal and its archive, without a daemon around them.

use std::time::Duration;

use super::{Following, Source};
use crate::fact::layout::{part_summaries, read_kept_payload};
use crate::fact::records::Records;
use crate::fact::{Accepted, Concluded, Fact, Kept, PartSummary, Stage};
use crate::message::{MessageId, State, TenantId, Timestamp};
use crate::store::history::Bounds;
use crate::store::journal::{Config, Journal};
use crate::store::sim_disk::SimDisk;

const NOW: Timestamp = Timestamp(1_795_000_000_000_000);
const DAYS: u64 = 30;

struct Road {
    journal: Journal<SimDisk>,
    following: Following<SimDisk>,
    disk: SimDisk,
    dir: tempfile::TempDir,
}

fn open(disk: &SimDisk, dir: &std::path::Path) -> (Journal<SimDisk>, Following<SimDisk>) {
    let config =
        Config { segment_bytes: 32 * 1024, group_bytes_max: 4096, spares: 1, segments_max: None, helper_thread: false };
    let (journal, mut replay) = Journal::open(disk.clone(), config).expect("a journal");
    while replay.next_group().expect("sound").is_some() {}
    let bounds = Bounds { age: Duration::from_secs(DAYS * 86_400), octets_max: 1 << 30 };
    let source = Source { dir: dir.to_owned(), bounds, reader: journal.reader() };
    let following = source.open().expect("an archive");
    (journal, following)
}

impl Road {
    fn new() -> Road {
        let (disk, dir) = (SimDisk::new(), tempfile::tempdir().expect("a place"));
        let (journal, following) = open(&disk, dir.path());
        Road { journal, following, disk, dir }
    }

    /// Opens journal and archive again, as a start does.
    fn restart(self) -> Road {
        let Road { journal, following, disk, dir } = self;
        drop((journal, following));
        let (journal, following) = open(&disk, dir.path());
        Road { journal, following, disk, dir }
    }

    fn commit(&mut self, fact: Fact<'_>) {
        let mut records = Records::default();
        records.push(&fact);
        self.journal.next_place().expect("space");
        self.journal.commit(records.octets(), records.records()).expect("committed");
    }

    fn accept(&mut self, id: u64) {
        self.commit(Fact::Accepted(accepted(id)));
    }

    fn keep(&mut self, id: u64) {
        self.commit(Fact::Kept(Kept { accepted: accepted(id), ..Kept::default() }));
    }

    fn conclude(&mut self, id: u64) {
        let mut parts = Vec::new();
        let part = PartSummary { stage: Stage::Done, state: State::Delivered, done_at: NOW, ..PartSummary::default() };
        part.write(&mut parts);
        let concluded = Concluded {
            id: MessageId(id),
            at: NOW,
            tenant: TenantId(1),
            state: State::Delivered,
            count: 1,
            parts: &parts,
            ..Concluded::default()
        };
        self.commit(Fact::Concluded(concluded));
    }

    fn follow(&mut self, wanted: u64) {
        while self.following.step(wanted, NOW).expect("it goes on") {}
    }

    /// Fills the segment being written with messages that end at once, and the next one a little.
    fn fill_segment(&mut self, from: u64) -> u64 {
        let before = self.journal.segments().len();
        let mut id = from;
        while self.journal.segments().len() == before {
            self.accept(id);
            self.conclude(id);
            id += 1;
        }
        id
    }

    fn finds(&mut self, id: u64) -> bool {
        let mut value = Vec::new();
        let found = self.following.find(MessageId(id), NOW, &mut value).expect("it can be read");
        if found {
            let kept = read_kept_payload(&value).expect("a whole value");
            assert_eq!((kept.accepted.id, kept.accepted.sealed, kept.state), (MessageId(id), SEALED, State::Delivered));
            assert_eq!((kept.concluded_at, part_summaries(kept.parts).count()), (NOW, 1));
        }
        found
    }
}

const SEALED: &[u8] = &[7; 160];

fn accepted(id: u64) -> Accepted<'static> {
    Accepted { id: MessageId(id), tenant: TenantId(1), parts: 1, sealed: SEALED, ..Accepted::default() }
}

#[test]
fn what_has_ended_is_found_before_and_after_its_segment_is_closed() {
    let mut road = Road::new();
    road.accept(1);
    road.accept(2);
    road.conclude(2);
    road.follow(0);
    assert!(road.finds(2) && !road.finds(1));
    assert_eq!(road.following.archive.next_fact(), 0, "nothing has been taken in");
    let next = road.fill_segment(3);
    road.follow(0);
    assert!(road.following.archive.next_fact() > 0, "a closed segment has");
    assert!((2..next).all(|id| road.finds(id)) && !road.finds(1) && !road.finds(next));
}

#[test]
fn a_message_that_outlives_its_segment_is_taken_in_from_its_copy() {
    let mut road = Road::new();
    road.accept(1);
    let next = road.fill_segment(2);
    road.keep(1);
    let let_go = road.journal.next_fact();
    road.follow(let_go);
    assert!(road.journal.is_followed_to(let_go) && road.journal.recycle(1));
    let next = road.fill_segment(next);
    road.conclude(1);
    let next = road.fill_segment(next);
    road.follow(0);
    assert!((1..next).all(|id| road.finds(id)));
}

#[test]
fn no_segment_goes_before_what_ended_with_its_help_is_taken_in() {
    let mut road = Road::new();
    road.accept(1);
    let next = road.fill_segment(2);
    road.follow(0);
    road.conclude(1);
    let let_go = road.journal.next_fact();
    assert!(!road.journal.is_followed_to(let_go), "the end of 1 is not in the archive");
    road.follow(let_go);
    assert!(road.journal.is_followed_to(let_go) && road.journal.recycle(1));
    assert!((1..next).all(|id| road.finds(id)));
    let mut road = road.restart();
    assert!((1..next).all(|id| road.finds(id)));
}

#[test]
fn a_restart_goes_on_where_the_archive_ends() {
    let mut road = Road::new();
    let mut next = 1;
    for round in 0..6 {
        next = road.fill_segment(next);
        road.accept(next);
        next += 1;
        if round % 2 == 0 {
            road.follow(0);
        }
        road = road.restart();
    }
    let waiting: Vec<u64> = (1..next).filter(|id| !road.finds(*id)).collect();
    for id in &waiting {
        road.conclude(*id);
    }
    road.follow(u64::MAX);
    assert!((1..next).all(|id| road.finds(id)));
    assert_eq!(road.following.archive.next_fact(), road.journal.next_fact());
}

#[test]
fn what_is_too_old_is_not_found() {
    let mut road = Road::new();
    let next = road.fill_segment(1);
    road.follow(u64::MAX);
    assert!(road.finds(next - 1));
    let later = NOW.plus_seconds(DAYS as i64 * 86_400 + 1);
    let found = road.following.find(MessageId(next - 1), later, &mut Vec::new()).expect("it can be read");
    assert!(!found);
}
