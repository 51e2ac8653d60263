//! A rate as an operator says it: "200/s", "30/m", "5000/h".

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// So many parts in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Parts, at least 1.
    pub parts: u32,
    /// In this time: a second, a minute or an hour.
    pub period: Duration,
}

impl Rate {
    /// Time between two parts at this rate, in nanoseconds; at least 1.
    pub fn interval_nanos(self) -> u64 {
        let nanos = self.period.as_nanos() / u128::from(self.parts.max(1));
        u64::try_from(nanos).unwrap_or(u64::MAX).max(1)
    }

    /// Parts in one second, at least 1: the burst that a tenant has unless it is told another.
    pub fn second_parts(self) -> u32 {
        let parts = u64::from(self.parts) / self.period.as_secs().max(1);
        u32::try_from(parts).unwrap_or(u32::MAX).max(1)
    }
}

/// A text that is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateError;

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write parts for each second, minute or hour, as in \"200/s\", \"30/m\" or \"5000/h\"")
    }
}

impl std::error::Error for RateError {}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Rate, RateError> {
        let (parts, unit) = text.split_once('/').ok_or(RateError)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return Err(RateError),
        };
        let digits = !parts.is_empty() && parts.bytes().all(|octet| octet.is_ascii_digit());
        let parts: u32 = if digits { parts.parse().map_err(|_| RateError)? } else { return Err(RateError) };
        if parts == 0 {
            return Err(RateError);
        }
        Ok(Rate { parts, period: Duration::from_secs(seconds) })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.period.as_secs() {
            60 => "m",
            3600 => "h",
            _ => "s",
        };
        write!(f, "{}/{unit}", self.parts)
    }
}

#[cfg(test)]
mod tests {
    use super::{Rate, RateError};

    #[test]
    fn rates_are_read_and_printed_back() {
        for (text, interval_nanos, second_parts) in [
            ("200/s", 5_000_000, 200),
            ("30/m", 2_000_000_000, 1),
            ("7200/h", 500_000_000, 2),
            ("1/h", 3_600_000_000_000, 1),
        ] {
            let rate: Rate = text.parse().expect("a rate");
            assert_eq!((rate.interval_nanos(), rate.second_parts()), (interval_nanos, second_parts), "{text}");
            assert_eq!(rate.to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "200", "200/", "/s", "0/s", "-1/s", "1.5/s", "200/d", "200 /s", "99999999999/s"] {
            assert_eq!(text.parse::<Rate>(), Err(RateError), "{text:?}");
        }
    }
}
