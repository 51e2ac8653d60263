//! The real daemon among programs that nobody here wrote: PyPI `smpplib` and npm `smpp` as platforms, npm
//! `smpp` as the carrier, and `tshark` as a second decoder of everything that passed.

#[path = "interop/road.rs"]
mod road;
mod support;

use std::path::Path;

use road::{Message, Road, assert_carrier, assert_platform};
use support::peers::{Peer, present, tshark_reads};
use support::tape::{Chunk, Tape, Way};

#[test]
fn smpplib_as_platform() {
    if !present("smpplib_as_platform", &[Peer::Smpplib, Peer::Smpp]) {
        return;
    }
    let road = Road::open(&["tlvs"], "transceiver");
    let messages = messages("4477009001");
    assert_platform(&road.send("esme.py", &messages), &messages);
    assert_carrier(&road.close().0, &messages);
}

#[test]
fn smpp_as_platform() {
    if !present("smpp_as_platform", &[Peer::Smpp]) {
        return;
    }
    // The carrier's receipts carry no parameters, and some overtake the response that names their id.
    let road = Road::open(&["early"], "transceiver");
    let mut messages = messages("4477009002");
    messages.push(message("447700900290", "Здравствуй 👋 ".repeat(30), "ucs2", "payload", 7));
    assert_platform(&road.send("esme.js", &messages), &messages);
    assert_carrier(&road.close().0, &messages);
}

#[test]
fn tshark_reads_a_run_in_both_directions() {
    if !present("tshark_reads_a_run_in_both_directions", &[Peer::Smpplib, Peer::Smpp, Peer::Tshark]) {
        return;
    }
    let road = Road::open(&["tlvs", "early"], "transmitter+receiver");
    let (python, node) = (messages("4477009003"), messages("4477009004"));
    assert_platform(&road.send("esme.py", &python), &python);
    assert_platform(&road.send("esme.js", &node), &node);
    let ports = [road.platforms.port(), road.carriers.port()];
    let (seen, tape) = road.close();
    assert_carrier(&seen, &[python, node].concat());

    let dir = tempfile::tempdir().expect("a temporary directory");
    let capture = dir.path().join("run.pcap");
    support::pcap::write(&capture, &tape.chunks());
    assert_eq!(complaints(&capture, &ports), Vec::<String>::new());
    let mut decoded: Vec<(u16, u32)> = decoded(&capture, &ports);
    let mut framed: Vec<(u16, u32)> = framed(&tape);
    decoded.sort_unstable();
    framed.sort_unstable();
    assert_eq!(decoded, framed, "tshark finds the PDUs that the lengths on the wire announce, and no others");
    for port in ports {
        for command in ["submit_sm", "submit_sm_resp", "deliver_sm", "deliver_sm_resp", "unbind", "unbind_resp"] {
            assert!(decoded.contains(&(port, command_id(command))), "{command} passed at port {port}");
        }
    }
}

#[test]
fn tshark_would_complain() {
    if !present("tshark_would_complain", &[Peer::Tshark]) {
        return;
    }
    // A submit_sm whose sm_length promises more than the PDU holds.
    let mut pdu = vec![0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1];
    pdu.extend_from_slice(b"\0\0\0\0\x01\x01447700900000\0\0\0\0\0\0\x01\0\0\0\xc8short");
    pdu[3] = u8::try_from(pdu.len()).expect("a short PDU");
    let chunk = |way, octets| Chunk { connection: 0, port: 2775, way, octets };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let capture = dir.path().join("bad.pcap");
    support::pcap::write(&capture, &[chunk(Way::Up, pdu), chunk(Way::Up, Vec::new()), chunk(Way::Down, Vec::new())]);
    assert!(!complaints(&capture, &[2775]).is_empty(), "a truncated message passes unseen");
}

/// Texts of every kind, with destinations that start with these ten digits.
fn messages(prefix: &str) -> Vec<Message> {
    let number = |n: usize| format!("{prefix}{n:02}");
    vec![
        message(number(1), "Grüße aus Ålesund {[€]}".to_owned(), "gsm7", "whole", 1),
        message(number(2), "The quick brown fox jumps over the lazy dog. ".repeat(9), "gsm7", "split", 3),
        // 20 septets each with their escapes: 240 septets, so that the daemon has to split.
        message(number(3), "Total 12€ [net]; ".repeat(12), "gsm7", "whole", 2),
        message(number(4), "Привет, мир! ".repeat(12), "ucs2", "split", 3),
        message(number(5), "Здравствуй 👋 ".repeat(8), "ucs2", "payload", 2),
        message(number(6), "Ünïcode ☃".to_owned(), "ucs2", "whole", 1),
    ]
}

fn message(to: impl Into<String>, text: String, alphabet: &'static str, form: &'static str, parts: usize) -> Message {
    Message { to: to.into(), text, alphabet, form, parts }
}

/// The packets that tshark calls malformed or marks with an error.
fn complaints(capture: &Path, ports: &[u16]) -> Vec<String> {
    const SEVERITY_ERROR: &str = "_ws.malformed || _ws.expert.severity == 0x00800000";
    tshark_reads(capture, ports, &["-Y", SEVERITY_ERROR])
}

/// The PDUs that tshark finds: the proxy's port they passed at, and their command_id.
fn decoded(capture: &Path, ports: &[u16]) -> Vec<(u16, u32)> {
    let fields = ["-Y", "smpp", "-T", "fields", "-e", "tcp.port", "-e", "smpp.command_id", "-E", "occurrence=a"];
    let mut found = Vec::new();
    for line in tshark_reads(capture, ports, &fields) {
        let (seen_ports, commands) = line.split_once('\t').expect("two fields a line");
        let port = seen_ports.split(',').filter_map(|port| port.parse().ok()).find(|port| ports.contains(port));
        for command in commands.split(',') {
            let id = u32::from_str_radix(command.trim_start_matches("0x"), 16).expect("a command_id in hex");
            found.push((port.expect("a packet of a proxy"), id));
        }
    }
    found
}

/// The PDUs by their lengths alone.
fn framed(tape: &Tape) -> Vec<(u16, u32)> {
    let mut found = Vec::new();
    for connection in 0..tape.connections() {
        let port = tape.chunks().iter().find(|chunk| chunk.connection == connection).expect("it passed something").port;
        for way in [Way::Up, Way::Down] {
            let stream = tape.stream(connection, way);
            let mut rest = stream.as_slice();
            while let Some((head, _)) = rest.split_first_chunk::<8>() {
                let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
                found.push((port, word(4)));
                rest = rest.get(word(0) as usize..).expect("no PDU is cut off");
            }
            assert!(rest.is_empty(), "octets after the last PDU");
        }
    }
    found
}

/// The command_id of a command, from SMPP 3.4 section 5.1.2.1.
fn command_id(command: &str) -> u32 {
    let request = match command.trim_end_matches("_resp") {
        "submit_sm" => 4,
        "deliver_sm" => 5,
        "unbind" => 6,
        other => panic!("{other} is not in this test"),
    };
    if command.ends_with("_resp") { request | 0x8000_0000 } else { request }
}
