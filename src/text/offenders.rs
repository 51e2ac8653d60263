//! The characters that make a text dearer than it looks: for dry runs and previews.

use crate::text::gsm7::{Septet, septet};

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

/// A character and what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offender {
    /// Its place: characters before it.
    pub at_char: usize,
    /// The character.
    pub character: char,
    /// What it does.
    pub offence: Offence,
}

/// All characters of a text that cost more than one septet, in order. Every occurrence is told.
pub fn offenders(text: &str) -> impl Iterator<Item = Offender> + '_ {
    text.chars().enumerate().filter_map(|(at_char, character)| {
        let offence = match septet(character) {
            Some(Septet::Default(_)) => return None,
            Some(Septet::Extended(_)) => Offence::CostsTwo,
            None => Offence::ForcesUcs2,
        };
        Some(Offender { at_char, character, offence })
    })
}

#[cfg(test)]
mod tests {
    use super::{Offence, Offender, offenders};

    #[test]
    fn places_are_counted_in_characters() {
        let found: Vec<Offender> = offenders("é€ “x”").collect();
        let told = found.iter().map(|o| (o.at_char, o.character, o.offence)).collect::<Vec<_>>();
        assert_eq!(told, [(1, '€', Offence::CostsTwo), (3, '“', Offence::ForcesUcs2), (5, '”', Offence::ForcesUcs2)]);
    }
}
