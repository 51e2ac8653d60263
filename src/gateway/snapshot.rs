//! What the dashboard shows, put together from what the spine published last: it costs the core nothing.

use std::sync::PoisonError;

use crate::billing::ledger::Balance;
use crate::dashboard::snapshot::{
    ByState, Carrier, Journal, Messages, Parts, Receipts, Refused, Snapshot, Standing, Tenant,
};
use crate::dashboard::trend::Totals;
use crate::gateway::gauges::Gauges;
use crate::gateway::names::NameBook;
use crate::gateway::spine::Progress;
use crate::ingress::accept::Rules;
use crate::message::{CarrierId, Money, State, TenantId, Timestamp};
use crate::presence::Presence;

/// The states in which messages end, and the order in which people want to see them.
const FINAL: [State; 6] =
    [State::Delivered, State::Undeliverable, State::Expired, State::Rejected, State::Unknown, State::Deleted];

/// What a snapshot is taken of, beside the counts.
pub(super) struct Scene<'a> {
    pub node: &'a str,
    pub ready: bool,
    pub now: Timestamp,
    pub started: Timestamp,
    pub presence: &'a Presence,
    pub names: &'a NameBook,
    /// Who has how much credit.
    pub rules: &'a Rules,
    /// Binds that the configuration asks for.
    pub binds_wanted: &'a dyn Fn(&str) -> u32,
}

impl Gauges {
    /// Notes the totals of this second, for the rates.
    pub(super) fn note(&self, at: Timestamp) {
        let Progress { core, groups, records: facts, sync_micros, .. } = self.shared.progress();
        let totals = Totals { at, accepted: core.accepted, sent: core.sent, groups, facts, sync_micros };
        self.trend.lock().unwrap_or_else(PoisonError::into_inner).note(totals);
    }

    /// The gateway as it is now.
    pub(super) fn snapshot(&self, scene: &Scene<'_>) -> Snapshot {
        let now = self.shared.progress();
        let (trend, (sync_mean_micros, group_mean_facts)) = {
            let trend = self.trend.lock().unwrap_or_else(PoisonError::into_inner);
            (trend.rates(), trend.journal_means())
        };
        let refused: Vec<Refused> = self
            .refused
            .counts()
            .filter(|(_, messages)| *messages > 0)
            .map(|(reason, messages)| Refused { reason, messages })
            .collect();
        let last = |rates: &[f64]| rates.last().copied().unwrap_or(0.0);
        let journal = Journal {
            groups: now.groups,
            facts: now.records,
            sync_mean_micros,
            group_mean_facts,
            octets: now.disk_octets,
            segments: now.segments,
            room: if now.full { "full" } else { "enough" },
            cdr: if self.numbers.cdr.failing.get() == 0 { "written" } else { "waiting" },
        };
        Snapshot {
            node: scene.node.to_owned(),
            version: env!("CARGO_PKG_VERSION"),
            standing: match (scene.ready, self.shared.is_turning(scene.now), now.full) {
                (false, ..) => Standing::Draining,
                (true, false, _) => Standing::Stalled,
                (true, true, true) => Standing::Full,
                (true, true, false) => Standing::Ready,
            },
            at_micros: scene.now.0,
            up_seconds: u64::try_from(scene.now.micros_since(scene.started)).unwrap_or(0) / 1_000_000,
            messages: messages(&now, &refused, last(&trend.accepted)),
            parts: parts(&now, last(&trend.sent)),
            receipts: receipts(&now),
            states: FINAL.map(|state| by_state(&now, state)).to_vec(),
            refused,
            carriers: self.carriers(scene),
            tenants: tenants(scene, &self.shared.balances()),
            journal,
            trend,
        }
    }

    fn carriers(&self, scene: &Scene<'_>) -> Vec<Carrier> {
        let waiting = self.shared.waiting();
        let of = |carrier: CarrierId| waiting.iter().find(|(id, _)| *id == carrier).map_or(0, |(_, count)| *count);
        let one = |(id, name): (CarrierId, &str)| {
            let (binds, slowed) =
                scene.presence.carrier(id).map_or((0, 0), |binds| (binds.submitting(), binds.slowed()));
            let binds_wanted = (scene.binds_wanted)(name);
            let standing = Carrier::standing(binds, binds_wanted, slowed);
            Carrier { carrier: name.to_owned(), standing, binds, binds_wanted, waiting: of(id) }
        };
        scene.names.read().carriers().map(one).collect()
    }
}

fn tenants(scene: &Scene<'_>, balances: &[Balance]) -> Vec<Tenant> {
    let book = scene.names.read();
    let one = |(id, name): (TenantId, &str)| {
        let own = || balances.iter().filter(|balance| balance.tenant == id);
        let sum = |micros: fn(&Balance) -> i64| {
            let amounts = own().map(|of| Money { micros: micros(of), currency: of.currency }.to_string());
            amounts.collect::<Vec<_>>().join(" + ")
        };
        let credit = scene.rules.policy.tenant(id).and_then(|tenant| tenant.credit);
        let left = credit.map(|Money { micros, currency }| {
            let owed = own().find(|balance| balance.currency == currency);
            let owed = owed.map_or(0, |balance| balance.reserved_micros.saturating_add(balance.posted_micros));
            Money { micros: micros.saturating_sub(owed), currency }.to_string()
        });
        Tenant {
            tenant: name.to_owned(),
            binds: scene.presence.tenant_binds(id),
            reserved: sum(|balance| balance.reserved_micros),
            posted: sum(|balance| balance.posted_micros),
            credit_left: left.unwrap_or_default(),
        }
    };
    book.tenants().map(one).collect()
}

fn messages(now: &Progress, refused: &[Refused], accepted_per_second: f64) -> Messages {
    Messages {
        accepted: now.core.accepted,
        accepted_per_second,
        open: now.core.waiting,
        concluded: now.core.concluded.iter().sum(),
        refused: refused.iter().map(|refused| refused.messages).sum(),
    }
}

fn parts(now: &Progress, sent_per_second: f64) -> Parts {
    Parts {
        sent: now.core.sent,
        sent_per_second,
        in_flight: u64::from(now.core.in_windows),
        deferred: now.core.deferred,
        rejected: now.core.rejected,
        in_doubt: now.core.in_doubt,
    }
}

fn receipts(now: &Progress) -> Receipts {
    Receipts {
        matched: now.core.receipted.iter().sum(),
        unmatched: now.core.unmatched,
        pending: now.core.pending,
        quarantined: now.core.quarantined.total(),
        reported: now.core.reported,
        owed: now.core.owed,
        unreported: now.core.unreported,
        refused: now.core.report_refused,
    }
}

fn by_state(now: &Progress, state: State) -> ByState {
    let octet = usize::from(state.smpp());
    ByState { state: state.name(), messages: now.core.concluded[octet], receipts: now.core.receipted[octet] }
}
