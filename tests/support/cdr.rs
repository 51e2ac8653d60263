//! The bill as an accountant reads it: the CDR files of a daemon, line by line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Every whole line of every CDR file below this data directory, in file order.
///
/// # Panics
/// When a line is not JSON: a file may lack its last line end, and may not hold half a line before it.
pub(crate) fn lines(data_dir: &Path) -> Vec<Value> {
    let mut lines = Vec::new();
    for file in files(data_dir) {
        append_lines(&file, &mut lines);
    }
    lines
}

/// As [`lines`], of the files that stand in this directory itself.
pub(crate) fn lines_in(cdr_dir: &Path) -> Vec<Value> {
    let entries = std::fs::read_dir(cdr_dir).into_iter().flatten().map_while(Result::ok);
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    let mut lines = Vec::new();
    files.iter().for_each(|file| append_lines(file, &mut lines));
    lines
}

fn append_lines(file: &Path, lines: &mut Vec<Value>) {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    for line in whole.lines() {
        let value = serde_json::from_str(line);
        lines.push(value.unwrap_or_else(|error| panic!("{}: {error}: {line}", file.display())));
    }
}

/// The CDR files below this data directory, oldest first: their names carry the day.
pub(crate) fn files(data_dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(data_dir, &mut files);
    files.sort();
    files
}

/// How many lines there are for each (message id, part).
pub(crate) fn by_part(lines: &[Value]) -> BTreeMap<(String, u64), usize> {
    let mut found = BTreeMap::new();
    for line in lines {
        let id = line["id"].as_str().expect("a line names its message").to_owned();
        let part = line["part"].as_u64().expect("a line names its part");
        *found.entry((id, part)).or_default() += 1;
    }
    found
}

/// The sum of all prices in micro-units.
pub(crate) fn total_micros(lines: &[Value]) -> i64 {
    lines.iter().map(|line| micros(line["price"].as_str().expect("a line has a price"))).sum()
}

/// A decimal amount with up to six places in micro-units.
pub(crate) fn micros(amount: &str) -> i64 {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    format!("{whole}{fraction:0<6}").parse().unwrap_or_else(|_| panic!("{amount:?} is no amount"))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.to_string_lossy().contains("cdr") && path.extension().is_some_and(|kind| kind == "jsonl") {
            files.push(path);
        }
    }
}
