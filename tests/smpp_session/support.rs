//! Sessions in a wanted state, and what they say.
#![allow(dead_code, reason = "each test binary uses the part it needs")]

use std::time::Duration;

use sluice::smpp::decode::decode;
use sluice::smpp::frame::{PDU_OCTETS_MAX_DEFAULT, frame};
use sluice::smpp::pdu::{Bind, Body, Pdu};
use sluice::smpp::session::{BindKind, CloseReason, Event, Session, SessionConfig, TimeoutEvent};
use sluice::smpp::status::CommandStatus;

/// When all sessions start.
pub(crate) const START: Duration = Duration::from_secs(1_000);

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn pdu(sequence: u32, body: Body<'_>) -> Pdu<'_> {
    Pdu { status: CommandStatus::ROK, sequence, body }
}

/// Hands a PDU to the session: the event and what was answered.
pub(crate) fn feed<'a>(session: &mut Session, now: Duration, pdu: &Pdu<'a>) -> (Event<'a>, Vec<u8>) {
    let mut out = Vec::new();
    let event = session.handle_pdu(now, *pdu, &mut out);
    (event, out)
}

/// As [`feed`], for the octets of one PDU.
pub(crate) fn feed_octets<'a>(session: &mut Session, now: Duration, octets: &'a [u8]) -> (Event<'a>, Vec<u8>) {
    feed(session, now, &decode(octets).expect("a PDU"))
}

/// The status and body of each PDU.
pub(crate) fn heard(mut octets: &[u8]) -> Vec<(CommandStatus, Body<'_>)> {
    let mut heard = Vec::new();
    while let Some(length) = frame(octets, PDU_OCTETS_MAX_DEFAULT).expect("sound lengths") {
        let pdu = decode(&octets[..length]).expect("what we write can be read");
        heard.push((pdu.status, pdu.body));
        octets = &octets[length..];
    }
    assert!(octets.is_empty());
    heard
}

/// Both sides after a bind that crossed the wire as octets.
pub(crate) fn bound_pair(config: SessionConfig, kind: BindKind) -> (Session, Session) {
    let mut esme = Session::esme(config.clone(), START);
    let mut smsc = Session::smsc(config, START);
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    let bind = Bind { system_id: b"esme01", password: b"secret", interface_version: 0x34, ..Bind::default() };
    esme.bind(START, kind, bind, &mut asked);
    assert_eq!(feed_octets(&mut smsc, START, &asked), (Event::Bind { kind, bind }, Vec::new()));
    smsc.accept_bind(START, b"sluice", &mut answered);
    assert!(matches!(feed_octets(&mut esme, START, &answered).0, Event::Bound { system_id: Some(b"sluice"), .. }));
    (smsc, esme)
}

pub(crate) fn bound_smsc(config: SessionConfig) -> Session {
    bound_pair(config, BindKind::Transceiver).0
}

pub(crate) fn bound_esme(config: SessionConfig) -> Session {
    bound_pair(config, BindKind::Transceiver).1
}

/// Lets time pass until the session ends: when, why, and what it said.
pub(crate) fn until_closed(session: &mut Session) -> (Duration, CloseReason, Vec<u8>) {
    let mut out = Vec::new();
    while let Some(at) = session.poll_timeout() {
        while let Some(event) = session.handle_timeout(at, &mut out) {
            if let TimeoutEvent::Closed(reason) = event {
                return (at, reason, out);
            }
        }
    }
    panic!("no timer ends this session");
}
