//! `sluice load`: a platform that submits as fast as it is let, or at a rate, and measures what it is answered.

mod awaited;
mod esme;
mod generator;
mod ledger;
mod report;
mod template;

use std::path::PathBuf;
use std::time::Duration;

use crate::tools::Fault;
use crate::tools::load::generator::Generator;
use crate::tools::load::report::Report;
use crate::tools::quantity::{self, Rate};

/// Arguments of `sluice load`.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Address of the gateway or message centre
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:2775")]
    connect: String,
    /// Who binds
    #[arg(long, value_name = "ID")]
    system_id: String,
    /// The password to bind with; in the environment other users of this machine cannot see it
    #[arg(long, value_name = "PASSWORD", env = "SLUICE_SMPP_PASSWORD", hide_env_values = true, default_value = "")]
    password: String,
    /// Transceivers to bind
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u32).range(1..=1000))]
    binds: u32,
    /// Submits that may be unanswered on one bind
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    window: u32,
    /// Messages a second over all binds; as fast as the windows allow when absent
    #[arg(long, value_name = "N/s", value_parser = quantity::rate)]
    rate: Option<Rate>,
    /// Messages to send; 10,000 when neither this nor --seconds is given
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = clap::value_parser!(u32).range(1..100_000_000))]
    count: Option<u32>,
    /// Send for so many seconds
    #[arg(long, value_name = "S", value_parser = quantity::seconds)]
    seconds: Option<Duration>,
    /// Number of the first message: each text ends with its number, as in "#00000001"
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(..100_000_000))]
    first: u32,
    /// The text; the number is added to it
    #[arg(long, value_name = "TEXT", conflicts_with = "characters")]
    text: Option<String>,
    /// Characters of a made-up text, number included
    #[arg(long, value_name = "N", default_value = "160")]
    characters: usize,
    /// The sender: digits, or up to 11 letters
    #[arg(long, value_name = "FROM", default_value = "Riverside")]
    source: String,
    /// What destinations start with; the digits behind it count up
    #[arg(long, value_name = "DIGITS", default_value = "4477009")]
    dest_prefix: String,
    /// What about receipts: ask and wait for them, ask and do not wait, or do not ask
    #[arg(long, value_enum, value_name = "WHAT", default_value = "wait")]
    receipts: Receipts,
    /// Seconds without any news after which what is missing counts as missing
    #[arg(long, value_name = "S", default_value = "30", value_parser = quantity::seconds)]
    patience: Duration,
    /// Bind again when a connection is lost, for as long as it takes
    #[arg(long)]
    reconnect: bool,
    /// Submit again what a lost connection left unanswered (it may then arrive twice)
    #[arg(long, requires = "reconnect")]
    retry_unanswered: bool,
    /// Append one line for each accepted message: id, destination, number
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Append one line for each receipt: id, state
    #[arg(long, value_name = "FILE")]
    receipt_ledger: Option<PathBuf>,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// What to do about receipts.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Receipts {
    /// Ask for them and wait until all are there
    Wait,
    /// Ask for them, count what comes, and do not wait
    Ignore,
    /// Do not ask for them
    None,
}

/// Runs `sluice load`: success if nothing is missing at the end.
pub fn run(args: Args) -> Result<(), Fault> {
    let json = args.json;
    let report = drive(args)?;
    report.print(json);
    report.missing().map_or(Ok(()), |missing| Err(Fault::Failed(missing)))
}

fn drive(args: Args) -> Result<Report, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Fault::Failed(format!("the runtime does not start: {error}")))?;
    runtime.block_on(async { Generator::new(args)?.run().await.map_err(Fault::Failed) })
}
