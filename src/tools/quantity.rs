//! What instruments are told on the command line: rates as `200/s`, probabilities, times in milliseconds; and the
//! small arithmetic on them.

use std::hash::Hasher;
use std::time::Duration;

/// Events a second, as `200/s` or `200`. Greater than zero.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Rate {
    pub(crate) per_second: f64,
}

/// A probability between 0 and 1, kept as the share of all 64-bit numbers that count as a hit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Chance(u64);

impl Rate {
    /// Time between two events.
    pub(crate) fn interval(self) -> Duration {
        Duration::from_secs_f64(1.0 / self.per_second)
    }
}

impl Chance {
    pub(crate) const NEVER: Chance = Chance(0);

    /// Whether a number drawn evenly from all 64-bit numbers is a hit.
    pub(crate) fn hit(self, drawn: u64) -> bool {
        drawn < self.0 || self.0 == u64::MAX
    }
}

/// Reads `200/s` or `200`.
pub(crate) fn rate(text: &str) -> Result<Rate, String> {
    let number = text.trim().strip_suffix("/s").unwrap_or(text.trim());
    match number.parse::<f64>() {
        Ok(per_second) if per_second.is_finite() && per_second > 0.0 => Ok(Rate { per_second }),
        _ => Err(format!("{text:?} is not a rate: write for example 200/s")),
    }
}

/// Reads a probability.
pub(crate) fn chance(text: &str) -> Result<Chance, String> {
    match text.trim().parse::<f64>() {
        // The conversion saturates: 1 becomes the largest number, which `hit` reads as always.
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(Chance((share * 2f64.powi(64)) as u64)),
        _ => Err(format!("{text:?} is not a probability between 0 and 1")),
    }
}

/// Reads milliseconds.
pub(crate) fn milliseconds(text: &str) -> Result<Duration, String> {
    let number = text.trim().strip_suffix("ms").unwrap_or(text.trim());
    number.parse().map(Duration::from_millis).map_err(|_| format!("{text:?} is not a number of milliseconds"))
}

/// Reads seconds, at most a day of them.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| (0.01..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| format!("{text:?} are no seconds: write for example 0.5 or 3"))
}

/// A time in whole microseconds.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Appends a number in decimal, with zeros before it up to `width` digits.
pub(crate) fn write_decimal(mut number: u64, width: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    while number > 0 {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&digits[at.min(digits.len().saturating_sub(width.max(1)))..]);
}

/// Folds octets into 64 bits, eight at a time. For telling things apart in an instrument, not against an attacker.
pub(crate) fn fold(octets: &[u8], seed: u64) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, word: u64| {
        let product = u128::from(hash ^ word ^ FACTOR) * u128::from(FACTOR ^ hash.rotate_left(29));
        (product as u64) ^ ((product >> 64) as u64)
    };
    let mut hash = seed ^ (octets.len() as u64).wrapping_mul(FACTOR);
    let mut chunks = octets.chunks_exact(8);
    for chunk in &mut chunks {
        hash = mix(hash, u64::from_le_bytes(chunk.try_into().expect("chunks of eight octets")));
    }
    let mut last = [0; 8];
    last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    mix(mix(hash, u64::from_le_bytes(last)), FACTOR)
}

/// A hasher for maps keyed by what [`fold`] made: such a number is its own hash.
#[derive(Default)]
pub(crate) struct Itself(u64);

impl Hasher for Itself {
    fn write(&mut self, octets: &[u8]) {
        self.0 = fold(octets, self.0);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_people_write_them() {
        assert_eq!(rate("200/s"), Ok(Rate { per_second: 200.0 }));
        assert_eq!(rate("0.5").map(Rate::interval), Ok(Duration::from_secs(2)));
        assert!(rate("0/s").is_err() && rate("fast").is_err());
        assert_eq!(milliseconds("250ms"), Ok(Duration::from_millis(250)));
        assert!(chance("1.5").is_err());
        let (never, always) = (chance("0").expect("a probability"), chance("1").expect("a probability"));
        assert!(!never.hit(0) && always.hit(u64::MAX) && always.hit(0));
        let half = chance("0.5").expect("a probability");
        assert!(half.hit(u64::MAX / 2 - 1) && !half.hit(u64::MAX / 2 + 2));
    }

    #[test]
    fn decimals_are_padded_and_never_cut() {
        let of = |number, width| {
            let mut out = Vec::new();
            write_decimal(number, width, &mut out);
            String::from_utf8(out).expect("digits")
        };
        assert_eq!(of(0, 0), "0");
        assert_eq!(of(42, 8), "00000042");
        assert_eq!(of(u64::MAX, 4), "18446744073709551615");
    }

    #[test]
    fn folding_tells_small_differences_apart() {
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..10_000u32 {
            assert!(seen.insert(fold(format!("text number {number}").as_bytes(), 7)), "{number} collides");
        }
        assert_ne!(fold(b"a\0", 0), fold(b"a", 0));
    }
}
