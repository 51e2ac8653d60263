//! The built-in cases, read from the files beside this one.

use crate::tools::conform::script::{Case, parse};

/// Played against a message centre.
const CENTRE: [(&str, &str); 5] = [
    ("bind", include_str!("cases/bind.txt")),
    ("session", include_str!("cases/session.txt")),
    ("submit", include_str!("cases/submit.txt")),
    ("operations", include_str!("cases/operations.txt")),
    ("tlv", include_str!("cases/tlv.txt")),
];

/// All built-in cases, for a message centre or for an ESME under test.
pub(super) fn cases(_esme: bool) -> Vec<Case> {
    let read = |(name, text): &(&str, &str)| parse(text).unwrap_or_else(|error| panic!("cases/{name}.txt: {error}"));
    CENTRE.iter().flat_map(read).collect()
}
