//! The slots and part entries of all messages in memory, and how to find them by id.

use std::cell::Cell;
use std::collections::BTreeMap;

use hashbrown::HashTable;

use crate::core::slot::{CARRIER_ID_INLINE, NONE, Part, Slot};
use crate::fact::{Others, PartRef, PartSummary, Stage};
use crate::message::{CarrierId, Currency, MessageId};
use crate::release::chunks::Chunks;

/// What messages of one price and route share.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Tariff {
    pub(super) micros: i64,
    pub(super) currency: Currency,
    /// The carrier that was chosen first.
    pub(super) first: CarrierId,
    pub(super) others: Others,
}

/// Slabs of slots and part entries; freed ones are linked and used again.
pub(super) struct Messages {
    slots: Chunks<Slot>,
    free_slot: u32,
    parts: Chunks<Part>,
    free_part: u32,
    long_ids: BTreeMap<u32, Box<[u8]>>,
    /// By id; many small tables, so that the growth of one never stops the core.
    index: Vec<HashTable<u32>>,
    /// Where the next message that is looked for probably stands.
    near: Cell<u32>,
    tariffs: Vec<Tariff>,
    /// Their places. Many prefixes and tenants make many prices, so nothing is searched one by one.
    tariff_places: BTreeMap<Tariff, u32>,
    last_tariff: u32,
}

impl Messages {
    pub(super) fn new() -> Messages {
        Messages {
            slots: Chunks::new(),
            free_slot: NONE,
            parts: Chunks::new(),
            free_part: NONE,
            long_ids: BTreeMap::new(),
            index: (0..TABLES).map(|_| HashTable::new()).collect(),
            near: Cell::new(NONE),
            tariffs: Vec::new(),
            tariff_places: BTreeMap::new(),
            last_tariff: 0,
        }
    }

    /// What is looked for next is probably this message: whoever decides a fact knows it already, and `apply` has the id alone.
    pub(super) fn expect(&self, slot: u32) {
        self.near.set(slot);
    }

    pub(super) fn slot(&self, index: u32) -> &Slot {
        self.slots.get(index)
    }

    pub(super) fn slot_mut(&mut self, index: u32) -> &mut Slot {
        self.slots.get_mut(index)
    }

    pub(super) fn part(&self, index: u32) -> &Part {
        self.parts.get(index)
    }

    pub(super) fn part_mut(&mut self, index: u32) -> &mut Part {
        self.parts.get_mut(index)
    }

    /// How many slots there are, free ones included.
    pub(super) fn slot_count(&self) -> u32 {
        self.slots.len()
    }

    /// Whether a slot holds a message.
    pub(super) fn is_occupied(&self, slot: u32) -> bool {
        self.slots.get(slot).id != MessageId::default()
    }

    /// All slots that hold a message, in no promised order.
    pub(super) fn occupied(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.slots.len()).filter(|slot| self.is_occupied(*slot))
    }

    pub(super) fn find(&self, id: MessageId) -> Option<u32> {
        let near = self.near.get();
        if near != NONE && self.slots.get(near).id == id && id != MessageId::default() {
            return Some(near);
        }
        self.index[table(id)].find(spread(id), |slot| self.slots.get(*slot).id == id).copied()
    }

    pub(super) fn price(&self, slot: u32) -> (i64, Currency) {
        let tariff = self.tariffs.get(self.slots.get(slot).tariff as usize).copied().unwrap_or_default();
        (tariff.micros, tariff.currency)
    }

    /// By which carriers a message may go, the preferred one first.
    pub(super) fn choices(&self, slot: u32) -> impl Iterator<Item = CarrierId> + use<> {
        let tariff = self.tariffs.get(self.slots.get(slot).tariff as usize).copied().unwrap_or_default();
        std::iter::once(tariff.first).chain(tariff.others.iter())
    }

    /// A message goes over to another carrier, which has nothing to do with what befell it at the last one.
    pub(super) fn go_over(&mut self, slot: u32, to: CarrierId) {
        self.slots.get_mut(slot).carrier = to;
        let mut next = self.slots.get(slot).first_part;
        while next != NONE {
            let part = self.parts.get_mut(next);
            (part.losses, part.losses_alone) = (0, 0);
            next = part.next;
        }
    }

    /// Whether no part of a message is with its carrier or was.
    pub(super) fn is_untouched(&self, slot: u32) -> bool {
        self.parts_of(slot).all(|part| self.parts.get(part).stage == Stage::Waiting)
    }

    /// The entries of the parts that have left the lane, in no promised order.
    pub(super) fn parts_of(&self, slot: u32) -> impl Iterator<Item = u32> + '_ {
        let mut next = self.slots.get(slot).first_part;
        std::iter::from_fn(move || {
            let part = (next != NONE).then_some(next)?;
            next = self.parts.get(part).next;
            Some(part)
        })
    }

    pub(super) fn part_entry(&self, slot: u32, index: u8) -> Option<u32> {
        self.parts_of(slot).find(|part| self.parts.get(*part).index == index)
    }

    pub(super) fn carrier_id(&self, part: u32) -> &[u8] {
        let entry = self.parts.get(part);
        match self.long_ids.get(&part) {
            Some(long) => long,
            None => &entry.carrier_id[..usize::from(entry.carrier_id_octets)],
        }
    }

    /// How many parts are still to be submitted: those that never were, and those that must be again.
    pub(super) fn unsent(&self, slot: u32) -> u32 {
        let message = self.slots.get(slot);
        let again = self.parts_of(slot).filter(|part| self.parts.get(*part).stage == Stage::Waiting).count() as u32;
        u32::from(message.parts - message.started) + again
    }

    /// Gives a part of a message its entry.
    pub(super) fn add_part(&mut self, slot: u32, index: u8) -> u32 {
        let entry = match self.free_part {
            NONE => self.parts.push(Part::default()),
            free => {
                self.free_part = self.parts.get(free).next;
                free
            }
        };
        let message = self.slots.get_mut(slot);
        *self.parts.get_mut(entry) = Part { slot, next: message.first_part, index, ..Part::default() };
        message.first_part = entry;
        message.started = message.started.max(index + 1);
        entry
    }

    /// Appends the summary of a part entry.
    pub(super) fn summarise(&self, part: u32, out: &mut Vec<u8>) {
        let entry = self.parts.get(part);
        let (price_micros, _) = self.price(entry.slot);
        PartSummary {
            part: entry.index,
            stage: entry.stage,
            state: entry.state,
            repeat: entry.repeat,
            carrier: self.slots.get(entry.slot).carrier,
            status: entry.status,
            sent_at: entry.sent_at,
            done_at: entry.done_at,
            posted_micros: if entry.posted { price_micros } else { 0 },
            voided_micros: if entry.voided { price_micros } else { 0 },
            carrier_id: self.carrier_id(part),
            err: entry.err(),
        }
        .write(out);
    }

    /// The place of what a new message shares with others: mostly that of the message before it.
    pub(super) fn tariff(&mut self, tariff: Tariff) -> u32 {
        if self.tariffs.get(self.last_tariff as usize) != Some(&tariff) {
            let next = self.tariffs.len() as u32;
            self.last_tariff = *self.tariff_places.entry(tariff).or_insert(next);
            if self.last_tariff == next {
                self.tariffs.push(tariff);
            }
        }
        self.last_tariff
    }

    pub(super) fn entry_of(&self, part: PartRef) -> Option<(u32, u32)> {
        let slot = self.find(part.id)?;
        Some((slot, self.part_entry(slot, part.part)?))
    }

    /// Gives a message its slot, which must carry its id already.
    pub(super) fn insert(&mut self, slot: Slot) -> u32 {
        let index = match self.free_slot {
            NONE => self.slots.push(Slot::default()),
            free => {
                self.free_slot = self.slots.get(free).first_part;
                free
            }
        };
        *self.slots.get_mut(index) = slot;
        let slots = &self.slots;
        self.index[table(slot.id)].insert_unique(spread(slot.id), index, |other| spread(slots.get(*other).id));
        index
    }

    /// Notes the carrier's message_id of a part.
    pub(super) fn set_carrier_id(&mut self, part: u32, id: &[u8]) {
        let entry = self.parts.get_mut(part);
        if id.len() <= CARRIER_ID_INLINE {
            entry.carrier_id[..id.len()].copy_from_slice(id);
            entry.carrier_id_octets = id.len() as u8;
            if !self.long_ids.is_empty() {
                self.long_ids.remove(&part);
            }
        } else {
            entry.carrier_id_octets = 0;
            self.long_ids.insert(part, id.into());
        }
    }

    /// Forgets a message and its parts; the caller has taken its carrier ids out of the correlation.
    pub(super) fn free(&mut self, slot: u32) {
        let mut next = self.slots.get(slot).first_part;
        while next != NONE {
            let part = next;
            if !self.long_ids.is_empty() {
                self.long_ids.remove(&part);
            }
            next = self.parts.get(part).next;
            *self.parts.get_mut(part) = Part { next: self.free_part, ..Part::default() };
            self.free_part = part;
        }
        let id = self.slots.get(slot).id;
        if let Ok(entry) = self.index[table(id)].find_entry(spread(id), |other| *other == slot) {
            entry.remove();
        }
        *self.slots.get_mut(slot) = Slot { first_part: self.free_slot, ..Slot::default() };
        self.free_slot = slot;
    }
}

const TABLES: usize = 64;
const _: () = assert!(TABLES * TABLES == 4096, "`table` is written for this many");

/// The table of an id. The last tables get twice as many as the first, so that they do not all double at the same moment, and so that
/// some of them are always well filled.
fn table(id: MessageId) -> usize {
    // Bits from the middle: the tables themselves go by the lowest and the highest.
    let uniform = (spread(id) >> 24) as u32 & 0xFFFF;
    // The square root of 1 + 3u, u from 0 to 1, runs from 1 to 2 with a density that doubles.
    ((4096 + uniform * 3 / 16).isqrt() - TABLES as u32) as usize
}

/// Sequences count up by one: a multiplication spreads them over the table.
fn spread(id: MessageId) -> u64 {
    id.0.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_right(29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_tables_get_twice_as_many() {
        let mut counts = [0u32; TABLES];
        for sequence in 1..=100_000 {
            counts[table(MessageId::new(0, sequence))] += 1;
        }
        let (first, last) = (counts[0], counts[TABLES - 1]);
        assert!((950..=1_150).contains(&first) && (1_950..=2_200).contains(&last), "{first} and {last}");
    }
}
