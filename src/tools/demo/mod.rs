//! `sluice demo`: the whole road on one screen. A carrier and the daemon start as processes of their own, messages go
//! in over SMPP and HTTP, receipts come back, and the bill is added up three times.

mod amount;
mod bill;
mod platform;
mod run;
mod script;
mod stage;
mod table;
mod watch;

use tokio::signal::unix::{SignalKind, signal};

use crate::tools::Fault;
use crate::tools::demo::watch::Watch;

/// Arguments of `sluice demo`.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// End after the bill instead of staying up for a look around
    #[arg(long)]
    exit: bool,
}

/// Runs `sluice demo`: success if the bill adds up.
pub fn run(args: &Args) -> Result<(), Fault> {
    let watch = Watch::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Fault::Failed(format!("the runtime does not start: {error}")))?;
    let exit = args.exit;
    let result: Result<(), String> = runtime.block_on(async {
        let listen = |kind| signal(kind).map_err(|error| format!("cannot listen to signals: {error}"));
        let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
        let worker = watch.clone();
        let mut show = tokio::task::spawn_blocking(move || run::show(exit, &worker));
        loop {
            tokio::select! {
                shown = &mut show => return shown.map_err(|error| error.to_string())?,
                _ = terminate.recv() => watch.stop(),
                _ = interrupt.recv() => watch.stop(),
            }
        }
    });
    result.map_err(Fault::Failed)
}
