//! The daemon while it runs: its threads, its servers, and how they end.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;

use crate::carrier;
use crate::clock::Clock;
use crate::command::Command;
use crate::config::Config;
use crate::dashboard::metrics::Numbers as Metrics;
use crate::dashboard::page;
use crate::dashboard::snapshot::Snapshot;
use crate::exchange::{Batch, Exchange};
use crate::gateway::compose::{self, Numbers};
use crate::gateway::gauges::Gauges;
use crate::gateway::limits::Doors;
use crate::gateway::names::NameBook;
use crate::gateway::opening;
use crate::gateway::snapshot::Scene;
use crate::gateway::spine::Shared;
use crate::gateway::start_error::StartError;
use crate::gateway::threads::Threads;
use crate::ingress::accept::{Intake, Rules};
use crate::ingress::attempts::Attempts;
use crate::ingress::http::{self, board::Board, desk::Desk};
use crate::ingress::references::References;
use crate::ingress::smpp;
use crate::presence::Presence;
use crate::store::disk::RealDisk;
use crate::store::error::Error as StoreError;
use crate::store::keys::Keys;

/// Room for tenants and carriers that a reload adds.
const NUMBERS_AHEAD: u16 = 1_024;
/// How long links have to unbind once the core has drained.
const UNBIND_MAX: Duration = Duration::from_secs(2);
/// How often a wait looks again.
const LOOK: Duration = Duration::from_millis(10);
/// How often the next day's data keys are looked after: what a full disk refused is made soon after there is room.
const KEYS_LOOK: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// What ends or reloads the daemon. Listened to before anybody is told that it is ready.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Begins to listen; from now on none of them kills the process by itself.
    pub(super) fn listen() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

/// The daemon.
pub(super) struct Running {
    /// As it was at the start.
    pub config: Config,
    pub path: PathBuf,
    pub exchange: Arc<Exchange>,
    pub shared: Arc<Shared>,
    pub clock: Clock,
    pub keys: Arc<Keys<RealDisk>>,
    pub names: Arc<NameBook>,
    pub numbers: Numbers,
    pub presence: Arc<Presence>,
    pub rules: Arc<ArcSwap<Rules>>,
    pub gauges: Arc<Gauges>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    threads: Threads,
    ready: Arc<AtomicBool>,
}

impl Running {
    /// Starts everything and says `ready`.
    pub(super) async fn start(config: Config, path: &Path) -> Result<Running, StartError> {
        let (clock, exchange) = (Clock::start(), Arc::new(Exchange::default()));
        let metrics = Arc::new(Metrics::new());
        let opened = opening::open(&config, &exchange, clock, metrics.clone())?;
        let (keys, numbers, links) = (opened.keys, opened.numbers, (opened.reader, opened.history));
        let mut spine = opened.spine;
        for (tenant, rate) in compose::tenant_rates(&config, &numbers) {
            spine.core.set_tenant_rate(tenant, rate);
        }
        for (carrier, terms) in compose::carrier_terms(&config, &numbers) {
            spine.core.set_carrier_terms(carrier, terms);
        }
        keys_ready(&keys, &numbers, clock)?;
        let names = Arc::new(NameBook::default());
        names.add(&numbers.tenants, &numbers.carriers);
        let shared = spine.shared.clone();
        let gauges = Arc::new(Gauges::new(metrics, shared.clone()));
        let threads = Threads::start(spine, &config, &keys, &names, links)?;
        let rules = compose::rules(&config, &numbers)?;
        let count = |highest: Option<u16>| highest.unwrap_or(0).saturating_add(NUMBERS_AHEAD);
        let presence = Presence::new(
            count(numbers.carriers.last().map(|(id, _)| id.0)),
            count(numbers.tenants.last().map(|(id, _)| id.0)),
        );
        let mut running = Running {
            path: path.to_owned(),
            exchange,
            shared,
            clock,
            keys,
            names,
            numbers,
            presence: Arc::new(presence),
            rules: Arc::new(ArcSwap::from_pointee(rules)),
            gauges,
            stop: watch::Sender::new(false),
            tasks: JoinSet::new(),
            threads,
            ready: Arc::new(AtomicBool::new(false)),
            config,
        };
        let (smpp, http) = running.open_ports().await?;
        running.keep_trend();
        running.start_carriers();
        running.say_ready(smpp, http);
        Ok(running)
    }

    async fn open_ports(&mut self) -> Result<(SocketAddr, SocketAddr), StartError> {
        let (smpp_listener, smpp_address) = listen(self.config.smpp.listen, "SMPP").await?;
        let (http_listener, http_address) = listen(self.config.http.listen, "HTTP").await?;
        let references = Arc::new(References::new(self.clock.now().0 as u64));
        let doors = Doors::open(&self.config);
        let ground = smpp::Ground {
            config: compose::smpp_server(&self.config, doors),
            exchange: self.exchange.clone(),
            clock: self.clock,
            presence: self.presence.clone(),
            keyring: self.keys.keyring(),
            rules: self.rules.clone(),
            references: references.clone(),
            attempts: Attempts::default(),
            roll: Default::default(),
            lobby: Default::default(),
            refused: self.gauges.refused.clone(),
        };
        self.tasks.spawn(smpp::listen::serve(smpp_listener, Arc::new(ground), self.stop.subscribe()));
        let api = Arc::new(self.api(references, doors));
        let limits = api.limits.clone();
        let mut stop = self.stop.subscribe();
        let stopped = async move {
            let _ = stop.wait_for(|stop| *stop).await;
        };
        self.tasks.spawn(http::server::serve(http_listener, http::router(api), limits, stopped));
        Ok((smpp_address, http_address))
    }

    fn api(&mut self, references: Arc<References>, doors: Doors) -> http::Api {
        let (desk, mailbox) = Desk::open(self.exchange.clone());
        let (answering, mut stop) = (desk.clone(), self.stop.subscribe());
        self.tasks.spawn(async move {
            tokio::select! {
                () = answering.clone().run(mailbox) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
            answering.stop();
        });
        let (keyring, presence) = (self.keys.keyring(), self.presence.clone());
        let (names, ready, shared) = (self.names.clone(), self.ready.clone(), self.shared.clone());
        let (gauges, counted) = (self.gauges.clone(), self.gauges.clone());
        let (describe, clock) = ((self.presence.clone(), self.names.clone(), self.rules.clone()), self.clock);
        let token = self.config.http.admin_token.as_ref();
        http::Api {
            desk,
            rules: self.rules.clone(),
            keyring: keyring.clone(),
            clock: self.clock,
            new_intake: Box::new(move || Intake::new(keyring.clone(), presence.clone(), references.clone())),
            intakes: Default::default(),
            carrier_name: Box::new(move |carrier| names.read().carrier(carrier).to_owned()),
            limits: compose::http_server(&self.config, doors),
            admin_token: token.map(|token| crate::admission::tenant::SecretDigest::of(token.0.as_bytes())),
            attempts: Attempts::default(),
            metrics: Box::new(move || gauges.text(&describe.0, &describe.1, &describe.2.load())),
            board: self.board(),
            ready: Box::new(move || {
                ready.load(Ordering::Relaxed) && shared.is_turning(clock.now()) && !shared.progress().full
            }),
            refused: self.gauges.refused.clone(),
            answered: Box::new(move |status| counted.numbers.http_answered(status)),
        }
    }

    /// What `/` shows.
    fn board(&self) -> Board {
        let snapshot = Arc::new(self.snapshots());
        let values = snapshot.clone();
        Board {
            page: Box::new(move || page::html(&snapshot())),
            numbers: Box::new(move || page::json(&values())),
            policy: page::policy().try_into().expect("it is ASCII"),
        }
    }

    fn snapshots(&self) -> impl Fn() -> Snapshot + Send + Sync + use<> {
        let (gauges, presence, names) = (self.gauges.clone(), self.presence.clone(), self.names.clone());
        let rules = self.rules.clone();
        let (node, ready, clock, started) =
            (self.config.node.name.clone(), self.ready.clone(), self.clock, self.clock.now());
        // A reload does not change how many binds there are.
        let wanted = self.config.carriers.iter().map(|carrier| (carrier.id.clone(), u32::from(carrier.binds)));
        let wanted: BTreeMap<String, u32> = wanted.collect();
        move || {
            gauges.snapshot(&Scene {
                node: &node,
                ready: ready.load(Ordering::Relaxed),
                now: clock.now(),
                started,
                presence: &presence,
                names: &names,
                rules: &rules.load(),
                binds_wanted: &|carrier| wanted.get(carrier).copied().unwrap_or(0),
            })
        }
    }

    /// Notes the totals once a second until the end, for the rates.
    fn keep_trend(&mut self) {
        let (gauges, clock, mut stop) = (self.gauges.clone(), self.clock, self.stop.subscribe());
        self.tasks.spawn(async move {
            let mut second = tokio::time::interval(Duration::from_secs(1));
            second.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                tokio::select! {
                    _ = second.tick() => gauges.note(clock.now()),
                    _ = stop.wait_for(|stop| *stop) => return,
                }
            }
        });
    }

    fn start_carriers(&mut self) {
        let ground = carrier::Ground {
            exchange: self.exchange.clone(),
            clock: self.clock,
            presence: self.presence.clone(),
            keyring: self.keys.keyring(),
            limits: compose::limits(&self.config),
        };
        for config in &self.config.carriers {
            let carrier = Arc::new(compose::carrier(config, self.numbers.carrier(&config.id)));
            carrier::bind::start(&carrier, &ground, &self.stop.subscribe(), &mut self.tasks);
        }
    }

    #[expect(clippy::print_stdout, reason = "the one line that other programs wait for")]
    fn say_ready(&self, smpp: SocketAddr, http: SocketAddr) {
        use std::io::Write;
        self.ready.store(true, Ordering::Relaxed);
        println!("ready smpp={smpp} http={http}");
        let _ = std::io::stdout().flush();
        let _ = sd_notify::notify(&[NotifyState::Ready]);
        tracing::info!(%smpp, %http, "ready");
    }

    /// Runs until SIGTERM or SIGINT, or until a thread dies; SIGHUP reloads.
    pub(super) async fn until_stopped(mut self, mut signals: Signals) -> Result<(), String> {
        let mut keys_due = tokio::time::interval(KEYS_LOOK);
        let mut preparing: Option<JoinHandle<()>> = None;
        let mut look = tokio::time::interval(LOOK * 20);
        let watchdog = sd_notify::watchdog_enabled().map_or(DAY, |every| every / 2);
        let mut watchdog = tokio::time::interval(watchdog);
        let mut reloads = JoinSet::new();
        let mut turning = true;
        loop {
            tokio::select! {
                _ = signals.terminate.recv() => break,
                _ = signals.interrupt.recv() => break,
                _ = signals.hang_up.recv(), if reloads.is_empty() => {
                    let reload = self.reload();
                    reloads.spawn_blocking(move || reload.run());
                }
                Some(done) = reloads.join_next() => self.end_reload(done),
                _ = keys_due.tick() => if preparing.as_ref().is_none_or(JoinHandle::is_finished) {
                    // One at a time, also while a disk hangs.
                    preparing = Some(self.prepare_keys());
                },
                _ = watchdog.tick() => if turning { let _ = sd_notify::notify(&[NotifyState::Watchdog]); },
                _ = look.tick() => {
                    self.clock.follow();
                    if self.threads.have_ended() {
                        return Err(self.threads.autopsy());
                    }
                    if turning != self.shared.is_turning(self.clock.now()) {
                        turning = !turning;
                        tell_turning(turning);
                    }
                }
            }
        }
        let again = async {
            tokio::select! {
                _ = signals.terminate.recv() => {}
                _ = signals.interrupt.recv() => {}
            }
        };
        self.stop(again).await
    }

    /// Tomorrow's data keys, so that nobody waits at midnight; aside, because thousands of tenants mean thousands of files.
    fn prepare_keys(&self) -> JoinHandle<()> {
        let (keys, tenants, today) = (self.keys.clone(), self.numbers.tenants.clone(), self.clock.now().day());
        tokio::task::spawn_blocking(move || {
            let named = tenants.iter().map(|(tenant, name)| (*tenant, name.as_str()));
            if let Err(error) = keys.prepare(named, today) {
                tracing::error!(%error, "the next day's data keys cannot be made; messages will be refused from midnight UTC on");
            }
        })
    }

    /// Drains, unbinds, and ends the threads. A second signal ends it at once: what is acknowledged is durable already.
    async fn stop(mut self, again: impl Future<Output = ()>) -> Result<(), String> {
        let _ = sd_notify::notify(&[NotifyState::Stopping]);
        self.ready.store(false, Ordering::Relaxed);
        tracing::info!("stopping: no new messages, waiting for what is in windows");
        let mut batch = Batch { commands: vec![Command::Drain], bytes: Vec::new() };
        self.exchange.inbox.post(&mut batch);
        tokio::pin!(again);
        tokio::select! {
            () = &mut again => return Ok(()),
            () = drained(&self.shared, self.config.node.drain) => {}
        }
        let _ = self.stop.send(true);
        let unbound = async { while self.tasks.join_next().await.is_some() {} };
        tokio::select! {
            () = &mut again => return Ok(()),
            _ = tokio::time::timeout(UNBIND_MAX, unbound) => {}
        }
        let ended = tokio::task::spawn_blocking(move || self.threads.end(&self.shared));
        tokio::select! {
            // A disk that hangs must not keep the process.
            () = &mut again => Ok(()),
            ended = ended => ended.map_err(|error| error.to_string())?,
        }
    }
}

/// Makes the data keys of today and tomorrow ready. On a full disk what is stored can be sent all the same, and makes room; new
/// messages are refused without a key of their day.
pub(super) fn keys_ready(keys: &Keys<RealDisk>, numbers: &Numbers, clock: Clock) -> Result<(), StoreError> {
    let named = numbers.tenants.iter().map(|(tenant, name)| (*tenant, name.as_str()));
    match keys.prepare(named, clock.now().day()) {
        Err(error) if error.is_full() => {
            tracing::error!(%error, "data keys cannot be made yet");
            Ok(())
        }
        made => made,
    }
}

fn tell_turning(turning: bool) {
    match turning {
        true => tracing::info!("the journal goes on"),
        false => tracing::error!(
            "the journal stands still: the disk has not answered for seconds, and nothing is accepted meanwhile"
        ),
    }
}

/// Waits until nothing is in any window, or until `limit` has passed.
async fn drained(shared: &Shared, limit: Duration) {
    let quiet = async {
        while !shared.progress().drained {
            tokio::time::sleep(LOOK).await;
        }
    };
    if tokio::time::timeout(limit, quiet).await.is_err() {
        tracing::warn!(
            "some submits had no answer in time; they will be sent again at the next start, marked as possible duplicates"
        );
    }
}

async fn listen(address: SocketAddr, what: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address: address.to_string(), what, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
