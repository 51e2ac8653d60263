//! What the dashboard shows of one moment: plain values, also its JSON. No number, text or secret of anybody is in it.

use serde::Serialize;

/// The whole gateway at one moment. Counts are since the start of the process.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Snapshot {
    /// `[node] name`.
    pub node: String,
    /// The version of the program.
    pub version: &'static str,
    /// Whether messages are taken.
    pub standing: Standing,
    /// Microseconds since 1970, UTC.
    pub at_micros: i64,
    /// Seconds since the start.
    pub up_seconds: u64,
    /// Messages.
    pub messages: Messages,
    /// Parts.
    pub parts: Parts,
    /// Receipts of carriers, and what is owed to tenants.
    pub receipts: Receipts,
    /// Messages concluded and receipts matched, by state.
    pub states: Vec<ByState>,
    /// Messages refused, by reason; reasons that did not occur are left out.
    pub refused: Vec<Refused>,
    /// Every carrier.
    pub carriers: Vec<Carrier>,
    /// Every tenant.
    pub tenants: Vec<Tenant>,
    /// The journal.
    pub journal: Journal,
    /// The last two minutes.
    pub trend: Trend,
}

/// Whether messages are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// They are.
    Ready,
    /// The disk has no room for new ones; those that wait go on.
    Full,
    /// The disk has not answered for seconds; nothing is taken meanwhile.
    Stalled,
    /// The gateway starts or stops.
    #[default]
    Draining,
}

/// Messages.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Messages {
    /// Stored.
    pub accepted: u64,
    /// In the last second.
    pub accepted_per_second: f64,
    /// Stored and not at their end, now.
    pub open: u64,
    /// At their end.
    pub concluded: u64,
    /// Refused.
    pub refused: u64,
}

/// Parts.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Parts {
    /// Taken by a carrier.
    pub sent: u64,
    /// In the last second.
    pub sent_per_second: f64,
    /// Without a response, now.
    pub in_flight: u64,
    /// Times that a part was put off: its carrier asked to come again, or its bind goes slower since one did.
    pub deferred: u64,
    /// Refused by a carrier for good.
    pub rejected: u64,
    /// Without an outcome and sent again: possible duplicates.
    pub in_doubt: u64,
}

/// Receipts of carriers, and what is owed to tenants.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Receipts {
    /// Those that found their part.
    pub matched: u64,
    /// Those that found none yet.
    pub unmatched: u64,
    /// Those that wait for their part now.
    pub pending: u64,
    /// Those that were given up.
    pub quarantined: u64,
    /// Answered by tenants.
    pub reported: u64,
    /// Owed to tenants now.
    pub owed: u64,
    /// Given up because no bind of the tenant took them in time, or because too many were owed.
    pub unreported: u64,
    /// Refused by their tenant for good.
    pub refused: u64,
}

/// One state of messages and parts.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ByState {
    /// Its name in the API.
    pub state: &'static str,
    /// Messages that ended in it.
    pub messages: u64,
    /// Receipts that said so.
    pub receipts: u64,
}

/// One reason to refuse messages.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Refused {
    /// The word of the API.
    pub reason: &'static str,
    /// How many.
    pub messages: u64,
}

/// One carrier.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Carrier {
    /// Its name.
    pub carrier: String,
    /// `up`, `slowed` (it asked for it), `partly` (some binds are missing) or `down`.
    pub standing: &'static str,
    /// Binds that may submit.
    pub binds: u32,
    /// Binds, or pairs of them, that the configuration asks for.
    pub binds_wanted: u32,
    /// Messages that wait for their turn.
    pub waiting: u64,
}

impl Carrier {
    /// The word for this many binds.
    pub fn standing(binds: u32, wanted: u32, slowed: u32) -> &'static str {
        match binds {
            0 => "down",
            _ if binds < wanted => "partly",
            _ if slowed > 0 => "slowed",
            _ => "up",
        }
    }
}

/// One tenant.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tenant {
    /// Its name.
    pub tenant: String,
    /// Its binds.
    pub binds: u32,
    /// Reserved for parts that are open, in each currency; empty if it sends unpriced.
    pub reserved: String,
    /// Posted since ever, likewise.
    pub posted: String,
    /// What it may still send for; empty if it has no credit.
    pub credit_left: String,
}

/// The journal.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Journal {
    /// Groups synced.
    pub groups: u64,
    /// Facts in them.
    pub facts: u64,
    /// Mean time of a write and sync over the last ten seconds in which there was one.
    pub sync_mean_micros: f64,
    /// Mean facts of a group, likewise.
    pub group_mean_facts: f64,
    /// Octets on disk.
    pub octets: u64,
    /// Segments in use.
    pub segments: u32,
    /// Whether the disk has room for new messages: `enough` or `full`.
    pub room: &'static str,
    /// Whether CDR lines are `written`, or are `waiting` because they cannot be.
    pub cdr: &'static str,
}

/// Rates of the last two minutes, oldest first, one for each second.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Trend {
    /// Messages accepted per second.
    pub accepted: Vec<f64>,
    /// Parts sent per second.
    pub sent: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::Carrier;

    #[test]
    fn a_carrier_is_as_well_as_its_binds() {
        let standing = |binds, slowed| Carrier::standing(binds, 2, slowed);
        assert_eq!(
            [standing(0, 0), standing(1, 0), standing(2, 1), standing(2, 0)],
            ["down", "partly", "slowed", "up"]
        );
    }
}
