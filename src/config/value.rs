//! One value of the file, read as what its key wants; an error says what to write instead.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use toml::de::DeValue;

use crate::config::finding::Place;
use crate::config::source::Source;

/// A value of a key and where it stands.
pub(super) struct Value<'b> {
    pub(super) value: &'b DeValue<'b>,
    pub(super) source: &'b Source,
    pub(super) place: Place,
}

impl Value<'_> {
    pub(super) fn text(&self) -> Result<String, String> {
        let found = self.value.as_str().map(str::to_owned);
        found.ok_or_else(|| format!("write a string in quotes, not a value of type {}", self.value.type_str()))
    }

    pub(super) fn parsed<T: FromStr>(&self) -> Result<T, String>
    where
        T::Err: Display,
    {
        let text = self.text()?;
        text.parse().map_err(|error| format!("{text:?} is not understood: {error}"))
    }

    pub(super) fn texts(&self) -> Result<Vec<String>, String> {
        let wrong = || "write a list of strings, as in [\"one\", \"two\"]".to_owned();
        let entries = self.value.as_array().ok_or_else(wrong)?;
        entries.iter().map(|entry| entry.get_ref().as_str().map(str::to_owned).ok_or_else(wrong)).collect()
    }

    pub(super) fn count<T: TryFrom<i64>>(&self, range: &RangeInclusive<i64>) -> Result<T, String> {
        let (least, most) = (range.start(), range.end());
        let wrong = || format!("write a whole number from {least} to {most}");
        let integer = self.value.as_integer().ok_or_else(wrong)?;
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).map_err(|_| wrong())?;
        if !range.contains(&number) {
            return Err(wrong());
        }
        T::try_from(number).map_err(|_| wrong())
    }
}
