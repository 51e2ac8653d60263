//! A text is never changed silently: what a carrier gets is what the sender gave, but for the places that the answer lists.

mod support;

use serde_json::{Value, json};
use sluice::text::{gsm7, ucs2};
use support::smsc::{Smsc, Submit};
use support::{Daemon, eventually, http, settings};

const KEY: &str = "riverside-key";

/// 90 characters: two parts in UCS-2, one when the quotes and the dash are plain.
const DEAR: &str = "“Your parcel’s here” – collect it from the shop on the corner until the end of this week.";

/// A daemon whose tenant has this mode, or says nothing about it.
fn daemon(smsc: &Smsc, mode: Option<&str>) -> Daemon {
    let further = mode.map(|mode| format!("smart_encoding = {mode:?}")).unwrap_or_default();
    let carrier = settings::carrier("alpha", smsc.address, "");
    Daemon::start(&(settings::tenant("riverside", &further) + &carrier + &settings::route(&["alpha"])))
}

fn message(text: &str, mode: Option<&str>) -> Value {
    let mut body = json!({ "to": "447700900123", "from": "Riverside", "text": text });
    if let Some(mode) = mode {
        body["smart_encoding"] = json!(mode);
    }
    body
}

/// Sends a message and gives back the answer and the text that the carrier got.
fn sent(daemon: &Daemon, smsc: &Smsc, body: &Value) -> (Value, String) {
    let before = smsc.submits().len();
    let answer = http::post(daemon.http, "/v1/messages", Some(KEY), body);
    assert_eq!(answer.status, 202, "{}", answer.text);
    let parts = answer.body["parts"].as_u64().expect("a count") as usize;
    let submits = eventually("every part arrives", || {
        let submits = smsc.submits();
        (submits.len() >= before + parts).then(|| submits[before..].to_vec())
    });
    assert_eq!(submits.len(), parts);
    (answer.body, text_of(submits))
}

/// The text of the parts, in their order.
fn text_of(mut submits: Vec<Submit>) -> String {
    let header = |submit: &Submit| if submit.esm_class & 0x40 == 0 { 0 } else { 1 + usize::from(submit.octets[0]) };
    submits.sort_by_key(|submit| if header(submit) == 0 { 0 } else { submit.octets[5] });
    let mut text = String::new();
    for submit in &submits {
        let octets = &submit.octets[header(submit)..];
        match submit.data_coding {
            0 => gsm7::decode(octets, &mut text),
            8 => ucs2::decode(octets, &mut text),
            other => panic!("data_coding {other} was not asked for"),
        }
    }
    text
}

/// The text with the listed places changed.
fn replayed(text: &str, replaced: &Value) -> String {
    let (mut out, mut rest, mut at) = (String::new(), text, 0);
    for place in replaced.as_array().expect("a list") {
        let word = |name: &str| place[name].as_str().expect("text");
        let place = place["at"].as_u64().expect("a place") as usize;
        let plain: usize = rest.chars().take(place - at).map(char::len_utf8).sum();
        out.push_str(&rest[..plain]);
        out.push_str(word("to"));
        rest = rest[plain..].strip_prefix(word("from")).expect("the list names what stands there");
        at = place + word("from").chars().count();
    }
    out + rest
}

#[test]
fn strict_sends_the_text_as_it_was_given() {
    let smsc = Smsc::delivering();
    let daemon = daemon(&smsc, None);
    let (answer, text) = sent(&daemon, &smsc, &message(DEAR, None));
    assert_eq!((&answer["encoding"], &answer["parts"]), (&json!("ucs2"), &json!(2)));
    assert_eq!((answer.get("replaced"), answer.get("suggestion")), (None, None));
    assert_eq!(text, DEAR);
}

#[test]
fn suggest_changes_nothing_and_says_what_it_would_save() {
    let smsc = Smsc::delivering();
    let daemon = daemon(&smsc, Some("suggest"));
    let (answer, text) = sent(&daemon, &smsc, &message(DEAR, None));
    assert_eq!((&answer["encoding"], &answer["parts"], text.as_str()), (&json!("ucs2"), &json!(2), DEAR));
    let suggestion = &answer["suggestion"];
    assert_eq!((&suggestion["encoding"], &suggestion["parts"]), (&json!("gsm7"), &json!(1)));
    let price = json!({ "amount": "0.0264", "currency": "GBP" });
    assert_eq!((&suggestion["price"], &suggestion["saves"]), (&price, &json!({ "parts": 1, "price": price })));
    // Whoever takes the advice gets what it promised.
    let advised = replayed(DEAR, &suggestion["replaced"]);
    let (answer, text) = sent(&daemon, &smsc, &message(&advised, None));
    assert_eq!((&answer["encoding"], &answer["parts"], text), (&json!("gsm7"), &json!(1), advised));
    assert_eq!(answer["suggestion"], Value::Null);
}

#[test]
fn transliterate_replaces_what_it_lists_and_nothing_else() {
    let smsc = Smsc::delivering();
    let daemon = daemon(&smsc, Some("transliterate"));
    let long = format!("{DEAR} {}", "Ça coûte 5 € — «à peu près»… ".repeat(12));
    for text in [DEAR, "cafe\u{301}\u{200B} № 5", &long] {
        let (answer, sent) = sent(&daemon, &smsc, &message(text, None));
        assert_eq!(answer["encoding"], "gsm7");
        assert_eq!(replayed(text, &answer["replaced"]), sent);
        assert_ne!(sent, text);
    }
    for text in ["nothing to replace", "“quotes” beside 😀 stay, because the message stays UCS-2"] {
        let (answer, sent) = sent(&daemon, &smsc, &message(text, None));
        assert_eq!((&answer["replaced"], sent.as_str()), (&json!([]), text));
    }
    let (answer, text) = sent(&daemon, &smsc, &message(DEAR, Some("strict")));
    assert_eq!((answer.get("replaced"), text.as_str()), (None, DEAR), "the request goes before the tenant");
}

#[test]
fn a_repeated_request_is_told_what_was_replaced_then() {
    let smsc = Smsc::delivering();
    let mut daemon = daemon(&smsc, Some("transliterate"));
    let batch = json!({ "messages": [message(DEAR, None), message("plain", None), message("“ş”", None)] });
    let first = keyed(&daemon, &batch);
    assert_eq!(first["messages"][0]["replaced"].as_array().map(Vec::len), Some(4), "{first}");
    assert_eq!(keyed(&daemon, &batch), first);
    daemon.kill9();
    daemon.restart();
    assert_eq!(keyed(&daemon, &batch), first, "it is in the record");
    let (again, _) = sent(&daemon, &smsc, &message(DEAR, None));
    assert_eq!(again["replaced"], first["messages"][0]["replaced"]);
}

/// `POST /v1/messages` with a key against repeats.
fn keyed(daemon: &Daemon, body: &Value) -> Value {
    let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(support::PATIENCE));
    let agent: ureq::Agent = config.proxy(None).build().into();
    let request = agent.post(format!("http://{}/v1/messages", daemon.http));
    let request = request.header("authorization", format!("Bearer {KEY}")).header("idempotency-key", "order-7");
    request.send_json(body).expect("the daemon answers").body_mut().read_json().expect("JSON")
}

/// A c with its cedilla is not in GSM-7: nobody's text is changed for that unless asked, and who asks is told.
#[test]
fn q60_near_misses_of_gsm7_are_sent_as_they_are_or_replaced_openly() {
    let smsc = Smsc::delivering();
    let daemon = daemon(&smsc, None);
    let (answer, text) = sent(&daemon, &smsc, &message("Ça va, garçon", None));
    assert_eq!((&answer["encoding"], text.as_str()), (&json!("ucs2"), "Ça va, garçon"));
    let (answer, text) = sent(&daemon, &smsc, &message("Ça va, garçon", Some("transliterate")));
    assert_eq!((&answer["encoding"], text.as_str()), (&json!("gsm7"), "Ça va, garcon"));
    assert_eq!(answer["replaced"], json!([{ "at": 10, "from": "ç", "to": "c" }]));
}
