//! Writes one PDU behind what the caller's buffer holds already: the PDUs of a message in one go, all others, and what
//! is unusual in those, field by field.

use crate::smpp::address::Address;
use crate::smpp::command::CommandId;
use crate::smpp::elements::position_of_nul;
use crate::smpp::head::{Header, append};
use crate::smpp::pdu::{
    AlertNotification, Bind, BindResp, Body, BroadcastSm, CancelBroadcastSm, CancelSm, DataSm, Outbind, Pdu,
    QueryBroadcastSm, QuerySm, QuerySmResp, ReplaceSm, SubmitMulti, SubmitMultiResp, SubmitSm, SubmitSmResp,
};
use crate::smpp::status::CommandStatus;
use crate::smpp::tag::Tag;
use crate::smpp::tlv::{TlvWriter, Tlvs};

/// Appends the PDU to `out`. Nothing is allocated but the growth of `out`.
///
/// Strings end at their first NUL, so that no value can reach into the next field; they are not cut to the standard's
/// lengths, because some peers agree on longer ones (quirk Q82). A short_message over 255 octets, which sm_length
/// cannot hold, goes as message_payload.
#[inline]
pub fn encode(pdu: &Pdu<'_>, out: &mut Vec<u8>) {
    encode_parts(pdu.status, pdu.sequence, &pdu.body, out);
}

/// As [`encode`], for a caller whose body is not in a [`Pdu`]: it is not copied.
pub fn encode_parts(status: CommandStatus, sequence: u32, body: &Body<'_>, out: &mut Vec<u8>) {
    let header = |command| Header { command, status, sequence };
    match body {
        Body::SubmitSm(message) => submit_sm(header(CommandId::SUBMIT_SM), message, out),
        Body::DeliverSm(message) => submit_sm(header(CommandId::DELIVER_SM), message, out),
        Body::SubmitSmResp(resp) => submit_sm_resp(header(CommandId::SUBMIT_SM_RESP), resp, out),
        Body::DeliverSmResp(resp) => submit_sm_resp(header(CommandId::DELIVER_SM_RESP), resp, out),
        _ => field_by_field(header(body.command()), body, out),
    }
}

#[inline(never)]
fn submit_sm(header: Header, body: &SubmitSm<'_>, out: &mut Vec<u8>) {
    if !usual_submit_sm(header, body, out) {
        field_by_field(header, &Body::SubmitSm(*body), out);
    }
}

#[inline(never)]
fn submit_sm_resp(header: Header, body: &SubmitSmResp<'_>, out: &mut Vec<u8>) {
    if !usual_submit_sm_resp(header, body, out) {
        field_by_field(header, &Body::SubmitSmResp(*body), out);
    }
}

/// False, and nothing written: not a usual one.
#[inline(always)]
fn usual_submit_sm(header: Header, body: &SubmitSm<'_>, out: &mut Vec<u8>) -> bool {
    let Ok(sm_length) = u8::try_from(body.short_message.len()) else { return false };
    // 111 octets at the standard's lengths.
    append::<128>(out, header, [body.short_message, body.tlvs.octets()], |fields| {
        fields.text(body.service_type)?;
        fields.octets([0, body.source.ton, body.source.npi])?;
        fields.text(body.source.addr)?;
        fields.octets([0, body.dest.ton, body.dest.npi])?;
        fields.text(body.dest.addr)?;
        fields.octets([0, body.esm_class, body.protocol_id, body.priority_flag])?;
        fields.text(body.schedule_delivery_time)?;
        fields.octets([0])?;
        fields.text(body.validity_period)?;
        fields.octets([
            0,
            body.registered_delivery,
            body.replace_if_present_flag,
            body.data_coding,
            body.sm_default_msg_id,
            sm_length,
        ])
    })
}

/// False, and nothing written: not a usual one.
#[inline(always)]
fn usual_submit_sm_resp(header: Header, body: &SubmitSmResp<'_>, out: &mut Vec<u8>) -> bool {
    let Some(message_id) = body.message_id else { return false };
    append::<64>(out, header, [&[], body.tlvs.octets()], |fields| {
        fields.text(message_id)?;
        fields.octets([0])
    })
}

/// A PDU of any kind and size; command_length is patched in last.
#[inline(never)]
fn field_by_field(header: Header, body: &Body<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    // Room for most PDUs at once, so that the pushes below find it.
    out.reserve(512);
    out.extend_from_slice(&header.octets(0));
    write_body(body, out);
    let command_length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&command_length.to_be_bytes());
}

fn write_body(body: &Body<'_>, out: &mut Vec<u8>) {
    match body {
        Body::SubmitSm(body) | Body::DeliverSm(body) => submit_sm_fields(body, out),
        Body::SubmitSmResp(body)
        | Body::DeliverSmResp(body)
        | Body::DataSmResp(body)
        | Body::BroadcastSmResp(body)
        | Body::QueryBroadcastSmResp(body) => submit_sm_resp_fields(body, out),
        Body::BindReceiver(body) | Body::BindTransmitter(body) | Body::BindTransceiver(body) => bind(body, out),
        Body::BindReceiverResp(body) | Body::BindTransmitterResp(body) | Body::BindTransceiverResp(body) => {
            bind_resp(body, out)
        }
        Body::Outbind(body) => outbind(body, out),
        Body::DataSm(body) => data_sm(body, out),
        Body::SubmitMulti(body) => submit_multi(body, out),
        Body::SubmitMultiResp(Some(body)) => submit_multi_resp(body, out),
        Body::QuerySm(body) => query_sm(body, out),
        Body::QuerySmResp(Some(body)) => query_sm_resp(body, out),
        Body::CancelSm(body) => cancel_sm(body, out),
        Body::ReplaceSm(body) => replace_sm(body, out),
        Body::AlertNotification(body) => alert_notification(body, out),
        Body::BroadcastSm(body) => broadcast_sm(body, out),
        Body::QueryBroadcastSm(body) => query_broadcast_sm(body, out),
        Body::CancelBroadcastSm(body) => cancel_broadcast_sm(body, out),
        Body::ParamRetrieve(body) => text(body.param_name, out),
        Body::ParamRetrieveResp(Some(param_value)) => text(param_value, out),
        Body::QueryLastMsgs(body) => {
            address(&body.source, out);
            out.push(body.no_of_messages);
        }
        Body::QueryLastMsgsResp(Some(body)) => {
            out.push(body.no_messages);
            out.extend_from_slice(body.message_ids);
        }
        Body::QueryMsgDetails(body) => {
            text(body.message_id, out);
            address(&body.source, out);
            out.push(body.sm_length);
        }
        Body::Unknown { body, .. } => out.extend_from_slice(body),
        Body::Unbind
        | Body::UnbindResp
        | Body::EnquireLink
        | Body::EnquireLinkResp
        | Body::GenericNack
        | Body::CancelSmResp
        | Body::ReplaceSmResp
        | Body::CancelBroadcastSmResp
        | Body::SubmitMultiResp(None)
        | Body::QuerySmResp(None)
        | Body::ParamRetrieveResp(None)
        | Body::QueryLastMsgsResp(None) => {}
    }
}

fn text(value: &[u8], out: &mut Vec<u8>) {
    if !value.is_empty() {
        let end = position_of_nul(value).unwrap_or(value.len());
        out.extend_from_slice(&value[..end]);
    }
    out.push(0);
}

fn address(address: &Address<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&[address.ton, address.npi]);
    text(address.addr, out);
}

fn message_and_tlvs(short_message: &[u8], tlvs: &Tlvs<'_>, out: &mut Vec<u8>) {
    match u8::try_from(short_message.len()) {
        Ok(sm_length) => {
            out.push(sm_length);
            out.extend_from_slice(short_message);
        }
        Err(_) => {
            out.push(0);
            TlvWriter::new(out).octets(Tag::MESSAGE_PAYLOAD, short_message);
        }
    }
    out.extend_from_slice(tlvs.octets());
}

fn submit_sm_fields(body: &SubmitSm<'_>, out: &mut Vec<u8>) {
    text(body.service_type, out);
    address(&body.source, out);
    address(&body.dest, out);
    out.extend_from_slice(&[body.esm_class, body.protocol_id, body.priority_flag]);
    text(body.schedule_delivery_time, out);
    text(body.validity_period, out);
    out.extend_from_slice(&[
        body.registered_delivery,
        body.replace_if_present_flag,
        body.data_coding,
        body.sm_default_msg_id,
    ]);
    message_and_tlvs(body.short_message, &body.tlvs, out);
}

/// TLVs cannot stand without the message_id before them, so an absent one is written empty when there are any.
fn submit_sm_resp_fields(body: &SubmitSmResp<'_>, out: &mut Vec<u8>) {
    if body.message_id.is_some() || !body.tlvs.is_empty() {
        text(body.message_id.unwrap_or_default(), out);
        out.extend_from_slice(body.tlvs.octets());
    }
}

fn bind_resp(body: &BindResp<'_>, out: &mut Vec<u8>) {
    if body.system_id.is_some() || !body.tlvs.is_empty() {
        text(body.system_id.unwrap_or_default(), out);
        out.extend_from_slice(body.tlvs.octets());
    }
}

fn bind(body: &Bind<'_>, out: &mut Vec<u8>) {
    text(body.system_id, out);
    text(body.password, out);
    text(body.system_type, out);
    out.extend_from_slice(&[body.interface_version, body.addr_ton, body.addr_npi]);
    text(body.address_range, out);
}

fn outbind(body: &Outbind<'_>, out: &mut Vec<u8>) {
    text(body.system_id, out);
    text(body.password, out);
}

fn data_sm(body: &DataSm<'_>, out: &mut Vec<u8>) {
    text(body.service_type, out);
    address(&body.source, out);
    address(&body.dest, out);
    out.extend_from_slice(&[body.esm_class, body.registered_delivery, body.data_coding]);
    out.extend_from_slice(body.tlvs.octets());
}

fn submit_multi(body: &SubmitMulti<'_>, out: &mut Vec<u8>) {
    text(body.service_type, out);
    address(&body.source, out);
    out.push(body.dests.count());
    out.extend_from_slice(body.dests.octets());
    out.extend_from_slice(&[body.esm_class, body.protocol_id, body.priority_flag]);
    text(body.schedule_delivery_time, out);
    text(body.validity_period, out);
    out.extend_from_slice(&[
        body.registered_delivery,
        body.replace_if_present_flag,
        body.data_coding,
        body.sm_default_msg_id,
    ]);
    message_and_tlvs(body.short_message, &body.tlvs, out);
}

fn submit_multi_resp(body: &SubmitMultiResp<'_>, out: &mut Vec<u8>) {
    text(body.message_id, out);
    out.push(body.failures.count());
    out.extend_from_slice(body.failures.octets());
    out.extend_from_slice(body.tlvs.octets());
}

fn query_sm(body: &QuerySm<'_>, out: &mut Vec<u8>) {
    text(body.message_id, out);
    address(&body.source, out);
}

fn query_sm_resp(body: &QuerySmResp<'_>, out: &mut Vec<u8>) {
    text(body.message_id, out);
    text(body.final_date, out);
    out.extend_from_slice(&[body.message_state, body.error_code]);
    out.extend_from_slice(body.tlvs.octets());
}

fn cancel_sm(body: &CancelSm<'_>, out: &mut Vec<u8>) {
    text(body.service_type, out);
    text(body.message_id, out);
    address(&body.source, out);
    address(&body.dest, out);
}

fn replace_sm(body: &ReplaceSm<'_>, out: &mut Vec<u8>) {
    text(body.message_id, out);
    address(&body.source, out);
    text(body.schedule_delivery_time, out);
    text(body.validity_period, out);
    out.extend_from_slice(&[body.registered_delivery, body.sm_default_msg_id]);
    message_and_tlvs(body.short_message, &body.tlvs, out);
}

fn alert_notification(body: &AlertNotification<'_>, out: &mut Vec<u8>) {
    address(&body.source, out);
    address(&body.esme, out);
    out.extend_from_slice(body.tlvs.octets());
}

fn broadcast_sm(body: &BroadcastSm<'_>, out: &mut Vec<u8>) {
    text(body.service_type, out);
    address(&body.source, out);
    text(body.message_id, out);
    out.push(body.priority_flag);
    text(body.schedule_delivery_time, out);
    text(body.validity_period, out);
    out.extend_from_slice(&[body.replace_if_present_flag, body.data_coding, body.sm_default_msg_id]);
    out.extend_from_slice(body.tlvs.octets());
}

fn query_broadcast_sm(body: &QueryBroadcastSm<'_>, out: &mut Vec<u8>) {
    text(body.message_id, out);
    address(&body.source, out);
    out.extend_from_slice(body.tlvs.octets());
}

fn cancel_broadcast_sm(body: &CancelBroadcastSm<'_>, out: &mut Vec<u8>) {
    text(body.service_type, out);
    text(body.message_id, out);
    address(&body.source, out);
    out.extend_from_slice(body.tlvs.octets());
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILLER: [u8; 80] = [b'x'; 80];

    /// Strings of every length that matters, whole and with a NUL at every place.
    fn strings() -> Vec<Vec<u8>> {
        let mut strings = Vec::new();
        for length in 0..FILLER.len() {
            let whole: Vec<u8> = (1..=255).cycle().take(length).collect();
            for nul in 0..length {
                let mut cut = whole.clone();
                cut[nul] = 0;
                strings.push(cut);
            }
            strings.push(whole);
        }
        strings
    }

    fn assert_twins(body: &Body<'_>) {
        let (mut in_one_go, mut by_field) = (b"before".to_vec(), b"before".to_vec());
        encode_parts(CommandStatus::RSYSERR, 0xFEED_BEEF, body, &mut in_one_go);
        let header = Header { command: body.command(), status: CommandStatus::RSYSERR, sequence: 0xFEED_BEEF };
        field_by_field(header, body, &mut by_field);
        assert_eq!(in_one_go, by_field, "{body:?}");
    }

    #[test]
    fn in_one_go_is_as_field_by_field() {
        for string in &strings() {
            let address = Address { ton: 1, npi: 2, addr: string };
            let message = SubmitSm {
                esm_class: 3,
                data_coding: 8,
                short_message: &FILLER[string.len()..],
                ..SubmitSm::default()
            };
            for message in [
                SubmitSm { service_type: string, ..message },
                SubmitSm { source: address, ..message },
                SubmitSm { dest: address, ..message },
                SubmitSm { schedule_delivery_time: string, ..message },
                SubmitSm { validity_period: string, ..message },
                SubmitSm { source: address, dest: address, ..message },
            ] {
                assert_twins(&Body::SubmitSm(message));
                assert_twins(&Body::DeliverSm(message));
            }
            assert_twins(&Body::SubmitSmResp(SubmitSmResp { message_id: Some(string), tlvs: Tlvs::NONE }));
        }
    }

    #[test]
    fn what_follows_the_fields_is_as_field_by_field() {
        let (message, mut tlvs) = (vec![7; 300], Vec::new());
        let mut writer = TlvWriter::new(&mut tlvs);
        writer.u8(Tag::MESSAGE_STATE, 2).text(Tag::RECEIPTED_MESSAGE_ID, b"id");
        let tlvs = writer.finish();
        for octets in [0, 1, 160, 255, 256, 300] {
            for tlvs in [Tlvs::NONE, tlvs] {
                let message = SubmitSm { short_message: &message[..octets], tlvs, ..SubmitSm::default() };
                assert_twins(&Body::SubmitSm(message));
                assert_twins(&Body::DeliverSm(message));
            }
        }
        for message_id in [None, Some(&b""[..]), Some(&b"0123456789abcdefghijklmnop"[..])] {
            for tlvs in [Tlvs::NONE, tlvs] {
                assert_twins(&Body::SubmitSmResp(SubmitSmResp { message_id, tlvs }));
                assert_twins(&Body::DeliverSmResp(SubmitSmResp { message_id, tlvs }));
            }
        }
    }
}
