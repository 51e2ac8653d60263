//! The alphabets are those of the standard: every row of the GSM-7 tables in both directions, every data_coding.

use sluice::text::Alphabet;
use sluice::text::data_coding::{Charset, DataCoding, Group, Lettering, Waiting};
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

/// Every octet says what its row says, and what follows from that for counting and cutting.
#[test]
fn q58_every_data_coding_is_read_as_the_facts_read_it() {
    let rows = rows("data_coding.csv");
    assert_eq!(rows.len(), 256);
    for row in rows {
        let value = DataCoding(hexadecimal(&row["value_hex"]));
        let yes = |cell: bool| if cell { "1" } else { "0" };
        let said = |key: &str, told: &str| assert_eq!(told, row[key], "{value:?}: {key}");
        said("ts23038_group", group(value));
        said("ts23038_alphabet", lettering(value));
        said("ts23038_class", &value.class().map(|class| class.to_string()).unwrap_or_default());
        said("ts23038_compressed", yes(value.is_compressed()));
        said("ts23038_auto_delete", yes(value.deletes_itself()));
        let waiting = value.waiting();
        said("mwi_indication", waiting.map_or("", |(_, now)| if now { "active" } else { "inactive" }));
        said("mwi_type", waiting.map_or("", |(what, _)| self::waiting(what)));
        let (charset, alphabet) = match value.charset() {
            Charset::PeerDefault => ("per peer", Alphabet::Latin1),
            Charset::Gsm7 => ("gsm7_unpacked", Alphabet::Gsm7),
            Charset::Ascii => ("ascii", Alphabet::Gsm7),
            Charset::Latin1 => ("latin1", Alphabet::Latin1),
            Charset::Utf16 => ("utf16be", Alphabet::Ucs2),
            Charset::Binary => ("binary", Alphabet::Binary),
            Charset::Named(name) => (name, Alphabet::Binary),
        };
        let told = row["gateway_charset"].split(':').next().expect("split gives at least one");
        assert_eq!(charset, told, "{value:?}");
        assert_eq!(value.alphabet(Alphabet::Latin1), alphabet, "{value:?}");
    }
}

fn group(value: DataCoding) -> &'static str {
    match value.group() {
        Group::General if value == DataCoding(0) => "general (default)",
        Group::General => "general",
        Group::AutomaticDeletion => "automatic deletion",
        Group::Reserved => "reserved coding group",
        Group::WaitingDiscard => "message waiting: discard",
        Group::WaitingStore => "message waiting: store",
        Group::Class => "data coding/message class",
    }
}

fn lettering(value: DataCoding) -> &'static str {
    match value.lettering() {
        Lettering::Gsm7 => "gsm7",
        Lettering::EightBit => "8bit",
        Lettering::Ucs2 => "ucs2",
        Lettering::Reserved => "reserved",
    }
}

fn waiting(what: Waiting) -> &'static str {
    match what {
        Waiting::Voicemail => "voicemail",
        Waiting::Fax => "fax",
        Waiting::Email => "email",
        Waiting::Other => "other",
    }
}
