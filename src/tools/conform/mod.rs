//! `sluice conform`: plays the other side of SMPP 3.4 and 5.0 and says, case by case, whether a peer keeps to the standard.
//!
//! `--connect` plays an ESME against a message centre, `--listen` a message centre against an ESME. The cases are data, in
//! `cases/`; [`script`] is their language, [`player`] plays them.

mod answer;
mod check;
mod conn;
mod layout;
mod listen;
mod player;
mod report;
mod script;
mod stage;
mod suite;
mod template;

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::tools::conform::answer::status_name;
use crate::tools::conform::conn::Came;
use crate::tools::conform::player::{Verdict, connect};
use crate::tools::conform::report::Report;
use crate::tools::conform::script::Case;
use crate::tools::conform::stage::Stage;
use crate::tools::conform::template::{Template, Values};
use crate::tools::{Fault, quantity, terminal};

/// Arguments of `sluice conform`.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The message centre to play against; --listen plays against an ESME
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "listen")]
    connect: Option<String>,
    /// Wait here for an ESME to play against; port 0 takes a free one, which the line `ready smpp=ADDR` tells
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// The account to bind with
    #[arg(long, value_name = "ID", requires = "connect", default_value = "")]
    system_id: String,
    /// Its password
    #[arg(long, value_name = "PASSWORD", env = "SLUICE_SMPP_PASSWORD", hide_env_values = true, default_value = "")]
    password: String,
    /// Print one JSON object a case, the totals last
    #[arg(long)]
    json: bool,
    /// Write a JUnit report, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Only this section; may be given several times
    #[arg(long, value_name = "NAME")]
    section: Vec<String>,
    /// Only cases whose name contains this
    #[arg(long, value_name = "TEXT")]
    case: Option<String>,
    /// Print the cases and play none
    #[arg(long)]
    list: bool,
    /// Cases from a file of your own in place of the built-in ones
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,
    /// Cases that are played at once, each on a bind of its own
    #[arg(long, value_name = "N", default_value = "8", value_parser = clap::value_parser!(u32).range(1..=64))]
    binds: u32,
    /// Seconds that an answer may take
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = quantity::seconds)]
    patience: Duration,
    /// Seconds that the whole run may take; what is not played by then fails
    #[arg(long, value_name = "SECONDS", default_value = "230", value_parser = quantity::seconds)]
    within: Duration,
    /// The destination of messages that are to be accepted
    #[arg(long, value_name = "NUMBER", default_value = "447700900123")]
    to: String,
    /// Their sender
    #[arg(long, value_name = "NUMBER", default_value = "447700900100")]
    from: String,
}

/// Runs `sluice conform`.
pub fn run(args: &Args) -> Result<(), Fault> {
    let cases = chosen(args)?;
    if args.list {
        for case in &cases {
            terminal::line(&format!("{:<12} {} ({})", case.section, case.name, case.clause));
        }
        return Ok(());
    }
    if args.connect.is_none() && args.listen.is_none() {
        let what = "name the peer: --connect HOST:PORT for a message centre, --listen ADDR for an ESME that connects";
        return Err(Fault::Misused(what.to_owned()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Fault::Failed(format!("the runtime does not start: {error}")))?;
    let began = Instant::now();
    let mut report = Report::new(args.json, cases.len());
    runtime.block_on(play_all(args, cases, began, &mut report))?;
    let took = began.elapsed();
    if let Some(path) = &args.junit {
        report.write_junit(path, took)?;
    }
    report.finish(took)
}

/// The cases that were asked for.
fn chosen(args: &Args) -> Result<Vec<Case>, Fault> {
    let cases = match &args.cases {
        Some(path) => {
            let named = |error: String| Fault::Misused(format!("--cases {}: {error}", path.display()));
            let text = std::fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
            script::parse(&text).map_err(named)?
        }
        None => suite::cases(args.listen.is_some()),
    };
    let sections: std::collections::BTreeSet<String> = cases.iter().map(|case| case.section.clone()).collect();
    if let Some(unknown) = args.section.iter().find(|name| !sections.contains(*name)) {
        let known: Vec<String> = sections.into_iter().collect();
        return Err(Fault::Misused(format!("--section {unknown}: there are {}", known.join(", "))));
    }
    let wanted = |case: &Case| {
        (args.section.is_empty() || args.section.contains(&case.section))
            && args.case.as_ref().is_none_or(|text| case.name.contains(text.as_str()))
    };
    let cases: Vec<Case> = cases.into_iter().filter(wanted).collect();
    if cases.is_empty() {
        return Err(Fault::Misused("no case has such a name; --list prints all of them".to_owned()));
    }
    Ok(cases)
}

async fn play_all(args: &Args, cases: Vec<Case>, began: Instant, report: &mut Report) -> Result<(), Fault> {
    let values = Values {
        system_id: args.system_id.clone(),
        password: args.password.clone(),
        to: args.to.clone(),
        from: args.from.clone(),
        id: String::new(),
    };
    if let Some(listen) = args.listen {
        let stage = Stage::new(listen, values, args.patience, args.binds, began + args.within);
        return listen::play_all(listen, &stage, &cases, report).await;
    }
    let target = args.connect.as_deref().unwrap_or_default();
    let address = resolved(target)?;
    greet(address, &values, args.patience).await?;
    let stage = Arc::new(Stage::new(address, values, args.patience, args.binds, began + args.within));
    let (last, first): (Vec<Case>, Vec<Case>) = cases.into_iter().partition(|case| case.last);
    for cases in [first, last] {
        play_group(&stage, cases, report).await;
    }
    Ok(())
}

/// Plays cases side by side and reports them in their order.
async fn play_group(stage: &Arc<Stage>, cases: Vec<Case>, report: &mut Report) {
    let cases = Arc::new(cases);
    let mut playing = JoinSet::new();
    for index in 0..cases.len() {
        let (stage, cases) = (stage.clone(), cases.clone());
        playing.spawn(async move {
            let (verdict, took) = stage.turn(&cases[index]).await;
            (index, verdict, took)
        });
    }
    let mut done: Vec<Option<(Verdict, Duration)>> = cases.iter().map(|_| None).collect();
    let mut told = 0;
    while let Some(joined) = playing.join_next().await {
        let Ok((index, verdict, took)) = joined else { continue };
        done[index] = Some((verdict, took));
        while let Some((verdict, took)) = done.get_mut(told).and_then(Option::take) {
            report.add(&cases[told], verdict, took);
            told += 1;
        }
    }
    // None is passed over: one that broke off has failed, and those behind it are told, too.
    for (case, done) in cases.iter().zip(done).skip(told) {
        let broken = || (Verdict::Fail("the case broke off: a defect of this suite".to_owned()), Duration::ZERO);
        let (verdict, took) = done.unwrap_or_else(broken);
        report.add(case, verdict, took);
    }
}

fn resolved(target: &str) -> Result<SocketAddr, Fault> {
    let found = target.to_socket_addrs().map(|mut addresses| addresses.next());
    match found {
        Ok(Some(address)) => Ok(address),
        Ok(None) => Err(Fault::Failed(format!("--connect {target}: the name has no address"))),
        Err(error) => Err(Fault::Misused(format!("--connect {target}: {error}; write for example 127.0.0.1:2775"))),
    }
}

/// Binds once before all else, so that a wrong address or password is one clear error. A peer that stays silent is judged by
/// the cases.
async fn greet(address: SocketAddr, values: &Values, patience: Duration) -> Result<(), Fault> {
    let mut conn = connect(address, patience)
        .await
        .map_err(|error| Fault::Failed(format!("{error}; is the message centre running, and is --connect right?")))?;
    let bind = Template::parse("bind_transceiver").map_err(Fault::Failed)?;
    conn.send(&bind, values).map_err(Fault::Failed)?;
    let by = Instant::now() + patience;
    conn.flush(by).await;
    while conn.asks[0].reply.is_none() {
        if !matches!(conn.take(by).await, Ok(Came::Pdu)) {
            return Ok(());
        }
    }
    let status = conn.asks[0].reply.as_ref().map_or(0, |reply| reply.status);
    conn.leave(patience).await;
    match status {
        0x05 | 0x08 | 0x14 | 0x58 | 0 => Ok(()),
        0x0D..=0x0F => Err(Fault::Failed(format!(
            "{address} refuses the bind with {}; are --system-id and --password right, and may this account bind again?",
            status_name(status)
        ))),
        _ => Err(Fault::Failed(format!("{address} refuses the bind with {}", status_name(status)))),
    }
}
