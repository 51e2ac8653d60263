//! What a run of the load generator counted and measured, for people and for programs.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::smpp::status::CommandStatus;
use crate::tools::terminal;

/// Counts and times of a run.
#[derive(Debug)]
pub(crate) struct Report {
    /// Messages that were submitted at least once.
    pub(crate) sent: u64,
    pub(crate) accepted: u64,
    /// Messages refused for good, by status.
    pub(crate) refused: BTreeMap<u32, u64>,
    /// Submits answered with a status that asks for a lower rate; they were submitted again.
    pub(crate) slowed: BTreeMap<u32, u64>,
    /// Messages whose response never came though their connection lasted.
    pub(crate) unanswered: u64,
    /// Messages whose connection was lost first and that were not submitted again.
    pub(crate) lost: u64,
    /// Whether lost messages are to be expected, because connections were.
    pub(crate) reconnects: bool,
    pub(crate) connections_lost: u64,
    /// Receipts by the word for their state.
    pub(crate) receipts: BTreeMap<String, u64>,
    pub(crate) receipts_missing: u64,
    pub(crate) receipts_repeated: u64,
    /// Receipts for ids that no response gave.
    pub(crate) receipts_unknown: u64,
    /// From the first submit to the last acceptance and to the last receipt.
    pub(crate) accepting: Duration,
    pub(crate) ending: Duration,
    /// Microseconds from submit to response and to receipt.
    pub(crate) response_micros: Histogram<u64>,
    pub(crate) receipt_micros: Histogram<u64>,
}

/// Longer waits count as this long: an hour.
const LATENCY_MICROS_MAX: u64 = 3_600_000_000;

/// Percentiles that are told.
const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

impl Report {
    pub(crate) fn new(reconnects: bool) -> Report {
        let histogram = || Histogram::new_with_bounds(1, LATENCY_MICROS_MAX, 3).expect("the bounds are in order");
        Report {
            sent: 0,
            accepted: 0,
            refused: BTreeMap::new(),
            slowed: BTreeMap::new(),
            unanswered: 0,
            lost: 0,
            reconnects,
            connections_lost: 0,
            receipts: BTreeMap::new(),
            receipts_missing: 0,
            receipts_repeated: 0,
            receipts_unknown: 0,
            accepting: Duration::ZERO,
            ending: Duration::ZERO,
            response_micros: histogram(),
            receipt_micros: histogram(),
        }
    }

    /// What is missing, in words; None if every message was answered and every awaited receipt came.
    pub(crate) fn missing(&self) -> Option<String> {
        let lost = if self.reconnects { 0 } else { self.lost };
        let open = self.unanswered + lost;
        if open > 0 || self.receipts_missing > 0 {
            return Some(format!(
                "{open} messages were not answered and {} receipts are missing",
                self.receipts_missing
            ));
        }
        (self.accepted == 0).then(|| "no message was accepted".to_owned())
    }

    /// Prints the result on standard output.
    pub(crate) fn print(&self, as_json: bool) {
        if as_json { terminal::json(&self.to_json()) } else { terminal::line(&self.to_text()) }
    }

    fn receipts_total(&self) -> u64 {
        self.receipts.values().sum()
    }

    fn to_json(&self) -> Value {
        let by_status = |counts: &BTreeMap<u32, u64>| -> Value {
            counts.iter().map(|(status, count)| (status_name(*status), json!(count))).collect()
        };
        json!({
            "sent": self.sent,
            "accepted": self.accepted,
            "refused": by_status(&self.refused),
            "slowed": by_status(&self.slowed),
            "unanswered": self.unanswered,
            "lost": self.lost,
            "connections_lost": self.connections_lost,
            "seconds": self.accepting.as_secs_f64(),
            "accepted_per_second": per_second(self.accepted, self.accepting).round(),
            "response_ms": latencies(&self.response_micros),
            "receipts": {
                "received": self.receipts_total(),
                "states": self.receipts,
                "missing": self.receipts_missing,
                "repeated": self.receipts_repeated,
                "unknown": self.receipts_unknown,
                "seconds": self.ending.as_secs_f64(),
                "per_second": per_second(self.receipts_total(), self.ending).round(),
            },
            "receipt_ms": latencies(&self.receipt_micros),
            "complete": self.missing().is_none(),
        })
    }

    fn to_text(&self) -> String {
        let (rate, seconds) = (per_second(self.accepted, self.accepting), self.accepting.as_secs_f64());
        let mut lines = vec![
            format!("sent        {}", self.sent),
            format!("accepted    {} in {seconds:.2} s ({rate:.0}/s)", self.accepted),
        ];
        for (what, counts) in [("refused", &self.refused), ("slowed", &self.slowed)] {
            lines.extend(counts.iter().map(|(status, count)| format!("{what:<11} {count} {}", status_name(*status))));
        }
        for (what, count) in [
            ("unanswered", self.unanswered),
            ("lost", self.lost),
            ("connections lost", self.connections_lost),
            ("receipts missing", self.receipts_missing),
            ("receipts repeated", self.receipts_repeated),
            ("receipts unknown", self.receipts_unknown),
        ] {
            if count > 0 {
                lines.push(format!("{what:<11} {count}"));
            }
        }
        lines.push(format!("response    {}", in_words(&self.response_micros)));
        for (state, count) in &self.receipts {
            lines.push(format!("receipts    {count} {state}"));
        }
        if !self.receipt_micros.is_empty() {
            let (rate, seconds) = (per_second(self.receipts_total(), self.ending), self.ending.as_secs_f64());
            lines.push(format!("receipt     {}", in_words(&self.receipt_micros)));
            lines.push(format!("end to end  {seconds:.2} s ({rate:.0} receipts/s)"));
        }
        lines.join("\n")
    }
}

fn per_second(count: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { count as f64 / time.as_secs_f64() }
}

/// Milliseconds at each percentile.
fn latencies(histogram: &Histogram<u64>) -> Value {
    let milliseconds = |micros: u64| micros as f64 / 1000.0;
    let mut values: serde_json::Map<String, Value> = QUANTILES
        .iter()
        .map(|(name, quantile)| ((*name).to_owned(), json!(milliseconds(histogram.value_at_quantile(*quantile)))))
        .collect();
    values.insert("max".to_owned(), json!(milliseconds(histogram.max())));
    Value::Object(values)
}

fn in_words(histogram: &Histogram<u64>) -> String {
    if histogram.is_empty() {
        return "none".to_owned();
    }
    let milliseconds = |micros: u64| micros as f64 / 1000.0;
    let told = QUANTILES
        .iter()
        .map(|(name, quantile)| format!("{name} {:.2}", milliseconds(histogram.value_at_quantile(*quantile))));
    let told: Vec<String> = told.collect();
    format!("{}, max {:.2} ms", told.join(", "), milliseconds(histogram.max()))
}

/// The standard's name of a status, or its number.
fn status_name(status: u32) -> String {
    CommandStatus(status).name().map_or_else(|| format!("0x{status:08X}"), str::to_owned)
}
