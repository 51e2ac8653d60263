//! Finds the labels in the text of a receipt: in any order and any case, with other separators, some missing, some
//! unknown (quirk Q10).

use crate::smpp::fields::MessageState;

/// The values as they stand in the text; None: no such label, or nothing behind it.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::smpp) struct Fields<'a> {
    pub(in crate::smpp) id: Option<&'a [u8]>,
    pub(in crate::smpp) sub: Option<&'a [u8]>,
    pub(in crate::smpp) dlvrd: Option<&'a [u8]>,
    pub(in crate::smpp) submit_date: Option<&'a [u8]>,
    pub(in crate::smpp) done_date: Option<&'a [u8]>,
    pub(in crate::smpp) stat: Option<&'a [u8]>,
    pub(in crate::smpp) err: Option<&'a [u8]>,
    /// Present and empty differs from absent here.
    pub(in crate::smpp) text: Option<&'a [u8]>,
    pub(in crate::smpp) extras: Extras<'a>,
}

/// The labels of a receipt that the standard does not know, found again on every pass.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Extras<'a> {
    /// The receipt up to its `text:` part.
    octets: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    Id,
    Sub,
    Dlvrd,
    SubmitDate,
    DoneDate,
    Stat,
    Err,
    Text,
}

impl<'a> Extras<'a> {
    /// Label and value of each, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let mut rest = self.octets;
        core::iter::from_fn(move || {
            loop {
                rest = skip_separators(rest);
                if rest.is_empty() {
                    return None;
                }
                if let Some((_, after)) = label(rest) {
                    rest = after;
                    continue;
                }
                let (word, after) = take_word(rest);
                rest = after;
                if let Some(pair) = split_label(word) {
                    return Some(pair);
                }
            }
        })
    }
}

impl core::fmt::Debug for Extras<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The values may be numbers of people, so only how many there are is shown.
        write!(f, "{} extras", self.iter().count())
    }
}

pub(in crate::smpp) fn read_fields(text: &[u8]) -> Fields<'_> {
    let mut fields = Fields::default();
    let whole = trim_end(text);
    let mut rest = whole;
    let mut text_starts = whole.len();
    // A carrier that puts a blank behind one colon does so behind all of them, also the one of the text.
    let mut blanks = false;
    // Looked for once at most, so that the work stays in proportion to the length.
    let mut has_text_label = None;
    loop {
        rest = skip_separators(rest);
        if rest.is_empty() {
            break;
        }
        let at = whole.len() - rest.len();
        if let Some((Label::Text, after)) = label(rest) {
            text_starts = text_starts.min(at);
            rest = read_text(after, blanks, &mut fields);
        } else if let Some((label, after)) = label(rest) {
            let (value, after, blank) = take_value(after);
            blanks |= blank;
            put(label, value, &mut fields);
            rest = after;
        } else {
            let (word, after) = take_word(rest);
            if fields.stat.is_none() && MessageState::from_stat(word).is_some() {
                fields.stat = Some(word);
            } else if fields.err.is_some()
                && split_label(word).is_none()
                && !*has_text_label.get_or_insert_with(|| find_label(whole, Label::Text).is_some())
            {
                // Words behind the error without a label are the text.
                fields.text = Some(rest);
                text_starts = text_starts.min(at);
                break;
            }
            rest = after;
        }
    }
    fields.extras = Extras { octets: &whole[..text_starts] };
    fields
}

/// The text is the rest of the receipt, whatever it looks like, unless the state is still to come.
fn read_text<'a>(after: &'a [u8], blanks: bool, fields: &mut Fields<'a>) -> &'a [u8] {
    let after = if blanks { after.trim_ascii_start() } else { after };
    let end = if fields.stat.is_none() { find_label(after, Label::Stat).unwrap_or(after.len()) } else { after.len() };
    let (text, rest) = after.split_at(end);
    fields.text = Some(if rest.is_empty() { text } else { text.trim_ascii() });
    rest
}

/// The first value of each label counts, as with TLVs.
fn put<'a>(label: Label, value: &'a [u8], fields: &mut Fields<'a>) {
    let field = match label {
        Label::Id => &mut fields.id,
        Label::Sub => &mut fields.sub,
        Label::Dlvrd => &mut fields.dlvrd,
        Label::SubmitDate => &mut fields.submit_date,
        Label::DoneDate => &mut fields.done_date,
        Label::Stat => &mut fields.stat,
        Label::Err => &mut fields.err,
        Label::Text => &mut fields.text,
    };
    if field.is_none() && !value.is_empty() {
        *field = Some(value);
    }
}

/// The label at the start, in any case, and what stands behind its colon.
fn label(text: &[u8]) -> Option<(Label, &[u8])> {
    // By the first letter, because most words are no label and this is asked of each.
    let candidates: &[(&[u8], Label)] = match text.first()?.to_ascii_lowercase() {
        b'i' => &[(b"id", Label::Id)],
        b's' => &[
            (b"stat", Label::Stat),
            (b"sub", Label::Sub),
            (b"submit date", Label::SubmitDate),
            (b"submit_date", Label::SubmitDate),
            (b"submitdate", Label::SubmitDate),
        ],
        b'd' => &[
            (b"dlvrd", Label::Dlvrd),
            (b"done date", Label::DoneDate),
            (b"done_date", Label::DoneDate),
            (b"donedate", Label::DoneDate),
        ],
        b'e' => &[(b"err", Label::Err)],
        b't' => &[(b"text", Label::Text)],
        _ => return None,
    };
    candidates.iter().find_map(|(name, label)| {
        let (head, rest) = text.split_at_checked(name.len())?;
        let rest = rest.trim_ascii_start().strip_prefix(b":")?;
        head.eq_ignore_ascii_case(name).then_some((*label, rest))
    })
}

/// Where the first such label stands that begins a word.
fn find_label(text: &[u8], wanted: Label) -> Option<usize> {
    (0..text.len()).find(|at| {
        let begins = *at == 0 || is_separator(text[*at - 1]);
        begins && label(&text[*at..]).is_some_and(|(found, _)| found == wanted)
    })
}

/// The value behind a colon, the rest, and whether blanks stood between: the next word, unless that is a label itself.
fn take_value(after: &[u8]) -> (&[u8], &[u8], bool) {
    let value = after.trim_ascii_start();
    let blank = value.len() < after.len();
    if blank && (label(value).is_some() || split_label(take_word(value).0).is_some()) {
        return (&[], after, false);
    }
    let (word, rest) = take_word(value);
    (word, rest, blank && !word.is_empty())
}

fn take_word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = (0..text.len()).find(|at| is_separator(text[*at]) || is_bar_before_label(&text[*at..]));
    text.split_at(end.unwrap_or(text.len()))
}

/// An unknown label and its value: letters, digits and underscores before the first colon.
fn split_label(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = word.iter().position(|octet| *octet == b':')?;
    let (name, value) = (&word[..colon], &word[colon + 1..]);
    let is_name = name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'_');
    is_name.then_some((name, value))
}

/// A comma or a bar separates only where a label follows, because ids and errors may hold one.
fn is_bar_before_label(text: &[u8]) -> bool {
    matches!(text, [b',' | b'|', rest @ ..] if label(rest.trim_ascii_start()).is_some())
}

fn is_separator(octet: u8) -> bool {
    octet.is_ascii_whitespace() || octet == b';' || octet == 0
}

fn skip_separators(text: &[u8]) -> &[u8] {
    let start =
        text.iter().position(|octet| !is_separator(*octet) && !matches!(octet, b',' | b'|')).unwrap_or(text.len());
    &text[start..]
}

fn trim_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|octet| !octet.is_ascii_whitespace() && *octet != 0).map_or(0, |last| last + 1);
    &text[..end]
}
