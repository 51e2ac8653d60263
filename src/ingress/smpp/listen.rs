//! The port: accepts within its limits, gives each connection a task, and waits for them all when it stops.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::ingress::smpp::Ground;
use crate::ingress::smpp::end::ServerEnd;
use crate::link::Ended;
use crate::link::drive::{self, stopped};
use crate::smpp::session::Session;

/// The pause after the system had no descriptor left for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A count that goes down by itself.
#[derive(Debug)]
pub struct Counted(Arc<AtomicU32>);

/// The count of connections that have not bound.
pub type Unbound = Counted;

impl Counted {
    /// One more, unless there are `max` already.
    pub fn new(count: &Arc<AtomicU32>, max: u32) -> Option<Counted> {
        let more = |count: u32| (count < max).then_some(count + 1);
        count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Counted(count.clone()))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves the port until `stop` turns true; comes back when the last link has ended.
pub async fn serve(listener: TcpListener, ground: Arc<Ground>, mut stop: watch::Receiver<bool>) {
    let (sockets, unbound) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let mut links = JoinSet::new();
    let links_stop = stop.clone();
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            _ = links.join_next(), if !links.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let counted = Counted::new(&sockets, ground.config.sockets_max)
                        .zip(Counted::new(&unbound, ground.config.unbound_max));
                    match counted {
                        Some((socket, unbound)) => {
                            let (ground, stop) = (ground.clone(), links_stop.clone());
                            links.spawn(connection(stream, peer, ground, unbound, socket, stop));
                        }
                        None => tracing::debug!(%peer, "as many connections as may be: closed at once"),
                    }
                }
                Err(error) => pause_after(&error).await,
            },
        }
    }
    drop(listener);
    while links.join_next().await.is_some() {}
}

/// A connection that died in the queue says nothing about the next one. What the system lacks, it lacks for a while.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    if !matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted) {
        tracing::error!(%error, "no connection can be accepted");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    ground: Arc<Ground>,
    unbound: Unbound,
    _socket: Counted,
    mut stop: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "TCP_NODELAY");
    }
    run(stream, peer, ground, unbound, &mut stop).await;
}

/// Serves one connection until it ends.
pub async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    peer: SocketAddr,
    ground: Arc<Ground>,
    unbound: Unbound,
    stop: &mut watch::Receiver<bool>,
) -> Ended {
    let session = Session::smsc(ground.config.session(), ground.clock.elapsed());
    let mut end = ServerEnd::new(ground.clone(), peer, unbound);
    let ended = drive::run(stream, session, &mut end, ground.clock, ground.config.limits, stop).await;
    match &ended {
        Ended::OutOfStep(error) if ground.attempts.mention(peer.ip()) => {
            tracing::warn!(%peer, %error, "not SMPP: answered by generic_nack and closed");
        }
        why if end.is_bound() => tracing::info!(%peer, %why, tenant = end.tenant(), "unbound"),
        why => tracing::debug!(%peer, %why, "closed before a bind"),
    }
    end.close().await;
    ended
}
