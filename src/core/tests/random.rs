//! Random lives: whatever happens in whatever order, the books add up, windows hold, and replay gives the same state.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::world::{BETA, CARRIER_A, CARRIER_B, PLATFORM, PRICE, Sample, World};
use crate::command::{Answer, Command, Effect, Outcome, Role};
use crate::core::Config;
use crate::core::slot::bits;
use crate::fact::{Fact, flags, layout, records};
use crate::message::{CarrierId, LinkId, MessageId, State};

#[derive(Clone, Copy, Debug)]
enum Step {
    Submit { parts: u8, flags: u8, validity_s: i64, due_s: i64 },
    Answer { pick: usize, how: u8 },
    Receipt { pick: usize, state: u8 },
    Deliver { answer: Answer },
    Close { second: bool },
    Open { second: bool, window: u16 },
    Wait { seconds: i64 },
    Restart,
    OpenBeta { window: u16 },
    CloseBeta,
    Unreadable { on: bool },
}

const BETA_LINK: LinkId = LinkId(9);

/// Every message that waits has one place to wait in, and something that wakes it.
fn each_waits_somewhere(world: &World) {
    let lanes = &world.core.schedule.lanes;
    let mut seen = BTreeSet::new();
    for carrier in 0..4u16 {
        let mut waiting = 0;
        for lane in lanes.of(CarrierId(carrier)).collect::<Vec<_>>() {
            let len = lanes.len(lane) as usize;
            let slots: Vec<u32> = lanes.ahead(lane).take(len + 1).collect();
            assert_eq!(slots.len(), len, "a lane is as long as it says");
            waiting += len as u64;
            for slot in &slots {
                assert!(seen.insert(*slot), "a slot stands twice");
                assert!(world.core.fold.messages.slot(*slot).has(bits::IN_LANE), "and knows it");
                assert_eq!(world.core.fold.messages.slot(*slot).carrier.0, carrier);
            }
            if lanes.is_parked(lane) {
                assert!(
                    slots.iter().any(|slot| world.core.fold.messages.slot(*slot).has(bits::LOADING)),
                    "parked for ever"
                );
            }
        }
        assert_eq!(waiting, lanes.waiting(CarrierId(carrier)));
    }
    for slot in world.core.fold.messages.occupied() {
        let message = world.core.fold.messages.slot(slot);
        assert_eq!(message.has(bits::IN_LANE), seen.contains(&slot));
        let sleeps = message.has(bits::SCHEDULED) && !message.has(bits::CONCLUDED);
        if !message.has(bits::CONCLUDED) && !message.has(bits::IN_LANE) && !sleeps && world.core.waits(slot) {
            assert!(message.has(bits::BEHIND), "it waits nowhere");
            let queue = &world.core.schedule.orders[&(message.tenant, message.number)];
            let messages = &world.core.fold.messages;
            let lives = |(slot, id): &&(u32, MessageId)| {
                messages.slot(*slot).id == *id && messages.slot(*slot).has(bits::IN_ORDER)
            };
            assert_ne!(queue.iter().find(lives).map(|(slot, _)| *slot), Some(slot), "behind nobody");
        }
        if !message.has(bits::CONCLUDED) {
            assert!(world.core.schedule.wheel.is_set(slot), "it has no timer");
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1u8..5, prop_oneof![Just(0), Just(flags::PRICED), Just(flags::PRICED | flags::CHARGE_DELIVERED), Just(flags::PRICED | flags::ORDERED), Just(flags::PRICED | flags::ORDERED | flags::RECEIPT_PER_PART)], 1i64..200, 0i64..5)
            .prop_map(|(parts, flags, validity_s, due_s)| Step::Submit { parts, flags, validity_s, due_s }),
        8 => (any::<usize>(), 0u8..8).prop_map(|(pick, how)| Step::Answer { pick, how }),
        4 => (any::<usize>(), prop_oneof![Just(1u8), Just(2), Just(2), Just(5)]).prop_map(|(pick, state)| Step::Receipt { pick, state }),
        3 => prop_oneof![Just(Answer::Taken), Just(Answer::Later), Just(Answer::Refused)]
            .prop_map(|answer| Step::Deliver { answer }),
        1 => any::<bool>().prop_map(|second| Step::Close { second }),
        2 => (any::<bool>(), 1u16..6).prop_map(|(second, window)| Step::Open { second, window }),
        2 => (1i64..90).prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::Restart),
        2 => (1u16..6).prop_map(|window| Step::OpenBeta { window }),
        1 => Just(Step::CloseBeta),
        1 => any::<bool>().prop_map(|on| Step::Unreadable { on }),
    ]
}

/// What the outside has seen.
#[derive(Default)]
struct Outside {
    bound: [bool; 2],
    beta: bool,
    /// Bind and window place of each unanswered submit.
    unanswered: Vec<(LinkId, u16)>,
    delivers: Vec<u16>,
    ids: Vec<String>,
    tenant_bound: bool,
    accepted_parts: i64,
}

impl Outside {
    fn see(&mut self, world: &World, priced_parts: i64) {
        for (link, effect) in &world.effects {
            match effect {
                Effect::Submit { slot, .. } => {
                    assert!(!self.unanswered.contains(&(*link, *slot)), "a window place is used twice");
                    self.unanswered.push((*link, *slot));
                }
                Effect::Deliver { slot, .. } => self.delivers.push(*slot),
                Effect::Accepted { .. } => self.accepted_parts += priced_parts,
                _ => {}
            }
        }
    }
}

fn run(steps: &[Step]) {
    let mut world =
        World::with(Config { segments_max: 2, finished_max: 10, arena_octets: 1500, ..World::new().config });
    world.others = vec![CarrierId(3), BETA];
    let mut outside = Outside::default();
    for (n, step) in steps.iter().enumerate() {
        let priced = take_step(&mut world, &mut outside, *step, n);
        outside.see(&world, priced);
        each_waits_somewhere(&world);
        let (reserved, posted, voided) = world.books();
        assert_eq!(reserved + posted + voided, outside.accepted_parts * PRICE, "after {step:?}");
        assert!(reserved >= 0 && posted >= 0 && voided >= 0);
    }
    let (books, live) = (world.books(), world.core.live());
    world.restart_from(world.recycled + 1);
    assert_eq!((world.books(), world.core.live()), (books, live), "replay gives the same");
    assert_eq!(world.core.ledger_faults(), 0, "every checkpoint agrees with the facts before it");
    end_everything(&mut world);
    let open: Vec<_> = world
        .core
        .fold
        .messages
        .occupied()
        .map(|slot| *world.core.fold.messages.slot(slot))
        .filter(|slot| !slot.has(crate::core::slot::bits::CONCLUDED))
        .collect();
    assert_eq!(open.len(), 0, "every message ends: {open:?}");
    assert_eq!(
        world.books(),
        (0, billed(&world).0, billed(&world).1),
        "nothing stays reserved, and the bill is what was moved"
    );
    assert!(world.core.schedule.orders.is_empty(), "no number waits for nobody");
    assert!(world.core.schedule.tenants.iter().all(|tenant| tenant.owed.is_empty()), "nothing stays owed");
}

/// Posted and voided by the ends of all messages, as CDR lines have them. No message ends twice.
fn billed(world: &World) -> (i64, i64) {
    let (mut sums, mut ended) = ((0, 0), BTreeSet::new());
    for (_, octets) in &world.groups {
        for (_, kind, payload) in records::iter(octets) {
            let read = layout::read(kind, payload, &mut |fact| {
                let Fact::Concluded(concluded) = fact else { return };
                assert!(ended.insert(concluded.id), "{:?} has ended twice", concluded.id);
                for part in layout::part_summaries(concluded.parts) {
                    sums = (sums.0 + part.posted_micros, sums.1 + part.voided_micros);
                }
            });
            read.expect("whole records");
        }
    }
    sums
}

fn take_step(world: &mut World, outside: &mut Outside, step: Step, n: usize) -> i64 {
    match step {
        Step::Submit { parts, flags, validity_s, due_s } => {
            world.submit(Sample { parts, flags, validity_s, due_s, ..Sample::default() });
            world.turn();
            return if flags & flags::PRICED != 0 { i64::from(parts) } else { 0 };
        }
        Step::Answer { pick, how } if !outside.unanswered.is_empty() => {
            let (link, slot) = outside.unanswered.swap_remove(pick % outside.unanswered.len());
            match how {
                0 => world.push(Command::Submitted { link, slot, outcome: Outcome::Lost }),
                1 => world.push(Command::Submitted { link, slot, outcome: Outcome::Refused { status: 11 } }),
                2 => world.push(Command::Submitted {
                    link,
                    slot,
                    outcome: Outcome::Later { status: 8, counts: n.is_multiple_of(2) },
                }),
                3 => world.push(Command::Submitted { link, slot, outcome: Outcome::Aside { status: 0x14 } }),
                _ => {
                    outside.ids.push(format!("c{n}"));
                    world.taken(link, slot, &format!("c{n}"));
                }
            }
            world.turn();
        }
        Step::Receipt { pick, state } if !outside.ids.is_empty() => {
            let id = outside.ids[pick % outside.ids.len()].clone();
            world.receipt(&id, State::from_smpp(state).expect("a state of the table"));
            world.turn();
        }
        Step::Deliver { answer } if !outside.delivers.is_empty() => {
            let slot = outside.delivers.remove(0);
            world.push(Command::Delivered { link: PLATFORM, slot, answer });
            world.turn();
        }
        Step::Close { second } if outside.bound[usize::from(second)] => {
            let link = if second { CARRIER_B } else { CARRIER_A };
            outside.bound[usize::from(second)] = false;
            outside.unanswered.retain(|(of, _)| *of != link);
            world.push(Command::Close { link });
            world.turn();
        }
        Step::Open { second, window } => open(world, outside, second, window),
        Step::Wait { seconds } => world.wait(seconds),
        Step::OpenBeta { window } if !outside.beta => open_beta(world, outside, window),
        Step::CloseBeta if outside.beta => close_beta(world, outside),
        Step::Unreadable { on } => {
            world.unreadable = on;
            world.turn();
        }
        Step::Restart => {
            world.restart_from(world.recycled + 1);
            *outside = Outside {
                ids: std::mem::take(&mut outside.ids),
                accepted_parts: outside.accepted_parts,
                ..Outside::default()
            };
            world.turn();
        }
        _ => world.turn(),
    }
    0
}

fn open(world: &mut World, outside: &mut Outside, second: bool, window: u16) {
    if !outside.bound[usize::from(second)] {
        outside.bound[usize::from(second)] = true;
        world.open_carrier(if second { CARRIER_B } else { CARRIER_A }, window);
    } else if !outside.tenant_bound {
        outside.tenant_bound = true;
        world.open_tenant(window);
    }
    world.turn();
}

fn open_beta(world: &mut World, outside: &mut Outside, window: u16) {
    outside.beta = true;
    world.push(Command::Open { link: BETA_LINK, role: Role::Carrier(BETA), window });
    world.turn();
}

fn close_beta(world: &mut World, outside: &mut Outside) {
    outside.beta = false;
    outside.unanswered.retain(|(of, _)| *of != BETA_LINK);
    world.push(Command::Close { link: BETA_LINK });
    world.turn();
}

/// All validity ends, all receipts stay away, and the tenant takes all it is owed.
fn end_everything(world: &mut World) {
    world.unreadable = false;
    world.open_tenant(100);
    for _ in 0..40 {
        world.wait(72 * 3600);
        for (slot, _) in world.delivers() {
            world.push(Command::Delivered { link: PLATFORM, slot, answer: Answer::Taken });
        }
        world.turn();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn books_add_up_and_replay_agrees(steps in proptest::collection::vec(step(), 1..120)) {
        run(&steps);
    }
}
