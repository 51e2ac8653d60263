//! How many allocations does a message cost in steady state? None: the bench fails where a path has one for each message, or one for
//! each thousand. What grows by chunks or doubles its table now and then is below that. `--show` prints where the first come from.

mod road;

use std::process::ExitCode;

use road::Road;
use road::counting::{Counting, count_in, show_in};
use road::wire::Wire;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MESSAGES: usize = 100;
const WARM_UP_TURNS: usize = 1_000;
const TURNS: usize = 2_000;
/// One allocation for this many messages is one too many.
const MESSAGES_PER_ALLOCATION_MIN: u64 = 1_000;

/// A part of the road: what it is, and what drives it.
type Stage = (&'static str, fn(&mut Road));

const STAGES: [Stage; 6] = [
    ("ingress: route, price, segment, seal, record", |road| road.submit(MESSAGES)),
    ("command batches written", Road::answer),
    ("exchange: post and take commands", Road::post),
    ("core: turn, four steps of a life", Road::decide),
    ("replay and reading of facts", Road::follow),
    ("exchange: deliver and take effects", Road::let_out),
];

#[expect(clippy::print_stdout, reason = "a bench prints its table")]
fn main() -> ExitCode {
    let show = u32::from(std::env::args().any(|argument| argument == "--show")) * 3;
    let mut counts = vec![("smpp: 4 PDUs written, read, answered; 2 sessions", wire(show))];
    counts.extend(road(show));
    let messages = (MESSAGES * TURNS) as u64;
    let mut sound = true;
    println!("{:<50} {:>11} {:>10} {:>10}", "path", "allocations", "messages", "per 1,000");
    for (path, count) in counts {
        let fits = count * MESSAGES_PER_ALLOCATION_MIN < messages;
        let verdict = if fits { "" } else { "  <- too many" };
        println!("{path:<50} {count:>11} {messages:>10} {:>10.3}{verdict}", 1_000.0 * count as f64 / messages as f64);
        sound &= fits;
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn wire(show: u32) -> u64 {
    let mut wire = Wire::new();
    (0..WARM_UP_TURNS).for_each(|_| wire.round(MESSAGES));
    let before = wire.responses();
    let count = show_in(show, || (0..TURNS).for_each(|_| wire.round(MESSAGES)));
    assert_eq!(wire.responses() - before, 2 * (MESSAGES * TURNS) as u64, "each message and each receipt was answered");
    count
}

fn road(show: u32) -> Vec<(&'static str, u64)> {
    let mut road = Road::new();
    (0..WARM_UP_TURNS).for_each(|_| road.step(MESSAGES));
    let mut counts = STAGES.map(|_| 0);
    for turn in 0..TURNS {
        for (count, (_, stage)) in counts.iter_mut().zip(STAGES) {
            // Once is enough to see where it comes from.
            *count += if turn < 3 { show_in(show, || stage(&mut road)) } else { count_in(|| stage(&mut road)) };
        }
    }
    road.drain();
    let (done, submitted) = road.done();
    assert_eq!(done, submitted, "every message went all the way");
    STAGES.iter().zip(counts).map(|((path, _), count)| (*path, count)).collect()
}
