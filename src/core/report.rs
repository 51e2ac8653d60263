//! Receipts to tenants: spends the credits of their receiving binds on what is owed to them.

use std::time::Duration;

use crate::command::{Answer, Effect, Report};
use crate::core::group::Group;
use crate::core::slot::{Part, Slot, bits};
use crate::core::{Core, RELEASE_OCTETS_MAX};
use crate::fact::{Fact, flags};
use crate::message::{LinkId, State, TenantId, Timestamp};
use crate::receipt::fold::report_wanted;

/// Bodies asked of the reader at one time for one tenant's receipts.
const READ_AHEAD_MAX: usize = 256;
/// Between two tries to read a body that is to be sent.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(60);
/// A refused receipt waits for one such share of the time for which it has been owed.
const REPORT_AGAIN_SHARE: u32 = 8;
/// And no longer than this.
const REPORT_AGAIN_SECONDS_MAX: u32 = 600;

impl Core {
    /// Hands owed receipts to receiving binds with credit, for each tenant in the order in which they are owed. Bounded by the credits.
    pub(super) fn report(&mut self, group: &mut Group) {
        let mut nth = 0;
        while let Some(tenant) = self.schedule.stirred.get(nth).copied() {
            self.schedule.tenant(tenant).stirred = false;
            self.report_to(tenant, group);
            nth += 1;
        }
        self.schedule.stirred.clear();
    }

    fn report_to(&mut self, tenant: TenantId, group: &mut Group) {
        loop {
            self.clear_owed(tenant);
            let Some(slot) = self.schedule.tenant(tenant).owed.front().copied() else { return };
            let Some(link) = self.receiving_bind(tenant) else { return };
            if !self.report_on(link, slot, group) {
                return self.read_owed(tenant, group);
            }
            self.schedule.tenant(tenant).owed.pop_front();
        }
    }

    fn receiving_bind(&mut self, tenant: TenantId) -> Option<LinkId> {
        let account = &self.schedule.tenants[usize::from(tenant.0)];
        let count = account.binds.len();
        for turn in 0..count {
            let index = (account.next_bind + turn) % count;
            let link = account.binds[index];
            let bind = self.schedule.binds.get(link.0 as usize).and_then(Option::as_ref);
            if bind.is_some_and(|bind| bind.has_credit()) {
                self.schedule.tenants[usize::from(tenant.0)].next_bind = index;
                return Some(link);
            }
        }
        None
    }

    /// Delivers the receipt that is owed first, unless its addresses must be read back.
    fn report_on(&mut self, link: LinkId, slot: u32, group: &mut Group) -> bool {
        let message = *self.fold.messages.slot(slot);
        let Some(envelope) = self.schedule.arena.get(message.body, message.id) else { return false };
        let envelope = group.outboxes.carry(link, envelope);
        let place = self.schedule.occupy(link, slot, false).expect("receiving_bind chose a bind with a free place");
        self.fold.messages.slot_mut(slot).set(bits::QUEUED, false);
        let report = self.report_of(slot);
        group.outboxes.push(link, Effect::Deliver { slot: place, report, envelope });
        true
    }

    /// Asks the reader for the bodies that the tenant's next receipts speak of: a tenant that comes back may be owed millions.
    fn read_owed(&mut self, tenant: TenantId, group: &mut Group) {
        let Core { schedule, fold, numbers, config, .. } = self;
        for slot in schedule.tenants[usize::from(tenant.0)].owed.iter().take(READ_AHEAD_MAX) {
            let message = fold.messages.slot_mut(*slot);
            if !message.has(bits::LOADING) && schedule.arena.get(message.body, message.id).is_none() {
                message.set(bits::LOADING, true);
                numbers.loads += 1;
                schedule.loading += 1;
                group.outboxes.push(config.reader, Effect::Load { id: message.id, place: message.place });
            }
        }
    }

    /// What the tenant is told: of the message, or of the next part it has not been told of.
    fn report_of(&self, slot: u32) -> Report {
        let messages = &self.fold.messages;
        let message = messages.slot(slot);
        let parts = || messages.parts_of(slot).map(|entry| messages.part(entry));
        let next = if message.flag(flags::RECEIPT_PER_PART) { self.untold(slot) } else { None };
        let of_part = next.map(|entry| messages.part(entry));
        let worst = of_part.or_else(|| parts().find(|part| part.state == message.state));
        let delivered = |part: &&Part| part.state == State::Delivered;
        Report {
            id: message.id,
            state: of_part.map_or(message.state, |part| part.state),
            part: of_part.map(|part| part.index),
            submitted: parts().filter(|part| part.sent_at != Timestamp(0)).count() as u8,
            delivered: parts().filter(delivered).count() as u8,
            accepted_at: message.accepted_at,
            done_at: of_part
                .map(|part| part.done_at)
                .or_else(|| parts().map(|part| part.done_at).max())
                .unwrap_or(message.accepted_at),
            err: worst.map(|part| part.err).unwrap_or_default(),
        }
    }

    /// Puts a message among what is owed to its tenant, once.
    pub(super) fn owe(&mut self, slot: u32, first: bool) {
        let message = self.fold.messages.slot_mut(slot);
        if !message.has(bits::OWED) || message.has(bits::QUEUED) {
            return;
        }
        message.set(bits::QUEUED, true);
        let tenant = message.tenant;
        let owed = &mut self.schedule.tenant(tenant).owed;
        if first {
            owed.push_front(slot)
        } else {
            owed.push_back(slot)
        }
        self.schedule.stir(tenant);
    }

    /// Lets go of what was given up at the head of what is owed to a tenant, so that a tenant that never comes costs nothing for ever.
    pub(super) fn clear_owed(&mut self, tenant: TenantId) {
        while let Some(slot) = self.schedule.tenant(tenant).owed.front().copied()
            && !self.fold.messages.slot(slot).has(bits::OWED)
        {
            self.schedule.tenant(tenant).owed.pop_front();
            self.schedule.stir(tenant);
            self.fold.messages.slot_mut(slot).set(bits::QUEUED, false);
        }
    }

    /// The lowest part that the tenant wants to hear of and has not been told of.
    fn untold(&self, slot: u32) -> Option<u32> {
        let messages = &self.fold.messages;
        let registered = messages.slot(slot).registered();
        let owed = |part: &Part| !part.told && report_wanted(registered, part.state);
        messages
            .parts_of(slot)
            .filter(|entry| owed(messages.part(*entry)))
            .min_by_key(|entry| messages.part(*entry).index)
    }

    /// Whether its sender is to be told of a message that ends in this state, or of a part of it.
    pub(super) fn wants_report(&self, slot: u32, state: State) -> bool {
        let message = self.fold.messages.slot(slot);
        match message.flag(flags::RECEIPT_PER_PART) {
            true => self.untold(slot).is_some(),
            false => report_wanted(message.registered(), state),
        }
    }

    /// Until which second the receipt of an ended message is kept: from the end on, and not from a restart or a refusal.
    pub(super) fn owed_until(&self, message: &Slot) -> u32 {
        message.expires_s.saturating_add(u32::try_from(self.config.report_seconds).unwrap_or(u32::MAX))
    }

    /// The tenant's answer.
    pub(super) fn delivered(&mut self, link: LinkId, place: u16, answer: Answer, group: &mut Group) {
        let Some(slot) = self.schedule.vacate(link, place) else { return };
        let message = *self.fold.messages.slot(slot);
        self.schedule.stir(message.tenant);
        if !message.has(bits::OWED) {
            return;
        }
        match answer {
            Answer::Later => return self.report_later(slot, &message),
            Answer::Refused => self.numbers.report_refused += 1,
            Answer::Taken => {}
        }
        if message.flag(flags::RECEIPT_PER_PART) {
            if let Some(entry) = self.untold(slot) {
                self.fold.messages.part_mut(entry).told = true;
            }
            if self.untold(slot).is_some() {
                return self.owe(slot, true);
            }
        }
        self.reported(slot, group);
    }

    /// It is offered again after a share of the time since the message ended, so that a tenant that can take nothing is not pressed
    /// with all that it is owed at once.
    fn report_later(&mut self, slot: u32, message: &Slot) {
        let first = u32::try_from(self.config.report_retry_seconds).unwrap_or(u32::MAX);
        let owed_for = self.now_seconds().saturating_sub(message.expires_s);
        let pause = (owed_for / REPORT_AGAIN_SHARE).clamp(first, REPORT_AGAIN_SECONDS_MAX.max(first));
        self.fold.messages.slot_mut(slot).set(bits::SCHEDULED, true);
        self.schedule.wheel.set(slot, self.now_seconds().saturating_add(pause).min(self.owed_until(message)));
    }

    /// Gives up the receipts that have waited longest, of whom most wait for, while more are owed than may be. What was refused and
    /// waits to be offered again is not among them until then.
    pub(super) fn give_up_reports(&mut self, group: &mut Group) {
        let mut from = None;
        while self.fold.owed > self.config.owed_max && group.records.octets().len() < RELEASE_OCTETS_MAX {
            let Some((tenant, count)) = from.filter(|(_, count)| *count > 0).or_else(|| self.most_owed()) else {
                return;
            };
            if let Some(slot) = self.schedule.tenant(tenant).owed.front().copied()
                && self.fold.messages.slot(slot).has(bits::OWED)
            {
                self.give_up_report(slot, group);
            }
            self.clear_owed(tenant);
            from = Some((tenant, count - 1));
        }
    }

    /// Who waits for most receipts, and how many to give up of it before all tenants are looked through again: those that it has beyond
    /// any other. Where several have about as many, a few more, so that ten thousand of them are not looked through for each.
    pub(super) fn most_owed(&self) -> Option<(TenantId, u64)> {
        let excess = self.fold.owed.saturating_sub(self.config.owed_max);
        let (mut most, mut first, mut second) = (None, 0, 0);
        for (index, tenant) in self.schedule.tenants.iter().enumerate() {
            let owed = tenant.owed.len() as u64;
            if owed > first {
                (most, first, second) = (Some(TenantId(index as u16)), owed, first);
            } else {
                second = second.max(owed);
            }
        }
        most.map(|tenant| (tenant, (first - second).max(excess / 4).clamp(1, first)))
    }

    pub(super) fn give_up_report(&mut self, slot: u32, group: &mut Group) {
        self.numbers.unreported += 1;
        self.reported(slot, group);
    }

    pub(super) fn reported(&mut self, slot: u32, group: &mut Group) {
        let id = self.fold.messages.slot(slot).id;
        self.schedule.wheel.clear(slot);
        self.fold.messages.expect(slot);
        self.record(&Fact::Reported { at: self.now, id }, group);
        self.numbers.reported += 1;
        self.after_end(slot);
    }

    /// A body can neither be read nor opened. Its disk or its data key may come back, so what is to be sent is tried again until its
    /// validity ends; what was owed is given up.
    pub(super) fn unreadable(&mut self, slot: u32, group: &mut Group) {
        let message = *self.fold.messages.slot(slot);
        if message.has(bits::OWED) {
            self.give_up_report(slot, group);
        } else if !message.has(bits::CONCLUDED) {
            self.sleep(slot, UNREADABLE_PAUSE);
        }
    }
}
