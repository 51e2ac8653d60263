//! What the core is asked to do, and what it asks of others.
//!
//! Commands and effects are small values; what varies in length stands in the octets of the batch they travel in, as a [`Span`].

use crate::message::{CarrierId, LinkId, MessageId, Place, State, TenantId, Timestamp};

/// A range of a batch's octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    /// First octet.
    pub start: u32,
    /// How many.
    pub length: u32,
}

impl Span {
    /// The octets of this span.
    pub fn of<'a>(&self, octets: &'a [u8]) -> &'a [u8] {
        &octets[self.start as usize..][..self.length as usize]
    }

    /// Appends `octets` to `bytes` and says where they stand.
    pub fn append(octets: &[u8], bytes: &mut Vec<u8>) -> Span {
        let start = bytes.len() as u32;
        bytes.extend_from_slice(octets);
        Span { start, length: octets.len() as u32 }
    }

    /// The span that began at `start` and ends where `bytes` ends.
    pub fn since(start: usize, bytes: &[u8]) -> Span {
        Span { start: start as u32, length: (bytes.len() - start) as u32 }
    }
}

/// Where an answer goes: a link, and the link's own mark of the request (SMPP: the sequence number).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reply {
    /// The link that asked.
    pub link: LinkId,
    /// Its mark; the core gives it back unread.
    pub tag: u64,
}

/// What a link is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A bind to a carrier that may submit.
    Carrier(CarrierId),
    /// A tenant's bind that may receive.
    Tenant(TenantId),
}

/// How a submit_sm ended, as its bind saw it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// ESME_ROK with this message_id.
    Taken(Span),
    /// Come again (ESME_RTHROTTLED, ESME_RMSGQFUL and temporary errors). The bind has slowed down by itself; the part keeps its turn.
    Later {
        /// command_status.
        status: u32,
        /// Count it as an attempt (temporary errors; not throttling).
        counts: bool,
    },
    /// The queue of this destination is full: the message waits by itself, however often (quirk Q69).
    Aside {
        /// command_status.
        status: u32,
    },
    /// Refused for good.
    Refused {
        /// command_status.
        status: u32,
    },
    /// No response in time, or the link was lost.
    Lost,
}

/// How a tenant answered a receipt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It has it.
    Taken,
    /// Not now, or not at all: it is owed again, later.
    Later,
    /// It does not want it, now or ever.
    Refused,
}

/// What the core is asked to do. Spans refer to the octets of the batch that carries the command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// Store a message. `record` is an Accepted record without id and time, `envelope` the open envelope.
    /// Answered by [`Effect::Accepted`] or [`Effect::Denied`].
    Accept {
        /// Where the answer goes.
        reply: Reply,
        /// Octets of [`crate::fact::Accepted::write`].
        record: Span,
        /// Octets of [`crate::envelope::Envelope::write`].
        envelope: Span,
    },
    /// A bind is up and grants `window` credits.
    Open {
        /// The link.
        link: LinkId,
        /// What it is for.
        role: Role,
        /// How many requests it takes without a response.
        window: u16,
    },
    /// A link is gone. What was in its window is in doubt (carrier) or owed again (tenant). Answered by [`Effect::Closed`].
    Close {
        /// The link.
        link: LinkId,
    },
    /// The link takes nothing for now (its socket is full, or the carrier asked to slow down), or takes again.
    Hold {
        /// The link.
        link: LinkId,
        /// Whether it takes nothing.
        held: bool,
    },
    /// The outcome of the submit_sm in a window place; the place is free again.
    Submitted {
        /// The link.
        link: LinkId,
        /// The window place of [`Effect::Submit`].
        slot: u16,
        /// How it ended.
        outcome: Outcome,
    },
    /// A carrier's receipt. Answered by [`Effect::Noted`] once it is durable, or by [`Effect::NotOurs`].
    Receipt {
        /// Where the answer goes.
        reply: Reply,
        /// Which account.
        carrier: CarrierId,
        /// Octets of [`crate::fact::Notice::write`].
        notice: Span,
        /// It is a receipt only if it names a part that is known; else it is somebody's message.
        only_if_known: bool,
    },
    /// The tenant's answer to the deliver_sm in a window place; the place is free again.
    Delivered {
        /// The link.
        link: LinkId,
        /// The window place of [`Effect::Deliver`].
        slot: u16,
        /// What it says.
        answer: Answer,
    },
    /// Where does a message stand? Answered by [`Effect::Status`] (through the reader or the history) or [`Effect::Denied`].
    Status {
        /// Where the answer goes.
        reply: Reply,
        /// Who asks; a message of another tenant does not exist.
        tenant: TenantId,
        /// Which message.
        id: MessageId,
    },
    /// Has this request been answered before? Answered by one [`Effect::Repeated`] and an [`Effect::Accepted`] for each message it
    /// had, by [`Effect::Denied`] (other body, or still running), or by [`Effect::Fresh`].
    Recall {
        /// Where the answer goes.
        reply: Reply,
        /// Keyed hash of tenant and key.
        key: u64,
        /// Keyed hash of the body.
        body: u64,
    },
    /// Nothing of a request was accepted: its key may be used again. Not answered.
    Forget {
        /// Keyed hash of tenant and key.
        key: u64,
    },
    /// The reader's answer to [`Effect::Load`]: the open envelope.
    Loaded {
        /// Which message.
        id: MessageId,
        /// Where it was looked for; the message may have been copied forward since.
        place: Place,
        /// Octets of the open envelope; empty if the record could not be read or opened.
        envelope: Span,
    },
    /// The reader's answer to [`Effect::Sweep`]: a record of the segment that may still be alive.
    Survivor {
        /// Where it stands.
        place: Place,
        /// Payload of an Accepted or Kept record.
        record: Span,
        /// Whether it is a Kept record.
        kept: bool,
    },
    /// All survivors of a segment have been offered.
    Swept {
        /// The segment.
        segment: u32,
    },
    /// No new messages from here on; what is in windows is awaited.
    Drain,
}

impl Command {
    /// Moves the command's spans by `offset` octets, when its batch is appended to another.
    pub fn rebase(&mut self, offset: u32) {
        match self {
            Command::Accept { record, envelope, .. } => {
                record.start += offset;
                envelope.start += offset;
            }
            Command::Submitted { outcome: Outcome::Taken(span), .. } => span.start += offset,
            Command::Receipt { notice: span, .. }
            | Command::Loaded { envelope: span, .. }
            | Command::Survivor { record: span, .. } => span.start += offset,
            _ => {}
        }
    }
}

/// Why the core said no. Admission has said no to everything that needs no state; its reasons stand in `admission::refusal`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Denial {
    /// The tenant's credit does not cover it.
    Credit,
    /// As many messages wait as the store may hold, or the disk is full: come again.
    Full,
    /// The gateway is stopping.
    Stopping,
    /// The Idempotency-Key was used with another body.
    KeyReused,
    /// The request with this Idempotency-Key is still being answered.
    KeyRunning,
    /// No such message of this tenant.
    NoSuchMessage,
}

/// A message's end as its tenant is told it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    /// Which message.
    pub id: MessageId,
    /// Its state, or the part's.
    pub state: State,
    /// The part it speaks of, from 0; `None`: of the whole message.
    pub part: Option<u8>,
    /// Parts submitted.
    pub submitted: u8,
    /// Parts delivered.
    pub delivered: u8,
    /// When the message was accepted.
    pub accepted_at: Timestamp,
    /// When it ended.
    pub done_at: Timestamp,
    /// The carrier's error code, filled with NUL; all NUL if it gave none.
    pub err: [u8; 8],
}

/// What the core asks of a link, once the group that decided it is durable. Spans refer to the octets of the link's outbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// The message is stored.
    Accepted {
        /// The request's mark.
        tag: u64,
        /// The message's id.
        id: MessageId,
    },
    /// No.
    Denied {
        /// The request's mark.
        tag: u64,
        /// Why.
        denial: Denial,
    },
    /// Answer to Recall: never seen.
    Fresh {
        /// The request's mark.
        tag: u64,
    },
    /// Answer to Recall: seen, with `count` messages accepted; that many [`Effect::Recalled`] follow.
    Repeated {
        /// The request's mark.
        tag: u64,
        /// How many messages were accepted.
        count: u16,
    },
    /// One message of a repeated request.
    Recalled {
        /// The request's mark.
        tag: u64,
        /// Its index in the request.
        index: u16,
        /// Its id.
        id: MessageId,
    },
    /// Submit a part.
    Submit {
        /// The window place; the outcome names it.
        slot: u16,
        /// Which part of the envelope.
        part: u8,
        /// It may have been submitted before.
        repeat: bool,
        /// When the carrier need not try any longer.
        expires: Timestamp,
        /// The open envelope; the same span may serve several parts.
        envelope: Span,
    },
    /// Deliver a receipt to the tenant.
    Deliver {
        /// The window place; the answer names it.
        slot: u16,
        /// What it says.
        report: Report,
        /// The open envelope, for its addresses.
        envelope: Span,
    },
    /// From another link of the same account: show that your peer lives, or end (quirk Q80).
    Probe,
    /// A carrier's receipt is durable: answer it.
    Noted {
        /// The receipt's mark.
        tag: u64,
    },
    /// What might have been a receipt names no part that is known.
    NotOurs {
        /// The receipt's mark.
        tag: u64,
    },
    /// To the reader: read the record at `place`, open it and send [`Command::Loaded`].
    Load {
        /// Which message.
        id: MessageId,
        /// Where its record stands.
        place: Place,
    },
    /// To the reader: read the record at `place`, open it and put [`Effect::Status`] into the mailbox of `reply`.
    Describe {
        /// Where the answer goes.
        reply: Reply,
        /// Which message.
        id: MessageId,
        /// Where its record stands.
        place: Place,
        /// Octets of a [`crate::fact::Kept`] payload up to its accepted record, which the reader appends.
        summary: Span,
    },
    /// To the history: find a message that the core has forgotten and put [`Effect::Status`] or [`Effect::Denied`] into the mailbox of
    /// `reply`.
    LookUp {
        /// Where the answer goes.
        reply: Reply,
        /// Who asks; a message of another tenant does not exist.
        tenant: TenantId,
        /// Which message.
        id: MessageId,
    },
    /// To the reader: offer what may be alive in a segment as [`Command::Survivor`], then send [`Command::Swept`].
    Sweep {
        /// The segment.
        segment: u32,
    },
    /// To the journal: nothing in this segment is needed any more.
    Recycle {
        /// The segment.
        segment: u32,
    },
    /// Where a message stands.
    Status {
        /// The request's mark.
        tag: u64,
        /// A whole Kept payload: accepted record, state and parts.
        kept: Span,
        /// The open envelope; empty if it could not be opened.
        envelope: Span,
    },
    /// The core has forgotten the link; nothing follows.
    Closed,
}
