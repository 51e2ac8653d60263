//! The mandatory fields of each PDU (SMPP 3.4 section 4, 5.0 section 4), as a table of its own: the suite judges a codec and so
//! uses none. PDUs are built from it, and what a peer sends is held against it.

/// What a field is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// One octet.
    Octet,
    /// A C-octet string of at most so many octets with its NUL.
    Text(usize),
    /// Octets that the octet before them counts.
    Counted,
    /// The destinations of submit_multi, counted by the octet before them.
    Dests,
    /// The failures of submit_multi_resp, counted likewise.
    Failures,
}

/// A field of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// The standard's name.
    pub(super) name: &'static str,
    /// What it is made of.
    pub(super) kind: Kind,
}

/// A PDU as the standard lays it out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// command_id.
    pub(super) id: u32,
    /// The standard's name.
    pub(super) name: &'static str,
    body: &'static str,
    /// Whether optional parameters may follow.
    pub(super) tlvs: bool,
    /// Whether a message centre may send it.
    pub(super) from_centre: bool,
    /// Whether an ESME may send it.
    pub(super) from_esme: bool,
}

/// The bit that tells a response from a request.
pub(super) const RESPONSE: u32 = 0x8000_0000;
/// generic_nack.
pub(super) const GENERIC_NACK: u32 = RESPONSE;
/// enquire_link.
pub(super) const ENQUIRE_LINK: u32 = 0x15;

const BIND: &str = "system_id:16 password:9 system_type:13 interface_version addr_ton addr_npi address_range:41";
const SUBMIT: &str = "service_type:6 source_addr_ton source_addr_npi source_addr:21 dest_addr_ton dest_addr_npi \
    destination_addr:21 esm_class protocol_id priority_flag schedule_delivery_time:17 validity_period:17 \
    registered_delivery replace_if_present_flag data_coding sm_default_msg_id sm_length short_message:o";
const MULTI: &str = "service_type:6 source_addr_ton source_addr_npi source_addr:21 number_of_dests dest_address:d \
    esm_class protocol_id priority_flag schedule_delivery_time:17 validity_period:17 \
    registered_delivery replace_if_present_flag data_coding sm_default_msg_id sm_length short_message:o";
const DATA: &str = "service_type:6 source_addr_ton source_addr_npi source_addr:65 dest_addr_ton dest_addr_npi \
    destination_addr:65 esm_class registered_delivery data_coding";
const QUERY: &str = "message_id:65 source_addr_ton source_addr_npi source_addr:21";
const CANCEL: &str = "service_type:6 message_id:65 source_addr_ton source_addr_npi source_addr:21 dest_addr_ton \
    dest_addr_npi destination_addr:21";
const REPLACE: &str = "message_id:65 source_addr_ton source_addr_npi source_addr:21 schedule_delivery_time:17 \
    validity_period:17 registered_delivery sm_default_msg_id sm_length short_message:o";
const BROADCAST: &str = "service_type:6 source_addr_ton source_addr_npi source_addr:21 message_id:65 priority_flag \
    schedule_delivery_time:17 validity_period:17 replace_if_present_flag data_coding sm_default_msg_id";
const QUERY_BROADCAST: &str = "message_id:65 source_addr_ton source_addr_npi source_addr:21";
const CANCEL_BROADCAST: &str = "service_type:6 message_id:65 source_addr_ton source_addr_npi source_addr:21";
const ALERT: &str = "source_addr_ton source_addr_npi source_addr:65 esme_addr_ton esme_addr_npi esme_addr:65";
const ID: &str = "message_id:65";
const QUERY_RESP: &str = "message_id:65 final_date:17 message_state error_code";
const MULTI_RESP: &str = "message_id:65 no_unsuccess unsuccess_sme:f";

const fn row(id: u32, name: &'static str, body: &'static str, tlvs: bool, sides: [bool; 2]) -> Layout {
    Layout { id, name, body, tlvs, from_esme: sides[0], from_centre: sides[1] }
}

const ESME: [bool; 2] = [true, false];
const CENTRE: [bool; 2] = [false, true];
const BOTH: [bool; 2] = [true, true];

/// Every PDU of the two standards, and those that 3.3 alone has by their names.
static LAYOUTS: [Layout; 39] = [
    row(0x01, "bind_receiver", BIND, false, ESME),
    row(0x02, "bind_transmitter", BIND, false, ESME),
    row(0x03, "query_sm", QUERY, false, ESME),
    row(0x04, "submit_sm", SUBMIT, true, ESME),
    row(0x05, "deliver_sm", SUBMIT, true, CENTRE),
    row(0x06, "unbind", "", false, BOTH),
    row(0x07, "replace_sm", REPLACE, true, ESME),
    row(0x08, "cancel_sm", CANCEL, false, ESME),
    row(0x09, "bind_transceiver", BIND, false, ESME),
    row(0x0B, "outbind", "system_id:16 password:9", false, CENTRE),
    row(ENQUIRE_LINK, "enquire_link", "", false, BOTH),
    row(0x21, "submit_multi", MULTI, true, ESME),
    row(0x22, "param_retrieve", "param_name:32", false, ESME),
    row(0x23, "query_last_msgs", "source_addr_ton source_addr_npi source_addr:21 no_of_messages", false, ESME),
    row(
        0x24,
        "query_msg_details",
        "message_id:9 source_addr_ton source_addr_npi source_addr:21 sm_length",
        false,
        ESME,
    ),
    row(0x102, "alert_notification", ALERT, true, CENTRE),
    row(0x103, "data_sm", DATA, true, BOTH),
    row(0x111, "broadcast_sm", BROADCAST, true, ESME),
    row(0x112, "query_broadcast_sm", QUERY_BROADCAST, true, ESME),
    row(0x113, "cancel_broadcast_sm", CANCEL_BROADCAST, true, ESME),
    row(0x8000_0000, "generic_nack", "", false, BOTH),
    row(0x8000_0001, "bind_receiver_resp", "system_id:16", true, CENTRE),
    row(0x8000_0002, "bind_transmitter_resp", "system_id:16", true, CENTRE),
    row(0x8000_0003, "query_sm_resp", QUERY_RESP, true, CENTRE),
    row(0x8000_0004, "submit_sm_resp", ID, true, CENTRE),
    row(0x8000_0005, "deliver_sm_resp", ID, true, ESME),
    row(0x8000_0006, "unbind_resp", "", false, BOTH),
    row(0x8000_0007, "replace_sm_resp", "", false, CENTRE),
    row(0x8000_0008, "cancel_sm_resp", "", false, CENTRE),
    row(0x8000_0009, "bind_transceiver_resp", "system_id:16", true, CENTRE),
    row(0x8000_0015, "enquire_link_resp", "", false, BOTH),
    row(0x8000_0021, "submit_multi_resp", MULTI_RESP, true, CENTRE),
    row(0x8000_0022, "param_retrieve_resp", "param_value:101", false, CENTRE),
    row(0x8000_0023, "query_last_msgs_resp", "no_messages", true, CENTRE),
    row(0x8000_0024, "query_msg_details_resp", "", true, CENTRE),
    row(0x8000_0103, "data_sm_resp", ID, true, BOTH),
    row(0x8000_0111, "broadcast_sm_resp", ID, true, CENTRE),
    row(0x8000_0112, "query_broadcast_sm_resp", ID, true, CENTRE),
    row(0x8000_0113, "cancel_broadcast_sm_resp", "", false, CENTRE),
];

impl Layout {
    /// The layout of a command_id.
    pub(super) fn of(id: u32) -> Option<&'static Layout> {
        LAYOUTS.iter().find(|layout| layout.id == id)
    }

    /// The layout that has this name.
    pub(super) fn named(name: &str) -> Option<&'static Layout> {
        LAYOUTS.iter().find(|layout| layout.name == name)
    }

    /// The mandatory fields in the order of the wire.
    pub(super) fn fields(&self) -> impl Iterator<Item = Field> + use<> {
        self.body.split_whitespace().map(|word| match word.split_once(':') {
            None => Field { name: word, kind: Kind::Octet },
            Some((name, "o")) => Field { name, kind: Kind::Counted },
            Some((name, "d")) => Field { name, kind: Kind::Dests },
            Some((name, "f")) => Field { name, kind: Kind::Failures },
            Some((name, octets)) => Field { name, kind: Kind::Text(octets.parse().expect("a number in this table")) },
        })
    }
}

/// The name of a command_id, or its number.
pub(super) fn name_of(id: u32) -> String {
    Layout::of(id).map_or_else(|| format!("command_id 0x{id:08X}"), |layout| layout.name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::LAYOUTS;
    use crate::smpp::command::CommandId;

    #[test]
    fn the_table_names_what_the_library_names() {
        for layout in &LAYOUTS {
            assert!(layout.fields().count() <= 18, "{}: every field can be read", layout.name);
            if layout.id != 0x8000_0024 {
                assert_eq!(CommandId(layout.id).name(), Some(layout.name));
            }
        }
    }
}
