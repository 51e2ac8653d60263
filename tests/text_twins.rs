//! What goes through blocks and vectors is, octet for octet, what goes through the tables one character at a time.

use proptest::prelude::*;
use sluice::text::gsm7::{self, ESCAPE, Septet};
use sluice::text::segment::{plan, segment};
use sluice::text::{Choice, Concat, Options, pack, ucs2};

/// The septets of a text, or the octet offset of the first character without one.
fn septets(text: &str) -> Result<Vec<u8>, usize> {
    let mut septets = Vec::new();
    for (at, character) in text.char_indices() {
        match gsm7::septet(character).ok_or(at)? {
            Septet::Default(septet) => septets.push(septet),
            Septet::Extended(septet) => septets.extend([ESCAPE, septet]),
        }
    }
    Ok(septets)
}

/// Septets packed bit by bit: TS 23.038, 6.1.2.1, after the fill bits of a header.
fn packed(septets: &[u8], header_octets: usize) -> Vec<u8> {
    let mut bits = vec![false; pack::fill_bits(header_octets)];
    bits.extend(septets.iter().flat_map(|septet| (0..7).map(move |bit| septet >> bit & 1 == 1)));
    let spare = (8 - bits.len() % 8) % 8;
    let full = header_octets + bits.len().div_ceil(8) >= 140;
    if spare == 7 || (spare == 0 && septets.last() == Some(&0x0D) && !full) {
        bits.extend((0..7).map(|bit| 0x0D >> bit & 1 == 1));
    }
    bits.chunks(8).map(|octet| octet.iter().rev().fold(0, |all, &bit| all << 1 | u8::from(bit))).collect()
}

/// A text of characters that the default alphabet has, those that it has at two septets among them.
fn sendable() -> impl Strategy<Value = String> {
    let septet = prop_oneof![20 => 0x20..0x7Bu8, 2 => 0..0x80u8].prop_filter("a character", |septet| *septet != ESCAPE);
    let extended = prop::sample::select(vec!['€', '[', ']', '{', '}', '\\', '~', '^', '|', '\u{C}']);
    let character = prop_oneof![30 => septet.prop_map(gsm7::default_character), 1 => extended];
    prop::collection::vec(character, 0..400).prop_map(|characters| characters.into_iter().collect())
}

/// A text of anything, in runs, because blocks decide by what stands together.
fn anything() -> impl Strategy<Value = String> {
    let run = prop_oneof![
        "[ -~]{0,70}",
        "[а-яА-Я ,.]{0,70}",
        "[一-龥]{0,50}",
        "[\u{80}-\u{7FF}\u{800}-\u{FFFF}]{0,20}",
        "[😀-🙏]{0,3}",
        any::<String>(),
    ];
    prop::collection::vec(run, 0..5).prop_map(|runs| runs.concat())
}

proptest! {
    #[test]
    fn gsm7_is_its_table(text in sendable(), header in prop::sample::select(vec![0usize, 6, 7, 11])) {
        let expected = septets(&text).expect("all of it can be sent");
        let mut encoded = vec![0xEE];
        prop_assert_eq!(gsm7::encode(&text, &mut encoded), Ok(()));
        prop_assert_eq!(&encoded[1..], &expected[..]);
        let count = gsm7::count(&text).expect("all of it can be sent");
        prop_assert_eq!((count.septets, count.pairs), (expected.len(), expected.contains(&ESCAPE)));
        let mut in_one = vec![0xEE];
        prop_assert_eq!(gsm7::encode_packed(&text, header, &mut in_one), Ok(expected.len()));
        let mut in_two = vec![0xEE];
        pack::pack(&expected, header, &mut in_two);
        prop_assert_eq!(&in_two[1..], &packed(&expected, header)[..]);
        prop_assert_eq!(in_one, in_two);
    }

    #[test]
    fn the_first_foreign_character_is_told(before in sendable(), text in anything()) {
        let text = before + &text;
        let expected = septets(&text).map(|septets| septets.len());
        prop_assert_eq!(gsm7::count(&text).map(|count| count.septets), expected);
        prop_assert_eq!(gsm7::encode(&text, &mut Vec::new()), expected.map(|_| ()));
        prop_assert_eq!(gsm7::encode_packed(&text, 0, &mut Vec::new()), expected);
    }

    #[test]
    fn utf16_is_that_of_the_standard_library(text in anything()) {
        let expected: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let mut encoded = vec![0xEE];
        ucs2::encode(&text, &mut encoded);
        prop_assert_eq!(&encoded[1..], &expected[..]);
        prop_assert_eq!(ucs2::count(&text).units, expected.len() / 2);
    }

    #[test]
    fn parts_are_the_whole_cut_at_pairs_alone(text in anything()) {
        let plan = plan(&text, Options { choice: Choice::Ucs2, concat: Concat::Sar, ..Options::default() }).expect("few parts");
        let (mut out, mut ends) = (Vec::new(), Vec::new());
        segment(&text, &plan, 1, &mut out, &mut ends).expect("planned from this text");
        let whole: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        prop_assert_eq!(&out, &whole);
        let mut start = 0;
        for end in ends {
            let part = &out[start..end as usize];
            prop_assert!(part.len() <= 2 * plan.part_units_max);
            prop_assert!(char::decode_utf16(part.chunks(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]]))).all(|unit| unit.is_ok()));
            start = end as usize;
        }
    }
}
