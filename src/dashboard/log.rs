//! The log: lines for people on a terminal, JSON for programs. What must not be read does not print: see `message::Hidden`.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// What the lines look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogFormat {
    /// A line of words on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// A line of words.
    Human,
    /// One JSON object a line.
    Json,
}

/// Starts logging to standard error. `level` is what is shown unless RUST_LOG says otherwise, for example `info`.
/// Called again it changes nothing.
pub fn start(format: LogFormat, level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let terminal = stderr().is_terminal();
    let builder = fmt().with_env_filter(filter).with_writer(stderr).with_ansi(terminal).with_target(false);
    let json = format == LogFormat::Json || (format == LogFormat::Auto && !terminal);
    // The only error is a log that is there already.
    let _ = if json { builder.json().flatten_event(true).try_init() } else { builder.compact().try_init() };
}
