//! Writes one PDU behind what the caller's buffer holds already; command_length is patched in last.

use crate::smpp::elements::position_of_nul;
use crate::smpp::frame::HEADER_OCTETS;
use crate::smpp::pdu::{
    Address, AlertNotification, Bind, BindResp, Body, BroadcastSm, CancelBroadcastSm, CancelSm, DataSm, Outbind, Pdu,
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
    let start = out.len();
    // Room for most PDUs at once, so that the pushes below find it.
    out.reserve(512);
    let mut header = [0; HEADER_OCTETS];
    header[4..8].copy_from_slice(&body.command().0.to_be_bytes());
    header[8..12].copy_from_slice(&status.0.to_be_bytes());
    header[12..16].copy_from_slice(&sequence.to_be_bytes());
    out.extend_from_slice(&header);
    write_body(body, out);
    let command_length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&command_length.to_be_bytes());
}

fn write_body(body: &Body<'_>, out: &mut Vec<u8>) {
    match body {
        Body::SubmitSm(body) | Body::DeliverSm(body) => submit_sm(body, out),
        Body::SubmitSmResp(body)
        | Body::DeliverSmResp(body)
        | Body::DataSmResp(body)
        | Body::BroadcastSmResp(body)
        | Body::QueryBroadcastSmResp(body) => submit_sm_resp(body, out),
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

fn submit_sm(body: &SubmitSm<'_>, out: &mut Vec<u8>) {
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
fn submit_sm_resp(body: &SubmitSmResp<'_>, out: &mut Vec<u8>) {
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
