//! The alphabets are those of the standard: every row of the GSM-7 tables in both directions, every data_coding.

use sluice::text::Alphabet;
use sluice::text::gsm7::{self, Septet};

/// The rows of a facts file, each as a lookup by column name.
fn rows(name: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let path = format!("{}/tests/data/facts/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut reader = csv::Reader::from_path(path).expect("the facts are in the repository");
    let heads = reader.headers().expect("a header line").clone();
    let record = |row: csv::StringRecord| heads.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect();
    reader.records().map(|row| record(row.expect("a well-formed row"))).collect()
}

/// A number as the facts write it: "0x1B".
fn hexadecimal(cell: &str) -> u8 {
    u8::from_str_radix(cell.trim_start_matches("0x"), 16).expect("a hexadecimal octet")
}

fn character(cell: &str) -> char {
    let code = u32::from_str_radix(cell.trim_start_matches("U+"), 16).expect("a code point");
    char::from_u32(code).expect("a scalar value")
}

#[test]
fn the_tables_hold_exactly_what_the_facts_hold() {
    let characters = |name| rows(name).into_iter().filter(|row| row["kind"] == "char").collect::<Vec<_>>();
    let default = characters("gsm0338_default.csv");
    assert_eq!(default.len(), 127);
    for row in &default {
        let (octet, character) = (hexadecimal(&row["septet_hex"]), character(&row["codepoint"]));
        assert_eq!(gsm7::septet(character), Some(Septet::Default(octet)));
        assert_eq!(gsm7::default_character(octet), character);
    }
    let extended = characters("gsm0338_ext.csv");
    for row in &extended {
        let (octet, character) = (hexadecimal(&row["septet_hex"]), character(&row["codepoint"]));
        assert_eq!(gsm7::septet(character), Some(Septet::Extended(octet)));
        assert_eq!(gsm7::extended_character(octet), Some(character));
    }
    assert_eq!((0..=0x7F).filter_map(gsm7::extended_character).count(), extended.len());
}

#[test]
fn every_data_coding_is_counted_in_its_alphabet() {
    for row in rows("data_coding.csv") {
        let value = hexadecimal(&row["value_hex"]);
        let expected = match row["gateway_charset"].as_str() {
            _ if value == 0 => Alphabet::Latin1,
            "gsm7_unpacked" | "ascii" => Alphabet::Gsm7,
            "utf16be" => Alphabet::Ucs2,
            "latin1" => Alphabet::Latin1,
            _ => Alphabet::Binary,
        };
        assert_eq!(Alphabet::of_data_coding(value, Alphabet::Latin1), expected, "{value:#04x}");
    }
}
