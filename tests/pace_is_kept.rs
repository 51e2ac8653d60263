//! A rate is a promise: parts go out at the agreed pace to within 1 %, and in no window of time more than the burst allows.

mod support;

use std::time::Instant;

use sluice::message::{CarrierId, TenantId, Timestamp};
use sluice::release::buckets::{CarrierRate, Rate, TenantBucket};
use sluice::release::lanes::{LaneKey, Lanes};
use support::esme::Esme;
use support::smsc::{Answer, Smsc};
use support::{Daemon, eventually, settings};

const START: Timestamp = Timestamp(1_795_262_400_000_000);
const CARRIER: CarrierId = CarrierId(0);
const RATE: Rate = Rate { parts: 100, per_micros: 1_000_000, burst: 50 };
const RUN_MICROS: i64 = 60_000_000;

/// Sizes of messages from 1 to 5 parts in no simple order.
fn sizes() -> impl Iterator<Item = u32> {
    let step = |seed: &u64| Some(seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
    std::iter::successors(Some(7), step).map(|seed| (seed >> 33) as u32 % 5 + 1)
}

/// Fails if any window holds more than the burst and what its length earns, or if the whole run is more than 1 % short.
fn check(released: &[(Timestamp, u32)], rate: Rate, run_micros: i64) {
    let earned = |micros: i64| rate.parts as f64 * micros as f64 / rate.per_micros as f64;
    // With the sums before each release, a window from i to j holds sum(j) - sum(i); the most a window may hold more than it earns is
    // the burst, so it is enough to keep the least of sum(i) - earned(i) seen so far.
    let (mut sum, mut least) = (0.0, f64::MAX);
    for (at, parts) in released {
        let earned = earned(at.micros_since(START));
        least = f64::min(least, sum - earned);
        sum += f64::from(*parts);
        let window = sum - earned - least;
        assert!(window <= f64::from(rate.burst) + 1e-9, "{window} parts over the pace in one window, up to {at:?}");
    }
    let due = earned(run_micros) + f64::from(rate.burst);
    assert!(sum >= due * 0.99, "{sum} parts of {due}");
}

/// Releases from one tenant's lane as the core does: peek, ask the bucket, take or sleep.
fn run(rate: Rate, sizes: &[u32], run_micros: i64) -> Vec<(Timestamp, u32)> {
    let (mut lanes, mut bucket) = (Lanes::new(), TenantBucket::new(rate, START));
    let key = LaneKey { carrier: CARRIER, tenant: TenantId(3), class: 0 };
    for index in (0..).take(sizes.len()) {
        lanes.push_back(key, index);
    }
    let (mut now, mut released) = (START, Vec::new());
    while now.micros_since(START) <= run_micros {
        while let Some((lane, index)) = lanes.peek(CARRIER, |index| sizes[index as usize]) {
            let parts = sizes[index as usize];
            match bucket.take(parts, now) {
                Ok(()) => {
                    lanes.take(lane, parts);
                    released.push((now, parts));
                }
                Err(not_before) => {
                    assert!(not_before > now, "a lane that may not send is told a later time");
                    lanes.sleep(lane, not_before);
                }
            }
        }
        let Some(next) = lanes.next_at() else { break };
        now = next;
        lanes.advance(now);
    }
    released
}

#[test]
fn a_tenant_keeps_its_pace() {
    let sizes: Vec<u32> = sizes().take(10_000).collect();
    let released = run(RATE, &sizes, RUN_MICROS);
    check(&released, RATE, RUN_MICROS);
    assert_eq!(released.iter().map(|(_, parts)| *parts).max(), Some(5));
}

#[test]
fn a_tenant_keeps_an_odd_pace() {
    let rate = Rate { parts: 7, per_micros: 3_000_000, burst: 11 };
    let sizes: Vec<u32> = sizes().take(1_000).collect();
    check(&run(rate, &sizes, 600_000_000), rate, 600_000_000);
}

#[test]
fn a_tenant_borrows_only_what_it_pays_back() {
    // Every message is larger than the burst, so each starts from a full bucket: no window holds more than one message too many.
    let sizes = [20; 200];
    let rate = Rate { parts: 100, per_micros: 1_000_000, burst: 5 };
    let released = run(rate, &sizes, 30_000_000);
    check(&released, Rate { burst: 20, ..rate }, 30_000_000);
    let (last, _) = released[released.len() - 1];
    let pace = (released.len() - 1) as f64 * 20.0 / (last.micros_since(START) as f64 / 1e6);
    assert!((99.0..=100.0).contains(&pace), "{pace} parts a second");
}

#[test]
fn a_carrier_keeps_its_pace() {
    let (mut pace, mut now, mut released) = (CarrierRate::new(RATE, START), START, Vec::new());
    for size in sizes() {
        for _ in 0..size {
            now = pace.ready_at(now);
            assert!(pace.available(now, 1) == 1, "what is ready is available");
            pace.take(now, 1);
            released.push((now, 1));
        }
        if now.micros_since(START) > RUN_MICROS {
            break;
        }
    }
    released.retain(|(at, _)| at.micros_since(START) <= RUN_MICROS);
    check(&released, RATE, RUN_MICROS);
}

#[test]
fn a_carrier_rests_and_bursts_no_more_than_once() {
    let (mut pace, mut released) = (CarrierRate::new(RATE, START), Vec::new());
    // Asked every 700 ms, it gives what has gathered: more than the burst never does.
    for tick in 0..100 {
        let now = START.plus_micros(tick * 700_000);
        let parts = pace.available(now, u32::MAX);
        pace.take(now, parts);
        released.push((now, parts));
        assert!(parts <= RATE.burst, "{parts} at once");
    }
    check(&released, Rate { parts: 50, per_micros: 700_000, burst: 50 }, 99 * 700_000);
}

#[expect(clippy::disallowed_methods, reason = "the binary keeps its pace by the real clock")]
fn now() -> Instant {
    Instant::now()
}

/// The real binary: however many are offered, parts reach the carrier at the tenant's pace.
#[test]
fn the_carrier_sees_the_pace() {
    const MESSAGES: usize = 175;
    let smsc = Smsc::start(|submit| Answer::Take(format!("{}", submit.number), vec![]));
    let config = settings::tenant("riverside", "rate = \"100/s\"\nburst = 50")
        + &settings::carrier("alpha", smsc.address, "binds = 2\nwindow = 50")
        + &settings::route(&["alpha"]);
    let daemon = Daemon::start(&config);
    let mut esme = Esme::riverside(daemon.smpp);
    // Before anything could leave, so that what a busy machine adds can only be too much time.
    let start = now();
    let long = "two parts ".repeat(20);
    let asked: Vec<u32> = (0..MESSAGES).map(|_| esme.submit("447700900123", &long)).collect();
    asked.into_iter().for_each(|sequence| assert_eq!(esme.response_in_any_order(sequence).status, 0));
    eventually("all parts arrive", || {
        let (submits, seconds) = (smsc.submits().len(), start.elapsed().as_secs_f64());
        assert!(submits as f64 <= 50.0 + 100.0 * seconds + 1.0, "{submits} parts after {seconds} s");
        (submits == 2 * MESSAGES).then_some(())
    });
    assert!(start.elapsed().as_secs_f64() >= 2.9, "the burst, and three seconds' worth");
}
