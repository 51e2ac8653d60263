//! The demonstration from the first submit to the last line of the bill.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::tools::client::Daemon;
use crate::tools::demo::amount::Sums;
use crate::tools::demo::bill::{self, Rows};
use crate::tools::demo::platform::Platform;
use crate::tools::demo::script::{Script, Way, script};
use crate::tools::demo::stage::Stage;
use crate::tools::demo::table;
use crate::tools::demo::watch::Watch;
use crate::tools::terminal;

/// What became of a message when it was handed in: its id, or why not.
type Handed = Result<String, String>;

/// Shows everything; an error if anything is not as it should be.
pub(crate) fn show(exit: bool, watch: &Watch) -> Result<(), String> {
    let stage = Stage::start()?;
    terminal::line(&format!("daemon and carrier are up after {:.1} s", watch.elapsed().as_secs_f64()));
    let shown = play(&stage, watch);
    if let Err(error) = shown {
        return Err(format!("{error}\nThe daemon's last words:\n{}", stage.daemon_log()));
    }
    if !exit {
        invite(&stage);
        watch.wait_for_stop();
    }
    stage.stop()
}

/// Sends everything, waits for everything, and holds the three bills against each other.
fn play(stage: &Stage, watch: &Watch) -> Result<(), String> {
    let script = script();
    let api = Daemon::at(stage.http);
    let mut platform = Platform::bind(stage.smpp, "riverside", "secret", watch)?;
    let handed = hand_in(&script, &mut platform, &api, watch)?;
    check_refusals(&script, &handed)?;
    let accepted: Vec<(&Script, &str)> =
        script.iter().zip(&handed).filter_map(|(message, handed)| Some((message, handed.as_deref().ok()?))).collect();
    let over_smpp: Vec<&str> =
        accepted.iter().filter(|(message, _)| message.way == Way::Smpp).map(|(_, id)| *id).collect();
    platform
        .read_until(watch, "the receipts", |platform| over_smpp.iter().all(|id| platform.receipts.contains_key(*id)))?;
    let answers = watch.until("the last message to be done with", || finished(&accepted, &api))?;
    let parts: u64 = answers.iter().filter_map(|answer| answer["parts"].as_u64()).sum();
    let cdr_directory = stage.directory().join("data/cdr");
    let lines = watch.until("the CDR lines", || {
        let lines = bill::cdr_lines(&cdr_directory)?;
        Ok((lines.len() as u64 >= parts).then_some(lines))
    })?;
    print_messages(&script, &handed, &answers);
    print_receipts(&platform, over_smpp.len());
    let messages: Vec<&Script> = accepted.iter().map(|(message, _)| *message).collect();
    let of_cdr = bill::sum_of_cdr(&lines)?;
    let of_api = bill::sum_of_answers(&answers)?;
    // The carrier writes its record down every second, so the last lines may be late.
    let record = stage.directory().join("seen.jsonl");
    let last = std::cell::Cell::new(None);
    let compared = watch.until("the carrier's record to be complete", || {
        let (rows, total) = bill::by_carrier(&messages, &bill::taken_by_carrier(&record)?)?;
        let agrees = total == of_cdr;
        last.set(Some((rows, total)));
        Ok(agrees.then_some(()))
    });
    let (rows, of_carrier) = last.take().ok_or("the carrier's record was never read")?;
    print_bill(&rows);
    print_sums(&lines, &of_cdr, &of_api, &of_carrier);
    compared?;
    check_receipts(&platform, &over_smpp)?;
    if of_cdr != of_api || of_cdr != of_carrier || lines.len() as u64 != parts {
        return Err("the bill does not add up".to_owned());
    }
    terminal::line(&format!("\nThe bill adds up, {:.1} s after the start.", watch.elapsed().as_secs_f64()));
    platform.unbind(watch)
}

/// Hands every message in: over SMPP, over HTTP one by one, over HTTP many at once.
fn hand_in(script: &[Script], platform: &mut Platform, api: &Daemon, watch: &Watch) -> Result<Vec<Handed>, String> {
    let mut sequences = Vec::new();
    for message in script.iter().filter(|message| message.way == Way::Smpp) {
        sequences.push(platform.submit(message.from, &message.to, &message.text)?);
    }
    platform.read_until(watch, "the submit responses", |platform| platform.responses.len() == sequences.len())?;
    let mut over_smpp = sequences.iter().map(|sequence| match &platform.responses[sequence] {
        Ok(id) => Ok(id.clone()),
        Err(status) => Err(status.name().unwrap_or("refused").to_owned()),
    });
    let many: Vec<Value> = script.iter().filter(|message| message.way == Way::HttpMany).map(body).collect();
    let answer = post(api, "northgate-key", &json!({ "messages": many }))?;
    let mut in_one = answer["messages"].as_array().cloned().unwrap_or_default().into_iter();
    let mut handed = Vec::new();
    for message in script {
        handed.push(match message.way {
            Way::Smpp => over_smpp.next().ok_or("a response is missing")?,
            Way::HttpOne => handed_of(&post(api, "northgate-key", &body(message))?),
            Way::HttpMany => handed_of(&in_one.next().ok_or("an answer is missing")?),
        });
    }
    Ok(handed)
}

fn body(message: &Script) -> Value {
    json!({ "to": message.to, "from": message.from, "text": message.text })
}

fn post(api: &Daemon, key: &str, body: &Value) -> Result<Value, String> {
    api.post("/v1/messages", key, body, None).map(|answer| answer.body).map_err(|fault| fault.to_string())
}

/// The id, or the problem's word, which stands alone or under `error`.
fn handed_of(answer: &Value) -> Handed {
    let problem = if answer["error"].is_object() { &answer["error"] } else { answer };
    let why = || problem["code"].as_str().or(problem["title"].as_str()).unwrap_or("refused").to_owned();
    answer["id"].as_str().map(str::to_owned).ok_or_else(why)
}

fn check_refusals(script: &[Script], handed: &[Handed]) -> Result<(), String> {
    for (message, handed) in script.iter().zip(handed) {
        match (message.refusal, handed) {
            (None, Err(why)) => return Err(format!("a message to {} was refused: {why}", table::masked(&message.to))),
            (Some(why), Ok(_)) => return Err(format!("a message with {why} was accepted")),
            _ => {}
        }
    }
    Ok(())
}

/// The answers about all messages, once every one is done with.
fn finished(accepted: &[(&Script, &str)], api: &Daemon) -> Result<Option<Vec<Value>>, String> {
    let mut answers = Vec::new();
    for (message, id) in accepted {
        let key = format!("{}-key", message.tenant);
        let answer = api.get(&format!("/v1/messages/{id}"), Some(&key)).and_then(|answer| answer.success());
        let answer = answer.map_err(|fault| format!("message {id}: {fault}"))?;
        if answer["done_at"].is_null() {
            return Ok(None);
        }
        answers.push(answer);
    }
    Ok(Some(answers))
}

fn check_receipts(platform: &Platform, over_smpp: &[&str]) -> Result<(), String> {
    let wrong = platform.receipts.iter().find(|(id, states)| states.len() != 1 || !over_smpp.contains(&id.as_str()));
    match wrong {
        Some((id, states)) => Err(format!("{} receipts for message {id}", states.len())),
        None => Ok(()),
    }
}

fn print_messages(script: &[Script], handed: &[Handed], answers: &[Value]) {
    let mut answers = answers.iter();
    let row = |(message, handed): (&Script, &Handed)| {
        let to = table::masked(&message.to);
        let cells = match (handed, handed.is_ok().then(|| answers.next()).flatten()) {
            (Ok(id), Some(answer)) => {
                let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
                let price = bill::sum_of_answers(std::slice::from_ref(answer)).unwrap_or_default().to_string();
                [id.clone(), to, answer["parts"].to_string(), word(&answer["encoding"]), word(&answer["state"]), price]
            }
            (refused, _) => {
                let why = refused.as_ref().err().map(String::as_str).unwrap_or_default();
                ["-".into(), to, "-".into(), "-".into(), format!("refused: {why}"), "-".into()]
            }
        };
        let [id, to, parts, encoding, state, price] = cells;
        vec![id, message.from.to_owned(), to, parts, encoding, state, price]
    };
    let rows: Vec<Vec<String>> = script.iter().zip(handed).map(row).collect();
    terminal::line("");
    table::print(&["id", "from", "to", "parts", "encoding", "state", "price"], &[3, 6], &rows);
}

fn print_receipts(platform: &Platform, submitted: usize) {
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for state in platform.receipts.values().flatten() {
        *states.entry(state).or_default() += 1;
    }
    let words: Vec<String> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let receipts: usize = states.values().sum();
    terminal::line(&format!("\n{submitted} messages over SMPP, {receipts} receipts: {}", words.join(", ")));
}

fn print_bill(rows: &Rows) {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|((tenant, prefix), row)| {
            let counts = [row.messages, row.parts, row.charged].map(|count| count.to_string());
            let [messages, parts, charged] = counts;
            vec![(*tenant).to_owned(), (*prefix).to_owned(), messages, parts, charged, row.amount.to_string()]
        })
        .collect();
    terminal::line("");
    table::print(&["tenant", "prefix", "messages", "parts", "charged", "amount"], &[2, 3, 4, 5], &rows);
}

fn print_sums(lines: &[Value], of_cdr: &Sums, of_api: &Sums, of_carrier: &Sums) {
    let name = format!("{} CDR lines", lines.len());
    terminal::line("");
    for (source, sum) in
        [(name.as_str(), of_cdr), ("parts in the API", of_api), ("carrier's record at list prices", of_carrier)]
    {
        terminal::line(&format!("{source:<32} {sum}"));
    }
}

/// What somebody can try while everything stays up.
fn invite(stage: &Stage) {
    let (smpp, http) = (stage.smpp, stage.http);
    // As it was called, so that a line can be pasted.
    let sluice = std::env::args().next().unwrap_or_else(|| "sluice".to_owned());
    let message = r#"{"to":"447700900123","from":"Northgate","text":"Hello"}"#;
    terminal::line(&format!(
        "
It all stays up until Ctrl-C.
  dashboard   http://{http}/
  metrics     http://{http}/metrics
  SMPP        {smpp}, system_id riverside, password secret
  data        {}

Try:
  curl -H 'Authorization: Bearer northgate-key' -H 'Content-Type: application/json' http://{http}/v1/messages -d '{message}'
  SLUICE_API_KEY=northgate-key {sluice} send --url http://{http} --to 447700900123 --from Northgate --text Hello
  {sluice} load --connect {smpp} --system-id riverside --password secret --count 1000",
        stage.directory().display()
    ));
}
