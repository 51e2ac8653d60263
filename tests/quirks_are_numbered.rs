//! Each of the hundred known oddities of peers has a test under its number, `fn qNN_…`, or a line in `tests/quirks.md`
//! that says why not; never both.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const QUIRKS: u32 = 100;

/// Test functions by the quirk in their name, from every Rust file below a folder.
fn tests_below(folder: &Path, found: &mut BTreeMap<u32, Vec<String>>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            tests_below(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(&path).expect("a readable file");
            for name in test_functions(&text) {
                if let Some(number) = number_of(name) {
                    found.entry(number).or_default().push(name.to_owned());
                }
            }
        }
    }
}

/// The names of functions that a `#[test]` stands before.
fn test_functions(text: &str) -> impl Iterator<Item = &str> {
    let functions = text.split("#[test]").skip(1);
    functions.filter_map(|after| after.trim_start().strip_prefix("fn ")?.split('(').next())
}

/// 7 of `q07_the_tlv_wins`; None: no quirk's test.
fn number_of(name: &str) -> Option<u32> {
    let (digits, _) = name.strip_prefix('q')?.split_once('_')?;
    let number: u32 = digits.parse().ok()?;
    assert_eq!(format!("{number:02}"), digits, "{name}: write two digits, as the quirks are numbered");
    Some(number)
}

/// The quirks of `tests/quirks.md` with their reasons.
fn excused(text: &str) -> BTreeMap<u32, String> {
    let mut found = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| Q")) {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let (Some(quirk), Some(reason)) = (cells.next(), cells.next()) else { panic!("no reason: {line}") };
        let number = number_of(&format!("q{}_", &quirk[1..])).unwrap_or_else(|| panic!("no quirk: {line}"));
        assert!(!reason.is_empty(), "no reason: {line}");
        assert_eq!(found.insert(number, reason.to_owned()), None, "Q{number:02} stands there twice");
    }
    found
}

#[test]
fn every_quirk_has_a_test_or_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = BTreeMap::new();
    for folder in ["tests", "src"] {
        tests_below(&root.join(folder), &mut tests);
    }
    let excused = excused(&std::fs::read_to_string(root.join("tests/quirks.md")).expect("tests/quirks.md is there"));
    let known: BTreeSet<u32> = (1..=QUIRKS).collect();
    let all: BTreeSet<u32> = tests.keys().chain(excused.keys()).copied().collect();
    let missing: Vec<&u32> = known.difference(&all).collect();
    let unknown: Vec<&u32> = all.difference(&known).collect();
    let both: Vec<&u32> = excused.keys().filter(|number| tests.contains_key(number)).collect();
    assert!(missing.is_empty(), "neither a test nor a line in tests/quirks.md: {missing:?}");
    assert!(unknown.is_empty(), "there are {QUIRKS} quirks, not these: {unknown:?}");
    assert!(both.is_empty(), "a test is there, so the line in tests/quirks.md goes: {both:?}");
}

#[test]
fn names_are_read_as_numbers() {
    let text = "#[test]\nfn q07_one() {}\n#[test]\n    fn q100_two() {}\nfn q08_no_test() {}\n#[test]\nfn quick() {}";
    let found: Vec<Option<u32>> = test_functions(text).map(number_of).collect();
    assert_eq!(found, [Some(7), Some(100), None]);
    assert_eq!(
        excused("| No. | Why |\n|---|---|\n| Q09 | not built yet |\n").get(&9).map(String::as_str),
        Some("not built yet")
    );
}
