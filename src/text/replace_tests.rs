//! Replacing: exactly what is listed, only where it helps, and nothing that changes the meaning.

use proptest::prelude::{ProptestConfig, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::*;
use crate::text::national::Languages;
use crate::text::replace_table;

/// The text with everything within reach replaced, for GSM-7.
fn replaced(text: &str, reach: Reach) -> String {
    let mut out = String::new();
    replace(text, Alphabet::Gsm7, reach, &mut out);
    out
}

/// What replacing as far as letters makes of a text: the reach and the text.
fn helped(text: &str, reach_max: Reach) -> Option<(Reach, String)> {
    let mut out = String::new();
    let better = better(text, Options::default(), &planned(text), reach_max, &mut out)?;
    Some((better.reach, out))
}

fn planned(text: &str) -> Result<Plan, TextError> {
    plan(text, Options::default())
}

#[test]
fn typography_becomes_plain() {
    let plain = |text| replaced(text, Reach::Typography);
    assert_eq!(plain("“It’s” – no… • 5 € ™"), "\"It's\" - no... * 5 € (TM)");
    assert_eq!(plain("a\u{A0}b\u{202F}c\u{3000}d\te\u{200B}f\u{FEFF}g\u{AD}h"), "a b c d efgh");
    assert_eq!(plain("ﬁne Ｓａｌｅ！ 𝐒𝐀𝐋𝐄 Ⅷ"), "fine Sale! SALE VIII");
    assert_eq!(plain("Ω → K = Å"), "Ω -> K = Å", "signs that Unicode holds equal to letters");
    assert_eq!(plain("20°C, 3 × 4 ≤ 12 − 0"), "20degC, 3 x 4 <= 12 - 0");
}

#[test]
fn accents_go_only_as_far_as_they_must() {
    let plain = |text| replaced(text, Reach::Letters);
    assert_eq!(plain("ç ê î ő ł ş ğ ı đ œ ẞ ț"), "c e i o l s g i d oe SS t");
    assert_eq!(plain("Tiếng Việt, ǖ ǻ ǿ"), "Tieng Viet, ü å ø");
    assert_eq!(plain("café cafe\u{301} c\u{327} x\u{304}"), "café café c x");
    assert_eq!(replaced("cafe\u{301} ç", Reach::Unseen), "café ç", "what is the same goes first");
    assert_eq!(plain("u\u{308}\u{304}"), "ü");
}

#[test]
fn numerals_keep_their_value() {
    let plain = |text| replaced(text, Reach::Typography);
    assert_eq!(plain("m² 10² 10²³ 2⁻³ H₂O ½ 1½ ½½"), "m2 10^2 10^23 2^-3 H2O 1/2 1 1/2 1/2 1/2");
    for text in ["²5", "½5", "5₂", "1\u{336}2", "x\u{338}"] {
        assert_eq!(replaced(text, Reach::Suggested), text, "another number would be read");
    }
}

#[test]
fn nothing_else_is_touched() {
    for text in ["😀👩\u{1F3FD}", "Привет", "你好。「是」", "سلام", "नमस्ते", "☆○□", "€ ^", "ABC\r\nabc", "α ά"]
    {
        assert_eq!(replaced(text, Reach::Letters), text);
    }
    assert_eq!(replaced("[a]{b}~|\\", Reach::Letters), "[a]{b}~|\\");
    assert_eq!(replaced("[a]{b}~|\\^€", Reach::Suggested), "(a)(b)-//^€");
}

#[test]
fn the_mildest_that_helps_is_taken_and_none_in_vain() {
    assert_eq!(helped("“x”", Reach::Letters), Some((Reach::Typography, "\"x\"".to_owned())));
    assert_eq!(helped("“ş”", Reach::Letters), Some((Reach::Letters, "\"s\"".to_owned())));
    assert_eq!(helped("“ş”", Reach::Typography), None);
    assert_eq!(helped("“x” 😀", Reach::Letters), None, "it stays UCS-2");
    assert_eq!(helped("plain [text]", Reach::Suggested), None, "it is one part");
    let emoji = format!("“{}\u{200B}”😀", "x".repeat(66));
    assert_eq!(helped(&emoji, Reach::Letters), Some((Reach::Unseen, emoji.replace('\u{200B}', ""))));
    let joined = format!("{}👩\u{200D}💻", "x".repeat(66));
    assert_eq!(helped(&joined, Reach::Letters), None, "a joiner between emoji has a meaning");
    let ellipses = "…".repeat(70);
    assert_eq!(helped(&ellipses, Reach::Letters), None, "210 septets are two parts");
    let brackets = format!("{}[]", "x".repeat(157));
    assert_eq!(helped(&brackets, Reach::Letters), None);
    assert_eq!(helped(&brackets, Reach::Suggested).map(|(reach, _)| reach), Some(Reach::Suggested));
}

#[test]
fn a_latin1_message_keeps_what_latin1_has() {
    let mut out = String::new();
    assert_eq!(replace("ç “ş” ½", Alphabet::Latin1, Reach::Letters, &mut out), 3);
    assert_eq!(out, "ç \"s\" ½");
}

#[test]
fn letters_of_a_national_table_keep_their_accents() {
    let turkish = Options { languages: Languages::NONE.with(1), ..Options::default() };
    let helped = |text: &str| {
        let mut out = String::new();
        let better = better(text, turkish, &plan(text, turkish), Reach::Letters, &mut out)?;
        Some((better.reach, out))
    };
    assert_eq!(helped("“yaş”"), Some((Reach::Typography, "\"yaş\"".to_owned())));
    assert_eq!(helped("yaş"), None);
    // 159 septets and a header of 4 octets are two parts; without the header they are one.
    let long = format!("{}ş", "a".repeat(158));
    assert_eq!(helped(&long).map(|(reach, _)| reach), Some(Reach::Letters));
}

#[test]
fn reaches_are_kept_as_numbers() {
    for reach in Reach::ALL {
        assert_eq!(Reach::of(reach as u8), reach);
    }
    assert_eq!((Reach::of(0), Reach::of(9)), (Reach::Nothing, Reach::Nothing));
}

#[test]
fn every_form_fits() {
    for table in [
        replace_table::TYPOGRAPHY,
        replace_table::LETTERS,
        replace_table::SUGGESTED,
        replace_table::RAISED,
        replace_table::LOWERED,
        replace_table::FRACTIONS,
    ] {
        assert!(table.iter().all(|(_, form)| form.len() <= FORM_OCTETS_MAX));
    }
    for character in (0..0x2_0000).filter_map(char::from_u32) {
        let mut octets = [0; 4];
        let text = &*character.encode_utf8(&mut octets);
        let cluster = clusters(text).next().expect("one cluster");
        if let Some((reach, form)) = cluster.form(Alphabet::Gsm7) {
            assert!(gsm7::count(form.as_str()).is_ok(), "{character:?} becomes {form:?}");
            assert!((reach == Reach::Suggested) == cluster.is_in(Alphabet::Gsm7), "{character:?}");
        }
    }
}

fn texts() -> impl Strategy<Value = String> {
    let one = prop_oneof![
        "[a-z0-9 \\[\\]]",
        "[“”’–…•™½²₂çőłşéçΩ]",
        "[\u{300}-\u{305}\u{327}\u{336}\u{200B}\u{200D}\u{FE0F}\u{FEFF}]",
        "[😀жΩ€Ａ𝐀Ⅷ漢]",
        "\\PC",
    ];
    proptest::collection::vec(one, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_list_tells_every_change_and_can_be_undone(text in texts(), reach in 0..=4u8, latin1: bool) {
        let (reach, alphabet) = (Reach::of(reach), if latin1 { Alphabet::Latin1 } else { Alphabet::Gsm7 });
        let mut out = String::new();
        let count = replace(&text, alphabet, reach, &mut out);
        let list: Vec<_> = replacements(&text, alphabet, reach).collect();
        prop_assert_eq!(list.len(), count);
        // Both texts are walked side by side: what is not listed is equal, what is listed stands where the list says.
        let (mut given, mut sent, mut at, mut back) = (text.as_str(), out.as_str(), 0, String::new());
        for one in &list {
            let plain: usize = given.chars().take(one.at - at).map(char::len_utf8).sum();
            prop_assert_eq!(&given[..plain], &sent[..plain]);
            back.push_str(&sent[..plain]);
            back.push_str(one.from);
            prop_assert!(given[plain..].starts_with(one.from) && one.from != one.to.as_str());
            sent = sent[plain..].strip_prefix(one.to.as_str()).expect("the form stands there");
            given = &given[plain + one.from.len()..];
            at = one.at + one.from.chars().count();
        }
        prop_assert_eq!(given, sent);
        back.push_str(sent);
        prop_assert_eq!(&back, &text);
    }

    #[test]
    fn a_text_is_changed_only_to_take_less(text in texts(), reach in 1..=4u8) {
        let (given, mut out) = (planned(&text), String::new());
        if let Some(better) = better(&text, Options::default(), &given, Reach::of(reach), &mut out) {
            prop_assert!(rank(&Ok(better.plan)) < rank(&given));
            prop_assert_eq!(Ok(better.plan), planned(&out));
            prop_assert_eq!(replaced(&text, better.reach), out);
        }
    }
}
