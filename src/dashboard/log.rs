//! The log, on standard error: lines for people, or JSON for programs. What must not be read does not print: see `message::Hidden`.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::LogFormat;

/// Starts logging. `filter` is what is shown unless RUST_LOG says otherwise, for example `info`. Called again it changes nothing.
pub fn start(format: LogFormat, filter: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(ours(filter)));
    let builder = fmt().with_env_filter(filter).with_writer(stderr).with_target(false);
    // The only error is a log that is there already.
    let _ = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.compact().with_ansi(stderr().is_terminal()).try_init(),
    };
}

/// A level alone is meant for what this program says; of the libraries in it only warnings are of use to an operator.
fn ours(filter: &str) -> String {
    let ours = filter.split(',').map(str::trim).map(|one| match one.to_ascii_lowercase().as_str() {
        level @ ("info" | "debug" | "trace") => format!("warn,sluice={level}"),
        _ => one.to_owned(),
    });
    ours.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::ours;

    #[test]
    fn libraries_are_heard_when_they_warn() {
        assert_eq!(ours("info"), "warn,sluice=info");
        assert_eq!(ours("INFO, sluice::carrier=debug"), "warn,sluice=info,sluice::carrier=debug");
        assert_eq!(ours("warn,fjall=debug"), "warn,fjall=debug");
    }
}
