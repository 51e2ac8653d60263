//! What a session does with the octets of a vector: framed, decoded, validated and answered as a message centre or an
//! ESME would, over a state machine that stands in the state of the vector.

use std::time::Duration;

use serde_json::Value;
use sluice::smpp::command::CommandId;
use sluice::smpp::decode::decode;
use sluice::smpp::encode::encode;
use sluice::smpp::frame::{PDU_OCTETS_MAX_DEFAULT, frame};
use sluice::smpp::pdu::{Bind, Body, Pdu, SubmitSm, SubmitSmResp};
use sluice::smpp::session::{BindKind, CloseReason, Event, Session, SessionConfig, TimeoutEvent};
use sluice::smpp::status::CommandStatus;
use sluice::smpp::validate::{validate_data, validate_submit, validate_submit_multi};

const NOW: Duration = Duration::from_secs(1_000);

/// The outcome in the words of the vectors.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) action: String,
    pub(crate) reply: String,
    pub(crate) command_status: String,
    pub(crate) sequence_number: Option<u64>,
    pub(crate) closes: bool,
}

impl Outcome {
    pub(crate) fn of_vector(expect: &Value, state: &str) -> Outcome {
        let text = |name: &str| expect[name].as_str().expect("text").to_owned();
        let closes = expect["session"] == "close";
        assert!(state != "UNBOUND" || !closes, "an unbound session is at its end already");
        Outcome {
            action: text("action"),
            reply: text("reply"),
            command_status: text("command_status"),
            sequence_number: expect["sequence_number"].as_u64(),
            closes,
        }
    }

    fn without_reply(action: &str, closes: bool) -> Outcome {
        let (reply, command_status) = (String::new(), String::new());
        Outcome { action: action.to_owned(), reply, command_status, sequence_number: None, closes }
    }
}

/// A session of the role in the state, and the sequence number of its outstanding submit_sm, if it has one.
fn session_in(role: &str, state: &str) -> (Session, Option<u32>) {
    let mut out = Vec::new();
    let kind = match state {
        "BOUND_RX" => BindKind::Receiver,
        _ => BindKind::Transceiver,
    };
    let bind = Bind { interface_version: 0x34, ..Bind::default() };
    if role == "ESME" {
        let mut session = Session::esme(SessionConfig::default(), NOW);
        assert_eq!(state, "BOUND_TRX");
        session.bind(NOW, kind, bind, &mut out);
        let resp = Pdu { status: CommandStatus::ROK, sequence: 1, body: Body::BindTransceiverResp(Default::default()) };
        assert!(matches!(session.handle_pdu(NOW, resp, &mut out), Event::Bound { .. }));
        let sequence = session.submit(NOW, &Body::SubmitSm(SubmitSm::default()), 77, &mut out).expect("a free window");
        return (session, Some(sequence));
    }
    let mut session = Session::smsc(SessionConfig::default(), NOW);
    let mut feed = |session: &mut Session, body: Body<'_>| {
        let pdu = Pdu { status: CommandStatus::ROK, sequence: 1, body };
        session.handle_pdu(NOW, pdu, &mut out);
        session.accept_bind(NOW, b"sluice", &mut out);
    };
    match kind {
        _ if state == "OPEN" => {}
        BindKind::Receiver => feed(&mut session, Body::BindReceiver(bind)),
        _ => feed(&mut session, Body::BindTransceiver(bind)),
    }
    if state == "UNBOUND" {
        feed(&mut session, Body::Unbind);
        assert_eq!(session.close_reason(), Some(CloseReason::PeerUnbound));
    }
    (session, None)
}

/// Answers a request as the edges do: what is valid is accepted, what is not gets the status of its first fault.
fn answer_request(session: &mut Session, sequence: u32, body: &Body<'_>, now_micros: u64, out: &mut Vec<u8>) {
    let accepted = SubmitSmResp { message_id: Some(b"1"), ..SubmitSmResp::default() };
    let (verdict, resp) = match body {
        Body::SubmitSm(message) => (validate_submit(message, now_micros).map(|_| ()), Body::SubmitSmResp(accepted)),
        Body::DataSm(message) => (validate_data(message), Body::DataSmResp(accepted)),
        Body::SubmitMulti(message) => {
            (validate_submit_multi(message, now_micros).map(|_| ()), Body::SubmitMultiResp(None))
        }
        Body::DeliverSm(_) => (Ok(()), Body::DeliverSmResp(SubmitSmResp { message_id: Some(b""), ..accepted })),
        _ => (Err(CommandStatus::RINVCMDID), Body::GenericNack),
    };
    match verdict {
        Ok(()) => session.respond(sequence, CommandStatus::ROK, &resp, out),
        Err(status) => session.reject(sequence, body.command(), status, out),
    }
}

/// Feeds the octets of a vector, which are one PDU or a broken one, and then an enquire_link to see that the stream is
/// still in step.
pub(crate) fn outcome_of(role: &str, state: &str, octets: &[u8], now_micros: u64) -> Outcome {
    let (mut session, outstanding) = session_in(role, state);
    let before = session.close_reason();
    let mut out = Vec::new();
    let mut octets = octets.to_vec();
    // The vectors say that the request is outstanding under some number; ours has its own.
    if let Some(sequence) = outstanding.filter(|_| octets[4..8] == CommandId::SUBMIT_SM_RESP.0.to_be_bytes())
        && octets[12..16] != 99_999_u32.to_be_bytes()
    {
        octets[12..16].copy_from_slice(&sequence.to_be_bytes());
    }
    let event = match frame(&octets, PDU_OCTETS_MAX_DEFAULT) {
        Ok(Some(length)) => {
            assert_eq!(length, octets.len());
            match decode(&octets) {
                Ok(pdu) => session.handle_pdu(NOW, pdu, &mut out),
                Err(error) => session.handle_decode_error(NOW, &error, &mut out),
            }
        }
        Ok(None) => return waited(session, out),
        Err(error) => session.handle_frame_error(NOW, &error, &mut out),
    };
    match event {
        Event::Request { sequence, body } => {
            answer_request(&mut session, sequence, &body, now_micros, &mut out);
        }
        Event::Response { token: 77, status, body: Body::SubmitSmResp(resp) } => {
            assert!(out.is_empty(), "a response is never answered");
            let action = match resp.message_id {
                _ if !status.is_ok() => "resolve_with_error",
                None => "resolve_with_empty_message_id",
                Some(id) => {
                    assert_eq!(id, b"12345678");
                    "resolve_with_message_id"
                }
            };
            return Outcome::without_reply(action, session.is_closing());
        }
        Event::None | Event::Closed(_) => {}
        other => panic!("not an outcome of these vectors: {other:?}"),
    }
    let closes = session.close_reason() != before;
    let outcome = replied(&out, closes);
    if !closes {
        assert_in_step(&mut session);
    }
    outcome
}

/// Not a whole PDU: nothing is answered, and the timers end the session.
fn waited(mut session: Session, mut out: Vec<u8>) -> Outcome {
    assert!(out.is_empty());
    let mut closed = None;
    while let Some(at) = session.poll_timeout() {
        while let Some(event) = session.handle_timeout(at, &mut out) {
            if let TimeoutEvent::Closed(reason) = event {
                closed = Some(reason);
            }
        }
    }
    assert_eq!(closed, Some(CloseReason::Dead));
    Outcome::without_reply("wait", true)
}

fn replied(out: &[u8], closes: bool) -> Outcome {
    if out.is_empty() {
        return Outcome::without_reply("ignore", closes);
    }
    assert_eq!(frame(out, PDU_OCTETS_MAX_DEFAULT), Ok(Some(out.len())), "one PDU answers one PDU");
    let reply = decode(out).expect("what we write can be read");
    let command = reply.body.command();
    let action = if command == CommandId::GENERIC_NACK { "generic_nack" } else { "response" };
    Outcome {
        action: action.to_owned(),
        reply: command.name().expect("a known command").to_owned(),
        command_status: format!("0x{:08X}", reply.status.0),
        sequence_number: Some(reply.sequence.into()),
        closes,
    }
}

fn assert_in_step(session: &mut Session) {
    let mut octets = Vec::new();
    let probe = Pdu { status: CommandStatus::ROK, sequence: 4_711, body: Body::EnquireLink };
    encode(&probe, &mut octets);
    let mut out = Vec::new();
    session.handle_pdu(NOW, decode(&octets).expect("an enquire_link"), &mut out);
    let reply = decode(&out).expect("an answer");
    assert_eq!((reply.sequence, reply.body), (4_711, Body::EnquireLinkResp));
}
