//! What the caller wants to send: bind and unbind, requests of ours, and answers to the peer's.

use core::time::Duration;

use crate::smpp::command::CommandId;
use crate::smpp::encode::encode_parts;
use crate::smpp::fields::Version;
use crate::smpp::pdu::{Bind, BindResp, Body, SubmitSmResp};
use crate::smpp::session::receive::answer;
use crate::smpp::session::{BindKind, CloseReason, Role, Session, SessionState, WindowFull};
use crate::smpp::status::CommandStatus;
use crate::smpp::tag::Tag;
use crate::smpp::tlv::{TlvWriter, Tlvs};

impl Session {
    /// Esme: asks to be bound. Its answer is [`crate::smpp::session::Event::Bound`] or `BindFailed`. Only an open or
    /// outbound session may ask; otherwise nothing happens.
    pub fn bind(&mut self, now: Duration, kind: BindKind, bind: Bind<'_>, out: &mut Vec<u8>) {
        if self.role != Role::Esme || !matches!(self.state, SessionState::Open | SessionState::Outbound) {
            return;
        }
        let sequence = self.window.next_sequence();
        let body = match kind {
            BindKind::Receiver => Body::BindReceiver(bind),
            BindKind::Transmitter => Body::BindTransmitter(bind),
            BindKind::Transceiver => Body::BindTransceiver(bind),
        };
        encode_parts(CommandStatus::ROK, sequence, &body, out);
        self.bind = Some((kind, sequence));
        self.bind_deadline = Some(now + self.config.bind_timeout);
        self.state = SessionState::Binding;
    }

    /// Smsc: accepts the bind of [`crate::smpp::session::Event::Bind`]. `system_id` is our name for ourselves.
    pub fn accept_bind(&mut self, now: Duration, system_id: &[u8], out: &mut Vec<u8>) {
        if self.role != Role::Smsc || self.is_closing() {
            return;
        }
        let Some((kind, sequence)) = self.bind.take() else { return };
        let mut buffer = Vec::new();
        let mut writer = TlvWriter::new(&mut buffer);
        // A peer of 3.3 knows no TLVs (3.4 section 3.4).
        if self.peer_version >= Version::V34 {
            writer.u8(Tag::SC_INTERFACE_VERSION, self.config.version.interface_version());
        }
        let resp = BindResp { system_id: Some(system_id), tlvs: writer.finish() };
        let body = match kind {
            BindKind::Receiver => Body::BindReceiverResp(resp),
            BindKind::Transmitter => Body::BindTransmitterResp(resp),
            BindKind::Transceiver => Body::BindTransceiverResp(resp),
        };
        encode_parts(CommandStatus::ROK, sequence, &body, out);
        self.state = kind.bound_state();
        self.last_received = now;
        self.last_traffic = now;
    }

    /// Smsc: refuses the bind of [`crate::smpp::session::Event::Bind`] and ends.
    pub fn reject_bind(&mut self, status: CommandStatus, out: &mut Vec<u8>) {
        if self.role != Role::Smsc || self.is_closing() {
            return;
        }
        let Some((kind, sequence)) = self.bind.take() else { return };
        let command = kind.command().response().unwrap_or(CommandId::GENERIC_NACK);
        answer(command, status, sequence, out);
        self.close(CloseReason::BindRefused(status));
    }

    /// Sends a request of ours: it takes a place in the window and a sequence number, which is returned. `token` comes
    /// back with the response. Towards a 3.3 peer the TLVs are left out: whoever needs message_payload asks
    /// [`Session::peer_version`] first.
    pub fn submit(&mut self, now: Duration, body: &Body<'_>, token: u32, out: &mut Vec<u8>) -> Result<u32, WindowFull> {
        let command = body.command();
        if self.free() == 0 || !self.may_ask(command) {
            return Err(WindowFull);
        }
        let sequence = self.window.take(now, command, token).ok_or(WindowFull)?;
        self.last_traffic = now;
        self.encode_for_peer(CommandStatus::ROK, sequence, body, out);
        Ok(sequence)
    }

    /// Answers a request of the peer. For a refusal without a body, `reject` is shorter.
    pub fn respond(&mut self, sequence: u32, status: CommandStatus, body: &Body<'_>, out: &mut Vec<u8>) {
        if self.is_closing() {
            return;
        }
        self.encode_for_peer(status, sequence, body, out);
        self.answered(out);
    }

    /// Refuses a request of the peer by its response without a body, or by generic_nack if it has none.
    pub fn reject(&mut self, sequence: u32, request: CommandId, status: CommandStatus, out: &mut Vec<u8>) {
        if self.is_closing() {
            return;
        }
        answer(request.response().unwrap_or(CommandId::GENERIC_NACK), status, sequence, out);
        self.answered(out);
    }

    /// Asks to unbind. No request of ours goes out any more; those outstanding may still be answered until the
    /// unbind_resp or the unbind timer comes. A session that is not bound ends at once.
    pub fn unbind(&mut self, now: Duration, out: &mut Vec<u8>) {
        if self.is_closing() || self.own_unbind.is_some() || self.state == SessionState::Unbound {
            return;
        }
        if !self.state.is_bound() {
            self.close(CloseReason::Unbound);
            return;
        }
        let sequence = self.window.next_sequence();
        encode_parts(CommandStatus::ROK, sequence, &Body::Unbind, out);
        self.own_unbind = Some(sequence);
        self.unbind_deadline = Some(now + self.config.unbind_timeout);
    }

    fn answered(&mut self, out: &mut Vec<u8>) {
        self.incoming = self.incoming.saturating_sub(1);
        self.finish_unbind(out);
    }

    /// Whether this side may ask this in this state, after the direction column of the operations.
    fn may_ask(&self, command: CommandId) -> bool {
        match command {
            CommandId::DELIVER_SM => self.role == Role::Smsc && self.state.receives(),
            CommandId::DATA_SM if self.role == Role::Smsc => self.state.receives(),
            CommandId::DATA_SM
            | CommandId::SUBMIT_SM
            | CommandId::SUBMIT_MULTI
            | CommandId::QUERY_SM
            | CommandId::CANCEL_SM
            | CommandId::REPLACE_SM
            | CommandId::BROADCAST_SM
            | CommandId::QUERY_BROADCAST_SM
            | CommandId::CANCEL_BROADCAST_SM => self.role == Role::Esme && self.state.transmits(),
            _ => false,
        }
    }

    /// A 3.3 peer is sent no TLVs.
    fn encode_for_peer(&self, status: CommandStatus, sequence: u32, body: &Body<'_>, out: &mut Vec<u8>) {
        if self.peer_version >= Version::V34 {
            encode_parts(status, sequence, body, out);
        } else {
            encode_parts(status, sequence, &without_tlvs(*body), out);
        }
    }
}

/// The same without optional parameters, for the PDUs of 3.3.
fn without_tlvs(mut body: Body<'_>) -> Body<'_> {
    let tlvs = match &mut body {
        Body::SubmitSm(message) | Body::DeliverSm(message) => &mut message.tlvs,
        Body::SubmitSmResp(SubmitSmResp { tlvs, .. }) | Body::DeliverSmResp(SubmitSmResp { tlvs, .. }) => tlvs,
        Body::SubmitMulti(message) => &mut message.tlvs,
        Body::SubmitMultiResp(Some(resp)) => &mut resp.tlvs,
        Body::QuerySmResp(Some(resp)) => &mut resp.tlvs,
        Body::ReplaceSm(message) => &mut message.tlvs,
        _ => return body,
    };
    *tlvs = Tlvs::NONE;
    body
}
