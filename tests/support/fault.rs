//! A proxy on loopback that hands octets on late, in pieces, changed, or not at all, and ends connections in other ways than an orderly
//! close.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::tape::Way;

/// What happens to what passes, on all connections, from now on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    /// Each octet arrives so much later.
    pub(crate) delay: Duration,
    /// Octets leave in pieces of this size; 0: as they came.
    pub(crate) pieces: usize,
    /// Nothing is handed on; it is kept, and comes when this ends.
    pub(crate) stalled: bool,
    /// The octet this far behind the next one that goes this way is inverted.
    pub(crate) flip: Option<(Way, usize)>,
}

/// The proxy. It goes on until the test program ends.
#[derive(Clone)]
pub(crate) struct Faults {
    /// Where to connect in place of the target.
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    conditions: Conditions,
    connections: Vec<Connection>,
}

struct Connection {
    /// The socket of who connected.
    client: TcpStream,
    /// The socket of the target.
    server: TcpStream,
    /// Its threads are to let go of it.
    cut: Arc<AtomicBool>,
}

/// How often a thread that waits for octets looks whether its connection is cut.
const LOOK_EVERY: Duration = Duration::from_millis(20);

impl Faults {
    /// Stands before `target` and hands everything on at once.
    pub(crate) fn before(target: SocketAddr) -> Faults {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let faults = Faults { address, state: Arc::default() };
        let accepting = faults.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A target that is away is seen by the client as a connection that closes at once.
                if let Ok(server) = TcpStream::connect(target) {
                    accepting.pass(client, server);
                }
            }
        });
        faults
    }

    /// From now on.
    pub(crate) fn set(&self, conditions: Conditions) {
        self.lock().conditions = conditions;
    }

    /// Whether the flip has happened.
    pub(crate) fn has_flipped(&self) -> bool {
        self.lock().conditions.flip.is_none()
    }

    /// Ends every connection with a reset.
    pub(crate) fn reset(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
        let _inside = runtime.enter();
        for Connection { client, server, cut } in self.lock().connections.drain(..) {
            // A socket that does not linger is closed with a reset, once its last handle goes.
            cut.store(true, Ordering::Relaxed);
            for socket in [client, server] {
                socket.set_nonblocking(true).expect("a socket takes the option");
                let socket = tokio::net::TcpStream::from_std(socket).expect("a socket");
                socket.set_zero_linger().expect("a socket takes the option");
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the proxy panics")
    }

    fn pass(&self, client: TcpStream, server: TcpStream) {
        let twin = |socket: &TcpStream| socket.try_clone().expect("a socket has a twin");
        for socket in [&client, &server] {
            socket.set_nodelay(true).expect("a socket takes the option");
            socket.set_read_timeout(Some(LOOK_EVERY)).expect("a socket takes the option");
        }
        let cut = Arc::new(AtomicBool::new(false));
        for (from, to, way) in [(twin(&client), twin(&server), Way::Up), (twin(&server), twin(&client), Way::Down)] {
            let ((sender, receiver), cut) = (channel(), cut.clone());
            std::thread::spawn(move || read(from, &sender, &cut));
            let faults = self.clone();
            std::thread::spawn(move || faults.write(to, way, &receiver));
        }
        self.lock().connections.push(Connection { client, server, cut });
    }

    fn write(&self, mut to: TcpStream, way: Way, from: &Receiver<(Instant, Vec<u8>)>) {
        for (at, mut octets) in from {
            loop {
                let Conditions { delay, stalled, .. } = self.lock().conditions;
                let wait = (at + delay).saturating_duration_since(now());
                if !stalled && wait.is_zero() {
                    break;
                }
                super::pause(wait.clamp(Duration::from_millis(1), Duration::from_millis(20)));
            }
            if octets.is_empty() {
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
            let pieces = self.change(way, &mut octets);
            for piece in octets.chunks(pieces.max(1)) {
                if to.write_all(piece).is_err() {
                    return;
                }
            }
        }
    }

    /// Inverts the octet that is to be, and says in what pieces the others go.
    fn change(&self, way: Way, octets: &mut [u8]) -> usize {
        let Conditions { flip, pieces, .. } = &mut self.lock().conditions;
        if let Some((flipped, behind)) = flip
            && *flipped == way
        {
            match octets.get_mut(*behind) {
                Some(octet) => {
                    *octet ^= 0xFF;
                    *flip = None;
                }
                None => *behind -= octets.len(),
            }
        }
        if *pieces == 0 { octets.len() } else { *pieces }
    }
}

/// Reads until the end, which an empty run of octets tells, or until the connection is cut.
fn read(mut from: TcpStream, to: &Sender<(Instant, Vec<u8>)>, cut: &AtomicBool) {
    let mut buffer = vec![0; 16 * 1024];
    while !cut.load(Ordering::Relaxed) {
        let length = match from.read(&mut buffer) {
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => continue,
            read => read.unwrap_or(0),
        };
        if to.send((now(), buffer[..length].to_vec())).is_err() || length == 0 {
            return;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a delay is one of the real clock")]
fn now() -> Instant {
    Instant::now()
}
