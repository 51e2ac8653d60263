//! What a port does when a connection cannot be accepted: it says so, not too often, and tries again.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The pause after the system had no descriptor left for another connection.
const PAUSE: Duration = Duration::from_millis(100);
/// How often it is said.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// One port's account of it.
#[derive(Debug)]
pub(super) struct Accepting {
    port: &'static str,
    said_at: Option<Instant>,
}

impl Accepting {
    /// Nothing has failed yet.
    pub(super) fn new(port: &'static str) -> Accepting {
        Accepting { port, said_at: None }
    }

    /// A connection that died in the queue says nothing about the next one. What the system lacks, it lacks for a while.
    pub(super) async fn failed(&mut self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
        if matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted) {
            return;
        }
        if self.said_at.is_none_or(|at| at.elapsed() >= SAID_EVERY) {
            self.said_at = Some(Instant::now());
            tracing::error!(%error, port = self.port, "no connection can be accepted; trying again ten times a second");
        }
        sleep(PAUSE).await;
    }
}
