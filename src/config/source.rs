//! The files of a configuration: the one that is named and those that it includes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::config::finding::{Findings, Place};

/// Files that may include one another in a chain. More is surely a circle.
const DEPTH_MAX: usize = 8;

/// One file.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// Where its lines end. A price list has many, and each value is asked for its own.
    line_ends: Vec<usize>,
    /// Whether users other than owner and group may read it.
    pub(super) readable_by_others: bool,
}

impl Source {
    /// The place of an octet offset.
    pub(super) fn place(&self, offset: usize) -> Place {
        Place { file: self.path.clone(), line: 1 + self.line_ends.partition_point(|end| *end < offset) }
    }

    /// A path that this file names: relative ones are relative to it.
    pub(super) fn path_beside(&self, named: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(named)
    }
}

/// Reads a file and, depth first, all that it includes. A file is read once however often it is named.
pub(super) fn read_all(path: &Path, findings: &mut Findings) -> Vec<Source> {
    let mut sources = Vec::new();
    let whole = Place { file: path.to_path_buf(), line: 0 };
    read_into(path, &whole, 0, &mut sources, findings);
    sources
}

fn read_into(path: &Path, named_at: &Place, depth: usize, sources: &mut Vec<Source>, findings: &mut Findings) {
    if depth > DEPTH_MAX {
        return findings.error(named_at, "include", format!("files include one another more than {DEPTH_MAX} deep"));
    }
    let same = |source: &Source| fs::canonicalize(&source.path).ok() == fs::canonicalize(path).ok();
    if sources.iter().any(same) {
        return;
    }
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            return match named_at.line {
                0 => findings.error(named_at, "", format!("it cannot be read: {error}")),
                _ => findings.error(named_at, "include", format!("{} cannot be read: {error}", path.display())),
            };
        }
    };
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    let line_ends = text.match_indices('\n').map(|(end, _)| end).collect();
    let source = Source { path: path.to_path_buf(), text, line_ends, readable_by_others: mode & 0o004 != 0 };
    let includes = includes_of(&source, findings);
    sources.push(source);
    for (named, place) in includes {
        for path in matching(&named, &place, findings) {
            read_into(&path, &place, depth + 1, sources, findings);
        }
    }
}

/// The files that a file includes, with the places where it says so. Faults of its syntax are reported here.
fn includes_of(source: &Source, findings: &mut Findings) -> Vec<(PathBuf, Place)> {
    let (table, faults) = DeTable::parse_recoverable(&source.text);
    for fault in &faults {
        let place = source.place(fault.span().map_or(0, |span| span.start));
        findings.error(&place, "", fault.message().trim_end());
    }
    let Some(include) = table.get_ref().get("include") else { return Vec::new() };
    let place = source.place(include.span().start);
    let DeValue::Array(entries) = include.get_ref() else {
        findings.error(&place, "include", "write a list of files, as in [\"tenants/*.toml\"]");
        return Vec::new();
    };
    let mut named = Vec::new();
    for entry in entries.iter() {
        let place = source.place(entry.span().start);
        match entry.get_ref() {
            DeValue::String(pattern) => named.push((source.path_beside(pattern), place)),
            _ => findings.error(&place, "include", "a file name is a string"),
        }
    }
    named
}

/// The files that a name with `*` in its last part stands for, sorted; a name without is itself. No match is no error.
fn matching(named: &Path, place: &Place, findings: &mut Findings) -> Vec<PathBuf> {
    let Some(pattern) = named.file_name().and_then(|name| name.to_str()).filter(|name| name.contains('*')) else {
        return vec![named.to_path_buf()];
    };
    let folder = named.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            findings.error(place, "include", format!("{} cannot be read: {error}", folder.display()));
            return Vec::new();
        }
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.') && fits(pattern, name)).collect();
    names.sort();
    names.iter().map(|name| named.with_file_name(name)).collect()
}

/// Whether a name fits a pattern in which each `*` stands for any characters.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(head) else { return false };
    (0..=rest.len()).filter(|&at| rest.is_char_boundary(at)).any(|at| fits(tail, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name) in [("*", "a"), ("*.toml", "a.toml"), ("t*.to*", "ten.toml"), ("**", ""), ("é*", "éa")] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("*.toml", "a.toml~"), ("a*", "ba"), ("a", "ab"), ("a*b", "ac")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }
}
