//! The load generator counts right: against the carrier simulator, both sides and the ledger tell the same story.

mod support;

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::Value;
use support::{Carrier, daemon, silent_address};

#[test]
fn both_sides_and_the_ledger_agree() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (ledger, receipts) = (dir.path().join("ledger"), dir.path().join("receipts"));
    let mut carrier = Carrier::start(&["--json", "--undeliverable", "0.2", "--throttle", "0.02"]);
    let paths = [&ledger, &receipts].map(|path| path.to_str().expect("a path in UTF-8"));
    let arguments =
        ["--count", "3000", "--binds", "3", "--window", "20", "--ledger", paths[0], "--receipt-ledger", paths[1]];
    let output = load(&carrier, &arguments);
    let result = json(&output);
    assert_eq!(output.status.code(), Some(0), "{result}");
    assert_eq!((&result["sent"], &result["accepted"]), (&Value::from(3000), &Value::from(3000)), "{result}");
    let states = &result["receipts"]["states"];
    let count = |state: &str| states[state].as_u64().unwrap_or(0);
    assert_eq!(count("DELIVRD") + count("UNDELIV"), 3000, "{result}");
    assert!(count("UNDELIV") > 400, "one in five: {result}");
    for quantile in ["p50", "p99", "max"] {
        assert!(result["response_ms"][quantile].as_f64().expect("a number") > 0.0, "{result}");
    }
    carrier.program().signal("TERM");
    let summary: Value = serde_json::from_str(&carrier.program().line_after("")).expect("one JSON object");
    assert_eq!(summary["accepted"], 3000, "{summary}");
    assert_eq!(summary["by_status"]["ESME_RTHROTTLED"], result["slowed"]["ESME_RTHROTTLED"], "{summary} {result}");
    assert_eq!(summary["duplicates"], 0, "each text and destination is used once: {summary}");

    let lines: Vec<String> = text(&ledger).lines().map(str::to_owned).collect();
    let numbers: BTreeSet<&str> = lines.iter().filter_map(|line| line.rsplit(' ').next()).collect();
    assert_eq!((lines.len(), numbers.len()), (3000, 3000));
    assert!(numbers.contains("00000001") && numbers.contains("00003000"));
    let ids: BTreeSet<&str> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
    let of_receipts = text(&receipts);
    let receipted: BTreeSet<&str> = of_receipts.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(ids, receipted, "each accepted message has its receipt");
}

#[test]
fn what_is_missing_fails() {
    let carrier = Carrier::start(&["--receipts-after", "none"]);
    let output = load(&carrier, &["--count", "50", "--patience", "0.2"]);
    let result = json(&output);
    assert_eq!((output.status.code(), &result["receipts"]["missing"]), (Some(1), &Value::from(50)), "{result}");
    let output = load(&carrier, &["--count", "50", "--receipts", "none"]);
    assert_eq!(output.status.code(), Some(0), "nothing is missing where nothing was asked for: {}", json(&output));

    let carrier = Carrier::start(&["--lose-response", "1"]);
    let output = load(&carrier, &["--count", "50", "--patience", "0.2"]);
    let result = json(&output);
    assert_eq!((output.status.code(), &result["unanswered"]), (Some(1), &Value::from(50)), "{result}");
}

#[test]
fn lost_connections_are_bound_again_and_nothing_is_forgotten() {
    let mut carrier = Carrier::start(&["--disconnect-every", "250", "--json"]);
    let output =
        load(&carrier, &["--count", "2000", "--binds", "2", "--window", "10", "--reconnect", "--retry-unanswered"]);
    let result = json(&output);
    assert_eq!(output.status.code(), Some(0), "{result}");
    assert_eq!(result["accepted"], 2000, "{result}");
    assert!(result["connections_lost"].as_u64() >= Some(8), "{result}");
    carrier.program().signal("TERM");
    let summary: Value = serde_json::from_str(&carrier.program().line_after("")).expect("one JSON object");
    assert!(summary["accepted"].as_u64() >= Some(2000), "{summary}");
}

#[test]
fn a_rate_is_kept() {
    let carrier = Carrier::start(&[]);
    let result = json(&load(&carrier, &["--rate", "400/s", "--count", "200"]));
    let seconds = result["seconds"].as_f64().expect("a number");
    // 200 messages are 199 intervals; a busy machine may be late and is never early.
    assert!((199.0 / 400.0..5.0).contains(&seconds), "{result}");
}

#[test]
fn nobody_at_the_other_end_is_told() {
    let mut command = daemon::sluice();
    command.args(["load", "--system-id", "x", "--connect", &silent_address().to_string()]);
    let output = command.output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot connect"), "{output:?}");
}

fn load(carrier: &Carrier, arguments: &[&str]) -> Output {
    let mut command = daemon::sluice();
    command.args(["load", "--json", "--system-id", "platform", "--connect", &carrier.smpp.to_string()]);
    command.args(arguments).output().expect("the binary starts")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn text(path: &std::path::Path) -> String {
    std::fs::read_to_string(path).expect("the ledger was written")
}
