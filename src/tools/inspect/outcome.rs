//! What a message centre or an ESME does with the octets of one PDU, in a given state of its session: framed, decoded,
//! validated and answered by the state machine of the product. In the words of the table of malformed PDUs.

use std::time::Duration;

use serde::Serialize;

use crate::smpp::command::CommandId;
use crate::smpp::decode::decode;
use crate::smpp::fields::Version;
use crate::smpp::frame::{PDU_OCTETS_MAX_DEFAULT, frame};
use crate::smpp::pdu::{Bind, Body, Outbind, Pdu};
use crate::smpp::session::{BindKind, Event, Role, Session, SessionConfig};
use crate::smpp::status::CommandStatus;
use crate::smpp::validate::{validate_data, validate_replace, validate_submit, validate_submit_multi};

/// When the session has begun, and when the PDU comes: just when a probe is due.
const BEGAN: Duration = Duration::from_secs(1_000);
/// Octets of a password by the standard, without NUL (3.4 section 5.2.2). A message centre may take longer ones if the account has one.
const PASSWORD_OCTETS_MAX: usize = 8;

const NOW: Duration = Duration::from_secs(1_030);

/// A response with a sequence number below this one answers a request that is outstanding; any other answers none.
const ANSWERING: u32 = 1_000;

/// What becomes of a PDU.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Outcome {
    /// `response`, `generic_nack`, `ignore`, `wait` (the PDU is not whole), or what a client does: `resolve…`, `bound`, `bind_failed`.
    pub action: &'static str,
    /// The command of the answer; empty if there is none.
    pub reply: String,
    /// Its status as `0x00000000`; empty if there is none.
    pub command_status: String,
    /// Its sequence number.
    pub sequence_number: Option<u32>,
    /// `keep` or `close`.
    pub session: &'static str,
    /// The PDU was taken for what it is: nothing about it was refused.
    #[serde(skip)]
    pub accepted: bool,
}

/// Whose session it is and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    role: Role,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Open,
    Outbound,
    Bound(BindKind),
    Unbound,
}

impl Place {
    /// Reads `MC` or `ESME`, and `OPEN`, `OUTBOUND`, `BOUND_TX`, `BOUND_RX`, `BOUND_TRX` or `UNBOUND`. What is empty is the
    /// place where these octets are most likely to come.
    pub fn of(role: &str, state: &str, octets: &[u8]) -> Result<Place, String> {
        let command = command_in(octets);
        let role = match role {
            "MC" | "SMSC" => Role::Smsc,
            "ESME" => Role::Esme,
            "" => match command {
                Some(CommandId::DELIVER_SM | CommandId::ALERT_NOTIFICATION | CommandId::OUTBIND) => Role::Esme,
                Some(CommandId::DELIVER_SM_RESP) => Role::Smsc,
                Some(command) if command.is_response() => Role::Esme,
                _ => Role::Smsc,
            },
            other => return Err(format!("role: {other:?} is neither MC nor ESME")),
        };
        let binds = command
            .is_some_and(|command| command == CommandId::OUTBIND || command.is_bind() || request_of(command).is_bind());
        let state = match state {
            "OPEN" => State::Open,
            "OUTBOUND" => State::Outbound,
            "BOUND_TX" => State::Bound(BindKind::Transmitter),
            "BOUND_RX" => State::Bound(BindKind::Receiver),
            "BOUND_TRX" => State::Bound(BindKind::Transceiver),
            "UNBOUND" => State::Unbound,
            "" if binds => State::Open,
            "" => State::Bound(BindKind::Transceiver),
            other => {
                let states = "OPEN, OUTBOUND, BOUND_TX, BOUND_RX, BOUND_TRX, UNBOUND";
                return Err(format!("state: {other:?} is none of {states}"));
            }
        };
        Ok(Place { role, state })
    }
}

/// What becomes of the first PDU of the octets, and the session behind it. Times are held against `now_micros`.
pub fn outcome(place: Place, octets: &[u8], now_micros: u64) -> (Outcome, Session) {
    let length = match frame(octets, PDU_OCTETS_MAX_DEFAULT) {
        Ok(Some(length)) => length,
        Ok(None) => return (Outcome::without_reply("wait", true, false), session_in(place)),
        Err(error) => {
            let (mut session, mut out) = (session_in(place), Vec::new());
            session.handle_frame_error(NOW, &error, &mut out);
            return (Outcome::of_reply(&out, true, false), session);
        }
    };
    let decoded = decode(&octets[..length]);
    let mut session = session_in(place);
    let mut out = Vec::new();
    let answers = decoded.as_ref().ok().filter(|pdu| pdu.sequence < ANSWERING && pdu.body.command().is_response());
    let asked = answers.and_then(|pdu| ask(&mut session, place, pdu.body.command()));
    let before = session.close_reason();
    let event = match decoded {
        Ok(pdu) => session.handle_pdu(NOW, Pdu { sequence: asked.unwrap_or(pdu.sequence), ..pdu }, &mut out),
        Err(error) => session.handle_decode_error(NOW, &error, &mut out),
    };
    let mut action = None;
    let mut accepted = true;
    match event {
        Event::Bind { bind, .. } if bind.password.len() > PASSWORD_OCTETS_MAX => {
            session.reject_bind(CommandStatus::RINVPASWD, &mut out);
            accepted = false;
        }
        Event::Bind { .. } => session.accept_bind(NOW, b"sluice", &mut out),
        Event::Request { sequence, body } => {
            accepted = answer(&mut session, place.role, sequence, &body, now_micros, &mut out);
        }
        Event::Response { status, body, .. } => action = Some(resolved(status, &body)),
        Event::Bound { .. } => action = Some("bound"),
        Event::BindFailed { .. } => action = Some("bind_failed"),
        Event::Outbind(_) => {}
        // What the session settles alone: taken, if it was answered so or answered something of ours.
        Event::None | Event::Closed(_) | Event::Unbinding => {
            accepted = asked.is_some() || status_of(&out) == Some(CommandStatus::ROK);
            action = asked.map(|_| "resolve");
        }
    }
    let closes = session.close_reason() != before;
    let outcome = match action {
        Some(action) => Outcome::without_reply(action, closes, true),
        None => Outcome::of_reply(&out, closes, accepted),
    };
    (outcome, session)
}

impl Outcome {
    fn without_reply(action: &'static str, closes: bool, accepted: bool) -> Outcome {
        let session = if closes { "close" } else { "keep" };
        let (reply, command_status) = (String::new(), String::new());
        Outcome { action, reply, command_status, sequence_number: None, session, accepted }
    }

    /// The outcome of a PDU that was answered by these octets, or by none.
    fn of_reply(out: &[u8], closes: bool, accepted: bool) -> Outcome {
        let mut outcome = Outcome::without_reply("ignore", closes, accepted);
        if let (Some(command), Some(status)) = (command_in(out), status_of(out)) {
            outcome.action = if command == CommandId::GENERIC_NACK { "generic_nack" } else { "response" };
            outcome.reply = command.to_string();
            outcome.command_status = format!("0x{:08X}", status.0);
            outcome.sequence_number = word(out, 12);
        }
        outcome
    }
}

/// A word of a header.
fn word(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_be_bytes)
}

fn command_in(octets: &[u8]) -> Option<CommandId> {
    word(octets, 4).map(CommandId)
}

fn status_of(octets: &[u8]) -> Option<CommandStatus> {
    word(octets, 8).map(CommandStatus)
}

/// The request that this response answers.
fn request_of(response: CommandId) -> CommandId {
    CommandId(response.0 & 0x7FFF_FFFF)
}

/// A session in its place, with nothing outstanding.
fn session_in(place: Place) -> Session {
    let config = SessionConfig { version_when_absent: Version::V34, ..SessionConfig::default() };
    let mut out = Vec::new();
    let mut feed = |session: &mut Session, sequence: u32, body: Body<'_>| {
        session.handle_pdu(BEGAN, Pdu { status: CommandStatus::ROK, sequence, body }, &mut out);
        session.accept_bind(BEGAN, b"sluice", &mut out);
    };
    let mut session = match place.role {
        Role::Smsc => Session::smsc(config, BEGAN),
        Role::Esme => Session::esme(config, BEGAN),
    };
    let kind = match place.state {
        State::Open => return session,
        State::Outbound => {
            feed(&mut session, 1, Body::Outbind(Outbind { system_id: b"", password: b"" }));
            return session;
        }
        State::Bound(kind) => kind,
        State::Unbound => BindKind::Transceiver,
    };
    let bind = Bind { interface_version: 0x34, ..Bind::default() };
    let request = match kind {
        BindKind::Receiver => Body::BindReceiver(bind),
        BindKind::Transmitter => Body::BindTransmitter(bind),
        BindKind::Transceiver => Body::BindTransceiver(bind),
    };
    if place.role == Role::Smsc {
        feed(&mut session, 1, request);
    } else {
        let mut asked = Vec::new();
        session.bind(BEGAN, kind, bind, &mut asked);
        let response = match kind {
            BindKind::Receiver => Body::BindReceiverResp(Default::default()),
            BindKind::Transmitter => Body::BindTransmitterResp(Default::default()),
            BindKind::Transceiver => Body::BindTransceiverResp(Default::default()),
        };
        feed(&mut session, word(&asked, 12).unwrap_or(1), response);
    }
    if place.state == State::Unbound {
        feed(&mut session, 2, Body::Unbind);
    }
    session
}

/// Lets the session ask what this response answers; None if this side never asks it in this state.
fn ask(session: &mut Session, place: Place, response: CommandId) -> Option<u32> {
    let mut out = Vec::new();
    let kind = match response {
        CommandId::BIND_RECEIVER_RESP => Some(BindKind::Receiver),
        CommandId::BIND_TRANSMITTER_RESP => Some(BindKind::Transmitter),
        CommandId::BIND_TRANSCEIVER_RESP => Some(BindKind::Transceiver),
        CommandId::GENERIC_NACK if matches!(place.state, State::Open | State::Outbound) => Some(BindKind::Transceiver),
        _ => None,
    };
    match (kind, response) {
        (Some(kind), _) => session.bind(NOW, kind, Bind::default(), &mut out),
        (None, CommandId::ENQUIRE_LINK_RESP) => {
            session.handle_timeout(NOW, &mut out);
        }
        (None, CommandId::UNBIND_RESP) => session.unbind(NOW, &mut out),
        (None, _) => {
            let command = match (response, place.role) {
                (CommandId::GENERIC_NACK, Role::Esme) => CommandId::SUBMIT_SM,
                (CommandId::GENERIC_NACK, Role::Smsc) => CommandId::DELIVER_SM,
                _ => request_of(response),
            };
            return session.submit(NOW, &Body::Unknown { command, body: &[] }, 1, &mut out).ok();
        }
    }
    word(&out, 12)
}

/// What an answer makes of the request that it answers.
fn resolved(status: CommandStatus, body: &Body<'_>) -> &'static str {
    let named = match body {
        Body::GenericNack => return "resolve_with_error",
        _ if !status.is_ok() => return "resolve_with_error",
        Body::SubmitSmResp(resp) | Body::BroadcastSmResp(resp) => resp.message_id.is_some_and(|id| !id.is_empty()),
        Body::DataSmResp(resp) => resp.message_id.is_some_and(|id| !id.is_empty()),
        Body::SubmitMultiResp(resp) => resp.is_some_and(|resp| !resp.message_id.is_empty()),
        _ => return "resolve",
    };
    if named { "resolve_with_message_id" } else { "resolve_with_empty_message_id" }
}

/// Answers a request as the edges do: what is valid is accepted, what is not gets the status of its first fault.
fn answer(
    session: &mut Session,
    role: Role,
    sequence: u32,
    body: &Body<'_>,
    now_micros: u64,
    out: &mut Vec<u8>,
) -> bool {
    let verdict = match body {
        Body::AlertNotification(_) => return true,
        Body::SubmitSm(message) => validate_submit(message, now_micros).map(|_| ()),
        Body::SubmitMulti(message) => validate_submit_multi(message, now_micros).map(|_| ()),
        Body::DataSm(message) if role == Role::Smsc => validate_data(message),
        Body::ReplaceSm(message) => validate_replace(message, now_micros).map(|_| ()),
        _ => Ok(()),
    };
    match (verdict, body.command().response()) {
        (Ok(()), Some(command)) => {
            session.respond(sequence, CommandStatus::ROK, &Body::Unknown { command, body: &[] }, out);
            true
        }
        (Ok(()), None) => false,
        (Err(status), _) => {
            session.reject(sequence, body.command(), status, out);
            false
        }
    }
}
