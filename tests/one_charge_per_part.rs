//! Every accepted part is settled exactly once: posted when the carrier took it, voided when it never did, and
//! never twice, whatever the carrier answers and however often a part had to be sent.

mod support;

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use support::esme::Esme;
use support::peers::{Peer, present};
use support::settings::PRICE_MICROS;
use support::smsc::{Answer, Smsc, Submit, receipt};
use support::{Daemon, cdr, eventually, http, settings};

const KEY: Option<&str> = Some("riverside-key");

/// SMPP 3.4 section 5.1.3.
const RTHROTTLED: u32 = 0x58;
const RMSGQFUL: u32 = 0x14;
const RINVDSTADR: u32 = 0x0b;
const RBINDFAIL: u32 = 0x0d;
const RSUBMITFAIL: u32 = 0x45;

#[test]
fn whatever_the_carrier_answers() {
    // The last digit of the destination says what happens to it; a part is told from its like by the octets.
    let smsc = Smsc::start({
        let seen = std::sync::Mutex::new(BTreeMap::<(String, Vec<u8>), usize>::new());
        move |submit| {
            let mut seen = seen.lock().expect("no thread panics here");
            let times = seen.entry((submit.to.clone(), submit.octets.clone())).or_default();
            *times += 1;
            answer(submit, *times)
        }
    });
    let mut daemon = Daemon::start(&settings::one_carrier(smsc.address, "binds = 2\nresponse_timeout = \"2s\""));
    let mut esme = Esme::riverside(daemon.smpp);
    let mut messages: Vec<(String, String)> = Vec::new();
    for n in 0..60 {
        let to = format!("4477009{n:05}");
        // 1, 2 or 3 parts.
        let text = format!("number {n:03} ").repeat(1 + 15 * (n / 10 % 3));
        let sequence = esme.submit(&to, &text);
        let response = esme.response_or_receipts(sequence, |_| ());
        assert_eq!(response.status, 0, "{response:?}");
        messages.push((response.message_id(), to));
    }
    let ended: Vec<Value> = messages.iter().map(|(id, _)| concluded(&daemon, id)).collect();
    assert_eq!(daemon.term().code(), Some(0), "{}", daemon.log());

    let lines = cdr::lines(&daemon.dir.join("data"));
    let parts = cdr::by_part(&lines);
    assert!(parts.values().all(|times| *times == 1), "billed twice: {parts:?}");
    let mut total = 0;
    for ((id, to), status) in messages.iter().zip(&ended) {
        let count = status["parts"].as_u64().expect("parts are counted");
        let posted = if is_refused(to) { 0 } else { PRICE_MICROS };
        for part in 1..=count {
            let line = lines.iter().find(|line| line["id"] == id.as_str() && line["part"] == part);
            let line = line.unwrap_or_else(|| panic!("no line for {id} part {part} to ..{}", &to[10..]));
            assert_eq!(cdr::micros(line["price"].as_str().expect("a price")), posted, "{to}: {line}");
            total += posted;
        }
    }
    // Nothing else is on the bill.
    assert_eq!(lines.len() as u64, ended.iter().map(|status| status["parts"].as_u64().unwrap_or(0)).sum::<u64>());
    assert_eq!(cdr::total_micros(&lines), total, "the bill is the sum of what was posted");
}

#[test]
fn a_credit_is_never_passed() {
    let smsc = Smsc::delivering();
    let config = settings::tenant("riverside", "credit = \"0.2640 GBP\"")
        + &settings::carrier("alpha", smsc.address, "")
        + &settings::route(&["alpha"]);
    let daemon = Daemon::start(&config);
    let messages: Vec<Value> =
        (0..25).map(|n| json!({"to": format!("4477009{n:05}"), "from": "Riverside", "text": "hello"})).collect();
    let answer = http::post(daemon.http, "/v1/messages", KEY, &json!({"messages": messages}));
    assert_eq!(answer.status, 202, "{answer:?}");
    let listed = answer.body["messages"].as_array().expect("an answer for each");
    let accepted = listed.iter().filter(|message| message["id"].is_string()).count();
    assert_eq!((listed.len(), accepted), (25, 10), "ten parts and no more: {answer:?}");
    let ids: Vec<&str> = listed.iter().filter_map(|message| message["id"].as_str()).collect();
    for id in ids {
        concluded(&daemon, id);
    }
    assert_eq!(smsc.submits().len(), 10);
}

#[test]
fn a_refusal_says_whether_the_credit_or_the_destination_is_at_fault() {
    let smsc = Smsc::delivering();
    let config = settings::tenant("riverside", "credit = \"0.0792 GBP\"").replace("prefix = \"\"", "prefix = \"44\"");
    let daemon =
        Daemon::start(&(config + &settings::carrier("alpha", smsc.address, "") + &settings::route(&["alpha"])));
    let mut esme = Esme::riverside(daemon.smpp);
    let mut status = |to: &str, parts: usize| {
        let sequence = esme.submit(to, &"x".repeat(if parts == 1 { 100 } else { 153 * parts }));
        esme.response_or_receipts(sequence, |_| ()).status
    };
    let posted = |to: &str, parts: usize| {
        let text = "x".repeat(if parts == 1 { 100 } else { 153 * parts });
        let message = json!({"to": to, "from": "Riverside", "text": text});
        let answer = http::post(daemon.http, "/v1/messages", KEY, &message);
        (answer.status, answer.body["code"].as_str().map(str::to_owned), answer.body["pointer"].clone())
    };
    let (code, far) = (|code: &str| Some(code.to_owned()), "33123456789");
    assert_eq!(
        posted("447700900123", 5),
        (402, code("insufficient_credit"), Value::Null),
        "five parts and room for three"
    );
    assert_eq!(status("447700900123", 5), RSUBMITFAIL);
    assert_eq!(posted(far, 1), (422, code("no_price"), json!("/to")));
    assert_eq!(status(far, 1), RINVDSTADR);
    assert_eq!(status("447700900123", 3), 0, "what was refused has reserved nothing");
    assert_eq!((status("447700900123", 1), posted("447700900123", 1).0), (RSUBMITFAIL, 402));
}

#[test]
fn a_reload_changes_prices_and_credit_for_new_messages_only() {
    let is_open = Arc::new(AtomicBool::new(false));
    let smsc = Smsc::choosing(
        {
            let is_open = is_open.clone();
            move |_| if is_open.load(Ordering::Relaxed) { 0 } else { RBINDFAIL }
        },
        |submit| {
            let id = format!("{:08x}", submit.number);
            Answer::Take(id.clone(), vec![receipt(&id, "DELIVRD")])
        },
    );
    let config = |tenants: &str| {
        let carrier = settings::carrier("alpha", smsc.address, "reconnect_max = \"250ms\"");
        settings::tenant("harbour", "") + tenants + &carrier + &settings::route(&["alpha"])
    };
    let with = |price: &str, credit: &str| {
        let riverside = settings::tenant("riverside", &format!("credit = \"{credit} GBP\""));
        config(&riverside.replace("0.0264", price))
    };
    let mut daemon = Daemon::start(&with("0.0264", "0.10"));
    let post = |daemon: &Daemon| {
        let message = json!({"to": "447700900123", "from": "Riverside", "text": "hello"});
        http::post(daemon.http, "/v1/messages", KEY, &message).status
    };
    let reload = |daemon: &Daemon, config: &str| {
        let before = daemon.log().matches("has been reloaded").count();
        daemon.configure(config);
        daemon.reload();
        let told = || (daemon.log().matches("has been reloaded").count() > before).then_some(());
        eventually("the configuration is reloaded", told);
    };
    assert_eq!([post(&daemon), post(&daemon), post(&daemon), post(&daemon)], [202, 202, 202, 402]);
    reload(&daemon, &with("0.05", "0.06"));
    assert_eq!(post(&daemon), 402, "more is owed than there is credit");
    reload(&daemon, &with("0.05", "0.14"));
    assert_eq!([post(&daemon), post(&daemon)], [202, 402], "at the new price");
    reload(&daemon, &config(""));
    assert_eq!(post(&daemon), 401, "its tenant is gone");
    is_open.store(true, Ordering::Relaxed);
    let data = daemon.dir.join("data");
    eventually("what was accepted is sent and billed", || (cdr::lines(&data).len() == 4).then_some(()));
    daemon.restart();
    let lines = cdr::lines(&data);
    let billed: Vec<_> = lines.iter().map(|line| (line["tenant"].as_str(), line["price"].as_str())).collect();
    let (old, new) = ((Some("riverside"), Some("0.0264")), (Some("riverside"), Some("0.05")));
    assert_eq!(billed, [old, old, old, new]);
    let account = "sluice_tenant_posted_micros_total{tenant=\"riverside\",currency=\"GBP\"} 129200";
    // Balances are shown a moment after they move.
    let shown = || http::get(daemon.http, "/metrics", None).text.contains(account).then_some(());
    eventually("the balance is shown", shown);
}

#[test]
fn the_documented_line_makes_the_bill() {
    if !present("the_documented_line_makes_the_bill", &[Peer::Jq]) {
        return;
    }
    let page = include_str!("../docs/billing.md");
    let (_, line) = page.split_once("```sh\n").expect("the page has one");
    let line = line.lines().next().expect("a line").replace("data/cdr/2026-11-*.jsonl", "data/cdr/*.jsonl");
    let smsc = Smsc::delivering();
    let unpriced = settings::tenant("harbour", "").split("[[price]]").next().expect("a head").to_owned();
    let mut daemon = Daemon::start(&(unpriced + &settings::one_carrier(smsc.address, "")));
    for (key, parts) in [(KEY, 1), (KEY, 3), (Some("harbour-key"), 2)] {
        let message = json!({"to": "447700900123", "from": "Riverside", "text": "x".repeat(150 * parts)});
        assert_eq!(http::post(daemon.http, "/v1/messages", key, &message).status, 202);
    }
    let data = daemon.dir.join("data");
    eventually("all parts are billed", || (cdr::lines(&data).len() == 6).then_some(()));
    assert_eq!(daemon.term().code(), Some(0), "{}", daemon.log());
    let output = Command::new("sh").args(["-c", &line]).current_dir(&daemon.dir).output().expect("a shell");
    let bill: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(bill, json!({"riverside GBP": 4 * PRICE_MICROS}), "{line}: {output:?}");
}

/// 3: taken after being throttled. 5: taken after a full queue. 7: refused. 8: lost with its connection, then taken.
/// 9: receipt undeliverable, twice. Anything else: taken and delivered.
fn answer(submit: &Submit, times: usize) -> Answer {
    let id = format!("{:08x}", submit.number);
    let delivered = vec![receipt(&id, "DELIVRD")];
    match (submit.to.as_bytes()[submit.to.len() - 1], times) {
        (b'3', 1) => Answer::Refuse(RTHROTTLED),
        (b'5', 1) => Answer::Refuse(RMSGQFUL),
        (b'7', _) => Answer::Refuse(RINVDSTADR),
        (b'8', 1) => Answer::HangUp,
        (b'9', _) => Answer::Take(id.clone(), vec![receipt(&id, "UNDELIV"), receipt(&id, "UNDELIV")]),
        _ => Answer::Take(id, delivered),
    }
}

fn is_refused(to: &str) -> bool {
    to.ends_with('7')
}

/// The status of a message once it has ended.
fn concluded(daemon: &Daemon, id: &str) -> Value {
    const FINAL: [&str; 5] = ["delivered", "undeliverable", "rejected", "expired", "unknown"];
    eventually(&format!("{id} ends"), || {
        let answer = http::get(daemon.http, &format!("/v1/messages/{id}"), KEY);
        let state = answer.body["state"].as_str().unwrap_or_default().to_owned();
        FINAL.contains(&state.as_str()).then_some(answer.body)
    })
}
