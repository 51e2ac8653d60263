//! What time does: due messages wake, validity ends, receipts stay away, keys and reports grow old.

use crate::core::Core;
use crate::core::RELEASE_OCTETS_MAX;
use crate::core::accept::lane_key;
use crate::core::group::Group;
use crate::core::seconds;
use crate::core::slot::{Slot, bits};
use crate::fact::{Fact, Stage, flags};
use crate::message::State;
use crate::release::lanes::LaneKey;

impl Core {
    /// Wakes what is due. Bounded by the group's size: what remains is due at the next turn.
    pub(super) fn expire(&mut self, group: &mut Group) {
        let now = self.now_seconds();
        while group.records.octets().len() < RELEASE_OCTETS_MAX
            && let Some(slot) = self.schedule.wheel.pop_due(now)
        {
            self.due(slot, group);
        }
        self.settle_doubtful(group);
        self.expire_unmatched(group);
        self.fold.requests.expire(self.now);
        self.sweep_oldest(group);
    }

    fn due(&mut self, slot: u32, group: &mut Group) {
        let message = *self.fold.messages.slot(slot);
        if message.has(bits::CONCLUDED) {
            self.due_after_end(slot, &message, group);
        } else if message.has(bits::SCHEDULED) {
            self.wake(slot, group);
        } else if self.waits(slot) {
            self.expire_message(slot, group);
        } else {
            self.give_up_receipts(slot, group);
        }
    }

    /// Its time has come: into the lane, unless its validity ended first.
    fn wake(&mut self, slot: u32, group: &mut Group) {
        let now = self.now_seconds();
        let message = self.fold.messages.slot_mut(slot);
        message.set(bits::SCHEDULED, false);
        if message.expires_s <= now {
            return self.expire_message(slot, group);
        }
        self.enter_lane(slot);
    }

    /// What was not sent of the message has outlived its validity.
    pub(super) fn expire_message(&mut self, slot: u32, group: &mut Group) {
        let message = *self.fold.messages.slot(slot);
        let reserved = self
            .fold
            .messages
            .parts_of(slot)
            .map(|entry| self.fold.messages.part(entry))
            .filter(|part| part.stage == Stage::Waiting && !part.posted)
            .count()
            + usize::from(message.parts - message.started);
        self.end_unfinished(slot, State::Expired, reserved as i64, group);
    }

    /// No receipt has come for what was sent.
    fn give_up_receipts(&mut self, slot: u32, group: &mut Group) {
        let messages = &self.fold.messages;
        let sent =
            || messages.parts_of(slot).map(|entry| messages.part(entry)).filter(|part| part.stage == Stage::Sent);
        if sent().next().is_none() {
            // Released parts have no outcome yet; their bind will give one.
            let again = seconds(self.now.plus_seconds(60));
            return self.schedule.wheel.set(slot, again);
        }
        let reserved = sent().filter(|part| !part.posted && !part.voided).count();
        self.end_unfinished(slot, State::Unknown, reserved as i64, group);
    }

    fn end_unfinished(&mut self, slot: u32, state: State, reserved_parts: i64, group: &mut Group) {
        let message = *self.fold.messages.slot(slot);
        let priced = message.flag(flags::PRICED);
        let voided_micros = if priced { self.fold.messages.price(slot).0 * reserved_parts } else { 0 };
        let account = self.fold.account(slot);
        self.record(&Fact::Expired { at: self.now, id: message.id, account, state, voided_micros }, group);
        self.fold.messages.slot_mut(slot).set(bits::SCHEDULED, false);
        self.after_part(slot, group);
        self.clear_lane_head(lane_key(&message));
    }

    /// Lets the lane go of messages at its head that have ended, so that their slots can be used again.
    fn clear_lane_head(&mut self, key: LaneKey) {
        let lane = self.schedule.lanes.lane(key);
        loop {
            let head = self.schedule.lanes.ahead(lane).next();
            let Some(head) = head.filter(|head| self.fold.messages.slot(*head).has(bits::CONCLUDED)) else { return };
            self.schedule.lanes.discard(lane);
            self.fold.messages.slot_mut(head).set(bits::IN_LANE, false);
            // The lane may have been parked for the body of this one.
            self.schedule.lanes.unpark(lane);
        }
    }

    fn due_after_end(&mut self, slot: u32, message: &Slot, group: &mut Group) {
        if message.has(bits::OWED) {
            let until = self.owed_until(message);
            if message.has(bits::SCHEDULED) && self.now_seconds() < until {
                self.fold.messages.slot_mut(slot).set(bits::SCHEDULED, false);
                self.owe(slot, false);
                return self.schedule.wheel.set(slot, until);
            }
            if !message.has(bits::SCHEDULED | bits::QUEUED) {
                // In the window of a bind: what comes of that decides.
                let again = seconds(self.now.plus_seconds(60));
                return self.schedule.wheel.set(slot, again);
            }
            self.give_up_report(slot, group);
            self.clear_owed(message.tenant);
        } else if message.has(bits::KEYED) {
            self.fold.release_key(slot);
        }
    }
}
