//! A broken disk stops the journal for good; a full one does not. Every call that changes something is made to fail
//! once, at each place; then the power goes, and what was acknowledged is there.

mod journal_support;

use journal_support::{append, open, payload_of, small};
use sluice::store::Error;
use sluice::store::journal::Journal;
use sluice::store::sim_disk::{Call, Fault, SimDisk};

const GROUPS: usize = 60;

/// A journal that has rolled and recycled a little, and then meets a fault at its `nth` change.
fn live(disk: &SimDisk, nth: u64, call: Call, fault: Fault) -> (usize, Option<Error>) {
    let (mut journal, seen) = open(disk.clone(), small()).expect("a new journal");
    assert!(seen.is_empty());
    disk.fail(call, nth, fault, false);
    for done in 0..GROUPS {
        if let Err(error) = append(&mut journal, 3) {
            if matches!(error, Error::Poisoned { .. }) {
                let again = journal.next_place().expect_err("a poisoned journal stays poisoned");
                assert!(matches!(again, Error::Poisoned { .. }));
                let payload = payload_of(journal.next_fact(), 1);
                assert!(matches!(journal.commit(&payload, 1), Err(Error::Poisoned { .. })));
            }
            return (done, Some(error));
        }
    }
    (GROUPS, None)
}

#[test]
fn any_broken_call_poisons_and_nothing_acknowledged_is_lost() {
    let mut failed = 0;
    for nth in 1..400 {
        let disk = SimDisk::new();
        let (acknowledged, error) = live(&disk, nth, Call::Change, Fault::Broken);
        if let Some(error) = error {
            assert!(matches!(error, Error::Poisoned { .. }), "change {nth}: {error}");
            failed += 1;
        }
        disk.crash(nth);
        let (_, seen) = open(disk, small()).unwrap_or_else(|error| panic!("change {nth}: {error}"));
        assert!(seen.len() == acknowledged || seen.len() == acknowledged + 1, "change {nth}: {}", seen.len());
    }
    assert!(failed > 100, "most of the calls are the writer's own: {failed}");
}

/// The process ends at the error and starts again without a loss of power: what it then finds may so far be in memory
/// only, names of files included. Whatever it builds on that has to survive a loss of power later.
#[test]
fn a_restart_after_any_broken_call_builds_on_nothing_that_may_vanish() {
    for nth in 1..400 {
        let disk = SimDisk::new();
        live(&disk, nth, Call::Change, Fault::Broken);
        disk.heal();
        let (mut journal, seen) = open(disk.clone(), small()).unwrap_or_else(|error| panic!("change {nth}: {error}"));
        append(&mut journal, 3).unwrap_or_else(|error| panic!("change {nth}: {error}"));
        drop(journal);
        disk.crash(nth);
        let (_, after) = open(disk, small()).unwrap_or_else(|error| panic!("change {nth}: {error}"));
        assert_eq!(after.len(), seen.len() + 1, "change {nth}");
    }
}

#[test]
fn a_failed_sync_is_never_tried_twice() {
    for nth in 1..GROUPS as u64 {
        let disk = SimDisk::new();
        let (acknowledged, error) = live(&disk, nth, Call::Sync, Fault::Broken);
        assert!(matches!(error, Some(Error::Poisoned { .. })), "sync {nth}");
        disk.crash(nth);
        let (_, seen) = open(disk, small()).unwrap_or_else(|error| panic!("sync {nth}: {error}"));
        assert!(seen.len() == acknowledged || seen.len() == acknowledged + 1, "sync {nth}");
    }
}

#[test]
fn a_full_disk_refuses_one_group_and_takes_it_later() {
    for nth in 1..GROUPS as u64 {
        let disk = SimDisk::new();
        let (mut journal, _) = open(disk.clone(), small()).expect("a new journal");
        disk.fail(Call::Write, nth, Fault::Full, false);
        let mut refused = 0;
        for _ in 0..GROUPS {
            while let Err(error) = append(&mut journal, 3) {
                assert!(matches!(error, Error::Full { .. }), "write {nth}: {error}");
                refused += 1;
                assert_eq!(refused, 1, "write {nth}: the next try goes through");
            }
        }
        assert_eq!(refused, 1, "write {nth}");
        drop(journal);
        disk.crash(nth);
        let (_, seen) = open(disk, small()).unwrap_or_else(|error| panic!("write {nth}: {error}"));
        assert_eq!(seen.len(), GROUPS, "write {nth}");
    }
}

#[test]
fn short_writes_are_continued() {
    for nth in 1..GROUPS as u64 {
        let disk = SimDisk::new();
        let (acknowledged, error) = live(&disk, nth, Call::Write, Fault::Short);
        assert!(error.is_none(), "write {nth}");
        disk.crash(nth);
        assert_eq!(open(disk, small()).expect("a sound store").1.len(), acknowledged, "write {nth}");
    }
}

/// The disk has room for three segments. Intake is told to stop before the journal is at its end, what is left of the
/// journal can still be drained into, and all goes on once there is room.
#[test]
fn a_full_disk_is_announced_while_there_is_still_room_to_drain() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(disk.clone(), small()).expect("a new journal");
    disk.set_capacity(Some(3 * 32 * 1024));
    journal.wait_for_spares();
    assert!(!journal.is_low(), "the prepared segment and one spare fit");
    let mut after_low = 0;
    let error = loop {
        journal.wait_for_spares();
        after_low += usize::from(journal.is_low());
        match append(&mut journal, 3) {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Full { .. }), "{error}");
    assert!(after_low > 20, "there was room to drain: {after_low} groups");
    let groups = journal.segments().len();
    assert_eq!(groups, 3);
    assert!(matches!(journal.next_place(), Err(Error::Full { .. })), "it stays full");
    assert!(journal.recycle(1), "the oldest is given back");
    append(&mut journal, 3).expect("its space is used again");
    disk.set_capacity(None);
    journal.wait_for_spares();
    assert!(!journal.is_low(), "it resumes alone");
    drop(journal);
    open(disk, small()).expect("a sound store");
}

/// The same with the thread that keeps spares: the writer is told at once, and goes on as soon as there is room.
#[test]
fn a_full_disk_is_told_and_left_with_a_thread_that_keeps_spares() {
    let config = sluice::store::journal::Config { helper_thread: true, ..small() };
    let disk = SimDisk::new();
    let (mut journal, _) = open(disk.clone(), config.clone()).expect("a new journal");
    journal.wait_for_spares();
    disk.set_capacity(Some(3 * 32 * 1024));
    let error = loop {
        if let Err(error) = append(&mut journal, 3) {
            break error;
        }
    };
    assert!(matches!(error, Error::Full { .. }) && journal.is_low(), "{error}");
    disk.set_capacity(None);
    append(&mut journal, 3).expect("there is room again");
    journal.wait_for_spares();
    assert!(!journal.is_low());
    disk.fail(Call::Change, 1, Fault::Broken, true);
    assert!(matches!(append(&mut journal, 3), Err(Error::Poisoned { .. })));
    drop(journal);
    disk.heal();
    open(disk, config).expect("a sound store");
}

/// A renaming that failed stops the writer at its next group, and not only at its next segment, until which it would refuse messages
/// for a reason that nobody can remove.
#[test]
fn a_failed_renaming_stops_the_writer_at_once() {
    let config = sluice::store::journal::Config { helper_thread: true, ..small() };
    for call in [Call::Change, Call::Sync] {
        let disk = SimDisk::new();
        let (mut journal, _) = open(disk.clone(), config.clone()).expect("a new journal");
        while journal.segments().len() < 2 {
            append(&mut journal, 3).expect("space");
        }
        journal.wait_for_spares();
        disk.fail(call, 1, Fault::Broken, false);
        assert!(journal.recycle(1), "the helper renames it");
        journal.wait_for_spares();
        let error = journal.next_place().expect_err("nobody knows the names on the disk");
        assert!(matches!(&error, Error::Poisoned { why } if why.contains("rename")), "{call:?}: {error}");
        drop(journal);
        open(disk, config.clone()).expect("the next start reads them");
    }
}

#[test]
fn nothing_is_committed_before_the_replay_has_been_read() {
    let (mut journal, mut replay) = Journal::open(SimDisk::new(), small()).expect("a new journal");
    journal.next_place().expect("room");
    assert!(matches!(journal.commit(&payload_of(1, 1), 1), Err(Error::BadGroup { .. })));
    assert!(replay.next_group().expect("a new journal").is_none());
    append(&mut journal, 1).expect("now it may");
}

#[test]
fn the_limit_of_segments_holds_like_a_full_disk() {
    let config = sluice::store::journal::Config { segments_max: Some(3), ..small() };
    let disk = SimDisk::new();
    let (mut journal, _) = open(disk.clone(), config.clone()).expect("a new journal");
    let error = loop {
        if let Err(error) = append(&mut journal, 3) {
            break error;
        }
        assert!(journal.bytes_on_disk() <= 3 * 32 * 1024);
    };
    assert!(matches!(error, Error::Full { .. }), "{error}");
    // A start goes beyond it, as often as it must.
    for held in [4, 5] {
        drop(journal);
        (journal, _) = open(disk.clone(), config.clone()).expect("a sound store");
        assert!(matches!(journal.next_place(), Err(Error::Full { .. })));
        journal.next_place_beyond().expect("one more");
        while append(&mut journal, 3).is_ok() {}
        assert_eq!(journal.segments().len(), held);
    }
    for segment in 1..4 {
        assert!(journal.recycle(segment));
    }
    append(&mut journal, 3).expect("the recycled segment is the next one");
}

#[test]
fn settings_that_cannot_work_are_refused() {
    for (segment_bytes, group_bytes_max) in [(8192, 4096), (32 * 1024 + 1, 4096), (2 << 30, 4096), (64 << 20, 1 << 20)]
    {
        let config = sluice::store::journal::Config { segment_bytes, group_bytes_max, ..small() };
        assert!(matches!(Journal::open(SimDisk::new(), config), Err(Error::Config { .. })));
    }
}

#[test]
fn a_group_that_breaks_the_bounds_is_refused_and_harms_nothing() {
    let (mut journal, _) = open(SimDisk::new(), small()).expect("a new journal");
    append(&mut journal, 1).expect("room");
    let payload = payload_of(2, 2);
    for (payload, records) in [(&payload[..], 3), (&payload[1..], 2), (&[][..], 0), (&[0; 5000][..], 1000)] {
        assert!(matches!(journal.commit(payload, records), Err(Error::BadGroup { .. })));
    }
    append(&mut journal, 2).expect("the journal is as before");
}
