//! Failed binds and wrong API keys have a budget for each origin, and a smaller one for each origin and account. Whoever has used it up is
//! refused whatever is presented, for a while.
//!
//! The budget is not kept per account alone: then anyone could lock a tenant out. An account that got in from an origin before is not
//! held by what others fail there: many platforms may come by way of one proxy.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use dashmap::DashMap;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::ingress::lobby::origin;

/// Octets of an account's name that tell it from others; the standard's length of a system_id.
const ACCOUNT_OCTETS: usize = 16;
/// Addresses that are remembered before old ones are forgotten.
const REMEMBERED_MAX: usize = 10_000;

type Pair = (IpAddr, [u8; ACCOUNT_OCTETS]);

/// Who has failed to get in at a port, and what was said about whom in the log.
pub struct Attempts {
    by_address: DefaultKeyedRateLimiter<IpAddr>,
    by_pair: DefaultKeyedRateLimiter<Pair>,
    locked_addresses: DashMap<IpAddr, Duration>,
    locked_pairs: DashMap<Pair, Duration>,
    known: DashMap<Pair, ()>,
    mentioned: DefaultKeyedRateLimiter<(IpAddr, &'static str)>,
    clock: DefaultClock,
}

impl Default for Attempts {
    fn default() -> Attempts {
        Attempts::new(NonZeroU32::new(60).expect("not zero"), NonZeroU32::new(20).expect("not zero"))
    }
}

impl Attempts {
    /// Failures that an origin, and an origin with one account, may have in a minute.
    pub fn new(address_max: NonZeroU32, pair_max: NonZeroU32) -> Attempts {
        Attempts {
            by_address: RateLimiter::keyed(Quota::per_minute(address_max)),
            by_pair: RateLimiter::keyed(Quota::per_minute(pair_max)),
            locked_addresses: DashMap::new(),
            locked_pairs: DashMap::new(),
            known: DashMap::new(),
            mentioned: RateLimiter::keyed(Quota::per_minute(NonZeroU32::MIN)),
            clock: DefaultClock::default(),
        }
    }

    /// Whether what this caller presents is to count, at `now` since the clock's start. `account` is empty where none is known. Failures
    /// without an account could have been meant for any: they hold all that did not get in from there before.
    pub fn may_try(&self, address: IpAddr, account: &[u8], now: Duration) -> bool {
        let free = |until: Option<Duration>| until.is_none_or(|until| until <= now);
        let pair_free = |pair: &Pair| free(self.locked_pairs.get(pair).map(|until| *until));
        let (nobody, pair) = (pair(address, b""), pair(address, account));
        let address_free = || free(self.locked_addresses.get(&pair.0).map(|until| *until));
        pair_free(&pair) && (self.known.contains_key(&pair) || pair_free(&nobody) && address_free())
    }

    /// Remembers who got in.
    pub fn succeeded(&self, address: IpAddr, account: &[u8]) {
        let pair = pair(address, account);
        if !self.known.contains_key(&pair) && self.known.len() < REMEMBERED_MAX {
            self.known.insert(pair, ());
        }
    }

    /// Counts a failure.
    pub fn failed(&self, address: IpAddr, account: &[u8], now: Duration) {
        if self.by_address.len() > REMEMBERED_MAX || self.by_pair.len() > REMEMBERED_MAX {
            self.forget(now);
        }
        let pair = pair(address, account);
        if let Err(not_until) = self.by_address.check_key(&pair.0) {
            self.locked_addresses.insert(pair.0, now + not_until.wait_time_from(self.clock.now()));
        }
        if let Err(not_until) = self.by_pair.check_key(&pair) {
            self.locked_pairs.insert(pair, now + not_until.wait_time_from(self.clock.now()));
        }
    }

    /// Whether it is to be logged that this origin does `what`: once a minute.
    pub fn mention(&self, address: IpAddr, what: &'static str) -> bool {
        if self.mentioned.len() > REMEMBERED_MAX {
            self.mentioned.retain_recent();
        }
        self.mentioned.check_key(&(origin(address), what)).is_ok()
    }

    fn forget(&self, now: Duration) {
        self.by_address.retain_recent();
        self.by_pair.retain_recent();
        self.locked_addresses.retain(|_, until| *until > now);
        self.locked_pairs.retain(|_, until| *until > now);
    }
}

fn pair(address: IpAddr, account: &[u8]) -> Pair {
    let mut key = [0; ACCOUNT_OCTETS];
    let length = account.len().min(ACCOUNT_OCTETS);
    key[..length].copy_from_slice(&account[..length]);
    (origin(address), key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_budget_that_is_used_up_locks_for_a_while() {
        let attempts = Attempts::new(NonZeroU32::new(5).expect("not zero"), NonZeroU32::new(2).expect("not zero"));
        let (here, there) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
        let now = Duration::from_secs(1);
        for _ in 0..3 {
            assert!(attempts.may_try(here, b"a", now));
            attempts.failed(here, b"a", now);
        }
        assert!(!attempts.may_try(here, b"a", now));
        assert!(attempts.may_try(here, b"b", now), "another account from the same address");
        assert!(attempts.may_try(there, b"a", now), "the same account from another address");
        assert!(attempts.may_try(here, b"a", now + Duration::from_secs(61)), "not for ever");
        for _ in 0..3 {
            attempts.failed(here, b"b", now);
        }
        assert!(!attempts.may_try(here, b"c", now), "the address has used up its own budget");
        attempts.succeeded(here, b"d");
        attempts.succeeded(here, b"b");
        assert!(attempts.may_try(here, b"d", now), "who got in from there before is not held by others");
        assert!(!attempts.may_try(here, b"b", now), "but by its own failures");
    }

    #[test]
    fn failures_without_an_account_hold_all_that_are_not_known() {
        let attempts = Attempts::default();
        let (here, now) = (IpAddr::V4(Ipv4Addr::LOCALHOST), Duration::from_secs(1));
        attempts.succeeded(here, b"known");
        (0..21).for_each(|_| attempts.failed(here, b"", now));
        assert!(!attempts.may_try(here, b"", now));
        assert!(!attempts.may_try(here, b"a", now), "the guesser would learn that it has found a right key");
        assert!(attempts.may_try(here, b"known", now));
    }

    #[test]
    fn strangers_are_mentioned_once() {
        let attempts = Attempts::default();
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert!(attempts.mention(here, "one") && attempts.mention(here, "another"));
        assert!(!attempts.mention(here, "one"));
    }
}
