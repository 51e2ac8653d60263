//! Programs that nobody here wrote: where they are, and what to do when they are not.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A foreign program that the tests use. `tests/run peers` installs all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// PyPI `smpplib`, in a virtual environment below `tests/peers/`.
    Smpplib,
    /// npm `smpp`, below `tests/peers/`.
    Smpp,
    /// Wireshark's decoder on the command line.
    Tshark,
    /// The JSON processor of the billing page.
    Jq,
    /// Traces and disturbs the system calls of another process.
    Strace,
}

impl Peer {
    /// Whether it can be started.
    fn is_installed(self) -> bool {
        let mut command = match self {
            Peer::Smpplib => python(&["-c", "import smpplib"]),
            Peer::Smpp => node(&["-e", "require('smpp')"]),
            Peer::Tshark => tshark(&["--version"]),
            Peer::Jq => jq(),
            Peer::Strace => return may_attach(),
        };
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    /// Whether the build server must have it. Interoperability is promised; the others are tools for one test each.
    fn is_required(self) -> bool {
        !matches!(self, Peer::Jq | Peer::Strace)
    }
}

/// Whether all these peers are there. A test that lacks one returns at once: a skip that names it.
///
/// # Panics
/// With `CI=true`: there a missing peer is a failure, if it is required.
#[expect(clippy::print_stderr, reason = "a skip must be seen in the output of the test")]
pub(crate) fn present(test: &str, peers: &[Peer]) -> bool {
    let missing: Vec<Peer> = peers.iter().copied().filter(|peer| !peer.is_installed()).collect();
    let strict = std::env::var("CI").is_ok_and(|value| value == "true");
    let required = missing.iter().any(|peer| peer.is_required());
    assert!(!(required && strict), "{test}: {missing:?} not installed; `tests/run peers` installs them");
    if !missing.is_empty() {
        eprintln!("SKIPPED {test}: {missing:?} not installed; `tests/run peers` installs them");
    }
    missing.is_empty()
}

/// A command line of the Python that has `smpplib`.
pub(crate) fn python(args: &[&str]) -> Command {
    let mut command = Command::new(folder().join(".venv/bin/python"));
    command.args(args).current_dir(folder()).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// A command line of the Node.js that finds `smpp`.
pub(crate) fn node(args: &[&str]) -> Command {
    let mut command = Command::new("node");
    command.args(args).current_dir(folder());
    command
}

/// Runs `tshark` over a capture, with these ports read as SMPP, and returns its lines.
///
/// # Panics
/// When tshark refuses the file or its arguments.
pub(crate) fn tshark_reads(capture: &Path, ports: &[u16], args: &[&str]) -> Vec<String> {
    let mut command = tshark(&["-n", "-r"]);
    command.arg(capture);
    for port in ports {
        command.args(["-d", &format!("tcp.port=={port},smpp")]);
    }
    let Output { status, stdout, stderr } = command.args(args).output().expect("tshark starts");
    assert!(status.success(), "tshark {args:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8_lossy(&stdout).lines().map(str::to_owned).collect()
}

fn jq() -> Command {
    let mut command = Command::new("jq");
    command.arg("--version");
    command
}

/// Whether strace is there and may attach to a process that it did not start, which some machines forbid.
fn may_attach() -> bool {
    let Ok(mut process) = Command::new("sleep").arg("1").spawn() else { return false };
    let mut strace = Command::new("strace");
    strace.args(["-o", "/dev/null", "-p", &process.id().to_string()]).stdin(Stdio::null());
    let attached = strace.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let _ = process.wait();
    attached.is_ok_and(|status| status.success())
}

fn tshark(args: &[&str]) -> Command {
    let mut command = Command::new("tshark");
    // Settings of whoever runs the tests must not change what is decoded.
    command.args(args).env("HOME", std::env::temp_dir()).env_remove("XDG_CONFIG_HOME");
    command
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}
