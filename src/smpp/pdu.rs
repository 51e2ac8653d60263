//! One PDU as a value that borrows the frame it was read from. Strings are octets without their NUL; nothing is
//! converted, so what was read can be written again. What `Debug` shows of it holds no number, text or password.

use crate::smpp::address::Address;
use crate::smpp::command::CommandId;
use crate::smpp::destinations::{Destinations, Failures};
use crate::smpp::status::CommandStatus;
use crate::smpp::tlv::Tlvs;

/// A PDU: the header without its length, and the body, whose kind is the command_id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pdu<'a> {
    /// Zero in a request; what became of it in a response.
    pub status: CommandStatus,
    /// Chosen by who asks, repeated by who answers. Any 32 bits are accepted (quirk Q77).
    pub sequence: u32,
    /// The command and its fields.
    pub body: Body<'a>,
}

/// Every command of SMPP 3.3, 3.4 and 5.0. A `None` in a response is a body that was left out.
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are the commands of the standard, by name")]
pub enum Body<'a> {
    BindReceiver(Bind<'a>),
    BindTransmitter(Bind<'a>),
    BindTransceiver(Bind<'a>),
    Outbind(Outbind<'a>),
    Unbind,
    EnquireLink,
    SubmitSm(SubmitSm<'a>),
    DeliverSm(SubmitSm<'a>),
    DataSm(DataSm<'a>),
    SubmitMulti(SubmitMulti<'a>),
    QuerySm(QuerySm<'a>),
    CancelSm(CancelSm<'a>),
    ReplaceSm(ReplaceSm<'a>),
    AlertNotification(AlertNotification<'a>),
    BroadcastSm(BroadcastSm<'a>),
    QueryBroadcastSm(QueryBroadcastSm<'a>),
    CancelBroadcastSm(CancelBroadcastSm<'a>),
    ParamRetrieve(ParamRetrieve<'a>),
    QueryLastMsgs(QueryLastMsgs<'a>),
    QueryMsgDetails(QueryMsgDetails<'a>),
    GenericNack,
    BindReceiverResp(BindResp<'a>),
    BindTransmitterResp(BindResp<'a>),
    BindTransceiverResp(BindResp<'a>),
    UnbindResp,
    EnquireLinkResp,
    SubmitSmResp(SubmitSmResp<'a>),
    DeliverSmResp(SubmitSmResp<'a>),
    DataSmResp(SubmitSmResp<'a>),
    SubmitMultiResp(Option<SubmitMultiResp<'a>>),
    QuerySmResp(Option<QuerySmResp<'a>>),
    CancelSmResp,
    ReplaceSmResp,
    BroadcastSmResp(SubmitSmResp<'a>),
    QueryBroadcastSmResp(SubmitSmResp<'a>),
    CancelBroadcastSmResp,
    ParamRetrieveResp(Option<&'a [u8]>),
    QueryLastMsgsResp(Option<QueryLastMsgsResp<'a>>),
    /// A vendor's or an unknown command; also query_msg_details_resp, whose layout no two sources agree on.
    Unknown {
        command: CommandId,
        body: &'a [u8],
    },
}

impl Body<'_> {
    /// The command_id of this body.
    pub fn command(&self) -> CommandId {
        match self {
            Body::BindReceiver(_) => CommandId::BIND_RECEIVER,
            Body::BindTransmitter(_) => CommandId::BIND_TRANSMITTER,
            Body::BindTransceiver(_) => CommandId::BIND_TRANSCEIVER,
            Body::Outbind(_) => CommandId::OUTBIND,
            Body::Unbind => CommandId::UNBIND,
            Body::EnquireLink => CommandId::ENQUIRE_LINK,
            Body::SubmitSm(_) => CommandId::SUBMIT_SM,
            Body::DeliverSm(_) => CommandId::DELIVER_SM,
            Body::DataSm(_) => CommandId::DATA_SM,
            Body::SubmitMulti(_) => CommandId::SUBMIT_MULTI,
            Body::QuerySm(_) => CommandId::QUERY_SM,
            Body::CancelSm(_) => CommandId::CANCEL_SM,
            Body::ReplaceSm(_) => CommandId::REPLACE_SM,
            Body::AlertNotification(_) => CommandId::ALERT_NOTIFICATION,
            Body::BroadcastSm(_) => CommandId::BROADCAST_SM,
            Body::QueryBroadcastSm(_) => CommandId::QUERY_BROADCAST_SM,
            Body::CancelBroadcastSm(_) => CommandId::CANCEL_BROADCAST_SM,
            Body::ParamRetrieve(_) => CommandId::PARAM_RETRIEVE,
            Body::QueryLastMsgs(_) => CommandId::QUERY_LAST_MSGS,
            Body::QueryMsgDetails(_) => CommandId::QUERY_MSG_DETAILS,
            Body::GenericNack => CommandId::GENERIC_NACK,
            Body::BindReceiverResp(_) => CommandId::BIND_RECEIVER_RESP,
            Body::BindTransmitterResp(_) => CommandId::BIND_TRANSMITTER_RESP,
            Body::BindTransceiverResp(_) => CommandId::BIND_TRANSCEIVER_RESP,
            Body::UnbindResp => CommandId::UNBIND_RESP,
            Body::EnquireLinkResp => CommandId::ENQUIRE_LINK_RESP,
            Body::SubmitSmResp(_) => CommandId::SUBMIT_SM_RESP,
            Body::DeliverSmResp(_) => CommandId::DELIVER_SM_RESP,
            Body::DataSmResp(_) => CommandId::DATA_SM_RESP,
            Body::SubmitMultiResp(_) => CommandId::SUBMIT_MULTI_RESP,
            Body::QuerySmResp(_) => CommandId::QUERY_SM_RESP,
            Body::CancelSmResp => CommandId::CANCEL_SM_RESP,
            Body::ReplaceSmResp => CommandId::REPLACE_SM_RESP,
            Body::BroadcastSmResp(_) => CommandId::BROADCAST_SM_RESP,
            Body::QueryBroadcastSmResp(_) => CommandId::QUERY_BROADCAST_SM_RESP,
            Body::CancelBroadcastSmResp => CommandId::CANCEL_BROADCAST_SM_RESP,
            Body::ParamRetrieveResp(_) => CommandId::PARAM_RETRIEVE_RESP,
            Body::QueryLastMsgsResp(_) => CommandId::QUERY_LAST_MSGS_RESP,
            Body::Unknown { command, .. } => *command,
        }
    }
}

/// bind_receiver, bind_transmitter and bind_transceiver (3.4 section 4.1).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Bind<'a> {
    /// Who binds; at most 15 octets.
    pub system_id: &'a [u8],
    /// At most 8 octets.
    pub password: &'a [u8],
    /// At most 12 octets.
    pub system_type: &'a [u8],
    /// See [`crate::smpp::fields::Version`].
    pub interface_version: u8,
    /// Type of number of the addresses served.
    pub addr_ton: u8,
    /// Numbering plan of the addresses served.
    pub addr_npi: u8,
    /// The addresses served: a number or an expression, at most 40 octets.
    pub address_range: &'a [u8],
}

/// outbind (3.4 section 4.1.7).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Outbind<'a> {
    /// The message centre that asks for a bind.
    pub system_id: &'a [u8],
    /// Its password.
    pub password: &'a [u8],
}

/// The response to a bind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BindResp<'a> {
    /// None: no body, as an error response usually has.
    pub system_id: Option<&'a [u8]>,
    /// sc_interface_version, towards peers of 3.4 and later only.
    pub tlvs: Tlvs<'a>,
}

/// submit_sm (3.4 section 4.4) and deliver_sm (section 4.6), which have the same fields.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct SubmitSm<'a> {
    /// At most 5 octets.
    pub service_type: &'a [u8],
    /// Who sends.
    pub source: Address<'a>,
    /// Who receives.
    pub dest: Address<'a>,
    /// Mode, type and features; see [`crate::smpp::fields`].
    pub esm_class: u8,
    /// TP-PID of the network.
    pub protocol_id: u8,
    /// 0 to 3.
    pub priority_flag: u8,
    /// A time string, or empty: at once.
    pub schedule_delivery_time: &'a [u8],
    /// A time string, or empty: as long as the receiver keeps messages.
    pub validity_period: &'a [u8],
    /// Which receipts are wanted.
    pub registered_delivery: u8,
    /// Whether to replace an earlier message of the same service_type and addresses.
    pub replace_if_present_flag: u8,
    /// The alphabet.
    pub data_coding: u8,
    /// A message stored at the message centre.
    pub sm_default_msg_id: u8,
    /// At most 255 octets, any of which may be zero.
    pub short_message: &'a [u8],
    /// Optional parameters.
    pub tlvs: Tlvs<'a>,
}

/// The body of submit_sm_resp, deliver_sm_resp, data_sm_resp, broadcast_sm_resp and query_broadcast_sm_resp.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SubmitSmResp<'a> {
    /// None: no body, as an error response usually has.
    pub message_id: Option<&'a [u8]>,
    /// Optional parameters.
    pub tlvs: Tlvs<'a>,
}

/// data_sm (3.4 section 4.7): the message is in the TLV message_payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of SubmitSm")]
pub struct DataSm<'a> {
    pub service_type: &'a [u8],
    pub source: Address<'a>,
    pub dest: Address<'a>,
    pub esm_class: u8,
    pub registered_delivery: u8,
    pub data_coding: u8,
    pub tlvs: Tlvs<'a>,
}

/// submit_multi (3.4 section 4.5).
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of SubmitSm")]
pub struct SubmitMulti<'a> {
    pub service_type: &'a [u8],
    pub source: Address<'a>,
    /// 1 to 255 addresses and distribution lists.
    pub dests: Destinations<'a>,
    pub esm_class: u8,
    pub protocol_id: u8,
    pub priority_flag: u8,
    pub schedule_delivery_time: &'a [u8],
    pub validity_period: &'a [u8],
    pub registered_delivery: u8,
    pub replace_if_present_flag: u8,
    pub data_coding: u8,
    pub sm_default_msg_id: u8,
    pub short_message: &'a [u8],
    pub tlvs: Tlvs<'a>,
}

/// submit_multi_resp (3.4 section 4.5.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SubmitMultiResp<'a> {
    /// One id for all destinations.
    pub message_id: &'a [u8],
    /// The destinations that were refused.
    pub failures: Failures<'a>,
    /// Optional parameters.
    pub tlvs: Tlvs<'a>,
}

/// query_sm (3.4 section 4.8).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the fields of the standard")]
pub struct QuerySm<'a> {
    pub message_id: &'a [u8],
    pub source: Address<'a>,
}

/// query_sm_resp (3.4 section 4.8.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuerySmResp<'a> {
    /// As asked for.
    pub message_id: &'a [u8],
    /// An absolute time string, or empty while the state is not final.
    pub final_date: &'a [u8],
    /// See [`crate::smpp::fields::MessageState`].
    pub message_state: u8,
    /// The network's error, or 0.
    pub error_code: u8,
    /// Optional parameters (5.0).
    pub tlvs: Tlvs<'a>,
}

/// cancel_sm (3.4 section 4.9): by id, or all messages of a service_type between two addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the fields of the standard")]
pub struct CancelSm<'a> {
    pub service_type: &'a [u8],
    pub message_id: &'a [u8],
    pub source: Address<'a>,
    pub dest: Address<'a>,
}

/// replace_sm (3.4 section 4.10).
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of SubmitSm")]
pub struct ReplaceSm<'a> {
    pub message_id: &'a [u8],
    pub source: Address<'a>,
    pub schedule_delivery_time: &'a [u8],
    pub validity_period: &'a [u8],
    pub registered_delivery: u8,
    pub sm_default_msg_id: u8,
    pub short_message: &'a [u8],
    /// message_payload (5.0).
    pub tlvs: Tlvs<'a>,
}

/// alert_notification (3.4 section 4.12): it has no response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AlertNotification<'a> {
    /// The device that is reachable again; at most 64 octets.
    pub source: Address<'a>,
    /// Who asked to be told; at most 64 octets.
    pub esme: Address<'a>,
    /// ms_availability_status.
    pub tlvs: Tlvs<'a>,
}

/// broadcast_sm (5.0 section 4.4.1): the areas and the message are in TLVs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the fields are those of SubmitSm")]
pub struct BroadcastSm<'a> {
    pub service_type: &'a [u8],
    pub source: Address<'a>,
    pub message_id: &'a [u8],
    pub priority_flag: u8,
    pub schedule_delivery_time: &'a [u8],
    pub validity_period: &'a [u8],
    pub replace_if_present_flag: u8,
    pub data_coding: u8,
    pub sm_default_msg_id: u8,
    pub tlvs: Tlvs<'a>,
}

/// query_broadcast_sm (5.0 section 4.6.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the fields of the standard")]
pub struct QueryBroadcastSm<'a> {
    pub message_id: &'a [u8],
    pub source: Address<'a>,
    pub tlvs: Tlvs<'a>,
}

/// cancel_broadcast_sm (5.0 section 4.6.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the fields of the standard")]
pub struct CancelBroadcastSm<'a> {
    pub service_type: &'a [u8],
    pub message_id: &'a [u8],
    pub source: Address<'a>,
    pub tlvs: Tlvs<'a>,
}

/// param_retrieve of 3.3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParamRetrieve<'a> {
    /// At most 31 octets.
    pub param_name: &'a [u8],
}

/// query_last_msgs of 3.3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueryLastMsgs<'a> {
    /// Whose messages.
    pub source: Address<'a>,
    /// How many at most.
    pub no_of_messages: u8,
}

/// query_last_msgs_resp of 3.3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueryLastMsgsResp<'a> {
    /// How many ids follow.
    pub no_messages: u8,
    /// The ids, each with the NUL that ends it.
    pub message_ids: &'a [u8],
}

/// query_msg_details of 3.3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueryMsgDetails<'a> {
    /// At most 8 octets.
    pub message_id: &'a [u8],
    /// Who sent it.
    pub source: Address<'a>,
    /// How many octets of the message are wanted.
    pub sm_length: u8,
}
