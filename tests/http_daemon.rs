//! The HTTP API of the real daemon: what it acknowledged is found after a crash, keys answer the same again, commands drive it.

mod support;

use std::process::{Output, Stdio};

use serde_json::{Value, json};
use support::daemon::sluice;
use support::{Carrier, Daemon, eventually, http, settings};

const KEY: &str = "riverside-key";

fn message(to: &str, text: &str) -> Value {
    json!({ "to": to, "from": "Riverside", "text": text })
}

/// Waits until a message has reached its end.
fn ended(daemon: &Daemon, id: &str) -> Value {
    eventually("a message ends", || {
        let found = http::get(daemon.http, &format!("/v1/messages/{id}"), Some(KEY));
        assert_eq!(found.status, 200, "{}", found.text);
        found.body["done_at"].is_string().then_some(found.body)
    })
}

fn command(daemon: &Daemon, args: &[&str]) -> Output {
    let mut command = sluice();
    command.args(args).args(["--url", &format!("http://{}", daemon.http)]).env("SLUICE_API_KEY", KEY);
    command.stdin(Stdio::null()).output().expect("the binary starts")
}

#[test]
fn a_message_is_taken_sent_and_found_at_its_end() {
    let carrier = Carrier::start(&[]);
    let daemon = Daemon::start(&settings::one_carrier(carrier.smpp, ""));
    let mut body = message("+447700900123", &"ж".repeat(100));
    body["reference"] = json!("order 7");
    let accepted = http::post(daemon.http, "/v1/messages", Some(KEY), &body);
    assert_eq!((accepted.status, &accepted.body["parts"]), (202, &json!(2)), "{}", accepted.text);
    let status = ended(&daemon, accepted.body["id"].as_str().expect("an id"));
    assert_eq!((&status["state"], &status["reference"]), (&json!("delivered"), &json!("order 7")));
    assert_eq!((&status["to"], &status["from"]), (&json!("447700900123"), &json!("Riverside")));
    assert_eq!(status["price"], json!({ "amount": "0.0528", "currency": "GBP" }));
    for (at, part) in status["part_list"].as_array().expect("rows").iter().enumerate() {
        assert_eq!(
            (&part["part"], &part["carrier"], &part["state"]),
            (&json!(at + 1), &json!("alpha"), &json!("delivered"))
        );
        assert!(part["carrier_id"].as_str().is_some_and(|id| !id.is_empty()), "{part}");
        assert_eq!(part["price"]["amount"], "0.0264");
    }
}

#[test]
fn what_was_acknowledged_is_found_after_a_crash_and_a_key_answers_the_same() {
    let mut daemon = Daemon::start(&settings::one_carrier(support::silent_address(), ""));
    let batch =
        json!({ "messages": [message("447700900001", "one"), message("", "two"), message("447700900003", "three")] });
    let send = |daemon: &Daemon, body: &Value| keyed(daemon, "order-7", body);
    let first = send(&daemon, &batch);
    assert_eq!(first.0, 202, "{}", first.1);
    assert_eq!(send(&daemon, &batch), first);
    daemon.kill9();
    daemon.restart();
    assert_eq!(send(&daemon, &batch), first, "the key has outlived the crash");
    let (status, body) = send(&daemon, &message("447700900001", "another"));
    assert_eq!((status, &body["code"]), (422, &json!("key_reused")));
    for row in [0, 2] {
        let id = first.1["messages"][row]["id"].as_str().expect("an id");
        let found = http::get(daemon.http, &format!("/v1/messages/{id}"), Some(KEY));
        assert_eq!((found.status, &found.body["state"]), (200, &json!("accepted")), "{}", found.text);
    }
}

/// `POST /v1/messages` with an Idempotency-Key: the status and the body.
fn keyed(daemon: &Daemon, key: &str, body: &Value) -> (u16, Value) {
    let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(support::PATIENCE));
    let agent: ureq::Agent = config.proxy(None).build().into();
    let request = agent.post(format!("http://{}/v1/messages", daemon.http));
    let request = request.header("authorization", format!("Bearer {KEY}")).header("idempotency-key", key);
    let mut response = request.send_json(body).expect("the daemon answers");
    (response.status().as_u16(), response.body_mut().read_json().expect("JSON"))
}

#[test]
fn a_key_whose_messages_were_all_denied_is_free_again() {
    let config = settings::one_carrier(support::silent_address(), "");
    let daemon = Daemon::start(&config.replace("api_key =", "credit = \"0.05 GBP\"\napi_key ="));
    let dear = message("447700900123", &"a".repeat(320));
    assert_eq!(keyed(&daemon, "order-8", &dear).0, 402);
    let (status, body) = keyed(&daemon, "order-8", &message("447700900123", "cheaper"));
    assert_eq!(status, 202, "{body}");
    // One of two fits into what is left: the answer is complete, and the same when it is asked for again.
    let two = json!({ "messages": [message("447700900123", "one"), dear] });
    let rest = keyed(&daemon, "order-9", &two);
    assert_eq!(rest.0, 422, "0.0236 GBP cover no part: {}", rest.1);
}

#[test]
fn commands_drive_a_running_daemon() {
    let carrier = Carrier::start(&[]);
    let daemon = Daemon::start(&settings::one_carrier(carrier.smpp, ""));
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let sent = command(&daemon, &["send", "--to", "447700900123", "--from", "Riverside", "--text", "Hello", "--json"]);
    assert_eq!(sent.status.code(), Some(0), "{}", text(&sent.stderr));
    let sent: Value = serde_json::from_slice(&sent.stdout).expect("JSON");
    let id = sent["id"].as_str().expect("an id");
    ended(&daemon, id);
    let shown = command(&daemon, &["message", id]);
    assert!(text(&shown.stdout).contains("delivered"), "{}", text(&shown.stdout));
    let refused = command(&daemon, &["send", "--to", "12", "--from", "Riverside", "--text", "Hello"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("invalid_destination"), "{}", text(&refused.stderr));
    let status = command(&daemon, &["status", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).expect("JSON");
    assert_eq!(status["ready"], true);
    let numbers = &status["numbers"];
    assert_eq!((&numbers["messages"]["accepted"], &numbers["messages"]["refused"]), (&json!(1), &json!(1)));
    assert_eq!((&numbers["carriers"][0]["standing"], &numbers["carriers"][0]["binds"]), (&json!("up"), &json!(1)));
    let shown = text(&command(&daemon, &["status"]).stdout);
    assert!(shown.contains("alpha is up: 1 of 1 binds") && shown.contains("1 invalid_destination"), "{shown}");
}

#[test]
fn a_stopped_store_can_be_looked_at_and_shows_no_content() {
    let mut daemon = Daemon::start(&settings::one_carrier(support::silent_address(), ""));
    let accepted = http::post(daemon.http, "/v1/messages", Some(KEY), &message("447700900123", "not to be seen"));
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    let data = daemon.dir.join("data");
    let data = data.to_str().expect("UTF-8");
    let look = |what: &str| sluice().args(["journal", what, data]).output().expect("the binary starts");
    let running = look("verify");
    assert_eq!(running.status.code(), Some(1), "a running store is not looked at");
    assert_eq!(daemon.term().code(), Some(0), "{}", daemon.log());
    assert_eq!(look("verify").status.code(), Some(0));
    let dump = String::from_utf8(look("dump").stdout).expect("JSON is UTF-8");
    let facts: Vec<Value> = dump.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect();
    assert!(facts.iter().any(|fact| fact["fact"] == "Accepted" && fact["parts"] == 1), "{dump}");
    assert!(!dump.contains("447700900123") && !dump.contains("not to be seen"), "{dump}");
}
