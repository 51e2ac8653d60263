//! When is it due: a hierarchical timing wheel of whole seconds whose lists run through its own entries.
//!
//! Six levels of 64 places cover every second of a `u32`. An entry stands at the level of the highest six bits in which its second
//! differs from the wheel's, so the earliest second always stands in the first filled place of the lowest filled level.

use crate::release::chunks::Chunks;

const LEVEL_BITS: u32 = 6;
const LEVELS: u32 = 6;
const PLACES: u32 = 1 << LEVEL_BITS;
/// The list of what is due already, behind the places of the levels.
const DUE: u32 = LEVELS * PLACES;
/// Marks a link that leads to a list and not to an entry.
const LIST: u32 = 1 << 31;
/// The link of an entry that is in no list.
const UNSET: u32 = u32::MAX;
/// Entries moved to a lower level in one call, at most: about 50 microseconds of work.
const MOVES_MAX: u32 = 4096;

/// Says which of many indices are due. Twelve octets an index; setting, moving and clearing cost the same at any number.
#[derive(Debug)]
pub struct Wheel {
    entries: Chunks<Entry>,
    /// First and last entry of each list; `LIST | list` where it is empty.
    lists: Vec<[u32; 2]>,
    /// One bit a place of the level that holds an entry.
    filled: [u64; LEVELS as usize],
    /// Everything up to this second is in the list of what is due.
    now_seconds: u32,
    /// The list whose first second has come and whose entries still stand at their old level.
    falling: Option<u32>,
}

#[derive(Clone, Debug)]
struct Entry {
    previous: u32,
    next: u32,
    at_seconds: u32,
}

impl Default for Entry {
    fn default() -> Self {
        Entry { previous: UNSET, next: UNSET, at_seconds: 0 }
    }
}

impl Wheel {
    /// An empty wheel that stands at `now_seconds` since 1970.
    pub fn new(now_seconds: u32) -> Wheel {
        let lists = (0..=DUE).map(|list| [LIST | list; 2]).collect();
        Wheel { entries: Chunks::new(), lists, filled: [0; LEVELS as usize], now_seconds, falling: None }
    }

    /// `index` (below 2^31) is due at `at_seconds` since 1970, and at no other time it was set to before.
    pub fn set(&mut self, index: u32, at_seconds: u32) {
        assert!(index < LIST, "an index of the wheel is below 2^31");
        self.entries.ensure(index);
        self.unlink(index);
        self.entries[index].at_seconds = at_seconds;
        self.link(index);
    }

    /// `index` is never due.
    pub fn clear(&mut self, index: u32) {
        if index < self.entries.len() {
            self.unlink(index);
        }
    }

    /// Takes out one index whose second has come. Times that lie behind `now_seconds` cost nothing by themselves, so a jump over days
    /// is as fast as a second.
    ///
    /// The work of one call is bounded: where very many entries must change their level first, it returns `None` and [`Wheel::next_at`]
    /// stays in the past until they have.
    pub fn pop_due(&mut self, now_seconds: u32) -> Option<u32> {
        let mut moves = 0;
        loop {
            let [first, _] = self.lists[DUE as usize];
            if first & LIST == 0 {
                self.unlink(first);
                return Some(first);
            }
            if let Some(list) = self.falling {
                let [first, _] = self.lists[list as usize];
                if first & LIST != 0 {
                    self.falling = None;
                } else if moves == MOVES_MAX {
                    return None;
                } else {
                    moves += 1;
                    self.unlink(first);
                    self.link(first);
                }
                continue;
            }
            let Some((list, at_seconds)) = self.first_filled().filter(|(_, at)| *at <= now_seconds) else {
                self.now_seconds = self.now_seconds.max(now_seconds);
                return None;
            };
            self.now_seconds = at_seconds;
            self.falling = Some(list);
        }
    }

    /// A second before which nothing becomes due, `None` if nothing is set; some past second if something is due already. It is
    /// exact for what is due within the same 64 seconds and never late for the rest.
    pub fn next_at(&self) -> Option<u32> {
        let [first, _] = self.lists[DUE as usize];
        if first & LIST == 0 {
            return Some(self.entries[first].at_seconds);
        }
        let falls = self.falling.filter(|list| self.lists[*list as usize][0] & LIST == 0);
        falls.map(|_| self.now_seconds).or_else(|| self.first_filled().map(|(_, at)| at))
    }

    /// Whether `index` is set.
    pub fn is_set(&self, index: u32) -> bool {
        index < self.entries.len() && self.entries[index].previous != UNSET
    }

    /// The list that holds the earliest entries, and its first second.
    fn first_filled(&self) -> Option<(u32, u32)> {
        let level = (0..LEVELS).find(|level| self.filled[*level as usize] != 0)?;
        let place = self.filled[level as usize].trailing_zeros();
        let shift = level * LEVEL_BITS;
        let above = u64::from(self.now_seconds) >> (shift + LEVEL_BITS) << (shift + LEVEL_BITS);
        let at = above | u64::from(place) << shift;
        Some((level * PLACES + place, u32::try_from(at).expect("a place of a second of a u32")))
    }

    fn list_of(&self, at_seconds: u32) -> u32 {
        if at_seconds <= self.now_seconds {
            return DUE;
        }
        let level = (at_seconds ^ self.now_seconds).ilog2() / LEVEL_BITS;
        level * PLACES + (at_seconds >> (level * LEVEL_BITS) & (PLACES - 1))
    }

    /// Appends an entry that is in no list to the list of its second.
    fn link(&mut self, index: u32) {
        let list = self.list_of(self.entries[index].at_seconds);
        let [_, last] = self.lists[list as usize];
        self.entries[index].previous = last;
        self.entries[index].next = LIST | list;
        self.set_next(last, index);
        self.lists[list as usize][1] = index;
        if list != DUE {
            self.filled[(list / PLACES) as usize] |= 1 << (list % PLACES);
        }
    }

    /// Takes an entry out of the list it is in, if it is in one.
    fn unlink(&mut self, index: u32) {
        let Entry { previous, next, .. } = self.entries[index];
        if previous == UNSET {
            return;
        }
        self.set_next(previous, next);
        match next & LIST {
            0 => self.entries[next].previous = previous,
            _ => self.lists[(next & !LIST) as usize][1] = previous,
        }
        self.entries[index].previous = UNSET;
        if previous & next & LIST != 0 && next != LIST | DUE {
            let list = next & !LIST;
            self.filled[(list / PLACES) as usize] &= !(1 << (list % PLACES));
        }
    }

    fn set_next(&mut self, previous: u32, next: u32) {
        match previous & LIST {
            0 => self.entries[previous].next = next,
            _ => self.lists[(previous & !LIST) as usize][0] = next,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn drain(wheel: &mut Wheel, now_seconds: u32) -> Vec<u32> {
        let mut due = Vec::new();
        loop {
            due.extend(std::iter::from_fn(|| wheel.pop_due(now_seconds)));
            if wheel.next_at().is_none_or(|at| at > now_seconds) {
                return due;
            }
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Set(u32, u32),
        Clear(u32),
        Advance(u32),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let ahead = prop_oneof![0..3u32, 0..100u32, 0..10_000u32, 0..20_000_000u32];
        let step = prop_oneof![
            4 => (0..200u32, ahead.clone()).prop_map(|(index, ahead)| Step::Set(index, ahead)),
            1 => (0..220u32).prop_map(Step::Clear),
            2 => ahead.prop_map(Step::Advance),
        ];
        proptest::collection::vec(step, 1..300)
    }

    proptest! {
        #[test]
        fn wheel_agrees_with_a_sorted_map(start in 0..4_000_000_000u32, steps in steps()) {
            let mut wheel = Wheel::new(start);
            let mut model: BTreeMap<u32, u32> = BTreeMap::new();
            let mut now = start;
            for step in steps {
                match step {
                    Step::Set(index, ahead) => {
                        let at = now.saturating_sub(2).saturating_add(ahead);
                        wheel.set(index, at);
                        model.insert(index, at);
                    }
                    Step::Clear(index) => {
                        wheel.clear(index);
                        model.remove(&index);
                    }
                    Step::Advance(seconds) => {
                        now = now.saturating_add(seconds);
                        let mut due = drain(&mut wheel, now);
                        due.sort_unstable();
                        let expected: Vec<u32> = model.iter().filter(|(_, at)| **at <= now).map(|(i, _)| *i).collect();
                        prop_assert_eq!(due, expected);
                        model.retain(|_, at| *at > now);
                    }
                }
                let earliest = model.values().min().copied();
                prop_assert_eq!(wheel.next_at().is_some(), earliest.is_some());
                prop_assert!(wheel.next_at() <= earliest.map(|at| at.max(now)));
                if let Some(at) = earliest.filter(|at| *at > now && *at >> 6 == now >> 6) {
                    prop_assert!(wheel.next_at() == Some(at), "exact within the same 64 seconds");
                }
                for index in model.keys() {
                    prop_assert!(wheel.is_set(*index));
                }
            }
        }
    }

    #[test]
    fn one_second_comes_out_in_the_order_it_was_set() {
        let mut wheel = Wheel::new(1_000);
        for index in 0..100 {
            wheel.set(index, 90_000);
        }
        assert_eq!(drain(&mut wheel, 89_999), Vec::<u32>::new());
        assert_eq!(drain(&mut wheel, 90_000), (0..100).collect::<Vec<u32>>());
    }

    #[test]
    fn a_call_is_bounded_and_a_jump_over_years_is_not_a_walk() {
        let mut wheel = Wheel::new(0);
        let far = 3 << 24;
        for index in 0..3 * MOVES_MAX {
            wheel.set(index, far + 1 + index % 7);
        }
        assert_eq!(wheel.pop_due(far), None, "moved in slices");
        assert!(wheel.next_at().is_some_and(|at| at <= far), "and says that it is not through");
        assert_eq!(drain(&mut wheel, u32::MAX).len(), 3 * MOVES_MAX as usize);
        assert_eq!(wheel.next_at(), None);
        wheel.set(1, u32::MAX);
        assert_eq!(wheel.pop_due(u32::MAX), Some(1));
    }

    #[test]
    fn twelve_octets_an_index() {
        assert_eq!(size_of::<Entry>(), 12);
    }
}
