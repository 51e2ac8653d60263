//! The alphabets are those of the standard: every row of the GSM-7 tables in both directions, every data_coding.

use sluice::text::Alphabet;
use sluice::text::gsm7::{self, Septet};
use sluice::text::national;

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
fn the_national_tables_hold_exactly_what_the_facts_hold() {
    let rows = rows("gsm0338_national.csv");
    let characters: Vec<_> = rows.iter().filter(|row| row["entry"] == "char").collect();
    assert_eq!(characters.len(), 2294);
    let mut lowest = std::collections::BTreeMap::new();
    for row in &characters {
        let language: u8 = row["language_id"].parse().expect("an identifier");
        assert_eq!(national::name(language), Some(row["language"].to_lowercase().as_str()));
        let (octet, character) = (hexadecimal(&row["septet_hex"]), character(&row["codepoint"]));
        let locking = row["kind"] == "locking";
        let found = if locking { national::locking_character } else { national::single_character };
        assert_eq!(found(octet, language), Some(character), "{row:?}");
        lowest
            .entry((language, locking, character))
            .and_modify(|known: &mut u8| *known = octet.min(*known))
            .or_insert(octet);
    }
    // The other direction, by every character of the first plane: with the tables of one language, each is found there or nowhere.
    for language in 1..=13 {
        for character in (0..=0xFFFF).filter_map(char::from_u32) {
            let locking = lowest.get(&(language, true, character)).map(|&octet| Septet::Default(octet));
            let single = lowest.get(&(language, false, character)).map(|&octet| Septet::Extended(octet));
            assert_eq!(national::septet(character, language, language), locking.or(single), "{language} {character:?}");
        }
        let defined =
            |found: fn(u8, u8) -> Option<char>| (0..=0xFF).filter(|&octet| found(octet, language).is_some()).count();
        let told = |kind| {
            characters.iter().filter(|row| row["kind"] == kind && row["language_id"] == language.to_string()).count()
        };
        assert_eq!(defined(national::locking_character), told("locking"), "{language}");
        assert_eq!(defined(national::single_character), told("single"), "{language}");
    }
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
