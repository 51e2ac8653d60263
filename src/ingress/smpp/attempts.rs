//! Failed binds have a budget for each address, and a smaller one for each address and system_id. Whoever has used it up is refused
//! without a look at the password, for a while.
//!
//! The budget is not kept per system_id alone: then anyone could lock a tenant out.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use dashmap::DashMap;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Octets of a system_id that tell it from others; the standard's length.
const SYSTEM_ID_OCTETS: usize = 16;
/// Addresses that are remembered before old ones are forgotten.
const REMEMBERED_MAX: usize = 10_000;

type Pair = (IpAddr, [u8; SYSTEM_ID_OCTETS]);

/// Who has failed to bind, and who has spoken something else than SMPP.
pub struct Attempts {
    by_address: DefaultKeyedRateLimiter<IpAddr>,
    by_pair: DefaultKeyedRateLimiter<Pair>,
    locked_addresses: DashMap<IpAddr, Duration>,
    locked_pairs: DashMap<Pair, Duration>,
    strange: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl Default for Attempts {
    fn default() -> Attempts {
        Attempts::new(NonZeroU32::new(60).expect("not zero"), NonZeroU32::new(20).expect("not zero"))
    }
}

impl Attempts {
    /// Failures that an address, and an address with one system_id, may have in a minute.
    pub fn new(address_max: NonZeroU32, pair_max: NonZeroU32) -> Attempts {
        Attempts {
            by_address: RateLimiter::keyed(Quota::per_minute(address_max)),
            by_pair: RateLimiter::keyed(Quota::per_minute(pair_max)),
            locked_addresses: DashMap::new(),
            locked_pairs: DashMap::new(),
            strange: RateLimiter::keyed(Quota::per_minute(NonZeroU32::MIN)),
            clock: DefaultClock::default(),
        }
    }

    /// Whether this caller's password is to be looked at, at `now` since the clock's start.
    pub fn may_try(&self, address: IpAddr, system_id: &[u8], now: Duration) -> bool {
        let free = |until: Option<Duration>| until.is_none_or(|until| until <= now);
        free(self.locked_addresses.get(&address).map(|until| *until))
            && free(self.locked_pairs.get(&pair(address, system_id)).map(|until| *until))
    }

    /// Counts a failed bind.
    pub fn failed(&self, address: IpAddr, system_id: &[u8], now: Duration) {
        if self.by_address.len() > REMEMBERED_MAX || self.by_pair.len() > REMEMBERED_MAX {
            self.forget(now);
        }
        let pair = pair(address, system_id);
        if let Err(not_until) = self.by_address.check_key(&address) {
            self.locked_addresses.insert(address, now + not_until.wait_time_from(self.clock.now()));
        }
        if let Err(not_until) = self.by_pair.check_key(&pair) {
            self.locked_pairs.insert(pair, now + not_until.wait_time_from(self.clock.now()));
        }
    }

    /// Whether it is to be logged that this address speaks no SMPP: once a minute.
    pub fn mention(&self, address: IpAddr) -> bool {
        if self.strange.len() > REMEMBERED_MAX {
            self.strange.retain_recent();
        }
        self.strange.check_key(&address).is_ok()
    }

    fn forget(&self, now: Duration) {
        self.by_address.retain_recent();
        self.by_pair.retain_recent();
        self.locked_addresses.retain(|_, until| *until > now);
        self.locked_pairs.retain(|_, until| *until > now);
    }
}

fn pair(address: IpAddr, system_id: &[u8]) -> Pair {
    let mut key = [0; SYSTEM_ID_OCTETS];
    let length = system_id.len().min(SYSTEM_ID_OCTETS);
    key[..length].copy_from_slice(&system_id[..length]);
    (address, key)
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
    }

    #[test]
    fn strangers_are_mentioned_once() {
        let attempts = Attempts::default();
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert!(attempts.mention(here));
        assert!(!attempts.mention(here));
    }
}
