//! The longest prefix of a number that something is known for: a trie over decimal digits, built once, read without
//! allocating. Routes and prices are both looked up so.

/// Marks a child or value that is not there.
const NONE: u32 = u32::MAX;

/// Values by prefixes of digits. The empty prefix matches every number.
#[derive(Clone, Debug)]
pub struct PrefixMap<T> {
    nodes: Vec<Node>,
    values: Vec<T>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    children: [u32; 10],
    value: u32,
}

impl Node {
    const EMPTY: Node = Node { children: [NONE; 10], value: NONE };
}

/// A prefix that is not made of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotDigits;

impl<T> PrefixMap<T> {
    /// A map without prefixes.
    pub fn new() -> PrefixMap<T> {
        PrefixMap { nodes: vec![Node::EMPTY], values: Vec::new() }
    }

    /// Enters a prefix; gives back the value that it had before.
    pub fn insert(&mut self, prefix: &str, value: T) -> Result<Option<T>, NotDigits> {
        if !prefix.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(NotDigits);
        }
        let mut at = 0usize;
        for digit in prefix.bytes().map(|octet| usize::from(octet - b'0')) {
            if self.nodes[at].children[digit] == NONE {
                self.nodes[at].children[digit] = index(self.nodes.len());
                self.nodes.push(Node::EMPTY);
            }
            at = self.nodes[at].children[digit] as usize;
        }
        if self.nodes[at].value != NONE {
            let place = &mut self.values[self.nodes[at].value as usize];
            return Ok(Some(std::mem::replace(place, value)));
        }
        self.nodes[at].value = index(self.values.len());
        self.values.push(value);
        Ok(None)
    }

    /// The value of the longest prefix of `digits` and that prefix's length. An octet that is no digit ends the walk.
    pub fn longest(&self, digits: &[u8]) -> Option<(usize, &T)> {
        let mut found = NONE;
        let mut found_length = 0;
        let mut at = &self.nodes[0];
        for (length, octet) in digits.iter().enumerate() {
            if at.value != NONE {
                (found, found_length) = (at.value, length);
            }
            let digit = usize::from(octet.wrapping_sub(b'0'));
            match at.children.get(digit) {
                Some(&child) if child != NONE => at = &self.nodes[child as usize],
                _ => return self.found(found, found_length),
            }
        }
        if at.value != NONE {
            (found, found_length) = (at.value, digits.len());
        }
        self.found(found, found_length)
    }

    /// How many prefixes there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn found(&self, value: u32, length: usize) -> Option<(usize, &T)> {
        self.values.get(value as usize).map(|value| (length, value))
    }
}

impl<T> Default for PrefixMap<T> {
    fn default() -> PrefixMap<T> {
        PrefixMap::new()
    }
}

/// An index into the nodes or values.
fn index(length: usize) -> u32 {
    u32::try_from(length).expect("a configuration has fewer than 4,000,000,000 prefixes")
}

#[cfg(test)]
mod tests {
    use super::{NotDigits, PrefixMap};

    #[test]
    fn the_longest_prefix_wins() {
        let mut map = PrefixMap::new();
        for (prefix, value) in [("44", "uk"), ("447", "uk mobile"), ("", "world"), ("4477", "a range of it")] {
            assert_eq!(map.insert(prefix, value), Ok(None));
        }
        let of = |digits: &str| map.longest(digits.as_bytes());
        assert_eq!(of("447700900123"), Some((4, &"a range of it")));
        assert_eq!(of("447900900123"), Some((3, &"uk mobile")));
        assert_eq!(of("442079460000"), Some((2, &"uk")));
        assert_eq!(of("44"), Some((2, &"uk")));
        assert_eq!(of("4"), Some((0, &"world")));
        assert_eq!(of("33123456789"), Some((0, &"world")));
        assert_eq!(of(""), Some((0, &"world")));
        assert_eq!(of("44+7"), Some((2, &"uk")));
    }

    #[test]
    fn without_a_match_there_is_none() {
        let mut map = PrefixMap::new();
        assert!(map.is_empty());
        assert_eq!(map.insert("44", 1), Ok(None));
        assert_eq!(map.longest(b"4"), None);
        assert_eq!(map.longest(b"33"), None);
        assert_eq!(map.insert("44", 2), Ok(Some(1)));
        assert_eq!((map.longest(b"441"), map.len()), (Some((2, &2)), 1));
        assert_eq!(map.insert("+44", 3), Err(NotDigits));
    }
}
