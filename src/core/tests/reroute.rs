//! A carrier without a bind: what it was not given goes by another carrier of the route.

use super::world::{ALPHA, BETA, CARRIER_A, CARRIER_B, PRICE, Sample, World};
use crate::command::{Command, Outcome, Role};
use crate::message::{CarrierId, LinkId};

/// Some messages wait for ALPHA and may go by BETA, which is bound.
fn waiting(count: u64) -> World {
    let mut world = World::new();
    world.others = vec![CarrierId(9), BETA];
    for number in 0..count {
        world.submit(Sample { number, ..Sample::default() });
    }
    world.turn();
    open_beta(&mut world, 10);
    world
}

fn open_beta(world: &mut World, window: u16) {
    world.push(Command::Open { link: CARRIER_B, role: Role::Carrier(BETA), window });
    world.turn();
}

fn links(world: &World) -> Vec<LinkId> {
    world.submits().iter().map(|(link, ..)| *link).collect()
}

/// Waits for as long as the core says that nothing is due.
fn wait_until_due(world: &mut World) {
    let due = world.core.poll_timeout().expect("something is due");
    assert!(due > world.now && due.micros_since(world.now) <= 1_000_000, "and soon");
    world.now = due;
    world.turn();
}

#[test]
fn what_waits_for_a_carrier_without_a_bind_goes_by_another() {
    let mut world = waiting(3);
    assert_eq!(world.submits(), vec![], "its own carrier may be back soon");
    wait_until_due(&mut world);
    assert_eq!(links(&world), [CARRIER_B; 3]);
    assert_eq!(world.core.numbers().rerouted, 3);
    assert_eq!(world.core.waiting().count(), 0);
    world.taken(CARRIER_B, 0, "c1");
    world.turn();
    world.restart_from(0);
    let carriers: Vec<CarrierId> =
        world.core.fold.messages.occupied().map(|slot| world.core.fold.messages.slot(slot).carrier).collect();
    assert_eq!(carriers, [BETA; 3], "where they went is in the journal");
    assert_eq!(world.books(), (2 * PRICE, PRICE, 0));
}

#[test]
fn a_carrier_that_is_back_soon_keeps_its_messages() {
    let mut world = waiting(3);
    world.open_carrier(CARRIER_A, 10);
    world.turn();
    assert_eq!(links(&world), [CARRIER_A; 3]);
    for slot in 0..3 {
        world.taken(CARRIER_A, slot, &format!("c{slot}"));
    }
    world.push(Command::Close { link: CARRIER_A });
    world.submit(Sample::default());
    world.turn();
    assert_eq!(world.submits(), vec![], "it is waited for again");
    wait_until_due(&mut world);
    assert_eq!(links(&world), [CARRIER_B]);
}

#[test]
fn the_parts_of_a_message_stay_together() {
    let mut world = waiting(0);
    world.open_carrier(CARRIER_A, 2);
    world.submit(Sample { parts: 3, ..Sample::default() });
    world.submit(Sample { parts: 2, ..Sample::default() });
    world.turn();
    assert_eq!(links(&world), [CARRIER_A; 2]);
    world.taken(CARRIER_A, 0, "c0");
    world.push(Command::Close { link: CARRIER_A });
    world.turn();
    world.wait(1);
    let submits = world.submits();
    assert_eq!(links(&world), [CARRIER_B; 2], "the second message, which its carrier never saw");
    assert!(submits.iter().all(|(_, _, _, repeat)| !repeat));
    world.wait(60);
    assert_eq!(world.submits(), vec![], "of the first one a part is with the other carrier");
    world.open_carrier(CARRIER_A, 2);
    world.turn();
    assert_eq!(links(&world), [CARRIER_A; 2]);
}

#[test]
fn what_is_in_doubt_goes_by_another_as_a_repeat() {
    let mut world = waiting(0);
    world.open_carrier(CARRIER_A, 2);
    world.submit(Sample { parts: 2, ..Sample::default() });
    world.turn();
    world.push(Command::Close { link: CARRIER_A });
    world.turn();
    world.wait(1);
    assert_eq!(
        world.submits().iter().map(|(link, _, part, repeat)| (*link, *part, *repeat)).collect::<Vec<_>>(),
        [(CARRIER_B, 0, true), (CARRIER_B, 1, true)]
    );
}

#[test]
fn no_more_goes_over_than_is_sent_soon() {
    let mut world = waiting(3_000);
    wait_until_due(&mut world);
    assert_eq!(links(&world).len(), 10, "a window");
    let of = |world: &World, carrier| world.core.waiting().find(|(of, _)| *of == carrier).map(|(_, count)| count);
    assert_eq!(of(&world, ALPHA), Some(3_000 - 1_024));
    for n in 0..400 {
        for (link, slot, ..) in world.submits() {
            world.taken(link, slot, &format!("c{n}-{slot}"));
        }
        if n % 10 == 0 && of(&world, ALPHA).is_some() {
            world.now = world.core.poll_timeout().expect("it is looked at again").max(world.now);
        }
        world.turn();
    }
    assert_eq!((of(&world, ALPHA), world.core.numbers().sent), (None, 3_000));
}

#[test]
fn nobody_is_asked_where_there_is_no_other() {
    let mut world = World::new();
    world.submit(Sample::default());
    world.turn();
    open_beta(&mut world, 1);
    world.wait(1);
    assert_eq!(world.submits(), vec![]);
    let due = world.core.poll_timeout().expect("it expires");
    assert!(due.micros_since(world.now) >= 1_000_000, "and is not looked at all the time");
    world.open_carrier(CARRIER_A, 1);
    world.turn();
    assert_eq!(links(&world), [CARRIER_A]);
    world.push(Command::Submitted { link: CARRIER_A, slot: 0, outcome: Outcome::Refused { status: 11 } });
    world.turn();
    assert_eq!(world.core.live(), 0);
}

#[test]
fn what_went_over_goes_back_when_only_its_first_carrier_is_there() {
    let mut world = World::new();
    world.others = vec![BETA];
    world.submit(Sample::default());
    world.submit(Sample { number: 78, ..Sample::default() });
    world.turn();
    open_beta(&mut world, 1);
    world.wait(1);
    assert_eq!(world.submits().len(), 1, "one is in the window, one waits in the lane of BETA");
    world.taken(CARRIER_B, 0, "x");
    world.push(Command::Hold { link: CARRIER_B, held: true });
    world.turn();
    world.push(Command::Close { link: CARRIER_B });
    world.open_carrier(CARRIER_A, 10);
    world.turn();
    for _ in 0..100 {
        world.wait(1);
        if !world.submits().is_empty() {
            return;
        }
    }
    panic!("it waits for BETA although ALPHA is up");
}
