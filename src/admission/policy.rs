//! The immutable snapshot that I/O threads admit by: tenants, routes, carriers' encoding settings. Compiled at load and
//! swapped whole at a reload.

use std::fmt;

use crate::admission::config::{RouteConfig, TenantConfig};
use crate::admission::refusal::Refusal;
use crate::admission::route::Routes;
use crate::admission::tenant::{Directory, SecretDigest, Tenant};
use crate::message::coding::Coding;
use crate::message::{CarrierId, TenantId};

/// Everything that admission decides by.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    tenants: Vec<Tenant>,
    directory: Directory,
    routes: Routes,
    /// Places of tenants by their numbers, which are small and dense.
    places: Vec<Option<usize>>,
    /// By number, likewise.
    codings: Vec<Option<Coding>>,
}

/// A carrier as admission needs it.
#[derive(Clone, Copy, Debug)]
pub struct CarrierEntry<'a> {
    /// Its name in the configuration.
    pub name: &'a str,
    /// Its number in facts.
    pub id: CarrierId,
    /// How it wants its texts.
    pub coding: Coding,
}

/// A configuration that does not hold together. The configuration's own checks find these earlier and with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// A route names a carrier that is not there.
    UnknownCarrier(String),
    /// A route names a tenant that is not there.
    UnknownTenant(String),
    /// A route's prefix is not made of digits.
    BadPrefix(String),
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PolicyError::UnknownCarrier(name) => write!(f, "a route names the unknown carrier {name:?}"),
            PolicyError::UnknownTenant(name) => write!(f, "a route names the unknown tenant {name:?}"),
            PolicyError::BadPrefix(prefix) => write!(f, "the route prefix {prefix:?} is not made of digits"),
        }
    }
}

impl std::error::Error for PolicyError {}

impl Policy {
    /// Compiles a configuration. `tenant_id` gives the number of a tenant's name, as Named facts have it.
    pub fn new(
        tenants: &[TenantConfig],
        routes: &[RouteConfig],
        carriers: &[CarrierEntry<'_>],
        mut tenant_id: impl FnMut(&str) -> TenantId,
    ) -> Result<Policy, PolicyError> {
        let mut policy = Policy::default();
        for (place, config) in tenants.iter().enumerate() {
            let id = tenant_id(&config.id);
            policy.directory.insert(config, place);
            policy.tenants.push(Tenant::new(config, id, place));
            *grown(&mut policy.places, id.0) = Some(place);
        }
        for carrier in carriers {
            *grown(&mut policy.codings, carrier.id.0) = Some(carrier.coding);
        }
        for route in routes {
            policy.enter(route, carriers)?;
        }
        Ok(policy)
    }

    /// The tenant that binds with these credentials. A wrong system_id and a wrong password give the same answer, after the same time:
    /// what is presented is digested and compared even if there is nothing to compare it with.
    pub fn bind(&self, system_id: &[u8], password: &[u8]) -> Result<&Tenant, Refusal> {
        let presented = SecretDigest::of(password);
        let tenant = self.directory.with_system_id(system_id).map(|place| &self.tenants[place]);
        let expected = tenant.and_then(Tenant::password);
        let matches = expected.unwrap_or(SecretDigest::NOBODY).matches(&presented);
        tenant.filter(|_| matches && expected.is_some()).ok_or(Refusal::WrongCredentials)
    }

    /// The tenant that sends this bearer token.
    pub fn bearer(&self, api_key: &[u8]) -> Result<&Tenant, Refusal> {
        let place = self.directory.with_api_key(api_key).ok_or(Refusal::WrongCredentials)?;
        Ok(&self.tenants[place])
    }

    /// The tenant with this number: how a bind finds its tenant again after a reload.
    pub fn tenant(&self, id: TenantId) -> Option<&Tenant> {
        let place = self.places.get(usize::from(id.0)).copied().flatten()?;
        self.tenants.get(place)
    }

    /// All tenants, in the order of the configuration.
    pub fn tenants(&self) -> &[Tenant] {
        &self.tenants
    }

    /// The carriers for a destination in international digits, the preferred one first; never empty.
    pub fn route(&self, tenant: &Tenant, digits: &[u8]) -> Result<&[CarrierId], Refusal> {
        let carriers = self.routes.find(tenant.place, digits).ok_or(Refusal::NoRoute)?;
        if carriers.is_empty() { Err(Refusal::NoRoute) } else { Ok(carriers) }
    }

    /// How a carrier wants its texts; the usual way if it is not known.
    pub fn coding(&self, carrier: CarrierId) -> Coding {
        self.codings.get(usize::from(carrier.0)).copied().flatten().unwrap_or_default()
    }

    fn enter(&mut self, route: &RouteConfig, carriers: &[CarrierEntry<'_>]) -> Result<(), PolicyError> {
        let number = |name: &String| {
            let found = carriers.iter().find(|carrier| carrier.name == name).map(|carrier| carrier.id);
            found.ok_or_else(|| PolicyError::UnknownCarrier(name.clone()))
        };
        let numbers = route.carriers.iter().map(number).collect::<Result<Vec<_>, _>>()?;
        let tenant = match &route.tenant {
            None => None,
            Some(name) => {
                let place = self.tenants.iter().position(|tenant| &tenant.name == name);
                Some(place.ok_or_else(|| PolicyError::UnknownTenant(name.clone()))?)
            }
        };
        let entered = self.routes.insert(tenant, &route.prefix, numbers);
        entered.map_err(|_| PolicyError::BadPrefix(route.prefix.clone()))
    }
}

/// The place of a number, made if it is not there yet.
fn grown<T: Clone>(places: &mut Vec<Option<T>>, number: u16) -> &mut Option<T> {
    let place = usize::from(number);
    if places.len() <= place {
        places.resize(place + 1, None);
    }
    &mut places[place]
}

#[cfg(test)]
mod tests {
    use super::{CarrierEntry, Policy, PolicyError};
    use crate::admission::config::{RouteConfig, TenantConfig};
    use crate::admission::refusal::Refusal;
    use crate::message::coding::Coding;
    use crate::message::{CarrierId, Hidden, TenantId};
    use crate::text::Concat;

    fn tenant(id: &str) -> TenantConfig {
        TenantConfig {
            id: id.to_owned(),
            system_id: Some(id.to_owned()),
            password: Some(Hidden(format!("{id}-password"))),
            api_keys: vec![Hidden(format!("{id}-key")), Hidden(format!("{id}-next-key"))],
            rate: Some("120/m".parse().expect("a rate")),
            ..TenantConfig::default()
        }
    }

    fn route(prefix: &str, carrier: &str, tenant: Option<&str>) -> RouteConfig {
        RouteConfig { prefix: prefix.to_owned(), carriers: vec![carrier.to_owned()], tenant: tenant.map(str::to_owned) }
    }

    fn policy(routes: &[RouteConfig]) -> Result<Policy, PolicyError> {
        let sar = Coding { concat: Concat::Sar, ..Coding::default() };
        let carriers = [
            CarrierEntry { name: "alpha", id: CarrierId(3), coding: sar },
            CarrierEntry { name: "beta", id: CarrierId(1), coding: Coding::default() },
        ];
        let mut restricted = tenant("b");
        restricted.senders = vec!["+447700900000".to_owned(), "Shop".to_owned()];
        Policy::new(&[tenant("a"), restricted], routes, &carriers, |name| TenantId(name.as_bytes()[0].into()))
    }

    #[test]
    fn callers_are_known_by_what_they_present() {
        let policy = policy(&[]).expect("it holds together");
        assert_eq!(policy.bind(b"a", b"a-password").map(|tenant| tenant.id), Ok(TenantId(97)));
        assert_eq!(policy.bearer(b"b-next-key").map(|tenant| tenant.name.as_str()), Ok("b"));
        for (system_id, password) in [("a", "b-password"), ("a", ""), ("x", "a-password"), ("", "")] {
            let refused = policy.bind(system_id.as_bytes(), password.as_bytes()).expect_err("wrong");
            assert_eq!(refused, Refusal::WrongCredentials);
        }
        assert!(policy.bearer(b"a-password").is_err());
        assert_eq!(policy.tenant(TenantId(98)).map(|tenant| (tenant.name.as_str(), tenant.burst)), Some(("b", 2)));
        assert!(!format!("{policy:?}").contains("-password"), "no secret prints");
    }

    #[test]
    fn routes_lead_to_carriers_and_their_coding() {
        let routes = [route("44", "alpha", None), route("44", "beta", Some("b"))];
        let policy = policy(&routes).expect("it holds together");
        let [a, b] = policy.tenants() else { panic!("two tenants") };
        assert_eq!(policy.route(a, b"447700900123"), Ok(&[CarrierId(3)][..]));
        assert_eq!(policy.route(b, b"447700900123"), Ok(&[CarrierId(1)][..]));
        assert_eq!(policy.route(a, b"33123456789"), Err(Refusal::NoRoute));
        assert_eq!(policy.coding(CarrierId(3)).concat, Concat::Sar);
        assert_eq!(policy.coding(CarrierId(9)), Coding::default());
    }

    #[test]
    fn routes_to_nowhere_are_errors() {
        let error = |routes: &[RouteConfig]| policy(routes).err();
        assert_eq!(error(&[route("", "gamma", None)]), Some(PolicyError::UnknownCarrier("gamma".into())));
        assert_eq!(error(&[route("", "beta", Some("z"))]), Some(PolicyError::UnknownTenant("z".into())));
        assert_eq!(error(&[route("+44", "beta", None)]), Some(PolicyError::BadPrefix("+44".into())));
    }

    #[test]
    fn senders_may_be_limited() {
        let policy = policy(&[]).expect("it holds together");
        let may = |tenant: usize, octets: &[u8]| policy.tenants()[tenant].may_use_sender(octets);
        assert!(may(0, b"Anything") && may(1, b"Shop") && may(1, b"447700900000"));
        assert!(!may(1, b"Bank"));
    }
}
