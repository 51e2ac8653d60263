//! A core with a journal in memory, and the commands and effects of its links in the open.

use crate::command::{Command, Effect, Outcome, Reply, Role, Span};
use crate::core::{Config, Core, Group};
use crate::envelope::{Envelope, Party};
use crate::exchange::Batch;
use crate::fact::{Accepted, Notice, Others, flags};
use crate::message::{CarrierId, Currency, LinkId, MessageId, Place, State, TenantId, Timestamp};

pub(super) const READER: LinkId = LinkId(0);
pub(super) const JOURNAL: LinkId = LinkId(1);
pub(super) const PLATFORM: LinkId = LinkId(2);
pub(super) const CARRIER_A: LinkId = LinkId(3);
pub(super) const CARRIER_B: LinkId = LinkId(4);
pub(super) const TENANT: TenantId = TenantId(1);
pub(super) const ALPHA: CarrierId = CarrierId(1);
pub(super) const BETA: CarrierId = CarrierId(2);
pub(super) const GBP: Currency = Currency(*b"GBP");
pub(super) const PRICE: i64 = 26_400;
const START: i64 = 1_795_000_000_000_000;
const SEGMENT_OCTETS: u32 = 1 << 20;

pub(super) struct World {
    pub(super) core: Core,
    pub(super) now: Timestamp,
    pub(super) groups: Vec<(Place, Vec<u8>)>,
    pub(super) effects: Vec<(LinkId, Effect)>,
    pub(super) config: Config,
    batch: Batch,
    next: Place,
    group: Group,
    tag: u64,
    /// By which carriers messages may go beside [`ALPHA`].
    pub(super) others: Vec<CarrierId>,
    /// The last segment given back; 0 if none.
    pub(super) recycled: u32,
    /// The reader answers nothing for now.
    pub(super) reader_sleeps: bool,
    /// The reader finds no record of a message when it sweeps.
    pub(super) reader_is_blind: bool,
    /// Bodies cannot be opened.
    pub(super) unreadable: bool,
}

/// What a test message is like.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    pub(super) tenant: TenantId,
    pub(super) parts: u8,
    pub(super) flags: u8,
    pub(super) registered: u8,
    pub(super) due_s: i64,
    pub(super) validity_s: i64,
    pub(super) credit_micros: i64,
    pub(super) number: u64,
}

impl Default for Sample {
    fn default() -> Sample {
        Sample {
            tenant: TENANT,
            parts: 1,
            flags: flags::PRICED,
            registered: 1,
            due_s: 0,
            validity_s: 3600,
            credit_micros: i64::MAX,
            number: 77,
        }
    }
}

impl World {
    pub(super) fn new() -> World {
        World::with(Config { reader: READER, journal: JOURNAL, ..Config::default() })
    }

    pub(super) fn with(config: Config) -> World {
        let now = Timestamp(START);
        let core = Core::new(config.clone(), [1, 2], now);
        let mut world = World {
            core,
            now,
            groups: Vec::new(),
            effects: Vec::new(),
            config,
            batch: Batch::default(),
            next: Place { segment: 0, offset: 40 },
            group: Group::default(),
            tag: 0,
            others: Vec::new(),
            recycled: 0,
            reader_sleeps: false,
            reader_is_blind: false,
            unreadable: false,
        };
        world.turn();
        world
    }

    pub(super) fn submit(&mut self, sample: Sample) {
        let mut envelope = Vec::new();
        let ends: Vec<u32> = (1..=u32::from(sample.parts)).map(|part| part * 3).collect();
        let dest = Party { ton: 1, npi: 1, addr: b"447700900123" };
        let bodies = b"abc".repeat(usize::from(sample.parts));
        let open = Envelope { dest, ..Envelope::default() };
        open.write(&bodies, &ends, &mut envelope);
        let accepted = Accepted {
            tenant: sample.tenant,
            carrier: ALPHA,
            parts: sample.parts,
            registered: sample.registered,
            flags: sample.flags,
            price_micros: PRICE,
            currency: GBP,
            credit_micros: sample.credit_micros,
            due: self.now.plus_seconds(sample.due_s),
            expires: self.now.plus_seconds(sample.validity_s),
            number: sample.number,
            others: Others::of(self.others.iter().copied()),
            sealed: &envelope,
            ..Accepted::default()
        };
        let start = self.batch.bytes.len();
        accepted.write(&mut self.batch.bytes);
        let record = Span::since(start, &self.batch.bytes);
        let envelope = Span::append(&envelope, &mut self.batch.bytes);
        self.tag += 1;
        let reply = Reply { link: PLATFORM, tag: self.tag };
        self.batch.commands.push(Command::Accept { reply, record, envelope });
    }

    pub(super) fn push(&mut self, command: Command) {
        self.batch.commands.push(command);
    }

    pub(super) fn open_carrier(&mut self, link: LinkId, window: u16) {
        self.push(Command::Open { link, role: Role::Carrier(ALPHA), window });
    }

    pub(super) fn open_tenant(&mut self, window: u16) {
        self.push(Command::Open { link: PLATFORM, role: Role::Tenant(TENANT), window });
    }

    pub(super) fn taken(&mut self, link: LinkId, slot: u16, id: &str) {
        let id = Span::append(id.as_bytes(), &mut self.batch.bytes);
        self.push(Command::Submitted { link, slot, outcome: Outcome::Taken(id) });
    }

    pub(super) fn receipt(&mut self, id: &str, state: State) {
        let start = self.batch.bytes.len();
        let notice = Notice { tlv_id: id.as_bytes(), number: 77, state: Some(state), err: b"000", ..Notice::default() };
        notice.write(&mut self.batch.bytes);
        let notice = Span::since(start, &self.batch.bytes);
        self.tag += 1;
        let reply = Reply { link: CARRIER_A, tag: self.tag };
        self.push(Command::Receipt { reply, carrier: ALPHA, notice, only_if_known: false });
    }

    /// Runs turns until all commands are decided; the effects of this call are in `effects`.
    pub(super) fn turn(&mut self) {
        self.effects.clear();
        let batch = std::mem::take(&mut self.batch);
        let mut cursor = 0;
        loop {
            self.roll();
            self.core.turn(&batch, &mut cursor, self.now, self.next, &mut self.group);
            let more = cursor < batch.commands.len();
            self.close_group();
            if !more {
                break;
            }
        }
        self.answer_reader();
    }

    fn close_group(&mut self) {
        let octets = self.group.records.octets().to_vec();
        assert!(octets.len() <= crate::core::GROUP_OCTETS_MAX, "a group is bounded");
        if !octets.is_empty() {
            let length = octets.len() as u32;
            self.groups.push((self.next, octets));
            self.next.offset += length + 40;
        }
        let effects = &mut self.effects;
        let recycled = &mut self.recycled;
        self.group.outboxes.drain(|link, outbox| {
            for effect in &outbox.effects {
                if let Effect::Recycle { segment } = effect {
                    *recycled = (*recycled).max(*segment);
                }
                effects.push((link, *effect));
            }
        });
        self.group.clear();
    }

    /// Goes on to the next segment when this one is full, and opens it with a checkpoint.
    fn roll(&mut self) {
        if self.groups.is_empty() || self.next.offset > SEGMENT_OCTETS {
            self.next = Place { segment: self.next.segment + 1, offset: 40 };
            self.core.checkpoint(self.next, &mut self.group);
        }
    }

    /// Plays the reader: bodies are read back from the journal.
    fn answer_reader(&mut self) {
        let loads: Vec<(MessageId, Place)> = self
            .effects
            .iter()
            .filter_map(|(_, effect)| match effect {
                Effect::Load { id, place } => Some((*id, *place)),
                _ => None,
            })
            .collect();
        let swept: Vec<u32> = self
            .effects
            .iter()
            .filter_map(|(_, effect)| match effect {
                Effect::Sweep { segment } => Some(*segment),
                _ => None,
            })
            .collect();
        if self.reader_sleeps || (loads.is_empty() && swept.is_empty()) {
            return;
        }
        for segment in swept {
            if !self.reader_is_blind {
                self.offer_survivors(segment);
            }
            self.push(Command::Swept { segment });
        }
        let mut before = std::mem::take(&mut self.effects);
        for (id, place) in loads {
            let sealed = self.record_at(place, |accepted| accepted.sealed.to_vec());
            let envelope = if self.unreadable { Span::default() } else { Span::append(&sealed, &mut self.batch.bytes) };
            self.push(Command::Loaded { id, place, envelope });
            self.turn();
            before.append(&mut self.effects);
        }
        self.turn();
        self.effects.splice(0..0, before);
    }

    /// Answers loads that the reader slept over.
    pub(super) fn answer(&mut self, loads: &[MessageId]) {
        for id in loads {
            let slot = self.core.fold.messages.find(*id).expect("it is owed");
            let place = self.core.fold.messages.slot(slot).place;
            let sealed = self.record_at(place, |accepted| accepted.sealed.to_vec());
            let envelope = Span::append(&sealed, &mut self.batch.bytes);
            self.push(Command::Loaded { id: *id, place, envelope });
        }
        self.turn();
    }

    pub(super) fn record_at<T>(&self, place: Place, with: impl Fn(&Accepted<'_>) -> T) -> T {
        let (base, octets) = self
            .groups
            .iter()
            .rfind(|(base, _)| base.segment == place.segment && base.offset <= place.offset)
            .expect("the group of a place");
        let (_, kind, payload) = crate::fact::records::iter(octets)
            .find(|(offset, _, _)| base.offset + offset == place.offset)
            .expect("a record stands at the place");
        if kind == crate::fact::layout::Kind::Kept as u8 {
            with(&crate::fact::layout::read_kept_payload(payload).expect("a Kept record").accepted)
        } else {
            with(&Accepted::read(payload).expect("an Accepted record"))
        }
    }

    /// A new core from the groups of segments from `segment` on, as after a crash.
    pub(super) fn restart_from(&mut self, segment: u32) {
        let mut core = Core::new(self.config.clone(), [1, 2], self.now);
        for (base, octets) in self.groups.iter().filter(|(base, _)| base.segment >= segment) {
            core.replay(*base, octets).expect("whole records");
        }
        self.core = core;
        self.batch = Batch::default();
        self.group = Group::default();
        let mut from = 0;
        while let Some(more) = self.core.line_up(from, self.now, self.next, &mut self.group) {
            from = more;
            self.close_group();
        }
        self.close_group();
        self.effects.clear();
    }

    /// Window places and parts submitted by the last turn.
    pub(super) fn submits(&self) -> Vec<(LinkId, u16, u8, bool)> {
        self.effects
            .iter()
            .filter_map(|(link, effect)| match effect {
                Effect::Submit { slot, part, repeat, .. } => Some((*link, *slot, *part, *repeat)),
                _ => None,
            })
            .collect()
    }

    /// Window places and states of the receipts delivered by the last turn.
    pub(super) fn delivers(&self) -> Vec<(u16, State)> {
        self.effects
            .iter()
            .filter_map(|(_, effect)| match effect {
                Effect::Deliver { slot, report, .. } => Some((*slot, report.state)),
                _ => None,
            })
            .collect()
    }

    /// Reserved, posted, voided.
    pub(super) fn books(&self) -> (i64, i64, i64) {
        let books = self.core.fold.ledger.balances().find(|balance| balance.tenant == TENANT);
        books.map_or((0, 0, 0), |b| (b.reserved_micros, b.posted_micros, b.voided_micros))
    }

    pub(super) fn wait(&mut self, seconds: i64) {
        self.now = self.now.plus_seconds(seconds);
        self.turn();
    }
}

impl World {
    /// Offers every message record of a segment, as the reader does.
    pub(super) fn offer_survivors(&mut self, segment: u32) {
        let groups: Vec<_> = self.groups.iter().filter(|(base, _)| base.segment == segment).cloned().collect();
        for (base, octets) in groups {
            for (offset, kind, payload) in crate::fact::records::iter(&octets) {
                let kept = kind == crate::fact::layout::Kind::Kept as u8;
                if kept || kind == crate::fact::layout::Kind::Accepted as u8 {
                    let record = Span::append(payload, &mut self.batch.bytes);
                    let place = Place { segment, offset: base.offset + offset };
                    self.push(Command::Survivor { place, record, kept });
                }
            }
        }
    }
}
