//! The HTTP API answers every request by its promises: forms, errors with their place, batches, repeats, look-ups. The core is a
//! stand-in: durability is not checked here.

mod http_support;
mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::Ordering;
use std::time::Duration;

use http_support::{start, start_with};
use serde_json::{Value, json};
use sluice::ingress::http::server::Limits;
use support::http::{get, post};

const KEY: Option<&str> = Some("dev-key");

fn message(to: &str, text: &str) -> Value {
    json!({ "to": to, "from": "Riverside", "text": text })
}

/// Any request at all: status, headers by name, body.
struct Raw {
    status: u16,
    headers: Vec<(String, String)>,
    body: Value,
}

impl Raw {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// Sends these octets on a connection of their own and reads the answer to its end.
fn raw(address: SocketAddr, request: &str) -> Raw {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(support::PATIENCE)).expect("a timeout can be set");
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the answer ends");
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers = head.lines().skip(1).filter_map(header).collect();
    Raw { status, headers, body: serde_json::from_str(body).unwrap_or_default() }
}

fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\nauthorization: Bearer dev-key\r\n\
        content-length: {length}\r\n{headers}\r\n{body}"
    )
}

const JSON: &str = "content-type: application/json\r\n";

#[test]
fn one_message_is_taken_and_found_again() {
    let server = start();
    let body = json!({ "to": "+44 7700 900123", "from": "Riverside", "text": "Hi €", "reference": "r-1" }).to_string();
    let answer = raw(server.address, &request("POST", "/v1/messages", JSON, &body));
    assert_eq!(answer.status, 202, "{}", answer.body);
    let id = answer.body["id"].as_str().expect("an id").to_owned();
    assert_eq!(id.len(), 26);
    assert_eq!(answer.header("location"), Some(format!("/v1/messages/{id}").as_str()));
    let expected = json!({
        "id": id, "state": "accepted", "parts": 1, "encoding": "gsm7", "price": { "amount": "0.0264", "currency": "GBP" },
    });
    assert_eq!(answer.body, expected);

    let found = get(server.address, &format!("/v1/messages/{id}"), KEY);
    assert_eq!(found.status, 200, "{}", found.text);
    let told = |name: &str| found.body[name].as_str();
    assert_eq!((told("to"), told("from"), told("reference")), (Some("447700900123"), Some("Riverside"), Some("r-1")));
    assert_eq!((told("state"), told("accepted_at")), (Some("enroute"), Some("2026-11-21T12:00:00.000000Z")));
    let part = json!({
        "part": 1, "carrier": "alpha", "carrier_id": "c-1", "state": "enroute", "error": null, "done_at": null,
        "sent_at": "2026-11-21T12:00:01.000000Z", "price": { "amount": "0.0264", "currency": "GBP" },
        "possible_duplicate": true,
    });
    assert_eq!(found.body["part_list"], json!([part]));
}

#[test]
fn a_long_message_has_a_row_for_each_part() {
    let server = start();
    let accepted = post(server.address, "/v1/messages", KEY, &message("447700900123", &"ж".repeat(100)));
    assert_eq!((&accepted.body["parts"], &accepted.body["encoding"]), (&json!(2), &json!("ucs2")));
    assert_eq!(accepted.body["price"]["amount"], "0.0528");
    let id = accepted.body["id"].as_str().expect("an id");
    let found = get(server.address, &format!("/v1/messages/{id}"), KEY);
    let states: Vec<&Value> = (0..2).map(|part| &found.body["part_list"][part]["state"]).collect();
    assert_eq!(states, ["enroute", "accepted"]);
    assert_eq!(found.body["part_list"][1]["carrier_id"], Value::Null);
}

#[test]
fn later_messages_are_scheduled() {
    let server = start();
    let mut body = message("447700900123", "later");
    body["send_at"] =
        json!(jiff::Timestamp::now().saturating_add(jiff::Span::new().hours(2)).expect("soon").to_string());
    body["validity"] = json!("1h");
    let answer = post(server.address, "/v1/messages", KEY, &body);
    assert_eq!((answer.status, &answer.body["state"]), (202, &json!("scheduled")), "{}", answer.text);
    body["send_at"] = json!("2099-01-01T00:00:00Z");
    let answer = post(server.address, "/v1/messages", KEY, &body);
    assert_eq!((answer.status, &answer.body["pointer"]), (422, &json!("/send_at")), "{}", answer.text);
}

#[test]
fn who_is_not_known_is_not_served() {
    let server = start();
    for key in [None, Some("wrong"), Some("")] {
        let answer = post(server.address, "/v1/messages", key, &message("447700900123", "Hi"));
        assert_eq!((answer.status, &answer.body["code"]), (401, &json!("wrong_credentials")));
        assert_eq!(get(server.address, "/v1/messages/00000000000000000000000000", key).status, 401);
        assert_eq!(post(server.address, "/v1/preview", key, &json!({})).status, 401);
    }
    let without = "POST /v1/messages HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    assert!(raw(server.address, without).header("www-authenticate").is_some_and(|value| value.starts_with("Bearer")));
    assert!(server.stored.lock().expect("the core lives").is_empty());
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let server = start();
    let with = |field: &str, value: Value| {
        let mut body = message("447700900123", "Hi");
        body[field] = value;
        body
    };
    let cases = [
        (json!([1]), 400, "malformed", Some("")),
        (json!({ "to": "447700900123" }), 400, "missing_field", Some("/text")),
        (with("colour", json!("red")), 400, "unknown_field", Some("/colour")),
        (with("to", json!("")), 422, "invalid_destination", Some("/to")),
        (with("to", json!("12")), 422, "invalid_destination", Some("/to")),
        (with("to", json!("15550100")), 422, "no_route", Some("/to")),
        (with("to", json!("33123456789")), 422, "no_price", Some("/to")),
        (with("from", json!("A name too long")), 422, "invalid_sender", Some("/from")),
        (with("text", json!("")), 422, "empty_text", Some("/text")),
        (with("text", json!("a".repeat(153 * 300))), 422, "too_long", Some("/text")),
        (with("validity", json!("99d")), 422, "invalid_validity", Some("/validity")),
        (with("encoding", json!("morse")), 422, "invalid_encoding", Some("/encoding")),
        (json!({ "messages": [] }), 400, "batch_size", Some("/messages")),
    ];
    for (body, status, code, pointer) in cases {
        let answer = post(server.address, "/v1/messages", KEY, &body);
        let told = (answer.status, answer.body["code"].as_str(), answer.body["pointer"].as_str());
        assert_eq!(told, (status, Some(code), pointer), "{}", answer.text);
        assert!(answer.body["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{}", answer.text);
    }
    let gsm7 = json!({ "to": "447700900123", "from": "A", "text": "жук", "encoding": "gsm7" });
    let answer = post(server.address, "/v1/messages", KEY, &gsm7);
    assert_eq!((answer.status, &answer.body["code"]), (422, &json!("not_in_alphabet")));
    assert!(server.stored.lock().expect("the core lives").is_empty());
}

#[test]
fn every_error_is_a_problem_document() {
    let limits = Limits { body_octets_max: 1_000, ..Limits::default() };
    let server = start_with(limits, None);
    let long = message("447700900123", &"a".repeat(1_000)).to_string();
    let chunked = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: test\r\nconnection: close\r\nauthorization: Bearer dev-key\r\n{JSON}\
        transfer-encoding: chunked\r\n\r\n{:x}\r\n{long}\r\n0\r\n\r\n",
        long.len()
    );
    let cases = [
        (request("GET", "/nowhere", "", ""), 404, "not_found"),
        (request("GET", "/v1/messages", "", ""), 405, "method_not_allowed"),
        (request("DELETE", "/v1/messages/00000000000000000000000000", "", ""), 405, "method_not_allowed"),
        (request("GET", "/v1/messages/short", "", ""), 404, "no_such_message"),
        (request("GET", "/v1/messages/%FF", "", ""), 404, "no_such_message"),
        (request("POST", "/v1/messages", JSON, &long), 413, "body_too_large"),
        (chunked, 413, "body_too_large"),
        (request("POST", "/v1/messages", "content-type: text/plain\r\n", "{}"), 415, "not_json"),
        (request("POST", "/v1/messages", "", "{}"), 415, "not_json"),
        (request("POST", "/v1/messages", JSON, "{\"to\":"), 400, "not_json"),
        (request("POST", "/v1/messages", &format!("{JSON}idempotency-key: \r\n"), "{}"), 400, "invalid_key"),
    ];
    for (request, status, code) in cases {
        let answer = raw(server.address, &request);
        assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{request}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{request}");
        assert_eq!(answer.body["status"], status);
        assert_eq!(answer.header("allow").is_some(), status == 405, "{request}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[test]
fn a_batch_keeps_its_order_and_says_which_were_refused() {
    let server = start();
    let batch = json!({ "messages": [
        message("447700900001", "one"), message("", "two"), message("447700900003", "three"), json!({ "to": 4 }),
    ]});
    let answer = post(server.address, "/v1/messages", KEY, &batch);
    assert_eq!(answer.status, 202, "{}", answer.text);
    let rows = answer.body["messages"].as_array().expect("rows");
    assert_eq!(rows.len(), 4);
    let pointer = |row: usize| rows[row]["error"]["pointer"].as_str();
    assert_eq!((pointer(0), pointer(1), pointer(3)), (None, Some("/messages/1/to"), Some("/messages/3/text")));
    for (row, to) in [(0, "447700900001"), (2, "447700900003")] {
        let id = rows[row]["id"].as_str().expect("an id");
        assert_eq!(get(server.address, &format!("/v1/messages/{id}"), KEY).body["to"], to);
    }
    let all_bad = json!({ "messages": [message("", "one"), message("1", "two")] });
    let answer = post(server.address, "/v1/messages", KEY, &all_bad);
    assert_eq!((answer.status, answer.body["messages"].as_array().map(Vec::len)), (422, Some(2)));
    let limits = Limits { batch_max: 2, ..Limits::default() };
    let small = start_with(limits, None);
    assert_eq!(post(small.address, "/v1/messages", KEY, &batch).status, 413);
}

#[test]
fn a_message_is_its_tenants_alone() {
    let server = start();
    let accepted = post(server.address, "/v1/messages", KEY, &message("447700900123", "Hi"));
    let id = accepted.body["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/messages/{id}");
    assert_eq!(get(server.address, &path, KEY).status, 200);
    let foreign = get(server.address, &path, Some("other-key"));
    // One digit of the id's hash differs: it was never printed.
    let last = if id.ends_with('0') { '1' } else { '0' };
    let forged = get(server.address, &format!("/v1/messages/{}{last}", &id[..25]), KEY);
    for answer in [foreign, forged] {
        assert_eq!((answer.status, &answer.body["code"]), (404, &json!("no_such_message")));
    }
}

#[test]
fn the_same_key_gives_the_same_answer() {
    let server = start();
    let batch = json!({ "messages": [message("447700900001", "one"), message("", "two")] }).to_string();
    let keyed = format!("{JSON}idempotency-key: order-7\r\n");
    let send = |body: &str| raw(server.address, &request("POST", "/v1/messages", &keyed, body));
    let first = send(&batch);
    let again = send(&batch);
    assert_eq!((first.status, again.status), (202, 202), "{}", again.body);
    assert_eq!(first.body, again.body);
    assert_eq!(server.stored.lock().expect("the core lives").len(), 1);
    let other = send(&batch.replace("one", "uno"));
    assert_eq!((other.status, other.body["code"].as_str()), (422, Some("key_reused")));
    server.orders.running.store(true, Ordering::Release);
    let running = send(&batch);
    assert_eq!((running.status, running.body["code"].as_str()), (409, Some("key_running")));
    // Another tenant's key of the same name is another key.
    server.orders.running.store(false, Ordering::Release);
    let foreign = request("POST", "/v1/messages", &keyed, &batch).replace("dev-key", "other-key");
    assert_eq!(raw(server.address, &foreign).status, 202);
    assert_eq!(server.stored.lock().expect("the core lives").len(), 2);
}

#[test]
fn a_request_of_which_nothing_may_be_sent_can_be_repaired_under_its_key() {
    let server = start();
    let keyed = format!("{JSON}idempotency-key: order-8\r\n");
    let send = |body: Value| raw(server.address, &request("POST", "/v1/messages", &keyed, &body.to_string()));
    assert_eq!(send(message("", "Hi")).status, 422);
    assert_eq!(send(message("447700900123", "Hi")).status, 202);
}

#[test]
fn a_full_gateway_says_when_to_come_again() {
    let server = start();
    server.orders.full.store(true, Ordering::Release);
    let body = message("447700900123", "Hi");
    let many = json!({ "messages": [body, body] });
    for body in [&body, &many] {
        let answer = raw(server.address, &request("POST", "/v1/messages", JSON, &body.to_string()));
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{}", answer.body);
    }
    server.orders.full.store(false, Ordering::Release);
    server.orders.broke.store(true, Ordering::Release);
    let answer = post(server.address, "/v1/messages", KEY, &body);
    assert_eq!((answer.status, &answer.body["code"]), (402, &json!("insufficient_credit")));
}

#[test]
fn the_national_tables_of_a_text_are_told() {
    let server = start();
    let turkish = json!({ "locking": "turkish", "single": null });
    let text = message("447700900123", "Hoş geldiniz");
    let previewed = post(server.address, "/v1/preview", KEY, &text).body;
    assert_eq!((&previewed["encoding"], &previewed["national_tables"]), (&json!("gsm7"), &turkish));
    let keyed = request("POST", "/v1/messages", &format!("{JSON}idempotency-key: hos-1\r\n"), &text.to_string());
    let sent = raw(server.address, &keyed).body;
    assert_eq!((&sent["encoding"], &sent["national_tables"]), (&json!("gsm7"), &turkish), "{sent}");
    assert_eq!(raw(server.address, &keyed).body, sent, "the same key gives the same answer");
    let status = get(server.address, &format!("/v1/messages/{}", sent["id"].as_str().expect("an id")), KEY).body;
    assert_eq!(status["national_tables"], turkish);
    let other = post(server.address, "/v1/preview", Some("other-key"), &text).body;
    assert_eq!((&other["encoding"], other.get("national_tables")), (&json!("ucs2"), None), "it does not use them");
}

#[test]
fn a_preview_stores_nothing() {
    let server = start();
    let answer = post(server.address, "/v1/preview", KEY, &message("447700900123", "“Hi”"));
    assert_eq!((answer.status, &answer.body["encoding"]), (200, &json!("ucs2")), "{}", answer.text);
    assert_eq!(answer.body["price"]["amount"], "0.0264");
    let refused = post(server.address, "/v1/preview", KEY, &message("33123456789", "Hi"));
    assert_eq!((refused.status, &refused.body["code"]), (422, &json!("no_price")));
    let many = json!({ "messages": [message("447700900123", "Hi"), message("", "Hi")] });
    let answer = post(server.address, "/v1/preview", KEY, &many);
    assert_eq!((answer.status, &answer.body["messages"][1]["error"]["status"]), (200, &json!(422)));
    assert!(server.stored.lock().expect("the core lives").is_empty());
}

#[test]
fn a_preview_names_dear_characters_and_what_replacing_them_saves() {
    let server = start();
    let preview = |body: &Value| {
        let answer = post(server.address, "/v1/preview", KEY, body);
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body
    };
    let saves = |parts: u8, amount: &str| json!({ "parts": parts, "price": { "amount": amount, "currency": "GBP" } });
    let long = format!("{}’{}’ [1]", "a".repeat(80), "b".repeat(70));
    let told = preview(&message("447700900123", &long));
    assert_eq!((&told["encoding"], &told["parts"], &told["characters_more"]), (&json!("ucs2"), &json!(3), &json!(0)));
    let quote = json!({
        "at": 80, "count": 2, "character": "’", "codepoint": "U+2019", "effect": "forces_ucs2", "replacement": "'",
        "saves": saves(2, "0.0528"),
    });
    assert_eq!((&told["characters"][0], &told["characters"][1]["character"]), (&quote, &json!("[")));
    let suggestion = json!({
        "encoding": "gsm7", "parts": 1, "price": { "amount": "0.0264", "currency": "GBP" }, "saves": saves(2, "0.0528"),
        "replaced": [{ "at": 80, "from": "’", "to": "'" }, { "at": 151, "from": "’", "to": "'" }],
    });
    assert_eq!((&told["suggestion"], told.get("replaced")), (&suggestion, None));

    let mut body = message("447700900123", &long);
    body["smart_encoding"] = json!("transliterate");
    let told = preview(&body);
    assert_eq!((&told["parts"], &told["replaced"]), (&json!(1), &suggestion["replaced"]));
    assert_eq!(told["characters"][0], quote, "of the text as it was given");
    body["text"] = json!("e\u{301} ж");
    let told = preview(&body);
    assert_eq!((&told["replaced"], &told["suggestion"]), (&json!([]), &Value::Null));
    assert_eq!(told["characters"][0]["codepoint"], "U+0065 U+0301");
    let other = &told["characters"][1];
    assert_eq!((&other["replacement"], &other["saves"]), (&Value::Null, &Value::Null));
    body["text"] = json!(('а'..='я').collect::<String>());
    let told = preview(&body);
    assert_eq!((told["characters"].as_array().map(Vec::len), &told["characters_more"]), (Some(20), &json!(12)));
    body["smart_encoding"] = json!("loud");
    let answer = post(server.address, "/v1/preview", KEY, &body);
    assert_eq!((answer.status, &answer.body["code"]), (422, &json!("invalid_smart_encoding")));
}

#[test]
fn operators_see_metrics_and_nobody_else() {
    let server = start();
    post(server.address, "/v1/messages", None, &message("447700900123", "Hi"));
    assert_eq!(get(server.address, "/healthz", None).text, "ok\n");
    assert_eq!(get(server.address, "/readyz", None).text, "ready\n");
    let metrics = get(server.address, "/metrics", None);
    assert_eq!(metrics.status, 200);
    assert!(metrics.text.contains("sluice_http_answers_total{status=\"401\"} 1"), "{}", metrics.text);
    assert!(metrics.text.ends_with("# EOF\n"));
    let guarded = start_with(Limits::default(), Some("operator"));
    for (token, status) in [(None, 403), (KEY, 403), (Some("operator"), 200)] {
        assert_eq!(get(guarded.address, "/metrics", token).status, status, "{token:?}");
    }
}

#[test]
fn the_example_of_the_docs_is_answered_as_it_says() {
    let page = include_str!("../docs/http.md");
    let between = |start: &str, end: &str| {
        let rest = page.split_once(start).unwrap_or_else(|| panic!("the page has no {start:?}")).1;
        serde_json::from_str::<Value>(rest.split_once(end).expect("it ends").0).expect("it is JSON")
    };
    let server = start();
    let answer = post(server.address, "/v1/messages", KEY, &between("-d '", "'\n"));
    assert_eq!(answer.status, 202, "{answer:?}");
    let names = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    let shown = between("\n# ", "\n");
    assert_eq!((names(&answer.body), &answer.body["parts"]), (names(&shown), &shown["parts"]));
    let id = answer.body["id"].as_str().expect("an id");
    let found = get(server.address, &format!("/v1/messages/{id}"), KEY);
    let status = page.split_once("\n## Status\n").expect("a section").1.split_once("\n## ").expect("another").0;
    for name in names(&found.body) {
        let said = names(&shown).contains(&name) || status.contains(&format!("`{name}`"));
        assert!(said, "{name} of a status is not in docs/http.md");
    }
}

#[test]
fn guessing_keys_is_bounded_and_hurts_nobody_who_is_known() {
    let server = start();
    let path = "/v1/messages/unknown";
    let asked = |key: &str, from: &str| {
        let head = format!("x-forwarded-for: 198.51.100.7, {from}\r\n");
        raw(server.address, &request("GET", path, &head, "").replace("dev-key", key))
    };
    let guesser = "203.0.113.9";
    assert_eq!(asked("dev-key", guesser).status, 404, "a platform behind the same proxy as the guesser");
    let statuses: Vec<u16> = (0..200).map(|guess| asked(&format!("guess-{guess}"), guesser).status).collect();
    // One guess every three seconds is answered still.
    assert!(statuses[0] == 401 && statuses[190..].contains(&429), "{statuses:?}");
    let looked_at = statuses.iter().filter(|status| **status == 401).count();
    assert!(looked_at <= 60, "{looked_at} guesses were answered");
    assert_eq!(asked("dev-key", guesser).status, 404, "who got in before is not held");
    assert_eq!(asked("other-key", "203.0.113.10").status, 404, "nor is who comes from elsewhere");
    for _ in 0..100 {
        asked("guess", "2001:db8::1");
    }
    let stranger = "203.0.113.11";
    assert!((0..100).any(|_| asked("guess", stranger).status == 429));
    assert_eq!(asked("other-key", stranger).status, 429, "a guesser learns nothing from a right key");
    let neighbours = [2, 3].map(|host| asked("guess", &format!("2001:db8::{host}")).status);
    assert!(neighbours.contains(&429), "a network of IPv6 is one origin: {neighbours:?}");
    assert_eq!(raw(server.address, &request("GET", "/metrics", "x-forwarded-for: 203.0.113.9\r\n", "")).status, 403);
}

#[test]
fn guessing_the_admin_token_is_bounded_where_it_was_right_before_too() {
    let server = start_with(Limits::default(), Some("ops"));
    let status = |token| get(server.address, "/metrics", Some(token)).status;
    assert_eq!((status("ops"), status("guess")), (200, 403));
    assert!((0..100).any(|_| status("guess") == 429));
    assert_eq!(status("ops"), 429, "the right one tells a guesser nothing now");
}

#[test]
fn a_slow_client_is_let_go() {
    let limits =
        Limits { head_within: Duration::from_millis(50), body_within: Duration::from_millis(50), ..Limits::default() };
    let server = start_with(limits, None);
    for said in ["GET /healthz HTTP/1.1\r\nhost: te", "", "PRI * HT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let answer = raw(server.address, said);
        assert!(answer.status == 0 || answer.status == 408, "{said:?} was answered with {}", answer.status);
    }
    let body = request("POST", "/v1/messages", JSON, "{}").replace("content-length: 2", "content-length: 3");
    let answer = raw(server.address, &body);
    assert_eq!((answer.status, answer.body["code"].as_str()), (408, Some("body_too_slow")));
}

#[test]
fn connections_without_a_request_keep_nobody_out() {
    let server = start_with(Limits { connections_max: 4, ..Limits::default() }, None);
    // Silent, half a head, not yet told what it speaks, HTTP/2 without a stream.
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0";
    let mut held = Vec::new();
    for said in ["", "GET / HTTP/1.1\r\nhost: te", "PRI * HT", preface, "", ""] {
        let mut stream = TcpStream::connect(server.address).expect("the server listens");
        stream.write_all(said.as_bytes()).expect("the server reads");
        held.push(stream);
    }
    for _ in 0..3 {
        assert_eq!(get(server.address, "/healthz", None).status, 200);
    }
    // The first to come had to go.
    held[0].set_read_timeout(Some(support::PATIENCE)).expect("a timeout can be set");
    assert_eq!(held[0].read(&mut [0]).expect("it is closed in order"), 0);
}

#[test]
fn connections_beyond_the_cap_wait_while_all_have_a_request() {
    let server = start_with(Limits { connections_max: 1, ..Limits::default() }, None);
    let mut first = TcpStream::connect(server.address).expect("the server listens");
    let body = message("447700900001", "hello").to_string();
    let whole = request("POST", "/v1/messages", &format!("{JSON}expect: 100-continue\r\n"), &body);
    let (head, body) = whole.split_at(whole.len() - body.len());
    first.write_all(head.as_bytes()).expect("the server reads");
    let mut goes_on = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    first.read_exact(&mut goes_on).expect("the request is in work");
    let mut second = TcpStream::connect(server.address).expect("the backlog takes it");
    second
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")
        .expect("the backlog takes it");
    second.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout can be set");
    assert!(second.read(&mut [0]).is_err(), "the second was answered while the first had the only place");
    first.write_all(body.as_bytes()).expect("the server reads");
    let mut answer = String::new();
    first.read_to_string(&mut answer).expect("it is answered");
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    answer.clear();
    second.set_read_timeout(Some(support::PATIENCE)).expect("a timeout can be set");
    second.read_to_string(&mut answer).expect("now it is answered");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
