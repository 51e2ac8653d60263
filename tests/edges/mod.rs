//! What the tests of the edges share: a core that does as it is told, and a peer that speaks SMPP over a pipe.
#![allow(dead_code, reason = "each test binary uses the part it needs")]

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use sluice::admission::config::{RouteConfig, TenantConfig};
use sluice::admission::policy::{CarrierEntry, Policy};
use sluice::billing::price::PriceBook;
use sluice::clock::Clock;
use sluice::command::{Command, Effect};
use sluice::exchange::{Batch, Exchange, Mailbox, Outbox};
use sluice::ingress::accept::Rules;
use sluice::ingress::attempts::Attempts;
use sluice::ingress::smpp::{Config, Ground};
use sluice::link::Limits;
use sluice::message::coding::Coding;
use sluice::message::{CarrierId, Hidden, LinkId, TenantId};
use sluice::presence::Presence;
use sluice::seal::{DataKey, Keyring, MasterKey};
use sluice::smpp::address::Address;
use sluice::smpp::decode::decode;
use sluice::smpp::encode::encode;
use sluice::smpp::frame::frame;
use sluice::smpp::pdu::{Bind, Body, Pdu, SubmitSm};
use sluice::smpp::status::CommandStatus;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::runtime::{Builder, Runtime};

/// How long anything that must happen may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const TENANT: TenantId = TenantId(0);
pub(crate) const CARRIER: CarrierId = CarrierId(0);

pub(crate) fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

/// The other side of the exchange. It takes batches as a core would, and says what the test wants it to say.
pub(crate) struct Core {
    pub(crate) exchange: Arc<Exchange>,
    batch: Batch,
    next: usize,
}

impl Core {
    pub(crate) fn new() -> Core {
        Core { exchange: Arc::new(Exchange::default()), batch: Batch::default(), next: 0 }
    }

    /// The other side of an exchange that exists already.
    pub(crate) fn of(exchange: Arc<Exchange>) -> Core {
        Core { exchange, batch: Batch::default(), next: 0 }
    }

    /// The next batch, whole.
    pub(crate) fn batch(&mut self) -> &Batch {
        assert_eq!(self.next, self.batch.commands.len(), "commands are left over: {:?}", self.batch.commands);
        self.refill();
        self.next = self.batch.commands.len();
        &self.batch
    }

    fn refill(&mut self) {
        self.batch.clear();
        self.next = 0;
        self.exchange.inbox.take(&mut self.batch, 1, Duration::ZERO, PATIENCE);
        assert!(!self.batch.is_empty(), "waited {PATIENCE:?} in vain for a command");
    }

    /// The next command and the octets that its spans refer to.
    pub(crate) fn command(&mut self) -> (Command, &[u8]) {
        if self.next == self.batch.commands.len() {
            self.refill();
        }
        self.next += 1;
        (self.batch.commands[self.next - 1], &self.batch.bytes)
    }

    /// Whether nothing waits.
    pub(crate) fn is_idle(&mut self) -> bool {
        if self.next == self.batch.commands.len() {
            self.batch.clear();
            self.next = 0;
            self.exchange.inbox.take(&mut self.batch, 1, Duration::ZERO, Duration::ZERO);
        }
        self.next == self.batch.commands.len()
    }

    pub(crate) fn send(&self, link: LinkId, effects: Vec<Effect>, bytes: Vec<u8>) {
        let mailbox: Arc<Mailbox> = self.exchange.mailbox(link).expect("the link is open");
        mailbox.deliver(&mut Outbox { effects, bytes });
    }

    /// Skips to the closing of a link, and lets it go.
    pub(crate) fn closed(&mut self) -> LinkId {
        loop {
            if let (Command::Close { link }, _) = self.command() {
                self.send(link, vec![Effect::Closed], Vec::new());
                return link;
            }
        }
    }
}

/// Somebody who speaks SMPP at the other end of a pipe.
pub(crate) struct Peer<'r> {
    pub(crate) stream: DuplexStream,
    runtime: &'r Runtime,
    octets: Vec<u8>,
}

impl<'r> Peer<'r> {
    pub(crate) fn new(stream: DuplexStream, runtime: &'r Runtime) -> Peer<'r> {
        Peer { stream, runtime, octets: Vec::new() }
    }

    pub(crate) fn send(&mut self, sequence: u32, status: CommandStatus, body: Body<'_>) {
        let mut octets = Vec::new();
        encode(&Pdu { status, sequence, body }, &mut octets);
        self.write(&octets);
    }

    pub(crate) fn write(&mut self, octets: &[u8]) {
        let written = async { tokio::time::timeout(PATIENCE, self.stream.write_all(octets)).await };
        self.runtime.block_on(written).expect("in time").expect("the link reads");
    }

    /// The next PDU, shown to `look`; `None` at the end of the stream.
    pub(crate) fn receive<T>(&mut self, look: impl FnOnce(Pdu<'_>) -> T) -> Option<T> {
        loop {
            if let Some(length) = frame(&self.octets, 1 << 20).expect("a whole stream") {
                let pdu = self.octets.drain(..length).collect::<Vec<u8>>();
                return Some(look(decode(&pdu).expect("a PDU that can be read")));
            }
            let read = async { tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.octets)).await };
            match self.runtime.block_on(read).expect("in time") {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next PDU's command, status and sequence number.
    pub(crate) fn answer(&mut self) -> (&'static str, CommandStatus, u32) {
        let seen = |pdu: Pdu<'_>| (pdu.body.command().name().unwrap_or("unknown"), pdu.status, pdu.sequence);
        self.receive(seen).expect("the link is open")
    }

    /// Whether the other side has closed; what it still sends is read past.
    pub(crate) fn is_closed(&mut self) -> bool {
        while self.receive(|_| ()).is_some() {}
        true
    }
}

pub(crate) fn bind<'a>(system_id: &'a str, password: &'a str) -> Bind<'a> {
    let (system_id, password) = (system_id.as_bytes(), password.as_bytes());
    Bind { system_id, password, interface_version: 0x34, ..Bind::default() }
}

pub(crate) fn submit(text: &[u8]) -> SubmitSm<'_> {
    SubmitSm {
        source: Address { ton: 5, npi: 0, addr: b"MyBrand" },
        dest: Address { ton: 1, npi: 1, addr: b"447700900123" },
        registered_delivery: 1,
        short_message: text,
        ..SubmitSm::default()
    }
}

pub(crate) fn tenant() -> TenantConfig {
    TenantConfig {
        id: "riverside".to_owned(),
        system_id: Some("riverside".to_owned()),
        password: Some(Hidden("secret".to_owned())),
        validity: Duration::from_secs(3600),
        ..TenantConfig::default()
    }
}

pub(crate) fn keyring(clock: &Clock) -> Arc<Keyring> {
    let master = MasterKey::from_hex(&"17".repeat(32)).expect("64 digits");
    let keyring = Keyring::new(&master, 0, 1);
    // The test may run over midnight.
    for day in [clock.now().day(), clock.now().day() + 1] {
        keyring.insert(TENANT, day, DataKey::generate(&master, b"riverside").expect("random octets").0);
    }
    Arc::new(keyring)
}

/// What a server of one tenant stands on.
pub(crate) fn server_ground(core: &Core, tenant: TenantConfig, config: Config) -> Arc<Ground> {
    let carriers = [CarrierEntry { name: "alpha", id: CARRIER, coding: Coding::default() }];
    let route = RouteConfig { prefix: String::new(), carriers: vec!["alpha".to_owned()], tenant: None };
    let policy = Policy::new(&[tenant], &[route], &carriers, |_| TENANT).expect("it holds together");
    let clock = Clock::start();
    Arc::new(Ground {
        config,
        exchange: core.exchange.clone(),
        clock,
        presence: Arc::new(Presence::new(1, 1)),
        keyring: keyring(&clock),
        rules: Arc::new(ArcSwap::from_pointee(Rules { policy, prices: PriceBook::default() })),
        references: Arc::default(),
        attempts: Attempts::default(),
        roll: Default::default(),
        lobby: Default::default(),
        refused: Arc::default(),
    })
}

/// What a carrier's binds stand on.
pub(crate) fn carrier_ground(core: &Core) -> sluice::carrier::Ground {
    let clock = Clock::start();
    sluice::carrier::Ground {
        exchange: core.exchange.clone(),
        clock,
        presence: Arc::new(Presence::new(1, 1)),
        keyring: keyring(&clock),
        limits: Limits::default(),
    }
}
