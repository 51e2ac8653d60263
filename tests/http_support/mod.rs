//! The HTTP server over a core that is a thread of the test: it stores in memory and answers at once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::http::HeaderValue;
use sluice::admission::config::{RouteConfig, TenantConfig};
use sluice::admission::policy::{CarrierEntry, Policy};
use sluice::admission::tenant::SecretDigest;
use sluice::billing::config::PriceConfig;
use sluice::billing::price::PriceBook;
use sluice::clock::Clock;
use sluice::command::{Command, Denial, Effect, Reply, Span};
use sluice::dashboard::metrics::Numbers;
use sluice::exchange::{Batch, Exchange, Outbox};
use sluice::fact::{Accepted, Fact, Kept, PartSummary, Stage, records};
use sluice::ingress::accept::{Intake, Rules};
use sluice::ingress::attempts::Attempts;
use sluice::ingress::http::board::Board;
use sluice::ingress::http::desk::Desk;
use sluice::ingress::http::server::{Limits, serve};
use sluice::ingress::http::{Api, router};
use sluice::message::coding::{Coding, Languages};
use sluice::message::{CarrierId, Hidden, MessageId, State, TenantId, Timestamp};
use sluice::presence::Presence;
use sluice::seal::{DataKey, Keyring, MasterKey};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// What the core of a test is told to do.
#[derive(Default)]
pub(crate) struct Orders {
    /// Takes nothing more.
    pub(crate) full: AtomicBool,
    /// Holds back what it would say to requests with a key.
    pub(crate) running: AtomicBool,
    /// Refuses the next message for lack of credit.
    pub(crate) broke: AtomicBool,
}

/// The server, its core, and what the core was given.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) orders: Arc<Orders>,
    pub(crate) stored: Arc<Mutex<Vec<(TenantId, MessageId)>>>,
    stop: Option<oneshot::Sender<()>>,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        drop(self.stop.take());
        for thread in self.threads.drain(..) {
            // A panic of the core has shown itself as a missing answer already.
            let _ = thread.join();
        }
    }
}

/// A server with the usual limits.
pub(crate) fn start() -> Server {
    start_with(Limits::default(), None)
}

/// A server with these limits and this admin token.
pub(crate) fn start_with(limits: Limits, admin_token: Option<&str>) -> Server {
    let exchange = Arc::new(Exchange::default());
    let (orders, stored, over) = (Arc::<Orders>::default(), Arc::default(), Arc::new(AtomicBool::new(false)));
    let core =
        Core { exchange: exchange.clone(), orders: orders.clone(), stored: Arc::clone(&stored), ..Core::default() };
    let ending = over.clone();
    let core = std::thread::spawn(move || core.run(&ending));
    let numbers = Arc::new(Numbers::new());
    let (desk, mailbox) = Desk::open(exchange);
    let api = Arc::new(api(desk.clone(), limits.clone(), admin_token, numbers));
    let (stop, stopped) = oneshot::channel::<()>();
    let (listening, address) = std::sync::mpsc::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let edge = std::thread::spawn(move || {
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
            listening.send(listener.local_addr().expect("it is bound")).expect("the test waits for it");
            tokio::spawn(desk.run(mailbox));
            let ended = async {
                let _ = stopped.await;
            };
            serve(listener, router(api), limits, ended).await;
        });
    });
    let address = address.recv().expect("the server starts");
    Server { address, orders, stored, stop: Some(stop), over, threads: vec![core, edge] }
}

fn api(desk: Arc<Desk>, limits: Limits, admin_token: Option<&str>, numbers: Arc<Numbers>) -> Api {
    let master = MasterKey::from_hex(&"17".repeat(32)).expect("64 digits");
    let keyring = Arc::new(Keyring::new(&master, 0, 1));
    let clock = Clock::start();
    let (text, answered, sealing) = (numbers.clone(), numbers, keyring.clone());
    for (tenant, name) in [(TenantId(0), "riverside"), (TenantId(1), "hillside")] {
        keyring.insert(tenant, clock.now().day(), DataKey::generate(&master, name.as_bytes()).expect("random").0);
    }
    Api {
        desk,
        rules: Arc::new(ArcSwap::from_pointee(rules())),
        keyring,
        clock,
        new_intake: Box::new(move || Intake::new(sealing.clone(), Arc::new(Presence::new(1, 2)), Arc::default())),
        intakes: Mutex::default(),
        carrier_name: Box::new(|carrier| if carrier.0 == 0 { "alpha".to_owned() } else { format!("{carrier:?}") }),
        limits,
        admin_token: admin_token.map(|token| SecretDigest::of(token.as_bytes())),
        attempts: Attempts::default(),
        metrics: Box::new(move || text.text()),
        board: Board {
            page: Box::new(|| "<!doctype html>".to_owned()),
            numbers: Box::new(|| "{}".to_owned()),
            policy: HeaderValue::from_static("default-src 'none'"),
        },
        ready: Box::new(|| true),
        refused: Arc::default(),
        answered: Box::new(move |status| answered.http_answered(status)),
    }
}

/// Two tenants, one carrier that takes the Turkish tables, which the second does not use, routes to 44 and 33, and prices of the first tenant for 44 alone.
fn rules() -> Rules {
    let tenant = |id: &str, key: &str| TenantConfig {
        id: id.to_owned(),
        api_keys: vec![Hidden(key.to_owned())],
        validity: Duration::from_secs(3600),
        languages: if id == "hillside" { Languages::NONE } else { Languages::ALL },
        ..TenantConfig::default()
    };
    let number = |name: &str| TenantId(u16::from(name == "hillside"));
    let route =
        |prefix: &str| RouteConfig { prefix: prefix.to_owned(), carriers: vec!["alpha".to_owned()], tenant: None };
    let coding = Coding { languages: Languages::NONE.with(1), ..Coding::default() };
    let carriers = [CarrierEntry { name: "alpha", id: CarrierId(0), coding }];
    let tenants = [tenant("riverside", "dev-key"), tenant("hillside", "other-key")];
    let policy = Policy::new(&tenants, &[route("44"), route("33")], &carriers, number).expect("it holds together");
    let per_part = "0.0264 GBP".parse().expect("an amount");
    let price = PriceConfig { tenant: "riverside".to_owned(), prefix: "44".to_owned(), per_part };
    Rules { policy, prices: PriceBook::new(&[price], number).expect("digits") }
}

/// A core that keeps everything in memory.
#[derive(Default)]
struct Core {
    exchange: Arc<Exchange>,
    orders: Arc<Orders>,
    stored: Arc<Mutex<Vec<(TenantId, MessageId)>>>,
    messages: BTreeMap<MessageId, (TenantId, Vec<u8>, Vec<u8>)>,
    /// By key: the body, and what was accepted.
    seen: BTreeMap<u64, (u64, Vec<(u16, MessageId)>)>,
}

impl Core {
    fn run(mut self, over: &AtomicBool) {
        let mut batch = Batch::default();
        while !over.load(Ordering::Acquire) {
            self.exchange.inbox.take(&mut batch, 1, Duration::ZERO, Duration::from_millis(20));
            for command in std::mem::take(&mut batch.commands) {
                let mut outbox = Outbox::default();
                if let Some(reply) = self.decide(command, &batch.bytes, &mut outbox) {
                    let mailbox = self.exchange.mailbox(reply.link).expect("the link is open");
                    mailbox.deliver(&mut outbox);
                }
            }
            batch.clear();
        }
    }

    fn decide(&mut self, command: Command, bytes: &[u8], outbox: &mut Outbox) -> Option<Reply> {
        match command {
            Command::Accept { reply, record, envelope } => {
                let effect = self.accept(reply.tag, record.of(bytes), envelope.of(bytes));
                outbox.effects.push(effect);
                Some(reply)
            }
            Command::Recall { reply, key, body } => {
                self.recall(reply.tag, key, body, outbox);
                Some(reply)
            }
            Command::Status { reply, tenant, id } => {
                self.status(reply.tag, tenant, id, outbox);
                Some(reply)
            }
            Command::Forget { key } => {
                self.seen.remove(&key);
                None
            }
            other => panic!("an HTTP server does not ask for {other:?}"),
        }
    }

    fn accept(&mut self, tag: u64, record: &[u8], envelope: &[u8]) -> Effect {
        if self.orders.full.load(Ordering::Acquire) {
            return Effect::Denied { tag, denial: Denial::Full };
        }
        if self.orders.broke.swap(false, Ordering::AcqRel) {
            return Effect::Denied { tag, denial: Denial::Credit };
        }
        let id = MessageId::new(0, 1 + self.messages.len() as u64);
        let mut octets = record.to_vec();
        Accepted::stamp(&mut octets, id, Timestamp(1_795_262_400_000_000));
        let accepted = Accepted::read(&octets).expect("an Accepted record");
        let idempotency = accepted.idempotency;
        if idempotency.key != 0 {
            let seen = self.seen.entry(idempotency.key).or_insert((idempotency.body, Vec::new()));
            seen.1.push((idempotency.index, id));
            assert!(seen.1.len() <= usize::from(idempotency.count), "more messages than the request said");
        }
        self.stored.lock().expect("the test lives").push((accepted.tenant, id));
        let tenant = accepted.tenant;
        self.messages.insert(id, (tenant, octets, envelope.to_vec()));
        Effect::Accepted { tag, id }
    }

    fn recall(&mut self, tag: u64, key: u64, body: u64, outbox: &mut Outbox) {
        if self.orders.running.load(Ordering::Acquire) {
            return outbox.effects.push(Effect::Denied { tag, denial: Denial::KeyRunning });
        }
        match self.seen.get(&key) {
            None => outbox.effects.push(Effect::Fresh { tag }),
            Some((seen, _)) if *seen != body => {
                outbox.effects.push(Effect::Denied { tag, denial: Denial::KeyReused });
            }
            Some((_, ids)) => {
                outbox.effects.push(Effect::Repeated { tag, count: ids.len() as u16 });
                let recalled = ids.iter().map(|(index, id)| Effect::Recalled { tag, index: *index, id: *id });
                outbox.effects.extend(recalled);
            }
        }
    }

    /// The first part has been sent under a carrier's id; the rest waits.
    fn status(&self, tag: u64, tenant: TenantId, id: MessageId, outbox: &mut Outbox) {
        let found = self.messages.get(&id).filter(|(owner, _, _)| *owner == tenant);
        let Some((_, record, envelope)) = found else {
            return outbox.effects.push(Effect::Denied { tag, denial: Denial::NoSuchMessage });
        };
        let accepted = Accepted::read(record).expect("stored as it was read");
        let mut parts = Vec::new();
        let sent = PartSummary {
            stage: Stage::Sent,
            state: State::Enroute,
            repeat: true,
            sent_at: Timestamp(1_795_262_401_000_000),
            posted_micros: accepted.price_micros,
            carrier_id: b"c-1",
            ..PartSummary::default()
        };
        sent.write(&mut parts);
        let kept = Kept { accepted, state: State::Enroute, started: 1, count: 1, parts: &parts, ..Kept::default() };
        let mut group = records::Records::default();
        group.push(&Fact::Kept(kept));
        let (_, _, payload) = records::iter(group.octets()).next().expect("one record");
        let kept = Span::append(payload, &mut outbox.bytes);
        let envelope = Span::append(envelope, &mut outbox.bytes);
        outbox.effects.push(Effect::Status { tag, kept, envelope });
    }
}
