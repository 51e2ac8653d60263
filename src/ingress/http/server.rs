//! Connections of the HTTP server: how many, how slow a client may be, and how they end.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::{Next, from_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::debug;

use crate::ingress::accepting::Accepting;
use crate::ingress::http::patient::Patient;
use crate::ingress::lobby::{Guest, Lobby, Notice};

/// What bounds the server towards hostile and broken clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; at it the one that has been longest without a request makes room. Default 1,024. Each costs some 20 KiB and a
    /// descriptor.
    pub connections_max: usize,
    /// A connection on which no whole request head arrives for so long is closed, idle ones included. Default 30 s.
    pub head_within: Duration,
    /// A body must have arrived after so long, and a client must read some of its answer. Default 30 s.
    pub body_within: Duration,
    /// The core must have answered after so long; then the client is told 503. Default 30 s.
    pub answer_within: Duration,
    /// Octets of a request's body; more is answered 413. Default 1 MiB.
    pub body_octets_max: usize,
    /// Messages of one request. Default 1,000.
    pub batch_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections_max: 1_024,
            head_within: Duration::from_secs(30),
            body_within: Duration::from_secs(30),
            answer_within: Duration::from_secs(30),
            body_octets_max: 1 << 20,
            batch_max: 1_000,
        }
    }
}

/// Octets of one request head at most.
const HEAD_OCTETS_MAX: usize = 64 << 10;

/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 64;

/// Who was shown out has gone after so long.
const GOING_MAX: Duration = Duration::from_millis(100);

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// Serves `router` on `listener` until `stop`; then no connection is accepted, requests in work are answered, and it returns.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: impl Future<Output = ()>) {
    let doors = Doors { places: Arc::new(Semaphore::new(limits.connections_max)), lobby: Arc::default() };
    let mut accepting = Accepting::new("HTTP");
    let builder = builder(&limits);
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                accepting.failed(&error).await;
                continue;
            }
        };
        let place = tokio::select! {
            place = doors.place(peer.ip()) => place,
            () = &mut stop => break,
        };
        let visit = Visit::new(doors.lobby.enter(peer.ip()));
        let connection = builder.serve_connection_with_upgrades(
            TokioIo::new(Patient::new(prepared(stream), limits.body_within)),
            service(&router, peer, &visit),
        );
        let connection = graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    debug!(%error, "an HTTP connection ended early");
                },
                () = visit.over(limits.head_within) => debug!(%peer, "an HTTP connection without a request made room"),
            }
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// How many may be in, and who of them has no request in work.
struct Doors {
    places: Arc<Semaphore>,
    lobby: Arc<Lobby>,
}

impl Doors {
    /// Waits for a place for a newcomer. Who has waited longest without a request makes room; if all have one, the first that ends.
    async fn place(&self, newcomer: IpAddr) -> OwnedSemaphorePermit {
        loop {
            self.lobby.room(newcomer, || self.places.available_permits() == 0).await;
            // Who was shown out may have got a request in the same moment and stay.
            if let Ok(place) = timeout(GOING_MAX, self.places.clone().acquire_owned()).await {
                return place.expect("the semaphore is never closed");
            }
        }
    }
}

/// A connection's stay: in the lobby while it has no request in work.
#[derive(Clone)]
struct Visit {
    stay: Arc<Mutex<Stay>>,
    notice: Arc<Notice>,
}

struct Stay {
    guest: Guest,
    requests: u32,
    idle_since: Instant,
}

impl Visit {
    fn new(guest: Guest) -> Visit {
        let notice = guest.notice();
        Visit { stay: Arc::new(Mutex::new(Stay { guest, requests: 0, idle_since: Instant::now() })), notice }
    }

    /// A request is in work until the value is dropped.
    fn request(&self) -> InWork {
        let mut stay = self.lock();
        stay.requests += 1;
        stay.guest.leave();
        InWork(self.clone())
    }

    /// Comes back once the connection has been without a request for `idle_max`, or has been shown out.
    async fn over(&self, idle_max: Duration) {
        loop {
            let until = {
                let stay = self.lock();
                let since = if stay.requests > 0 { Instant::now() } else { stay.idle_since };
                since + idle_max
            };
            if until <= Instant::now() {
                return;
            }
            tokio::select! {
                () = self.notice.given() => return,
                () = sleep_until(until) => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Stay> {
        // What the lock guards is whole after each statement.
        self.stay.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

struct InWork(Visit);

impl Drop for InWork {
    fn drop(&mut self) {
        let mut stay = self.0.lock();
        stay.requests -= 1;
        if stay.requests == 0 {
            stay.idle_since = Instant::now();
            stay.guest.come_back();
        }
    }
}

type PeerService = TowerToHyperService<Router>;

fn service(router: &Router, peer: SocketAddr, visit: &Visit) -> PeerService {
    let (peer, visit) = (peer.ip().to_canonical(), visit.clone());
    let served = from_fn(move |mut request: Request, next: Next| {
        let in_work = visit.request();
        let peer = forwarded(peer, request.headers());
        request.extensions_mut().insert(Peer(peer));
        async move {
            let response = next.run(request).await;
            drop(in_work);
            response
        }
    });
    TowerToHyperService::new(router.clone().layer(served))
}

/// Who asks by way of a proxy on this machine, as the proxy says; others are not believed. If it says what is no address, a stranger.
fn forwarded(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let said = headers.get_all("x-forwarded-for").iter().next_back().filter(|_| peer.is_loopback());
    let address = |said: &HeaderValue| {
        let last = said.to_str().ok()?.rsplit(',').next()?.trim();
        let with_port = || last.parse::<SocketAddr>().map(|address| address.ip());
        let host = last.strip_prefix('[').and_then(|last| last.strip_suffix(']')).unwrap_or(last);
        host.parse().or_else(|_| with_port()).ok()
    };
    let stranger = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    said.map_or(peer, |said| address(said).unwrap_or(stranger).to_canonical())
}

fn prepared(stream: TcpStream) -> TcpStream {
    // Without it a small answer waits for the client's delayed acknowledgement. It fails only on a dead socket.
    let _ = stream.set_nodelay(true);
    stream
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // An idle connection ends by [`Visit::over`], whatever it speaks and before it has said what.
        .header_read_timeout(None)
        .max_buf_size(HEAD_OCTETS_MAX)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.head_within)
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_OCTETS_MAX as u32);
    builder
}

#[cfg(test)]
mod tests {
    use super::forwarded;
    use axum::http::{HeaderMap, HeaderValue};
    use std::net::IpAddr;

    #[test]
    fn what_a_proxy_says_is_an_address_or_a_strangers() {
        let asks = |peer: &str, said: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for said in said {
                headers.append("x-forwarded-for", HeaderValue::from_static(said));
            }
            forwarded(peer.parse::<IpAddr>().expect("an address"), &headers).to_string()
        };
        assert_eq!(asks("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(asks("192.0.2.1", &["198.51.100.7"]), "192.0.2.1", "who is no proxy of ours is not believed");
        assert_eq!(asks("127.0.0.1", &["127.0.0.1", "127.0.0.1, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(asks("::1", &["198.51.100.7:443"]), "198.51.100.7");
        for v6 in ["2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:443"] {
            assert_eq!(asks("127.0.0.1", &[v6]), "2001:db8::1");
        }
        for no_address in ["", "unknown", "unix:", "127.0.0.1, ", "[127.0.0.1", "-"] {
            assert_eq!(asks("127.0.0.1", &[no_address]), "0.0.0.0", "{no_address:?}");
        }
    }
}
