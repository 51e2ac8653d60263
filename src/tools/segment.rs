//! `sluice segment`: what a text takes, without sending it. Encoding, units, parts, and the characters that make it dear.

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::gateway::offline::{self, Offer};
use crate::text::offenders::{Offence, Offender, offenders};
use crate::text::segment::{Plan, plan, segment};
use crate::text::{Choice, Concat, Options, TextError};
use crate::tools::inspect::cell;
use crate::tools::{Fault, terminal};

/// Characters that are named one by one; a text of emoji would fill the screen.
const OFFENDERS_SHOWN_MAX: usize = 20;

/// Arguments of `sluice segment`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The text; read from standard input when it is absent or "-"
    text: Option<String>,
    /// The alphabet: what fits best, or one that is forced
    #[arg(long, value_enum, default_value = "auto")]
    encoding: EncodingChoice,
    /// How the parts of a long message are tied together
    #[arg(long, value_enum, default_value = "udh8")]
    concat: ConcatChoice,
    /// A destination, for its route and price (needs --config)
    #[arg(long, value_name = "NUMBER", requires = "config")]
    to: Option<String>,
    /// The configuration that routes and prices are taken from
    #[arg(long, value_name = "FILE")]
    config: Option<std::path::PathBuf>,
    /// Whose price; every tenant's when it is absent
    #[arg(long, value_name = "ID", requires = "to")]
    tenant: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum EncodingChoice {
    Auto,
    Gsm7,
    Ucs2,
    Latin1,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum ConcatChoice {
    Udh8,
    Udh16,
    Sar,
    Payload,
}

/// Runs `sluice segment`.
pub fn run(args: &Args) -> Result<(), Fault> {
    let text = terminal::argument_or_input(args.text.as_deref())?;
    let choice = match args.encoding {
        EncodingChoice::Auto => Choice::Auto,
        EncodingChoice::Gsm7 => Choice::Gsm7,
        EncodingChoice::Ucs2 => Choice::Ucs2,
        EncodingChoice::Latin1 => Choice::Latin1,
    };
    let concat = match args.concat {
        ConcatChoice::Udh8 => Concat::Udh8,
        ConcatChoice::Udh16 => Concat::Udh16,
        ConcatChoice::Sar => Concat::Sar,
        ConcatChoice::Payload => Concat::Payload,
    };
    let plan = plan(&text, Options::new(choice, concat)).map_err(|error| Fault::Failed(refused(&error)))?;
    let units = units_per_part(&text, &plan);
    let offers = args.offers()?;
    if args.json {
        let mut value = as_json(&text, &plan, &units);
        if args.to.is_some() {
            value["offers"] = offers.iter().map(|offer| offer_json(offer, plan.parts)).collect();
        }
        terminal::json(&value);
    } else {
        print(&text, &plan, &units);
        offers.iter().for_each(|offer| terminal::row("price", &offer_line(offer, plan.parts)));
    }
    Ok(())
}

impl Args {
    /// What each tenant, or the one that was named, would pay.
    fn offers(&self) -> Result<Vec<Offer>, Fault> {
        let (Some(to), Some(config)) = (&self.to, &self.config) else { return Ok(Vec::new()) };
        offline::offers(config, to, self.tenant.as_deref()).map_err(Fault::Misused)
    }
}

fn offer_line(offer: &Offer, parts: u8) -> String {
    let carrier = offer.carrier.as_ref().map_or("no carrier", |carrier| carrier.as_str());
    let price = match offer.total(parts) {
        Ok(Some(price)) => price,
        Ok(None) => "unpriced".to_owned(),
        Err(refused) => format!("not sent: {refused}"),
    };
    format!("{price} (tenant {}, carrier {carrier})", offer.tenant)
}

fn offer_json(offer: &Offer, parts: u8) -> Value {
    let (price, error) = match offer.total(parts) {
        Ok(price) => (price, None),
        Err(refused) => (None, Some(refused)),
    };
    json!({ "tenant": offer.tenant, "carrier": offer.carrier.as_ref().ok(), "price": price, "error": error })
}

/// A refusal with what to do about it. This is the user's own text, so the character may be shown.
fn refused(error: &TextError) -> String {
    match error {
        TextError::NotInAlphabet { character, at, alphabet } => {
            let (code, name, place) = (u32::from(*character), alphabet.name(), at + 1);
            format!(
                "character {place} ({character:?}, U+{code:04X}) is not in {name}: replace it or use --encoding auto"
            )
        }
        TextError::TooManyParts { .. } => format!("{error}: send it as several messages"),
    }
}

/// Units of text that each part takes, in order.
pub(super) fn units_per_part(text: &str, plan: &Plan) -> Vec<usize> {
    let (mut octets, mut ends) = (Vec::new(), Vec::new());
    segment(text, plan, 0, &mut octets, &mut ends).expect("the plan was made of this text");
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let header = usize::from(plan.header_octets);
    starts
        .zip(&ends)
        .map(|(start, end)| ((end - start) as usize).saturating_sub(header) / plan.alphabet.unit_octets())
        .collect()
}

fn as_json(text: &str, plan: &Plan, units: &[usize]) -> Value {
    let characters: Vec<Value> = offenders(text)
        .map(|offender| {
            json!({
                "at": offender.at_char,
                "character": offender.character.to_string(),
                "codepoint": format!("U+{:04X}", u32::from(offender.character)),
                "effect": offender.offence.name(),
            })
        })
        .collect();
    json!({
        "encoding": plan.alphabet.name(),
        "units": plan.units_total,
        "parts": plan.parts,
        "units_per_part": units,
        "header_octets": plan.header_octets,
        "characters": characters,
    })
}

fn print(text: &str, plan: &Plan, units: &[usize]) {
    terminal::row("encoding", plan.alphabet.name());
    terminal::row("units", &format!("{} (a part takes {})", plan.units_total, plan.part_units_max));
    let list: Vec<String> = units.iter().map(usize::to_string).collect();
    terminal::row("parts", &format!("{} ({})", plan.parts, list.join(" + ")));
    for offender in offenders(text).take(OFFENDERS_SHOWN_MAX) {
        terminal::row("character", &told(&offender));
    }
    let more = offenders(text).skip(OFFENDERS_SHOWN_MAX).count();
    if more > 0 {
        terminal::row("", &format!("and {more} more; --json names them all"));
    }
}

fn told(offender: &Offender) -> String {
    let does = match offender.offence {
        Offence::ForcesUcs2 => "is not in GSM-7 and makes the whole message UCS-2",
        Offence::CostsTwo => "takes two units",
    };
    let (place, character) = (offender.at_char + 1, offender.character);
    format!("{place} {character:?} U+{:04X} {does}", u32::from(character))
}

/// Answers one line of `sluice inspect segment --jsonl`. Cells are as the tables of test data have them: numbers may be strings.
pub(super) fn answer(input: &Value) -> Result<Value, String> {
    let cell = |name: &str| cell(input, name);
    let unit = input["text"].as_str().ok_or("text: missing or not a string")?;
    let repeat: usize = match cell("repeat")?.as_str() {
        "" => 1,
        told => told.parse().map_err(|_| format!("repeat: {told:?} is not a count"))?,
    };
    if unit.len().saturating_mul(repeat) > TEXT_OCTETS_MAX {
        return Err(format!("text: longer than {TEXT_OCTETS_MAX} octets"));
    }
    if !cell("national_ids")?.is_empty() {
        return Err("national_ids: national language tables are not built in".to_owned());
    }
    let choice = match cell("alphabet_option")?.as_str() {
        "" | "auto" => Choice::Auto,
        "gsm7" => Choice::Gsm7,
        "ucs2" => Choice::Ucs2,
        "latin1" => Choice::Latin1,
        other => return Err(format!("alphabet_option: {other:?} is none of auto, gsm7, ucs2, latin1")),
    };
    let concat = match cell("ref_bits")?.as_str() {
        "" | "8" => Concat::Udh8,
        "16" => Concat::Udh16,
        other => return Err(format!("ref_bits: {other:?} is neither 8 nor 16")),
    };
    let text = unit.repeat(repeat);
    match plan(&text, Options::new(choice, concat)) {
        Ok(plan) => Ok(row(&plan, "ok", &runs(&units_per_part(&text, &plan)))),
        Err(TextError::TooManyParts { parts, units_total }) => {
            let alphabet = alphabet_of(&text, choice);
            Ok(json!({
                "alphabet": alphabet, "locking_id": "0", "single_id": "0", "units_total": units_total.to_string(),
                "parts": parts.to_string(), "result": "too_long",
                "header_octets": concat.written_header_octets().to_string(), "units_per_part": "",
                "units_per_part_cluster": "",
            }))
        }
        Err(error) => Err(format!("text: {error}")),
    }
}

/// Octets of one text on one line at most.
const TEXT_OCTETS_MAX: usize = 1 << 20;

fn alphabet_of(text: &str, choice: Choice) -> &'static str {
    let ucs2 = choice == Choice::Ucs2 || (choice == Choice::Auto && offenders(text).any(forces_ucs2));
    match choice {
        _ if ucs2 => "ucs2",
        Choice::Latin1 => "latin1",
        _ => "gsm7",
    }
}

fn forces_ucs2(offender: Offender) -> bool {
    offender.offence == Offence::ForcesUcs2
}

fn row(plan: &Plan, result: &str, units_per_part: &str) -> Value {
    json!({
        "alphabet": plan.alphabet.name(), "locking_id": "0", "single_id": "0",
        "units_total": plan.units_total.to_string(), "parts": plan.parts.to_string(), "result": result,
        "header_octets": plan.header_octets.to_string(), "units_per_part": units_per_part,
        "units_per_part_cluster": "",
    })
}

/// 153, 153, 8 as "153x2|8": units of a part, and how many consecutive parts take as many.
fn runs(units: &[usize]) -> String {
    let runs = units.chunk_by(|a, b| a == b).map(|run| match run {
        [one] => one.to_string(),
        _ => format!("{}x{}", run[0], run.len()),
    });
    runs.collect::<Vec<_>>().join("|")
}
