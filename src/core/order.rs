//! Destinations whose messages keep their order, for tenants that ask for it: the next message to a number is released once every part
//! of the one before it has been answered (invariant I9). Messages of other tenants never come here.

use std::collections::{BTreeMap, VecDeque};

use crate::core::Core;
use crate::core::accept::lane_key;
use crate::core::slot::bits;
use crate::fact::Stage;
use crate::message::{MessageId, TenantId};

/// By tenant and keyed hash of the number: the messages to it, in the order in which they became due. An entry whose message has
/// gone since is skipped; the id tells.
pub(super) type Orders = BTreeMap<(TenantId, u64), VecDeque<(u32, MessageId)>>;

impl Core {
    /// A message that is due lines up behind those to its number, once.
    pub(super) fn enter_order(&mut self, slot: u32) {
        let message = self.fold.messages.slot_mut(slot);
        if message.has(bits::IN_ORDER) {
            return;
        }
        message.set(bits::IN_ORDER, true);
        let (key, id) = ((message.tenant, message.number), message.id);
        self.schedule.orders.entry(key).or_default().push_back((slot, id));
    }

    /// Whether the message is the first to its number.
    pub(super) fn is_first(&mut self, slot: u32) -> bool {
        let message = self.fold.messages.slot(slot);
        self.first((message.tenant, message.number)) == Some(slot)
    }

    /// Makes room for the next message to the number if every part of this one has been answered, or will never go.
    pub(super) fn leave_order(&mut self, slot: u32) {
        let messages = &self.fold.messages;
        let message = messages.slot(slot);
        let open = |entry: u32| matches!(messages.part(entry).stage, Stage::Waiting | Stage::Released);
        if message.started < message.parts || messages.parts_of(slot).any(open) {
            return;
        }
        let key = (message.tenant, message.number);
        let message = self.fold.messages.slot_mut(slot);
        message.set(bits::IN_ORDER, false);
        message.set(bits::BEHIND, false);
        let Some(next) = self.first(key) else { return };
        let message = self.fold.messages.slot_mut(next);
        if message.has(bits::BEHIND) && !message.has(bits::IN_LANE | bits::SCHEDULED) {
            // Its turn had come already.
            message.set(bits::BEHIND, false);
            message.set(bits::IN_LANE, true);
            let key = lane_key(message);
            self.schedule.lanes.push_front(key, next);
        }
    }

    fn first(&mut self, key: (TenantId, u64)) -> Option<u32> {
        let queue = self.schedule.orders.get_mut(&key)?;
        while let Some((slot, id)) = queue.front().copied() {
            let message = self.fold.messages.slot(slot);
            if message.id == id && message.has(bits::IN_ORDER) {
                return Some(slot);
            }
            queue.pop_front();
        }
        self.schedule.orders.remove(&key);
        None
    }
}
