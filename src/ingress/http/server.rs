//! Connections of the HTTP server: how many, how slow a client may be, and how they end.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tracing::{debug, warn};

use crate::ingress::http::patient::Patient;

/// What bounds the server towards hostile and broken clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; further ones wait unaccepted. Default 1,024. Each costs some 20 KiB and a descriptor.
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

/// How long accepting pauses when the process has no descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Octets of one request head at most.
const HEAD_OCTETS_MAX: usize = 64 << 10;

/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 64;

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// Serves `router` on `listener` until `stop`; then no connection is accepted, requests in work are answered, and it returns.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let builder = builder(&limits);
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "cannot accept an HTTP connection; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let connection = builder.serve_connection_with_upgrades(
            TokioIo::new(Patient::new(prepared(stream), limits.body_within)),
            service(&router, peer),
        );
        let connection = graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%error, "an HTTP connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

type PeerService = TowerToHyperService<Router>;

fn service(router: &Router, peer: SocketAddr) -> PeerService {
    let peer = Peer(peer.ip().to_canonical());
    TowerToHyperService::new(router.clone().layer(axum::Extension(peer)))
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
        .header_read_timeout(limits.head_within)
        .max_buf_size(HEAD_OCTETS_MAX)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.head_within)
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_OCTETS_MAX as u32);
    builder
}
