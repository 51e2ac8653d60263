//! When again: waiting times that grow, with jitter, and how often a part is tried.

use std::time::Duration;

/// Waiting times that grow from `first` by `factor` up to `cap`. Each is drawn from its upper half, so that many that failed together
/// do not come back together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    /// The longest wait after the first failure.
    pub first: Duration,
    /// By how much each wait is longer than the one before.
    pub factor: u32,
    /// No wait is longer.
    pub cap: Duration,
}

impl Backoff {
    /// How long to wait after failure number `attempt` (from 1). `random` decides within the upper half of the longest wait.
    pub fn delay(&self, attempt: u32, random: u64) -> Duration {
        let longest = self.longest(attempt);
        let half = longest / 2;
        let spread_nanos = u64::try_from((longest - half).as_nanos()).unwrap_or(u64::MAX);
        half + Duration::from_nanos(((u128::from(random) * (u128::from(spread_nanos) + 1)) >> 64) as u64)
    }

    fn longest(&self, attempt: u32) -> Duration {
        let factor = self.factor.checked_pow(attempt.saturating_sub(1));
        factor.and_then(|factor| self.first.checked_mul(factor)).map_or(self.cap, |wait| wait.min(self.cap))
    }
}

/// How a part is tried again after temporary errors of a carrier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retry {
    /// How often it is submitted at most, the first time included.
    pub attempts_max: u32,
    /// How long it waits in between.
    pub backoff: Backoff,
}

impl Retry {
    /// How long to wait after failure number `attempts` (from 1); `None` if that was the last attempt.
    pub fn next(&self, attempts: u32, random: u64) -> Option<Duration> {
        (attempts < self.attempts_max).then(|| self.backoff.delay(attempts, random))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { first: Duration::from_millis(250), factor: 2, cap: Duration::from_secs(30) };

    #[test]
    fn waits_double_up_to_the_cap() {
        let longest: Vec<u128> = (1..10).map(|attempt| BACKOFF.delay(attempt, u64::MAX).as_millis()).collect();
        assert_eq!(longest, [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!(BACKOFF.delay(u32::MAX, u64::MAX), BACKOFF.cap);
    }

    #[test]
    fn jitter_stays_in_the_upper_half() {
        assert_eq!(BACKOFF.delay(1, 0), Duration::from_millis(125));
        assert_eq!(BACKOFF.delay(1, 1 << 63), Duration::from_micros(187_500));
        for random in (0..64).map(|bit| 1u64 << bit) {
            let wait = BACKOFF.delay(3, random);
            assert!(wait >= Duration::from_millis(500) && wait <= Duration::from_secs(1), "{wait:?}");
        }
    }

    #[test]
    fn the_last_attempt_is_the_last() {
        let retry = Retry { attempts_max: 3, backoff: BACKOFF };
        assert_eq!(retry.next(1, 0), Some(Duration::from_millis(125)));
        assert_eq!(retry.next(2, 0), Some(Duration::from_millis(250)));
        assert_eq!(retry.next(3, 0), None);
    }
}
