//! Messages to one number keep their order for tenants that ask for it (invariant I9), whatever happens to those before them.

use proptest::prelude::*;

use super::world::{CARRIER_A, CARRIER_B, Sample, TENANT, World};
use crate::command::{Command, Effect, Outcome, Span};
use crate::fact::{Fact, flags, layout, records};
use crate::message::LinkId;

const ORDERED: Sample = Sample {
    tenant: TENANT,
    parts: 1,
    flags: flags::PRICED | flags::ORDERED,
    registered: 0,
    due_s: 0,
    validity_s: 3600,
    credit_micros: i64::MAX,
    number: 77,
};

#[test]
fn the_next_to_a_number_waits_for_every_answer() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 2);
    world.open_carrier(CARRIER_B, 2);
    world.submit(Sample { parts: 3, ..ORDERED });
    world.submit(ORDERED);
    world.submit(Sample { number: 78, ..ORDERED });
    world.turn();
    let first = world.submits();
    assert_eq!(first.len(), 4, "three parts of the first, and the message to another number");
    for (link, slot, part, _) in first.iter().copied().take(2) {
        world.taken(link, slot, &format!("c{part}"));
    }
    world.turn();
    assert_eq!(world.submits(), vec![], "one part is unanswered");
    let (link, slot, ..) = first[2];
    world.push(Command::Submitted { link, slot, outcome: Outcome::Later { status: 8, counts: true } });
    world.turn();
    assert_eq!(world.submits(), vec![], "and sleeps");
    world.wait(3);
    let again = world.submits();
    assert_eq!(again.len(), 1, "the deferred part and nothing else");
    world.push(Command::Close { link: again[0].0 });
    world.turn();
    let repeated = world.submits();
    assert_eq!((repeated.len(), repeated[0].2, repeated[0].3), (1, 2, true), "in doubt: the same part again");
    world.taken(repeated[0].0, repeated[0].1, "c9");
    world.turn();
    assert_eq!(world.submits().len(), 1, "now the second");
}

#[test]
fn one_that_expires_or_is_refused_lets_the_next_go() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 1);
    for validity_s in [100, 5, 100, 100] {
        world.submit(Sample { validity_s, ..ORDERED });
    }
    world.turn();
    assert_eq!(world.submits().len(), 1);
    world.wait(10);
    world.push(Command::Submitted { link: CARRIER_A, slot: 0, outcome: Outcome::Refused { status: 11 } });
    world.turn();
    assert_eq!(world.submits().len(), 1, "the third; the second has expired behind the first");
    world.taken(CARRIER_A, 0, "c3");
    world.turn();
    assert_eq!(world.submits().len(), 1);
    world.taken(CARRIER_A, 0, "c4");
    world.turn();
    assert!(world.core.schedule.orders.is_empty(), "nothing is kept of a number that nobody waits for");
}

#[test]
fn who_does_not_ask_does_not_wait() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 10);
    for _ in 0..5 {
        world.submit(Sample { flags: flags::PRICED, ..ORDERED });
    }
    world.turn();
    assert_eq!(world.submits().len(), 5);
    assert!(world.core.schedule.orders.is_empty());
}

/// Replays what was written: while a part of a message to a number is unsent or unanswered, no later one to it may be released.
fn assert_ordered(world: &World) {
    let mut open: std::collections::BTreeMap<u64, (u64, u8)> = Default::default();
    for (_, octets) in &world.groups {
        for (_, kind, payload) in records::iter(octets) {
            let read = layout::read(kind, payload, &mut |fact| match fact {
                Fact::Accepted(accepted) => {
                    open.insert(accepted.id.0, (accepted.number, accepted.parts));
                }
                Fact::Released { part, .. } => {
                    let (number, _) = open[&part.id.0];
                    let earlier = open.range(..part.id.0).find(|(_, (other, left))| *other == number && *left > 0);
                    assert_eq!(earlier, None, "message {} overtakes", part.id.0);
                }
                Fact::Sent { part, .. } | Fact::Rejected { part, .. } => {
                    open.get_mut(&part.id.0).expect("accepted before").1 -= 1;
                }
                _ => {}
            });
            read.expect("whole records");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn nothing_overtakes(steps in proptest::collection::vec((0u8..12, any::<usize>()), 1..150)) {
        let mut world = World::new();
        world.open_carrier(CARRIER_A, 3);
        world.open_carrier(CARRIER_B, 2);
        let mut unanswered: Vec<(LinkId, u16)> = Vec::new();
        for (n, (what, pick)) in steps.into_iter().enumerate() {
            let answered = (!unanswered.is_empty() && what >= 3).then(|| pick % unanswered.len().max(1));
            match (what, answered.map(|index| unanswered.swap_remove(index))) {
                (0..3, _) => world.submit(Sample { parts: (pick % 3) as u8 + 1, number: pick as u64 % 2, ..ORDERED }),
                (3, Some((link, slot))) => world.push(Command::Submitted { link, slot, outcome: Outcome::Lost }),
                (4, Some((link, slot))) => {
                    world.push(Command::Submitted { link, slot, outcome: Outcome::Refused { status: 11 } });
                }
                (5, Some((link, slot))) => {
                    world.push(Command::Submitted { link, slot, outcome: Outcome::Later { status: 8, counts: true } });
                }
                (6, Some((link, _))) => {
                    unanswered.retain(|(other, _)| *other != link);
                    world.push(Command::Close { link });
                    world.open_carrier(link, 2);
                }
                (7, _) => {
                    world.restart_from(0);
                    unanswered.clear();
                    world.open_carrier(CARRIER_A, 3);
                    world.open_carrier(CARRIER_B, 2);
                }
                (_, Some((link, slot))) => world.taken(link, slot, &format!("c{n}")),
                _ => world.now = world.now.plus_seconds(2),
            }
            world.turn();
            for (link, effect) in &world.effects {
                if let Effect::Submit { slot, .. } = effect {
                    unanswered.push((*link, *slot));
                }
            }
        }
        assert_ordered(&world);
        // Everything goes in the end.
        for n in 0..2_000 {
            match unanswered.pop() {
                Some((link, slot)) => world.taken(link, slot, &format!("e{n}")),
                None => world.now = world.now.plus_seconds(1),
            }
            world.turn();
            let submits = world.submits();
            unanswered.extend(submits.iter().map(|(link, slot, ..)| (*link, *slot)));
        }
        assert_ordered(&world);
        prop_assert!(world.core.schedule.orders.is_empty());
    }
}

#[test]
fn one_that_slept_behind_another_stands_once_in_its_lane() {
    let mut world = World::new();
    let ordered = Sample { flags: flags::PRICED | flags::ORDERED, ..Sample::default() };
    world.submit(Sample { validity_s: 100, ..ordered });
    world.submit(ordered);
    world.turn();
    let ids: Vec<_> = {
        let messages = &world.core.fold.messages;
        messages.occupied().map(|slot| messages.slot(slot).id).collect()
    };
    world.restart_from(0);
    world.reader_sleeps = true;
    world.open_carrier(CARRIER_A, 10);
    world.turn();
    let loads = world.effects.iter().filter(|(_, effect)| matches!(effect, Effect::Load { .. })).count();
    assert_eq!(loads, 2);
    // Their key is gone, or the disk errs: one after the other cannot be opened.
    for id in &ids {
        let place = {
            let messages = &world.core.fold.messages;
            messages.slot(messages.find(*id).expect("it lives")).place
        };
        world.push(Command::Loaded { id: *id, place, envelope: Span::default() });
        world.turn();
    }
    world.push(Command::Close { link: CARRIER_A });
    world.turn();
    world.wait(61);
    world.wait(40);
    world.submit(Sample { number: 1, ..Sample::default() });
    world.submit(Sample { number: 2, ..Sample::default() });
    world.turn();
    world.reader_sleeps = false;
    world.open_carrier(CARRIER_A, 10);
    world.turn();
    world.turn();
    assert_eq!(world.core.numbers().released, 3);
}
