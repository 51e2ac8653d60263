//! Headers are walked to their end, long messages are cut with them, and whatever parts come, none is lost and no cap passed.

use std::time::Duration;

use sluice::text::joined::Joined;
use sluice::text::reassemble::{End, Form, Key, Limits, Part, Reading, Reassembly, Taken};
use sluice::text::resplit::{plan_user_data, resplit};
use sluice::text::udh::{self, CONCAT8, CONCAT16};
use sluice::text::{Alphabet, Concat, PART_OCTETS_MAX, gsm7, latin1, ucs2};

use super::octets::Octets;

/// Three octets of limits; then parts, each with an octet of choices, one of length, and user data.
pub fn body(data: &[u8]) {
    let mut data = Octets::new(data);
    let limits = Limits {
        sets_max: usize::from(data.octet() % 8),
        octets_max: usize::from(data.octet()) * 64,
        age_max: Duration::from_secs(u64::from(data.octet() % 32)),
    };
    let mut reassembly = Reassembly::new(limits);
    let (mut now, mut kept, mut handed) = (Duration::ZERO, 0, Tally::default());
    while !data.is_empty() {
        let choice = data.octet();
        now += Duration::from_secs(u64::from(choice >> 4));
        while let Some(message) = reassembly.handle_timeout(now) {
            assert_eq!(message.end(), End::TimedOut);
            handed.add(&message);
        }
        assert!(reassembly.poll_timeout().is_none_or(|at| at > now), "what is due is handed over");
        let user_data = data.told();
        cut(user_data, choice);
        let Some((key, sequence, octets)) = part_of(user_data, choice) else { continue };
        let reading = Reading { data_coding: choice & 8, locking_id: choice & 3, single_id: choice & 1 };
        let taken =
            reassembly.handle_part(now, key, Part { sequence, reading, octets }, |message| handed.add(&message));
        if taken == Taken::Kept {
            kept += 1 + octets.len();
        }
        assert_eq!(taken == Taken::Senseless, sequence == 0 || sequence > key.total);
        assert!(reassembly.sets() <= limits.sets_max && reassembly.octets() <= limits.octets_max);
    }
    while let Some(message) = reassembly.drain() {
        handed.add(&message);
    }
    assert_eq!((reassembly.sets(), reassembly.octets()), (0, 0));
    assert_eq!(handed.0, kept, "parts and octets that were kept are handed over");
}

/// Parts and their octets, added up.
#[derive(Default)]
struct Tally(usize);

impl Tally {
    fn add(&mut self, message: &Joined) {
        let parts: Vec<Part<'_>> = message.parts().collect();
        assert!(parts.is_sorted_by(|a, b| a.sequence < b.sequence));
        assert_eq!(parts.len() + message.missing().count(), usize::from(message.key().total));
        assert_eq!(message.is_complete(), message.end() == End::Complete);
        let octets = message.octets();
        assert_eq!(octets.len(), parts.iter().map(|part| part.octets.len()).sum::<usize>());
        let mut text = String::new();
        message.decode(Alphabet::Gsm7, &mut text);
        assert!(text.chars().count() <= octets.len());
        self.0 += parts.len() + octets.len();
    }
}

/// The part that user data is: by its header, or by its first octets in the place of sar_* parameters.
fn part_of(user_data: &[u8], choice: u8) -> Option<(Key, u8, &[u8])> {
    if choice & 4 == 0 {
        let (found, octets) = udh::concatenation(user_data).ok()?;
        let found = found?;
        assert!(found.sequence >= 1 && found.sequence <= found.total);
        return Some((Key::of_header(u128::from(choice & 1), &found), found.sequence, octets));
    }
    let (&[reference, total, sequence], octets) = user_data.split_first_chunk()?;
    let key = Key { peers: 0, form: Form::Sar, reference: u16::from(reference % 4), total: total % 8 };
    Some((key, sequence % 8, octets))
}

/// User data with a header is walked, and cut if it is too long: the elements stay and the text comes back.
fn cut(user_data: &[u8], choice: u8) {
    let Ok((header, text)) = udh::split(user_data) else { return };
    let walked: Vec<_> = udh::elements(header).collect();
    assert!(walked.len() <= header.len());
    let in_effect = udh::in_effect(header).count();
    assert!(in_effect <= walked.len());
    let alphabet = [Alphabet::Gsm7, Alphabet::Ucs2, Alphabet::Binary][usize::from(choice % 3)];
    let concat = if choice & 8 == 0 { Concat::Udh8 } else { Concat::Udh16 };
    let Ok(plan) = plan_user_data(user_data, alphabet, concat) else { return };
    let (mut out, mut ends) = (Vec::new(), Vec::new());
    resplit(user_data, &plan, 0x0A0B, &mut out, &mut ends);
    assert_eq!(ends.len(), usize::from(plan.parts));
    if plan.parts == 1 {
        assert_eq!(out, user_data);
        return;
    }
    let kept = |header: &[u8]| -> Vec<(u8, Vec<u8>)> {
        let others = udh::elements(header).flatten().filter(|element| !matches!(element.id, CONCAT8 | CONCAT16));
        others.map(|element| (element.id, element.data.to_vec())).collect()
    };
    let (mut joined, mut by_parts, mut whole) = (Vec::new(), String::new(), String::new());
    let starts = std::iter::once(0).chain(ends.iter().copied());
    for (at, (start, &end)) in (1..).zip(starts.zip(&ends)) {
        let part = &out[start as usize..end as usize];
        let (found, behind) = udh::concatenation(part).expect("a whole header");
        let found = found.expect("it is tied");
        assert_eq!((found.total, found.sequence), (plan.parts, at));
        let (part_header, _) = udh::split(part).expect("a whole header");
        assert_eq!(kept(part_header), kept(header));
        let packed = if alphabet == Alphabet::Gsm7 { (behind.len() * 7).div_ceil(8) } else { behind.len() };
        assert!(part.len() - behind.len() + packed <= PART_OCTETS_MAX);
        joined.extend_from_slice(behind);
        decode(behind, alphabet, &mut by_parts);
    }
    assert_eq!(joined, text);
    decode(text, alphabet, &mut whole);
    assert_eq!(by_parts, whole, "no pair is cut");
}

fn decode(octets: &[u8], alphabet: Alphabet, out: &mut String) {
    match alphabet {
        Alphabet::Gsm7 => gsm7::decode(octets, out),
        Alphabet::Ucs2 => ucs2::decode(octets, out),
        Alphabet::Latin1 | Alphabet::Binary => latin1::decode(octets, out),
    }
}
