//! With few descriptors, connections that strangers hold cost neither the store nor the platforms theirs.

mod support;

use std::net::TcpStream;

use support::esme::Esme;
use support::smsc::Smsc;
use support::{Daemon, cdr, eventually, http, settings};

const TO: &str = "447700900001";

#[test]
fn the_store_goes_on_and_platforms_get_in() {
    let smsc = Smsc::delivering();
    let store = "[store]\nsegment = \"1MiB\"\ndisk_max = \"64MiB\"\n";
    let config = format!("{store}{}", settings::one_carrier(smsc.address, ""));
    let daemon = Daemon::start_with_descriptors(&config, 300);
    let mut esme = Esme::riverside(daemon.smpp);
    let mut held = Vec::new();
    for address in [daemon.smpp, daemon.http].repeat(200) {
        held.push(TcpStream::connect(address).expect("the backlog takes it"));
    }
    // As much as four segments of the journal: new files have to be opened.
    let text = "x".repeat(160);
    for _ in 0..80 {
        let sent: Vec<u32> = (0..100).map(|_| esme.submit(TO, &text)).collect();
        for sequence in sent {
            assert_eq!(esme.response_to(sequence).status, 0);
        }
    }
    assert_eq!(http::get(daemon.http, "/readyz", None).status, 200);
    assert!(Esme::riverside(daemon.smpp).is_alive());
    let lines = || cdr::lines(&daemon.dir.join("data")).len();
    eventually("each part has its CDR line", || (lines() == 8_000).then_some(()));
    let log = daemon.log();
    assert!(!log.contains("Too many open files"), "{log}");
    assert!(log.contains("LimitNOFILE="), "the operator is told: {log}");
}
