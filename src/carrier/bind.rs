//! Keeps a carrier's binds up: connects, binds, and comes again after a pause that grows.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::carrier::end::CarrierEnd;
use crate::carrier::{Config, Ground, outbind};
use crate::link::Ended;
use crate::link::drive::{self, stopped};
use crate::presence::Complaint;
use crate::smpp::session::{BindKind, Session, SessionConfig};
use crate::smpp::status::CommandStatus;

/// A bind that held for so long was sound: the next attempt starts with the first pause again.
const SOUND_AFTER: Duration = Duration::from_secs(10);

/// Starts a task for each bind of the account. They end when `stop` turns true, unbinding first.
pub fn start(config: &Arc<Config>, ground: &Ground, stop: &watch::Receiver<bool>, tasks: &mut JoinSet<()>) {
    if let Some(outbind) = &config.outbind {
        tasks.spawn(outbind::listen(config.clone(), outbind.listen, ground.clone(), stop.clone()));
    }
    for place in 0..config.binds {
        for kind in config.binding.kinds() {
            let (config, ground, kind, stop) = (config.clone(), ground.clone(), *kind, stop.clone());
            tasks.spawn(async move {
                // A panic ends this connection, and not the bind for good.
                while keep_apart(keep_bound(config.clone(), ground.clone(), kind, place, stop.clone())).await.is_err() {
                    tracing::error!(carrier = %config.name, "a bind has panicked and comes again");
                    tokio::time::sleep(config.retry_max).await;
                }
            });
        }
    }
}

async fn keep_apart(bind: impl Future<Output = ()> + Send + 'static) -> Result<(), tokio::task::JoinError> {
    tokio::spawn(bind).await
}

/// Keeps one bind up until `stop` turns true.
pub async fn keep_bound(
    config: Arc<Config>,
    ground: Ground,
    kind: BindKind,
    place: u16,
    mut stop: watch::Receiver<bool>,
) {
    let seed = ground.clock.elapsed().as_nanos() as u64 ^ u64::from(config.id.0) << 32 ^ u64::from(place);
    let mut pauses = Pauses::new(config.retry_first, config.retry_max, seed);
    loop {
        let connected = tokio::select! {
            connected = connect(&config, &ground) => connected,
            () = stopped(&mut stop) => return,
        };
        let attempt = match connected {
            Some(stream) => run(stream, &config, &ground, kind, &mut stop).await,
            None => Attempt::Failed,
        };
        if kind == BindKind::Transceiver && attempt == Attempt::Refused(CommandStatus::RINVCMDID) {
            tracing::warn!(carrier = %config.name, "no transceivers there: a transmitter and a receiver take its place");
            let one = |kind| Box::pin(keep_bound(config.clone(), ground.clone(), kind, place, stop.clone()));
            tokio::join!(one(BindKind::Transmitter), one(BindKind::Receiver));
            return;
        }
        let pause = match attempt {
            Attempt::Refused(status) if locks_accounts(status) => config.refused_retry,
            Attempt::Held(true) => pauses.first(),
            Attempt::Held(false) | Attempt::Refused(_) | Attempt::Failed => pauses.next(),
        };
        tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// How an attempt to be bound ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attempt {
    /// It was bound; `true`: it was sound, because it held for long or parts or receipts went over it. Then the next attempt comes soon.
    Held(bool),
    /// The carrier refused the bind.
    Refused(CommandStatus),
    /// Nobody answered.
    Failed,
}

async fn connect(config: &Config, ground: &Ground) -> Option<TcpStream> {
    let connecting = tokio::time::timeout(config.connect_timeout, TcpStream::connect(&config.address));
    let connected = match connecting.await {
        Ok(connected) => connected,
        Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
    };
    let prepared = connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
    if let Err(error) = &prepared
        && let Some(times) = ground.complains(config, Complaint::Unreachable)
    {
        tracing::warn!(carrier = %config.name, address = %config.address, %error, times, "no connection");
    }
    prepared.ok()
}

/// Binds over a connection and works until it ends.
pub async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    config: &Arc<Config>,
    ground: &Ground,
    kind: BindKind,
    stop: &mut watch::Receiver<bool>,
) -> Attempt {
    work(stream, CarrierEnd::new(config.clone(), ground.clone(), kind), config, ground, kind, stop).await
}

/// As [`run`], over a connection on which the carrier is to ask for the bind first.
pub async fn run_asked<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    config: &Arc<Config>,
    ground: &Ground,
    kind: BindKind,
    stop: &mut watch::Receiver<bool>,
) -> Attempt {
    work(stream, CarrierEnd::new(config.clone(), ground.clone(), kind).when_asked(), config, ground, kind, stop).await
}

async fn work<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    mut end: CarrierEnd,
    config: &Arc<Config>,
    ground: &Ground,
    kind: BindKind,
    stop: &mut watch::Receiver<bool>,
) -> Attempt {
    let session = Session::esme(session_config(config), ground.clock.elapsed());
    let ended = drive::run(stream, session, &mut end, ground.clock, ground.limits, stop).await;
    let attempt = match (end.bound_at(), end.refused()) {
        (Some((bound_at, useful)), _) => Attempt::Held(useful || ground.clock.elapsed() >= bound_at + SOUND_AFTER),
        (None, Some(status)) => Attempt::Refused(status),
        (None, None) => Attempt::Failed,
    };
    end.close().await;
    tell(attempt, ended, config, ground, kind);
    attempt
}

/// Says in the log how an attempt ended, and what matters more: that no other bind is left.
fn tell(attempt: Attempt, ended: Ended, config: &Config, ground: &Ground, kind: BindKind) {
    let carrier = &config.name;
    match attempt {
        Attempt::Held(_) if ended == Ended::Stopped => tracing::info!(%carrier, ?kind, why = %ended, "unbound"),
        Attempt::Held(_) => {
            tracing::warn!(%carrier, ?kind, why = %ended, "unbound");
            if !ground.presence.is_up(config.id) && ground.complains(config, Complaint::NoneLeft).is_some() {
                tracing::error!(%carrier, "no bind is left: its messages wait, or go by another carrier of their route");
            }
        }
        Attempt::Refused(status) => {
            if let Some(times) = ground.complains(config, Complaint::Refused) {
                tracing::error!(%carrier, ?kind, %status, times, "the bind was refused");
            }
        }
        Attempt::Failed if ended == Ended::Stopped => {}
        Attempt::Failed => {
            if let Some(times) = ground.complains(config, Complaint::Unreachable) {
                tracing::warn!(%carrier, ?kind, why = %ended, times, "the bind got no answer");
            }
        }
    }
}

fn session_config(config: &Config) -> SessionConfig {
    SessionConfig {
        window_max: u32::from(config.window),
        bind_timeout: config.bind_timeout,
        enquire_link_interval: config.enquire_link_interval,
        enquire_link_timeout: config.enquire_link_timeout,
        response_timeout: config.response_timeout,
        response_grace: config.response_grace,
        version: config.version,
        version_when_absent: if config.takes_tlvs { config.version } else { config.version_when_absent },
        ..SessionConfig::default()
    }
}

/// Statuses after which trying again soon may lock the account (quirk Q83).
fn locks_accounts(status: CommandStatus) -> bool {
    [CommandStatus::RINVPASWD, CommandStatus::RINVSYSID, CommandStatus::RINVSYSTYP].contains(&status)
}

/// Pauses between attempts: doubling from the first to the greatest, each shortened by up to half at random.
struct Pauses {
    first: Duration,
    max: Duration,
    next: Duration,
    random: u64,
}

impl Pauses {
    fn new(first: Duration, max: Duration, seed: u64) -> Pauses {
        Pauses { first, max, next: first, random: seed }
    }

    fn first(&mut self) -> Duration {
        self.next = self.first;
        self.next()
    }

    fn next(&mut self) -> Duration {
        let pause = self.next.min(self.max);
        self.next = (pause * 2).min(self.max);
        // SplitMix64: any even spread does, so that binds lost together do not come back together.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ self.random >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let share = (mixed >> 32) as u32;
        pause.mul_f64(0.5 + 0.5 * f64::from(share) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_cap_and_begin_anew() {
        let (first, max) = (Duration::from_millis(250), Duration::from_secs(30));
        let mut pauses = Pauses::new(first, max, 1);
        let mut greatest = first;
        for _ in 0..12 {
            let pause = pauses.next();
            assert!(pause >= greatest / 2 && pause <= greatest, "{pause:?} of {greatest:?}");
            greatest = (greatest * 2).min(max);
        }
        assert!(pauses.first() <= first);
        let other: Vec<Duration> = std::iter::repeat_with(|| Pauses::new(first, max, 2).next()).take(2).collect();
        assert_ne!(other[0], Pauses::new(first, max, 3).next(), "binds do not come back together");
    }
}
