//! What one turn gives: records to make durable, and effects to let out once they are.

use crate::command::{Effect, Span};
use crate::exchange::Outbox;
use crate::fact::records::Records;
use crate::message::LinkId;

/// The records and effects of one turn. Its buffers are kept from turn to turn.
#[derive(Debug, Default)]
pub struct Group {
    /// To be made durable.
    pub records: Records,
    /// To be let out after that.
    pub outboxes: Outboxes,
}

impl Group {
    /// Empties it; the outboxes have been taken by [`Outboxes::drain`].
    pub fn clear(&mut self) {
        self.records.clear();
    }
}

/// An outbox for each link.
#[derive(Debug, Default)]
pub struct Outboxes {
    boxes: Vec<Outbox>,
    filled: Vec<u32>,
}

impl Outboxes {
    /// Adds an effect without octets of its own.
    pub fn push(&mut self, link: LinkId, effect: Effect) {
        self.of(link).effects.push(effect);
    }

    /// The outbox of `link`, for an effect with octets.
    pub fn of(&mut self, link: LinkId) -> &mut Outbox {
        let index = link.0 as usize;
        if self.boxes.len() <= index {
            self.boxes.resize_with(index + 1, Outbox::default);
        }
        let outbox = &mut self.boxes[index];
        if outbox.effects.is_empty() {
            self.filled.push(link.0);
        }
        outbox
    }

    /// Copies an envelope into the outbox of `link`.
    pub fn carry(&mut self, link: LinkId, envelope: &[u8]) -> Span {
        let index = link.0 as usize;
        if self.boxes.len() <= index {
            self.boxes.resize_with(index + 1, Outbox::default);
        }
        Span::append(envelope, &mut self.boxes[index].bytes)
    }

    /// Hands out each filled outbox, in the order in which they were first used; each must be emptied.
    pub fn drain(&mut self, mut hand: impl FnMut(LinkId, &mut Outbox)) {
        for link in self.filled.drain(..) {
            let outbox = &mut self.boxes[link as usize];
            hand(LinkId(link), outbox);
            outbox.clear();
        }
    }

    /// Whether there is nothing to let out.
    pub fn is_empty(&self) -> bool {
        self.filled.is_empty()
    }
}
