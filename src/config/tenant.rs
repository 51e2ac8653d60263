//! [[tenant]], [[route]] and [[price]]: who sends, by which carriers, at what price.

use std::time::Duration;

use toml::de::DeValue;

use crate::admission::config::{Charge, Receipts, RouteConfig, TenantConfig};
use crate::billing::config::PriceConfig;
use crate::config::link::read_link;
use crate::config::node::c_octets;
use crate::config::receipts::read_format;
use crate::config::section::Section;
use crate::message::Money;
use crate::message::optional::write_optional;
use crate::message::smart::Smart;

/// Octets of the id of a tenant or carrier: it stands in every log line and label.
const ID_OCTETS_MAX: usize = 32;

/// Parts of the longest message.
const PARTS_MAX: i64 = 255;

/// Octets of a system_id and a password (SMPP 3.4, 4.1.1).
pub(super) const SYSTEM_ID_OCTETS_MAX: usize = 15;
pub(super) const PASSWORD_OCTETS_MAX: usize = 8;

/// Octets of a password that some carriers demand against the standard.
pub(super) const LONG_PASSWORD_OCTETS_MAX: usize = 63;

/// Reads a [[tenant]].
pub(super) fn read_tenant(mut section: Section<'_>) -> Option<TenantConfig> {
    let id = read_id(&mut section, "id");
    let config = TenantConfig {
        id: id.clone().unwrap_or_default(),
        system_id: section.optional_text("system_id"),
        password: section.secret("password"),
        api_keys: section.secrets("api_key"),
        rate: section.optional("rate"),
        burst: section.optional_count("burst", 1..=100_000_000),
        window: section.optional_count("window", 1..=10_000),
        binds_max: section.optional_count("binds", 1..=10_000),
        credit: section.optional("credit"),
        receipts: section.choice("receipts", &[("message", Receipts::Message), ("part", Receipts::Part)]),
        receipt_format: read_format(&mut section),
        charge: section.choice("charge", &[("submitted", Charge::Submitted), ("delivered", Charge::Delivered)]),
        validity: section.duration("validity", "48h", Duration::from_secs(1)),
        ordered: section.choice("order", &[("none", false), ("destination", true)]),
        country: section.optional_text("country"),
        senders: section.texts("senders"),
        languages: section.languages("national_tables", &["all"]),
        smart: section.choice("smart_encoding", &Smart::WORDS),
        tlvs: read_tlvs(&mut section),
        link: read_link(&mut section),
    };
    c_octets(&mut section, "system_id", config.system_id.as_deref(), SYSTEM_ID_OCTETS_MAX);
    check_tenant(&mut section, &config);
    section.finish();
    id.map(|_| config)
}

/// Reads `tlvs = { "0x1400" = "text", "0x1401" = "hex:0a1b" }`.
fn read_tlvs(section: &mut Section<'_>) -> Vec<u8> {
    let mut octets = Vec::new();
    let Some(value) = section.value("tlvs", Some("{}".to_owned())) else { return octets };
    let DeValue::Table(table) = value.value else {
        section.error(
            &value.place,
            "tlvs",
            "write a table, as in { \"0x1400\" = \"1201\", \"0x1401\" = \"hex:0a1b\" }",
        );
        return octets;
    };
    for (tag, text) in table.iter() {
        let place = value.source.place(tag.span().start);
        let written = match text.get_ref().as_str() {
            Some(text) => write_optional(tag.get_ref(), text, &mut octets),
            None => Err(format!("{}: write a string in quotes", tag.get_ref())),
        };
        if let Err(what) = written {
            section.error(&place, "tlvs", what);
        }
    }
    octets
}

fn check_tenant(section: &mut Section<'_>, config: &TenantConfig) {
    let has_password = section.has("password");
    let mut wrong = |key: &'static str, what: &str| {
        let place = section.place_of(key);
        section.error(&place, key, what);
    };
    if config.system_id.is_some() && !has_password {
        wrong("password", "a tenant with a system_id needs a password to bind with");
    }
    if config.system_id.is_none() && config.password.is_some() {
        wrong("password", "without a system_id there is nobody to bind");
    }
    if config.burst.is_some() && config.rate.is_none() {
        wrong("burst", "without a rate there is nothing to burst from");
    }
    let calling_code =
        |code: &String| (1..=3).contains(&code.len()) && code.bytes().all(|octet| octet.is_ascii_digit());
    if config.country.as_ref().is_some_and(|code| !calling_code(code) || code.starts_with('0')) {
        wrong("country", "write a calling code of one to three digits, as in \"44\"");
    }
    if config.validity > Duration::from_secs(30 * 86_400) {
        wrong("validity", "a message may wait for at most 30d");
    }
    // Longer than any address of SMPP (3.4, 5.2.8), or nothing at all.
    if config.senders.iter().any(|sender| sender.is_empty() || sender.len() > 20) {
        wrong("senders", "a sender is a number, or a name of at most 11 characters");
    }
    let long = config.password.as_ref().is_some_and(|password| password.0.len() > PASSWORD_OCTETS_MAX);
    if long && config.system_id.is_some() {
        let place = section.place_of("password");
        section.warning(&place, "password", "SMPP passwords hold 8 octets; few programs can send a longer one");
    }
}

/// Reads a [[route]].
pub(super) fn read_route(mut section: Section<'_>) -> Option<RouteConfig> {
    let prefix = read_prefix(&mut section);
    let carriers = section.required_texts("carriers");
    let tenant = section.optional_text("tenant");
    if carriers.as_ref().is_some_and(Vec::is_empty) {
        let place = section.place_of("carriers");
        section.error(&place, "carriers", "a route needs at least one carrier");
    }
    section.finish();
    Some(RouteConfig { prefix: prefix?, carriers: carriers?, tenant })
}

/// Reads a [[price]].
pub(super) fn read_price(mut section: Section<'_>) -> Option<PriceConfig> {
    let tenant = section.required_text("tenant");
    let prefix = read_prefix(&mut section);
    let per_part: Option<Money> = section.required("per_part");
    if per_part.is_some_and(|price| price.micros.checked_mul(PARTS_MAX).is_none()) {
        let place = section.place_of("per_part");
        section.error(&place, "per_part", "the amount is too large: a message has up to 255 parts");
    }
    section.finish();
    Some(PriceConfig { tenant: tenant?, prefix: prefix?, per_part: per_part? })
}

/// Reads the name of a tenant or carrier.
pub(super) fn read_id(section: &mut Section<'_>, key: &'static str) -> Option<String> {
    let id = section.required_text(key)?;
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
    if id.is_empty() || id.len() > ID_OCTETS_MAX || !id.bytes().all(plain) {
        let place = section.place_of(key);
        let what = format!("{id:?} is no name: write 1 to {ID_OCTETS_MAX} letters, digits, '-', '_' or '.'");
        section.error(&place, key, what);
        return None;
    }
    Some(id)
}

/// Reads a prefix of international digits; empty stands for every number.
fn read_prefix(section: &mut Section<'_>) -> Option<String> {
    let prefix = section.required_text("prefix")?;
    if prefix.len() > 15 || prefix.starts_with('0') || !prefix.bytes().all(|octet| octet.is_ascii_digit()) {
        let place = section.place_of("prefix");
        let what = format!("{prefix:?} is no prefix: write digits as in \"44\", without + or 00; \"\" is every number");
        section.error(&place, "prefix", what);
        return None;
    }
    Some(prefix)
}
