//! Messages that wait for a carrier without a bind go over to another carrier of their route.

use crate::core::Core;
use crate::core::accept::lane_key;
use crate::core::schedule::Schedule;
use crate::message::CarrierId;

/// A carrier that is back within this time keeps what waits for it.
const PATIENCE_MICROS: i64 = 500_000;
/// Nothing more goes over to a carrier for which so many messages wait: it would wait there as well, and its own carrier may come back.
const WAITING_MAX: u64 = 1_024;
/// Messages of one lane that are looked at in one turn.
const LOOKS_MAX: usize = 4_096;
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

    /// Says whether anything went over, or could if there were room.
    fn move_waiting(&mut self, from: CarrierId) -> bool {
        let Schedule { lanes, carriers, .. } = &mut self.schedule;
        let messages = &self.fold.messages;
        let room = |(number, account): (usize, &crate::core::schedule::Carrier)| match account.binds.is_empty() {
            true => None,
            false => Some(WAITING_MAX.saturating_sub(lanes.waiting(CarrierId(number as u16)))),
        };
        let mut room: Vec<Option<u64>> = carriers.iter().enumerate().map(room).collect();
        let (mut moved, mut going, mut any) = (Vec::new(), Vec::new(), false);
        for lane in lanes.of(from).collect::<Vec<_>>() {
            let before = moved.len();
            let goes = |slot: u32| {
                let others = messages.others(slot).iter();
                let mut up =
                    others.filter(|other| room.get(usize::from(other.0)).is_some_and(Option::is_some)).peekable();
                if up.peek().is_none() || !messages.is_untouched(slot) {
                    return false;
                }
                any = true;
                let to = up.find(|other| room[usize::from(other.0)] > Some(0));
                to.is_some_and(|to| {
                    room[usize::from(to.0)] = room[usize::from(to.0)].map(|room| room - 1);
                    going.push(to);
                    true
                })
            };
            lanes.take_where(lane, LOOKS_MAX, goes, &mut moved);
            if moved.len() > before {
                // It may have been parked for the body of one of these.
                lanes.unpark(lane);
            }
        }
        for (slot, to) in moved.iter().zip(going) {
            let message = self.fold.messages.slot_mut(*slot);
            message.carrier = to;
            let key = lane_key(message);
            self.schedule.lanes.push_back(key, *slot);
            self.schedule.carrier(to).ready_at = Some(self.now);
        }
        self.numbers.rerouted += moved.len() as u64;
        any
    }
}
