//! `sluice status`: is the daemon well, and what are its numbers? Reads `/readyz` and `/numbers.json`.

use serde_json::{Value, json};

use crate::tools::client::Daemon;
use crate::tools::send::plain;
use crate::tools::{Fault, terminal};

/// Arguments of `sluice status`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Daemon,
}

/// Runs `sluice status`: exit code 0 if the daemon is ready, 1 if it is not.
pub fn run(args: &Args) -> Result<(), Fault> {
    let url = args.daemon.url();
    let ready = args.daemon.get("/readyz", None)?.status == 200;
    let numbers = args.daemon.get("/numbers.json", args.daemon.admin_token().as_deref())?;
    let shown = if numbers.status == 200 { numbers.body } else { Value::Null };
    if args.json {
        terminal::json(&json!({ "url": url, "ready": ready, "numbers": shown }));
    } else {
        terminal::row("daemon", url);
        terminal::row("ready", if ready { "yes" } else { "no" });
        if shown.is_null() {
            let why = format!("not shown to this client (HTTP {}); set SLUICE_ADMIN_TOKEN", numbers.status);
            terminal::row("numbers", &why);
        } else {
            print(&shown);
        }
    }
    if ready { Ok(()) } else { Err(Fault::Failed(format!("{url} is not ready"))) }
}

/// Counts are since the start of the daemon.
fn print(numbers: &Value) {
    let of = |place: &str| numbers.pointer(place).map(plain).unwrap_or_default();
    let list = |place: &str, row: &dyn Fn(&Value) -> String| -> Vec<String> {
        numbers[place].as_array().into_iter().flatten().map(row).collect()
    };
    terminal::row("standing", &format!("{}, up {} s, version {}", of("/standing"), of("/up_seconds"), of("/version")));
    for carrier in list("carriers", &|row| {
        let [name, standing, binds, wanted, waiting] =
            ["carrier", "standing", "binds", "binds_wanted", "waiting"].map(|key| plain(&row[key]));
        format!("{name} is {standing}: {binds} of {wanted} binds, {waiting} messages waiting")
    }) {
        terminal::row("carrier", &carrier);
    }
    list("tenants", &tenant).iter().for_each(|tenant| terminal::row("tenant", tenant));
    let counted = |row: &Value, word: &str| format!("{} {}", plain(&row["messages"]), plain(&row[word]));
    let in_brackets = |rows: Vec<String>| {
        let rows: Vec<String> = rows.into_iter().filter(|row| !row.starts_with("0 ")).collect();
        if rows.is_empty() { String::new() } else { format!(" ({})", rows.join(", ")) }
    };
    let states = in_brackets(list("states", &|row| counted(row, "state")));
    let reasons = in_brackets(list("refused", &|row| counted(row, "reason")));
    let (accepted, open, ended) = (of("/messages/accepted"), of("/messages/open"), of("/messages/concluded"));
    terminal::row("messages", &format!("{accepted} accepted, {open} open, {ended} ended{states}"));
    terminal::row("refused", &format!("{}{reasons}", of("/messages/refused")));
    let [sent, flight, put_off, rejected, doubt] =
        ["sent", "in_flight", "deferred", "rejected", "in_doubt"].map(|key| of(&format!("/parts/{key}")));
    let parts = format!("{sent} sent, {flight} in flight, {put_off} put off, {rejected} refused by a carrier");
    terminal::row("parts", &format!("{parts}, {doubt} in doubt"));
    let [matched, unmatched, quarantined, reported, unreported] =
        ["matched", "unmatched", "quarantined", "reported", "unreported"].map(|key| of(&format!("/receipts/{key}")));
    let receipts = format!("{matched} found their part, {unmatched} not at once, {quarantined} given up");
    terminal::row("receipts", &format!("{receipts}; tenants took {reported}, {unreported} not in time"));
    let sync = numbers["journal"]["sync_mean_micros"].as_f64().unwrap_or_default() / 1e3;
    let (room, segments) = (of("/journal/room"), of("/journal/segments"));
    terminal::row("journal", &format!("room is {room}, {segments} segments in use, a sync takes {sync:.1} ms"));
}

/// A tenant's binds, and its money where it has prices.
fn tenant(row: &Value) -> String {
    let mut told = format!("{} has {} binds", plain(&row["tenant"]), plain(&row["binds"]));
    for (key, words) in [("reserved", "reserved"), ("posted", "posted"), ("credit_left", "of credit left")] {
        if let Some(amount) = row[key].as_str().filter(|amount| !amount.is_empty()) {
            told += &format!(", {amount} {words}");
        }
    }
    told
}
