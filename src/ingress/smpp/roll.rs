//! Who is bound from where. A bind that is over its tenant's limit has those from its own address called, so that the ones whose peer
//! is gone without a word make room (quirk Q80).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;

use crate::command::Effect;
use crate::exchange::{Mailbox, Outbox};
use crate::message::{LinkId, TenantId};

/// A younger bind is not called: its peer has just shown that it is there.
const CALLED_AFTER: Duration = Duration::from_secs(5);

/// The binds of all tenants.
#[derive(Default)]
pub struct Roll {
    binds: DashMap<TenantId, Vec<Entry>>,
}

struct Entry {
    address: IpAddr,
    link: LinkId,
    bound_at: Duration,
    mailbox: Arc<Mailbox>,
}

impl Roll {
    /// Enters a bind.
    pub fn enter(&self, tenant: TenantId, address: IpAddr, link: LinkId, bound_at: Duration, mailbox: Arc<Mailbox>) {
        self.binds.entry(tenant).or_default().push(Entry { address, link, bound_at, mailbox });
    }

    /// Strikes a bind off.
    pub fn leave(&self, tenant: TenantId, link: LinkId) {
        if let Some(mut binds) = self.binds.get_mut(&tenant) {
            binds.retain(|entry| entry.link != link);
        }
    }

    /// Asks the binds of this tenant from this address to show that their peers live. Says whether there was one to ask.
    pub fn call(&self, tenant: TenantId, address: IpAddr, now: Duration) -> bool {
        let Some(binds) = self.binds.get(&tenant) else { return false };
        let old = |entry: &&Entry| entry.address == address && entry.bound_at + CALLED_AFTER <= now;
        let mut called = false;
        for entry in binds.iter().filter(old) {
            entry.mailbox.deliver(&mut Outbox { effects: vec![Effect::Probe], bytes: Vec::new() });
            called = true;
        }
        called
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Exchange;
    use std::net::Ipv4Addr;

    #[test]
    fn only_old_binds_from_the_same_address_are_called() {
        let (roll, exchange) = (Roll::default(), Exchange::default());
        let (here, there) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
        let (tenant, bound_at) = (TenantId(3), Duration::from_secs(1));
        let (link, mailbox) = exchange.open();
        roll.enter(tenant, here, link, bound_at, mailbox.clone());
        let later = bound_at + CALLED_AFTER;
        assert!(!roll.call(tenant, there, later) && !roll.call(TenantId(4), here, later));
        assert!(!roll.call(tenant, here, later - Duration::from_millis(1)));
        assert!(roll.call(tenant, here, later));
        let mut outbox = Outbox::default();
        mailbox.take_blocking(&mut outbox, Duration::ZERO);
        assert_eq!(outbox.effects, [Effect::Probe]);
        roll.leave(tenant, link);
        assert!(!roll.call(tenant, here, later));
    }
}
