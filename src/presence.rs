//! Who is bound right now: counts that links keep and that routing, limits, readiness and metrics read. Nothing here is a decision.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::message::{CarrierId, TenantId};

/// The binds of one carrier.
#[derive(Debug, Default)]
pub struct CarrierBinds {
    submitting: AtomicU32,
    receiving: AtomicU32,
    slowed: AtomicU32,
    nameless: AtomicBool,
    late_responses: AtomicU64,
    unmatched_responses: AtomicU64,
    complaints: [Mutex<Said>; 4],
}

/// What a log says of a carrier again and again, each at most once a minute, whichever of its binds it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Complaint {
    /// No connection, or no answer to the bind.
    Unreachable,
    /// The bind was refused.
    Refused,
    /// No bind is left.
    NoneLeft,
    /// It asks to slow down.
    SlowDown,
}

/// When a complaint was said last, and how often it would have been since.
#[derive(Debug, Default)]
struct Said {
    at: Option<Duration>,
    since: u32,
}

const COMPLAINT_INTERVAL: Duration = Duration::from_secs(60);

impl CarrierBinds {
    /// Whether this is the first part that the carrier takes without giving an id, so that it is mentioned once (quirk Q09).
    pub fn is_first_without_id(&self) -> bool {
        !self.nameless.load(Ordering::Relaxed) && !self.nameless.swap(true, Ordering::Relaxed)
    }

    /// Binds that may submit.
    pub fn submitting(&self) -> u32 {
        self.submitting.load(Ordering::Relaxed)
    }

    /// Binds that may receive. A transceiver counts here and in [`CarrierBinds::submitting`].
    pub fn receiving(&self) -> u32 {
        self.receiving.load(Ordering::Relaxed)
    }

    /// Responses that came after their time and were still taken for the answer.
    pub fn late_responses(&self) -> u64 {
        self.late_responses.load(Ordering::Relaxed)
    }

    /// Responses that answered nothing.
    pub fn unmatched_responses(&self) -> u64 {
        self.unmatched_responses.load(Ordering::Relaxed)
    }

    /// Counts responses that came late, and such that answered nothing.
    pub fn count_odd_responses(&self, late: u64, unmatched: u64) {
        self.late_responses.fetch_add(late, Ordering::Relaxed);
        self.unmatched_responses.fetch_add(unmatched, Ordering::Relaxed);
    }

    /// Binds that the carrier has asked to slow down.
    pub fn slowed(&self) -> u32 {
        self.slowed.load(Ordering::Relaxed)
    }

    /// Whether this is to be said now, and how many times it would have been since it was said last, this time included. `now` is the
    /// time since the clock's start.
    pub fn complains(&self, of: Complaint, now: Duration) -> Option<u32> {
        let mut said = self.complaints[of as usize].lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        said.since = said.since.saturating_add(1);
        if said.at.is_some_and(|at| now < at + COMPLAINT_INTERVAL) {
            return None;
        }
        said.at = Some(now);
        Some(std::mem::take(&mut said.since))
    }

    /// Counts a bind that came up. Whatever keeps it from coming up again is news.
    pub fn came_up(&self, submits: bool, receives: bool) {
        for of in [Complaint::Unreachable, Complaint::Refused, Complaint::NoneLeft] {
            *self.complaints[of as usize].lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Said::default();
        }
        self.submitting.fetch_add(u32::from(submits), Ordering::Relaxed);
        self.receiving.fetch_add(u32::from(receives), Ordering::Relaxed);
    }

    /// Counts off a bind that went down.
    pub fn went_down(&self, submits: bool, receives: bool) {
        self.submitting.fetch_sub(u32::from(submits), Ordering::Relaxed);
        self.receiving.fetch_sub(u32::from(receives), Ordering::Relaxed);
    }

    /// Counts a bind that slows down, or no longer does.
    pub fn set_slowed(&self, slowed: bool) {
        if slowed {
            self.slowed.fetch_add(1, Ordering::Relaxed);
        } else {
            self.slowed.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Who is bound, by the numbers that the store has given to tenants and carriers.
#[derive(Debug, Default)]
pub struct Presence {
    carriers: Vec<CarrierBinds>,
    tenants: Vec<AtomicU32>,
    /// The binds of all tenants.
    bound: AtomicU32,
}

impl Presence {
    /// Room for numbers below these.
    pub fn new(carriers: u16, tenants: u16) -> Presence {
        Presence {
            carriers: (0..carriers).map(|_| CarrierBinds::default()).collect(),
            tenants: (0..tenants).map(|_| AtomicU32::new(0)).collect(),
            bound: AtomicU32::new(0),
        }
    }

    /// Whether a carrier has a bind that may submit.
    pub fn is_up(&self, carrier: CarrierId) -> bool {
        self.carrier(carrier).is_some_and(|binds| binds.submitting() > 0)
    }

    /// The binds of a carrier; `None` for a number that did not exist at start.
    pub fn carrier(&self, carrier: CarrierId) -> Option<&CarrierBinds> {
        self.carriers.get(usize::from(carrier.0))
    }

    /// How many binds a tenant has.
    pub fn tenant_binds(&self, tenant: TenantId) -> u32 {
        self.tenants.get(usize::from(tenant.0)).map_or(0, |binds| binds.load(Ordering::Relaxed))
    }

    /// Counts a tenant's bind unless it would have more than `tenant_max`, or all tenants together more than `all_max`; exact under
    /// races.
    pub fn tenant_bind(&self, tenant: TenantId, tenant_max: u32, all_max: u32) -> bool {
        let Some(binds) = self.tenants.get(usize::from(tenant.0)) else { return false };
        if !one_more(&self.bound, all_max) {
            return false;
        }
        let counted = one_more(binds, tenant_max);
        if !counted {
            self.bound.fetch_sub(1, Ordering::Relaxed);
        }
        counted
    }

    /// Counts off a tenant's bind.
    pub fn tenant_unbind(&self, tenant: TenantId) {
        if let Some(binds) = self.tenants.get(usize::from(tenant.0)) {
            binds.fetch_sub(1, Ordering::Relaxed);
            self.bound.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn one_more(count: &AtomicU32, max: u32) -> bool {
    let more = |count: u32| (count < max).then_some(count + 1);
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_exact() {
        let presence = Presence::new(0, 2);
        let taken = (0..100).filter(|_| presence.tenant_bind(TenantId(0), 5, 9)).count();
        assert_eq!((taken, presence.tenant_binds(TenantId(0))), (5, 5));
        presence.tenant_unbind(TenantId(0));
        assert!(presence.tenant_bind(TenantId(0), 5, 9));
        assert!(!presence.tenant_bind(TenantId(7), 5, 9), "a tenant that does not exist binds never");
        let of_another = (0..100).filter(|_| presence.tenant_bind(TenantId(1), 100, 9)).count();
        assert_eq!(of_another, 4, "of nine for both");
    }

    #[test]
    fn a_complaint_is_said_once_a_minute_and_anew_after_a_bind() {
        let binds = CarrierBinds::default();
        let at = |seconds| binds.complains(Complaint::Unreachable, Duration::from_secs(seconds));
        assert_eq!([at(0), at(1), at(59), at(60), at(61)], [Some(1), None, None, Some(3), None]);
        assert_eq!(binds.complains(Complaint::SlowDown, Duration::from_secs(61)), Some(1), "each by itself");
        binds.came_up(true, true);
        assert_eq!(at(62), Some(1));
    }

    #[test]
    fn a_carrier_is_up_while_it_can_submit() {
        let presence = Presence::new(1, 0);
        let binds = presence.carrier(CarrierId(0)).expect("it exists");
        binds.came_up(false, true);
        assert!(!presence.is_up(CarrierId(0)));
        binds.came_up(true, true);
        assert!(presence.is_up(CarrierId(0)));
        binds.went_down(true, true);
        assert!(!presence.is_up(CarrierId(0)));
        assert_eq!(binds.receiving(), 1);
    }
}
