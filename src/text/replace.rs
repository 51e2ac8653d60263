//! Smart encoding: plain forms for characters that make a message dear, and whether replacing them helps at all. A text
//! is never changed by this module alone: it tells what it would replace, and the caller decides and says so.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{compose, decompose_compatible};

use crate::text::replace_table::{FRACTIONS, LETTERS, LOWERED, RAISED, SUGGESTED, TYPOGRAPHY, UNSEEN, find};
use crate::text::segment::{Plan, plan};
use crate::text::{Alphabet, Options, TextError, gsm7};

/// How far replacing goes. Each reach does what the one before it does, and more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reach {
    /// Nothing is replaced.
    #[default]
    Nothing = 0,
    /// What nobody sees: zero-width characters go, and a letter with its accents behind it becomes the one character that
    /// Unicode holds equal.
    Unseen = 1,
    /// Quotes, dashes, spaces, symbols, ligatures and full-width forms become plain type.
    Typography = 2,
    /// Letters lose the accents that the alphabet does not have.
    Letters = 3,
    /// Brackets and the like that cost two septets become others that cost one. Only ever suggested.
    Suggested = 4,
}

impl Reach {
    /// All that replace anything, the mildest first.
    pub const ALL: [Reach; 4] = [Reach::Unseen, Reach::Typography, Reach::Letters, Reach::Suggested];

    /// The reach of this number, as `reach as u8` gives it; of an unknown one nothing.
    pub fn of(number: u8) -> Reach {
        Reach::ALL.into_iter().find(|reach| *reach as u8 == number).unwrap_or_default()
    }
}

/// One place of a text where something else would stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replacement<'a> {
    /// Its place: characters of the text before it.
    pub at: usize,
    /// What stands there: one character, or a letter and its accents.
    pub from: &'a str,
    /// What would stand there; empty if it is left out.
    pub to: Form,
    /// Its place: octets of the text before it.
    start: usize,
}

/// A plain form: at most [`FORM_OCTETS_MAX`] octets of UTF-8.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Form {
    octets: [u8; FORM_OCTETS_MAX],
    length: u8,
}

/// Octets of a plain form.
pub const FORM_OCTETS_MAX: usize = 7;

impl Form {
    /// The form as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.octets[..usize::from(self.length)]).expect("a form is made of whole characters")
    }

    /// `None` for a text that is too long to be a form.
    fn new(text: &str) -> Option<Form> {
        let mut octets = [0; FORM_OCTETS_MAX];
        octets.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Form { octets, length: text.len() as u8 })
    }

    fn of_char(character: char) -> Form {
        Form::new(character.encode_utf8(&mut [0; 4])).expect("a character has at most four octets")
    }
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

/// A character, or a letter with the accents that stand behind it as characters of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cluster<'a> {
    /// Its place: characters of the text before it.
    pub at: usize,
    /// What it is made of.
    pub text: &'a str,
    /// Its place: octets of the text before it.
    start: usize,
    /// The character before it.
    previous: Option<char>,
    /// The character behind it.
    next: Option<char>,
}

/// A text as clusters, in order. Nothing is left out: together they are the text.
pub fn clusters(text: &str) -> impl Iterator<Item = Cluster<'_>> {
    let (mut start, mut at, mut previous) = (0, 0, None);
    std::iter::from_fn(move || {
        let rest = &text[start..];
        let mut characters = rest.char_indices();
        let (_, mut last) = characters.next()?;
        let (mut count, mut end, mut next) = (1, rest.len(), None);
        for (offset, character) in characters {
            if !is_accent(character) {
                (end, next) = (offset, Some(character));
                break;
            }
            (last, count) = (character, count + 1);
        }
        let cluster = Cluster { at, text: &rest[..end], start, previous, next };
        (start, at, previous) = (start + end, at + count, Some(last));
        Some(cluster)
    })
}

impl Cluster<'_> {
    /// Whether every character is in the alphabet.
    pub fn is_in(&self, alphabet: Alphabet) -> bool {
        self.text.chars().all(|character| is_in(alphabet, character))
    }

    /// What may stand for it in this alphabet, and from which reach on. `None`: it stays, because it is in the alphabet
    /// and costs one unit, or because nothing else says the same.
    pub fn form(&self, alphabet: Alphabet) -> Option<(Reach, Form)> {
        let first = self.text.chars().next()?;
        if self.is_in(alphabet) {
            let form = find(SUGGESTED, first).filter(|_| alphabet == Alphabet::Gsm7)?;
            return Some((Reach::Suggested, Form::new(form)?));
        }
        let mut composed = self.text.nfc();
        if let (Some(one), None) = (composed.next(), composed.next())
            && is_in(alphabet, one)
        {
            return Some((Reach::Unseen, Form::of_char(one)));
        }
        if self.text.len() == first.len_utf8() {
            if UNSEEN.binary_search(&first).is_ok() {
                return Some((Reach::Unseen, Form::new("")?));
            }
            let plain = find(TYPOGRAPHY, first).and_then(Form::new);
            if let Some(form) = plain.or_else(|| self.numeral(first)).or_else(|| styled(first)) {
                return Some((Reach::Typography, form));
            }
        }
        self.without_accents(alphabet).map(|form| (Reach::Letters, form))
    }

    /// Raised and lowered digits and fractions: what they mean depends on the digit beside them.
    fn numeral(&self, character: char) -> Option<Form> {
        let behind_digit = self.previous.is_some_and(char::is_numeric);
        if let Some(raised) = find(RAISED, character) {
            // 10² is 10^2 and not 102; the second digit of 10²³ stands behind a raised one.
            let follows_raised = self.previous.is_some_and(|before| find(RAISED, before).is_some());
            let needs_mark = behind_digit && !follows_raised;
            let ends = !self.next.is_some_and(|next| next.is_ascii_digit());
            return Form::new(raised)
                .filter(|_| ends && !needs_mark)
                .or_else(|| raised_form(raised, ends && needs_mark));
        }
        if self.next.is_some_and(|next| next.is_ascii_digit()) {
            return None;
        }
        if let Some(fraction) = find(FRACTIONS, character) {
            return Form::new(if behind_digit { fraction } else { fraction.trim_start() });
        }
        let follows_lowered = self.previous.is_some_and(|before| find(LOWERED, before).is_some());
        find(LOWERED, character).filter(|_| follows_lowered || !behind_digit).and_then(Form::new)
    }

    /// The letter with as many of its accents as the alphabet has, the first ones first.
    fn without_accents(&self, alphabet: Alphabet) -> Option<Form> {
        let mut characters = self.text.nfd();
        let base = characters.next()?;
        if !base.is_alphabetic() || base > LATIN_LAST {
            return find(LETTERS, base).filter(|_| characters.next().is_none()).and_then(Form::new);
        }
        let mut best = None;
        if is_in(alphabet, base) {
            best = Some(Form::of_char(base));
        }
        let mut grown = Some(base);
        for accent in characters {
            // A letter that is struck through means something else than the letter.
            if !is_accent(accent) || STRIKES.contains(&accent) {
                return None;
            }
            grown = grown.and_then(|letter| compose(letter, accent));
            best = grown.filter(|letter| is_in(alphabet, *letter)).map(Form::of_char).or(best);
        }
        best.or_else(|| find(LETTERS, base).and_then(Form::new))
    }
}

/// The last letter of the block Latin Extended-B. Accents of other scripts are not for us to drop.
const LATIN_LAST: char = '\u{24F}';

/// Combining strokes.
const STRIKES: std::ops::RangeInclusive<char> = '\u{334}'..='\u{338}';

/// Combining diacritical marks.
fn is_accent(character: char) -> bool {
    ('\u{300}'..='\u{36F}').contains(&character) && character != '\u{34F}'
}

fn is_in(alphabet: Alphabet, character: char) -> bool {
    match alphabet {
        Alphabet::Gsm7 => gsm7::septet(character).is_some(),
        Alphabet::Latin1 => character <= '\u{FF}',
        Alphabet::Ucs2 | Alphabet::Binary => true,
    }
}

fn raised_form(raised: &str, marked: bool) -> Option<Form> {
    let first = raised.chars().next().filter(|_| marked)?;
    let mut octets = [0; 5];
    octets[0] = b'^';
    let length = first.encode_utf8(&mut octets[1..]).len();
    Form::new(std::str::from_utf8(&octets[..=length]).ok()?)
}

/// Letters and digits in another dress: full-width, bold, script, and Roman numerals of one character.
fn styled(character: char) -> Option<Form> {
    match character {
        '｀' => Form::new("'"),
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(character) - 0xFEE0).map(Form::of_char),
        '\u{1D400}'..='\u{1D7FF}' | '\u{2160}'..='\u{217F}' => {
            let (mut plain, mut sound) = (String::new(), true);
            decompose_compatible(character, |letter| {
                sound &= letter.is_ascii_alphanumeric();
                plain.push(letter);
            });
            Form::new(&plain).filter(|_| sound)
        }
        _ => None,
    }
}

/// What would be replaced in a text that is to go in this alphabet, in order. Neighbours are apart: they never overlap.
pub fn replacements(text: &str, alphabet: Alphabet, reach: Reach) -> impl Iterator<Item = Replacement<'_>> {
    clusters(text).filter_map(move |cluster| {
        // Most of a text is plain; only the rest is worth a look at the tables.
        if cluster.text.len() == 1 && cluster.text.as_bytes()[0].is_ascii_alphanumeric() {
            return None;
        }
        let (least, to) = cluster.form(alphabet)?;
        (least <= reach).then_some(Replacement { at: cluster.at, from: cluster.text, to, start: cluster.start })
    })
}

/// Appends the text with everything within `reach` replaced, and tells how many places were.
pub fn replace(text: &str, alphabet: Alphabet, reach: Reach, out: &mut String) -> usize {
    let (mut written, mut count) = (0, 0);
    for replacement in replacements(text, alphabet, reach) {
        out.push_str(&text[written..replacement.start]);
        out.push_str(replacement.to.as_str());
        written = replacement.start + replacement.from.len();
        count += 1;
    }
    out.push_str(&text[written..]);
    count
}

/// What replacing makes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Better {
    /// The alphabet that it aims at.
    pub alphabet: Alphabet,
    /// How far it has to go.
    pub reach: Reach,
    /// What the replaced text takes.
    pub plan: Plan,
}

/// The mildest replacing that helps most: fewer parts, or UCS-2 avoided in as many. The replaced text is then in `out`.
///
/// `given` is the plan of the text as it is, by the same `options`. Nothing is replaced in vain: what only a message
/// outside UCS-2 bears (plain quotes, lost accents) is replaced only if the whole message leaves UCS-2.
pub fn better(
    text: &str,
    options: Options,
    given: &Result<Plan, TextError>,
    reach_max: Reach,
    out: &mut String,
) -> Option<Better> {
    let alphabet = options.choice.aim()?;
    if !may_help(given, reach_max) {
        return None;
    }
    let (mut best, mut rank, mut before) = (None, rank(given), 0);
    let mut last = Reach::Nothing;
    for reach in Reach::ALL.into_iter().filter(|reach| *reach <= reach_max) {
        out.clear();
        let count = replace(text, alphabet, reach, out);
        last = reach;
        if count == before {
            continue;
        }
        before = count;
        let Ok(plan) = plan(out, options) else { continue };
        let mild = reach == Reach::Unseen || plan.alphabet != Alphabet::Ucs2;
        if mild && self::rank(&Ok(plan)) < rank {
            rank = self::rank(&Ok(plan));
            best = Some(Better { alphabet, reach, plan });
        }
    }
    let better: Better = best?;
    if better.reach != last {
        out.clear();
        replace(text, alphabet, better.reach, out);
    }
    Some(better)
}

/// Whether a look at the text is worth it. A message of one part outside UCS-2 is as cheap as it gets, and one without a national
/// table has nothing to replace but what is only suggested.
fn may_help(given: &Result<Plan, TextError>, reach_max: Reach) -> bool {
    match given {
        _ if reach_max == Reach::Nothing => false,
        Ok(plan) if plan.alphabet == Alphabet::Ucs2 => true,
        Ok(plan) => plan.parts > 1 && (reach_max >= Reach::Suggested || plan.locking != 0 || plan.single != 0),
        Err(_) => true,
    }
}

/// The smaller, the better: parts, then whether it is UCS-2.
fn rank(plan: &Result<Plan, TextError>) -> (usize, bool) {
    match plan {
        Ok(plan) => (usize::from(plan.parts), plan.alphabet == Alphabet::Ucs2),
        Err(TextError::TooManyParts { parts, .. }) => (*parts, true),
        Err(TextError::NotInAlphabet { .. }) => (usize::MAX, true),
    }
}

#[cfg(test)]
#[path = "replace_tests.rs"]
mod tests;
