//! Which receipts are still to come: from an id in a response to the receipt that names it, in either order.

use std::hash::BuildHasherDefault;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::smpp::fields::MessageState;
use crate::smpp::pdu::SubmitSm;
use crate::smpp::tag::Tag;
use crate::tools::quantity::{Itself, fold};

/// Messages by a fingerprint of their id.
#[derive(Debug, Default)]
pub(crate) struct Awaited {
    messages: HashMap<u64, Known, BuildHasherDefault<Itself>>,
    /// Accepted messages whose receipt has not come.
    pub(crate) open: u64,
    /// Receipts for ids that no response has given yet.
    pub(crate) early: u64,
}

#[derive(Clone, Copy, Debug)]
enum Known {
    /// Accepted; microseconds of its submit.
    Accepted(u64),
    /// The receipt came first, at these microseconds.
    Receipted(u64),
    /// Both are there.
    Done,
}

/// What a receipt or a response completed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Match {
    /// Microseconds from submit to receipt.
    Complete(u64),
    /// The other half is still to come.
    Half,
    /// A receipt for a message that has had one.
    Again,
}

impl Awaited {
    /// A response accepted a message under this id.
    pub(crate) fn accepted(&mut self, id: &[u8], sent_micros: u64) -> Match {
        match self.messages.entry(fold(id, 0)) {
            Entry::Vacant(vacant) => {
                vacant.insert(Known::Accepted(sent_micros));
                self.open += 1;
                Match::Half
            }
            Entry::Occupied(mut known) => match *known.get() {
                Known::Receipted(at_micros) => {
                    known.insert(Known::Done);
                    self.early -= 1;
                    Match::Complete(at_micros.saturating_sub(sent_micros))
                }
                // An id that is given twice is not counted as two receipts to come.
                Known::Accepted(_) | Known::Done => Match::Half,
            },
        }
    }

    /// A receipt names this id.
    pub(crate) fn receipted(&mut self, id: &[u8], now_micros: u64) -> Match {
        match self.messages.entry(fold(id, 0)) {
            Entry::Vacant(vacant) => {
                vacant.insert(Known::Receipted(now_micros));
                self.early += 1;
                Match::Half
            }
            Entry::Occupied(mut known) => match *known.get() {
                Known::Accepted(sent_micros) => {
                    known.insert(Known::Done);
                    self.open -= 1;
                    Match::Complete(now_micros.saturating_sub(sent_micros))
                }
                Known::Receipted(_) | Known::Done => Match::Again,
            },
        }
    }
}

/// What a receipt says: its id and the word for its state.
pub(crate) fn read_receipt<'a>(message: &SubmitSm<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let text = message.tlvs.get(Tag::MESSAGE_PAYLOAD).unwrap_or(message.short_message);
    let id = message.tlvs.get_text(Tag::RECEIPTED_MESSAGE_ID).or_else(|| word_after(text, b"id:"))?;
    let told = message.tlvs.get_u8(Tag::MESSAGE_STATE).and_then(MessageState::of).map(|state| state.stat().as_bytes());
    Some((id, word_after(text, b"stat:").or(told).unwrap_or(b"?")))
}

fn word_after<'a>(text: &'a [u8], label: &[u8]) -> Option<&'a [u8]> {
    let start = text.windows(label.len()).position(|window| window.eq_ignore_ascii_case(label))? + label.len();
    let rest = &text[start..];
    Some(&rest[..rest.iter().position(|octet| *octet == b' ').unwrap_or(rest.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_and_receipt_meet_in_either_order() {
        let mut awaited = Awaited::default();
        assert_eq!(awaited.accepted(b"a", 100), Match::Half);
        assert_eq!(awaited.open, 1);
        assert_eq!(awaited.receipted(b"a", 250), Match::Complete(150));
        assert_eq!(awaited.receipted(b"a", 300), Match::Again);
        assert_eq!(awaited.receipted(b"b", 400), Match::Half);
        assert_eq!((awaited.open, awaited.early), (0, 1));
        assert_eq!(awaited.accepted(b"b", 390), Match::Complete(10));
        assert_eq!((awaited.open, awaited.early), (0, 0));
    }

    #[test]
    fn receipts_are_read_from_their_text() {
        let short_message = b"id:01abc sub:001 dlvrd:001 submit date:1 done date:2 stat:DELIVRD err:000 text:";
        let message = SubmitSm { short_message, ..SubmitSm::default() };
        assert_eq!(read_receipt(&message), Some((&b"01abc"[..], &b"DELIVRD"[..])));
        assert_eq!(read_receipt(&SubmitSm::default()), None);
    }
}
