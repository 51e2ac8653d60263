//! The dashboard of the real daemon: its page and numbers tell what happens, to operators alone, and hold nobody's number or text.

mod support;

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use support::esme::{BIND_TRANSCEIVER, Esme};
use support::smsc::{Answer, Smsc};
use support::{Carrier, Daemon, eventually, http, settings};

const KEY: &str = "riverside-key";
const NUMBER: &str = "447700912345";
const BODY: &str = "canary body kingfisher";
const SENDER: &str = "Kingfisher";

/// Status, headers and body of `GET path`.
fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> ureq::http::Response<String> {
    let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(support::PATIENCE));
    let agent: ureq::Agent = config.proxy(None).build().into();
    let request = agent.get(format!("http://{address}{path}"));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let (parts, mut body) = request.call().expect("the daemon answers").into_parts();
    ureq::http::Response::from_parts(parts, body.read_to_string().expect("text"))
}

fn status(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> u16 {
    get(address, path, headers).status().as_u16()
}

fn numbers(daemon: &Daemon) -> Value {
    serde_json::from_str(get(daemon.http, "/numbers.json", &[]).body()).expect("JSON")
}

fn send(daemon: &Daemon, count: usize) {
    for _ in 0..count {
        let body = json!({ "to": NUMBER, "from": SENDER, "text": BODY });
        assert_eq!(http::post(daemon.http, "/v1/messages", Some(KEY), &body).status, 202);
    }
}

#[test]
fn it_tells_what_happens_and_nothing_of_what_was_said() {
    let carrier = Carrier::start(&[]);
    let daemon = Daemon::start(&settings::one_carrier(carrier.smpp, "binds = 2"));
    let _bound = Esme::bind(daemon.smpp, BIND_TRANSCEIVER, "riverside", "secret").expect("a bind");
    send(&daemon, 5);
    let refused = json!({ "to": "12", "from": SENDER, "text": BODY });
    assert_eq!(http::post(daemon.http, "/v1/messages", Some(KEY), &refused).status, 422);
    let seen = eventually("all is delivered, and a second has passed", || {
        let seen = numbers(&daemon);
        let over = seen["messages"]["concluded"] == 5 && seen["carriers"][0]["standing"] == "up";
        (over && seen["journal"]["sync_mean_micros"].as_f64() > Some(0.0)).then_some(seen)
    });
    assert_eq!((&seen["standing"], &seen["messages"]["accepted"]), (&json!("ready"), &json!(5)), "{seen}");
    assert_eq!(seen["states"][0], json!({ "state": "delivered", "messages": 5, "receipts": 5 }));
    assert_eq!(seen["refused"], json!([{ "reason": "invalid_destination", "messages": 1 }]));
    let alpha = json!({ "carrier": "alpha", "standing": "up", "binds": 2, "binds_wanted": 2, "waiting": 0 });
    assert_eq!((&seen["carriers"][0], &seen["tenants"][0]["binds"]), (&alpha, &json!(1)));
    assert!(seen["trend"]["accepted"].as_array().is_some_and(|rates| rates.iter().any(|rate| rate != 0.0)), "{seen}");
    let page = get(daemon.http, "/", &[]);
    assert!(page.body().contains("<th scope=\"row\">delivered</th><td>5</td><td>5</td>"), "{}", page.body());
    for text in [page.body(), &seen.to_string()] {
        for planted in [NUMBER, &NUMBER[2..], BODY, SENDER, KEY, "secret", "hush"] {
            assert!(!text.contains(planted), "{planted} is in\n{text}");
        }
    }
}

#[test]
fn the_page_runs_its_own_script_and_nothing_else() {
    let daemon = Daemon::start(&settings::one_carrier(support::silent_address(), ""));
    let page = get(daemon.http, "/", &[]);
    assert_eq!(
        (page.status().as_u16(), &page.headers()["content-type"]),
        (200, &"text/html; charset=utf-8".parse().expect("ASCII"))
    );
    let policy = page.headers()["content-security-policy"].to_str().expect("ASCII");
    for tag in ["style", "script"] {
        let inside =
            page.body().split(&format!("<{tag}>")).nth(1).and_then(|from| from.split(&format!("</{tag}>")).next());
        let hash = STANDARD.encode(digest(&SHA256, inside.expect("the page has one").as_bytes()));
        assert!(
            policy.contains(&format!("{tag}-src 'sha256-{hash}';")),
            "the {tag} of the page is not that of {policy}"
        );
    }
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    assert_eq!(page.headers()["cache-control"], "no-store");
}

#[test]
fn it_says_what_waits_for_a_carrier_that_is_away() {
    let daemon = Daemon::start(&settings::one_carrier(support::silent_address(), "binds = 3"));
    send(&daemon, 7);
    let seen = numbers(&daemon);
    let alpha = json!({ "carrier": "alpha", "standing": "down", "binds": 0, "binds_wanted": 3, "waiting": 7 });
    assert_eq!((&seen["carriers"], &seen["messages"]["open"]), (&json!([alpha]), &json!(7)));
}

#[test]
fn it_says_so_while_the_daemon_drains() {
    let smsc = Smsc::start(|_| Answer::Silence);
    let node = "[node]\ndata_dir = \"data\"\ndrain = \"5s\"\n\n";
    let mut daemon = Daemon::start(&(node.to_owned() + &settings::one_carrier(smsc.address, "")));
    send(&daemon, 1);
    eventually("the part is in a window", || (numbers(&daemon)["parts"]["in_flight"] == 1).then_some(()));
    daemon.signal("TERM");
    eventually("the dashboard says draining", || (numbers(&daemon)["standing"] == "draining").then_some(()));
    daemon.kill9();
}

#[test]
fn strangers_see_nothing() {
    let config = settings::one_carrier(support::silent_address(), "");
    let open = Daemon::start(&config);
    let token = "[http]\nlisten = \"127.0.0.1:0\"\nadmin_token = \"operator-7\"\n\n";
    let guarded = Daemon::start(&(token.to_owned() + &config));
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    for path in ["/", "/numbers.json"] {
        assert_eq!(status(open.http, path, &[]), 200);
        assert_eq!(status(open.http, path, &[("host", "rebound.example")]), 403, "a name that is not this machine's");
        let asked = get(guarded.http, path, &[]);
        assert_eq!(asked.status().as_u16(), 401);
        assert_eq!(asked.headers()["www-authenticate"], "Basic realm=\"Sluice\", charset=\"UTF-8\"");
        for (shown, answer) in [
            ("Bearer operator-7", 200),
            (&basic("anybody:operator-7"), 200),
            ("Bearer riverside-key", 401),
            (&basic("operator-7:"), 401),
            (&basic("riverside:secret"), 401),
        ] {
            assert_eq!(status(guarded.http, path, &[("authorization", shown)]), answer, "{shown}");
        }
    }
    // What a browser sends by itself opens nothing but the dashboard.
    assert_eq!(status(guarded.http, "/metrics", &[("authorization", &basic("anybody:operator-7"))]), 403);
}
