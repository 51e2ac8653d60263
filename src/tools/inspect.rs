//! `sluice inspect`: decodes what people paste while debugging a carrier; with `--jsonl` one JSON object a line in, one out.

use crate::tools::{Fault, segment, terminal};

/// Arguments of `sluice inspect`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// How texts are cut into parts
    #[command(after_help = "Example:\n  echo '{\"text\":\"a\",\"repeat\":161}' | sluice inspect segment --jsonl")]
    Segment(Lines),
}

#[derive(clap::Args, Debug)]
struct Lines {
    /// What to decode; read from standard input when it is absent or "-"
    input: Option<String>,
    /// Read JSON objects, one a line, from standard input, and answer each with one
    #[arg(long, conflicts_with = "input")]
    jsonl: bool,
}

/// Runs `sluice inspect`.
pub fn run(args: &Args) -> Result<(), Fault> {
    match &args.what {
        What::Segment(lines) if lines.jsonl => terminal::answer_lines(&segment::answer),
        What::Segment(lines) => {
            let text = terminal::argument_or_input(lines.input.as_deref())?;
            let answer = segment::answer(&serde_json::json!({ "text": text })).map_err(Fault::Failed)?;
            terminal::json(&answer);
            Ok(())
        }
    }
}
