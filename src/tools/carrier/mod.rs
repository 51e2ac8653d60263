//! `sluice carrier`: a message centre to test against. It takes binds and submits, answers and sends receipts, and
//! misbehaves on request in ways that can be repeated from a seed.

mod account;
mod bind;
mod center;
mod conduct;
mod record;
mod report;
mod requests;
mod spelling;
mod taken;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::tools::Fault;
use crate::tools::carrier::center::Center;
use crate::tools::carrier::spelling::{IdStyle, ReceiptFormat};
use crate::tools::quantity::{self, Chance, Rate};
use crate::tools::terminal;

/// Arguments of `sluice carrier`.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Address to listen on; port 0 takes a free one, which the line `ready smpp=ADDR` tells
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:2776")]
    listen: SocketAddr,
    /// The only system_id that may bind; everybody may when it is absent
    #[arg(long, value_name = "ID")]
    system_id: Option<String>,
    /// The password it must give
    #[arg(long, value_name = "PASSWORD", requires = "system_id")]
    password: Option<String>,
    /// Milliseconds between a submit_sm and its response
    #[arg(long, value_name = "MS", default_value = "0", value_parser = quantity::milliseconds)]
    delay: Duration,
    /// Milliseconds between a response and the receipt, or "none" for no receipts
    #[arg(long, value_name = "MS|none", default_value = "0", value_parser = receipts_after)]
    receipts_after: ReceiptsAfter,
    /// How receipts are spelled
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "standard")]
    receipt_format: ReceiptFormat,
    /// How message ids are spelled in responses
    #[arg(long, value_enum, value_name = "STYLE", default_value = "decimal")]
    id_style: IdStyle,
    /// The number behind the first message id; taken from the time of day when absent, so that a restart repeats none
    #[arg(long, value_name = "N")]
    first_id: Option<u64>,
    /// Probability that a message is accepted and its response never sent
    #[arg(long, value_name = "P", default_value = "0", value_parser = quantity::chance)]
    lose_response: Chance,
    /// Probability that a submit_sm is refused with ESME_RTHROTTLED
    #[arg(long, value_name = "P", default_value = "0", value_parser = quantity::chance)]
    throttle: Chance,
    /// Submits a second that are taken; more are refused with ESME_RTHROTTLED
    #[arg(long, value_name = "N/s", value_parser = quantity::rate)]
    rate: Option<Rate>,
    /// Probability that a submit_sm is refused with ESME_RMSGQFUL
    #[arg(long, value_name = "P", default_value = "0", value_parser = quantity::chance)]
    queue_full: Chance,
    /// Probability that a submit_sm is refused for good
    #[arg(long, value_name = "P", default_value = "0", value_parser = quantity::chance)]
    reject: Chance,
    /// The command_status of such a refusal (0x0B: ESME_RINVDSTADR)
    #[arg(long, value_name = "STATUS", default_value = "0x0B", value_parser = status)]
    reject_status: u32,
    /// Probability that an accepted message gets the receipt UNDELIV instead of DELIVRD
    #[arg(long, value_name = "P", default_value = "0", value_parser = quantity::chance)]
    undeliverable: Chance,
    /// Probability that a receipt is sent twice
    #[arg(long, value_name = "P", default_value = "0", value_parser = quantity::chance)]
    duplicate_receipts: Chance,
    /// Probability that the receipt is sent before the response
    #[arg(long, value_name = "P", default_value = "0", value_parser = quantity::chance)]
    receipt_before_response: Chance,
    /// Drop the connection at every Nth submit_sm, which is then neither taken nor answered
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    disconnect_every: Option<u64>,
    /// Receipts that may be unanswered on one bind
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    window: u32,
    /// End after so many accepted messages and their receipts
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Seed of all that is left to chance
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
    /// Write one JSON object a line for each submit_sm that came in
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Write one JSON object a line for each receipt that was answered
    #[arg(long, value_name = "FILE")]
    record_receipts: Option<PathBuf>,
    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,
}

/// When receipts are sent, if they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ReceiptsAfter {
    /// Never.
    None,
    /// So long after the response.
    Delay(Duration),
}

fn receipts_after(text: &str) -> Result<ReceiptsAfter, String> {
    if text == "none" {
        return Ok(ReceiptsAfter::None);
    }
    quantity::milliseconds(text).map(ReceiptsAfter::Delay)
}

fn status(text: &str) -> Result<u32, String> {
    let number = match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => text.parse(),
    };
    number.map_err(|_| format!("{text:?} is not a command_status: write for example 0x0B or 11"))
}

/// Runs `sluice carrier` until it is told to end.
pub fn run(args: Args) -> Result<(), Fault> {
    let json = args.json;
    let report = serve(args).map_err(Fault::Failed)?;
    report.print(json);
    Ok(())
}

fn serve(args: Args) -> Result<report::Report, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime does not start: {error}"))?;
    runtime.block_on(async {
        let listen = args.listen;
        let listener = tokio::net::TcpListener::bind(listen).await;
        let listener = listener.map_err(|error| format!("cannot listen on {listen}: {error}"))?;
        let address = listener.local_addr().map_err(|error| format!("cannot listen on {listen}: {error}"))?;
        let mut center = Center::new(args, listener)?;
        terminal::line(&format!("ready smpp={address}"));
        center.run().await
    })
}
