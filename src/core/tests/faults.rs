//! What goes wrong between the core and its surroundings: stops, slow readers, tenants that never come, small disks.

use super::world::{ALPHA, CARRIER_A, JOURNAL, PLATFORM, PRICE, Sample, TENANT, World};
use crate::command::{Answer, Command, Effect, Outcome};
use crate::core::{Config, Terms};
use crate::message::State;
use crate::release::buckets::Rate;
use crate::release::retry::Retry;

const LATER: Outcome = Outcome::Later { status: 8, counts: true };

#[test]
fn a_stop_empties_the_windows_whatever_waits() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 2);
    let rate = Some(Rate { parts: 1, per_micros: 1_000_000, burst: 2 });
    world.core.set_carrier_terms(ALPHA, Terms { rate, ..Terms::default() });
    world.core.set_tenant_rate(TENANT, Some(Rate { parts: 1, per_micros: 1_000_000, burst: 3 }));
    for _ in 0..9 {
        world.submit(Sample::default());
    }
    world.turn();
    assert_eq!(world.submits().len(), 2);
    assert!(!world.core.is_drained());
    world.push(Command::Drain);
    for slot in 0..2 {
        world.taken(CARRIER_A, slot, &format!("c{slot}"));
        world.turn();
        assert_eq!(world.submits(), vec![]);
    }
    assert!(world.core.is_drained());
    world.wait(5);
    assert_eq!(world.submits(), vec![]);
    assert!(world.core.poll_timeout().is_none_or(|at| at > world.now), "and the core rests meanwhile");
}

#[test]
fn a_body_whose_segment_went_while_it_was_looked_for_is_looked_for_again() {
    let mut world = World::new();
    world.submit(Sample { due_s: 5, ..Sample::default() });
    world.turn();
    world.open_carrier(CARRIER_A, 1);
    world.reader_sleeps = true;
    world.wait(5);
    let found = world.effects.iter().find_map(|(_, effect)| match effect {
        Effect::Load { id, place } => Some((*id, *place)),
        _ => None,
    });
    let (id, place) = found.expect("a scheduled body is read when it is due");
    world.offer_survivors(place.segment);
    world.turn();
    world.reader_sleeps = false;
    world.push(Command::Loaded { id, place, envelope: Default::default() });
    world.turn();
    assert_eq!(world.submits().len(), 1);
    assert_eq!(world.core.numbers().rejected, 0);
}

#[test]
fn a_body_that_cannot_be_read_is_tried_again_until_its_validity_ends() {
    let mut world = World::new();
    world.submit(Sample { due_s: 5, validity_s: 1_000, ..Sample::default() });
    world.submit(Sample { due_s: 5, validity_s: 30, ..Sample::default() });
    world.turn();
    world.open_carrier(CARRIER_A, 3);
    world.reader_sleeps = true;
    world.wait(5);
    let loads = world.effects.iter().filter_map(|(_, effect)| match effect {
        Effect::Load { id, place } => Some((*id, *place)),
        _ => None,
    });
    for (id, place) in loads.collect::<Vec<_>>() {
        world.push(Command::Loaded { id, place, envelope: Default::default() });
    }
    world.submit(Sample::default());
    world.turn();
    assert_eq!(world.submits().len(), 1, "others pass them");
    world.wait(30);
    assert_eq!((world.core.numbers().rejected, world.books().2), (0, PRICE), "one has expired");
    world.reader_sleeps = false;
    world.wait(35);
    assert_eq!(world.submits().len(), 1, "the other can be read by now");
}

#[test]
fn a_lane_goes_on_when_the_message_it_waited_for_has_expired() {
    let mut world = World::new();
    world.submit(Sample { due_s: 5, validity_s: 8, ..Sample::default() });
    world.turn();
    world.open_carrier(CARRIER_A, 1);
    world.reader_sleeps = true;
    world.wait(5);
    world.submit(Sample::default());
    world.turn();
    assert_eq!(world.submits(), vec![], "the lane waits for the body of its head");
    world.wait(4);
    assert_eq!(world.submits().len(), 1, "and not for ever");
}

#[test]
fn a_tenant_that_never_comes_for_its_receipts_costs_nothing_for_ever() {
    let config = Config { finished_max: 1, report_seconds: 60, ..World::new().config };
    let mut world = World::with(config);
    for _ in 0..20 {
        for _ in 0..5 {
            world.submit(Sample { validity_s: 1, ..Sample::default() });
        }
        world.turn();
        world.wait(2);
        world.wait(61);
    }
    assert_eq!(world.core.numbers().unreported, 100);
    assert_eq!(world.core.schedule.tenants[usize::from(TENANT.0)].owed.len(), 0);
    assert!(world.core.fold.messages.occupied().count() <= 3);
    world.submit(Sample { validity_s: 1, ..Sample::default() });
    world.turn();
    world.wait(2);
    world.open_tenant(10);
    world.turn();
    assert_eq!(world.delivers().len(), 1, "the one that is still owed, once");
}

#[test]
fn a_receipt_in_a_window_is_not_given_up() {
    let mut world = World::with(Config { report_seconds: 60, ..World::new().config });
    world.submit(Sample { validity_s: 1, ..Sample::default() });
    world.open_tenant(1);
    world.turn();
    world.wait(2);
    assert_eq!(world.delivers(), vec![(0, State::Expired)]);
    world.wait(61);
    assert_eq!(world.core.numbers().unreported, 0);
    world.push(Command::Delivered { link: PLATFORM, slot: 0, answer: Answer::Taken });
    world.turn();
    assert_eq!((world.core.numbers().reported, world.core.numbers().unreported), (1, 0));
}

#[test]
fn a_long_message_does_not_use_up_its_attempts_at_once() {
    let mut world = World::new();
    let retry = Retry { attempts_max: 3, ..Terms::default().retry };
    world.core.set_carrier_terms(ALPHA, Terms { retry, ..Terms::default() });
    world.open_carrier(CARRIER_A, 1);
    world.submit(Sample { parts: 3, ..Sample::default() });
    world.turn();
    for _ in 0..5 {
        if !world.submits().is_empty() {
            world.push(Command::Submitted { link: CARRIER_A, slot: 0, outcome: LATER });
        }
        world.turn();
        assert_eq!(world.submits(), vec![], "not in the same second");
    }
    world.wait(3);
    for slot in 0..3 {
        assert_eq!(world.submits().len(), 1);
        world.taken(CARRIER_A, 0, &format!("c{slot}"));
        world.turn();
    }
    assert_eq!(world.books(), (0, 3 * PRICE, 0));
}

#[test]
fn a_restart_does_not_prolong_the_wait_for_a_receipt() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 1);
    world.submit(Sample::default());
    world.turn();
    world.taken(CARRIER_A, 0, "c1");
    world.turn();
    world.wait(71 * 3600);
    world.restart_from(0);
    world.wait(3600 + 1);
    assert_eq!(world.core.numbers().concluded[usize::from(State::Unknown.smpp())], 1);
}

#[test]
fn receipts_without_a_part_are_copied_forward_in_slices() {
    let config = Config { segments_max: 1, unmatched_micros: i64::MAX / 4, ..World::new().config };
    let mut world = World::with(config);
    for n in 0..9_000 {
        world.receipt(&format!("nobody-ever-had-this-id-{n}"), State::Delivered);
    }
    world.turn();
    while world.core.fold.segments.len() < 3 && world.recycled == 0 {
        for _ in 0..100 {
            world.submit(Sample { registered: 0, validity_s: 1, ..Sample::default() });
        }
        world.turn();
        world.wait(2);
    }
    for _ in 0..10 {
        world.turn();
    }
    assert!(world.recycled > 0, "the first segment went");
    assert_eq!(world.core.fold.pending.len(), 9_000);
    world.restart_from(world.recycled + 1);
    assert_eq!(world.core.fold.pending.len(), 9_000);
}

/// Where all is alive in front and all dead behind, a full disk is won back by copying forward, and nothing is copied in vain.
#[test]
fn a_full_disk_is_swept_past_what_lives() {
    let mut world = World::with(Config { segments_max: 1, ..World::new().config });
    while world.core.fold.segments.len() < 3 {
        (0..100).for_each(|_| world.submit(Sample { registered: 0, validity_s: 1_000_000, ..Sample::default() }));
        world.turn();
    }
    let waiting = world.core.live();
    world.core.set_full(true, true);
    world.turn();
    assert_eq!(world.recycled, 0, "there is nothing to be won");
    world.core.set_full(false, true);
    while world.core.fold.segments.len() < 10 {
        (0..100).for_each(|_| world.submit(Sample { registered: 0, validity_s: 1, ..Sample::default() }));
        world.turn();
        world.wait(2);
    }
    assert_eq!(world.recycled, 0, "too much lives in the oldest");
    world.core.set_full(true, true);
    (0..100).for_each(|_| world.turn());
    assert!(world.core.fold.segments.len() <= 6, "{} segments", world.core.fold.segments.len());
    assert_eq!(world.core.live(), waiting);
    let recycled = world.recycled;
    (0..100).for_each(|_| world.turn());
    assert_eq!(world.recycled, recycled, "it comes to an end");
}

#[test]
fn a_segment_that_cannot_be_read_is_not_tried_at_every_turn() {
    let mut world = World::with(Config { segments_max: 1, ..World::new().config });
    world.reader_is_blind = true;
    world.submit(Sample { validity_s: 1_000_000, ..Sample::default() });
    while world.core.fold.segments.len() < 3 {
        for _ in 0..100 {
            world.submit(Sample { registered: 0, validity_s: 1, ..Sample::default() });
        }
        world.turn();
        world.wait(2);
    }
    let mut sweeps = 0;
    for _ in 0..20 {
        world.turn();
        sweeps += world.effects.iter().filter(|(_, effect)| matches!(effect, Effect::Sweep { .. })).count();
    }
    assert!(sweeps <= 1, "{sweeps} sweeps of one segment");
    assert!(!world.effects.iter().any(|(link, _)| *link == JOURNAL));
}

#[test]
fn a_reload_fills_no_tenants_bucket() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 100);
    let rate = Rate { parts: 10, per_micros: 1_000_000, burst: 10 };
    world.core.set_tenant_rate(TENANT, Some(rate));
    for _ in 0..40 {
        world.submit(Sample::default());
    }
    world.turn();
    assert_eq!(world.submits().len(), 10);
    for _ in 0..5 {
        world.core.set_tenant_rate(TENANT, Some(rate));
        world.core.set_tenant_rate(TENANT, Some(Rate { burst: 20, ..rate }));
        world.turn();
        assert_eq!(world.submits(), vec![]);
    }
    world.wait(1);
    assert_eq!(world.submits().len(), 10);
}

#[test]
fn a_tenant_that_comes_back_is_told_in_order_and_a_few_at_a_time() {
    let mut world = World::new();
    for _ in 0..1_000 {
        world.submit(Sample { due_s: 1, validity_s: 2, ..Sample::default() });
    }
    world.turn();
    world.wait(3);
    world.reader_sleeps = true;
    world.open_tenant(1_000);
    let mut loads = Vec::new();
    for _ in 0..5 {
        world.turn();
        loads.extend(world.effects.iter().filter_map(|(_, effect)| match effect {
            Effect::Load { id, .. } => Some(*id),
            _ => None,
        }));
    }
    assert!((1..=256).contains(&loads.len()), "{} bodies asked for at once", loads.len());
    world.reader_sleeps = false;
    world.answer(&loads);
    let mut told = Vec::new();
    for _ in 0..10 {
        told.extend(world.effects.iter().filter_map(|(_, effect)| match effect {
            Effect::Deliver { report, .. } => Some(report.id),
            _ => None,
        }));
        world.turn();
    }
    assert_eq!(told.len(), 1_000);
    assert!(told.is_sorted());
}

#[test]
fn the_longest_message_goes_through_the_smallest_window() {
    let mut world = World::new();
    world.open_carrier(CARRIER_A, 1);
    world.open_tenant(1);
    world.submit(Sample { parts: 255, ..Sample::default() });
    world.submit(Sample::default());
    world.turn();
    for part in 0..255u8 {
        assert_eq!(world.submits(), vec![(CARRIER_A, 0, part, false)]);
        world.taken(CARRIER_A, 0, &format!("c{part}"));
        world.turn();
    }
    assert_eq!(world.submits(), vec![(CARRIER_A, 0, 0, false)], "the message behind it");
    for part in 0..255u8 {
        world.receipt(&format!("c{part}"), State::Delivered);
    }
    world.turn();
    assert_eq!(world.delivers(), vec![(0, State::Delivered)]);
    assert_eq!(world.books(), (PRICE, 255 * PRICE, 0));
}

#[test]
fn no_more_bodies_are_read_ahead_than_the_arena_holds() {
    let mut world = World::with(Config { arena_octets: 1 << 20, ..World::new().config });
    for _ in 0..1_000 {
        world.submit(Sample { due_s: 1, ..Sample::default() });
    }
    world.turn();
    world.wait(2);
    world.reader_sleeps = true;
    world.open_carrier(CARRIER_A, 10);
    world.turn();
    let loads = world.core.numbers().loads;
    assert!((1..=512).contains(&loads), "{loads} at once");
    world.reader_sleeps = false;
    let asked: Vec<_> = world
        .effects
        .iter()
        .filter_map(|(_, effect)| match effect {
            Effect::Load { id, .. } => Some(*id),
            _ => None,
        })
        .collect();
    world.answer(&asked);
    let mut sent = 0;
    while !world.submits().is_empty() {
        for (link, slot, ..) in world.submits() {
            world.taken(link, slot, &format!("c{sent}"));
            sent += 1;
        }
        world.turn();
    }
    assert_eq!(sent, 1_000);
    assert_eq!(world.core.schedule.loading, 0);
}
