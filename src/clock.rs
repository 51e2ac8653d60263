//! The one clock of the edges: wall time read once at start, monotonic time since. A step of the wall clock changes it only by running a
//! little faster or slower. Pure modules get what it says as arguments.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use tokio::time::Instant;

use crate::message::Timestamp;

/// How much faster or slower it runs at most while it follows the wall clock, in millionths: a second is made up for in 200.
const DRIFT_MILLIONTHS_MAX: i64 = 5_000;
/// How long it takes to make up for a small difference.
const CATCH_UP_SECONDS: i64 = 10;

/// A copy of the process's clock. All copies of one clock agree.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    line: &'static ArcSwap<Line>,
}

/// Wall time as a function of elapsed time: a point and a slope. It never runs backwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Line {
    elapsed_micros: i64,
    wall_micros: i64,
    drift_millionths: i64,
}

impl Line {
    fn at(&self, elapsed_micros: i64) -> i64 {
        let since = elapsed_micros - self.elapsed_micros;
        self.wall_micros.saturating_add(since).saturating_add(since * self.drift_millionths / 1_000_000)
    }

    /// The line that goes on from here, towards the wall clock.
    fn toward(&self, elapsed_micros: i64, wall_micros: i64) -> Line {
        let here = self.at(elapsed_micros);
        let drift =
            (wall_micros.saturating_sub(here) / CATCH_UP_SECONDS).clamp(-DRIFT_MILLIONTHS_MAX, DRIFT_MILLIONTHS_MAX);
        Line { elapsed_micros, wall_micros: here, drift_millionths: drift }
    }
}

impl Clock {
    /// Reads both clocks. Called once at start; every thread gets a copy.
    pub fn start() -> Clock {
        let line = Line { elapsed_micros: 0, wall_micros: wall_micros(), drift_millionths: 0 };
        // A process has one clock and keeps it to its end.
        Clock { origin: Instant::now(), line: Box::leak(Box::new(ArcSwap::new(Arc::new(line)))) }
    }

    /// Looks at the wall clock and turns towards it. To be called at least every few seconds.
    pub fn follow(&self) {
        let line = self.line.load().toward(micros(self.elapsed()), wall_micros());
        self.line.store(Arc::new(line));
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
        Timestamp(self.line.load().at(micros(elapsed)))
    }

    /// The same moment for the runtime's timers.
    pub fn instant(&self, elapsed: Duration) -> Instant {
        self.origin + elapsed
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the edge that reads the clock")]
fn wall_micros() -> i64 {
    micros(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn copies_agree() {
        let clock = Clock::start();
        let copy = clock;
        let elapsed = clock.elapsed();
        assert_eq!(clock.at(elapsed), copy.at(elapsed));
        assert_eq!(clock.at(Duration::from_secs(2)).micros_since(clock.at(Duration::ZERO)), 2 * SECOND);
        copy.follow();
        assert!(clock.now().micros_since(clock.at(Duration::ZERO)) >= 0);
    }

    #[test]
    fn a_step_is_made_up_for_slowly_and_time_never_goes_back() {
        for step in [3 * SECOND, -3 * SECOND, 20_000, -20_000] {
            let mut line = Line { elapsed_micros: 0, wall_micros: 50 * SECOND, drift_millionths: 0 };
            let mut seconds = 0;
            while (line.at(seconds * SECOND) - (50 * SECOND + seconds * SECOND + step)).abs() > 2_000 {
                let turned = line.toward(seconds * SECOND, 50 * SECOND + seconds * SECOND + step);
                assert_eq!(turned.at(seconds * SECOND), line.at(seconds * SECOND), "no jump");
                let forward = turned.at((seconds + 1) * SECOND) - turned.at(seconds * SECOND);
                assert!((forward - SECOND).abs() <= DRIFT_MILLIONTHS_MAX, "{forward}");
                line = turned;
                seconds += 1;
                assert!(seconds < 800, "it arrives");
            }
        }
    }
}
