//! The numbers that metrics show: what the spine published last, brought into the dashboard's counters when somebody looks.

use std::sync::{Arc, Mutex};

use crate::billing::ledger::Balance;
use crate::dashboard::metrics::Numbers;
use crate::dashboard::trend::Trend;
use crate::gateway::names::NameBook;
use crate::gateway::spine::{Progress, Shared};
use crate::ingress::accept::Rules;
use crate::ingress::refused::Refused;
use crate::message::{Money, State};
use crate::presence::Presence;

/// The dashboard's counters, and where they are fed from.
pub(super) struct Gauges {
    pub numbers: Arc<Numbers>,
    pub refused: Arc<Refused>,
    pub(super) shared: Arc<Shared>,
    /// The rates of the last two minutes.
    pub(super) trend: Mutex<Trend>,
}

impl Gauges {
    pub(super) fn new(numbers: Arc<Numbers>, shared: Arc<Shared>) -> Gauges {
        Gauges { numbers, refused: Arc::default(), shared, trend: Mutex::default() }
    }

    /// The metrics as text.
    pub(super) fn text(&self, presence: &Presence, names: &NameBook, rules: &Rules) -> String {
        self.feed(&self.shared.progress());
        let book = names.read();
        let accounts = &self.numbers.accounts;
        for Balance { tenant, currency, reserved_micros, posted_micros, voided_micros } in self.shared.balances() {
            let totals = [reserved_micros, posted_micros, voided_micros];
            accounts.set(book.tenant(tenant), &currency.to_string(), totals);
        }
        accounts.set_credits(rules.policy.tenants().iter().filter_map(|tenant| {
            let Money { micros, currency } = tenant.credit?;
            Some((tenant.name.as_str(), currency.to_string(), micros))
        }));
        for (tenant, name) in book.tenants() {
            self.numbers.tenant_binds(name).set(u64::from(presence.tenant_binds(tenant)));
        }
        let waiting = self.shared.waiting();
        for (carrier, name) in book.carriers() {
            let shown = self.numbers.carrier(name);
            shown.waiting.set(waiting.iter().find(|(of, _)| *of == carrier).map_or(0, |(_, count)| *count));
            if let Some(binds) = presence.carrier(carrier) {
                shown.binds.set(u64::from(binds.submitting()));
                shown.slowed.set(u64::from(binds.slowed()));
                shown.late_responses.reach(binds.late_responses());
                shown.unmatched_responses.reach(binds.unmatched_responses());
            }
        }
        for (reason, count) in self.refused.counts().filter(|(_, count)| *count > 0) {
            self.numbers.refused(reason).reach(count);
        }
        self.numbers.text()
    }

    fn feed(&self, now: &Progress) {
        let (numbers, core) = (&self.numbers, &now.core);
        numbers.messages.accepted.reach(core.accepted);
        numbers.messages.open.set(core.waiting);
        numbers.parts.in_flight.set(u64::from(core.in_windows));
        numbers.parts.released.reach(core.released);
        numbers.parts.sent.reach(core.sent);
        numbers.parts.rejected.reach(core.rejected);
        numbers.parts.deferred.reach(core.deferred);
        numbers.parts.in_doubt.reach(core.in_doubt);
        numbers.parts.given_up.reach(core.given_up);
        numbers.messages.rerouted.reach(core.rerouted);
        numbers.receipts.unmatched.reach(core.unmatched);
        numbers.receipts.pending.set(core.pending);
        for (reason, count) in core.quarantined.by_reason() {
            numbers.receipts.quarantined(reason).reach(count);
        }
        numbers.receipts.misdated.reach(core.misdated);
        numbers.receipts.reported.reach(core.reported);
        numbers.receipts.unreported.reach(core.unreported);
        numbers.receipts.refused.reach(core.report_refused);
        numbers.receipts.owed.set(core.owed);
        for octet in 0..9 {
            if let Some(state) = State::from_smpp(octet) {
                numbers.messages.concluded.of(state).reach(core.concluded[usize::from(octet)]);
                numbers.receipts.matched.of(state).reach(core.receipted[usize::from(octet)]);
            }
        }
        numbers.journal.groups.reach(now.groups);
        numbers.journal.facts.reach(now.records);
        numbers.journal.octets.set(now.disk_octets);
        numbers.accounts.faults.reach(now.ledger_faults);
        numbers.journal.segments.set(u64::from(now.segments));
    }
}
