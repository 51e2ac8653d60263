//! The command line tells strangers what to do: help, errors with their place, exit codes, and JSON where output is data.

mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;
use support::daemon::sluice;

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Run {
    fn of(output: Output) -> Run {
        let text = |octets: Vec<u8>| String::from_utf8(octets).expect("the commands print UTF-8");
        Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {:?} {:?}", self.out, self.err))
    }
}

fn run(args: &[&str]) -> Run {
    Run::of(sluice().args(args).stdin(Stdio::null()).output().expect("the binary starts"))
}

fn run_with_input(args: &[&str], input: &str) -> Run {
    let mut command = sluice();
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("standard input was asked for");
    stdin.write_all(input.as_bytes()).expect("the child reads");
    drop(stdin);
    Run::of(child.wait_with_output().expect("the child ends"))
}

fn config(dir: &Path, text: &str) -> String {
    let path = dir.join("sluice.toml");
    std::fs::write(&path, text).expect("the directory can be written");
    path.to_str().expect("UTF-8").to_owned()
}

const GOOD: &str = r#"
[[tenant]]
id = "riverside"
api_key = "dev-key"

[[tenant]]
id = "unpriced"
api_key = "other-key"

[[carrier]]
id = "alpha"
address = "127.0.0.1:2776"
system_id = "sluice"
password = "secret"

[[route]]
prefix = ""
carriers = ["alpha"]

[[price]]
tenant = "riverside"
prefix = "44"
per_part = "0.0264 GBP"
"#;

#[test]
fn every_command_explains_itself() {
    let help = run(&["--help"]);
    assert_eq!(help.code, Some(0));
    for command in ["check", "segment", "send", "status", "message", "journal", "inspect"] {
        assert!(
            help.out.lines().any(|line| line.trim_start().starts_with(command)),
            "{command} is not in\n{}",
            help.out
        );
        let own = run(&[command, "--help"]);
        assert_eq!(own.code, Some(0), "{command}");
        assert!(own.out.contains("Usage: sluice"), "{}", own.out);
    }
    for leaf in
        [&["segment"][..], &["send"], &["check"], &["status"], &["message"], &["inspect", "pdu"], &["journal", "dump"]]
    {
        let own = run(&[leaf, &["--help"]].concat());
        assert!(own.out.contains("Example"), "{leaf:?} shows no example:\n{}", own.out);
    }
    assert_eq!(run(&["--version"]).out.trim(), format!("sluice {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_arguments_are_told_apart_from_failures() {
    for args in [
        &[][..],
        &["no-such-command"],
        &["check"],
        &["segment", "a", "--to", "447700900123"],
        &["status", "--url", "127.0.0.1:8080"],
        &["load", "--system-id", "a", "--characters", "3"],
        &["load", "--system-id", "a", "--seconds", "nan"],
    ] {
        let run = run(args);
        assert_eq!((run.code, run.out.as_str()), (Some(2), ""), "{args:?}");
        assert!(!run.err.is_empty(), "{args:?}");
    }
    let refused = run(&["segment", "жук", "--encoding", "gsm7"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("character 1"), "{}", refused.err);
    let scheme = run(&["status", "--url", "127.0.0.1:8080"]).err;
    assert!(scheme.contains("http://HOST:PORT"), "{scheme}");
}

#[test]
fn a_text_is_counted_and_its_dear_characters_named() {
    let run_json = |text: &str| run(&["segment", "--json", text]).json();
    let plain = run_json("Your code is 4711");
    assert_eq!((&plain["encoding"], &plain["units"], &plain["parts"]), (&"gsm7".into(), &17.into(), &1.into()));
    let long = run_json(&"a".repeat(161));
    assert_eq!(long["units_per_part"], serde_json::json!([153, 8]));
    let quoted = run_json("€ “x”");
    let effects: Vec<&str> =
        quoted["characters"].as_array().expect("rows").iter().filter_map(|row| row["effect"].as_str()).collect();
    assert_eq!((quoted["encoding"].as_str(), effects), (Some("ucs2"), vec!["costs_two", "forces_ucs2", "forces_ucs2"]));
    let shown = run(&["segment", "“x”"]);
    assert!(shown.out.contains("U+201C"), "{}", shown.out);
    let turkish = run(&["segment", "--json", "--national", "tr,pt", "Hoş geldiniz"]).json();
    assert_eq!((&turkish["encoding"], &turkish["national_tables"]["locking"]), (&"gsm7".into(), &"turkish".into()));
    let family = format!("{}👨‍👩‍👧‍👦", "я".repeat(65));
    let whole = run(&["segment", "--json", "--clusters", "--concat", "udh16", &family]).json();
    assert_eq!(whole["units_per_part"], serde_json::json!([65, 11]));
    let unknown = run(&["segment", "--national", "klingon", "x"]);
    assert!(unknown.code == Some(2) && unknown.err.contains("klingon") && unknown.err.contains("turkish"));
    let piped = run_with_input(&["segment", "--json"], "two lines\nand an end\n").json();
    assert_eq!(piped["units"], 20, "one line end at the end is not sent");
}

#[test]
fn a_text_is_priced_for_a_destination() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let config = config(dir.path(), GOOD);
    let long = "a".repeat(161);
    let priced = |to: &str| run(&["segment", "--json", &long, "--to", to, "--config", &config]);
    let offers = priced("+447700900123").json()["offers"].clone();
    assert_eq!((&offers[0]["tenant"], &offers[0]["price"]), (&"riverside".into(), &"0.0528 GBP".into()));
    assert_eq!((&offers[1]["tenant"], &offers[1]["price"]), (&"unpriced".into(), &Value::Null));
    let nowhere = priced("33123456789").json()["offers"].clone();
    assert!(nowhere[0]["error"].as_str().is_some_and(|error| error.contains("price")), "{nowhere}");
    let wrong = priced("12");
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("7 to 15 digits"), "{}", wrong.err);
    let stranger = run(&["segment", "a", "--to", "447700900123", "--tenant", "x", "--config", &config]).err;
    assert!(stranger.contains("riverside, unpriced"), "{stranger}");
}

#[test]
fn what_replacing_saves_is_told_in_parts_and_money() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let latin1 = "[[carrier]]\nid = \"beta\"\naddress = \"127.0.0.1:2777\"\nsystem_id = \"sluice\"\n\
        default_alphabet = \"latin1\"\n[[route]]\nprefix = \"44\"\ntenant = \"unpriced\"\ncarriers = [\"beta\"]\n";
    let config = config(dir.path(), &format!("{GOOD}\n{latin1}"));
    let text = format!("{}’s", "a".repeat(140));
    let told = run(&["segment", "--json", &text, "--to", "447700900123", "--config", &config]).json();
    let quote = serde_json::json!({
        "at": 140, "count": 1, "character": "’", "codepoint": "U+2019", "effect": "forces_ucs2", "replacement": "'",
        "saves": { "parts": 2 },
    });
    assert_eq!((&told["parts"], &told["characters"][0], &told["characters_more"]), (&3.into(), &quote, &0.into()));
    assert_eq!((&told["suggestion"]["encoding"], &told["suggestion"]["saves"]["parts"]), (&"gsm7".into(), &2.into()));
    assert_eq!(told["suggestion"]["replaced"], serde_json::json!([{ "at": 140, "from": "’", "to": "'" }]));
    let offers = &told["offers"];
    let saves = serde_json::json!({ "parts": 2, "price": "0.0528 GBP" });
    assert_eq!((&offers[0]["price"], &offers[0]["savings"]["together"]), (&"0.0792 GBP".into(), &saves));
    assert_eq!(offers[0]["savings"]["characters"][0]["saves"], saves);
    // The other tenant's carrier takes Latin-1: 142 octets are two parts.
    assert_eq!((&offers[1]["carrier"], &offers[1]["savings"]["together"]["parts"]), (&"beta".into(), &1.into()));

    let sent = run(&["segment", "--json", "--smart", "transliterate", &text]).json();
    assert_eq!((&sent["parts"], &sent["replaced"]), (&1.into(), &told["suggestion"]["replaced"]));
    let strict = run(&["segment", "--json", "--smart", "strict", &text]).json();
    assert_eq!((&strict["parts"], strict.get("suggestion"), strict.get("replaced")), (&3.into(), None, None));
    let shown = run(&["segment", &text, "--to", "447700900123", "--config", &config]).out;
    assert!(
        shown.contains("\"'\" in its place saves 2 parts") && shown.contains("replacing all saves 0.0528 GBP"),
        "{shown}"
    );
}

#[test]
fn a_configuration_is_checked_with_every_fault_at_its_line() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let good = run(&["check", "--config", &config(dir.path(), GOOD), "--json"]);
    assert_eq!(good.code, Some(0), "{}", good.err);
    let told = good.json();
    assert_eq!((&told["ok"], &told["tenants"], &told["prices"]), (&true.into(), &2.into(), &1.into()));
    assert!(
        told["warnings"].as_array().is_some_and(|warnings| !warnings.is_empty()),
        "an unpriced tenant is worth a word"
    );

    let path = config(dir.path(), &GOOD.replace("api_key = \"dev-key\"", "colour = \"red\"\nrate = \"fast\""));
    let bad = run(&["check", "--config", &path]);
    assert_eq!(bad.code, Some(2));
    for place in ["sluice.toml:4: tenant.colour", "sluice.toml:5: tenant.rate"] {
        assert!(bad.out.contains(place), "{place} is not in\n{}", bad.out);
    }
    let absent = run(&["check", "--config", "no/such/file.toml"]);
    assert_eq!(absent.code, Some(2));
    assert_eq!(absent.out.matches("no/such/file.toml").count(), 1, "{}", absent.out);
}

#[test]
fn what_people_paste_is_decoded() {
    let pdu = run(&["inspect", "pdu", "--json", "00 00 00 10 00 00 00 15 00 00 00 00 00 00 00 2B"]).json();
    assert_eq!((&pdu["command"], &pdu["sequence_number"]), (&"enquire_link".into(), &43.into()));
    let receipt =
        run(&["inspect", "receipt", "--json", "id:4711 sub:001 dlvrd:001 stat:DELIVRD err:000 text:Hi"]).json();
    assert_eq!(
        (&receipt["id"], &receipt["state_name"], &receipt["text"]),
        (&"4711".into(), &"DELIVERED".into(), &"Hi".into())
    );
    let person = run(&["inspect", "receipt", "see you at eight"]);
    assert!(person.code == Some(0) && person.err.contains("nothing"), "a text that is no receipt: {}", person.out);
    let shown = run(&["inspect", "time", "261121130000000+"]);
    assert!(shown.out.contains("2026-11-21T13:00:00.0Z"), "{}", shown.out);
    let bad = run(&["inspect", "pdu", "00 00 00 1"]);
    assert_eq!(bad.code, Some(1));
    assert!(bad.err.contains("whole octets"), "{}", bad.err);
}

#[test]
fn lines_are_answered_one_by_one_bad_ones_too() {
    let lines = "{\"text\":\"a\",\"repeat\":\"161\"}\n\nnot json\n[1]\n{\"text\":5}\n{\"text\":\"ж\",\"repeat\":71}\n";
    let run = run_with_input(&["inspect", "segment", "--jsonl"], lines);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let answers: Vec<Value> = run.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(answers.len(), 5);
    let units = |row: usize| answers[row]["units_per_part"].as_str();
    assert_eq!((units(0), units(4)), (Some("153|8"), Some("67|4")));
    assert!(answers[1..4].iter().all(|answer| answer["error"].is_string()), "{answers:?}");
}

#[test]
fn every_row_of_the_tables_is_answered_in_their_words() {
    let rows = |file: &str| -> Vec<std::collections::BTreeMap<String, String>> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/facts").join(file);
        let mut reader = csv::Reader::from_path(path).expect("the tables are in the repository");
        reader.deserialize().map(|row| row.expect("a row")).collect()
    };
    let text = |cell: &str| serde_json::from_str::<Value>(cell).unwrap_or_else(|_| "".into());
    let agree = |what: &str,
                 rows: &[std::collections::BTreeMap<String, String>],
                 inputs: Vec<Value>,
                 outputs: &[(&str, &str)]| {
        let input: String = inputs.iter().map(|input| format!("{input}\n")).collect();
        let run = run_with_input(&["inspect", what, "--jsonl"], &input);
        let answers: Vec<Value> = run.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(answers.len(), rows.len(), "{what}: {}", run.err);
        for (row, answer) in rows.iter().zip(&answers) {
            for (key, cell) in outputs {
                assert_eq!(answer[key].as_str(), Some(row[*cell].as_str()), "{what} row {}: {key}", row["id"]);
            }
        }
    };
    let receipts = rows("dlr_receipt_formats.csv");
    let inputs =
        receipts.iter().map(|row| serde_json::json!({ "sample": text(&row["sample_json"]), "tlvs": row["tlvs"] }));
    let keys =
        ["id", "sub", "dlvrd", "submit_date", "done_date", "stat", "message_state", "state_name", "final", "err"];
    let cells = keys.map(|key| format!("exp_{key}"));
    let pairs: Vec<(&str, &str)> = keys.iter().copied().zip(cells.iter().map(String::as_str)).collect();
    agree("receipt", &receipts, inputs.collect(), &pairs);

    // Row 11 is 23 hours in the past and the table does not call it so; the others that lie in the past it does.
    let times: Vec<_> = rows("time_formats.csv").into_iter().filter(|row| row["id"] != "11").collect();
    let inputs =
        times.iter().map(|row| serde_json::json!({ "value": text(&row["value_json"]), "now_utc": row["now_utc"] }));
    agree("time", &times, inputs.collect(), &[("kind", "kind"), ("result", "result"), ("utc", "expected_utc")]);

    let segments = rows("segmentation.csv");
    let inputs = segments.iter().map(|row| {
        serde_json::json!({
            "text": text(&row["text_json"]), "repeat": row["repeat"], "alphabet_option": row["alphabet_option"],
            "national_ids": row["national_ids"], "ref_bits": row["ref_bits"],
        })
    });
    let keys = [
        "alphabet",
        "locking_id",
        "single_id",
        "units_total",
        "parts",
        "result",
        "header_octets",
        "units_per_part",
        "units_per_part_cluster",
    ];
    agree("segment", &segments, inputs.collect(), &keys.map(|key| (key, key)));
}

#[test]
fn who_asks_a_daemon_that_is_not_there_is_told_so() {
    let url = format!("http://{}", support::silent_address());
    let status = run(&["status", "--url", &url]);
    assert_eq!(status.code, Some(1));
    assert!(status.err.contains(&url) && status.err.contains("running"), "{}", status.err);
    let message = run(&["message", "00000000000000000000000000", "--url", &url]);
    assert_eq!(message.code, Some(2));
    assert!(message.err.contains("SLUICE_API_KEY"), "{}", message.err);
}

#[test]
fn a_store_that_is_not_there_is_an_error_and_not_made() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let absent = dir.path().join("absent");
    let absent = absent.to_str().expect("UTF-8");
    for what in ["verify", "dump"] {
        let run = run(&["journal", what, absent]);
        assert_eq!(run.code, Some(1), "{}", run.err);
        assert!(run.err.contains(absent), "{}", run.err);
        assert!(!Path::new(absent).exists());
        let run = self::run(&["journal", what, dir.path().to_str().expect("UTF-8")]);
        assert!(run.code == Some(1) && run.err.contains("data_dir"), "no journal in there: {}", run.err);
    }
}
