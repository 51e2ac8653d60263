//! What the simulator counted, for people and for programs.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::smpp::status::CommandStatus;
use crate::tools::terminal;

/// Counts since the start.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Connections that bound.
    pub(crate) binds: u64,
    /// Every submit_sm that came in.
    pub(crate) submits: u64,
    /// Those that were taken.
    pub(crate) accepted: u64,
    /// Those of them whose response was left out.
    pub(crate) responses_lost: u64,
    /// Refused submits by status.
    pub(crate) refused: BTreeMap<u32, u64>,
    /// Connections that were dropped on purpose, each with one submit.
    pub(crate) disconnects: u64,
    /// Taken messages whose source, destination and octets had been taken before.
    pub(crate) duplicates: u64,
    /// deliver_sm written, repeats included.
    pub(crate) receipts_sent: u64,
    /// Those of them that had been sent before.
    pub(crate) receipts_repeated: u64,
    /// Receipts that were accepted by the peer.
    pub(crate) receipts_answered: u64,
    /// Receipts that were refused for good.
    pub(crate) receipts_refused: u64,
    /// Receipts that were not sent or not answered at the end.
    pub(crate) receipts_open: u64,
    /// When the first and the last submit came, since the start.
    pub(crate) first: Option<Duration>,
    pub(crate) last: Duration,
}

impl Report {
    /// Submits a second between the first and the last.
    fn parts_per_second(&self) -> f64 {
        let seconds = self.last.saturating_sub(self.first.unwrap_or_default()).as_secs_f64();
        if seconds > 0.0 { (self.submits - 1) as f64 / seconds } else { 0.0 }
    }

    /// Submits by the status they were answered with.
    fn by_status(&self) -> impl Iterator<Item = (String, u64)> {
        let answered = std::iter::once((0, self.accepted - self.responses_lost));
        let refused = self.refused.iter().map(|(status, count)| (*status, *count));
        answered.chain(refused).map(|(status, count)| (status_name(status), count))
    }

    fn to_json(&self) -> Value {
        let by_status: serde_json::Map<_, _> = self.by_status().map(|(name, count)| (name, json!(count))).collect();
        json!({
            "binds": self.binds,
            "submits": self.submits,
            "accepted": self.accepted,
            "by_status": by_status,
            "responses_lost": self.responses_lost,
            "disconnects": self.disconnects,
            "duplicates": self.duplicates,
            "parts_per_second": self.parts_per_second().round(),
            "receipts": {
                "sent": self.receipts_sent,
                "repeated": self.receipts_repeated,
                "answered": self.receipts_answered,
                "refused": self.receipts_refused,
                "open": self.receipts_open,
            },
        })
    }

    fn to_text(&self) -> String {
        let mut lines = vec![
            format!("binds       {}", self.binds),
            format!("submits     {} ({:.0} parts/s)", self.submits, self.parts_per_second()),
        ];
        lines.extend(self.by_status().map(|(name, count)| format!("  {name:<20} {count}")));
        for (name, count) in [
            ("response lost", self.responses_lost),
            ("connection dropped", self.disconnects),
            ("seen before", self.duplicates),
        ] {
            if count > 0 {
                lines.push(format!("  {name:<20} {count}"));
            }
        }
        lines.push(format!(
            "receipts    {} sent, {} answered, {} repeated, {} refused, {} open",
            self.receipts_sent,
            self.receipts_answered,
            self.receipts_repeated,
            self.receipts_refused,
            self.receipts_open
        ));
        lines.join("\n")
    }

    /// Prints the summary on standard output.
    pub(crate) fn print(&self, as_json: bool) {
        if as_json { terminal::json(&self.to_json()) } else { terminal::line(&self.to_text()) }
    }
}

/// The standard's name of a status, or its number.
pub(crate) fn status_name(status: u32) -> String {
    CommandStatus(status).name().map_or_else(|| format!("0x{status:08X}"), str::to_owned)
}
