//! From the configuration to what each stage owns.

use std::time::Duration;

use crate::admission::policy::{CarrierEntry, Policy};
use crate::billing::price::PriceBook;
use crate::carrier;
use crate::carrier::outcome::Treatment;
use crate::carrier::submit::Style;
use crate::config::{BindKind, CarrierConfig, Config, StatusAction, ValidityForm};
use crate::core::Terms;
use crate::gateway::limits::Doors;
use crate::gateway::start_error::StartError;
use crate::ingress::accept::Rules;
use crate::ingress::http::server;
use crate::ingress::smpp;
use crate::link::Limits;
use crate::message::rate::Rate as Pace;
use crate::message::{CarrierId, TenantId};
use crate::release::buckets::Rate;
use crate::release::retry::{Backoff, Retry};
use crate::smpp::fields::Version;
use crate::text::Concat;

/// Names with their numbers.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    pub tenants: Vec<(TenantId, String)>,
    pub carriers: Vec<(CarrierId, String)>,
}

impl Numbers {
    /// A tenant's number; all that the configuration names have one by now.
    pub(super) fn tenant(&self, name: &str) -> TenantId {
        self.tenants.iter().find(|(_, known)| known == name).map(|(id, _)| *id).unwrap_or_default()
    }

    pub(super) fn carrier(&self, name: &str) -> CarrierId {
        self.carriers.iter().find(|(_, known)| known == name).map(|(id, _)| *id).unwrap_or_default()
    }
}

/// What admission decides by.
pub(super) fn rules(config: &Config, numbers: &Numbers) -> Result<Rules, StartError> {
    let carriers: Vec<CarrierEntry<'_>> = config
        .carriers
        .iter()
        .map(|carrier| CarrierEntry { name: &carrier.id, id: numbers.carrier(&carrier.id), coding: carrier.coding })
        .collect();
    let policy = Policy::new(&config.tenants, &config.routes, &carriers, |name| numbers.tenant(name))?;
    let prices = PriceBook::new(&config.prices, |name| numbers.tenant(name)).map_err(|bad| StartError::Price(bad.0))?;
    Ok(Rules { policy, prices })
}

/// A tenant's pace.
pub(super) fn tenant_rates(config: &Config, numbers: &Numbers) -> Vec<(TenantId, Option<Rate>)> {
    let rate = |pace: Option<Pace>, burst: Option<u32>| pace.map(|pace| rate(pace, burst));
    config.tenants.iter().map(|t| (numbers.tenant(&t.id), rate(t.rate, t.burst))).collect()
}

/// How the core treats each carrier.
pub(super) fn carrier_terms(config: &Config, numbers: &Numbers) -> Vec<(CarrierId, Terms)> {
    let terms = |carrier: &CarrierConfig| Terms {
        rate: carrier.rate.map(|pace| rate(pace, None)),
        retry: Retry {
            attempts_max: u32::from(carrier.attempts_max),
            backoff: Backoff { first: carrier.retry_first, factor: 2, cap: carrier.retry_max },
        },
        delivered_wins: carrier.delivered_wins,
        resends: carrier.resends,
    };
    let known = |carrier: &&CarrierConfig| numbers.carriers.iter().any(|(_, name)| *name == carrier.id);
    config.carriers.iter().filter(known).map(|carrier| (numbers.carrier(&carrier.id), terms(carrier))).collect()
}

fn rate(pace: Pace, burst: Option<u32>) -> Rate {
    let per_micros = u64::try_from(pace.period.as_micros()).unwrap_or(u64::MAX);
    Rate { parts: pace.parts, per_micros, burst: burst.unwrap_or(pace.second_parts()) }
}

/// One carrier account, for its binds.
pub(super) fn carrier(config: &CarrierConfig, id: CarrierId) -> carrier::Config {
    let treatment = |action: StatusAction| match action {
        StatusAction::Retry => Treatment::Retry,
        StatusAction::SlowDown => Treatment::SlowDown,
        StatusAction::Fail => Treatment::Refuse,
    };
    carrier::Config {
        id,
        name: config.id.clone(),
        address: config.address.clone(),
        system_id: config.system_id.clone(),
        password: config.password.clone(),
        system_type: config.system_type.clone(),
        version: Version::of(config.interface_version),
        version_when_absent: Version::of(config.version_when_absent),
        addresses: (0, 0, config.address_range.clone()),
        binding: match config.bind {
            BindKind::Transceiver => carrier::Binding::Transceiver,
            BindKind::Pair => carrier::Binding::Pair,
        },
        binds: config.binds,
        window: config.window,
        outbind: config.outbind_listen.map(|listen| carrier::Outbind {
            listen,
            system_id: config.outbind_system_id.clone(),
            password: config.outbind_password.clone(),
        }),
        connect_timeout: config.connect_timeout,
        bind_timeout: config.bind_timeout,
        response_timeout: config.response_timeout,
        response_grace: config.response_grace.unwrap_or(config.response_timeout),
        enquire_link_interval: config.enquire_link,
        enquire_link_timeout: config.response_timeout,
        retry_first: config.reconnect_first,
        retry_max: config.reconnect_max,
        takes_tlvs: matches!(config.coding.concat, Concat::Sar | Concat::Payload),
        style: Style {
            service_type: config.service_type.clone(),
            source_ton: config.source_ton,
            source_npi: config.source_npi,
            dest_ton: config.dest_ton,
            dest_npi: config.dest_npi,
            plus: config.plus,
        },
        receipt_zone_minutes: config.receipt_zone_minutes,
        receipt_errors: config.receipt_errors.clone().into_iter().collect(),
        receipts_unmarked: config.receipts_unmarked,
        validity: match config.validity {
            ValidityForm::Relative => carrier::Validity::Relative,
            ValidityForm::Absolute => carrier::Validity::Absolute,
            ValidityForm::None => carrier::Validity::None,
        },
        validity_max: config.validity_max.unwrap_or(Duration::MAX),
        statuses: config.statuses.iter().map(|(status, action)| (*status, treatment(*action))).collect(),
        ..carrier::Config::default()
    }
}

/// Bounds of every SMPP link.
pub(super) fn limits(config: &Config) -> Limits {
    Limits { pdu_octets_max: config.smpp.pdu_octets_max as usize, ..Limits::default() }
}

/// The SMPP server.
pub(super) fn smpp_server(config: &Config, doors: Doors) -> smpp::Config {
    let smpp = &config.smpp;
    smpp::Config {
        system_id: smpp.system_id.clone(),
        binds_max: doors.binds_max,
        unbound_max: doors.unbound_max,
        deliver_window: smpp.window_max,
        unanswered_max: u32::from(smpp.window_max),
        bind_timeout: smpp.bind_timeout,
        enquire_link_interval: smpp.enquire_link,
        enquire_link_timeout: smpp.response_timeout,
        response_timeout: smpp.response_timeout,
        idle_timeout: smpp.idle_timeout,
        limits: limits(config),
    }
}

/// The HTTP server.
pub(super) fn http_server(config: &Config, doors: Doors) -> server::Limits {
    let http = &config.http;
    server::Limits {
        connections_max: doors.connections_max as usize,
        head_within: http.request_timeout,
        body_within: http.request_timeout,
        answer_within: http.request_timeout,
        body_octets_max: usize::try_from(http.body_octets_max).unwrap_or(usize::MAX),
        batch_max: http.batch_max as usize,
    }
}
