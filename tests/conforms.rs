//! `sluice conform` passes against the daemon with the minimal configuration, on both sides, and does not pass against peers
//! that break the standard.

#[path = "conforms/broken.rs"]
mod broken;
mod support;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use broken::{Broken, Way};
use serde_json::{Value, json};
use support::settings::{carrier, route, tenant};
use support::{Daemon, daemon, free_address, http, silent_address};

/// The longest that a run may take against anything.
const RUN_MAX: Duration = Duration::from_secs(240);

/// The configuration that the design page shows, with free ports; its carrier is down.
fn minimal(address: SocketAddr) -> String {
    let prices = "[[price]]\ntenant = \"riverside\"\nprefix = \"44\"\nper_part = \"0.0264 GBP\"\n";
    let tenant = "[[tenant]]\nid = \"riverside\"\nsystem_id = \"riverside\"\npassword = \"secret\"\napi_key = \"dev-key\"\n\
        rate = \"200/s\"\nburst = 400\n";
    let further = "bind = \"transceiver\"\nbinds = 4\nwindow = 100\nrate = \"1000/s\"\nreconnect_max = \"300ms\"";
    format!("{tenant}\n{}{}{prices}", carrier("alpha", address, further), route(&["alpha"]))
}

#[test]
fn the_daemon_passes_every_case() {
    let mut daemon = Daemon::start(&minimal(silent_address()));
    let junit = daemon.dir.join("conform.xml");
    let began = now();
    let output = conform(daemon.smpp, &["--json", "--junit", junit.to_str().expect("a path in UTF-8")]);
    assert!(began.elapsed() < RUN_MAX, "{:?}", began.elapsed());
    let (cases, totals) = told(&output);
    assert_eq!(failed(&cases), BTreeSet::<String>::new(), "{totals}");
    assert_eq!(output.status.code(), Some(0), "{totals}");
    let passed = |hostile: bool| {
        let counts = |case: &&Value| case["result"] == "pass" && (case["section"] == "hostile") == hostile;
        cases.iter().filter(counts).count()
    };
    assert!(passed(false) >= 250 && passed(true) >= 500, "{} and {}", passed(false), passed(true));
    assert_eq!(totals["total"].as_u64(), Some(cases.len() as u64), "{totals}");
    // What may be skipped is what the standard leaves to the message centre.
    for case in cases.iter().filter(|case| case["result"] == "skip") {
        assert!(case["detail"].as_str().is_some_and(|detail| detail.contains("ESME_RINVCMDID")), "{case}");
    }
    let names: BTreeSet<String> = cases.iter().map(|case| format!("{}: {}", case["section"], case["case"])).collect();
    assert_eq!(names.len(), cases.len(), "each case has a name of its own");
    assert!(daemon.is_running());
    assert_junit(&junit, &cases);
}

#[test]
fn a_tight_tenant_passes_too() {
    let further = "rate = \"100/s\"\nburst = 5\nwindow = 10\nbinds = 2";
    let text = tenant("riverside", further) + &carrier("alpha", silent_address(), "") + &route(&["alpha"]);
    let daemon = Daemon::start(&text);
    let output = conform(daemon.smpp, &["--json", "--section", "header", "--section", "bind", "--section", "unbind"]);
    let (cases, totals) = told(&output);
    assert_eq!(failed(&cases), BTreeSet::<String>::new(), "{totals}");
    assert!(cases.len() > 80, "{totals}");
}

#[test]
fn the_carrier_side_passes_every_case() {
    let listen = free_address();
    let daemon = Daemon::start(&minimal(listen));
    let messages: Vec<Value> = (0..200)
        .map(|number| json!({ "to": format!("4477009{number:05}"), "from": "Riverside", "text": "one of many" }))
        .collect();
    for some in messages.chunks(50) {
        let answer = http::post(daemon.http, "/v1/messages", Some("dev-key"), &json!({ "messages": some }));
        assert_eq!(answer.status, 202, "{}", answer.text);
    }
    let mut command = daemon::sluice();
    command.args(["conform", "--json", "--listen", &listen.to_string()]);
    let output = command.output().expect("the binary starts");
    let (cases, totals) = told(&output);
    assert_eq!(failed(&cases), BTreeSet::<String>::new(), "{totals}");
    assert_eq!((output.status.code(), totals["skip"].as_u64()), (Some(0), Some(0)), "{totals}");
    assert!(cases.len() >= 250, "{totals}");
}

#[test]
fn a_server_that_says_yes_to_everything_fails() {
    let broken = Broken::start(Way::AlwaysOk);
    let (cases, totals) = told(&conform(broken.address, &["--json", "--patience", "0.5"]));
    let failed = failed(&cases);
    for name in [
        "submit_sm before a bind is refused",
        "submit_sm on a receiver bind is refused",
        "an unknown command_id 0x0A is refused by generic_nack ESME_RINVCMDID",
        "a wrong password is refused",
        "a second bind_transceiver on a bound connection is refused",
        "vector: command_length 0",
        "vector: submit_sm body cut: no body",
        "10 submit_sm in one write each get a message_id of their own",
    ] {
        assert!(failed.contains(name), "{name} is not among the {} that failed: {totals}", failed.len());
    }
    assert!(!failed.contains("enquire_link on a trx bind is answered with ESME_ROK"), "{totals}");
}

#[test]
fn a_server_that_ends_no_string_fails() {
    let broken = Broken::start(Way::NoNul);
    let output = conform(broken.address, &["--json", "--section", "submit", "--section", "bind"]);
    let (cases, totals) = told(&output);
    assert_eq!((output.status.code(), totals["pass"].as_u64()), (Some(1), Some(0)), "{totals}");
    let wrong = |case: &Value| case["detail"].as_str().is_some_and(|detail| detail.contains("not terminated by a NUL"));
    assert!(cases.iter().all(wrong), "{:?}", cases.first());
}

#[test]
fn a_server_that_says_nothing_fails_soon() {
    let broken = Broken::start(Way::Silent);
    let began = now();
    let output = conform(broken.address, &["--json", "--patience", "0.3"]);
    assert!(began.elapsed() < RUN_MAX / 4, "{:?}", began.elapsed());
    let (cases, totals) = told(&output);
    assert_eq!((output.status.code(), totals["pass"].as_u64()), (Some(1), Some(0)), "{totals}");
    assert!(cases.len() >= 750, "{totals}");
}

#[test]
fn mistakes_are_told() {
    let daemon = Daemon::start(&minimal(silent_address()));
    let silent = silent_address();
    let says = |arguments: &[&str], code: i32, words: &str| {
        let mut command = daemon::sluice();
        let output = command.arg("conform").args(arguments).output().expect("the binary starts");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(words), "{arguments:?}: {told}");
    };
    let (silent, here) = (silent.to_string(), daemon.smpp.to_string());
    says(&["--connect", &silent, "--system-id", "x"], 1, "is the message centre running");
    says(&["--connect", &here, "--system-id", "riverside", "--password", "no"], 1, "--password right");
    says(&["--connect", &here, "--section", "nonsense"], 2, "there are");
    says(&["--connect", &here, "--case", "nonsense"], 2, "--list");
    says(&["--connect", "nonsense"], 2, "127.0.0.1:2775");
    says(&[], 2, "--connect");
}

fn conform(address: SocketAddr, arguments: &[&str]) -> Output {
    let mut command = daemon::sluice();
    command.args(["conform", "--system-id", "riverside", "--password", "secret", "--connect", &address.to_string()]);
    command.args(arguments).output().expect("the binary starts")
}

/// The lines of the cases, and the last one.
fn told(output: &Output) -> (Vec<Value>, Value) {
    let text = String::from_utf8_lossy(&output.stdout);
    let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let mut lines: Vec<Value> = text.lines().map(read).collect();
    let totals = lines.pop().unwrap_or_else(|| panic!("no line: {output:?}"));
    for case in &lines {
        for key in ["case", "clause", "section", "result", "detail"] {
            assert!(case[key].is_string(), "{key} in {case}");
        }
    }
    (lines, totals)
}

fn failed(cases: &[Value]) -> BTreeSet<String> {
    let failed = cases.iter().filter(|case| case["result"] == "fail");
    failed.map(|case| case["case"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The report is XML whose elements are closed in order, and it has every case.
fn assert_junit(path: &Path, cases: &[Value]) {
    let text = std::fs::read_to_string(path).expect("the report was written");
    let mut open: Vec<&str> = Vec::new();
    let mut found = 0;
    for tag in text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default()) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        match tag {
            _ if tag.starts_with('?') || tag.ends_with('/') => {}
            _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(name)),
            _ => {
                found += usize::from(name == "testcase");
                open.push(name);
            }
        }
    }
    assert_eq!((open.len(), found), (0, cases.len()));
    assert!(text.contains(&format!("tests=\"{found}\" failures=\"0\"")), "{}", &text[..300]);
}

#[expect(clippy::disallowed_methods, reason = "how long a program ran is measured from outside")]
fn now() -> Instant {
    Instant::now()
}
