//! A store that has no room left refuses new messages, sends what it has once the carrier is there, and takes messages again by itself.

mod support;

use serde_json::{Value, json};
use support::{Carrier, Daemon, eventually, free_address, http, settings};

const KEY: Option<&str> = Some("riverside-key");

/// Posts a batch and gives the ids of those that were accepted.
fn post(daemon: &Daemon, round: usize) -> Vec<String> {
    let message =
        |n: usize| json!({"to": format!("4477{:08}", round * 500 + n), "from": "Riverside", "text": "x".repeat(150)});
    let messages: Vec<Value> = (0..500).map(message).collect();
    let answer = http::post(daemon.http, "/v1/messages", KEY, &json!({"messages": messages}));
    assert!([202, 422, 503].contains(&answer.status), "{answer:?}");
    let listed = answer.body["messages"].as_array().map_or(&[][..], Vec::as_slice);
    listed.iter().filter_map(|message| message["id"].as_str().map(str::to_owned)).collect()
}

#[test]
fn by_the_budget_of_the_store() {
    let address = free_address();
    let config = "[store]\nsegment = \"1MiB\"\ndisk_max = \"8MiB\"\n\n".to_owned()
        + &settings::one_carrier(address, "binds = 2\nwindow = 100\nreconnect_max = \"250ms\"");
    let mut daemon = Daemon::start(&config);
    let mut accepted: Vec<String> = Vec::new();
    let mut round = 0;
    loop {
        let more = post(&daemon, round);
        round += 1;
        assert!(round < 200, "the store never fills");
        if more.is_empty() {
            break;
        }
        accepted.extend(more);
    }
    assert!(accepted.len() > 1_000, "{} were accepted", accepted.len());
    assert_eq!(post(&daemon, round), Vec::<String>::new(), "still full");

    // A crash now finds its way back as well.
    daemon.restart();
    let _carrier = Carrier::start_at(&address.to_string(), &[]);
    for id in [accepted.first(), accepted.get(accepted.len() / 2), accepted.last()].into_iter().flatten() {
        eventually("what was accepted is delivered", || {
            let answer = http::get(daemon.http, &format!("/v1/messages/{id}"), KEY);
            (answer.body["state"] == "delivered").then_some(())
        });
    }
    eventually("messages are accepted again", || {
        round += 1;
        (!post(&daemon, round).is_empty()).then_some(())
    });
    assert_eq!(daemon.term().code(), Some(0), "{}", daemon.log());
}
