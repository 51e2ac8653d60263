//! How submits end: taken, to come again, refused, lost; and what that means for the message.

use std::time::Duration;

use crate::command::Outcome;
use crate::core::Core;
use crate::core::group::Group;
use crate::core::seconds;
use crate::core::slot::bits;
use crate::fact::{Concluded, Fact, PartRef, Stage, flags};
use crate::message::{CarrierId, LinkId};
use crate::receipt::fold::fold;

/// A message whose destination's queue is full waits for one such share of its age between two tries.
const ASIDE_SHARE: u32 = 8;

impl Core {
    pub(super) fn submitted(&mut self, link: LinkId, place: u16, outcome: Outcome, bytes: &[u8], group: &mut Group) {
        let Some(entry) = self.schedule.vacate(link, place) else { return };
        self.schedule.in_windows -= 1;
        if !matches!(outcome, Outcome::Lost | Outcome::Later { counts: false, .. }) {
            self.answered(entry);
        }
        match outcome {
            Outcome::Taken(id) => self.taken(entry, id.of(bytes), group),
            Outcome::Later { status, counts } => self.later(entry, status, counts, group),
            Outcome::Aside { status } => self.aside(entry, status, group),
            Outcome::Refused { status } => self.refused(entry, status, group),
            Outcome::Lost => self.unanswered(entry, group),
        }
    }

    /// The carrier has said something about this part: what was lost with it before was not its fault.
    fn answered(&mut self, entry: u32) {
        let part = self.fold.messages.part_mut(entry);
        (part.losses, part.losses_alone) = (0, 0);
        let carrier = self.carrier_of(entry);
        let account = self.schedule.carrier(carrier);
        account.answers = account.answers.wrapping_add(1);
    }

    pub(super) fn taken(&mut self, entry: u32, carrier_id: &[u8], group: &mut Group) {
        let part = self.fold.messages.part(entry);
        let (slot, settled) = (part.slot, part.posted || part.voided);
        let reference = self.part_ref(entry);
        let message = *self.fold.messages.slot(slot);
        let pays_now = message.flag(flags::PRICED) && !message.flag(flags::CHARGE_DELIVERED) && !settled;
        let posted_micros = if pays_now { self.fold.messages.price(slot).0 } else { 0 };
        let account = self.fold.account(slot);
        let sent =
            Fact::Sent { carrier: message.carrier, at: self.now, part: reference, account, posted_micros, carrier_id };
        self.record(&sent, group);
        self.numbers.sent += 1;
        self.match_pending(entry, carrier_id, group);
        self.after_part(slot, group);
    }

    fn later(&mut self, entry: u32, status: u32, counts: bool, group: &mut Group) {
        let carrier = self.carrier_of(entry);
        let slot = self.fold.messages.part(entry).slot;
        let pause = if counts { self.attempted(entry) } else { None };
        if counts && pause.is_none() {
            return self.refused(entry, status, group);
        }
        let part = self.part_ref(entry);
        self.record(&Fact::Deferred { carrier, at: self.now, part, status }, group);
        self.numbers.deferred += 1;
        match pause {
            Some(pause) => self.sleep(slot, pause),
            None => self.requeue(slot),
        }
    }

    /// The part waits with its message for a share of the time that it has waited already, and others pass it. No attempt is counted:
    /// its validity ends it.
    fn aside(&mut self, entry: u32, status: u32, group: &mut Group) {
        let slot = self.fold.messages.part(entry).slot;
        let message = self.fold.messages.slot(slot);
        let (carrier, accepted_at) = (message.carrier, message.accepted_at);
        let part = self.part_ref(entry);
        self.record(&Fact::Deferred { carrier, at: self.now, part, status }, group);
        self.numbers.deferred += 1;
        let backoff = self.schedule.carrier(carrier).terms.retry.backoff;
        let waited = Duration::from_micros(u64::try_from(self.now.micros_since(accepted_at)).unwrap_or(0));
        self.sleep(slot, (waited / ASIDE_SHARE).clamp(backoff.first.min(backoff.cap), backoff.cap));
    }

    /// Counts an attempt and says how long the part waits before the next; `None` after the last one. The jitter is the message's own, so
    /// that replay and simulation see the same.
    pub(super) fn attempted(&mut self, entry: u32) -> Option<Duration> {
        let carrier = self.carrier_of(entry);
        let part = self.fold.messages.part_mut(entry);
        part.attempts = part.attempts.saturating_add(1);
        let (slot, attempts) = (part.slot, u32::from(part.attempts));
        let random = self.fold.messages.slot(slot).id.0.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.schedule.carrier(carrier).terms.retry.next(attempts, random)
    }

    /// By which carrier a part goes.
    pub(super) fn carrier_of(&self, entry: u32) -> CarrierId {
        self.fold.messages.slot(self.fold.messages.part(entry).slot).carrier
    }

    /// Lets a message wait before its next try, with all its parts: those behind the deferred one would meet the same error. If it is
    /// in its lane it leaves that when its turn comes.
    pub(super) fn sleep(&mut self, slot: u32, pause: Duration) {
        let micros = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
        // The wheel goes by whole seconds; rounded up, so that it is never early.
        let until = seconds(self.now.plus_micros(micros.saturating_add(999_999)));
        let message = self.fold.messages.slot_mut(slot);
        if message.has(bits::SCHEDULED) {
            return;
        }
        message.set(bits::SCHEDULED, true);
        let expires = message.expires_s;
        self.schedule.wheel.set(slot, until.min(expires));
    }

    pub(super) fn refused(&mut self, entry: u32, status: u32, group: &mut Group) {
        let part = self.fold.messages.part(entry);
        let (slot, posted) = (part.slot, part.posted);
        let message = *self.fold.messages.slot(slot);
        let reserved = message.flag(flags::PRICED) && !posted;
        let voided_micros = if reserved { self.fold.messages.price(slot).0 } else { 0 };
        let account = self.fold.account(slot);
        let part = self.part_ref(entry);
        let rejected = Fact::Rejected { carrier: message.carrier, at: self.now, part, account, status, voided_micros };
        self.record(&rejected, group);
        self.numbers.rejected += 1;
        self.after_part(slot, group);
    }

    pub(super) fn part_ref(&self, entry: u32) -> PartRef {
        let part = self.fold.messages.part(entry);
        self.fold.messages.expect(part.slot);
        PartRef { id: self.fold.messages.slot(part.slot).id, part: part.index }
    }

    /// A part has moved: the message may have ended, or now waits for receipts only.
    pub(super) fn after_part(&mut self, slot: u32, group: &mut Group) {
        let message = *self.fold.messages.slot(slot);
        if message.has(bits::CONCLUDED) {
            return;
        }
        if message.has(bits::IN_ORDER) {
            self.leave_order(slot);
        }
        if message.ended == message.parts {
            return self.conclude(slot, group);
        }
        if !self.waits(slot) {
            let messages = &self.fold.messages;
            let parts = messages.parts_of(slot).map(|entry| messages.part(entry));
            // From the sending on, and not from a restart.
            let sent_at = parts.filter(|part| part.stage == Stage::Sent).map(|part| part.sent_at).max();
            let until = sent_at.unwrap_or(self.now).plus_seconds(self.config.receipt_seconds);
            self.schedule.wheel.set(slot, seconds(until));
        }
    }

    fn conclude(&mut self, slot: u32, group: &mut Group) {
        let messages = &self.fold.messages;
        let message = *messages.slot(slot);
        let state = fold(messages.parts_of(slot).map(|entry| messages.part(entry).state));
        let mut parts = std::mem::take(&mut self.scratch);
        parts.clear();
        for index in 0..message.parts {
            if let Some(entry) = messages.part_entry(slot, index) {
                messages.summarise(entry, &mut parts);
            }
        }
        let report = self.wants_report(slot, state);
        let concluded = Fact::Concluded(Concluded {
            id: message.id,
            at: self.now,
            tenant: message.tenant,
            state,
            encoding: message.encoding(),
            report,
            currency: messages.price(slot).1,
            number: message.number,
            accepted_at: message.accepted_at,
            count: message.parts,
            parts: &parts,
        });
        self.record(&concluded, group);
        self.scratch = parts;
        self.fold.messages.slot_mut(slot).set(bits::SCHEDULED, false);
        self.numbers.concluded[usize::from(state.smpp())] += 1;
        self.after_end(slot);
    }

    /// What still keeps an ended message: a receipt owed to its tenant, or its Idempotency-Key.
    pub(super) fn after_end(&mut self, slot: u32) {
        let message = *self.fold.messages.slot(slot);
        if message.has(bits::OWED) {
            self.owe(slot, false);
            let until = self.owed_until(&message);
            self.schedule.wheel.set(slot, until);
        } else if message.has(bits::KEYED) {
            let until = message.accepted_at.plus_seconds(crate::core::requests::KEY_SECONDS);
            self.schedule.wheel.set(slot, seconds(until));
        } else {
            self.schedule.wheel.clear(slot);
        }
    }

    /// Whether any part waits to be sent.
    pub(super) fn waits(&self, slot: u32) -> bool {
        let messages = &self.fold.messages;
        let message = messages.slot(slot);
        message.started < message.parts
            || messages.parts_of(slot).any(|entry| messages.part(entry).stage == Stage::Waiting)
    }
}
