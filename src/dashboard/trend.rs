//! How fast it went lately: counts noted once a second, and the rates between them.

use std::collections::VecDeque;

use crate::dashboard::snapshot;
use crate::message::Timestamp;

/// Rates that are kept: two minutes of seconds.
const RATES_MAX: usize = 120;
/// Seconds over which means are taken.
const LATELY: usize = 10;

/// Totals at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// When.
    pub at: Timestamp,
    /// Messages accepted.
    pub accepted: u64,
    /// Parts sent.
    pub sent: u64,
    /// Groups synced.
    pub groups: u64,
    /// Facts in them.
    pub facts: u64,
    /// Microseconds spent in writing and syncing them.
    pub sync_micros: u64,
}

/// The totals of the last two minutes.
#[derive(Debug, Default)]
pub struct Trend {
    noted: VecDeque<Totals>,
    sync_mean_micros: f64,
    group_mean_facts: f64,
}

impl Trend {
    /// Notes the totals; called once a second. What is older than two minutes goes.
    pub fn note(&mut self, now: Totals) {
        if self.noted.len() > RATES_MAX {
            self.noted.pop_front();
        }
        self.noted.push_back(now);
        let before = self.noted[self.noted.len().saturating_sub(LATELY + 1)];
        let groups = now.groups.saturating_sub(before.groups);
        // Without a group the last means stay: an idle journal has not become fast.
        if groups > 0 {
            self.sync_mean_micros = now.sync_micros.saturating_sub(before.sync_micros) as f64 / groups as f64;
            self.group_mean_facts = now.facts.saturating_sub(before.facts) as f64 / groups as f64;
        }
    }

    /// Mean microseconds of a sync, and mean facts of a group, over the last ten seconds in which there was one.
    pub fn journal_means(&self) -> (f64, f64) {
        (self.sync_mean_micros, self.group_mean_facts)
    }

    /// The rates, oldest first; fewer than two minutes of them at first.
    pub fn rates(&self) -> snapshot::Trend {
        let pairs = || self.noted.iter().zip(self.noted.iter().skip(1));
        snapshot::Trend {
            accepted: pairs().map(|(from, to)| rate(from, to, |totals| totals.accepted)).collect(),
            sent: pairs().map(|(from, to)| rate(from, to, |totals| totals.sent)).collect(),
        }
    }
}

/// Per second, to a tenth.
fn rate(from: &Totals, to: &Totals, of: impl Fn(&Totals) -> u64) -> f64 {
    let seconds = to.at.micros_since(from.at).max(1) as f64 / 1e6;
    let more = of(to).saturating_sub(of(from)) as f64;
    (more / seconds * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::{RATES_MAX, Totals, Trend};
    use crate::message::Timestamp;

    fn second(n: u64) -> Totals {
        Totals {
            at: Timestamp(n as i64 * 1_000_000),
            accepted: 100 * n,
            sent: 150 * n,
            groups: 10 * n,
            facts: 400 * n,
            sync_micros: 5_000 * n,
        }
    }

    #[test]
    fn rates_are_per_second_whatever_the_distance() {
        let mut trend = Trend::default();
        [0, 1, 3].into_iter().for_each(|n| trend.note(second(n)));
        let rates = trend.rates();
        assert_eq!((rates.accepted, rates.sent), (vec![100.0, 100.0], vec![150.0, 150.0]));
        assert_eq!(trend.journal_means(), (500.0, 40.0));
    }

    #[test]
    fn two_minutes_are_kept() {
        let mut trend = Trend::default();
        (0..1_000).for_each(|n| trend.note(second(n)));
        assert_eq!(trend.rates().sent.len(), RATES_MAX);
    }

    #[test]
    fn an_idle_journal_keeps_its_means() {
        let mut trend = Trend::default();
        [0, 1].into_iter().for_each(|n| trend.note(second(n)));
        (2..100).for_each(|n| trend.note(Totals { at: Timestamp(n * 1_000_000), ..second(1) }));
        assert_eq!(trend.journal_means(), (500.0, 40.0));
        assert_eq!(trend.rates().accepted.last(), Some(&0.0));
    }
}
