//! Fields whose octets have a meaning: esm_class, registered_delivery, interface_version, message_state
//! (SMPP 3.4 section 5.2, 5.0 section 4.7).

/// esm_class bit: the message starts with a user data header.
pub const ESM_UDHI: u8 = 0x40;

/// esm_class bit: a reply path is set.
pub const ESM_REPLY_PATH: u8 = 0x80;

/// esm_class, bits 2 to 5: what kind of message this is.
pub const ESM_TYPE_MASK: u8 = 0x3C;

/// registered_delivery, bits 0 and 1: which receipts the sender wants.
pub const REGISTERED_RECEIPT_MASK: u8 = 0x03;

/// registered_delivery bit: intermediate notifications are wanted too.
pub const REGISTERED_INTERMEDIATE: u8 = 0x10;

/// What kind of message an esm_class announces. The UDHI and reply path bits say nothing about it (quirk Q12).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageType {
    /// A message from a person or a machine.
    Default,
    /// A delivery receipt of the message centre.
    Receipt,
    /// A delivery acknowledgement by the receiving device.
    DeliveryAck,
    /// An acknowledgement by the receiving person.
    UserAck,
    /// Abort of a conversation (Korean CDMA).
    ConversationAbort,
    /// An intermediate notification of the message centre.
    Intermediate,
    /// Bits that no standard gives a meaning.
    Reserved,
}

impl MessageType {
    /// Reads bits 2 to 5.
    pub fn of(esm_class: u8) -> MessageType {
        match esm_class & ESM_TYPE_MASK {
            0x00 => MessageType::Default,
            0x04 => MessageType::Receipt,
            0x08 => MessageType::DeliveryAck,
            0x10 => MessageType::UserAck,
            0x18 => MessageType::ConversationAbort,
            0x20 => MessageType::Intermediate,
            _ => MessageType::Reserved,
        }
    }
}

/// Which rules a peer keeps to, after the interface_version of its bind or bind response.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Version {
    /// SMPP 3.3: message ids of at most 8 characters, and no TLVs may be sent to it.
    V33,
    /// SMPP 3.4.
    V34,
    /// SMPP 5.0.
    V50,
}

impl Version {
    /// Any octet means something: peers write 34 for 0x34 and worse (quirk Q84).
    pub fn of(interface_version: u8) -> Version {
        match interface_version {
            0..=0x33 => Version::V33,
            0x34..=0x4F => Version::V34,
            0x50..=0xFF => Version::V50,
        }
    }

    /// The octet to announce oneself with.
    pub fn interface_version(self) -> u8 {
        match self {
            Version::V33 => 0x33,
            Version::V34 => 0x34,
            Version::V50 => 0x50,
        }
    }
}

/// message_state (SMPP 3.4 section 5.2.28, 5.0 section 4.7.15).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum MessageState {
    /// To be sent at a later time (5.0).
    Scheduled = 0,
    /// On its way.
    Enroute = 1,
    /// Delivered to the device.
    Delivered = 2,
    /// The validity period ended first.
    Expired = 3,
    /// Cancelled or deleted.
    Deleted = 4,
    /// It cannot be delivered.
    Undeliverable = 5,
    /// Accepted on the subscriber's behalf, for example by customer service.
    Accepted = 6,
    /// The message centre does not know.
    Unknown = 7,
    /// Refused by the message centre.
    Rejected = 8,
    /// Accepted and not sent on purpose (5.0).
    Skipped = 9,
}

impl MessageState {
    /// Every state in the order of its octet.
    pub const ALL: [MessageState; 10] = [
        MessageState::Scheduled,
        MessageState::Enroute,
        MessageState::Delivered,
        MessageState::Expired,
        MessageState::Deleted,
        MessageState::Undeliverable,
        MessageState::Accepted,
        MessageState::Unknown,
        MessageState::Rejected,
        MessageState::Skipped,
    ];

    /// Reads the octet of the field or of the TLV.
    pub fn of(octet: u8) -> Option<MessageState> {
        MessageState::ALL.get(usize::from(octet)).copied()
    }

    /// The octet of the field and of the TLV.
    pub fn octet(self) -> u8 {
        self as u8
    }

    /// The state's name in the standard, in upper case.
    pub fn name(self) -> &'static str {
        match self {
            MessageState::Scheduled => "SCHEDULED",
            MessageState::Enroute => "ENROUTE",
            MessageState::Delivered => "DELIVERED",
            MessageState::Expired => "EXPIRED",
            MessageState::Deleted => "DELETED",
            MessageState::Undeliverable => "UNDELIVERABLE",
            MessageState::Accepted => "ACCEPTED",
            MessageState::Unknown => "UNKNOWN",
            MessageState::Rejected => "REJECTED",
            MessageState::Skipped => "SKIPPED",
        }
    }

    /// The word after `stat:` in the text of a receipt, at most 9 characters (3.4 appendix B).
    pub fn stat(self) -> &'static str {
        match self {
            MessageState::Scheduled => "SCHEDULED",
            MessageState::Enroute => "ENROUTE",
            MessageState::Delivered => "DELIVRD",
            MessageState::Expired => "EXPIRED",
            MessageState::Deleted => "DELETED",
            MessageState::Undeliverable => "UNDELIV",
            MessageState::Accepted => "ACCEPTD",
            MessageState::Unknown => "UNKNOWN",
            MessageState::Rejected => "REJECTD",
            MessageState::Skipped => "SKIPPED",
        }
    }

    /// Whether the message is done with. UNKNOWN is not: a later receipt may still say more.
    pub fn is_final(self) -> bool {
        !matches!(
            self,
            MessageState::Scheduled | MessageState::Enroute | MessageState::Accepted | MessageState::Unknown
        )
    }

    /// Reads the word after `stat:`, in any case: the standard's words and the spellings that carriers use for them.
    pub fn from_stat(word: &[u8]) -> Option<MessageState> {
        let word = word.strip_suffix(b".").unwrap_or(word);
        let listed = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
        WORDS.iter().find(|(_, words)| listed(words)).map(|(state, _)| *state)
    }
}

/// The words of each state, the commonest states first.
const WORDS: &[(MessageState, &[&str])] = &[
    (MessageState::Delivered, &["DELIVRD", "DELIVERED", "DELIVERD", "DLVRD", "DELIVRED", "SUCCESS"]),
    (
        MessageState::Undeliverable,
        &["UNDELIV", "UNDELIVERABLE", "UNDELIVERED", "UNDELVD", "UNDELIVRD", "FAILED", "ABSENT", "NOROUTE"],
    ),
    (MessageState::Expired, &["EXPIRED", "EXPIRD", "EXPIRE"]),
    (MessageState::Rejected, &["REJECTD", "REJECTED", "REJECT", "REJECTE", "DND_REJECTED", "BLOCKED", "BLACKLISTED"]),
    (MessageState::Accepted, &["ACCEPTD", "ACCEPTED", "ACCEPTE", "SUBMITD", "ACK"]),
    (MessageState::Enroute, &["ENROUTE", "ENROUT", "EN_ROUTE", "BUFFERED", "BUFFRED", "SENT"]),
    (MessageState::Deleted, &["DELETED", "DELETE"]),
    (MessageState::Unknown, &["UNKNOWN", "UNKNOWN_STATE", "UNKNOWNSTATE"]),
    (MessageState::Scheduled, &["SCHEDULED"]),
    (MessageState::Skipped, &["SKIPPED"]),
];
