//! The carrier's end of a link: effects become submit_sm, responses become outcomes, receipts become notices.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::carrier::full::{self, FullQueues};
use crate::carrier::kept::{Kept, Part};
use crate::carrier::notice::{Delivery, Reading};
use crate::carrier::outcome::{Statuses, Treatment};
use crate::carrier::pace::{Pace, Turn};
use crate::carrier::submit::submit_sm;
use crate::carrier::{Config, Ground, validity};
use crate::command::{Command, Effect, Outcome, Reply, Role, Span};
use crate::envelope::{Carriage, Envelope};
use crate::exchange::{Batch, Mailbox, Outbox};
use crate::link::End;
use crate::message::LinkId;
use crate::presence::{CarrierBinds, Complaint};
use crate::smpp::command::CommandId;
use crate::smpp::fields::Version;
use crate::smpp::pdu::{Body, Outbind, SubmitSmResp};
use crate::smpp::session::{BindKind, Event, Session, TimeoutEvent, Tolerated};
use crate::smpp::status::CommandStatus;
use crate::smpp::tlv::Tlvs;

/// Receipts that may await the core at once; beyond that the link is not read.
const RECEIPTS_MAX: u32 = 2_000;
/// Octets of a carrier's message_id that are kept.
const ID_OCTETS_MAX: usize = 255;
/// In a receipt's mark: it came as data_sm and is answered as such.
const TAG_DATA_SM: u64 = 1 << 32;
/// How often inbound messages that cannot be taken are mentioned.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// One bind to a carrier.
pub struct CarrierEnd {
    config: Arc<Config>,
    ground: Ground,
    kind: BindKind,
    /// The carrier has connected, and is bound to once it asks for that.
    when_asked: bool,
    statuses: Statuses,
    /// The link's place at the exchange, once bound.
    post: Option<(LinkId, Arc<Mailbox>)>,
    refused: Option<CommandStatus>,
    bound: Option<(Duration, bool)>,
    batch: Batch,
    outbox: Outbox,
    tlvs: Vec<u8>,
    pace: Pace,
    full_queues: FullQueues,
    /// It has been said that optional parameters are left out.
    tlvs_left_out: bool,
    /// The carrier has refused a validity period: this bind gives none any more.
    validity_refused: bool,
    /// What is known of each window place, and the parts that wait for their turn while the bind goes slower than the core releases.
    kept: Vec<Kept>,
    waiting: VecDeque<u16>,
    /// What the core was told last about whether this bind takes parts, and the reasons not to.
    held: bool,
    full: bool,
    leaving: bool,
    slowed: bool,
    receipts: u32,
    tolerated: Tolerated,
    inbound: u64,
    inbound_logged: Option<Duration>,
}

impl CarrierEnd {
    /// The end of a connection that was just made.
    pub fn new(config: Arc<Config>, ground: Ground, kind: BindKind) -> CarrierEnd {
        CarrierEnd {
            statuses: Statuses::new(config.statuses.clone()),
            pace: Pace::new(config.throttle_pause_first, config.throttle_pause_max),
            config,
            ground,
            kind,
            when_asked: false,
            post: None,
            refused: None,
            bound: None,
            batch: Batch::default(),
            outbox: Outbox::default(),
            tlvs: Vec::new(),
            full_queues: FullQueues::default(),
            tlvs_left_out: false,
            validity_refused: false,
            kept: Vec::new(),
            waiting: VecDeque::new(),
            held: false,
            full: false,
            leaving: false,
            slowed: false,
            receipts: 0,
            tolerated: Tolerated::default(),
            inbound: 0,
            inbound_logged: None,
        }
    }

    /// The same, on a connection that the carrier has made.
    #[must_use]
    pub fn when_asked(mut self) -> CarrierEnd {
        self.when_asked = true;
        self
    }

    /// When the carrier accepted the bind, if it did, and whether it has taken a part or sent a receipt since.
    pub fn bound_at(&self) -> Option<(Duration, bool)> {
        self.bound
    }

    /// Why the carrier refused the bind, if it did.
    pub fn refused(&self) -> Option<CommandStatus> {
        self.refused
    }

    /// Tells the core that the link is gone, and waits until it has seen that. What was in the window is in doubt then.
    pub async fn close(mut self) {
        let Some((link, mailbox)) = self.post.take() else { return };
        self.count_off();
        // What waits here was never submitted: it is not in doubt.
        while let Some(slot) = self.waiting.pop_front() {
            let outcome = Outcome::Later { status: CommandStatus::ROK.0, counts: false };
            self.batch.commands.push(Command::Submitted { link, slot, outcome });
        }
        self.batch.commands.push(Command::Close { link });
        self.ground.exchange.inbox.post(&mut self.batch);
        self.ground.exchange.closed(link, &mailbox).await;
    }

    fn count_off(&self) {
        let Some(binds) = self.ground.presence.carrier(self.config.id) else { return };
        let state = self.kind.bound_state();
        binds.went_down(state.transmits(), state.receives());
        if self.slowed {
            binds.set_slowed(false);
        }
    }

    /// The carrier asks to be bound to: it is, if it is who it says (quirk Q87).
    fn asked_to_bind(&self, now: Duration, outbind: &Outbind<'_>, session: &mut Session, out: &mut Vec<u8>) {
        let ours = self.config.outbind.as_ref().filter(|_| self.when_asked);
        if ours.is_some_and(|ours| ours.is_from(outbind.system_id, outbind.password)) {
            return session.bind(now, self.kind, self.config.bind_request(), out);
        }
        tracing::warn!(carrier = %self.config.name, "an outbind with other credentials is closed");
        session.unbind(now, out);
    }

    fn bound(&mut self, now: Duration) {
        let (link, mailbox) = self.ground.exchange.open();
        self.post = Some((link, mailbox));
        self.bound = Some((now, false));
        let state = self.kind.bound_state();
        if let Some(binds) = self.ground.presence.carrier(self.config.id) {
            binds.came_up(state.transmits(), state.receives());
        }
        if state.transmits() {
            self.kept.resize_with(usize::from(self.config.window), Kept::default);
            let (role, window) = (Role::Carrier(self.config.id), self.config.window);
            self.batch.commands.push(Command::Open { link, role, window });
        }
        tracing::info!(carrier = %self.config.name, kind = ?self.kind, "bound");
    }

    fn was_useful(&mut self) {
        self.bound.iter_mut().for_each(|(_, useful)| *useful = true);
    }

    fn link(&self) -> LinkId {
        self.post.as_ref().map_or(LinkId::default(), |(link, _)| *link)
    }

    fn report(&mut self, slot: u16, outcome: Outcome) {
        let link = self.link();
        self.batch.commands.push(Command::Submitted { link, slot, outcome });
    }

    /// Tells the core whether this bind takes parts, when that has changed.
    fn tell_held(&mut self) {
        let held = self.full || self.leaving || self.pace.is_paused();
        let link = self.link();
        if held != self.held && self.post.is_some() {
            self.held = held;
            self.batch.commands.push(Command::Hold { link, held });
        }
        if self.slowed != self.pace.is_slowed() {
            self.slowed = !self.slowed;
            if let Some(binds) = self.ground.presence.carrier(self.config.id) {
                binds.set_slowed(self.slowed);
            }
        }
    }

    /// A part that the core has released to this bind: it goes, waits for its turn, or goes back.
    fn released(&mut self, now: Duration, part: Part<'_>, session: &mut Session, out: &mut Vec<u8>) {
        let turn = if self.waiting.is_empty() || self.pace.is_paused() { self.pace.turn(now) } else { Turn::Wait };
        match (turn, self.kept.get_mut(usize::from(part.slot))) {
            (Turn::Go, _) => self.submit(now, part, session, out),
            (Turn::Wait, Some(kept)) => {
                kept.part = part.part;
                kept.expires = part.expires;
                kept.envelope.clear();
                kept.envelope.extend_from_slice(part.envelope);
                self.waiting.push_back(part.slot);
            }
            (Turn::GiveBack | Turn::Wait, _) => self.give_back(part.slot, CommandStatus::RTHROTTLED),
        }
    }

    fn submit(&mut self, now: Duration, part: Part<'_>, session: &mut Session, out: &mut Vec<u8>) {
        let told = !self.validity_refused;
        let validity = told.then(|| validity::period(&self.config, self.ground.clock.at(now), part.expires)).flatten();
        let period = validity.as_ref().map_or(&b""[..], |text| &text[..]);
        let envelope = Envelope::read(part.envelope);
        if session.peer_version() < Version::V34
            && envelope.is_some_and(|envelope| envelope.carriage != Carriage::InBody)
        {
            tracing::error!(carrier = %self.config.name, "a message in parts needs TLVs, and this carrier speaks SMPP 3.3");
            return self.refuse_unsent(part.slot, CommandStatus::RTLVNOTALLWD);
        }
        if session.peer_version() < Version::V34
            && !self.tlvs_left_out
            && envelope.is_some_and(|envelope| !envelope.tlvs.is_empty())
        {
            self.tlvs_left_out = true;
            tracing::warn!(carrier = %self.config.name, "it does not say that it speaks SMPP 3.4: optional parameters are left out");
        }
        let (style, tlvs) = (&self.config.style, &mut self.tlvs);
        let sm = envelope.as_ref().and_then(|envelope| submit_sm(envelope, part.part, period, style, tlvs));
        let Some(sm) = sm else {
            tracing::error!(carrier = %self.config.name, "a released part cannot be read and is refused");
            return self.refuse_unsent(part.slot, CommandStatus::RSYSERR);
        };
        let (number, with_validity) = (full::number(sm.dest.addr), !period.is_empty());
        if session.submit(now, &Body::SubmitSm(sm), u32::from(part.slot), out).is_err() {
            if !session.state().is_bound() {
                // The link is about to end: told first, so that the part does not come back here at once.
                self.on_stop();
            }
            self.pace.lost();
            return self.give_back(part.slot, CommandStatus::ROK);
        }
        if let Some(kept) = self.kept.get_mut(usize::from(part.slot)) {
            (kept.number, kept.validity) = (number, with_validity);
        }
    }

    /// A part that never left; if it was the probe, the next one is.
    fn refuse_unsent(&mut self, slot: u16, status: CommandStatus) {
        self.pace.lost();
        self.report(slot, Outcome::Refused { status: status.0 });
    }

    fn give_back(&mut self, slot: u16, status: CommandStatus) {
        self.report(slot, Outcome::Later { status: status.0, counts: false });
    }

    /// Sends what waits, as far as the pace allows.
    fn resume(&mut self, now: Duration, session: &mut Session, out: &mut Vec<u8>) {
        while let Some(&slot) = self.waiting.front() {
            match self.pace.turn(now) {
                Turn::Wait => return,
                Turn::GiveBack => self.give_back(slot, CommandStatus::RTHROTTLED),
                Turn::Go => {
                    let kept = &mut self.kept[usize::from(slot)];
                    let (part, expires) = (kept.part, kept.expires);
                    let envelope = std::mem::take(&mut kept.envelope);
                    self.submit(now, Part { slot, part, expires, envelope: &envelope }, session, out);
                    self.kept[usize::from(slot)].envelope = envelope;
                }
            }
            self.waiting.pop_front();
        }
    }

    fn answered(&mut self, now: Duration, slot: u16, status: CommandStatus, body: &Body<'_>) {
        let (number, with_validity) =
            self.kept.get(usize::from(slot)).map_or((0, false), |kept| (kept.number, kept.validity));
        if status.is_ok() {
            self.was_useful();
            self.full_queues.taken(number);
            let id = match body {
                Body::SubmitSmResp(resp) => resp.message_id.unwrap_or_default(),
                _ => b"",
            };
            if id.is_empty()
                && self.ground.presence.carrier(self.config.id).is_some_and(CarrierBinds::is_first_without_id)
            {
                tracing::warn!(
                    carrier = %self.config.name,
                    "the carrier gives no message_id; its receipts can be matched by the number only"
                );
            }
            let id = Span::append(&id[..id.len().min(ID_OCTETS_MAX)], &mut self.batch.bytes);
            self.report(slot, Outcome::Taken(id));
            return self.pace.answered(now);
        }
        if status == CommandStatus::RINVEXPIRY && with_validity {
            return self.without_validity(now, slot, status);
        }
        let treatment = self.statuses.treatment(status);
        if treatment == Treatment::SlowDown && status == CommandStatus::RMSGQFUL && self.full_queues.is_full(number) {
            // If it was the probe, the next part is: it tells whether the carrier takes others.
            self.pace.lost();
            return self.report(slot, Outcome::Aside { status: status.0 });
        }
        if treatment == Treatment::SlowDown {
            if self.pace.throttled(now) {
                if let Some(times) = self.ground.complains(&self.config, Complaint::SlowDown) {
                    tracing::warn!(carrier = %self.config.name, %status, times, "the carrier asks to slow down");
                }
                // Told first, so that nothing is released to this bind in the turn that gets the part back.
                self.tell_held();
                while let Some(slot) = self.waiting.pop_front() {
                    self.give_back(slot, CommandStatus::RTHROTTLED);
                }
            }
        } else {
            self.pace.answered(now);
        }
        self.report(slot, treatment.outcome(status));
    }

    /// The carrier refuses the validity period: the part goes again without one, and so do all that follow (quirk Q94).
    fn without_validity(&mut self, now: Duration, slot: u16, status: CommandStatus) {
        if !self.validity_refused {
            tracing::warn!(carrier = %self.config.name, "validity periods are refused, and given no more on this bind");
            self.validity_refused = true;
        }
        self.pace.answered(now);
        self.give_back(slot, status);
    }

    /// A request of the carrier: a receipt, or something that is answered at once.
    fn asked(&mut self, now: Duration, sequence: u32, body: &Body<'_>, session: &mut Session, out: &mut Vec<u8>) {
        let (delivery, tag) = match body {
            Body::DeliverSm(sm) => (Delivery::of_deliver(sm), u64::from(sequence)),
            Body::DataSm(sm) => (Delivery::of_data(sm), u64::from(sequence) | TAG_DATA_SM),
            Body::AlertNotification(_) => return,
            other => return session.reject(sequence, other.command(), CommandStatus::RINVCMDID, out),
        };
        let unmarked = match body {
            Body::DeliverSm(sm) if delivery.is_none() && self.config.receipts_unmarked => Delivery::of_unmarked(sm),
            _ => None,
        };
        let only_if_known = unmarked.is_some();
        let Some(delivery) = delivery.or(unmarked) else {
            self.inbound(now);
            return session.reject(sequence, body.command(), CommandStatus::RX_T_APPN, out);
        };
        let start = self.batch.bytes.len();
        let reading = Reading { zone_minutes: self.config.receipt_zone_minutes, errors: &self.config.receipt_errors };
        delivery.write(&self.ground.keyring, reading, &mut self.batch.bytes);
        let notice = Span::since(start, &self.batch.bytes);
        let reply = Reply { link: self.link(), tag };
        self.receipts += 1;
        self.was_useful();
        self.batch.commands.push(Command::Receipt { reply, carrier: self.config.id, notice, only_if_known });
    }

    /// For metrics. Those that come in the last read before the end are not counted.
    fn count_odd_responses(&mut self, now: Tolerated) {
        let late = now.late_responses - self.tolerated.late_responses;
        let unmatched = now.unmatched_responses - self.tolerated.unmatched_responses;
        self.tolerated = now;
        if let Some(binds) = self.ground.presence.carrier(self.config.id).filter(|_| late + unmatched > 0) {
            binds.count_odd_responses(late, unmatched);
        }
    }

    /// Inbound messages are not taken yet: the carrier keeps them and tries again.
    fn inbound(&mut self, now: Duration) {
        self.inbound += 1;
        if self.inbound_logged.is_none_or(|logged| now >= logged + LOG_INTERVAL) {
            self.inbound_logged = Some(now);
            tracing::warn!(carrier = %self.config.name, count = self.inbound, "inbound messages are answered with try again");
        }
    }
}

/// A task that panics drops its end unclosed.
impl Drop for CarrierEnd {
    fn drop(&mut self) {
        if let Some((link, mailbox)) = self.post.take() {
            self.count_off();
            self.ground.exchange.abandon(link, mailbox);
        }
    }
}

impl End for CarrierEnd {
    fn on_start(&mut self, now: Duration, session: &mut Session, out: &mut Vec<u8>) {
        if !self.when_asked {
            session.bind(now, self.kind, self.config.bind_request(), out);
        }
    }

    fn on_event(&mut self, now: Duration, event: Event<'_>, session: &mut Session, out: &mut Vec<u8>) {
        match event {
            Event::Response { token, status, body } => {
                self.answered(now, token as u16, status, &body);
                if !self.waiting.is_empty() {
                    self.resume(now, session, out);
                }
            }
            Event::Request { sequence, body } => self.asked(now, sequence, &body, session, out),
            Event::Bound { .. } => self.bound(now),
            Event::BindFailed { status } => self.refused = Some(status),
            Event::Unbinding => self.on_stop(),
            Event::Outbind(outbind) => self.asked_to_bind(now, &outbind, session, out),
            Event::None | Event::Bind { .. } | Event::Closed(_) => {}
        }
    }

    fn on_timeout(&mut self, now: Duration, event: TimeoutEvent, session: &mut Session, out: &mut Vec<u8>) {
        if let TimeoutEvent::Expired { token } = event {
            self.pace.lost();
            self.report(token as u16, Outcome::Lost);
            // If it was the probe, one of those that wait takes its place.
            self.resume(now, session, out);
        }
    }

    fn on_stop(&mut self) {
        self.leaving = true;
        self.tell_held();
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            self.ground.exchange.inbox.post(&mut self.batch);
        }
    }

    fn takes_more(&self) -> bool {
        self.receipts < RECEIPTS_MAX
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.ground.exchange.inbox.poll_room(cx)
    }

    fn poll_effects(
        &mut self,
        cx: &mut Context<'_>,
        now: Duration,
        session: &mut Session,
        out: &mut Vec<u8>,
    ) -> Poll<()> {
        self.count_odd_responses(session.tolerated());
        let Some((_, mailbox)) = &self.post else { return Poll::Pending };
        ready!(mailbox.poll_take(cx, &mut self.outbox));
        let mut outbox = std::mem::take(&mut self.outbox);
        for effect in &outbox.effects {
            match *effect {
                Effect::Submit { slot, part, expires, envelope, .. } => {
                    let envelope = envelope.of(&outbox.bytes);
                    self.released(now, Part { slot, part, expires, envelope }, session, out);
                }
                Effect::Noted { tag } => {
                    self.receipts = self.receipts.saturating_sub(1);
                    let resp = SubmitSmResp { message_id: Some(b""), tlvs: Tlvs::NONE };
                    let data_sm = tag & TAG_DATA_SM != 0;
                    let body = if data_sm { Body::DataSmResp(resp) } else { Body::DeliverSmResp(resp) };
                    session.respond(tag as u32, CommandStatus::ROK, &body, out);
                }
                Effect::NotOurs { tag } => {
                    self.receipts = self.receipts.saturating_sub(1);
                    self.inbound(now);
                    session.reject(tag as u32, CommandId::DELIVER_SM, CommandStatus::RX_T_APPN, out);
                }
                _ => {}
            }
        }
        outbox.clear();
        self.outbox = outbox;
        Poll::Ready(())
    }

    fn next_at(&self) -> Option<Duration> {
        self.pace.next_at(!self.waiting.is_empty())
    }

    fn on_tick(&mut self, now: Duration, session: &mut Session, out: &mut Vec<u8>) {
        self.pace.tick(now);
        self.tell_held();
        self.resume(now, session, out);
    }

    fn on_pressure(&mut self, full: bool) {
        self.full = full;
        self.tell_held();
    }
}
