//! The one clock of the edges: wall time read once at start, monotonic time since. Pure modules get what it says as arguments.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::message::Timestamp;

/// A copy of the process's clock. All copies of one clock agree.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    origin_micros: i64,
}

impl Clock {
    /// Reads both clocks. Called once at start; every thread gets a copy.
    #[expect(clippy::disallowed_methods, reason = "this is the edge that reads the clock")]
    pub fn start() -> Clock {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Clock { origin: Instant::now(), origin_micros: i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX) }
    }

    /// Time since the start: the `now` of `smpp`.
    pub fn elapsed(&self) -> Duration {
        self.origin.elapsed()
    }

    /// The wall clock at start plus [`Clock::elapsed`]: the `now` of the core.
    pub fn now(&self) -> Timestamp {
        self.at(self.elapsed())
    }

    /// The wall time of `elapsed` after the start.
    pub fn at(&self, elapsed: Duration) -> Timestamp {
        Timestamp(self.origin_micros.saturating_add(i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The same moment for the runtime's timers.
    pub fn instant(&self, elapsed: Duration) -> Instant {
        self.origin + elapsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_agree() {
        let clock = Clock::start();
        let copy = clock;
        let elapsed = clock.elapsed();
        assert_eq!(clock.at(elapsed), copy.at(elapsed));
        assert_eq!(clock.at(Duration::from_secs(2)).micros_since(clock.at(Duration::ZERO)), 2_000_000);
        assert!(copy.elapsed() >= elapsed);
    }
}
