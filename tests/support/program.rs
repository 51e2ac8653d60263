//! A child process whose standard output is read line by line with a deadline and which never outlives
//! the test: dropping it kills it by its own process id.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

use super::{PATIENCE, eventually};

/// A running child process and the lines it has printed so far.
pub(crate) struct Program {
    name: String,
    child: Child,
    lines: Receiver<String>,
    log: std::path::PathBuf,
}

impl Program {
    /// Starts `command`; its standard error is appended to `log`, its standard output can be read as lines.
    pub(crate) fn start(name: &str, mut command: Command, log: &Path) -> Program {
        let errors = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("the log can be opened");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let stdout = child.stdout.take().expect("standard output was asked for");
        let (sender, lines) = channel();
        // The thread ends when the child closes its output or the test has dropped the receiver.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Program { name: name.to_owned(), child, lines, log: log.to_owned() }
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of standard output, or `None` when it has been closed.
    ///
    /// # Panics
    /// When no line comes within the patience of a test.
    pub(crate) fn line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("{} printed nothing for {PATIENCE:?}\n{}", self.name, self.log()),
        }
    }

    /// The first line that starts with `prefix`, without it. Lines before it are dropped.
    ///
    /// # Panics
    /// When the program ends or stays silent first; the message carries its log.
    pub(crate) fn line_after(&mut self, prefix: &str) -> String {
        while let Some(line) = self.line() {
            if let Some(rest) = line.strip_prefix(prefix) {
                return rest.trim().to_owned();
            }
        }
        let status = self.wait();
        panic!("{} ended ({status}) without printing {prefix:?}\n{}", self.name, self.log());
    }

    /// All lines up to the end of standard output.
    pub(crate) fn lines_to_end(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.line()).collect()
    }

    /// What the program wrote to standard error so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Sends a signal by name (`TERM`, `HUP`, `STOP`, `CONT`) to this process alone.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.pid().to_string()])
            .status()
            .expect("kill is part of every system");
        assert!(status.success(), "cannot send {name} to {}", self.name);
    }

    /// Kills the process as a crash would and waits until it is gone. Harmless when it has already ended.
    pub(crate) fn kill9(&mut self) {
        // An error here means only that it has ended on its own.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether the process is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be asked").is_none()
    }

    /// Waits until the process ends on its own.
    ///
    /// # Panics
    /// When it does not end within the patience of a test.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let name = self.name.clone();
        eventually(&format!("{name} ends"), || self.child.try_wait().expect("a child can be asked"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill9();
    }
}
