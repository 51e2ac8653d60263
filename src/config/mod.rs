//! The configuration file: read with everything it includes, checked, composed. Nothing binds before all of it is right.
//!
//! Every fault found is reported, each with file, line and key. [`keys`] lists every key that is known, with its
//! default; `conf/sluice.toml` shows them all and a test holds the two together.

mod carrier;
mod check;
mod document;
mod finding;
mod link;
mod node;
mod receipts;
mod secret;
mod section;
mod source;
mod spelling;
mod tenant;
mod units;
mod value;

pub use carrier::{BindKind, CarrierConfig, StatusAction, ValidityForm};
pub use finding::{ConfigError, KnownKey, Warning};
pub use node::{HttpConfig, LogFormat, NodeConfig, SmppConfig, StoreConfig};

use std::path::Path;

use crate::admission::config::{RouteConfig, TenantConfig};
use crate::billing::config::PriceConfig;
use document::Document;
use finding::Findings;

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// [node]
    pub node: NodeConfig,
    /// [store]
    pub store: StoreConfig,
    /// [smpp]
    pub smpp: SmppConfig,
    /// [http]
    pub http: HttpConfig,
    /// [[tenant]], in order.
    pub tenants: Vec<TenantConfig>,
    /// [[carrier]], in order.
    pub carriers: Vec<CarrierConfig>,
    /// [[route]], in order.
    pub routes: Vec<RouteConfig>,
    /// [[price]], in order.
    pub prices: Vec<PriceConfig>,
}

impl Config {
    /// Reads a file and all that it includes. Errors are sorted by file and line; with one error nothing is usable.
    pub fn load(path: &Path) -> Result<(Config, Vec<Warning>), Vec<ConfigError>> {
        let mut findings = Findings::default();
        let sources = source::read_all(path, &mut findings);
        // With a file missing or unreadable, all else that could be said would be guesses.
        if findings.has_errors() {
            return Err(findings.into_errors());
        }
        let document = Document::of(&sources, &mut findings);
        let config = compose(&document, &mut findings);
        findings.conclude(config)
    }
}

/// Every key there is, with the default that the code has; in the order in which they are read.
pub fn keys() -> Vec<KnownKey> {
    let mut findings = Findings::default();
    let document = Document::empty();
    node::read_node(document.single("node", &mut findings));
    node::read_store(document.single("store", &mut findings));
    node::read_smpp(document.single("smpp", &mut findings));
    node::read_http(document.single("http", &mut findings));
    tenant::read_tenant(document.single("tenant", &mut findings));
    carrier::read_carrier(document.single("carrier", &mut findings));
    tenant::read_route(document.single("route", &mut findings));
    tenant::read_price(document.single("price", &mut findings));
    findings.into_known()
}

fn compose(document: &Document<'_>, findings: &mut Findings) -> Config {
    let node = node::read_node(document.single("node", findings));
    let store = node::read_store(document.single("store", findings));
    let smpp = node::read_smpp(document.single("smpp", findings));
    let http = node::read_http(document.single("http", findings));
    let tenants = document.each("tenant", findings, tenant::read_tenant);
    let carriers = document.each("carrier", findings, carrier::read_carrier);
    let routes = document.each("route", findings, tenant::read_route);
    let prices = document.each("price", findings, tenant::read_price);
    let own = [
        ("smpp.listen", smpp.listen, document.single("smpp", findings).place_of("listen")),
        ("http.listen", http.listen, document.single("http", findings).place_of("listen")),
    ];
    check::ports(own, &carriers, findings);
    check::parties(&tenants, &carriers, smpp.window_max, findings);
    check::routes(&routes, &tenants, &carriers, findings);
    check::prices(&prices, &tenants, &routes, findings);
    Config {
        node,
        store,
        smpp,
        http,
        tenants: tenants.into_iter().map(|entry| entry.value).collect(),
        carriers: carriers.into_iter().map(|entry| entry.value).collect(),
        routes: routes.into_iter().map(|entry| entry.value).collect(),
        prices: prices.into_iter().map(|entry| entry.value).collect(),
    }
}
