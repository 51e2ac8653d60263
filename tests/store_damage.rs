//! Damage in the middle is refused with its exact place, never guessed over; a salvage takes what is whole and says
//! exactly what was lost. At the end of the log a broken group is a torn tail.

mod journal_support;

use journal_support::{Random, Seen, append, open, record_of, replay_all, small};
use sluice::store::Error;
use sluice::store::disk::Disk;
use sluice::store::inspect::{dump, verify};
use sluice::store::journal::Journal;
use sluice::store::salvage::salvage;
use sluice::store::sim_disk::SimDisk;

fn segment_name(segment: u32) -> String {
    format!("journal/{segment:010}.segment")
}

/// A store of several segments, and its groups.
fn filled() -> (SimDisk, Vec<Seen>) {
    let disk = SimDisk::new();
    let (mut journal, _) = open(disk.clone(), small()).expect("a new journal");
    let mut random = Random(1);
    while journal.segments().len() < 4 {
        append(&mut journal, 1 + random.below(8) as u32).expect("space");
    }
    append(&mut journal, 2).expect("space");
    append(&mut journal, 2).expect("space");
    drop(journal);
    let (_, seen) = open(disk.clone(), small()).expect("nothing is wrong");
    (disk, seen)
}

fn copy_of(disk: &SimDisk) -> SimDisk {
    let copy = SimDisk::new();
    for name in disk.list("journal").expect("a journal") {
        let name = format!("journal/{name}");
        copy.poke(&name, disk.peek(&name).expect("it was listed"));
    }
    copy
}

fn flip(disk: &SimDisk, segment: u32, byte: u32, bit: u32) {
    let mut bytes = disk.peek(&segment_name(segment)).expect("the segment");
    bytes[byte as usize] ^= 1 << bit;
    disk.poke(&segment_name(segment), bytes);
}

fn open_error(disk: &SimDisk) -> Error {
    let (_, mut replay) = match Journal::open(disk.clone(), small()) {
        Ok(opened) => opened,
        Err(error) => return error,
    };
    replay_all(&mut replay).expect_err("damage must be found")
}

#[test]
fn a_flipped_bit_in_any_group_but_the_last_is_refused_with_its_place() {
    let (disk, seen) = filled();
    let mut random = Random(2);
    for (index, group) in seen[..seen.len() - 1].iter().enumerate() {
        // The magic, the epoch, the checksum, the first record and somewhere within the group.
        let length = 40 + record_bytes(group);
        for byte in [0, 5, 38, 40, random.below(u64::from(length)) as u32] {
            let copy = copy_of(&disk);
            flip(&copy, group.place.segment, group.place.offset - 40 + byte, random.below(8) as u32);
            let error = open_error(&copy);
            let Error::Damaged { path, offset, .. } = &error else { panic!("group {index}: {error}") };
            assert!(path.ends_with(segment_name(group.place.segment)), "group {index}, byte {byte}: {error}");
            assert_eq!(*offset, u64::from(group.place.offset) - 40, "group {index}, byte {byte}: {error}");
            assert!(error.to_string().contains("sluice journal verify"), "the error says what to do: {error}");
        }
    }
}

fn record_bytes(group: &Seen) -> u32 {
    (group.first_fact..group.first_fact + u64::from(group.records)).map(|fact| 5 + record_of(fact).1.len() as u32).sum()
}

#[test]
fn a_flipped_bit_in_the_last_group_is_a_torn_tail() {
    let (disk, seen) = filled();
    let last = seen.last().expect("groups");
    for byte in 0..record_bytes(last) {
        let copy = copy_of(&disk);
        flip(&copy, last.place.segment, last.place.offset + byte, byte % 8);
        let (_, after) = open(copy, small()).expect("a torn tail opens");
        assert_eq!(after, seen[..seen.len() - 1]);
    }
}

#[test]
fn a_damaged_or_missing_segment_is_refused() {
    let (disk, _) = filled();
    for byte in 0..28 {
        let copy = copy_of(&disk);
        flip(&copy, 2, byte, 1);
        let error = open_error(&copy);
        // A higher version number is indistinguishable from a newer format.
        let newer = (8..12).contains(&byte) && matches!(error, Error::NewerFormat { .. });
        assert!(newer || matches!(&error, Error::Damaged { offset: 0, .. }), "byte {byte}: {error}");
    }
    let copy = copy_of(&disk);
    copy.remove(&segment_name(2)).expect("it was there");
    let error = open_error(&copy);
    assert!(matches!(&error, Error::Damaged { path, .. } if path.ends_with(segment_name(2))), "{error}");
}

/// Records that others know of and the journal does not are declared lost: their numbers are not given again.
#[test]
fn a_declared_loss_is_durable_and_no_damage() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(disk.clone(), small()).expect("a new journal");
    append(&mut journal, 2).expect("space");
    journal.next_place().expect("room");
    journal.declare_lost(100).expect("room");
    assert_eq!(journal.next_fact(), 100);
    drop(journal);
    disk.crash(3);
    let (mut journal, mut replay) = Journal::open(disk.clone(), small()).expect("no damage");
    let first = replay.next_group().expect("whole").expect("two records");
    assert_eq!((first.first_fact, first.records), (1, 2));
    assert!(replay.next_group().expect("whole").is_none());
    let mut follower = journal.follow(0);
    append(&mut journal, 3).expect("space");
    assert_eq!(follower.next_group().expect("whole").map(|group| group.first_fact), Some(1));
    assert_eq!(follower.next_group().expect("whole").map(|group| group.first_fact), Some(100));
    drop((journal, follower, replay));
    let report = verify(&disk).expect("a look");
    assert_eq!((report.findings.len(), report.gaps, report.next_fact), (0, 1, 103));
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let (disk, _) = filled();
    let mut bytes = disk.peek(&segment_name(1)).expect("the segment");
    bytes[8] = 2;
    disk.poke(&segment_name(1), bytes);
    let error = open_error(&disk);
    assert!(matches!(error, Error::NewerFormat { found: 2, known: 1, .. }), "{error}");
}

#[test]
fn verify_finds_nothing_in_a_sound_store_and_dump_gives_every_record() {
    let (disk, seen) = filled();
    let report = verify(&disk).expect("a look");
    assert_eq!(report.findings, []);
    assert_eq!(report.groups, seen.len() as u64);
    let mut facts = Vec::new();
    dump(&disk, |_, fact, record| {
        assert_eq!((record.kind, record.payload.to_vec()), record_of(fact));
        facts.push(fact);
        Ok(())
    })
    .expect("a look");
    assert_eq!(facts, (1..report.next_fact).collect::<Vec<u64>>());
}

/// Damages groups at random, or whole segments, and compares what is left with what the report says.
#[test]
fn a_salvaged_store_opens_with_all_that_is_whole_and_the_loss_is_exact() {
    let (disk, seen) = filled();
    for seed in 0..60 {
        let mut random = Random(seed);
        let copy = copy_of(&disk);
        let mut lost = std::collections::BTreeSet::new();
        for _ in 0..1 + random.below(4) {
            let group = seen[random.below(seen.len() as u64 - 1) as usize];
            lost.insert(group.number);
            flip(&copy, group.place.segment, group.place.offset + 1, 3);
        }
        match random.below(4) {
            0 => {
                lost.extend(seen.iter().filter(|group| group.place.segment == 2).map(|group| group.number));
                copy.remove(&segment_name(2)).expect("it was there");
            }
            1 => flip(&copy, 3, 3, 0),
            _ => {}
        }
        // A group flipped twice in the same bit would be whole again.
        let whole: Vec<u64> = still_whole(&copy, &seen);
        lost.retain(|number| !whole.contains(number));
        let out = SimDisk::new();
        let report = salvage(&copy, &out).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let kept: Vec<u64> = seen.iter().map(|group| group.number).filter(|number| !lost.contains(number)).collect();
        let first = kept[0];
        let lost_within = lost.iter().filter(|number| **number > first).count() as u64;
        let told: u64 = report.findings.iter().map(|finding| finding.groups_lost).sum();
        assert_eq!((report.groups, told), (kept.len() as u64, lost_within), "seed {seed}: {:?}", report.findings);
        let (mut journal, mut replay) =
            Journal::open(out.clone(), small()).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let mut numbers = Vec::new();
        while let Some(group) = replay.next_group().unwrap_or_else(|error| panic!("seed {seed}: {error}")) {
            numbers.push(group.number);
            for (index, record) in group.records().enumerate() {
                assert_eq!((record.kind, record.payload.to_vec()), record_of(group.first_fact + index as u64));
            }
        }
        assert_eq!(numbers, kept, "seed {seed}");
        append(&mut journal, 3).expect("a salvaged store goes on");
        drop((journal, replay));
        let after = verify(&out).expect("a look");
        assert!(after.findings.is_empty(), "seed {seed}: {:?}", after.findings);
        assert_eq!(after.groups, kept.len() as u64 + 1);
    }
}

/// The numbers of the groups that a look passes.
fn still_whole(disk: &SimDisk, seen: &[Seen]) -> Vec<u64> {
    let mut facts = std::collections::BTreeSet::new();
    dump(disk, |_, fact, _| {
        facts.insert(fact);
        Ok(())
    })
    .expect("a look");
    seen.iter().filter(|group| facts.contains(&group.first_fact)).map(|group| group.number).collect()
}

#[test]
fn salvage_refuses_a_directory_that_holds_a_journal() {
    let (disk, _) = filled();
    let (other, _) = filled();
    assert!(matches!(salvage(&disk, &other), Err(Error::Config { .. })));
}
