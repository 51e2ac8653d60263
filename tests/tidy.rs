//! The house keeps its own rules: who may import whom, how long things may be, what no file may hold.

#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/table.rs"]
mod table;
#[path = "tidy/teeth.rs"]
mod teeth;

use std::path::{Path, PathBuf};

use source::{Source, has_word};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

/// Names that name nobody. A file or module is called after what it is for.
const EMPTY_NAMES: [&str; 8] = ["manager", "helper", "helpers", "util", "utils", "common", "handler", "misc"];

/// What reads a clock, a thread's own randomness or the world behind the back of a pure module.
const IMPURE: [(&str, &str); 13] = [
    ("Instant::now", "time is an argument"),
    ("SystemTime::now", "time is an argument"),
    ("RandomState", "a hasher with a random seed makes replay differ"),
    ("DefaultHashBuilder", "say which hasher"),
    ("DefaultHasher", "say which hasher"),
    ("thread_rng", "randomness is an argument"),
    ("rand::", "randomness is an argument"),
    ("getrandom", "randomness is an argument"),
    ("SystemRandom", "randomness is an argument"),
    ("tokio", "a pure module needs no runtime"),
    ("std::fs", "a pure module touches no disk"),
    ("std::thread", "a pure module starts no thread"),
    ("std::env", "settings are arguments"),
];

#[test]
fn imports_follow_the_table() {
    report(sources(&["src"]).iter().flat_map(imports));
}

#[test]
fn pure_modules_are_pure() {
    report(sources(&["src"]).iter().flat_map(impurities));
}

#[test]
fn files_and_functions_fit() {
    report(sources(&["src", "tests", "benches", "fuzz"]).iter().flat_map(sizes));
}

#[test]
fn every_file_says_what_it_is_for() {
    report(sources(&["src", "tests", "benches", "fuzz"]).iter().flat_map(head));
}

#[test]
fn nothing_is_left_open() {
    report(sources(&["src", "tests", "benches", "fuzz"]).iter().flat_map(leftovers));
}

#[test]
fn names_say_something() {
    report(sources(&["src", "tests", "benches", "fuzz"]).iter().flat_map(names));
}

#[test]
fn every_file_is_part_of_the_crate() {
    let sources = sources(&["src"]);
    report(orphans(&sources));
}

#[test]
fn files_speak_of_the_project_alone() {
    let kinds = ["rs", "md", "toml", "py", "js", "json", "service", "run", "sh", "txt", "csv"];
    let paths = walk(root(), &|path| {
        let kind = path.extension().or(path.file_name()).and_then(|kind| kind.to_str()).unwrap_or_default();
        kinds.contains(&kind)
    });
    report(paths.iter().flat_map(|path| foreign_places(&relative(path), &read(path))));
}

#[test]
fn every_cited_quirk_is_described() {
    let described = read(&root().join("docs/quirks.md"));
    report(sources(&["src"]).iter().flat_map(|source| undescribed(source, &described)));
}

#[test]
fn the_papers_are_there() {
    for paper in ["README.md", "CHANGELOG.md", "LICENSE", "docs/decisions.md", "deny.toml", "tests/run", ".ci/run"] {
        let text = std::fs::read_to_string(root().join(paper)).unwrap_or_default();
        assert!(!text.trim().is_empty(), "{paper} is missing or empty");
    }
}

/// Paths that the import table does not allow, and ways around it.
fn imports(source: &Source) -> Vec<String> {
    let Some(module) = source.module() else { return Vec::new() };
    let mut wrong = Vec::new();
    for path in source.crate_paths() {
        let whole_crate = path.is_empty() || path == "*" || path.starts_with('{');
        match table::may_import(module, &path) {
            None => wrong.push(format!("{}: module {module} is not in tests/tidy/table.rs", source.path)),
            Some(_) if whole_crate => wrong.push(format!("{}: names the crate root; write full paths", source.path)),
            Some(false) => wrong.push(format!("{}: {module} may not name crate::{path}", source.path)),
            Some(true) => {}
        }
    }
    if source.production().contains("use crate::{") {
        wrong.push(format!("{}: `use crate::{{` hides the layer; one full path a line", source.path));
    }
    if module != "lib" && module != "main" && source.climbs_to_the_root() {
        wrong.push(format!("{}: `super::` climbs to the crate root; write `crate::`", source.path));
    }
    wrong
}

/// Clocks, random seeds, runtimes and disks in modules that must have none.
fn impurities(source: &Source) -> Vec<String> {
    let Some(module) = source.module().filter(|module| table::PURE.contains(module)) else { return Vec::new() };
    let code = source.production();
    let mut wrong: Vec<String> = Vec::new();
    for (word, why) in IMPURE {
        if has_word(&code, word) {
            wrong.push(format!("{}: {word} in pure module {module}: {why}", source.path));
        }
    }
    for (start, found) in code.match_indices("std::collections::") {
        let rest = &code[start + found.len()..];
        let named = if rest.starts_with('{') { rest.split('}').next() } else { rest.split(';').next() };
        if ["HashMap", "HashSet", "hash_map", "hash_set"].iter().any(|map| has_word(named.unwrap_or(rest), map)) {
            wrong.push(format!("{}: std's hash map in pure module {module}: its order is random", source.path));
        }
    }
    wrong
}

/// Files and functions that do not fit.
fn sizes(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = source.text.lines().count();
    if lines > FILE_LINES_MAX {
        wrong.push(format!("{}: {lines} lines, at most {FILE_LINES_MAX}", source.path));
    }
    for function in source.functions() {
        if function.lines > FUNCTION_LINES_MAX {
            let (name, lines) = (function.name, function.lines);
            wrong.push(format!("{}: fn {name} has {lines} lines, at most {FUNCTION_LINES_MAX}", source.path));
        }
    }
    wrong
}

/// A file that does not open by saying what it is for.
fn head(source: &Source) -> Option<String> {
    let first = source.text.lines().next().unwrap_or_default();
    let says = first.strip_prefix("//!").is_some_and(|words| !words.trim().is_empty());
    (!says).then(|| format!("{}: opens with `//!` and what it is for", source.path))
}

/// Work that was put off, tests that were switched off, tests that wait for the clock.
fn leftovers(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    for word in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")] {
        if has_word(&source.text, word) {
            wrong.push(format!("{}: {word}: do it or write it into the tracker", source.path));
        }
    }
    for word in ["todo!", "unimplemented!", "dbg!", "#[ignore", "#![allow(clippy", "#![allow(warnings"] {
        if source.code.contains(word) {
            wrong.push(format!("{}: {word}", source.path));
        }
    }
    // The support that awaits other processes looks again and again; nothing else sleeps.
    let sleeps = has_word(&source.code, "thread::sleep");
    if source.path.starts_with("tests/") && source.path != "tests/support/mod.rs" && sleeps {
        wrong.push(format!("{}: sleeps; use support::eventually or give time as an argument", source.path));
    }
    wrong
}

/// Files, folders and modules whose name names nobody.
fn names(source: &Source) -> Vec<String> {
    let mut found: Vec<String> = source.path.split('/').map(|part| part.trim_end_matches(".rs").to_owned()).collect();
    for (start, word) in source.code.match_indices("mod ") {
        found
            .push(source.code[start + word.len()..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
    }
    let empty = |name: &String| name.split('_').any(|word| EMPTY_NAMES.contains(&word));
    found.iter().filter(|name| empty(name)).map(|name| format!("{}: {name} names nobody", source.path)).collect()
}

/// Files below `src/` that no `mod` line declares, so that no compiler reads them.
fn orphans(sources: &[Source]) -> Vec<String> {
    let declares = |parent: &str, name: &str| {
        let files = [format!("{parent}/mod.rs"), format!("{parent}.rs"), format!("{parent}/lib.rs")];
        let mut parents = sources.iter().filter(|source| files.contains(&source.path));
        parents.any(|source| has_word(&source.code, &format!("mod {name};")))
    };
    let by_path = |file: &str| sources.iter().any(|source| source.text.contains(&format!("{file}\"]")));
    let orphan = |source: &&Source| {
        let path = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let root = source.path == "src/lib.rs" || source.path == "src/main.rs";
        !root && !declares(parent, name) && !by_path(&format!("{name}.rs"))
    };
    sources.iter().filter(orphan).map(|source| format!("{}: no `mod` line declares it", source.path)).collect()
}

/// Numbers of quirks that a comment cites and the page on quirks does not have.
fn undescribed(source: &Source, described: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for line in source.text.lines().filter(|line| line.contains("quirk")) {
        for (start, _) in line.match_indices('Q') {
            let digits = line[start + 1..].chars().take_while(char::is_ascii_digit).count();
            let number = &line[start..start + 1 + digits];
            if digits > 1 && !described.contains(&format!("| {number} |")) {
                wrong.push(format!("{}: {number} is not in docs/quirks.md", source.path));
            }
        }
    }
    wrong
}

/// Places on somebody's machine and hosts of package registries.
fn foreign_places(path: &str, text: &str) -> Vec<String> {
    let places = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/tm", "p/"),
        concat!("crates", ".io"),
        concat!("pypi", ".org"),
        concat!("npmjs", "."),
        concat!("pythonhosted", "."),
        concat!("debian", ".org"),
    ];
    let found = places.iter().filter(|place| text.contains(**place));
    found.map(|place| format!("{path}: {place} is of one machine or one registry")).collect()
}

/// Fails with every violation at once, so that one run shows all there is to do.
fn report(wrong: impl IntoIterator<Item = String>) {
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{} to put right:\n  {}", wrong.len(), wrong.join("\n  "));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("walked from the root").to_string_lossy().into_owned()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The Rust files below these folders. A file that only a `#[cfg(test)] mod x;` declares counts as a test.
fn sources(folders: &[&str]) -> Vec<Source> {
    let rust = |path: &Path| path.extension().is_some_and(|kind| kind == "rs");
    let paths = folders.iter().flat_map(|folder| walk(&root().join(folder), &rust));
    let sources: Vec<Source> = paths.map(|path| Source::new(&relative(&path), &read(&path))).collect();
    as_declared(sources)
}

/// Blanks the production view of files that are declared for tests only, by wrapping them as such an item.
fn as_declared(mut sources: Vec<Source>) -> Vec<Source> {
    let mut test_files = Vec::new();
    for source in &sources {
        let folder = match source.path.trim_end_matches(".rs") {
            path if path.ends_with("/mod") => path.trim_end_matches("/mod").to_owned(),
            path => path.to_owned(),
        };
        let beside = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for name in source.test_modules() {
            test_files.extend([format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")]);
            test_files.push(format!("{beside}/{name}.rs"));
        }
    }
    for source in &mut sources {
        if test_files.contains(&source.path) {
            // One line longer at the top than on disk would shift sizes, so the marker shares the first line.
            source.code = format!("#[cfg(test)] mod test {{ {} }}", source.code);
        }
    }
    sources
}

/// All wanted files below a folder, in the order of their paths, without what is built or installed.
fn walk(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    const SKIPPED: [&str; 5] = ["target", "node_modules", ".venv", ".git", "data"];
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !SKIPPED.contains(&name) {
            found.extend(walk(&path, wanted));
        } else if path.is_file() && name != "package-lock.json" && wanted(&path) {
            found.push(path);
        }
    }
    found
}
