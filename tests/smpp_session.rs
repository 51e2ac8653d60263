//! The two sides of a session keep the standard's states, windows and timers, and bear what peers do in the field.

#[path = "smpp_session/support.rs"]
mod support;

use std::time::Duration;

use sluice::smpp::command::CommandId;
use sluice::smpp::fields::Version;
use sluice::smpp::frame::frame;
use sluice::smpp::pdu::{Bind, BindResp, Body, Outbind, SubmitSm, SubmitSmResp};
use sluice::smpp::session::{
    BindKind, CloseReason, Event, Session, SessionConfig, SessionState, TimeoutEvent, WindowFull,
};
use sluice::smpp::status::CommandStatus;
use sluice::smpp::tag::Tag;
use sluice::smpp::tlv::{TlvWriter, Tlvs};

use crate::support::{START, bound_esme, bound_smsc, feed, heard, pdu, seconds, until_closed};

const SUBMIT: Body<'static> = Body::SubmitSm(EMPTY);
const EMPTY: SubmitSm<'static> = SubmitSm {
    service_type: b"",
    source: NOWHERE,
    dest: NOWHERE,
    esm_class: 0,
    protocol_id: 0,
    priority_flag: 0,
    schedule_delivery_time: b"",
    validity_period: b"",
    registered_delivery: 0,
    replace_if_present_flag: 0,
    data_coding: 0,
    sm_default_msg_id: 0,
    short_message: b"hello",
    tlvs: Tlvs::NONE,
};
const NOWHERE: sluice::smpp::address::Address<'static> = sluice::smpp::address::Address { ton: 0, npi: 0, addr: b"" };

fn accepted(id: &'static [u8]) -> Body<'static> {
    Body::SubmitSmResp(SubmitSmResp { message_id: Some(id), tlvs: Tlvs::NONE })
}

#[test]
fn every_kind_of_bind_leads_to_its_state_on_both_sides() {
    for (kind, state) in [
        (BindKind::Receiver, SessionState::BoundRx),
        (BindKind::Transmitter, SessionState::BoundTx),
        (BindKind::Transceiver, SessionState::BoundTrx),
    ] {
        let (smsc, esme) = support::bound_pair(SessionConfig::default(), kind);
        assert_eq!((smsc.state(), esme.state()), (state, state));
        assert_eq!((smsc.peer_version(), esme.peer_version()), (Version::V34, Version::V34));
    }
}

#[test]
fn any_interface_version_is_accepted_and_only_later_ones_are_sent_tlvs() {
    for (octet, version) in [
        (0x00, Version::V33),
        (0x22, Version::V33),
        (0x33, Version::V33),
        (0x34, Version::V34),
        (0x50, Version::V50),
        (0xFF, Version::V50),
    ] {
        let mut session = Session::smsc(SessionConfig::default(), START);
        let bind = Bind { system_id: b"esme01", interface_version: octet, ..Bind::default() };
        let (event, _) = feed(&mut session, START, &pdu(1, Body::BindTransceiver(bind)));
        assert_eq!(event, Event::Bind { kind: BindKind::Transceiver, bind });
        let mut out = Vec::new();
        session.accept_bind(START, b"sluice", &mut out);
        assert_eq!(session.peer_version(), version);
        let [(_, Body::BindTransceiverResp(resp))] = heard(&out)[..] else { panic!("one bind_transceiver_resp") };
        let announced = (version >= Version::V34).then_some(0x34);
        assert_eq!(resp.tlvs.get_u8(Tag::SC_INTERFACE_VERSION), announced, "0x{octet:02X}");

        let mut buffer = Vec::new();
        let mut writer = TlvWriter::new(&mut buffer);
        writer.u8(Tag::MESSAGE_STATE, 2);
        let deliver = Body::DeliverSm(SubmitSm { tlvs: writer.finish(), ..EMPTY });
        out.clear();
        session.submit(START, &deliver, 1, &mut out).expect("a free window");
        let [(_, Body::DeliverSm(sent))] = heard(&out)[..] else { panic!("one deliver_sm") };
        assert_eq!(sent.tlvs.is_empty(), version == Version::V33, "0x{octet:02X}");
    }
}

#[test]
fn a_message_centre_that_tells_no_version_is_bound_all_the_same() {
    let mut session = Session::esme(SessionConfig::default(), START);
    let mut out = Vec::new();
    session.bind(START, BindKind::Transceiver, Bind::default(), &mut out);
    let resp = BindResp { system_id: Some(b"old"), tlvs: Tlvs::NONE };
    let event = feed(&mut session, START, &pdu(1, Body::BindTransceiverResp(resp))).0;
    assert_eq!(event, Event::Bound { system_id: Some(b"old"), version: Version::V33 });
}

#[test]
fn a_refused_bind_ends_the_session_on_both_sides() {
    let mut smsc = Session::smsc(SessionConfig::default(), START);
    feed(&mut smsc, START, &pdu(1, Body::BindTransmitter(Bind::default())));
    let mut out = Vec::new();
    smsc.reject_bind(CommandStatus::RINVPASWD, &mut out);
    assert_eq!(smsc.close_reason(), Some(CloseReason::BindRefused(CommandStatus::RINVPASWD)));
    assert_eq!(out.len(), 16, "an error response has no body");

    let mut esme = Session::esme(SessionConfig::default(), START);
    esme.bind(START, BindKind::Transmitter, Bind::default(), &mut Vec::new());
    let event = support::feed_octets(&mut esme, START, &out).0;
    assert_eq!(event, Event::BindFailed { status: CommandStatus::RINVPASWD });
    assert!(esme.is_closing());
}

#[test]
fn a_bind_that_is_not_known_there_is_told_by_generic_nack() {
    let mut esme = Session::esme(SessionConfig::default(), START);
    esme.bind(START, BindKind::Transceiver, Bind::default(), &mut Vec::new());
    let mut nack = pdu(1, Body::GenericNack);
    nack.status = CommandStatus::RINVCMDID;
    assert_eq!(feed(&mut esme, START, &nack).0, Event::BindFailed { status: CommandStatus::RINVCMDID });
}

#[test]
fn outbind_leads_to_a_bind_on_the_same_connection() {
    let mut esme = Session::esme(SessionConfig::default(), START);
    let outbind = Outbind { system_id: b"smsc01", password: b"outpw" };
    assert_eq!(feed(&mut esme, START, &pdu(1, Body::Outbind(outbind))), (Event::Outbind(outbind), Vec::new()));
    assert_eq!(esme.state(), SessionState::Outbound);
    let mut out = Vec::new();
    esme.bind(START, BindKind::Receiver, Bind::default(), &mut out);
    assert!(matches!(heard(&out)[..], [(_, Body::BindReceiver(_))]));
}

#[test]
fn responses_come_in_any_order_and_find_their_request() {
    let mut esme = bound_esme(SessionConfig::default());
    let mut out = Vec::new();
    let sequences: Vec<u32> =
        (0..5).map(|token| esme.submit(START, &SUBMIT, 100 + token, &mut out).expect("a free window")).collect();
    for at in [3, 0, 4, 1, 2] {
        let (event, answer) = feed(&mut esme, START, &pdu(sequences[at], accepted(b"id")));
        let (token, status) = (100 + at as u32, CommandStatus::ROK);
        assert_eq!(event, Event::Response { token, status, body: accepted(b"id") });
        assert!(answer.is_empty());
    }
    assert_eq!(esme.outstanding(), 0);
}

#[test]
fn the_window_is_never_exceeded() {
    let mut esme = bound_esme(SessionConfig { window_max: 1, ..SessionConfig::default() });
    for token in 0..100 {
        let sequence = esme.submit(START, &SUBMIT, token, &mut Vec::new()).expect("a free window");
        assert_eq!(esme.submit(START, &SUBMIT, 999, &mut Vec::new()), Err(WindowFull));
        assert_eq!((esme.outstanding(), esme.free()), (1, 0));
        feed(&mut esme, START, &pdu(sequence, accepted(b"id")));
    }
}

#[test]
fn nothing_is_submitted_before_a_bind_or_against_its_direction() {
    let mut esme = Session::esme(SessionConfig::default(), START);
    assert_eq!(esme.submit(START, &SUBMIT, 1, &mut Vec::new()), Err(WindowFull));
    let (mut smsc, mut esme) = support::bound_pair(SessionConfig::default(), BindKind::Transmitter);
    assert_eq!(smsc.submit(START, &Body::DeliverSm(EMPTY), 1, &mut Vec::new()), Err(WindowFull));
    assert!(esme.submit(START, &SUBMIT, 1, &mut Vec::new()).is_ok());
    let (mut smsc, mut esme) = support::bound_pair(SessionConfig::default(), BindKind::Receiver);
    assert!(smsc.submit(START, &Body::DeliverSm(EMPTY), 1, &mut Vec::new()).is_ok());
    assert_eq!(esme.submit(START, &SUBMIT, 1, &mut Vec::new()), Err(WindowFull));
}

#[test]
fn late_and_unmatched_responses_are_counted_and_never_answered() {
    let mut esme = bound_esme(SessionConfig::default());
    let sequence = esme.submit(START, &SUBMIT, 7, &mut Vec::new()).expect("a free window");
    let deliver_sm_resp = Body::DeliverSmResp(SubmitSmResp::default());
    for (sequence, body) in [
        (sequence, deliver_sm_resp),
        (99_999, accepted(b"late")),
        (1, Body::UnbindResp),
        (55, Body::EnquireLinkResp),
        (sequence, Body::Unknown { command: CommandId(0x8000_0999), body: b"" }),
    ] {
        assert_eq!(feed(&mut esme, START, &pdu(sequence, body)), (Event::None, Vec::new()));
    }
    assert_eq!(esme.tolerated().unmatched_responses, 5);
    assert_eq!(esme.outstanding(), 1);
    let mut out = Vec::new();
    let expired = esme.handle_timeout(START + seconds(60), &mut out);
    assert_eq!(expired, Some(TimeoutEvent::Expired { token: 7 }));
    assert_eq!(feed(&mut esme, START + seconds(61), &pdu(sequence, accepted(b"late"))), (Event::None, Vec::new()));
    assert_eq!(esme.tolerated().unmatched_responses, 6);
}

#[test]
fn generic_nack_answers_the_request_of_its_number() {
    let mut esme = bound_esme(SessionConfig::default());
    let sequence = esme.submit(START, &SUBMIT, 7, &mut Vec::new()).expect("a free window");
    let mut nack = pdu(sequence, Body::GenericNack);
    nack.status = CommandStatus::RINVCMDID;
    let event = Event::Response { token: 7, status: CommandStatus::RINVCMDID, body: Body::GenericNack };
    assert_eq!(feed(&mut esme, START, &nack).0, event);
    assert!(!esme.is_closing());
}

#[test]
fn generic_nacks_that_answer_nothing_end_the_session_in_the_end() {
    let mut esme = bound_esme(SessionConfig { unmatched_nacks_max: 3, ..SessionConfig::default() });
    for _ in 0..2 {
        assert_eq!(feed(&mut esme, START, &pdu(0, Body::GenericNack)).0, Event::None);
    }
    let sequence = esme.submit(START, &SUBMIT, 7, &mut Vec::new()).expect("a free window");
    feed(&mut esme, START, &pdu(sequence, accepted(b"id")));
    for _ in 0..2 {
        assert_eq!(feed(&mut esme, START, &pdu(0, Body::GenericNack)).0, Event::None, "counted anew");
    }
    let event = feed(&mut esme, START, &pdu(0, Body::GenericNack)).0;
    assert_eq!(event, Event::Closed(CloseReason::OutOfStep));
}

#[test]
fn what_is_not_supported_is_answered_and_the_session_lives() {
    let mut smsc = bound_smsc(SessionConfig::default());
    let vendor = Body::Unknown { command: CommandId::AUTH_ACC, body: b"abc" };
    for body in [vendor, Body::ParamRetrieve(sluice::smpp::pdu::ParamRetrieve { param_name: b"x" })] {
        let (event, answer) = feed(&mut smsc, START, &pdu(8, body));
        assert_eq!(event, Event::None);
        assert_eq!(heard(&answer), [(CommandStatus::RINVCMDID, Body::GenericNack)]);
    }
    let (event, answer) = feed(&mut smsc, START, &pdu(9, Body::DeliverSm(EMPTY)));
    assert_eq!(event, Event::None, "a message centre is not delivered to");
    assert_eq!(heard(&answer), [(CommandStatus::RINVCMDID, Body::DeliverSmResp(SubmitSmResp::default()))]);
    assert_eq!((smsc.state(), smsc.tolerated().refused_requests), (SessionState::BoundTrx, 3));
}

#[test]
fn unbind_waits_for_the_answers_to_what_was_asked_before() {
    let mut smsc = bound_smsc(SessionConfig::default());
    for sequence in 2..12 {
        assert!(matches!(feed(&mut smsc, START, &pdu(sequence, SUBMIT)).0, Event::Request { .. }));
    }
    assert_eq!(feed(&mut smsc, START, &pdu(12, Body::Unbind)), (Event::Unbinding, Vec::new()));
    let (event, answer) = feed(&mut smsc, START, &pdu(13, SUBMIT));
    assert_eq!(event, Event::None);
    assert_eq!(heard(&answer), [(CommandStatus::RINVBNDSTS, Body::SubmitSmResp(SubmitSmResp::default()))]);
    assert_eq!(smsc.free(), 0, "nothing is sent to a peer that is leaving");
    let mut out = Vec::new();
    for sequence in 2..12 {
        assert!(!smsc.is_closing());
        smsc.respond(sequence, CommandStatus::ROK, &accepted(b"id"), &mut out);
    }
    assert_eq!(smsc.close_reason(), Some(CloseReason::PeerUnbound));
    let answers = heard(&out);
    assert_eq!(answers.len(), 11);
    assert_eq!(answers[10], (CommandStatus::ROK, Body::UnbindResp));
}

#[test]
fn unbind_does_not_wait_for_ever() {
    let mut smsc = bound_smsc(SessionConfig::default());
    feed(&mut smsc, START, &pdu(2, SUBMIT));
    feed(&mut smsc, START, &pdu(3, Body::Unbind));
    assert_eq!(smsc.poll_timeout(), Some(START + seconds(5)));
    let (at, reason, out) = until_closed(&mut smsc);
    assert_eq!((at, reason), (START + seconds(5), CloseReason::UnbindTimeout));
    assert_eq!(heard(&out), [(CommandStatus::ROK, Body::UnbindResp)]);
}

#[test]
fn our_unbind_lets_outstanding_responses_in_and_ends_with_its_own() {
    let mut esme = bound_esme(SessionConfig::default());
    let sequence = esme.submit(START, &SUBMIT, 7, &mut Vec::new()).expect("a free window");
    let mut out = Vec::new();
    esme.unbind(START, &mut out);
    assert_eq!(heard(&out), [(CommandStatus::ROK, Body::Unbind)]);
    assert_eq!(esme.submit(START, &SUBMIT, 8, &mut Vec::new()), Err(WindowFull));
    assert!(matches!(feed(&mut esme, START, &pdu(sequence, accepted(b"id"))).0, Event::Response { token: 7, .. }));
    let event = feed(&mut esme, START, &pdu(sequence + 1, Body::UnbindResp)).0;
    assert_eq!(event, Event::Closed(CloseReason::Unbound));
}

#[test]
fn an_unbound_connection_ends_at_the_bind_timer_whatever_it_enquires() {
    let mut smsc = Session::smsc(SessionConfig::default(), START);
    for second in 0..5 {
        let (event, answer) = feed(&mut smsc, START + seconds(second), &pdu(0xFFFF_FFFF, Body::EnquireLink));
        assert_eq!((event, heard(&answer)), (Event::None, vec![(CommandStatus::ROK, Body::EnquireLinkResp)]));
    }
    assert_eq!(until_closed(&mut smsc), (START + seconds(5), CloseReason::BindTimeout, Vec::new()));
}

#[test]
fn a_silent_peer_is_probed_twice_and_given_up() {
    let mut esme = bound_esme(SessionConfig::default());
    let (at, reason, out) = until_closed(&mut esme);
    assert_eq!((at, reason), (START + seconds(30 + 10 + 10), CloseReason::Dead));
    assert_eq!(heard(&out), [(CommandStatus::ROK, Body::EnquireLink); 2]);
}

#[test]
fn a_process_that_slept_gives_the_peer_its_time() {
    let mut esme = bound_esme(SessionConfig::default());
    let (now, mut out) = (START + seconds(1_000), Vec::new());
    assert_eq!(esme.handle_timeout(now, &mut out), None);
    assert_eq!(heard(&out), [(CommandStatus::ROK, Body::EnquireLink)]);
    assert_eq!(esme.poll_timeout(), Some(now + seconds(10)));
    assert_eq!(esme.handle_timeout(now, &mut out), None, "nothing more is due");
}

#[test]
fn whoever_asks_for_a_sign_of_life_again_and_again_wins_the_peer_no_time() {
    let mut smsc = bound_smsc(SessionConfig::default());
    let mut out = Vec::new();
    for second in [1, 5, 9] {
        smsc.probe(START + seconds(second), &mut out);
    }
    assert_eq!(heard(&out), [(CommandStatus::ROK, Body::EnquireLink)]);
    let (at, reason, _) = until_closed(&mut smsc);
    assert_eq!((at, reason), (START + seconds(1 + 10), CloseReason::Dead));

    let mut smsc = bound_smsc(SessionConfig::default());
    smsc.probe(START + seconds(1), &mut out);
    feed(&mut smsc, START + seconds(2), &pdu(7, Body::EnquireLink));
    assert_eq!(smsc.poll_timeout(), Some(START + seconds(2 + 30)), "any sign of life will do");
}

#[test]
fn any_pdu_is_a_sign_of_life() {
    let mut esme = bound_esme(SessionConfig::default());
    for second in (25..1_000).step_by(25) {
        let now = START + seconds(second);
        assert_eq!(esme.handle_timeout(now, &mut Vec::new()), None);
        feed(&mut esme, now, &pdu(second as u32, Body::DeliverSm(EMPTY)));
        assert_eq!(esme.poll_timeout(), Some(now + seconds(30)));
    }
}

#[test]
fn a_peer_that_answers_probes_alone_is_given_up_and_its_requests_are_told() {
    let mut esme = bound_esme(SessionConfig::default());
    for token in 0..3 {
        esme.submit(START, &SUBMIT, token, &mut Vec::new()).expect("a free window");
    }
    let (mut now, mut events) = (START, Vec::new());
    while let Some(at) = esme.poll_timeout() {
        now = at;
        let mut out = Vec::new();
        while let Some(event) = esme.handle_timeout(now, &mut out) {
            events.push(event);
        }
        if !out.is_empty() {
            let probe = frame(&out, 16).map(|_| u32::from_be_bytes([out[12], out[13], out[14], out[15]]));
            feed(&mut esme, now, &pdu(probe.expect("an enquire_link"), Body::EnquireLinkResp));
        }
    }
    assert_eq!(now, START + seconds(60));
    let expired = |token| TimeoutEvent::Expired { token };
    let closed = TimeoutEvent::Closed(CloseReason::Unanswered);
    assert_eq!(events, [expired(0), expired(1), expired(2), closed]);
}

#[test]
fn one_lost_response_among_answered_ones_costs_no_session() {
    let mut esme = bound_esme(SessionConfig::default());
    esme.submit(START, &SUBMIT, 1, &mut Vec::new()).expect("a free window");
    let later = START + seconds(20);
    let sequence = esme.submit(later, &SUBMIT, 2, &mut Vec::new()).expect("a free window");
    feed(&mut esme, later + Duration::from_millis(5), &pdu(sequence, accepted(b"id")));
    let now = START + seconds(60);
    let mut out = Vec::new();
    assert_eq!(esme.handle_timeout(now, &mut out), Some(TimeoutEvent::Expired { token: 1 }));
    assert_eq!(esme.handle_timeout(now, &mut out), None);
    assert!(!esme.is_closing());
}

#[test]
fn a_response_of_the_same_moment_counts() {
    // A link that sends and reads in one turn does both with one `now`.
    let mut esme = bound_esme(SessionConfig::default());
    esme.submit(START, &SUBMIT, 1, &mut Vec::new()).expect("a free window");
    let sequence = esme.submit(START, &SUBMIT, 2, &mut Vec::new()).expect("a free window");
    feed(&mut esme, START, &pdu(sequence, accepted(b"id")));
    let (now, mut out) = (START + seconds(60), Vec::new());
    assert_eq!(esme.handle_timeout(now, &mut out), Some(TimeoutEvent::Expired { token: 1 }));
    assert_eq!(esme.handle_timeout(now, &mut out), None);
    assert!(!esme.is_closing());
}

#[test]
fn an_idle_session_is_ended_only_where_that_is_wanted() {
    let config = SessionConfig { idle_timeout: Some(seconds(100)), ..SessionConfig::default() };
    let mut smsc = bound_smsc(config);
    for second in (20..100).step_by(20) {
        feed(&mut smsc, START + seconds(second), &pdu(second as u32, Body::EnquireLink));
    }
    let mut out = Vec::new();
    let event = smsc.handle_timeout(START + seconds(100), &mut out);
    assert_eq!(event, Some(TimeoutEvent::Closed(CloseReason::Idle)));
    assert_eq!(heard(&out), [(CommandStatus::ROK, Body::Unbind)]);
}

#[test]
fn what_was_outstanding_is_told_oldest_first_when_the_session_ends() {
    let mut esme = bound_esme(SessionConfig::default());
    let sequences: Vec<u32> =
        (0..4).filter_map(|token| esme.submit(START, &SUBMIT, token, &mut Vec::new()).ok()).collect();
    feed(&mut esme, START, &pdu(sequences[1], accepted(b"id")));
    let error = frame(&[0; 4], 16).expect_err("no length");
    let mut out = Vec::new();
    assert_eq!(esme.handle_frame_error(START, &error, &mut out), Event::Closed(CloseReason::OutOfStep));
    assert_eq!(heard(&out), [(CommandStatus::RINVCMDLEN, Body::GenericNack)]);
    assert_eq!(esme.handle_frame_error(START, &error, &mut out), Event::None, "said once");
    assert_eq!(heard(&out).len(), 1);
    assert_eq!(std::iter::from_fn(|| esme.drain()).collect::<Vec<_>>(), [0, 2, 3]);
}
