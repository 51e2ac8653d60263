//! What `sluice segment` says about dear characters: which they are, what may stand for them, and what replacing them saves.

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::gateway::offline::Offer;
use crate::text::dear::{Dear, Dears, Offence, look};
use crate::text::replace::{Better, Reach, better, replacements};
use crate::text::segment::{Plan, plan};
use crate::text::{Options, TextError};
use crate::tools::terminal;

/// What is done about dear characters.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SmartChoice {
    /// They are named
    Strict,
    /// They are named, with what replacing them would save
    Suggest,
    /// They are replaced where that helps
    Transliterate,
}

/// What would become of a text.
pub(super) struct Dry<'a> {
    smart: SmartChoice,
    text: &'a str,
    /// The text that would be sent.
    pub(super) sent: String,
    /// What it would take.
    pub(super) plan: Plan,
    /// What the text as it was given would take; `None` if it could not go.
    given: Option<Plan>,
    replaced: Option<Better>,
    dears: Dears<'a>,
}

impl<'a> Dry<'a> {
    /// Looks at a text as it would be laid out by these options.
    pub(super) fn of(text: &'a str, options: Options, smart: SmartChoice) -> Result<Dry<'a>, TextError> {
        let given = plan(text, options);
        let mut sent = String::new();
        let reach_max = if smart == SmartChoice::Transliterate { Reach::Letters } else { Reach::Nothing };
        let replaced = better(text, options, &given, reach_max, &mut sent);
        let plan = match replaced {
            Some(better) => better.plan,
            None => {
                sent = text.to_owned();
                given?
            }
        };
        let dears = given.map(|given| look(text, options, &given)).unwrap_or_default();
        Ok(Dry { smart, text, sent, plan, given: given.ok(), replaced, dears })
    }

    /// The keys of an answer that speak of characters.
    pub(super) fn add_to(&self, value: &mut Value) {
        let advised = self.smart != SmartChoice::Strict;
        value["characters"] = self.dears.kinds.iter().map(|dear| character_json(dear, advised)).collect();
        value["characters_more"] = json!(self.dears.more);
        if advised {
            value["suggestion"] = self.suggestion().map_or(Value::Null, |(better, parts)| {
                json!({
                    "encoding": better.plan.alphabet.name(), "parts": better.plan.parts, "saves": { "parts": parts },
                    "replaced": self.places(Some(better)),
                })
            });
        }
        if self.smart == SmartChoice::Transliterate {
            value["replaced"] = self.places(self.replaced);
        }
    }

    /// Prints a row for each kind of character, and one for all of them.
    pub(super) fn print(&self) {
        for dear in &self.dears.kinds {
            terminal::row("character", &told(dear, self.smart != SmartChoice::Strict));
        }
        if self.dears.more > 0 {
            terminal::row("", &format!("and {} more kinds", self.dears.more));
        }
        for place in self.replaced.iter().flat_map(|better| replacements(self.text, better.alphabet, better.reach)) {
            terminal::row(
                "replaced",
                &format!("{}: {} by {}", place.at + 1, quoted(place.from), quoted(place.to.as_str())),
            );
        }
        if let Some((better, parts)) = self.suggestion().filter(|_| self.smart == SmartChoice::Suggest) {
            let (name, all) = (better.plan.alphabet.name(), better.plan.parts);
            terminal::row("replacing all", &format!("makes it {name} in {}, {}", parts_of(all), saves(parts)));
        }
    }

    /// What an offer would be with the money that replacing saves: each kind alone, and all together.
    pub(super) fn savings_json(&self, offer: &Offer) -> Value {
        let saves = |parts: u8| json!({ "parts": parts, "price": offer.total(parts).ok().flatten() });
        let kinds = self.dears.kinds.iter().filter(|dear| dear.form.is_some());
        let kinds: Vec<Value> =
            kinds.map(|dear| json!({ "character": dear.text, "saves": saves(dear.parts_saved) })).collect();
        json!({ "characters": kinds, "together": self.suggestion().map(|(_, parts)| saves(parts)) })
    }

    /// The money that replacing all would save, in words; `None` if there is nothing to save.
    pub(super) fn savings_line(&self, offer: &Offer) -> Option<String> {
        let (_, parts) = self.suggestion().filter(|(_, parts)| *parts > 0 && self.smart == SmartChoice::Suggest)?;
        Some(format!("replacing all saves {}", offer.total(parts).ok().flatten()?))
    }

    /// What replacing all makes of the text, and how many parts that saves.
    fn suggestion(&self) -> Option<(Better, u8)> {
        let (given, better) = self.given.zip(self.dears.together)?;
        Some((better, given.parts.saturating_sub(better.plan.parts)))
    }

    fn places(&self, better: Option<Better>) -> Value {
        let places = better.into_iter().flat_map(|better| replacements(self.text, better.alphabet, better.reach));
        places.map(|place| json!({ "at": place.at, "from": place.from, "to": place.to.as_str() })).collect()
    }
}

fn parts_of(parts: u8) -> String {
    terminal::counted(usize::from(parts), "part")
}

/// What replacing saves, in words.
fn saves(parts: u8) -> String {
    if parts == 0 { "saves no part".to_owned() } else { format!("saves {}", parts_of(parts)) }
}

/// A character in quotes; one that cannot be seen as its number.
fn quoted(text: &str) -> String {
    let shown = text.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'");
    if shown.contains('"') { format!("'{shown}'") } else { format!("\"{shown}\"") }
}

fn codepoints(text: &str) -> String {
    let all: Vec<String> = text.chars().map(|character| format!("U+{:04X}", u32::from(character))).collect();
    all.join(" ")
}

fn character_json(dear: &Dear<'_>, advised: bool) -> Value {
    let mut value = json!({
        "at": dear.at, "count": dear.count, "character": dear.text, "codepoint": codepoints(dear.text),
        "effect": dear.offence.name(),
    });
    if advised {
        value["replacement"] = json!(dear.form.as_ref().map(|form| form.as_str()));
        value["saves"] = dear.form.map_or(Value::Null, |_| json!({ "parts": dear.parts_saved }));
    }
    value
}

fn told(dear: &Dear<'_>, advised: bool) -> String {
    let does = match dear.offence {
        Offence::ForcesUcs2 => "makes the whole message UCS-2",
        Offence::CostsTwo => "takes two units",
        Offence::NeedsTable => "needs a national table, which takes room in every part",
    };
    let often = if dear.count > 1 { format!(", {} times", dear.count) } else { String::new() };
    let named = format!("{}: {} {}{often} {does}", dear.at + 1, quoted(dear.text), codepoints(dear.text));
    let saves = saves(dear.parts_saved);
    match dear.form.filter(|_| advised) {
        Some(form) if form.as_str().is_empty() => format!("{named}; leaving it out {saves}"),
        Some(form) => format!("{named}; {} in its place {saves}", quoted(form.as_str())),
        None => named,
    }
}
