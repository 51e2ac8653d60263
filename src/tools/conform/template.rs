//! What a case sends: a PDU by name with some of its fields set, or octets as they are. Built when it is played, because
//! credentials, sequence numbers and ids of earlier answers go in.

use std::fmt;

use crate::tools::conform::check::Received;
use crate::tools::conform::layout::{Kind, Layout, RESPONSE};

/// Where the values come from that a case does not say.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    /// `$system_id`.
    pub(super) system_id: String,
    /// `$password`.
    pub(super) password: String,
    /// `$to`: digits of a destination.
    pub(super) to: String,
    /// `$from`: digits of a sender.
    pub(super) from: String,
    /// `$id`: the message_id that was saved last.
    pub(super) id: String,
}

/// Something to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Template {
    /// A PDU.
    Pdu {
        /// Its command_id.
        id: u32,
        /// What differs from a plain one, in order.
        sets: Vec<(String, String)>,
    },
    /// Octets.
    Raw(Vec<u8>),
}

/// What it became.
#[derive(Clone, Debug)]
pub(super) struct Built {
    /// The octets for the wire.
    pub(super) octets: Vec<u8>,
    /// Its command_id, if the octets reach so far.
    pub(super) id: Option<u32>,
    /// Its sequence number, if the octets reach so far.
    pub(super) sequence: Option<u32>,
}

/// Stands for the response of whatever is answered. It is a response's number that no standard uses.
const RESP: u32 = 0xFFFF_FFFF;

/// Settings that are no fields.
const OTHERS: [&str; 15] = [
    "length", "id", "status", "seq", "cut", "sever", "tail", "body", "tlv", "tlvlie", "text", "octets", "fill",
    "payload", "drop_nul",
];

impl Template {
    /// Reads `submit_sm esm_class=0x40 octets=0500…`, `id=0x0A tail=00`, `raw 0011…`, `ascii GET /` or `noise SEED OCTETS`.
    pub(super) fn parse(text: &str) -> Result<Template, String> {
        let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
        match first {
            "raw" => return octets_of(rest).map(Template::Raw),
            "ascii" => return Ok(Template::Raw(rest.replace("\\r\\n", "\r\n").into_bytes())),
            "noise" => return noise(rest).map(Template::Raw),
            _ => {}
        }
        let (id, layout, words) = match Layout::named(first) {
            Some(layout) => (layout.id, Some(layout), rest),
            None if first == "resp" => (RESP, Layout::named("bind_transceiver_resp"), rest),
            None if first.starts_with("id=") => (number(&first[3..])?, None, rest),
            None => return Err(format!("{first:?} is no PDU")),
        };
        let mut sets = Vec::new();
        for word in words.split_whitespace() {
            let (key, value) = word.split_once('=').ok_or_else(|| format!("{word:?} is not KEY=VALUE"))?;
            let field = layout.is_some_and(|layout| layout.fields().any(|field| field.name == key));
            if !field && !OTHERS.contains(&key) {
                return Err(format!("{first} has no {key}"));
            }
            sets.push((key.to_owned(), value.to_owned()));
        }
        Ok(Template::Pdu { id, sets })
    }

    /// The octets that answer a request. What is called `resp` becomes its own response.
    pub(super) fn build_for(&self, request: &Received, values: &Values) -> Result<Built, String> {
        match self {
            Template::Pdu { id: RESP, sets } => {
                Template::Pdu { id: request.id | RESPONSE, sets: sets.clone() }.build(request.sequence, values)
            }
            _ => self.build(request.sequence, values),
        }
    }

    /// The octets, under this sequence number unless it sets its own.
    pub(super) fn build(&self, sequence: u32, values: &Values) -> Result<Built, String> {
        let octets = match self {
            Template::Raw(octets) => octets.clone(),
            Template::Pdu { id, sets } => pdu(*id, sequence, sets, values)?,
        };
        let word = |at: usize| {
            octets.get(at..at + 4).map(|word| u32::from_be_bytes(word.try_into().expect("four octets were taken")))
        };
        let (id, sequence) = (word(4), word(12));
        Ok(Built { octets, id, sequence })
    }
}

fn pdu(id: u32, sequence: u32, sets: &[(String, String)], values: &Values) -> Result<Vec<u8>, String> {
    let set = |key: &str| sets.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let mut body = match set("body") {
        Some(hex) => octets_of(hex)?,
        None => body_of(id, sets, values)?,
    };
    for (key, value) in sets {
        match key.as_str() {
            "tlv" => {
                let (tag, value) = value.split_once(':').ok_or("tlv=TAG:HEX")?;
                let value = octets_of(value)?;
                tlv(number(tag)?, value.len(), &value, &mut body);
            }
            "tlvlie" => {
                let mut cells = value.splitn(3, ':');
                let mut cell = || cells.next().ok_or("tlvlie=TAG:LENGTH:HEX");
                let (tag, length, value) = (number(cell()?)?, number(cell()?)?, octets_of(cell()?)?);
                tlv(tag, length as usize, &value, &mut body);
            }
            "payload" => {
                let value = vec![b'a'; number(value)? as usize];
                tlv(0x0424, value.len(), &value, &mut body);
            }
            "tail" => body.extend(octets_of(value)?),
            _ => {}
        }
    }
    let mut octets = vec![0; 16];
    octets.extend(body);
    if let Some(cut) = set("cut") {
        octets.truncate((number(cut)? as usize).max(16));
    }
    let or = |key: &str, plain: u32| set(key).map_or(Ok(plain), number);
    let header = [or("length", octets.len() as u32)?, or("id", id)?, or("status", 0)?, or("seq", sequence)?];
    for (place, word) in octets.chunks_exact_mut(4).zip(header) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    if let Some(sever) = set("sever") {
        octets.truncate(number(sever)? as usize);
    }
    Ok(octets)
}

fn body_of(id: u32, sets: &[(String, String)], values: &Values) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    let Some(layout) = Layout::of(id) else { return Ok(body) };
    let set = |key: &str| sets.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let message = match (set("octets"), set("fill"), set("text"), set("payload")) {
        (Some(hex), ..) => octets_of(hex)?,
        (_, Some(count), ..) => vec![b'a'; number(count)? as usize],
        (_, _, Some(text), _) => text.replace('_', " ").into_bytes(),
        (.., Some(_)) => Vec::new(),
        _ if layout.name == "deliver_sm" || layout.name == "submit_sm" => b"Hello world".to_vec(),
        _ => b"Hello".to_vec(),
    };
    for field in layout.fields() {
        let value = set(field.name).map_or_else(|| plain(field.name, id), str::to_owned);
        let value = substitute(&value, values);
        match field.kind {
            Kind::Octet if field.name == "sm_length" && value.is_empty() => body.push(message.len() as u8),
            Kind::Octet => body.push(if value.is_empty() { 0 } else { number(&value)? as u8 }),
            Kind::Text(_) => {
                body.extend(text_of(&value)?);
                if !value.starts_with("x:") && set("drop_nul") != Some(field.name) {
                    body.push(0);
                }
            }
            Kind::Counted => body.extend_from_slice(&message),
            Kind::Dests | Kind::Failures => body.extend(octets_of(&value)?),
        }
    }
    Ok(body)
}

/// What a field holds that a case does not set.
fn plain(name: &str, id: u32) -> String {
    let value = match name {
        "system_id" if id & 0x8000_0000 != 0 => "conform",
        "system_id" => "$system_id",
        "password" => "$password",
        "interface_version" => "0x34",
        "source_addr_ton" | "source_addr_npi" | "dest_addr_ton" | "dest_addr_npi" => "1",
        "esme_addr_ton" | "esme_addr_npi" | "number_of_dests" => "1",
        "source_addr" | "esme_addr" => "$from",
        "destination_addr" => "$to",
        // One SME, international, ISDN: 447700900123.
        "dest_address" => "01010134343737303039303031323300",
        "message_id" => "00000001",
        "param_name" => "none",
        _ => "",
    };
    value.to_owned()
}

fn substitute(value: &str, values: &Values) -> String {
    if !value.contains('$') {
        return value.to_owned();
    }
    let named = [
        ("$system_id", &values.system_id),
        ("$password", &values.password),
        ("$to", &values.to),
        ("$from", &values.from),
        ("$id", &values.id),
    ];
    named.into_iter().fold(value.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// Text as it is, `N*c` for a character many times, `x:HEX` for octets without a NUL of their own.
fn text_of(value: &str) -> Result<Vec<u8>, String> {
    if let Some(hex) = value.strip_prefix("x:") {
        return octets_of(hex);
    }
    match value.split_once('*') {
        Some((count, character)) if number(count).is_ok() => Ok(character.repeat(number(count)? as usize).into_bytes()),
        _ => Ok(value.as_bytes().to_vec()),
    }
}

fn tlv(tag: u32, length: usize, value: &[u8], body: &mut Vec<u8>) {
    body.extend_from_slice(&(tag as u16).to_be_bytes());
    body.extend_from_slice(&(length as u16).to_be_bytes());
    body.extend_from_slice(value);
}

/// A number in decimal, or in hexadecimal behind `0x`.
pub(super) fn number(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("{text:?} is no number"))
}

/// Hexadecimal digits, or `N*HH` for one octet many times; several of these joined by `+`.
pub(super) fn octets_of(text: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    for piece in text.split('+') {
        let (count, hex) = match piece.split_once('*') {
            Some((count, hex)) => (number(count)? as usize, hex),
            None => (1, piece),
        };
        let digits: Vec<u8> = hex.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
        if digits.len() != hex.len() || !digits.len().is_multiple_of(2) {
            return Err(format!("{hex:?} are no hexadecimal octets"));
        }
        let piece: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        octets.extend(piece.repeat(count));
    }
    Ok(octets)
}

/// `SEED OCTETS`: octets without sense, the same for the same seed.
fn noise(text: &str) -> Result<Vec<u8>, String> {
    let (seed, count) = text.split_once(' ').ok_or("noise SEED OCTETS")?;
    let (mut state, count) = (u64::from(number(seed)?), number(count)?);
    let mut next = || {
        // SplitMix64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed >> 40) as u8
    };
    Ok((0..count).map(|_| next()).collect())
}

impl fmt::Display for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            Some(id) => f.write_str(&crate::tools::conform::layout::name_of(id)),
            None => write!(f, "{} octets", self.octets.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Template, Values};
    use crate::smpp::decode::decode;
    use crate::smpp::pdu::Body;

    fn built(text: &str) -> Vec<u8> {
        let values = Values { to: "447700900123".to_owned(), from: "1".to_owned(), ..Values::default() };
        Template::parse(text).and_then(|template| template.build(7, &values)).expect("a template").octets
    }

    #[test]
    fn a_plain_pdu_is_one_that_the_library_reads() {
        for name in ["submit_sm", "deliver_sm", "data_sm", "query_sm", "cancel_sm", "replace_sm", "submit_multi"] {
            let octets = built(name);
            assert!(!matches!(decode(&octets).expect("a PDU").body, Body::Unknown { .. }), "{name}");
        }
        let octets = built("submit_sm esm_class=0x40 fill=3 tlv=0x0204:0001 priority_flag=2");
        let Body::SubmitSm(sm) = decode(&octets).expect("a PDU").body else { panic!("no submit_sm") };
        assert_eq!((sm.esm_class, sm.priority_flag, sm.short_message), (0x40, 2, &b"aaa"[..]));
        assert_eq!(sm.dest.addr, b"447700900123");
        assert_eq!(sm.tlvs.iter().count(), 1);
    }

    #[test]
    fn a_broken_pdu_is_broken_as_it_says() {
        assert_eq!(built("enquire_link length=3 status=5 seq=0x80000000").len(), 16);
        assert_eq!(built("submit_sm cut=20").len(), 20);
        assert_eq!(built("submit_sm cut=20")[3], 20);
        let half = built("submit_sm sever=20");
        assert!(half.len() == 20 && half[3] > 20);
        assert_eq!(built("enquire_link tail=0102")[3], 18);
        assert_eq!(built("raw 01+3*00"), [1, 0, 0, 0]);
        assert_eq!(built("noise 1 8").len(), 8);
        assert_eq!(built("submit_sm service_type=3*A")[16..20], *b"AAA\0");
        assert!(Template::parse("submit_sm password=1").is_err());
        assert!(Template::parse("nothing_sm").is_err());
    }
}
