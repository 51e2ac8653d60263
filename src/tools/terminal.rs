//! Standard output and input of the commands. A reader that goes away (`sluice … | head`) ends the output, not the program.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use indicatif::ProgressBar;

use crate::tools::Fault;

/// How often a terminal sees that something goes on.
const TICK: Duration = Duration::from_millis(100);

/// Octets that a command reads from standard input at most.
const INPUT_OCTETS_MAX: u64 = 16 << 20;

/// Octets that are read and written at once where lines stream.
const BLOCK_OCTETS: usize = 64 << 10;

/// Prints a line on standard output.
pub fn line(text: &str) {
    // The only error is a reader that has gone; nobody is left to tell.
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Prints a line on standard error, for a reader of standard output who expects something else there.
pub fn note(text: &str) {
    // As above.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints a JSON value on one line of standard output.
pub fn json(value: &serde_json::Value) {
    line(&value.to_string());
}

/// Says on a terminal that something takes its time, until it is finished or dropped.
pub fn busy(what: &'static str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(what);
    bar.enable_steady_tick(TICK);
    bar
}

/// "1 route", "2 routes".
pub fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Prints `name` and `value` as a row of a small table.
pub fn row(name: &str, value: &str) {
    line(&format!("{name:<12} {value}"));
}

/// Says on standard error why the command failed, and gives its exit code.
pub fn fault(fault: &Fault) -> ExitCode {
    let _ = writeln!(io::stderr().lock(), "sluice: {fault}");
    fault.code()
}

/// The argument, or standard input when it is absent or "-". One line end at the end is not part of it.
pub fn argument_or_input(argument: Option<&str>) -> Result<String, Fault> {
    if let Some(text) = argument.filter(|text| *text != "-") {
        return Ok(text.to_owned());
    }
    if io::stdin().is_terminal() {
        note("reading standard input; Ctrl-D ends it");
    }
    let mut text = String::new();
    let read = io::stdin().lock().take(INPUT_OCTETS_MAX).read_to_string(&mut text);
    read.map_err(|error| Fault::Failed(format!("standard input cannot be read as UTF-8 text: {error}")))?;
    let end = text.strip_suffix('\n').map_or(text.len(), |rest| rest.strip_suffix('\r').unwrap_or(rest).len());
    text.truncate(end);
    Ok(text)
}

/// Appends to its second argument the JSON object that answers the JSON object in its first, or says what is wrong.
pub type Answer = dyn Fn(&[u8], &mut Vec<u8>) -> Result<(), String>;

/// Answers each line of standard input, a JSON object, with one JSON object a line; bad input with `{"error": …}`.
///
/// Answers leave in blocks, but never later than the next read that may wait:
/// whoever writes one line and waits gets its answer.
pub fn answer_lines(answer: &Answer) -> Result<(), Fault> {
    let mut input = io::BufReader::with_capacity(BLOCK_OCTETS, io::stdin().lock());
    let mut out = io::stdout().lock();
    let (mut line, mut answers) = (Vec::new(), Vec::with_capacity(2 * BLOCK_OCTETS));
    loop {
        line.clear();
        let read = (&mut input).take(INPUT_OCTETS_MAX).read_until(b'\n', &mut line);
        let read = read.map_err(|error| Fault::Failed(format!("standard input cannot be read: {error}")))?;
        if read as u64 == INPUT_OCTETS_MAX {
            return Err(Fault::Failed(format!(
                "a line has {INPUT_OCTETS_MAX} octets or more; cut the input into lines"
            )));
        }
        if !line.iter().all(u8::is_ascii_whitespace) {
            let start = answers.len();
            if let Err(error) = answer(&line, &mut answers) {
                answers.truncate(start);
                answers.extend_from_slice(serde_json::json!({ "error": error }).to_string().as_bytes());
            }
            answers.push(b'\n');
        }
        if read == 0 || answers.len() >= BLOCK_OCTETS || input.buffer().is_empty() {
            // The only error is a reader that has gone; nobody is left to tell.
            if out.write_all(&answers).and_then(|()| out.flush()).is_err() || read == 0 {
                return Ok(());
            }
            answers.clear();
        }
    }
}
