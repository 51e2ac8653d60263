//! Whose turn is it: waiting messages in lanes, one for each carrier, tenant and class, served by deficit round robin.
//!
//! Each visit gives a lane a quantum of parts to spend (Shreedhar and Varghese, 1996), so a flooding tenant costs a quiet one at most
//! one quantum of waiting. A lane that may not send (its tenant's bucket is empty, or its head must be read first) leaves the round.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::message::{CarrierId, TenantId, Timestamp};
use crate::release::chunks::Chunks;

/// Parts that a round adds to what a tenant may send; its lanes share them. Classes have the same for now; here they will differ.
pub const QUANTUM_PARTS: i64 = 8;
const CLASSES: usize = 4;
const NONE: u32 = u32::MAX;

/// Which lane a message waits in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LaneKey {
    /// By which carrier it goes.
    pub carrier: CarrierId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Priority class, 0 to 3.
    pub class: u8,
}

/// A lane's number; it stays the same for the life of the process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LaneId(pub u32);

/// All lanes of all carriers. A waiting message costs four octets here; nothing is allocated but for a new highest index or lane.
#[derive(Debug, Default)]
pub struct Lanes {
    /// The message behind each message, by its index.
    behind: Chunks<u32>,
    lanes: Vec<Lane>,
    carriers: Vec<Carrier>,
    /// When sleeping lanes come up. An entry that its lane does not name any more means nothing.
    wakes: BinaryHeap<Reverse<(Timestamp, u32)>>,
}

#[derive(Debug)]
struct Lane {
    key: LaneKey,
    head: u32,
    tail: u32,
    len: u32,
    /// Parts that it may still send in this visit; what it sent too much counts against the next.
    deficit: i64,
    /// It has had its quantum of the present visit.
    visited: bool,
    in_round: bool,
    before: u32,
    after: u32,
    parked: bool,
    sleeps_until: Option<Timestamp>,
    /// Its entry in `Lanes::wakes`, at or before `sleeps_until`.
    comes_up: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Carrier {
    /// Lane numbers by tenant and class.
    by_tenant: Vec<[u32; CLASSES]>,
    /// The lane whose turn it is; the round is a ring.
    turn: Option<u32>,
    waiting: u64,
}

impl Lanes {
    /// No lanes yet.
    pub fn new() -> Lanes {
        Lanes::default()
    }

    /// Adds a message behind all others of its lane. A message waits in one lane at a time.
    pub fn push_back(&mut self, key: LaneKey, index: u32) {
        let id = self.lane(key).0;
        self.behind.ensure(index);
        self.behind[index] = NONE;
        let lane = &mut self.lanes[id as usize];
        match lane.len {
            0 => lane.head = index,
            _ => self.behind[lane.tail] = index,
        }
        lane.tail = index;
        self.grown(id);
    }

    /// Puts a message before all others of its lane: one that must go again keeps its place.
    pub fn push_front(&mut self, key: LaneKey, index: u32) {
        let id = self.lane(key).0;
        self.behind.ensure(index);
        let lane = &mut self.lanes[id as usize];
        self.behind[index] = if lane.len == 0 { NONE } else { lane.head };
        if lane.len == 0 {
            lane.tail = index;
        }
        lane.head = index;
        self.grown(id);
    }

    /// The lane whose turn it is on `carrier`, and its head; `cost` says how many parts a message still has to release.
    ///
    /// Asking again gives the same answer until something changes. Lanes whose deficit does not cover their head's cost lose their
    /// turn and keep the deficit, so a message larger than the quantum goes after enough rounds: the work is one step for each
    /// quantum that is released in the end.
    pub fn peek(&mut self, carrier: CarrierId, mut cost: impl FnMut(u32) -> u32) -> Option<(LaneId, u32)> {
        let carrier = self.carriers.get_mut(usize::from(carrier.0))?;
        let mut turn = carrier.turn?;
        loop {
            carrier.turn = Some(turn);
            let lane = &self.lanes[turn as usize];
            let parts = i64::from(cost(lane.head));
            // A lane that slept with its quantum unspent gets no second one: sleeping must not save up.
            if !lane.visited && lane.deficit < parts {
                let key = lane.key;
                let shared = quantum(&carrier.by_tenant[usize::from(key.tenant.0)], &self.lanes);
                self.lanes[turn as usize].deficit += shared;
            }
            let lane = &mut self.lanes[turn as usize];
            lane.visited = true;
            if lane.deficit >= parts {
                return Some((LaneId(turn), lane.head));
            }
            lane.visited = false;
            turn = lane.after;
        }
    }

    /// Takes the head out and charges the lane for `cost` parts. The lane must not be empty.
    pub fn take(&mut self, lane: LaneId, cost: u32) -> u32 {
        self.charge(lane, cost);
        self.discard(lane)
    }

    /// Charges the lane for `cost` parts of its head, which stays: the rest of a long message goes first in the lane's next turn.
    pub fn charge(&mut self, lane: LaneId, cost: u32) {
        self.lanes[lane.0 as usize].deficit -= i64::from(cost);
    }

    /// Takes the head out without a charge: it has ended meanwhile. The lane must not be empty.
    pub fn discard(&mut self, lane: LaneId) -> u32 {
        let LaneId(id) = lane;
        let lane = &mut self.lanes[id as usize];
        assert!(lane.len > 0, "only a lane with a head is asked for it");
        let head = lane.head;
        lane.len -= 1;
        lane.head = self.behind[head];
        self.carriers[usize::from(lane.key.carrier.0)].waiting -= 1;
        self.left(id);
        head
    }

    /// Something has left the lane.
    fn left(&mut self, id: u32) {
        let lane = &mut self.lanes[id as usize];
        if lane.len == 0 {
            // What an empty lane did not spend is gone, what it owes is not.
            lane.deficit = lane.deficit.min(0);
            self.leave_round(id);
        }
    }

    /// Takes out, in their order, the messages of which `goes` says yes, looking at the first `looks_max` of the lane.
    pub fn take_where(
        &mut self,
        lane: LaneId,
        looks_max: usize,
        mut goes: impl FnMut(u32) -> bool,
        taken: &mut Vec<u32>,
    ) {
        let LaneId(id) = lane;
        let lane = &mut self.lanes[id as usize];
        let (mut before, mut index) = (NONE, lane.head);
        for _ in 0..looks_max.min(lane.len as usize) {
            let next = self.behind[index];
            if !goes(index) {
                before = index;
            } else {
                match before {
                    NONE => lane.head = next,
                    _ => self.behind[before] = next,
                }
                if next == NONE {
                    lane.tail = before;
                }
                lane.len -= 1;
                self.carriers[usize::from(lane.key.carrier.0)].waiting -= 1;
                taken.push(index);
            }
            index = next;
        }
        self.left(id);
    }

    /// The lane sends nothing before `until`; [`Lanes::advance`] wakes it.
    pub fn sleep(&mut self, lane: LaneId, until: Timestamp) {
        let sleeper = &mut self.lanes[lane.0 as usize];
        sleeper.sleeps_until = Some(until);
        // A later time needs no entry of its own: the one there is puts it in when it comes up.
        if sleeper.comes_up.is_none_or(|at| until < at) {
            sleeper.comes_up = Some(until);
            self.wakes.push(Reverse((until, lane.0)));
        }
        self.leave_round(lane.0);
    }

    /// The lane sends nothing until [`Lanes::unpark`]: the body of its head is being read.
    pub fn park(&mut self, lane: LaneId) {
        self.lanes[lane.0 as usize].parked = true;
        self.leave_round(lane.0);
    }

    /// The body is there.
    pub fn unpark(&mut self, lane: LaneId) {
        self.lanes[lane.0 as usize].parked = false;
        self.join_round(lane.0);
    }

    /// Wakes the lanes whose time has come.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some(Reverse((at, id))) = self.wakes.peek().copied() {
            if at > now {
                return;
            }
            self.wakes.pop();
            let lane = &mut self.lanes[id as usize];
            if lane.comes_up != Some(at) {
                continue;
            }
            lane.comes_up = lane.sleeps_until.filter(|until| *until > now);
            if let Some(until) = lane.comes_up {
                self.wakes.push(Reverse((until, id)));
            } else {
                lane.sleeps_until = None;
                self.join_round(id);
            }
        }
    }

    /// When [`Lanes::advance`] may have something to do; never late.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.wakes.peek().map(|Reverse((at, _))| *at)
    }

    /// What the lane is for.
    pub fn key(&self, lane: LaneId) -> LaneKey {
        self.lanes[lane.0 as usize].key
    }

    /// The lane of `key`; it is made if it is new.
    pub fn lane(&mut self, key: LaneKey) -> LaneId {
        let (carrier, tenant) = (usize::from(key.carrier.0), usize::from(key.tenant.0));
        debug_assert!(usize::from(key.class) < CLASSES, "classes are 0 to 3");
        let class = usize::from(key.class).min(CLASSES - 1);
        if self.carriers.len() <= carrier {
            self.carriers.resize_with(carrier + 1, Carrier::default);
        }
        let by_tenant = &mut self.carriers[carrier].by_tenant;
        if by_tenant.len() <= tenant {
            by_tenant.resize(tenant + 1, [NONE; CLASSES]);
        }
        let id = &mut by_tenant[tenant][class];
        if *id == NONE {
            *id = u32::try_from(self.lanes.len()).expect("at most 2^34 keys, of which few are used");
            self.lanes.push(Lane::new(key));
        }
        LaneId(*id)
    }

    /// The lanes of a carrier in which something waits.
    pub fn of(&self, carrier: CarrierId) -> impl Iterator<Item = LaneId> + '_ {
        let tenants = self.carriers.get(usize::from(carrier.0)).into_iter().flat_map(|carrier| &carrier.by_tenant);
        tenants.flatten().copied().filter(|id| *id != NONE && self.lanes[*id as usize].len > 0).map(LaneId)
    }

    /// The lane's messages, from the head.
    pub fn ahead(&self, lane: LaneId) -> impl Iterator<Item = u32> + '_ {
        let lane = &self.lanes[lane.0 as usize];
        let head = (lane.len > 0).then_some(lane.head);
        std::iter::successors(head, |index| Some(self.behind[*index]).filter(|next| *next != NONE))
    }

    /// How many messages wait in the lane.
    pub fn len(&self, lane: LaneId) -> u32 {
        self.lanes[lane.0 as usize].len
    }

    /// Whether no message waits in the lane.
    pub fn is_empty(&self, lane: LaneId) -> bool {
        self.len(lane) == 0
    }

    /// Whether the lane is parked.
    pub fn is_parked(&self, lane: LaneId) -> bool {
        self.lanes[lane.0 as usize].parked
    }

    /// How many messages wait for a carrier, sleeping and parked lanes included.
    pub fn waiting(&self, carrier: CarrierId) -> u64 {
        self.carriers.get(usize::from(carrier.0)).map_or(0, |carrier| carrier.waiting)
    }

    /// The carriers for which something waits, in the order of their numbers.
    pub fn carriers(&self) -> impl Iterator<Item = CarrierId> + '_ {
        let waiting = self.carriers.iter().enumerate().filter(|(_, carrier)| carrier.waiting > 0);
        waiting.map(|(number, _)| CarrierId(u16::try_from(number).expect("made from a CarrierId")))
    }

    fn grown(&mut self, id: u32) {
        let lane = &mut self.lanes[id as usize];
        lane.len += 1;
        self.carriers[usize::from(lane.key.carrier.0)].waiting += 1;
        self.join_round(id);
    }

    /// Enters the round behind all others, unless the lane is in it or may not be.
    fn join_round(&mut self, id: u32) {
        let lane = &self.lanes[id as usize];
        if lane.in_round || lane.parked || lane.sleeps_until.is_some() || lane.len == 0 {
            return;
        }
        let carrier = &mut self.carriers[usize::from(lane.key.carrier.0)];
        let after = *carrier.turn.get_or_insert(id);
        let before = if after == id { id } else { self.lanes[after as usize].before };
        self.lanes[before as usize].after = id;
        self.lanes[after as usize].before = id;
        let lane = &mut self.lanes[id as usize];
        (lane.before, lane.after) = (before, after);
        (lane.in_round, lane.visited) = (true, false);
    }

    fn leave_round(&mut self, id: u32) {
        let Lane { key, before, after, in_round, .. } = self.lanes[id as usize];
        if !in_round {
            return;
        }
        self.lanes[id as usize].in_round = false;
        self.lanes[before as usize].after = after;
        self.lanes[after as usize].before = before;
        let carrier = &mut self.carriers[usize::from(key.carrier.0)];
        if carrier.turn == Some(id) {
            carrier.turn = (after != id).then_some(after);
        }
    }
}

/// What one of a tenant's lanes gets of the quantum: sending in four classes gives no tenant four shares.
fn quantum(of_tenant: &[u32; CLASSES], lanes: &[Lane]) -> i64 {
    let sending = of_tenant.iter().filter(|id| lanes.get(**id as usize).is_some_and(|lane| lane.in_round)).count();
    QUANTUM_PARTS / i64::try_from(sending.max(1)).unwrap_or(1)
}

impl Lane {
    fn new(key: LaneKey) -> Lane {
        Lane {
            key,
            head: NONE,
            tail: NONE,
            len: 0,
            deficit: 0,
            visited: false,
            in_round: false,
            before: NONE,
            after: NONE,
            parked: false,
            sleeps_until: None,
            comes_up: None,
        }
    }
}

#[cfg(test)]
mod tests;
