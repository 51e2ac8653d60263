//! Peers' oddities by their numbers, where they are a matter of hours or of many messages.

use super::world::{ALPHA, CARRIER_A, JOURNAL, PLATFORM, READER, Sample, World};
use crate::command::{Answer, Command, Effect};
use crate::core::{Config, Terms};
use crate::message::State;

/// A world whose carrier is known to send a success after a failure.
fn hesitant() -> World {
    let mut world = World::new();
    world.core.set_carrier_terms(ALPHA, Terms { delivered_wins: true, ..Terms::default() });
    world.open_carrier(CARRIER_A, 10);
    world.open_tenant(5);
    world
}

fn send(world: &mut World, parts: u8) {
    world.submit(Sample { parts, ..Sample::default() });
    world.turn();
    for part in 0..parts {
        world.taken(CARRIER_A, part.into(), &format!("c{part}"));
    }
    world.turn();
}

/// How a carrier's receipt names a decimal id.
type Spelling = fn(u64) -> String;

/// Sends so many messages, each a minute after the last one's receipt; how many of them have ended.
fn ended(world: &mut World, first: u64, count: u64, spelling: Spelling) -> u64 {
    let before = world.core.numbers().receipted[usize::from(State::Delivered.smpp())];
    for id in first..first + count {
        world.submit(Sample::default());
        world.turn();
        let (link, slot, ..) = world.submits()[0];
        world.taken(link, slot, &id.to_string());
        world.receipt(&spelling(id), State::Delivered);
        world.turn();
        world.wait(62);
    }
    world.core.numbers().receipted[usize::from(State::Delivered.smpp())] - before
}

#[test]
fn q02_a_carrier_that_stops_to_convert_is_found_out() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 100);
    assert_eq!(ended(&mut world, 998_121_924, 10, |id| format!("{id:x}")), 10);
    let told = ended(&mut world, 898_121_924, 200, |id| id.to_string());
    assert!(told >= 197, "{told} of 200: {:?}", world.core.numbers().quarantined);
}

#[test]
fn q02_an_account_of_which_a_tenth_does_not_convert_loses_few_and_all_of_them_at_first() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 100);
    let (mut told, mut otherwise) = (0, 0);
    for round in 0..30 {
        assert_eq!(ended(&mut world, 998_121_924 + round * 100, 18, |id| format!("{id:x}")), 18);
        told += ended(&mut world, 898_121_924 + round * 100, 2, |id| id.to_string());
        otherwise += 2;
    }
    assert!(told + 8 >= otherwise, "{told} of {otherwise}: {:?}", world.core.numbers().quarantined);
}

#[test]
fn q02_what_reads_as_it_is_written_is_not_taken_of_a_carrier_that_converts() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 100);
    assert_eq!(ended(&mut world, 1_000, 50, |id| format!("{id:x}")), 50);
    // The response of 16 was lost: its receipt says 10, and that is another's id that waits as well, to the same number.
    world.submit(Sample::default());
    world.turn();
    world.taken(CARRIER_A, 0, "10");
    world.receipt("10", State::Undeliverable);
    world.turn();
    world.wait(62);
    assert_eq!(world.core.numbers().receipted[usize::from(State::Undeliverable.smpp())], 0);
    assert_eq!(world.core.numbers().quarantined.total(), 1);
}

#[test]
fn q08_a_part_taken_without_an_id_is_found_after_a_restart_and_by_a_receipt_that_came_first() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 10);
    world.submit(Sample::default());
    world.turn();
    world.taken(CARRIER_A, 0, "");
    world.turn();
    world.restart_from(0);
    world.open_carrier(CARRIER_A, 10);
    world.open_tenant(5);
    world.receipt("", State::Delivered);
    world.turn();
    assert_eq!(world.delivers(), vec![(0, State::Delivered)]);
    world.push(Command::Delivered { link: PLATFORM, slot: 0, answer: Answer::Taken });
    world.submit(Sample::default());
    world.turn();
    world.receipt("", State::Undeliverable);
    world.turn();
    world.taken(CARRIER_A, 0, "");
    world.turn();
    assert_eq!(world.delivers(), vec![], "it may be of a part that another response is still to name");
    world.wait(61);
    assert_eq!(world.delivers(), vec![(0, State::Undeliverable)]);
    assert_eq!((world.core.numbers().quarantined.total(), world.core.live()), (0, 0));
}

#[test]
fn q15_a_failure_counts_once_no_success_has_followed_it() {
    let mut world = hesitant();
    send(&mut world, 1);
    world.receipt("c0", State::Undeliverable);
    world.turn();
    assert!(world.effects.iter().any(|(_, effect)| matches!(effect, Effect::Noted { .. })), "answered at once");
    world.wait(59);
    assert_eq!(world.delivers(), vec![]);
    world.restart_from(0);
    world.core.set_carrier_terms(ALPHA, Terms { delivered_wins: true, ..Terms::default() });
    world.open_tenant(5);
    world.turn();
    assert_eq!(world.delivers(), vec![]);
    world.wait(2);
    assert_eq!(world.delivers(), vec![(0, State::Undeliverable)]);
    // What was told is never taken back.
    world.push(Command::Delivered { link: PLATFORM, slot: 0, answer: Answer::Taken });
    world.receipt("c0", State::Delivered);
    world.turn();
    world.wait(61);
    assert_eq!((world.delivers(), world.core.live()), (vec![], 0));
}

#[test]
fn q15_a_success_in_time_is_the_end_and_the_failure_is_noted_beside_it() {
    let mut world = hesitant();
    send(&mut world, 1);
    world.receipt("c0", State::Undeliverable);
    world.receipt("c0", State::Delivered);
    world.turn();
    assert_eq!(world.delivers(), vec![(0, State::Delivered)]);
    let books = world.books();
    world.wait(61);
    assert_eq!(world.core.numbers().receipted[usize::from(State::Undeliverable.smpp())], 1);
    assert_eq!((world.core.numbers().quarantined.total(), world.books()), (0, books));
}

#[test]
fn q15_failures_that_wait_leave_room_for_receipts_that_overtake_their_response() {
    const EARLY: u16 = 20;
    let config = Config { reader: READER, journal: JOURNAL, unmatched_max: 100, ..Config::default() };
    let mut world = World::with(config);
    world.core.set_carrier_terms(ALPHA, Terms { delivered_wins: true, ..Terms::default() });
    world.open_carrier(CARRIER_A, EARLY);
    for number in 0..100 {
        world.submit(Sample::default());
        world.turn();
        world.taken(CARRIER_A, 0, &format!("n{number}"));
        world.receipt(&format!("n{number}"), State::Undeliverable);
        world.turn();
    }
    for _ in 0..EARLY {
        world.submit(Sample::default());
    }
    world.turn();
    for place in 0..EARLY {
        world.receipt(&format!("early{place}"), State::Delivered);
    }
    world.turn();
    assert_eq!(world.core.numbers().quarantined.total(), 0);
}

#[test]
fn q21_receipts_of_some_parts_end_the_message_by_the_timer() {
    for reported in [0, 2] {
        let mut world = World::new();
        world.open_carrier(CARRIER_A, 10);
        world.open_tenant(5);
        send(&mut world, 3);
        world.receipt(&format!("c{reported}"), State::Delivered);
        world.turn();
        world.wait(71 * 3600);
        assert_eq!(world.delivers(), vec![]);
        world.wait(2 * 3600);
        assert_eq!(world.delivers(), vec![(0, State::Unknown)], "delivered in part is not delivered");
    }
}

#[test]
fn q32_receipts_of_a_platform_that_is_away_wait_on_disk_and_come_in_order() {
    const MESSAGES: u64 = 3_000;
    const ARENA_OCTETS: usize = 16 << 10;
    let config = Config { reader: READER, journal: JOURNAL, arena_octets: ARENA_OCTETS, ..Config::default() };
    let mut world = World::with(config);
    world.open_carrier(CARRIER_A, 1);
    world.turn();
    for number in 0..MESSAGES {
        world.submit(Sample::default());
        world.turn();
        world.taken(CARRIER_A, 0, &format!("n{number}"));
        world.receipt(&format!("n{number}"), State::Delivered);
        world.turn();
    }
    let fold = &world.core.fold.messages;
    let in_memory = fold.occupied().filter(|slot| {
        let message = fold.slot(*slot);
        world.core.schedule.arena.get(message.body, message.id).is_some()
    });
    let most = ARENA_OCTETS / 40;
    assert!(in_memory.count() <= most, "the arena holds what fits, whatever is owed");
    world.open_tenant(100);
    let mut told = Vec::new();
    // Each turn hands out as much as has been answered, so that this ends.
    for _ in 0..MESSAGES {
        world.turn();
        let reports = world.effects.iter().filter_map(|(_, effect)| match effect {
            Effect::Deliver { slot, report, .. } => Some((*slot, report.id)),
            _ => None,
        });
        let reports: Vec<_> = reports.collect();
        for (slot, id) in reports {
            told.push(id);
            world.push(Command::Delivered { link: PLATFORM, slot, answer: Answer::Taken });
        }
        if told.len() as u64 == MESSAGES {
            break;
        }
    }
    assert_eq!(told.len() as u64, MESSAGES);
    assert!(told.is_sorted(), "in the order in which they were owed");
}
