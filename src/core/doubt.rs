//! Parts without an outcome: sent again, marked; alone, where links are lost with them again and again; refused in the end.

use crate::core::group::Group;
use crate::core::{Core, RELEASE_OCTETS_MAX};
use crate::fact::{Fact, PartRef};
use crate::message::CarrierId;

/// A part with which so many links were lost goes alone from then on: of a full window nobody can say which part it was.
pub(super) const LOSSES_IN_COMPANY_MAX: u8 = 2;
/// After so many links lost with nothing but this part on them, while the carrier answered others, it is this part.
const LOSSES_ALONE_MAX: u8 = 3;
/// The status of a part that is given up without an answer: ESME_RUNKNOWNERR (SMPP 3.4 section 5.1.3).
const NO_ANSWER: u32 = 0xFF;

impl Core {
    /// A link of the carrier is gone, and these parts were unanswered on it.
    pub(super) fn lost(&mut self, carrier: CarrierId, mut entries: Vec<u32>, group: &mut Group) {
        if entries.is_empty() {
            return;
        }
        let answers = self.schedule.carrier(carrier).answers;
        self.schedule.in_windows -= entries.len() as u32;
        // Each goes to the head of its lane, so the oldest message comes last here and first at the next bind.
        entries.sort_unstable_by_key(|entry| std::cmp::Reverse(self.part_ref(*entry)));
        for entry in &entries {
            let part = self.fold.messages.part_mut(*entry);
            if part.losses == 0 {
                part.answers_before = answers;
            }
            part.losses = part.losses.saturating_add(1);
            if entries.len() > 1 || part.losses < LOSSES_IN_COMPANY_MAX {
                self.doubt(*entry, group);
            } else {
                self.lost_alone(*entry, group);
            }
        }
    }

    /// A link was lost with a suspect and nothing else on it. If the carrier has answered others since the first loss, it is this part.
    /// Else it may be the carrier: the loss counts as an error does, and others go first.
    fn lost_alone(&mut self, entry: u32, group: &mut Group) {
        let carrier = self.carrier_of(entry);
        let answers = self.schedule.carrier(carrier).answers;
        let part = self.fold.messages.part_mut(entry);
        part.losses_alone += u8::from(part.answers_before != answers);
        let (slot, given_up) = (part.slot, part.losses_alone >= LOSSES_ALONE_MAX);
        match self.attempted(entry).filter(|_| !given_up) {
            Some(pause) => {
                self.doubt(entry, group);
                self.sleep(slot, pause);
            }
            None => self.give_up(entry, group),
        }
    }

    /// The link lives and has not answered this part: it is sent again, as often as after an error, because each time may be a duplicate.
    pub(super) fn unanswered(&mut self, entry: u32, group: &mut Group) {
        match self.attempted(entry) {
            Some(_) => self.doubt(entry, group),
            None => self.give_up(entry, group),
        }
    }

    /// Where doubt is not sent again, the last one is not refused either.
    fn give_up(&mut self, entry: u32, group: &mut Group) {
        let carrier = self.carrier_of(entry);
        if !self.schedule.carrier(carrier).terms.resends {
            return self.doubt(entry, group);
        }
        self.numbers.given_up += 1;
        self.refused(entry, NO_ANSWER, group);
    }

    /// What a lost link left in doubt and the last group had no room for. It goes before all else, so that nothing has changed.
    pub(super) fn leave_rest(&mut self, group: &mut Group) {
        while group.records.octets().len() < RELEASE_OCTETS_MAX
            && let Some(entry) = self.schedule.left.pop()
        {
            self.taken(entry, b"", group);
        }
    }

    /// A part that was released has no outcome: it will be sent again, marked, unless the carrier's terms leave it alone (quirks Q74 and
    /// Q76).
    fn doubt(&mut self, entry: u32, group: &mut Group) {
        let part = self.fold.messages.part(entry);
        let slot = part.slot;
        let message = self.fold.messages.slot(slot);
        let (carrier, part) = (message.carrier, PartRef { id: message.id, part: part.index });
        self.numbers.in_doubt += 1;
        if !self.schedule.carrier(carrier).terms.resends {
            return match group.records.octets().len() < RELEASE_OCTETS_MAX {
                true => self.taken(entry, b"", group),
                false => self.schedule.left.push(entry),
            };
        }
        self.record(&Fact::InDoubt { carrier, at: self.now, part }, group);
        self.requeue(slot);
    }
}
