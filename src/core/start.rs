//! Replay, and what happens between it and the first turn.

use crate::core::Core;
use crate::core::group::Group;
use crate::core::slot::bits;
use crate::fact::layout::{self, Malformed};
use crate::fact::{Fact, Named, Stage, records};
use crate::message::{CarrierId, Place, TenantId, Timestamp};

impl Core {
    /// Applies a group read back from the journal; `base` is where its first record stands.
    pub fn replay(&mut self, base: Place, octets: &[u8]) -> Result<(), Malformed> {
        self.fold.segments.entry(base.segment).or_default();
        for (offset, kind, payload) in records::iter(octets) {
            let place = Place { segment: base.segment, offset: base.offset + offset };
            layout::read(kind, payload, &mut |fact| self.fold.apply(&fact, place))?;
        }
        Ok(())
    }

    /// Lines up what replay has left: lanes, timers, owed receipts. Parts released without an outcome are put in doubt in slices, so
    /// that a group stays small; call it until it says that it is done.
    pub fn line_up(&mut self, from: u32, now: Timestamp, base: Place, group: &mut Group) -> Option<u32> {
        self.begin(now, base);
        let sorted = self.order_of_ids();
        let count = sorted.as_ref().map_or(self.fold.messages.slot_count(), |slots| slots.len() as u32);
        for index in from..count {
            if group.records.octets().len() >= crate::core::RELEASE_OCTETS_MAX {
                return Some(index);
            }
            let slot = sorted.as_ref().map_or(index, |slots| slots[index as usize]);
            if self.fold.messages.is_occupied(slot) {
                self.line_up_one(slot, group);
            }
        }
        None
    }

    /// The slots by the ids they hold; `None` if they lie in that order already, as they do after a backlog.
    fn order_of_ids(&self) -> Option<Vec<u32>> {
        let messages = &self.fold.messages;
        if messages.occupied().is_sorted_by_key(|slot| messages.slot(slot).id) {
            return None;
        }
        let mut slots: Vec<u32> = messages.occupied().collect();
        slots.sort_unstable_by_key(|slot| messages.slot(*slot).id);
        Some(slots)
    }

    fn line_up_one(&mut self, slot: u32, group: &mut Group) {
        let message = *self.fold.messages.slot(slot);
        if message.has(bits::CONCLUDED) {
            if message.bits & (bits::OWED | bits::KEYED) != 0 {
                self.after_end(slot);
            }
            return;
        }
        let carrier = message.carrier;
        let resends = self.schedule.carrier(carrier).terms.resends;
        for index in 0..message.started {
            let entry = self.fold.messages.part_entry(slot, index);
            let released = entry.filter(|entry| self.fold.messages.part(*entry).stage == Stage::Released);
            if let Some(entry) = released.filter(|_| !resends) {
                self.numbers.in_doubt += 1;
                self.taken(entry, b"", group);
            } else if released.is_some() {
                let part = crate::fact::PartRef { id: message.id, part: index };
                self.record(&Fact::InDoubt { carrier, at: self.now, part }, group);
                self.numbers.in_doubt += 1;
            }
        }
        if self.waits(slot) {
            self.fold.messages.slot_mut(slot).set(bits::PACED, message.started > 0);
            self.enqueue(slot, message.due());
        } else {
            self.after_part(slot, group);
        }
    }

    /// Gives no id below this time's: what a store that was put back from an older copy does not remember has ids from before.
    pub fn number_from(&mut self, now: Timestamp) {
        let floor = u64::try_from(now.0).unwrap_or(0);
        self.fold.next_sequence = self.fold.next_sequence.max(floor);
    }

    /// Everything that is not per message, as each segment opens with it.
    pub fn checkpoint(&mut self, base: Place, group: &mut Group) {
        self.base = base;
        self.fold.segments.entry(base.segment).or_default();
        let records = &mut group.records;
        for (tenant, name) in self.fold.names.tenants() {
            records.push(&Fact::Named(Named::Tenant { tenant, name }));
        }
        for (carrier, name) in self.fold.names.carriers() {
            records.push(&Fact::Named(Named::Carrier { carrier, name }));
        }
        for balance in self.fold.ledger.balances() {
            records.push(&Fact::Named(Named::Balance {
                tenant: balance.tenant,
                currency: balance.currency,
                reserved_micros: balance.reserved_micros,
                posted_micros: balance.posted_micros,
                voided_micros: balance.voided_micros,
            }));
        }
        records.push(&Fact::Named(Named::Counters {
            sequence: self.fold.next_sequence,
            unmatched: self.fold.next_unmatched,
        }));
    }

    /// The number of a tenant, given now if it has none.
    pub fn intern_tenant(&mut self, name: &str, group: &mut Group) -> TenantId {
        self.fold.names.tenant(name).unwrap_or_else(|| {
            let tenant = self.fold.names.next_tenant();
            self.record(&Fact::Named(Named::Tenant { tenant, name }), group);
            tenant
        })
    }

    /// The number of a carrier, given now if it has none.
    pub fn intern_carrier(&mut self, name: &str, group: &mut Group) -> CarrierId {
        self.fold.names.carrier(name).unwrap_or_else(|| {
            let carrier = self.fold.names.next_carrier();
            self.record(&Fact::Named(Named::Carrier { carrier, name }), group);
            carrier
        })
    }

    /// All tenants that ever had a number, by it.
    pub fn tenants(&self) -> impl Iterator<Item = (TenantId, &str)> {
        self.fold.names.tenants()
    }

    /// All carriers that ever had a number, by it.
    pub fn carriers(&self) -> impl Iterator<Item = (CarrierId, &str)> {
        self.fold.names.carriers()
    }

    /// Messages that have not ended.
    pub fn live(&self) -> u64 {
        self.fold.live
    }
}
