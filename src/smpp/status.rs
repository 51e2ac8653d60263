//! command_status (SMPP 3.4 section 5.1.3, 5.0 section 4.7.6): the code, its name, and what it asks a sender to do.

use core::fmt;

/// A command_status as it stands on the wire. Codes without a name (reserved, vendor) are carried unchanged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandStatus(pub u32);

/// What kind of trouble a status is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatusClass {
    /// No error.
    Ok,
    /// The same request would be refused again.
    Permanent,
    /// The same request may pass later.
    Temporary,
    /// The peer asks for a lower rate; the request was not accepted.
    Throttle,
    /// The session is at fault and not the message.
    Bind,
    /// The peer is in trouble.
    System,
}

/// What a sender does with a request that was answered by a status. A carrier's own settings may override it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatusAction {
    /// The request was accepted.
    Accept,
    /// Try the same route again, with back-off.
    Retry,
    /// Try another route.
    Reroute,
    /// Give the message up.
    Fail,
    /// Queue it again without counting an attempt, and lower the rate.
    SlowDown,
}

struct Row {
    code: u32,
    name: &'static str,
    class: StatusClass,
    action: StatusAction,
    meaning: &'static str,
}

macro_rules! statuses {
    ($($name:ident = $code:literal, $class:ident, $action:ident, $meaning:literal;)*) => {
        impl CommandStatus {
            $(#[doc = concat!("ESME_", stringify!($name), ": ", $meaning, ".")]
            pub const $name: CommandStatus = CommandStatus($code);)*
        }

        /// Every status that the standards name, in the order of their codes.
        const ROWS: &[Row] = &[$(Row {
            code: $code,
            name: concat!("ESME_", stringify!($name)),
            class: StatusClass::$class,
            action: StatusAction::$action,
            meaning: $meaning,
        },)*];
    };
}

impl CommandStatus {
    /// Whether the request was accepted.
    pub fn is_ok(self) -> bool {
        self.0 == 0
    }

    /// The standard's name (5.0 spelling), or None for a reserved or vendor code.
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|row| row.name)
    }

    /// What the code means in words.
    pub fn meaning(self) -> &'static str {
        match self.row() {
            Some(row) => row.meaning,
            None if self.is_vendor() => "defined by the vendor",
            None => "reserved",
        }
    }

    /// The kind of trouble. A code without a name is permanent, because a retry that never ends is worse than a failure.
    pub fn class(self) -> StatusClass {
        self.row().map_or(StatusClass::Permanent, |row| row.class)
    }

    /// What a sender does next; a code without a name fails the message.
    pub fn action(self) -> StatusAction {
        self.row().map_or(StatusAction::Fail, |row| row.action)
    }

    /// Whether the code lies in the range that the standard leaves to vendors, 0x400 to 0x4FF.
    pub fn is_vendor(self) -> bool {
        (0x400..=0x4FF).contains(&self.0)
    }

    /// Every status that has a name.
    pub fn all() -> impl Iterator<Item = CommandStatus> {
        ROWS.iter().map(|row| CommandStatus(row.code))
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.binary_search_by_key(&self.0, |row| row.code).ok().map(|index| &ROWS[index])
    }
}

impl fmt::Display for CommandStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} (0x{:08X})", self.0),
            None => write!(f, "0x{:08X}", self.0),
        }
    }
}

impl fmt::Debug for CommandStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StatusClass {
    /// The class in one lower-case word, for logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            StatusClass::Ok => "ok",
            StatusClass::Permanent => "permanent",
            StatusClass::Temporary => "temporary",
            StatusClass::Throttle => "throttle",
            StatusClass::Bind => "bind",
            StatusClass::System => "system",
        }
    }
}

impl StatusAction {
    /// The action in one lower-case word, for logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            StatusAction::Accept => "accept",
            StatusAction::Retry => "retry",
            StatusAction::Reroute => "reroute",
            StatusAction::Fail => "fail",
            StatusAction::SlowDown => "slow-down",
        }
    }
}

statuses! {
    ROK = 0x000, Ok, Accept, "No error";
    RINVMSGLEN = 0x001, Permanent, Fail, "short_message length invalid";
    RINVCMDLEN = 0x002, Permanent, Fail, "command_length invalid";
    RINVCMDID = 0x003, Permanent, Fail, "command_id not known or not supported";
    RINVBNDSTS = 0x004, Bind, Retry, "command not allowed in this session state";
    RALYBND = 0x005, Bind, SlowDown, "already bound";
    RINVPRTFLG = 0x006, Permanent, Fail, "priority_flag invalid";
    RINVREGDLVFLG = 0x007, Permanent, Fail, "registered_delivery invalid";
    RSYSERR = 0x008, System, Retry, "system error at the peer";
    RINVSRCADR = 0x00A, Permanent, Fail, "source address invalid";
    RINVDSTADR = 0x00B, Permanent, Fail, "destination address invalid";
    RINVMSGID = 0x00C, Permanent, Fail, "message_id invalid";
    RBINDFAIL = 0x00D, Bind, SlowDown, "bind failed";
    RINVPASWD = 0x00E, Bind, Fail, "password invalid";
    RINVSYSID = 0x00F, Bind, Fail, "system_id invalid";
    RCANCELFAIL = 0x011, Permanent, Fail, "cancel_sm failed";
    RREPLACEFAIL = 0x013, Permanent, Fail, "replace_sm failed";
    RMSGQFUL = 0x014, Throttle, SlowDown, "peer message queue full";
    RINVSERTYP = 0x015, Permanent, Fail, "service_type invalid";
    RINVNUMDESTS = 0x033, Permanent, Fail, "number_of_dests invalid";
    RINVDLNAME = 0x034, Permanent, Fail, "distribution list name invalid";
    RINVDESTFLAG = 0x040, Permanent, Fail, "dest_flag invalid (submit_multi)";
    RINVSUBREP = 0x042, Permanent, Fail, "submit with replace invalid";
    RINVESMCLASS = 0x043, Permanent, Fail, "esm_class invalid";
    RCNTSUBDL = 0x044, Permanent, Fail, "cannot submit to distribution list";
    RSUBMITFAIL = 0x045, Permanent, Reroute, "submit_sm, data_sm or submit_multi failed";
    RINVSRCTON = 0x048, Permanent, Fail, "source TON invalid";
    RINVSRCNPI = 0x049, Permanent, Fail, "source NPI invalid";
    RINVDSTTON = 0x050, Permanent, Fail, "destination TON invalid";
    RINVDSTNPI = 0x051, Permanent, Fail, "destination NPI invalid";
    RINVSYSTYP = 0x053, Bind, Fail, "system_type invalid";
    RINVREPFLAG = 0x054, Permanent, Fail, "replace_if_present_flag invalid";
    RINVNUMMSGS = 0x055, Permanent, Fail, "number_of_messages invalid";
    RTHROTTLED = 0x058, Throttle, SlowDown, "message rate limit exceeded";
    RINVSCHED = 0x061, Permanent, Fail, "schedule_delivery_time invalid";
    RINVEXPIRY = 0x062, Permanent, Fail, "validity_period invalid";
    RINVDFTMSGID = 0x063, Permanent, Fail, "predefined message invalid or missing";
    RX_T_APPN = 0x064, Temporary, Retry, "receiver temporary application error";
    RX_P_APPN = 0x065, Permanent, Fail, "receiver permanent application error";
    RX_R_APPN = 0x066, Permanent, Fail, "receiver rejects the message";
    RQUERYFAIL = 0x067, Temporary, Retry, "query_sm failed";
    RINVTLVSTREAM = 0x0C0, Permanent, Fail, "error in the TLV part";
    RTLVNOTALLWD = 0x0C1, Permanent, Fail, "TLV not allowed";
    RINVTLVLEN = 0x0C2, Permanent, Fail, "TLV length invalid";
    RMISSINGTLV = 0x0C3, Permanent, Fail, "expected TLV missing";
    RINVTLVVAL = 0x0C4, Permanent, Fail, "TLV value invalid";
    RDELIVERYFAILURE = 0x0FE, Temporary, Retry, "transaction delivery failure (data_sm_resp)";
    RUNKNOWNERR = 0x0FF, System, Retry, "unknown error";
    RSERTYPUNAUTH = 0x100, Permanent, Fail, "not authorised for service_type";
    RPROHIBITED = 0x101, Permanent, Reroute, "operation prohibited for this ESME";
    RSERTYPUNAVAIL = 0x102, Temporary, Reroute, "service_type unavailable";
    RSERTYPDENIED = 0x103, Permanent, Fail, "service_type denied";
    RINVDCS = 0x104, Permanent, Fail, "data_coding invalid";
    RINVSRCADDRSUBUNIT = 0x105, Permanent, Fail, "source address subunit invalid";
    RINVDSTADDRSUBUNIT = 0x106, Permanent, Fail, "destination address subunit invalid";
    RINVBCASTFREQINT = 0x107, Permanent, Fail, "broadcast_frequency_interval invalid";
    RINVBCASTALIAS_NAME = 0x108, Permanent, Fail, "broadcast alias name invalid";
    RINVBCASTAREAFMT = 0x109, Permanent, Fail, "broadcast area format invalid";
    RINVNUMBCAST_AREAS = 0x10A, Permanent, Fail, "number of broadcast areas invalid";
    RINVBCASTCNTTYPE = 0x10B, Permanent, Fail, "broadcast_content_type invalid";
    RINVBCASTMSGCLASS = 0x10C, Permanent, Fail, "broadcast_message_class invalid";
    RBCASTFAIL = 0x10D, Permanent, Reroute, "broadcast_sm failed";
    RBCASTQUERYFAIL = 0x10E, Temporary, Retry, "query_broadcast_sm failed";
    RBCASTCANCELFAIL = 0x10F, Permanent, Fail, "cancel_broadcast_sm failed";
    RINVBCAST_REP = 0x110, Permanent, Fail, "broadcast_rep_num invalid";
    RINVBCASTSRVGRP = 0x111, Permanent, Fail, "broadcast_service_group invalid";
    RINVBCASTCHANIND = 0x112, Permanent, Fail, "broadcast_channel_indicator invalid";
}
