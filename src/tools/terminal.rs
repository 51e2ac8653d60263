//! Standard output and input of the commands. A reader that goes away (`sluice … | head`) ends the output, not the program.

use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;

use crate::tools::Fault;

/// Octets that a command reads from standard input at most.
const INPUT_OCTETS_MAX: u64 = 16 << 20;

/// Prints a line on standard output.
pub fn line(text: &str) {
    // The only error is a reader that has gone; nobody is left to tell.
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Prints a JSON value on one line of standard output.
pub fn json(value: &serde_json::Value) {
    line(&value.to_string());
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
    let mut text = String::new();
    let read = io::stdin().lock().take(INPUT_OCTETS_MAX).read_to_string(&mut text);
    read.map_err(|error| Fault::Failed(format!("standard input cannot be read as UTF-8 text: {error}")))?;
    let end = text.strip_suffix('\n').map_or(text.len(), |rest| rest.strip_suffix('\r').unwrap_or(rest).len());
    text.truncate(end);
    Ok(text)
}

/// Answers each line of standard input, a JSON object, with one JSON object a line; bad input with `{"error": …}`.
pub fn answer_lines(answer: &dyn Fn(&serde_json::Value) -> Result<serde_json::Value, String>) -> Result<(), Fault> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for input in io::stdin().lock().split(b'\n') {
        let input = input.map_err(|error| Fault::Failed(format!("standard input cannot be read: {error}")))?;
        if input.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let parsed = serde_json::from_slice(&input).map_err(|error| format!("not JSON: {error}"));
        let answered =
            parsed.and_then(
                |value: serde_json::Value| {
                    if value.is_object() { answer(&value) } else { Err("not a JSON object".to_owned()) }
                },
            );
        let value = answered.unwrap_or_else(|error| serde_json::json!({ "error": error }));
        if writeln!(out, "{value}").is_err() {
            return Ok(());
        }
    }
    let _ = out.flush();
    Ok(())
}
