//! What does the whole road cost? Runs load, the daemon and the carrier simulator as processes on this machine.
//!
//! `cargo bench --bench pipeline` sends SLUICE_BENCH_MESSAGES (400,000) messages of 160 characters with receipts over four binds in and
//! four out with windows of 100. `-- waiting` fills the daemon with 1,000,000 messages while the carrier is away, kills
//! it, starts it again, and lets it drain.
//!
//! What differs from that is told in pairs, as in `-- rate 20000/s binds 50`: see [`Run`].
#![expect(clippy::print_stdout, reason = "the figures are for whoever runs the bench")]

#[path = "pipeline/process.rs"]
mod process;
#[path = "pipeline/stage.rs"]
mod stage;

use std::time::Duration;

use process::now;
use serde_json::Value;
use stage::{Run, Stage, free_address, json, messages};

const MIB: f64 = 1024.0 * 1024.0;

/// Threads of the daemon that write: the core its journal, another one segments of zeros ahead of it, a third the CDR.
const WRITERS: [&str; 3] = ["core", "segments", "cdr"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` calls without it, and wants no figures.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let words: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| !word.starts_with("--")).collect();
    match words[..] {
        ["waiting"] => waiting(),
        _ => match Run::of(&words) {
            Some(run) => flow(&run),
            None => println!("modes: `waiting`, or pairs of {:?} with what they are to be", Run::NAMES),
        },
    }
}

/// Messages through all of it, as fast as the windows allow or at a rate.
fn flow(run: &Run) {
    let count = messages(400_000);
    let stage = Stage::new();
    let (carrier, address) = stage.carrier("127.0.0.1:0", &[]);
    stage.configure(&address, run.tenants);
    let daemon = stage.serve(&run.sync);
    daemon.process.settle();
    let cpu_before = daemon.process.cpu_micros();
    let threads_before = daemon.process.threads();
    let written_before = WRITERS.map(|thread| daemon.process.written_octets(thread));
    let number = count.to_string();
    let mut arguments: Vec<&str> = run.load.iter().map(String::as_str).collect();
    arguments.extend(["--count", &number]);
    let load = stage.load(&daemon.smpp, &arguments);
    let (line, load_micros) = load.finish();
    let result = json(&line);
    daemon.process.settle();
    let per_message = |total: u64| total as f64 / count as f64;
    let cpu = per_message(daemon.process.cpu_micros() - cpu_before);
    let threads = daemon.process.threads();
    let written = [0, 1, 2].map(|at| per_message(daemon.process.written_octets(WRITERS[at]) - written_before[at]));
    let (resident, highest) = daemon.process.resident_octets();
    let (syncs, sync_seconds) =
        (daemon.metric("sluice_journal_sync_seconds_count"), daemon.metric("sluice_journal_sync_seconds_sum"));
    let (facts, groups) = (daemon.metric("sluice_journal_facts_total"), daemon.metric("sluice_journal_groups_total"));
    let (_, _) = daemon.process.terminate();
    let (line, carrier_micros) = carrier.terminate();
    let seen = json(&line);

    println!("messages            {count}, accepted {}, complete {}", result["accepted"], result["complete"]);
    println!("accepted            {} messages/s", result["accepted_per_second"]);
    println!("end to end          {} receipts/s", result["receipts"]["per_second"]);
    println!("at the carrier      {} parts/s, {} seen before", seen["parts_per_second"], seen["duplicates"]);
    println!("gateway             {cpu:.2} CPU-us a message, background work included");
    for (name, work) in &threads {
        let before = threads_before.get(name).copied().unwrap_or_default();
        let (nanos, sleeps) = (work.cpu_nanos - before.cpu_nanos, work.sleeps - before.sleeps);
        println!("  {name:<17} {:.2} CPU-us, {:.4} sleeps", per_message(nanos) / 1e3, per_message(sleeps));
    }
    println!(
        "instruments         load {:.2}, carrier {:.2} CPU-us",
        per_message(load_micros),
        per_message(carrier_micros)
    );
    println!("response            {}", latency(&result["response_ms"]));
    println!("receipt             {}", latency(&result["receipt_ms"]));
    println!("resident            {:.0} MiB, at most {:.0} MiB", resident as f64 / MIB, highest as f64 / MIB);
    let [journal, zeros, cdr] = written;
    println!("written             journal {journal:.0}, zeros before it {zeros:.0}, CDR {cdr:.0} octets a message");
    println!(
        "syncs               {syncs}, mean {:.0} us, {:.1} facts each",
        sync_seconds / syncs * 1e6,
        facts / groups
    );
    for kind in ["refused", "slowed"] {
        if result[kind].as_object().is_some_and(|kinds| !kinds.is_empty()) {
            println!("{kind:<19} {}", result[kind]);
        }
    }
}

/// Messages that wait: what each costs in memory, how long a restart takes, how fast they leave.
fn waiting() {
    let count = messages(1_000_000);
    let number = count.to_string();
    let stage = Stage::new();
    let away = free_address().to_string();
    stage.configure(&away, 1);
    let daemon = stage.serve("");
    daemon.process.settle();
    let (resident_before, _) = daemon.process.resident_octets();
    let fill = |first: u64| {
        let (half, first) = ((count / 2).to_string(), first.to_string());
        let few = ["--binds", "4", "--window", "100", "--count", &half, "--first", &first, "--receipts", "none"];
        let (line, _) = stage.load(&daemon.smpp, &few).finish();
        daemon.process.settle();
        (json(&line), daemon.process.resident_octets().0)
    };
    let (_, resident_half) = fill(1);
    let (result, resident) = fill(count / 2 + 1);
    println!(
        "waiting             {count}, of the second half {} accepted at {}/s",
        result["accepted"], result["accepted_per_second"]
    );
    tell_memory("of the second half", resident_half, resident, count / 2);
    tell_memory("before a restart", resident_before, resident, count);
    // No goodbye: what must come back is what was acknowledged.
    drop(daemon);

    let daemon = stage.serve("");
    println!("ready               {:.2} s after the start", daemon.process.ready_after.as_secs_f64());
    daemon.process.settle();
    let (resident, _) = daemon.process.resident_octets();
    tell_memory("after it", resident_before, resident, count);

    let cpu_before = daemon.process.cpu_micros();
    let started = now();
    let (carrier, _) = stage.carrier(&away, &["--count", &number]);
    let (line, _) = carrier.finish();
    let seen: Value = json(&line);
    let elapsed: Duration = started.elapsed();
    daemon.process.settle();
    let cpu = (daemon.process.cpu_micros() - cpu_before) as f64 / count as f64;
    println!("drained             {} parts/s, all in {:.1} s", seen["parts_per_second"], elapsed.as_secs_f64());
    println!("                    {} taken, {} seen before", seen["accepted"], seen["duplicates"]);
    println!("gateway             {cpu:.2} CPU-us a message to send it and to take its receipt");
    let (resident, highest) = daemon.process.resident_octets();
    println!("resident            {:.0} MiB, at most {:.0} MiB", resident as f64 / MIB, highest as f64 / MIB);
}

/// The arena is not taken off: a lane this long keeps no more than 8,192 bodies ready.
fn tell_memory(when: &str, before: u64, resident: u64, count: u64) {
    let octets = (resident as f64 - before as f64) / count as f64;
    println!("memory {when:<17} {:.0} MiB: {octets:.0} octets a message, the arena included", resident as f64 / MIB);
}

fn latency(milliseconds: &Value) -> String {
    let words = ["p50", "p90", "p99", "p99.9", "max"].map(|name| format!("{name} {}", milliseconds[name]));
    format!("{} ms", words.join(", "))
}
