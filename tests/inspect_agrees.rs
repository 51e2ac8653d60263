//! `sluice inspect --jsonl` answers every row of the tables in the words of the tables.

mod support;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};
use support::daemon::sluice;

type Row = BTreeMap<String, String>;

fn rows(file: &str) -> Vec<Row> {
    let path = format!("{}/tests/data/facts/{file}", env!("CARGO_MANIFEST_DIR"));
    let mut reader = csv::Reader::from_path(path).expect("the tables are in the repository");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("data/facts/pdu_vectors.json")).expect("the facts are JSON")
}

/// A cell that holds a JSON string; an empty cell is an empty string.
fn text(cell: &str) -> Value {
    if cell.is_empty() { "".into() } else { serde_json::from_str(cell).expect("a JSON string") }
}

/// Gives the program one line for each input and reads one answer for each.
fn answers(what: &str, inputs: &[Value]) -> Vec<Value> {
    let mut command = sluice();
    command.args(["inspect", what, "--jsonl"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("standard input was asked for");
    let lines: String = inputs.iter().map(|input| format!("{input}\n")).collect();
    // Answers come while there is still input, and a pipe holds only so much of them.
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).expect("the child reads"));
    let output = child.wait_with_output().expect("the child ends");
    writer.join().expect("all was written");
    assert!(output.status.success());
    let out = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let answers: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(answers.len(), inputs.len(), "{what}: one line in, one out");
    answers
}

fn assert_cells(row: &Row, answer: &Value, keys: &[(&str, &str)]) {
    for (key, cell) in keys {
        assert_eq!(answer[key].as_str(), Some(row[*cell].as_str()), "row {}: {key}", row["id"]);
    }
}

#[test]
fn valid_pdus_come_back_under_their_names() {
    let facts = vectors();
    let rows = facts["valid"].as_array().expect("a list");
    assert!(rows.len() >= 170);
    let inputs: Vec<Value> = rows.iter().map(|row| json!({ "hex": row["hex"] })).collect();
    for (row, answer) in rows.iter().zip(answers("pdu", &inputs)) {
        for key in ["command", "command_length", "command_status", "sequence_number", "fields", "tlvs"] {
            assert_eq!(answer[key], row[key], "{}: {key}", row["name"]);
        }
        assert!(answer.get("expect").is_none(), "{}", row["name"]);
    }
}

/// Rows whose answer is not the first one expected but one of those that the table also accepts. The octet behind the one
/// destination is read as the next dest_flag, and 0 is none: that the body is too short cannot be known before.
const ALSO_ACCEPTED: [(&str, &str); 1] =
    [("submit_multi number_of_dests 3 with 1 present", "submit_multi_resp 0x00000040")];

#[test]
fn malformed_pdus_have_their_outcome() {
    let facts = vectors();
    let rows = facts["malformed"].as_array().expect("a list");
    assert!(rows.len() >= 113);
    let inputs: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({ "hex": row["hex"], "role": row["role"], "state": row["state"], "now_utc": "2026-11-21T12:00:00Z" })
        })
        .collect();
    let mut others = Vec::new();
    for (row, answer) in rows.iter().zip(answers("pdu", &inputs)) {
        let (name, found) = (&row["name"], &answer["expect"]);
        // What is taken for what it is also stands there decoded.
        let refused = found["command_status"] != "0x00000000" && found["action"].as_str().is_some_and(is_no);
        assert_eq!(answer.get("command").is_none(), refused, "{name}: {answer}");
        if *found != row["expect"] {
            let text = |key: &str| found[key].as_str().expect("text").to_owned();
            others.push((
                name.as_str().expect("a name").to_owned(),
                format!("{} {}", text("reply"), text("command_status")),
            ));
            assert_eq!(found["session"], row["expect"]["session"], "{name}: {answer}");
        }
    }
    assert_eq!(others, ALSO_ACCEPTED.map(|(name, reply)| (name.to_owned(), reply.to_owned())));
}

/// Whether this action can be a refusal.
fn is_no(action: &str) -> bool {
    ["generic_nack", "response", "ignore", "wait"].contains(&action)
}

#[test]
fn receipts_are_read_as_the_table_reads_them() {
    let rows = rows("dlr_receipt_formats.csv");
    let input = |row: &Row| json!({ "sample": text(&row["sample_json"]), "tlvs": row["tlvs"] });
    let inputs: Vec<Value> = rows.iter().map(input).collect();
    let keys = [
        ("id", "exp_id"),
        ("sub", "exp_sub"),
        ("dlvrd", "exp_dlvrd"),
        ("submit_date", "exp_submit_date"),
        ("done_date", "exp_done_date"),
        ("stat", "exp_stat"),
        ("message_state", "exp_message_state"),
        ("state_name", "exp_state_name"),
        ("final", "exp_final"),
        ("err", "exp_err"),
    ];
    for (row, answer) in rows.iter().zip(answers("receipt", &inputs)) {
        assert_cells(row, &answer, &keys);
        assert_eq!(answer["text"], text(&row["exp_text_json"]), "row {}: text", row["id"]);
    }
}

#[test]
fn state_words_are_read_as_the_table_reads_them() {
    let rows = rows("dlr_states.csv");
    let inputs: Vec<Value> =
        rows.iter().map(|row| json!({ "sample": format!("id:1 stat:{}", row["stat_text"]) })).collect();
    for (row, answer) in rows.iter().zip(answers("receipt", &inputs)) {
        for key in ["message_state", "state_name", "final"] {
            assert_eq!(answer[key].as_str(), Some(row[key].as_str()), "{}: {key}", row["stat_text"]);
        }
    }
}

/// The row of the time strings that calls 23 hours ago `ok`; its siblings that lie in the past are `ok_past`, which is
/// what we say.
const ROW_THAT_IS_A_SLIP: &str = "11";

#[test]
fn times_are_read_as_the_table_reads_them() {
    let rows = rows("time_formats.csv");
    let input =
        |row: &Row| json!({ "field": row["field"], "value": text(&row["value_json"]), "now_utc": row["now_utc"] });
    let inputs: Vec<Value> = rows.iter().map(input).collect();
    for (row, answer) in rows.iter().zip(answers("time", &inputs)) {
        assert_cells(row, &answer, &[("kind", "kind"), ("utc", "expected_utc")]);
        if row["id"] == ROW_THAT_IS_A_SLIP {
            assert_eq!((row["result"].as_str(), &answer["result"]), ("ok", &"ok_past".into()));
        } else {
            assert_cells(row, &answer, &[("result", "result")]);
        }
    }
}

#[test]
fn bad_lines_are_answered_in_their_place() {
    let good = json!({ "hex": "00000010000000150000000000000001" });
    let inputs =
        [json!([1]), json!({}), good.clone(), json!({ "hex": "xx" }), json!({ "hex": [] }), json!("text"), good];
    let answered = answers("pdu", &inputs);
    let bad: Vec<bool> = answered.iter().map(|answer| answer["error"].is_string()).collect();
    assert_eq!(bad, [true, true, false, true, true, true, false], "{answered:?}");
    for (what, input) in [("receipt", json!({})), ("time", json!({ "value": "", "now_utc": "then" }))] {
        assert!(answers(what, &[input])[0]["error"].is_string(), "{what}");
    }
}

/// A program that asks one line and waits for its answer before the next one gets it.
#[test]
fn a_line_is_answered_before_the_next_one_is_asked() {
    use std::io::{BufRead, BufReader};
    let mut command = sluice();
    command.args(["inspect", "time", "--jsonl"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("standard input was asked for");
    let mut lines = BufReader::new(child.stdout.take().expect("standard output was asked for")).lines();
    for value in ["", "000000010000000R", "x"] {
        writeln!(stdin, "{}", json!({ "value": value, "now_utc": "2026-11-21T12:00:00Z" })).expect("the child reads");
        let answer = lines.next().expect("an answer").expect("UTF-8");
        assert!(answer.starts_with("{\"kind\":"), "{answer}");
    }
    drop(stdin);
    assert!(child.wait().expect("the child ends").success());
}
