//! Every text is cut as the standard says: all rows of the facts, with and without whole grapheme clusters, and
//! properties that hold for any text.

use std::collections::BTreeMap;

use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use sluice::text::national::{self, Languages};
use sluice::text::segment::{Plan, plan, segment};
use sluice::text::segment_octets::{plan_octets, segment_octets};
use sluice::text::{Alphabet, Choice, Concat, Options, TextError, latin1, pack, ucs2, udh};

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

/// The octets behind the header, whose numbers and tables must be right.
fn behind_header<'a>(part: &'a [u8], plan: &Plan, reference: u16, sequence: usize) -> &'a [u8] {
    if plan.header_octets == 0 {
        assert_eq!((plan.locking, plan.single), (0, 0), "tables are named");
        return part;
    }
    let (header, _) = udh::split(part).expect("a whole header");
    assert_eq!(national::tables_of(header), Ok((plan.locking, plan.single)));
    let (concatenation, text) = udh::concatenation(part).expect("a whole header");
    assert_eq!(part.len() - text.len(), usize::from(plan.header_octets));
    let tied = plan.parts > 1 && plan.concat.written_header_octets() > 0;
    assert_eq!(concatenation.is_some(), tied);
    if let Some(concatenation) = concatenation {
        let expected = if plan.concat == Concat::Udh16 { reference } else { reference & 0xFF };
        assert_eq!(concatenation.reference, expected);
        assert_eq!((concatenation.total, usize::from(concatenation.sequence)), (plan.parts, sequence));
    }
    text
}

fn decoded(octets: &[u8], plan: &Plan) -> String {
    let mut text = String::new();
    match plan.alphabet {
        Alphabet::Gsm7 => national::decode(octets, plan.locking, plan.single, &mut text),
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

/// A row of the facts, by column.
struct Row(BTreeMap<String, String>);

impl Row {
    fn cell(&self, name: &str) -> &str {
        &self.0[name]
    }

    fn number(&self, name: &str) -> usize {
        self.cell(name).parse().expect("a number")
    }

    fn text(&self) -> String {
        let unit: String = serde_json::from_str(self.cell("text_json")).expect("a JSON string");
        unit.repeat(self.number("repeat"))
    }

    fn options(&self) -> Options {
        let choice = match self.cell("alphabet_option") {
            "auto" => Choice::Auto,
            "ucs2" => Choice::Ucs2,
            "latin1" => Choice::Latin1,
            other => panic!("unknown option {other}"),
        };
        let concat = if self.cell("ref_bits") == "16" { Concat::Udh16 } else { Concat::Udh8 };
        let ids = self.cell("national_ids").split(';').filter(|id| !id.is_empty());
        let languages = ids.map(|id| id.parse().expect("an identifier")).fold(Languages::NONE, Languages::with);
        Options { choice, concat, languages, clusters: false }
    }
}

fn rows() -> Vec<Row> {
    let mut reader = csv::Reader::from_path(FACTS).expect("the facts are in the repository");
    let heads = reader.headers().expect("a header line").clone();
    let cells = |row: csv::StringRecord| heads.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect();
    reader.records().map(|row| Row(cells(row.expect("a well-formed row")))).collect()
}

/// Cuts a text as planned, checks that the parts are the text, and tells the units of each.
fn units_of(text: &str, plan: &Plan) -> Vec<usize> {
    let mut joined = String::new();
    let units = |(at, part): (usize, &Vec<u8>)| {
        let behind = behind_header(part, plan, 0xBEEF, at);
        joined.push_str(&decoded(behind, plan));
        behind.len() / plan.alphabet.unit_octets()
    };
    let units = (1..).zip(&parts_of(text, plan, 0xBEEF)).map(units).collect();
    assert_eq!(joined, text);
    units
}

#[test]
fn all_rows_agree() {
    let rows = rows();
    assert_eq!(rows.len(), 254);
    for row in rows {
        let (id, text, options) = (row.cell("id"), row.text(), row.options());
        match plan(&text, options) {
            Ok(plan) => {
                assert_eq!(row.cell("result"), "ok", "row {id}");
                assert_eq!(plan.alphabet.name(), row.cell("alphabet"), "row {id}");
                assert_eq!(usize::from(plan.locking), row.number("locking_id"), "row {id}");
                assert_eq!(usize::from(plan.single), row.number("single_id"), "row {id}");
                assert_eq!(plan.units_total, row.number("units_total"), "row {id}");
                assert_eq!(usize::from(plan.parts), row.number("parts"), "row {id}");
                assert_eq!(usize::from(plan.header_octets), row.number("header_octets"), "row {id}");
                assert_eq!(units_of(&text, &plan), units_list(row.cell("units_per_part")), "row {id}");
            }
            Err(error) => {
                assert_eq!(row.cell("result"), "too_long", "row {id}");
                let (parts, units_total) = (row.number("parts"), row.number("units_total"));
                assert_eq!(error, TextError::TooManyParts { parts, units_total }, "row {id}");
                let header_octets = usize::from(options.concat.written_header_octets());
                assert_eq!(header_octets, row.number("header_octets"), "row {id}");
            }
        }
    }
}

#[test]
fn all_rows_with_whole_clusters_agree() {
    let rows: Vec<Row> = rows().into_iter().filter(|row| !row.cell("units_per_part_cluster").is_empty()).collect();
    assert_eq!(rows.len(), 102);
    for row in rows {
        let (id, text) = (row.cell("id"), row.text());
        let plan =
            plan(&text, Options { clusters: true, ..row.options() }).expect("rows with clusters are not too long");
        let units = units_list(row.cell("units_per_part_cluster"));
        assert_eq!(usize::from(plan.parts), units.len(), "row {id}");
        assert_eq!(units_of(&text, &plan), units, "row {id}");
    }
}

/// Text of characters that are near each other in what they cost.
const MIXED: &str = "[a-z@$_ €{}\\[\\]~^|\\\\éùΔΩ\r\n]{0,700}";
const WIDE: &str = "[a-z😀🎉яж€]{0,300}";

/// Texts of several languages, their national characters among plain ones.
const NATIONAL: &str = "[a-zşğıçãõñíáआपਤੁ\\u{900}-\\u{94F}\\u{C00}-\\u{C4C}\\u{1F469}\\u{200D}€{}\r\n]{0,400}";

fn holds_for(text: &str, options: Options, reference: u16) {
    let plan = plan(text, options).expect("a text of this length fits");
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
        joined.push_str(&decoded(behind, &plan));
        octets.extend_from_slice(behind);
    }
    assert_eq!(joined, text, "each part decodes by itself, and together they are the text");
    if (plan.locking, plan.single, plan.clusters) != (0, 0, false) {
        return;
    }
    let again = plan_octets(&octets, plan.alphabet, options.concat).expect("the same octets fit");
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
            holds_for(&mixed, Options::new(Choice::Gsm7, concat), reference);
            holds_for(&mixed, Options::new(Choice::Ucs2, concat), reference);
            holds_for(&wide, Options::new(Choice::Auto, concat), reference);
            holds_for(&any_text, Options::new(Choice::Auto, concat), reference);
        }
    }

    #[test]
    fn national_parts_and_whole_clusters_join_to_the_text(
        mixed in MIXED, national in NATIONAL, language in 1u8..=13, reference in any::<u16>(),
    ) {
        for concat in [Concat::Udh8, Concat::Udh16, Concat::Sar, Concat::Payload] {
            for (languages, clusters) in [(Languages::ALL, true), (Languages::NONE.with(language), false)] {
                let options = Options { languages, clusters, ..Options::new(Choice::Auto, concat) };
                holds_for(&mixed, options, reference);
                holds_for(&national, options, reference);
            }
        }
    }

    #[test]
    fn any_octets_decode_and_cut_without_loss(octets in proptest::collection::vec(any::<u8>(), 0..700)) {
        for alphabet in [Alphabet::Gsm7, Alphabet::Ucs2, Alphabet::Latin1, Alphabet::Binary] {
            let plan = plan_octets(&octets, alphabet, Concat::Sar).expect("few parts");
            decoded(&octets, &plan);
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
