//! What does a turn of the core cost, and what does a message cost in it over its whole life?
//!
//! `accept` is a turn of 100 Accept commands while the carrier takes nothing. `life` is a turn of 100 Accept, 100 Submitted, 100
//! Receipt and 100 Delivered commands, so that each turn moves 100 messages by each of their steps: its time by 100 is what one
//! message costs in the core from its acceptance to the platform's answer to its receipt. Nothing is synced.

mod road;

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use road::Road;

const MESSAGES: usize = 100;

/// Turns before the carrier is let go again: what waits then ends in one group.
const TURNS_HELD: u64 = 4;

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn decide(road: &mut Road) -> Duration {
    road.answer();
    road.post();
    let started = Instant::now();
    road.decide();
    let took = started.elapsed();
    road.let_out();
    took
}

fn accept(turns: u64) -> Duration {
    let mut road = Road::new();
    let mut took = Duration::ZERO;
    for turn in 0..turns {
        if turn % TURNS_HELD == 0 {
            road.hold(false);
            road.drain();
            road.hold(true);
            road.step(0);
        }
        road.submit(MESSAGES);
        took += decide(&mut road);
    }
    took
}

fn life(road: &mut Road, turns: u64) -> Duration {
    let mut took = Duration::ZERO;
    for _ in 0..turns {
        road.submit(MESSAGES);
        took += decide(road);
    }
    took
}

fn core(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("core_turn_of_100");
    group.throughput(Throughput::Elements(MESSAGES as u64));
    group.bench_function("accept", |bencher| bencher.iter_custom(accept));
    let mut road = Road::new();
    for _ in 0..1_000 {
        road.submit(MESSAGES);
        decide(&mut road);
    }
    group.bench_function("life", |bencher| bencher.iter_custom(|turns| life(&mut road, turns)));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3)).sample_size(30);
    targets = core
}
criterion_main!(benches);
