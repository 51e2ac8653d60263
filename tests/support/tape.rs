//! A recording proxy: it stands between two peers on loopback, passes every octet on as it came, and keeps
//! what it passed, so that a second decoder can judge a run afterwards.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Which way octets went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the side that connected.
    Up,
    /// From the side that listened.
    Down,
}

/// What one read gave. An empty one means that this side closed.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    /// The connection, counted from 0 over all proxies of the tape.
    pub(crate) connection: usize,
    /// The port of the proxy that the connecting side sees.
    pub(crate) port: u16,
    pub(crate) way: Way,
    pub(crate) octets: Vec<u8>,
}

/// What passed through all its proxies, in the order it passed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tape {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    chunks: Vec<Chunk>,
    connections: usize,
}

impl Tape {
    /// Opens a proxy before `target` and returns where to connect instead.
    ///
    /// Its threads end with their connections; the accepting one ends with the test program.
    pub(crate) fn before(&self, target: SocketAddr) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let tape = self.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A target that is away is seen by the client as a connection that closes at once.
                if let Ok(server) = TcpStream::connect(target) {
                    tape.pass(client, server, address.port());
                }
            }
        });
        address
    }

    /// A copy of what has passed so far.
    pub(crate) fn chunks(&self) -> Vec<Chunk> {
        self.state.lock().expect("no thread of a tape panics").chunks.clone()
    }

    /// Whether every connection has been closed by both sides, so that nothing is on its way any more.
    pub(crate) fn is_quiet(&self) -> bool {
        let state = self.state.lock().expect("no thread of a tape panics");
        let closed = state.chunks.iter().filter(|chunk| chunk.octets.is_empty()).count();
        closed == 2 * state.connections
    }

    /// All that went one way through one connection, in one piece.
    pub(crate) fn stream(&self, connection: usize, way: Way) -> Vec<u8> {
        let state = self.state.lock().expect("no thread of a tape panics");
        let chunks = state.chunks.iter().filter(|chunk| chunk.connection == connection && chunk.way == way);
        chunks.flat_map(|chunk| chunk.octets.iter().copied()).collect()
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.state.lock().expect("no thread of a tape panics").connections
    }

    fn pass(&self, client: TcpStream, server: TcpStream, port: u16) {
        let connection = {
            let mut state = self.state.lock().expect("no thread of a tape panics");
            state.connections += 1;
            state.connections - 1
        };
        for socket in [&client, &server] {
            // Without it the proxy would add delays of its own; a socket that is already gone needs none.
            let _ = socket.set_nodelay(true);
        }
        let twins =
            (client.try_clone().expect("a socket has a twin"), server.try_clone().expect("a socket has a twin"));
        for (from, to, way) in [(client, twins.1, Way::Up), (server, twins.0, Way::Down)] {
            let tape = self.clone();
            std::thread::spawn(move || tape.copy(from, to, Chunk { connection, port, way, octets: Vec::new() }));
        }
    }

    fn copy(&self, mut from: TcpStream, mut to: TcpStream, blank: Chunk) {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            // A reset counts as the end, as it does for the peers.
            let length = from.read(&mut buffer).unwrap_or(0);
            let chunk = Chunk { octets: buffer[..length].to_vec(), ..blank.clone() };
            self.state.lock().expect("no thread of a tape panics").chunks.push(chunk);
            if length == 0 || to.write_all(&buffer[..length]).is_err() {
                // The other direction may still have something to say.
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
        }
    }
}
