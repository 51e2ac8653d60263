//! What every mode of the bench runs on: a directory on the disk that the build is on, the daemon's configuration,
//! and the daemon's own numbers.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::process::Process;

/// A directory of its own, removed at the end.
pub(crate) struct Stage {
    directory: tempfile::TempDir,
}

/// How a run differs from the usual one.
pub(crate) struct Run {
    /// How long each of the daemon's syncs takes longer, as strace takes it (`4ms`); empty for not at all.
    pub(crate) sync: String,
    /// Tenants of the configuration, of which one sends.
    pub(crate) tenants: u16,
    /// What the load generator is told.
    pub(crate) load: Vec<String>,
}

impl Run {
    /// Words that may be told, each with a value: `sync`, `tenants`, and what the load generator has options for.
    pub(crate) const NAMES: [&str; 7] = ["sync", "tenants", "rate", "binds", "window", "characters", "text"];

    /// The run that `words` tell, in pairs; `None` for words that it does not know.
    pub(crate) fn of(words: &[&str]) -> Option<Run> {
        let mut run = Run { sync: String::new(), tenants: 1, load: Vec::new() };
        let mut load = BTreeMap::from([("binds", "4"), ("window", "100")]);
        for pair in words.chunks(2) {
            match *pair {
                ["sync", delay] => run.sync = delay.to_owned(),
                ["tenants", count] => run.tenants = count.parse().ok()?,
                [name, value] if Run::NAMES.contains(&name) => drop(load.insert(name, value)),
                _ => return None,
            }
        }
        run.load = load.iter().flat_map(|(name, value)| [format!("--{name}"), (*value).to_owned()]).collect();
        Some(run)
    }
}

/// The daemon and where it answers.
pub(crate) struct Daemon {
    pub(crate) process: Process,
    pub(crate) smpp: String,
    http: String,
}

impl Stage {
    /// A directory below the build directory: a temporary one may be memory, which syncs for nothing.
    pub(crate) fn new() -> Stage {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
        std::fs::create_dir_all(root).expect("the build directory can be written");
        let directory = tempfile::Builder::new().prefix("pipeline-").tempdir_in(root);
        Stage { directory: directory.expect("the build directory can be written") }
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// Writes the configuration: tenants without limits, one carrier of four binds with windows of 100.
    pub(crate) fn configure(&self, carrier: &str, tenants: u16) {
        let mut text = format!(
            r#"[node]
data_dir = "data"
log = "warn"

[smpp]
listen = "127.0.0.1:0"

[http]
listen = "127.0.0.1:0"

[[tenant]]
id = "riverside"
system_id = "riverside"
password = "secret"
api_key = "dev-key"

[[carrier]]
id = "alpha"
address = "{carrier}"
system_id = "sluice"
password = "secret"
binds = 4
window = 100

[[route]]
prefix = ""
carriers = ["alpha"]

[[price]]
tenant = "riverside"
prefix = "44"
per_part = "0.0264 GBP"
"#
        );
        for other in 1..tenants {
            let tenant =
                format!("id = \"t{other}\"\nsystem_id = \"t{other}\"\npassword = \"p{other}\"\napi_key = \"k{other}\"");
            write!(text, "\n[[tenant]]\n{tenant}\n").expect("a String takes all");
        }
        std::fs::write(self.directory.path().join("sluice.toml"), text).expect("the configuration can be written");
    }

    /// Starts the daemon, each sync of which takes `sync` longer.
    pub(crate) fn serve(&self, sync: &str) -> Daemon {
        let configuration = self.directory.path().join("sluice.toml");
        let arguments = ["serve", "--config", configuration.to_str().expect("a path in UTF-8")];
        let (process, ready) = Process::start_ready_slow(&arguments, &self.log(), sync);
        Daemon { process, smpp: after(&ready, "smpp="), http: after(&ready, "http=") }
    }

    pub(crate) fn carrier(&self, listen: &str, arguments: &[&str]) -> (Process, String) {
        let arguments = [&["carrier", "--json", "--listen", listen], arguments].concat();
        let (process, ready) = Process::start_ready(&arguments, &self.log());
        (process, after(&ready, "smpp="))
    }

    /// Starts the load generator as the tenant.
    pub(crate) fn load(&self, connect: &str, arguments: &[&str]) -> Process {
        let who = ["load", "--json", "--connect", connect, "--system-id", "riverside", "--password", "secret"];
        Process::start(&[&who[..], arguments].concat(), &self.log())
    }
}

impl Daemon {
    /// A number from `/metrics`; 0 if it is not there.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(10))).proxy(None).build().into();
        let text = agent.get(format!("http://{}/metrics", self.http)).call();
        let text = text.and_then(|mut answer| answer.body_mut().read_to_string()).unwrap_or_default();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok());
        value.unwrap_or(0.0)
    }
}

/// An address where nobody listens now and a carrier may later.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener.local_addr().expect("a bound listener has an address")
}

/// The number of messages: SLUICE_BENCH_MESSAGES, or this default.
pub(crate) fn messages(default: u64) -> u64 {
    let told = std::env::var("SLUICE_BENCH_MESSAGES").ok();
    told.map_or(default, |number| number.replace('_', "").parse().expect("SLUICE_BENCH_MESSAGES is a number"))
}

/// The JSON object that an instrument printed last.
pub(crate) fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("no result ({error}): {line:?}"))
}

fn after(ready: &str, key: &str) -> String {
    let word = ready.split_whitespace().find_map(|word| word.strip_prefix(key));
    word.unwrap_or_else(|| panic!("no {key} in {ready:?}")).to_owned()
}
