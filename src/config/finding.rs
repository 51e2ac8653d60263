//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::PathBuf;

/// Something about one key of one file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, as it was named.
    pub file: PathBuf,
    /// Line from 1; 0 if it is about the whole file.
    pub line: usize,
    /// Section and key, as in "tenant.rate"; empty if it is about none.
    pub key: String,
    /// What is wrong and what to do. Never a secret.
    pub what: String,
}

/// A fault with which the gateway does not start.
pub type ConfigError = Finding;

/// Something that works and is probably not meant.
pub type Warning = Finding;

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if self.line > 0 {
            write!(f, "{}:", self.line)?;
        }
        if !self.key.is_empty() {
            write!(f, " {}:", self.key)?;
        }
        write!(f, " {}", self.what)
    }
}

/// A key that the configuration may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// Its section: "tenant" for [[tenant]].
    pub section: &'static str,
    /// The key.
    pub key: &'static str,
    /// Its default as the file would say it; `None` if it is required, or if its absence means something of its own.
    pub default: Option<String>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    pub(super) line: usize,
}

/// Collects what is found while reading.
#[derive(Debug, Default)]
pub(super) struct Findings {
    errors: Vec<ConfigError>,
    warnings: Vec<Warning>,
    known: Vec<KnownKey>,
    /// `[node] strict`: a secret that others can read is an error.
    pub(super) strict: bool,
}

impl Findings {
    pub(super) fn error(&mut self, place: &Place, key: impl Into<String>, what: impl Into<String>) {
        let Place { file, line } = place.clone();
        self.errors.push(Finding { file, line, key: key.into(), what: what.into() });
    }

    pub(super) fn warning(&mut self, place: &Place, key: impl Into<String>, what: impl Into<String>) {
        let Place { file, line } = place.clone();
        self.warnings.push(Finding { file, line, key: key.into(), what: what.into() });
    }

    pub(super) fn known(&mut self, known: KnownKey) {
        if !self.known.contains(&known) {
            self.known.push(known);
        }
    }

    pub(super) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    pub(super) fn into_errors(mut self) -> Vec<ConfigError> {
        self.errors.sort();
        self.errors.dedup();
        self.errors
    }

    pub(super) fn into_known(self) -> Vec<KnownKey> {
        self.known
    }

    /// The value with the warnings, or all errors.
    pub(super) fn conclude<T>(mut self, value: T) -> Result<(T, Vec<Warning>), Vec<ConfigError>> {
        if self.has_errors() {
            return Err(self.into_errors());
        }
        self.warnings.sort();
        self.warnings.dedup();
        Ok((value, self.warnings))
    }
}
