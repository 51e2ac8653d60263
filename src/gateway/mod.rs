//! Builds the stages and their threads; the order of start and stop.
//!
//! Start: configuration, store and replay, core, then carriers and ports, then `ready`. Stop: no new messages, what is in windows is
//! awaited, links unbind, then the core, the reader, the history and the CDR writer end, each after the one that feeds it.

pub mod dump;
pub mod offline;

mod cdr_files;
mod cdr_writer;
mod compose;
mod gauges;
mod history;
mod limits;
mod names;
mod opening;
mod reading;
mod reload;
mod running;
mod seals;
mod snapshot;
mod spine;
mod start_error;
mod threads;

use std::path::Path;
use std::process::ExitCode;

use crate::config::Config;
use crate::dashboard::log;
use crate::gateway::running::{Running, Signals};

/// A configuration that cannot be used.
const EXIT_CONFIGURATION: u8 = 2;

/// Runs the daemon until a signal ends it. 0: drained; 1: fatal; 2: configuration.
pub fn serve(path: &Path) -> ExitCode {
    let config = match Config::load(path) {
        Ok((config, warnings)) => {
            log::start(config.node.log_format, &config.node.log);
            warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
            config
        }
        Err(errors) => {
            errors.iter().for_each(|error| complain(&error.to_string()));
            return ExitCode::from(EXIT_CONFIGURATION);
        }
    };
    limits::prepare();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fatal(&format!("cannot start the runtime: {error}")),
    };
    let outcome = runtime.block_on(async {
        let signals = Signals::listen().map_err(|error| format!("cannot listen for signals: {error}"))?;
        let running = Running::start(config, path).await.map_err(|error| error.to_string())?;
        running.until_stopped(signals).await
    });
    runtime.shutdown_background();
    match outcome {
        Ok(()) => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(error) => fatal(&error),
    }
}

/// The last word, once: in the log, or where nothing is logged on standard error all the same.
fn fatal(why: &str) -> ExitCode {
    if tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!("{why}");
    } else {
        complain(&format!("sluice: {why}"));
    }
    ExitCode::FAILURE
}

#[expect(clippy::print_stderr, reason = "the last word of a process that cannot go on")]
fn complain(line: &str) {
    eprintln!("{line}");
}
