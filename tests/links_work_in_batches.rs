//! A platform's link: what one read holds reaches the core in one piece, whatever the pieces it came in; what is not offered is
//! answered; what is not SMPP is told so once; who does not read is closed.

mod edges;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use edges::{Core, Peer, bind, runtime, server_ground, submit, tenant};
use sluice::command::{Answer, Command, Denial, Effect, Report, Role};
use sluice::envelope::{Envelope, Party};
use sluice::fact::Accepted;
use sluice::ingress::smpp::listen::run;
use sluice::ingress::smpp::{Config, Ground};
use sluice::link::{Ended, Limits};
use sluice::message::{LinkId, MessageId, State, Timestamp};
use sluice::smpp::encode::encode;
use sluice::smpp::fields::Version;
use sluice::smpp::pdu::{Body, DataSm, Pdu, QuerySm, SubmitSmResp};
use sluice::smpp::session::CloseReason;
use sluice::smpp::status::CommandStatus;
use sluice::smpp::tag::Tag;
use sluice::smpp::tlv::{TlvWriter, Tlvs};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const OK: CommandStatus = CommandStatus::ROK;

struct Served<'r> {
    peer: Peer<'r>,
    ended: JoinHandle<Ended>,
    stop: watch::Sender<bool>,
}

/// Connects a peer through a pipe of `capacity` octets.
fn connect<'r>(runtime: &'r Runtime, ground: &Arc<Ground>, capacity: usize) -> Served<'r> {
    let (near, far) = tokio::io::duplex(capacity);
    let (stop, mut stopped) = watch::channel(false);
    let ground = ground.clone();
    let peer: SocketAddr = "127.0.0.1:2775".parse().expect("an address");
    let guest = ground.lobby.enter(peer.ip());
    let ended = runtime.spawn(async move { run(near, peer, guest, ground, &mut stopped).await });
    Served { peer: Peer::new(far, runtime), ended, stop }
}

fn bound<'r>(runtime: &'r Runtime, core: &mut Core, ground: &Arc<Ground>) -> (Served<'r>, LinkId) {
    let mut served = connect(runtime, ground, 1 << 20);
    served.peer.send(1, OK, Body::BindTransceiver(bind("riverside", "secret")));
    assert_eq!(served.peer.answer(), ("bind_transceiver_resp", OK, 1));
    let (command, _) = core.command();
    let Command::Open { link, role: Role::Tenant(_), window: 100 } = command else { panic!("{command:?}") };
    (served, link)
}

fn ended(runtime: &Runtime, handle: JoinHandle<Ended>) -> Ended {
    runtime.block_on(handle).expect("the link's task lives")
}

fn submits(count: u32) -> Vec<u8> {
    let mut octets = Vec::new();
    for sequence in 2..2 + count {
        let body = Body::SubmitSm(submit(b"hello"));
        encode(&Pdu { status: OK, sequence, body }, &mut octets);
    }
    octets
}

#[test]
fn a_hundred_submits_in_one_write_are_one_batch_and_one_batch_of_responses() {
    let (runtime, mut core) = (runtime(), Core::new());
    let ground = server_ground(&core, tenant(), Config::default());
    let (mut served, link) = bound(&runtime, &mut core, &ground);
    served.peer.write(&submits(100));
    let batch = core.batch();
    assert_eq!(batch.commands.len(), 100);
    for (command, tag) in batch.commands.iter().zip(2..) {
        let Command::Accept { reply, record, envelope } = command else { panic!("{command:?}") };
        assert_eq!((reply.link, reply.tag), (link, tag));
        let accepted = Accepted::read(record.of(&batch.bytes)).expect("a record");
        let envelope = Envelope::read(envelope.of(&batch.bytes)).expect("an envelope");
        assert_eq!((accepted.parts, envelope.part(0)), (1, Some(&b"hello"[..])));
    }
    let effects = (2..102).map(|tag| Effect::Accepted { tag, id: MessageId(tag) }).collect();
    core.send(link, effects, Vec::new());
    for sequence in 2..102 {
        let id = served.peer.receive(|pdu| match pdu.body {
            Body::SubmitSmResp(resp) if pdu.sequence == sequence => resp.message_id.map(<[u8]>::len),
            other => panic!("{other:?}"),
        });
        assert_eq!(id, Some(Some(26)));
    }
    drop(served.peer);
    assert_eq!(core.closed(), link);
    assert_eq!(ended(&runtime, served.ended), Ended::ByPeer);
    assert!(core.exchange.mailbox(link).is_none(), "the link's number is free again");
    assert_eq!(ground.presence.tenant_binds(edges::TENANT), 0);
}

#[test]
fn a_stream_may_be_cut_at_every_octet() {
    let (runtime, mut core) = (runtime(), Core::new());
    let ground = server_ground(&core, tenant(), Config::default());
    let (mut served, _) = bound(&runtime, &mut core, &ground);
    let octets = submits(3);
    for cut in 1..octets.len() {
        served.peer.write(&octets[..cut]);
        runtime.block_on(tokio::task::yield_now());
        served.peer.write(&octets[cut..]);
        for tag in 2..5 {
            let (command, _) = core.command();
            assert!(matches!(command, Command::Accept { reply, .. } if reply.tag == tag), "cut at {cut}: {command:?}");
        }
    }
}

#[test]
fn what_is_not_offered_is_answered_and_the_bind_lives() {
    let (runtime, mut core) = (runtime(), Core::new());
    let ground = server_ground(&core, tenant(), Config::default());
    let (mut served, link) = bound(&runtime, &mut core, &ground);
    let peer = &mut served.peer;
    peer.send(2, OK, Body::QuerySm(QuerySm { message_id: b"1", source: Default::default() }));
    assert_eq!(peer.answer(), ("query_sm_resp", CommandStatus::RINVCMDID, 2));
    let command = sluice::smpp::command::CommandId(0x0000_0200);
    peer.send(3, OK, Body::Unknown { command, body: b"what" });
    assert_eq!(peer.answer(), ("generic_nack", CommandStatus::RINVCMDID, 3));
    peer.send(4, OK, Body::EnquireLink);
    assert_eq!(peer.answer(), ("enquire_link_resp", OK, 4));
    peer.send(5, OK, Body::BindTransceiver(bind("riverside", "secret")));
    assert_eq!(peer.answer(), ("bind_transceiver_resp", CommandStatus::RALYBND, 5));
    let mut refused = submit(b"hello");
    refused.dest.addr = b"123";
    peer.send(6, OK, Body::SubmitSm(refused));
    assert_eq!(peer.answer(), ("submit_sm_resp", CommandStatus::RINVDSTADR, 6));
    let mut tlvs = Vec::new();
    let mut writer = TlvWriter::new(&mut tlvs);
    writer.octets(Tag::MESSAGE_PAYLOAD, b"by data_sm");
    let sm = submit(b"");
    let data = DataSm { source: sm.source, dest: sm.dest, tlvs: writer.finish(), ..DataSm::default() };
    peer.send(7, OK, Body::DataSm(data));
    let (command, _) = core.command();
    let Command::Accept { reply, .. } = command else { panic!("{command:?}") };
    core.send(link, vec![Effect::Denied { tag: reply.tag, denial: Denial::Full }], Vec::new());
    assert_eq!(peer.answer(), ("data_sm_resp", CommandStatus::RMSGQFUL, 7));
}

#[test]
fn a_window_that_is_full_is_throttled() {
    let (runtime, mut core) = (runtime(), Core::new());
    let mut tenant = tenant();
    tenant.window = Some(2);
    let ground = server_ground(&core, tenant, Config::default());
    let mut served = connect(&runtime, &ground, 1 << 20);
    served.peer.send(1, OK, Body::BindTransmitter(bind("riverside", "secret")));
    assert_eq!(served.peer.answer(), ("bind_transmitter_resp", OK, 1));
    served.peer.write(&submits(3));
    assert_eq!(served.peer.answer(), ("submit_sm_resp", CommandStatus::RTHROTTLED, 4));
    let (command, _) = core.command();
    let Command::Accept { reply, .. } = command else { panic!("a transmitter opens no lane back: {command:?}") };
    core.send(reply.link, vec![Effect::Accepted { tag: 2, id: MessageId(2) }], Vec::new());
    assert_eq!(served.peer.answer(), ("submit_sm_resp", OK, 2));
    served.peer.send(9, OK, Body::SubmitSm(submit(b"hello")));
    let accepts = [core.command().0, core.command().0];
    assert!(matches!(accepts[1], Command::Accept { reply, .. } if reply.tag == 9), "{accepts:?}");
}

#[test]
fn receipts_go_out_on_the_bind_and_their_answers_come_back() {
    let (runtime, mut core) = (runtime(), Core::new());
    let ground = server_ground(&core, tenant(), Config::default());
    let (mut served, link) = bound(&runtime, &mut core, &ground);
    let mut octets = Vec::new();
    let addresses = Envelope::between(Party::default(), Party { ton: 1, npi: 1, addr: b"447700900123" });
    addresses.write(b"hello", &[5], &mut octets);
    let envelope = sluice::command::Span::since(0, &octets);
    let report = Report {
        id: MessageId(7),
        state: State::Delivered,
        part: None,
        submitted: 1,
        delivered: 1,
        accepted_at: Timestamp(0),
        done_at: Timestamp(0),
        err: [0; 8],
    };
    let deliver = |slot| Effect::Deliver { slot, report, envelope };
    core.send(link, (0..4).map(deliver).collect(), octets);
    for (slot, status, answer) in [
        (0, OK, Answer::Taken),
        (1, CommandStatus::RX_T_APPN, Answer::Later),
        (2, CommandStatus::RX_P_APPN, Answer::Refused),
        (3, CommandStatus::RX_R_APPN, Answer::Refused),
    ] {
        let sequence = served.peer.receive(|pdu| {
            let Body::DeliverSm(sm) = pdu.body else { panic!("{:?}", pdu.body) };
            assert_eq!(
                (sm.esm_class, sm.source.addr, sm.tlvs.get_u8(Tag::MESSAGE_STATE)),
                (4, &b"447700900123"[..], Some(2))
            );
            pdu.sequence
        });
        let resp = SubmitSmResp { message_id: Some(b""), tlvs: Tlvs::NONE };
        served.peer.send(sequence.expect("the link is open"), status, Body::DeliverSmResp(resp));
        assert_eq!(core.command().0, Command::Delivered { link, slot, answer });
    }
}

#[test]
fn a_peer_of_3_3_gets_short_ids() {
    let (runtime, mut core) = (runtime(), Core::new());
    let ground = server_ground(&core, tenant(), Config::default());
    let mut served = connect(&runtime, &ground, 1 << 20);
    let old =
        sluice::smpp::pdu::Bind { interface_version: Version::V33.interface_version(), ..bind("riverside", "secret") };
    served.peer.send(1, OK, Body::BindTransmitter(old));
    assert_eq!(served.peer.answer(), ("bind_transmitter_resp", OK, 1));
    served.peer.write(&submits(1));
    let (command, _) = core.command();
    let Command::Accept { reply, .. } = command else { panic!("{command:?}") };
    core.send(reply.link, vec![Effect::Accepted { tag: 2, id: MessageId(0xAB) }], Vec::new());
    let id = served.peer.receive(|pdu| match pdu.body {
        Body::SubmitSmResp(resp) => resp.message_id.map(<[u8]>::to_vec),
        other => panic!("{other:?}"),
    });
    assert_eq!(id, Some(Some(b"000000ab".to_vec())));
}

#[test]
fn a_peer_of_5_0_is_told_the_reason_in_words() {
    let (runtime, core) = (runtime(), Core::new());
    let mut tenant = tenant();
    tenant.senders = vec!["MyBrand".to_owned()];
    let ground = server_ground(&core, tenant, Config::default());
    let mut served = connect(&runtime, &ground, 1 << 20);
    let new = sluice::smpp::pdu::Bind { interface_version: 0x50, ..bind("riverside", "secret") };
    served.peer.send(1, OK, Body::BindTransmitter(new));
    assert_eq!(served.peer.answer(), ("bind_transmitter_resp", OK, 1));
    let mut refused = submit(b"hello");
    refused.source.addr = b"NotMine";
    served.peer.send(2, OK, Body::SubmitSm(refused));
    let told = served.peer.receive(|pdu| match pdu.body {
        Body::SubmitSmResp(resp) => (pdu.status, resp.tlvs.get_text(Tag::ADDITIONAL_STATUS_INFO_TEXT).map(<[u8]>::len)),
        other => panic!("{other:?}"),
    });
    let (status, words) = told.expect("the link is open");
    assert_eq!(status, CommandStatus::RINVSRCADR);
    assert!(words.is_some_and(|octets| octets > 20), "{words:?}");
}

#[test]
fn what_is_not_smpp_is_told_so_once_and_closed() {
    let (runtime, core) = (runtime(), Core::new());
    let ground = server_ground(&core, tenant(), Config::default());
    let openings: [&[u8]; 6] = [
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x80\x00\x00\x00\x00\x00\x00\x04\0\0\0\0\0\0\0\x01",
        b"\x00\x00\x00\x0F\x00\x00\x00\x04\0\0\0\0\0\0\0",
        b"\0\0\0\0",
    ];
    for opening in openings {
        let mut served = connect(&runtime, &ground, 1 << 16);
        served.peer.write(opening);
        assert_eq!(served.peer.answer(), ("generic_nack", CommandStatus::RINVCMDLEN, 0));
        assert!(served.peer.is_closed());
        assert!(matches!(ended(&runtime, served.ended), Ended::OutOfStep(_)));
    }
}

#[test]
fn a_connection_that_never_binds_is_closed() {
    let (runtime, core) = (runtime(), Core::new());
    let config = Config { bind_timeout: Duration::from_millis(20), ..Config::default() };
    let ground = server_ground(&core, tenant(), config);
    let mut served = connect(&runtime, &ground, 1 << 16);
    served.peer.send(1, OK, Body::SubmitSm(submit(b"hello")));
    assert_eq!(served.peer.answer(), ("submit_sm_resp", CommandStatus::RINVBNDSTS, 1));
    assert!(served.peer.is_closed());
    assert_eq!(ended(&runtime, served.ended), Ended::BySession(CloseReason::BindTimeout));
}

#[test]
fn who_reads_nothing_is_closed() {
    let (runtime, mut core) = (runtime(), Core::new());
    let limits = Limits { unwritten_octets_max: 4_096, stalled_max: Duration::from_millis(50), ..Limits::default() };
    let ground = server_ground(&core, tenant(), Config { limits, ..Config::default() });
    let mut served = connect(&runtime, &ground, 4_096);
    served.peer.send(1, OK, Body::BindTransceiver(bind("riverside", "secret")));
    assert_eq!(served.peer.answer(), ("bind_transceiver_resp", OK, 1));
    let (Command::Open { link, .. }, _) = core.command() else { panic!("a transceiver receives") };
    // More than the pipe and the bound hold; the peer never reads it.
    let effects = (0..400).map(|tag| Effect::Accepted { tag, id: MessageId(tag) }).collect();
    core.send(link, effects, Vec::new());
    assert_eq!(core.command().0, Command::Hold { link, held: true });
    assert_eq!(core.closed(), link);
    assert_eq!(ended(&runtime, served.ended), Ended::Stalled);
}

#[test]
fn stopping_unbinds_first() {
    let (runtime, mut core) = (runtime(), Core::new());
    let ground = server_ground(&core, tenant(), Config::default());
    let (mut served, link) = bound(&runtime, &mut core, &ground);
    served.stop.send(true).expect("the link listens");
    let (name, _, sequence) = served.peer.answer();
    assert_eq!(name, "unbind");
    assert_eq!(core.command().0, Command::Hold { link, held: true });
    served.peer.send(sequence, OK, Body::UnbindResp);
    assert_eq!(core.closed(), link);
    assert_eq!(ended(&runtime, served.ended), Ended::Stopped);
}

#[test]
fn an_unbind_waits_for_the_answers_that_are_owed() {
    let (runtime, mut core) = (runtime(), Core::new());
    let ground = server_ground(&core, tenant(), Config::default());
    let (mut served, link) = bound(&runtime, &mut core, &ground);
    served.peer.write(&submits(1));
    served.peer.send(9, OK, Body::Unbind);
    let (command, _) = core.command();
    assert!(matches!(command, Command::Accept { .. }), "{command:?}");
    core.send(link, vec![Effect::Accepted { tag: 2, id: MessageId(2) }], Vec::new());
    assert_eq!(served.peer.answer(), ("submit_sm_resp", OK, 2));
    assert_eq!(served.peer.answer(), ("unbind_resp", OK, 9));
    assert!(served.peer.is_closed());
    assert_eq!(core.closed(), link);
}
