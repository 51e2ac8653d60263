//! Where a message stands: state and parts from memory, the rest from its record by way of the reader; what memory has forgotten
//! is the history's to find.

use crate::command::{Denial, Effect, Reply, Span};
use crate::core::Core;
use crate::core::group::Group;
use crate::core::slot::bits;
use crate::fact::layout::kept_head;
use crate::fact::{Accepted, Fact, Kept};
use crate::message::{MessageId, TenantId, Timestamp};

impl Core {
    pub(super) fn status(&mut self, reply: Reply, tenant: TenantId, id: MessageId, group: &mut Group) {
        let unknown = Effect::Denied { tag: reply.tag, denial: Denial::NoSuchMessage };
        let Some(slot) = self.fold.messages.find(id) else {
            let was_given = id.shard() == self.config.shard && (1..self.fold.next_sequence).contains(&id.sequence());
            let look_up = Effect::LookUp { reply, tenant, id };
            return match was_given {
                true => group.outboxes.push(self.config.history, look_up),
                false => group.outboxes.push(reply.link, unknown),
            };
        };
        if self.fold.messages.slot(slot).tenant != tenant {
            return group.outboxes.push(reply.link, unknown);
        }
        let place = self.fold.messages.slot(slot).place;
        let mut parts = std::mem::take(&mut self.scratch);
        let kept = self.present(slot, Accepted::default(), &mut parts);
        let bytes = &mut group.outboxes.of(self.config.reader).bytes;
        let start = bytes.len();
        kept_head(&kept, bytes);
        let summary = Span::since(start, bytes);
        self.scratch = parts;
        group.outboxes.push(self.config.reader, Effect::Describe { reply, id, place, summary });
    }

    /// A message's whole present state, around its accepted record.
    fn present<'a>(&self, slot: u32, accepted: Accepted<'a>, parts: &'a mut Vec<u8>) -> Kept<'a> {
        parts.clear();
        let messages = &self.fold.messages;
        let message = messages.slot(slot);
        let mut count = 0;
        let mut ended_at = Timestamp(0);
        for index in 0..message.parts {
            if let Some(entry) = messages.part_entry(slot, index) {
                messages.summarise(entry, parts);
                ended_at = ended_at.max(messages.part(entry).done_at);
                count += 1;
            }
        }
        let concluded_at = if message.has(bits::CONCLUDED) { ended_at.max(Timestamp(1)) } else { Timestamp(0) };
        Kept {
            at: self.now,
            accepted,
            concluded_at,
            state: message.state,
            report: message.has(bits::OWED),
            started: message.started,
            count,
            parts,
        }
    }

    /// Copies a message forward into the group, so that its old segment can be reused.
    pub(super) fn keep(&mut self, slot: u32, accepted: Accepted<'_>, group: &mut Group) {
        let mut parts = std::mem::take(&mut self.scratch);
        let kept = self.present(slot, accepted, &mut parts);
        let offset = group.records.push(&Fact::Kept(kept));
        let place = self.place(offset);
        self.fold.apply(&Fact::Kept(kept), place);
        self.scratch = parts;
        self.numbers.kept += 1;
    }
}
