//! Ten times the journal's budget goes through it: what nobody needs is given back and written again, what a reader or
//! a follower needs is not, and after every restart exactly the segments in use are replayed.

mod journal_support;

use journal_support::{Random, append, open, record_of, small};
use sluice::message::Place;
use sluice::store::Error;
use sluice::store::disk::RealDisk;
use sluice::store::journal::Config;
use sluice::store::sim_disk::SimDisk;

const SEGMENTS_MAX: u32 = 6;

fn budget() -> Config {
    Config { segments_max: Some(SEGMENTS_MAX), spares: 2, ..small() }
}

fn store_ten_budgets(config: &Config, reopen: &mut dyn FnMut(u64) -> bool, disk: &RealDisk) {
    let budget_bytes = u64::from(SEGMENTS_MAX) * u64::from(config.segment_bytes);
    let (mut journal, _) = open(disk.clone(), config.clone()).expect("a new journal");
    let mut random = Random(5);
    let mut written = 0;
    while written < 10 * budget_bytes {
        written += u64::from(append(&mut journal, 1 + random.below(8) as u32).expect("within the budget").bytes);
        assert!(journal.bytes_on_disk() <= budget_bytes);
        let segments = journal.segments();
        if segments.len() > 3 {
            assert!(journal.recycle(segments[0].segment));
        }
        if reopen(written) {
            let (next_fact, segments) = (journal.next_fact(), journal.segments());
            drop(journal);
            let (again, seen) = open(disk.clone(), config.clone()).expect("a sound store");
            journal = again;
            assert_eq!(journal.next_fact(), next_fact);
            assert_eq!(journal.segments(), segments);
            assert_eq!(seen[0].place.segment, segments[0].segment);
        }
    }
    assert!(journal.segments()[0].segment > 50, "segments were given back all the time");
}

#[test]
fn ten_times_the_budget_goes_through_in_the_writers_thread() {
    let directory = tempfile::tempdir().expect("a place for a store");
    let disk = RealDisk::open(directory.path()).expect("a data directory");
    let mut next = 0;
    let mut reopen = |written| {
        let due = written >= next;
        next += if due { 150_000 } else { 0 };
        due
    };
    store_ten_budgets(&budget(), &mut reopen, &disk);
    let files = std::fs::read_dir(directory.path().join("journal")).expect("the journal").count();
    assert!(files <= SEGMENTS_MAX as usize, "{files} files");
}

#[test]
fn ten_times_the_budget_goes_through_with_a_thread_that_keeps_spares() {
    let directory = tempfile::tempdir().expect("a place for a store");
    let disk = RealDisk::open(directory.path()).expect("a data directory");
    store_ten_budgets(&Config { helper_thread: true, ..budget() }, &mut |_| false, &disk);
    let files = std::fs::read_dir(directory.path().join("journal")).expect("the journal").count();
    assert!(files <= SEGMENTS_MAX as usize, "{files} files");
}

#[test]
fn only_the_oldest_closed_segment_is_given_back() {
    let (mut journal, _) = open(SimDisk::new(), small()).expect("a new journal");
    assert!(!journal.recycle(1), "it is being written");
    while journal.segments().len() < 3 {
        append(&mut journal, 4).expect("space");
    }
    assert!(!journal.recycle(2), "it is not the oldest");
    assert!(!journal.recycle(3), "it is being written");
    assert!(journal.recycle(1));
    assert!(!journal.recycle(1), "it is gone");
}

#[test]
fn a_segment_whose_successor_has_no_checkpoint_yet_is_kept() {
    let (mut journal, _) = open(SimDisk::new(), small()).expect("a new journal");
    while !(journal.next_place().expect("space").opens_segment && journal.segments().len() == 2) {
        append(&mut journal, 4).expect("space");
    }
    assert!(!journal.recycle(1), "nothing is in segment 2");
    append(&mut journal, 4).expect("space");
    assert!(journal.recycle(1));
}

/// Every place is read back, in order, backwards and at random; after recycling it says so and never gives other bytes.
#[test]
fn places_read_back_until_their_segment_is_given_back() {
    let (mut journal, _) = open(SimDisk::new(), small()).expect("a new journal");
    let mut places: Vec<(Place, u64)> = Vec::new();
    while journal.segments().len() < 4 {
        let first = journal.next_fact();
        let committed = append(&mut journal, 5).expect("space");
        let mut offset = committed.place.offset;
        for fact in first..journal.next_fact() {
            places.push((Place { offset, ..committed.place }, fact));
            offset += 5 + record_of(fact).1.len() as u32;
        }
    }
    let mut reader = journal.reader();
    let mut random = Random(3);
    let at_random: Vec<_> = (0..500).map(|_| places[random.below(places.len() as u64) as usize]).collect();
    for (place, fact) in places.iter().chain(places.iter().rev()).chain(&at_random) {
        let (kind, payload) = reader.read(*place).expect("it is in use");
        assert_eq!((kind, payload.to_vec()), record_of(*fact));
    }
    assert!(journal.recycle(1));
    while journal.segments().len() < 6 {
        append(&mut journal, 5).expect("space");
    }
    for (place, fact) in places {
        match reader.read(place) {
            Ok((kind, payload)) => {
                assert!(place.segment > 1);
                assert_eq!((kind, payload.to_vec()), record_of(fact));
            }
            Err(error) => assert!(place.segment == 1 && matches!(error, Error::NoRecord { .. }), "{error}"),
        }
    }
    let beyond = Place { segment: 99, offset: 5000 };
    assert!(matches!(reader.read(beyond), Err(Error::NoRecord { .. })));
}

/// Segments are given back and written anew while another thread reads: it gets the record or is told that it is gone.
#[test]
fn a_reader_beside_the_writer_never_gets_other_bytes() {
    let directory = tempfile::tempdir().expect("a place for a store");
    let disk = RealDisk::open(directory.path()).expect("a data directory");
    let config = Config { helper_thread: true, spares: 1, ..small() };
    let (mut journal, _) = open(disk, config).expect("a new journal");
    let mut reader = journal.reader();
    let (send, places) = std::sync::mpsc::channel::<(Place, u64)>();
    let reading = std::thread::spawn(move || {
        let (mut there, mut gone) = (0, 0);
        let mut known: Vec<(Place, u64)> = Vec::new();
        let mut random = Random(11);
        while let Ok(latest) = places.recv() {
            known.push(latest);
            for _ in 0..4 {
                let back = random.below(known.len().min(200) as u64) as usize;
                let (place, fact) = known[known.len() - 1 - back];
                match reader.read(place) {
                    Ok((kind, payload)) => {
                        assert_eq!((kind, payload.to_vec()), record_of(fact), "record {fact}");
                        there += 1;
                    }
                    Err(Error::NoRecord { .. }) => gone += 1,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        (there, gone)
    });
    for _ in 0..3000 {
        let committed = append(&mut journal, 2).expect("space");
        send.send((committed.place, committed.first_fact)).expect("the reader lives");
        let segments = journal.segments();
        if segments.len() > 2 {
            assert!(journal.recycle(segments[0].segment));
        }
    }
    drop(send);
    let (there, gone) = reading.join().expect("the reader saw nothing wrong");
    assert!(there > 0 && gone > 0, "both happened: {there} there, {gone} gone");
}

#[test]
fn a_follower_sees_every_record_once_and_holds_what_it_has_not_released() {
    let (mut journal, _) = open(SimDisk::new(), small()).expect("a new journal");
    let mut follower = journal.follow(1);
    let mut seen = 0;
    while journal.segments().len() < 5 {
        append(&mut journal, 3).expect("space");
        while let Some(group) = follower.next_group().expect("nothing is given back under it") {
            for (index, record) in group.records().enumerate() {
                let fact = group.first_fact + index as u64;
                assert_eq!((record.kind, record.payload.to_vec()), record_of(fact));
                assert_eq!(fact, seen + 1);
                seen = fact;
            }
        }
        assert_eq!(seen + 1, journal.next_fact(), "all that is synced has been seen");
    }
    assert!(!journal.recycle(1), "the follower has released nothing");
    follower.release(seen + 1);
    assert!(journal.recycle(1));
    let mut later = journal.follow(seen - 4);
    let group = later.next_group().expect("a sound store").expect("the group of that record");
    assert!(group.first_fact <= seen - 4 && seen - 4 < group.first_fact + u64::from(group.records));
    assert!(!journal.recycle(3) && journal.recycle(2), "each follower counts: the second one needs a later segment");
}

#[test]
fn a_segment_gives_its_groups_for_copying_forward() {
    let (mut journal, _) = open(SimDisk::new(), small()).expect("a new journal");
    while journal.segments().len() < 3 {
        append(&mut journal, 3).expect("space");
    }
    let reader = journal.reader();
    let mut facts = Vec::new();
    for segment in 1..=3 {
        let mut groups = reader.groups(segment).expect("in use");
        while let Some(group) = groups.next_group().expect("a sound store") {
            assert_eq!(group.place.segment, segment);
            facts.extend(group.first_fact..group.first_fact + u64::from(group.records));
        }
    }
    assert_eq!(facts, (1..journal.next_fact()).collect::<Vec<u64>>());
    assert!(journal.recycle(1));
    assert!(matches!(reader.groups(1), Err(Error::NoRecord { .. })));
}

#[test]
fn a_segment_may_open_with_a_checkpoint_larger_than_any_group() {
    let (disk, config) = (SimDisk::new(), Config { segment_bytes: 4 << 20, ..small() });
    let (mut journal, _) = open(disk.clone(), config.clone()).expect("a new journal");
    let checkpoint = append(&mut journal, 12_000).expect("the names and balances of many tenants");
    assert!(checkpoint.bytes > 1 << 20, "larger than what a reader takes at once: {}", checkpoint.bytes);
    append(&mut journal, 3).expect("space");
    assert!(matches!(append(&mut journal, 12_000), Err(Error::BadGroup { .. })), "only the first one may be");
    let mut follower = journal.follow(1);
    for records in [12_000, 3] {
        assert_eq!(follower.next_group().expect("a sound store").expect("a group").records, records);
    }
    drop((journal, follower));
    let (_, seen) = open(disk, config).expect("a sound store");
    assert_eq!(seen.iter().map(|group| group.records).collect::<Vec<_>>(), [12_000, 3]);
}
