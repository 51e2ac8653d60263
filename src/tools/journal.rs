//! `sluice journal`: looks at a store that is not running; verify, salvage, dump.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::gateway::offline::Looked;
use crate::gateway::{dump, offline};
use crate::tools::{Fault, terminal};

/// Arguments of `sluice journal`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// Check every group; exit code 1 if anything that was synced cannot be read
    #[command(after_help = "Example:\n  sluice journal verify /var/lib/sluice")]
    Verify {
        /// The data directory
        dir: PathBuf,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Copy what is whole into a new data directory, and say exactly what was lost
    #[command(after_help = "Example:\n  sluice journal salvage /var/lib/sluice /var/lib/sluice-salvaged")]
    Salvage {
        /// The damaged data directory; it is not changed
        dir: PathBuf,
        /// The new directory; it must be empty or not exist
        out: PathBuf,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print every fact as one JSON object a line, without texts and numbers
    #[command(after_help = "Example:\n  sluice journal dump /var/lib/sluice | jq 'select(.fact == \"Sent\")'")]
    Dump {
        /// The data directory
        dir: PathBuf,
    },
}

/// Runs `sluice journal`.
pub fn run(args: &Args) -> Result<(), Fault> {
    match &args.what {
        What::Verify { dir, json } => {
            let busy = terminal::busy("reading the journal");
            let report = offline::verify(dir).map_err(Fault::Failed)?;
            busy.finish_and_clear();
            let damaged = report.damage.len();
            tell(&report, *json);
            let says =
                || Fault::Failed(format!("{} in {}", terminal::counted(damaged, "damaged place"), dir.display()));
            if damaged == 0 { Ok(()) } else { Err(says()) }
        }
        What::Salvage { dir, out, json } => {
            let busy = terminal::busy("copying what is whole");
            let report = offline::salvage(dir, out).map_err(Fault::Failed)?;
            busy.finish_and_clear();
            tell(&report, *json);
            if !json {
                let to = out.display();
                terminal::line(&format!(
                    "what is whole stands in {to} with its keys; name it as [node] data_dir to go on"
                ));
            }
            Ok(())
        }
        What::Dump { dir } => {
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            let line = |value: &Value| match writeln!(out, "{value}") {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            };
            let report = dump::dump(dir, line).map_err(Fault::Failed)?;
            let _ = out.flush();
            let says = || Fault::Failed("the store is damaged; see `sluice journal verify`".to_owned());
            if report.damage.is_empty() { Ok(()) } else { Err(says()) }
        }
    }
}

fn tell(looked: &Looked, json: bool) {
    if json {
        return terminal::json(&as_json(looked));
    }
    for (name, number) in [("groups", looked.groups), ("records", looked.records), ("octets", looked.octets)] {
        terminal::row(name, &number.to_string());
    }
    terminal::row("segments", &looked.segments.to_string());
    if looked.gaps > 0 {
        terminal::row("gaps", &format!("{} declared by an earlier salvage or start", looked.gaps));
    }
    if looked.unfinished {
        terminal::row("end", "a group that a crash left unfinished; nothing acknowledged is in it");
    }
    for damage in &looked.damage {
        let (file, offset, what) = (&damage.file, damage.offset, &damage.what);
        let lost = format!("{} groups and {} records are lost", damage.groups_lost, damage.records_lost);
        terminal::row("damage", &format!("{file} at octet {offset}: {what}; {lost}"));
    }
    if looked.damage.is_empty() {
        terminal::row("damage", "none");
    }
}

fn as_json(looked: &Looked) -> Value {
    let damage = looked.damage.iter().map(|damage| {
        json!({
            "file": damage.file, "offset": damage.offset, "what": damage.what, "groups_lost": damage.groups_lost,
            "records_lost": damage.records_lost,
        })
    });
    json!({
        "ok": looked.damage.is_empty(), "segments": looked.segments, "groups": looked.groups,
        "records": looked.records, "octets": looked.octets, "gaps": looked.gaps, "unfinished": looked.unfinished,
        "damage": damage.collect::<Vec<_>>(),
    })
}
