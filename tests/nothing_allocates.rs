//! In steady state a message allocates nothing: not in the codec and the sessions, not on its way in, not in the exchange, the core
//! and the replay of its facts. The same drive as `cargo bench --bench allocations`, which says by path what it costs.

#[path = "../benches/road/mod.rs"]
mod road;

use road::Road;
use road::counting::{Counting, count_in};
use road::wire::Wire;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MESSAGES: usize = 100;
const WARM_UP_TURNS: usize = 300;
const TURNS: usize = 100;

/// Slabs and tables grow now and then; one for each message would be thousands.
const GROWTHS_MAX: u64 = (MESSAGES * TURNS) as u64 / 1_000;

#[test]
fn for_a_pdu() {
    let mut wire = Wire::new();
    (0..WARM_UP_TURNS).for_each(|_| wire.round(MESSAGES));
    assert_eq!(count_in(|| (0..TURNS).for_each(|_| wire.round(MESSAGES))), 0);
}

#[test]
fn for_a_message_from_its_acceptance_to_its_receipt() {
    let mut road = Road::new();
    (0..WARM_UP_TURNS).for_each(|_| road.step(MESSAGES));
    let growths = count_in(|| (0..TURNS).for_each(|_| road.step(MESSAGES)));
    assert!(growths <= GROWTHS_MAX, "{growths} allocations for {} messages", MESSAGES * TURNS);
    road.drain();
    let (done, submitted) = road.done();
    assert_eq!((done, submitted), (submitted, (MESSAGES * (WARM_UP_TURNS + TURNS)) as u64));
}

#[test]
fn and_what_does_is_counted() {
    assert_eq!(count_in(|| drop(std::hint::black_box(Vec::<u8>::with_capacity(100)))), 1);
}
