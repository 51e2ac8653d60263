//! Connections that have shown nobody anything yet: unbound ones at the SMPP port, those without a request at the HTTP port. Where there
//! is no room for another, one of them is shown out, so that whoever only holds connections open keeps nobody else out.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// An origin that holds more than this part of a full lobby makes room itself.
const SHARE: usize = 8;
/// Who has just come may stay for so long, to say what it wants: when all come back at once, they wait for each other.
const GRACE: Duration = Duration::from_millis(100);
/// How often a newcomer without room looks again.
const LOOK: Duration = Duration::from_millis(10);

/// Those who wait, the longest first.
#[derive(Debug, Default)]
pub struct Lobby {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    guests: BTreeMap<u64, Place>,
    shares: BTreeMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Place {
    origin: IpAddr,
    since: Instant,
    notice: Arc<Notice>,
}

/// The word to a connection that it has to go. It is taken back from who does something that counts before it was heard.
#[derive(Debug, Default)]
pub struct Notice {
    must_go: AtomicBool,
    told: Notify,
}

impl Notice {
    /// Comes back once the connection has to go.
    pub async fn given(&self) {
        loop {
            self.told.notified().await;
            if self.must_go.load(Ordering::Acquire) {
                return;
            }
        }
    }

    fn give(&self) {
        self.must_go.store(true, Ordering::Release);
        self.told.notify_one();
    }

    fn take_back(&self) {
        self.must_go.store(false, Ordering::Release);
    }
}

/// One connection. It waits from its making until it is dropped, but for the time between [`Guest::leave`] and [`Guest::come_back`].
#[derive(Debug)]
pub struct Guest {
    lobby: Arc<Lobby>,
    origin: IpAddr,
    place: u64,
    notice: Arc<Notice>,
}

impl Lobby {
    /// Lets a connection in.
    pub fn enter(self: &Arc<Lobby>, peer: IpAddr) -> Guest {
        let (origin, notice) = (origin(peer), Arc::default());
        let place = self.lock().add(origin, &notice);
        Guest { lobby: self.clone(), origin, place, notice }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.lock().guests.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits until it is not `full`, or until somebody was shown out for the newcomer.
    pub async fn room(&self, newcomer: IpAddr, full: impl Fn() -> bool) {
        while full() && !self.make_room(newcomer, GRACE) {
            sleep(LOOK).await;
        }
    }

    /// Shows out who has waited longest, of the same origin as the newcomer if that holds much of the lobby; but nobody who has come
    /// within `grace`. Says whether there was one.
    fn make_room(&self, newcomer: IpAddr, grace: Duration) -> bool {
        let mut waiting = self.lock();
        let newcomer = origin(newcomer);
        let crowds = waiting.shares.get(&newcomer).is_some_and(|share| share * SHARE > waiting.guests.len());
        let longest = waiting.guests.iter().find(|(_, guest)| !crowds || guest.origin == newcomer);
        let number = longest.filter(|(_, guest)| guest.since.elapsed() >= grace).map(|(number, _)| *number);
        let guest = number.and_then(|number| waiting.remove(number));
        guest.as_ref().inspect(|guest| guest.notice.give()).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // What the lock guards is whole after each statement.
        self.waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Waiting {
    fn add(&mut self, origin: IpAddr, notice: &Arc<Notice>) -> u64 {
        self.next += 1;
        self.guests.insert(self.next, Place { origin, since: Instant::now(), notice: notice.clone() });
        *self.shares.entry(origin).or_default() += 1;
        self.next
    }

    fn remove(&mut self, number: u64) -> Option<Place> {
        let guest = self.guests.remove(&number)?;
        if let Some(share) = self.shares.get_mut(&guest.origin) {
            *share -= 1;
            if *share == 0 {
                self.shares.remove(&guest.origin);
            }
        }
        Some(guest)
    }
}

impl Guest {
    /// Told when the connection has to go.
    pub fn notice(&self) -> Arc<Notice> {
        self.notice.clone()
    }

    /// It does something that counts: it may stay.
    pub fn leave(&self) {
        let mut waiting = self.lobby.lock();
        waiting.remove(self.place);
        self.notice.take_back();
    }

    /// It waits again, as the last to come.
    pub fn come_back(&mut self) {
        self.place = self.lobby.lock().add(self.origin, &self.notice);
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Whose connection it is, as far as an address tells: of IPv6 the network of 64 bits, because a single subscriber has that many.
pub fn origin(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Waker};

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn must_go(guest: &Guest) -> bool {
        let notice = guest.notice();
        let given = std::pin::pin!(notice.given());
        given.poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn who_waits_longest_makes_room() {
        let lobby = Arc::<Lobby>::default();
        let mut guests: Vec<Guest> = (0..20).map(|host| lobby.enter(address(&format!("192.0.2.{host}")))).collect();
        guests[1].leave();
        let newcomer = address("198.51.100.1");
        assert!(!lobby.make_room(newcomer, Duration::from_secs(3_600)), "all have just come");
        assert!(lobby.make_room(newcomer, Duration::ZERO) && must_go(&guests[0]) && !must_go(&guests[2]));
        assert!(lobby.make_room(newcomer, Duration::ZERO) && must_go(&guests[2]) && !must_go(&guests[1]));
        guests[1].come_back();
        guests.truncate(2);
        assert_eq!(lobby.len(), 1);
        assert!(lobby.make_room(newcomer, Duration::ZERO) && must_go(&guests[1]), "who has come back waits like all");
        assert!(!lobby.make_room(newcomer, Duration::ZERO), "nobody is left");
    }

    #[test]
    fn who_does_something_in_the_moment_it_is_shown_out_stays() {
        let lobby = Arc::<Lobby>::default();
        let (mut guest, newcomer) = (lobby.enter(address("192.0.2.1")), address("198.51.100.1"));
        assert!(lobby.make_room(newcomer, Duration::ZERO));
        guest.leave();
        assert!(!must_go(&guest));
        guest.come_back();
        assert!(lobby.make_room(newcomer, Duration::ZERO) && must_go(&guest), "later it has to go like all");
    }

    #[test]
    fn a_crowd_from_one_origin_makes_room_itself() {
        let lobby = Arc::<Lobby>::default();
        let slow = lobby.enter(address("192.0.2.1"));
        let crowd: Vec<Guest> = (0..300).map(|host| lobby.enter(address(&format!("2001:db8::{host:x}")))).collect();
        assert!((0..200).all(|_| lobby.make_room(address("2001:db8::ffff"), Duration::ZERO)));
        assert_eq!((crowd.iter().filter(|guest| must_go(guest)).count(), must_go(&slow)), (200, false));
    }
}
