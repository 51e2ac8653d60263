//! `sluice inspect pdu`: one PDU in hexadecimal, under the names of the standard.

use serde_json::{Value, json};

use crate::smpp::command::CommandId;
use crate::smpp::decode::decode;
use crate::smpp::frame::{PDU_OCTETS_MAX_DEFAULT, frame};
use crate::smpp::tag::TagKind;
use crate::smpp::tlv::Tlv;
use crate::tools::inspect::{cell, fields, hex_of, octets_of, text_of};

/// Answers `{"hex"}` with the PDU's header, fields and TLVs, or with what a peer is to be told about it.
pub(super) fn answer(input: &Value) -> Result<Value, String> {
    let octets = octets_of(&cell(input, "hex")?)?;
    let whole = frame(&octets, PDU_OCTETS_MAX_DEFAULT).map_err(|error| error.to_string())?;
    let Some(length) = whole else {
        return Err(format!("hex: {} octets are less than the PDU says it has", octets.len()));
    };
    if length < octets.len() {
        let rest = octets.len() - length;
        return Err(format!("hex: {rest} octets follow the PDU of {length} octets; give them on their own"));
    }
    let pdu = match decode(&octets) {
        Ok(pdu) => pdu,
        Err(error) => {
            let reply = error.reply_command.unwrap_or(CommandId::GENERIC_NACK);
            let action = if reply == CommandId::GENERIC_NACK { "generic_nack" } else { "response" };
            return Ok(json!({ "expect": {
                "action": action, "reply": reply.to_string(), "command_status": format!("0x{:08X}", error.status.0),
                "sequence_number": error.sequence, "session": "open",
            }}));
        }
    };
    let (fields, tlvs) = fields::of(&pdu.body);
    let mut value = json!({
        "command": pdu.body.command().to_string(),
        "command_length": length,
        "command_status": format!("0x{:08X}", pdu.status.0),
        "sequence_number": pdu.sequence,
        "fields": fields,
        "tlvs": tlvs.iter().map(|tlv| row(&tlv)).collect::<Vec<_>>(),
    });
    if !pdu.status.is_ok() {
        value["status_name"] = json!(pdu.status.name());
        value["status_meaning"] = json!(pdu.status.meaning());
    }
    Ok(value)
}

fn row(tlv: &Tlv<'_>) -> Value {
    let value = match tlv.tag.kind() {
        TagKind::Int if tlv.value.len() <= 8 && !tlv.value.is_empty() => {
            json!(tlv.value.iter().fold(0u64, |number, octet| number << 8 | u64::from(*octet)))
        }
        TagKind::CString => json!(text_of(tlv.value.strip_suffix(&[0]).unwrap_or(tlv.value))),
        _ => json!({ "hex": hex_of(tlv.value) }),
    };
    let mut row = json!({ "tag": format!("0x{:04X}", tlv.tag.0), "value": value });
    if let Some(name) = tlv.tag.name() {
        row["name"] = json!(name);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::answer;
    use serde_json::json;

    #[test]
    fn a_pdu_is_told_by_name() {
        let value = answer(&json!({"hex": "00 00 00 10 00 00 00 15 00 00 00 00 00 00 00 2b"})).expect("a whole PDU");
        assert_eq!((value["command"].as_str(), value["sequence_number"].as_u64()), (Some("enquire_link"), Some(43)));
    }

    #[test]
    fn what_is_no_pdu_says_why() {
        for (hex, says) in
            [("0", "whole octets"), ("0g", "not hexadecimal"), ("00000010", "less than"), ("000000ff", "")]
        {
            let error = answer(&json!({ "hex": hex })).expect_err("no PDU");
            assert!(error.contains(says), "{hex}: {error}");
        }
        let value = answer(&json!({"hex": "0000001100000004000000000000000101"})).expect("a frame");
        assert_eq!(value["expect"]["reply"], "submit_sm_resp");
    }
}
