//! What every mode of the bench runs on: a directory on the disk that the build is on, the daemon's configuration,
//! and the daemon's own numbers.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::process::Process;

/// A directory of its own, removed at the end.
pub(crate) struct Stage {
    directory: tempfile::TempDir,
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

    /// Writes the configuration: one tenant without limits, one carrier of four binds with windows of 100.
    pub(crate) fn configure(&self, carrier: &str) {
        let text = format!(
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
        std::fs::write(self.directory.path().join("sluice.toml"), text).expect("the configuration can be written");
    }

    pub(crate) fn serve(&self) -> Daemon {
        let configuration = self.directory.path().join("sluice.toml");
        let arguments = ["serve", "--config", configuration.to_str().expect("a path in UTF-8")];
        let (process, ready) = Process::start_ready(&arguments, &self.log());
        Daemon { process, smpp: after(&ready, "smpp="), http: after(&ready, "http=") }
    }

    pub(crate) fn carrier(&self, listen: &str, arguments: &[&str]) -> (Process, String) {
        let arguments = [&["carrier", "--json", "--listen", listen], arguments].concat();
        let (process, ready) = Process::start_ready(&arguments, &self.log());
        (process, after(&ready, "smpp="))
    }

    /// Starts the load generator as the tenant: four binds with windows of 100, 160 characters.
    pub(crate) fn load(&self, connect: &str, arguments: &[&str]) -> Process {
        let who = ["load", "--json", "--connect", connect, "--system-id", "riverside", "--password", "secret"];
        Process::start(&[&who[..], &["--binds", "4", "--window", "100"], arguments].concat(), &self.log())
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
