//! `sluice inspect`: decodes what people paste while debugging a carrier; with `--jsonl` one JSON object a line in, one out.

pub mod fields;
pub mod outcome;
mod pdu;
mod receipt;
mod segment;
mod time;

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::tools::terminal::Answer;
use crate::tools::{Fault, send, terminal};

/// Arguments of `sluice inspect`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// An SMPP PDU in hexadecimal: header, fields and optional parameters
    #[command(after_help = "Examples:\n  sluice inspect pdu '00 00 00 10 00 00 00 15 00 00 00 00 00 00 00 2b'\n  \
        echo '{\"hex\":\"00000010000000150000000000000001\"}' | sluice inspect pdu --jsonl")]
    Pdu(Lines),
    /// The text of a delivery receipt
    #[command(after_help = "Example:\n  sluice inspect receipt 'id:4711 sub:001 dlvrd:001 submit date:2611211200 \
        done date:2611211201 stat:DELIVRD err:000 text:'")]
    Receipt(Lines),
    /// An SMPP time string, absolute or relative
    #[command(after_help = "Example:\n  sluice inspect time 000001000000000R")]
    Time(Lines),
    /// How a text is cut into parts
    #[command(after_help = "Example:\n  echo '{\"text\":\"a\",\"repeat\":161}' | sluice inspect segment --jsonl")]
    Segment(Lines),
}

#[derive(clap::Args, Debug)]
struct Lines {
    /// What to decode; read from standard input when it is absent or "-"
    input: Option<String>,
    /// Read JSON objects, one a line, from standard input, and answer each with one
    #[arg(long, conflicts_with = "input")]
    jsonl: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs `sluice inspect`.
pub fn run(args: &Args) -> Result<(), Fault> {
    match &args.what {
        What::Pdu(lines) => lines.run("hex", &pdu::answer),
        What::Receipt(lines) => lines.run("sample", &receipt::answer),
        What::Time(lines) => lines.run("value", &time::answer),
        What::Segment(lines) => lines.run("text", &|line, out| {
            let input: Value = parsed(line)?;
            written(&segment::answer(&input)?, out)
        }),
    }
}

impl Lines {
    /// One input under the key `name`, or many lines.
    fn run(&self, name: &str, answer: &Answer) -> Result<(), Fault> {
        if self.jsonl {
            return terminal::answer_lines(answer);
        }
        let input = terminal::argument_or_input(self.input.as_deref())?;
        let mut out = Vec::new();
        answer(json!({ name: input }).to_string().as_bytes(), &mut out).map_err(Fault::Failed)?;
        let value = parsed(&out).map_err(Fault::Failed)?;
        if self.json {
            terminal::json(&value);
        } else {
            print("", &value);
            let says_nothing = |value: &Value| value.as_str().is_some_and(str::is_empty);
            if value.as_object().is_some_and(|object| object.values().all(says_nothing)) {
                terminal::note("nothing in it could be read");
            }
        }
        Ok(())
    }
}

/// Reads a JSON object. What it borrows, it borrows from the line.
fn parsed<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, String> {
    let opens = line.iter().find(|octet| !octet.is_ascii_whitespace());
    if opens.is_some_and(|&octet| octet != b'{') && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok() {
        return Err("not a JSON object".to_owned());
    }
    serde_json::from_slice(line).map_err(|error| match error.is_data() {
        true => error.to_string(),
        false => format!("not JSON: {error}"),
    })
}

/// Appends an answer as JSON.
fn written(answer: &impl Serialize, out: &mut Vec<u8>) -> Result<(), String> {
    serde_json::to_writer(out, answer).map_err(|error| error.to_string())
}

/// Prints an object as rows; nested ones are indented.
fn print(indent: &str, value: &Value) {
    let Some(object) = value.as_object() else { return };
    for (name, value) in object {
        match value {
            Value::Object(rows) if rows.is_empty() => {}
            Value::Array(rows) if rows.is_empty() => {}
            Value::Object(_) => {
                terminal::line(&format!("{indent}{name}"));
                print(&format!("{indent}  "), value);
            }
            Value::Array(rows) => {
                terminal::line(&format!("{indent}{name}"));
                rows.iter().for_each(|row| print_row(&format!("{indent}  "), row));
            }
            other => terminal::line(&format!("{indent}{name:<26} {}", plain(other))),
        }
    }
}

/// A value without quotes; "-" where there is none.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "-".to_owned(),
        value => send::plain(value),
    }
}

/// A TLV or an address on one line.
fn print_row(indent: &str, row: &Value) {
    let cells = row.as_object().into_iter().flatten().map(|(name, value)| format!("{name}={}", plain(value)));
    terminal::line(&format!("{indent}{}", cells.collect::<Vec<_>>().join(" ")));
}

/// A cell that may stand as a string, as a number, or not at all.
pub(super) fn cell(input: &Value, name: &str) -> Result<String, String> {
    match &input[name] {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null => Ok(String::new()),
        _ => Err(format!("{name}: neither a string nor a number")),
    }
}

/// A cell of a table: a string, a number, or nothing. It borrows the line where no escape stands in the way.
#[derive(Default)]
struct Cell<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Cell<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cell<'a>, D::Error> {
        deserializer.deserialize_any(CellVisitor).map(Cell)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a number")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(number.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(""))
    }
}

/// Octets of hexadecimal digits; space, colons and `0x` between them do not count.
fn octets_of(hex: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::with_capacity(hex.len() / 2);
    let (mut digits, mut high) = (0usize, 0);
    let mut rest = hex.char_indices();
    while let Some((at, character)) = rest.next() {
        let Some(digit) = character.to_digit(16).map(|digit| digit as u8) else {
            if character.is_whitespace() || character == ':' {
                continue;
            }
            return Err(format!("hex: {character:?}, digit {}, is not hexadecimal", digits + 1));
        };
        if digit == 0 && matches!(hex.as_bytes().get(at + 1), Some(b'x' | b'X')) {
            rest.next();
            continue;
        }
        digits += 1;
        match digits % 2 {
            1 => high = digit << 4,
            _ => octets.push(high | digit),
        }
    }
    if digits % 2 == 1 {
        return Err(format!("hex: {digits} digits are no whole octets"));
    }
    Ok(octets)
}

/// Octets, written as hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits = self.0.iter().flat_map(|octet| [octet >> 4, octet & 0xF]);
        let text: String = digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect();
        serializer.serialize_str(&text)
    }
}

/// Octets, written as text: UTF-8 if they are, else each octet as the character of Latin-1.
struct Text<'a>(&'a [u8]);

impl Text<'_> {
    fn read(&self) -> Cow<'_, str> {
        match std::str::from_utf8(self.0) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => self.0.iter().map(|octet| char::from(*octet)).collect(),
        }
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.read())
    }
}

/// Something written as its `Display` has it.
struct Shown<T>(T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
