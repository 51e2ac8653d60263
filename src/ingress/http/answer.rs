//! Rows of answers: what was accepted, what was replaced in its text, and what replacing would save. Lists of places are written as
//! they are found, because a text may have thousands.

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::ingress::accept::Suggestion;
use crate::ingress::http::problem::Problem;
use crate::ingress::http::render::{self, Taken};
use crate::message::Money;
use crate::message::smart::Smart;
use crate::text::dear::{Dear, look};
use crate::text::replace::{Form, Reach, replacements};
use crate::text::segment::plan;
use crate::text::{Alphabet, Choice, Options};

/// One message of an answer.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    /// As [`Taken::to_json`] gives it.
    #[serde(flatten)]
    pub(super) taken: Value,
    /// Told where replacing was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<Places<'a>>,
    /// Told where advice was asked for; null if replacing does not help.
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<Option<Suggested<'a>>>,
    /// Told in a preview.
    #[serde(flatten)]
    looked: Option<Looked>,
}

/// A text and how far its characters are replaced: the list of the places.
struct Places<'a> {
    text: &'a str,
    alphabet: Alphabet,
    reach: Reach,
}

#[derive(Serialize)]
struct Place<'a> {
    at: usize,
    from: &'a str,
    #[serde(serialize_with = "plain")]
    to: Form,
}

#[derive(Serialize)]
struct Suggested<'a> {
    encoding: &'static str,
    parts: u8,
    price: Value,
    saves: Saves,
    replaced: Places<'a>,
}

#[derive(Serialize)]
struct Saves {
    parts: u8,
    price: Value,
}

#[derive(Serialize)]
struct Looked {
    characters: Vec<Character>,
    /// Kinds of dear characters beyond those that are named.
    characters_more: usize,
}

#[derive(Serialize)]
struct Character {
    at: usize,
    count: usize,
    character: String,
    codepoint: String,
    effect: &'static str,
    replacement: Option<String>,
    saves: Option<Saves>,
}

impl Serialize for Places<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let places = replacements(self.text, self.alphabet, self.reach);
        serializer.collect_seq(places.map(|place| Place { at: place.at, from: place.from, to: place.to }))
    }
}

fn plain<S: Serializer>(form: &Form, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(form.as_str())
}

impl<'a> Row<'a> {
    /// The row of a message that was accepted, or would be. `text` is as its sender gave it.
    pub(super) fn new(taken: Taken, id: Option<&str>, text: &'a str, choice: Choice, smart: Smart) -> Row<'a> {
        let places = |reach| Places { text, alphabet: choice.aim().unwrap_or(Alphabet::Ucs2), reach };
        // What was replaced is told whatever the mode is now: a repeated request may find another than it had.
        let told = smart == Smart::Transliterate || taken.replaced != Reach::Nothing;
        let suggested = |better: Suggestion| Suggested {
            encoding: better.encoding.name(),
            parts: better.parts,
            price: render::price(better.price),
            saves: saves(taken.parts.saturating_sub(better.parts), per_part(taken.price, taken.parts)),
            replaced: places(better.reach),
        };
        Row {
            taken: taken.to_json(id),
            replaced: told.then(|| places(taken.replaced)),
            suggestion: (smart == Smart::Suggest).then(|| taken.suggestion.map(suggested)),
            looked: None,
        }
    }

    /// Adds what a preview tells: the dear characters of the text as it was given, each with what replacing it would save, and what
    /// replacing all of them would. `price` is that of one part. A text that could not go as it was given has nothing to compare with.
    pub(super) fn with_look(mut self, text: &'a str, options: Options, price: Option<Money>) -> Row<'a> {
        let given = plan(text, options).ok();
        let dears = given.map(|given| look(text, options, &given)).unwrap_or_default();
        self.suggestion = Some(given.zip(dears.together).map(|(given, better)| Suggested {
            encoding: better.plan.alphabet.name(),
            parts: better.plan.parts,
            price: render::price(times(price, better.plan.parts)),
            saves: saves(given.parts.saturating_sub(better.plan.parts), price),
            replaced: Places { text, alphabet: better.alphabet, reach: better.reach },
        }));
        let characters = dears.kinds.iter().map(|dear| character(dear, price)).collect();
        self.looked = Some(Looked { characters, characters_more: dears.more });
        self
    }
}

/// The rows of many messages, with a problem for each that was refused.
#[derive(Serialize)]
pub(super) struct Rows<'a> {
    messages: Vec<Told<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Told<'a> {
    Row(Row<'a>),
    Refused { error: Value },
}

impl<'a> Rows<'a> {
    /// In the order of the request.
    pub(super) fn new(rows: Vec<Result<Row<'a>, Problem>>) -> Rows<'a> {
        let told = |row: Result<Row<'a>, Problem>| match row {
            Ok(row) => Told::Row(row),
            Err(problem) => Told::Refused { error: problem.to_json() },
        };
        Rows { messages: rows.into_iter().map(told).collect() }
    }
}

fn character(dear: &Dear<'_>, price: Option<Money>) -> Character {
    let codepoints: Vec<String> = dear.text.chars().map(|one| format!("U+{:04X}", u32::from(one))).collect();
    Character {
        at: dear.at,
        count: dear.count,
        character: dear.text.to_owned(),
        codepoint: codepoints.join(" "),
        effect: dear.offence.name(),
        replacement: dear.form.map(|form| form.as_str().to_owned()),
        saves: dear.form.map(|_| saves(dear.parts_saved, price)),
    }
}

/// The price of one of `parts` parts that cost this together.
pub(super) fn per_part(total: Option<Money>, parts: u8) -> Option<Money> {
    total.map(|total| Money { micros: total.micros / i64::from(parts.max(1)), ..total })
}

fn times(price: Option<Money>, parts: u8) -> Option<Money> {
    price.map(|price| Money { micros: price.micros.saturating_mul(i64::from(parts)), ..price })
}

fn saves(parts: u8, per_part: Option<Money>) -> Saves {
    Saves { parts, price: render::price(times(per_part, parts)) }
}
