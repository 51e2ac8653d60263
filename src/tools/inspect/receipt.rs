//! `sluice inspect receipt`: the text of a delivery receipt, and the TLVs that came with it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::smpp::calendar::Civil;
use crate::smpp::fields::MessageState;
use crate::smpp::receipt::Receipt;
use crate::smpp::tag::{Tag, TagKind};
use crate::smpp::tlv::TlvWriter;
use crate::tools::inspect::{Cell, Shown, Text, octets_of, parsed, written};

#[derive(Deserialize)]
struct Input<'a> {
    #[serde(borrow, default)]
    sample: Option<Cell<'a>>,
    #[serde(borrow, default)]
    tlvs: Cell<'a>,
}

/// What a receipt says, in the words of the tables; what it does not say is empty.
#[derive(Serialize)]
struct Row<'a> {
    id: Text<'a>,
    sub: Shown<Told<u32>>,
    dlvrd: Shown<Told<u32>>,
    submit_date: Shown<Told<Clock>>,
    done_date: Shown<Told<Clock>>,
    stat: Text<'a>,
    message_state: Shown<Told<u8>>,
    state_name: &'a str,
    #[serde(rename = "final")]
    is_final: &'a str,
    err: Text<'a>,
    text: Text<'a>,
}

/// Answers `{"sample", "tlvs"}` with what the receipt says; what it does not say is empty.
pub(super) fn answer(line: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let input: Input<'_> = parsed(line)?;
    let sample = input.sample.ok_or("sample: missing or not a string")?.0;
    // Characters up to U+00FF are the octets of a carrier that writes Latin-1; others are UTF-8.
    let latin1: Option<Vec<u8>> = sample.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let octets = latin1.unwrap_or_else(|| sample.as_bytes().to_vec());
    let mut buffer = Vec::new();
    let mut writer = TlvWriter::new(&mut buffer);
    for pair in input.tlvs.0.split(';').filter(|pair| !pair.trim().is_empty()) {
        write_tlv(pair.trim(), &mut writer)?;
    }
    let receipt = Receipt::parse(&octets, writer.finish());
    let date = |micros: Option<u64>| Shown(Told(micros.map(|micros| Clock(Civil::of(micros)))));
    let row = Row {
        id: text(receipt.id),
        sub: Shown(Told(receipt.sub)),
        dlvrd: Shown(Told(receipt.dlvrd)),
        submit_date: date(receipt.submit_micros),
        done_date: date(receipt.done_micros),
        stat: text(receipt.stat),
        message_state: Shown(Told(receipt.state.map(MessageState::octet))),
        state_name: receipt.state.map_or("", MessageState::name),
        is_final: receipt.is_final().map_or("", |is_final| if is_final { "yes" } else { "no" }),
        err: text(receipt.err),
        text: text(receipt.text),
    };
    written(&row, out)
}

fn text(octets: Option<&[u8]>) -> Text<'_> {
    Text(octets.unwrap_or_default())
}

/// What is said, or nothing.
struct Told<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for Told<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |told| told.fmt(f))
    }
}

/// `2026-11-21T12:00:00`: in a receipt the wall clock of the carrier, which names no zone.
pub(super) struct Clock(pub(super) Civil);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { year, month, day, hour, minute, second } = self.0;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

/// Writes `name=value`: numbers in decimal, octets in hexadecimal, text as it stands.
fn write_tlv(pair: &str, writer: &mut TlvWriter<'_>) -> Result<(), String> {
    let (name, value) = pair.split_once('=').ok_or_else(|| format!("tlvs: {pair:?} is not name=value"))?;
    let known = Tag::all().find(|(tag, _, _)| tag.name() == Some(name));
    let (tag, octets_min, _) = known.ok_or_else(|| format!("tlvs: there is no parameter {name:?}"))?;
    match tag.kind() {
        TagKind::CString => writer.text(tag, value.as_bytes()),
        TagKind::Octets => writer.octets(tag, &octets_of(value)?),
        TagKind::Int => {
            let number: u64 = value.parse().map_err(|_| format!("tlvs: {name}: {value:?} is not a number"))?;
            let octets = number.to_be_bytes();
            let width = usize::from(octets_min.clamp(1, 8));
            writer.octets(tag, &octets[8 - width..])
        }
    };
    Ok(())
}
