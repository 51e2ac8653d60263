//! The nouns: tenants, carriers, ids, times, money, states.

pub mod amount;
pub mod coding;
pub mod optional;
pub mod prefix;
pub mod rate;
pub mod receipt_format;
pub mod smart;

use std::fmt;

/// A tenant's number, interned by a Named fact; never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct TenantId(pub u16);

/// A carrier account's number, interned by a Named fact; never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct CarrierId(pub u16);

/// A message: shard in the upper 10 bits, sequence in the lower 54. Zero is no message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct MessageId(pub u64);

const SEQUENCE_BITS: u32 = 54;

impl MessageId {
    /// The id of `sequence` (54 bits) in `shard` (10 bits).
    pub fn new(shard: u16, sequence: u64) -> MessageId {
        debug_assert!(shard < 1 << 10 && sequence < 1 << SEQUENCE_BITS, "an id holds 10 and 54 bits");
        MessageId(u64::from(shard) << SEQUENCE_BITS | sequence)
    }

    /// The shard that owns the message.
    pub fn shard(self) -> u16 {
        (self.0 >> SEQUENCE_BITS) as u16
    }

    /// The message's number within its shard, counted from 1.
    pub fn sequence(self) -> u64 {
        self.0 & ((1 << SEQUENCE_BITS) - 1)
    }
}

/// Octets of a printed id: 128 bits in Crockford's base 32.
pub const PRINTED_ID_OCTETS: usize = 26;
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// An id as a sender sees it: the 64 bits of the id and a keyed hash of them, so that ids cannot be guessed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PrintedId([u8; PRINTED_ID_OCTETS]);

impl PrintedId {
    /// Prints `id` with `check`, its keyed hash.
    pub fn new(id: MessageId, check: u64) -> PrintedId {
        let mut bits = u128::from(id.0) << 64 | u128::from(check);
        let mut text = [b'0'; PRINTED_ID_OCTETS];
        for place in text.iter_mut().rev() {
            *place = BASE32[(bits & 31) as usize];
            bits >>= 5;
        }
        PrintedId(text)
    }

    /// Reads a printed id back into the id and the hash it claims; the caller compares the hash.
    pub fn parse(text: &[u8]) -> Option<(MessageId, u64)> {
        if text.len() != PRINTED_ID_OCTETS {
            return None;
        }
        let mut bits: u128 = 0;
        for (i, octet) in text.iter().enumerate() {
            let digit = BASE32.iter().position(|b| *b == octet.to_ascii_lowercase())? as u128;
            if i == 0 && digit > 7 {
                return None;
            }
            bits = bits << 5 | digit;
        }
        Some((MessageId((bits >> 64) as u64), bits as u64))
    }

    /// The 26 characters.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for PrintedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).expect("base 32 digits are ASCII"))
    }
}

/// Microseconds since 1970-01-01 UTC: the wall clock at start plus monotonic time since.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// `micros` later.
    pub fn plus_micros(self, micros: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(micros))
    }

    /// `seconds` later.
    pub fn plus_seconds(self, seconds: i64) -> Timestamp {
        self.plus_micros(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds from `earlier` to this; negative when `earlier` is later.
    pub fn micros_since(self, earlier: Timestamp) -> i64 {
        self.0 - earlier.0
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Whole days since 1970: the day of a data key.
    pub fn day(self) -> u32 {
        u32::try_from(self.0.div_euclid(86_400_000_000)).unwrap_or(0)
    }
}

/// An ISO 4217 code, three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Currency(pub [u8; 3]);

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).unwrap_or("???"))
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An amount in millionths of its currency's unit. There is no floating-point money anywhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Money {
    /// Millionths of one unit of `currency`.
    pub micros: i64,
    /// The currency; amounts of two currencies are never added.
    pub currency: Currency,
}

/// Prints micro-units as a decimal amount with at least two decimals: 26400 is "0.0264".
pub fn print_micros(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let whole = micros.unsigned_abs();
    let mut decimals = format!("{:06}", whole % 1_000_000);
    while decimals.len() > 2 && decimals.ends_with('0') {
        decimals.pop();
    }
    format!("{sign}{}.{decimals}", whole / 1_000_000)
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", print_micros(self.micros), self.currency)
    }
}

/// Where a message or a part stands: SMPP 5.0 section 4.7.15 in lower case, plus `Scheduled` (5.0) and `Accepted`, which here means
/// stored by this gateway and not yet sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum State {
    /// Stored, to be sent later than now.
    Scheduled = 0,
    /// A carrier has taken it; no final receipt yet.
    Enroute = 1,
    /// A final receipt says it reached the handset.
    Delivered = 2,
    /// Its validity ended before it was sent, or the carrier says so.
    Expired = 3,
    /// Cancelled.
    Deleted = 4,
    /// The carrier could not deliver it.
    Undeliverable = 5,
    /// Stored and waiting to be sent.
    #[default]
    Accepted = 6,
    /// Sent, and no final receipt came in time.
    Unknown = 7,
    /// A carrier refused it.
    Rejected = 8,
}

impl State {
    /// The state of SMPP's message_state octet; `None` for octets that are not in the table.
    pub fn from_smpp(octet: u8) -> Option<State> {
        Some(match octet {
            0 => State::Scheduled,
            1 => State::Enroute,
            2 => State::Delivered,
            3 => State::Expired,
            4 => State::Deleted,
            5 => State::Undeliverable,
            6 => State::Accepted,
            7 => State::Unknown,
            8 | 9 => State::Rejected,
            _ => return None,
        })
    }

    /// SMPP's message_state octet.
    pub fn smpp(self) -> u8 {
        self as u8
    }

    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            State::Scheduled => "scheduled",
            State::Enroute => "enroute",
            State::Delivered => "delivered",
            State::Expired => "expired",
            State::Deleted => "deleted",
            State::Undeliverable => "undeliverable",
            State::Accepted => "accepted",
            State::Unknown => "unknown",
            State::Rejected => "rejected",
        }
    }

    /// The seven-letter word of a receipt's text (SMPP 3.4 appendix B).
    pub fn stat(self) -> &'static str {
        match self {
            State::Scheduled => "SCHEDULED",
            State::Enroute => "ENROUTE",
            State::Delivered => "DELIVRD",
            State::Expired => "EXPIRED",
            State::Deleted => "DELETED",
            State::Undeliverable => "UNDELIV",
            State::Accepted => "ACCEPTD",
            State::Unknown => "UNKNOWN",
            State::Rejected => "REJECTD",
        }
    }

    /// Whether nothing can follow.
    pub fn is_final(self) -> bool {
        !matches!(self, State::Scheduled | State::Enroute | State::Accepted)
    }

    /// How bad an end is: the state of a message is the worst of its parts' (rejected, undeliverable, expired, unknown, delivered).
    pub fn severity(self) -> u8 {
        match self {
            State::Scheduled | State::Accepted | State::Enroute => 0,
            State::Delivered => 1,
            State::Unknown => 2,
            State::Expired => 3,
            State::Deleted => 4,
            State::Undeliverable => 5,
            State::Rejected => 6,
        }
    }
}

/// The alphabet that a message went out in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum Encoding {
    /// GSM 7 bit default alphabet, one septet an octet on the link.
    #[default]
    Gsm7 = 0,
    /// UTF-16, big endian.
    Ucs2 = 1,
    /// ISO 8859-1.
    Latin1 = 2,
    /// Octets that are no text.
    Binary = 3,
}

impl Encoding {
    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Gsm7 => "gsm7",
            Encoding::Ucs2 => "ucs2",
            Encoding::Latin1 => "latin1",
            Encoding::Binary => "binary",
        }
    }

    /// The encoding of a stored octet.
    pub fn from_octet(octet: u8) -> Encoding {
        match octet {
            0 => Encoding::Gsm7,
            1 => Encoding::Ucs2,
            2 => Encoding::Latin1,
            _ => Encoding::Binary,
        }
    }
}

/// Where a record lies in this node's journal. It is never written into a record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Place {
    /// The segment's number; they count up and are not reused.
    pub segment: u32,
    /// Octets from the segment's start to the record's first octet.
    pub offset: u32,
}

/// One end of the exchange: a bind, the HTTP server, the journal's reader. Reused once its closing has been seen by the core.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct LinkId(pub u32);

/// A value that may be used and must not be read by people: numbers, bodies, secrets. It prints as dots.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Hidden<T>(pub T);

impl<T> fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl<T> fmt::Display for Hidden<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_id_reads_back() {
        for (id, check) in [(0, 0), (u64::MAX, u64::MAX), (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210)] {
            let printed = PrintedId::new(MessageId(id), check);
            assert_eq!(PrintedId::parse(printed.as_bytes()), Some((MessageId(id), check)));
        }
        assert_eq!(PrintedId::parse(b"zzzzzzzzzzzzzzzzzzzzzzzzzz"), None);
        assert_eq!(PrintedId::parse(b"short"), None);
    }

    #[test]
    fn money_prints_exactly() {
        assert_eq!(print_micros(26_400), "0.0264");
        assert_eq!(print_micros(1_000_000), "1.00");
        assert_eq!(print_micros(-1_500_000), "-1.50");
        assert_eq!(print_micros(1), "0.000001");
    }
}
