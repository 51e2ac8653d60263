//! Every text is cut as the standard says: all rows of the facts that allow no national tables, and properties that
//! hold for any text. Not checked: `units_per_part_cluster`, because the optional cluster rule does not exist yet.

use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use sluice::text::segment::{Plan, plan, segment};
use sluice::text::segment_octets::{plan_octets, segment_octets};
use sluice::text::{Alphabet, Choice, Concat, Options, TextError, gsm7, latin1, pack, ucs2, udh};

const FACTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/facts/segmentation.csv");

/// The parts of a text, each with its header.
fn parts_of(text: &str, plan: &Plan, reference: u16) -> Vec<Vec<u8>> {
    let (mut out, mut ends) = (Vec::new(), Vec::new());
    segment(text, plan, reference, &mut out, &mut ends).expect("planned from this text");
    cut_at(&out, &ends)
}

fn cut_at(out: &[u8], ends: &[u32]) -> Vec<Vec<u8>> {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(ends).map(|(start, &end)| out[start as usize..end as usize].to_vec()).collect()
}

/// The octets behind the header, whose numbers must be right.
fn behind_header<'a>(part: &'a [u8], plan: &Plan, reference: u16, sequence: usize) -> &'a [u8] {
    if plan.header_octets == 0 {
        return part;
    }
    let (concatenation, text) = udh::concatenation(part).expect("a whole header");
    let concatenation = concatenation.expect("a concatenation element");
    let expected = if plan.concat == Concat::Udh16 { reference } else { reference & 0xFF };
    assert_eq!(concatenation.reference, expected);
    assert_eq!((concatenation.total, usize::from(concatenation.sequence)), (plan.parts, sequence));
    assert_eq!(part.len() - text.len(), usize::from(plan.header_octets));
    text
}

fn decoded(octets: &[u8], alphabet: Alphabet) -> String {
    let mut text = String::new();
    match alphabet {
        Alphabet::Gsm7 => gsm7::decode(octets, &mut text),
        Alphabet::Ucs2 => ucs2::decode(octets, &mut text),
        Alphabet::Latin1 | Alphabet::Binary => latin1::decode(octets, &mut text),
    }
    text
}

/// "153x2|8" as a list of units.
fn units_list(told: &str) -> Vec<usize> {
    let mut list = Vec::new();
    for run in told.split('|').filter(|run| !run.is_empty()) {
        let (units, times) = run.split_once('x').unwrap_or((run, "1"));
        let units: usize = units.parse().expect("a number of units");
        list.extend(std::iter::repeat_n(units, times.parse().expect("a number of parts")));
    }
    list
}

#[test]
fn all_rows_without_national_tables_agree() {
    let mut rows = csv::Reader::from_path(FACTS).expect("the facts are in the repository");
    let heads = rows.headers().expect("a header line").clone();
    let mut checked = 0;
    for row in rows.records() {
        let row = row.expect("a well-formed row");
        let cell = |name: &str| &row[heads.iter().position(|head| head == name).expect("a known column")];
        if !cell("national_ids").is_empty() {
            continue;
        }
        let row_id = cell("id").to_owned();
        let unit: String = serde_json::from_str(cell("text_json")).expect("a JSON string");
        let text = unit.repeat(cell("repeat").parse().expect("a number"));
        let choice = match cell("alphabet_option") {
            "auto" => Choice::Auto,
            "ucs2" => Choice::Ucs2,
            "latin1" => Choice::Latin1,
            other => panic!("row {row_id}: unknown option {other}"),
        };
        let concat = if cell("ref_bits") == "16" { Concat::Udh16 } else { Concat::Udh8 };
        let number = |name: &str| cell(name).parse::<usize>().expect("a number");
        match plan(&text, Options::new(choice, concat)) {
            Ok(plan) => {
                assert_eq!(cell("result"), "ok", "row {row_id}");
                assert_eq!(plan.alphabet.name(), cell("alphabet"), "row {row_id}");
                assert_eq!(plan.units_total, number("units_total"), "row {row_id}");
                assert_eq!(usize::from(plan.parts), number("parts"), "row {row_id}");
                assert_eq!(usize::from(plan.header_octets), number("header_octets"), "row {row_id}");
                let parts = parts_of(&text, &plan, 0xBEEF);
                let units: Vec<usize> = (1..)
                    .zip(&parts)
                    .map(|(at, part)| behind_header(part, &plan, 0xBEEF, at).len() / plan.alphabet.unit_octets())
                    .collect();
                assert_eq!(units, units_list(cell("units_per_part")), "row {row_id}");
            }
            Err(error) => {
                assert_eq!(cell("result"), "too_long", "row {row_id}");
                let (parts, units_total) = (number("parts"), number("units_total"));
                assert_eq!(error, TextError::TooManyParts { parts, units_total }, "row {row_id}");
                assert_eq!(usize::from(concat.written_header_octets()), number("header_octets"), "row {row_id}");
            }
        }
        checked += 1;
    }
    assert_eq!(checked, 202, "rows without national tables");
}

/// Text of characters that are near each other in what they cost.
const MIXED: &str = "[a-z@$_ €{}\\[\\]~^|\\\\éùΔΩ\r\n]{0,700}";
const WIDE: &str = "[a-z😀🎉яж€]{0,300}";

fn holds_for(text: &str, choice: Choice, concat: Concat, reference: u16) {
    let plan = plan(text, Options::new(choice, concat)).expect("a text of this length fits");
    let parts = parts_of(text, &plan, reference);
    assert_eq!(parts.len(), usize::from(plan.pdus()));
    let mut octets = Vec::new();
    let mut joined = String::new();
    for (sequence, part) in (1..).zip(&parts) {
        let behind = behind_header(part, &plan, reference, sequence);
        if plan.concat != Concat::Payload {
            let on_air = match plan.alphabet {
                Alphabet::Gsm7 => (pack::fill_bits(usize::from(plan.header_octets)) + behind.len() * 7).div_ceil(8),
                _ => behind.len(),
            };
            assert!(on_air + usize::from(plan.header_octets) <= 140, "a part of {on_air} octets");
        }
        joined.push_str(&decoded(behind, plan.alphabet));
        octets.extend_from_slice(behind);
    }
    assert_eq!(joined, text, "each part decodes by itself, and together they are the text");

    let again = plan_octets(&octets, plan.alphabet, concat).expect("the same octets fit");
    assert_eq!(again, plan, "octets are counted as the text was");
    let (mut out, mut ends) = (Vec::new(), Vec::new());
    segment_octets(&octets, &again, reference, &mut out, &mut ends);
    assert_eq!(cut_at(&out, &ends), parts, "octets are cut as the text was");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn parts_join_to_the_text(mixed in MIXED, wide in WIDE, any_text in any::<String>(), reference in any::<u16>()) {
        for concat in [Concat::Udh8, Concat::Udh16, Concat::Sar, Concat::Payload] {
            holds_for(&mixed, Choice::Gsm7, concat, reference);
            holds_for(&mixed, Choice::Ucs2, concat, reference);
            holds_for(&wide, Choice::Auto, concat, reference);
            holds_for(&any_text, Choice::Auto, concat, reference);
        }
    }

    #[test]
    fn any_octets_decode_and_cut_without_loss(octets in proptest::collection::vec(any::<u8>(), 0..700)) {
        for alphabet in [Alphabet::Gsm7, Alphabet::Ucs2, Alphabet::Latin1, Alphabet::Binary] {
            decoded(&octets, alphabet);
            let plan = plan_octets(&octets, alphabet, Concat::Sar).expect("few parts");
            let (mut out, mut ends) = (Vec::new(), Vec::new());
            segment_octets(&octets, &plan, 1, &mut out, &mut ends);
            prop_assert_eq!(&out, &octets);
            prop_assert_eq!(ends.len(), usize::from(plan.parts));
        }
        if let Ok((header, text)) = udh::split(&octets) {
            prop_assert_eq!(1 + header.len() + text.len(), octets.len());
            prop_assert!(udh::elements(header).count() <= header.len());
        }
    }
}
