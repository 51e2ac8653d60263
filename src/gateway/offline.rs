//! What can be asked without a running gateway: is a configuration right, what would a text cost, is a store whole?

use std::path::Path;

use crate::admission::number;
use crate::admission::policy::{CarrierEntry, Policy};
use crate::admission::tenant::Tenant;
use crate::billing::price::{PriceBook, Quote};
use crate::config::Config;
use crate::message::coding::Coding;
use crate::message::{CarrierId, Money, TenantId};
use crate::store::disk::RealDisk;
use crate::store::inspect::{self, Report};
use crate::store::salvage;
use crate::text::{Choice, Options};

/// What was found out about a configuration, in the words that people read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Why the gateway would not start; each with file, line and key.
    pub errors: Vec<String>,
    /// What is probably not meant.
    pub warnings: Vec<String>,
    /// How much it configures: tenants, carriers, routes, prices. Zeros if there are errors.
    pub counts: [usize; 4],
}

/// Reads a configuration and all it includes; binds and creates nothing.
pub fn check(path: &Path) -> Checked {
    let told = |findings: Vec<crate::config::Warning>| findings.iter().map(ToString::to_string).collect();
    match Config::load(path) {
        Ok((config, warnings)) => {
            let counts = [config.tenants.len(), config.carriers.len(), config.routes.len(), config.prices.len()];
            Checked { errors: Vec::new(), warnings: told(warnings), counts }
        }
        Err(errors) => Checked { errors: told(errors), ..Checked::default() },
    }
}

/// How a tenant's message to one destination would go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Whose message.
    pub tenant: String,
    /// The carrier that is preferred; the reason in words if there is none.
    pub carrier: Result<String, String>,
    /// How that carrier wants the tenant's texts.
    coding: Option<Coding>,
    /// Price of one part; `None`: this tenant sends unpriced. The reason in words if it may not send there.
    pub per_part: Result<Option<Money>, String>,
}

impl Offer {
    /// By which options this text is counted; `None` without a carrier.
    pub fn options(&self, text: &str, choice: Choice) -> Option<Options> {
        self.coding.map(|coding| coding.options(text, choice).0)
    }

    /// The price of a message of `parts` parts; `None`: unpriced. The reason in words if it is not sent.
    pub fn total(&self, parts: u8) -> Result<Option<String>, &str> {
        if let Err(refused) = &self.carrier {
            return Err(refused);
        }
        let price = self.per_part.as_ref().map_err(String::as_str)?;
        let all = |price: Money| Money { micros: price.micros.saturating_mul(i64::from(parts)), ..price };
        Ok(price.map(|price| all(price).to_string()))
    }
}

/// What the configured tenants, or the named one, would pay for a part to this destination.
pub fn offers(path: &Path, to: &str, tenant: Option<&str>) -> Result<Vec<Offer>, String> {
    let lines =
        |errors: Vec<crate::config::ConfigError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let (config, _) = Config::load(path).map_err(lines)?;
    let place = |name: &str| config.tenants.iter().position(|tenant| tenant.id == name).unwrap_or(0);
    let number = |name: &str| TenantId(place(name) as u16);
    let carriers: Vec<CarrierEntry<'_>> = (0..)
        .zip(&config.carriers)
        .map(|(id, carrier)| CarrierEntry { name: &carrier.id, id: CarrierId(id), coding: carrier.coding })
        .collect();
    let policy = Policy::new(&config.tenants, &config.routes, &carriers, number).map_err(|error| error.to_string())?;
    let prices = PriceBook::new(&config.prices, number).map_err(|error| error.to_string())?;
    let wanted: Vec<&Tenant> =
        policy.tenants().iter().filter(|found| tenant.is_none_or(|tenant| tenant == found.name)).collect();
    if wanted.is_empty() {
        let known: Vec<&str> = policy.tenants().iter().map(|tenant| tenant.name.as_str()).collect();
        return Err(format!("{} has no such tenant; there are {}", path.display(), known.join(", ")));
    }
    let offer = |tenant: &&Tenant| {
        let digits = number::destination(to.as_bytes(), 0, tenant.country.as_deref()).map_err(|no| no.to_string())?;
        let carrier = policy.route(tenant, digits.as_bytes()).map(|found| &carriers[usize::from(found[0].0)]);
        let per_part = match prices.quote(tenant.id, digits.as_bytes()) {
            Quote::PerPart(price) => Ok(Some(price)),
            Quote::Unpriced => Ok(None),
            Quote::NoPrice => Err("there is no price for this destination".to_owned()),
        };
        let coding = carrier.as_ref().ok().map(|entry| tenant.narrowed(entry.coding));
        let carrier = carrier.map(|entry| entry.name.to_owned()).map_err(|no| no.to_string());
        Ok(Offer { tenant: tenant.name.clone(), carrier, coding, per_part })
    };
    wanted.iter().map(offer).collect()
}

/// What a look at a store has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Segment files.
    pub segments: u32,
    /// Whole groups.
    pub groups: u64,
    /// Records in them.
    pub records: u64,
    /// Octets of them.
    pub octets: u64,
    /// What was synced and cannot be read. Empty: the store opens.
    pub damage: Vec<Damage>,
    /// Gaps that an earlier salvage has declared.
    pub gaps: u64,
    /// The end of the journal is a group that a crash left unfinished; nothing that was acknowledged is in it.
    pub unfinished: bool,
}

/// A place that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: String,
    /// The first octet of it that cannot be read.
    pub offset: u32,
    /// What is wrong there.
    pub what: String,
    /// Groups that are missing.
    pub groups_lost: u64,
    /// Records that are missing.
    pub records_lost: u64,
}

impl From<Report> for Looked {
    fn from(report: Report) -> Looked {
        let damage = |finding: inspect::Finding| Damage {
            file: finding.path.display().to_string(),
            offset: finding.place.offset,
            what: finding.what,
            groups_lost: finding.groups_lost,
            records_lost: finding.facts_lost.1.saturating_sub(finding.facts_lost.0),
        };
        Looked {
            segments: report.segments,
            groups: report.groups,
            records: report.records,
            octets: report.bytes,
            damage: report.findings.into_iter().map(damage).collect(),
            gaps: report.gaps,
            unfinished: report.cut.is_some(),
        }
    }
}

/// Looks at every group of a store that is not running; changes nothing.
pub fn verify(dir: &Path) -> Result<Looked, String> {
    inspect::verify(&disk(dir)?).map(Looked::from).map_err(|error| error.to_string())
}

/// Copies what is whole of a store into a new directory, with its keys, without which nothing opens.
pub fn salvage(dir: &Path, out: &Path) -> Result<Looked, String> {
    let from = disk(dir)?;
    let taken = out.exists() && std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        return Err(format!("{} is not empty; name a directory that does not exist yet", out.display()));
    }
    let to = RealDisk::open(out).map_err(|error| format!("{}: {error}", out.display()))?;
    salvage::salvage(&from, &to).map(Looked::from).map_err(|error| error.to_string())
}

/// The disk of a data directory that exists.
pub(super) fn disk(dir: &Path) -> Result<RealDisk, String> {
    if dir.is_dir() && !dir.join("journal").is_dir() {
        return Err(format!("{} holds no journal; name the data directory ([node] data_dir)", dir.display()));
    }
    RealDisk::open_existing(dir).map_err(|error| format!("{}: {error}; name the data directory", dir.display()))
}
