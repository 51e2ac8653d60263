//! Every accepted part is settled exactly once: posted when the carrier took it, voided when it never did, and
//! never twice, whatever the carrier answers and however often a part had to be sent.

mod support;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::esme::Esme;
use support::settings::PRICE_MICROS;
use support::smsc::{Answer, Smsc, Submit, receipt};
use support::{Daemon, cdr, eventually, http, settings};

const KEY: Option<&str> = Some("riverside-key");

/// SMPP 3.4 section 5.1.3.
const RTHROTTLED: u32 = 0x58;
const RMSGQFUL: u32 = 0x14;
const RINVDSTADR: u32 = 0x0b;

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
