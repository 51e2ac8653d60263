//! Lanes against a plain model, and the promises of the round one by one.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::*;

const CARRIER: CarrierId = CarrierId(1);

fn key(tenant: u16) -> LaneKey {
    LaneKey { carrier: CARRIER, tenant: TenantId(tenant), class: 0 }
}

/// Takes the next message, all of one part, and says whose lane it came from.
fn next(lanes: &mut Lanes) -> Option<(u16, u32)> {
    let (lane, index) = lanes.peek(CARRIER, |_| 1)?;
    assert_eq!(lanes.take(lane, 1), index);
    Some((lanes.key(lane).tenant.0, index))
}

#[test]
fn a_lane_is_first_in_first_out() {
    let mut lanes = Lanes::new();
    for index in [4, 2, 9] {
        lanes.push_back(key(1), index);
    }
    lanes.push_front(key(1), 7);
    let lane = lanes.lane(key(1));
    assert_eq!(lanes.ahead(lane).collect::<Vec<_>>(), [7, 4, 2, 9]);
    assert_eq!((lanes.len(lane), lanes.waiting(CARRIER)), (4, 4));
    let order: Vec<u32> = std::iter::from_fn(|| next(&mut lanes)).map(|(_, index)| index).collect();
    assert_eq!(order, [7, 4, 2, 9]);
    assert_eq!((lanes.waiting(CARRIER), lanes.carriers().count(), lanes.is_empty(lane)), (0, 0, true));
}

#[test]
fn turns_change_after_a_quantum() {
    let mut lanes = Lanes::new();
    for index in 0..100 {
        lanes.push_back(key(index as u16 % 2), index);
    }
    let turns: Vec<u16> = (0..32).filter_map(|_| next(&mut lanes)).map(|(tenant, _)| tenant).collect();
    let expected: Vec<u16> = [0, 1, 0, 1].into_iter().flat_map(|tenant| [tenant; 8]).collect();
    assert_eq!(turns, expected);
}

#[test]
fn a_message_larger_than_the_quantum_goes_after_enough_rounds() {
    let mut lanes = Lanes::new();
    lanes.push_back(key(1), 0);
    for index in 1..200 {
        lanes.push_back(key(2), index);
    }
    let cost = |index: u32| if index == 0 { 20 } else { 1 };
    let mut before = 0;
    loop {
        let (lane, index) = lanes.peek(CARRIER, cost).expect("messages wait");
        assert_eq!(lanes.peek(CARRIER, cost), Some((lane, index)), "asking changes nothing");
        lanes.take(lane, cost(index));
        if index == 0 {
            break;
        }
        before += 1;
    }
    assert_eq!(before, 16, "it waits for its third visit");
}

#[test]
fn a_message_partly_released_stays_at_the_head() {
    let mut lanes = Lanes::new();
    lanes.push_back(key(1), 5);
    lanes.push_back(key(1), 6);
    lanes.push_back(key(2), 7);
    let (lane, index) = lanes.peek(CARRIER, |_| 6).expect("a head");
    assert_eq!(index, 5);
    lanes.charge(lane, 4);
    assert_eq!(lanes.peek(CARRIER, |index| if index == 5 { 2 } else { 6 }), Some((lane, 5)));
    lanes.take(lane, 2);
    assert_eq!(lanes.peek(CARRIER, |_| 6).map(|(_, index)| index), Some(7), "6 of 8 parts are spent, 6 are too many");
}

#[test]
fn sleeping_and_parked_lanes_are_passed_over() {
    let mut lanes = Lanes::new();
    for tenant in 0..3 {
        lanes.push_back(key(tenant), u32::from(tenant));
    }
    let ids: Vec<LaneId> = (0..3).map(|tenant| lanes.lane(key(tenant))).collect();
    lanes.sleep(ids[0], Timestamp(50));
    lanes.sleep(ids[0], Timestamp(70));
    lanes.park(ids[1]);
    assert_eq!(next(&mut lanes), Some((2, 2)));
    assert_eq!((next(&mut lanes), lanes.waiting(CARRIER)), (None, 2));
    lanes.advance(Timestamp(50));
    assert_eq!((next(&mut lanes), lanes.next_at()), (None, Some(Timestamp(70))), "the later time holds");
    lanes.sleep(ids[0], Timestamp(60));
    lanes.advance(Timestamp(60));
    assert_eq!(next(&mut lanes), Some((0, 0)));
    assert!(lanes.is_parked(ids[1]));
    lanes.sleep(ids[1], Timestamp(90));
    lanes.unpark(ids[1]);
    assert_eq!(next(&mut lanes), None, "it still sleeps");
    lanes.advance(Timestamp(90));
    assert_eq!((next(&mut lanes), lanes.next_at()), (Some((1, 1)), None));
}

#[test]
fn sleep_does_not_save_up() {
    let mut lanes = Lanes::new();
    for index in 0..100 {
        lanes.push_back(key(1), index);
        lanes.push_back(key(2), 100 + index);
    }
    let (sleeper, other) = (lanes.lane(key(1)), lanes.lane(key(2)));
    lanes.park(other);
    for nap in 0..50 {
        assert_eq!(lanes.peek(CARRIER, |_| 1), Some((sleeper, 0)), "its turn comes, and its bucket is empty");
        lanes.sleep(sleeper, Timestamp(nap));
        lanes.advance(Timestamp(nap));
    }
    lanes.unpark(other);
    let turns: Vec<u16> = (0..32).filter_map(|_| next(&mut lanes)).map(|(tenant, _)| tenant).collect();
    assert_eq!(turns.iter().filter(|tenant| **tenant == 1).count(), 16);
}

#[test]
fn an_empty_lane_keeps_its_debt_and_nothing_else() {
    let cost = |index: u32| if index == 9 { 15 } else { 1 };
    for (charged, rounds) in [(1, 2), (17, 3)] {
        let mut lanes = Lanes::new();
        lanes.push_back(key(1), 0);
        let (lane, _) = lanes.peek(CARRIER, cost).expect("a head");
        lanes.take(lane, charged);
        lanes.push_back(key(1), 9);
        for index in 10..100 {
            lanes.push_back(key(2), index);
        }
        let before = std::iter::from_fn(|| {
            let (lane, index) = lanes.peek(CARRIER, cost)?;
            (index != 9).then(|| lanes.take(lane, cost(index)))
        });
        // It enters before the other lane, which has a quantum in each round but the last.
        assert_eq!(before.count(), 8 * (rounds - 1), "after {charged} parts of 8");
    }
}

#[derive(Clone, Debug)]
enum Step {
    PushBack(u16),
    PushFront(u16),
    Release { credits: u32 },
    Discard(u16),
    Sleep(u16, i64),
    Park(u16),
    Unpark(u16),
    Advance(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let tenant = || 0..5u16;
    let step = prop_oneof![
        6 => tenant().prop_map(Step::PushBack),
        1 => tenant().prop_map(Step::PushFront),
        4 => (1..30u32).prop_map(|credits| Step::Release { credits }),
        1 => tenant().prop_map(Step::Discard),
        1 => (tenant(), 0..40i64).prop_map(|(tenant, micros)| Step::Sleep(tenant, micros)),
        1 => tenant().prop_map(Step::Park),
        2 => tenant().prop_map(Step::Unpark),
        2 => (0..30i64).prop_map(Step::Advance),
    ];
    proptest::collection::vec(step, 1..400)
}

/// What must hold however turns fall: queues, who may send, and nothing lost.
#[derive(Default)]
struct Model {
    queues: BTreeMap<u16, VecDeque<u32>>,
    sleeps: BTreeMap<u16, i64>,
    parked: BTreeMap<u16, bool>,
}

impl Model {
    fn may_send(&self, tenant: u16, now: i64) -> bool {
        let awake = self.sleeps.get(&tenant).is_none_or(|until| *until <= now);
        let unparked = !self.parked.get(&tenant).copied().unwrap_or_default();
        awake && unparked && self.queues.get(&tenant).is_some_and(|queue| !queue.is_empty())
    }

    /// Releases up to `credits` parts and checks each choice of the lanes.
    fn release(&mut self, lanes: &mut Lanes, costs: &mut [u32], mut credits: u32, now: i64) {
        while credits > 0 {
            let Some((lane, index)) = lanes.peek(CARRIER, |index| costs[index as usize]) else {
                assert!((0..5).all(|tenant| !self.may_send(tenant, now)), "somebody could send");
                return;
            };
            let tenant = lanes.key(lane).tenant.0;
            assert!(self.may_send(tenant, now), "tenant {tenant} may not send");
            let queue = self.queues.get_mut(&tenant).expect("it may send");
            assert_eq!(queue.front(), Some(&index));
            let cost = costs[index as usize];
            if cost > credits {
                lanes.charge(lane, credits);
                costs[index as usize] -= credits;
                return;
            }
            assert_eq!(lanes.take(lane, cost), index);
            queue.pop_front();
            credits -= cost;
        }
    }
}

proptest! {
    #[test]
    fn lanes_agree_with_plain_queues(steps in steps(), sizes in proptest::collection::vec(1..40u32, 400)) {
        let (mut lanes, mut model, mut costs, mut now) = (Lanes::new(), Model::default(), sizes, 0i64);
        for (step, index) in steps.into_iter().zip(0..) {
            match step {
                Step::PushBack(tenant) => {
                    lanes.push_back(key(tenant), index);
                    model.queues.entry(tenant).or_default().push_back(index);
                }
                Step::PushFront(tenant) => {
                    lanes.push_front(key(tenant), index);
                    model.queues.entry(tenant).or_default().push_front(index);
                }
                Step::Release { credits } => model.release(&mut lanes, &mut costs, credits, now),
                Step::Discard(tenant) => {
                    if let Some(head) = model.queues.entry(tenant).or_default().pop_front() {
                        let lane = lanes.lane(key(tenant));
                        prop_assert_eq!(lanes.discard(lane), head);
                    }
                }
                Step::Sleep(tenant, micros) => {
                    let lane = lanes.lane(key(tenant));
                    lanes.sleep(lane, Timestamp(now + 1 + micros));
                    model.sleeps.insert(tenant, now + 1 + micros);
                }
                Step::Park(tenant) => {
                    let lane = lanes.lane(key(tenant));
                    lanes.park(lane);
                    model.parked.insert(tenant, true);
                }
                Step::Unpark(tenant) => {
                    let lane = lanes.lane(key(tenant));
                    lanes.unpark(lane);
                    model.parked.insert(tenant, false);
                }
                Step::Advance(micros) => {
                    now += micros;
                    lanes.advance(Timestamp(now));
                    let next = model.sleeps.values().filter(|until| **until > now).min();
                    prop_assert!(next.is_none_or(|until| lanes.next_at().is_some_and(|at| at.0 <= *until && at.0 > now)));
                }
            }
            let waiting: usize = model.queues.values().map(VecDeque::len).sum();
            prop_assert_eq!(lanes.waiting(CARRIER), waiting as u64);
            for (tenant, queue) in &model.queues {
                let lane = lanes.lane(key(*tenant));
                prop_assert!(lanes.ahead(lane).eq(queue.iter().copied()));
            }
        }
    }
}
