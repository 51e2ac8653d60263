//! Whatever octets a bound peer sends, in whatever pieces, its link answers or closes; it neither panics nor hangs, and the next
//! connection is served.

mod edges;

use std::net::SocketAddr;
use std::sync::Arc;

use edges::{Core, PATIENCE, Peer, bind, runtime, server_ground, submit, tenant};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use sluice::command::{Command, Effect};
use sluice::exchange::Exchange;
use sluice::ingress::smpp::listen::run;
use sluice::ingress::smpp::{Config, Ground};
use sluice::message::MessageId;
use sluice::smpp::encode::encode;
use sluice::smpp::pdu::{Body, Pdu};
use sluice::smpp::status::CommandStatus;
use tokio::io::AsyncReadExt;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// A core that stores everything.
fn store_everything(exchange: Arc<Exchange>) {
    std::thread::spawn(move || {
        let mut core = Core::of(exchange);
        loop {
            match core.command().0 {
                Command::Accept { reply, .. } => {
                    core.send(reply.link, vec![Effect::Accepted { tag: reply.tag, id: MessageId(1) }], Vec::new());
                }
                Command::Close { link } => core.send(link, vec![Effect::Closed], Vec::new()),
                _ => {}
            }
        }
    });
}

/// A PDU of some kind with some of its octets changed, or any octets at all.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let pdu = |command: u32, body: Vec<u8>| {
        let length = (16 + body.len()) as u32;
        let head = [length, command, 0, 7].map(u32::to_be_bytes).concat();
        [head, body].concat()
    };
    let mut whole = Vec::new();
    encode(&Pdu { status: CommandStatus::ROK, sequence: 5, body: Body::SubmitSm(submit(b"hello")) }, &mut whole);
    let octets = whole.len();
    prop_oneof![
        3 => (prop_oneof![0_u32..0x30, Just(0x103), Just(0x8000_0004), any::<u32>()], prop::collection::vec(any::<u8>(), 0..80))
            .prop_map(move |(command, body)| pdu(command, body)),
        // The length stays as it is, so that the stream stays in step.
        3 => (4..octets, any::<u8>()).prop_map(move |(at, octet)| {
            let mut changed = whole.clone();
            changed[at] = octet;
            changed
        }),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

fn served(runtime: &Runtime, ground: &Arc<Ground>, pieces: &[Vec<u8>]) {
    let (near, far) = tokio::io::duplex(1 << 20);
    let (_stop, mut stopped) = watch::channel(false);
    let (ground, address) = (ground.clone(), SocketAddr::from(([127, 0, 0, 1], 2775)));
    let guest = ground.lobby.enter(address.ip());
    let ended = runtime.spawn(async move { run(near, address, guest, ground, &mut stopped).await });
    let mut peer = Peer::new(far, runtime);
    peer.send(1, CommandStatus::ROK, Body::BindTransceiver(bind("riverside", "secret")));
    for piece in pieces {
        // A link that has closed takes no more; that is an answer, too.
        let write = async { tokio::io::AsyncWriteExt::write_all(&mut peer.stream, piece).await };
        if runtime.block_on(write).is_err() {
            break;
        }
    }
    let (mut reading, writing) = tokio::io::split(peer.stream);
    drop(runtime.block_on(async move {
        let mut writing = writing;
        tokio::io::AsyncWriteExt::shutdown(&mut writing).await
    }));
    let all = async {
        let mut answers = Vec::new();
        tokio::time::timeout(PATIENCE, reading.read_to_end(&mut answers)).await.expect("it closes").map(|_| answers)
    };
    let answers = runtime.block_on(all).expect("a pipe does not fail");
    assert!(answers.len() >= 16, "the bind was answered");
    runtime.block_on(ended).expect("the link's task does not panic");
}

#[test]
fn any_octets_after_a_bind_are_survived() {
    let runtime = runtime();
    let core = Core::new();
    store_everything(core.exchange.clone());
    let ground = server_ground(&core, tenant(), Config::default());
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    let anything = prop::collection::vec(piece(), 0..12);
    let outcome = TestRunner::new(config).run(&anything, |pieces| {
        served(&runtime, &ground, &pieces);
        served(&runtime, &ground, &[]);
        prop_assert_eq!(ground.presence.tenant_binds(edges::TENANT), 0);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
