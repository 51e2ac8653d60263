//! The bill, three times over: from the daemon's CDR files, from its API, and from what the carrier says it took at
//! the prices that were agreed.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::tools::demo::amount::{Sums, micros};
use crate::tools::demo::script::Script;

/// One row of the bill: a tenant's parts to a prefix.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Row {
    pub(crate) messages: u64,
    pub(crate) parts: u64,
    /// Parts that the carrier took, which are the ones that cost something.
    pub(crate) charged: u64,
    pub(crate) amount: Sums,
}

/// Rows by tenant and prefix.
pub(crate) type Rows = BTreeMap<(&'static str, &'static str), Row>;

/// Lines of all CDR files below this directory.
pub(crate) fn cdr_lines(directory: &Path) -> Result<Vec<Value>, String> {
    let failed = |error: std::io::Error| format!("cannot read the CDR files: {error}");
    let mut lines = Vec::new();
    let Ok(entries) = std::fs::read_dir(directory) else { return Ok(lines) };
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let text = std::fs::read_to_string(&path).map_err(failed)?;
        // What stands behind the last line end is still being written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines() {
            lines.push(serde_json::from_str(line).map_err(|error| format!("{}: {error}: {line}", path.display()))?);
        }
    }
    Ok(lines)
}

/// The sum of all CDR lines.
pub(crate) fn sum_of_cdr(lines: &[Value]) -> Result<Sums, String> {
    let mut sums = Sums::default();
    for line in lines {
        let field = |name: &str| line[name].as_str().ok_or_else(|| format!("a CDR line without {name}: {line}"));
        sums.add_decimal(field("price")?, field("currency")?)?;
    }
    Ok(sums)
}

/// The sum of the prices of all parts in these answers of `GET /v1/messages/{id}`.
pub(crate) fn sum_of_answers(answers: &[Value]) -> Result<Sums, String> {
    let mut sums = Sums::default();
    for price in answers.iter().flat_map(|answer| answer["part_list"].as_array()).flatten().map(|part| &part["price"]) {
        let field =
            |name: &str| price[name].as_str().ok_or_else(|| format!("a part whose price has no {name}: {price}"));
        sums.add_decimal(field("amount")?, field("currency")?)?;
    }
    Ok(sums)
}

/// Accepted parts by destination, from the carrier's own record.
pub(crate) fn taken_by_carrier(record: &Path) -> Result<BTreeMap<String, u64>, String> {
    let text = std::fs::read_to_string(record).map_err(|error| format!("cannot read the carrier's record: {error}"))?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut taken = BTreeMap::new();
    for line in whole.lines() {
        let seen: Value =
            serde_json::from_str(line).map_err(|error| format!("the carrier's record: {error}: {line}"))?;
        if seen["status"] == 0 {
            *taken.entry(seen["dest"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    Ok(taken)
}

/// The bill by tenant and prefix, and its sum, from the carrier's record and the price list alone.
pub(crate) fn by_carrier(accepted: &[&Script], taken: &BTreeMap<String, u64>) -> Result<(Rows, Sums), String> {
    let mut rows = Rows::new();
    let mut total = Sums::default();
    for message in accepted {
        let (prefix, amount, currency) = message.price().ok_or("an accepted message without a price")?;
        let charged = taken.get(&message.to).copied().unwrap_or(0);
        let cost = micros(amount)? * i64::try_from(charged).map_err(|_| "too many parts")?;
        let row = rows.entry((message.tenant, prefix)).or_default();
        row.messages += 1;
        row.parts += u64::from(message.parts());
        row.charged += charged;
        row.amount.add(cost, currency);
        total.add(cost, currency);
    }
    Ok((rows, total))
}
