//! What a misspelt word was probably meant to be.

/// A hint at the known word that a wrong one is most like; empty if it is like none.
pub(super) fn nearest<'w>(wrong: &str, known: impl Iterator<Item = &'w str>) -> String {
    let near = known.map(|word| (distance(wrong, word), word)).min();
    near.filter(|(distance, _)| *distance <= 2).map_or_else(String::new, |(_, word)| format!("; is {word:?} meant?"))
}

/// How many letters must be inserted, removed or changed to make one word of another.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, other_letter) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other_letter);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        assert_eq!(distance("windwo", "window"), 2);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(nearest("windwo", ["rate", "window"].into_iter()), "; is \"window\" meant?");
        assert_eq!(nearest("colour", ["rate", "window"].into_iter()), "");
    }
}
