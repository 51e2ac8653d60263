//! command_id (SMPP 3.4 section 5.1.2, 5.0 section 4.7.5): the number, its name, and the response that belongs to it.

use core::fmt;

/// A command_id as it stands on the wire. Numbers without a name are carried unchanged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u32);

/// The bit that tells a response from a request.
const RESPONSE: u32 = 0x8000_0000;

macro_rules! commands {
    ($($constant:ident = $id:literal, $name:ident;)*) => {
        impl CommandId {
            $(#[doc = concat!("`", stringify!($name), "`.")]
            pub const $constant: CommandId = CommandId($id);)*

            /// The standard's name, or None.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($id => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// Every command that has a name.
            pub fn all() -> impl Iterator<Item = CommandId> {
                [$(CommandId($id)),*].into_iter()
            }
        }
    };
}

impl CommandId {
    /// Whether this is a response (generic_nack is one), which is never answered.
    pub fn is_response(self) -> bool {
        self.0 & RESPONSE != 0
    }

    /// Whether this is one of the three binds.
    pub fn is_bind(self) -> bool {
        matches!(self, CommandId::BIND_RECEIVER | CommandId::BIND_TRANSMITTER | CommandId::BIND_TRANSCEIVER)
    }

    /// The response to this request, or None where generic_nack is the only possible answer: what has no response of
    /// its own, what only 3.3 knows, and what is not known.
    pub fn response(self) -> Option<CommandId> {
        match self {
            CommandId::OUTBIND | CommandId::ALERT_NOTIFICATION => None,
            CommandId::PARAM_RETRIEVE | CommandId::QUERY_LAST_MSGS | CommandId::QUERY_MSG_DETAILS => None,
            CommandId::AUTH_ACC | CommandId::SM_RESULT_NOTIFY => None,
            _ if self.is_response() || self.name().is_none() => None,
            _ => Some(CommandId(self.0 | RESPONSE)),
        }
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:08X}", self.0),
        }
    }
}

impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

commands! {
    BIND_RECEIVER = 0x00000001, bind_receiver;
    BIND_TRANSMITTER = 0x00000002, bind_transmitter;
    QUERY_SM = 0x00000003, query_sm;
    SUBMIT_SM = 0x00000004, submit_sm;
    DELIVER_SM = 0x00000005, deliver_sm;
    UNBIND = 0x00000006, unbind;
    REPLACE_SM = 0x00000007, replace_sm;
    CANCEL_SM = 0x00000008, cancel_sm;
    BIND_TRANSCEIVER = 0x00000009, bind_transceiver;
    OUTBIND = 0x0000000B, outbind;
    ENQUIRE_LINK = 0x00000015, enquire_link;
    SUBMIT_MULTI = 0x00000021, submit_multi;
    PARAM_RETRIEVE = 0x00000022, param_retrieve;
    QUERY_LAST_MSGS = 0x00000023, query_last_msgs;
    QUERY_MSG_DETAILS = 0x00000024, query_msg_details;
    ALERT_NOTIFICATION = 0x00000102, alert_notification;
    DATA_SM = 0x00000103, data_sm;
    BROADCAST_SM = 0x00000111, broadcast_sm;
    QUERY_BROADCAST_SM = 0x00000112, query_broadcast_sm;
    CANCEL_BROADCAST_SM = 0x00000113, cancel_broadcast_sm;
    AUTH_ACC = 0x01000001, auth_acc;
    SM_RESULT_NOTIFY = 0x01000002, sm_result_notify;
    GENERIC_NACK = 0x80000000, generic_nack;
    BIND_RECEIVER_RESP = 0x80000001, bind_receiver_resp;
    BIND_TRANSMITTER_RESP = 0x80000002, bind_transmitter_resp;
    QUERY_SM_RESP = 0x80000003, query_sm_resp;
    SUBMIT_SM_RESP = 0x80000004, submit_sm_resp;
    DELIVER_SM_RESP = 0x80000005, deliver_sm_resp;
    UNBIND_RESP = 0x80000006, unbind_resp;
    REPLACE_SM_RESP = 0x80000007, replace_sm_resp;
    CANCEL_SM_RESP = 0x80000008, cancel_sm_resp;
    BIND_TRANSCEIVER_RESP = 0x80000009, bind_transceiver_resp;
    ENQUIRE_LINK_RESP = 0x80000015, enquire_link_resp;
    SUBMIT_MULTI_RESP = 0x80000021, submit_multi_resp;
    PARAM_RETRIEVE_RESP = 0x80000022, param_retrieve_resp;
    QUERY_LAST_MSGS_RESP = 0x80000023, query_last_msgs_resp;
    QUERY_MSG_DETAILS_RESP = 0x80000024, query_msg_details_resp;
    DATA_SM_RESP = 0x80000103, data_sm_resp;
    BROADCAST_SM_RESP = 0x80000111, broadcast_sm_resp;
    QUERY_BROADCAST_SM_RESP = 0x80000112, query_broadcast_sm_resp;
    CANCEL_BROADCAST_SM_RESP = 0x80000113, cancel_broadcast_sm_resp;
    AUTH_ACC_RESP = 0x81000001, auth_acc_resp;
    SM_RESULT_NOTIFY_RESP = 0x81000002, sm_result_notify_resp;
}
