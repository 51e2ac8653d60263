//! `sluice inspect pdu`: one PDU in hexadecimal, under the names of the standard, and what a peer makes of it.

use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};

use crate::smpp::decode::decode;
use crate::smpp::frame::{PDU_OCTETS_MAX_DEFAULT, frame};
use crate::smpp::pdu::Pdu;
use crate::smpp::tag::TagKind;
use crate::smpp::tlv::{Tlv, Tlvs};
use crate::tools::inspect::fields::{self, Fields};
use crate::tools::inspect::outcome::{Outcome, Place, outcome};
use crate::tools::inspect::{Cell, Hex, Shown, Text, octets_of, parsed, time, written};

#[derive(Deserialize)]
struct Input<'a> {
    #[serde(borrow, default)]
    hex: Cell<'a>,
    #[serde(borrow, default)]
    role: Cell<'a>,
    #[serde(borrow, default)]
    state: Cell<'a>,
    #[serde(borrow, default)]
    now_utc: Cell<'a>,
}

/// What cannot be accepted.
#[derive(Serialize)]
struct Refused {
    expect: Outcome,
}

/// What could be read. `expect` is what the session does with it, if a role or a state was named.
struct Decoded<'p, 'a> {
    length: usize,
    pdu: &'p Pdu<'a>,
    expect: Option<Outcome>,
}

/// Answers `{"hex"}` with the PDU's header, fields and TLVs. With `role` or `state` it is held against a session there, and what
/// cannot be accepted is answered with what that session does; so is what cannot be decoded. Of several PDUs the first counts.
pub(super) fn answer(line: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let input: Input<'_> = parsed(line)?;
    let octets = octets_of(&input.hex.0)?;
    if octets.is_empty() {
        return Err("hex: missing or empty".to_owned());
    }
    let played = !input.role.0.is_empty() || !input.state.0.is_empty();
    let place = Place::of(&input.role.0, &input.state.0, &octets)?;
    let play = || Ok::<Outcome, String>(outcome(place, &octets, time::now_micros(&input.now_utc)?).0);
    let length = match frame(&octets, PDU_OCTETS_MAX_DEFAULT) {
        Ok(Some(length)) => length,
        _ if played => return written(&Refused { expect: play()? }, out),
        Ok(None) => return Err(format!("hex: {} octets are less than the PDU says it has", octets.len())),
        Err(error) => return Err(error.to_string()),
    };
    if length < octets.len() && !played {
        let rest = octets.len() - length;
        return Err(format!("hex: {rest} octets follow the PDU of {length} octets; give them on their own"));
    }
    let decoded = decode(&octets[..length]);
    let expect = if played || decoded.is_err() { Some(play()?) } else { None };
    match (decoded, expect) {
        (Ok(pdu), expect) if expect.as_ref().is_none_or(|expect| expect.accepted) => {
            written(&Decoded { length, pdu: &pdu, expect }, out)
        }
        (_, Some(expect)) => written(&Refused { expect }, out),
        (_, None) => Err("hex: not a PDU".to_owned()),
    }
}

impl Serialize for Decoded<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Pdu { status, sequence, body } = self.pdu;
        let command = body.command();
        let mut map = serializer.serialize_map(None)?;
        match command.name() {
            Some(name) => map.serialize_entry("command", name)?,
            None => map.serialize_entry("command", &Shown(command))?,
        }
        map.serialize_entry("command_length", &self.length)?;
        map.serialize_entry("command_status", &Shown(format_args!("0x{:08X}", status.0)))?;
        map.serialize_entry("sequence_number", sequence)?;
        map.serialize_entry("fields", &Fields(body))?;
        map.serialize_entry("tlvs", &Rows(fields::tlvs(body)))?;
        if !status.is_ok() {
            map.serialize_entry("status_name", &status.name())?;
            map.serialize_entry("status_meaning", &status.meaning())?;
        }
        if let Some(expect) = &self.expect {
            map.serialize_entry("expect", expect)?;
        }
        map.end()
    }
}

/// The TLVs in wire order.
struct Rows<'a>(Tlvs<'a>);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(None)?;
        for tlv in self.0.iter() {
            rows.serialize_element(&Row(tlv))?;
        }
        rows.end()
    }
}

struct Row<'a>(Tlv<'a>);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Tlv { tag, value } = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("tag", &Shown(format_args!("0x{:04X}", tag.0)))?;
        if let Some(name) = tag.name() {
            map.serialize_entry("name", name)?;
        }
        match tag.kind() {
            TagKind::Int if (1..=8).contains(&value.len()) => {
                let number = value.iter().fold(0u64, |number, octet| number << 8 | u64::from(*octet));
                map.serialize_entry("value", &number)?;
            }
            TagKind::CString => map.serialize_entry("value", &Text(value.strip_suffix(&[0]).unwrap_or(value)))?,
            _ => map.serialize_entry("value", &Octets { hex: Hex(value) })?,
        }
        map.end()
    }
}

#[derive(Serialize)]
struct Octets<'a> {
    hex: Hex<'a>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    fn answer(input: Value) -> Result<Value, String> {
        let mut out = Vec::new();
        super::answer(input.to_string().as_bytes(), &mut out)?;
        Ok(serde_json::from_slice(&out).expect("JSON"))
    }

    #[test]
    fn a_pdu_is_told_by_name() {
        let value = answer(json!({"hex": "00 00 00 10 00 00 00 15 00:00:00:00 0x0000002b"})).expect("a whole PDU");
        assert_eq!((value["command"].as_str(), value["sequence_number"].as_u64()), (Some("enquire_link"), Some(43)));
        assert!(value.get("expect").is_none(), "nobody asked what a session does with it");
    }

    #[test]
    fn what_is_no_pdu_says_why() {
        for (hex, says) in [
            ("0", "whole octets"),
            ("0g", "not hexadecimal"),
            ("00000010", "less than"),
            ("", "missing"),
            ("000000ff000000150000000000000001", "less than"),
            ("00000010000000150000000000000001ff", "1 octets follow"),
            ("00000001000000150000000000000001", "command_length 1"),
        ] {
            let error = answer(json!({ "hex": hex })).expect_err("no PDU");
            assert!(error.contains(says), "{hex}: {error}");
        }
        let value = answer(json!({"hex": "0000001100000004000000000000000101"})).expect("a frame");
        assert_eq!(
            (&value["expect"]["reply"], &value["expect"]["session"]),
            (&"submit_sm_resp".into(), &"keep".into())
        );
    }

    #[test]
    fn a_session_says_what_it_takes() {
        let at = |role: &str, state: &str, hex: &str| answer(json!({"hex": hex, "role": role, "state": state}));
        // bind_transceiver_resp with ESME_RBINDFAIL, and without.
        let failed = at("ESME", "OPEN", "00000010800000090000000d00000001").expect("a PDU");
        assert_eq!(failed["expect"]["action"], "bind_failed");
        assert_eq!(failed["expect"]["session"], "close");
        let bound = at("ESME", "OPEN", "0000001180000009000000000000000100").expect("a PDU");
        assert_eq!((&bound["command"], &bound["expect"]["action"]), (&"bind_transceiver_resp".into(), &"bound".into()));
        // generic_nack that answers something, and one that does not.
        let nack = at("ESME", "BOUND_TX", "00000010800000000000000300000001").expect("a PDU");
        assert_eq!(nack["expect"]["action"], "resolve_with_error");
        let unmatched = at("ESME", "BOUND_TX", "000000108000000000000003000003e8").expect("a PDU");
        assert_eq!(unmatched["expect"]["action"], "ignore");
        let probe = at("MC", "BOUND_RX", "00000010800000150000000000000001").expect("a PDU");
        assert_eq!((&probe["command"], &probe["expect"]["action"]), (&"enquire_link_resp".into(), &"resolve".into()));
        let unbind = at("MC", "BOUND_RX", "00000010000000060000000000000001").expect("a PDU");
        assert_eq!((&unbind["command"], &unbind["expect"]["session"]), (&"unbind".into(), &"close".into()));
        assert!(at("SME", "OPEN", "00000010000000060000000000000001").is_err_and(|error| error.contains("role")));
        assert!(at("MC", "BOUND", "00000010000000060000000000000001").is_err_and(|error| error.contains("state")));
    }
}
