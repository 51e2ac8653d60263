//! `sluice status`: is the daemon well, and what are its numbers? Reads `/readyz` and `/metrics`.

use serde_json::{Map, Value, json};

use crate::tools::client::Target;
use crate::tools::{Fault, terminal};

/// Arguments of `sluice status`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// Runs `sluice status`: exit code 0 if the daemon is ready, 1 if it is not.
pub fn run(args: &Args) -> Result<(), Fault> {
    let ready = args.target.get("/readyz", None)?;
    let is_ready = ready.status == 200;
    let token = args.target.admin_token();
    let metrics = args.target.get("/metrics", token.as_deref())?;
    let numbers = if metrics.status == 200 { samples(&metrics.text) } else { Vec::new() };
    if args.json {
        let numbers: Map<String, Value> = numbers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        terminal::json(&json!({ "url": args.target.url(), "ready": is_ready, "numbers": numbers }));
    } else {
        terminal::row("daemon", args.target.url());
        terminal::row("ready", if is_ready { "yes" } else { "no" });
        if metrics.status != 200 {
            terminal::row(
                "numbers",
                &format!("not shown to this client (HTTP {}); set SLUICE_ADMIN_TOKEN", metrics.status),
            );
        }
        // What has a label and has not happened yet is not worth a line.
        for (name, value) in numbers.iter().filter(|(name, value)| *value != 0.0 || !name.contains('{')) {
            terminal::line(&format!("{name:<72} {value}"));
        }
    }
    if is_ready { Ok(()) } else { Err(Fault::Failed(format!("{} is not ready", args.target.url()))) }
}

/// Names and values of an OpenMetrics text, without the buckets of histograms.
fn samples(text: &str) -> Vec<(String, f64)> {
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.contains("_bucket{"));
    lines.filter_map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::samples;

    #[test]
    fn samples_are_read_and_buckets_are_left_out() {
        let text =
            "# HELP a b\n# TYPE a counter\na_total 3\nb{state=\"delivered\"} 2.5\nc_bucket{le=\"1.0\"} 9\n# EOF\n";
        let expected = [("a_total".to_owned(), 3.0), ("b{state=\"delivered\"}".to_owned(), 2.5)];
        assert_eq!(samples(text), expected);
    }
}
