//! Every information element of the standard's table is known by its name, length and class, walks whole, and is
//! written again as it was.

use sluice::text::udh::{self, Element};
use sluice::text::udh_kind::{Kind, Repeats};

const FACTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/facts/udh_ie.csv");

/// Octets of elements that one header of 140 octets holds.
const HEADER_OCTETS_MAX: usize = 139;

fn ids(cell: &str) -> std::ops::RangeInclusive<u8> {
    let id = |text: &str| u8::from_str_radix(text.trim_start_matches("0x"), 16).expect("an id");
    match cell.split_once('-') {
        Some((first, last)) => id(first)..=id(last),
        None => id(cell)..=id(cell),
    }
}

#[test]
fn every_row_of_the_table_is_known() {
    let mut rows = csv::Reader::from_path(FACTS).expect("the facts are in the repository");
    let mut ids_seen = 0;
    for row in rows.records() {
        let row = row.expect("a well-formed row");
        let (name, min, max, class, repeatable) = (&row[1], &row[2], &row[3], &row[4], &row[5]);
        for id in ids(&row[0]) {
            let kind = Kind::of(id);
            assert_eq!(kind.ids, ids(&row[0]), "{name}");
            assert_eq!((kind.name, kind.class.name()), (name, class));
            let repeats = match repeatable {
                "yes" => Repeats::Yes,
                "no" => Repeats::No,
                _ => Repeats::Elsewhere,
            };
            assert_eq!(kind.repeats, repeats, "{name}");
            let bound = |cell: &str, none: u8| if cell.is_empty() { none } else { cell.parse().expect("a length") };
            assert_eq!(kind.octets, bound(min, 0)..=bound(max, u8::MAX), "{name}");
            lengths_are_told_apart(kind, id);
            ids_seen += 1;
        }
    }
    assert_eq!(ids_seen, 256, "the rows are all there is");
}

/// Elements of the shortest and longest length, and one octet beyond both, walk whole beside another element.
fn lengths_are_told_apart(kind: &Kind, id: u8) {
    let (min, max) = (usize::from(*kind.octets.start()), usize::from(*kind.octets.end()));
    for octets in [min.saturating_sub(1), min, max, max + 1] {
        let data: Vec<u8> = (0..octets).map(|at| at as u8).collect();
        let element = Element { id, data: &data };
        assert_eq!(kind.fits(&element), (min..=max).contains(&octets), "{} with {octets} octets", kind.name);
        let marker = Element { id: 0xDF, data: b"end" };
        let mut written = Vec::new();
        element.write(&mut written);
        marker.write(&mut written);
        if written.len() > HEADER_OCTETS_MAX {
            continue;
        }
        let walked: Vec<_> = udh::elements(&written).collect();
        assert_eq!(walked, [Ok(element), Ok(marker)], "{} is kept in its place", kind.name);
    }
}

#[test]
fn a_repeated_element_is_taken_as_the_standard_says() {
    for id in 0..=u8::MAX {
        let kind = Kind::of(id);
        // Concatenations have numbers that must make sense: 2 of 2 does in either form.
        let octets = usize::from(*kind.octets.start()).max(1);
        let (first, last) = (vec![1; octets], vec![2; octets]);
        let mut written = Vec::new();
        for data in [&first, &last] {
            Element { id, data }.write(&mut written);
        }
        let counted: Vec<_> = udh::in_effect(&written).map(|element| element.expect("well formed").data).collect();
        let expected = if kind.repeats == Repeats::No { vec![&last[..]] } else { vec![&first[..], &last[..]] };
        assert_eq!(counted, expected, "{}", kind.name);
    }
}
