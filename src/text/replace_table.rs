//! What stands for what: characters outside the GSM-7 alphabet and the plain forms that say the same. Sorted by code,
//! so that a look-up is a binary search. Emoji and other scripts have no plain form and are not here.

/// Characters that are not seen and change nothing but where a line may break: they are left out.
pub(super) const UNSEEN: &[char] = &['\u{AD}', '\u{200B}', '\u{2060}', '\u{FEFF}'];

/// Punctuation, spaces, symbols and ligatures in plain type. What controls only how other characters are shown
/// (direction, joining, variants) has an empty form: beside plain characters it does nothing.
#[rustfmt::skip]
pub(super) const TYPOGRAPHY: &[(char, &str)] = &[
    ('\u{1}', ""), ('\u{2}', ""), ('\u{3}', ""), ('\u{4}', ""), ('\u{5}', ""), ('\u{6}', ""), ('\u{7}', ""),
    ('\u{8}', ""), ('\t', " "), ('\u{B}', "\n"), ('\u{E}', ""), ('\u{F}', ""), ('\u{10}', ""), ('\u{11}', ""),
    ('\u{12}', ""), ('\u{13}', ""), ('\u{14}', ""), ('\u{15}', ""), ('\u{16}', ""), ('\u{17}', ""), ('\u{18}', ""),
    ('\u{19}', ""), ('\u{1A}', ""), ('\u{1B}', ""), ('\u{1C}', ""), ('\u{1D}', ""), ('\u{1E}', ""), ('\u{1F}', ""),
    ('`', "'"), ('\u{7F}', ""),
    ('\u{85}', "\n"), ('\u{A0}', " "), ('¢', "c"), ('¦', "|"), ('©', "(c)"), ('ª', "a"), ('«', "\""), ('®', "(R)"),
    ('°', "deg"), ('±', "+/-"), ('´', "'"), ('µ', "u"), ('·', "*"), ('º', "o"), ('»', "\""), ('×', "x"), ('÷', "/"),
    ('ʹ', "'"), ('ʺ', "\""), ('ʻ', "'"), ('ʼ', "'"), ('ʽ', "'"), ('ʾ', "'"), ('ʿ', "'"), ('ˆ', "^"), ('ˈ', "'"),
    ('ˊ', "'"), ('ˋ', "'"), ('˗', "-"), ('˜', "~"), ('˝', "\""), ('ˮ', "\""),
    ('\u{34F}', ""), ('\u{61C}', ""), ('\u{1680}', " "), ('\u{180E}', ""),
    ('\u{2000}', " "), ('\u{2001}', " "), ('\u{2002}', " "), ('\u{2003}', " "), ('\u{2004}', " "), ('\u{2005}', " "),
    ('\u{2006}', " "), ('\u{2007}', " "), ('\u{2008}', " "), ('\u{2009}', " "), ('\u{200A}', " "),
    ('\u{200C}', ""), ('\u{200D}', ""), ('\u{200E}', ""), ('\u{200F}', ""),
    ('‐', "-"), ('‑', "-"), ('‒', "-"), ('–', "-"), ('—', "-"), ('―', "-"), ('‖', "||"),
    ('‘', "'"), ('’', "'"), ('‚', "'"), ('‛', "'"), ('“', "\""), ('”', "\""), ('„', "\""), ('‟', "\""),
    ('•', "*"), ('‣', ">"), ('․', "."), ('‥', ".."), ('…', "..."), ('‧', "-"), ('\u{2028}', "\n"), ('\u{2029}', "\n"),
    ('\u{202A}', ""), ('\u{202B}', ""), ('\u{202C}', ""), ('\u{202D}', ""), ('\u{202E}', ""), ('\u{202F}', " "),
    ('′', "'"), ('″', "\""), ('‴', "'''"), ('‵', "'"), ('‶', "\""), ('‹', "<"), ('›', ">"), ('‼', "!!"), ('‽', "?!"),
    ('⁃', "-"), ('⁄', "/"), ('⁇', "??"), ('⁈', "?!"), ('⁉', "!?"), ('⁎', "*"), ('⁓', "~"), ('\u{205F}', " "),
    ('\u{2061}', ""), ('\u{2062}', ""), ('\u{2063}', ""), ('\u{2064}', ""), ('\u{2066}', ""), ('\u{2067}', ""),
    ('\u{2068}', ""), ('\u{2069}', ""), ('\u{206A}', ""), ('\u{206B}', ""), ('\u{206C}', ""), ('\u{206D}', ""),
    ('\u{206E}', ""), ('\u{206F}', ""),
    ('℃', "degC"), ('℅', "c/o"), ('℉', "degF"), ('ℓ', "l"), ('№', "No"), ('℗', "(P)"), ('℠', "(SM)"), ('℡', "TEL"),
    ('™', "(TM)"), ('←', "<-"), ('→', "->"), ('↔', "<->"), ('⇒', "=>"), ('⇔', "<=>"),
    ('−', "-"), ('∕', "/"), ('∗', "*"), ('∙', "*"), ('∣', "|"), ('∶', ":"), ('∼', "~"), ('≈', "~"), ('≠', "!="),
    ('≤', "<="), ('≥', ">="), ('≪', "<<"), ('≫', ">>"), ('⋅', "*"), ('⋯', "..."),
    ('─', "-"), ('━', "-"), ('│', "|"), ('┃', "|"), ('■', "*"), ('▪', "*"), ('▶', ">"), ('▸', ">"), ('►', ">"),
    ('◀', "<"), ('◂', "<"), ('◄', "<"), ('●', "*"), ('◦', "*"), ('★', "*"),
    ('✓', "v"), ('✔', "v"), ('✗', "x"), ('✘', "x"), ('❛', "'"), ('❜', "'"), ('❝', "\""), ('❞', "\""),
    ('➔', "->"), ('➙', "->"), ('➛', "->"), ('➜', "->"), ('➝', "->"), ('➞', "->"), ('➡', "->"), ('➤', "->"),
    ('⟵', "<-"), ('⟶', "->"), ('⟷', "<->"), ('⟹', "=>"), ('⟺', "<=>"), ('⬅', "<-"), ('⸺', "--"), ('⸻', "---"),
    ('\u{3000}', " "), ('〝', "\""), ('〞', "\""), ('〟', "\""), ('ꞌ', "'"),
    ('ﬀ', "ff"), ('ﬁ', "fi"), ('ﬂ', "fl"), ('ﬃ', "ffi"), ('ﬄ', "ffl"), ('ﬅ', "st"), ('ﬆ', "st"),
    ('\u{FE00}', ""), ('\u{FE01}', ""), ('\u{FE02}', ""), ('\u{FE03}', ""), ('\u{FE04}', ""), ('\u{FE05}', ""),
    ('\u{FE06}', ""), ('\u{FE07}', ""), ('\u{FE08}', ""), ('\u{FE09}', ""), ('\u{FE0A}', ""), ('\u{FE0B}', ""),
    ('\u{FE0C}', ""), ('\u{FE0D}', ""), ('\u{FE0E}', ""), ('\u{FE0F}', ""),
    ('﹘', "-"), ('﹣', "-"), ('￠', "c"), ('￡', "£"), ('￤', "|"), ('￥', "¥"),
];

/// Latin letters that are no letter with an accent, so that Unicode does not take them apart.
#[rustfmt::skip]
pub(super) const LETTERS: &[(char, &str)] = &[
    ('Ð', "D"), ('Þ', "Th"), ('ð', "d"), ('þ', "th"), ('Đ', "D"), ('đ', "d"), ('Ħ', "H"), ('ħ', "h"), ('ı', "i"),
    ('Ĳ', "IJ"), ('ĳ', "ij"), ('ĸ', "k"), ('Ŀ', "L"), ('ŀ', "l"), ('Ł', "L"), ('ł', "l"), ('ŉ', "'n"), ('Ŋ', "N"),
    ('ŋ', "n"), ('Œ', "OE"), ('œ', "oe"), ('Ŧ', "T"), ('ŧ', "t"), ('ſ', "s"), ('ƒ', "f"), ('Ǆ', "DZ"), ('ǅ', "Dz"),
    ('ǆ', "dz"), ('Ǉ', "LJ"), ('ǈ', "Lj"), ('ǉ', "lj"), ('Ǌ', "NJ"), ('ǋ', "Nj"), ('ǌ', "nj"), ('Ǳ', "DZ"), ('ǲ', "Dz"),
    ('ǳ', "dz"), ('ȷ', "j"), ('ẞ', "SS"),
];

/// Characters that cost two septets and what a sender may like as well. They look different, so this is only suggested.
pub(super) const SUGGESTED: &[(char, &str)] =
    &[('\u{C}', "\n"), ('[', "("), ('\\', "/"), (']', ")"), ('{', "("), ('|', "/"), ('}', ")"), ('~', "-")];

/// Digits and signs above the line, with their plain forms.
#[rustfmt::skip]
pub(super) const RAISED: &[(char, &str)] = &[
    ('²', "2"), ('³', "3"), ('¹', "1"), ('⁰', "0"), ('ⁱ', "i"), ('⁴', "4"), ('⁵', "5"), ('⁶', "6"), ('⁷', "7"),
    ('⁸', "8"), ('⁹', "9"), ('⁺', "+"), ('⁻', "-"), ('⁼', "="), ('⁽', "("), ('⁾', ")"), ('ⁿ', "n"),
];

/// Digits and signs below the line, with their plain forms.
#[rustfmt::skip]
pub(super) const LOWERED: &[(char, &str)] = &[
    ('₀', "0"), ('₁', "1"), ('₂', "2"), ('₃', "3"), ('₄', "4"), ('₅', "5"), ('₆', "6"), ('₇', "7"), ('₈', "8"),
    ('₉', "9"), ('₊', "+"), ('₋', "-"), ('₌', "="), ('₍', "("), ('₎', ")"),
];

/// Fractions, with a space in front that is written only behind a digit: 1½ is 1 1/2 and not 11/2.
#[rustfmt::skip]
pub(super) const FRACTIONS: &[(char, &str)] = &[
    ('¼', " 1/4"), ('½', " 1/2"), ('¾', " 3/4"), ('⅐', " 1/7"), ('⅑', " 1/9"), ('⅒', " 1/10"), ('⅓', " 1/3"),
    ('⅔', " 2/3"), ('⅕', " 1/5"), ('⅖', " 2/5"), ('⅗', " 3/5"), ('⅘', " 4/5"), ('⅙', " 1/6"), ('⅚', " 5/6"),
    ('⅛', " 1/8"), ('⅜', " 3/8"), ('⅝', " 5/8"), ('⅞', " 7/8"),
];

/// The plain form of a character in one of the tables.
pub(super) fn find(table: &'static [(char, &'static str)], character: char) -> Option<&'static str> {
    let place = table.binary_search_by_key(&character, |(key, _)| *key).ok()?;
    Some(table[place].1)
}

#[cfg(test)]
mod tests {
    use super::{FRACTIONS, LETTERS, LOWERED, RAISED, SUGGESTED, TYPOGRAPHY, UNSEEN, find};
    use crate::text::gsm7::{Septet, septet};

    #[test]
    fn rows_are_sorted_and_stand_once() {
        assert!(UNSEEN.is_sorted_by(|a, b| a < b));
        for table in [TYPOGRAPHY, LETTERS, SUGGESTED, RAISED, LOWERED, FRACTIONS] {
            for pair in table.windows(2) {
                assert!(pair[0].0 < pair[1].0, "{:?} stands before {:?}", pair[0], pair[1]);
            }
        }
        let mut keys: Vec<char> = UNSEEN.to_vec();
        for table in [TYPOGRAPHY, LETTERS, SUGGESTED, RAISED, LOWERED, FRACTIONS] {
            keys.extend(table.iter().map(|(key, _)| *key));
        }
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all, "a character stands in two tables");
    }

    #[test]
    fn what_is_replaced_is_foreign_and_what_replaces_it_is_not() {
        for table in [TYPOGRAPHY, LETTERS, RAISED, LOWERED, FRACTIONS] {
            for (key, form) in table {
                assert_eq!(septet(*key), None, "{key:?} is in GSM-7 and needs no replacement");
                assert!(form.chars().all(|c| septet(c).is_some()), "{form:?} for {key:?} is not in GSM-7");
                assert!(form.chars().all(|c| c <= '\u{FF}'), "{form:?} for {key:?} is not in Latin-1");
            }
        }
        assert!(UNSEEN.iter().all(|key| septet(*key).is_none()));
    }

    #[test]
    fn a_suggestion_takes_one_unit_where_two_were() {
        for (key, form) in SUGGESTED {
            assert!(matches!(septet(*key), Some(Septet::Extended(_))), "{key:?} does not cost two");
            let units: Vec<_> = form.chars().map(septet).collect();
            assert!(matches!(units[..], [Some(Septet::Default(_))]), "{form:?} for {key:?}");
        }
        assert_eq!((find(SUGGESTED, '€'), find(SUGGESTED, '^')), (None, None), "nothing says the same in one unit");
    }
}
