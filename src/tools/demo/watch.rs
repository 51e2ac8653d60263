//! How long the demonstration waits for anything, and whether somebody has asked it to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::clock::Clock;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to pause between two looks at what announces itself to nobody.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// A clock and a flag.
#[derive(Clone)]
pub(crate) struct Watch {
    clock: Clock,
    stopped: Arc<AtomicBool>,
}

impl Watch {
    pub(crate) fn new() -> Watch {
        Watch { clock: Clock::start(), stopped: Arc::new(AtomicBool::new(false)) }
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Makes everything that waits give up.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// When patience ends for what begins now.
    pub(crate) fn deadline(&self) -> Duration {
        self.clock.elapsed() + PATIENCE
    }

    /// An error if the deadline has passed or somebody asked for the end.
    pub(crate) fn check(&self, deadline: Duration, what: &str) -> Result<(), String> {
        if self.is_stopped() {
            return Err("stopped by a signal".to_owned());
        }
        if self.clock.elapsed() >= deadline {
            return Err(format!("waited {PATIENCE:?} in vain for {what}"));
        }
        Ok(())
    }

    /// Looks again and again until `look` gives something.
    pub(crate) fn until<T>(
        &self,
        what: &str,
        mut look: impl FnMut() -> Result<Option<T>, String>,
    ) -> Result<T, String> {
        let deadline = self.deadline();
        loop {
            if let Some(found) = look()? {
                return Ok(found);
            }
            self.check(deadline, what)?;
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Waits until somebody asks for the end.
    pub(crate) fn wait_for_stop(&self) {
        while !self.is_stopped() {
            std::thread::sleep(LOOK_EVERY);
        }
    }
}
