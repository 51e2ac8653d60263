//! What an operator says about tenants and routes. `config` fills these in; [`crate::admission::policy`] compiles them.

use std::time::Duration;

use crate::message::coding::{Languages, Link};
use crate::message::rate::Rate;
use crate::message::receipt_format::ReceiptFormat;
use crate::message::smart::Smart;
use crate::message::{Hidden, Money};

/// How many receipts a tenant gets for a message of several parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Receipts {
    /// One, when the last part has ended (`receipts = "message"`).
    #[default]
    Message,
    /// One for each part (`receipts = "part"`).
    Part,
}

/// What is paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charge {
    /// Parts that a carrier took (`charge = "submitted"`).
    #[default]
    Submitted,
    /// Parts that reached the handset (`charge = "delivered"`).
    Delivered,
}

/// One [[tenant]].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantConfig {
    /// The name in logs, metrics, CDR and prices.
    pub id: String,
    /// Whom it binds as; without one it has no SMPP.
    pub system_id: Option<String>,
    /// The password of its binds.
    pub password: Option<Hidden<String>>,
    /// Bearer tokens of its HTTP requests; without one it has no HTTP. Several at once allow a change without a gap.
    pub api_keys: Vec<Hidden<String>>,
    /// Parts in time that leave for carriers; absent = no limit. More is delayed, not refused.
    pub rate: Option<Rate>,
    /// Parts that may leave at once after a pause; absent = one second's worth.
    pub burst: Option<u32>,
    /// Requests without a response on each of its binds, both ways; absent = the protective bound of [smpp].
    pub window: Option<u16>,
    /// Binds at once; absent = no limit of its own.
    pub binds_max: Option<u16>,
    /// Limit of reserved plus posted; absent = none.
    pub credit: Option<Money>,
    /// Receipts for each message or part.
    pub receipts: Receipts,
    /// How they are written.
    pub receipt_format: ReceiptFormat,
    /// What is paid for.
    pub charge: Charge,
    /// How long a message waits to be sent if the sender does not say.
    pub validity: Duration,
    /// Messages to one destination keep their order (`order = "destination"`).
    pub ordered: bool,
    /// What its data_coding values mean.
    pub link: Link,
    /// Calling code for national numbers; absent = these are refused.
    pub country: Option<String>,
    /// Senders that it may use; empty = any.
    pub senders: Vec<String>,
    /// Languages whose national tables its messages may use, of those that the carrier takes.
    pub languages: Languages,
    /// What is done about dear characters of its HTTP messages if a request does not say.
    pub smart: Smart,
    /// Optional parameters of each message that does not give them itself, as they stand on the wire (quirk Q99).
    pub tlvs: Vec<u8>,
}

/// Nobody, with the defaults that the configuration has.
impl Default for TenantConfig {
    fn default() -> TenantConfig {
        TenantConfig {
            id: String::new(),
            system_id: None,
            password: None,
            api_keys: Vec::new(),
            rate: None,
            burst: None,
            window: None,
            binds_max: None,
            credit: None,
            receipts: Receipts::default(),
            receipt_format: ReceiptFormat::default(),
            charge: Charge::default(),
            validity: Duration::from_secs(48 * 3600),
            ordered: false,
            link: Link::default(),
            country: None,
            senders: Vec::new(),
            languages: Languages::ALL,
            smart: Smart::Strict,
            tlvs: Vec::new(),
        }
    }
}

/// One [[route]].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteConfig {
    /// E.164 digits; empty = every number.
    pub prefix: String,
    /// Carriers by id, the preferred one first.
    pub carriers: Vec<String>,
    /// Only for this tenant; absent = for all.
    pub tenant: Option<String>,
}
