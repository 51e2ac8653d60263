//! A text goes into each alphabet and comes back, packed or not, whole or in parts that fit; octets never break a decoder.

use sluice::text::national::Languages;
use sluice::text::segment::{Plan, plan, segment};
use sluice::text::segment_octets::{plan_octets, segment_octets};
use sluice::text::{
    Alphabet, Choice, Concat, Options, PART_OCTETS_MAX, TextError, gsm7, latin1, national, pack, ucs2, udh,
};

use super::octets::Octets;

/// Beyond this a text is only cut short: 255 parts are fewer.
const TEXT_OCTETS_MAX: usize = 8_192;

/// Four octets of options, then the text.
pub fn body(data: &[u8]) {
    let mut data = Octets::new(data);
    let options = options(&mut data);
    let octets = data.run(TEXT_OCTETS_MAX);
    decoded(octets, &options);
    let text = String::from_utf8_lossy(octets);
    into_gsm7(&text);
    into_ucs2(&text);
    match plan(&text, options) {
        Ok(plan) => in_parts(&text, &plan),
        Err(TextError::TooManyParts { parts, .. }) => assert!(parts > 255),
        Err(TextError::NotInAlphabet { character, at, .. }) => assert_eq!(text.chars().nth(at), Some(character)),
    }
}

fn options(data: &mut Octets<'_>) -> Options {
    let (choice, concat, languages) = (data.octet(), data.octet(), data.pair());
    let choices = [Choice::Auto, Choice::AutoLatin1, Choice::Gsm7, Choice::Ucs2, Choice::Latin1];
    let concats = [Concat::Udh8, Concat::Udh16, Concat::Sar, Concat::Payload];
    let languages = (1..=13).filter(|id| languages >> id & 1 == 1).fold(Languages::NONE, Languages::with);
    Options {
        choice: choices[usize::from(choice & 0x0F) % choices.len()],
        concat: concats[usize::from(concat) % concats.len()],
        languages,
        clusters: choice & 0x80 != 0,
    }
}

/// Octets of a peer are decoded whatever they are, and cut without loss.
fn decoded(octets: &[u8], options: &Options) {
    let mut text = String::new();
    for (alphabet, characters_max) in [(Alphabet::Gsm7, octets.len()), (Alphabet::Ucs2, octets.len() / 2 + 1)] {
        text.clear();
        decode(octets, alphabet, (0, 0), &mut text);
        assert!(text.chars().count() <= characters_max);
    }
    let tables = octets.first_chunk::<2>().map_or((0, 0), |[locking, single]| (locking % 16, single % 16));
    text.clear();
    decode(octets, Alphabet::Gsm7, tables, &mut text);
    assert!(text.chars().count() <= octets.len());
    let mut septets = Vec::new();
    pack::unpack(octets, 0, &mut septets);
    assert!(septets.len() <= octets.len() * 8 / 7 && septets.iter().all(|septet| *septet < 0x80));
    for alphabet in [Alphabet::Gsm7, Alphabet::Ucs2, Alphabet::Binary] {
        let Ok(plan) = plan_octets(octets, alphabet, options.concat) else { continue };
        let (mut out, mut ends) = (Vec::new(), Vec::new());
        segment_octets(octets, &plan, 1, &mut out, &mut ends);
        let behind: Vec<u8> = parts(&out, &ends, &plan).flat_map(|(_, text)| text.iter().copied()).collect();
        assert_eq!(behind, octets, "octets are cut without loss");
        let (mut whole, mut by_parts) = (String::new(), String::new());
        decode(octets, alphabet, (0, 0), &mut whole);
        parts(&out, &ends, &plan).for_each(|(_, part)| decode(part, alphabet, (0, 0), &mut by_parts));
        assert_eq!(by_parts, whole, "no pair is cut");
    }
}

fn into_gsm7(text: &str) {
    let mut septets = Vec::new();
    match (gsm7::count(text), gsm7::encode(text, &mut septets)) {
        (Ok(count), Ok(())) => {
            assert_eq!(septets.len(), count.septets);
            assert_eq!(count.pairs, septets.contains(&0x1B));
            let mut back = String::new();
            gsm7::decode(&septets, &mut back);
            assert_eq!(back, text);
            packed(text, &septets);
        }
        (Err(counted), Err(encoded)) => {
            assert_eq!(counted, encoded);
            let offender = text[counted..].chars().next().expect("a place in the text");
            assert!(gsm7::septet(offender).is_none());
        }
        (counted, encoded) => panic!("counted {counted:?} and encoded {encoded:?}"),
    }
}

/// Packing is undone, but that a text of a final carriage return may get or lose one, as the standard says.
fn packed(text: &str, septets: &[u8]) {
    for header_octets in [0, 6, 7] {
        let mut octets = vec![0xEE];
        pack::pack(septets, header_octets, &mut octets);
        assert!(octets.len() - 1 <= (septets.len() * 7).div_ceil(8) + 2);
        let mut straight = vec![0xEE];
        assert_eq!(gsm7::encode_packed(text, header_octets, &mut straight), Ok(septets.len()));
        assert_eq!(straight, octets, "one way and the other");
        let mut back = Vec::new();
        pack::unpack(&octets[1..], header_octets, &mut back);
        let trimmed = |septets: &[u8]| -> Vec<u8> {
            let end = septets.iter().rposition(|septet| *septet != 0x0D).map_or(0, |last| last + 1);
            septets[..end].to_vec()
        };
        assert_eq!(trimmed(&back), trimmed(septets));
        assert!(back.len().abs_diff(septets.len()) <= 1);
    }
}

fn into_ucs2(text: &str) {
    let mut octets = Vec::new();
    ucs2::encode(text, &mut octets);
    let count = ucs2::count(text);
    assert_eq!((octets.len(), count.units), (2 * count.units, text.encode_utf16().count()));
    let mut back = String::new();
    ucs2::decode(&octets, &mut back);
    assert_eq!(back, text);
}

fn in_parts(text: &str, plan: &Plan) {
    let (mut out, mut ends) = (Vec::new(), Vec::new());
    segment(text, plan, 0x1234, &mut out, &mut ends).expect("planned from this text");
    assert_eq!(ends.len(), usize::from(plan.pdus()));
    let mut joined = String::new();
    for (header_octets, octets) in parts(&out, &ends, plan) {
        if plan.pdus() == plan.parts {
            let on_air = match plan.alphabet {
                Alphabet::Gsm7 => (pack::fill_bits(header_octets) + octets.len() * 7).div_ceil(8),
                _ => octets.len(),
            };
            assert!(header_octets + on_air <= PART_OCTETS_MAX, "{header_octets} and {on_air} octets");
        }
        decode(octets, plan.alphabet, (plan.locking, plan.single), &mut joined);
    }
    assert_eq!(joined, text, "each part reads by itself, and together they are the text");
}

/// Octets of header, and the octets behind it, of each part.
fn parts<'a>(out: &'a [u8], ends: &'a [u32], plan: &'a Plan) -> impl Iterator<Item = (usize, &'a [u8])> {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(ends).map(move |(start, &end)| {
        let part = &out[start as usize..end as usize];
        if plan.header_octets == 0 {
            return (0, part);
        }
        let (header, text) = udh::split(part).expect("a whole header");
        assert_eq!(header.len() + 1, usize::from(plan.header_octets));
        (header.len() + 1, text)
    })
}

fn decode(octets: &[u8], alphabet: Alphabet, (locking, single): (u8, u8), out: &mut String) {
    match alphabet {
        Alphabet::Gsm7 => national::decode(octets, locking, single, out),
        Alphabet::Ucs2 => ucs2::decode(octets, out),
        Alphabet::Latin1 | Alphabet::Binary => latin1::decode(octets, out),
    }
}
