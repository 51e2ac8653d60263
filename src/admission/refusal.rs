//! Every reason to say no, in the order in which they are checked. What each becomes on the wire stands in
//! `ingress::reply`.

use std::fmt;

use crate::command::Denial;

/// Why a request is refused, in the caller's words. Nothing of its content is in here but counts and places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Wrong or missing password, API key or system_id. Which of them is not told.
    WrongCredentials,
    /// The tenant, or the gateway, has as many binds as it may.
    TooManyBinds,
    /// Too many requests or bind attempts from this caller; come again later.
    Throttled,
    /// The gateway is stopping.
    Stopping,
    /// The request cannot be read: no such field, or not of its form.
    Malformed(&'static str),
    /// What is asked for is not offered.
    Unsupported(&'static str),
    /// The destination is no number of 7 to 15 digits.
    InvalidDestination,
    /// The sender is neither a number nor at most 11 characters of GSM-7.
    InvalidSender,
    /// The tenant may not use this sender.
    SenderNotAllowed,
    /// The validity cannot be read, has passed, or is longer than a message may wait.
    InvalidValidity,
    /// The time to send at cannot be read or is too far away.
    InvalidSchedule,
    /// The user data header is not what its length says.
    InvalidHeader,
    /// A character is not in the alphabet that the caller asks for.
    NotInAlphabet {
        /// Characters before it.
        at: usize,
    },
    /// The text needs more parts than a message can have.
    TooManyParts {
        /// How many.
        parts: usize,
    },
    /// No route for the destination.
    NoRoute,
    /// The tenant has prices, and none for the destination.
    NoPrice,
    /// The tenant's credit does not cover it.
    InsufficientCredit,
    /// As many messages wait as may, or the disk is full; come again later.
    QueueFull,
    /// The Idempotency-Key was used with another body.
    KeyReused,
    /// The request with this Idempotency-Key is still being answered.
    KeyRunning,
    /// The caller has no such message.
    NoSuchMessage,
    /// The message has been released to a carrier and can no longer be changed.
    AlreadyReleased,
}

impl Refusal {
    /// The word that programs read; it never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::WrongCredentials => "wrong_credentials",
            Refusal::TooManyBinds => "too_many_binds",
            Refusal::Throttled => "throttled",
            Refusal::Stopping => "stopping",
            Refusal::Malformed(_) => "malformed",
            Refusal::Unsupported(_) => "unsupported",
            Refusal::InvalidDestination => "invalid_destination",
            Refusal::InvalidSender => "invalid_sender",
            Refusal::SenderNotAllowed => "sender_not_allowed",
            Refusal::InvalidValidity => "invalid_validity",
            Refusal::InvalidSchedule => "invalid_schedule",
            Refusal::InvalidHeader => "invalid_header",
            Refusal::NotInAlphabet { .. } => "not_in_alphabet",
            Refusal::TooManyParts { .. } => "too_long",
            Refusal::NoRoute => "no_route",
            Refusal::NoPrice => "no_price",
            Refusal::InsufficientCredit => "insufficient_credit",
            Refusal::QueueFull => "queue_full",
            Refusal::KeyReused => "key_reused",
            Refusal::KeyRunning => "key_running",
            Refusal::NoSuchMessage => "no_such_message",
            Refusal::AlreadyReleased => "already_released",
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_temporary(&self) -> bool {
        use Refusal::{InsufficientCredit, KeyRunning, QueueFull, Stopping, Throttled, TooManyBinds};
        matches!(self, TooManyBinds | Throttled | Stopping | InsufficientCredit | QueueFull | KeyRunning)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = match self {
            Refusal::Malformed(what) => return write!(f, "The request cannot be read: {what}."),
            Refusal::Unsupported(what) => return write!(f, "Not offered: {what}."),
            Refusal::NotInAlphabet { at } => {
                return write!(f, "Character {} is not in the alphabet asked for.", at + 1);
            }
            Refusal::TooManyParts { parts } => {
                return write!(f, "The text needs {parts} parts; a message has at most 255.");
            }
            Refusal::WrongCredentials => "The credentials are wrong.",
            Refusal::TooManyBinds => "There are as many binds as may be; unbind one first.",
            Refusal::Throttled => "Too many requests; come again later.",
            Refusal::Stopping => "The gateway is stopping; come again later.",
            Refusal::InvalidDestination => "The destination must be an international number of 7 to 15 digits.",
            Refusal::InvalidSender => "The sender must be a number or at most 11 characters of the GSM-7 alphabet.",
            Refusal::SenderNotAllowed => "This account may not use this sender.",
            Refusal::InvalidValidity => "The validity cannot be read, has passed, or is more than 31 days.",
            Refusal::InvalidSchedule => "The time to send at cannot be read or is more than 366 days away.",
            Refusal::InvalidHeader => "The user data header is not what its length octets say.",
            Refusal::NoRoute => "There is no route to this destination.",
            Refusal::NoPrice => "There is no price for this destination.",
            Refusal::InsufficientCredit => "The credit does not cover the message.",
            Refusal::QueueFull => "As many messages wait as may; come again later.",
            Refusal::KeyReused => "The Idempotency-Key was used with another body.",
            Refusal::KeyRunning => "The request with this Idempotency-Key is still being answered.",
            Refusal::NoSuchMessage => "There is no such message.",
            Refusal::AlreadyReleased => "The message is on its way to a carrier and can no longer be changed.",
        };
        f.write_str(sentence)
    }
}

impl std::error::Error for Refusal {}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Refusal {
        match denial {
            Denial::Credit => Refusal::InsufficientCredit,
            Denial::Full => Refusal::QueueFull,
            Denial::Stopping => Refusal::Stopping,
            Denial::KeyReused => Refusal::KeyReused,
            Denial::KeyRunning => Refusal::KeyRunning,
            Denial::NoSuchMessage => Refusal::NoSuchMessage,
        }
    }
}
