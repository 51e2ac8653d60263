//! `sluice check`: is a configuration right? Every error with file, line and key; nothing is bound or created.

use std::path::PathBuf;

use serde_json::json;

use crate::gateway::offline;
use crate::tools::terminal::counted;
use crate::tools::{Fault, terminal};

/// Arguments of `sluice check`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs `sluice check`: exit code 2 if the gateway would not start with it.
pub fn run(args: &Args) -> Result<(), Fault> {
    let checked = offline::check(&args.config);
    let [tenants, carriers, routes, prices] = checked.counts;
    let good = checked.errors.is_empty();
    if args.json {
        terminal::json(&json!({
            "ok": good, "errors": checked.errors, "warnings": checked.warnings,
            "tenants": tenants, "carriers": carriers, "routes": routes, "prices": prices,
        }));
    } else {
        checked.errors.iter().for_each(|error| terminal::line(&format!("error: {error}")));
        checked.warnings.iter().for_each(|warning| terminal::line(&format!("warning: {warning}")));
        if good {
            let found = [(tenants, "tenant"), (carriers, "carrier"), (routes, "route"), (prices, "price")];
            let found = found.map(|(number, noun)| counted(number, noun)).join(", ");
            terminal::line(&format!("{} is right: {found}", args.config.display()));
        }
    }
    if good {
        return Ok(());
    }
    Err(Fault::Misused(format!("{} in {}", counted(checked.errors.len(), "error"), args.config.display())))
}
