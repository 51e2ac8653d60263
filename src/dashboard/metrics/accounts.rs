//! What tenants owe, as metrics.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::dashboard::metrics::Total;

/// What tenants owe, by tenant and currency, in millionths of its unit.
#[derive(Debug, Default)]
pub struct Accounts {
    reserved: Family<AccountLabel, Gauge>,
    posted: Family<AccountLabel, Counter<u64, AtomicU64>>,
    voided: Family<AccountLabel, Counter<u64, AtomicU64>>,
    credit: Family<AccountLabel, Gauge>,
    /// How often the ledger disagreed with a fact.
    pub faults: Total,
}

impl Accounts {
    /// The totals of one account: reserved and still open, posted, voided.
    pub fn set(&self, tenant: &str, currency: &str, [reserved, posted, voided]: [i64; 3]) {
        let label = AccountLabel { tenant: tenant.to_owned(), currency: currency.to_owned() };
        self.reserved.get_or_create(&label).set(reserved);
        for (family, micros) in [(&self.posted, posted), (&self.voided, voided)] {
            Total(family.get_or_create_owned(&label)).reach(u64::try_from(micros).unwrap_or(0));
        }
    }

    /// The credits that there are; those that are not named are gone.
    pub fn set_credits<'a>(&self, credits: impl Iterator<Item = (&'a str, String, i64)>) {
        self.credit.clear();
        for (tenant, currency, micros) in credits {
            self.credit.get_or_create(&AccountLabel { tenant: tenant.to_owned(), currency }).set(micros);
        }
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct AccountLabel {
    tenant: String,
    currency: String,
}

/// Makes the accounts known.
pub(super) fn accounts(registry: &mut Registry) -> Accounts {
    let accounts = Accounts::default();
    let Accounts { reserved, posted, voided, credit, faults } = &accounts;
    registry.register("tenant_reserved_micros", "Reserved for parts that are open, in millionths", reserved.clone());
    registry.register("tenant_posted_micros", "Posted since ever, in millionths", posted.clone());
    registry.register("tenant_voided_micros", "Voided since ever, in millionths", voided.clone());
    registry.register(
        "tenant_credit_micros",
        "The most that may be reserved and posted, in millionths",
        credit.clone(),
    );
    registry.register("ledger_faults", "Facts that the ledger disagreed with; never anything but 0", faults.0.clone());
    accounts
}
