//! `sluice inspect receipt`: the text of a delivery receipt, and the TLVs that came with it.

use serde_json::{Value, json};

use crate::smpp::calendar::Civil;
use crate::smpp::fields::MessageState;
use crate::smpp::receipt::Receipt;
use crate::smpp::tag::{Tag, TagKind};
use crate::smpp::tlv::TlvWriter;
use crate::tools::inspect::{cell, octets_of, text_of};

/// Answers `{"sample", "tlvs"}` with what the receipt says; what it does not say is empty.
pub(super) fn answer(input: &Value) -> Result<Value, String> {
    let sample = input["sample"].as_str().ok_or("sample: missing or not a string")?;
    // Characters up to U+00FF are the octets of a carrier that writes Latin-1; others are UTF-8.
    let latin1: Option<Vec<u8>> = sample.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let octets = latin1.unwrap_or_else(|| sample.as_bytes().to_vec());
    let mut buffer = Vec::new();
    let mut writer = TlvWriter::new(&mut buffer);
    for pair in cell(input, "tlvs")?.split(';').filter(|pair| !pair.trim().is_empty()) {
        write_tlv(pair.trim(), &mut writer)?;
    }
    let receipt = Receipt::parse(&octets, writer.finish());
    let text = |octets: Option<&[u8]>| text_of(octets.unwrap_or_default());
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    Ok(json!({
        "id": text(receipt.id),
        "sub": number(receipt.sub),
        "dlvrd": number(receipt.dlvrd),
        "submit_date": date(receipt.submit_micros),
        "done_date": date(receipt.done_micros),
        "stat": text(receipt.stat),
        "message_state": number(receipt.state.map(|state| state.octet().into())),
        "state_name": receipt.state.map_or("", MessageState::name),
        "final": receipt.is_final().map_or("", |is_final| if is_final { "yes" } else { "no" }),
        "err": text(receipt.err),
        "text": text(receipt.text),
    }))
}

/// Wall clock of the carrier, which names no zone.
fn date(micros: Option<u64>) -> String {
    micros.map(|micros| written(&Civil::of(micros))).unwrap_or_default()
}

/// `2026-11-21T12:00:00`.
pub(super) fn written(civil: &Civil) -> String {
    let Civil { year, month, day, hour, minute, second } = civil;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
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
