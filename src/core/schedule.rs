//! What follows from the fold and is not written: lanes, timers, binds with their windows, tenants' turns, open bodies.

use std::collections::VecDeque;
use std::time::Duration;

use crate::command::Role;
use crate::core::Core;
use crate::core::arena::Arena;
use crate::core::group::Group;
use crate::core::order::Orders;
use crate::core::seconds;
use crate::core::slot::NONE;
use crate::message::{CarrierId, LinkId, TenantId, Timestamp};
use crate::release::buckets::{CarrierRate, Rate, TenantBucket};
use crate::release::lanes::Lanes;
use crate::release::retry::{Backoff, Retry};
use crate::release::wheel::Wheel;

/// How the core behaves. Every bound has a default.
#[derive(Clone, Debug)]
pub struct Config {
    /// Octets of open bodies kept ready. Too small: bodies are read back from the journal; too large: memory.
    pub arena_octets: usize,
    /// Messages not at their end; beyond it new ones are answered ESME_RMSGQFUL or 503.
    pub messages_max: u64,
    /// Ended messages that a status query still finds.
    pub finished_max: usize,
    /// Messages not told to their tenants; beyond it those that have waited longest are given up.
    pub owed_max: u64,
    /// Receipts that wait for their part at one time.
    pub unmatched_max: usize,
    /// How long such a receipt waits before it is quarantined, in microseconds.
    pub unmatched_micros: i64,
    /// How long a sent part waits for its receipt before it is unknown, in seconds.
    pub receipt_seconds: i64,
    /// How long a receipt is kept for a tenant that is away, in seconds.
    pub report_seconds: i64,
    /// How long after a tenant's refusal of a receipt it is offered again, in seconds.
    pub report_retry_seconds: i64,
    /// Journal segments beyond which the oldest is recycled.
    pub segments_max: u32,
    /// The link of the journal's reader.
    pub reader: LinkId,
    /// The link of the archive of finished messages.
    pub history: LinkId,
    /// The link of the journal's writer, which is told what to recycle.
    pub journal: LinkId,
    /// The shard that its messages' ids carry.
    pub shard: u16,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            arena_octets: 64 << 20,
            messages_max: 10_000_000,
            finished_max: 100_000,
            owed_max: 2_000_000,
            unmatched_max: 100_000,
            unmatched_micros: 60_000_000,
            receipt_seconds: 72 * 3600,
            report_seconds: 72 * 3600,
            report_retry_seconds: 5,
            segments_max: 16,
            reader: LinkId(0),
            journal: LinkId(1),
            history: LinkId(2),
            shard: 0,
        }
    }
}

/// How a carrier is treated.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Its pace; `None` for no limit.
    pub rate: Option<Rate>,
    /// How its temporary errors are met.
    pub retry: Retry,
    /// A failure that its receipt tells of waits as long as an unmatched receipt, in case a success follows.
    pub delivered_wins: bool,
    /// Parts whose outcome is in doubt are sent again; else they count as sent, and nobody learns their id (quirk Q76).
    pub resends: bool,
}

impl Default for Terms {
    fn default() -> Terms {
        let backoff = Backoff { first: Duration::from_secs(1), factor: 2, cap: Duration::from_secs(3600) };
        Terms { rate: None, retry: Retry { attempts_max: 20, backoff }, delivered_wins: false, resends: true }
    }
}

/// A bind that grants credits: free places of its window.
#[derive(Debug)]
pub(super) struct Bind {
    pub(super) role: Role,
    pub(super) held: bool,
    /// What is in its window goes alone.
    pub(super) alone: bool,
    /// Part entries (carriers) or slots (tenants); `NONE` where free. It grows to as many places as were ever taken at once: most
    /// tenants' binds never use theirs.
    pub(super) window: Vec<u32>,
    pub(super) window_max: u16,
    pub(super) free: Vec<u16>,
}

impl Bind {
    pub(super) fn has_credit(&self) -> bool {
        let has_room = !self.free.is_empty() || self.window.len() < usize::from(self.window_max);
        !self.held && !self.alone && has_room
    }

    pub(super) fn is_empty(&self) -> bool {
        self.free.len() == self.window.len()
    }
}

#[derive(Default)]
pub(super) struct Carrier {
    pub(super) binds: Vec<LinkId>,
    pub(super) next_bind: usize,
    pub(super) terms: Terms,
    pub(super) rate: Option<CarrierRate>,
    /// Parts that it has answered, counted round and round.
    pub(super) answers: u32,
    /// While it has no bind: when to look for messages that may go by another carrier.
    pub(super) look_at: Option<Timestamp>,
    /// At which of its lanes that look begins, so that each comes first in turn.
    pub(super) look_from: usize,
    /// When its rate allows the next part, if that is what it waits for.
    pub(super) ready_at: Option<Timestamp>,
}

#[derive(Default)]
pub(super) struct Tenant {
    pub(super) bucket: Option<TenantBucket>,
    pub(super) binds: Vec<LinkId>,
    pub(super) next_bind: usize,
    /// Messages whose receipts are owed and not in a window.
    pub(super) owed: VecDeque<u32>,
    /// Among the tenants to look at when this turn reports.
    pub(super) stirred: bool,
}

pub(super) struct Schedule {
    pub(super) lanes: Lanes,
    pub(super) wheel: Wheel,
    pub(super) arena: Arena,
    pub(super) binds: Vec<Option<Bind>>,
    pub(super) carriers: Vec<Carrier>,
    pub(super) tenants: Vec<Tenant>,
    /// Tenants that may have become able to take a receipt since the last turn.
    pub(super) stirred: Vec<TenantId>,
    /// Submits without an outcome.
    pub(super) in_windows: u32,
    /// The segment being swept, and when the next may be looked at.
    pub(super) sweeping: Option<u32>,
    /// The segment in use when a sweep left something behind: the next one waits for another.
    pub(super) swept_in_vain: Option<u32>,
    pub(super) orders: Orders,
    /// Early receipts that may mean a part that waits for one, and until when that is in doubt.
    pub(super) doubtful: VecDeque<(Timestamp, u64)>,
    /// Parts of a lost link that are left alone and not yet written down.
    pub(super) left: Vec<u32>,
    /// Bodies that the reader was asked for and has not answered.
    pub(super) loading: usize,
}

impl Schedule {
    pub(super) fn new(arena_octets: usize, now: Timestamp) -> Schedule {
        Schedule {
            lanes: Lanes::new(),
            wheel: Wheel::new(seconds(now)),
            arena: Arena::new(arena_octets),
            binds: Vec::new(),
            carriers: Vec::new(),
            tenants: Vec::new(),
            stirred: Vec::new(),
            in_windows: 0,
            sweeping: None,
            swept_in_vain: None,
            orders: Orders::default(),
            doubtful: VecDeque::new(),
            left: Vec::new(),
            loading: 0,
        }
    }

    pub(super) fn bind(&mut self, link: LinkId) -> Option<&mut Bind> {
        self.binds.get_mut(link.0 as usize)?.as_mut()
    }

    pub(super) fn carrier(&mut self, carrier: CarrierId) -> &mut Carrier {
        let index = usize::from(carrier.0);
        if self.carriers.len() <= index {
            self.carriers.resize_with(index + 1, Carrier::default);
        }
        &mut self.carriers[index]
    }

    pub(super) fn tenant(&mut self, tenant: TenantId) -> &mut Tenant {
        let index = usize::from(tenant.0);
        if self.tenants.len() <= index {
            self.tenants.resize_with(index + 1, Tenant::default);
        }
        &mut self.tenants[index]
    }

    /// The end of this turn looks whether a receipt may go to the tenant: one is owed, a place is free, or a body has been read. Nobody
    /// else is looked at, so that a turn costs the same beside ten thousand quiet tenants.
    pub(super) fn stir(&mut self, tenant: TenantId) {
        let account = self.tenant(tenant);
        if !account.stirred {
            account.stirred = true;
            self.stirred.push(tenant);
        }
    }

    /// Takes a window place of `link` for `entry`; nothing follows one that goes alone.
    pub(super) fn occupy(&mut self, link: LinkId, entry: u32, alone: bool) -> Option<u16> {
        let bind = self.bind(link)?;
        let place = match bind.free.pop() {
            Some(place) => place,
            None => {
                let place = u16::try_from(bind.window.len()).ok().filter(|place| *place < bind.window_max)?;
                bind.window.push(NONE);
                place
            }
        };
        bind.alone = alone;
        bind.window[usize::from(place)] = entry;
        Some(place)
    }

    /// Frees a window place and says what was in it; `None` for a place that was free.
    pub(super) fn vacate(&mut self, link: LinkId, place: u16) -> Option<u32> {
        let bind = self.bind(link)?;
        let entry = std::mem::replace(bind.window.get_mut(usize::from(place))?, NONE);
        if entry == NONE {
            return None;
        }
        bind.free.push(place);
        bind.alone = false;
        Some(entry)
    }
}

impl Core {
    pub(super) fn open(&mut self, link: LinkId, role: Role, window: u16) {
        let index = link.0 as usize;
        if self.schedule.binds.len() <= index {
            self.schedule.binds.resize_with(index + 1, || None);
        }
        let bind = Bind { role, held: false, alone: false, window: Vec::new(), window_max: window, free: Vec::new() };
        self.schedule.binds[index] = Some(bind);
        match role {
            Role::Carrier(carrier) => {
                let account = self.schedule.carrier(carrier);
                account.binds.push(link);
                account.look_at = None;
            }
            Role::Tenant(tenant) => {
                self.schedule.tenant(tenant).binds.push(link);
                self.schedule.stir(tenant);
            }
        }
    }

    pub(super) fn hold(&mut self, link: LinkId, held: bool) {
        let Some(bind) = self.schedule.bind(link) else { return };
        bind.held = held;
        if let Role::Tenant(tenant) = bind.role {
            self.schedule.stir(tenant);
        }
    }

    /// A link is gone: its submits are in doubt, its reports are owed again.
    pub(super) fn close(&mut self, link: LinkId, group: &mut Group) {
        if let Some(bind) = self.schedule.binds.get_mut(link.0 as usize).and_then(Option::take) {
            let entries = bind.window.into_iter().filter(|entry| *entry != NONE);
            match bind.role {
                Role::Carrier(carrier) => {
                    self.schedule.carrier(carrier).binds.retain(|other| *other != link);
                    self.lost(carrier, entries.collect(), group);
                }
                Role::Tenant(tenant) => {
                    self.schedule.tenant(tenant).binds.retain(|other| *other != link);
                    // Each goes to the head, so the oldest message comes last here and first at the next bind (quirk Q32).
                    let mut slots: Vec<u32> = entries.collect();
                    slots.sort_unstable_by_key(|slot| std::cmp::Reverse(self.fold.messages.slot(*slot).id));
                    for slot in slots {
                        self.owe(slot, true);
                    }
                }
            }
        }
        group.outboxes.push(link, crate::command::Effect::Closed);
    }

    /// A tenant's pace; `None` for no limit. A changed rate keeps what is in its bucket.
    pub fn set_tenant_rate(&mut self, tenant: TenantId, rate: Option<Rate>) {
        let now = self.now;
        match (&mut self.schedule.tenant(tenant).bucket, rate) {
            (Some(bucket), Some(rate)) => bucket.set_rate(rate, now),
            (bucket, rate) => *bucket = rate.map(|rate| TenantBucket::new(rate, now)),
        }
    }

    /// A carrier's terms. A changed rate keeps what is in its bucket.
    pub fn set_carrier_terms(&mut self, carrier: CarrierId, terms: Terms) {
        let now = self.now;
        let account = self.schedule.carrier(carrier);
        account.terms = terms;
        match (&mut account.rate, terms.rate) {
            (Some(bucket), Some(rate)) => bucket.set_rate(rate, now),
            (bucket, rate) => *bucket = rate.map(|rate| CarrierRate::new(rate, now)),
        }
    }
}
