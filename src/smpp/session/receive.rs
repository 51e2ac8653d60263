//! What the peer sends: who may ask what in which state (SMPP 3.4 table 2-1), and which request a response answers.

use core::time::Duration;

use crate::smpp::command::CommandId;
use crate::smpp::decode::DecodeError;
use crate::smpp::encode::encode_parts;
use crate::smpp::fields::Version;
use crate::smpp::frame::FrameError;
use crate::smpp::pdu::{Bind, BindResp, Body, Pdu};
use crate::smpp::session::{BindKind, CloseReason, Event, Role, Session, SessionState};
use crate::smpp::status::CommandStatus;
use crate::smpp::tag::Tag;

impl Session {
    /// Takes one PDU. What the session settles itself (enquire_link, unbind, what the state or the role forbids, what
    /// is not known, responses that answer nothing) is answered into `out`. Bounded work.
    pub fn handle_pdu<'a>(&mut self, now: Duration, pdu: Pdu<'a>, out: &mut Vec<u8>) -> Event<'a> {
        if self.state == SessionState::Closed {
            return Event::None;
        }
        self.note_life(now);
        if !matches!(pdu.body, Body::EnquireLink | Body::EnquireLinkResp) {
            self.last_traffic = now;
        }
        if pdu.body.command().is_response() {
            self.handle_response(now, pdu)
        } else {
            self.handle_request(now, pdu, out)
        }
    }

    /// Answers a request that could not be read. A bind that could not be read ends the session.
    pub fn handle_decode_error(&mut self, now: Duration, error: &DecodeError, out: &mut Vec<u8>) -> Event<'static> {
        if self.state == SessionState::Closed || error.command.is_response() {
            return Event::None;
        }
        self.note_life(now);
        self.tolerated.malformed_requests += 1;
        let command = error.reply_command.unwrap_or(CommandId::GENERIC_NACK);
        answer(command, error.status, error.sequence, out);
        match self.state {
            SessionState::Open | SessionState::Outbound if error.command.is_bind() => {
                Event::Closed(self.close(CloseReason::BindRefused(error.status)))
            }
            _ => Event::None,
        }
    }

    /// The stream is out of step: says so once, with sequence number 0 because none can be trusted, and ends.
    pub fn handle_frame_error(&mut self, _: Duration, _: &FrameError, out: &mut Vec<u8>) -> Event<'static> {
        if self.state == SessionState::Closed {
            return Event::None;
        }
        answer(CommandId::GENERIC_NACK, CommandStatus::RINVCMDLEN, 0, out);
        Event::Closed(self.close(CloseReason::OutOfStep))
    }

    fn note_life(&mut self, now: Duration) {
        self.last_received = now;
        self.probes_missed = 0;
    }

    fn note_response(&mut self, now: Duration) {
        self.last_response = Some(now);
        self.nacks_in_a_row = 0;
    }

    fn handle_request<'a>(&mut self, now: Duration, pdu: Pdu<'a>, out: &mut Vec<u8>) -> Event<'a> {
        let Pdu { sequence, body, .. } = pdu;
        match body {
            Body::EnquireLink => {
                // In every state; the time allowed for the bind goes on (quirk Q78).
                answer(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, sequence, out);
                return Event::None;
            }
            Body::Unbind if self.state.is_bound() => return self.handle_unbind(now, sequence, out),
            _ => {}
        }
        if let Err(status) = self.permits(&body) {
            self.tolerated.refused_requests += 1;
            let response = body.command().response().unwrap_or(CommandId::GENERIC_NACK);
            answer(response, status, sequence, out);
            return Event::None;
        }
        match body {
            Body::BindReceiver(bind) => self.handle_bind(BindKind::Receiver, bind, sequence),
            Body::BindTransmitter(bind) => self.handle_bind(BindKind::Transmitter, bind, sequence),
            Body::BindTransceiver(bind) => self.handle_bind(BindKind::Transceiver, bind, sequence),
            Body::Outbind(outbind) => {
                self.state = SessionState::Outbound;
                Event::Outbind(outbind)
            }
            Body::AlertNotification(_) => Event::Request { sequence, body },
            _ => {
                self.incoming += 1;
                Event::Request { sequence, body }
            }
        }
    }

    /// Whether the peer may ask this now: the wrong role does not know the command, the wrong state does not allow it.
    fn permits(&self, body: &Body<'_>) -> Result<(), CommandStatus> {
        let allowed_if = |allowed: bool| if allowed { Ok(()) } else { Err(CommandStatus::RINVBNDSTS) };
        match (self.role, body) {
            (Role::Smsc, Body::BindReceiver(_) | Body::BindTransmitter(_) | Body::BindTransceiver(_)) => {
                match self.state {
                    SessionState::Open => Ok(()),
                    SessionState::Unbound => Err(CommandStatus::RINVBNDSTS),
                    _ => Err(CommandStatus::RALYBND),
                }
            }
            (
                Role::Smsc,
                Body::SubmitSm(_)
                | Body::SubmitMulti(_)
                | Body::DataSm(_)
                | Body::QuerySm(_)
                | Body::CancelSm(_)
                | Body::ReplaceSm(_)
                | Body::BroadcastSm(_)
                | Body::QueryBroadcastSm(_)
                | Body::CancelBroadcastSm(_),
            ) => allowed_if(self.state.transmits()),
            (Role::Esme, Body::DeliverSm(_) | Body::DataSm(_) | Body::AlertNotification(_)) => {
                allowed_if(self.state.receives())
            }
            (Role::Esme, Body::Outbind(_)) => allowed_if(self.state == SessionState::Open),
            (_, Body::Unbind) => Err(CommandStatus::RINVBNDSTS),
            _ => Err(CommandStatus::RINVCMDID),
        }
    }

    fn handle_bind<'a>(&mut self, kind: BindKind, bind: Bind<'a>, sequence: u32) -> Event<'a> {
        self.state = SessionState::Binding;
        self.peer_version = Version::of(bind.interface_version);
        self.bind = Some((kind, sequence));
        // The peer has done its part in time; how long the answer takes is ours.
        self.bind_deadline = None;
        Event::Bind { kind, bind }
    }

    fn handle_unbind(&mut self, now: Duration, sequence: u32, out: &mut Vec<u8>) -> Event<'static> {
        self.state = SessionState::Unbound;
        self.peer_unbind = Some(sequence);
        self.unbind_deadline = Some(now + self.config.unbind_timeout);
        match self.finish_unbind(out) {
            Some(reason) => Event::Closed(reason),
            None => Event::Unbinding,
        }
    }

    /// Sends the unbind_resp once all requests of the peer are answered (quirk Q81).
    pub(super) fn finish_unbind(&mut self, out: &mut Vec<u8>) -> Option<CloseReason> {
        if self.incoming > 0 {
            return None;
        }
        let sequence = self.peer_unbind.take()?;
        answer(CommandId::UNBIND_RESP, CommandStatus::ROK, sequence, out);
        Some(self.close(CloseReason::PeerUnbound))
    }

    fn handle_response<'a>(&mut self, now: Duration, pdu: Pdu<'a>) -> Event<'a> {
        let Pdu { status, sequence, body } = pdu;
        match body {
            Body::GenericNack => return self.handle_nack(now, status, sequence),
            Body::EnquireLinkResp if self.probe == Some(sequence) => {
                self.probe = None;
                return Event::None;
            }
            Body::UnbindResp if self.own_unbind == Some(sequence) => {
                return Event::Closed(self.close(CloseReason::Unbound));
            }
            Body::BindReceiverResp(resp) | Body::BindTransmitterResp(resp) | Body::BindTransceiverResp(resp) => {
                if let Some((kind, asked)) = self.bind
                    && self.role == Role::Esme
                    && asked == sequence
                    && kind.command().response() == Some(body.command())
                {
                    return self.handle_bind_resp(kind, status, &resp);
                }
            }
            _ => {
                let asked = self.window.get(sequence).and_then(|request| request.command.response());
                if asked == Some(body.command())
                    && let Some(request) = self.window.settle(sequence)
                {
                    self.note_response(now);
                    self.tolerated.late_responses += u64::from(now > request.sent_at + self.config.response_timeout);
                    return Event::Response { token: request.token, status, body };
                }
            }
        }
        // A response is never answered, not even to say that it answers nothing (quirk Q75).
        self.tolerated.unmatched_responses += 1;
        Event::None
    }

    /// A generic_nack answers whatever has its sequence number (quirk Q48).
    fn handle_nack(&mut self, now: Duration, status: CommandStatus, sequence: u32) -> Event<'static> {
        if let Some(request) = self.window.settle(sequence) {
            self.note_response(now);
            return Event::Response { token: request.token, status, body: Body::GenericNack };
        }
        if self.role == Role::Esme && self.bind.is_some_and(|(_, asked)| asked == sequence) {
            return self.fail_bind(status);
        }
        if self.own_unbind == Some(sequence) {
            return Event::Closed(self.close(CloseReason::Unbound));
        }
        if self.probe == Some(sequence) {
            // The peer does not know enquire_link, but it lives.
            self.probe = None;
            return Event::None;
        }
        self.tolerated.unmatched_nacks += 1;
        self.nacks_in_a_row += 1;
        if self.nacks_in_a_row >= self.config.unmatched_nacks_max {
            return Event::Closed(self.close(CloseReason::OutOfStep));
        }
        Event::None
    }

    fn handle_bind_resp<'a>(&mut self, kind: BindKind, status: CommandStatus, resp: &BindResp<'a>) -> Event<'a> {
        if !status.is_ok() {
            return self.fail_bind(status);
        }
        self.bind = None;
        self.bind_deadline = None;
        self.state = kind.bound_state();
        let announced = resp.tlvs.get_u8(Tag::SC_INTERFACE_VERSION).map(Version::of);
        self.peer_version = announced.unwrap_or(self.config.version_when_absent);
        Event::Bound { system_id: resp.system_id, version: self.peer_version }
    }

    fn fail_bind(&mut self, status: CommandStatus) -> Event<'static> {
        self.bind = None;
        self.close(CloseReason::BindRefused(status));
        Event::BindFailed { status }
    }
}

/// Writes a response that has no body.
pub(super) fn answer(command: CommandId, status: CommandStatus, sequence: u32, out: &mut Vec<u8>) {
    encode_parts(status, sequence, &Body::Unknown { command, body: &[] }, out);
}
