//! The octets of facts: little-endian, without padding. `docs/format.md` describes them.
//!
//! Facts that come in runs (Released, Sent, Receipted, ...) share one record: a head of carrier and time, then one entry each.

use crate::fact::{
    Accepted, Account, Concluded, Fact, Idempotency, Kept, Named, Notice, Others, PartRef, PartSummary, Stage,
};
use crate::message::{CarrierId, Currency, Encoding, MessageId, State, TenantId, Timestamp};

/// Type octets of records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is the fact of its name")]
pub enum Kind {
    Accepted = 1,
    Released = 2,
    Sent = 3,
    Deferred = 4,
    Rejected = 5,
    InDoubt = 6,
    Expired = 7,
    // 8 Cancelled, 9 Replaced and 14 Received are kept free for the facts of those names.
    Receipted = 10,
    Unmatched = 11,
    Concluded = 12,
    Reported = 13,
    Quarantined = 15,
    Kept = 16,
    Named = 17,
}

/// Octets that are not the record they claim to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a record of type {kind} does not hold what its type says")]
pub struct Malformed {
    /// The type octet.
    pub kind: u8,
}

impl Accepted<'_> {
    /// Appends the record's octets.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id.0.to_le_bytes());
        out.extend_from_slice(&self.at.0.to_le_bytes());
        out.extend_from_slice(&self.tenant.0.to_le_bytes());
        out.extend_from_slice(&self.carrier.0.to_le_bytes());
        out.extend_from_slice(&[self.parts, self.encoding as u8, self.registered, self.flags]);
        out.extend_from_slice(&self.price_micros.to_le_bytes());
        out.extend_from_slice(&self.currency.0);
        out.push(self.class);
        out.extend_from_slice(&self.day.to_le_bytes());
        out.extend_from_slice(&self.due.0.to_le_bytes());
        out.extend_from_slice(&self.expires.0.to_le_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.idempotency.key.to_le_bytes());
        out.extend_from_slice(&self.idempotency.body.to_le_bytes());
        out.extend_from_slice(&self.idempotency.index.to_le_bytes());
        out.extend_from_slice(&self.idempotency.count.to_le_bytes());
        self.others.0.iter().for_each(|place| out.extend_from_slice(&place.to_le_bytes()));
        out.extend_from_slice(&[0; 6]);
        out.extend_from_slice(&self.credit_micros.to_le_bytes());
        out.extend_from_slice(self.sealed);
    }

    /// Writes the id and the time that the core gives into octets laid out by [`Accepted::write`].
    pub fn stamp(octets: &mut [u8], id: MessageId, at: Timestamp) {
        octets[..8].copy_from_slice(&id.0.to_le_bytes());
        octets[8..16].copy_from_slice(&at.0.to_le_bytes());
    }

    /// Reads a record's octets.
    pub fn read(octets: &[u8]) -> Option<Accepted<'_>> {
        let mut r = Reader(octets);
        let (id, at) = (MessageId(r.u64()?), Timestamp(r.i64()?));
        let (tenant, carrier) = (TenantId(r.u16()?), CarrierId(r.u16()?));
        let (parts, encoding, registered, flags) = (r.u8()?, Encoding::from_octet(r.u8()?), r.u8()?, r.u8()?);
        let (price_micros, currency, class, day) = (r.i64()?, r.currency()?, r.u8()?, r.u32()?);
        let (due, expires, number) = (Timestamp(r.i64()?), Timestamp(r.i64()?), r.u64()?);
        let idempotency = Idempotency { key: r.u64()?, body: r.u64()?, index: r.u16()?, count: r.u16()? };
        let others = Others([r.u16()?, r.u16()?, r.u16()?]);
        r.octets(6)?;
        let credit_micros = r.i64()?;
        Some(Accepted {
            id,
            at,
            tenant,
            carrier,
            parts,
            encoding,
            registered,
            flags,
            class,
            price_micros,
            currency,
            credit_micros,
            day,
            due,
            expires,
            number,
            idempotency,
            others,
            sealed: r.0,
        })
    }
}

impl Notice<'_> {
    /// Appends the notice's octets; each id and the error code are cut at 255 octets.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.done_at.0.to_le_bytes());
        out.push(self.state.map_or(NO_STATE, State::smpp));
        for field in [self.tlv_id, self.text_id, self.err] {
            short(field, out);
        }
    }

    /// Reads a notice's octets.
    pub fn read(octets: &[u8]) -> Option<Notice<'_>> {
        Notice::take(&mut Reader(octets))
    }

    fn take<'a>(r: &mut Reader<'a>) -> Option<Notice<'a>> {
        let (number, done_at, state) = (r.u64()?, Timestamp(r.i64()?), State::from_smpp(r.u8()?));
        Some(Notice { number, done_at, state, tlv_id: r.short()?, text_id: r.short()?, err: r.short()? })
    }
}

const NO_STATE: u8 = 255;

impl PartSummary<'_> {
    /// Appends the summary's octets.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.part, self.stage as u8, self.state as u8, u8::from(self.repeat)]);
        out.extend_from_slice(&self.carrier.0.to_le_bytes());
        out.extend_from_slice(&self.status.to_le_bytes());
        for number in [self.sent_at.0, self.done_at.0, self.posted_micros, self.voided_micros] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        short(self.carrier_id, out);
        short(self.err, out);
    }

    fn take<'a>(r: &mut Reader<'a>) -> Option<PartSummary<'a>> {
        Some(PartSummary {
            part: r.u8()?,
            stage: match r.u8()? {
                0 => Stage::Waiting,
                1 => Stage::Released,
                2 => Stage::Sent,
                3 => Stage::Done,
                _ => return None,
            },
            state: State::from_smpp(r.u8()?)?,
            repeat: r.u8()? != 0,
            carrier: CarrierId(r.u16()?),
            status: r.u32()?,
            sent_at: Timestamp(r.i64()?),
            done_at: Timestamp(r.i64()?),
            posted_micros: r.i64()?,
            voided_micros: r.i64()?,
            carrier_id: r.short()?,
            err: r.short()?,
        })
    }
}

/// The summaries that stand in `octets`, in order; it ends at the first that is not whole.
pub fn part_summaries(octets: &[u8]) -> impl Iterator<Item = PartSummary<'_>> {
    let mut r = Reader(octets);
    std::iter::from_fn(move || if r.0.is_empty() { None } else { PartSummary::take(&mut r) })
}

/// Appends the head that facts of a run share; `None` for facts that have a record each.
pub(super) fn run_head(fact: &Fact<'_>) -> Option<(Kind, CarrierId, Timestamp)> {
    let none = CarrierId(0);
    Some(match *fact {
        Fact::Released { carrier, at, .. } => (Kind::Released, carrier, at),
        Fact::Sent { carrier, at, .. } => (Kind::Sent, carrier, at),
        Fact::Deferred { carrier, at, .. } => (Kind::Deferred, carrier, at),
        Fact::Rejected { carrier, at, .. } => (Kind::Rejected, carrier, at),
        Fact::InDoubt { carrier, at, .. } => (Kind::InDoubt, carrier, at),
        Fact::Receipted { carrier, at, .. } => (Kind::Receipted, carrier, at),
        Fact::Expired { at, .. } => (Kind::Expired, none, at),
        Fact::Reported { at, .. } => (Kind::Reported, none, at),
        Fact::Quarantined { at, .. } => (Kind::Quarantined, none, at),
        Fact::Accepted(_) | Fact::Unmatched { .. } | Fact::Concluded(_) | Fact::Kept(_) | Fact::Named(_) => {
            return None;
        }
    })
}

/// Appends the entry of a fact of a run, or the whole payload of one that has a record to itself.
pub(super) fn write(fact: &Fact<'_>, out: &mut Vec<u8>) {
    match *fact {
        Fact::Accepted(ref accepted) => accepted.write(out),
        Fact::Released { part, repeat, .. } => {
            write_part(part, out);
            out.push(u8::from(repeat));
        }
        Fact::Sent { part, account, posted_micros, carrier_id, .. } => {
            write_part(part, out);
            write_account(account, out);
            out.extend_from_slice(&posted_micros.to_le_bytes());
            short(carrier_id, out);
        }
        Fact::Deferred { part, status, .. } => {
            write_part(part, out);
            out.extend_from_slice(&status.to_le_bytes());
        }
        Fact::Rejected { part, account, status, voided_micros, .. } => {
            write_part(part, out);
            write_account(account, out);
            out.extend_from_slice(&status.to_le_bytes());
            out.extend_from_slice(&voided_micros.to_le_bytes());
        }
        Fact::InDoubt { part, .. } => write_part(part, out),
        Fact::Expired { id, account, state, voided_micros, .. } => {
            out.extend_from_slice(&id.0.to_le_bytes());
            write_account(account, out);
            out.push(state as u8);
            out.extend_from_slice(&voided_micros.to_le_bytes());
        }
        Fact::Receipted { part, account, state, done_at, posted_micros, voided_micros, unmatched, err, .. } => {
            write_part(part, out);
            write_account(account, out);
            out.push(state as u8);
            out.extend_from_slice(&done_at.0.to_le_bytes());
            let rare = posted_micros != 0 || voided_micros != 0 || unmatched != 0;
            out.push(u8::from(rare));
            if rare {
                out.extend_from_slice(&posted_micros.to_le_bytes());
                out.extend_from_slice(&voided_micros.to_le_bytes());
                out.extend_from_slice(&unmatched.to_le_bytes());
            }
            short(err, out);
        }
        Fact::Unmatched { carrier, at, key, ref notice } => {
            out.extend_from_slice(&carrier.0.to_le_bytes());
            out.extend_from_slice(&at.0.to_le_bytes());
            out.extend_from_slice(&key.to_le_bytes());
            notice.write(out);
        }
        Fact::Concluded(ref concluded) => write_concluded(concluded, out),
        Fact::Reported { id, .. } => out.extend_from_slice(&id.0.to_le_bytes()),
        Fact::Quarantined { key, .. } => out.extend_from_slice(&key.to_le_bytes()),
        Fact::Kept(ref kept) => write_kept(kept, out),
        Fact::Named(ref named) => write_named(named, out),
    }
}

fn write_part(part: PartRef, out: &mut Vec<u8>) {
    out.extend_from_slice(&part.id.0.to_le_bytes());
    out.push(part.part);
}

fn write_account(account: Account, out: &mut Vec<u8>) {
    out.extend_from_slice(&account.tenant.0.to_le_bytes());
    out.extend_from_slice(&account.currency.0);
}

fn write_concluded(c: &Concluded<'_>, out: &mut Vec<u8>) {
    for number in [c.id.0, c.at.0 as u64, c.accepted_at.0 as u64, c.number] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&c.tenant.0.to_le_bytes());
    out.extend_from_slice(&c.currency.0);
    out.extend_from_slice(&[c.state as u8, c.encoding as u8, u8::from(c.report), c.count]);
    out.extend_from_slice(c.parts);
}

fn write_kept(k: &Kept<'_>, out: &mut Vec<u8>) {
    kept_head(k, out);
    k.accepted.write(out);
}

/// Appends a Kept payload up to its accepted record, whose octets then follow.
pub fn kept_head(k: &Kept<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&k.at.0.to_le_bytes());
    out.extend_from_slice(&k.concluded_at.0.to_le_bytes());
    out.extend_from_slice(&[k.state as u8, u8::from(k.report), k.started, k.count]);
    let parts = u32::try_from(k.parts.len()).expect("255 summaries are far below 4 GiB");
    out.extend_from_slice(&parts.to_le_bytes());
    out.extend_from_slice(k.parts);
}

/// Reads a Kept payload.
pub fn read_kept_payload(octets: &[u8]) -> Option<Kept<'_>> {
    read_kept(Reader(octets))
}

fn write_named(named: &Named<'_>, out: &mut Vec<u8>) {
    match *named {
        Named::Tenant { tenant, name } => {
            out.push(1);
            out.extend_from_slice(&tenant.0.to_le_bytes());
            short(name.as_bytes(), out);
        }
        Named::Carrier { carrier, name } => {
            out.push(2);
            out.extend_from_slice(&carrier.0.to_le_bytes());
            short(name.as_bytes(), out);
        }
        Named::Balance { tenant, currency, reserved_micros, posted_micros, voided_micros } => {
            out.push(3);
            out.extend_from_slice(&tenant.0.to_le_bytes());
            out.extend_from_slice(&currency.0);
            for micros in [reserved_micros, posted_micros, voided_micros] {
                out.extend_from_slice(&micros.to_le_bytes());
            }
        }
        Named::Counters { sequence, unmatched } => {
            out.push(4);
            out.extend_from_slice(&sequence.to_le_bytes());
            out.extend_from_slice(&unmatched.to_le_bytes());
        }
    }
}

/// Calls `visit` with each fact of a record, in order, and says how many there were.
pub fn read<'a>(kind: u8, payload: &'a [u8], visit: &mut dyn FnMut(Fact<'a>)) -> Result<u32, Malformed> {
    read_record(kind, payload, visit).ok_or(Malformed { kind })
}

fn read_record<'a>(kind: u8, payload: &'a [u8], visit: &mut dyn FnMut(Fact<'a>)) -> Option<u32> {
    let mut r = Reader(payload);
    match kind {
        1 => visit(Fact::Accepted(Accepted::read(payload)?)),
        11 => {
            let (carrier, at, key) = (CarrierId(r.u16()?), Timestamp(r.i64()?), r.u64()?);
            visit(Fact::Unmatched { carrier, at, key, notice: Notice::take(&mut r)? });
        }
        12 => visit(Fact::Concluded(read_concluded(r)?)),
        16 => visit(Fact::Kept(read_kept(r)?)),
        17 => visit(Fact::Named(read_named(r)?)),
        _ => return read_run(kind, r, visit),
    }
    Some(1)
}

fn read_run<'a>(kind: u8, mut r: Reader<'a>, visit: &mut dyn FnMut(Fact<'a>)) -> Option<u32> {
    let (carrier, at) = (CarrierId(r.u16()?), Timestamp(r.i64()?));
    let mut count = 0;
    while !r.0.is_empty() {
        visit(read_entry(kind, carrier, at, &mut r)?);
        count += 1;
    }
    Some(count)
}

fn read_entry<'a>(kind: u8, carrier: CarrierId, at: Timestamp, r: &mut Reader<'a>) -> Option<Fact<'a>> {
    Some(match kind {
        2 => Fact::Released { carrier, at, part: r.part()?, repeat: r.u8()? != 0 },
        3 => Fact::Sent {
            carrier,
            at,
            part: r.part()?,
            account: r.account()?,
            posted_micros: r.i64()?,
            carrier_id: r.short()?,
        },
        4 => Fact::Deferred { carrier, at, part: r.part()?, status: r.u32()? },
        5 => Fact::Rejected {
            carrier,
            at,
            part: r.part()?,
            account: r.account()?,
            status: r.u32()?,
            voided_micros: r.i64()?,
        },
        6 => Fact::InDoubt { carrier, at, part: r.part()? },
        7 => {
            let (id, account, state) = (MessageId(r.u64()?), r.account()?, State::from_smpp(r.u8()?)?);
            Fact::Expired { at, id, account, state, voided_micros: r.i64()? }
        }
        10 => {
            let (part, account, state) = (r.part()?, r.account()?, State::from_smpp(r.u8()?)?);
            let done_at = Timestamp(r.i64()?);
            let rare = r.u8()? != 0;
            let (posted_micros, voided_micros, unmatched) =
                if rare { (r.i64()?, r.i64()?, r.u64()?) } else { (0, 0, 0) };
            let err = r.short()?;
            Fact::Receipted { carrier, at, part, account, state, done_at, posted_micros, voided_micros, unmatched, err }
        }
        13 => Fact::Reported { at, id: MessageId(r.u64()?) },
        15 => Fact::Quarantined { at, key: r.u64()? },
        _ => return None,
    })
}

fn read_concluded(mut r: Reader<'_>) -> Option<Concluded<'_>> {
    let (id, at, accepted_at, number) = (MessageId(r.u64()?), Timestamp(r.i64()?), Timestamp(r.i64()?), r.u64()?);
    let (tenant, currency) = (TenantId(r.u16()?), r.currency()?);
    let (state, encoding) = (State::from_smpp(r.u8()?)?, Encoding::from_octet(r.u8()?));
    let (report, count) = (r.u8()? != 0, r.u8()?);
    Some(Concluded { id, at, tenant, state, encoding, report, currency, number, accepted_at, count, parts: r.0 })
}

fn read_kept(mut r: Reader<'_>) -> Option<Kept<'_>> {
    let (at, concluded_at) = (Timestamp(r.i64()?), Timestamp(r.i64()?));
    let (state, report, started, count) = (State::from_smpp(r.u8()?)?, r.u8()? != 0, r.u8()?, r.u8()?);
    let octets = r.u32()? as usize;
    let parts = r.octets(octets)?;
    Some(Kept { at, accepted: Accepted::read(r.0)?, concluded_at, state, report, started, count, parts })
}

fn read_named(mut r: Reader<'_>) -> Option<Named<'_>> {
    Some(match r.u8()? {
        1 => Named::Tenant { tenant: TenantId(r.u16()?), name: std::str::from_utf8(r.short()?).ok()? },
        2 => Named::Carrier { carrier: CarrierId(r.u16()?), name: std::str::from_utf8(r.short()?).ok()? },
        3 => Named::Balance {
            tenant: TenantId(r.u16()?),
            currency: r.currency()?,
            reserved_micros: r.i64()?,
            posted_micros: r.i64()?,
            voided_micros: r.i64()?,
        },
        4 => Named::Counters { sequence: r.u64()?, unmatched: r.u64()? },
        _ => return None,
    })
}

fn short(field: &[u8], out: &mut Vec<u8>) {
    let field = &field[..field.len().min(255)];
    out.push(field.len() as u8);
    out.extend_from_slice(field);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn octets(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[octet]| octet)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn currency(&mut self) -> Option<Currency> {
        self.array().map(Currency)
    }

    fn short(&mut self) -> Option<&'a [u8]> {
        let length = self.u8()?;
        self.octets(usize::from(length))
    }

    fn account(&mut self) -> Option<Account> {
        Some(Account { tenant: TenantId(self.u16()?), currency: self.currency()? })
    }

    fn part(&mut self) -> Option<PartRef> {
        Some(PartRef { id: MessageId(self.u64()?), part: self.u8()? })
    }
}
