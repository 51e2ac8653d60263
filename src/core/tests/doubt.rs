//! Parts without an outcome: what no carrier answers ends all the same, and takes nothing else with it.

use super::world::{ALPHA, BETA, CARRIER_A, CARRIER_B, PRICE, Sample, World};
use crate::command::{Command, Outcome, Role};
use crate::core::Terms;
use crate::message::State;
use crate::release::retry::Retry;

const POISON: u64 = 666;

/// A carrier that drops its only link whenever it gets the message with the number [`POISON`], and takes all others.
struct Dropping {
    world: World,
    losses: usize,
    most_beside: usize,
}

impl Dropping {
    fn new(window: u16) -> Dropping {
        let mut world = World::new();
        world.open_carrier(CARRIER_A, window);
        Dropping { world, losses: 0, most_beside: 0 }
    }

    /// Answers what the last turn submitted, comes back after a second if the link was lost, and says what was submitted.
    fn step(&mut self) -> usize {
        let submits = self.world.submits();
        let numbers: Vec<u64> = submits.iter().map(|(_, slot, ..)| self.number(*slot)).collect();
        let poison = numbers.iter().position(|number| *number == POISON);
        for (_, slot, ..) in &submits[..poison.unwrap_or(submits.len())] {
            let id = format!("c{}-{slot}", self.world.now.0);
            self.world.taken(CARRIER_A, *slot, &id);
        }
        if let Some(at) = poison {
            self.losses += 1;
            self.most_beside = self.most_beside.max(submits.len() - 1);
            if self.losses > 2 {
                assert_eq!((at, submits.len()), (0, 1), "after two losses it goes alone");
            }
            self.world.push(Command::Close { link: CARRIER_A });
            self.world.turn();
            self.world.wait(1);
            self.world.open_carrier(CARRIER_A, 10);
        }
        self.world.turn();
        submits.len()
    }

    fn number(&self, place: u16) -> u64 {
        let core = &self.world.core;
        let bind = core.schedule.binds[CARRIER_A.0 as usize].as_ref().expect("the link is open");
        let part = core.fold.messages.part(bind.window[usize::from(place)]);
        core.fold.messages.slot(part.slot).number
    }

    fn concluded(&self, state: State) -> u64 {
        self.world.core.numbers().concluded[usize::from(state.smpp())]
    }
}

#[test]
fn a_part_that_costs_the_link_each_time_is_refused_and_the_rest_goes() {
    let mut carrier = Dropping::new(10);
    for n in 0..30 {
        carrier.world.submit(Sample { number: if n == 4 { POISON } else { n }, ..Sample::default() });
    }
    carrier.world.turn();
    for _ in 0..200 {
        if carrier.step() == 0 {
            carrier.world.wait(1);
        }
    }
    let numbers = *carrier.world.core.numbers();
    assert_eq!((numbers.sent, numbers.rejected, numbers.given_up), (29, 1, 1));
    assert_eq!(carrier.concluded(State::Rejected), 1);
    assert!((4..=8).contains(&carrier.losses), "{} links were lost", carrier.losses);
    assert!(carrier.most_beside > 0, "the first time it was one of many");
    assert_eq!(carrier.world.books(), (0, 29 * PRICE, PRICE), "it is not charged");
}

#[test]
fn a_carrier_that_answers_nobody_convicts_nobody_soon() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 10);
    for number in 0..5 {
        world.submit(Sample { number, ..Sample::default() });
    }
    world.turn();
    for _ in 0..100 {
        world.push(Command::Close { link: CARRIER_A });
        world.turn();
        world.wait(1);
        world.open_carrier(CARRIER_A, 10);
        world.turn();
    }
    assert_eq!((world.core.numbers().given_up, world.core.live()), (0, 5));
    // And when it does answer, all of them go.
    for _ in 0..400 {
        for (_, slot, ..) in world.submits() {
            world.taken(CARRIER_A, slot, &format!("c{}-{slot}", world.now.0));
        }
        world.wait(1);
    }
    assert_eq!(world.core.numbers().sent, 5);
}

#[test]
fn a_part_that_is_never_answered_is_not_repeated_without_end() {
    let mut world = World::new();
    let retry = Retry { attempts_max: 3, ..Terms::default().retry };
    world.core.set_carrier_terms(ALPHA, Terms { retry, ..Terms::default() });
    world.open_carrier(CARRIER_A, 1);
    world.submit(Sample::default());
    world.turn();
    for _ in 0..3 {
        assert_eq!(world.submits().len(), 1);
        world.push(Command::Submitted { link: CARRIER_A, slot: 0, outcome: Outcome::Lost });
        world.turn();
    }
    assert_eq!(world.submits(), vec![]);
    assert_eq!((world.core.numbers().given_up, world.core.live()), (1, 0));
    assert_eq!(world.books(), (0, 0, PRICE));
}

#[test]
fn an_answer_clears_a_part() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 2);
    world.submit(Sample::default());
    world.submit(Sample::default());
    world.turn();
    for _ in 0..2 {
        world.push(Command::Close { link: CARRIER_A });
        world.open_carrier(CARRIER_A, 2);
        world.turn();
    }
    assert_eq!(world.submits().len(), 1, "both are suspects: one at a time");
    world.push(Command::Submitted { link: CARRIER_A, slot: 0, outcome: Outcome::Later { status: 8, counts: true } });
    world.turn();
    assert_eq!(world.submits().len(), 1);
    world.taken(CARRIER_A, 0, "c1");
    world.turn();
    world.submit(Sample::default());
    world.wait(3);
    assert_eq!(world.submits().len(), 2, "it has been answered and goes beside another");
}

#[test]
fn what_a_link_leaves_in_doubt_goes_again_in_its_order() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 4);
    for number in 0..4 {
        world.submit(Sample { number, ..Sample::default() });
    }
    world.turn();
    // The first place is used again, by the last message.
    world.taken(CARRIER_A, 0, "c0");
    world.submit(Sample { number: 4, ..Sample::default() });
    world.turn();
    world.push(Command::Close { link: CARRIER_A });
    world.open_carrier(CARRIER_A, 4);
    world.turn();
    let bind = world.core.schedule.binds[CARRIER_A.0 as usize].as_ref().expect("it is open");
    let messages = &world.core.fold.messages;
    let number = |place: &u16| messages.slot(messages.part(bind.window[usize::from(*place)]).slot).number;
    let places: Vec<u16> = world.submits().iter().map(|(_, place, ..)| *place).collect();
    assert_eq!(places.iter().map(number).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn losses_at_one_carrier_are_not_held_against_a_message_at_another() {
    let mut world = World::new();
    world.others = vec![BETA];
    world.open_carrier(CARRIER_A, 10);
    world.submit(Sample { number: 1, ..Sample::default() });
    world.turn();
    world.taken(CARRIER_A, 0, "a");
    world.turn();
    // Two losses in company at ALPHA.
    for number in [2, 3] {
        world.submit(Sample { number, ..Sample::default() });
    }
    world.turn();
    for _ in 0..2 {
        assert_eq!(world.submits().len(), 2);
        world.push(Command::Close { link: CARRIER_A });
        world.turn();
        world.open_carrier(CARRIER_A, 10);
        world.turn();
        if world.submits().len() == 1 {
            break;
        }
    }
    // They go alone now. ALPHA goes away for good, BETA comes and drops each link, whatever it gets, and answers nothing.
    world.push(Command::Close { link: CARRIER_A });
    world.turn();
    for _ in 0..12 {
        open_beta(&mut world, 10);
        for _ in 0..20 {
            if !world.submits().is_empty() {
                break;
            }
            world.wait(1);
        }
        world.push(Command::Close { link: CARRIER_B });
        world.turn();
    }
    assert_eq!(world.core.numbers().given_up, 0, "BETA has answered nobody");
}

fn open_beta(world: &mut World, window: u16) {
    world.push(Command::Open { link: CARRIER_B, role: Role::Carrier(BETA), window });
    world.turn();
}

#[test]
fn what_a_lost_link_leaves_in_doubt_may_take_two_groups() {
    const WINDOW: u16 = 10_000;
    let mut world = World::new();
    world.core.set_carrier_terms(ALPHA, Terms { resends: false, ..Terms::default() });
    world.open_carrier(CARRIER_A, WINDOW);
    (0..u64::from(WINDOW)).for_each(|number| world.submit(Sample { number, ..Sample::default() }));
    world.turn();
    while world.core.numbers().in_windows < u32::from(WINDOW) {
        world.turn();
    }
    // The group is not empty when the link goes.
    (0..600).for_each(|number| world.submit(Sample { number, ..Sample::default() }));
    world.push(Command::Close { link: CARRIER_A });
    world.turn();
    assert!(world.core.poll_timeout().is_some_and(|at| at <= world.now), "the rest is due at once");
    world.turn();
    assert_eq!((world.core.numbers().in_doubt, world.core.numbers().sent), (u64::from(WINDOW), u64::from(WINDOW)));
}
