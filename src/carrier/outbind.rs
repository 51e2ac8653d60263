//! A carrier that asks to be bound to (outbind, SMPP 3.4 section 2.2.1): it connects, says who it is, and gets the configured bind on the
//! same connection (quirk Q87).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::carrier::bind::run_asked;
use crate::carrier::{Config, Ground, Outbind};
use crate::link::drive::stopped;
use crate::smpp::session::BindKind;

/// The pause after the system had no descriptor left for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Outbind {
    /// Whether these are the carrier's credentials.
    pub fn is_from(&self, system_id: &[u8], password: &[u8]) -> bool {
        let known = self.system_id.as_bytes() == system_id;
        known & bool::from(self.password.0.as_bytes().ct_eq(password))
    }
}

/// Takes the carrier's connections until `stop` turns true, at once as many as the account has binds. One that does not say who it is
/// within the time of a bind is closed.
pub async fn listen(config: Arc<Config>, address: SocketAddr, ground: Ground, mut stop: watch::Receiver<bool>) {
    let listener = loop {
        match TcpListener::bind(address).await {
            Ok(listener) => break listener,
            Err(error) => tracing::error!(carrier = %config.name, %address, %error, "outbind cannot be listened for"),
        }
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = tokio::time::sleep(config.retry_max) => {}
        }
    };
    let kind = if config.binding.kinds().len() == 1 { BindKind::Transceiver } else { BindKind::Receiver };
    let (mut binds, binds_stop) = (JoinSet::new(), stop.clone());
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            _ = binds.join_next(), if !binds.is_empty() => {}
            accepted = listener.accept(), if binds.len() < usize::from(config.binds) => match accepted {
                Ok((stream, _)) => {
                    let (config, ground, mut stop) = (config.clone(), ground.clone(), binds_stop.clone());
                    let _ = stream.set_nodelay(true);
                    binds.spawn(async move { run_asked(stream, &config, &ground, kind, &mut stop).await });
                }
                Err(error) => {
                    tracing::warn!(carrier = %config.name, %error, "no connection can be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    while binds.join_next().await.is_some() {}
}
