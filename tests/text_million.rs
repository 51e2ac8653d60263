//! A million generated texts: the parts join to the text, each is at most 140 octets on the air, and no way of cutting
//! with any pair of allowed tables takes fewer parts. The twin that says so knows nothing of how the library chooses: it
//! tries every pair of tables and every cut. Not checked: how many parts SAR and message_payload take, which is as for UDH.

use std::collections::BTreeMap;

use sluice::text::gsm7::Septet;
use sluice::text::national::{self, LANGUAGES, Languages};
use sluice::text::segment::{Plan, plan, segment};
use sluice::text::{Alphabet, Choice, Concat, Options, latin1, pack, ucs2, udh};
use unicode_segmentation::UnicodeSegmentation;

/// Texts that are generated.
const TEXTS: u64 = 1_000_000;

/// A generator of numbers: splitmix64, whose whole state is the seed.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn one_of<'a>(&mut self, pieces: &[&'a str]) -> &'a str {
        pieces[self.below(pieces.len())]
    }
}

const PLAIN: [&str; 8] = ["a", "e", "Z", "0", " ", "\n", "é", "@"];
const EXTENDED: [&str; 5] = ["€", "{", "~", "[", "\u{C}"];
const WIDE: [&str; 6] = ["я", "ж", "好", "😀", "“", "₹"];
const CLUSTERS: [&str; 6] = ["\r\n", "👨‍👩‍👧‍👦", "👍🏽", "e\u{301}", "🇬🇧", "1\u{FE0F}\u{20E3}"];

/// The characters of a language's own tables, one a piece.
fn national_pieces() -> Vec<Vec<String>> {
    let of = |language| {
        let octets = 0..=0x7F;
        let both = octets.flat_map(|octet| {
            [national::locking_character(octet, language), national::single_character(octet, language)]
        });
        both.flatten().filter(|character| !character.is_ascii()).map(String::from).collect()
    };
    (1..=LANGUAGES as u8).map(of).collect()
}

/// A text of mostly one kind of characters, as texts are, and what may be done with it. `longest` is in pieces.
fn generated(numbers: &mut Numbers, national: &[Vec<String>], longest: usize) -> (String, Options) {
    let language = numbers.below(LANGUAGES);
    let own: Vec<&str> = national[language].iter().map(String::as_str).collect();
    let rare = [&EXTENDED[..], &WIDE, &CLUSTERS, &own, &own][numbers.below(5)];
    let common = [&PLAIN[..], &PLAIN, &EXTENDED, &WIDE, &CLUSTERS, &own, &own][numbers.below(7)];
    let one_in = 1 + numbers.below(40);
    let mut text = String::new();
    for _ in 0..numbers.below(longest + 1) {
        let pieces = if numbers.below(one_in) == 0 { rare } else { common };
        text.push_str(numbers.one_of(pieces));
    }
    let mut languages = Languages::NONE;
    for _ in 0..numbers.below(3) {
        let id = if numbers.below(2) == 0 { language + 1 } else { 1 + numbers.below(LANGUAGES) };
        languages = languages.with(id as u8);
    }
    let concat = if numbers.below(2) == 0 { Concat::Udh8 } else { Concat::Udh16 };
    let options = Options { choice: Choice::Auto, concat, languages, clusters: numbers.below(3) == 0 };
    (text, options)
}

/// Parts and what was decoded from them: each as long as the air allows, all of them the text.
fn check(text: &str, options: Options, plan: &Plan, out: &mut Vec<u8>, ends: &mut Vec<u32>) {
    out.clear();
    ends.clear();
    segment(text, plan, 0xBEEF, out, ends).expect("planned from this text");
    assert_eq!(ends.len(), usize::from(plan.parts));
    let mut joined = String::with_capacity(text.len());
    let mut start = 0;
    for &end in &*ends {
        let part = &out[start..end as usize];
        start = end as usize;
        let (header, (locking, single)) = match plan.header_octets {
            0 => (0, (0, 0)),
            written => {
                let (elements, _) = udh::split(part).expect("a whole header");
                assert_eq!(elements.len() + 1, usize::from(written));
                (elements.len() + 1, national::tables_of(elements).expect("whole elements"))
            }
        };
        let body = &part[header..];
        let octets = match plan.alphabet {
            Alphabet::Gsm7 => (pack::fill_bits(header) + body.len() * 7).div_ceil(8),
            _ => body.len(),
        };
        assert!(header + octets <= 140, "{} octets on the air: {options:?} {text:?}", header + octets);
        match plan.alphabet {
            Alphabet::Gsm7 => national::decode(body, locking, single, &mut joined),
            Alphabet::Ucs2 => ucs2::decode(body, &mut joined),
            Alphabet::Latin1 | Alphabet::Binary => latin1::decode(body, &mut joined),
        }
    }
    assert_eq!(joined, text, "{options:?}");
}

/// Where a text may be cut, as a flag before each character, and the units of each.
struct Twin {
    units: Vec<usize>,
    may_cut: Vec<bool>,
}

impl Twin {
    fn new(text: &str, clusters: bool, room: usize, units: impl Fn(char) -> Option<usize>) -> Option<Twin> {
        let units: Vec<usize> = text.chars().map(units).collect::<Option<_>>()?;
        let mut may_cut = vec![!clusters; units.len()];
        let mut at = 0;
        for cluster in text.graphemes(true) {
            let length = cluster.chars().count();
            let long = units[at..at + length].iter().sum::<usize>() > room;
            may_cut[at..at + length].iter_mut().for_each(|may| *may |= long);
            may_cut[at] = true;
            at += length;
        }
        Some(Twin { units, may_cut })
    }

    fn total(&self) -> usize {
        self.units.iter().sum()
    }

    /// The fewest parts of all ways of cutting: the fewest for each beginning of the text, from those of all shorter ones.
    fn parts(&self, room: usize) -> usize {
        let mut fewest = vec![usize::MAX; self.units.len() + 1];
        fewest[0] = 0;
        for end in 1..=self.units.len() {
            let mut filled = 0;
            for start in (0..end).rev() {
                filled += self.units[start];
                if filled > room {
                    break;
                }
                if self.may_cut[start] && fewest[start] != usize::MAX {
                    fewest[end] = fewest[end].min(fewest[start] + 1);
                }
            }
        }
        fewest[self.units.len()].max(1)
    }
}

/// Alphabet, parts, elements, units, locking, single: the best way of all, in the order in which ways are preferred.
type Way = (bool, usize, u8, usize, u8, u8);

/// The best way of all, tried one by one.
fn best_way(text: &str, options: Options) -> Way {
    let concat_octets = if options.concat == Concat::Udh16 { 7 } else { 6 };
    let allowed = || std::iter::once(0).chain(options.languages.ids());
    let mut best: Option<Way> = None;
    let mut by_room: BTreeMap<(u8, u8), usize> = BTreeMap::new();
    for (locking, single) in allowed().flat_map(|locking| allowed().map(move |single| (locking, single))) {
        let has_table = locking == 0 || (0..0x80).any(|septet| national::locking_character(septet, locking).is_some());
        let elements = u8::from(locking != 0) + u8::from(single != 0);
        let room = (140 - concat_octets - 3 * usize::from(elements)) * 8 / 7;
        let alone = (140 - if elements > 0 { 1 + 3 * usize::from(elements) } else { 0 }) * 8 / 7;
        let units = |character| match national::septet(character, locking, single)? {
            Septet::Default(_) => Some(1),
            Septet::Extended(_) => Some(2),
        };
        let Some(twin) = Twin::new(text, options.clusters, room, units).filter(|_| has_table) else { continue };
        let total = twin.total();
        let parts =
            if total <= alone { 1 } else { *by_room.entry((locking, elements)).or_insert_with(|| twin.parts(room)) };
        let way = (false, parts, elements, total, locking, single);
        best = Some(best.map_or(way, |best| best.min(way)));
    }
    best.unwrap_or_else(|| {
        let room = (140 - concat_octets) / 2;
        let twin =
            Twin::new(text, options.clusters, room, |character| Some(character.len_utf16())).expect("UTF-16 has all");
        let parts = if twin.total() <= 70 { 1 } else { twin.parts(room) };
        (true, parts, 0, twin.total(), 0, 0)
    })
}

fn way_of(plan: &Plan) -> Way {
    let elements = u8::from(plan.locking != 0) + u8::from(plan.single != 0);
    let ucs2 = plan.alphabet == Alphabet::Ucs2;
    (ucs2, usize::from(plan.parts), elements, plan.units_total, plan.locking, plan.single)
}

#[test]
fn a_million_texts_come_back_and_fit() {
    let national = national_pieces();
    let mut numbers = Numbers(7);
    let (mut out, mut ends) = (Vec::new(), Vec::new());
    let mut seen = [0u64; 4];
    for number in 0..TEXTS {
        let longest = if number % 200 == 0 { 400 } else { 12 };
        let (text, options) = generated(&mut numbers, &national, longest);
        let plan = plan(&text, options).expect("few parts");
        check(&text, options, &plan, &mut out, &mut ends);
        seen[0] += u64::from(plan.parts > 1);
        seen[1] += u64::from(plan.alphabet == Alphabet::Ucs2);
        seen[2] += u64::from(plan.locking != 0);
        seen[3] += u64::from(plan.single != 0);
    }
    assert!(seen.iter().all(|&count| count > 1000), "of every kind there are many: {seen:?}");
}

#[test]
fn no_other_way_takes_fewer_parts() {
    let national = national_pieces();
    let mut numbers = Numbers(11);
    for number in 0..20_000 {
        let longest = if number % 10 == 0 { 350 } else { 20 };
        let (text, options) = generated(&mut numbers, &national, longest);
        let plan = plan(&text, options).expect("few parts");
        assert_eq!(way_of(&plan), best_way(&text, options), "{options:?} {text:?}");
    }
}
