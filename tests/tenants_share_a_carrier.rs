//! A carrier's credits are shared fairly: a tenant that floods does not take the share of those who send little.

mod support;

use sluice::message::{CarrierId, TenantId};
use sluice::release::lanes::{LaneKey, Lanes};
use support::esme::{BIND_TRANSCEIVER, Esme};
use support::smsc::{Answer, Smsc};
use support::{Daemon, eventually, settings};

const CARRIER: CarrierId = CarrierId(2);
const TENANTS: u16 = 8;
const FLOOD: u16 = 0;
const CREDITS_PER_TURN: u32 = 100;

/// Each tenant's messages have a size of its own, from 1 to 6 parts.
fn size(tenant: u16) -> u32 {
    u32::from(tenant) % 6 + 1
}

fn key(tenant: u16) -> LaneKey {
    LaneKey { carrier: CARRIER, tenant: TenantId(tenant), class: 0 }
}

/// Messages by index: whose, and how many parts are left to release.
struct Waiting {
    lanes: Lanes,
    messages: Vec<(u16, u32)>,
}

impl Waiting {
    fn new() -> Waiting {
        Waiting { lanes: Lanes::new(), messages: Vec::new() }
    }

    fn submit(&mut self, tenant: u16, messages: u32) {
        for _ in 0..messages {
            self.lanes.push_back(key(tenant), self.messages.len() as u32);
            self.messages.push((tenant, size(tenant)));
        }
    }

    /// One turn of the carrier: spends `credits` parts and adds them up by tenant.
    fn turn(&mut self, mut credits: u32, released: &mut [u64]) {
        while credits > 0 {
            let messages = &self.messages;
            let Some((lane, index)) = self.lanes.peek(CARRIER, |index| messages[index as usize].1) else { return };
            let (tenant, left) = &mut self.messages[index as usize];
            let parts = credits.min(*left);
            *left -= parts;
            credits -= parts;
            released[usize::from(*tenant)] += u64::from(parts);
            match *left {
                0 => self.lanes.take(lane, parts),
                _ => {
                    self.lanes.charge(lane, parts);
                    index
                }
            };
        }
    }
}

/// Jain's index: 1 if all get the same share of what they ask for, 1/n if one gets everything.
fn jain(shares: &[f64]) -> f64 {
    let sum: f64 = shares.iter().sum();
    sum * sum / (shares.len() as f64 * shares.iter().map(|share| share * share).sum::<f64>())
}

#[test]
fn tenants_with_a_backlog_get_the_same() {
    let (mut waiting, mut released) = (Waiting::new(), [0u64; TENANTS as usize]);
    waiting.submit(FLOOD, 100_000);
    for tenant in 1..TENANTS {
        waiting.submit(tenant, 2_000);
    }
    for _ in 0..100 {
        waiting.turn(CREDITS_PER_TURN, &mut released);
    }
    assert_eq!(released.iter().sum::<u64>(), 100 * u64::from(CREDITS_PER_TURN), "no credit is left unused");
    let shares: Vec<f64> = released.iter().map(|parts| *parts as f64).collect();
    assert!(jain(&shares) >= 0.98, "{released:?}");
}

#[test]
fn quiet_tenants_keep_their_share_of_a_flooded_carrier() {
    let (mut waiting, mut released) = (Waiting::new(), [0u64; TENANTS as usize]);
    let mut asked = [0u64; TENANTS as usize];
    waiting.submit(FLOOD, 100_000);
    for _ in 0..200 {
        // Each quiet tenant asks for one message a turn: together 22 of the 100 credits.
        for tenant in 1..TENANTS {
            waiting.submit(tenant, 1);
            asked[usize::from(tenant)] += u64::from(size(tenant));
        }
        waiting.turn(CREDITS_PER_TURN, &mut released);
    }
    let shares: Vec<f64> = (1..usize::from(TENANTS)).map(|t| released[t] as f64 / asked[t] as f64).collect();
    assert!(jain(&shares) >= 0.98, "{shares:?}");
    assert!(shares.iter().all(|share| *share >= 0.98), "a quiet tenant waits no longer than a turn: {shares:?}");
    assert_eq!(released.iter().sum::<u64>(), 200 * u64::from(CREDITS_PER_TURN), "the flood gets all the rest");
}

#[test]
fn who_sends_in_every_class_gets_no_more() {
    let (mut waiting, mut released) = (Waiting::new(), [0u64; TENANTS as usize]);
    for tenant in 0..TENANTS {
        waiting.submit(tenant, 20_000);
    }
    // The flood sends in the other classes, too.
    for class in 1..4 {
        for _ in 0..20_000 {
            waiting.lanes.push_back(LaneKey { class, ..key(FLOOD) }, waiting.messages.len() as u32);
            waiting.messages.push((FLOOD, size(FLOOD)));
        }
    }
    for _ in 0..200 {
        waiting.turn(CREDITS_PER_TURN, &mut released);
    }
    let shares: Vec<f64> = released.iter().map(|parts| *parts as f64).collect();
    assert!(jain(&shares) >= 0.98, "{released:?}");
}

#[test]
fn a_lone_tenant_gets_everything() {
    let (mut waiting, mut released) = (Waiting::new(), [0u64; TENANTS as usize]);
    waiting.submit(5, 1_000);
    waiting.turn(CREDITS_PER_TURN, &mut released);
    assert_eq!(released[5], u64::from(CREDITS_PER_TURN));
}

#[test]
fn the_round_goes_on_where_the_credits_ended() {
    let (mut waiting, mut released) = (Waiting::new(), [0u64; TENANTS as usize]);
    for tenant in 0..TENANTS {
        waiting.submit(tenant, 1_000);
    }
    // One credit a turn, less than one message: the shares come out the same.
    for _ in 0..8_000 {
        waiting.turn(1, &mut released);
    }
    let shares: Vec<f64> = released.iter().map(|parts| *parts as f64).collect();
    assert!(jain(&shares) >= 0.98, "{released:?}");
}

/// The real binary: what a quiet tenant sends beside a flood is at the carrier long before the flood is over.
#[test]
fn the_carrier_sees_the_quiet_ones_at_once() {
    const FLOOD_MESSAGES: usize = 600;
    const QUIET: [&str; 5] = ["north", "south", "east", "west", "middle"];
    let smsc = Smsc::start(|submit| Answer::Take(format!("{}", submit.number), vec![]));
    let tenants: String = QUIET.iter().chain(&["flood"]).map(|id| settings::tenant(id, "")).collect();
    let config = tenants + &settings::carrier("alpha", smsc.address, "rate = \"50/s\"") + &settings::route(&["alpha"]);
    let daemon = Daemon::start(&config);
    let bound = |id: &str| Esme::bind(daemon.smpp, BIND_TRANSCEIVER, id, "secret").expect("the bind is taken");
    let accepted = |esme: &mut Esme, to: &str, count: usize| {
        let asked: Vec<u32> = (0..count).map(|_| esme.submit(to, "hello")).collect();
        asked.into_iter().for_each(|sequence| assert_eq!(esme.response_in_any_order(sequence).status, 0));
    };
    accepted(&mut bound("flood"), "447700900000", FLOOD_MESSAGES);
    let before = smsc.submits().len();
    for id in QUIET {
        accepted(&mut bound(id), "447700900123", 4);
    }
    let of = |to: &str| smsc.submits().iter().filter(|submit| submit.to == to).count();
    eventually("the quiet ones are through", || (of("447700900123") == 4 * QUIET.len()).then_some(()));
    let flood = of("447700900000");
    assert!(before < 400 && flood < FLOOD_MESSAGES, "{flood} of the flood went before them, {before} before they came");
}
