//! `sluice inspect time`: an SMPP time string, and the moment in UTC that it means.

use serde::{Deserialize, Serialize};

use crate::smpp::calendar::{Civil, SECOND_MICROS};
use crate::smpp::time::parse_time;
use crate::tools::inspect::{Cell, parsed, receipt, written};

#[derive(Deserialize)]
struct Input<'a> {
    #[serde(borrow, default)]
    value: Cell<'a>,
    #[serde(borrow, default)]
    now_utc: Cell<'a>,
}

#[derive(Serialize)]
struct Row<'a> {
    kind: &'a str,
    result: &'a str,
    utc: &'a str,
}

/// Answers `{"field", "value", "now_utc"}` with `kind`, `result` and `utc`. Without `now_utc` it is now.
pub(super) fn answer(line: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let input: Input<'_> = parsed(line)?;
    let now = now_micros(&input.now_utc)?;
    let value = &input.value.0;
    let mut row = |kind: &str, result: &str, utc: &str| written(&Row { kind, result, utc }, out);
    let Ok(time) = parse_time(value.as_bytes(), now) else { return row("invalid", "invalid", "") };
    let Some(time) = time else { return row("null", "ok", "") };
    let kind = if value.ends_with('R') { "relative" } else { "absolute" };
    let result = match () {
        () if time.lenient => "lenient",
        () if time.micros < now => "ok_past",
        () => "ok",
    };
    row(kind, result, &utc(time.micros))
}

/// The present in microseconds since 1970: as the cell has it, else by the clock.
pub(super) fn now_micros(told: &Cell<'_>) -> Result<u64, String> {
    let micros = match &*told.0 {
        "" => jiff::Timestamp::now().as_microsecond(),
        told => {
            let time: Result<jiff::Timestamp, _> = told.parse();
            time.map_err(|_| format!("now_utc: {told:?} is not of the form 2026-11-21T12:00:00Z"))?.as_microsecond()
        }
    };
    u64::try_from(micros).map_err(|_| "now_utc: before 1970".to_owned())
}

/// `2026-11-21T12:00:00.0Z`.
fn utc(micros: u64) -> String {
    let tenths = micros % SECOND_MICROS / (SECOND_MICROS / 10);
    format!("{}.{tenths}Z", receipt::Clock(Civil::of(micros)))
}
