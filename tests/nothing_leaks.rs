//! What was planted is found nowhere: no text, number or secret in the raw bytes of the data directory, in the
//! log at its most talkative, in the pages for operators, or in the daemon's arguments. Checked: I7, after traffic, refusals, a crash and a restart.

mod support;

use std::path::Path;

use serde_json::json;
use support::esme::{BIND_TRANSCEIVER, Esme, Next};
use support::smsc::{Answer, Smsc, receipt};
use support::{Daemon, eventually, http, settings};

const PASSWORD: &str = "k7Canary";
const CARRIER_PASSWORD: &str = "c4Finch8";
const API_KEY: &str = "canary-api-key-48879";
const BODY: &str = "canary body kingfisher";
const WIDE_BODY: &str = "канарейка зимородок";
const NUMBERS: [&str; 4] = ["447700912345", "447700954321", "447700977777", "447700988888"];
const SENDER: &str = "Kingfisher";

/// The shortest form that is looked for; a shorter one might stand in sealed bytes by chance.
const FORM_OCTETS_MIN: usize = 6;

#[test]
fn of_texts_numbers_and_secrets() {
    let smsc = Smsc::start(|submit| {
        let id = format!("{:08x}", submit.number);
        match submit.number % 3 {
            0 => Answer::Refuse(0x0b),
            _ => Answer::Take(id.clone(), vec![receipt(&id, "DELIVRD"), receipt("unknown-id", "DELIVRD")]),
        }
    });
    let mut daemon = Daemon::start(&configuration(&smsc));
    traffic(&daemon);
    misplaced(&daemon);
    assert!(daemon.log().contains("DEBUG"), "the log tells all it can");
    nowhere(&daemon, "after traffic");
    daemon.kill9();
    daemon.restart();
    traffic(&daemon);
    nowhere(&daemon, "after a crash");
    assert_eq!(daemon.term().code(), Some(0), "{}", daemon.log());
    let dir = daemon.dir.clone();
    not_in_files(&dir.join("data"), "after the drain");
}

#[test]
fn the_search_finds_what_is_there() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (n, form) in forms("447700912345").into_iter().enumerate() {
        let file = dir.path().join(format!("{n}"));
        std::fs::write(&file, [b"before ", form.as_slice(), b" after"].concat()).expect("writable");
        assert!(found_in(&std::fs::read(&file).expect("readable")).is_some(), "form {n} is overlooked");
    }
    assert!(found_in(b"nothing of the kind").is_none());
}

/// Messages that are accepted, refused here, refused by the carrier, cut short, and in both alphabets.
fn traffic(daemon: &Daemon) {
    let mut esme = Esme::bind(daemon.smpp, BIND_TRANSCEIVER, "riverside", PASSWORD).expect("a bind");
    assert!(Esme::bind(daemon.smpp, BIND_TRANSCEIVER, "riverside", &PASSWORD[1..]).is_err());
    let mut receipts = 0;
    for number in NUMBERS {
        let sequence = esme.submit(number, &BODY.repeat(20));
        assert_eq!(esme.response_or_receipts(sequence, |_| receipts += 1).status, 0);
        // Refused: a number that is too long to be one.
        let sequence = esme.submit(&format!("{number}{number}"), BODY);
        assert_ne!(esme.response_or_receipts(sequence, |_| receipts += 1).status, 0);
        let body = json!({"to": number, "from": SENDER, "text": WIDE_BODY});
        assert_eq!(http::post(daemon.http, "/v1/messages", Some(API_KEY), &body).status, 202);
        let body = json!({"to": number, "from": SENDER, "text": WIDE_BODY, "no_such_field": BODY});
        assert!(http::post(daemon.http, "/v1/messages", Some(API_KEY), &body).status >= 400);
        assert_eq!(http::post(daemon.http, "/v1/messages", Some(&API_KEY[1..]), &body).status, 401);
    }
    while receipts < NUMBERS.len() {
        esme.receipt();
        receipts += 1;
    }
    // Broken on purpose, with the text in the broken place.
    esme.write(&[&[0, 0, 0, 60, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 1, 0], &BODY.repeat(2).as_bytes()[..44]].concat());
    assert!(esme.is_alive());
}

/// What was planted, where it does not belong: a log of what was wrong must not repeat it.
fn misplaced(daemon: &Daemon) {
    for (system_id, password) in [(PASSWORD, ""), (PASSWORD, PASSWORD), ("riverside", NUMBERS[0])] {
        assert!(Esme::bind(daemon.smpp, BIND_TRANSCEIVER, system_id, password).is_err());
    }
    let mut esme = Esme::bind(daemon.smpp, BIND_TRANSCEIVER, "riverside", PASSWORD).expect("a bind");
    for (to, text) in [(BODY, NUMBERS[0]), (API_KEY, PASSWORD)] {
        let sequence = esme.submit(to, text);
        assert_ne!(esme.response_or_receipts(sequence, |_| ()).status, 0);
    }
    for octets in [BODY.repeat(9), format!("GET /{BODY} HTTP/1.1\r\nAuthorization: Bearer {API_KEY}\r\n\r\n")] {
        let mut stranger = Esme::connect(daemon.smpp);
        stranger.write(octets.as_bytes());
        while stranger.next() != Next::Closed {}
    }
    let number = NUMBERS[0];
    for path in [format!("/v1/messages/{number}"), format!("/{API_KEY}?to={number}"), format!("/v1/messages/{API_KEY}")]
    {
        assert_eq!(http::get(daemon.http, &path, Some(API_KEY)).status, 404);
    }
    assert_eq!(http::get(daemon.http, "/v1/messages/x", Some(PASSWORD)).status, 401);
    let misread = [
        json!({BODY: number, number: BODY}),
        json!({"to": BODY, "from": SENDER, "text": number}),
        json!({"to": number, "from": BODY, "text": BODY, "reference": PASSWORD}),
        json!({"to": number, "from": SENDER, "text": BODY, "send_at": number, "encoding": BODY}),
        json!({"to": number, "from": SENDER, "text": BODY, "tlvs": {BODY: number}}),
        json!([number, BODY]),
    ];
    for body in misread {
        assert!(http::post(daemon.http, "/v1/messages", Some(API_KEY), &body).status >= 400, "{body}");
    }
}

fn nowhere(daemon: &Daemon, when: &str) {
    for path in ["/metrics", "/numbers.json", "/"] {
        let page = http::get(daemon.http, path, None);
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text.len() > 100, "there is something to look at: {path}");
        assert_eq!(found_in(page.text.as_bytes()), None, "in {path} {when}");
    }
    assert_eq!(found_in(daemon.log().as_bytes()), None, "in the log {when}: {}", daemon.log());
    let arguments = std::fs::read(format!("/proc/{}/cmdline", daemon.pid())).expect("the daemon runs");
    assert_eq!(found_in(&arguments), None, "in the arguments {when}");
    eventually("something is on disk", || (not_in_files(&daemon.dir.join("data"), when) > 0).then_some(()));
}

/// Looks through every file below the folder and returns how many bytes there were.
fn not_in_files(folder: &Path, when: &str) -> usize {
    let mut looked = 0;
    for entry in std::fs::read_dir(folder).expect("the data directory is there") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            looked += not_in_files(&path, when);
            continue;
        }
        // A segment that was recycled meanwhile is gone; its bytes are looked at under their new name.
        let bytes = std::fs::read(&path).unwrap_or_default();
        assert_eq!(found_in(&bytes), None, "in {} {when}", path.display());
        looked += bytes.len();
    }
    looked
}

/// What was planted and can be read in these bytes, in any form it might be written in.
fn found_in(bytes: &[u8]) -> Option<&'static str> {
    let planted = [PASSWORD, CARRIER_PASSWORD, API_KEY, BODY, WIDE_BODY, SENDER].into_iter().chain(NUMBERS);
    let forms: Vec<(&str, Vec<u8>)> =
        planted.flat_map(|word| forms(word).into_iter().map(move |form| (word, form))).collect();
    assert!(forms.iter().all(|(_, form)| form.len() >= FORM_OCTETS_MIN), "short forms would be found by chance");
    let mut by_first: Vec<Vec<usize>> = vec![Vec::new(); 256];
    for (at, (_, form)) in forms.iter().enumerate() {
        by_first[usize::from(form[0])].push(at);
    }
    for start in written(bytes) {
        let candidates = by_first[usize::from(bytes[start])].iter().map(|at| &forms[*at]);
        if let Some((word, _)) = candidates.into_iter().find(|(_, form)| bytes[start..].starts_with(form)) {
            return Some(word);
        }
    }
    None
}

/// The places of all octets in pages that are not all zero: segments are long before they are full.
fn written(bytes: &[u8]) -> impl Iterator<Item = usize> {
    const PAGE: usize = 4096;
    let zeros = [0; PAGE];
    let pages = bytes.chunks(PAGE).enumerate().filter(move |(_, page)| *page != &zeros[..page.len()]);
    pages.flat_map(|(at, page)| at * PAGE..at * PAGE + page.len())
}

/// The word as it is, as UTF-16 in both orders, in hex, in base 64 at each of its three alignments, as packed septets,
/// and, for numbers, as swapped semi-octets.
fn forms(word: &str) -> Vec<Vec<u8>> {
    let plain = word.as_bytes();
    let units: Vec<u16> = word.encode_utf16().collect();
    let hex: String = plain.iter().map(|octet| format!("{octet:02x}")).collect();
    let mut forms = vec![
        plain.to_vec(),
        units.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
        units.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
    ];
    forms.extend((0..3).filter_map(|skip| plain.get(skip..)).map(base64_core));
    if word.is_ascii() {
        forms.push(packed(plain));
    }
    if plain.iter().all(u8::is_ascii_digit) {
        forms.push(plain.chunks(2).map(|pair| (pair[pair.len() - 1] - b'0') << 4 | (pair[0] - b'0')).collect());
    }
    forms
}

/// The characters of base 64 that depend on these octets alone, whatever stands behind them.
fn base64_core(octets: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = octets.chunks_exact(3).map(|group| u32::from_be_bytes([0, group[0], group[1], group[2]]));
    groups.flat_map(|group| [18, 12, 6, 0].map(|shift| DIGITS[(group >> shift) as usize & 63])).collect()
}

/// Septets packed into octets, 3GPP TS 23.038 section 6.1.2.1, without the last octet, which may hold padding.
fn packed(septets: &[u8]) -> Vec<u8> {
    let bits: Vec<bool> = septets.iter().flat_map(|septet| (0..7).map(move |bit| septet >> bit & 1 == 1)).collect();
    let octet = |bits: &[bool]| bits.iter().enumerate().fold(0, |octet, (at, bit)| octet | u8::from(*bit) << at);
    bits.chunks_exact(8).map(octet).collect()
}

fn configuration(smsc: &Smsc) -> String {
    let config = settings::one_carrier(smsc.address, "binds = 2");
    let config = config.replace("password = \"secret\"", &format!("password = \"{PASSWORD}\""));
    let config = config.replace("password = \"hush\"", &format!("password = \"{CARRIER_PASSWORD}\""));
    format!("[node]\ndata_dir = \"data\"\nlog = \"trace\"\n\n{}", config.replace("riverside-key", API_KEY))
}
