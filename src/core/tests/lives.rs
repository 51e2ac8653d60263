//! Lives of messages, step by step.

use super::world::{ALPHA, CARRIER_A, CARRIER_B, PLATFORM, PRICE, READER, Sample, TENANT, World};
use crate::command::{Answer, Command, Denial, Effect, Outcome, Reply};
use crate::core::{Config, Terms};
use crate::fact::flags;
use crate::message::{LinkId, MessageId, State};
use crate::release::buckets::Rate;
use crate::release::retry::Retry;

#[test]
fn a_message_goes_its_way_in_four_groups() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 10);
    world.open_tenant(5);
    world.submit(Sample::default());
    world.turn();
    assert!(matches!(world.effects[..], [(PLATFORM, Effect::Accepted { .. }), (CARRIER_A, Effect::Submit { .. })]));
    assert_eq!(world.books(), (PRICE, 0, 0));
    world.taken(CARRIER_A, 0, "c1");
    world.turn();
    assert_eq!(world.books(), (0, PRICE, 0));
    world.receipt("c1", State::Delivered);
    world.turn();
    assert_eq!(world.delivers(), vec![(0, State::Delivered)]);
    world.push(Command::Delivered { link: PLATFORM, slot: 0, answer: Answer::Taken });
    world.turn();
    assert_eq!((world.core.live(), world.core.numbers().reported), (0, 1));
    assert_eq!(world.core.numbers().in_windows, 0);
}

#[test]
fn a_lost_response_is_repeated_flagged_and_paid_once() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 10);
    world.submit(Sample::default());
    world.turn();
    world.push(Command::Submitted { link: CARRIER_A, slot: 0, outcome: Outcome::Lost });
    world.turn();
    assert_eq!(world.submits(), vec![(CARRIER_A, 0, 0, true)]);
    world.push(Command::Close { link: CARRIER_A });
    world.turn();
    assert_eq!(world.submits(), vec![]);
    world.open_carrier(CARRIER_B, 1);
    world.turn();
    assert_eq!(world.submits(), vec![(CARRIER_B, 0, 0, true)]);
    world.taken(CARRIER_B, 0, "c9");
    world.turn();
    assert_eq!(world.books(), (0, PRICE, 0));
}

#[test]
fn a_refused_part_is_voided_and_the_worst_part_names_the_message() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 10);
    world.open_tenant(5);
    world.submit(Sample { parts: 2, ..Sample::default() });
    world.turn();
    assert_eq!(world.submits().len(), 2);
    world.taken(CARRIER_A, 0, "c1");
    world.push(Command::Submitted { link: CARRIER_A, slot: 1, outcome: Outcome::Refused { status: 11 } });
    world.receipt("c1", State::Delivered);
    world.turn();
    assert_eq!(world.delivers(), vec![(0, State::Rejected)]);
    assert_eq!(world.books(), (0, PRICE, PRICE));
}

#[test]
fn validity_ends_what_was_not_sent() {
    let mut world = World::new();
    world.open_tenant(5);
    world.submit(Sample { validity_s: 5, parts: 3, ..Sample::default() });
    world.turn();
    world.wait(4);
    assert_eq!(world.delivers(), vec![]);
    world.wait(2);
    assert_eq!(world.delivers(), vec![(0, State::Expired)]);
    assert_eq!(world.books(), (0, 0, 3 * PRICE));
    world.open_carrier(CARRIER_A, 10);
    world.turn();
    assert_eq!(world.submits(), vec![], "an expired message is not sent");
}

#[test]
fn no_receipt_in_time_is_unknown_and_stays_paid() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 10);
    world.open_tenant(5);
    world.submit(Sample::default());
    world.turn();
    world.taken(CARRIER_A, 0, "c1");
    world.turn();
    world.wait(72 * 3600 + 1);
    assert_eq!(world.delivers(), vec![(0, State::Unknown)]);
    assert_eq!(world.books(), (0, PRICE, 0));
}

#[test]
fn paying_on_delivery_waits_for_the_receipt() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 10);
    for _ in 0..2 {
        world.submit(Sample { flags: flags::PRICED | flags::CHARGE_DELIVERED, ..Sample::default() });
    }
    world.turn();
    world.taken(CARRIER_A, 0, "c1");
    world.taken(CARRIER_A, 1, "c2");
    world.turn();
    assert_eq!(world.books(), (2 * PRICE, 0, 0));
    world.receipt("c1", State::Delivered);
    world.receipt("c2", State::Undeliverable);
    world.receipt("c1", State::Delivered);
    world.turn();
    assert_eq!(world.books(), (0, PRICE, PRICE));
}

#[test]
fn a_receipt_may_come_before_the_response() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 10);
    world.open_tenant(5);
    world.submit(Sample::default());
    world.turn();
    world.receipt("c1", State::Delivered);
    world.turn();
    assert!(
        world.effects.iter().any(|(_, effect)| matches!(effect, Effect::Noted { .. })),
        "answered once it is durable"
    );
    world.restart_from(0);
    world.open_carrier(CARRIER_A, 10);
    world.open_tenant(5);
    world.turn();
    world.taken(CARRIER_A, 0, "c1");
    world.turn();
    assert_eq!(world.delivers(), vec![(0, State::Delivered)]);
    world.receipt("c7", State::Delivered);
    world.turn();
    world.wait(61);
    assert_eq!(world.core.numbers().quarantined.total(), 1);
}

#[test]
fn a_window_of_one_takes_parts_one_by_one() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 1);
    world.submit(Sample { parts: 3, ..Sample::default() });
    world.submit(Sample::default());
    world.turn();
    let mut order = Vec::new();
    for n in 0..4 {
        let [(link, slot, part, _)] = world.submits()[..] else { panic!("one at a time: {:?}", world.submits()) };
        order.push(part);
        world.taken(link, slot, &format!("c{n}"));
        world.turn();
    }
    assert_eq!(order, [0, 1, 2, 0]);
}

#[test]
fn throttling_keeps_the_turn_and_temporary_errors_wait() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 1);
    world.submit(Sample::default());
    world.submit(Sample::default());
    world.turn();
    world.push(Command::Hold { link: CARRIER_A, held: true });
    world.push(Command::Submitted {
        link: CARRIER_A,
        slot: 0,
        outcome: Outcome::Later { status: 0x58, counts: false },
    });
    world.turn();
    assert_eq!(world.submits(), vec![]);
    world.push(Command::Hold { link: CARRIER_A, held: false });
    world.turn();
    assert_eq!(world.submits(), vec![(CARRIER_A, 0, 0, false)]);
    world.push(Command::Submitted { link: CARRIER_A, slot: 0, outcome: Outcome::Later { status: 8, counts: true } });
    world.turn();
    assert_eq!(world.submits().len(), 1, "the other message goes meanwhile");
    world.taken(CARRIER_A, 0, "c1");
    world.turn();
    assert_eq!(world.submits(), vec![]);
    world.wait(2);
    assert_eq!(world.submits().len(), 1);
}

#[test]
fn attempts_end() {
    let mut world = World::new();
    let retry = Retry { attempts_max: 3, ..Terms::default().retry };
    world.core.set_carrier_terms(ALPHA, Terms { retry, ..Terms::default() });
    world.open_carrier(CARRIER_A, 1);
    world.submit(Sample::default());
    world.turn();
    for _ in 0..3 {
        world.push(Command::Submitted {
            link: CARRIER_A,
            slot: 0,
            outcome: Outcome::Later { status: 8, counts: true },
        });
        world.turn();
        world.wait(10);
    }
    assert_eq!((world.core.live(), world.books()), (0, (0, 0, PRICE)));
}

#[test]
fn credit_is_a_limit() {
    let mut world = World::new();
    for _ in 0..5 {
        world.submit(Sample { credit_micros: 3 * PRICE, ..Sample::default() });
    }
    world.turn();
    let denied = world
        .effects
        .iter()
        .filter(|(_, effect)| matches!(effect, Effect::Denied { denial: Denial::Credit, .. }))
        .count();
    assert_eq!((denied, world.books()), (2, (3 * PRICE, 0, 0)));
}

#[test]
fn the_tenants_pace_delays_and_refuses_nothing() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 100);
    world.core.set_tenant_rate(TENANT, Some(Rate { parts: 10, per_micros: 1_000_000, burst: 10 }));
    for _ in 0..30 {
        world.submit(Sample::default());
    }
    world.turn();
    assert_eq!(world.submits().len(), 10);
    world.wait(1);
    assert_eq!(world.submits().len(), 10);
    let due = world.core.poll_timeout().expect("the rest is due");
    assert!(due.micros_since(world.now) <= 1_000_000);
}

#[test]
fn scheduled_messages_wait_over_a_restart() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 10);
    world.submit(Sample { due_s: 60, ..Sample::default() });
    world.turn();
    assert_eq!(world.submits(), vec![]);
    world.restart_from(0);
    world.open_carrier(CARRIER_A, 10);
    world.wait(50);
    assert_eq!(world.submits(), vec![]);
    world.wait(11);
    assert_eq!(world.submits().len(), 1);
}

#[test]
fn a_foreign_id_does_not_exist() {
    let mut world = World::new();
    world.submit(Sample::default());
    world.turn();
    let ask = |tenant, id| Command::Status { reply: Reply { link: PLATFORM, tag: 9 }, tenant, id };
    world.push(ask(crate::message::TenantId(2), MessageId::new(0, 1)));
    world.push(ask(TENANT, MessageId::new(0, 2)));
    world.push(ask(TENANT, MessageId::new(0, 1)));
    world.turn();
    let denied = world.effects.iter().filter(|(_, effect)| matches!(effect, Effect::Denied { .. })).count();
    let described = world.effects.iter().filter(|(_, effect)| matches!(effect, Effect::Describe { .. })).count();
    assert_eq!((denied, described), (2, 1));
}

#[test]
fn what_memory_has_forgotten_is_asked_of_the_history() {
    const HISTORY: LinkId = LinkId(9);
    let mut world = World::with(Config { finished_max: 1, history: HISTORY, ..World::new().config });
    world.open_carrier(CARRIER_A, 10);
    for _ in 0..2 {
        world.submit(Sample { registered: 0, ..Sample::default() });
        world.turn();
        for (_, slot, _, _) in world.submits() {
            world.push(Command::Submitted { link: CARRIER_A, slot, outcome: Outcome::Refused { status: 11 } });
        }
        world.turn();
    }
    let ask = |sequence| Command::Status {
        reply: Reply { link: PLATFORM, tag: sequence },
        tenant: TENANT,
        id: MessageId::new(0, sequence),
    };
    let asked = |world: &mut World, sequence| {
        world.push(ask(sequence));
        world.turn();
        world.effects.iter().map(|(link, effect)| (*link, std::mem::discriminant(effect))).collect::<Vec<_>>()
    };
    let (reply, tenant, id) = (Reply::default(), TENANT, MessageId::default());
    let look_up = std::mem::discriminant(&Effect::LookUp { reply, tenant, id });
    let denied = std::mem::discriminant(&Effect::Denied { tag: 0, denial: Denial::NoSuchMessage });
    assert_eq!(asked(&mut world, 1), [(HISTORY, look_up)], "the first is forgotten");
    assert_eq!(asked(&mut world, 2)[0].0, READER, "the second is not");
    assert_eq!(asked(&mut world, 3), [(PLATFORM, denied)], "this one never was");
    assert_eq!(asked(&mut world, 0), [(PLATFORM, denied)], "and this cannot be");
}

#[test]
fn receipts_are_owed_until_they_are_answered() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 10);
    world.submit(Sample::default());
    world.turn();
    world.taken(CARRIER_A, 0, "c1");
    world.receipt("c1", State::Delivered);
    world.turn();
    assert_eq!(world.delivers(), vec![], "the tenant is away");
    world.restart_from(0);
    world.open_tenant(1);
    world.turn();
    assert_eq!(world.delivers().len(), 1);
    world.push(Command::Close { link: PLATFORM });
    world.open_tenant(1);
    world.turn();
    assert_eq!(world.delivers().len(), 1, "owed again after the bind was lost");
    world.push(Command::Delivered { link: PLATFORM, slot: 0, answer: Answer::Later });
    world.turn();
    assert_eq!(world.delivers(), vec![]);
    world.wait(6);
    assert_eq!(world.delivers().len(), 1, "offered again after a refusal");
    world.push(Command::Delivered { link: PLATFORM, slot: 0, answer: Answer::Taken });
    world.turn();
    world.restart_from(0);
    world.open_tenant(1);
    world.turn();
    assert_eq!(world.delivers(), vec![], "never again once answered");
}

#[test]
fn a_receipt_for_each_part_if_the_tenant_wants_it() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 10);
    world.open_tenant(5);
    world.submit(Sample { parts: 3, flags: flags::RECEIPT_PER_PART, ..Sample::default() });
    world.turn();
    for part in 0..3 {
        world.taken(CARRIER_A, part, &format!("c{part}"));
        world.receipt(&format!("c{part}"), State::Delivered);
    }
    world.turn();
    let mut parts = Vec::new();
    for _ in 0..3 {
        let found = world.effects.iter().find_map(|(_, effect)| match effect {
            Effect::Deliver { slot, report, .. } => Some((*slot, report.part)),
            _ => None,
        });
        let (slot, part) = found.expect("one at a time");
        parts.push(part);
        world.push(Command::Delivered { link: PLATFORM, slot, answer: Answer::Taken });
        world.turn();
    }
    assert_eq!(parts, [Some(0), Some(1), Some(2)]);
    assert_eq!((world.core.numbers().reported, world.delivers().len()), (1, 0));
}

#[test]
fn old_segments_go_and_what_lives_is_copied_forward() {
    let mut world = World::with(Config { segments_max: 3, ..World::new().config });
    world.open_tenant(500);
    world.submit(Sample { validity_s: 1_000_000, ..Sample::default() });
    world.turn();
    world.open_carrier(CARRIER_B, 500);
    world.turn();
    // The first message stays in the window of a bind that never answers; all others end.
    for n in 0..12_000 {
        world.submit(Sample::default());
        world.turn();
        for (link, slot, _, repeat) in world.submits() {
            assert!(!repeat);
            world.taken(link, slot, &format!("c{n}"));
            world.receipt(&format!("c{n}"), State::Delivered);
        }
        world.turn();
        for (slot, _) in world.delivers() {
            world.push(Command::Delivered { link: PLATFORM, slot, answer: Answer::Taken });
        }
        world.turn();
    }
    let recycled = world.recycled;
    assert!(recycled >= 3, "only {recycled} segments were given back");
    assert_eq!(world.core.live(), 1);
    let books = world.books();
    world.restart_from(recycled + 1);
    assert_eq!((world.core.live(), world.books()), (1, books));
    world.open_carrier(CARRIER_A, 10);
    world.turn();
    assert_eq!(world.submits(), vec![(CARRIER_A, 0, 0, true)]);
}

#[test]
fn a_carriers_rate_delays() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 100);
    let rate = Some(Rate { parts: 5, per_micros: 1_000_000, burst: 5 });
    world.core.set_carrier_terms(ALPHA, Terms { rate, ..Terms::default() });
    for _ in 0..20 {
        world.submit(Sample::default());
    }
    world.turn();
    assert_eq!(world.submits().len(), 5);
    world.wait(1);
    assert_eq!(world.submits().len(), 5);
}
