//! `sluice send`: one message through the HTTP API.

use serde_json::{Map, Value};

use crate::tools::client::Target;
use crate::tools::{Fault, terminal};

/// Arguments of `sluice send`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The destination: 7 to 15 digits, with or without +
    #[arg(long, value_name = "NUMBER")]
    to: String,
    /// The text; read from standard input when it is absent or "-"
    #[arg(long)]
    text: Option<String>,
    /// The sender: a number, or a name of at most 11 characters
    #[arg(long, value_name = "SENDER")]
    from: String,
    /// Your own reference, given back with the status
    #[arg(long)]
    reference: Option<String>,
    /// A key that makes it safe to run the same command again: the message is accepted once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Print the answer as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// Runs `sluice send`.
pub fn run(args: &Args) -> Result<(), Fault> {
    let key = args.target.api_key()?;
    let text = terminal::argument_or_input(args.text.as_deref())?;
    let mut body = Map::new();
    for (name, value) in [("to", &args.to), ("from", &args.from), ("text", &text)] {
        body.insert(name.to_owned(), Value::String(value.clone()));
    }
    if let Some(reference) = &args.reference {
        body.insert("reference".to_owned(), Value::String(reference.clone()));
    }
    let once = args.idempotency_key.as_deref();
    let answer = args.target.daemon().post("/v1/messages", &key, &Value::Object(body), once)?.success()?;
    if args.json {
        terminal::json(&answer);
        return Ok(());
    }
    for name in ["id", "state", "parts", "encoding"] {
        terminal::row(name, &plain(&answer[name]));
    }
    if let Some(price) = price(&answer["price"]) {
        terminal::row("price", &price);
    }
    terminal::line("");
    terminal::line(&format!("follow it with: sluice message {}", plain(&answer["id"])));
    Ok(())
}

/// A JSON value without quotes.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

/// "0.0264 GBP" of the API's price object.
pub(super) fn price(value: &Value) -> Option<String> {
    let (amount, currency) = (value["amount"].as_str()?, value["currency"].as_str()?);
    Some(format!("{amount} {currency}"))
}
