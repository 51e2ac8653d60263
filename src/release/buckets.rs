//! How fast: a tenant's token bucket and a carrier's pace, both counted in parts.
//!
//! Both are GCRA (ITU-T I.371): in any window of time at most the burst plus the rate times the window goes out. Intervals are rounded
//! up to whole nanoseconds, so a limit is never passed.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::message::Timestamp;

/// So many parts in so much time, and so many at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Parts in `per_micros`, at least 1.
    pub parts: u32,
    /// The time in which they may go, microseconds, at least 1.
    pub per_micros: u64,
    /// Parts that may go at once after a rest, at least 1.
    pub burst: u32,
}

impl Rate {
    /// Nanoseconds from one part to the next.
    fn interval_nanos(self) -> u64 {
        self.per_micros.saturating_mul(1_000).div_ceil(u64::from(self.parts.max(1))).clamp(1, NANOS_MAX)
    }

    /// The burst, as far as it can be told from no limit: what takes longer than 36 years to fill is cut.
    fn burst(self) -> NonZeroU32 {
        let most = u32::try_from(NANOS_MAX / self.interval_nanos()).unwrap_or(u32::MAX);
        NonZeroU32::new(self.burst.min(most)).unwrap_or(NonZeroU32::MIN)
    }

    /// Nanoseconds in which an empty bucket becomes full.
    fn burst_nanos(self) -> i64 {
        nanos(self.interval_nanos() * u64::from(self.burst().get()))
    }
}

/// About 36 years; sums of a few of them and of today still fit.
const NANOS_MAX: u64 = 1 << 60;

/// The time that a bucket is shown, nanoseconds since 1970: the core's, held back by what the bucket has lent. A bucket in debt lives
/// in the past until its debt is paid, and pays it at the agreed pace.
#[derive(Debug)]
struct ShownTime(AtomicU64);

impl Clock for ShownTime {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.0.load(Ordering::Relaxed))
    }
}

/// A tenant's bucket. A message takes the tokens of all its parts at once; one larger than the burst waits for a full bucket and
/// borrows, and its debt is paid before anything else of the tenant goes.
#[derive(Debug)]
pub struct TenantBucket {
    limiter: RateLimiter<NotKeyed, InMemoryState, ShownTime, NoOpMiddleware<Nanos>>,
    rate: Rate,
    burst: u32,
    interval_nanos: u64,
    /// The latest time that was given; it never goes back.
    now_nanos: u64,
    lent_nanos: u64,
}

impl TenantBucket {
    /// A full bucket at `now`.
    pub fn new(rate: Rate, now: Timestamp) -> TenantBucket {
        let (burst, interval_nanos, now_nanos) = (rate.burst(), rate.interval_nanos(), nanos_of(now));
        let quota = Quota::with_period(Duration::from_nanos(interval_nanos)).expect("an interval is at least 1 ns");
        let limiter = RateLimiter::direct_with_clock(quota.allow_burst(burst), ShownTime(AtomicU64::new(now_nanos)));
        TenantBucket { limiter, rate, burst: burst.get(), interval_nanos, now_nanos, lent_nanos: 0 }
    }

    /// Another pace from `now` on. What is in the bucket stays, as far as it fits; so does a debt, in parts.
    pub fn set_rate(&mut self, rate: Rate, now: Timestamp) {
        if rate == self.rate {
            return;
        }
        let mut renewed = TenantBucket::new(rate, now);
        let spent = match self.take(1, now) {
            // The limiter cannot be asked how much it holds, only for tokens; this one is given up anyway.
            Ok(()) => renewed.burst.saturating_sub(self.take_all(now).saturating_add(1)),
            Err(ready_at) => {
                let wait_nanos = u64::try_from(ready_at.micros_since(now)).unwrap_or(0).saturating_mul(1_000);
                let missing = u32::try_from(wait_nanos.div_ceil(self.interval_nanos)).unwrap_or(u32::MAX);
                renewed.burst.saturating_add(missing.saturating_sub(1))
            }
        };
        renewed.take(spent, now).expect("a new bucket is full");
        *self = renewed;
    }

    /// Takes every token that is there and says how many that were.
    fn take_all(&mut self, now: Timestamp) -> u32 {
        let sizes = (0..u32::BITS).rev().map(|bit| 1 << bit).filter(|size| *size <= self.burst);
        sizes.collect::<Vec<u32>>().into_iter().filter(|size| self.take(*size, now).is_ok()).sum()
    }

    /// Takes the tokens of `parts` parts, or says before when it is of no use to ask again. Nothing is taken then.
    pub fn take(&mut self, parts: u32, now: Timestamp) -> Result<(), Timestamp> {
        let Some(at_once) = NonZeroU32::new(parts.min(self.burst)) else { return Ok(()) };
        self.now_nanos = self.now_nanos.max(nanos_of(now));
        let shown_nanos = self.now_nanos.saturating_sub(self.lent_nanos);
        self.limiter.clock().0.store(shown_nanos, Ordering::Relaxed);
        let checked = self.limiter.check_n(at_once).expect("not more than the burst");
        if let Err(not_until) = checked {
            let at_nanos = not_until.earliest_possible().as_u64().saturating_add(self.lent_nanos);
            return Err(timestamp(nanos(at_nanos)));
        }
        let lent_nanos = u64::from(parts - at_once.get()).saturating_mul(self.interval_nanos);
        self.lent_nanos = self.lent_nanos.saturating_add(lent_nanos);
        Ok(())
    }
}

/// A carrier's pace. It delays and never refuses, and its rate may change.
#[derive(Clone, Debug)]
pub struct CarrierRate {
    rate: Rate,
    /// When the bucket will be full again, nanoseconds since 1970.
    full_at_nanos: i64,
}

impl CarrierRate {
    /// A full bucket at `now`.
    pub fn new(rate: Rate, now: Timestamp) -> CarrierRate {
        CarrierRate { rate, full_at_nanos: nanos(nanos_of(now)) }
    }

    /// The pace that is kept at present.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// When the next part may go: `now` or later.
    pub fn ready_at(&self, now: Timestamp) -> Timestamp {
        let room_nanos = self.rate.burst_nanos().saturating_sub(nanos(self.rate.interval_nanos()));
        timestamp(self.full_at_nanos.saturating_sub(room_nanos)).max(now)
    }

    /// How many parts may go now, at most `max`.
    pub fn available(&self, now: Timestamp, max: u32) -> u32 {
        let spent_nanos = self.full_at_nanos.saturating_sub(nanos(nanos_of(now))).max(0);
        let left = self.rate.burst_nanos().saturating_sub(spent_nanos) / nanos(self.rate.interval_nanos());
        u32::try_from(left.max(0)).map_or(max, |left| left.min(max))
    }

    /// `parts` parts go. More than are available are a debt that is paid before the next.
    pub fn take(&mut self, now: Timestamp, parts: u32) {
        let spent_nanos = nanos(self.rate.interval_nanos().saturating_mul(u64::from(parts)));
        self.full_at_nanos = self.full_at_nanos.max(nanos(nanos_of(now))).saturating_add(spent_nanos);
    }

    /// Another pace from `now` on. What is in the bucket stays, as far as it fits; so does a debt, in parts.
    pub fn set_rate(&mut self, rate: Rate, now: Timestamp) {
        let now_nanos = nanos(nanos_of(now));
        let spent_nanos = self.full_at_nanos.saturating_sub(now_nanos).max(0);
        let (old, new) = (i128::from(self.rate.interval_nanos()), i128::from(rate.interval_nanos()));
        // Tokens in nanoseconds of the old pace, then of the new; rounded down, so that a change of pace gives nothing away.
        let left = (i128::from(self.rate.burst_nanos()) - i128::from(spent_nanos)) * new;
        let left_nanos = i64::try_from(left.div_euclid(old)).unwrap_or(i64::MIN);
        self.rate = rate;
        self.full_at_nanos = now_nanos.saturating_add(rate.burst_nanos().saturating_sub(left_nanos).max(0));
    }
}

fn nanos_of(time: Timestamp) -> u64 {
    u64::try_from(time.0).unwrap_or(0).saturating_mul(1_000)
}

fn nanos(nanos: u64) -> i64 {
    i64::try_from(nanos).unwrap_or(i64::MAX)
}

/// The first whole microsecond at or after `nanos`.
fn timestamp(nanos: i64) -> Timestamp {
    Timestamp(nanos.div_euclid(1_000) + i64::from(nanos.rem_euclid(1_000) != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_795_262_400_000_000);
    const RATE: Rate = Rate { parts: 100, per_micros: 1_000_000, burst: 50 };

    fn later(micros: i64) -> Timestamp {
        START.plus_micros(micros)
    }

    #[test]
    fn a_message_takes_all_its_tokens_at_once() {
        let mut bucket = TenantBucket::new(RATE, START);
        assert_eq!(bucket.take(48, START), Ok(()));
        assert_eq!(bucket.take(3, START), Err(later(10_000)), "a third token is 10 ms away");
        assert_eq!(bucket.take(2, START), Ok(()), "and the refusal took nothing");
        assert_eq!(bucket.take(1, later(9_999)), Err(later(10_000)));
        assert_eq!(bucket.take(1, later(10_000)), Ok(()));
    }

    #[test]
    fn a_message_larger_than_the_burst_waits_and_borrows() {
        let mut bucket = TenantBucket::new(RATE, START);
        assert_eq!(bucket.take(1, START), Ok(()));
        assert_eq!(bucket.take(120, START), Err(later(10_000)), "not before the bucket is full");
        assert_eq!(bucket.take(120, later(10_000)), Ok(()));
        // 70 parts of debt are 700 ms; the next token is there 10 ms after.
        assert_eq!(bucket.take(1, later(10_000)), Err(later(720_000)));
        assert_eq!(bucket.take(1, later(719_999)), Err(later(720_000)));
        assert_eq!(bucket.take(1, later(720_000)), Ok(()));
        assert_eq!(bucket.take(50, later(720_000)), Err(later(1_220_000)), "the debt filled nothing");
        assert_eq!(bucket.take(50, later(1_220_000)), Ok(()));
    }

    #[test]
    fn a_debt_is_paid_during_a_rest() {
        let mut bucket = TenantBucket::new(RATE, START);
        assert_eq!(bucket.take(255, START), Ok(()));
        assert_eq!(bucket.take(50, later(10_000_000)), Ok(()));
        assert!(bucket.take(1, later(10_000_000)).is_err());
    }

    #[test]
    fn another_pace_keeps_a_tenants_tokens_and_debts() {
        let mut bucket = TenantBucket::new(RATE, START);
        assert_eq!(bucket.take(20, START), Ok(()));
        bucket.set_rate(RATE, START);
        assert!(bucket.take(31, START).is_err(), "the same pace changes nothing");
        bucket.set_rate(Rate { parts: 10, ..RATE }, START);
        assert!(bucket.take(31, START).is_err());
        assert_eq!(bucket.take(30, START), Ok(()));
        let mut bucket = TenantBucket::new(RATE, START);
        assert_eq!(bucket.take(120, START), Ok(()));
        bucket.set_rate(Rate { parts: 10, burst: 5, ..RATE }, START);
        assert_eq!(bucket.take(1, START), Err(later(7_100_000)), "70 parts of debt, then one");
    }

    #[test]
    fn intervals_are_rounded_up() {
        let rate = Rate { parts: 3, per_micros: 1_000_000, burst: 1 };
        let mut bucket = TenantBucket::new(rate, START);
        let mut pace = CarrierRate::new(rate, START);
        assert_eq!(bucket.take(1, START), Ok(()));
        pace.take(START, 1);
        assert_eq!(bucket.take(1, START), Err(later(333_334)));
        assert_eq!(pace.ready_at(START), later(333_334));
    }

    #[test]
    fn extreme_rates_are_rates() {
        for parts in [0, 1, u32::MAX] {
            for per_micros in [0, 1, u64::MAX] {
                for burst in [0, 1, u32::MAX] {
                    let rate = Rate { parts, per_micros, burst };
                    let mut bucket = TenantBucket::new(rate, START);
                    assert_eq!(bucket.take(1, START), Ok(()), "{rate:?}");
                    assert!(bucket.take(255, START).map_or_else(|at| at > START, |()| burst > 0), "{rate:?}");
                    let mut pace = CarrierRate::new(rate, START);
                    pace.take(START, 255);
                    pace.set_rate(RATE, START);
                    pace.set_rate(rate, START);
                    assert!(pace.ready_at(START) >= START, "{rate:?}");
                }
            }
        }
    }

    #[test]
    fn a_carrier_is_paced() {
        let mut pace = CarrierRate::new(RATE, START);
        assert_eq!((pace.available(START, 10), pace.available(START, 100)), (10, 50));
        pace.take(START, 50);
        assert_eq!((pace.available(START, 10), pace.ready_at(START)), (0, later(10_000)));
        assert_eq!((pace.available(later(10_000), 10), pace.ready_at(later(10_000))), (1, later(10_000)));
        pace.take(START, 2);
        assert_eq!(pace.ready_at(START), later(30_000), "a debt delays");
        assert_eq!(pace.available(later(60_000_000), 100), 50, "no more than the burst");
    }

    #[test]
    fn a_change_of_pace_keeps_what_is_in_the_bucket() {
        let mut pace = CarrierRate::new(RATE, START);
        pace.take(START, 30);
        pace.set_rate(Rate { parts: 10, per_micros: 1_000_000, burst: 50 }, START);
        assert_eq!(pace.available(START, 100), 20);
        assert_eq!(pace.available(later(100_000), 100), 21);
        pace.set_rate(Rate { parts: 10, per_micros: 1_000_000, burst: 5 }, later(100_000));
        assert_eq!(pace.available(later(100_000), 100), 5, "what does not fit is gone");
        pace.take(later(100_000), 7);
        pace.set_rate(RATE, later(100_000));
        assert_eq!(pace.ready_at(later(100_000)), later(130_000), "two parts of debt and the next");
    }
}
