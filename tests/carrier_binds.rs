//! A bind to a carrier: what is released is submitted once, every answer becomes an outcome, receipts are answered once they are kept,
//! and a carrier that asks for less gets less.

mod edges;

use std::sync::Arc;
use std::time::Duration;

use edges::{CARRIER, Core, Peer, carrier_ground, runtime};
use sluice::carrier::bind::{Attempt, run};
use sluice::carrier::outcome::Treatment;
use sluice::carrier::{Config, Ground};
use sluice::command::{Command, Effect, Outcome, Role, Span};
use sluice::envelope::{Envelope, Party};
use sluice::fact::Notice;
use sluice::message::{Hidden, LinkId, State, Timestamp};
use sluice::smpp::address::Address;
use sluice::smpp::pdu::{BindResp, Body, SubmitSm, SubmitSmResp};
use sluice::smpp::session::BindKind;
use sluice::smpp::status::CommandStatus;
use sluice::smpp::tlv::Tlvs;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const OK: CommandStatus = CommandStatus::ROK;
const WINDOW: u16 = 4;

struct Bound<'r> {
    carrier: Peer<'r>,
    attempt: JoinHandle<Attempt>,
    stop: watch::Sender<bool>,
}

fn config() -> Config {
    Config {
        name: "alpha".to_owned(),
        system_id: "sluice".to_owned(),
        password: Hidden("secret".to_owned()),
        window: WINDOW,
        throttle_pause_first: Duration::from_millis(20),
        throttle_pause_max: Duration::from_millis(80),
        ..Config::default()
    }
}

fn connect<'r>(runtime: &'r Runtime, ground: &Ground, config: Config, kind: BindKind) -> Bound<'r> {
    let (near, far) = tokio::io::duplex(1 << 20);
    let (stop, mut stopped) = watch::channel(false);
    let (ground, config) = (ground.clone(), Arc::new(config));
    let attempt = runtime.spawn(async move { run(near, &config, &ground, kind, &mut stopped).await });
    Bound { carrier: Peer::new(far, runtime), attempt, stop }
}

/// Binds as transceiver; what the core hears of it is the link.
fn bound<'r>(runtime: &'r Runtime, core: &mut Core, config: Config) -> (Bound<'r>, Ground, LinkId) {
    let ground = carrier_ground(core);
    let mut bound = connect(runtime, &ground, config, BindKind::Transceiver);
    accept_bind(&mut bound.carrier, "bind_transceiver");
    let (command, _) = core.command();
    let Command::Open { link, role: Role::Carrier(CARRIER), window: WINDOW } = command else { panic!("{command:?}") };
    assert!(ground.presence.is_up(CARRIER));
    (bound, ground, link)
}

fn accept_bind(carrier: &mut Peer<'_>, expected: &str) {
    let (name, _, sequence) = carrier.answer();
    assert_eq!(name, expected);
    let resp = BindResp { system_id: Some(b"smsc"), tlvs: Tlvs::NONE };
    let body = match name {
        "bind_transceiver" => Body::BindTransceiverResp(resp),
        "bind_receiver" => Body::BindReceiverResp(resp),
        _ => Body::BindTransmitterResp(resp),
    };
    carrier.send(sequence, OK, body);
}

/// Releases one part to each of these window places.
fn release(core: &Core, link: LinkId, slots: std::ops::Range<u16>) {
    let mut octets = Vec::new();
    let written = Envelope::between(Party::default(), Party { ton: 1, npi: 1, addr: b"447700900123" });
    written.write(b"hello", &[5], &mut octets);
    let envelope = Span::since(0, &octets);
    let expires = Timestamp(i64::MAX);
    let submit = |slot| Effect::Submit { slot, part: 0, repeat: false, expires, envelope };
    core.send(link, slots.map(submit).collect(), octets);
}

/// The sequence number of the next submit_sm.
fn submitted(carrier: &mut Peer<'_>) -> u32 {
    let look = |pdu: sluice::smpp::pdu::Pdu<'_>| match pdu.body {
        Body::SubmitSm(sm) => {
            assert_eq!((sm.short_message, sm.registered_delivery), (&b"hello"[..], 1));
            pdu.sequence
        }
        other => panic!("{other:?}"),
    };
    carrier.receive(look).expect("the link is open")
}

fn answer(carrier: &mut Peer<'_>, sequence: u32, status: CommandStatus, id: &[u8]) {
    let message_id = status.is_ok().then_some(id);
    carrier.send(sequence, status, Body::SubmitSmResp(SubmitSmResp { message_id, tlvs: Tlvs::NONE }));
}

#[test]
fn every_answer_becomes_an_outcome() {
    let (runtime, mut core) = (runtime(), Core::new());
    let own = Config { statuses: vec![(0x55F, Treatment::Retry)], ..config() };
    let (mut bound, _, link) = bound(&runtime, &mut core, own);
    release(&core, link, 0..4);
    let sequences = [(); 4].map(|()| submitted(&mut bound.carrier));
    // In any order.
    answer(&mut bound.carrier, sequences[2], OK, b"abc123");
    let (command, octets) = core.command();
    let Command::Submitted { slot: 2, outcome: Outcome::Taken(id), .. } = command else { panic!("{command:?}") };
    assert_eq!(id.of(octets), b"abc123");
    let outcome = |slot, outcome| Command::Submitted { link, slot, outcome };
    answer(&mut bound.carrier, sequences[0], CommandStatus::RSYSERR, b"");
    assert_eq!(core.command().0, outcome(0, Outcome::Later { status: 8, counts: true }));
    answer(&mut bound.carrier, sequences[3], CommandStatus(0x55F), b"");
    assert_eq!(core.command().0, outcome(3, Outcome::Later { status: 0x55F, counts: true }));
    bound.carrier.send(sequences[1], CommandStatus::RINVDSTADR, Body::GenericNack);
    assert_eq!(core.command().0, outcome(1, Outcome::Refused { status: 0x0B }));
    drop(bound.carrier);
    assert_eq!(core.closed(), link);
    assert!(matches!(runtime.block_on(bound.attempt), Ok(Attempt::Held(_))));
}

#[test]
fn a_response_that_never_comes_leaves_the_outcome_in_doubt() {
    let (runtime, mut core) = (runtime(), Core::new());
    // Long enough that what is answered at once is answered in time on a busy machine too.
    let hasty = Config { response_timeout: Duration::from_secs(1), ..config() };
    let (mut bound, _, link) = bound(&runtime, &mut core, hasty);
    release(&core, link, 0..2);
    let (first, second) = (submitted(&mut bound.carrier), submitted(&mut bound.carrier));
    answer(&mut bound.carrier, second, OK, b"2");
    let mut outcomes = [core.command().0, core.command().0];
    outcomes.sort_by_key(|command| matches!(command, Command::Submitted { outcome: Outcome::Lost, .. }));
    assert!(matches!(outcomes[0], Command::Submitted { slot: 1, outcome: Outcome::Taken(_), .. }), "{outcomes:?}");
    assert_eq!(outcomes[1], Command::Submitted { link, slot: 0, outcome: Outcome::Lost });
    // Late responses change nothing, and the place is free for another part.
    answer(&mut bound.carrier, first, OK, b"1");
    release(&core, link, 0..1);
    let third = submitted(&mut bound.carrier);
    answer(&mut bound.carrier, third, OK, b"3");
    let (command, octets) = core.command();
    let Command::Submitted { slot: 0, outcome: Outcome::Taken(id), .. } = command else { panic!("{command:?}") };
    assert_eq!(id.of(octets), b"3");
}

#[test]
fn a_carrier_that_throttles_gets_a_pause_a_probe_and_then_a_slower_bind() {
    let (runtime, mut core) = (runtime(), Core::new());
    let (mut bound, ground, link) = bound(&runtime, &mut core, config());
    release(&core, link, 0..2);
    let (first, second) = (submitted(&mut bound.carrier), submitted(&mut bound.carrier));
    answer(&mut bound.carrier, first, OK, b"1");
    assert!(matches!(core.command().0, Command::Submitted { slot: 0, outcome: Outcome::Taken(_), .. }));
    let later = Outcome::Later { status: CommandStatus::RTHROTTLED.0, counts: false };
    for round in 0..2 {
        let throttled = if round == 0 { second } else { submitted(&mut bound.carrier) };
        answer(&mut bound.carrier, throttled, CommandStatus::RTHROTTLED, b"");
        // Held before the part comes back, so that it is not released to this bind again at once.
        assert_eq!(core.command().0, Command::Hold { link, held: true });
        assert!(ground.presence.carrier(CARRIER).expect("it exists").slowed() == 1);
        let mut given_back: Vec<u16> = Vec::new();
        let returned = if round == 0 { 1 } else { 2 };
        while given_back.len() < returned {
            let (command, _) = core.command();
            let Command::Submitted { slot, outcome, .. } = command else { panic!("{command:?}") };
            assert_eq!(outcome, later);
            given_back.push(slot);
        }
        // The pause ends by itself; of what is released then only one goes, as a probe.
        assert_eq!(core.command().0, Command::Hold { link, held: false });
        release(&core, link, 0..2);
    }
    let probe = submitted(&mut bound.carrier);
    answer(&mut bound.carrier, probe, OK, b"2");
    let other = submitted(&mut bound.carrier);
    answer(&mut bound.carrier, other, OK, b"3");
    for slot in 0..2 {
        let (command, _) = core.command();
        assert!(matches!(command, Command::Submitted { slot: s, outcome: Outcome::Taken(_), .. } if s == slot));
    }
    assert!(core.is_idle());
}

/// Makes the carrier throttle; the pause has passed when this returns, and the next part is the probe.
fn throttle(bound: &mut Bound<'_>, core: &mut Core, link: LinkId) {
    release(core, link, 0..1);
    let sequence = submitted(&mut bound.carrier);
    answer(&mut bound.carrier, sequence, CommandStatus::RTHROTTLED, b"");
    assert_eq!(core.command().0, Command::Hold { link, held: true });
    assert!(matches!(core.command().0, Command::Submitted { slot: 0, .. }));
    assert_eq!(core.command().0, Command::Hold { link, held: false });
}

#[test]
fn what_waits_behind_a_probe_was_never_sent_and_is_not_in_doubt() {
    let (runtime, mut core) = (runtime(), Core::new());
    let (mut bound, _, link) = bound(&runtime, &mut core, config());
    throttle(&mut bound, &mut core, link);
    release(&core, link, 0..2);
    submitted(&mut bound.carrier);
    drop(bound.carrier);
    let later = Outcome::Later { status: 0, counts: false };
    assert_eq!(core.command().0, Command::Submitted { link, slot: 1, outcome: later });
    assert_eq!(core.closed(), link);
}

#[test]
fn a_probe_that_cannot_be_submitted_is_followed_by_another() {
    let (runtime, mut core) = (runtime(), Core::new());
    let (mut bound, _, link) = bound(&runtime, &mut core, config());
    throttle(&mut bound, &mut core, link);
    let envelope = Span::default();
    let unreadable = Effect::Submit { slot: 0, part: 0, repeat: false, expires: Timestamp(i64::MAX), envelope };
    core.send(link, vec![unreadable], Vec::new());
    let (command, _) = core.command();
    assert!(matches!(command, Command::Submitted { slot: 0, outcome: Outcome::Refused { .. }, .. }), "{command:?}");
    release(&core, link, 1..2);
    submitted(&mut bound.carrier);
}

#[test]
fn a_task_that_dies_takes_nothing_with_it() {
    let (runtime, mut core) = (runtime(), Core::new());
    let (mut bound, ground, link) = bound(&runtime, &mut core, config());
    release(&core, link, 0..2);
    submitted(&mut bound.carrier);
    // A panic drops the task's future, as this does.
    bound.attempt.abort();
    assert_eq!(core.closed(), link);
    assert!(!ground.presence.is_up(CARRIER));
    while core.exchange.mailbox(link).is_some() {
        runtime.block_on(tokio::task::yield_now());
    }
}

#[test]
fn receipts_are_answered_once_they_are_kept() {
    let (runtime, mut core) = (runtime(), Core::new());
    let (mut bound, ground, link) = bound(&runtime, &mut core, config());
    release(&core, link, 0..1);
    let sequence = submitted(&mut bound.carrier);
    // The receipt comes before the response, and both in one write.
    let sm = SubmitSm {
        esm_class: 4,
        source: Address { ton: 1, npi: 1, addr: b"+447700900123" },
        short_message: b"id:77 sub:001 dlvrd:001 done date:2611211201 stat:DELIVRD err:000 text:hello",
        ..SubmitSm::default()
    };
    bound.carrier.send(900, OK, Body::DeliverSm(sm));
    answer(&mut bound.carrier, sequence, OK, b"77");
    let (command, octets) = core.command();
    let Command::Receipt { reply, carrier: CARRIER, notice, only_if_known: false } = command else {
        panic!("{command:?}")
    };
    let notice = Notice::read(notice.of(octets)).expect("a notice");
    assert_eq!((notice.text_id, notice.state), (&b"77"[..], Some(State::Delivered)));
    assert_eq!(notice.number, ground.keyring.number_hash(b"447700900123"));
    assert!(matches!(core.command().0, Command::Submitted { outcome: Outcome::Taken(_), .. }));
    core.send(link, vec![Effect::Noted { tag: reply.tag }], Vec::new());
    let answered = bound.carrier.receive(|pdu| match pdu.body {
        Body::DeliverSmResp(resp) => (pdu.sequence, pdu.status, resp.message_id.map(<[u8]>::to_vec)),
        other => panic!("{other:?}"),
    });
    assert_eq!(answered, Some((900, OK, Some(Vec::new()))));
    bound.carrier.send(901, OK, Body::DeliverSm(SubmitSm { esm_class: 0, short_message: b"STOP", ..sm }));
    assert_eq!(bound.carrier.answer(), ("deliver_sm_resp", CommandStatus::RX_T_APPN, 901), "kept by the carrier");
}

#[test]
fn a_pair_submits_on_one_bind_and_receives_on_the_other() {
    let (runtime, mut core) = (runtime(), Core::new());
    let ground = carrier_ground(&core);
    let mut receiver = connect(&runtime, &ground, config(), BindKind::Receiver);
    accept_bind(&mut receiver.carrier, "bind_receiver");
    let sm = SubmitSm { esm_class: 4, short_message: b"id:1 stat:DELIVRD text:", ..SubmitSm::default() };
    receiver.carrier.send(5, OK, Body::DeliverSm(sm));
    let (command, _) = core.command();
    let Command::Receipt { reply, .. } = command else { panic!("a receiver opens no window: {command:?}") };
    assert!(!ground.presence.is_up(CARRIER), "it cannot submit");
    core.send(reply.link, vec![Effect::Noted { tag: reply.tag }], Vec::new());
    assert_eq!(receiver.carrier.answer(), ("deliver_sm_resp", OK, 5));
    let mut transmitter = connect(&runtime, &ground, config(), BindKind::Transmitter);
    accept_bind(&mut transmitter.carrier, "bind_transmitter");
    assert!(matches!(core.command().0, Command::Open { role: Role::Carrier(CARRIER), .. }));
    assert!(ground.presence.is_up(CARRIER));
}

#[test]
fn a_refused_bind_says_why() {
    let (runtime, core) = (runtime(), Core::new());
    let mut bound = connect(&runtime, &carrier_ground(&core), config(), BindKind::Transceiver);
    let (_, _, sequence) = bound.carrier.answer();
    bound.carrier.send(sequence, CommandStatus::RINVPASWD, Body::BindTransceiverResp(BindResp::default()));
    assert_eq!(runtime.block_on(bound.attempt).expect("it ends"), Attempt::Refused(CommandStatus::RINVPASWD));
}

#[test]
fn stopping_holds_and_unbinds() {
    let (runtime, mut core) = (runtime(), Core::new());
    let (mut bound, ground, link) = bound(&runtime, &mut core, config());
    bound.stop.send(true).expect("the link listens");
    let (name, _, sequence) = bound.carrier.answer();
    assert_eq!(name, "unbind");
    assert_eq!(core.command().0, Command::Hold { link, held: true });
    // What was released meanwhile goes back.
    release(&core, link, 0..1);
    let back = Outcome::Later { status: 0, counts: false };
    assert_eq!(core.command().0, Command::Submitted { link, slot: 0, outcome: back });
    bound.carrier.send(sequence, OK, Body::UnbindResp);
    assert_eq!(core.closed(), link);
    assert!(!ground.presence.is_up(CARRIER));
}
