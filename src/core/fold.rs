//! The fold of the journal: what is true once every fact has been applied. The same `apply` runs live and at replay.
//!
//! It depends on state and fact alone, cannot refuse, and knows nothing of lanes, binds or clocks: those are the schedule's.

use std::collections::{BTreeMap, VecDeque};

use crate::billing::ledger::Ledger;
use crate::core::messages::{Messages, Tariff};
use crate::core::names::Names;
use crate::core::requests::Requests;
use crate::core::seconds;
use crate::core::slot::{NONE, Part, Slot, bits};
use crate::fact::{Accepted, Account, Concluded, Fact, Kept, Named, PartRef, PartSummary, Stage, flags, layout};
use crate::message::{CarrierId, MessageId, Place, State, Timestamp};
use crate::receipt::correlate::Correlation;
use crate::receipt::pending::Pending;

/// The messages whose record stands in a segment.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct SegmentCount {
    /// How many were ever written there.
    pub(super) began: u32,
    /// On how many of them something still depends.
    pub(super) alive: u32,
    /// How many of them are still known, ended or not.
    pub(super) known: u32,
}

/// Bounds of what is kept in memory beside waiting messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Finished messages kept for status queries.
    pub(super) finished_max: usize,
    /// Receipts that wait for their part.
    pub(super) pending_entries_max: usize,
    /// Octets of them.
    pub(super) pending_octets_max: usize,
}

pub(super) struct Fold {
    pub(super) messages: Messages,
    pub(super) names: Names,
    pub(super) ledger: Ledger,
    pub(super) correlation: Correlation,
    pub(super) pending: Pending,
    pub(super) requests: Requests,
    pub(super) segments: BTreeMap<u32, SegmentCount>,
    finished: VecDeque<(u32, MessageId)>,
    finished_max: usize,
    pub(super) next_sequence: u64,
    pub(super) next_unmatched: u64,
    /// Messages that have not ended.
    pub(super) live: u64,
    /// Messages that have ended and whose receipt is owed.
    pub(super) owed: u64,
}

impl Fold {
    pub(super) fn new(key: [u64; 2], bounds: Bounds) -> Fold {
        Fold {
            messages: Messages::new(),
            names: Names::default(),
            ledger: Ledger::new(),
            correlation: Correlation::new(key),
            pending: Pending::new(key, bounds.pending_entries_max, bounds.pending_octets_max),
            requests: Requests::default(),
            segments: BTreeMap::new(),
            finished: VecDeque::new(),
            finished_max: bounds.finished_max,
            next_sequence: 1,
            next_unmatched: 1,
            live: 0,
            owed: 0,
        }
    }

    /// Applies one fact. `place` is that of its record; it matters for messages and receipts only.
    pub(super) fn apply(&mut self, fact: &Fact<'_>, place: Place) {
        match *fact {
            Fact::Accepted(ref accepted) => {
                self.apply_accepted(accepted, place);
            }
            Fact::Released { carrier, part, repeat, .. } => {
                self.apply_released(carrier, part, repeat);
            }
            Fact::Sent { part, at, account, posted_micros, carrier, carrier_id } => {
                self.ledger.post(account.tenant, account.currency, posted_micros);
                self.apply_sent(part, at, posted_micros, carrier, carrier_id);
            }
            Fact::Deferred { part, status, .. } => self.with_part(part, |entry| {
                entry.stage = Stage::Waiting;
                entry.status = status;
            }),
            Fact::Rejected { part, at, account, status, voided_micros, .. } => {
                self.ledger.void(account.tenant, account.currency, voided_micros);
                self.end_part(part, State::Rejected, at, |entry| {
                    entry.status = status;
                    entry.voided |= voided_micros != 0;
                });
            }
            Fact::InDoubt { part, .. } => self.with_part(part, |entry| {
                entry.stage = Stage::Waiting;
                entry.repeat = true;
            }),
            Fact::Expired { id, at, account, state, voided_micros } => {
                self.ledger.void(account.tenant, account.currency, voided_micros);
                self.apply_expired(id, at, state, voided_micros != 0);
            }
            Fact::Receipted { part, account, state, done_at, posted_micros, voided_micros, unmatched, err, .. } => {
                self.ledger.post(account.tenant, account.currency, posted_micros);
                self.ledger.void(account.tenant, account.currency, voided_micros);
                if unmatched != 0 {
                    self.pending.remove(unmatched);
                }
                self.apply_receipted(part, state, done_at, (posted_micros, voided_micros), err);
            }
            Fact::Unmatched { carrier, at, key, ref notice } => {
                self.next_unmatched = self.next_unmatched.max(key + 1);
                let _ = self.pending.insert(key, carrier, notice, at, place.segment);
            }
            Fact::Quarantined { key, .. } => {
                self.pending.remove(key);
            }
            Fact::Concluded(ref concluded) => self.apply_concluded(concluded),
            Fact::Reported { id, .. } => self.apply_reported(id),
            Fact::Kept(ref kept) => self.apply_kept(kept, place),
            Fact::Named(ref named) => self.apply_named(named),
        }
    }

    /// A message appears. Returns its slot.
    pub(super) fn apply_accepted(&mut self, accepted: &Accepted<'_>, place: Place) -> u32 {
        let slot = self.insert(accepted, place);
        if accepted.flags & flags::PRICED != 0 {
            let reserved = accepted.price_micros * i64::from(accepted.parts);
            self.ledger.reserve(accepted.tenant, accepted.currency, reserved);
        }
        slot
    }

    fn insert(&mut self, accepted: &Accepted<'_>, place: Place) -> u32 {
        let keyed = accepted.idempotency.key != 0;
        let Accepted { price_micros: micros, currency, carrier: first, others, .. } = *accepted;
        let tariff = self.messages.tariff(Tariff { micros, currency, first, others });
        let slot = self.messages.insert(Slot {
            id: accepted.id,
            place,
            number: accepted.number,
            // Until it wakes there is no open body, and the place for it holds the time.
            body: if accepted.due > accepted.at { accepted.due.0 as u64 } else { 0 },
            accepted_at: accepted.at,
            expires_s: u32::try_from(accepted.expires.seconds()).unwrap_or(u32::MAX),
            first_part: NONE,
            tariff,
            tenant: accepted.tenant,
            carrier: accepted.carrier,
            parts: accepted.parts,
            started: 0,
            ended: 0,
            state: if accepted.due > accepted.at { State::Scheduled } else { State::Accepted },
            flags: Slot::pack_flags(accepted.flags, accepted.encoding),
            registered: Slot::pack_registered(accepted.registered, accepted.class),
            bits: if keyed { bits::KEYED } else { 0 },
        });
        if keyed {
            self.requests.record(&accepted.idempotency, accepted.id, accepted.at);
        }
        self.next_sequence = self.next_sequence.max(accepted.id.sequence() + 1);
        self.enter_segment(place.segment);
        self.live += 1;
        slot
    }

    /// A part is bound to a window place, perhaps of another carrier than the message waited for at first. Returns its entry, if the
    /// message is known.
    pub(super) fn apply_released(&mut self, carrier: CarrierId, part: PartRef, repeat: bool) -> Option<u32> {
        let slot = self.messages.find(part.id)?;
        self.messages.slot_mut(slot).carrier = carrier;
        let entry = match self.messages.part_entry(slot, part.part) {
            Some(entry) => entry,
            None => self.messages.add_part(slot, part.part),
        };
        let released = self.messages.part_mut(entry);
        released.stage = Stage::Released;
        released.repeat |= repeat;
        Some(entry)
    }

    fn apply_sent(&mut self, part: PartRef, at: Timestamp, posted_micros: i64, carrier: CarrierId, id: &[u8]) {
        let Some((slot, index)) = self.messages.entry_of(part) else { return };
        if self.messages.part(index).stage == Stage::Done {
            return;
        }
        self.forget_carrier_id(index);
        self.messages.set_carrier_id(index, id);
        let entry = self.messages.part_mut(index);
        entry.stage = Stage::Sent;
        entry.state = State::Enroute;
        entry.sent_at = at;
        entry.status = 0;
        entry.posted |= posted_micros != 0;
        let message = self.messages.slot_mut(slot);
        message.state = State::Enroute;
        let number = message.number;
        if id.is_empty() {
            self.correlation.insert_without_id(carrier, index, number);
        } else {
            self.correlation.insert(carrier, id, index, number);
        }
    }

    fn apply_expired(&mut self, id: MessageId, at: Timestamp, state: State, voided: bool) {
        let Some(slot) = self.messages.find(id) else { return };
        let stage = if state == State::Expired { Stage::Waiting } else { Stage::Sent };
        if stage == Stage::Waiting {
            let message = *self.messages.slot(slot);
            for index in message.started..message.parts {
                self.messages.add_part(slot, index);
            }
        }
        let mut next = self.messages.slot(slot).first_part;
        while next != NONE {
            let entry = next;
            next = self.messages.part(entry).next;
            if self.messages.part(entry).stage == stage {
                self.end_entry(entry, state, at, |part| part.voided |= voided && !part.posted);
            }
        }
    }

    fn apply_receipted(&mut self, part: PartRef, state: State, done_at: Timestamp, money: (i64, i64), err: &[u8]) {
        let Some((_, index)) = self.messages.entry_of(part) else { return };
        let entry = self.messages.part_mut(index);
        entry.posted |= money.0 != 0;
        entry.voided |= money.1 != 0;
        if entry.stage == Stage::Done {
            // The first end stays, whatever comes after it (quirks Q13, Q14 and Q16); the later receipt is in the journal beside it.
            return;
        }
        entry.set_err(err);
        if state.is_final() {
            self.end_entry(index, state, done_at, |_| {});
        }
    }

    fn end_part(&mut self, part: PartRef, state: State, at: Timestamp, also: impl FnOnce(&mut Part)) {
        if let Some((_, index)) = self.messages.entry_of(part) {
            self.end_entry(index, state, at, also);
        }
    }

    fn end_entry(&mut self, index: u32, state: State, at: Timestamp, also: impl FnOnce(&mut Part)) {
        let entry = self.messages.part_mut(index);
        if entry.stage == Stage::Done {
            return;
        }
        entry.stage = Stage::Done;
        entry.state = state;
        entry.done_at = at;
        also(entry);
        let slot = entry.slot;
        self.messages.slot_mut(slot).ended += 1;
        // A receipt without an id is of a part that waits for one.
        if self.messages.carrier_id(index).is_empty() {
            self.forget_carrier_id(index);
        }
    }

    fn with_part(&mut self, part: PartRef, change: impl FnOnce(&mut Part)) {
        if let Some((_, index)) = self.messages.entry_of(part) {
            change(self.messages.part_mut(index));
        }
    }

    fn apply_concluded(&mut self, concluded: &Concluded<'_>) {
        let Some(slot) = self.messages.find(concluded.id) else { return };
        self.conclude(slot, concluded.at, concluded.state, concluded.report);
    }

    fn conclude(&mut self, slot: u32, at: Timestamp, state: State, report: bool) {
        let message = self.messages.slot_mut(slot);
        message.state = state;
        message.expires_s = seconds(at);
        message.set(bits::CONCLUDED, true);
        message.set(bits::OWED, report);
        self.live -= 1;
        self.owed += u64::from(report);
        self.settle(slot);
    }

    fn apply_reported(&mut self, id: MessageId) {
        if let Some(slot) = self.messages.find(id) {
            let message = self.messages.slot_mut(slot);
            self.owed -= u64::from(message.has(bits::OWED));
            message.set(bits::OWED, false);
            self.settle(slot);
        }
    }

    fn apply_kept(&mut self, kept: &Kept<'_>, place: Place) {
        if let Some(slot) = self.messages.find(kept.accepted.id) {
            self.leave_segment(slot);
            self.unknown(slot);
            self.enter_segment(place.segment);
            self.messages.slot_mut(slot).place = place;
            return;
        }
        let slot = self.insert(&kept.accepted, place);
        for summary in layout::part_summaries(kept.parts) {
            self.restore_part(slot, &summary);
        }
        let message = self.messages.slot_mut(slot);
        message.started = kept.started;
        message.state = kept.state;
        if kept.concluded_at != Timestamp(0) {
            // The carrier's own time may lie far before the end; that of the copy prolongs what is owed, and loses nothing.
            self.conclude(slot, kept.at, kept.state, kept.report);
        }
    }

    fn restore_part(&mut self, slot: u32, summary: &PartSummary<'_>) {
        let index = self.messages.add_part(slot, summary.part);
        let message = self.messages.slot_mut(slot);
        message.ended += u8::from(summary.stage == Stage::Done);
        message.carrier = summary.carrier;
        let number = message.number;
        let entry = self.messages.part_mut(index);
        entry.stage = summary.stage;
        entry.state = summary.state;
        entry.repeat = summary.repeat;
        entry.status = summary.status;
        entry.sent_at = summary.sent_at;
        entry.done_at = summary.done_at;
        entry.posted = summary.posted_micros != 0;
        entry.voided = summary.voided_micros != 0;
        entry.set_err(summary.err);
        if summary.carrier_id.is_empty() && summary.stage == Stage::Sent {
            self.correlation.insert_without_id(summary.carrier, index, number);
        }
        if !summary.carrier_id.is_empty() {
            self.messages.set_carrier_id(index, summary.carrier_id);
            self.correlation.insert(summary.carrier, summary.carrier_id, index, number);
        }
    }

    fn apply_named(&mut self, named: &Named<'_>) {
        match *named {
            Named::Tenant { tenant, name } => self.names.set_tenant(tenant, name),
            Named::Carrier { carrier, name } => self.names.set_carrier(carrier, name),
            Named::Balance { tenant, currency, reserved_micros, posted_micros, voided_micros } => {
                self.ledger.set(tenant, currency, reserved_micros, posted_micros, voided_micros);
            }
            Named::Counters { sequence, unmatched } => {
                self.next_sequence = self.next_sequence.max(sequence);
                self.next_unmatched = self.next_unmatched.max(unmatched);
            }
        }
    }

    /// An Idempotency-Key's day is over.
    pub(super) fn release_key(&mut self, slot: u32) {
        self.messages.slot_mut(slot).set(bits::KEYED, false);
        self.settle(slot);
    }

    /// If nothing depends on the message any more its record may go; it stays for status queries while there is room.
    fn settle(&mut self, slot: u32) {
        let message = self.messages.slot(slot);
        if !message.has(bits::CONCLUDED) || message.bits & (bits::OWED | bits::KEYED | bits::FINISHED) != 0 {
            return;
        }
        let id = message.id;
        self.leave_segment(slot);
        self.messages.slot_mut(slot).set(bits::FINISHED, true);
        self.finished.push_back((slot, id));
        // Two for one, so that it shrinks again after some had to wait.
        for _ in 0..2 {
            if self.finished.len() > self.finished_max
                && let Some((oldest, id)) = self.finished.pop_front()
            {
                self.forget_or_wait(oldest, id);
            }
        }
    }

    fn enter_segment(&mut self, segment: u32) {
        let count = self.segments.entry(segment).or_default();
        count.began += 1;
        count.alive += 1;
        count.known += 1;
    }

    fn leave_segment(&mut self, slot: u32) {
        let segment = self.messages.slot(slot).place.segment;
        if let Some(count) = self.segments.get_mut(&segment) {
            count.alive = count.alive.saturating_sub(1);
        }
    }

    /// The record is no longer where a message that is known says that it stands.
    fn unknown(&mut self, slot: u32) {
        let segment = self.messages.slot(slot).place.segment;
        if let Some(count) = self.segments.get_mut(&segment) {
            count.known = count.known.saturating_sub(1);
        }
    }

    /// A segment is recycled: finished messages whose record stands there are forgotten.
    pub(super) fn forget_segment(&mut self, segment: u32) {
        // Mostly nobody remembers any of it, and then there is nothing to look through.
        if self.segments.remove(&segment).is_none_or(|count| count.known == 0) {
            return;
        }
        let mut finished = std::mem::take(&mut self.finished);
        finished.retain(|(slot, _)| {
            let message = self.messages.slot(*slot);
            let gone = message.place.segment == segment && !message.has(bits::IN_LANE | bits::QUEUED);
            if gone {
                self.forget(*slot);
            }
            !gone
        });
        self.finished = finished;
    }

    /// A slot that its lane or its tenant's queue still names must not be used again: it is looked at later.
    fn forget_or_wait(&mut self, slot: u32, id: MessageId) {
        if self.messages.slot(slot).has(bits::IN_LANE | bits::QUEUED) {
            self.finished.push_back((slot, id));
        } else {
            self.forget(slot);
        }
    }

    fn forget(&mut self, slot: u32) {
        self.unknown(slot);
        let mut next = self.messages.slot(slot).first_part;
        while next != NONE {
            self.forget_carrier_id(next);
            next = self.messages.part(next).next;
        }
        self.messages.free(slot);
    }

    fn forget_carrier_id(&mut self, part: u32) {
        let (id, entry) = (self.messages.carrier_id(part), self.messages.part(part));
        let message = self.messages.slot(entry.slot);
        if !id.is_empty() {
            self.correlation.remove(message.carrier, id, part);
        } else if entry.sent_at != Timestamp(0) {
            self.correlation.remove_without_id(message.carrier, part, message.number);
        }
    }

    /// Whose money a message is paid from.
    pub(super) fn account(&self, slot: u32) -> Account {
        Account { tenant: self.messages.slot(slot).tenant, currency: self.messages.price(slot).1 }
    }
}
