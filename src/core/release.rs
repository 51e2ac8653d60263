//! The release turn: spends the credits of carriers' binds on the lanes whose turn it is, as fast as rates allow.

use crate::command::{Effect, Span};
use crate::core::Core;
use crate::core::RELEASE_OCTETS_MAX;
use crate::core::doubt::LOSSES_IN_COMPANY_MAX;
use crate::core::group::Group;
use crate::core::seconds;
use crate::core::slot::bits;
use crate::fact::{Fact, PartRef, Stage};
use crate::message::{CarrierId, LinkId, MessageId, Place, Timestamp};
use crate::release::lanes::LaneId;

/// Bodies asked of the reader at one time, from the head of a lane on.
const READ_AHEAD_MAX: usize = 1_024;

/// Of all lanes together, one for so many octets of the arena: more would push out of it what has not left yet.
const ARENA_OCTETS_PER_READ: usize = 2_048;

/// What became of the head of a lane.
enum Head {
    /// It has been dealt with: look again.
    Moved,
    /// The carrier has no credit left.
    Spent,
}

/// The part of a message that goes next.
#[derive(Clone, Copy)]
struct Next {
    index: u8,
    repeat: bool,
    alone: bool,
}

impl Core {
    /// Releases what time, rates and credits allow. Bounded by the credits, and by the group's size.
    pub(super) fn release(&mut self, group: &mut Group) {
        if self.stopping {
            return; // What waits is stored; what would go out now could be cut off by the end.
        }
        self.schedule.lanes.advance(self.now);
        for index in 0..self.schedule.carriers.len() {
            self.release_to(CarrierId(index as u16), group);
        }
    }

    fn release_to(&mut self, carrier: CarrierId, group: &mut Group) {
        self.schedule.carrier(carrier).ready_at = None;
        if self.schedule.carrier(carrier).binds.is_empty() {
            return self.reroute(carrier);
        }
        while group.records.octets().len() < RELEASE_OCTETS_MAX {
            if self.next_bind(carrier, false).is_none() {
                return;
            }
            let fold = &self.fold;
            let Some((lane, slot)) = self.schedule.lanes.peek(carrier, |slot| fold.messages.unsent(slot).max(1)) else {
                return;
            };
            let now = self.now;
            if let Some(rate) = &mut self.schedule.carrier(carrier).rate
                && rate.available(now, 1) == 0
            {
                let ready_at = rate.ready_at(now);
                self.schedule.carrier(carrier).ready_at = Some(ready_at);
                return;
            }
            match self.release_head(carrier, lane, slot, group) {
                Head::Moved => {}
                Head::Spent => return,
            }
        }
        // The group is full: the next turn goes on at once.
        self.schedule.carrier(carrier).ready_at = Some(self.now);
    }

    fn release_head(&mut self, carrier: CarrierId, lane: LaneId, slot: u32, group: &mut Group) -> Head {
        let message = *self.fold.messages.slot(slot);
        if !message.has(bits::IN_LANE) || message.has(bits::SCHEDULED) || !self.waits(slot) {
            self.schedule.lanes.discard(lane);
            self.fold.messages.slot_mut(slot).set(bits::IN_LANE, false);
            return Head::Moved;
        }
        if message.has(bits::IN_ORDER) && !self.is_first(slot) {
            self.schedule.lanes.discard(lane);
            let message = self.fold.messages.slot_mut(slot);
            message.set(bits::IN_LANE, false);
            message.set(bits::BEHIND, true);
            return Head::Moved;
        }
        if message.expires_s <= self.now_seconds() {
            // The wheel ends it in this second; until then it must not go out.
            self.expire_message(slot, group);
            return Head::Moved;
        }
        if self.schedule.arena.get(message.body, message.id).is_none() {
            self.read_ahead(lane, group);
            self.schedule.lanes.park(lane);
            return Head::Moved;
        }
        if !message.has(bits::PACED)
            && let Some(bucket) = &mut self.schedule.tenant(message.tenant).bucket
        {
            if let Err(until) = bucket.take(u32::from(message.parts), self.now) {
                self.schedule.lanes.sleep(lane, until);
                return Head::Moved;
            }
            self.fold.messages.slot_mut(slot).set(bits::PACED, true);
        }
        self.release_parts(carrier, lane, slot, group)
    }

    /// Releases as many parts of the message as credits and the carrier's rate allow; the rest keeps the head of the lane.
    fn release_parts(&mut self, carrier: CarrierId, lane: LaneId, slot: u32, group: &mut Group) -> Head {
        let mut released = 0;
        let mut carried: Option<(LinkId, Span)> = None;
        let mut end = Head::Moved;
        while self.waits(slot) {
            let now = self.now;
            let next = self.next_part(slot);
            let Some(link) = self.next_bind(carrier, next.alone) else {
                end = Head::Spent;
                break;
            };
            if let Some(rate) = &mut self.schedule.carrier(carrier).rate {
                if rate.available(now, 1) == 0 {
                    break;
                }
                rate.take(now, 1);
            }
            carried = Some(self.release_part(carrier, link, (slot, next), carried, group));
            released += 1;
        }
        if self.waits(slot) {
            self.schedule.lanes.charge(lane, released);
        } else {
            self.schedule.lanes.take(lane, released);
            self.fold.messages.slot_mut(slot).set(bits::IN_LANE, false);
            let until = self.now.plus_seconds(self.config.receipt_seconds);
            self.schedule.wheel.set(slot, seconds(until));
        }
        end
    }

    fn release_part(
        &mut self,
        carrier: CarrierId,
        link: LinkId,
        (slot, Next { index, repeat, alone }): (u32, Next),
        carried: Option<(LinkId, Span)>,
        group: &mut Group,
    ) -> (LinkId, Span) {
        let message = *self.fold.messages.slot(slot);
        let part = PartRef { id: message.id, part: index };
        group.records.push(&Fact::Released { carrier, at: self.now, part, repeat });
        self.fold.messages.expect(slot);
        let entry = self.fold.apply_released(carrier, part, repeat).expect("a message in a lane has a slot");
        let place = self.schedule.occupy(link, entry, alone).expect("next_bind chose a bind with a free place");
        self.schedule.in_windows += 1;
        self.numbers.released += 1;
        let envelope = match carried {
            Some((same, span)) if same == link => span,
            _ => {
                let open = self.schedule.arena.get(message.body, message.id).unwrap_or_default();
                group.outboxes.carry(link, open)
            }
        };
        let expires = Timestamp(i64::from(message.expires_s) * 1_000_000);
        group.outboxes.push(link, Effect::Submit { slot: place, part: index, repeat, expires, envelope });
        (link, envelope)
    }

    /// The part to submit next: one that must be submitted again, lowest first, or the next fresh one.
    fn next_part(&self, slot: u32) -> Next {
        let messages = &self.fold.messages;
        let again = messages
            .parts_of(slot)
            .map(|entry| messages.part(entry))
            .filter(|part| part.stage == Stage::Waiting)
            .min_by_key(|part| part.index);
        match again {
            Some(part) => {
                let alone = part.losses >= LOSSES_IN_COMPANY_MAX;
                Next { index: part.index, repeat: part.repeat, alone }
            }
            None => Next { index: messages.slot(slot).started, repeat: false, alone: false },
        }
    }

    /// A bind of the carrier with a free window place: the same one until it is full, so that a write carries many PDUs, then the next.
    /// What goes `alone` waits for one on which nothing is unanswered; nothing else is released meanwhile, or that would never come.
    fn next_bind(&mut self, carrier: CarrierId, alone: bool) -> Option<LinkId> {
        let account = self.schedule.carriers.get(usize::from(carrier.0))?;
        let count = account.binds.len();
        for turn in 0..count {
            let index = (account.next_bind + turn) % count;
            let link = account.binds[index];
            let bind = self.schedule.binds.get(link.0 as usize).and_then(Option::as_ref);
            if bind.is_some_and(|bind| bind.has_credit() && (!alone || bind.is_empty())) {
                self.schedule.carriers[usize::from(carrier.0)].next_bind = index;
                return Some(link);
            }
        }
        None
    }

    /// Asks the reader for the bodies at the head of a lane.
    fn read_ahead(&mut self, lane: LaneId, group: &mut Group) {
        let Core { schedule, fold, numbers, config, .. } = self;
        let loading_max = config.arena_octets / ARENA_OCTETS_PER_READ;
        for (nth, slot) in schedule.lanes.ahead(lane).take(READ_AHEAD_MAX).enumerate() {
            if nth > 0 && schedule.loading >= loading_max {
                return;
            }
            let message = fold.messages.slot_mut(slot);
            if message.has(bits::LOADING) || schedule.arena.get(message.body, message.id).is_some() {
                continue;
            }
            message.set(bits::LOADING, true);
            numbers.loads += 1;
            schedule.loading += 1;
            group.outboxes.push(config.reader, Effect::Load { id: message.id, place: message.place });
        }
    }

    /// The reader has answered.
    pub(super) fn loaded(&mut self, id: MessageId, place: Place, envelope: &[u8], group: &mut Group) {
        self.schedule.loading = self.schedule.loading.saturating_sub(1);
        let Some(slot) = self.fold.messages.find(id) else { return };
        let now_at = self.fold.messages.slot(slot).place;
        if envelope.is_empty() && now_at != place {
            // Its segment was recycled while the reader was on its way there.
            self.schedule.loading += 1;
            return group.outboxes.push(self.config.reader, Effect::Load { id, place: now_at });
        }
        let body = if envelope.is_empty() { 0 } else { self.schedule.arena.put(id, envelope) };
        let message = self.fold.messages.slot_mut(slot);
        message.set(bits::LOADING, false);
        message.body = body;
        let message = *message;
        if message.has(bits::IN_LANE) {
            let lane = self.schedule.lanes.lane(crate::core::accept::lane_key(&message));
            self.schedule.lanes.unpark(lane);
        }
        self.schedule.stir(message.tenant);
        if body == 0 {
            self.unreadable(slot, group);
        }
    }
}
