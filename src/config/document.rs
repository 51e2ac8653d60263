//! The sections of all files, sorted out by name.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::finding::{Findings, Place};
use crate::config::section::Section;
use crate::config::source::Source;
use crate::config::spelling::nearest;

/// The sections that there are, and whether they may be repeated.
const SECTIONS: [(&str, bool); 8] = [
    ("node", false),
    ("store", false),
    ("smpp", false),
    ("http", false),
    ("tenant", true),
    ("carrier", true),
    ("route", true),
    ("price", true),
];

/// The sections of all files.
pub(super) struct Document<'a> {
    parts: Vec<Part<'a>>,
    /// The file that was named: what default paths of absent sections are relative to.
    main: Option<&'a Source>,
}

struct Part<'a> {
    section: &'static str,
    source: &'a Source,
    table: DeTable<'a>,
    place: Place,
}

/// A section's value with the place where it stands.
#[derive(Clone, Debug)]
pub(super) struct Entry<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

impl<'a> Document<'a> {
    /// A document without a section: all defaults.
    pub(super) fn empty() -> Document<'a> {
        Document { parts: Vec::new(), main: None }
    }

    /// Sorts out the sections of all files. Their syntax has been checked.
    pub(super) fn of(sources: &'a [Source], findings: &mut Findings) -> Document<'a> {
        let mut document = Document { parts: Vec::new(), main: sources.first() };
        for source in sources {
            let (table, _) = DeTable::parse_recoverable(&source.text);
            for (name, value) in table.into_inner() {
                let place = source.place(name.span().start);
                document.enter(name.get_ref(), value, source, place, findings);
            }
        }
        document
    }

    fn enter(
        &mut self,
        name: &str,
        value: Spanned<DeValue<'a>>,
        source: &'a Source,
        place: Place,
        findings: &mut Findings,
    ) {
        if name == "include" {
            return;
        }
        let Some(&(section, repeated)) = SECTIONS.iter().find(|(section, _)| *section == name) else {
            let known = SECTIONS.map(|(name, _)| name);
            let what =
                format!("there is no such section{}; there are {}", nearest(name, known.into_iter()), known.join(", "));
            return findings.error(&place, name, what);
        };
        match (value.into_inner(), repeated) {
            (DeValue::Table(table), false) => {
                if let Some(first) = self.parts.iter().find(|part| part.section == section) {
                    let Place { file, line } = &first.place;
                    let what = format!("[{section}] stands in {}:{line} already", file.display());
                    return findings.error(&place, section, what);
                }
                self.parts.push(Part { section, source, table, place });
            }
            (DeValue::Array(entries), true) => {
                for entry in entries {
                    let place = source.place(entry.span().start);
                    match entry.into_inner() {
                        DeValue::Table(table) => self.parts.push(Part { section, source, table, place }),
                        _ => findings.error(&place, section, format!("write it as [[{section}]]")),
                    }
                }
            }
            (_, false) => findings.error(&place, section, format!("write it as [{section}]")),
            (_, true) => findings.error(&place, section, format!("write it as [[{section}]]")),
        }
    }

    /// The section of this name, empty if no file has it.
    pub(super) fn single<'b>(&'b self, name: &'static str, findings: &'b mut Findings) -> Section<'b> {
        let part = self.parts.iter().find(|part| part.section == name);
        Section { name, part: part.map(Part::borrowed), main: self.main, asked: Vec::new(), findings }
    }

    /// Reads each section of this name.
    pub(super) fn each<T>(
        &self,
        name: &'static str,
        findings: &mut Findings,
        read: impl Fn(Section<'_>) -> Option<T>,
    ) -> Vec<Entry<T>> {
        let mut entries = Vec::new();
        for part in self.parts.iter().filter(|part| part.section == name) {
            let section = Section { name, part: Some(part.borrowed()), main: self.main, asked: Vec::new(), findings };
            if let Some(value) = read(section) {
                entries.push(Entry { value, place: part.place.clone() });
            }
        }
        entries
    }
}

impl<'a> Part<'a> {
    fn borrowed(&self) -> (&DeTable<'a>, &'a Source, &Place) {
        (&self.table, self.source, &self.place)
    }
}
