//! Numbers of receipts: those of carriers, and those that are owed to tenants.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::dashboard::metrics::{ByState, Level, ReasonLabel, Total, by_state, level, total};

/// Receipts of carriers, and what is owed to tenants.
#[derive(Clone, Debug)]
pub struct Receipts {
    /// Those that found their part, by state.
    pub matched: ByState,
    /// Those that found none yet.
    pub unmatched: Total,
    /// Those that wait for their part now.
    pub pending: Level,
    /// Those whose date cannot be right.
    pub misdated: Total,
    /// Answered by tenants.
    pub reported: Total,
    /// Owed to tenants for so long, or in such numbers, that they were given up.
    pub unreported: Total,
    /// Refused by their tenant for good.
    pub refused: Total,
    /// Owed to tenants now.
    pub owed: Level,
    quarantined: Family<ReasonLabel, Counter<u64, AtomicU64>>,
}

impl Receipts {
    pub(super) fn new(registry: &mut Registry) -> Receipts {
        let quarantined = Family::default();
        let given_up = "Receipts of carriers that were given up, by reason";
        registry.register("receipts_quarantined", given_up, quarantined.clone());
        Receipts {
            matched: by_state(registry, "receipts", "Receipts of carriers that found their part, by state"),
            unmatched: total(registry, "receipts_unmatched", "Receipts of carriers that found no part yet"),
            pending: level(registry, "receipts_pending", "Receipts of carriers that wait for their part"),
            misdated: total(
                registry,
                "receipts_misdated",
                "Receipts of carriers whose date lies before the sending or in the future: see receipt_zone",
            ),
            reported: total(registry, "receipts_reported", "Receipts that tenants have taken"),
            unreported: total(registry, "receipts_unreported", "Receipts that no bind of their tenant took in time"),
            refused: total(registry, "receipts_refused", "Receipts that their tenant has refused for good"),
            owed: level(registry, "receipts_owed", "Receipts that wait for their tenant to take them"),
            quarantined,
        }
    }

    /// Receipts of carriers that were given up for this reason.
    pub fn quarantined(&self, reason: &str) -> Total {
        Total(self.quarantined.get_or_create_owned(&ReasonLabel { reason: reason.to_owned() }))
    }
}
