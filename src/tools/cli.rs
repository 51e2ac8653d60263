//! The command line of `sluice`: what there is to ask for, in words for somebody who has never seen it.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::tools::{carrier, check, conform, demo, inspect, journal, load, message, segment, send, status, terminal};

#[derive(Parser, Debug)]
#[command(name = "sluice", version, about = ABOUT, after_help = FIRST_STEPS, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const ABOUT: &str = "An SMS gateway and SMPP bridge: platforms submit over SMPP or HTTP, Sluice stores each message before it says \
    yes, forwards it to carriers, follows every part to its receipt and its price, and tells the sender";

const FIRST_STEPS: &str = "First steps:
  sluice demo                             the whole road on one screen
  sluice check --config conf/sluice.toml  is the configuration right?
  sluice serve --config conf/sluice.toml  run the gateway
  sluice segment 'Hello, world'           what a text takes, without sending it

Exit codes: 0 done, 1 failed, 2 wrong arguments or configuration.";

const STATUS_EXAMPLES: &str = "Examples:
  sluice status --url http://127.0.0.1:8080
  SLUICE_ADMIN_TOKEN=… sluice status --url http://gateway:8080 --json

From another machine, or with [http] admin_token, the numbers need that token in SLUICE_ADMIN_TOKEN.";

const CARRIER_EXAMPLES: &str = "Examples:
  sluice carrier --listen 127.0.0.1:2776
  sluice carrier --delay 20 --receipts-after 500 --undeliverable 0.02 --receipt-format mixed
  sluice carrier --listen 127.0.0.1:0 --rate 1000/s --lose-response 0.001 --record seen.jsonl --json";

const LOAD_EXAMPLES: &str = "Examples:
  sluice load --system-id riverside --password secret --count 100000
  sluice load --system-id riverside --password secret --rate 500/s --seconds 60 --json
  sluice load --connect 127.0.0.1:2776 --system-id any --text 'Straight to a carrier'";

const CONFORM_EXAMPLES: &str = "Examples:
  sluice conform --connect 127.0.0.1:2775 --system-id riverside --password secret
  sluice conform --connect 127.0.0.1:2775 --system-id riverside --password secret --section tlv --json
  sluice conform --listen 127.0.0.1:2776 --junit conform.xml";

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the gateway
    #[command(after_help = "Example:\n  sluice serve --config /etc/sluice/sluice.toml")]
    Serve {
        /// The configuration file
        #[arg(long, value_name = "FILE")]
        config: std::path::PathBuf,
    },
    /// Check a configuration without starting anything: every error with file, line and key
    #[command(after_help = "Example:\n  sluice check --config conf/sluice.toml")]
    Check(check::Args),
    /// Show how a text is encoded, cut into parts and priced, without sending it
    #[command(
        after_help = "Examples:\n  sluice segment 'Your code is 4711'\n  sluice segment --json < text.txt\n  sluice segment --smart transliterate '“It’s here”'"
    )]
    Segment(segment::Args),
    /// Send one message through the HTTP API of a running daemon
    #[command(
        after_help = "Example:\n  SLUICE_API_KEY=dev-key sluice send --to 447700900123 --from Riverside --text 'Hello'"
    )]
    Send(send::Args),
    /// Show whether a running daemon is ready, and its numbers
    #[command(after_help = STATUS_EXAMPLES)]
    Status(status::Args),
    /// Show where a message stands, part by part
    #[command(after_help = "Example:\n  SLUICE_API_KEY=dev-key sluice message 01hzy3…")]
    Message(message::Args),
    /// See it all work: a carrier, the gateway, messages, receipts and the bill
    #[command(after_help = "Examples:\n  sluice demo\n  sluice demo --exit")]
    Demo(demo::Args),
    /// Simulate a carrier: take messages, answer, send receipts, and misbehave on request
    #[command(after_help = CARRIER_EXAMPLES)]
    Carrier(carrier::Args),
    /// Submit many messages over SMPP and measure what comes back
    #[command(after_help = LOAD_EXAMPLES)]
    Load(load::Args),
    /// Check a message centre or an ESME against SMPP 3.4 and 5.0, case by case
    #[command(after_help = CONFORM_EXAMPLES)]
    Conform(conform::Args),
    /// Look at a store that is not running
    Journal(journal::Args),
    /// Decode what people paste while debugging a carrier
    Inspect(inspect::Args),
}

/// Reads the arguments, does what they ask for, and gives the exit code.
pub fn run() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Serve { config } => return crate::gateway::serve(&config),
        Command::Check(args) => check::run(&args),
        Command::Segment(args) => segment::run(&args),
        Command::Send(args) => send::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Message(args) => message::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Carrier(args) => carrier::run(args),
        Command::Load(args) => load::run(args),
        Command::Conform(args) => conform::run(&args),
        Command::Journal(args) => journal::run(&args),
        Command::Inspect(args) => inspect::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => terminal::fault(&fault),
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::CommandFactory;

    #[test]
    fn arguments_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }
}
