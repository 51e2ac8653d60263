//! Messages that wait for a carrier without a bind go over to another carrier of their route.

use crate::core::Core;
use crate::core::accept::lane_key;
use crate::core::schedule::Schedule;
use crate::message::CarrierId;
use crate::release::lanes::LaneId;

/// A carrier that is back within this time keeps what waits for it.
const PATIENCE_MICROS: i64 = 500_000;
/// Nothing more goes over to a carrier for which so many messages wait: it would wait there as well, and its own carrier may come back.
const WAITING_MAX: u64 = 1_024;
/// Messages that are looked at in one turn. What stands behind so many of its lane that have no other carrier is not seen.
const LOOKS_MAX: usize = 4_096;
/// Messages that may go over from each lane in one turn, where there are many lanes.
const OF_A_LANE_MIN: usize = 8;
/// Until the next look, after one that moved something and after one that did not.
const SOON_MICROS: i64 = 100_000;
const LATER_MICROS: i64 = 5_000_000;

impl Core {
    /// The carrier has no bind. After a while, what has not been given to it goes by another that has one. Nothing is written: where a
    /// message went stands in its Released fact.
    pub(super) fn reroute(&mut self, carrier: CarrierId) {
        let now = self.now;
        let account = self.schedule.carrier(carrier);
        let look_at = *account.look_at.get_or_insert(now.plus_micros(PATIENCE_MICROS));
        let anybody = self.schedule.carriers.iter().any(|account| !account.binds.is_empty());
        if self.schedule.lanes.waiting(carrier) == 0 || !anybody {
            return; // What changes that brings the next turn.
        }
        let next = if look_at > now {
            look_at
        } else if self.move_waiting(carrier) {
            now.plus_micros(SOON_MICROS)
        } else {
            now.plus_micros(LATER_MICROS)
        };
        let account = self.schedule.carrier(carrier);
        (account.look_at, account.ready_at) = (Some(next), Some(next));
    }

    /// Says whether anything went over, or might soon. Each look begins at another lane, and no lane takes all the room.
    fn move_waiting(&mut self, from: CarrierId) -> bool {
        let Schedule { lanes, carriers, .. } = &mut self.schedule;
        let messages = &self.fold.messages;
        let mut room: Vec<Option<u64>> = vec![None; carriers.len()];
        for (number, _) in carriers.iter().enumerate().filter(|(_, account)| !account.binds.is_empty()) {
            room[number] = Some(WAITING_MAX.saturating_sub(lanes.waiting(CarrierId(number as u16))));
        }
        if room.iter().all(|room| room.unwrap_or(0) == 0) {
            return true;
        }
        let (mut moved, mut going, mut any, mut looks) = (Vec::new(), Vec::new(), false, LOOKS_MAX);
        let mut order: Vec<LaneId> = lanes.of(from).collect();
        let count = order.len().max(1);
        let account = &mut carriers[usize::from(from.0)];
        order.rotate_left(account.look_from % count);
        account.look_from = (account.look_from + 1) % count;
        let of_a_lane = (WAITING_MAX as usize / count).max(OF_A_LANE_MIN);
        for lane in order {
            let before = moved.len();
            let mut left = of_a_lane;
            let goes = |slot: u32| {
                let choices = messages.choices(slot).filter(|choice| *choice != from);
                let mut up =
                    choices.filter(|choice| matches!(room.get(usize::from(choice.0)), Some(Some(_)))).peekable();
                if up.peek().is_none() || !messages.is_untouched(slot) {
                    return false;
                }
                any = true;
                let to = up.find(|choice| left > 0 && room[usize::from(choice.0)] > Some(0));
                to.is_some_and(|to| {
                    left -= 1;
                    room[usize::from(to.0)] = room[usize::from(to.0)].map(|room| room - 1);
                    going.push(to);
                    true
                })
            };
            let seen = looks.min(lanes.len(lane) as usize);
            looks -= seen;
            lanes.take_where(lane, seen, goes, &mut moved);
            if moved.len() > before {
                // It may have been parked for the body of one of these.
                lanes.unpark(lane);
            }
        }
        for (slot, to) in moved.iter().zip(going) {
            self.fold.messages.go_over(*slot, to);
            let key = lane_key(self.fold.messages.slot(*slot));
            self.schedule.lanes.push_back(key, *slot);
            self.schedule.carrier(to).ready_at = Some(self.now);
        }
        self.numbers.rerouted += moved.len() as u64;
        any || looks == 0
    }
}
