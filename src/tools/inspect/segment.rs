//! `sluice inspect segment`: how a text is cut, in the cells of the tables of test data.

use serde_json::{Value, json};

use crate::text::national::{Languages, best_tables};
use crate::text::segment::{Plan, plan};
use crate::text::{Alphabet, Choice, Concat, Options, TextError};
use crate::tools::inspect::cell;
use crate::tools::segment::units_per_part;

/// Octets of one text on one line at most.
const TEXT_OCTETS_MAX: usize = 1 << 20;

/// Answers one line. Cells are as the tables have them: numbers may be strings, identifiers are joined by `;`.
pub(super) fn answer(input: &Value) -> Result<Value, String> {
    let unit = input["text"].as_str().ok_or("text: missing or not a string")?;
    let repeat: usize = match cell(input, "repeat")?.as_str() {
        "" => 1,
        told => told.parse().map_err(|_| format!("repeat: {told:?} is not a count"))?,
    };
    if unit.len().saturating_mul(repeat) > TEXT_OCTETS_MAX {
        return Err(format!("text: longer than {TEXT_OCTETS_MAX} octets"));
    }
    let options = options(input)?;
    let text = unit.repeat(repeat);
    match plan(&text, options) {
        Ok(plan) => Ok(row(&text, &plan, options)),
        Err(TextError::TooManyParts { parts, units_total }) => Ok(too_long(&text, options, parts, units_total)),
        Err(error) => Err(format!("text: {error}")),
    }
}

fn options(input: &Value) -> Result<Options, String> {
    let choice = match cell(input, "alphabet_option")?.as_str() {
        "" | "auto" => Choice::Auto,
        "gsm7" => Choice::Gsm7,
        "ucs2" => Choice::Ucs2,
        "latin1" => Choice::Latin1,
        other => return Err(format!("alphabet_option: {other:?} is none of auto, gsm7, ucs2, latin1")),
    };
    let concat = match cell(input, "ref_bits")?.as_str() {
        "" | "8" => Concat::Udh8,
        "16" => Concat::Udh16,
        other => return Err(format!("ref_bits: {other:?} is neither 8 nor 16")),
    };
    let mut languages = Languages::NONE;
    for told in cell(input, "national_ids")?.split(';').map(str::trim).filter(|told| !told.is_empty()) {
        let id = told.parse().ok().filter(|&id| Languages::ALL.has(id));
        languages = languages.with(id.ok_or_else(|| format!("national_ids: {told:?} is no language from 1 to 13"))?);
    }
    Ok(Options { languages, ..Options::new(choice, concat) })
}

fn row(text: &str, plan: &Plan, options: Options) -> Value {
    // Only where a character takes several code points can whole clusters be cut otherwise.
    let whole = || crate::text::segment::plan(text, Options { clusters: true, ..options }).ok();
    let clusters = if plan.alphabet == Alphabet::Ucs2 { whole() } else { None };
    json!({
        "alphabet": plan.alphabet.name(),
        "locking_id": plan.locking.to_string(),
        "single_id": plan.single.to_string(),
        "units_total": plan.units_total.to_string(),
        "parts": plan.parts.to_string(),
        "result": "ok",
        "header_octets": plan.header_octets.to_string(),
        "units_per_part": runs(&units_per_part(text, plan)),
        "units_per_part_cluster": clusters.map(|plan| runs(&units_per_part(text, &plan))).unwrap_or_default(),
    })
}

/// The row of a text that needs too many parts: what they would be.
fn too_long(text: &str, options: Options, parts: usize, units_total: usize) -> Value {
    let tables = || best_tables(text, options);
    let (alphabet, (locking, single)) = match options.choice {
        Choice::Latin1 | Choice::AutoLatin1 => (Alphabet::Latin1, (0, 0)),
        Choice::Ucs2 => (Alphabet::Ucs2, (0, 0)),
        Choice::Auto | Choice::Gsm7 => tables().map_or((Alphabet::Ucs2, (0, 0)), |tables| (Alphabet::Gsm7, tables)),
    };
    let elements = u8::from(locking != 0) + u8::from(single != 0);
    json!({
        "alphabet": alphabet.name(),
        "locking_id": locking.to_string(),
        "single_id": single.to_string(),
        "units_total": units_total.to_string(),
        "parts": parts.to_string(),
        "result": "too_long",
        "header_octets": (options.concat.written_header_octets() + 3 * elements).to_string(),
        "units_per_part": "",
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
