//! Who may bind: credentials, limits, and a budget for failures, over real sockets.

mod edges;

use std::sync::Arc;

use edges::{Core, TENANT, bind, runtime, server_ground, tenant};
use sluice::exchange::Exchange;
use sluice::ingress::smpp::listen::{run, serve};
use sluice::ingress::smpp::{Config, Ground};
use sluice::link::Ended;
use sluice::smpp::decode::decode;
use sluice::smpp::encode::encode;
use sluice::smpp::frame::frame;
use sluice::smpp::pdu::{Body, Pdu};
use sluice::smpp::status::CommandStatus;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Answers the closing of links for as long as the test runs.
fn let_links_go(exchange: Arc<Exchange>) {
    std::thread::spawn(move || {
        let mut core = Core::of(exchange);
        loop {
            core.closed();
        }
    });
}

/// Serves a port, runs `with` against it, and stops.
fn served<F: Future<Output = ()>>(ground: Arc<Ground>, with: impl FnOnce(std::net::SocketAddr) -> F) {
    let_links_go(ground.exchange.clone());
    runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(serve(listener, ground, stopped));
        with(address).await;
        stop.send(true).expect("the server listens");
        server.await.expect("it ends by itself");
    });
}

/// Binds and says how that was answered; `None` if the connection was closed without an answer.
async fn try_bind(
    address: std::net::SocketAddr,
    system_id: &str,
    password: &str,
) -> Option<(CommandStatus, TcpStream)> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let mut octets = Vec::new();
    let body = Body::BindTransmitter(bind(system_id, password));
    encode(&Pdu { status: CommandStatus::ROK, sequence: 1, body }, &mut octets);
    stream.write_all(&octets).await.ok()?;
    octets.clear();
    loop {
        if let Ok(Some(length)) = frame(&octets, 1 << 16) {
            return Some((decode(&octets[..length]).expect("a response").status, stream));
        }
        if stream.read_buf(&mut octets).await.ok()? == 0 {
            return None;
        }
    }
}

async fn status(address: std::net::SocketAddr, system_id: &str, password: &str) -> Option<CommandStatus> {
    try_bind(address, system_id, password).await.map(|(status, _)| status)
}

#[test]
fn wrong_credentials_are_refused_alike_and_in_the_end_not_even_looked_at() {
    let ground = server_ground(&Core::new(), tenant(), Config::default());
    served(ground, |address| async move {
        assert_eq!(status(address, "riverside", "wrong").await, Some(CommandStatus::RINVPASWD));
        assert_eq!(status(address, "nobody", "secret").await, Some(CommandStatus::RINVPASWD));
        assert_eq!(status(address, "riverside", "secret").await, Some(CommandStatus::ROK));
        let mut refused = CommandStatus::RINVPASWD;
        for _ in 0..30 {
            refused = status(address, "riverside", "wrong").await.expect("an answer");
        }
        assert_eq!(refused, CommandStatus::RBINDFAIL);
        let locked = status(address, "riverside", "secret").await;
        assert_eq!(locked, Some(CommandStatus::RBINDFAIL), "the right one tells a guesser nothing now");
    });
}

#[test]
fn a_hundred_binds_at_once_with_a_limit_of_five_are_five() {
    let mut limited = tenant();
    limited.binds_max = Some(5);
    let ground = server_ground(&Core::new(), limited, Config::default());
    let presence = ground.presence.clone();
    served(ground, |address| async move {
        let mut attempts = tokio::task::JoinSet::new();
        for _ in 0..100 {
            attempts.spawn(try_bind(address, "riverside", "secret"));
        }
        let answers: Vec<_> = attempts.join_all().await.into_iter().flatten().collect();
        let of = |status| answers.iter().filter(|(answer, _)| *answer == status).count();
        assert_eq!((of(CommandStatus::ROK), of(CommandStatus::RBINDFAIL)), (5, 95));
        assert_eq!(presence.tenant_binds(TENANT), 5);
    });
}

#[test]
fn connections_that_do_not_bind_keep_nobody_out() {
    let config = Config { unbound_max: 3, ..Config::default() };
    let ground = server_ground(&Core::new(), tenant(), config);
    served(ground, |address| async move {
        let mut held = Vec::new();
        for _ in 0..10 {
            held.push(TcpStream::connect(address).await.expect("the port is open"));
        }
        for _ in 0..10 {
            assert_eq!(status(address, "riverside", "secret").await, Some(CommandStatus::ROK));
        }
        assert_eq!(held[0].read(&mut [0]).await.expect("closed in order"), 0, "the first to come had to go");
    });
}

#[test]
fn a_bind_in_the_moment_of_being_shown_out_is_served() {
    let ground = server_ground(&Core::new(), tenant(), Config::default());
    let_links_go(ground.exchange.clone());
    runtime().block_on(async {
        let peer: std::net::SocketAddr = "127.0.0.1:2775".parse().expect("an address");
        let guest = ground.lobby.enter(peer.ip());
        ground.lobby.room(peer.ip(), || true).await;
        let (mut esme, stream) = tokio::io::duplex(1 << 16);
        let sent = |sequence, body| {
            let mut octets = Vec::new();
            encode(&Pdu { status: CommandStatus::ROK, sequence, body }, &mut octets);
            octets
        };
        let bound = sent(1, Body::BindTransmitter(bind("riverside", "secret")));
        esme.write_all(&bound).await.expect("the pipe has room");
        let (_stop, mut stopped) = watch::channel(false);
        let leaves = async {
            esme.read_exact(&mut [0; 16]).await.expect("the bind is answered");
            esme.write_all(&sent(2, Body::Unbind)).await.expect("and the link stays");
            while esme.read(&mut [0; 64]).await.expect("it ends in order") > 0 {}
        };
        let (ended, ()) = tokio::join!(run(stream, peer, guest, ground.clone(), &mut stopped), leaves);
        assert_ne!(ended, Ended::Crowded);
    });
}

#[test]
fn binds_of_all_tenants_are_bounded_together() {
    let config = Config { binds_max: 2, ..Config::default() };
    let ground = server_ground(&Core::new(), tenant(), config);
    served(ground, |address| async move {
        let first = try_bind(address, "riverside", "secret").await.expect("an answer");
        let second = try_bind(address, "riverside", "secret").await.expect("an answer");
        assert_eq!((first.0, second.0), (CommandStatus::ROK, CommandStatus::ROK));
        assert_eq!(status(address, "riverside", "secret").await, Some(CommandStatus::RBINDFAIL));
    });
}
