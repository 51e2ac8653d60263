//! The client side: binds to carriers, submits what the core releases, hands their receipts to the core.

pub mod bind;
pub mod end;
pub mod full;
mod kept;
pub mod notice;
pub mod outbind;
pub mod outcome;
pub mod pace;
pub mod submit;
pub mod validity;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::carrier::outcome::Treatment;
use crate::carrier::submit::Style;
use crate::clock::Clock;
use crate::exchange::Exchange;
use crate::link::Limits;
use crate::message::{CarrierId, Hidden};
use crate::presence::{Complaint, Presence};
use crate::seal::Keyring;
use crate::smpp::fields::Version;
use crate::smpp::pdu::Bind;
use crate::smpp::session::BindKind;

/// How an account's binds receive and submit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Binding {
    /// Each bind does both (`bind = "transceiver"`).
    #[default]
    Transceiver,
    /// Binds come in pairs, one of each (`bind = "transmitter+receiver"`, quirk Q86).
    Pair,
}

impl Binding {
    /// The kinds of bind that one of `binds` stands for.
    pub fn kinds(self) -> &'static [BindKind] {
        match self {
            Binding::Transceiver => &[BindKind::Transceiver],
            Binding::Pair => &[BindKind::Transmitter, BindKind::Receiver],
        }
    }
}

/// What is said to the carrier about how long it may try.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Validity {
    /// Nothing: some carriers refuse any value (quirk Q94).
    None,
    /// What is left of the message's validity, as a relative time.
    #[default]
    Relative,
    /// When it ends, in UTC.
    Absolute,
}

/// How a carrier asks to be bound to (SMPP 3.4 section 2.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbind {
    /// Where its connections are taken.
    pub listen: SocketAddr,
    /// What it calls itself.
    pub system_id: String,
    /// Its password.
    pub password: Hidden<String>,
}

/// One carrier account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Its number in facts.
    pub id: CarrierId,
    /// Its name in the configuration.
    pub name: String,
    /// Host and port.
    pub address: String,
    /// system_id of the binds.
    pub system_id: String,
    /// Their password, sent as it is whatever its length (quirk Q82).
    pub password: Hidden<String>,
    /// system_type of the binds.
    pub system_type: String,
    /// interface_version of the binds.
    pub version: Version,
    /// What the carrier counts as if it does not tell its version (quirk Q85).
    pub version_when_absent: Version,
    /// addr_ton, addr_npi and address_range of the binds.
    pub addresses: (u8, u8, String),
    /// How they bind.
    pub binding: Binding,
    /// How many binds, or pairs of them.
    pub binds: u16,
    /// Requests without a response on each bind; never more (quirk Q70).
    pub window: u16,
    /// Where the carrier may ask to be bound to (quirk Q87).
    pub outbind: Option<Outbind>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a bind may take.
    pub bind_timeout: Duration,
    /// How long a submit_sm may stay without a response before that is late.
    pub response_timeout: Duration,
    /// How long a late response is still taken for the answer; then the outcome is in doubt (quirk Q74).
    pub response_grace: Duration,
    /// How long the link may be silent before it is probed.
    pub enquire_link_interval: Duration,
    /// How long a probe may stay unanswered.
    pub enquire_link_timeout: Duration,
    /// The first pause before connecting again; it doubles up to `retry_max`.
    pub retry_first: Duration,
    /// See `retry_first`.
    pub retry_max: Duration,
    /// The pause after the carrier refused the credentials, so that it does not lock the account (quirk Q83).
    pub refused_retry: Duration,
    /// The first pause after the carrier asked to slow down; it doubles up to `throttle_pause_max` (quirk Q68).
    pub throttle_pause_first: Duration,
    /// See `throttle_pause_first`.
    pub throttle_pause_max: Duration,
    /// Its long messages go as optional parameters (`concat = "sar"` or `"payload"`), so it knows them even if it does not say so.
    pub takes_tlvs: bool,
    /// What it wants otherwise in each submit_sm.
    pub style: Style,
    /// What is said about validity.
    pub validity: Validity,
    /// No more is said, for carriers that refuse more.
    pub validity_max: Duration,
    /// Offset of the carrier's receipt times from UTC (quirk Q26).
    pub receipt_zone_minutes: i32,
    /// Error codes of its receipts, and what they are shown as (quirk Q27).
    pub receipt_errors: Vec<(String, String)>,
    /// Its receipts may come unmarked, as the text alone (quirk Q11).
    pub receipts_unmarked: bool,
    /// Statuses that mean something else here than in the standard.
    pub statuses: Vec<(u32, Treatment)>,
}

impl Config {
    /// The request to bind.
    pub fn bind_request(&self) -> Bind<'_> {
        let (addr_ton, addr_npi, address_range) = &self.addresses;
        Bind {
            system_id: self.system_id.as_bytes(),
            password: self.password.0.as_bytes(),
            system_type: self.system_type.as_bytes(),
            interface_version: self.version.interface_version(),
            addr_ton: *addr_ton,
            addr_npi: *addr_npi,
            address_range: address_range.as_bytes(),
        }
    }
}

impl Default for Config {
    fn default() -> Config {
        Config {
            id: CarrierId(0),
            name: String::new(),
            address: String::new(),
            system_id: String::new(),
            password: Hidden::default(),
            system_type: String::new(),
            version: Version::V34,
            version_when_absent: Version::V33,
            addresses: (0, 0, String::new()),
            binding: Binding::Transceiver,
            binds: 1,
            window: 10,
            outbind: None,
            connect_timeout: Duration::from_secs(10),
            bind_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(60),
            response_grace: Duration::ZERO,
            enquire_link_interval: Duration::from_secs(30),
            enquire_link_timeout: Duration::from_secs(10),
            retry_first: Duration::from_millis(250),
            retry_max: Duration::from_secs(30),
            refused_retry: Duration::from_secs(300),
            throttle_pause_first: Duration::from_millis(100),
            throttle_pause_max: Duration::from_secs(60),
            takes_tlvs: false,
            style: Style::default(),
            validity: Validity::Relative,
            validity_max: Duration::MAX,
            receipt_zone_minutes: 0,
            receipt_errors: Vec::new(),
            receipts_unmarked: false,
            statuses: Vec::new(),
        }
    }
}

/// What the binds of all carriers stand on.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The road to the core.
    pub exchange: Arc<Exchange>,
    /// The process's clock.
    pub clock: Clock,
    /// Where binds count themselves.
    pub presence: Arc<Presence>,
    /// For keyed hashes of numbers.
    pub keyring: Arc<Keyring>,
    /// Bounds of each link.
    pub limits: Limits,
}

impl Ground {
    /// See [`crate::presence::CarrierBinds::complains`].
    fn complains(&self, config: &Config, of: Complaint) -> Option<u32> {
        self.presence.carrier(config.id)?.complains(of, self.clock.elapsed())
    }
}
