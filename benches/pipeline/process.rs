//! A child process that is measured from outside: its processor time, its memory, and what it writes to disk, as the
//! kernel accounts for them.

use std::collections::BTreeMap;
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
    /// The process that is measured: the child, or the one below it if syncs are slowed.
    id: u32,
    slowed: bool,
    lines: Lines<BufReader<ChildStdout>>,
    /// From its start to its `ready` line.
    pub(crate) ready_after: Duration,
}

/// What threads have done, by their name.
pub(crate) type Threads = BTreeMap<String, Work>;

/// What a thread has done.
#[derive(Clone, Copy, Default)]
pub(crate) struct Work {
    /// Time on a processor, nanoseconds.
    pub(crate) cpu_nanos: u64,
    /// How often it went to sleep by itself.
    pub(crate) sleeps: u64,
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

impl Process {
    /// Starts the binary under test; what it complains about goes to `log`.
    pub(crate) fn start(arguments: &[&str], log: &Path) -> Process {
        Process::launch(Command::new(env!("CARGO_BIN_EXE_sluice")), arguments, log)
    }

    fn launch(mut command: Command, arguments: &[&str], log: &Path) -> Process {
        let log = File::options().create(true).append(true).open(log).expect("the log can be opened");
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("the binary starts");
        let stdout = child.stdout.take().expect("standard output was asked for");
        let id = child.id();
        Process { child, id, slowed: false, lines: BufReader::new(stdout).lines(), ready_after: Duration::ZERO }
    }

    /// As [`Process::start`], and waits for the `ready` line, of which it gives the rest.
    pub(crate) fn start_ready(arguments: &[&str], log: &Path) -> (Process, String) {
        Process::start_ready_slow(arguments, log, "")
    }

    /// The same, with strace making each of its syncs take `delay` longer; nothing else stops the process then.
    pub(crate) fn start_ready_slow(arguments: &[&str], log: &Path, delay: &str) -> (Process, String) {
        let started = now();
        let mut process = if delay.is_empty() {
            Process::start(arguments, log)
        } else {
            let mut strace = Command::new("strace");
            strace.args(["-f", "--seccomp-bpf", "-qqq", "-o", "/dev/null", "-e", "trace=fdatasync"]);
            strace.args(["-e", &format!("inject=fdatasync:delay_enter={delay}"), env!("CARGO_BIN_EXE_sluice")]);
            Process::launch(strace, arguments, log)
        };
        let line = process.lines.next().and_then(Result::ok).unwrap_or_default();
        process.ready_after = started.elapsed();
        if !delay.is_empty() {
            let children = process.account(&format!("task/{}/children", process.id));
            process.id = children.split_whitespace().next().and_then(|id| id.parse().ok()).expect("strace has a child");
            process.slowed = true;
        }
        let rest = line.strip_prefix("ready ").unwrap_or_else(|| {
            panic!("{arguments:?} is not ready; see {}", log.display());
        });
        (process, rest.to_owned())
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
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

    /// What each of its threads has done so far, by name, those of one name together.
    pub(crate) fn threads(&self) -> Threads {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.id())).expect("the kernel tells");
        let mut threads = Threads::new();
        for task in tasks.filter_map(Result::ok).map(|task| task.path()) {
            let read = |file: &str| std::fs::read_to_string(task.join(file)).unwrap_or_default();
            let sum = threads.entry(read("comm").trim_end().to_owned()).or_default();
            let word = |text: &str, at: usize| -> u64 {
                text.split_whitespace().nth(at).and_then(|word| word.parse().ok()).unwrap_or(0)
            };
            sum.cpu_nanos += word(&read("schedstat"), 0);
            let status = read("status");
            let switches = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            sum.sleeps += word(switches.unwrap_or_default(), 0);
        }
        threads
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
        if self.slowed {
            // Its account ends with strace, whose child it is.
            let _ = self.child.wait();
            self.slowed = false;
            return (last, 0);
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
        if self.slowed {
            let _ = Command::new("kill").args(["-KILL", &self.id.to_string()]).status();
        }
        let _ = self.child.wait();
    }
}
