//! The server's end of a link: binds are checked, submits become commands, effects become responses and receipts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::admission::refusal::Refusal;
use crate::admission::tenant::Tenant;
use crate::callback::deliver::Receipts;
use crate::callback::shown_id::ShownId;
use crate::command::{Answer, Command, Effect, Reply, Role};
use crate::envelope::Envelope;
use crate::exchange::{Batch, Mailbox, Outbox};
use crate::ingress::accept::{Intake, Rules};
use crate::ingress::lobby::Guest;
use crate::ingress::reply::command_status;
use crate::ingress::smpp::Ground;
use crate::ingress::smpp::submission::{of_data, of_submit};
use crate::link::End;
use crate::message::{LinkId, TenantId, Timestamp};
use crate::smpp::command::CommandId;
use crate::smpp::fields::Version;
use crate::smpp::pdu::{Bind, Body, SubmitSmResp};
use crate::smpp::session::{BindKind, Event, Session, TimeoutEvent};
use crate::smpp::status::CommandStatus;
use crate::smpp::tag::Tag;
use crate::smpp::tlv::{TlvWriter, Tlvs};

/// In a request's mark: it came as data_sm and is answered as such.
const TAG_DATA_SM: u64 = 1 << 32;

/// One connection of a platform.
pub struct ServerEnd {
    ground: Arc<Ground>,
    peer: SocketAddr,
    /// The connection's place among the unbound ones, until it binds.
    guest: Option<Guest>,
    account: Option<Box<Account>>,
    /// A bind over its tenant's limit that waits for the answers of the others.
    waiting: Option<Waiting>,
}

/// A bind that is answered once it is known whether the others of its tenant live (quirk Q80).
struct Waiting {
    kind: BindKind,
    tenant: TenantId,
    rules: Arc<Rules>,
    /// When it is looked again, and until when.
    look_at: Duration,
    until: Duration,
}

/// How often a bind that waits looks whether there is room.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long a bind waits beyond the time that probes have.
const WAIT_LONGER: Duration = Duration::from_millis(500);

/// What a bound connection has.
struct Account {
    link: LinkId,
    mailbox: Arc<Mailbox>,
    tenant: TenantId,
    kind: BindKind,
    /// deliver_sm without a response at most.
    window: u16,
    /// The rules that were in force at the last look and know the tenant.
    rules: Arc<Rules>,
    intake: Intake,
    batch: Batch,
    outbox: Outbox,
    receipts: Receipts,
    tlvs: Vec<u8>,
    /// When what is read now was read, on both clocks.
    seen_at: Duration,
    now: Timestamp,
    /// Submits that await the core.
    unanswered: u32,
    held: bool,
    full: bool,
    leaving: bool,
}

impl ServerEnd {
    /// The end of a connection that was just accepted from `peer`.
    pub fn new(ground: Arc<Ground>, peer: SocketAddr, guest: Guest) -> ServerEnd {
        ServerEnd { ground, peer, guest: Some(guest), account: None, waiting: None }
    }

    /// Tells the core that the link is gone, and waits until it has seen that. Receipts in its window are owed again then.
    pub async fn close(mut self) {
        let Some(mut account) = self.account.take() else { return };
        self.ground.unbound(account.tenant, account.link);
        account.batch.commands.push(Command::Close { link: account.link });
        self.ground.exchange.inbox.post(&mut account.batch);
        self.ground.exchange.closed(account.link, &account.mailbox).await;
    }

    /// The name of the tenant that has bound.
    pub fn tenant(&self) -> Option<&str> {
        self.account.as_ref().map(|account| Account::tenant(&account.rules, account.tenant).name.as_str())
    }

    /// Whether somebody has bound.
    pub fn is_bound(&self) -> bool {
        self.account.is_some()
    }

    fn bind(&mut self, now: Duration, kind: BindKind, bind: &Bind<'_>, session: &mut Session, out: &mut Vec<u8>) {
        match self.known(now, bind) {
            Err(refusal) => self.refuse(kind, &refusal, session, out),
            Ok((rules, tenant)) => {
                if self.has_room(&rules, tenant) {
                    return self.accept(now, kind, tenant, rules, session, out);
                }
                if !self.ground.roll.call(tenant, self.peer.ip(), now) {
                    return self.refuse(kind, &Refusal::TooManyBinds, session, out);
                }
                let until = now + self.ground.config.enquire_link_timeout + WAIT_LONGER;
                self.waiting = Some(Waiting { kind, tenant, rules, look_at: now + LOOK_EVERY, until });
            }
        }
    }

    /// Looks whether one of the others has gone.
    fn look_again(&mut self, now: Duration, session: &mut Session, out: &mut Vec<u8>) {
        let Some(mut waiting) = self.waiting.take() else { return };
        if self.has_room(&waiting.rules, waiting.tenant) {
            self.accept(now, waiting.kind, waiting.tenant, waiting.rules, session, out);
        } else if waiting.until <= now {
            self.refuse(waiting.kind, &Refusal::TooManyBinds, session, out);
        } else {
            waiting.look_at = now + LOOK_EVERY;
            self.waiting = Some(waiting);
        }
    }

    fn refuse(&self, kind: BindKind, refusal: &Refusal, session: &mut Session, out: &mut Vec<u8>) {
        if self.ground.attempts.mention(self.peer.ip(), refusal.code()) {
            tracing::warn!(peer = %self.peer, ?kind, reason = refusal.code(), "a bind was refused");
        }
        session.reject_bind(command_status(refusal), out);
    }

    fn accept(
        &mut self,
        now: Duration,
        kind: BindKind,
        tenant: TenantId,
        rules: Arc<Rules>,
        session: &mut Session,
        out: &mut Vec<u8>,
    ) {
        let account = self.account(now, kind, tenant, rules);
        session.resize_window(u32::from(account.window));
        session.accept_bind(now, self.ground.config.system_id.as_bytes(), out);
        self.account = Some(account);
        self.guest = None;
    }

    /// Whose credentials these are.
    fn known(&self, now: Duration, bind: &Bind<'_>) -> Result<(Arc<Rules>, TenantId), Refusal> {
        let ground = &self.ground;
        if !ground.attempts.may_try(self.peer.ip(), bind.system_id, now) {
            return Err(Refusal::TooManyBinds);
        }
        let rules = ground.rules.load_full();
        let found = rules.policy.bind(bind.system_id, bind.password);
        let tenant = found.inspect_err(|_| ground.attempts.failed(self.peer.ip(), bind.system_id, now))?;
        ground.attempts.succeeded(self.peer.ip(), bind.system_id);
        let id = tenant.id;
        Ok((rules, id))
    }

    /// Takes a place among the tenant's binds, if there is one.
    fn has_room(&self, rules: &Rules, id: TenantId) -> bool {
        let tenant = Account::tenant(rules, id);
        let binds_max = tenant.binds_max.map_or(u32::MAX, u32::from);
        self.ground.presence.tenant_bind(id, binds_max, self.ground.config.binds_max)
    }

    /// What a bind has that took its place.
    fn account(&self, now: Duration, kind: BindKind, id: TenantId, rules: Arc<Rules>) -> Box<Account> {
        let ground = &self.ground;
        let tenant = Account::tenant(&rules, id);
        let (link, mailbox) = ground.exchange.open();
        ground.roll.enter(id, self.peer.ip(), link, now, mailbox.clone());
        let mut batch = Batch::default();
        let receives = kind.bound_state().receives();
        let window = if receives { tenant.window.unwrap_or(u16::MAX).min(ground.config.deliver_window) } else { 1 };
        if receives {
            batch.commands.push(Command::Open { link, role: Role::Tenant(id), window });
        }
        tracing::info!(tenant = %tenant.name, peer = %self.peer, ?kind, "bound");
        let (keyring, presence) = (ground.keyring.clone(), ground.presence.clone());
        Box::new(Account {
            link,
            mailbox,
            tenant: id,
            kind,
            window,
            intake: Intake::new(keyring, presence, ground.references.clone()),
            rules,
            batch,
            outbox: Outbox::default(),
            receipts: Receipts::default(),
            tlvs: Vec::new(),
            seen_at: now,
            now: ground.clock.at(now),
            unanswered: 0,
            held: false,
            full: false,
            leaving: false,
        })
    }
}

/// What a deliver_sm_resp says of the receipt. The two statuses by which a receiver refuses a message for good end it; after any other
/// it comes again, because a receipt is true whatever is wrong with the receiver today.
fn answer_of(status: CommandStatus) -> Answer {
    match status {
        CommandStatus::ROK => Answer::Taken,
        CommandStatus::RX_P_APPN | CommandStatus::RX_R_APPN => Answer::Refused,
        _ => Answer::Later,
    }
}

/// Why a request is not taken.
enum No {
    /// A field is wrong, or the operation is not offered.
    Status(CommandStatus),
    /// Admission says no.
    Refusal(Refusal),
}

impl From<CommandStatus> for No {
    fn from(status: CommandStatus) -> No {
        No::Status(status)
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> No {
        No::Refusal(refusal)
    }
}

/// A task that panics drops its end unclosed.
impl Drop for ServerEnd {
    fn drop(&mut self) {
        if let Some(account) = self.account.take() {
            self.ground.unbound(account.tenant, account.link);
            self.ground.exchange.abandon(account.link, account.mailbox);
        }
    }
}

impl Account {
    fn tenant(rules: &Rules, id: TenantId) -> &Tenant {
        rules.policy.tenant(id).expect("only rules that know the tenant are taken over")
    }

    /// Takes over rules that a reload has brought. A tenant that is gone keeps what it had until its binds end.
    fn refresh(&mut self, ground: &Ground) {
        let current = ground.rules.load();
        if !Arc::ptr_eq(&current, &self.rules) && current.policy.tenant(self.tenant).is_some() {
            self.rules = current.clone();
        }
    }

    /// Stores a message, or says at once why not.
    fn submit(&mut self, now: Duration, sequence: u32, body: &Body<'_>, ground: &Ground) -> Result<(), No> {
        if self.seen_at != now {
            (self.seen_at, self.now) = (now, ground.clock.at(now));
        }
        let now = self.now;
        let tenant = Account::tenant(&self.rules, self.tenant);
        if tenant.window.is_some_and(|window| self.unanswered >= u32::from(window)) {
            return Err(No::Refusal(Refusal::Throttled));
        }
        let mut tag = u64::from(sequence);
        let submission = match body {
            Body::SubmitSm(sm) => of_submit(sm, tenant, now, &mut self.tlvs)?,
            Body::DataSm(sm) => {
                tag |= TAG_DATA_SM;
                of_data(sm, tenant, &mut self.tlvs)?
            }
            _ => return Err(No::Status(CommandStatus::RINVCMDID)),
        };
        let reply = Reply { link: self.link, tag };
        self.intake.accept(&self.rules, &submission, reply, now, &mut self.batch)?;
        self.unanswered += 1;
        Ok(())
    }

    /// The core has stored a message: the response carries its id.
    fn stored(&mut self, tag: u64, id: ShownId, session: &mut Session, out: &mut Vec<u8>) {
        self.unanswered = self.unanswered.saturating_sub(1);
        let resp = SubmitSmResp { message_id: Some(id.as_bytes()), tlvs: Tlvs::NONE };
        let body = if tag & TAG_DATA_SM != 0 { Body::DataSmResp(resp) } else { Body::SubmitSmResp(resp) };
        session.respond(tag as u32, CommandStatus::ROK, &body, out);
    }

    fn denied(&mut self, tag: u64, refusal: &Refusal, session: &mut Session, out: &mut Vec<u8>) {
        self.unanswered = self.unanswered.saturating_sub(1);
        let command = if tag & TAG_DATA_SM != 0 { CommandId::DATA_SM } else { CommandId::SUBMIT_SM };
        self.refuse(tag as u32, command, refusal, session, out);
    }

    /// Answers with the status of a refusal. A peer of 5.0 gets the reason in words, too (5.0 section 4.8.4.1).
    fn refuse(&mut self, sequence: u32, command: CommandId, why: &Refusal, session: &mut Session, out: &mut Vec<u8>) {
        let status = command_status(why);
        if session.peer_version() < Version::V50 {
            return session.reject(sequence, command, status, out);
        }
        self.tlvs.clear();
        let mut writer = TlvWriter::new(&mut self.tlvs);
        writer.text(Tag::ADDITIONAL_STATUS_INFO_TEXT, why.to_string().as_bytes());
        let resp = SubmitSmResp { message_id: Some(b""), tlvs: writer.finish() };
        let body = if command == CommandId::DATA_SM { Body::DataSmResp(resp) } else { Body::SubmitSmResp(resp) };
        session.respond(sequence, status, &body, out);
    }

    fn delivered(&mut self, slot: u16, answer: Answer) {
        self.batch.commands.push(Command::Delivered { link: self.link, slot, answer });
    }

    /// Tells the core whether this bind takes receipts, when that has changed.
    fn tell_held(&mut self) {
        let held = self.full || self.leaving;
        if held != self.held && self.kind.bound_state().receives() {
            self.held = held;
            self.batch.commands.push(Command::Hold { link: self.link, held });
        }
    }

    fn perform(
        &mut self,
        now: Duration,
        effect: &Effect,
        octets: &[u8],
        ground: &Ground,
        session: &mut Session,
        out: &mut Vec<u8>,
    ) {
        match *effect {
            Effect::Accepted { tag, id } => {
                let form = Account::tenant(&self.rules, self.tenant).receipt_format.response_id;
                let id = ShownId::in_response(id, form, session.peer_version(), &ground.keyring);
                self.stored(tag, id, session, out);
            }
            Effect::Denied { tag, denial } => {
                let refusal = Refusal::from(denial);
                ground.refused.count(refusal.code());
                self.denied(tag, &refusal, session, out);
            }
            Effect::Deliver { slot, ref report, envelope } => {
                let Some(envelope) = Envelope::read(envelope.of(octets)) else {
                    tracing::error!("the addresses of a receipt cannot be read: it is owed again");
                    return self.delivered(slot, Answer::Later);
                };
                let tenant = Account::tenant(&self.rules, self.tenant);
                let format = tenant.receipt_format;
                let version = session.peer_version();
                let mut sm = self.receipts.deliver_sm(report, &envelope, &format, version, &ground.keyring);
                sm.data_coding = tenant.link.plain_data_coding();
                if session.submit(now, &Body::DeliverSm(sm), u32::from(slot), out).is_err() {
                    self.delivered(slot, Answer::Later);
                }
            }
            Effect::Probe => session.probe(now, out),
            _ => {}
        }
    }
}

impl End for ServerEnd {
    fn on_event(&mut self, now: Duration, event: Event<'_>, session: &mut Session, out: &mut Vec<u8>) {
        match (event, &mut self.account) {
            (Event::Request { sequence, body }, Some(account)) => {
                match account.submit(now, sequence, &body, &self.ground) {
                    Ok(()) => {}
                    Err(No::Status(status)) => session.reject(sequence, body.command(), status, out),
                    Err(No::Refusal(refusal)) => {
                        self.ground.refused.count(refusal.code());
                        account.refuse(sequence, body.command(), &refusal, session, out);
                    }
                }
            }
            (Event::Response { token, status, .. }, Some(account)) => {
                account.delivered(token as u16, answer_of(status))
            }
            (Event::Unbinding, Some(_)) => self.on_stop(),
            (Event::Bind { kind, bind }, None) => self.bind(now, kind, &bind, session, out),
            _ => {}
        }
    }

    fn on_timeout(&mut self, _: Duration, event: TimeoutEvent, _: &mut Session, _: &mut Vec<u8>) {
        if let (TimeoutEvent::Expired { token }, Some(account)) = (event, &mut self.account) {
            account.delivered(token as u16, Answer::Later);
        }
    }

    fn on_stop(&mut self) {
        if let Some(account) = &mut self.account {
            account.leaving = true;
            account.tell_held();
        }
    }

    fn flush(&mut self) {
        if let Some(account) = &mut self.account
            && !account.batch.is_empty()
        {
            self.ground.exchange.inbox.post(&mut account.batch);
        }
    }

    fn takes_more(&self) -> bool {
        self.account.as_ref().is_none_or(|account| account.unanswered < self.ground.config.unanswered_max)
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(account) = &mut self.account {
            account.refresh(&self.ground);
        }
        self.ground.exchange.inbox.poll_room(cx)
    }

    fn poll_effects(
        &mut self,
        cx: &mut Context<'_>,
        now: Duration,
        session: &mut Session,
        out: &mut Vec<u8>,
    ) -> Poll<()> {
        let Some(account) = &mut self.account else { return Poll::Pending };
        ready!(account.mailbox.poll_take(cx, &mut account.outbox));
        let mut outbox = std::mem::take(&mut account.outbox);
        for effect in &outbox.effects {
            account.perform(now, effect, &outbox.bytes, &self.ground, session, out);
        }
        outbox.clear();
        account.outbox = outbox;
        Poll::Ready(())
    }

    fn next_at(&self) -> Option<Duration> {
        self.waiting.as_ref().map(|waiting| waiting.look_at)
    }

    fn on_tick(&mut self, now: Duration, session: &mut Session, out: &mut Vec<u8>) {
        self.look_again(now, session, out);
    }

    fn on_pressure(&mut self, full: bool) {
        if let Some(account) = &mut self.account {
            account.full = full;
            account.tell_held();
        }
    }
}
