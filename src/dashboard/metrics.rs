//! The metrics: held handles that the stages' owners update, and their OpenMetrics text. No number, text or secret is ever a label.

pub mod accounts;
mod receipts;

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::dashboard::metrics::accounts::{Accounts, accounts};
use crate::dashboard::metrics::receipts::Receipts;
use crate::message::State;

/// A number that only grows. Cheap to clone; clones are the same number.
#[derive(Clone, Debug, Default)]
pub struct Total(Counter<u64, AtomicU64>);

impl Total {
    /// Adds `more`.
    pub fn add(&self, more: u64) {
        self.0.inc_by(more);
    }

    /// Takes over a total that is kept elsewhere. It never goes back.
    pub fn reach(&self, total: u64) {
        self.0.inner().fetch_max(total, Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.get()
    }
}

/// A number that goes up and down. Clones are the same number.
#[derive(Clone, Debug, Default)]
pub struct Level(Gauge);

impl Level {
    /// It is `value` now.
    pub fn set(&self, value: u64) {
        self.0.set(i64::try_from(value).unwrap_or(i64::MAX));
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        u64::try_from(self.0.get()).unwrap_or(0)
    }
}

/// How often a value fell where. Clones are the same histogram.
#[derive(Clone, Debug)]
pub struct Spread(Histogram);

impl Spread {
    /// Notes a value. It takes a lock of its own: once a group, not once a message.
    pub fn note(&self, value: f64) {
        self.0.observe(value);
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ReasonLabel {
    reason: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct TenantLabel {
    tenant: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct CarrierLabel {
    carrier: String,
}

/// One carrier as its binds and its lanes show it.
#[derive(Clone, Debug)]
pub struct Carrier {
    /// Binds that are up and submit.
    pub binds: Level,
    /// Those of them that the carrier has asked to slow down.
    pub slowed: Level,
    /// Messages that wait for their turn.
    pub waiting: Level,
    /// Responses after their time and within the grace.
    pub late_responses: Total,
    /// Responses that answer nothing.
    pub unmatched_responses: Total,
}

#[derive(Debug, Default)]
struct Carriers {
    binds: Family<CarrierLabel, Gauge>,
    slowed: Family<CarrierLabel, Gauge>,
    waiting: Family<CarrierLabel, Gauge>,
    late: Family<CarrierLabel, Counter<u64, AtomicU64>>,
    unmatched: Family<CarrierLabel, Counter<u64, AtomicU64>>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct StatusLabel {
    status: u16,
}

/// One number for each state, looked up by the state's octet.
#[derive(Clone, Debug)]
pub struct ByState([Total; STATES]);

const STATES: usize = 9;

impl ByState {
    fn new(family: &Family<StateLabel, Counter<u64, AtomicU64>>) -> ByState {
        ByState(std::array::from_fn(|octet| {
            let state = State::from_smpp(octet as u8).expect("states are the octets 0 to 8");
            Total(family.get_or_create_owned(&StateLabel { state: state.name() }))
        }))
    }

    /// The number of one state.
    pub fn of(&self, state: State) -> &Total {
        &self.0[usize::from(state.smpp())]
    }
}

/// Messages on their way through.
#[derive(Clone, Debug)]
pub struct Messages {
    /// Stored.
    pub accepted: Total,
    /// At their end, by state.
    pub concluded: ByState,
    /// Stored and not at their end.
    pub open: Level,
    /// Gone over to another carrier of their route while they waited.
    pub rerouted: Total,
}

/// Parts on their way through.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Bound to a window place.
    pub released: Total,
    /// Taken by a carrier.
    pub sent: Total,
    /// Refused by a carrier for good.
    pub rejected: Total,
    /// Put off, because a carrier asked for it or its bind goes slower since it did.
    pub deferred: Total,
    /// Released and without an outcome; they are sent again as possible duplicates.
    pub in_doubt: Total,
    /// Refused because the carrier never answered them.
    pub given_up: Total,
    /// In windows now.
    pub in_flight: Level,
}

/// The journal.
#[derive(Clone, Debug)]
pub struct Journal {
    /// Groups synced.
    pub groups: Total,
    /// Facts written.
    pub facts: Total,
    /// Octets in all segments.
    pub octets: Level,
    /// Segments in use.
    pub segments: Level,
    /// Seconds of one write and sync.
    pub sync_seconds: Spread,
    /// Facts of one group.
    pub group_facts: Spread,
}

/// CDR lines.
#[derive(Clone, Debug)]
pub struct Cdr {
    /// On the disk.
    pub lines: Total,
    /// 1 while they cannot be written.
    pub failing: Level,
}

/// Every number there is, with its handle held.
#[derive(Debug)]
pub struct Numbers {
    /// Messages.
    pub messages: Messages,
    /// Parts.
    pub parts: Parts,
    /// Receipts.
    pub receipts: Receipts,
    /// The journal.
    pub journal: Journal,
    /// CDR lines.
    pub cdr: Cdr,
    /// What tenants owe.
    pub accounts: Accounts,
    refused: Family<ReasonLabel, Counter<u64, AtomicU64>>,
    tenant_binds: Family<TenantLabel, Gauge>,
    carriers: Carriers,
    http_answers: Family<StatusLabel, Counter<u64, AtomicU64>>,
    registry: Mutex<Registry>,
}

impl Default for Numbers {
    fn default() -> Numbers {
        Numbers::new()
    }
}

impl Numbers {
    /// All numbers at zero.
    pub fn new() -> Numbers {
        let mut registry = Registry::with_prefix("sluice");
        let messages = messages(&mut registry);
        let parts = parts(&mut registry);
        let receipts = Receipts::new(&mut registry);
        let journal = journal(&mut registry);
        let cdr = cdr(&mut registry);
        let accounts = accounts(&mut registry);
        let (refused, http_answers) = (Family::default(), Family::default());
        let tenant_binds = Family::default();
        let carriers = carriers(&mut registry);
        registry.register("messages_refused", "Messages refused, by reason", refused.clone());
        registry.register("tenant_binds", "Binds of a tenant that are up", tenant_binds.clone());
        registry.register("http_answers", "Answers of the HTTP interface, by status", http_answers.clone());
        Numbers {
            messages,
            parts,
            receipts,
            journal,
            cdr,
            accounts,
            refused,
            tenant_binds,
            carriers,
            http_answers,
            registry: Mutex::new(registry),
        }
    }

    /// Refusals for one reason, by the word of `admission::refusal`. Hold it where refusals are many.
    pub fn refused(&self, reason: &str) -> Total {
        Total(self.refused.get_or_create_owned(&ReasonLabel { reason: reason.to_owned() }))
    }

    /// Binds of one tenant that are up.
    pub fn tenant_binds(&self, tenant: &str) -> Level {
        Level(self.tenant_binds.get_or_create_owned(&TenantLabel { tenant: tenant.to_owned() }))
    }

    /// One carrier.
    pub fn carrier(&self, carrier: &str) -> Carrier {
        let (label, all) = (CarrierLabel { carrier: carrier.to_owned() }, &self.carriers);
        Carrier {
            binds: Level(all.binds.get_or_create_owned(&label)),
            slowed: Level(all.slowed.get_or_create_owned(&label)),
            waiting: Level(all.waiting.get_or_create_owned(&label)),
            late_responses: Total(all.late.get_or_create_owned(&label)),
            unmatched_responses: Total(all.unmatched.get_or_create_owned(&label)),
        }
    }

    /// Counts an answer of the HTTP interface.
    pub fn http_answered(&self, status: u16) {
        self.http_answers.get_or_create(&StatusLabel { status }).inc();
    }

    /// The OpenMetrics text of all numbers now.
    pub fn text(&self) -> String {
        let registry = self.registry.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut text = String::new();
        encode(&mut text, &registry).expect("writing to a String does not fail");
        text
    }
}

fn total(registry: &mut Registry, name: &str, help: &str) -> Total {
    let total = Total::default();
    registry.register(name, help, total.0.clone());
    total
}

fn level(registry: &mut Registry, name: &str, help: &str) -> Level {
    let level = Level::default();
    registry.register(name, help, level.0.clone());
    level
}

fn by_state(registry: &mut Registry, name: &str, help: &str) -> ByState {
    let family = Family::default();
    registry.register(name, help, family.clone());
    ByState::new(&family)
}

fn messages(registry: &mut Registry) -> Messages {
    Messages {
        accepted: total(registry, "messages_accepted", "Messages stored"),
        concluded: by_state(registry, "messages_concluded", "Messages at their end, by state"),
        open: level(registry, "messages_open", "Messages stored and not at their end"),
        rerouted: total(
            registry,
            "messages_rerouted",
            "Times that a waiting message went over to another carrier of its route, because its own had no bind",
        ),
    }
}

fn parts(registry: &mut Registry) -> Parts {
    Parts {
        released: total(registry, "parts_released", "Parts bound to a window place of a carrier's bind"),
        sent: total(registry, "parts_sent", "Parts that a carrier took"),
        rejected: total(registry, "parts_rejected", "Parts that a carrier refused for good"),
        deferred: total(
            registry,
            "parts_deferred",
            "Times that a part was put off: its carrier asked for it, or its bind goes slower since it did",
        ),
        in_doubt: total(registry, "parts_in_doubt", "Parts without an outcome, sent again as possible duplicates"),
        given_up: total(
            registry,
            "parts_given_up",
            "Parts refused because the carrier never answered them, or dropped the link at each of them",
        ),
        in_flight: level(registry, "parts_in_flight", "Parts that await a carrier's response"),
    }
}

fn cdr(registry: &mut Registry) -> Cdr {
    Cdr {
        lines: total(registry, "cdr_lines", "CDR lines written and synced"),
        failing: level(registry, "cdr_failing", "1 while CDR lines cannot be written; the journal keeps them"),
    }
}

fn carriers(registry: &mut Registry) -> Carriers {
    let all = Carriers::default();
    registry.register("carrier_binds", "Binds to a carrier that are up", all.binds.clone());
    registry.register("carrier_binds_slowed", "Binds that their carrier has asked to slow down", all.slowed.clone());
    registry.register(
        "carrier_messages_waiting",
        "Messages that wait for their turn at a carrier",
        all.waiting.clone(),
    );
    registry.register("carrier_responses_late", "Responses of a carrier within response_grace", all.late.clone());
    registry.register(
        "carrier_responses_unmatched",
        "Responses of a carrier that answer nothing: doubled, too late, or never asked for",
        all.unmatched.clone(),
    );
    all
}

fn journal(registry: &mut Registry) -> Journal {
    // 16 us to 0.5 s, and 1 to 2,048 facts: doubling.
    let sync_seconds = Spread(Histogram::new(exponential_buckets(16e-6, 2.0, 16)));
    let group_facts = Spread(Histogram::new(exponential_buckets(1.0, 2.0, 12)));
    registry.register("journal_sync_seconds", "Time of one write and sync of the journal", sync_seconds.0.clone());
    registry.register("journal_group_facts", "Facts written by one sync", group_facts.0.clone());
    Journal {
        groups: total(registry, "journal_groups", "Groups synced to the journal"),
        facts: total(registry, "journal_facts", "Facts written to the journal"),
        octets: level(registry, "journal_octets", "Octets in all segments of the journal"),
        segments: level(registry, "journal_segments", "Segments of the journal in use"),
        sync_seconds,
        group_facts,
    }
}

#[cfg(test)]
mod tests {
    use super::Numbers;
    use crate::message::State;

    #[test]
    fn the_text_holds_every_number() {
        let numbers = Numbers::new();
        numbers.messages.accepted.add(3);
        numbers.messages.concluded.of(State::Delivered).reach(2);
        numbers.messages.concluded.of(State::Delivered).reach(1);
        numbers.refused("no_price").add(1);
        numbers.carrier("alpha").binds.set(4);
        numbers.http_answered(202);
        numbers.accounts.set("riverside", "GBP", [52_800, 26_400, 0]);
        for credit in [1, 2] {
            numbers.accounts.set_credits([("riverside", "GBP".to_owned(), credit)].into_iter());
        }
        numbers.journal.sync_seconds.note(0.001);
        let text = numbers.text();
        for line in [
            "sluice_messages_accepted_total 3",
            "sluice_messages_concluded_total{state=\"delivered\"} 2",
            "sluice_messages_concluded_total{state=\"expired\"} 0",
            "sluice_messages_refused_total{reason=\"no_price\"} 1",
            "sluice_carrier_binds{carrier=\"alpha\"} 4",
            "sluice_http_answers_total{status=\"202\"} 1",
            "sluice_tenant_reserved_micros{tenant=\"riverside\",currency=\"GBP\"} 52800",
            "sluice_tenant_posted_micros_total{tenant=\"riverside\",currency=\"GBP\"} 26400",
            "sluice_tenant_credit_micros{tenant=\"riverside\",currency=\"GBP\"} 2",
            "sluice_journal_sync_seconds_count 1",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn handles_are_the_same_number() {
        let numbers = Numbers::new();
        numbers.tenant_binds("a").set(2);
        assert_eq!((numbers.tenant_binds("a").get(), numbers.tenant_binds("b").get()), (2, 0));
    }
}
