//! A sync that hangs for seconds: nothing is acknowledged before it has returned, `/readyz` and the log say so meanwhile, and all goes on
//! by itself; a sync that fails ends the daemon, and what was acknowledged is there at the next start. strace does both to the daemon.

mod support;

use std::process::Command;
use std::time::Duration;

use support::esme::{Esme, Next};
use support::peers::{Peer, present};
use support::program::Program;
use support::smsc::Smsc;
use support::{Daemon, eventually, http, settings};

/// Attaches to the daemon and does this to each of its threads' next sync.
fn inject(daemon: &Daemon, what: &str) -> Program {
    let mut command = Command::new("strace");
    command.args(["-f", "-e", "trace=fdatasync", "-e", &format!("inject=fdatasync:{what}:when=1")]);
    command.args(["-o", "/dev/null", "-p", &daemon.pid().to_string()]);
    let strace = Program::start("strace", command, &daemon.dir.join("strace.log"));
    eventually("strace has attached", || strace.log().contains("attached").then_some(()));
    strace
}

#[test]
fn while_it_hangs() {
    if !present("a_hanging_disk_is_told::while_it_hangs", &[Peer::Strace]) {
        return;
    }
    let smsc = Smsc::delivering();
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, ""));
    let ready = || http::get(daemon.http, "/readyz", None).status;
    let mut esme = Esme::riverside(daemon.smpp);
    assert_eq!(ready(), 200);
    let _strace = inject(&daemon, "delay_enter=5s");
    let sequence = esme.submit("447700900001", "hello");
    eventually("it is told", || (ready() == 503).then_some(()));
    assert_eq!(http::get(daemon.http, "/healthz", None).status, 200, "the process answers");
    assert_eq!(smsc.submits().len(), 0, "nothing leaves before the sync has returned");
    assert_eq!(esme.response_to(sequence).status, 0);
    eventually("all is well again", || (ready() == 200).then_some(()));
    assert!(daemon.log().contains("the journal stands still"), "{}", daemon.log());
}

#[test]
fn when_it_fails() {
    if !present("a_hanging_disk_is_told::when_it_fails", &[Peer::Strace]) {
        return;
    }
    let smsc = Smsc::start(|submit| {
        let id = format!("{:08x}", submit.number);
        support::smsc::Answer::TakeSlowly(id, Vec::new(), Duration::from_secs(3600), Duration::ZERO)
    });
    let mut daemon = Daemon::start(&settings::one_carrier(smsc.address, ""));
    let mut esme = Esme::riverside(daemon.smpp);
    let sequence = esme.submit("447700900001", "acknowledged");
    let id = esme.response_to(sequence).message_id();
    let strace = inject(&daemon, "error=EIO");
    esme.submit("447700900002", "in the failed sync");
    while let Next::Pdu(pdu) = esme.next() {
        assert_ne!(pdu.command, support::esme::SUBMIT_SM | support::esme::RESPONSE, "acknowledged without a sync");
    }
    eventually("the daemon ends", || (!daemon.is_running()).then_some(()));
    assert!(daemon.log().contains("the journal stopped for good: cannot sync"), "{}", daemon.log());
    drop(strace);
    daemon.restart();
    assert_eq!(http::get(daemon.http, &format!("/v1/messages/{id}"), Some("riverside-key")).status, 200);
}
