//! What the tests that drive the real binary share: start it, wait for its `ready` line, stop it in
//! every way an operator or a crash can, and keep an outside ledger of what was promised.
//!
//! Use it with `mod support;`. Everything runs on loopback with ports chosen by the system.
#![allow(dead_code, reason = "each test binary uses the part it needs")]

pub(crate) mod cdr;
pub(crate) mod daemon;
pub(crate) mod esme;
pub(crate) mod fault;
pub(crate) mod hand;
pub(crate) mod http;
pub(crate) mod ledger;
pub(crate) mod pcap;
pub(crate) mod peers;
pub(crate) mod program;
pub(crate) mod settings;
pub(crate) mod smsc;
pub(crate) mod tape;
pub(crate) mod wild;

#[allow(unused_imports, reason = "each test binary uses the part it needs")]
pub(crate) use daemon::{Carrier, Daemon};
#[allow(unused_imports, reason = "each test binary uses the part it needs")]
pub(crate) use ledger::Ledger;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

/// How long anything that must happen may take before a test gives up. Generous: two busy cores.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How long to pause between two looks at something that announces itself to nobody.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A loopback address that nobody listened on a moment ago.
///
/// For peers whose address must be known before they start; whoever can should listen on port 0.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener.local_addr().expect("a bound listener has an address")
}

/// A loopback address where nobody answers: bound and never listened on would need a raw socket, so it
/// is a port that was free. Connecting to it is refused at once.
pub(crate) fn silent_address() -> SocketAddr {
    free_address()
}

/// Lets this much time pass. Only for peers that are slow by design; a test never waits by the clock.
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Looks until `look` gives a value, and returns it.
///
/// # Panics
/// After [`PATIENCE`], saying what was awaited.
#[expect(clippy::disallowed_methods, reason = "a test that waits for another process needs a real deadline")]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = look() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain: {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}
