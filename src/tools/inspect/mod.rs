//! `sluice inspect`: decodes what people paste while debugging a carrier; with `--jsonl` one JSON object a line in, one out.

pub mod fields;
mod pdu;
mod receipt;
mod time;

use serde_json::{Value, json};

use crate::tools::{Fault, segment, terminal};

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
        What::Segment(lines) => lines.run("text", &segment::answer),
    }
}

impl Lines {
    /// One input under the key `name`, or many lines.
    fn run(&self, name: &str, answer: &dyn Fn(&Value) -> Result<Value, String>) -> Result<(), Fault> {
        if self.jsonl {
            return terminal::answer_lines(answer);
        }
        let input = terminal::argument_or_input(self.input.as_deref())?;
        let value = answer(&json!({ name: input })).map_err(Fault::Failed)?;
        if self.json {
            terminal::json(&value);
        } else {
            print("", &value);
        }
        Ok(())
    }
}

/// Prints an object as rows; nested ones are indented.
fn print(indent: &str, value: &Value) {
    let Some(object) = value.as_object() else { return };
    for (name, value) in object {
        match value {
            Value::Object(_) => {
                terminal::line(&format!("{indent}{name}"));
                print(&format!("{indent}  "), value);
            }
            Value::Array(rows) => {
                terminal::line(&format!("{indent}{name}"));
                rows.iter().for_each(|row| print_row(&format!("{indent}  "), row));
            }
            Value::String(text) => terminal::line(&format!("{indent}{name:<26} {text}")),
            other => terminal::line(&format!("{indent}{name:<26} {other}")),
        }
    }
}

/// A TLV or an address on one line.
fn print_row(indent: &str, row: &Value) {
    let cells = row.as_object().into_iter().flatten().map(|(name, value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    });
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

/// Octets of hexadecimal digits; space, colons and `0x` between them do not count.
fn octets_of(hex: &str) -> Result<Vec<u8>, String> {
    let plain = hex.replace("0x", "").replace("0X", "");
    let mut digits = Vec::new();
    for (at, character) in plain.chars().filter(|c| !c.is_whitespace() && *c != ':').enumerate() {
        let digit = character.to_digit(16);
        digits.push(digit.ok_or_else(|| format!("hex: {character:?}, digit {}, is not hexadecimal", at + 1))? as u8);
    }
    if digits.len() % 2 == 1 {
        return Err(format!("hex: {} digits are no whole octets", digits.len()));
    }
    Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// Octets as hexadecimal digits.
fn hex_of(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Octets as text: UTF-8 if they are, else each octet as the character of Latin-1.
fn text_of(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => octets.iter().map(|octet| char::from(*octet)).collect(),
    }
}
