//! `sluice inspect time`: an SMPP time string, and the moment in UTC that it means.

use serde_json::{Value, json};

use crate::smpp::calendar::{Civil, SECOND_MICROS};
use crate::smpp::time::parse_time;
use crate::tools::inspect::{cell, receipt};

/// Answers `{"field", "value", "now_utc"}` with `kind`, `result` and `utc`. Without `now_utc` it is now.
pub(super) fn answer(input: &Value) -> Result<Value, String> {
    let value = cell(input, "value")?;
    let now = match cell(input, "now_utc")?.as_str() {
        "" => u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or(0),
        told => micros_of(told).ok_or_else(|| format!("now_utc: {told:?} is not of the form 2026-11-21T12:00:00Z"))?,
    };
    let row = |kind: &str, result: &str, utc: &str| json!({ "kind": kind, "result": result, "utc": utc });
    let Ok(parsed) = parse_time(value.as_bytes(), now) else { return Ok(row("invalid", "invalid", "")) };
    let Some(time) = parsed else { return Ok(row("null", "ok", "")) };
    let kind = if value.ends_with('R') { "relative" } else { "absolute" };
    let result = match () {
        () if time.lenient => "lenient",
        () if time.micros < now => "ok_past",
        () => "ok",
    };
    Ok(row(kind, result, &written(time.micros)))
}

/// `2026-11-21T12:00:00.0Z`.
fn written(micros: u64) -> String {
    let tenths = micros % SECOND_MICROS / (SECOND_MICROS / 10);
    format!("{}.{tenths}Z", receipt::written(&Civil::of(micros)))
}

fn micros_of(text: &str) -> Option<u64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(time.as_microsecond()).ok()
}
