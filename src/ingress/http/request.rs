//! Bodies of `POST /v1/messages` and `POST /v1/preview`. Strict: a field that is not known, missing or of the wrong type is named.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Map, Value};

use crate::ingress::http::json::Strict;
use crate::ingress::http::problem::Problem;
use crate::message::Timestamp;
use crate::message::coding::Coding;
use crate::message::optional::write_optional;
use crate::message::smart::Smart;
use crate::text::Choice;

/// Octets of a sender's own reference.
pub const REFERENCE_OCTETS_MAX: usize = 255;

/// One message as the client wrote it: the form is right, nothing else has been checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Draft {
    /// The destination.
    pub to: String,
    /// The sender; empty = the carrier's own.
    pub from: String,
    /// The text.
    pub text: String,
    /// The client's own reference.
    pub reference: String,
    /// How long it may wait to be sent; absent = the tenant's setting.
    pub validity: Option<Duration>,
    /// Not to be sent before this.
    pub send_at: Option<Timestamp>,
    /// The alphabet.
    pub encoding: Choice,
    /// What is done about dear characters; absent = the tenant's setting.
    pub smart: Option<Smart>,
    /// Optional parameters for each part, as they stand on the wire (quirk Q99).
    pub tlvs: Vec<u8>,
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Draft {{ … {} octets of text }}", self.text.len())
    }
}

/// A request's messages, in order; those whose form is wrong are problems already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The messages.
    pub drafts: Vec<Result<Draft, Problem>>,
    /// Whether they came as `{"messages": […]}`, which decides the form of the answer.
    pub many: bool,
}

impl Request {
    /// Where message `index` stands in the body, as the beginning of a JSON pointer.
    pub fn pointer(&self, index: usize) -> String {
        if self.many { format!("/messages/{index}") } else { String::new() }
    }
}

/// Reads a body.
pub fn read(body: &[u8], batch_max: usize) -> Result<Request, Problem> {
    let Strict(value) = serde_json::from_slice(body).map_err(|error| {
        // The error tells line, column and what was expected; it repeats nothing of the body.
        let (code, says) = if error.is_data() { ("malformed", "wrong") } else { ("not_json", "not JSON") };
        malformed(code, String::new(), format!("The body is {says}: {error}."))
    })?;
    let Value::Object(object) = value else {
        return Err(malformed("malformed", String::new(), "The body is not a JSON object."));
    };
    if !object.contains_key("messages") {
        return Ok(Request { drafts: vec![Ok(draft(&object, "")?)], many: false });
    }
    if let Some(field) = object.keys().find(|name| *name != "messages") {
        return Err(unknown(field, "", "messages, alone"));
    }
    let Some(Value::Array(messages)) = object.get("messages") else {
        return Err(malformed("malformed", "/messages".to_owned(), "messages is not an array."));
    };
    if messages.is_empty() || messages.len() > batch_max {
        let says = format!("messages holds {} messages; a request takes 1 to {batch_max}.", messages.len());
        let status = if messages.is_empty() { StatusCode::BAD_REQUEST } else { StatusCode::PAYLOAD_TOO_LARGE };
        return Err(Problem::new(status, "batch_size", says).at("/messages".to_owned()));
    }
    let draft_at = |(index, message): (usize, &Value)| {
        let base = format!("/messages/{index}");
        match message {
            Value::Object(object) => draft(object, &base),
            _ => Err(malformed("malformed", base, "The message is not a JSON object.")),
        }
    };
    Ok(Request { drafts: messages.iter().enumerate().map(draft_at).collect(), many: true })
}

const FIELDS: [&str; 9] =
    ["to", "from", "text", "reference", "validity", "send_at", "encoding", "smart_encoding", "tlvs"];

fn draft(object: &Map<String, Value>, base: &str) -> Result<Draft, Problem> {
    if let Some(field) = object.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(unknown(field, base, &FIELDS.join(", ")));
    }
    let fields = Fields { object, base };
    let text = fields.required("text")?;
    if text.is_empty() {
        return Err(Problem::field("empty_text", format!("{base}/text"), "The text is empty."));
    }
    let reference = fields.optional("reference")?.unwrap_or_default();
    if reference.len() > REFERENCE_OCTETS_MAX {
        let says = format!("The reference is longer than {REFERENCE_OCTETS_MAX} octets.");
        return Err(Problem::field("invalid_reference", format!("{base}/reference"), says));
    }
    Ok(Draft {
        to: fields.required("to")?.to_owned(),
        from: fields.required("from")?.to_owned(),
        text: text.to_owned(),
        reference: reference.to_owned(),
        validity: fields.validity()?,
        send_at: fields.send_at()?,
        encoding: fields.encoding()?,
        smart: fields.smart()?,
        tlvs: fields.tlvs()?,
    })
}

struct Fields<'a> {
    object: &'a Map<String, Value>,
    base: &'a str,
}

impl<'a> Fields<'a> {
    fn pointer(&self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }

    fn required(&self, name: &'static str) -> Result<&'a str, Problem> {
        let missing = || malformed("missing_field", self.pointer(name), format!("The field {name} is missing."));
        self.optional(name)?.ok_or_else(missing)
    }

    /// A string, or nothing; `null` counts as absent.
    fn optional(&self, name: &'static str) -> Result<Option<&'a str>, Problem> {
        match self.object.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(malformed("malformed", self.pointer(name), format!("The field {name} is not a string."))),
        }
    }

    fn validity(&self) -> Result<Option<Duration>, Problem> {
        let seconds = match self.object.get("validity") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => seconds(text),
            Some(_) => None,
        };
        match seconds {
            Some(seconds) if seconds > 0 => Ok(Some(Duration::from_secs(seconds))),
            _ => {
                let says = "The validity is a number of seconds, or a number with s, m, h or d behind it.";
                Err(Problem::field("invalid_validity", self.pointer("validity"), says))
            }
        }
    }

    fn send_at(&self) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = self.optional("send_at")? else { return Ok(None) };
        match text.parse::<jiff::Timestamp>() {
            Ok(time) => Ok(Some(Timestamp(time.as_microsecond()))),
            Err(_) => {
                let says = "The time to send at is not of the form 2026-11-21T12:00:00Z (RFC 3339).";
                Err(Problem::field("invalid_schedule", self.pointer("send_at"), says))
            }
        }
    }

    fn encoding(&self) -> Result<Choice, Problem> {
        let word = self.optional("encoding")?.unwrap_or("auto");
        Coding::choice_of(word).ok_or_else(|| {
            let says = "The encoding is none of auto, gsm7, ucs2, latin1.";
            Problem::field("invalid_encoding", self.pointer("encoding"), says)
        })
    }

    fn smart(&self) -> Result<Option<Smart>, Problem> {
        let Some(word) = self.optional("smart_encoding")? else { return Ok(None) };
        let says = "The smart_encoding is none of strict, suggest, transliterate.";
        let wrong = || Problem::field("invalid_smart_encoding", self.pointer("smart_encoding"), says);
        Smart::of(word).map(Some).ok_or_else(wrong)
    }
}

impl Fields<'_> {
    /// `{"0x1400": "text", "0x1401": "hex:0a1b"}`.
    fn tlvs(&self) -> Result<Vec<u8>, Problem> {
        let wrong = |says: String| Problem::field("invalid_tlvs", self.pointer("tlvs"), says);
        let mut octets = Vec::new();
        match self.object.get("tlvs") {
            None | Some(Value::Null) => {}
            Some(Value::Object(table)) => {
                for (tag, value) in table {
                    let text =
                        value.as_str().ok_or_else(|| wrong(format!("{tag:?} has a value that is not a string.")))?;
                    write_optional(tag, text, &mut octets).map_err(|what| wrong(format!("{what}.")))?;
                }
            }
            Some(_) => return Err(wrong("The field tlvs is not an object of tags and strings.".to_owned())),
        }
        Ok(octets)
    }
}

/// "90s", "15m", "24h", "2d" in seconds.
fn seconds(text: &str) -> Option<u64> {
    let unit = match text.bytes().last()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 3_600,
        b'd' => 86_400,
        _ => return None,
    };
    text[..text.len() - 1].parse::<u64>().ok()?.checked_mul(unit)
}

fn malformed(code: &'static str, pointer: String, says: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code, says).at(pointer)
}

/// Names a field by RFC 6901: `~` and `/` in it are escaped, and a very long name is cut.
fn unknown(field: &str, base: &str, known: &str) -> Problem {
    let shown: String = field.chars().take(64).collect();
    let pointer = format!("{base}/{}", shown.replace('~', "~0").replace('/', "~1"));
    malformed("unknown_field", pointer, format!("There is no field {shown:?}; there are {known}."))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
