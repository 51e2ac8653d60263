//! Any prefix of what was written opens without help, with whole groups only, and can be written on.

mod journal_support;

use journal_support::{append, open, small};
use sluice::store::sim_disk::SimDisk;

const SEGMENT: &str = "journal/0000000001.segment";

/// Cuts the written bytes at every place in the last groups, and fills what follows with zeros, with garbage, or
/// (the file itself shorter) with nothing.
#[test]
fn every_cut_opens_with_whole_groups_only() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(disk.clone(), small()).expect("a new journal");
    let ends: Vec<u32> = (0..6u32)
        .map(|records| {
            let committed = append(&mut journal, records + 1).expect("space");
            committed.place.offset - 40 + committed.bytes
        })
        .collect();
    drop(journal);
    let whole = disk.peek(SEGMENT).expect("the first segment");
    let last_end = *ends.last().expect("six groups") as usize;
    for cut in ends[2] as usize..=last_end {
        for filler in [Some(0), Some(0xA5), None] {
            let mut bytes = whole[..cut].to_vec();
            if let Some(filler) = filler {
                bytes.resize(whole.len(), filler);
            }
            let torn = SimDisk::new();
            torn.poke(SEGMENT, bytes);
            let (mut journal, seen) =
                open(torn.clone(), small()).unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
            // Padding behind a group belongs to nobody, so a group may be whole a few bytes before its end.
            let whole_groups = ends.iter().filter(|end| **end as usize <= cut).count();
            assert!(seen.len() == whole_groups || seen.len() == whole_groups + 1, "cut at {cut}: {}", seen.len());
            append(&mut journal, 3).expect("the journal goes on");
            drop(journal);
            let (_, again) = open(torn, small()).expect("what was written after the cut");
            assert_eq!(again.len(), seen.len() + 1, "cut at {cut}");
            assert_eq!(again[..seen.len()], seen, "cut at {cut}");
        }
    }
}

/// The unfinished group is told of, so that it can be logged.
#[test]
fn a_torn_group_is_reported() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(disk.clone(), small()).expect("a new journal");
    append(&mut journal, 2).expect("space");
    let last = append(&mut journal, 2).expect("space").place;
    drop(journal);
    let mut bytes = disk.peek(SEGMENT).expect("the first segment");
    bytes[last.offset as usize + 10] ^= 1;
    disk.poke(SEGMENT, bytes);
    let (_, replay) = sluice::store::journal::Journal::open(disk, small()).expect("a torn tail opens");
    let cut = replay.cut().expect("a group was begun");
    assert_eq!((cut.place.segment, cut.place.offset), (1, last.offset - 40));
}
