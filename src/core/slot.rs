//! What the core holds of a message in memory: one slot, and one part entry for each part that has left its lane.

use crate::fact::Stage;
use crate::message::{CarrierId, Encoding, MessageId, Place, State, TenantId, Timestamp};

/// No slot, no part.
pub(super) const NONE: u32 = u32::MAX;

/// A message. A waiting message costs this and its links in lanes and wheel: see `slot_is_small`.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Slot {
    /// Zero: the slot is free, and `first_part` links the free slots.
    pub(super) id: MessageId,
    /// Where its Accepted or Kept record stands.
    pub(super) place: Place,
    /// Keyed hash of the destination.
    pub(super) number: u64,
    /// Where the open envelope stands in the arena, if it does; while it is scheduled, when it is due (microseconds).
    pub(super) body: u64,
    pub(super) accepted_at: Timestamp,
    /// Not to be sent from this second on. Once it has ended: when that was.
    pub(super) expires_s: u32,
    /// The part entries, linked; `NONE` if no part has left the lane.
    pub(super) first_part: u32,
    /// Index of its price.
    pub(super) tariff: u32,
    pub(super) tenant: TenantId,
    pub(super) carrier: CarrierId,
    pub(super) parts: u8,
    /// Parts that have left the lane at least once; the next fresh part's index.
    pub(super) started: u8,
    /// Parts at their end.
    pub(super) ended: u8,
    pub(super) state: State,
    /// `fact::flags` in the low five bits, the encoding above them.
    pub(super) flags: u8,
    /// registered_delivery in the low six bits, the class above them.
    pub(super) registered: u8,
    /// See [`bits`].
    pub(super) bits: u16,
}

/// Where a message is, as bits of its slot.
pub(super) mod bits {
    /// In its lane.
    pub(in crate::core) const IN_LANE: u16 = 1;
    /// Sleeping until due, or until its next try. In its lane as well only until its turn comes.
    pub(in crate::core) const SCHEDULED: u16 = 2;
    /// The reader has been asked for its body.
    pub(in crate::core) const LOADING: u16 = 4;
    /// The tenant's bucket has been charged for it.
    pub(in crate::core) const PACED: u16 = 8;
    /// It has ended.
    pub(in crate::core) const CONCLUDED: u16 = 16;
    /// Its receipt is owed to the tenant.
    pub(in crate::core) const OWED: u16 = 32;
    /// An Idempotency-Key holds it for a day.
    pub(in crate::core) const KEYED: u16 = 64;
    /// Nothing depends on its record any more; kept for status queries while there is room.
    pub(in crate::core) const FINISHED: u16 = 128;
    /// Among what is owed to its tenant and not in a window.
    pub(in crate::core) const QUEUED: u16 = 256;
    /// In the order of its destination.
    pub(in crate::core) const IN_ORDER: u16 = 512;
    /// Out of its lane until the message before it in that order has been answered.
    pub(in crate::core) const BEHIND: u16 = 1024;
}

const FLAG_BITS: u8 = 0b1_1111;
const REGISTERED_BITS: u8 = 0b11_1111;

impl Slot {
    pub(super) fn has(&self, bit: u16) -> bool {
        self.bits & bit != 0
    }

    pub(super) fn set(&mut self, bit: u16, on: bool) {
        self.bits = if on { self.bits | bit } else { self.bits & !bit };
    }

    pub(super) fn flag(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// When a message that replay has left is due.
    pub(super) fn due(&self) -> Timestamp {
        if self.state == State::Scheduled { Timestamp(self.body as i64) } else { Timestamp(0) }
    }

    pub(super) fn pack_registered(registered: u8, class: u8) -> u8 {
        registered & REGISTERED_BITS | class << 6
    }

    pub(super) fn registered(&self) -> u8 {
        self.registered & REGISTERED_BITS
    }

    pub(super) fn class(&self) -> u8 {
        self.registered >> 6
    }

    pub(super) fn pack_flags(flags: u8, encoding: Encoding) -> u8 {
        flags & FLAG_BITS | (encoding as u8) << 5
    }

    pub(super) fn encoding(&self) -> Encoding {
        Encoding::from_octet(self.flags >> 5)
    }
}

/// Carrier ids up to this length stand in the entry; longer ones in a map beside the slab.
pub(super) const CARRIER_ID_INLINE: usize = 40;

/// A part that has left its lane at least once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) slot: u32,
    /// The message's next part entry, or the next free entry.
    pub(super) next: u32,
    pub(super) sent_at: Timestamp,
    pub(super) done_at: Timestamp,
    pub(super) status: u32,
    pub(super) index: u8,
    pub(super) stage: Stage,
    pub(super) state: State,
    pub(super) repeat: bool,
    /// Money: posted, voided, or still reserved.
    pub(super) posted: bool,
    pub(super) voided: bool,
    pub(super) attempts: u8,
    /// Links that were lost while it was unanswered, and those of them on which it was alone although the carrier answers others.
    pub(super) losses: u8,
    pub(super) losses_alone: u8,
    /// The carrier's count of answers at the first of them.
    pub(super) answers_before: u32,
    /// The tenant has answered the receipt of this part.
    pub(super) told: bool,
    pub(super) err: [u8; 8],
    pub(super) carrier_id_octets: u8,
    pub(super) carrier_id: [u8; CARRIER_ID_INLINE],
}

impl Default for Part {
    fn default() -> Part {
        Part {
            slot: NONE,
            next: NONE,
            sent_at: Timestamp(0),
            done_at: Timestamp(0),
            status: 0,
            index: 0,
            stage: Stage::Waiting,
            state: State::Accepted,
            repeat: false,
            posted: false,
            voided: false,
            attempts: 0,
            losses: 0,
            losses_alone: 0,
            answers_before: 0,
            told: false,
            err: [0; 8],
            carrier_id_octets: 0,
            carrier_id: [0; CARRIER_ID_INLINE],
        }
    }
}

impl Part {
    /// The error code without its filling.
    pub(super) fn err(&self) -> &[u8] {
        let length = self.err.iter().position(|octet| *octet == 0).unwrap_or(self.err.len());
        &self.err[..length]
    }

    pub(super) fn set_err(&mut self, err: &[u8]) {
        self.err = [0; 8];
        let length = err.len().min(self.err.len());
        self.err[..length].copy_from_slice(&err[..length]);
    }
}

const _: () = assert!(size_of::<Slot>() <= 64, "a waiting message is one slot of at most 64 octets");
const _: () = assert!(size_of::<Part>() <= 104, "a part in flight is small");
