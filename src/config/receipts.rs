//! `receipt_format` of a tenant, and of a carrier the words about how its receipts are read.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::config::section::Section;
use crate::config::spelling::nearest;
use crate::config::value::Value;
use crate::message::receipt_format::{QuoteLabel, ReceiptFormat};

/// Octets of an error code of our own, as they stand in receipts and CDR.
const ERROR_OCTETS_MAX: usize = 8;
/// Half a day and a bit: no zone is farther from UTC.
const ZONE_MINUTES_MAX: i32 = 14 * 60;

const FIELDS: [&str; 10] = ["like", "labels", "counts", "dates", "states", "err", "text", "separator", "id", "tlvs"];
const TLVS: [&str; 3] = ["receipted_message_id", "message_state", "network_error_code"];

/// Reads `receipt_format = "jasmin"` or `receipt_format = { like = "standard", dates = 12, text = "Text:" }`.
pub(super) fn read_format(section: &mut Section<'_>) -> ReceiptFormat {
    const KEY: &str = "receipt_format";
    let Some(value) = section.value(KEY, Some("\"standard\"".to_owned())) else { return ReceiptFormat::STANDARD };
    let read = match value.value {
        DeValue::Table(table) => format_of(table, &value),
        _ => value.text().and_then(|word| one_of(&word, &ReceiptFormat::WORDS)),
    };
    read.unwrap_or_else(|what| {
        section.error(&value.place, KEY, what);
        ReceiptFormat::STANDARD
    })
}

fn format_of(table: &DeTable<'_>, value: &Value<'_>) -> Result<ReceiptFormat, String> {
    if let Some(name) = table.keys().find(|name| !FIELDS.contains(&name.get_ref().as_ref())) {
        let hint = nearest(name.get_ref(), FIELDS.iter().copied());
        return Err(format!("there is no field {:?}{hint}", name.get_ref()));
    }
    let field = |name: &str| {
        let found = table.get(name)?;
        Some(Value { value: found.get_ref(), source: value.source, place: value.place.clone() })
    };
    let word = |name: &str| field(name).map(|value| value.text().map_err(|what| format!("{name}: {what}"))).transpose();
    let mut format = ReceiptFormat::STANDARD;
    if let Some(like) = word("like")? {
        format = one_of(&like, &ReceiptFormat::WORDS)?;
    }
    if let Some(labels) = word("labels")? {
        format.upper_labels = one_of(&labels, &[("lower", false), ("upper", true)])?;
    }
    if let Some(states) = word("states")? {
        format.long_states = one_of(&states, &[("DELIVRD", false), ("DELIVERED", true)])?;
    }
    if let Some(text) = word("text")? {
        let labels = [("text:", QuoteLabel::Lower), ("Text:", QuoteLabel::Capital), ("", QuoteLabel::Absent)];
        format.quote = one_of(&text, &labels)?;
    }
    if let Some(separator) = word("separator")? {
        format.semicolons = one_of(&separator, &[(" ", false), (";", true)])?;
    }
    if let Some(id) = word("id")? {
        (format.response_id, format.receipt_id) = one_of(&id, &ReceiptFormat::IDS)?;
    }
    let count = |name: &str, most: i64| {
        field(name).map(|value| value.count(&(0..=most)).map_err(|what| format!("{name}: {what}"))).transpose()
    };
    format.count_digits = count("counts", 3)?.unwrap_or(format.count_digits);
    format.err_digits = count("err", ERROR_OCTETS_MAX as i64)?.unwrap_or(format.err_digits);
    format.date_digits = match count("dates", 14)? {
        None => format.date_digits,
        Some(digits @ (10 | 12 | 14)) => digits,
        Some(_) => return Err("dates: write 10, 12 or 14".to_owned()),
    };
    if let Some(tlvs) = field("tlvs") {
        let tlvs = tlvs.texts().map_err(|what| format!("tlvs: {what}"))?;
        for tlv in &tlvs {
            one_of(tlv, &TLVS.map(|name| (name, ())))?;
        }
        let listed = |name: &str| tlvs.iter().any(|tlv| tlv == name);
        (format.tlv_id, format.tlv_state, format.tlv_error) = (listed(TLVS[0]), listed(TLVS[1]), listed(TLVS[2]));
    }
    Ok(format)
}

/// What a word stands for, or all the words that there are.
fn one_of<T: Copy>(text: &str, words: &[(&'static str, T)]) -> Result<T, String> {
    let all = || words.iter().map(|(word, _)| format!("{word:?}")).collect::<Vec<_>>().join(", ");
    let found = words.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| *value).ok_or_else(|| format!("{text:?} is none of {}", all()))
}

/// Reads `receipt_zone = "+02:00"` as minutes east of Greenwich.
pub(super) fn read_zone(section: &mut Section<'_>) -> i32 {
    const KEY: &str = "receipt_zone";
    let text = section.text(KEY, "+00:00");
    let minutes = zone_minutes(&text);
    if minutes.is_none() {
        let place = section.place_of(KEY);
        section.error(&place, KEY, format!("{text:?} is no zone: write hours and minutes from UTC, as in \"+02:00\""));
    }
    minutes.unwrap_or(0)
}

fn zone_minutes(text: &str) -> Option<i32> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |digits: &str| {
        let plain = digits.len() == 2 && digits.bytes().all(|octet| octet.is_ascii_digit());
        plain.then(|| digits.parse::<i32>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= ZONE_MINUTES_MAX).then_some(sign * total)
}

/// Reads `receipt_errors = { "21b" = "027" }`.
pub(super) fn read_errors(section: &mut Section<'_>) -> BTreeMap<String, String> {
    const KEY: &str = "receipt_errors";
    let mut errors = BTreeMap::new();
    let Some(value) = section.value(KEY, Some("{}".to_owned())) else { return errors };
    let DeValue::Table(table) = value.value else {
        section.error(&value.place, KEY, "write a table, as in { \"21b\" = \"027\" }");
        return errors;
    };
    for (theirs, ours) in table.iter() {
        let place = value.source.place(theirs.span().start);
        let fits = |ours: &&str| {
            (1..=ERROR_OCTETS_MAX).contains(&ours.len()) && ours.bytes().all(|octet| octet.is_ascii_graphic())
        };
        match ours.get_ref().as_str().filter(fits) {
            Some(ours) => {
                errors.insert(theirs.get_ref().clone().into_owned(), ours.to_owned());
            }
            None => {
                let what = format!("{}: write a code of 1 to {ERROR_OCTETS_MAX} letters or digits", theirs.get_ref());
                section.error(&place, KEY, what);
            }
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_on_both_sides_of_greenwich() {
        let read = ["+02:00", "-03:30", "+00:00", "+14:00"].map(zone_minutes);
        assert_eq!(read, [Some(120), Some(-210), Some(0), Some(840)]);
        for wrong in ["", "2", "02:00", "+2:00", "+02", "+02:60", "+14:01", "+0a:00", "é"] {
            assert_eq!(zone_minutes(wrong), None, "{wrong}");
        }
    }
}
