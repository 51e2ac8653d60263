//! [[carrier]]: an account at somebody else's SMSC, and that SMSC's ways.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use toml::de::DeValue;

use crate::config::link::read_link;
use crate::config::node::c_octets;
use crate::config::receipts::{read_errors, read_zone};
use crate::config::section::Section;
use crate::config::tenant::{LONG_PASSWORD_OCTETS_MAX, PASSWORD_OCTETS_MAX, SYSTEM_ID_OCTETS_MAX, read_id};
use crate::message::Hidden;
use crate::message::coding::{ClassStyle, Coding, Languages};
use crate::message::rate::Rate;

const SECOND: Duration = Duration::from_secs(1);

/// Which binds an account is reached by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindKind {
    /// One bind sends and receives (`bind = "transceiver"`).
    Transceiver,
    /// A pair of binds (`bind = "transmitter+receiver"`).
    Pair,
}

/// What a command_status of this carrier means, where it departs from the standard's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusAction {
    /// The same carrier again after a pause; counts as an attempt.
    Retry,
    /// Slow down and try again; counts as none.
    SlowDown,
    /// Final.
    Fail,
}

/// How a carrier is told for how long it may try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidityForm {
    /// For so long from now.
    Relative,
    /// Until then, in UTC.
    Absolute,
    /// Not at all.
    None,
}

/// One [[carrier]].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarrierConfig {
    /// The name in logs, metrics, CDR and routes.
    pub id: String,
    /// Host and port; a name is looked up at each connect.
    pub address: String,
    /// Whom we bind as.
    pub system_id: String,
    /// With which password.
    pub password: Hidden<String>,
    /// system_type of the bind.
    pub system_type: String,
    /// interface_version of the bind, as on the wire.
    pub interface_version: u8,
    /// What the carrier counts as if its bind response does not say, as on the wire.
    pub version_when_absent: u8,
    /// address_range of the bind.
    pub address_range: String,
    /// Which binds.
    pub bind: BindKind,
    /// How many binds, or pairs.
    pub binds: u16,
    /// Requests without a response on each bind.
    pub window: u16,
    /// Where the carrier may ask to be bound to; absent = nowhere.
    pub outbind_listen: Option<SocketAddr>,
    /// Who it says that it is then.
    pub outbind_system_id: String,
    /// With which password.
    pub outbind_password: Hidden<String>,
    /// Parts in time over all binds; absent = no limit.
    pub rate: Option<Rate>,
    /// How long a connect may take.
    pub connect_timeout: Duration,
    /// How long a bind may stay unanswered.
    pub bind_timeout: Duration,
    /// Silence after which a link is probed.
    pub enquire_link: Duration,
    /// How long a submit_sm or a probe may stay unanswered before that is late or missed.
    pub response_timeout: Duration,
    /// How long a late response is still taken for the answer; absent = as long again.
    pub response_grace: Option<Duration>,
    /// Parts whose outcome is in doubt are sent again (`in_doubt = "resend"`), or left alone (`"leave"`).
    pub resends: bool,
    /// Pause before the second attempt to connect; doubles from there.
    pub reconnect_first: Duration,
    /// The longest pause.
    pub reconnect_max: Duration,
    /// Pause before a part that a temporary error has refused is tried again; doubles from there.
    pub retry_first: Duration,
    /// The longest pause.
    pub retry_max: Duration,
    /// Attempts of one part at most.
    pub attempts_max: u16,
    /// How it wants its texts.
    pub coding: Coding,
    /// service_type of each submit_sm.
    pub service_type: String,
    /// How it is told for how long it may try.
    pub validity: ValidityForm,
    /// The longest that it is told; absent = whatever is left.
    pub validity_max: Option<Duration>,
    /// International numbers are written with + in front.
    pub plus: bool,
    /// Type of number of senders, instead of the one that fits the sender.
    pub source_ton: Option<u8>,
    /// Numbering plan of senders, likewise.
    pub source_npi: Option<u8>,
    /// Type of number of destinations, instead of 1.
    pub dest_ton: Option<u8>,
    /// Numbering plan of destinations, instead of 1.
    pub dest_npi: Option<u8>,
    /// What its statuses mean where they depart from the standard.
    pub statuses: BTreeMap<u32, StatusAction>,
    /// The zone of the dates in its receipts, in minutes east of Greenwich.
    pub receipt_zone_minutes: i32,
    /// Its error codes in receipts that are to be shown as others.
    pub receipt_errors: BTreeMap<String, String>,
    /// Its receipts may come unmarked, as the text alone.
    pub receipts_unmarked: bool,
    /// A failure waits for a success that may follow it.
    pub delivered_wins: bool,
}

const VALIDITY_FORMS: [(&str, ValidityForm); 3] =
    [("relative", ValidityForm::Relative), ("absolute", ValidityForm::Absolute), ("none", ValidityForm::None)];

/// How a message class may be written, the default first.
const CLASS_STYLES: [(&str, ClassStyle); 3] =
    [("as-sent", ClassStyle::AsSent), ("0x10", ClassStyle::General), ("0xF0", ClassStyle::Class)];

/// Reads a [[carrier]].
pub(super) fn read_carrier(mut section: Section<'_>) -> Option<CarrierConfig> {
    let id = read_id(&mut section, "id");
    let address = section.required_text("address");
    let system_id = section.required_text("system_id");
    let password = section.secret("password");
    let config = CarrierConfig {
        id: id.clone().unwrap_or_default(),
        address: address.clone().unwrap_or_default(),
        system_id: system_id.clone().unwrap_or_default(),
        password: password.unwrap_or_default(),
        system_type: section.text("system_type", ""),
        interface_version: section.choice("interface_version", &[("3.4", 0x34), ("3.3", 0x33), ("5.0", 0x50)]),
        version_when_absent: section.choice("version_when_absent", &[("3.3", 0x33), ("3.4", 0x34), ("5.0", 0x50)]),
        address_range: section.text("address_range", ""),
        bind: section
            .choice("bind", &[("transceiver", BindKind::Transceiver), ("transmitter+receiver", BindKind::Pair)]),
        binds: section.count("binds", 1, 1..=1000),
        window: section.count("window", 10, 1..=10_000),
        outbind_listen: section.optional("outbind_listen"),
        outbind_system_id: section.optional_text("outbind_system_id").unwrap_or_default(),
        outbind_password: section.secret("outbind_password").unwrap_or_default(),
        rate: section.optional("rate"),
        connect_timeout: section.duration("connect_timeout", "5s", Duration::from_millis(10)),
        bind_timeout: section.duration("bind_timeout", "5s", Duration::from_millis(10)),
        enquire_link: section.duration("enquire_link", "30s", SECOND),
        response_timeout: section.duration("response_timeout", "10s", Duration::from_millis(10)),
        response_grace: section.optional_duration("response_grace"),
        resends: section.choice("in_doubt", &[("resend", true), ("leave", false)]),
        reconnect_first: section.duration("reconnect_first", "250ms", Duration::from_millis(1)),
        reconnect_max: section.duration("reconnect_max", "30s", Duration::from_millis(1)),
        retry_first: section.duration("retry_first", "1s", Duration::from_millis(1)),
        retry_max: section.duration("retry_max", "5m", Duration::from_millis(1)),
        attempts_max: section.count("attempts_max", 20, 1..=250),
        coding: read_coding(&mut section),
        service_type: section.text("service_type", ""),
        validity: section.choice("validity", &VALIDITY_FORMS),
        validity_max: section.optional_duration("validity_max"),
        plus: section.flag("plus"),
        source_ton: section.optional_count("source_ton", 0..=255),
        source_npi: section.optional_count("source_npi", 0..=255),
        dest_ton: section.optional_count("dest_ton", 0..=255),
        dest_npi: section.optional_count("dest_npi", 0..=255),
        statuses: read_statuses(&mut section),
        receipt_zone_minutes: read_zone(&mut section),
        receipt_errors: read_errors(&mut section),
        receipts_unmarked: section.flag("receipts_unmarked"),
        delivered_wins: section.flag("delivered_wins"),
    };
    check_carrier(&mut section, &config);
    section.finish();
    id.and(address).and(system_id).map(|_| config)
}

fn read_coding(section: &mut Section<'_>) -> Coding {
    Coding {
        concat: section.choice("concat", &Coding::CONCATS),
        link: read_link(section).with_class_style(section.choice("message_class", &CLASS_STYLES)),
        languages: section.languages("national_tables", &[]),
        clusters: section.flag("keep_clusters"),
    }
}

/// Reads `statuses = { "0x400" = "fail", "1044" = "retry" }`.
fn read_statuses(section: &mut Section<'_>) -> BTreeMap<u32, StatusAction> {
    let mut statuses = BTreeMap::new();
    let Some(value) = section.value("statuses", Some("{}".to_owned())) else { return statuses };
    let DeValue::Table(table) = value.value else {
        section.error(&value.place, "statuses", "write a table, as in { \"0x400\" = \"fail\", \"1044\" = \"retry\" }");
        return statuses;
    };
    for (status, action) in table.iter() {
        let place = value.source.place(status.span().start);
        let text = status.get_ref();
        let number = match text.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => text.parse(),
        };
        let action = match action.get_ref().as_str() {
            Some("retry") => Some(StatusAction::Retry),
            Some("slow-down") => Some(StatusAction::SlowDown),
            Some("fail") => Some(StatusAction::Fail),
            _ => None,
        };
        match (number, action) {
            (Ok(0), _) => section.error(&place, "statuses", "status 0 is success and means nothing else"),
            (Err(_), _) => {
                section.error(&place, "statuses", format!("{text:?} is no status, as \"0x400\" or \"1024\" are"))
            }
            (_, None) => {
                section.error(&place, "statuses", format!("{text}: write \"retry\", \"slow-down\" or \"fail\""))
            }
            (Ok(number), Some(action)) => {
                statuses.insert(number, action);
            }
        }
    }
    statuses
}

fn check_carrier(section: &mut Section<'_>, config: &CarrierConfig) {
    c_octets(section, "system_id", Some(&config.system_id), SYSTEM_ID_OCTETS_MAX);
    c_octets(section, "system_type", Some(&config.system_type), 12);
    c_octets(section, "outbind_system_id", Some(&config.outbind_system_id), SYSTEM_ID_OCTETS_MAX);
    if config.outbind_listen.is_some() && config.outbind_system_id.is_empty() {
        let place = section.place_of("outbind_listen");
        section.error(
            &place,
            "outbind_listen",
            "without outbind_system_id anyone could be the carrier: write what it calls itself",
        );
    }
    c_octets(section, "address_range", Some(&config.address_range), 40);
    c_octets(section, "service_type", Some(&config.service_type), 5);
    c_octets(section, "password", Some(&config.password.0), LONG_PASSWORD_OCTETS_MAX);
    if config.password.0.len() > PASSWORD_OCTETS_MAX {
        let place = section.place_of("password");
        section.warning(
            &place,
            "password",
            "SMPP passwords hold 8 octets; it is sent whole, if the carrier demands it",
        );
    }
    if config.coding.languages != Languages::NONE && !config.coding.link.sends_gsm7() {
        let place = section.place_of("national_tables");
        let what = "they are tables of GSM-7, and this carrier gets its default_alphabet or UCS-2: they are never used";
        section.warning(&place, "national_tables", what);
    }
    let port =
        config.address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    if section.has("address") && !matches!(port, Some(Ok(1..))) {
        let place = section.place_of("address");
        section.error(&place, "address", "write host and port, as in \"smsc.example.net:2775\"");
    }
    for (first, first_key, max, max_key) in [
        (config.reconnect_first, "reconnect_first", config.reconnect_max, "reconnect_max"),
        (config.retry_first, "retry_first", config.retry_max, "retry_max"),
    ] {
        if first > max {
            let place = section.place_of(first_key);
            section.error(&place, first_key, format!("it is longer than {max_key}"));
        }
    }
}
