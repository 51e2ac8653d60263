//! Whatever is wrong is answered with an error that says what and where, and the daemon lives on.

mod support;

use std::net::TcpListener;
use std::path::Path;
use std::process::Output;

use serde_json::json;
use support::esme::{BIND_TRANSCEIVER, Esme, Next, SUBMIT_SM, submit_body};
use support::{Daemon, daemon, eventually, http, silent_address};

/// SMPP 3.4 section 5.1.3.
const ROK: u32 = 0x00;
const RBINDFAIL: u32 = 0x0d;
const RINVPASWD: u32 = 0x0e;
const RINVSYSID: u32 = 0x0f;
const KEY: Option<&str> = Some("dev-key");

#[test]
fn a_wrong_key_is_named_with_file_and_line() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let text = "[node]\ndata_dir = \"data\"\n\n[smpp]\nlisten = \"127.0.0.1:0\"\nwindwo = 10\n";
    for command in ["check", "serve"] {
        let output = run(dir.path(), command, text);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{command}: {said}");
        for word in ["sluice.toml", "windwo", "6"] {
            assert!(said.contains(word), "{command} does not say {word}: {said}");
        }
        assert!(output.stdout.is_empty() || command == "check", "nothing is ready: {said}");
    }
}

#[test]
fn a_wrong_value_is_named_with_its_key() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let text = configuration().replace("rate = \"500/s\"", "rate = \"fast\"");
    let output = run(dir.path(), "check", &text);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("rate") && said(&output).contains("fast"), "{}", said(&output));
}

#[test]
fn a_data_directory_that_is_none_is_named() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("data"), "a file where a directory belongs").expect("writable");
    let output = run(dir.path(), "serve", &completed("data"));
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("data"), "{}", said(&output));
    assert!(output.stdout.is_empty(), "nothing is ready");
}

#[test]
fn an_occupied_port_is_named() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let holder = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let taken = holder.local_addr().expect("bound").to_string();
    let text = completed("data").replacen("127.0.0.1:0", &taken, 1);
    let output = run(dir.path(), "serve", &text);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains(&taken), "{}", said(&output));
}

#[test]
fn a_second_daemon_on_the_same_data_is_refused() {
    let first = Daemon::start(&configuration());
    let output = serve_again(&first.dir);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(Esme::riverside(first.smpp).is_alive(), "the first goes on");
}

#[test]
fn a_wrong_password_is_refused_and_the_right_one_still_works() {
    let daemon = Daemon::start(&configuration());
    for (system_id, password) in [("riverside", "zq7guess"), ("riverside", ""), ("nobody", "secret"), ("", "")] {
        let refused = Esme::bind(daemon.smpp, BIND_TRANSCEIVER, system_id, password);
        let status = refused.err().unwrap_or_else(|| panic!("{system_id:?} {password:?} got in"));
        assert!([RBINDFAIL, RINVPASWD, RINVSYSID].contains(&status), "{system_id:?}: {status:#x}");
    }
    let answer = http::get(daemon.http, "/v1/messages/unknown", Some("wrong-key"));
    assert_eq!(answer.status, 401, "{answer:?}");
    assert!(Esme::riverside(daemon.smpp).is_alive());
    assert!(!daemon.log().contains("zq7guess"), "a password is never logged: {}", daemon.log());
}

#[test]
fn messages_that_cannot_be_sent_are_refused_with_a_reason() {
    let daemon = Daemon::start(&configuration());
    let mut esme = Esme::riverside(daemon.smpp);
    let long = "abcdefghi ".repeat(153 * 30);
    let cases = [
        ("unknown route", "15550100200", "hello"),
        ("no price", "447700900123", "hello"),
        ("empty destination", "", "hello"),
        ("letters for a number", "44x700900001", "hello"),
        ("300 parts", "441700900001", &long),
    ];
    for (case, to, text) in cases {
        let sequence = esme.submit(to, text);
        let answer = esme.response_to(sequence);
        assert_ne!(answer.status, ROK, "{case} is accepted over SMPP: {answer:?}");
        let body = json!({"to": to, "from": "Riverside", "text": text});
        let answer = http::post(daemon.http, "/v1/messages", KEY, &body);
        assert!((400..500).contains(&answer.status), "{case} over HTTP: {answer:?}");
        for member in ["type", "title", "detail"] {
            let words = answer.body[member].as_str().unwrap_or_default();
            assert!(!words.is_empty(), "{case}: the problem has no {member}: {}", answer.text);
        }
    }
    assert!(esme.is_alive(), "the bind outlives every refusal");
    let sequence = esme.submit("441700900001", "hello");
    assert_eq!(esme.response_to(sequence).status, ROK, "what is right is still accepted");
}

#[test]
fn a_length_of_two_gigabytes_takes_no_memory() {
    let daemon = Daemon::start(&configuration());
    let before = resident_kib(&daemon);
    for length in [0x7fff_ffff_u32, 0x8000_0000, 0xffff_ffff, 0x0100_0000] {
        let mut esme = Esme::connect(daemon.smpp);
        esme.write(&[length.to_be_bytes(), [0, 0, 0, 9], [0; 4], [0, 0, 0, 1]].concat());
        esme.write(&[0x41; 4096]);
        assert_refused(&mut esme, length);
    }
    assert!(resident_kib(&daemon) < before + 32 * 1024, "memory grew from {before} KiB");
    assert!(Esme::riverside(daemon.smpp).is_alive());
}

#[test]
fn lengths_below_a_header_are_refused() {
    let daemon = Daemon::start(&configuration());
    for length in 0..16_u32 {
        let mut esme = Esme::connect(daemon.smpp);
        esme.write(&[length.to_be_bytes(), [0, 0, 0, 0x15], [0; 4], [0, 0, 0, 1]].concat());
        assert_refused(&mut esme, length);
        // The same on a bind that was fine so far.
        let mut bound = Esme::riverside(daemon.smpp);
        bound.write(&[length.to_be_bytes(), [0, 0, 0, 0x15], [0; 4], [0, 0, 0, 2]].concat());
        assert_refused(&mut bound, length);
    }
    assert!(Esme::riverside(daemon.smpp).is_alive());
}

#[test]
fn another_protocol_is_recognised() {
    let daemon = Daemon::start(&configuration());
    let mut esme = Esme::connect(daemon.smpp);
    esme.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_refused(&mut esme, u32::from_be_bytes(*b"GET "));
    eventually("the log names the protocol", || daemon.log().contains("HTTP").then_some(()));
    assert!(Esme::riverside(daemon.smpp).is_alive());
}

#[test]
fn unsupported_and_early_commands_are_answered() {
    let daemon = Daemon::start(&configuration());
    // query_sm, replace_sm, cancel_sm, submit_multi, broadcast_sm, and a command nobody has defined.
    let bodies: [(u32, &[u8]); 6] = [
        (0x03, b"1\0\0\0Riverside\0"),
        (0x07, b"1\0\0\0Riverside\0\0\0\0\0\x02hi"),
        (0x08, b"\x001\0\0\0Riverside\0\0\x00447700900001\0"),
        (0x21, b"\0\0\0Riverside\0\x01\x01\x01\x01447700900001\0\0\0\0\0\0\0\0\0\0\x02hi"),
        (0x111, b"\0\0\0Riverside\0\0\0\0\0\0\0\0"),
        (0x7f00, b"junk"),
    ];
    let mut esme = Esme::riverside(daemon.smpp);
    for (command, body) in bodies {
        let sequence = esme.request(command, body);
        let answer = esme.response_to(sequence);
        assert_ne!(answer.status, ROK, "{command:#x}: {answer:?}");
        assert!(esme.is_alive(), "{command:#x} must not drop the bind");
    }
    let mut early = Esme::connect(daemon.smpp);
    let sequence = early.request(SUBMIT_SM, &submit_body("441700900001", "hello"));
    assert_ne!(early.response_to(sequence).status, ROK, "a submit before the bind");
}

/// The connection is answered with a refusal of the length and closed, or closed at once; never left hanging.
fn assert_refused(esme: &mut Esme, length: u32) {
    match esme.next() {
        Next::Closed => return,
        Next::Pdu(pdu) => assert!(pdu.refuses_the_length(), "length {length:#x}: {pdu:?}"),
    }
    esme.finish();
    while esme.next() != Next::Closed {}
}

/// What the daemon keeps in memory, from the kernel's account.
fn resident_kib(daemon: &Daemon) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("the daemon runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the kernel tells");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number of KiB")
}

/// Runs a command on this configuration until it ends on its own.
fn run(dir: &Path, command: &str, text: &str) -> Output {
    let file = dir.join("sluice.toml");
    std::fs::write(&file, text).expect("writable");
    daemon::sluice().arg(command).arg("--config").arg(&file).current_dir(dir).output().expect("the binary starts")
}

/// Starts a second daemon on the configuration in this directory.
fn serve_again(dir: &Path) -> Output {
    let mut command = daemon::sluice();
    command.arg("serve").arg("--config").arg(dir.join("sluice.toml")).current_dir(dir);
    command.output().expect("the binary starts")
}

/// All that a command said, for the message of a failed assertion.
fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn completed(data_dir: &str) -> String {
    let listen = "listen = \"127.0.0.1:0\"";
    format!("[node]\ndata_dir = \"{data_dir}\"\n\n[smpp]\n{listen}\n\n[http]\n{listen}\n{}", configuration())
}

/// A tenant whose carrier is away; 441 has a route and a price, 447 a route and no price, nothing else has a route.
fn configuration() -> String {
    let carrier = silent_address();
    format!(
        r#"
[[tenant]]
id = "riverside"
system_id = "riverside"
password = "secret"
api_key = "dev-key"

[[carrier]]
id = "away"
address = "{carrier}"
system_id = "sluice"
password = "hush"
rate = "500/s"

[[route]]
prefix = "44"
carriers = ["away"]

[[price]]
tenant = "riverside"
prefix = "441"
per_part = "0.0264 GBP"
"#
    )
}
