//! `conf/sluice.toml` is true: it shows every key that the code knows and no other, its defaults are the code's, and
//! its examples are values that the code takes.

use std::collections::BTreeMap;
use std::path::Path;

use sluice::config::{Config, keys};

/// A master key.
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

const SHOWN: &str = include_str!("../conf/sluice.toml");

/// A key as the file shows it.
#[derive(Debug, Clone)]
struct Shown {
    value: String,
    /// Behind a #: absent by default.
    example: bool,
}

/// What the file shows, by section and key.
fn shown() -> BTreeMap<(String, String), Shown> {
    let mut found = BTreeMap::new();
    let mut section = String::new();
    for line in SHOWN.lines() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']).to_owned();
            continue;
        }
        let (example, said) = line.strip_prefix("# ").map_or((false, line), |said| (true, said));
        let Some((key, rest)) = said.split_once(" = ").filter(|_| is_key(said)) else { continue };
        let value = rest.split("  #").next().expect("split gives at least one").trim().to_owned();
        let before = found.insert((section.clone(), key.to_owned()), Shown { value, example });
        assert!(before.is_none(), "{section}.{key} is shown twice");
    }
    found
}

/// Whether a line gives a value to a key; prose is told by its spaces.
fn is_key(said: &str) -> bool {
    let letters = |key: &str| key.bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'_');
    said.split_once(" = ").is_some_and(|(key, _)| letters(key))
}

/// The file with every example in force, in a folder that has the files it names.
fn everything_in_force(dir: &Path) -> String {
    for (name, secret) in [("master.key", KEY), ("admin.token", "a secret")] {
        std::fs::write(dir.join(name), format!("{secret}\n")).expect("writable");
    }
    for name in ["tenants", "carriers"] {
        std::fs::create_dir(dir.join(name)).expect("writable");
    }
    let lines = SHOWN.lines().map(|line| line.strip_prefix("# ").filter(|said| is_key(said)).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

fn load(dir: &Path, text: &str) -> Config {
    let path = dir.join("sluice.toml");
    std::fs::write(&path, text).expect("writable");
    match Config::load(&path) {
        Ok((config, _)) => config,
        Err(errors) => panic!("{}", errors.iter().map(|error| format!("{error}\n")).collect::<String>()),
    }
}

#[test]
fn every_key_is_shown_with_the_default_that_the_code_has() {
    let mut shown = shown();
    shown.remove(&(String::new(), "include".to_owned())).expect("include is shown");
    for known in keys() {
        let name = format!("{}.{}", known.section, known.key);
        let key = (known.section.to_owned(), known.key.to_owned());
        let shown = shown.remove(&key).unwrap_or_else(|| panic!("{name} is not shown"));
        if let Some(default) = known.default {
            assert_eq!(shown.value, default, "{name}");
            assert!(!shown.example, "{name} has a default and must not stand behind a #");
        }
    }
    assert!(shown.is_empty(), "the code does not know {:?}", shown.keys());
}

#[test]
fn every_line_says_why() {
    for line in SHOWN.lines().filter(|line| is_key(line.strip_prefix("# ").unwrap_or(line))) {
        let explained = line.contains("  # ") || line.starts_with("tenant = ") || line.starts_with("# include");
        assert!(explained, "no reason: {line}");
    }
}

#[test]
fn leaving_the_defaults_out_changes_nothing() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let defaults: Vec<(&str, &str)> =
        keys().iter().filter(|known| known.default.is_some()).map(|known| (known.section, known.key)).collect();
    let mut section = "";
    let mut left = Vec::new();
    for line in SHOWN.lines() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
        }
        let key = line.split_once(" = ").map_or("", |(key, _)| key);
        if !defaults.contains(&(section, key)) {
            left.push(line);
        }
    }
    assert!(left.len() + 30 < SHOWN.lines().count(), "there are defaults to leave out");
    assert_eq!(load(dir.path(), &left.join("\n")), load(dir.path(), SHOWN));
}

#[test]
fn the_examples_are_values_that_the_code_takes() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let config = load(dir.path(), &everything_in_force(dir.path()));
    let tenant = &config.tenants[0];
    assert_eq!(tenant.rate.map(|rate| rate.to_string()).as_deref(), Some("200/s"));
    assert_eq!((tenant.burst, tenant.window, tenant.binds_max), (Some(400), Some(100), Some(10)));
    assert_eq!(config.node.key.map(|key| key.0).as_deref(), Some(KEY));
    assert_eq!(config.routes[0].tenant.as_deref(), Some("riverside"));
    assert_eq!(config.store.cdr_dir, Some(dir.path().join("cdr")));
}
