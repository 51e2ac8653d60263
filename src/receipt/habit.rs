//! How a carrier has been seen to spell ids in receipts: as in its responses, or in another base.
//!
//! Carriers that count have small ids, where one part's id in hexadecimal is another's in decimal. A receipt that overtakes
//! its response would then find the wrong part; so a carrier that writes ids as they were is not thought to convert them.

use crate::message::CarrierId;

/// So many receipts with the id as it was settle the question.
const SETTLED_AFTER: u32 = 8;
/// A carrier that converts now and then hits an id that is spelled as another was.
const COINCIDENCES_PER_CONVERSION: u32 = 4;

/// Counts of receipts per carrier since the start.
#[derive(Debug, Default)]
pub struct Habits {
    carriers: Vec<Habit>,
}

/// What one carrier has shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habit {
    as_written: u32,
    converted: u32,
}

impl Habit {
    /// Whether an id of this carrier may be read in another base.
    pub fn converts(self) -> bool {
        self.as_written < SETTLED_AFTER
            || self.as_written / COINCIDENCES_PER_CONVERSION < self.converted.saturating_mul(2)
    }

    /// Whether it has ever been seen to convert one.
    pub fn has_converted(self) -> bool {
        self.converted > 0
    }
}

impl Habits {
    /// What this carrier has shown.
    pub fn of(&self, carrier: CarrierId) -> Habit {
        self.carriers.get(usize::from(carrier.0)).copied().unwrap_or_default()
    }

    /// A receipt found its part by an id that reads differently in the other base, spelled as in the response.
    pub fn saw_as_written(&mut self, carrier: CarrierId) {
        let habit = self.entry(carrier);
        habit.as_written = habit.as_written.saturating_add(1);
    }

    /// A receipt found its part by an id in the other base.
    pub fn saw_converted(&mut self, carrier: CarrierId) {
        let habit = self.entry(carrier);
        habit.converted = habit.converted.saturating_add(1);
    }

    fn entry(&mut self, carrier: CarrierId) -> &mut Habit {
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
            assert!(habits.of(ALPHA).converts(), "nothing is settled yet");
            habits.saw_as_written(ALPHA);
        }
        assert!(!habits.of(ALPHA).converts());
        assert!(habits.of(CarrierId(1)).converts(), "another carrier has its own habit");
    }

    #[test]
    fn coincidences_settle_nothing_for_a_carrier_that_converts() {
        let mut habits = Habits::default();
        habits.saw_converted(ALPHA);
        for _ in 0..SETTLED_AFTER - 1 {
            habits.saw_as_written(ALPHA);
        }
        assert!(habits.of(ALPHA).converts() && habits.of(ALPHA).has_converted());
        (0..1_000).for_each(|_| habits.saw_converted(ALPHA));
        (0..1_000).for_each(|_| habits.saw_as_written(ALPHA));
        assert!(habits.of(ALPHA).converts());
    }
}
