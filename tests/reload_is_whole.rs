//! SIGHUP: a right file is in force at once, a wrong one changes nothing, and what waits for the next start is named until
//! it is not so any more. The supervisor is told of each step as systemd wants it.

mod support;

use std::collections::BTreeSet;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use support::program::Program;
use support::smsc::Smsc;
use support::{Daemon, PATIENCE, eventually, http, settings};

const KEY: &str = "riverside-key";

/// The price of one part at present, as a preview tells it.
fn price(daemon: &Daemon) -> String {
    let body = json!({ "to": "447700900123", "from": "Riverside", "text": "hello" });
    let preview = http::post(daemon.http, "/v1/preview", Some(KEY), &body);
    preview.body["price"]["amount"].as_str().unwrap_or_else(|| panic!("{}", preview.text)).to_owned()
}

#[test]
fn a_wrong_file_changes_nothing_and_a_right_one_is_in_force() {
    let daemon = Daemon::start(&settings::one_carrier(support::silent_address(), "window = 5"));
    let path = daemon.dir.join("sluice.toml");
    let right = std::fs::read_to_string(&path).expect("the configuration of the test");
    let reloaded = std::cell::Cell::new(0);
    let reload = |text: &str| {
        std::fs::write(&path, text).expect("writable");
        let before = daemon.log().len();
        daemon.reload();
        reloaded.set(reloaded.get() + 1);
        eventually("the reload is over", || {
            let log = daemon.log();
            let over = log.matches("has been reloaded").count() + log.matches("stays as it was").count();
            (over == reloaded.get()).then(|| log[before..].to_owned())
        })
    };
    for wrong in [right.replace("0.0264", "0,03"), right.replace("[[route]]", "[[route"), "[[tenants]]".to_owned()] {
        let said = reload(&wrong);
        assert!(said.contains("sluice.toml:") && said.contains("stays as it was"), "{said}");
        assert_eq!(price(&daemon), "0.0264");
    }
    let dearer = right.replace("0.0264", "0.03").replace("window = 5", "window = 5\nrate = \"50/s\"");
    let said = reload(&dearer);
    assert_eq!(price(&daemon), "0.03");
    assert!(!said.contains("next"), "prices and rates wait for nothing: {said}");
    let window = right.replace("window = 5", "window = 6");
    assert!(reload(&window).contains("[[carrier]] is not as it was"));
    assert!(reload(&window).contains("[[carrier]] is not as it was"), "it is still not in force");
    assert!(!reload(&right).contains("next"), "it is as it was at the start");
}

/// The days of which there are data keys.
fn key_days(data: &Path) -> BTreeSet<String> {
    let files = std::fs::read_dir(data.join("keys")).expect("the keys");
    let names = files.map(|file| file.expect("a file").file_name().into_string().expect("plain names"));
    names.filter_map(|name| Some(name.strip_suffix(".key")?.rsplit_once('.')?.1.to_owned())).collect()
}

/// What comes after the rest is ready must not leave half of a file in force.
#[test]
fn a_file_refused_for_its_keys_changes_no_pace() {
    let smsc = Smsc::delivering();
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, ""));
    for day in key_days(&daemon.dir.join("data")) {
        std::fs::write(daemon.dir.join(format!("data/keys/newcomer.{day}.key")), "no key").expect("writable");
    }
    let path = daemon.dir.join("sluice.toml");
    let text = std::fs::read_to_string(&path).expect("the configuration of the test");
    let slow = text.replacen("[[tenant]]", "[[tenant]]\nrate = \"1/h\"\nburst = 1", 1);
    assert_ne!(slow, text);
    std::fs::write(&path, slow + "\n[[tenant]]\nid = \"newcomer\"\n").expect("writable");
    daemon.reload();
    eventually("the file is refused", || daemon.log().contains("stays as it was").then_some(()));
    for _ in 0..5 {
        let body = json!({ "to": "447700900123", "from": "Riverside", "text": "hello" });
        let answer = http::post(daemon.http, "/v1/messages", Some(KEY), &body);
        let id = answer.body["id"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned();
        eventually("it is delivered, at no pace", || {
            let answer = http::get(daemon.http, &format!("/v1/messages/{id}"), Some(KEY));
            (answer.body["state"] == "delivered").then_some(())
        });
    }
}

#[test]
fn the_supervisor_is_told_of_each_step() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let supervisor = UnixDatagram::bind(dir.path().join("notify")).expect("a socket");
    supervisor.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let config = "[node]\ndata_dir = \"data\"\n[store]\nsegment = \"4MiB\"\n[smpp]\nlisten = \"127.0.0.1:0\"\n\
        [http]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(dir.path().join("sluice.toml"), config).expect("writable");
    let mut command = support::daemon::sluice();
    command.arg("serve").arg("--config").arg(dir.path().join("sluice.toml"));
    command.env("NOTIFY_SOCKET", dir.path().join("notify")).env("WATCHDOG_USEC", "200000");
    let mut daemon = Program::start("sluice serve", command, &dir.path().join("sluice.log"));
    let await_word = |wanted: &str| loop {
        let mut octets = [0; 256];
        let length = supervisor.recv(&mut octets).unwrap_or_else(|error| panic!("{wanted}: {error}"));
        let said = String::from_utf8_lossy(&octets[..length]).into_owned();
        if said.lines().any(|line| line == wanted) {
            return;
        }
    };
    await_word("READY=1");
    // The second says that the core has turned since the first.
    await_word("WATCHDOG=1");
    await_word("WATCHDOG=1");
    daemon.signal("HUP");
    await_word("RELOADING=1");
    await_word("READY=1");
    await_word("WATCHDOG=1");
    // A disk that does not answer holds up the reload, which needs the keys of a new tenant, and nothing else.
    let tenant = "[[tenant]]\nid = \"newcomer\"\n";
    std::fs::write(dir.path().join("sluice.toml"), config.to_owned() + tenant).expect("writable");
    #[expect(clippy::disallowed_methods, reason = "the day by which the daemon names its keys")]
    let today = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() / 86_400;
    for day in [today, today + 1] {
        let pipe = dir.path().join(format!("data/keys/newcomer.{day}.key"));
        assert!(Command::new("mkfifo").arg(pipe).status().expect("mkfifo").success());
    }
    daemon.signal("HUP");
    await_word("RELOADING=1");
    await_word("WATCHDOG=1");
    await_word("WATCHDOG=1");
    daemon.signal("TERM");
    await_word("STOPPING=1");
    assert_eq!(daemon.wait().code(), Some(0), "{}", daemon.log());
}
