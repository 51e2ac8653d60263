//! What a case expects: the answers that the standard allows, in one line, and whether one of them came.

use std::fmt;

use crate::smpp::status::CommandStatus;
use crate::tools::conform::check::{Read, Received};
use crate::tools::conform::layout::{GENERIC_NACK, Layout, RESPONSE, name_of};
use crate::tools::conform::template::number;

/// One of the things that may happen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// A PDU.
    Pdu(Wanted),
    /// Nothing: the next enquire_link is answered first.
    Nothing,
    /// Silence: what was sent is half a PDU, or one that the peer still waits for.
    Quiet,
    /// The peer closes the connection.
    Close,
}

/// Which PDU.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Wanted {
    which: Which,
    statuses: Vec<Status>,
    facts: Vec<Fact>,
    /// The sequence number where it is not the request's.
    pub(super) sequence: Option<u32>,
    /// Whether the peer closes the connection afterwards.
    pub(super) ends: bool,
    /// Whether the message_id is kept as `$id`.
    pub(super) saves: bool,
    /// Whether answers to several requests have different ids.
    pub(super) distinct: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Which {
    /// The request's own response.
    Own,
    /// The request's own response or generic_nack.
    Any,
    Named(u32),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Status {
    Any,
    Error,
    Is(u32),
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Fact {
    /// A message_id that is not empty and has at most so many characters.
    Id(usize),
    /// A field is not empty.
    Full(String),
    /// A TLV is there.
    Tlv(u16),
    /// No TLV is there.
    NoTlvs,
    /// An octet has this value.
    Octet(String, u8),
    /// A field is text with these characters.
    Text(String, String),
}

impl Answer {
    /// Reads the alternatives of one line, which are joined by ` | `.
    pub(super) fn parse_all(line: &str) -> Result<Vec<Answer>, String> {
        line.split(" | ").map(|one| Answer::parse(one.trim())).collect()
    }

    fn parse(text: &str) -> Result<Answer, String> {
        let mut words = text.split_whitespace();
        let first = words.next().ok_or("an empty alternative")?;
        let which = match first {
            "nothing" => return Ok(Answer::Nothing),
            "quiet" => return Ok(Answer::Quiet),
            "close" => return Ok(Answer::Close),
            "resp" => Which::Own,
            "any" => Which::Any,
            "nack" => Which::Named(GENERIC_NACK),
            name => Which::Named(Layout::named(name).ok_or_else(|| format!("{name:?} is no PDU"))?.id),
        };
        let statuses = match words.next() {
            None => vec![Status::Any],
            Some(list) => list.split(',').map(Status::parse).collect::<Result<_, _>>()?,
        };
        let mut wanted =
            Wanted { which, statuses, facts: Vec::new(), sequence: None, ends: false, saves: false, distinct: false };
        for word in words {
            wanted.attribute(word)?;
        }
        Ok(Answer::Pdu(wanted))
    }
}

impl Wanted {
    fn attribute(&mut self, word: &str) -> Result<(), String> {
        match word {
            "ends" => self.ends = true,
            "save" => self.saves = true,
            "distinct" => self.distinct = true,
            "id" => self.facts.push(Fact::Id(64)),
            "system_id" => self.facts.push(Fact::Full(word.to_owned())),
            "notlvs" => self.facts.push(Fact::NoTlvs),
            _ => {
                let (key, value) = word.split_once('=').ok_or_else(|| format!("{word:?} says nothing"))?;
                match key {
                    "seq" => self.sequence = Some(number(value)?),
                    "tlv" => self.facts.push(Fact::Tlv(number(value)? as u16)),
                    "id<" => self.facts.push(Fact::Id(number(value)? as usize)),
                    _ if value.starts_with(|first: char| first.is_ascii_digit()) => {
                        self.facts.push(Fact::Octet(key.to_owned(), number(value)? as u8));
                    }
                    _ => self.facts.push(Fact::Text(key.to_owned(), value.to_owned())),
                }
            }
        }
        Ok(())
    }

    /// Whether this PDU answers a request of that command_id as wanted; `id` is the one that was saved.
    pub(super) fn takes(&self, asked: u32, pdu: &Received, read: &Read<'_>, id: &str) -> bool {
        let own = asked | RESPONSE;
        let named = match self.which {
            Which::Own => pdu.id == own,
            Which::Any => pdu.id == own || pdu.id == GENERIC_NACK,
            Which::Named(id) => pdu.id == id,
        };
        named
            && self.statuses.iter().any(|status| status.takes(pdu.status))
            && self.facts.iter().all(|fact| fact.holds(read, id))
    }

    /// Whether it is a generic_nack, or whatever else this names, that comes under a number of its own.
    pub(super) fn comes_as(&self, pdu: &Received) -> bool {
        self.sequence == Some(pdu.sequence) && self.which == Which::Named(pdu.id)
    }
}

impl Status {
    fn parse(text: &str) -> Result<Status, String> {
        match text {
            "any" => Ok(Status::Any),
            "error" => Ok(Status::Error),
            _ if text.starts_with(|first: char| first.is_ascii_digit()) => number(text).map(Status::Is),
            _ => {
                let named = CommandStatus::all().find(|status| status.name().is_some_and(|name| name[5..] == *text));
                named.map(|status| Status::Is(status.0)).ok_or_else(|| format!("{text:?} is no command_status"))
            }
        }
    }

    fn takes(self, status: u32) -> bool {
        match self {
            Status::Any => true,
            Status::Error => status != 0,
            Status::Is(wanted) => status == wanted,
        }
    }
}

impl Fact {
    fn holds(&self, read: &Read<'_>, id: &str) -> bool {
        match self {
            Fact::Id(max) => read.field("message_id").is_some_and(|id| !id.is_empty() && id.len() <= *max),
            Fact::Full(name) => read.field(name).is_some_and(|octets| !octets.is_empty()),
            Fact::Tlv(tag) => read.tlv(*tag).is_some(),
            Fact::NoTlvs => read.tlv_count() == 0,
            Fact::Octet(name, value) => read.field(name) == Some(&[*value][..]),
            Fact::Text(name, value) => {
                let value = if value == "$id" { id } else { value };
                read.field(name) == Some(value.as_bytes())
            }
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Nothing => f.write_str("no answer"),
            Answer::Quiet => f.write_str("silence"),
            Answer::Close => f.write_str("the connection closed"),
            Answer::Pdu(wanted) => {
                match wanted.which {
                    Which::Own => f.write_str("its response")?,
                    Which::Any => f.write_str("its response or generic_nack")?,
                    Which::Named(id) => f.write_str(&name_of(id))?,
                }
                for (at, status) in wanted.statuses.iter().enumerate() {
                    f.write_str(if at == 0 { " " } else { "," })?;
                    match status {
                        Status::Any => f.write_str("of any status")?,
                        Status::Error => f.write_str("with an error")?,
                        Status::Is(code) => f.write_str(&status_name(*code))?,
                    }
                }
                for fact in &wanted.facts {
                    match fact {
                        Fact::Id(max) => write!(f, " with a message_id of 1 to {max} characters")?,
                        Fact::Full(name) => write!(f, " with a {name}")?,
                        Fact::Tlv(tag) => write!(f, " with TLV 0x{tag:04X}")?,
                        Fact::NoTlvs => f.write_str(" without TLVs")?,
                        Fact::Octet(name, value) => write!(f, " with {name} {value}")?,
                        Fact::Text(name, value) => write!(f, " with {name} {value}")?,
                    }
                }
                if let Some(sequence) = wanted.sequence {
                    write!(f, " under sequence_number {sequence}")?;
                }
                Ok(())
            }
        }
    }
}

/// The name of a status, or its number.
pub(super) fn status_name(status: u32) -> String {
    CommandStatus(status).name().map_or_else(|| format!("0x{status:08X}"), str::to_owned)
}

/// All alternatives in words.
pub(super) fn in_words(answers: &[Answer]) -> String {
    answers.iter().map(Answer::to_string).collect::<Vec<_>>().join(", or ")
}

#[cfg(test)]
mod tests {
    use super::{Answer, in_words};
    use crate::tools::conform::check::{Received, read};

    #[test]
    fn an_answer_is_one_of_the_alternatives() {
        let answers = Answer::parse_all("resp ROK id | nack RINVCMDID,0x02 seq=0").expect("two alternatives");
        assert!(in_words(&answers).contains("ESME_RINVCMDLEN"), "{}", in_words(&answers));
        let takes = |id: u32, status: u32, body: &[u8]| {
            let pdu = Received { id, status, sequence: 0, body: body.to_vec() };
            let found = read(&pdu).expect("a PDU");
            answers.iter().any(|answer| matches!(answer, Answer::Pdu(wanted) if wanted.takes(4, &pdu, &found, "")))
        };
        assert!(takes(0x8000_0004, 0, b"1\0"));
        assert!(!takes(0x8000_0004, 0, b"\0"));
        assert!(!takes(0x8000_0004, 8, b""));
        assert!(takes(0x8000_0000, 2, b"") && takes(0x8000_0000, 3, b"") && !takes(0x8000_0000, 8, b""));
        for wrong in ["", "resp NOSUCH", "nobody ROK", "resp ROK nonsense"] {
            assert!(Answer::parse_all(wrong).is_err(), "{wrong}");
        }
    }
}
