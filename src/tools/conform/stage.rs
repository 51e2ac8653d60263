//! What all cases of a run share: where to connect, how many at once, how long, and whether the peer still serves.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout_at};

use crate::tools::conform::conn::Conn;
use crate::tools::conform::player::{Verdict, connect, play};
use crate::tools::conform::script::Case;
use crate::tools::conform::template::Values;

/// After so many cases in a row without a bind the peer counts as gone, so that nobody waits for each of the others.
const GONE_AFTER: u32 = 12;
/// The shortest time that an answer is waited for.
const PATIENCE_MIN: Duration = Duration::from_millis(200);
/// The pause before a bind that was refused for the number of binds.
const FEWER_PAUSE: Duration = Duration::from_millis(250);

/// The ground of a run.
pub(super) struct Stage {
    /// The peer.
    pub(super) address: SocketAddr,
    /// Credentials and numbers.
    pub(super) values: Values,
    /// How long an answer may take at first.
    pub(super) patience_first: Duration,
    /// Answers that did not come.
    missed: AtomicU32,
    /// How often a bind is tried that may be one too many.
    pub(super) bind_tries: u32,
    /// No case is played past this.
    pub(super) deadline: Instant,
    crowd: Semaphore,
    crowd_size: AtomicU32,
    /// Binds that were refused as too many: so many places are given up.
    surplus: AtomicU32,
    unbound_in_a_row: AtomicU32,
}

impl Stage {
    /// A run of at most `binds` connections at once.
    pub(super) fn new(address: SocketAddr, values: Values, patience: Duration, binds: u32, deadline: Instant) -> Stage {
        Stage {
            address,
            values,
            patience_first: patience,
            missed: AtomicU32::new(0),
            bind_tries: 40,
            deadline,
            crowd: Semaphore::new(binds as usize),
            crowd_size: AtomicU32::new(binds),
            surplus: AtomicU32::new(0),
            unbound_in_a_row: AtomicU32::new(0),
        }
    }

    /// How long an answer may take. A peer that has left many things unanswered is waited for less, so that the run ends
    /// in time; it has failed by then.
    pub(super) fn patience(&self) -> Duration {
        match self.missed.load(Ordering::Relaxed) {
            0..=19 => self.patience_first,
            20..=59 => (self.patience_first / 3).max(PATIENCE_MIN).min(self.patience_first),
            _ => (self.patience_first / 10).max(PATIENCE_MIN).min(self.patience_first),
        }
    }

    /// An answer did not come.
    pub(super) fn missed(&self) {
        self.missed.fetch_add(1, Ordering::Relaxed);
    }

    /// A new connection.
    pub(super) async fn connect(&self) -> Result<Conn, String> {
        connect(self.address, self.patience_first).await
    }

    /// A bind was refused as if there were too many: fewer cases are played at once from now on.
    pub(super) async fn fewer(&self) {
        let less = |size: u32| (size > 1).then_some(size - 1);
        if self.crowd_size.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            self.surplus.fetch_add(1, Ordering::Relaxed);
        }
        sleep(FEWER_PAUSE).await;
    }

    /// A case found no bind.
    pub(super) fn no_bind(&self) {
        self.unbound_in_a_row.fetch_add(1, Ordering::Relaxed);
    }

    /// A case found one.
    pub(super) fn some_bind(&self) {
        if !self.is_gone() {
            self.unbound_in_a_row.store(0, Ordering::Relaxed);
        }
    }

    /// Whether the peer has stopped to take binds.
    pub(super) fn is_gone(&self) -> bool {
        self.unbound_in_a_row.load(Ordering::Relaxed) >= GONE_AFTER
    }

    /// Plays a case when there is a place for it.
    pub(super) async fn turn(&self, case: &Case) -> (Verdict, Duration) {
        let fail = |what: &str| (Verdict::Fail(what.to_owned()), Duration::ZERO);
        let permit = match timeout_at(self.deadline, self.crowd.acquire()).await {
            Ok(Ok(permit)) => permit,
            _ => return fail("not played: the time of the run is over"),
        };
        if self.is_gone() {
            return fail("not played: the peer takes no bind any more");
        }
        let began = Instant::now();
        let played = timeout_at(self.deadline, play(self, case)).await;
        self.give_back(permit);
        let late = |_| Verdict::Fail("not played to its end: the time of the run is over".to_owned());
        (played.unwrap_or_else(late), began.elapsed())
    }

    fn give_back(&self, permit: SemaphorePermit<'_>) {
        let less = |surplus: u32| surplus.checked_sub(1);
        if self.surplus.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            permit.forget();
        }
    }
}
