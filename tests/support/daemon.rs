//! The real binary as a test sees it: the daemon with a directory of its own, and the carrier simulator.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use super::program::Program;

/// A running `sluice serve` with its own directory, which goes when the value does.
pub(crate) struct Daemon {
    /// Where platforms bind. Changes at [`Daemon::restart`] when the configuration says port 0.
    pub(crate) smpp: SocketAddr,
    /// Where the HTTP interface answers. Changes likewise.
    pub(crate) http: SocketAddr,
    /// The directory that holds `sluice.toml`, `sluice.log` and, by default, `data`.
    pub(crate) dir: PathBuf,
    program: Program,
    /// Removed last: a field is dropped after those above it.
    _owned: Option<tempfile::TempDir>,
}

impl Daemon {
    /// Starts the daemon with this configuration in a fresh directory and waits until it is ready.
    ///
    /// Sections that the text does not have are added: `[node]` with `data_dir = "data"`, `[store]` with segments
    /// that are made quickly, `[smpp]` and `[http]` listening on a loopback port that the system chooses.
    pub(crate) fn start(config_toml: &str) -> Daemon {
        let owned = tempfile::Builder::new().prefix("sluice-").tempdir().expect("a temporary directory");
        let mut daemon = Daemon::start_in(owned.path(), config_toml);
        daemon._owned = Some(owned);
        daemon
    }

    /// As [`Daemon::start`], in a directory that the caller keeps.
    pub(crate) fn start_in(dir: &Path, config_toml: &str) -> Daemon {
        std::fs::write(dir.join("sluice.toml"), completed(config_toml)).expect("the configuration can be written");
        let (program, smpp, http) = serve(dir);
        Daemon { smpp, http, dir: dir.to_owned(), program, _owned: None }
    }

    /// As [`Daemon::start`], with no more descriptors than this.
    pub(crate) fn start_with_descriptors(config_toml: &str, descriptors_max: u32) -> Daemon {
        let owned = tempfile::Builder::new().prefix("sluice-").tempdir().expect("a temporary directory");
        std::fs::write(owned.path().join("sluice.toml"), completed(config_toml))
            .expect("the configuration can be written");
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("ulimit -n {descriptors_max}; exec \"$@\""), "sh"])
            .arg(env!("CARGO_BIN_EXE_sluice"));
        let (program, smpp, http) = serve_by(command, owned.path());
        Daemon { smpp, http, dir: owned.path().to_owned(), program, _owned: Some(owned) }
    }

    /// The configuration file in use.
    pub(crate) fn config(&self) -> PathBuf {
        self.dir.join("sluice.toml")
    }

    /// Replaces the configuration file; it takes effect at the next start or at [`Daemon::reload`].
    pub(crate) fn configure(&self, config_toml: &str) {
        std::fs::write(self.config(), completed(config_toml)).expect("the configuration can be written");
    }

    /// The process id, for reading `/proc`.
    pub(crate) fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// All that the daemon wrote to standard error since its first start.
    pub(crate) fn log(&self) -> String {
        self.program.log()
    }

    /// Whether the process is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        self.program.is_running()
    }

    /// Ends the daemon as a crash would. [`Daemon::restart`] brings it back on the same data.
    pub(crate) fn kill9(&mut self) {
        self.program.kill9();
    }

    /// Asks for a drain with SIGTERM and waits for the end.
    pub(crate) fn term(&mut self) -> ExitStatus {
        self.program.signal("TERM");
        self.program.wait()
    }

    /// Asks for a reload of the configuration with SIGHUP and returns at once.
    pub(crate) fn reload(&self) {
        self.program.signal("HUP");
    }

    /// Sends any other signal by name, for example `STOP` and `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        self.program.signal(name);
    }

    /// Starts the daemon again on the same directory, after ending it as a crash would if it still runs.
    pub(crate) fn restart(&mut self) {
        self.program.kill9();
        (self.program, self.smpp, self.http) = serve(&self.dir);
    }
}

/// A running `sluice carrier`, the carrier simulator of the same binary.
pub(crate) struct Carrier {
    /// Where the daemon under test is to bind.
    pub(crate) smpp: SocketAddr,
    program: Program,
    _owned: tempfile::TempDir,
}

impl Carrier {
    /// Starts the simulator on a free port with these further arguments and waits until it is ready.
    pub(crate) fn start(args: &[&str]) -> Carrier {
        Carrier::start_at("127.0.0.1:0", args)
    }

    /// Starts the simulator at a fixed address, for carriers that go away and come back.
    pub(crate) fn start_at(listen: &str, args: &[&str]) -> Carrier {
        let owned = tempfile::Builder::new().prefix("sluice-carrier-").tempdir().expect("a temporary directory");
        let mut command = sluice();
        command.args(["carrier", "--listen", listen]).args(args).current_dir(owned.path());
        let mut program = Program::start("sluice carrier", command, &owned.path().join("carrier.log"));
        let ready = program.line_after("ready ");
        let smpp = address_in(&ready, "smpp=");
        Carrier { smpp, program, _owned: owned }
    }

    /// What the simulator printed and nobody has read yet, for simulators told to print what they see.
    pub(crate) fn program(&mut self) -> &mut Program {
        &mut self.program
    }

    /// Ends the simulator as a crash would.
    pub(crate) fn kill9(&mut self) {
        self.program.kill9();
    }
}

/// A command line of the binary under test, with no settings from the outside.
pub(crate) fn sluice() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    command.env_remove("SLUICE_API_KEY").env_remove("NOTIFY_SOCKET").env_remove("RUST_LOG");
    command
}

fn serve(dir: &Path) -> (Program, SocketAddr, SocketAddr) {
    serve_by(sluice(), dir)
}

fn serve_by(mut command: Command, dir: &Path) -> (Program, SocketAddr, SocketAddr) {
    command.arg("serve").arg("--config").arg(dir.join("sluice.toml")).current_dir(dir);
    let mut program = Program::start("sluice serve", command, &dir.join("sluice.log"));
    let ready = program.line_after("ready ");
    (program, address_in(&ready, "smpp="), address_in(&ready, "http="))
}

/// Finds `key` in a ready line (`smpp=127.0.0.1:1 http=127.0.0.1:2`) and reads the address behind it.
fn address_in(ready: &str, key: &str) -> SocketAddr {
    let word = ready.split_whitespace().find_map(|word| word.strip_prefix(key));
    let word = word.unwrap_or_else(|| panic!("no {key} in the ready line {ready:?}"));
    word.parse().unwrap_or_else(|error| panic!("{key}{word} in the ready line is no address: {error}"))
}

/// Adds the sections that every daemon needs and this configuration does not have.
fn completed(config_toml: &str) -> String {
    let has = |section: &str| config_toml.lines().any(|line| line.trim() == section);
    let mut text = String::new();
    for (section, body) in [
        ("[node]", "data_dir = \"data\""),
        ("[store]", "segment = \"4MiB\""),
        ("[smpp]", "listen = \"127.0.0.1:0\""),
        ("[http]", "listen = \"127.0.0.1:0\""),
    ] {
        if !has(section) {
            text.push_str(&format!("{section}\n{body}\n\n"));
        }
    }
    text + config_toml
}
