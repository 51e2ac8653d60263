//! What happened. A Fact is durable before anyone outside hears of it, and replay applies the same facts again.
//!
//! A fact holds what its decision took from the configuration (price, carrier, limits), so that applying it depends on state and
//! fact alone. Money moves inside facts. `layout` gives each fact its octets.

pub mod layout;
pub mod records;

use std::fmt;

use crate::message::{CarrierId, Currency, Encoding, MessageId, State, TenantId, Timestamp};

/// One part of one message; parts count from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct PartRef {
    /// The message.
    pub id: MessageId,
    /// The part's index, from 0.
    pub part: u8,
}

/// Whose money, in which currency. It stands in each fact that moves money, because replay may meet such a fact before the message's
/// own record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Account {
    /// The tenant.
    pub tenant: TenantId,
    /// The currency of its price.
    pub currency: Currency,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum Fact<'a> {
    /// A message was stored and its price reserved.
    Accepted(Accepted<'a>),
    /// A part was bound to a window place of a bind; durable before its submit_sm leaves.
    Released {
        /// To which carrier.
        carrier: CarrierId,
        /// When.
        at: Timestamp,
        /// Which part.
        part: PartRef,
        /// It may have been submitted before.
        repeat: bool,
    },
    /// The carrier took a part (submit_sm_resp with ESME_ROK).
    Sent {
        /// Which carrier.
        carrier: CarrierId,
        /// When the response was read.
        at: Timestamp,
        /// Which part.
        part: PartRef,
        /// Whose ledger.
        account: Account,
        /// Moved from reserved to posted, micro-units; 0 when the tenant pays on delivery or has paid for this part.
        posted_micros: i64,
        /// The carrier's message_id, at most 65 octets; empty if it gave none.
        carrier_id: &'a [u8],
    },
    /// The carrier asked to come again; the part waits.
    Deferred {
        /// Which carrier.
        carrier: CarrierId,
        /// When the response was read.
        at: Timestamp,
        /// Which part.
        part: PartRef,
        /// command_status.
        status: u32,
    },
    /// The carrier refused a part for good.
    Rejected {
        /// Which carrier.
        carrier: CarrierId,
        /// When the response was read.
        at: Timestamp,
        /// Which part.
        part: PartRef,
        /// Whose ledger.
        account: Account,
        /// command_status.
        status: u32,
        /// Moved from reserved to voided, micro-units.
        voided_micros: i64,
    },
    /// A released part has no outcome: the link or the response was lost, or the gateway restarted. It will be sent again.
    InDoubt {
        /// Which carrier.
        carrier: CarrierId,
        /// When it was found.
        at: Timestamp,
        /// Which part.
        part: PartRef,
    },
    /// What was not yet sent of a message has outlived its validity (`Expired`), or what was sent got no receipt in time (`Unknown`).
    Expired {
        /// When.
        at: Timestamp,
        /// Which message.
        id: MessageId,
        /// Whose ledger.
        account: Account,
        /// What its unsent (`Expired`) or sent (`Unknown`) parts become.
        state: State,
        /// Moved from reserved to voided, micro-units.
        voided_micros: i64,
    },
    /// A carrier's receipt found its part.
    Receipted {
        /// Which carrier.
        carrier: CarrierId,
        /// When it was read.
        at: Timestamp,
        /// Which part.
        part: PartRef,
        /// Whose ledger.
        account: Account,
        /// What it says.
        state: State,
        /// The carrier's own time of it; the time of reading if it named none.
        done_at: Timestamp,
        /// Moved from reserved to posted, micro-units (tenants that pay on delivery).
        posted_micros: i64,
        /// Moved from reserved to voided, micro-units (tenants that pay on delivery).
        voided_micros: i64,
        /// The Unmatched fact that this settles; 0 if none.
        unmatched: u64,
        /// The carrier's error code as it was written.
        err: &'a [u8],
    },
    /// A carrier's receipt found no part yet; it is kept and tried again.
    Unmatched {
        /// Which carrier.
        carrier: CarrierId,
        /// When it was read.
        at: Timestamp,
        /// Its own number, counted up from 1.
        key: u64,
        /// What it says.
        notice: Notice<'a>,
    },
    /// A message has reached its end.
    Concluded(Concluded<'a>),
    /// The tenant has answered the receipt of a message.
    Reported {
        /// When.
        at: Timestamp,
        /// Which message.
        id: MessageId,
    },
    /// An Unmatched receipt is given up; it stays in the journal.
    Quarantined {
        /// When.
        at: Timestamp,
        /// Its number.
        key: u64,
    },
    /// A message's whole present state, copied forward so that its old segment can be reused.
    Kept(Kept<'a>),
    /// A name got a number, or a checkpoint of what is not per message.
    Named(Named<'a>),
}

/// How a message is to be treated, as octet flags of its Accepted fact.
pub mod flags {
    /// One receipt for each part instead of one for the message.
    pub const RECEIPT_PER_PART: u8 = 1;
    /// Posted at the receipt that says delivered, and not at submit_sm_resp.
    pub const CHARGE_DELIVERED: u8 = 2;
    /// It has a price.
    pub const PRICED: u8 = 4;
    /// Messages to one destination keep their order.
    pub const ORDERED: u8 = 8;
    /// It came over HTTP.
    pub const HTTP: u8 = 16;
    /// How far characters of the text were replaced before it was cut, as a number from 0 to 3 in these two bits.
    pub const REPLACED: u8 = 0x60;

    /// The bits of this reach.
    pub fn replaced(reach: u8) -> u8 {
        (reach << REPLACED.trailing_zeros()) & REPLACED
    }

    /// The reach in these flags.
    pub fn replaced_of(flags: u8) -> u8 {
        (flags & REPLACED) >> REPLACED.trailing_zeros()
    }
}

/// The first appearance of a message.
#[derive(Clone, Copy, Default)]
pub struct Accepted<'a> {
    /// Given by the core.
    pub id: MessageId,
    /// Given by the core.
    pub at: Timestamp,
    /// Whose message.
    pub tenant: TenantId,
    /// By which carrier it goes.
    pub carrier: CarrierId,
    /// How many parts, 1 to 255.
    pub parts: u8,
    /// Its alphabet.
    pub encoding: Encoding,
    /// registered_delivery (SMPP 3.4 section 5.2.17).
    pub registered: u8,
    /// See [`flags`].
    pub flags: u8,
    /// Priority class, 0 to 3; lanes are per class.
    pub class: u8,
    /// Price of one part, micro-units.
    pub price_micros: i64,
    /// Currency of the price.
    pub currency: Currency,
    /// The tenant's limit of reserved plus posted, micro-units; `i64::MAX` if it has none.
    pub credit_micros: i64,
    /// Day of the data key that sealed it.
    pub day: u32,
    /// Not to be sent before this.
    pub due: Timestamp,
    /// Not to be sent from this on.
    pub expires: Timestamp,
    /// Keyed hash of the destination.
    pub number: u64,
    /// The request that must not be repeated; all zero if there was no key.
    pub idempotency: Idempotency,
    /// By which carriers it may go as well, as long as none has been given any of it.
    pub others: Others,
    /// The envelope, sealed.
    pub sealed: &'a [u8],
}

/// The other carriers of a message's route that take its parts as they are, the preferred one first; at most three.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Others([u16; Others::MAX]);

impl Others {
    /// So many are kept.
    pub const MAX: usize = 3;

    /// The first of these carriers.
    pub fn of(carriers: impl Iterator<Item = CarrierId>) -> Others {
        let mut others = Others::default();
        // Zero is none, so each stands one higher.
        others.0.iter_mut().zip(carriers).for_each(|(place, carrier)| *place = carrier.0 + 1);
        others
    }

    /// The carriers.
    pub fn iter(self) -> impl Iterator<Item = CarrierId> {
        self.0.into_iter().filter_map(|place| place.checked_sub(1)).map(CarrierId)
    }
}

/// Which request a message came from, by keyed hashes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Idempotency {
    /// Hash of tenant and Idempotency-Key; 0 if there was none.
    pub key: u64,
    /// Hash of the request's body.
    pub body: u64,
    /// Which of the request's messages this is, from 0.
    pub index: u16,
    /// How many messages of the request were accepted.
    pub count: u16,
}

impl fmt::Debug for Accepted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Accepted {{ {:?}, tenant {}, {} parts, … }}", self.id, self.tenant.0, self.parts)
    }
}

/// What a carrier's receipt says.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Notice<'a> {
    /// The id in receipted_message_id; empty if absent.
    pub tlv_id: &'a [u8],
    /// The id in the text; empty if absent.
    pub text_id: &'a [u8],
    /// Keyed hash of the number that the receipt is about.
    pub number: u64,
    /// The state; `None` for words of no table, which are recorded and change nothing.
    pub state: Option<State>,
    /// done date; 0 if absent.
    pub done_at: Timestamp,
    /// The carrier's error code as it was written.
    pub err: &'a [u8],
}

impl fmt::Debug for Notice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Notice {{ {:?}, … }}", self.state)
    }
}

/// How far a part has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Stage {
    /// In its lane.
    #[default]
    Waiting = 0,
    /// In a bind's window, without an outcome.
    Released = 1,
    /// Taken by the carrier; a receipt may come.
    Sent = 2,
    /// At its end.
    Done = 3,
}

/// One part's present state or end, as written into Concluded and Kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PartSummary<'a> {
    /// The part's index, from 0.
    pub part: u8,
    /// How far it has come.
    pub stage: Stage,
    /// Its state.
    pub state: State,
    /// It may have been submitted more than once.
    pub repeat: bool,
    /// Which carrier.
    pub carrier: CarrierId,
    /// The last command_status of a refusal; 0 if none.
    pub status: u32,
    /// When the carrier took it; 0 if it did not.
    pub sent_at: Timestamp,
    /// When it ended; 0 if it has not.
    pub done_at: Timestamp,
    /// Posted for it, micro-units.
    pub posted_micros: i64,
    /// Voided for it, micro-units.
    pub voided_micros: i64,
    /// The carrier's message_id.
    pub carrier_id: &'a [u8],
    /// The carrier's error code as it was written.
    pub err: &'a [u8],
}

/// The end of a message, complete enough for its CDR lines.
#[derive(Clone, Copy, Debug, Default)]
pub struct Concluded<'a> {
    /// Which message.
    pub id: MessageId,
    /// When it ended.
    pub at: Timestamp,
    /// Whose message.
    pub tenant: TenantId,
    /// The worst of its parts' states.
    pub state: State,
    /// Its alphabet.
    pub encoding: Encoding,
    /// A receipt is owed to the tenant.
    pub report: bool,
    /// Currency of the amounts.
    pub currency: Currency,
    /// Keyed hash of the destination.
    pub number: u64,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// How many parts follow.
    pub count: u8,
    /// The parts' summaries: see [`layout::part_summaries`].
    pub parts: &'a [u8],
}

/// A message's whole present state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kept<'a> {
    /// When it was copied.
    pub at: Timestamp,
    /// What was accepted.
    pub accepted: Accepted<'a>,
    /// The message has ended, at this time; 0 if it has not.
    pub concluded_at: Timestamp,
    /// Its state.
    pub state: State,
    /// A receipt is owed to the tenant.
    pub report: bool,
    /// How many of its parts have left their lane at least once.
    pub started: u8,
    /// How many summaries follow.
    pub count: u8,
    /// Summaries of the parts that have left their lane: see [`layout::part_summaries`].
    pub parts: &'a [u8],
}

/// Names and running totals. Each segment opens with all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named<'a> {
    /// A tenant's number.
    Tenant {
        /// The number.
        tenant: TenantId,
        /// Its id in the configuration.
        name: &'a str,
    },
    /// A carrier's number.
    Carrier {
        /// The number.
        carrier: CarrierId,
        /// Its id in the configuration.
        name: &'a str,
    },
    /// A tenant's totals in one currency since ever, micro-units.
    Balance {
        /// Whose.
        tenant: TenantId,
        /// In which currency.
        currency: Currency,
        /// Reserved and neither posted nor voided yet.
        reserved_micros: i64,
        /// Posted.
        posted_micros: i64,
        /// Voided.
        voided_micros: i64,
    },
    /// Counters that never go back.
    Counters {
        /// The next message's sequence.
        sequence: u64,
        /// The next Unmatched receipt's number.
        unmatched: u64,
    },
}
