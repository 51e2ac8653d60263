//! Secrets: a literal, `{ file = "…" }` or `{ env = "…" }`. They never print.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use toml::de::{DeTable, DeValue};

use crate::config::finding::Place;
use crate::config::section::Section;
use crate::config::value::Value;
use crate::message::Hidden;

/// What to do about a secret that everybody can read.
const ADVICE: &str = "take the right to read from others (chmod o-r), or write { file = \"…\" } or { env = \"…\" }";

impl Section<'_> {
    /// A secret, if the key is there.
    pub(super) fn secret(&mut self, key: &'static str) -> Option<Hidden<String>> {
        let value = self.value(key, None)?;
        self.read_secret(key, &value, value.value, &value.place)
    }

    /// One secret or a list of them.
    pub(super) fn secrets(&mut self, key: &'static str) -> Vec<Hidden<String>> {
        let Some(value) = self.value(key, None) else { return Vec::new() };
        let DeValue::Array(entries) = value.value else {
            return self.read_secret(key, &value, value.value, &value.place).into_iter().collect();
        };
        let mut secrets = Vec::new();
        for entry in entries.iter() {
            let place = value.source.place(entry.span().start);
            secrets.extend(self.read_secret(key, &value, entry.get_ref(), &place));
        }
        secrets
    }

    fn read_secret(
        &mut self,
        key: &'static str,
        value: &Value<'_>,
        said: &DeValue<'_>,
        place: &Place,
    ) -> Option<Hidden<String>> {
        let secret = match said {
            DeValue::String(literal) => {
                if value.source.readable_by_others {
                    self.exposed(
                        place,
                        key,
                        &format!("others can read the file in which this secret stands: {ADVICE}"),
                    );
                }
                Ok(literal.to_string())
            }
            DeValue::Table(table) => self.referred(key, value, table, place),
            _ => Err(form()),
        };
        match secret {
            Ok(secret) if secret.is_empty() => self.error(place, key, "the secret is empty"),
            Ok(secret) => return Some(Hidden(secret)),
            Err(what) => self.error(place, key, what),
        }
        None
    }

    /// A secret that stands elsewhere. One line break at the end of a file is not part of it.
    fn referred(
        &mut self,
        key: &'static str,
        value: &Value<'_>,
        table: &DeTable<'_>,
        place: &Place,
    ) -> Result<String, String> {
        let only = |name: &str| table.get(name).filter(|_| table.len() == 1).and_then(|said| said.get_ref().as_str());
        if let Some(variable) = only("env") {
            return std::env::var(variable).map_err(|_| format!("the environment variable {variable} is not set"));
        }
        let path = value.source.path_beside(only("file").ok_or_else(form)?);
        let text = fs::read_to_string(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        let mode = fs::metadata(&path).map_or(0, |metadata| metadata.permissions().mode());
        if mode & 0o004 != 0 {
            self.exposed(place, key, &format!("others can read {}: {ADVICE}", path.display()));
        }
        let text = text.strip_suffix('\n').unwrap_or(&text);
        Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
    }

    /// A secret that others can read: a warning, or an error where the operator wants to be strict.
    fn exposed(&mut self, place: &Place, key: &str, what: &str) {
        if self.findings.strict { self.error(place, key, what) } else { self.warning(place, key, what) }
    }
}

fn form() -> String {
    "write the secret in quotes, or { file = \"…\" } or { env = \"…\" }".to_owned()
}
