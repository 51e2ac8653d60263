//! The spellings that carriers are known for, ids used again, and that nothing is guessed.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const ALPHA: CarrierId = CarrierId(1);
const BETA: CarrierId = CarrierId(2);
const NUMBER: u64 = 0x0123_4567_89ab_cdef;
const OTHER: u64 = 0xfedc_ba98_0000_0001;

fn with(entries: &[(&[u8], u32, u64)]) -> Correlation {
    let mut correlation = Correlation::new([11, 12]);
    for (id, part, number) in entries {
        correlation.insert(ALPHA, id, *part, *number);
    }
    correlation
}

fn notice<'a>(tlv_id: &'a [u8], text_id: &'a [u8], number: u64) -> Notice<'a> {
    Notice { tlv_id, text_id, number, ..Notice::default() }
}

/// For a carrier whose habit is not known yet.
fn find(correlation: &Correlation, carrier: CarrierId, notice: &Notice<'_>) -> Found {
    correlation.find(carrier, notice, Reading::Either)
}

fn by_text(correlation: &Correlation, id: &[u8]) -> Found {
    find(correlation, ALPHA, &notice(b"", id, NUMBER))
}

#[test]
fn spellings_of_the_field_find_their_part() {
    // The receipt's id and the response's, as carriers have been seen to send them.
    let rows: [(&str, &str); 8] = [
        ("0012345678", "12345678"),
        ("5A3F9C01", "5a3f9c01"),
        ("1514118145", "5a3f9c01"),
        ("3b7e21c4", "998121924"),
        ("0998121924", "3b7e21c4"),
        ("SAR-447700900123-2C7FA019-2-1", "SAR-447700900123-2c7fa019-2-1"),
        ("12345678", "0012345678"),
        ("998121924", "003B7E21C4"),
    ];
    for (receipt, response) in rows {
        let correlation = with(&[(response.as_bytes(), 5, NUMBER), (b"77", 6, NUMBER)]);
        assert_eq!(by_text(&correlation, receipt.as_bytes()), Found::Part(5), "{receipt} for {response}");
        let by_tlv = find(&correlation, ALPHA, &notice(receipt.as_bytes(), b"", NUMBER));
        assert_eq!(by_tlv, Found::Part(5), "{receipt} for {response}");
        let foreign = find(&correlation, ALPHA, &notice(b"", receipt.as_bytes(), OTHER));
        assert_eq!(foreign, Found::None, "{receipt} for {response}: a converted spelling of another number is a guess");
        assert_eq!(find(&correlation, BETA, &notice(b"", receipt.as_bytes(), NUMBER)), Found::None);
    }
}

#[test]
fn an_id_as_written_needs_no_number() {
    let correlation = with(&[(b"a1", 3, NUMBER), (b"x1", 4, NUMBER)]);
    let found = |id, reading| correlation.find(ALPHA, &notice(b"", id, OTHER), reading);
    assert_eq!(found(b"x1", Reading::Either), Found::Part(4));
    // This one may be that of another part in another base, whose response is still to come.
    assert_eq!((found(b"a1", Reading::Either), found(b"a1", Reading::AtLast)), (Found::None, Found::Part(3)));
    assert_eq!(found(b"a1", Reading::AsWritten), Found::Part(3));
    assert_eq!(find(&correlation, ALPHA, &notice(b"", b"", NUMBER)), Found::None);
}

#[test]
fn the_tlv_comes_first_and_the_text_helps_out() {
    let correlation = with(&[(b"a1", 3, NUMBER), (b"b2", 4, NUMBER)]);
    assert_eq!(find(&correlation, ALPHA, &notice(b"a1", b"b2", NUMBER)), Found::Part(3));
    assert_eq!(find(&correlation, ALPHA, &notice(b"zz", b"b2", NUMBER)), Found::Part(4));
}

#[test]
fn an_id_used_again_means_the_newest_of_its_number() {
    let mut correlation = with(&[(b"9", 1, NUMBER), (b"9", 2, NUMBER), (b"9", 3, OTHER)]);
    assert_eq!(by_text(&correlation, b"9"), Found::Part(2));
    assert_eq!(find(&correlation, ALPHA, &notice(b"", b"9", 42)), Found::Ambiguous, "it is of neither number");
    correlation.insert(ALPHA, b"9", 1, NUMBER);
    assert_eq!((by_text(&correlation, b"9"), correlation.len()), (Found::Part(1), 3), "said again, it is newer");
    correlation.remove(ALPHA, b"9", 1);
    correlation.remove(ALPHA, b"9", 2);
    assert_eq!(by_text(&correlation, b"9"), Found::Part(3));
}

#[test]
fn several_converted_matches_are_ambiguous() {
    let both = with(&[(b"00ab", 1, NUMBER), (b"AB", 2, OTHER)]);
    assert_eq!(by_text(&both, b"ab"), Found::Part(1), "the other is of another number");
    let last = both.find(ALPHA, &notice(b"", b"AB", NUMBER), Reading::AtLast);
    assert_eq!(last, Found::Part(2), "as it is written there is one");
    // "10" is 0xa as decimal and 16 as hexadecimal: both are there.
    let readings = with(&[(b"a", 1, NUMBER), (b"16", 2, NUMBER)]);
    assert_eq!(by_text(&readings, b"10"), Found::Ambiguous);
    let one_part = with(&[(b"a", 1, NUMBER), (b"16", 1, NUMBER)]);
    assert_eq!(by_text(&one_part, b"10"), Found::Part(1), "both ids are of one part");
}

#[test]
fn order_survives_the_counter_going_around() {
    let mut correlation = Correlation::new([1, 1]);
    correlation.inserted = u64::from(u32::MAX) - 1;
    for part in 1..=4 {
        correlation.insert(ALPHA, b"9", part, NUMBER);
    }
    assert_eq!(by_text(&correlation, b"9"), Found::Part(4));
}

#[test]
fn the_number_goes_before_an_id_as_written_that_is_of_another() {
    // Counted from 1 and converted: the id of one in decimal is that of another in hexadecimal.
    let ids: Vec<String> = (1..=40u32).map(|n| format!("{n:x}")).collect();
    let entries: Vec<(&[u8], u32, u64)> =
        ids.iter().zip(1u32..).map(|(id, n)| (id.as_bytes(), n, u64::from(n) << 32)).collect();
    let correlation = with(&entries);
    for n in 1..=40u32 {
        let id = n.to_string();
        let notice = notice(b"", id.as_bytes(), u64::from(n) << 32);
        assert_eq!(find(&correlation, ALPHA, &notice), Found::Part(n), "{n}");
        for reading in [Reading::Mostly(Base::Hexadecimal), Reading::Only(Base::Hexadecimal)] {
            assert_eq!(correlation.find(ALPHA, &notice, reading), Found::Part(n), "{n}");
        }
    }
    let early = notice(b"", b"10", 99 << 32);
    for reading in [Reading::Either, Reading::Mostly(Base::Hexadecimal), Reading::Only(Base::Hexadecimal)] {
        assert_eq!(correlation.find(ALPHA, &early, reading), Found::None, "its own response may be to come");
    }
    assert_eq!(correlation.find(ALPHA, &early, Reading::AsWritten), Found::Part(16));
}

#[test]
fn where_a_carrier_converts_ids_of_one_number_are_read_in_its_base() {
    let ids: Vec<String> = (1..=40u32).map(|n| format!("{n:x}")).collect();
    let entries: Vec<(&[u8], u32, u64)> = ids.iter().zip(1u32..).map(|(id, n)| (id.as_bytes(), n, NUMBER)).collect();
    let correlation = with(&entries);
    for n in 1..=40u32 {
        let id = n.to_string();
        let found = correlation.find(ALPHA, &notice(b"", id.as_bytes(), NUMBER), Reading::Mostly(Base::Hexadecimal));
        assert_eq!(found, Found::Part(n), "{n}");
    }
}

#[test]
fn an_id_given_to_everything_costs_no_more_than_another() {
    const PARTS: u32 = 50_000;
    let mut correlation = Correlation::new([3, 4]);
    for part in 0..PARTS {
        correlation.insert(ALPHA, b"1", part, u64::from(part % 1_000) << 32);
        correlation.insert_without_id(ALPHA, PARTS + part, NUMBER);
    }
    for part in (0..PARTS).rev() {
        assert_eq!(
            by_number(&correlation, u64::from(part % 1_000) << 32),
            Found::Part(part),
            "the newest of its number"
        );
        let waiting = correlation.without_id(ALPHA, NUMBER);
        assert_eq!(waiting, if part == 0 { Found::Part(PARTS) } else { Found::Ambiguous });
        correlation.remove(ALPHA, b"1", part);
        correlation.remove_without_id(ALPHA, PARTS + part, NUMBER);
    }
    assert!(correlation.is_empty());
}

fn by_number(correlation: &Correlation, number: u64) -> Found {
    find(correlation, ALPHA, &notice(b"", b"1", number))
}

#[test]
fn entries_are_small() {
    assert_eq!(size_of::<Entry>(), 24);
    let mut correlation = Correlation::new([3, 4]);
    for part in 0..200_000u32 {
        correlation.insert(ALPHA, format!("{part:08x}").as_bytes(), part, u64::from(part));
    }
    let fullest = correlation.tables.iter().map(HashTable::len).max().unwrap_or(0);
    assert!(fullest < 4_000, "{fullest} of 200,000 in one table of {TABLES}");
    for part in 0..200_000u32 {
        correlation.remove(ALPHA, format!("{part:08x}").as_bytes(), part);
    }
    assert!(correlation.is_empty());
}

proptest! {
    #[test]
    fn exact_ids_agree_with_a_sorted_map(ids in proptest::collection::vec("[0-9a-fA-F]{1,3}|7", 1..80), gone in 0..40u32) {
        let mut correlation = Correlation::new([5, 6]);
        let mut model: BTreeMap<Vec<u8>, Vec<u32>> = BTreeMap::new();
        for (id, part) in ids.iter().zip(0u32..) {
            correlation.insert(ALPHA, id.as_bytes(), part, NUMBER);
            model.entry(id.clone().into_bytes()).or_default().push(part);
        }
        for (id, part) in ids.iter().zip(0u32..).take(gone as usize) {
            correlation.remove(ALPHA, id.as_bytes(), part);
            model.entry(id.clone().into_bytes()).or_default().retain(|other| *other != part);
        }
        for (id, parts) in &model {
            let found = find(&correlation, ALPHA, &notice(b"", id, NUMBER));
            match parts.last() {
                Some(newest) => prop_assert_eq!(found, Found::Part(*newest)),
                // Without an entry of its own it may still be another's spelling, but never one of a part that is gone.
                None => if let Found::Part(part) = found {
                    prop_assert!(model.values().flatten().any(|other| *other == part));
                },
            }
        }
        prop_assert_eq!(correlation.len(), model.values().map(Vec::len).sum::<usize>());
    }
}
