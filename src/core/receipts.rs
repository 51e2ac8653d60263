//! Carriers' receipts: matched to their part at once, when its submit_sm_resp comes, or given up.

use crate::command::{Effect, Reply};
use crate::core::Core;
use crate::core::group::Group;
use crate::core::slot::bits;
use crate::fact::{Fact, Notice, Stage, flags};
use crate::message::{CarrierId, State, Timestamp};
use crate::receipt::correlate::Found;
use crate::receipt::habit::{Base, Reading};
use crate::receipt::pending::PendingReceipt;

/// Dates of receipts are to the minute.
const DATE_MICROS: i64 = 60_000_000;
/// How long a receipt is in doubt whose id, as it is written, is that of a part that waits for it: if another was meant, that one's
/// response comes by then, or other receipts show how this carrier spells.
const DOUBT_MICROS: i64 = 1_000_000;

impl Core {
    pub(super) fn receipt(
        &mut self,
        reply: Reply,
        carrier: CarrierId,
        notice: &[u8],
        only_if_known: bool,
        group: &mut Group,
    ) {
        if let Some(notice) = Notice::read(notice) {
            match self.find(carrier, &notice) {
                Found::Part(entry) if self.may_be_followed(carrier, entry, &notice) => {
                    self.unmatched(carrier, notice, group);
                }
                Found::Part(entry) => self.receipted(entry, &notice, 0, group),
                Found::Ambiguous | Found::None if only_if_known => {
                    return group.outboxes.push(reply.link, Effect::NotOurs { tag: reply.tag });
                }
                Found::Ambiguous | Found::None => {
                    if self.likely(carrier, &notice).is_some() {
                        let until = self.now.plus_micros(DOUBT_MICROS);
                        self.schedule.doubtful.push_back((until, self.fold.next_unmatched));
                    }
                    self.unmatched(carrier, notice, group);
                }
            }
        }
        group.outboxes.push(reply.link, Effect::Noted { tag: reply.tag });
    }

    /// Whether a failure is to wait for a success of the same part (quirk Q15). It waits among the receipts that found no part: durable,
    /// bounded in number and time. So no end that a tenant was told of is ever taken back.
    fn may_be_followed(&mut self, carrier: CarrierId, entry: u32, notice: &Notice<'_>) -> bool {
        let fails = notice.state.is_some_and(|state| state.is_final() && state != State::Delivered);
        fails
            && self.is_open(entry)
            && self.schedule.carrier(carrier).terms.delivered_wins
            && !self.fold.pending.is_half_full()
    }

    fn unmatched(&mut self, carrier: CarrierId, notice: Notice<'_>, group: &mut Group) {
        // Those that have waited longest are the least likely to be claimed still.
        while !self.fold.pending.has_room()
            && let Some(oldest) = self.fold.pending.pop_older(Timestamp(i64::MAX))
        {
            self.settle_early(&oldest, true, group);
        }
        let key = self.fold.next_unmatched;
        let before = self.fold.pending.len();
        self.record(&Fact::Unmatched { carrier, at: self.now, key, notice }, group);
        self.numbers.unmatched += 1;
        if self.fold.pending.len() == before {
            // Too many wait under its id: it stays in the journal, and nothing will match it.
            self.numbers.quarantined.crowded += 1;
            self.record(&Fact::Quarantined { at: self.now, key }, group);
        }
    }

    /// The part that an id most likely means if nothing else comes to claim it, and that still waits for its receipt.
    fn likely(&self, carrier: CarrierId, notice: &Notice<'_>) -> Option<u32> {
        if !matches!(self.habits.reading(carrier), Reading::Either | Reading::AsWritten) {
            return None; // One that converts does not mean what it writes.
        }
        match self.spoken_of(carrier, notice, Reading::AtLast) {
            Found::Part(entry) if self.is_open(entry) => Some(entry),
            _ => None,
        }
    }

    /// Ends the doubt about receipts that nothing else has claimed in time. The others wait on.
    pub(super) fn settle_doubtful(&mut self, group: &mut Group) {
        while group.records.octets().len() < crate::core::RELEASE_OCTETS_MAX
            && let Some((_, key)) = self.schedule.doubtful.pop_front_if(|(until, _)| *until <= self.now)
        {
            let Some(early) = self.fold.pending.get(key).cloned() else { continue };
            let (carrier, notice) = (early.carrier(), early.notice());
            if let Some(entry) = self.likely(carrier, &notice)
                && !self.may_be_followed(carrier, entry, &notice)
            {
                self.claimed_late(entry, &early, group);
            }
        }
    }

    /// Gives up receipts that have waited long enough for their part.
    pub(super) fn expire_unmatched(&mut self, group: &mut Group) {
        let before = self.now.plus_micros(-self.config.unmatched_micros);
        while group.records.octets().len() < crate::core::RELEASE_OCTETS_MAX
            && let Some(early) = self.fold.pending.pop_older(before)
        {
            self.settle_early(&early, false, group);
        }
    }

    /// No response has claimed a receipt. What the carrier was not thought to do is now the better guess: an id in another base, or of a
    /// part of whose own id nothing is known (quirks Q02, Q09 and Q76).
    fn settle_early(&mut self, early: &PendingReceipt, crowded: bool, group: &mut Group) {
        let (carrier, notice, key) = (early.carrier(), early.notice(), early.key());
        let mut found = self.unclaimed(carrier, &notice, crowded);
        if found == Found::None {
            found = self.fold.correlation.without_id(carrier, notice.number);
        }
        let quarantined = &mut self.numbers.quarantined;
        match found {
            Found::Part(entry) => return self.claimed_late(entry, early, group),
            Found::None if crowded => quarantined.crowded += 1,
            Found::None => quarantined.unknown += 1,
            Found::Ambiguous => quarantined.ambiguous += 1,
        }
        self.record(&Fact::Quarantined { at: self.now, key }, group);
    }

    /// The part of a receipt that no response has claimed, in any reading that fits. One that converts does not mean what it writes: what
    /// would fit otherwise is only counted, until that has been seen so often that it is no chance.
    fn unclaimed(&mut self, carrier: CarrierId, notice: &Notice<'_>, crowded: bool) -> Found {
        let reading = self.habits.reading(carrier);
        let found = self.spoken_of(carrier, notice, reading);
        if found != Found::None || matches!(reading, Reading::Mostly(_)) {
            return found;
        }
        let found = self.spoken_of(carrier, notice, Reading::AtLast);
        if !matches!(reading, Reading::Only(_)) {
            return found;
        }
        match found {
            Found::Part(entry) if !crowded && self.is_open(entry) && self.is_of_number(entry, notice) => {
                if self.habits.is_mixed(carrier) {
                    return found;
                }
                if let Some(base) = self.fold.correlation.spelled(carrier, notice, entry) {
                    self.habits.saw(carrier, base);
                }
                Found::None
            }
            _ => Found::None,
        }
    }

    /// A receipt that waited ends a part after all, and tells of its carrier's habit.
    fn claimed_late(&mut self, entry: u32, early: &PendingReceipt, group: &mut Group) {
        let (carrier, notice) = (early.carrier(), early.notice());
        if let Some(base) = self.fold.correlation.spelled(carrier, &notice, entry) {
            self.habits.saw(carrier, base);
        }
        self.habits.saw_number(carrier, self.is_of_number(entry, &notice));
        self.receipted(entry, &notice, early.key(), group);
    }

    /// The part of a receipt. An id is read in another base as far as the carrier's habit makes that likely: in one that
    /// has never done so, only for a part that still waits for its receipt.
    fn find(&mut self, carrier: CarrierId, notice: &Notice<'_>) -> Found {
        let reading = self.habits.reading(carrier);
        let found = self.spoken_of(carrier, notice, reading);
        let Found::Part(entry) = found else { return found };
        let same_number = self.is_of_number(entry, notice);
        if !same_number && (self.habits.names_numbers(carrier) || !self.is_open(entry)) {
            // An id that is used again comes before the response that gives it to another message (quirks Q01 and Q06).
            return Found::None;
        }
        self.habits.saw_number(carrier, same_number);
        if reading == Reading::AsWritten && !(notice.tlv_id.is_empty() && notice.text_id.is_empty()) {
            // Nothing else would have been found, so that it need not be spelled again.
            self.habits.saw(carrier, Base::AsWritten);
            return found;
        }
        let Some(base) = self.fold.correlation.spelled(carrier, notice, entry) else { return found };
        if reading == Reading::Either {
            let rival = self.fold.correlation.rival(carrier, notice, entry);
            match base {
                Base::AsWritten if rival.is_some_and(|rival| self.is_open(rival)) => return Found::Ambiguous,
                Base::Hexadecimal | Base::Decimal if !self.is_open(entry) => return Found::None,
                _ => {}
            }
        }
        self.habits.saw(carrier, base);
        found
    }

    /// Whether a part still waits for the receipt that ends it.
    fn is_open(&self, entry: u32) -> bool {
        self.fold.messages.part(entry).stage != Stage::Done
    }

    fn is_of_number(&self, entry: u32, notice: &Notice<'_>) -> bool {
        self.fold.messages.slot(self.fold.messages.part(entry).slot).number == notice.number
    }

    /// The part by its id; where there is no id at all, the only part that the carrier took without one and that still waits for the
    /// receipt of this number (quirks Q08 and Q09).
    fn spoken_of(&self, carrier: CarrierId, notice: &Notice<'_>, reading: Reading) -> Found {
        let correlation = &self.fold.correlation;
        match notice.tlv_id.is_empty() && notice.text_id.is_empty() {
            true => correlation.without_id(carrier, notice.number),
            false => correlation.find(carrier, notice, reading),
        }
    }

    /// A part has just got its carrier's id: its receipt may have come before.
    pub(super) fn match_pending(&mut self, entry: u32, carrier_id: &[u8], group: &mut Group) {
        if self.fold.pending.is_empty() || carrier_id.is_empty() {
            return;
        }
        let message = self.fold.messages.slot(self.fold.messages.part(entry).slot);
        let (carrier, number) = (message.carrier, message.number);
        for key in self.fold.pending.claimed_by(carrier, carrier_id, number) {
            let Some(early) = self.fold.pending.get(key).cloned() else { continue };
            // One whose spelling fits another part as well waits on, and is given up rather than guessed.
            if self.find(carrier, &early.notice()) == Found::Part(entry) {
                self.receipted(entry, &early.notice(), key, group);
            }
        }
    }

    fn receipted(&mut self, entry: u32, notice: &Notice<'_>, unmatched: u64, group: &mut Group) {
        let part = *self.fold.messages.part(entry);
        let message = *self.fold.messages.slot(part.slot);
        let state = notice.state.unwrap_or(State::Enroute);
        let (posted_micros, voided_micros) = self.on_delivery(part.slot, state, part.posted || part.voided);
        let done_at = self.done_at(notice, part.sent_at);
        if notice.done_at != Timestamp(0) && done_at.micros_since(notice.done_at).abs() > DATE_MICROS {
            self.numbers.misdated += 1;
        }
        let receipted = Fact::Receipted {
            carrier: message.carrier,
            at: self.now,
            part: self.part_ref(entry),
            account: self.fold.account(part.slot),
            state,
            done_at,
            posted_micros,
            voided_micros,
            unmatched,
            err: notice.err,
        };
        // A receipt can overtake its own submit_sm_resp only through `pending`, so the part has been sent, or sent before and is on
        // its way again; a final state ends it either way, and what was queued for it is skipped in its lane.
        self.record(&receipted, group);
        self.numbers.receipted[usize::from(state.smpp())] += 1;
        if part.stage != Stage::Done && !message.has(bits::CONCLUDED) {
            self.after_part(part.slot, group);
        }
    }

    /// The carrier's own time, as far as it can be: its clock may be to the minute, in another zone, or wrong (quirk Q26).
    fn done_at(&self, notice: &Notice<'_>, sent_at: Timestamp) -> Timestamp {
        if notice.done_at == Timestamp(0) { self.now } else { notice.done_at.min(self.now).max(sent_at) }
    }

    /// Money of tenants that pay on delivery.
    fn on_delivery(&self, slot: u32, state: State, settled: bool) -> (i64, i64) {
        let message = self.fold.messages.slot(slot);
        let pays = message.flag(flags::PRICED) && message.flag(flags::CHARGE_DELIVERED);
        if !pays || settled || !state.is_final() {
            return (0, 0);
        }
        let price_micros = self.fold.messages.price(slot).0;
        if state == State::Delivered { (price_micros, 0) } else { (0, price_micros) }
    }
}
