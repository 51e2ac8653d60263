//! How a carrier has been seen to spell ids in receipts: as in its responses, or in another base.
//!
//! Carriers that count have small ids, where one part's id in hexadecimal is another's in decimal. A receipt that overtakes
//! its response would then find the wrong part; so a carrier that writes ids as they were is not thought to convert them.

use crate::message::CarrierId;

/// So many receipts with the id as it was settle the question.
const SETTLED_AFTER: u32 = 8;
/// A carrier that converts now and then hits an id that is spelled as another was.
const COINCIDENCES_PER_CONVERSION: u32 = 4;
/// At so many all counts are halved, so that a carrier that changes is believed as soon after years as after an hour.
const COUNTED_MAX: u32 = 1024;

/// How a receipt spells an id, compared with the response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Base {
    /// As the response did, but for case and zeros.
    AsWritten,
    /// In decimal, where the response was in hexadecimal.
    Hexadecimal,
    /// In hexadecimal, where the response was in decimal.
    Decimal,
}

/// How the ids of a carrier's receipts are to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading {
    /// As they are written.
    AsWritten,
    /// In any base, because nothing is known yet; one that reads otherwise in another base must be of the receipt's number.
    Either,
    /// In any base and of any number: nothing else has claimed it.
    AtLast,
    /// First in this base: the carrier has been seen to convert.
    Mostly(Base),
    /// In this base: it has been seen often, and seldom otherwise. As it is written an id counts where it reads the same.
    Only(Base),
}

/// Counts of receipts per carrier since the start; of the latest, where there were many.
#[derive(Debug, Default)]
pub struct Habits {
    carriers: Vec<Habit>,
}

/// What one carrier has shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Habit {
    as_written: u32,
    hexadecimal: u32,
    decimal: u32,
    same_number: u32,
    other_number: u32,
}

impl Habits {
    /// How the ids of this carrier are to be read.
    pub fn reading(&self, carrier: CarrierId) -> Reading {
        let habit = self.carriers.get(usize::from(carrier.0)).copied().unwrap_or_default();
        let converted = habit.hexadecimal.max(habit.decimal);
        let base = if habit.hexadecimal >= habit.decimal { Base::Hexadecimal } else { Base::Decimal };
        if habit.as_written >= SETTLED_AFTER
            && habit.as_written / COINCIDENCES_PER_CONVERSION >= converted.saturating_mul(2)
        {
            Reading::AsWritten
        } else if converted <= habit.as_written {
            // A receipt of a part whose response was lost may hit another's id by chance: one conversion proves nothing.
            Reading::Either
        } else if converted < SETTLED_AFTER || habit.as_written > converted / COINCIDENCES_PER_CONVERSION {
            Reading::Mostly(base)
        } else {
            Reading::Only(base)
        }
    }

    /// Whether one that converts also writes ids otherwise, so often that it is no chance: there may be several SMSCs behind it.
    pub fn is_mixed(&self, carrier: CarrierId) -> bool {
        let habit = self.carriers.get(usize::from(carrier.0)).copied().unwrap_or_default();
        habit.as_written + habit.hexadecimal.min(habit.decimal) >= SETTLED_AFTER
    }

    /// Whether its receipts name the numbers that its messages went to, so that one of another number is of another message.
    pub fn names_numbers(&self, carrier: CarrierId) -> bool {
        let habit = self.carriers.get(usize::from(carrier.0)).copied().unwrap_or_default();
        habit.same_number >= SETTLED_AFTER && habit.same_number / COINCIDENCES_PER_CONVERSION >= habit.other_number
    }

    /// A receipt found its part, whose number it named or did not.
    pub fn saw_number(&mut self, carrier: CarrierId, same: bool) {
        let habit = self.of(carrier);
        *(if same { &mut habit.same_number } else { &mut habit.other_number }) += 1;
        if habit.same_number.max(habit.other_number) >= COUNTED_MAX {
            habit.same_number /= 2;
            habit.other_number /= 2;
        }
    }

    /// A receipt found its part by an id that reads differently in the other base.
    pub fn saw(&mut self, carrier: CarrierId, base: Base) {
        let habit = self.of(carrier);
        let count = match base {
            Base::AsWritten => &mut habit.as_written,
            Base::Hexadecimal => &mut habit.hexadecimal,
            Base::Decimal => &mut habit.decimal,
        };
        *count += 1;
        if *count >= COUNTED_MAX {
            habit.as_written /= 2;
            habit.hexadecimal /= 2;
            habit.decimal /= 2;
        }
    }

    fn of(&mut self, carrier: CarrierId) -> &mut Habit {
        let at = usize::from(carrier.0);
        if self.carriers.len() <= at {
            self.carriers.resize(at + 1, Habit::default());
        }
        &mut self.carriers[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALPHA: CarrierId = CarrierId(3);

    #[test]
    fn what_is_written_as_it_was_is_not_converted() {
        let mut habits = Habits::default();
        for _ in 0..SETTLED_AFTER {
            assert_eq!(habits.reading(ALPHA), Reading::Either, "nothing is settled yet");
            habits.saw(ALPHA, Base::AsWritten);
        }
        assert_eq!(habits.reading(ALPHA), Reading::AsWritten);
        assert_eq!(habits.reading(CarrierId(1)), Reading::Either, "another carrier has its own habit");
    }

    #[test]
    fn numbers_are_trusted_once_they_have_agreed() {
        let mut habits = Habits::default();
        (0..SETTLED_AFTER).for_each(|_| habits.saw_number(ALPHA, true));
        assert!(habits.names_numbers(ALPHA) && !habits.names_numbers(CarrierId(1)));
        (0..SETTLED_AFTER).for_each(|_| habits.saw_number(ALPHA, false));
        assert!(!habits.names_numbers(ALPHA), "it writes them in another way as well");
    }

    #[test]
    fn coincidences_settle_nothing() {
        let mut habits = Habits::default();
        habits.saw(ALPHA, Base::Hexadecimal);
        (0..SETTLED_AFTER - 1).for_each(|_| habits.saw(ALPHA, Base::AsWritten));
        assert_eq!(habits.reading(ALPHA), Reading::Either, "one conversion proves nothing");
        (0..SETTLED_AFTER).for_each(|_| habits.saw(ALPHA, Base::Hexadecimal));
        assert_eq!(habits.reading(ALPHA), Reading::Mostly(Base::Hexadecimal));
        (0..1_000).for_each(|_| habits.saw(ALPHA, Base::Decimal));
        (0..200).for_each(|_| habits.saw(ALPHA, Base::AsWritten));
        assert_eq!(habits.reading(ALPHA), Reading::Only(Base::Decimal));
        (0..700).for_each(|_| habits.saw(ALPHA, Base::AsWritten));
        assert_eq!(habits.reading(ALPHA), Reading::Mostly(Base::Decimal));
    }

    #[test]
    fn a_carrier_that_changes_is_believed_as_soon_after_a_million_receipts() {
        let mut habits = Habits::default();
        (0..1_000_000).for_each(|_| habits.saw(ALPHA, Base::Decimal));
        assert!(habits.reading(ALPHA) == Reading::Only(Base::Decimal) && !habits.is_mixed(ALPHA));
        (0..SETTLED_AFTER).for_each(|_| habits.saw(ALPHA, Base::AsWritten));
        assert!(habits.is_mixed(ALPHA));
        (0..COUNTED_MAX / 2).for_each(|_| habits.saw(ALPHA, Base::AsWritten));
        assert_eq!(habits.reading(ALPHA), Reading::Mostly(Base::Decimal));
        (0..1_000_000).for_each(|_| habits.saw(ALPHA, Base::AsWritten));
        assert_eq!(habits.reading(ALPHA), Reading::AsWritten);
        (0..COUNTED_MAX).for_each(|_| habits.saw(ALPHA, Base::Hexadecimal));
        assert_ne!(habits.reading(ALPHA), Reading::AsWritten);
        (0..1_000_000).for_each(|_| habits.saw_number(ALPHA, true));
        (0..COUNTED_MAX / 2).for_each(|_| habits.saw_number(ALPHA, false));
        assert!(!habits.names_numbers(ALPHA));
    }
}
