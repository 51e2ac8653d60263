//! The port: gives each connection a task, shows out unbound ones where there are too many, and waits for all when it stops.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::ingress::accepting::Accepting;
use crate::ingress::lobby::Guest;
use crate::ingress::smpp::Ground;
use crate::ingress::smpp::end::ServerEnd;
use crate::link::Ended;
use crate::link::drive::{self, stopped};
use crate::smpp::session::Session;

/// Serves the port until `stop` turns true; comes back when the last link has ended.
pub async fn serve(listener: TcpListener, ground: Arc<Ground>, mut stop: watch::Receiver<bool>) {
    let mut accepting = Accepting::new("SMPP");
    let mut links = JoinSet::new();
    let links_stop = stop.clone();
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            _ = links.join_next(), if !links.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let unbound_max = ground.config.unbound_max as usize;
                    tokio::select! {
                        () = ground.lobby.room(peer.ip(), || ground.lobby.len() >= unbound_max) => {}
                        () = stopped(&mut stop) => break,
                    }
                    let guest = ground.lobby.enter(peer.ip());
                    links.spawn(connection(stream, peer, guest, ground.clone(), links_stop.clone()));
                }
                Err(error) => accepting.failed(&error).await,
            },
        }
    }
    drop(listener);
    while links.join_next().await.is_some() {}
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    guest: Guest,
    ground: Arc<Ground>,
    mut stop: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "TCP_NODELAY");
    }
    run(stream, peer, guest, ground, &mut stop).await;
}

/// Serves one connection until it ends.
pub async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    peer: SocketAddr,
    guest: Guest,
    ground: Arc<Ground>,
    stop: &mut watch::Receiver<bool>,
) -> Ended {
    let session = Session::smsc(ground.config.session(), ground.clock.elapsed());
    let notice = guest.notice();
    let mut end = ServerEnd::new(ground.clone(), peer, guest);
    let ended = tokio::select! {
        biased;
        ended = drive::run(stream, session, &mut end, ground.clock, ground.config.limits, stop) => ended,
        () = notice.given() => Ended::Crowded,
    };
    match &ended {
        Ended::OutOfStep(error) if ground.attempts.mention(peer.ip(), "not_smpp") => {
            tracing::warn!(%peer, %error, "not SMPP: answered by generic_nack and closed");
        }
        why if end.is_bound() => tracing::info!(%peer, %why, tenant = end.tenant(), "unbound"),
        why => tracing::debug!(%peer, %why, "closed before a bind"),
    }
    end.close().await;
    ended
}
