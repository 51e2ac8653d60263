//! The whole life of messages in one thread and without sockets or disk: admission, exchange, core, a carrier and a platform that
//! answer at once. Batches move one step at each turn, and each stage can be called, and so measured, by itself.

#![allow(dead_code, reason = "each bench uses the part it needs")]

pub(crate) mod counting;
pub(crate) mod wire;

use std::io::Write;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use sluice::admission::config::{RouteConfig, TenantConfig};
use sluice::admission::policy::{CarrierEntry, Policy};
use sluice::billing::price::{PriceBook, PriceConfig};
use sluice::command::{Answer, Command, Effect, Outcome, Reply, Role, Span};
use sluice::core::{Config, Core, Group, Terms};
use sluice::exchange::{Batch, Exchange, Mailbox, Outbox};
use sluice::fact::layout;
use sluice::fact::{Idempotency, Notice, records};
use sluice::ingress::accept::{Intake, Rules, Submission};
use sluice::ingress::parts::Content;
use sluice::message::coding::Coding;
use sluice::message::smart::Smart;
use sluice::message::{CarrierId, Hidden, LinkId, Place, State, TenantId, Timestamp};
use sluice::presence::Presence;
use sluice::release::buckets::Rate;
use sluice::seal::{DataKey, Keyring, MasterKey};
use sluice::text::Choice;

pub(crate) const TEXT: &str = "Dear customer, your parcel is out for delivery and will arrive today between two and four in the \
                        afternoon. Reply STOP if you do not want to hear from us any more";
const START: Timestamp = Timestamp(1_795_000_000_000_000);
const TENANT: TenantId = TenantId(0);
const CARRIER: CarrierId = CarrierId(0);
const SEGMENT_OCTETS: u32 = 4 << 20;
const GROUP_HEAD_OCTETS: u32 = 40;
const WINDOW: u16 = 4_096;

/// One tenant, one carrier, and everything between them.
pub(crate) struct Road {
    pub(crate) core: Core,
    /// Applies each group once more, as a restart does.
    pub(crate) follower: Core,
    /// Facts that a reader of the journal has seen.
    pub(crate) facts_read: u64,
    rules: Rules,
    intake: Intake,
    exchange: Exchange,
    group: Group,
    now: Timestamp,
    place: Place,
    platform: End,
    carrier: End,
    taken: Batch,
    cursor: usize,
    submitted: u64,
    /// Window places whose submit_sm waits for its answer, and the carrier's ids whose receipt is still to come.
    places: Vec<u16>,
    ids: Vec<u64>,
    ids_given: u64,
    /// Window places of the platform whose deliver_sm waits for its answer.
    delivers: Vec<u16>,
}

/// A link as its I/O thread holds it.
struct End {
    link: LinkId,
    mailbox: Arc<Mailbox>,
    batch: Batch,
    outbox: Outbox,
}

impl End {
    fn open(exchange: &Exchange) -> End {
        let (link, mailbox) = exchange.open();
        End { link, mailbox, batch: Batch::default(), outbox: Outbox::default() }
    }
}

impl Road {
    /// Everything bound and idle.
    pub(crate) fn new() -> Road {
        let exchange = Exchange::default();
        let (reader, _) = exchange.open();
        let (journal, _) = exchange.open();
        let (platform, carrier) = (End::open(&exchange), End::open(&exchange));
        let config = Config { reader, journal, finished_max: 1_000, segments_max: 4, ..Config::default() };
        let core = || Core::new(config.clone(), [1, 2], START);
        let (rules, intake) = admission();
        let mut road = Road {
            core: core(),
            follower: core(),
            facts_read: 0,
            rules,
            intake,
            exchange,
            group: Group::default(),
            now: START,
            place: Place { segment: 0, offset: SEGMENT_OCTETS },
            platform,
            carrier,
            taken: Batch::default(),
            cursor: 0,
            submitted: 0,
            places: Vec::new(),
            ids: Vec::new(),
            ids_given: 0,
            delivers: Vec::new(),
        };
        // Rates that never hold anything up, so that their buckets are on the road.
        let rate = Rate { parts: 10_000_000, per_micros: 1_000_000, burst: 10_000_000 };
        road.core.set_tenant_rate(TENANT, Some(rate));
        road.core.set_carrier_terms(CARRIER, Terms { rate: Some(rate), ..Terms::default() });
        let open = |link, role| Command::Open { link, role, window: WINDOW };
        road.platform.batch.commands.push(open(road.platform.link, Role::Tenant(TENANT)));
        road.carrier.batch.commands.push(open(road.carrier.link, Role::Carrier(CARRIER)));
        road.step(0);
        road
    }

    /// Every message there is moves one step, and `messages` new ones come in.
    pub(crate) fn step(&mut self, messages: usize) {
        self.submit(messages);
        self.answer();
        self.post();
        self.decide();
        self.follow();
        self.let_out();
    }

    /// Steps until nothing moves any more.
    pub(crate) fn drain(&mut self) {
        while self.core.live() > 0 || !self.delivers.is_empty() {
            self.step(0);
        }
    }

    /// Messages that have gone all the way, and how many came in.
    pub(crate) fn done(&self) -> (u64, u64) {
        (self.core.numbers().reported, self.submitted)
    }

    /// The carrier takes nothing more, or takes again.
    pub(crate) fn hold(&mut self, held: bool) {
        self.carrier.batch.commands.push(Command::Hold { link: self.carrier.link, held });
    }

    /// Admission: route, price, segment, seal, lay out the record.
    pub(crate) fn submit(&mut self, messages: usize) {
        let mut number = *b"447700000000";
        for _ in 0..messages {
            self.submitted += 1;
            write!(&mut number[4..], "{:08}", self.submitted % 10_000_000).expect("eight digits");
            let submission = submission(&self.rules, &number);
            let reply = Reply { link: self.platform.link, tag: self.submitted };
            let estimate = self.intake.accept(&self.rules, &submission, reply, self.now, &mut self.platform.batch);
            estimate.expect("it is routed and priced");
        }
    }

    /// Carrier and platform answer what the last turn let out.
    pub(crate) fn answer(&mut self) {
        let End { link, batch, .. } = &mut self.carrier;
        for id in self.ids.drain(..) {
            let digits = digits(id);
            let start = batch.bytes.len();
            let (state, done_at) = (Some(State::Delivered), self.now);
            Notice { tlv_id: &digits, text_id: &digits, state, done_at, err: b"000", ..Notice::default() }
                .write(&mut batch.bytes);
            let notice = Span::since(start, &batch.bytes);
            batch.commands.push(Command::Receipt {
                reply: Reply { link: *link, tag: id },
                carrier: CARRIER,
                notice,
                only_if_known: false,
            });
        }
        for slot in self.places.drain(..) {
            self.ids_given += 1;
            self.ids.push(self.ids_given);
            let outcome = Outcome::Taken(Span::append(&digits(self.ids_given), &mut batch.bytes));
            batch.commands.push(Command::Submitted { link: *link, slot, outcome });
        }
        let End { link, batch, .. } = &mut self.platform;
        for slot in self.delivers.drain(..) {
            batch.commands.push(Command::Delivered { link: *link, slot, answer: Answer::Taken });
        }
    }

    /// The exchange's first half: both batches are posted and the core takes them.
    pub(crate) fn post(&mut self) {
        assert_eq!(self.cursor, self.taken.commands.len(), "the batch before has been decided");
        self.taken.clear();
        self.cursor = 0;
        self.exchange.inbox.post(&mut self.platform.batch);
        self.exchange.inbox.post(&mut self.carrier.batch);
        self.exchange.inbox.take(&mut self.taken, 1, Duration::ZERO, Duration::ZERO);
    }

    /// One turn of the core, with all that was taken.
    pub(crate) fn decide(&mut self) {
        self.now = self.now.plus_micros(1_000);
        if self.place.offset >= SEGMENT_OCTETS {
            self.place = Place { segment: self.place.segment + 1, offset: GROUP_HEAD_OCTETS };
            self.core.checkpoint(self.place, &mut self.group);
        }
        self.core.turn(&self.taken, &mut self.cursor, self.now, self.place, &mut self.group);
        assert_eq!(self.cursor, self.taken.commands.len(), "a batch fits into one group");
    }

    /// What replay does with the group, and what a reader of the journal does.
    pub(crate) fn follow(&mut self) {
        let octets = self.group.records.octets();
        self.follower.replay(self.place, octets).expect("whole records");
        for (_, kind, payload) in records::iter(octets) {
            let facts = &mut self.facts_read;
            layout::read(kind, payload, &mut |_| *facts += 1).expect("whole records");
        }
    }

    /// The exchange's second half: the effects go to their mailboxes and the links take them out.
    pub(crate) fn let_out(&mut self) {
        self.place.offset += self.group.records.octets().len() as u32 + GROUP_HEAD_OCTETS;
        let exchange = &self.exchange;
        self.group.outboxes.drain(|link, outbox| match exchange.mailbox(link) {
            Some(mailbox) if link.0 > 1 => mailbox.deliver(outbox),
            _ => assert!(
                outbox.effects.iter().all(|effect| matches!(effect, Effect::Recycle { .. })),
                "nothing is read back"
            ),
        });
        self.group.clear();
        let mut cx = Context::from_waker(Waker::noop());
        for end in [&mut self.platform, &mut self.carrier] {
            let _ = end.mailbox.poll_take(&mut cx, &mut end.outbox);
            for effect in &end.outbox.effects {
                match effect {
                    Effect::Submit { slot, .. } => self.places.push(*slot),
                    Effect::Deliver { slot, .. } => self.delivers.push(*slot),
                    Effect::Denied { denial, .. } => panic!("nothing is denied here: {denial:?}"),
                    _ => {}
                }
            }
            end.outbox.clear();
        }
    }
}

/// A carrier's message_id. It is no number in any base, because the receipts here name no destination that could settle which.
fn digits(id: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    write!(&mut digits[..], "m{id:015x}").expect("sixteen characters");
    digits
}

fn submission<'a>(rules: &'a Rules, to: &'a [u8]) -> Submission<'a> {
    Submission {
        tenant: &rules.policy.tenants()[0],
        to,
        to_ton: 1,
        from: b"MyBrand",
        from_ton: 5,
        content: Content::Text { text: TEXT, choice: Choice::Auto, smart: Smart::Strict },
        service_type: b"",
        esm_class: 0,
        protocol_id: 0,
        priority: 0,
        registered: 1,
        due: None,
        expires: None,
        reference: b"",
        tlvs: b"",
        idempotency: Idempotency::default(),
        http: false,
    }
}

fn admission() -> (Rules, Intake) {
    let tenant = TenantConfig {
        id: "riverside".to_owned(),
        system_id: Some("riverside".to_owned()),
        password: Some(Hidden("secret".to_owned())),
        ..TenantConfig::default()
    };
    let route = RouteConfig { prefix: String::new(), carriers: vec!["alpha".to_owned()], tenant: None };
    let carrier = CarrierEntry { name: "alpha", id: CARRIER, coding: Coding::default() };
    let policy = Policy::new(&[tenant], &[route], &[carrier], |_| TENANT).expect("it holds together");
    let per_part = "0.0264 GBP".parse().expect("an amount");
    let price = PriceConfig { tenant: "riverside".to_owned(), prefix: "44".to_owned(), per_part };
    let prices = PriceBook::new(&[price], |_| TENANT).expect("digits");
    let master = MasterKey::from_hex(&"17".repeat(32)).expect("64 digits");
    let keyring = Arc::new(Keyring::new(&master, 0, 1));
    keyring.insert(TENANT, START.day(), DataKey::generate(&master, b"riverside").expect("random octets").0);
    let intake = Intake::new(keyring, Arc::new(Presence::new(1, 1)), Arc::default());
    (Rules { policy, prices }, intake)
}
