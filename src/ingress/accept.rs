//! The one way in: what a sender gave becomes an Accepted record and an envelope, or a refusal. Both edges use it.
//!
//! It holds the stateless half of admission (normalise, route, price, cut, seal); idempotency, opt-outs, balances and ids are the core's.

use std::sync::Arc;

use crate::admission::config::{Charge, Receipts};
use crate::admission::number::{Number, Sender, destination, sender};
use crate::admission::policy::Policy;
use crate::admission::refusal::Refusal;
use crate::admission::tenant::Tenant;
use crate::billing::price::{PriceBook, Quote};
use crate::command::{Command, Reply, Span};
use crate::envelope::{Envelope, Party};
use crate::exchange::Batch;
use crate::fact::{Accepted, Idempotency, Others, flags};
use crate::ingress::parts::{Content, Layout, Parts, encoding};
use crate::ingress::references::References;
use crate::ingress::tables::Tables;
use crate::message::optional::append_missing;
use crate::message::{CarrierId, Encoding, Money, Timestamp};
use crate::presence::Presence;
use crate::seal::Keyring;
use crate::text::replace::{Better, Reach};
use crate::text::{Options, gsm7};

/// What the seal of an envelope is bound to beside its key, which is of one tenant and day.
pub const SEAL_CONTEXT: &[u8] = b"envelope";

/// Octets of optional parameters that an envelope has room for.
const TLVS_OCTETS_MAX: usize = u16::MAX as usize;

/// How long a message may wait at most, from its due time on. `Refusal::InvalidValidity` tells it.
const VALIDITY_SECONDS_MAX: i64 = 31 * 86_400;
/// How far ahead a message may be scheduled. `Refusal::InvalidSchedule` tells it.
const SCHEDULE_SECONDS_MAX: i64 = 366 * 86_400;

/// All that admission decides by: swapped whole at a reload.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Tenants, routes, carriers' encodings.
    pub policy: Policy,
    /// Prices.
    pub prices: PriceBook,
}

/// A message as its sender gave it, over whichever edge.
#[derive(Clone, Copy)]
pub struct Submission<'a> {
    /// Who sends; found in the same [`Rules`] that [`Intake::accept`] is given.
    pub tenant: &'a Tenant,
    /// The destination as it was written.
    pub to: &'a [u8],
    /// Its type of number, 0 if unknown.
    pub to_ton: u8,
    /// The sender as it was written, UTF-8 or ASCII; empty if there is none.
    pub from: &'a [u8],
    /// Its type of number, 0 if unknown.
    pub from_ton: u8,
    /// What is to be sent.
    pub content: Content<'a>,
    /// service_type, at most 5 octets.
    pub service_type: &'a [u8],
    /// Bits of esm_class beside those that the content brings: the reply path.
    pub esm_class: u8,
    /// protocol_id.
    pub protocol_id: u8,
    /// Priority, 0 to 3.
    pub priority: u8,
    /// registered_delivery: which receipts the sender wants.
    pub registered: u8,
    /// Not before; `None`: now.
    pub due: Option<Timestamp>,
    /// Not from then on; `None`: the tenant's default.
    pub expires: Option<Timestamp>,
    /// The sender's own reference, at most 255 octets.
    pub reference: &'a [u8],
    /// Optional parameters to pass on, as they stand on the wire.
    pub tlvs: &'a [u8],
    /// The request it belongs to; default if it had no key.
    pub idempotency: Idempotency,
    /// It came over HTTP.
    pub http: bool,
}

/// What was found out about a message on its way in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Estimate {
    /// Parts on the air.
    pub parts: u8,
    /// The alphabet.
    pub encoding: Encoding,
    /// Septets, UTF-16 code units or octets of the whole.
    pub units_total: usize,
    /// The price of all parts; `None` if the tenant sends unpriced.
    pub price: Option<Money>,
    /// The national tables that it uses.
    pub tables: Tables,
    /// By which carrier it goes.
    pub carrier: CarrierId,
    /// By which options its text was counted.
    pub options: Options,
    /// How far characters of its text were replaced.
    pub replaced: Reach,
    /// What replacing would make of it, if its sender wants to know and it helps.
    pub suggestion: Option<Suggestion>,
}

/// What a text would take with characters replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Suggestion {
    /// How far they would have to be.
    pub reach: Reach,
    /// Parts on the air.
    pub parts: u8,
    /// The alphabet.
    pub encoding: Encoding,
    /// The price of all parts; `None` if the tenant sends unpriced.
    pub price: Option<Money>,
}

/// Admits messages one after another, with buffers that are used again. Every link and every HTTP worker has one.
#[derive(Debug)]
pub struct Intake {
    keyring: Arc<Keyring>,
    presence: Arc<Presence>,
    references: Arc<References>,
    parts: Parts,
    plain: Vec<u8>,
    tlvs: Vec<u8>,
}

/// A submission with everything decided that needs no state.
struct Decided {
    to: Number,
    from: Sender,
    due: Timestamp,
    expires: Timestamp,
    carrier: CarrierId,
    others: Others,
    layout: Layout,
    quote: Quote,
    price: Option<Money>,
}

impl Intake {
    /// An intake that seals with `keyring` and prefers carriers that `presence` says are up.
    pub fn new(keyring: Arc<Keyring>, presence: Arc<Presence>, references: Arc<References>) -> Intake {
        Intake { keyring, presence, references, parts: Parts::default(), plain: Vec::new(), tlvs: Vec::new() }
    }

    /// Appends the command that stores the message to `batch`. A refusal leaves the batch as it was.
    pub fn accept(
        &mut self,
        rules: &Rules,
        submission: &Submission<'_>,
        reply: Reply,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<Estimate, Refusal> {
        let decided = self.decide(rules, submission, now)?;
        let number = self.keyring.number_hash(decided.to.as_bytes());
        let reference = if decided.layout.pdus > 1 { self.references.next(number) } else { 0 };
        self.parts.write(submission.content, &decided.layout, reference)?;
        self.plain.clear();
        let mut sent = *submission;
        let usual = &submission.tenant.tlvs;
        if !usual.is_empty() {
            self.tlvs.clear();
            self.tlvs.extend_from_slice(submission.tlvs);
            append_missing(submission.tlvs, usual, &mut self.tlvs);
            sent.tlvs = &self.tlvs;
        }
        envelope(&sent, &decided, reference).write(&self.parts.bodies, &self.parts.ends, &mut self.plain);
        let start = batch.bytes.len();
        record(submission, &decided, number, now).write(&mut batch.bytes);
        let sealed = self.keyring.seal(submission.tenant.id, now.day(), &self.plain, SEAL_CONTEXT, &mut batch.bytes);
        if let Err(error) = sealed {
            batch.bytes.truncate(start);
            tracing::error!(%error, tenant = %submission.tenant.name, "a message cannot be sealed and is not taken");
            return Err(Refusal::QueueFull);
        }
        let record = Span::since(start, &batch.bytes);
        let envelope = Span::append(&self.plain, &mut batch.bytes);
        batch.commands.push(Command::Accept { reply, record, envelope });
        Ok(decided.estimate())
    }

    /// What [`Intake::accept`] would say; stores nothing.
    pub fn preview(&mut self, rules: &Rules, submission: &Submission<'_>, now: Timestamp) -> Result<Estimate, Refusal> {
        self.decide(rules, submission, now).map(|decided| decided.estimate())
    }

    /// Checks in the order in which the reasons to refuse are listed.
    fn decide(&mut self, rules: &Rules, submission: &Submission<'_>, now: Timestamp) -> Result<Decided, Refusal> {
        let tenant = submission.tenant;
        if submission.tlvs.len() + tenant.tlvs.len() > TLVS_OCTETS_MAX {
            return Err(Refusal::Malformed("the optional parameters are too long together"));
        }
        let to = destination(submission.to, submission.to_ton, tenant.country.as_deref())?;
        let from = sender(submission.from, submission.from_ton, || {
            let name = std::str::from_utf8(submission.from).ok()?;
            gsm7::count(name).ok().map(|count| count.septets)
        })?;
        if !tenant.may_use_sender(from.as_bytes()) {
            return Err(Refusal::SenderNotAllowed);
        }
        let (due, expires) = times(submission, now)?;
        let carriers = rules.policy.route(tenant, to.as_bytes());
        let carrier = carriers.map(|carriers| self.first_up(carriers));
        let coding = tenant.narrowed(carrier.map(|carrier| rules.policy.coding(carrier)).unwrap_or_default());
        let layout = self.parts.lay_out(submission.content, &tenant.link, coding)?;
        let carrier = carrier?;
        let quote = rules.prices.quote(tenant.id, to.as_bytes());
        let price = match quote {
            Quote::Unpriced => None,
            Quote::PerPart(_) => Some(quote.total(layout.parts).ok_or(Refusal::NoPrice)?),
            Quote::NoPrice => return Err(Refusal::NoPrice),
        };
        let others = others(rules, tenant, carriers?, carrier);
        Ok(Decided { to, from, due, expires, carrier, others, layout, quote, price })
    }

    /// The first carrier that has a bind, or the preferred one if none has: then the message waits for it.
    fn first_up(&self, carriers: &[CarrierId]) -> CarrierId {
        carriers.iter().copied().find(|carrier| self.presence.is_up(*carrier)).unwrap_or(carriers[0])
    }
}

/// The other carriers that take the parts as they are cut and encoded for `carrier`.
fn others(rules: &Rules, tenant: &Tenant, carriers: &[CarrierId], carrier: CarrierId) -> Others {
    let coding = |carrier: CarrierId| tenant.narrowed(rules.policy.coding(carrier));
    Others::of(carriers.iter().copied().filter(|other| *other != carrier && coding(*other) == coding(carrier)))
}

impl Decided {
    fn estimate(&self) -> Estimate {
        let suggestion = |better: Better| Suggestion {
            reach: better.reach,
            parts: better.plan.parts,
            encoding: encoding(better.plan.alphabet),
            price: self.quote.total(better.plan.parts),
        };
        Estimate {
            parts: self.layout.parts,
            encoding: self.layout.encoding,
            units_total: self.layout.units_total,
            price: self.price,
            tables: self.layout.tables(),
            carrier: self.carrier,
            options: self.layout.options,
            replaced: self.layout.replaced,
            suggestion: self.layout.suggestion.map(suggestion),
        }
    }

    /// The price of one PDU, because it is PDUs that are submitted and charged: where one message_payload carries several parts, it
    /// costs what they cost.
    fn pdu_price(&self) -> Money {
        match (self.quote, self.price) {
            (_, Some(total)) if self.layout.pdus == 1 => total,
            (Quote::PerPart(price), _) => price,
            _ => Money::default(),
        }
    }
}

/// Due and expiry, held against the clock. A due time in the past is now.
fn times(submission: &Submission<'_>, now: Timestamp) -> Result<(Timestamp, Timestamp), Refusal> {
    let due = submission.due.filter(|due| *due > now);
    if due.is_some_and(|due| due > now.plus_seconds(SCHEDULE_SECONDS_MAX)) {
        return Err(Refusal::InvalidSchedule);
    }
    let from = due.unwrap_or(now);
    let usual = i64::try_from(submission.tenant.validity.as_secs()).unwrap_or(i64::MAX).min(VALIDITY_SECONDS_MAX);
    let expires = submission.expires.unwrap_or(from.plus_seconds(usual));
    if expires <= from || expires > from.plus_seconds(VALIDITY_SECONDS_MAX) {
        return Err(Refusal::InvalidValidity);
    }
    Ok((due.unwrap_or_default(), expires))
}

fn envelope<'a>(submission: &Submission<'a>, decided: &'a Decided, reference: u16) -> Envelope<'a> {
    Envelope {
        service_type: submission.service_type,
        source: Party { ton: decided.from.ton(), npi: decided.from.npi(), addr: decided.from.as_bytes() },
        dest: Party { ton: decided.to.ton(), npi: decided.to.npi(), addr: decided.to.as_bytes() },
        esm_class: submission.esm_class | decided.layout.esm_class,
        protocol_id: submission.protocol_id,
        priority: submission.priority,
        data_coding: decided.layout.data_coding,
        carriage: decided.layout.carriage,
        sar_reference: reference,
        reference: submission.reference,
        tlvs: submission.tlvs,
        ..Envelope::default()
    }
}

/// The Accepted record without id, time and seal.
fn record(submission: &Submission<'_>, decided: &Decided, number: u64, now: Timestamp) -> Accepted<'static> {
    let tenant = submission.tenant;
    let price = decided.pdu_price();
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    Accepted {
        tenant: tenant.id,
        carrier: decided.carrier,
        parts: decided.layout.pdus,
        encoding: decided.layout.encoding,
        registered: submission.registered,
        flags: flag(tenant.receipts == Receipts::Part, flags::RECEIPT_PER_PART)
            | flag(tenant.charge == Charge::Delivered, flags::CHARGE_DELIVERED)
            | flag(decided.price.is_some(), flags::PRICED)
            | flag(tenant.ordered, flags::ORDERED)
            | flag(submission.http, flags::HTTP)
            | flags::replaced(decided.layout.replaced as u8),
        class: submission.priority.min(3),
        price_micros: price.micros,
        currency: price.currency,
        credit_micros: tenant.credit.map_or(i64::MAX, |credit| credit.micros),
        day: now.day(),
        due: decided.due,
        expires: decided.expires,
        number,
        idempotency: submission.idempotency,
        others: decided.others,
        ..Accepted::default()
    }
}

#[cfg(test)]
#[path = "accept_tests.rs"]
mod tests;
