//! One section of the file, read key by key. Every fault is noted and reading goes on; a key that nobody asked for is
//! an error.

use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use toml::de::DeTable;

use crate::config::finding::{Findings, KnownKey, Place};
use crate::config::source::Source;
use crate::config::spelling::nearest;
use crate::config::units;
use crate::config::value::Value;
use crate::message::coding::Languages;

/// What a section is read from: its keys, the file, and where in it the section begins.
pub(super) type Part<'b> = (&'b DeTable<'b>, &'b Source, &'b Place);

/// One section. Each method asks for a key; [`Section::finish`] reports those that nobody asked for.
pub(super) struct Section<'b> {
    pub(super) name: &'static str,
    pub(super) part: Option<Part<'b>>,
    pub(super) main: Option<&'b Source>,
    pub(super) asked: Vec<&'static str>,
    pub(super) findings: &'b mut Findings,
}

impl<'b> Section<'b> {
    /// The value of a key and where it stands. `default` is what the documentation must show for it.
    pub(super) fn value(&mut self, key: &'static str, default: Option<String>) -> Option<Value<'b>> {
        self.asked.push(key);
        self.findings.known(KnownKey { section: self.name, key, default });
        let (table, source, _) = self.part?;
        let value = table.get(key)?;
        Some(Value { value: value.get_ref(), source, place: source.place(value.span().start) })
    }

    /// Notes an error about a key of this section.
    pub(super) fn error(&mut self, place: &Place, key: &str, what: impl Into<String>) {
        self.findings.error(place, format!("{}.{key}", self.name), what);
    }

    /// Notes a warning about a key of this section.
    pub(super) fn warning(&mut self, place: &Place, key: &str, what: impl Into<String>) {
        self.findings.warning(place, format!("{}.{key}", self.name), what);
    }

    /// Where the section begins.
    pub(super) fn place(&self) -> Place {
        self.part.map_or(Place { file: PathBuf::new(), line: 0 }, |(_, _, place)| place.clone())
    }

    /// Where a key stands; the section's beginning if it is absent.
    pub(super) fn place_of(&self, key: &str) -> Place {
        let found = self.part.and_then(|(table, source, _)| Some(source.place(table.get(key)?.span().start)));
        found.unwrap_or_else(|| self.place())
    }

    /// Whether the file has the key at all, right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.part.is_some_and(|(table, _, _)| table.contains_key(key))
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        default: Option<String>,
        parse: impl FnOnce(&Value<'b>) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.value(key, default)?;
        match parse(&value) {
            Ok(read) => Some(read),
            Err(what) => {
                self.error(&value.place, key, what);
                None
            }
        }
    }

    /// A text with a default.
    pub(super) fn text(&mut self, key: &'static str, default: &str) -> String {
        self.read(key, Some(quoted(default)), Value::text).unwrap_or_else(|| default.to_owned())
    }

    /// A text whose absence means something of its own.
    pub(super) fn optional_text(&mut self, key: &'static str) -> Option<String> {
        self.read(key, None, Value::text)
    }

    /// A text without which the section is useless.
    pub(super) fn required_text(&mut self, key: &'static str) -> Option<String> {
        let text = self.read(key, None, Value::text);
        self.require(key, text)
    }

    /// Anything that reads itself from a text, such as a rate or an amount.
    pub(super) fn optional<T: FromStr>(&mut self, key: &'static str) -> Option<T>
    where
        T::Err: Display,
    {
        self.read(key, None, Value::parsed)
    }

    /// Likewise, and required.
    pub(super) fn required<T: FromStr>(&mut self, key: &'static str) -> Option<T>
    where
        T::Err: Display,
    {
        let parsed = self.read(key, None, Value::parsed);
        self.require(key, parsed)
    }

    /// A list of texts; empty if absent.
    pub(super) fn texts(&mut self, key: &'static str) -> Vec<String> {
        self.read(key, Some("[]".to_owned()), Value::texts).unwrap_or_default()
    }

    /// A list of languages that have national tables.
    pub(super) fn languages(&mut self, key: &'static str, default: &'static [&'static str]) -> Languages {
        let read = |value: &Value<'_>| {
            let words = value.texts()?;
            Languages::named(words.iter().map(String::as_str)).map_err(|unknown| {
                let names: Vec<&str> = Languages::ALL.names().collect();
                format!("{unknown:?} has no national table; write \"all\" or some of {}", names.join(", "))
            })
        };
        let shown = default.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ");
        let found = self.read(key, Some(format!("[{shown}]")), read);
        found.or_else(|| Languages::named(default.iter().copied()).ok()).unwrap_or_default()
    }

    /// A list of texts without which the section is useless.
    pub(super) fn required_texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let texts = self.read(key, None, Value::texts);
        self.require(key, texts)
    }

    /// Yes or no, no by default.
    pub(super) fn flag(&mut self, key: &'static str) -> bool {
        let read = |value: &Value<'_>| value.value.as_bool().ok_or_else(|| "write true or false".to_owned());
        self.read(key, Some("false".to_owned()), read).unwrap_or(false)
    }

    /// A whole number within bounds.
    pub(super) fn count<T>(&mut self, key: &'static str, default: T, range: RangeInclusive<i64>) -> T
    where
        T: TryFrom<i64> + ToString,
    {
        self.read(key, Some(default.to_string()), |value| value.count(&range)).unwrap_or(default)
    }

    /// A whole number within bounds, whose absence means something of its own.
    pub(super) fn optional_count<T: TryFrom<i64>>(
        &mut self,
        key: &'static str,
        range: RangeInclusive<i64>,
    ) -> Option<T> {
        self.read(key, None, |value| value.count(&range))
    }

    /// A time with a default, not shorter than `least`.
    pub(super) fn duration(&mut self, key: &'static str, default: &'static str, least: Duration) -> Duration {
        let read = |value: &Value<'_>| {
            let duration = units::duration(&value.text()?)?;
            if duration < least { Err(format!("it must be at least {least:?}")) } else { Ok(duration) }
        };
        let found = self.read(key, Some(quoted(default)), read);
        found.unwrap_or_else(|| units::duration(default).expect("defaults are well formed"))
    }

    /// A time whose absence means something of its own.
    pub(super) fn optional_duration(&mut self, key: &'static str) -> Option<Duration> {
        self.read(key, None, |value| units::duration(&value.text()?))
    }

    /// A size in octets with a default, within bounds.
    pub(super) fn octets(&mut self, key: &'static str, default: &'static str, range: RangeInclusive<u64>) -> u64 {
        let read = |value: &Value<'_>| {
            let octets = units::octets(&value.text()?)?;
            let (least, most) = (range.start(), range.end());
            if range.contains(&octets) { Ok(octets) } else { Err(format!("it must be {least} to {most} octets")) }
        };
        let found = self.read(key, Some(quoted(default)), read);
        found.unwrap_or_else(|| units::octets(default).expect("defaults are well formed"))
    }

    /// One of some words; the first is the default.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, words: &[(&'static str, T)]) -> T {
        let read = |value: &Value<'_>| {
            let text = value.text()?;
            let found = words.iter().find(|(word, _)| *word == text);
            let all = words.iter().map(|(word, _)| quoted(word)).collect::<Vec<_>>().join(", ");
            found.map(|(_, value)| *value).ok_or_else(|| format!("{text:?} is none of {all}"))
        };
        let default = words[0];
        self.read(key, Some(quoted(default.0)), read).unwrap_or(default.1)
    }

    /// An address to listen on.
    pub(super) fn listen(&mut self, key: &'static str, default: &'static str) -> SocketAddr {
        let parse = |text: &str| {
            let form = "write an IP address and a port, as in \"127.0.0.1:2775\"; port 0 takes a free one";
            text.parse::<SocketAddr>().map_err(|_| format!("{text:?} is no address: {form}"))
        };
        let found = self.read(key, Some(quoted(default)), |value| parse(&value.text()?));
        found.unwrap_or_else(|| parse(default).expect("defaults are well formed"))
    }

    /// A path with a default, relative to the file that names it.
    pub(super) fn path(&mut self, key: &'static str, default: &'static str) -> PathBuf {
        let source = self.part.map(|(_, source, _)| source).or(self.main);
        let default_path = source.map_or_else(|| default.into(), |source| source.path_beside(default));
        let read = |value: &Value<'_>| Ok(value.source.path_beside(&value.text()?));
        self.read(key, Some(quoted(default)), read).unwrap_or(default_path)
    }

    /// A path whose absence means something of its own.
    pub(super) fn optional_path(&mut self, key: &'static str) -> Option<PathBuf> {
        self.read(key, None, |value| Ok(value.source.path_beside(&value.text()?)))
    }

    /// Notes what is missing.
    fn require<T>(&mut self, key: &'static str, value: Option<T>) -> Option<T> {
        if value.is_none() && self.part.is_some() && !self.has(key) {
            let place = self.place();
            self.error(&place, key, "it is missing and has no default");
        }
        value
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn finish(self) {
        let Some((table, source, _)) = self.part else { return };
        for name in table.keys().filter(|name| !self.asked.contains(&name.get_ref().as_ref())) {
            let meant = match nearest(name.get_ref(), self.asked.iter().copied()) {
                none if none.is_empty() => "; conf/sluice.toml shows all of them".to_owned(),
                meant => meant,
            };
            let what = format!("there is no such key{meant}");
            self.findings.error(&source.place(name.span().start), format!("{}.{}", self.name, name.get_ref()), what);
        }
    }
}

/// A text as the file would say it.
fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
