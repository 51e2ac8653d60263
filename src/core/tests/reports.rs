//! What is owed to tenants: how long, how many, how often it is offered, and which parts they asked about.

use super::world::{CARRIER_A, PLATFORM, Sample, TENANT, World};
use crate::command::{Answer, Command, Effect};
use crate::core::Config;
use crate::fact::flags;
use crate::message::{MessageId, State, TenantId};

const HOUR: i64 = 3600;

/// A message that ends delivered while its tenant is away.
fn delivered(world: &mut World, id: &str) {
    delivered_to(world, TENANT, id);
}

fn delivered_to(world: &mut World, tenant: TenantId, id: &str) {
    world.submit(Sample { tenant, ..Sample::default() });
    world.turn();
    world.taken(CARRIER_A, 0, id);
    world.receipt(id, State::Delivered);
    world.turn();
}

fn answer(world: &mut World, slot: u16, answer: Answer) {
    world.push(Command::Delivered { link: PLATFORM, slot, answer });
    world.turn();
}

fn told(world: &World) -> Vec<MessageId> {
    let reports = world.effects.iter().filter_map(|(_, effect)| match effect {
        Effect::Deliver { report, .. } => Some(report.id),
        _ => None,
    });
    reports.collect()
}

#[test]
fn a_receipt_is_kept_from_the_end_on_and_no_restart_prolongs_that() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 1);
    delivered(&mut world, "c1");
    for _ in 0..7 {
        world.wait(10 * HOUR);
        world.restart_from(0);
    }
    world.wait(HOUR);
    assert_eq!((world.core.numbers().unreported, world.core.numbers().owed), (0, 1));
    world.wait(HOUR + 1);
    assert_eq!((world.core.numbers().unreported, world.core.numbers().owed), (1, 0));
    world.open_tenant(1);
    world.turn();
    assert_eq!(world.delivers(), vec![]);
}

#[test]
fn one_that_was_sent_long_after_it_was_accepted_is_kept_as_long() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 1);
    world.submit(Sample { due_s: 10 * 24 * HOUR, validity_s: 11 * 24 * HOUR, ..Sample::default() });
    world.turn();
    world.wait(10 * 24 * HOUR + 1);
    world.taken(CARRIER_A, 0, "c1");
    world.receipt("c1", State::Delivered);
    world.open_tenant(1);
    world.turn();
    assert_eq!(world.delivers().len(), 1);
    answer(&mut world, 0, Answer::Later);
    world.wait(6);
    assert_eq!(world.delivers().len(), 1, "one refusal is not the end of it");
}

#[test]
fn no_more_are_owed_than_may_be_and_the_oldest_go_first() {
    let mut world = World::with(Config { owed_max: 100, ..World::new().config });
    world.open_carrier(CARRIER_A, 1);
    for number in 0..130 {
        delivered(&mut world, &format!("n{number}"));
        assert!(world.core.numbers().owed <= 100);
    }
    assert_eq!((world.core.numbers().unreported, world.core.numbers().owed), (30, 100));
    world.open_tenant(200);
    world.turn();
    let sequences: Vec<u64> = told(&world).iter().map(|id| id.sequence()).collect();
    assert_eq!(sequences, (31..=130).collect::<Vec<u64>>());
    // The bound holds after a restart as well, and counts the same.
    world.restart_from(0);
    world.turn();
    assert_eq!(world.core.numbers().owed, 100);
}

#[test]
fn those_give_up_most_who_are_owed_most_and_nobody_is_looked_through_for_each() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 1);
    let owed = |world: &World| [1, 2, 9_000].map(|tenant: usize| world.core.schedule.tenants[tenant].owed.len());
    for (tenant, count) in [(1, 120), (2, 50), (9_000, 10)] {
        (0..count).for_each(|n| delivered_to(&mut world, TenantId(tenant), &format!("{tenant}-{n}")));
    }
    world.core.config.owed_max = 110;
    assert_eq!(world.core.most_owed(), Some((TENANT, 70)), "all tenants are looked through once");
    world.turn();
    assert_eq!(owed(&world), [50, 50, 10]);
    world.core.config.owed_max = 70;
    assert_eq!(world.core.most_owed(), Some((TENANT, 10)), "a quarter of what is too much, where two are owed as much");
    world.turn();
    let [one, other, small] = owed(&world);
    assert!(one + other == 60 && one.abs_diff(other) <= 10 && small == 10, "{one}, {other} and {small}");
    assert_eq!(world.core.numbers().unreported, 110);
}

#[test]
fn what_is_refused_comes_again_ever_more_seldom_and_in_the_end_no_more() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 1);
    world.open_tenant(1);
    delivered(&mut world, "c1");
    let mut offers = Vec::new();
    for minute in 0..73 * 60 {
        if let [(slot, _)] = world.delivers()[..] {
            offers.push(minute);
            answer(&mut world, slot, Answer::Later);
        }
        world.wait(60);
    }
    let in_first_hour = offers.iter().filter(|minute| **minute < 60).count();
    assert!((15..60).contains(&in_first_hour), "{offers:?}");
    assert!(
        offers.windows(2).all(|pair| pair[1] - pair[0] <= 11),
        "never more than ten minutes and the step of this test"
    );
    assert!((71 * 60..=72 * 60).contains(offers.last().expect("it was offered")), "to the end: {offers:?}");
    assert_eq!((world.core.numbers().unreported, world.core.numbers().owed), (1, 0));
}

#[test]
fn what_is_refused_for_good_does_not_come_again() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 1);
    world.open_tenant(1);
    delivered(&mut world, "c1");
    answer(&mut world, 0, Answer::Refused);
    world.restart_from(0);
    world.open_tenant(1);
    world.wait(HOUR);
    assert_eq!(world.delivers(), vec![]);
    assert_eq!(world.core.numbers().owed, 0);
}

#[test]
fn of_each_part_its_tenant_hears_what_it_asked_for() {
    // registered_delivery, and the parts of which it hears when the first and third arrive and the second does not.
    let cases: [(u8, &[u8]); 4] = [(0, &[]), (1, &[0, 1, 2]), (2, &[1]), (3, &[0, 2])];
    for (registered, wanted) in cases {
        let mut world = World::new();
        world.open_carrier(CARRIER_A, 3);
        world.open_tenant(5);
        world.submit(Sample { parts: 3, flags: flags::RECEIPT_PER_PART, registered, ..Sample::default() });
        world.turn();
        for (part, state) in [(0, State::Delivered), (1, State::Undeliverable), (2, State::Delivered)] {
            world.taken(CARRIER_A, part, &format!("c{part}"));
            world.receipt(&format!("c{part}"), state);
        }
        world.turn();
        let mut heard = Vec::new();
        while let Some((slot, part)) = world.effects.iter().find_map(|(_, effect)| match effect {
            Effect::Deliver { slot, report, .. } => Some((*slot, report.part.expect("of a part"))),
            _ => None,
        }) {
            heard.push(part);
            answer(&mut world, slot, Answer::Taken);
        }
        assert_eq!((registered, &heard[..]), (registered, wanted));
        assert_eq!(world.core.numbers().owed, 0, "{registered}");
    }
}
