//! The whole road between foreign ends: a platform they wrote, the real daemon, a carrier they wrote, and a
//! tape between each two.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::program::Program;
use crate::support::tape::Tape;
use crate::support::{Daemon, eventually, peers};

/// A message that a foreign platform is told to send.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// Where to; also how the carrier's view is matched with what was sent, so each message has its own.
    pub(crate) to: String,
    pub(crate) text: String,
    /// `gsm7` or `ucs2`.
    pub(crate) alphabet: &'static str,
    /// Who splits it: `split` by the platform; `whole` and `payload` by the daemon.
    pub(crate) form: &'static str,
    /// How many parts the carrier must see.
    pub(crate) parts: usize,
}

/// A daemon between a foreign carrier, already bound or about to be, and platforms that are still to come.
pub(crate) struct Road {
    pub(crate) tape: Tape,
    /// Where platforms bind, through the tape.
    pub(crate) platforms: SocketAddr,
    /// Where the daemon binds, through the tape.
    pub(crate) carriers: SocketAddr,
    carrier: Program,
    daemon: Daemon,
    dir: tempfile::TempDir,
}

impl Road {
    /// Starts the npm carrier with these arguments, and the daemon that binds to it with this `bind` setting.
    pub(crate) fn open(carrier_args: &[&str], bind: &str) -> Road {
        let dir = tempfile::Builder::new().prefix("sluice-interop-").tempdir().expect("a temporary directory");
        let script = [&["smsc.js"], carrier_args].concat();
        let mut carrier = Program::start("smsc.js", peers::node(&script), &dir.path().join("smsc.log"));
        let ready = carrier.line_after("ready smpp=");
        let tape = Tape::default();
        let carriers = tape.before(ready.parse().expect("the carrier prints its address"));
        let daemon = Daemon::start(&configuration(carriers, bind));
        let platforms = tape.before(daemon.smpp);
        Road { tape, platforms, carriers, carrier, daemon, dir }
    }

    /// Lets a foreign platform send these messages and returns what it saw.
    pub(crate) fn send(&self, script: &str, messages: &[Message]) -> Value {
        let job = self.dir.path().join(format!("{script}.json"));
        let listed: Vec<Value> = messages.iter().map(Message::as_job).collect();
        let address = (self.platforms.ip().to_string(), self.platforms.port());
        let text = json!({
            "host": address.0, "port": address.1, "system_id": "riverside", "password": "secret",
            "source": "Riverside", "messages": listed,
        });
        std::fs::write(&job, text.to_string()).expect("the job can be written");
        let log = self.dir.path().join(format!("{script}.log"));
        let mut platform = Program::start(script, command(script, &job), &log);
        let lines = platform.lines_to_end();
        let status = platform.wait();
        let seen = lines.last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or(Value::Null);
        assert!(status.success(), "{script}: {status} {seen}\n{}\n{}", platform.log(), self.daemon.log());
        seen
    }

    /// Drains the daemon, ends the carrier, and returns what the carrier saw and the tape.
    pub(crate) fn close(mut self) -> (Value, Tape) {
        let status = self.daemon.term();
        assert_eq!(status.code(), Some(0), "the daemon drains\n{}", self.daemon.log());
        eventually("both sides of every connection close", || self.tape.is_quiet().then_some(()));
        self.carrier.signal("TERM");
        let lines = self.carrier.lines_to_end();
        let seen = lines.last().and_then(|line| serde_json::from_str(line).ok());
        (seen.unwrap_or_else(|| panic!("the carrier printed {lines:?}\n{}", self.carrier.log())), self.tape)
    }
}

impl Message {
    fn as_job(&self) -> Value {
        json!({"to": self.to, "text": self.text, "alphabet": self.alphabet, "form": self.form})
    }
}

/// What every platform must have seen: each submit answered with an id of its own, and for each id one receipt
/// that says delivered, in its text and in its parameters.
pub(crate) fn assert_platform(seen: &Value, messages: &[Message]) {
    assert_eq!(seen["errors"], json!([]), "{seen}");
    assert_eq!(seen["unbound"], true, "the unbind is answered: {seen}");
    let responses = seen["responses"].as_array().expect("responses are listed");
    assert_eq!(Some(responses.len() as u64), seen["submits"].as_u64(), "each submit is answered once: {seen}");
    let mut expected: BTreeMap<&str, &str> = BTreeMap::new();
    for response in responses {
        assert_eq!(response["status"], 0, "accepted: {response}");
        let index = response["message"].as_u64().expect("a response to a submit that was sent");
        let id = response["id"].as_str().expect("an accepted message has an id");
        let to = messages[usize::try_from(index).expect("a small index")].to.as_str();
        assert!(expected.insert(id, to).is_none(), "the id {id} was given twice: {seen}");
    }
    let receipts = seen["receipts"].as_array().expect("receipts are listed");
    assert_eq!(receipts.len(), expected.len(), "one receipt for each submit: {seen}");
    for receipt in receipts {
        let id = receipt["id"].as_str().expect("a receipt names its message");
        let to = expected.remove(id).unwrap_or_else(|| panic!("a receipt nobody waits for, or a second: {receipt}"));
        assert_eq!(receipt["stat"], "DELIVRD", "{receipt}");
        assert_eq!(receipt["receipted_message_id"], id, "{receipt}");
        assert_eq!(receipt["message_state"], 2, "{receipt}");
        assert_eq!(receipt["esm_class"].as_u64().map(|class| class & 0x3c), Some(4), "{receipt}");
        assert_eq!((&receipt["source"], &receipt["destination"]), (&json!(to), &json!("Riverside")), "{receipt}");
    }
}

/// What the carrier must have seen: every message complete, its parts in one numbering, its text unchanged.
pub(crate) fn assert_carrier(seen: &Value, messages: &[Message]) {
    assert_eq!(seen["errors"], json!([]), "{seen}");
    let binds = seen["binds"].as_array().expect("binds are listed");
    assert!(!binds.is_empty(), "the daemon binds");
    assert!(binds.iter().all(|bind| bind["system_id"] == "sluice" && bind["password"] == "hush"), "{seen}");
    assert_eq!(seen["unbinds"].as_u64(), Some(binds.len() as u64), "each bind is unbound in the drain");
    let submits = seen["submits"].as_array().expect("submits are listed");
    assert_eq!(submits.len(), messages.iter().map(|message| message.parts).sum::<usize>(), "{seen}");
    assert_eq!(seen["receipts_answered"].as_u64(), Some(submits.len() as u64), "each receipt is answered");
    for message in messages {
        let parts: Vec<&Value> = submits.iter().filter(|submit| submit["to"] == message.to.as_str()).collect();
        assert_eq!(parts.len(), message.parts, "{message:?}: {parts:?}");
        assert_eq!(joined(&parts), message.text, "{message:?}");
        let coding = if message.alphabet == "gsm7" { 0 } else { 8 };
        assert!(parts.iter().all(|part| part["data_coding"] == coding && part["from"] == "Riverside"), "{parts:?}");
    }
}

/// The text of a message from its parts, which must carry one reference and the numbers 1 to n.
fn joined(parts: &[&Value]) -> String {
    let mut texts: BTreeMap<usize, &str> = BTreeMap::new();
    let mut references: Vec<String> = Vec::new();
    for part in parts {
        let text = part["text"].as_str().expect("a part has a text");
        let (reference, total, number) = match concatenation(part) {
            Some(header) => header,
            None => (String::new(), 1, 1),
        };
        assert_eq!(total, parts.len(), "{parts:?}");
        assert!((1..=total).contains(&number), "{parts:?}");
        assert!(texts.insert(number, text).is_none(), "part {number} came twice: {parts:?}");
        references.push(reference);
    }
    references.dedup();
    assert_eq!(references.len(), 1, "one reference for all parts: {parts:?}");
    texts.values().copied().collect()
}

/// Reference, total and number from an 8-bit (00) or 16-bit (08) concatenation element.
fn concatenation(part: &Value) -> Option<(String, usize, usize)> {
    let elements = part["udh"].as_array().expect("headers are listed");
    let element =
        elements.iter().filter_map(Value::as_str).find(|hex| hex.starts_with("00") || hex.starts_with("08"))?;
    let octet = |hex: &str| usize::from_str_radix(hex, 16).expect("hex");
    let (head, tail) = element.split_at(element.len() - 4);
    Some((head[4..].to_owned(), octet(&tail[..2]), octet(&tail[2..])))
}

fn command(script: &str, job: &Path) -> Command {
    let job = job.to_str().expect("a temporary path is text");
    if script.ends_with(".py") { peers::python(&[script, job]) } else { peers::node(&[script, job]) }
}

fn configuration(carrier: SocketAddr, bind: &str) -> String {
    format!(
        r#"
[[tenant]]
id = "riverside"
system_id = "riverside"
password = "secret"
api_key = "dev-key"

[[carrier]]
id = "foreign"
address = "{carrier}"
system_id = "sluice"
password = "hush"
bind = "{bind}"
binds = 2
window = 10

[[route]]
prefix = ""
carriers = ["foreign"]

[[price]]
tenant = "riverside"
prefix = "44"
per_part = "0.0264 GBP"
"#
    )
}
