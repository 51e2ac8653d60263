//! A child process that is measured from outside: its processor time, its memory, and what it writes to disk, as the
//! kernel accounts for them.

use std::fs::File;
use std::io::{BufRead, BufReader, Lines, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// The kernel counts processor time in hundredths of a second (USER_HZ, which is fixed in its interface).
const TICK_MICROS: u64 = 10_000;

/// How often a process is looked at while it is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A running child. Dropping it kills it, by its own id.
pub(crate) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// From its start to its `ready` line.
    pub(crate) ready_after: Duration,
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

impl Process {
    /// Starts the binary under test; what it complains about goes to `log`.
    pub(crate) fn start(arguments: &[&str], log: &Path) -> Process {
        let log = File::options().create(true).append(true).open(log).expect("the log can be opened");
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("the binary starts");
        let stdout = child.stdout.take().expect("standard output was asked for");
        Process { child, lines: BufReader::new(stdout).lines(), ready_after: Duration::ZERO }
    }

    /// As [`Process::start`], and waits for the `ready` line, of which it gives the rest.
    pub(crate) fn start_ready(arguments: &[&str], log: &Path) -> (Process, String) {
        let started = now();
        let mut process = Process::start(arguments, log);
        let line = process.lines.next().and_then(Result::ok).unwrap_or_default();
        process.ready_after = started.elapsed();
        let rest = line.strip_prefix("ready ").unwrap_or_else(|| {
            panic!("{arguments:?} is not ready; see {}", log.display());
        });
        (process, rest.to_owned())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Processor time so far, user and system, in microseconds.
    pub(crate) fn cpu_micros(&self) -> u64 {
        let stat = self.account("stat");
        // The name in parentheses may hold blanks; the fields behind it are numbered from 3 (proc(5)).
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let field = |number: usize| -> u64 {
            fields.split_whitespace().nth(number - 3).and_then(|field| field.parse().ok()).expect("a number of ticks")
        };
        (field(14) + field(15)) * TICK_MICROS
    }

    /// Resident memory now and at its highest, in octets.
    pub(crate) fn resident_octets(&self) -> (u64, u64) {
        let status = self.account("status");
        let kibibytes = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel tells");
            line.trim_matches(|c: char| !c.is_ascii_digit()).parse().expect("a number of KiB")
        };
        (kibibytes("VmRSS:") * 1024, kibibytes("VmHWM:") * 1024)
    }

    /// Octets that its threads of this name have handed to write calls. The kernel's own account of what reaches the disk
    /// (`write_bytes`) counts a whole large folio for each small write into it, so it says nothing here.
    pub(crate) fn written_octets(&self, thread: &str) -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.id())).expect("the kernel tells");
        let folders = tasks.filter_map(Result::ok).map(|task| task.path());
        let named = folders
            .filter(|task| std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim_end() == thread));
        let octets = |task: std::path::PathBuf| -> u64 {
            let io = std::fs::read_to_string(task.join("io")).unwrap_or_default();
            io.lines().find_map(|line| line.strip_prefix("wchar: ")?.parse().ok()).unwrap_or(0)
        };
        named.map(octets).sum()
    }

    /// Waits until it uses less than 2 % of a core for a second.
    pub(crate) fn settle(&self) {
        let mut before = self.cpu_micros();
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let after = self.cpu_micros();
            if after - before <= 2 * TICK_MICROS {
                return;
            }
            before = after;
        }
    }

    /// Waits for its end. Gives the last line that it printed and the processor time of its whole life.
    pub(crate) fn finish(mut self) -> (String, u64) {
        let mut last = String::new();
        for line in self.lines.by_ref().map_while(Result::ok) {
            last = line;
        }
        // Its output is closed, so it is about to be a zombie, whose account can still be read until it is waited for.
        while !self.account("stat").rsplit_once(')').is_some_and(|(_, fields)| fields.trim_start().starts_with('Z')) {
            std::thread::sleep(LOOK_EVERY);
        }
        let cpu_micros = self.cpu_micros();
        let _ = self.child.wait();
        (last, cpu_micros)
    }

    /// Asks it to end and waits for that.
    pub(crate) fn terminate(self) -> (String, u64) {
        let status = Command::new("kill").args(["-TERM", &self.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "kill is part of every system");
        self.finish()
    }

    fn account(&self, file: &str) -> String {
        let mut text = String::new();
        let path = format!("/proc/{}/{file}", self.id());
        File::open(&path).and_then(|mut file| file.read_to_string(&mut text)).expect("the kernel tells about a child");
        text
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Errors here mean only that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
