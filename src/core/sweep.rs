//! Old segments: what still lives in the oldest one is copied forward, then it is given back.

use crate::command::Effect;
use crate::core::fold::SegmentCount;
use crate::core::group::Group;
use crate::core::slot::bits;
use crate::core::{Core, RELEASE_OCTETS_MAX};
use crate::fact::{Accepted, Fact, layout};
use crate::message::Place;

/// Copying forward what lives on a full disk must win at least so many segments.
const DEAD_SEGMENTS_MIN: usize = 3;

impl Core {
    /// Starts on the oldest segment when there are more than the configured number and little of it lives: less than a tenth, or
    /// less than half once twice the number is reached. On a full disk however much of it lives, as long as there is room to be won
    /// behind it.
    pub(super) fn sweep_oldest(&mut self, group: &mut Group) {
        if self.schedule.sweeping.is_some() || self.fold.segments.len() <= self.config.segments_max as usize {
            return;
        }
        let Some((segment, count)) = self.fold.segments.first_key_value().map(|(segment, count)| (*segment, *count))
        else {
            return;
        };
        let pressed = self.fold.segments.len() >= 2 * self.config.segments_max as usize;
        let alive_max = match pressed {
            true if self.full && self.room && self.dead_segments() >= DEAD_SEGMENTS_MIN => count.began,
            true => count.began / 2,
            false => count.began / 10,
        };
        if segment == self.base.segment || count.alive > alive_max {
            return;
        }
        if self.schedule.swept_in_vain == Some(self.base.segment) {
            return;
        }
        self.schedule.sweeping = Some(segment);
        if count.alive == 0 {
            self.swept(segment, group);
        } else {
            group.outboxes.push(self.config.reader, Effect::Sweep { segment });
        }
    }

    /// How many segments what is not needed any more would fill, roughly.
    fn dead_segments(&self) -> usize {
        let part_alive = |count: &SegmentCount| f64::from(count.alive) / f64::from(count.began.max(1));
        let alive: f64 = self.fold.segments.values().map(part_alive).sum();
        self.fold.segments.len().saturating_sub(alive.ceil() as usize)
    }

    /// Lets go of the oldest segments of which nothing is needed, without writing anything: for a journal that has no room left, so that
    /// no turn can be made.
    pub fn let_go(&mut self, group: &mut Group) {
        while let Some((segment, count)) =
            self.fold.segments.first_key_value().map(|(segment, count)| (*segment, *count))
            && count.alive == 0
            && segment != self.base.segment
            && self.fold.pending.in_segment(segment).next().is_none()
        {
            self.schedule.sweeping = self.schedule.sweeping.filter(|sweeping| *sweeping != segment);
            self.fold.forget_segment(segment);
            group.outboxes.push(self.config.journal, Effect::Recycle { segment });
        }
    }

    /// A record of the segment being swept: if anything depends on it, its message is copied forward.
    pub(super) fn survivor(&mut self, place: Place, record: &[u8], kept: bool, group: &mut Group) {
        let kind = if kept { layout::Kind::Kept } else { layout::Kind::Accepted };
        let mut accepted = None;
        let whole = layout::read(kind as u8, record, &mut |fact| match fact {
            Fact::Accepted(found) => accepted = Some(found),
            Fact::Kept(found) => accepted = Some(found.accepted),
            _ => {}
        });
        let (Ok(_), Some(accepted)) = (whole, accepted) else { return };
        self.keep_if_alive(place, accepted, group);
    }

    fn keep_if_alive(&mut self, place: Place, accepted: Accepted<'_>, group: &mut Group) {
        let Some(slot) = self.fold.messages.find(accepted.id) else { return };
        let message = self.fold.messages.slot(slot);
        if message.place == place && !message.has(bits::FINISHED) {
            self.keep(slot, accepted, group);
        }
    }

    /// All survivors have been offered: the segment can go, once this group is durable.
    pub(super) fn swept(&mut self, segment: u32, group: &mut Group) {
        if self.schedule.sweeping != Some(segment) {
            return; // It was let go of meanwhile.
        }
        self.schedule.sweeping = None;
        let alive = self.fold.segments.get(&segment).map_or(0, |count| count.alive);
        if alive > 0 {
            // A record could not be read: the segment stays, and is tried again when the next one fills.
            self.schedule.swept_in_vain = Some(self.base.segment);
            return;
        }
        let moved: Vec<u64> = self.fold.pending.in_segment(segment).map(|early| early.key()).collect();
        for key in moved {
            if group.records.octets().len() >= RELEASE_OCTETS_MAX {
                return; // The rest goes with the next group.
            }
            if let Some(early) = self.fold.pending.remove(key) {
                let (carrier, at, notice) = (early.carrier(), early.at(), early.notice());
                self.record(&Fact::Unmatched { carrier, at, key, notice }, group);
            }
        }
        self.fold.forget_segment(segment);
        group.outboxes.push(self.config.journal, Effect::Recycle { segment });
    }
}
