//! What the demonstration runs on: a directory that goes when it ends, the carrier simulator and the daemon as
//! processes of their own, on loopback ports that the system chooses.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::clock::Clock;
use crate::tools::demo::script::PRICES;

/// How long a program may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// How long a program may take to end after it was asked to: the daemon drains for at most 10 s.
const END_WITHIN: Duration = Duration::from_secs(15);

/// What misbehaves, and how much, so that there is something to see.
const CARRIER: [&str; 12] = [
    "--delay",
    "5",
    "--receipts-after",
    "150",
    "--undeliverable",
    "0.06",
    "--reject",
    "0.05",
    "--throttle",
    "0.02",
    "--seed",
    "26",
];

/// The running programs. Fields are dropped in this order: the directory goes last.
pub(crate) struct Stage {
    daemon: Program,
    carrier: Program,
    pub(crate) smpp: SocketAddr,
    pub(crate) http: SocketAddr,
    directory: TempDir,
}

/// A child process that does not outlive the demonstration.
struct Program {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Stage {
    /// Starts the carrier, then the daemon.
    pub(crate) fn start() -> Result<Stage, String> {
        let directory = tempfile::Builder::new().prefix("sluice-demo-").tempdir();
        let directory = directory.map_err(|error| format!("no temporary directory: {error}"))?;
        let record = directory.path().join("seen.jsonl");
        let mut arguments = vec!["carrier".into(), "--listen".into(), "127.0.0.1:0".into()];
        arguments.extend(CARRIER.map(Into::into));
        arguments.extend(["--record".into(), record.into_os_string()]);
        let (carrier, ready) = Program::start("carrier", &arguments, directory.path())?;
        let configuration = directory.path().join("sluice.toml");
        write_private(&configuration, &configure(address(&ready, "smpp=")?))?;
        let arguments = ["serve".into(), "--config".into(), configuration.into_os_string()];
        let (daemon, ready) = Program::start("serve", &arguments, directory.path())?;
        let (smpp, http) = (address(&ready, "smpp=")?, address(&ready, "http=")?);
        Ok(Stage { daemon, carrier, smpp, http, directory })
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What the daemon last said, for when something went wrong.
    pub(crate) fn daemon_log(&self) -> String {
        self.daemon.log_tail()
    }

    /// Stops the daemon, which drains, then the carrier. Both must end well.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        self.daemon.stop()?;
        self.carrier.stop()
    }
}

impl Program {
    /// Starts this very binary with other arguments and waits for its `ready` line, of which it gives the rest.
    fn start(
        name: &'static str,
        arguments: &[std::ffi::OsString],
        directory: &Path,
    ) -> Result<(Program, String), String> {
        let failed = |error: std::io::Error| format!("sluice {name} does not start: {error}");
        let log = directory.join(format!("{name}.log"));
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        // The demonstration is not the service: whoever supervises it must not take the daemon's words for its own.
        command.env_remove("NOTIFY_SOCKET").stderr(File::create(&log).map_err(failed)?);
        let mut child = command.spawn().map_err(failed)?;
        let stdout = child.stdout.take();
        let mut program = Program { name, child, log };
        let (sender, lines) = channel();
        // Reads on to the end, so that the program never waits for a reader.
        std::thread::spawn(move || {
            for line in stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines().map_while(Result::ok)) {
                let _ = sender.send(line);
            }
        });
        loop {
            match lines.recv_timeout(READY_WITHIN) {
                Ok(line) => match line.strip_prefix("ready ") {
                    Some(rest) => return Ok((program, rest.to_owned())),
                    None => continue,
                },
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("sluice {name} is not ready after {READY_WITHIN:?}\n{}", program.log_tail()));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let status = program.child.wait().map_or_else(|error| error.to_string(), |it| it.to_string());
                    return Err(format!("sluice {name} ended ({status}) before it was ready\n{}", program.log_tail()));
                }
            }
        }
    }

    fn stop(&mut self) -> Result<(), String> {
        if kill_process(Pid::from_child(&self.child), Signal::TERM).is_err() {
            return Err(format!("sluice {} ended on its own\n{}", self.name, self.log_tail()));
        }
        let clock = Clock::start();
        while clock.elapsed() < END_WITHIN {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("sluice {} ended with {status}", self.name)),
                Ok(None) => std::thread::sleep(Duration::from_millis(10)),
                Err(error) => return Err(format!("sluice {} cannot be waited for: {error}", self.name)),
            }
        }
        Err(format!("sluice {} did not end within {END_WITHIN:?}", self.name))
    }

    fn log_tail(&self) -> String {
        const LINES: usize = 20;
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Errors here mean only that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The configuration that the demonstration runs with: what a first user would write.
fn configure(carrier: SocketAddr) -> String {
    let mut text = format!(
        r#"[node]
data_dir = "data"

[smpp]
listen = "127.0.0.1:0"

[http]
listen = "127.0.0.1:0"

[[tenant]]
id = "riverside"
system_id = "riverside"
password = "secret"
api_key = "riverside-key"

[[tenant]]
id = "northgate"
system_id = "northgate"
password = "secret"
api_key = "northgate-key"

[[carrier]]
id = "alpha"
address = "{carrier}"
system_id = "sluice"
password = "secret"
binds = 2
window = 20
rate = "500/s"

[[route]]
prefix = ""
carriers = ["alpha"]
"#
    );
    for (tenant, prefix, amount, currency) in PRICES {
        text +=
            &format!("\n[[price]]\ntenant = \"{tenant}\"\nprefix = \"{prefix}\"\nper_part = \"{amount} {currency}\"\n");
    }
    text
}

/// Writes a file that only its owner can read, as one that holds passwords should be.
fn write_private(path: &Path, text: &str) -> Result<(), String> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn address(ready: &str, key: &str) -> Result<SocketAddr, String> {
    let word = ready.split_whitespace().find_map(|word| word.strip_prefix(key)).unwrap_or_default();
    word.parse().map_err(|_| format!("no {key} in the ready line {ready:?}"))
}
