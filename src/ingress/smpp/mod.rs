//! The SMPP server: platforms bind here, submit, and get their receipts.

pub mod end;
pub mod listen;
pub mod roll;
pub mod submission;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::clock::Clock;
use crate::exchange::Exchange;
use crate::ingress::accept::Rules;
use crate::ingress::attempts::Attempts;
use crate::ingress::lobby::Lobby;
use crate::ingress::references::References;
use crate::ingress::refused::Refused;
use crate::ingress::smpp::roll::Roll;
use crate::link::Limits;
use crate::message::{LinkId, TenantId};
use crate::presence::Presence;
use crate::seal::Keyring;
use crate::smpp::session::SessionConfig;

/// What bounds the server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our name in bind responses.
    pub system_id: String,
    /// Binds at once, of all tenants.
    pub binds_max: u32,
    /// Connections at once that have not bound. At it the one that has waited longest makes room.
    pub unbound_max: u32,
    /// deliver_sm without a response on a bind of a tenant that has no window of its own, and the most that any has.
    pub deliver_window: u16,
    /// Submits without a response on a link; beyond it the link is not read.
    pub unanswered_max: u32,
    /// How long a connection may stay unbound.
    pub bind_timeout: Duration,
    /// How long a link may be silent before it is probed.
    pub enquire_link_interval: Duration,
    /// How long a probe may stay unanswered.
    pub enquire_link_timeout: Duration,
    /// How long a deliver_sm may stay without a response before it is owed again.
    pub response_timeout: Duration,
    /// How long a bound link may carry nothing but probes; absent = as long as it likes.
    pub idle_timeout: Option<Duration>,
    /// Bounds of each link.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            system_id: "sluice".to_owned(),
            binds_max: 1_000,
            unbound_max: 1_000,
            deliver_window: 100,
            unanswered_max: 2_000,
            bind_timeout: Duration::from_secs(5),
            enquire_link_interval: Duration::from_secs(30),
            enquire_link_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(60),
            idle_timeout: None,
            limits: Limits::default(),
        }
    }
}

impl Config {
    fn session(&self) -> SessionConfig {
        SessionConfig {
            // Until it is known who binds: an unbound connection is to cost little.
            window_max: 1,
            bind_timeout: self.bind_timeout,
            enquire_link_interval: self.enquire_link_interval,
            enquire_link_timeout: self.enquire_link_timeout,
            response_timeout: self.response_timeout,
            idle_timeout: self.idle_timeout,
            ..SessionConfig::default()
        }
    }
}

/// What all links of the server stand on.
pub struct Ground {
    /// The server's bounds.
    pub config: Config,
    /// The road to the core.
    pub exchange: Arc<Exchange>,
    /// The process's clock.
    pub clock: Clock,
    /// Who is bound.
    pub presence: Arc<Presence>,
    /// For seals, ids and keyed hashes.
    pub keyring: Arc<Keyring>,
    /// What admission decides by at present.
    pub rules: Arc<ArcSwap<Rules>>,
    /// References of concatenated messages, shared with the other edge.
    pub references: Arc<References>,
    /// Failed binds.
    pub attempts: Attempts,
    /// Who is bound from where.
    pub roll: Roll,
    /// Who has not bound yet.
    pub lobby: Arc<Lobby>,
    /// Messages that were refused, by reason.
    pub refused: Arc<Refused>,
}

impl Ground {
    /// A tenant's bind is gone: its place is free.
    fn unbound(&self, tenant: TenantId, link: LinkId) {
        self.roll.leave(tenant, link);
        self.presence.tenant_unbind(tenant);
    }
}
