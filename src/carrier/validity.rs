//! What a carrier is told about how long it may try: what is left of the message's validity, in the carrier's way (quirk Q94).

use crate::carrier::{Config, Validity};
use crate::message::Timestamp;
use crate::smpp::time::{TIME_OCTETS, format_absolute, format_relative};

/// The validity period of a submit_sm that leaves `now`; `None` for carriers that want none. At least a second is left of whatever is
/// submitted at all.
pub fn period(config: &Config, now: Timestamp, expires: Timestamp) -> Option<[u8; TIME_OCTETS]> {
    let left = (expires.micros_since(now).max(1_000_000) / 1_000_000) as u64;
    let left = left.min(config.validity_max.as_secs().max(1));
    match config.validity {
        Validity::None => None,
        Validity::Relative => format_relative(left),
        Validity::Absolute => Some(format_absolute(now.0 as u64 + left * 1_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_form_says_what_is_left() {
        // 2026-11-21 12:00 in UTC.
        let now = Timestamp(1_795_262_400_000_000);
        let said = |validity, seconds: i64| {
            let config = Config { validity, validity_max: Duration::from_secs(3_600), ..Config::default() };
            period(&config, now, now.plus_seconds(seconds)).map(|text| String::from_utf8_lossy(&text).into_owned())
        };
        assert_eq!(said(Validity::None, 90), None);
        assert_eq!(said(Validity::Relative, 90).as_deref(), Some("000000000130000R"));
        assert_eq!(said(Validity::Relative, 7_200).as_deref(), Some("000000010000000R"), "no more than the most");
        assert_eq!(said(Validity::Relative, -5).as_deref(), Some("000000000001000R"));
        assert_eq!(said(Validity::Absolute, 90).as_deref(), Some("261121120130000+"));
    }
}
