//! Reads one whole PDU in place, in one pass and without allocating (SMPP 3.4 chapter 4, 5.0 chapter 4).
//!
//! Requests are held to the standard's lengths, because their sender can be told. Responses are never refused, since
//! a response is never answered: what cannot be read of a body is left out (quirks Q34, Q35, Q36,
//! Q37 and Q38).

use nom::IResult;
use nom::bytes::complete::take;
use nom::number::complete::{be_u8, be_u32};

use crate::smpp::command::CommandId;
use crate::smpp::destinations::{Destinations, Failures};
use crate::smpp::elements::{
    Fault, address, dest, fault, message_id, octets, schedule, service_type, short_message, source, text, tlvs,
    validity, whole_or_cut,
};
use crate::smpp::frame::HEADER_OCTETS;
use crate::smpp::head::Header;
use crate::smpp::pdu::{
    AlertNotification, Bind, BindResp, Body, BroadcastSm, CancelBroadcastSm, CancelSm, DataSm, Outbind, ParamRetrieve,
    Pdu, QueryBroadcastSm, QueryLastMsgs, QueryLastMsgsResp, QueryMsgDetails, QuerySm, QuerySmResp, ReplaceSm,
    SubmitMulti, SubmitMultiResp, SubmitSm, SubmitSmResp,
};
use crate::smpp::status::CommandStatus;
use crate::smpp::tlv::Tlvs;

/// A request that cannot be read, though its length is sound: the link stays in step, and the sender is to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DecodeError {
    /// The command that was asked for.
    pub command: CommandId,
    /// The sequence number to answer with.
    pub sequence: u32,
    /// What is wrong with it.
    pub status: CommandStatus,
    /// The response to answer with; None: generic_nack.
    pub reply_command: Option<CommandId>,
}

/// Reads the PDU that [`crate::smpp::frame::frame`] delimited; `frame` is all of it and nothing else.
pub fn decode(frame: &[u8]) -> Result<Pdu<'_>, DecodeError> {
    let Some((header, body)) = frame.split_first_chunk::<HEADER_OCTETS>() else {
        let command = CommandId::GENERIC_NACK;
        return Err(DecodeError { command, sequence: 0, status: CommandStatus::RINVCMDLEN, reply_command: None });
    };
    let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let header = Header { command: CommandId(word(4)), status: CommandStatus(word(8)), sequence: word(12) };
    // What most of the traffic consists of is read here, straight into the result; the rest has a function of its own.
    let wrong = |status| header.wrong(status);
    match header.command {
        CommandId::SUBMIT_SM => header.pdu(Body::SubmitSm(done(submit_sm(body)).map_err(wrong)?)),
        CommandId::DELIVER_SM => header.pdu(Body::DeliverSm(done(submit_sm(body)).map_err(wrong)?)),
        CommandId::SUBMIT_SM_RESP => header.pdu(Body::SubmitSmResp(submit_sm_resp(body))),
        CommandId::DELIVER_SM_RESP => header.pdu(Body::DeliverSmResp(submit_sm_resp(body))),
        _ => other(header, body),
    }
}

impl Header {
    /// Each arm of a match ends in this, so that its fields are written where the caller wants them and not copied.
    #[inline(always)]
    fn pdu(self, body: Body<'_>) -> Result<Pdu<'_>, DecodeError> {
        Ok(Pdu { status: self.status, sequence: self.sequence, body })
    }

    fn wrong(self, status: CommandStatus) -> DecodeError {
        DecodeError { command: self.command, sequence: self.sequence, status, reply_command: self.command.response() }
    }
}

/// All that is not traffic.
#[inline(never)]
fn other(header: Header, body: &[u8]) -> Result<Pdu<'_>, DecodeError> {
    let pdu = |body| header.pdu(body);
    let wrong = |status| header.wrong(status);
    let unsupported = |_| wrong(CommandStatus::RINVCMDID);
    match header.command {
        CommandId::ENQUIRE_LINK => pdu(Body::EnquireLink),
        CommandId::ENQUIRE_LINK_RESP => pdu(Body::EnquireLinkResp),
        CommandId::GENERIC_NACK => pdu(Body::GenericNack),
        CommandId::UNBIND => pdu(Body::Unbind),
        CommandId::UNBIND_RESP => pdu(Body::UnbindResp),
        CommandId::BIND_RECEIVER => pdu(Body::BindReceiver(done(bind(body)).map_err(wrong)?)),
        CommandId::BIND_TRANSMITTER => pdu(Body::BindTransmitter(done(bind(body)).map_err(wrong)?)),
        CommandId::BIND_TRANSCEIVER => pdu(Body::BindTransceiver(done(bind(body)).map_err(wrong)?)),
        CommandId::BIND_RECEIVER_RESP => pdu(Body::BindReceiverResp(bind_resp(body))),
        CommandId::BIND_TRANSMITTER_RESP => pdu(Body::BindTransmitterResp(bind_resp(body))),
        CommandId::BIND_TRANSCEIVER_RESP => pdu(Body::BindTransceiverResp(bind_resp(body))),
        CommandId::OUTBIND => pdu(Body::Outbind(done(outbind(body)).map_err(wrong)?)),
        CommandId::DATA_SM => pdu(Body::DataSm(done(data_sm(body)).map_err(wrong)?)),
        CommandId::DATA_SM_RESP => pdu(Body::DataSmResp(submit_sm_resp(body))),
        CommandId::SUBMIT_MULTI => pdu(Body::SubmitMulti(done(submit_multi(body)).map_err(wrong)?)),
        CommandId::SUBMIT_MULTI_RESP => pdu(Body::SubmitMultiResp(done(submit_multi_resp(body)).ok())),
        CommandId::QUERY_SM => pdu(Body::QuerySm(done(query_sm(body)).map_err(wrong)?)),
        CommandId::QUERY_SM_RESP => pdu(Body::QuerySmResp(done(query_sm_resp(body)).ok())),
        CommandId::CANCEL_SM => pdu(Body::CancelSm(done(cancel_sm(body)).map_err(wrong)?)),
        CommandId::CANCEL_SM_RESP => pdu(Body::CancelSmResp),
        CommandId::REPLACE_SM => pdu(Body::ReplaceSm(done(replace_sm(body)).map_err(wrong)?)),
        CommandId::REPLACE_SM_RESP => pdu(Body::ReplaceSmResp),
        CommandId::ALERT_NOTIFICATION => pdu(Body::AlertNotification(done(alert_notification(body)).map_err(wrong)?)),
        CommandId::BROADCAST_SM => pdu(Body::BroadcastSm(done(broadcast_sm(body)).map_err(wrong)?)),
        CommandId::BROADCAST_SM_RESP => pdu(Body::BroadcastSmResp(submit_sm_resp(body))),
        CommandId::QUERY_BROADCAST_SM => pdu(Body::QueryBroadcastSm(done(query_broadcast_sm(body)).map_err(wrong)?)),
        CommandId::QUERY_BROADCAST_SM_RESP => pdu(Body::QueryBroadcastSmResp(submit_sm_resp(body))),
        CommandId::CANCEL_BROADCAST_SM => pdu(Body::CancelBroadcastSm(done(cancel_broadcast_sm(body)).map_err(wrong)?)),
        CommandId::CANCEL_BROADCAST_SM_RESP => pdu(Body::CancelBroadcastSmResp),
        // 3.3 only and in no known use: whatever is wrong with them, the answer is that they are not supported.
        CommandId::PARAM_RETRIEVE => pdu(Body::ParamRetrieve(done(param_retrieve(body)).map_err(unsupported)?)),
        CommandId::PARAM_RETRIEVE_RESP => pdu(Body::ParamRetrieveResp(whole_or_cut(body).map(|(text, _)| text))),
        CommandId::QUERY_LAST_MSGS => pdu(Body::QueryLastMsgs(done(query_last_msgs(body)).map_err(unsupported)?)),
        CommandId::QUERY_LAST_MSGS_RESP => pdu(Body::QueryLastMsgsResp(query_last_msgs_resp(body))),
        CommandId::QUERY_MSG_DETAILS => pdu(Body::QueryMsgDetails(done(query_msg_details(body)).map_err(unsupported)?)),
        _ => pdu(Body::Unknown { command: header.command, body }),
    }
}

/// Octets behind the last known field are tolerated: each parser has taken its TLVs already.
fn done<T>(parsed: IResult<&[u8], T, Fault>) -> Result<T, CommandStatus> {
    match parsed {
        Ok((_, value)) => Ok(value),
        Err(error) => Err(status_of(error)),
    }
}

fn status_of(error: nom::Err<Fault>) -> CommandStatus {
    match error {
        nom::Err::Error(fault) | nom::Err::Failure(fault) => fault.0,
        nom::Err::Incomplete(_) => CommandStatus::RINVCMDLEN,
    }
}

/// Octets of a bind's password with its NUL. The standard has 9 (3.4 section 5.2.2); longer ones are in use, and whether this one is
/// right is for the account to say (quirk Q82).
const BIND_PASSWORD_OCTETS_MAX: usize = 64;

fn bind(input: &[u8]) -> IResult<&[u8], Bind<'_>, Fault> {
    let (rest, system_id) = text(input, 16, CommandStatus::RINVSYSID)?;
    let (rest, password) = text(rest, BIND_PASSWORD_OCTETS_MAX, CommandStatus::RINVPASWD)?;
    let (rest, system_type) = text(rest, 13, CommandStatus::RINVSYSTYP)?;
    let (rest, [interface_version, addr_ton, addr_npi]) = octets(rest)?;
    let (rest, address_range) = text(rest, 41, CommandStatus::RBINDFAIL)?;
    Ok((rest, Bind { system_id, password, system_type, interface_version, addr_ton, addr_npi, address_range }))
}

fn outbind(input: &[u8]) -> IResult<&[u8], Outbind<'_>, Fault> {
    let (rest, system_id) = text(input, 16, CommandStatus::RINVSYSID)?;
    let (rest, password) = text(rest, 9, CommandStatus::RINVPASWD)?;
    Ok((rest, Outbind { system_id, password }))
}

#[inline(always)]
fn submit_sm(input: &[u8]) -> IResult<&[u8], SubmitSm<'_>, Fault> {
    let (rest, service_type) = service_type(input)?;
    let (rest, source) = source(rest)?;
    let (rest, dest) = dest(rest)?;
    let (rest, [esm_class, protocol_id, priority_flag]) = octets(rest)?;
    let (rest, schedule_delivery_time) = schedule(rest)?;
    let (rest, validity_period) = validity(rest)?;
    let (rest, [registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id]) = octets(rest)?;
    let (rest, short_message) = short_message(rest)?;
    let (rest, tlvs) = tlvs(rest)?;
    let submit_sm = SubmitSm {
        service_type,
        source,
        dest,
        esm_class,
        protocol_id,
        priority_flag,
        schedule_delivery_time,
        validity_period,
        registered_delivery,
        replace_if_present_flag,
        data_coding,
        sm_default_msg_id,
        short_message,
        tlvs,
    };
    Ok((rest, submit_sm))
}

fn data_sm(input: &[u8]) -> IResult<&[u8], DataSm<'_>, Fault> {
    let (rest, service_type) = service_type(input)?;
    let (rest, source) = address(rest, 65, CommandStatus::RINVSRCADR)?;
    let (rest, dest) = address(rest, 65, CommandStatus::RINVDSTADR)?;
    let (rest, [esm_class, registered_delivery, data_coding]) = octets(rest)?;
    let (rest, tlvs) = tlvs(rest)?;
    Ok((rest, DataSm { service_type, source, dest, esm_class, registered_delivery, data_coding, tlvs }))
}

fn destinations(input: &[u8]) -> IResult<&[u8], Destinations<'_>, Fault> {
    let (start, count) = be_u8(input)?;
    if count == 0 {
        return fault(CommandStatus::RINVNUMDESTS);
    }
    let mut rest = start;
    for _ in 0..count {
        let (tail, dest_flag) = be_u8(rest)?;
        rest = match dest_flag {
            1 => dest(tail)?.0,
            2 => text(tail, 21, CommandStatus::RINVDLNAME)?.0,
            _ => return fault(CommandStatus::RINVDESTFLAG),
        };
    }
    let (rest, octets) = take(start.len() - rest.len())(start)?;
    Ok((rest, Destinations::checked(count, octets)))
}

fn submit_multi(input: &[u8]) -> IResult<&[u8], SubmitMulti<'_>, Fault> {
    let (rest, service_type) = service_type(input)?;
    let (rest, source) = source(rest)?;
    let (rest, dests) = destinations(rest)?;
    let (rest, [esm_class, protocol_id, priority_flag]) = octets(rest)?;
    let (rest, schedule_delivery_time) = schedule(rest)?;
    let (rest, validity_period) = validity(rest)?;
    let (rest, [registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id]) = octets(rest)?;
    let (rest, short_message) = short_message(rest)?;
    let (rest, tlvs) = tlvs(rest)?;
    let submit_multi = SubmitMulti {
        service_type,
        source,
        dests,
        esm_class,
        protocol_id,
        priority_flag,
        schedule_delivery_time,
        validity_period,
        registered_delivery,
        replace_if_present_flag,
        data_coding,
        sm_default_msg_id,
        short_message,
        tlvs,
    };
    Ok((rest, submit_multi))
}

fn query_sm(input: &[u8]) -> IResult<&[u8], QuerySm<'_>, Fault> {
    let (rest, message_id) = message_id(input)?;
    let (rest, source) = source(rest)?;
    Ok((rest, QuerySm { message_id, source }))
}

fn cancel_sm(input: &[u8]) -> IResult<&[u8], CancelSm<'_>, Fault> {
    let (rest, service_type) = service_type(input)?;
    let (rest, message_id) = message_id(rest)?;
    let (rest, source) = source(rest)?;
    let (rest, dest) = dest(rest)?;
    Ok((rest, CancelSm { service_type, message_id, source, dest }))
}

fn replace_sm(input: &[u8]) -> IResult<&[u8], ReplaceSm<'_>, Fault> {
    let (rest, message_id) = message_id(input)?;
    let (rest, source) = source(rest)?;
    let (rest, schedule_delivery_time) = schedule(rest)?;
    let (rest, validity_period) = validity(rest)?;
    let (rest, [registered_delivery, sm_default_msg_id]) = octets(rest)?;
    let (rest, short_message) = short_message(rest)?;
    let (rest, tlvs) = tlvs(rest)?;
    let replace_sm = ReplaceSm {
        message_id,
        source,
        schedule_delivery_time,
        validity_period,
        registered_delivery,
        sm_default_msg_id,
        short_message,
        tlvs,
    };
    Ok((rest, replace_sm))
}

fn alert_notification(input: &[u8]) -> IResult<&[u8], AlertNotification<'_>, Fault> {
    let (rest, source) = address(input, 65, CommandStatus::RINVSRCADR)?;
    let (rest, esme) = address(rest, 65, CommandStatus::RINVDSTADR)?;
    let (rest, tlvs) = tlvs(rest)?;
    Ok((rest, AlertNotification { source, esme, tlvs }))
}

fn broadcast_sm(input: &[u8]) -> IResult<&[u8], BroadcastSm<'_>, Fault> {
    let (rest, service_type) = service_type(input)?;
    let (rest, source) = source(rest)?;
    let (rest, message_id) = message_id(rest)?;
    let (rest, [priority_flag]) = octets(rest)?;
    let (rest, schedule_delivery_time) = schedule(rest)?;
    let (rest, validity_period) = validity(rest)?;
    let (rest, [replace_if_present_flag, data_coding, sm_default_msg_id]) = octets(rest)?;
    let (rest, tlvs) = tlvs(rest)?;
    let broadcast_sm = BroadcastSm {
        service_type,
        source,
        message_id,
        priority_flag,
        schedule_delivery_time,
        validity_period,
        replace_if_present_flag,
        data_coding,
        sm_default_msg_id,
        tlvs,
    };
    Ok((rest, broadcast_sm))
}

fn query_broadcast_sm(input: &[u8]) -> IResult<&[u8], QueryBroadcastSm<'_>, Fault> {
    let (rest, message_id) = message_id(input)?;
    let (rest, source) = source(rest)?;
    let (rest, tlvs) = tlvs(rest)?;
    Ok((rest, QueryBroadcastSm { message_id, source, tlvs }))
}

fn cancel_broadcast_sm(input: &[u8]) -> IResult<&[u8], CancelBroadcastSm<'_>, Fault> {
    let (rest, service_type) = service_type(input)?;
    let (rest, message_id) = message_id(rest)?;
    let (rest, source) = source(rest)?;
    let (rest, tlvs) = tlvs(rest)?;
    Ok((rest, CancelBroadcastSm { service_type, message_id, source, tlvs }))
}

fn param_retrieve(input: &[u8]) -> IResult<&[u8], ParamRetrieve<'_>, Fault> {
    let (rest, param_name) = text(input, 32, CommandStatus::RINVCMDLEN)?;
    Ok((rest, ParamRetrieve { param_name }))
}

fn query_last_msgs(input: &[u8]) -> IResult<&[u8], QueryLastMsgs<'_>, Fault> {
    let (rest, source) = source(input)?;
    let (rest, no_of_messages) = be_u8(rest)?;
    Ok((rest, QueryLastMsgs { source, no_of_messages }))
}

fn query_msg_details(input: &[u8]) -> IResult<&[u8], QueryMsgDetails<'_>, Fault> {
    let (rest, message_id) = text(input, 9, CommandStatus::RINVMSGID)?;
    let (rest, source) = source(rest)?;
    let (rest, sm_length) = be_u8(rest)?;
    Ok((rest, QueryMsgDetails { message_id, source, sm_length }))
}

fn submit_sm_resp(body: &[u8]) -> SubmitSmResp<'_> {
    match whole_or_cut(body) {
        Some((message_id, rest)) => SubmitSmResp { message_id: Some(message_id), tlvs: Tlvs::parse_lossy(rest) },
        None => SubmitSmResp { message_id: None, tlvs: Tlvs::NONE },
    }
}

fn bind_resp(body: &[u8]) -> BindResp<'_> {
    match whole_or_cut(body) {
        Some((system_id, rest)) => BindResp { system_id: Some(system_id), tlvs: Tlvs::parse_lossy(rest) },
        None => BindResp { system_id: None, tlvs: Tlvs::NONE },
    }
}

fn submit_multi_resp(input: &[u8]) -> IResult<&[u8], SubmitMultiResp<'_>, Fault> {
    let (rest, message_id) = message_id(input)?;
    let (start, count) = be_u8(rest)?;
    let mut rest = start;
    for _ in 0..count {
        let (tail, _) = dest(rest)?;
        rest = be_u32(tail)?.0;
    }
    let (rest, octets) = take(start.len() - rest.len())(start)?;
    let failures = Failures::checked(count, octets);
    Ok((&[], SubmitMultiResp { message_id, failures, tlvs: Tlvs::parse_lossy(rest) }))
}

fn query_sm_resp(input: &[u8]) -> IResult<&[u8], QuerySmResp<'_>, Fault> {
    let (rest, message_id) = message_id(input)?;
    let (rest, final_date) = text(rest, 17, CommandStatus::RINVCMDLEN)?;
    let (rest, [message_state, error_code]) = octets(rest)?;
    let tlvs = Tlvs::parse_lossy(rest);
    Ok((&[], QuerySmResp { message_id, final_date, message_state, error_code, tlvs }))
}

fn query_last_msgs_resp(body: &[u8]) -> Option<QueryLastMsgsResp<'_>> {
    let (no_messages, message_ids) = body.split_first()?;
    Some(QueryLastMsgsResp { no_messages: *no_messages, message_ids })
}
