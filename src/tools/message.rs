//! `sluice message`: where one message stands, part by part, through the HTTP API.

use serde_json::Value;

use crate::tools::client::Target;
use crate::tools::send::{plain, price};
use crate::tools::{Fault, terminal};

/// Arguments of `sluice message`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The id that `send` or the API gave
    id: String,
    /// Print the answer as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// Runs `sluice message`.
pub fn run(args: &Args) -> Result<(), Fault> {
    if args.id.is_empty() || !args.id.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
        return Err(Fault::Misused(format!("{:?} is not a message id: they are 26 letters and digits", args.id)));
    }
    let key = args.target.api_key()?;
    let answer = args.target.daemon().get(&format!("/v1/messages/{}", args.id), Some(&key))?.success()?;
    if args.json {
        terminal::json(&answer);
        return Ok(());
    }
    let names = [
        "id",
        "state",
        "to",
        "from",
        "reference",
        "parts",
        "encoding",
        "accepted_at",
        "send_at",
        "expires_at",
        "done_at",
    ];
    for name in names {
        if !answer[name].is_null() {
            terminal::row(name, &plain(&answer[name]));
        }
    }
    if let Some(price) = price(&answer["price"]) {
        terminal::row("price", &price);
    }
    let parts = answer["part_list"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parts.is_empty() {
        terminal::line("");
        terminal::line("part  state          carrier       carrier's id                      error     price");
    }
    parts.iter().for_each(print_part);
    Ok(())
}

fn print_part(part: &Value) {
    let repeat = if part["possible_duplicate"] == true { "  (may have been sent twice)" } else { "" };
    terminal::line(&format!(
        "{:>4}  {:<13}  {:<12}  {:<32}  {:<8}  {}{repeat}",
        plain(&part["part"]),
        plain(&part["state"]),
        plain(&part["carrier"]),
        plain(&part["carrier_id"]),
        plain(&part["error"]),
        price(&part["price"]).unwrap_or_else(|| "-".to_owned()),
    ));
}
