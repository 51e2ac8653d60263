//! The tags of optional parameters (SMPP 3.4 section 5.3.2, 5.0 section 4.8): names and lengths.

use core::fmt;

/// A TLV tag as it stands on the wire. Tags without a name (vendor, reserved) are carried unchanged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u16);

/// How a value is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TagKind {
    /// A big-endian unsigned integer or bit mask of as many octets as the value has.
    Int,
    /// A C-octet string; its final NUL may be missing.
    CString,
    /// Octets with a structure of their own.
    Octets,
}

struct Row {
    tag: u16,
    name: &'static str,
    octets_min: u16,
    octets_max: u16,
    kind: TagKind,
}

macro_rules! tags {
    ($($constant:ident = $tag:literal, $name:ident, $min:literal, $max:literal, $kind:ident;)*) => {
        impl Tag {
            $(#[doc = concat!("`", stringify!($name), "`, ", $min, " to ", $max, " octets.")]
            pub const $constant: Tag = Tag($tag);)*

            /// The least and the most octets a value of this tag may have; None for a tag without a name.
            pub fn octets_range(self) -> Option<(u16, u16)> {
                // A match compiles to a search without memory reads, which counts where every TLV is checked.
                match self.0 {
                    $($tag => Some(($min, $max)),)*
                    _ => None,
                }
            }
        }

        /// Every tag that has a name, in the order of their numbers.
        const ROWS: &[Row] = &[$(Row {
            tag: $tag,
            name: stringify!($name),
            octets_min: $min,
            octets_max: $max,
            kind: TagKind::$kind,
        },)*];
    };
}

impl Tag {
    /// The standard's name of the parameter, or None.
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|row| row.name)
    }

    /// How a value of this tag is read; octets for a tag without a name.
    pub fn kind(self) -> TagKind {
        self.row().map_or(TagKind::Octets, |row| row.kind)
    }

    /// Every tag that has a name, with the least and most octets of its value.
    pub fn all() -> impl Iterator<Item = (Tag, u16, u16)> {
        ROWS.iter().map(|row| (Tag(row.tag), row.octets_min, row.octets_max))
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.binary_search_by_key(&self.0, |row| row.tag).ok().map(|index| &ROWS[index])
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:04X}", self.0),
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

tags! {
    DEST_ADDR_SUBUNIT = 0x0005, dest_addr_subunit, 1, 1, Int;
    DEST_NETWORK_TYPE = 0x0006, dest_network_type, 1, 1, Int;
    DEST_BEARER_TYPE = 0x0007, dest_bearer_type, 1, 1, Int;
    DEST_TELEMATICS_ID = 0x0008, dest_telematics_id, 2, 2, Int;
    SOURCE_ADDR_SUBUNIT = 0x000D, source_addr_subunit, 1, 1, Int;
    SOURCE_NETWORK_TYPE = 0x000E, source_network_type, 1, 1, Int;
    SOURCE_BEARER_TYPE = 0x000F, source_bearer_type, 1, 1, Int;
    SOURCE_TELEMATICS_ID = 0x0010, source_telematics_id, 1, 2, Int;
    QOS_TIME_TO_LIVE = 0x0017, qos_time_to_live, 4, 4, Int;
    PAYLOAD_TYPE = 0x0019, payload_type, 1, 1, Int;
    ADDITIONAL_STATUS_INFO_TEXT = 0x001D, additional_status_info_text, 1, 256, CString;
    RECEIPTED_MESSAGE_ID = 0x001E, receipted_message_id, 1, 65, CString;
    MS_MSG_WAIT_FACILITIES = 0x0030, ms_msg_wait_facilities, 1, 1, Int;
    PRIVACY_INDICATOR = 0x0201, privacy_indicator, 1, 1, Int;
    SOURCE_SUBADDRESS = 0x0202, source_subaddress, 2, 23, Octets;
    DEST_SUBADDRESS = 0x0203, dest_subaddress, 2, 23, Octets;
    USER_MESSAGE_REFERENCE = 0x0204, user_message_reference, 2, 2, Int;
    USER_RESPONSE_CODE = 0x0205, user_response_code, 1, 1, Int;
    SOURCE_PORT = 0x020A, source_port, 2, 2, Int;
    DESTINATION_PORT = 0x020B, destination_port, 2, 2, Int;
    SAR_MSG_REF_NUM = 0x020C, sar_msg_ref_num, 2, 2, Int;
    LANGUAGE_INDICATOR = 0x020D, language_indicator, 1, 1, Int;
    SAR_TOTAL_SEGMENTS = 0x020E, sar_total_segments, 1, 1, Int;
    SAR_SEGMENT_SEQNUM = 0x020F, sar_segment_seqnum, 1, 1, Int;
    SC_INTERFACE_VERSION = 0x0210, sc_interface_version, 1, 1, Int;
    CALLBACK_NUM_PRES_IND = 0x0302, callback_num_pres_ind, 1, 1, Int;
    CALLBACK_NUM_ATAG = 0x0303, callback_num_atag, 0, 65, Octets;
    NUMBER_OF_MESSAGES = 0x0304, number_of_messages, 1, 1, Int;
    CALLBACK_NUM = 0x0381, callback_num, 4, 19, Octets;
    DPF_RESULT = 0x0420, dpf_result, 1, 1, Int;
    SET_DPF = 0x0421, set_dpf, 1, 1, Int;
    MS_AVAILABILITY_STATUS = 0x0422, ms_availability_status, 1, 1, Int;
    NETWORK_ERROR_CODE = 0x0423, network_error_code, 3, 3, Octets;
    MESSAGE_PAYLOAD = 0x0424, message_payload, 0, 65535, Octets;
    DELIVERY_FAILURE_REASON = 0x0425, delivery_failure_reason, 1, 1, Int;
    MORE_MESSAGES_TO_SEND = 0x0426, more_messages_to_send, 1, 1, Int;
    MESSAGE_STATE = 0x0427, message_state, 1, 1, Int;
    CONGESTION_STATE = 0x0428, congestion_state, 1, 1, Int;
    USSD_SERVICE_OP = 0x0501, ussd_service_op, 1, 1, Int;
    BROADCAST_CHANNEL_INDICATOR = 0x0600, broadcast_channel_indicator, 1, 1, Int;
    BROADCAST_CONTENT_TYPE = 0x0601, broadcast_content_type, 3, 3, Octets;
    BROADCAST_CONTENT_TYPE_INFO = 0x0602, broadcast_content_type_info, 1, 255, Octets;
    BROADCAST_MESSAGE_CLASS = 0x0603, broadcast_message_class, 1, 1, Int;
    BROADCAST_REP_NUM = 0x0604, broadcast_rep_num, 2, 2, Int;
    BROADCAST_FREQUENCY_INTERVAL = 0x0605, broadcast_frequency_interval, 3, 3, Octets;
    BROADCAST_AREA_IDENTIFIER = 0x0606, broadcast_area_identifier, 1, 100, Octets;
    BROADCAST_ERROR_STATUS = 0x0607, broadcast_error_status, 4, 4, Int;
    BROADCAST_AREA_SUCCESS = 0x0608, broadcast_area_success, 1, 1, Int;
    BROADCAST_END_TIME = 0x0609, broadcast_end_time, 16, 17, CString;
    BROADCAST_SERVICE_GROUP = 0x060A, broadcast_service_group, 1, 255, Octets;
    BILLING_IDENTIFICATION = 0x060B, billing_identification, 1, 1024, Octets;
    SOURCE_NETWORK_ID = 0x060D, source_network_id, 7, 65, CString;
    DEST_NETWORK_ID = 0x060E, dest_network_id, 7, 65, CString;
    SOURCE_NODE_ID = 0x060F, source_node_id, 6, 6, Octets;
    DEST_NODE_ID = 0x0610, dest_node_id, 6, 6, Octets;
    DEST_ADDR_NP_RESOLUTION = 0x0611, dest_addr_np_resolution, 1, 1, Int;
    DEST_ADDR_NP_INFORMATION = 0x0612, dest_addr_np_information, 10, 10, Octets;
    DEST_ADDR_NP_COUNTRY = 0x0613, dest_addr_np_country, 1, 5, Octets;
    DISPLAY_TIME = 0x1201, display_time, 1, 1, Int;
    SMS_SIGNAL = 0x1203, sms_signal, 2, 2, Int;
    MS_VALIDITY = 0x1204, ms_validity, 1, 4, Octets;
    ALERT_ON_MESSAGE_DELIVERY = 0x130C, alert_on_message_delivery, 0, 1, Octets;
    ITS_REPLY_TYPE = 0x1380, its_reply_type, 1, 1, Int;
    ITS_SESSION_INFO = 0x1383, its_session_info, 2, 2, Octets;
    DLT_PE_ID = 0x1400, dlt_pe_id, 1, 255, Octets;
    DLT_TEMPLATE_ID = 0x1401, dlt_template_id, 1, 255, Octets;
    DLT_TM_ID = 0x1402, dlt_tm_id, 1, 255, Octets;
}
