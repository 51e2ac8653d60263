//! Money as the demonstration counts it: on its own, from decimal text, so that it can contradict the daemon.

use std::collections::BTreeMap;
use std::fmt;

/// Sums in millionths, by currency.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sums(BTreeMap<String, i64>);

impl Sums {
    /// Adds so many millionths.
    pub(crate) fn add(&mut self, micros: i64, currency: &str) {
        *self.0.entry(currency.to_owned()).or_default() += micros;
    }

    /// Adds a decimal amount.
    pub(crate) fn add_decimal(&mut self, amount: &str, currency: &str) -> Result<(), String> {
        self.add(micros(amount)?, currency);
        Ok(())
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sums = self.0.iter().filter(|(_, micros)| **micros != 0);
        let words: Vec<String> = sums.map(|(currency, micros)| format!("{} {currency}", decimal(*micros))).collect();
        f.write_str(if words.is_empty() { "0" } else { "" })?;
        f.write_str(&words.join(" + "))
    }
}

/// Reads a decimal amount with at most six places.
pub(crate) fn micros(amount: &str) -> Result<i64, String> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    let digits = whole.bytes().chain(fraction.bytes()).all(|octet| octet.is_ascii_digit());
    if fraction.len() > 6 || !digits || whole.is_empty() {
        return Err(format!("{amount:?} is no amount"));
    }
    format!("{whole}{fraction:0<6}").parse().map_err(|_| format!("{amount:?} is no amount"))
}

/// Writes millionths with four places, or with as many as it takes.
pub(crate) fn decimal(micros: i64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.strip_suffix("00").map_or_else(|| text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written() {
        assert_eq!(micros("0.0264"), Ok(26_400));
        assert_eq!(micros("12"), Ok(12_000_000));
        assert!(micros("-1").is_err() && micros("0.0000001").is_err() && micros("").is_err());
        assert_eq!(decimal(26_400), "0.0264");
        assert_eq!(decimal(1_000_001), "1.000001");
        let mut sums = Sums::default();
        assert_eq!(sums.to_string(), "0");
        sums.add(26_400, "GBP");
        assert_eq!(sums.add_decimal("0.0736", "GBP"), Ok(()));
        sums.add(5, "EUR");
        assert_eq!(sums.to_string(), "0.000005 EUR + 0.1000 GBP");
    }
}
