//! The built-in cases, read from the files beside this one.

use crate::tools::conform::script::{Case, parse};

/// Played against a message centre.
const CENTRE: [(&str, &str); 9] = [
    ("bind", include_str!("cases/bind.txt")),
    ("session", include_str!("cases/session.txt")),
    ("submit", include_str!("cases/submit.txt")),
    ("operations", include_str!("cases/operations.txt")),
    ("tlv", include_str!("cases/tlv.txt")),
    ("hostile_vectors", include_str!("cases/hostile_vectors.txt")),
    ("hostile_octets", include_str!("cases/hostile_octets.txt")),
    ("hostile_values", include_str!("cases/hostile_values.txt")),
    ("hostile_order", include_str!("cases/hostile_order.txt")),
];

/// Played against an ESME.
const ESME: [(&str, &str); 1] = [("esme", include_str!("cases/esme.txt"))];

/// All built-in cases, for a message centre or for an ESME under test.
pub(super) fn cases(esme: bool) -> Vec<Case> {
    let read = |(name, text): &(&str, &str)| parse(text).unwrap_or_else(|error| panic!("cases/{name}.txt: {error}"));
    let files = if esme { &ESME[..] } else { &CENTRE[..] };
    files.iter().flat_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::cases;
    use crate::tools::conform::script::{Case, Step};
    use crate::tools::conform::template::Template;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn there_are_enough_and_each_has_a_name_of_its_own() {
        for esme in [false, true] {
            let all = cases(esme);
            let mut names = BTreeSet::new();
            for case in &all {
                assert!(names.insert((&case.section, &case.name)), "{} twice", case.name);
                assert!(
                    ["§", "appendix", "table"].iter().any(|part| case.clause.contains(part)),
                    "{}: no clause",
                    case.name
                );
                assert!(!case.name.contains('{'), "{}: a variable without values", case.name);
            }
        }
        let (hostile, plain): (Vec<Case>, Vec<Case>) =
            cases(false).into_iter().partition(|case| case.section == "hostile");
        assert!(plain.len() >= 250, "{}", plain.len());
        assert!(hostile.len() >= 500, "{}", hostile.len());
    }

    /// The octets of the first thing that a case sends as they are, or answers with.
    fn octets(case: &Case) -> Option<Vec<u8>> {
        case.steps.iter().rev().find_map(|step| match step {
            Step::Send(1, Template::Raw(octets)) => Some(octets.clone()),
            _ => None,
        })
    }

    #[test]
    fn every_malformed_vector_is_played() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/facts/pdu_vectors.json");
        let text = std::fs::read_to_string(path).expect("the vectors");
        let vectors: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let all: Vec<Case> = cases(false).into_iter().chain(cases(true)).collect();
        let by_name: BTreeMap<&str, &Case> = all.iter().map(|case| (case.name.as_str(), case)).collect();
        let malformed = vectors["malformed"].as_array().expect("a list");
        assert_eq!(malformed.len(), 113);
        for vector in malformed {
            let name = format!("vector: {}", vector["name"].as_str().expect("a name"));
            let case = by_name.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not played"));
            let hex: String = octets(case).unwrap_or_default().iter().map(|octet| format!("{octet:02x}")).collect();
            let action = vector["expect"]["action"].as_str().expect("an action");
            if !action.starts_with("resolve") {
                assert_eq!(Some(hex.as_str()), vector["hex"].as_str(), "{name}");
            }
        }
    }
}
