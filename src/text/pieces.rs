//! Cutting where more than an escape pair has to stay whole: grapheme clusters, and texts in national tables. The plain
//! ways, which need none of this, are in `gsm7`, `ucs2` and `latin1`.

use unicode_segmentation::GraphemeCursor;

use crate::text::gsm7::{ESCAPE, Septet};
use crate::text::national;

/// How characters become units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coder {
    /// Septets of these tables, an octet each.
    Gsm7 {
        /// Language of the locking shift table, or 0.
        locking: u8,
        /// Language of the single shift table, or 0.
        single: u8,
    },
    /// UTF-16 code units, two octets each.
    Ucs2,
    /// Octets.
    Latin1,
}

impl Coder {
    /// Units of a character. Of one that the tables lack the count says nothing: writing it fails.
    fn units(self, character: char) -> usize {
        match self {
            Coder::Gsm7 { locking: 0, single } => match national::septet(character, 0, single) {
                Some(Septet::Extended(_)) => 2,
                _ => 1,
            },
            // The text was counted with these tables: what the locking one lacks is in the other.
            Coder::Gsm7 { locking, .. } => {
                if national::is_locked(character, locking) {
                    1
                } else {
                    2
                }
            }
            Coder::Ucs2 => character.len_utf16(),
            Coder::Latin1 => 1,
        }
    }

    /// Appends a character, or answers `None` if it cannot be written.
    fn push(self, character: char, out: &mut Vec<u8>) -> Option<()> {
        match self {
            Coder::Gsm7 { locking, single } => match national::septet(character, locking, single)? {
                Septet::Default(septet) => out.push(septet),
                Septet::Extended(septet) => out.extend_from_slice(&[ESCAPE, septet]),
            },
            Coder::Ucs2 => {
                let mut units = [0; 2];
                character.encode_utf16(&mut units).iter().for_each(|unit| out.extend_from_slice(&unit.to_be_bytes()));
            }
            Coder::Latin1 => out.push(u8::try_from(u32::from(character)).ok()?),
        }
        Some(())
    }
}

/// Parts of `room` units that a text fills when no piece is split. `room` is at least 2.
pub(super) fn cut(text: &str, coder: Coder, clusters: bool, room: usize) -> usize {
    let mut parts = 1;
    let mut filled = 0;
    for piece in (Pieces { rest: text, loose: 0, coder, clusters, room }) {
        if filled + piece.units > room {
            parts += 1;
            filled = 0;
        }
        filled += piece.units;
    }
    parts
}

/// Appends the units of a text and calls `turn(out, wanted)` whenever the part in hand has no room for the next
/// `wanted` units; it answers how many units the next part takes. The first takes `first`, no other more than `room`.
///
/// A character that cannot be written ends it with its octet offset.
pub(super) fn encode_parts<F>(
    text: &str,
    coder: Coder,
    clusters: bool,
    (first, room): (usize, usize),
    out: &mut Vec<u8>,
    mut turn: F,
) -> Result<(), usize>
where
    F: FnMut(&mut Vec<u8>, usize) -> usize,
{
    let mut left = first;
    let mut at = 0;
    for piece in (Pieces { rest: text, loose: 0, coder, clusters, room }) {
        if piece.units > left {
            left = turn(out, piece.units);
        }
        for character in piece.text.chars() {
            coder.push(character, out).ok_or(at)?;
            at += character.len_utf8();
        }
        left -= piece.units;
    }
    Ok(())
}

/// What stays in one part.
struct Piece<'a> {
    text: &'a str,
    units: usize,
}

/// A text in pieces: code points, or grapheme clusters, of which one that is longer than a part falls into its code points.
struct Pieces<'a> {
    rest: &'a str,
    /// Octets at the front of the rest that belong to a cluster longer than a part.
    loose: usize,
    coder: Coder,
    clusters: bool,
    room: usize,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let character = self.rest.chars().next()?;
        if self.clusters && self.loose == 0 {
            let length = cluster_octets(self.rest);
            let units = self.rest[..length].chars().map(|character| self.coder.units(character)).sum();
            if units <= self.room {
                return Some(self.take(length, units));
            }
            self.loose = length;
        }
        self.loose = self.loose.saturating_sub(character.len_utf8());
        Some(self.take(character.len_utf8(), self.coder.units(character)))
    }
}

impl<'a> Pieces<'a> {
    fn take(&mut self, length: usize, units: usize) -> Piece<'a> {
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        Piece { text, units }
    }
}

/// Whether a character joins neither what stands before it nor another such behind it: what most texts are made of, and
/// much faster to tell than by the tables of Unicode.
fn is_lone(character: char) -> bool {
    matches!(character,
        ' '..='~' | '\u{AE}'..='\u{2FF}' | '\u{370}'..='\u{482}' | '\u{48A}'..='\u{52F}'
        | '\u{5D0}'..='\u{5EA}' | '\u{4E00}'..='\u{9FFF}')
}

/// Whether every character of a text is a cluster of its own, so that the plain ways cut it alike.
pub(super) fn is_all_lone(text: &str) -> bool {
    text.chars().all(is_lone)
}

/// Octets of the extended grapheme cluster at the start of a text (Unicode, UAX 29). The text begins at a boundary.
fn cluster_octets(text: &str) -> usize {
    let mut characters = text.chars();
    if let (Some(first), Some(second)) = (characters.next(), characters.next())
        && is_lone(first)
        && is_lone(second)
    {
        return first.len_utf8();
    }
    let mut cursor = GraphemeCursor::new(0, text.len(), true);
    cursor.next_boundary(text, 0).ok().flatten().unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use unicode_segmentation::UnicodeSegmentation;

    use super::{Coder, cluster_octets, cut, encode_parts, is_lone};

    const GSM7: Coder = Coder::Gsm7 { locking: 0, single: 0 };

    /// The fewest parts of all ways to cut, tried from every place.
    fn fewest(text: &str, coder: Coder, clusters: bool, room: usize) -> usize {
        let units = |text: &str| text.chars().map(|character| coder.units(character)).sum::<usize>();
        if units(text) <= room {
            return 1;
        }
        let mut inside = 0;
        let mut best = usize::MAX;
        for cluster in text.graphemes(true) {
            let whole = clusters && units(cluster) <= room;
            let ends = cluster.char_indices().map(|(at, character)| at + character.len_utf8());
            for end in ends.filter(|end| !whole || *end == cluster.len()) {
                let (part, rest) = text.split_at(inside + end);
                if units(part) > room {
                    return best;
                }
                best = best.min(1 + fewest(rest, coder, clusters, room));
            }
            inside += cluster.len();
        }
        best
    }

    #[test]
    fn small_parts_are_as_few_as_can_be() {
        let pieces = ["a", "€", "\r\n", "я", "😀", "e\u{301}", "👍🏽"];
        for code in 0..7usize.pow(4) {
            let text: String = (0..4).map(|place| pieces[code / 7usize.pow(place) % 7]).collect();
            for room in 2..=6 {
                for clusters in [false, true] {
                    for coder in [Coder::Ucs2, GSM7] {
                        let expected = fewest(&text, coder, clusters, room);
                        assert_eq!(cut(&text, coder, clusters, room), expected, "{room} {clusters} {text:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_lone_character_is_a_cluster_beside_another() {
        for lone in ('\0'..=char::MAX).filter(|&character| is_lone(character)) {
            for text in [format!("a{lone}"), format!("{lone}a"), format!("{lone}{lone}")] {
                assert_eq!(text.graphemes(true).count(), 2, "{text:?}");
            }
        }
        let joined = ["e\u{301}x", "\r\n", "ж\u{483}", "©\u{FE0F}"];
        assert_eq!(joined.map(cluster_octets), [3, 2, 4, 5]);
    }

    #[test]
    fn what_is_written_is_what_was_counted() {
        let text = "a👍🏽\r\n€e\u{301}".repeat(9);
        for room in 2..=9 {
            let (mut out, mut turns, mut last) = (Vec::new(), 1, 0);
            let turn = |out: &mut Vec<u8>, _: usize| {
                assert!(out.len() - last <= 2 * room, "no part is longer than it may be");
                (turns, last) = (turns + 1, out.len());
                room
            };
            encode_parts(&text, Coder::Ucs2, true, (room, room), &mut out, turn).expect("UTF-16 has all");
            assert_eq!(turns, cut(&text, Coder::Ucs2, true, room), "{room}");
        }
        let refused = encode_parts("né\u{301}", GSM7, true, (160, 160), &mut Vec::new(), |_, _| 160);
        assert_eq!(refused, Err(3));
    }
}
