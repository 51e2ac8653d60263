//! Whether the sections hold together: names used twice, names that nobody has, roads that lead nowhere.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use crate::admission::config::{RouteConfig, TenantConfig};
use crate::billing::config::PriceConfig;
use crate::config::carrier::CarrierConfig;
use crate::config::document::Entry;
use crate::config::finding::{Findings, Place};
use crate::config::spelling::nearest;

/// Addresses to listen on: none of them twice.
pub(super) fn ports(
    own: [(&'static str, SocketAddr, Place); 2],
    carriers: &[Entry<CarrierConfig>],
    findings: &mut Findings,
) {
    let outbinds = carriers
        .iter()
        .filter_map(|carrier| Some(("carrier.outbind_listen", carrier.value.outbind_listen?, carrier.place.clone())));
    let mut taken: Vec<(&str, SocketAddr, Place)> = Vec::new();
    for (key, address, place) in own.into_iter().chain(outbinds) {
        let clash = |(_, other, _): &&(&str, SocketAddr, Place)| {
            address.port() != 0 && other.port() == address.port() && overlap(other.ip(), address.ip())
        };
        if let Some((first, _, first_place)) = taken.iter().find(clash) {
            // A section that is absent has its default and no line.
            let shown = if place.line > 0 { &place } else { first_place };
            findings.error(shown, key, format!("{address} is taken by {first}"));
        }
        taken.push((key, address, place));
    }
}

/// Whether what comes to one address could come to the other: `0.0.0.0` is every address of IPv4, `[::]` every address there is.
fn overlap(one: IpAddr, other: IpAddr) -> bool {
    let (one, other) = (one.to_canonical(), other.to_canonical());
    let any = |ip: IpAddr| ip.is_unspecified();
    let all = |ip: IpAddr| ip.is_ipv6() && any(ip);
    one == other || all(one) || all(other) || (any(one) || any(other)) && one.is_ipv4() == other.is_ipv4()
}

/// Tenants and carriers: who there is. `window_max` is that of [smpp].
pub(super) fn parties(
    tenants: &[Entry<TenantConfig>],
    carriers: &[Entry<CarrierConfig>],
    window_max: u16,
    findings: &mut Findings,
) {
    let mut once = Once { findings };
    once.check("tenant.id", tenants.iter().map(|tenant| (Some(&tenant.value.id), &tenant.place)));
    once.check("tenant.system_id", tenants.iter().map(|tenant| (tenant.value.system_id.as_ref(), &tenant.place)));
    once.check("carrier.id", carriers.iter().map(|carrier| (Some(&carrier.value.id), &carrier.place)));
    let mut keys: BTreeMap<&str, &Place> = BTreeMap::new();
    for tenant in tenants {
        for key in &tenant.value.api_keys {
            if let Some(first) = keys.insert(&key.0, &tenant.place) {
                let what = format!("the tenant in line {} of {} has it too", first.line, first.file.display());
                findings.error(&tenant.place, "tenant.api_key", what);
            }
        }
        if tenant.value.system_id.is_none() && tenant.value.api_keys.is_empty() {
            let what = format!("{} has neither a system_id nor an api_key and cannot send", tenant.value.id);
            findings.warning(&tenant.place, "tenant", what);
        }
        if let Some(window) = tenant.value.window.filter(|window| *window > window_max) {
            let what = format!("{window} is more than any bind may have: window_max of [smpp] is {window_max}");
            findings.warning(&tenant.place, "tenant.window", what);
        }
    }
}

/// Routes: every name in them is somebody's, and no two say the same.
pub(super) fn routes(
    routes: &[Entry<RouteConfig>],
    tenants: &[Entry<TenantConfig>],
    carriers: &[Entry<CarrierConfig>],
    findings: &mut Findings,
) {
    let mut said: BTreeMap<(&str, Option<&str>), &Place> = BTreeMap::new();
    for route in routes {
        let RouteConfig { prefix, carriers: named, tenant } = &route.value;
        let mut seen = BTreeSet::new();
        for name in named {
            if !carriers.iter().any(|carrier| &carrier.value.id == name) {
                let meant = nearest(name, carriers.iter().map(|carrier| carrier.value.id.as_str()));
                findings.error(&route.place, "route.carriers", format!("there is no carrier {name:?}{meant}"));
            } else if !seen.insert(name) {
                findings.error(&route.place, "route.carriers", format!("{name:?} stands there twice"));
            }
        }
        unknown_tenant(tenant.as_ref(), tenants, &route.place, "route.tenant", findings);
        if let Some(first) = said.insert((prefix, tenant.as_deref()), &route.place) {
            let what = format!("{prefix:?} has a route in line {} of {}", first.line, first.file.display());
            findings.error(&route.place, "route.prefix", what);
        }
    }
    for carrier in carriers {
        if !routes.iter().any(|route| route.value.carriers.contains(&carrier.value.id)) {
            let what = format!("no route leads to {}", carrier.value.id);
            findings.warning(&carrier.place, "carrier", what);
        }
    }
    for tenant in tenants {
        let open = |route: &Entry<RouteConfig>| route.value.tenant.as_ref().is_none_or(|name| name == &tenant.value.id);
        if !routes.iter().any(open) {
            let what = format!("{} has no route and can send to nobody", tenant.value.id);
            findings.warning(&tenant.place, "tenant", what);
        }
    }
}

/// Prices: whose they are, and whether anything they are for can be reached.
pub(super) fn prices(
    prices: &[Entry<PriceConfig>],
    tenants: &[Entry<TenantConfig>],
    routes: &[Entry<RouteConfig>],
    findings: &mut Findings,
) {
    let mut said: BTreeMap<(&str, &str), &Place> = BTreeMap::new();
    for price in prices {
        let PriceConfig { tenant, prefix, per_part } = &price.value;
        unknown_tenant(Some(tenant), tenants, &price.place, "price.tenant", findings);
        if let Some(first) = said.insert((tenant, prefix), &price.place) {
            let what =
                format!("{tenant} has a price for {prefix:?} in line {} of {}", first.line, first.file.display());
            findings.error(&price.place, "price.prefix", what);
        }
        let credit = tenants.iter().find(|entry| &entry.value.id == tenant).and_then(|entry| entry.value.credit);
        if credit.is_some_and(|credit| credit.currency != per_part.currency) {
            let what = format!("the credit of {tenant} is in another currency");
            findings.error(&price.place, "price.per_part", what);
        }
        let leads_there = |route: &Entry<RouteConfig>| {
            let theirs = route.value.tenant.as_ref().is_none_or(|name| name == tenant);
            theirs && (route.value.prefix.starts_with(prefix) || prefix.starts_with(&route.value.prefix))
        };
        if !routes.iter().any(leads_there) {
            findings.warning(&price.place, "price.prefix", format!("no route of {tenant} leads to {prefix:?}"));
        }
    }
    for tenant in tenants {
        if !prices.iter().any(|price| price.value.tenant == tenant.value.id) {
            if tenant.value.credit.is_some() {
                let what = format!("{} has no price, so nothing would count against its credit", tenant.value.id);
                findings.error(&tenant.place, "tenant.credit", what);
            }
            let what = format!("{} has no price and sends unpriced", tenant.value.id);
            findings.warning(&tenant.place, "tenant", what);
        }
    }
}

fn unknown_tenant(
    name: Option<&String>,
    tenants: &[Entry<TenantConfig>],
    place: &Place,
    key: &str,
    findings: &mut Findings,
) {
    if let Some(name) = name.filter(|name| !tenants.iter().any(|tenant| &&tenant.value.id == name)) {
        let meant = nearest(name, tenants.iter().map(|tenant| tenant.value.id.as_str()));
        findings.error(place, key, format!("there is no tenant {name:?}{meant}"));
    }
}

/// Finds names that two sections have.
struct Once<'a> {
    findings: &'a mut Findings,
}

impl Once<'_> {
    fn check<'n>(&mut self, key: &str, names: impl Iterator<Item = (Option<&'n String>, &'n Place)>) {
        let mut said: BTreeMap<&String, &Place> = BTreeMap::new();
        for (name, place) in names {
            let Some(name) = name else { continue };
            if let Some(first) = said.insert(name, place) {
                let what = format!("{name:?} is taken in line {} of {}", first.line, first.file.display());
                self.findings.error(place, key, what);
            }
        }
    }
}
