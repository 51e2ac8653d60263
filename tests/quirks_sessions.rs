//! Quirks Q77 to Q89: sequence numbers, timers, binds and unbinds as peers have them.

#[path = "smpp_session/support.rs"]
mod session;
mod support;

use std::time::Duration;

use serde_json::Value;
use session::{START, bound_esme, feed, heard, pdu, seconds, until_closed};
use sluice::smpp::calendar::Civil;
use sluice::smpp::command::CommandId;
use sluice::smpp::fields::Version;
use sluice::smpp::pdu::{Bind, BindResp, Body, SubmitSm};
use sluice::smpp::session::{BindKind, CloseReason, Event, Session, SessionConfig, SessionState};
use sluice::smpp::tag::Tag;
use sluice::smpp::tlv::{TlvWriter, Tlvs};
use sluice::smpp::window::{SEQUENCE_MAX, Window};
use sluice::tools::inspect::outcome::{Place, outcome};
use support::esme::{
    BIND_RECEIVER, BIND_TRANSCEIVER, BIND_TRANSMITTER, DELIVER_SM, Esme, Next, Pdu, RESPONSE, SUBMIT_SM, UNBIND,
};
use support::smsc::{Answer, Smsc, receipt};
use support::{Daemon, eventually, settings};

const OUTBIND: u32 = 0x0B;
const TO: &str = "447700900123";
const BIND_FAILED: u32 = 0x0D;
const INVALID_PASSWORD: u32 = 0x0E;
const INVALID_COMMAND: u32 = 3;

/// Plays every malformed vector of this rule; says how many there are.
fn rows_of(rule: &str) -> usize {
    let facts: Value = serde_json::from_str(include_str!("data/facts/pdu_vectors.json")).expect("the facts are JSON");
    let now = Civil { year: 2026, month: 11, day: 21, hour: 12, minute: 0, second: 0 }.micros();
    let rows = facts["malformed"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|row| row["rule"].as_str().and_then(|told| told.split(" ").next()) == Some(rule));
    let mut count = 0;
    for row in rows {
        let text = |name: &str| row[name].as_str().expect("text");
        let hex = text("hex");
        let octets: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal"))
            .collect();
        let place = Place::of(text("role"), text("state"), &octets).expect("a role and a state");
        let (found, _) = outcome(place, &octets, now);
        assert_eq!(serde_json::to_value(&found).expect("an outcome is JSON"), row["expect"], "{}", text("name"));
        count += 1;
    }
    count
}

#[test]
fn q77_any_number_of_a_peer_is_echoed_and_ours_wrap_past_those_in_use() {
    assert!(rows_of("R22") > 0);
    let mut window = Window::new(4);
    assert_eq!(window.take(START, CommandId::SUBMIT_SM, 7), Some(1));
    window.continue_at(SEQUENCE_MAX - 1);
    let next: Vec<u32> = (0..3).filter_map(|n| window.take(START, CommandId::SUBMIT_SM, n)).collect();
    assert_eq!(next, [0x7FFF_FFFE, 0x7FFF_FFFF, 2], "0 is never used, and 1 is outstanding");
}

#[test]
fn q78_probes_are_answered_before_a_bind_and_win_no_time() {
    assert!(rows_of("R21") > 0);
    let config = SessionConfig::default();
    let mut smsc = Session::smsc(config.clone(), START);
    for second in 1..5 {
        let (event, out) = feed(&mut smsc, START + seconds(second), &pdu(second as u32, Body::EnquireLink));
        assert!(matches!((event, &heard(&out)[..]), (Event::None, [(_, Body::EnquireLinkResp)])));
    }
    let (at, reason, _) = until_closed(&mut smsc);
    assert_eq!((at, reason), (START + config.bind_timeout, CloseReason::BindTimeout));

    let mut esme = Session::esme(config, START);
    esme.bind(START, BindKind::Transceiver, Bind::default(), &mut Vec::new());
    let (_, reason, out) = until_closed(&mut esme);
    assert_eq!(
        (reason, heard(&out).len()),
        (CloseReason::BindTimeout, 0),
        "a client probes nothing before it is bound"
    );
}

#[test]
fn q79_a_link_that_only_looks_alive_is_closed() {
    let config = SessionConfig::default();
    let mut silent = bound_esme(config.clone());
    let (at, reason, out) = until_closed(&mut silent);
    let given = config.enquire_link_interval + 2 * config.enquire_link_timeout;
    assert_eq!((at, reason, heard(&out).len()), (START + given, CloseReason::Dead, 2));

    let mut probed = bound_esme(config.clone());
    probed.submit(START, &Body::SubmitSm(SubmitSm::default()), 7, &mut Vec::new()).expect("a free window");
    let mut closed_at = None;
    while let Some(at) = probed.poll_timeout() {
        let mut out = Vec::new();
        while probed.handle_timeout(at, &mut out).is_some() {}
        if !out.is_empty() {
            let sequence = u32::from_be_bytes([out[12], out[13], out[14], out[15]]);
            feed(&mut probed, at, &pdu(sequence, Body::EnquireLinkResp));
        }
        closed_at = Some(at);
    }
    assert_eq!(closed_at, Some(START + config.response_timeout));
    assert_eq!(probed.close_reason(), Some(CloseReason::Unanswered));
}

#[test]
fn q80_a_bind_over_the_limit_takes_the_place_of_a_dead_one() {
    let config = "[smpp]\nlisten = \"127.0.0.1:0\"\nresponse_timeout = \"1s\"\n\n".to_owned()
        + &settings::tenant("riverside", "binds = 1")
        + &settings::carrier("alpha", support::silent_address(), "")
        + &settings::route(&["alpha"]);
    let daemon = Daemon::start(&config);
    // Its cable is cut: it neither answers nor closes.
    let cut = Esme::riverside(daemon.smpp);
    let bind = || Esme::bind(daemon.smpp, BIND_TRANSCEIVER, "riverside", "secret");
    assert_eq!(bind().err(), Some(BIND_FAILED), "what has just bound is not doubted");
    let mut again = eventually("the dead one makes room", || bind().ok());
    assert!(again.is_alive());
    // One that lives keeps its place, however often others try.
    let living = std::thread::spawn(move || {
        while let Next::Pdu(asked) = again.next() {
            again.answer(&asked);
            if asked.command == support::esme::ENQUIRE_LINK {
                break;
            }
        }
        again
    });
    while !living.is_finished() {
        assert_eq!(bind().err(), Some(BIND_FAILED));
    }
    assert!(living.join().expect("it answers").is_alive());
    drop(cut);
}

#[test]
fn q81_what_a_peer_asked_before_it_unbinds_is_answered_first() {
    let smsc = Smsc::start(|submit| Answer::Take(format!("{:08x}", submit.number), vec![]));
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, ""));
    let mut esme = Esme::riverside(daemon.smpp);
    let sequence = esme.submit(TO, "hello");
    assert_eq!(esme.response_to(sequence).status, 0);
    let submit = eventually("the submit", || smsc.submits().first().cloned());
    for _ in 0..10 {
        smsc.report(&submit, &receipt("00000001", "DELIVRD"));
    }
    smsc.say(submit.connection, UNBIND, 4_711, &[]);
    let heard =
        eventually("the answer to unbind", || Some(smsc.heard()).filter(|heard| heard.contains(&(UNBIND | RESPONSE))));
    let answered = heard.iter().take_while(|command| **command != UNBIND | RESPONSE);
    assert_eq!(answered.filter(|command| **command == DELIVER_SM | RESPONSE).count(), 10);
    eventually("it comes back", || (smsc.binds().0 == 2).then_some(()));
}

#[test]
fn q82_a_long_password_is_never_cut() {
    let smsc = Smsc::delivering();
    let config = settings::one_carrier(smsc.address, "").replace("\"hush\"", "\"hush56789\"");
    for (password, accepted) in [("secret789", ["secret789", "secret78"]), ("secret78", ["secret78", "secret789"])] {
        let daemon = Daemon::start(&config.replace("\"secret\"", &format!("\"{password}\"")));
        let bind = |password| Esme::bind(daemon.smpp, BIND_TRANSMITTER, "riverside", password).map(|_| ());
        assert_eq!(accepted.map(bind), [Ok(()), Err(INVALID_PASSWORD)]);
        assert!(daemon.log().contains("8 octets"), "whoever sets one is warned");
        // While the daemon runs that binds.
        let asked = eventually("the carrier is bound to", || smsc.asked().first().cloned());
        assert!(asked.body.starts_with(b"sluice\0hush56789\0"), "{asked:?}");
    }
}

#[test]
fn q83_a_limit_of_binds_is_exact() {
    let config = settings::tenant("riverside", "binds = 5")
        + &settings::carrier("alpha", support::silent_address(), "")
        + &settings::route(&["alpha"]);
    let daemon = Daemon::start(&config);
    let address = daemon.smpp;
    let bind = move || Esme::bind(address, BIND_TRANSMITTER, "riverside", "secret");
    let tries: Vec<_> = (0..100).map(|_| std::thread::spawn(bind)).collect();
    let answers: Vec<Result<Esme, u32>> = tries.into_iter().map(|thread| thread.join().expect("an answer")).collect();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 5);
    assert!(answers.iter().all(|answer| answer.as_ref().err().is_none_or(|status| *status == BIND_FAILED)));
    drop(answers);
    eventually("places of those that went are free", || bind().ok());
}

#[test]
fn q83_refused_credentials_are_not_tried_again_soon() {
    let wrong = Smsc::choosing(|_| INVALID_PASSWORD, |_| Answer::Silence);
    let busy = Smsc::choosing(|_| BIND_FAILED, |_| Answer::Silence);
    let further = "reconnect_first = \"10ms\"\nreconnect_max = \"20ms\"";
    let config = settings::tenant("riverside", "")
        + &settings::carrier("wrong", wrong.address, further)
        + &settings::carrier("busy", busy.address, further)
        + &settings::route(&["wrong", "busy"]);
    let _daemon = Daemon::start(&config);
    eventually("the busy one is asked again and again", || (busy.asked().len() > 20).then_some(()));
    assert_eq!(wrong.asked().len(), 1, "an account is not to be locked by us");
}

#[test]
fn q84_any_interface_version_has_its_rules() {
    let rules = [
        (0x00, Version::V33),
        (0x22, Version::V33),
        (0x33, Version::V33),
        (0x34, Version::V34),
        (0x4F, Version::V34),
        (0x50, Version::V50),
        (0xFF, Version::V50),
    ];
    for (octet, version) in rules {
        let mut session = Session::smsc(SessionConfig::default(), START);
        let bind = Bind { system_id: b"esme01", interface_version: octet, ..Bind::default() };
        let (event, _) = feed(&mut session, START, &pdu(1, Body::BindReceiver(bind)));
        assert!(matches!(event, Event::Bind { .. }), "{octet:#x}");
        let mut out = Vec::new();
        session.accept_bind(START, b"sluice", &mut out);
        assert_eq!((session.state(), session.peer_version()), (SessionState::BoundRx, version), "{octet:#x}");
        let [(_, Body::BindReceiverResp(resp))] = heard(&out)[..] else { panic!("one bind_receiver_resp") };
        assert_eq!(resp.tlvs.is_empty(), version == Version::V33, "{octet:#x}: a 3.3 peer is sent no parameters");
    }
}

#[test]
fn q85_a_carrier_that_tells_no_version_is_bound_to_and_its_parameters_are_read() {
    let mut session = Session::esme(SessionConfig::default(), START);
    session.bind(START, BindKind::Transceiver, Bind::default(), &mut Vec::new());
    let resp = BindResp { system_id: Some(b"old"), tlvs: Tlvs::NONE };
    let event = feed(&mut session, START, &pdu(1, Body::BindTransceiverResp(resp))).0;
    assert_eq!(event, Event::Bound { system_id: Some(b"old"), version: Version::V33 });
    let mut buffer = Vec::new();
    let mut writer = TlvWriter::new(&mut buffer);
    writer.text(Tag::RECEIPTED_MESSAGE_ID, b"5a3f");
    let body = Body::DeliverSm(SubmitSm { esm_class: 4, tlvs: writer.finish(), ..SubmitSm::default() });
    let (event, _) = feed(&mut session, START, &pdu(9, body));
    let Event::Request { sequence: 9, body: Body::DeliverSm(sm) } = event else { panic!("{event:?}") };
    assert_eq!(sm.tlvs.get_text(Tag::RECEIPTED_MESSAGE_ID), Some(&b"5a3f"[..]));
}

#[test]
fn q86_where_transceivers_are_unknown_a_pair_takes_their_place() {
    let smsc = Smsc::choosing(
        |bind| if bind.command == BIND_TRANSCEIVER { INVALID_COMMAND } else { 0 },
        |submit| {
            let id = format!("{:08x}", submit.number);
            Answer::Take(id.clone(), vec![receipt(&id, "DELIVRD")])
        },
    );
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, ""));
    let mut esme = Esme::riverside(daemon.smpp);
    let sequence = esme.submit(TO, "hello");
    assert_eq!(esme.response_to(sequence).status, 0);
    assert!(esme.receipt().contains("stat:DELIVRD"));
    let mut asked: Vec<u32> = smsc.asked().iter().map(|bind| bind.command).collect();
    asked.sort_unstable();
    assert_eq!(asked, [BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER]);
}

#[test]
fn q87_a_carrier_that_asks_is_bound_to_on_its_connection() {
    let listen = support::free_address();
    let outbind =
        format!("outbind_listen = \"{listen}\"\noutbind_system_id = \"smsc01\"\noutbind_password = \"outpw\"");
    let daemon = Daemon::start(&settings::one_carrier(support::silent_address(), &outbind));
    eventually("it listens", || std::net::TcpStream::connect(listen).ok());
    for wrong in [&b"smsc01\0other\0"[..], b"smsc02\0outpw\0"] {
        let mut stranger = Esme::connect(listen);
        stranger.request(OUTBIND, wrong);
        assert_eq!(stranger.next(), Next::Closed);
    }
    let mut carrier = Esme::connect(listen);
    carrier.request(OUTBIND, b"smsc01\0outpw\0");
    let Next::Pdu(bind) = carrier.next() else { panic!("closed instead of a bind") };
    assert_eq!(bind.command, BIND_TRANSCEIVER);
    assert!(bind.body.starts_with(b"sluice\0hush\0"), "{bind:?}");
    carrier.send(&Pdu { command: bind.command | RESPONSE, body: b"smsc01\0".to_vec(), ..bind });
    let mut esme = Esme::riverside(daemon.smpp);
    esme.submit(TO, "hello");
    let Next::Pdu(submit) = carrier.next() else { panic!("closed instead of a submit") };
    assert_eq!(submit.command, SUBMIT_SM);
}

#[test]
fn q89_connections_that_say_nothing_leave_nothing_behind() {
    let smsc = Smsc::delivering();
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, ""));
    assert!(Esme::riverside(daemon.smpp).is_alive());
    let files = || std::fs::read_dir(format!("/proc/{}/fd", daemon.pid())).expect("a process has descriptors").count();
    // Whoever bound stands there; nobody else does.
    let strangers = || daemon.log().lines().filter(|line| line.contains("peer=") && !line.contains("bound")).count();
    let files_before = files();
    for _ in 0..1_000 {
        drop(std::net::TcpStream::connect_timeout(&daemon.smpp, Duration::from_secs(20)).expect("the port is open"));
    }
    eventually("no descriptor is left", || (files() <= files_before).then_some(()));
    assert_eq!(strangers(), 0, "{}", daemon.log());
    assert!(Esme::riverside(daemon.smpp).is_alive());
}
