//! Durations and sizes as an operator says them: "250ms", "30s", "72h"; "64KiB", "16GiB".

use std::time::Duration;

/// Reads a whole number with a unit: us, ms, s, m, h, d.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time: write a whole number with us, ms, s, m, h or d, as in \"30s\"");
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let micros: u64 = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(micros).map(Duration::from_micros).ok_or_else(wrong)
}

/// Reads a whole number of octets with a unit: B, KiB, MiB, GiB, TiB.
pub(super) fn octets(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no size: write a whole number with B, KiB, MiB, GiB or TiB, as in \"64KiB\"");
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let shift = match unit {
        "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return Err(wrong()),
    };
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

/// Digits and what follows them.
fn split(text: &str) -> Option<(u64, &str)> {
    let at = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{duration, octets};

    #[test]
    fn units_are_read_exactly() {
        assert_eq!(duration("500us"), Ok(Duration::from_micros(500)));
        assert_eq!(duration("72h"), Ok(Duration::from_secs(259_200)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(octets("64KiB"), Ok(65_536));
        assert_eq!(octets("0B"), Ok(0));
        for text in ["", "5", "s", "5 s", "1.5s", "-1s", "5S", "99999999999999999999s", "18446744073709551615d"] {
            assert!(duration(text).is_err(), "{text:?}");
        }
        for text in ["", "5", "5KB", "5 MiB", "18446744073709551615TiB"] {
            assert!(octets(text).is_err(), "{text:?}");
        }
    }
}
