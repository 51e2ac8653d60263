//! Parts become messages whatever their order, and no part is lost: a naive twin says the same, and the caps hold.

use std::time::Duration;

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use sluice::text::Alphabet;
use sluice::text::joined::Joined;
use sluice::text::reassemble::{End, Form, Key, Limits, PART_OCTETS, Part, Reading, Reassembly, SET_OCTETS, Taken};
use sluice::text::udh;

const GSM7: Reading = Reading { data_coding: 0, locking_id: 0, single_id: 0 };
const UCS2: Reading = Reading { data_coding: 8, ..GSM7 };

fn key(reference: u16, total: u8) -> Key {
    Key { peers: 7, form: Form::Udh8, reference, total }
}

fn part(sequence: u8, octets: &[u8]) -> Part<'_> {
    Part { sequence, reading: GSM7, octets }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Takes parts one second apart: every message that was handed over, those that were left last.
fn joined(limits: Limits, parts: &[(Key, Part<'_>)]) -> Vec<Joined> {
    let mut reassembly = Reassembly::new(limits);
    let mut messages = Vec::new();
    for (at, &(key, part)) in (0..).zip(parts) {
        reassembly.handle_part(seconds(at), key, part, |message| messages.push(message));
    }
    messages.extend(std::iter::from_fn(|| reassembly.drain()));
    assert_eq!((reassembly.sets(), reassembly.octets()), (0, 0), "what was handed over is counted no more");
    messages
}

fn text(message: &Joined) -> String {
    let mut text = String::new();
    message.decode(Alphabet::Gsm7, &mut text);
    text
}

#[test]
fn q56_a_pair_that_its_sender_cut_is_whole_again() {
    let halves = |first: &[u8], second: &[u8], reading: Reading| {
        let parts = [(1, first), (2, second)].map(|(sequence, octets)| (key(1, 2), Part { sequence, reading, octets }));
        let messages = joined(Limits::default(), &parts);
        assert_eq!((messages.len(), messages[0].end()), (1, End::Complete));
        text(&messages[0])
    };
    assert_eq!(halves(&[0x00, 0x61, 0xD8, 0x3D], &[0xDE, 0x00], UCS2), "a😀");
    assert_eq!(halves(b"a\x1B", b"eb", GSM7), "a€b");
    assert_eq!(halves(&[0x00, 0x61, 0x00], &[0x62], UCS2), "ab", "even a code unit that was cut");
    assert_eq!(halves(&[0, 0x61, 0, 0], &[0, 0, 0, 0x62], UCS2), "a\0\0b", "a NUL ends nothing");
    assert_eq!(halves(&[0x00, b'a'], &[0x00], GSM7), "@a@");
}

#[test]
fn a_gap_joins_nothing() {
    let parts = [(1, &[0xD8, 0x3D][..]), (3, &[0xDE, 0x00])];
    let parts = parts.map(|(sequence, octets)| (key(1, 3), Part { sequence, reading: UCS2, octets }));
    let messages = joined(Limits::default(), &parts);
    assert_eq!(text(&messages[0]), "\u{FFFD}\u{FFFD}", "halves of different characters");
    let mixed = [(key(1, 2), part(1, b"a")), (key(1, 2), Part { sequence: 2, reading: UCS2, octets: &[4, 0x36] })];
    assert_eq!(text(&joined(Limits::default(), &mixed)[0]), "aж", "each part is read as it says");
}

#[test]
fn parts_are_read_by_the_tables_that_their_headers_name() {
    let turkish = Reading::of(0, &[0x00, 3, 1, 2, 1, 0x24, 1, 1]).expect("well formed");
    assert_eq!((turkish, Reading::of(8, &[])), (Reading { single_id: 1, ..GSM7 }, Ok(UCS2)));
    let halves = [(1, &b"a\x1B"[..]), (2, b"sb")];
    let parts = halves.map(|(sequence, octets)| (key(1, 2), Part { sequence, reading: turkish, octets }));
    assert_eq!(text(&joined(Limits::default(), &parts)[0]), "aşb");
    let unnamed = halves.map(|(sequence, octets)| (key(1, 2), part(sequence, octets)));
    assert_eq!(text(&joined(Limits::default(), &unnamed)[0]), "asb");
}

#[test]
fn q63_one_reference_for_two_messages() {
    let parts = [
        (key(5, 2), part(1, b"A1")),
        (key(5, 3), part(1, b"B1")),
        (key(5, 2), part(2, b"A2")),
        (key(5, 3), part(2, b"B2")),
        (key(5, 3), part(3, b"B3")),
    ];
    let messages = joined(Limits::default(), &parts);
    assert_eq!(messages.iter().map(text).collect::<Vec<_>>(), ["A1A2", "B1B2B3"], "totals tell them apart");

    let other = Key { peers: 8, ..key(5, 2) };
    let parts = [(key(5, 2), part(1, b"A1")), (other, part(2, b"B2")), (key(5, 2), part(2, b"A2"))];
    assert_eq!(joined(Limits::default(), &parts).iter().map(text).collect::<Vec<_>>(), ["A1A2", "B2"]);

    let parts = [(key(5, 2), part(1, b"A1")), (key(5, 2), part(1, b"C1")), (key(5, 2), part(2, b"C2"))];
    let messages = joined(Limits::default(), &parts);
    assert_eq!(messages.iter().map(text).collect::<Vec<_>>(), ["A1", "C1C2"], "other octets begin another message");
    assert_eq!(messages[0].end(), End::Replaced);
    assert_eq!(messages[0].missing().collect::<Vec<_>>(), [2]);
}

#[test]
fn q64_reference_0_is_one_and_forms_are_kept_apart() {
    let parts = [(key(0, 2), part(2, b"b")), (key(0, 2), part(1, b"a"))];
    assert_eq!(joined(Limits::default(), &parts).iter().map(text).collect::<Vec<_>>(), ["ab"]);
    let keys: Vec<Key> = [&[5, 0, 3, 5, 2, 1][..], &[6, 8, 4, 0, 5, 2, 1]]
        .map(|header| udh::concatenation(header).expect("well formed").0.expect("a concatenation"))
        .iter()
        .map(|concatenation| Key::of_header(7, concatenation))
        .collect();
    assert_eq!(keys, [key(5, 2), Key { form: Form::Udh16, ..key(5, 2) }]);
    let sar = Key { form: Form::Sar, ..key(5, 2) };
    let parts = [(keys[0], part(1, b"a")), (keys[1], part(2, b"b")), (sar, part(1, b"c"))];
    assert_eq!(joined(Limits::default(), &parts).len(), 3, "8-bit 5, 16-bit 5 and SAR 5 are three messages");
}

#[test]
fn q66_parts_out_of_order_doubled_and_missing() {
    let message = |order: &[u8]| {
        let parts: Vec<_> =
            order.iter().map(|&n| (key(1, 3), part(n, [&b"one"[..], b"two", b"three"][usize::from(n) - 1]))).collect();
        let messages = joined(Limits::default(), &parts);
        assert_eq!(messages.len(), 1, "{order:?}");
        (text(&messages[0]), messages[0].is_complete(), messages[0].missing().collect::<Vec<_>>(), messages[0].end())
    };
    let whole = ("onetwothree".to_owned(), true, vec![], End::Complete);
    assert_eq!(message(&[1, 3, 2]), whole);
    assert_eq!(message(&[1, 1, 2, 3]), whole);
    assert_eq!(message(&[3, 3, 2, 2, 1]), whole);
    assert_eq!(message(&[1, 3]), ("onethree".to_owned(), false, vec![2], End::TimedOut));
}

#[test]
fn time_runs_from_the_first_part() {
    let mut reassembly = Reassembly::new(Limits { age_max: seconds(60), ..Limits::default() });
    let mut handed = Vec::new();
    assert_eq!(reassembly.poll_timeout(), None);
    for (at, reference) in [(0, 1), (10, 2)] {
        reassembly.handle_part(seconds(at), key(reference, 3), part(1, b"x"), |message| handed.push(message));
    }
    reassembly.handle_part(seconds(59), key(1, 3), part(2, b"y"), |message| handed.push(message));
    assert_eq!((reassembly.poll_timeout(), handed.len()), (Some(seconds(60)), 0));
    assert_eq!(reassembly.handle_timeout(seconds(59)), None);
    let first = reassembly.handle_timeout(seconds(60)).expect("its time is over");
    assert_eq!((first.key(), first.began_at(), first.end()), (key(1, 3), Duration::ZERO, End::TimedOut));
    assert_eq!(first.missing().collect::<Vec<_>>(), [3]);
    assert_eq!((reassembly.handle_timeout(seconds(69)), reassembly.poll_timeout()), (None, Some(seconds(70))));
}

#[test]
fn what_no_cap_allows_goes_out_alone() {
    for limits in [Limits { sets_max: 0, ..Limits::default() }, Limits { octets_max: 300, ..Limits::default() }] {
        let long = [b'x'; 140];
        let parts = [(key(1, 2), part(1, &long)), (key(2, 1), part(1, &long)), (key(1, 2), part(2, &long))];
        let ends: Vec<End> = joined(limits, &parts).iter().map(Joined::end).collect();
        assert_eq!(ends, [End::Evicted, End::Complete, End::Evicted]);
    }
    let mut reassembly = Reassembly::new(Limits::default());
    for (sequence, total) in [(0, 2), (3, 2), (1, 0), (0, 0)] {
        let taken = reassembly.handle_part(Duration::ZERO, key(1, total), part(sequence, b"x"), |_| panic!("nothing"));
        assert_eq!((taken, reassembly.sets()), (Taken::Senseless, 0));
    }
    let mut handed = Vec::new();
    for sequence in (1..=255).rev() {
        reassembly
            .handle_part(Duration::ZERO, key(1, 255), part(sequence, &[sequence]), |message| handed.push(message));
    }
    assert_eq!(handed[0].octets(), (1..=255).collect::<Vec<u8>>(), "the longest message there is");
}

/// One thing that happens to both twins.
#[derive(Clone, Debug)]
enum Step {
    Part { reference: u16, total: u8, sequence: u8, octets: Vec<u8> },
    Wait(u64),
}

/// A message as the naive twin hands it over.
type Plain = (Key, End, Vec<(u8, Vec<u8>)>);

/// A set of the naive twin: its key, when it began, numbers and octets of its parts.
type Set = (Key, u64, Vec<(u8, Vec<u8>)>);

/// Keeps everything in lists and looks at all of it each time.
#[derive(Default)]
struct Twin {
    sets: Vec<Set>,
}

impl Twin {
    fn step(&mut self, step: &Step, now: u64, limits: &Limits, out: &mut Vec<Plain>) {
        while self.sets.first().is_some_and(|(_, began, _)| began + limits.age_max.as_secs() <= now) {
            self.end(0, End::TimedOut, out);
        }
        let Step::Part { reference, total, sequence, octets } = step else { return };
        let key = key(*reference, *total);
        if *sequence == 0 || sequence > total {
            return;
        }
        let place = |sets: &[Set]| sets.iter().position(|(held, ..)| *held == key);
        if let Some(at) = place(&self.sets)
            && let Some((_, held)) = self.sets[at].2.iter().find(|(held, _)| held == sequence)
        {
            if held == octets {
                return;
            }
            self.end(at, End::Replaced, out);
        }
        let at = place(&self.sets).unwrap_or_else(|| {
            if self.sets.len() == limits.sets_max {
                self.end(0, End::Evicted, out);
            }
            self.sets.push((key, now, Vec::new()));
            self.sets.len() - 1
        });
        self.sets[at].2.push((*sequence, octets.clone()));
        if self.sets[at].2.len() == usize::from(*total) {
            self.end(at, End::Complete, out);
        }
    }

    fn end(&mut self, at: usize, end: End, out: &mut Vec<Plain>) {
        let (key, _, mut parts) = self.sets.remove(at);
        parts.sort();
        out.push((key, end, parts));
    }
}

fn plain(message: &Joined) -> Plain {
    let parts = message.parts().map(|part| (part.sequence, part.octets.to_vec())).collect();
    (message.key(), message.end(), parts)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let octets = prop_oneof![Just(b"same".to_vec()), proptest::collection::vec(any::<u8>(), 0..6)];
    let part = (0u16..3, 0u8..5, 0u8..6, octets).prop_map(|(reference, total, sequence, octets)| Step::Part {
        reference,
        total,
        sequence,
        octets,
    });
    proptest::collection::vec(prop_oneof![8 => part, 1 => (0u64..40).prop_map(Step::Wait)], 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn a_naive_twin_says_the_same(steps in steps(), sets_max in 1usize..6) {
        let limits = Limits { sets_max, octets_max: 1 << 20, age_max: seconds(60) };
        let (mut reassembly, mut twin) = (Reassembly::new(limits), Twin::default());
        let (mut now, mut said, mut expected) = (0, Vec::new(), Vec::new());
        for step in &steps {
            now += if let Step::Wait(wait) = step { *wait } else { 1 };
            while let Some(message) = reassembly.handle_timeout(seconds(now)) {
                said.push(plain(&message));
            }
            if let Step::Part { reference, total, sequence, octets } = step {
                let part = part(*sequence, octets);
                reassembly.handle_part(seconds(now), key(*reference, *total), part, |message| said.push(plain(&message)));
            }
            twin.step(step, now, &limits, &mut expected);
            prop_assert_eq!(&said, &expected);
            prop_assert_eq!(reassembly.sets(), twin.sets.len());
        }
    }

    #[test]
    fn no_cap_is_passed_and_no_part_is_lost(steps in steps(), octets_max in 0usize..1200) {
        let limits = Limits { sets_max: 4, octets_max, age_max: seconds(60) };
        let mut reassembly = Reassembly::new(limits);
        let (mut given, mut handed) = (Vec::new(), Vec::new());
        for step in &steps {
            let Step::Part { reference, total, sequence, octets } = step else { continue };
            let key = key(*reference, *total);
            let taken = reassembly.handle_part(Duration::ZERO, key, part(*sequence, octets), |message| handed.push(message));
            if taken == Taken::Kept {
                given.push((key, *sequence, octets.clone()));
            }
            prop_assert!(reassembly.sets() <= 4 && reassembly.octets() <= octets_max);
            prop_assert!(reassembly.octets() >= reassembly.sets() * (SET_OCTETS + PART_OCTETS));
        }
        handed.extend(std::iter::from_fn(|| reassembly.drain()));
        let mut out = Vec::new();
        for message in &handed {
            prop_assert_eq!(message.is_complete(), message.end() == End::Complete);
            prop_assert_eq!(message.parts().count() + message.missing().count(), usize::from(message.key().total));
            out.extend(message.parts().map(|part| (message.key(), part.sequence, part.octets.to_vec())));
        }
        given.sort();
        out.sort();
        prop_assert_eq!(given, out);
    }
}
