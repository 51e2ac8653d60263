//! A carrier that goes away is bound to again, soon at first; one that refuses the password is left alone for long. Over real sockets.

mod edges;

use std::sync::Arc;
use std::time::Duration;

use edges::{CARRIER, Core, PATIENCE, carrier_ground, runtime};
use sluice::carrier::Config;
use sluice::carrier::bind::start;
use sluice::command::{Command, Role};
use sluice::message::Hidden;
use sluice::smpp::decode::decode;
use sluice::smpp::encode::encode;
use sluice::smpp::frame::frame;
use sluice::smpp::pdu::{BindResp, Body, Pdu};
use sluice::smpp::status::CommandStatus;
use sluice::smpp::tlv::Tlvs;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

fn config(address: std::net::SocketAddr) -> Arc<Config> {
    Arc::new(Config {
        name: "alpha".to_owned(),
        address: address.to_string(),
        system_id: "sluice".to_owned(),
        password: Hidden("secret".to_owned()),
        binds: 1,
        ..Config::default()
    })
}

/// Takes the next connection and answers its bind.
async fn answer_bind(listener: &TcpListener, status: CommandStatus) -> TcpStream {
    let accepted = tokio::time::timeout(PATIENCE, listener.accept()).await.expect("it comes back");
    let (mut stream, _) = accepted.expect("a connection");
    let mut octets = Vec::new();
    let length = loop {
        if let Some(length) = frame(&octets, 1 << 16).expect("SMPP") {
            break length;
        }
        assert_ne!(stream.read_buf(&mut octets).await.expect("it binds"), 0);
    };
    let pdu = decode(&octets[..length]).expect("a bind");
    let resp = BindResp { system_id: Some(b"smsc"), tlvs: Tlvs::NONE };
    let (bind, body) = match pdu.body {
        Body::BindTransceiver(bind) => (bind, Body::BindTransceiverResp(resp)),
        Body::BindTransmitter(bind) => (bind, Body::BindTransmitterResp(resp)),
        Body::BindReceiver(bind) => (bind, Body::BindReceiverResp(resp)),
        other => panic!("{other:?}"),
    };
    assert_eq!((bind.system_id, bind.password), (&b"sluice"[..], &b"secret"[..]));
    let mut out = Vec::new();
    encode(&Pdu { status, sequence: pdu.sequence, body }, &mut out);
    stream.write_all(&out).await.expect("it reads");
    stream
}

#[test]
fn a_lost_bind_comes_back_and_a_stop_ends_it() {
    let (runtime, mut core) = (runtime(), Core::new());
    let ground = carrier_ground(&core);
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let address = listener.local_addr().expect("bound");
    let guard = runtime.enter();
    start(&config(address), &ground, &stopped, &mut tasks);
    drop(guard);
    for _ in 0..3 {
        let stream = runtime.block_on(answer_bind(&listener, CommandStatus::ROK));
        let (command, _) = core.command();
        let Command::Open { link, role: Role::Carrier(CARRIER), .. } = command else { panic!("{command:?}") };
        drop(stream);
        assert_eq!(core.closed(), link);
    }
    // Nobody listens now: the task waits between attempts, and a stop does not wait for it.
    drop(listener);
    stop.send(true).expect("the task listens");
    let ended = runtime.block_on(async { tokio::time::timeout(PATIENCE, tasks.join_next()).await });
    assert!(ended.expect("in time").expect("one task").is_ok());
}

#[test]
fn refused_credentials_are_not_tried_again_soon() {
    let (runtime, core) = (runtime(), Core::new());
    let ground = carrier_ground(&core);
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        start(&config(listener.local_addr().expect("bound")), &ground, &stopped, &mut tasks);
        let mut stream = answer_bind(&listener, CommandStatus::RINVPASWD).await;
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.expect("it closes");
        // Four times the first pause of any other failure.
        let again = tokio::time::timeout(Duration::from_secs(1), listener.accept()).await;
        assert!(again.is_err(), "an account is not to be locked by us");
        stop.send(true).expect("the task listens");
        let ended = tokio::time::timeout(PATIENCE, tasks.join_next()).await;
        assert!(ended.expect("in time").expect("one task").is_ok());
    });
}

#[test]
fn where_transceivers_are_unknown_a_pair_takes_their_place() {
    let (runtime, mut core) = (runtime(), Core::new());
    let ground = carrier_ground(&core);
    let presence = ground.presence.clone();
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let streams = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        start(&config(listener.local_addr().expect("bound")), &ground, &stopped, &mut tasks);
        answer_bind(&listener, CommandStatus::RINVCMDID).await;
        [answer_bind(&listener, CommandStatus::ROK).await, answer_bind(&listener, CommandStatus::ROK).await]
    });
    let (command, _) = core.command();
    assert!(matches!(command, Command::Open { role: Role::Carrier(CARRIER), .. }), "{command:?}");
    drop(streams);
    core.closed();
    core.closed();
    stop.send(true).expect("the task listens");
    let ended = runtime.block_on(async { tokio::time::timeout(PATIENCE, tasks.join_next()).await });
    assert!(ended.expect("in time").expect("one task").is_ok());
    let binds = presence.carrier(CARRIER).expect("it exists");
    assert_eq!((binds.submitting(), binds.receiving()), (0, 0), "each bind was counted off");
}
