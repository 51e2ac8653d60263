//! Only one process works on a data directory; what looks at a store takes the same lock.

mod journal_support;

use journal_support::{append, open, small};
use sluice::store::Error;
use sluice::store::disk::RealDisk;
use sluice::store::inspect::verify;
use sluice::store::journal::Journal;

#[test]
fn a_second_open_is_refused_until_the_first_has_ended() {
    let directory = tempfile::tempdir().expect("a place for a store");
    let disk = || RealDisk::open(directory.path()).expect("a data directory");
    let (mut first, _) = open(disk(), small()).expect("a new journal");
    append(&mut first, 2).expect("space");
    let error = Journal::open(disk(), small()).err().expect("the directory is locked");
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    assert!(error.to_string().contains("lock") && error.to_string().contains("stop"), "{error}");
    assert!(matches!(verify(&disk()), Err(Error::Locked { .. })));
    drop(first);
    let (_, seen) = open(disk(), small()).expect("the lock is free");
    assert_eq!(seen.len(), 1);
}

/// The lock dies with its holder, whatever the holder died of: a file that is merely there locks nothing.
#[test]
fn a_lock_file_without_a_holder_locks_nothing() {
    let directory = tempfile::tempdir().expect("a place for a store");
    std::fs::write(directory.path().join("lock"), "4711").expect("a file");
    open(RealDisk::open(directory.path()).expect("a data directory"), small()).expect("nobody holds the lock");
}

/// Who still reads or follows the journal still works on the data directory: CDR lines and the archive are written behind the journal.
#[test]
fn the_lock_is_held_until_the_last_follower_has_ended() {
    let directory = tempfile::tempdir().expect("a place for a store");
    let disk = || RealDisk::open(directory.path()).expect("a data directory");
    let (mut first, _) = open(disk(), small()).expect("a new journal");
    append(&mut first, 2).expect("space");
    let follower = first.follow(0);
    drop(first);
    assert!(matches!(Journal::open(disk(), small()), Err(Error::Locked { .. })));
    drop(follower);
    open(disk(), small()).expect("the lock is free");
}

/// A killed process holds its lock until the system has taken it down; whoever starts the next one at once has not to care.
#[test]
fn a_lock_that_is_about_to_be_freed_is_waited_for() {
    let directory = tempfile::tempdir().expect("a place for a store");
    let disk = || RealDisk::open(directory.path()).expect("a data directory");
    let (first, _) = open(disk(), small()).expect("a new journal");
    let (begun, begin) = std::sync::mpsc::channel();
    let second = std::thread::spawn({
        let disk = disk();
        move || {
            begun.send(()).expect("the test listens");
            Journal::open(disk, small()).map(|_| ())
        }
    });
    begin.recv().expect("the thread runs");
    drop(first);
    second.join().expect("no panic").expect("the lock was freed in time");
}
