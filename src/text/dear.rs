//! What makes a text dear: each kind of character that takes more than it looks, what may stand for it, and what replacing it
//! would save. For dry runs and previews; counted by the planner that counts for sending.

use std::collections::BTreeMap;

use crate::text::replace::{Better, Cluster, Form, Reach, better, clusters};
use crate::text::segment::{Plan, plan};
use crate::text::{Alphabet, Choice, Options};

/// What a character does to the size of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offence {
    /// It is in neither GSM-7 table: the whole message becomes UCS-2.
    ForcesUcs2,
    /// It takes two units.
    CostsTwo,
    /// It is in a national table alone, whose name takes room in every part.
    NeedsTable,
}

impl Offence {
    /// The word used in answers and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Offence::ForcesUcs2 => "forces_ucs2",
            Offence::CostsTwo => "costs_two",
            Offence::NeedsTable => "needs_table",
        }
    }
}

/// A character that makes its message dear, wherever it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dear<'a> {
    /// Where it stands first: characters before it.
    pub at: usize,
    /// How often it stands there.
    pub count: usize,
    /// The character, or a letter and its accents.
    pub text: &'a str,
    /// What it does.
    pub offence: Offence,
    /// What may stand for it; `None` if nothing else says the same.
    pub form: Option<Form>,
    /// Parts that the message takes less when it alone is replaced, wherever it stands.
    pub parts_saved: u8,
}

/// All that makes a text dear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dears<'a> {
    /// The first kinds, in the order of the text.
    pub kinds: Vec<Dear<'a>>,
    /// Kinds beyond those.
    pub more: usize,
    /// What replacing all of them makes of the message, if that helps.
    pub together: Option<Better>,
}

/// Kinds of characters that are told one by one: a text of emoji would fill a screen.
pub const KINDS_MAX: usize = 20;

/// Looks through a text whose plan by these options is `given`.
pub fn look<'a>(text: &'a str, options: Options, given: &Plan) -> Dears<'a> {
    let alphabet = options.choice.aim();
    let mut found: BTreeMap<&str, Option<Dear<'a>>> = BTreeMap::new();
    for cluster in clusters(text).filter(|cluster| !is_plain(cluster.text)) {
        let kind = found.entry(cluster.text).or_insert_with(|| {
            let offence = offence(cluster.text, options)?;
            let form = alphabet.and_then(|alphabet| cluster.form(alphabet)).map(|(_, form)| form);
            Some(Dear { at: cluster.at, count: 0, text: cluster.text, offence, form, parts_saved: 0 })
        });
        if let Some(dear) = kind {
            dear.count += 1;
        }
    }
    let mut kinds: Vec<Dear<'a>> = found.into_values().flatten().collect();
    kinds.sort_unstable_by_key(|dear| dear.at);
    let more = kinds.len().saturating_sub(KINDS_MAX);
    kinds.truncate(KINDS_MAX);
    let Some(alphabet) = alphabet else { return Dears { kinds, more, together: None } };
    let mut buffer = String::new();
    // A message of one part cannot take fewer.
    for dear in kinds.iter_mut().filter(|dear| dear.form.is_some() && given.parts > 1) {
        buffer.clear();
        let form = |cluster: &Cluster<'_>| cluster.form(alphabet).filter(|_| cluster.text == dear.text);
        clusters(text).for_each(|cluster| match form(&cluster) {
            Some((_, form)) => buffer.push_str(form.as_str()),
            None => buffer.push_str(cluster.text),
        });
        let parts = plan(&buffer, options).map_or(given.parts, |plan| plan.parts);
        dear.parts_saved = given.parts.saturating_sub(parts);
    }
    let together = better(text, options, &Ok(*given), Reach::Suggested, &mut buffer);
    Dears { kinds, more, together }
}

/// Letters, digits and spaces of ASCII cost one unit everywhere.
fn is_plain(cluster: &str) -> bool {
    matches!(cluster.as_bytes(), [octet] if octet.is_ascii_alphanumeric() || *octet == b' ')
}

/// What a character does to its message, by what it would take alone. Who asks for UCS-2 is not forced into it.
fn offence(cluster: &str, options: Options) -> Option<Offence> {
    let plan = plan(cluster, options).ok()?;
    if plan.alphabet == Alphabet::Ucs2 && options.choice != Choice::Ucs2 {
        return Some(Offence::ForcesUcs2);
    }
    if plan.locking != 0 || plan.single != 0 {
        return Some(Offence::NeedsTable);
    }
    (plan.units_total > cluster.chars().count()).then_some(Offence::CostsTwo)
}

#[cfg(test)]
mod tests {
    use super::{Dears, KINDS_MAX, Offence, look};
    use crate::text::national::Languages;
    use crate::text::replace::{Form, Reach};
    use crate::text::segment::plan;
    use crate::text::{Alphabet, Choice, Concat, Options};

    fn looked(text: &str, choice: Choice) -> Dears<'_> {
        let options = Options::new(choice, Concat::Udh8);
        look(text, options, &plan(text, options).expect("few parts"))
    }

    #[test]
    fn each_kind_is_told_once_with_what_it_saves() {
        let text = format!("{}’s “x” and {}’s [1]", "a".repeat(60), "b".repeat(60));
        let dears = looked(&text, Choice::Auto);
        let told: Vec<_> = dears
            .kinds
            .iter()
            .map(|dear| (dear.text, dear.count, dear.offence, dear.form.as_ref().map(Form::as_str), dear.parts_saved))
            .collect();
        let forces = |text, count, form| (text, count, Offence::ForcesUcs2, Some(form), 0);
        let costs = |text, form| (text, 1, Offence::CostsTwo, Some(form), 0);
        assert_eq!(
            told,
            [forces("’", 2, "'"), forces("“", 1, "\""), forces("”", 1, "\""), costs("[", "("), costs("]", ")")]
        );
        assert_eq!(dears.together.map(|better| (better.reach, better.plan.parts)), Some((Reach::Typography, 1)));
        let alone = looked(&text[..130], Choice::Auto);
        assert_eq!(alone.kinds[0].parts_saved, 0, "the quotes are still there");
        let one = format!("{}’", "a".repeat(140));
        assert_eq!(looked(&one, Choice::Auto).kinds[0].parts_saved, 2);
    }

    #[test]
    fn what_cannot_be_replaced_is_told_too() {
        let dears = looked("жжж €", Choice::Auto);
        let told: Vec<_> = dears.kinds.iter().map(|dear| (dear.text, dear.count, dear.form)).collect();
        assert_eq!(told, [("ж", 3, None), ("€", 1, None)]);
        assert_eq!(dears.together, None);
    }

    #[test]
    fn who_wants_ucs2_is_told_of_surrogates_alone() {
        let dears = looked("“😀”", Choice::Ucs2);
        assert_eq!(
            dears.kinds.iter().map(|dear| (dear.text, dear.offence)).collect::<Vec<_>>(),
            [("😀", Offence::CostsTwo)]
        );
        assert_eq!(dears.together, None);
    }

    #[test]
    fn a_latin1_peer_is_served_by_its_own_planner() {
        let dears = looked("é[€½", Choice::AutoLatin1);
        assert_eq!(dears.kinds.iter().map(|dear| dear.text).collect::<Vec<_>>(), ["€", "½"]);
        assert_eq!(Choice::Latin1.aim(), Some(Alphabet::Latin1));
    }

    #[test]
    fn what_a_national_table_has_forces_nothing() {
        let options = Options { languages: Languages::NONE.with(1), ..Options::default() };
        let dears = look("yaş ж", options, &plan("yaş ж", options).expect("few parts"));
        let told: Vec<_> = dears.kinds.iter().map(|dear| (dear.text, dear.offence)).collect();
        assert_eq!(told, [("ş", Offence::NeedsTable), ("ж", Offence::ForcesUcs2)]);
    }

    #[test]
    fn the_list_is_bounded() {
        let text: String = ('а'..='я').chain('а'..='я').collect();
        let dears = looked(&text, Choice::Auto);
        assert_eq!((dears.kinds.len(), dears.more), (KINDS_MAX, 32 - KINDS_MAX));
    }
}
