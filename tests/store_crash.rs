//! After a loss of power every committed group is there, in order, and nothing follows a missing one.
//! The disk forgets, tears and reorders what was not synced, names of files too; each seed replays.

mod journal_support;

use journal_support::{Random, Seen, append, open, payload_of, small};
use sluice::store::sim_disk::{Call, Fault, SimDisk};

const SEEDS: u64 = 400;

/// One life of a store: commits until the power goes, often in the middle of a commit. Gives what was acknowledged.
fn live(disk: &SimDisk, random: &mut Random, known: &mut Vec<Seen>, seed: u64) {
    let (mut journal, seen) = open(disk.clone(), small()).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let kept = known.iter().filter(|group| group.place.segment >= seen.first().map_or(0, |first| first.place.segment));
    let kept: Vec<Seen> = kept.copied().collect();
    assert_eq!(seen[..kept.len().min(seen.len())], kept[..], "seed {seed}: acknowledged groups are present, in order");
    assert!(seen.len() <= kept.len() + 1, "seed {seed}: at most the one group that was under way may be there too");
    *known = seen;
    let commits = random.below(80);
    let power_fails_after = 1 + random.below(90);
    for _ in 0..commits {
        if journal.next_fact() > power_fails_after * 8 && random.below(10) == 0 {
            // The power fails within the commit: the disk refuses, then forgets.
            disk.fail(Call::Change, 1 + random.below(2), Fault::Broken, true);
        }
        let number = known.last().map_or(1, |last| last.number + 1);
        let (first_fact, records) = (journal.next_fact(), 1 + random.below(9) as u32);
        match append(&mut journal, records) {
            Ok(committed) => known.push(Seen { place: committed.place, number, first_fact, records }),
            Err(_) => break,
        }
        // Several may be given back at once: they have to go in order, or a crash leaves a hole.
        if random.below(40) == 0 || journal.segments().len() > 6 {
            while journal.segments().len() > 1 + random.below(2) as usize {
                let oldest = journal.segments()[0].segment;
                if !journal.recycle(oldest) {
                    break;
                }
                known.retain(|group| group.place.segment > oldest);
            }
        }
    }
    disk.crash(random.next());
    drop(journal);
}

#[test]
fn acknowledged_groups_survive_any_loss_of_power() {
    for seed in 0..SEEDS {
        let disk = SimDisk::new();
        let mut random = Random(seed);
        let mut known = Vec::new();
        for _ in 0..6 {
            live(&disk, &mut random, &mut known, seed);
        }
        open(disk, small()).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

/// A group that was read back after a failed sync may be in memory only. Opening makes it durable before anything is
/// built on it, so that a loss of power cannot take it away from under later groups.
#[test]
fn what_a_failed_sync_left_readable_is_made_durable_at_open() {
    for seed in 0..40 {
        let disk = SimDisk::new();
        let (mut journal, _) = open(disk.clone(), small()).expect("a new journal");
        append(&mut journal, 2).expect("space");
        disk.fail(Call::Sync, 1, Fault::Broken, false);
        journal.next_place().expect("room");
        assert!(journal.commit(&payload_of(journal.next_fact(), 2), 2).is_err(), "the sync failed");
        drop(journal);
        let (mut journal, seen) = open(disk.clone(), small()).expect("the process starts again");
        append(&mut journal, 1).expect("space");
        drop(journal);
        disk.crash(seed);
        let (_, after) = open(disk, small()).expect("no hole before the last group");
        assert_eq!(after.len(), seen.len() + 1, "seed {seed}");
    }
}
