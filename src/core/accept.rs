//! A message comes in: the checks that need state, its id, its place in a lane.

use crate::command::{Denial, Effect, Reply};
use crate::core::Core;
use crate::core::group::Group;
use crate::core::requests::Known;
use crate::core::seconds;
use crate::core::slot::bits;
use crate::fact::{Accepted, flags};
use crate::message::{MessageId, State, Timestamp};
use crate::release::lanes::LaneKey;

/// A lane longer than this holds bodies that are not due soon: they stay in the journal.
const LANE_READY_MAX: u32 = 8_192;

impl Core {
    pub(super) fn accept(&mut self, reply: Reply, record: &[u8], envelope: &[u8], group: &mut Group) {
        let Some(accepted) = Accepted::read(record) else {
            return self.deny(reply, Denial::Full, group);
        };
        if let Err(denial) = self.may_accept(&accepted) {
            self.fold.requests.denied(&accepted.idempotency);
            return self.deny(reply, denial, group);
        }
        let (id, at) = (MessageId::new(self.config.shard, self.fold.next_sequence), self.now);
        let offset = group.records.push_accepted(record, |octets| Accepted::stamp(octets, id, at));
        let slot = self.fold.apply_accepted(&Accepted { id, at, ..accepted }, self.place(offset));
        self.numbers.accepted += 1;
        self.numbers.accepted_parts += u64::from(accepted.parts);
        if accepted.due <= at {
            self.keep_ready(slot, envelope);
        }
        self.enqueue(slot, accepted.due);
        group.outboxes.push(reply.link, Effect::Accepted { tag: reply.tag, id });
    }

    fn may_accept(&self, accepted: &Accepted<'_>) -> Result<(), Denial> {
        if self.stopping {
            return Err(Denial::Stopping);
        }
        if self.full || self.fold.live >= self.config.messages_max {
            return Err(Denial::Full);
        }
        if accepted.flags & flags::PRICED != 0 {
            let amount_micros = accepted.price_micros * i64::from(accepted.parts);
            if !self.fold.ledger.room(accepted.tenant, accepted.currency, amount_micros, accepted.credit_micros) {
                return Err(Denial::Credit);
            }
        }
        Ok(())
    }

    fn deny(&mut self, reply: Reply, denial: Denial, group: &mut Group) {
        self.numbers.denied += 1;
        group.outboxes.push(reply.link, Effect::Denied { tag: reply.tag, denial });
    }

    /// Keeps the open body if the message is likely to leave soon.
    fn keep_ready(&mut self, slot: u32, envelope: &[u8]) {
        let message = self.fold.messages.slot(slot);
        let (id, key) = (message.id, lane_key(message));
        let lane = self.schedule.lanes.lane(key);
        if self.schedule.lanes.len(lane) < LANE_READY_MAX {
            let body = self.schedule.arena.put(id, envelope);
            self.fold.messages.slot_mut(slot).body = body;
        }
    }

    /// Puts a message into its lane, or to sleep until it is due.
    pub(super) fn enqueue(&mut self, slot: u32, due: Timestamp) {
        let message = self.fold.messages.slot_mut(slot);
        let expires = message.expires_s;
        if due > self.now {
            message.set(bits::SCHEDULED, true);
            // Rounded up, so that it is not early; a later expiry is seen when it wakes.
            self.schedule.wheel.set(slot, seconds(due.plus_micros(999_999)).min(expires));
        } else {
            self.enter_lane(slot);
        }
    }

    /// Puts a message that is due behind all others of its lane.
    pub(super) fn enter_lane(&mut self, slot: u32) {
        let message = self.fold.messages.slot_mut(slot);
        if message.state == State::Scheduled {
            message.state = State::Accepted;
        }
        let (key, expires, ordered) = (lane_key(message), message.expires_s, message.flag(flags::ORDERED));
        // Whatever it waited for before, it has its place in the lane now.
        message.set(bits::BEHIND, false);
        if !message.has(bits::IN_LANE) {
            message.set(bits::IN_LANE, true);
            self.schedule.lanes.push_back(key, slot);
        }
        if ordered {
            self.enter_order(slot);
        }
        self.schedule.wheel.set(slot, expires);
    }

    /// Puts a message whose part must be sent again at the head of its lane.
    pub(super) fn requeue(&mut self, slot: u32) {
        let message = self.fold.messages.slot_mut(slot);
        if message.has(bits::IN_LANE | bits::SCHEDULED | bits::CONCLUDED) {
            return;
        }
        message.set(bits::IN_LANE, true);
        let (key, expires) = (lane_key(message), message.expires_s);
        self.schedule.lanes.push_front(key, slot);
        self.schedule.wheel.set(slot, expires);
    }

    pub(super) fn recall(&mut self, reply: Reply, key: u64, body: u64, group: &mut Group) {
        let tag = reply.tag;
        let effect = match self.fold.requests.recall(key, body, self.now) {
            Known::Fresh => Effect::Fresh { tag },
            Known::Running => Effect::Denied { tag, denial: Denial::KeyRunning },
            Known::OtherBody => Effect::Denied { tag, denial: Denial::KeyReused },
            Known::Answered(messages) => {
                group.outboxes.push(reply.link, Effect::Repeated { tag, count: messages.len() as u16 });
                for (index, id) in messages {
                    group.outboxes.push(reply.link, Effect::Recalled { tag, index: *index, id: *id });
                }
                return;
            }
        };
        group.outboxes.push(reply.link, effect);
    }
}

pub(super) fn lane_key(message: &crate::core::slot::Slot) -> LaneKey {
    LaneKey { carrier: message.carrier, tenant: message.tenant, class: message.class() }
}
