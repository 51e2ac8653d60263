//! Reading money as people write it, "0.0264 GBP", exactly: digits in, integer micro-units out, no floats between.

use std::fmt;
use std::str::FromStr;

use crate::message::{Currency, Money};

/// Decimals that an amount may have: a micro-unit is the smallest.
const DECIMALS_MAX: usize = 6;

/// Why a text is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountError {
    /// Not of the form "0.0264 GBP".
    Form,
    /// More than six decimals: it cannot be kept exactly.
    TooFine,
    /// Does not fit into 64 bits of micro-units.
    TooLarge,
}

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AmountError::Form => "write an amount and a currency of three capital letters, as in \"0.0264 GBP\"",
            AmountError::TooFine => "an amount has at most six decimals",
            AmountError::TooLarge => "the amount is too large",
        })
    }
}

impl std::error::Error for AmountError {}

impl FromStr for Money {
    type Err = AmountError;

    /// Reads digits, at most six decimals, one space and an ISO 4217 code. There are no signs: prices and credits are
    /// never negative.
    fn from_str(text: &str) -> Result<Money, AmountError> {
        let (amount, currency) = text.split_once(' ').ok_or(AmountError::Form)?;
        Ok(Money { micros: micros(amount)?, currency: currency.parse()? })
    }
}

impl FromStr for Currency {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Currency, AmountError> {
        let letters: [u8; 3] = text.as_bytes().try_into().map_err(|_| AmountError::Form)?;
        if letters.iter().all(u8::is_ascii_uppercase) { Ok(Currency(letters)) } else { Err(AmountError::Form) }
    }
}

/// Micro-units of a decimal number.
fn micros(amount: &str) -> Result<i64, AmountError> {
    let (whole, decimals) = amount.split_once('.').unwrap_or((amount, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    if !digits(whole) || !digits(decimals) {
        return Err(AmountError::Form);
    }
    if decimals.len() > DECIMALS_MAX {
        return Err(AmountError::TooFine);
    }
    let whole: i64 = whole.parse().map_err(|_| AmountError::TooLarge)?;
    let fraction = format!("{decimals:0<DECIMALS_MAX$}").parse::<i64>().map_err(|_| AmountError::TooLarge)?;
    whole.checked_mul(1_000_000).and_then(|micros| micros.checked_add(fraction)).ok_or(AmountError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::AmountError;
    use crate::message::{Currency, Money};

    #[test]
    fn amounts_are_read_exactly_and_printed_back() {
        let cases = [("0.0264 GBP", 26_400), ("0.00 EUR", 0), ("100.00 GBP", 100_000_000), ("0.000001 USD", 1)];
        for (text, micros) in cases {
            let money: Money = text.parse().expect("an amount");
            assert_eq!(money.micros, micros);
            assert_eq!(money.to_string(), text);
        }
        assert_eq!("7 GBP".parse(), Ok(Money { micros: 7_000_000, currency: Currency(*b"GBP") }));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "0.02", "GBP", "0,02 GBP", "-1 GBP", "+1 GBP", ".5 GBP", "1. GBP", "1 gbp", "1  GBP", "1 GBPX"]
        {
            assert_eq!(text.parse::<Money>(), Err(AmountError::Form), "{text:?}");
        }
        assert_eq!("0.0000001 GBP".parse::<Money>(), Err(AmountError::TooFine));
        assert_eq!("9223372036854775807 GBP".parse::<Money>(), Err(AmountError::TooLarge));
        assert_eq!("99999999999999999999 GBP".parse::<Money>(), Err(AmountError::TooLarge));
    }
}
