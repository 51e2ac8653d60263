//! A message of an ESME reaches the carrier in parts that fit the air, whatever form it came in: one long PDU is cut, the
//! elements of its header stay in every part, and no character is cut in two. Over real sockets.

mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use sluice::smpp::address::Address;
use sluice::smpp::encode::encode;
use sluice::smpp::pdu::{Body, Pdu, SubmitSm};
use sluice::smpp::status::CommandStatus;
use sluice::smpp::tag::Tag;
use sluice::smpp::tlv::{TlvWriter, Tlvs};
use sluice::text::reassemble::{Form, Key, Limits, Part, Reading, Reassembly, Taken};
use sluice::text::segment::{plan, segment};
use sluice::text::{Alphabet, Choice, Concat, Options, ucs2, udh};
use support::esme::{Esme, SUBMIT_SM};
use support::smsc::{Smsc, Submit};
use support::{Daemon, eventually, settings};

const UDHI: u8 = 0x40;

/// The ways to carry a long message: prefix of the numbers whose carrier wants it so, its word, its form.
const WAYS: [(&str, &str, Concat); 4] = [
    ("4471", "udh8", Concat::Udh8),
    ("4472", "udh16", Concat::Udh16),
    ("4473", "sar", Concat::Sar),
    ("4474", "payload", Concat::Payload),
];

/// A gateway whose carriers want long messages in all four ways; they are one and the same peer.
fn start(carrier: SocketAddr) -> (Daemon, Esme) {
    let mut config = settings::tenant("riverside", "");
    for (prefix, word, _) in WAYS {
        config += &settings::carrier(word, carrier, &format!("concat = \"{word}\""));
        config += &format!("[[route]]\nprefix = \"{prefix}\"\ncarriers = [\"{word}\"]\n\n");
    }
    let daemon = Daemon::start(&config);
    let esme = Esme::riverside(daemon.smpp);
    (daemon, esme)
}

/// The octets of a submit_sm behind its header.
fn body(to: &str, data_coding: u8, esm_class: u8, short_message: &[u8], tlvs: Tlvs<'_>) -> Vec<u8> {
    let source = Address { ton: 5, npi: 0, addr: b"Riverside" };
    let dest = Address { ton: 1, npi: 1, addr: to.as_bytes() };
    let sm = SubmitSm { source, dest, esm_class, data_coding, short_message, tlvs, ..SubmitSm::default() };
    let mut octets = Vec::new();
    encode(&Pdu { status: CommandStatus::ROK, sequence: 1, body: Body::SubmitSm(sm) }, &mut octets);
    octets.split_off(16)
}

/// As [`body`], with the text in message_payload.
fn payload_body(to: &str, data_coding: u8, esm_class: u8, payload: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = TlvWriter::new(&mut octets);
    writer.octets(Tag::MESSAGE_PAYLOAD, payload);
    body(to, data_coding, esm_class, b"", writer.finish())
}

fn taken(esme: &mut Esme, body: &[u8]) {
    let sequence = esme.request(SUBMIT_SM, body);
    assert_eq!(esme.response_or_receipts(sequence, |_| ()).status, 0);
}

/// As many submits as are to come for this number, in the order of the sequence numbers in their headers.
fn arrived(smsc: &Smsc, to: &str, count: usize) -> Vec<Submit> {
    let mut submits = eventually("all parts arrive", || {
        let submits: Vec<Submit> = smsc.submits().into_iter().filter(|submit| submit.to == to).collect();
        (submits.len() == count).then_some(submits)
    });
    submits.sort_by_key(|submit| part_of(submit).1);
    submits
}

/// Total, number and octets of what a submit carries.
fn part_of(submit: &Submit) -> (Option<Key>, u8, Vec<u8>) {
    let tlvs = Tlvs::parse(&submit.tlvs).expect("whole parameters");
    let octets = tlvs.get(Tag::MESSAGE_PAYLOAD).unwrap_or(&submit.octets);
    let peers = submit.to.parse().expect("a number");
    if submit.esm_class & UDHI != 0 {
        let (found, text) = udh::concatenation(octets).expect("a whole header");
        let key = found.map(|found| Key::of_header(peers, &found));
        return (key, found.map_or(0, |found| found.sequence), text.to_vec());
    }
    let sar = [Tag::SAR_TOTAL_SEGMENTS, Tag::SAR_SEGMENT_SEQNUM].map(|tag| tlvs.get_u8(tag));
    match (tlvs.get_u16(Tag::SAR_MSG_REF_NUM), sar) {
        (Some(reference), [Some(total), Some(sequence)]) => {
            (Some(Key { peers, form: Form::Sar, reference, total }), sequence, octets.to_vec())
        }
        _ => (None, 0, octets.to_vec()),
    }
}

/// The messages that these submits are, by their numbers.
fn texts(submits: &[Submit]) -> BTreeMap<String, String> {
    let mut reassembly = Reassembly::new(Limits::default());
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for submit in submits {
        let (key, sequence, octets) = part_of(submit);
        let whole = Key { peers: submit.to.parse().expect("a number"), form: Form::Sar, reference: 0, total: 1 };
        let reading = Reading { data_coding: submit.data_coding, locking_id: 0, single_id: 0 };
        let part = Part { sequence: sequence.max(1), reading, octets: &octets };
        let taken = reassembly.handle_part(Duration::ZERO, key.unwrap_or(whole), part, |message| {
            assert!(message.is_complete());
            message.decode(Alphabet::Gsm7, texts.entry(submit.to.clone()).or_default());
        });
        assert_eq!(taken, Taken::Kept);
    }
    assert_eq!(reassembly.sets(), 0, "no message waits for a part");
    texts
}

#[test]
fn q44_a_header_in_message_payload_is_read_and_kept() {
    let smsc = Smsc::delivering();
    let (_daemon, mut esme) = start(smsc.address);
    let ports = [0x05, 4, 0x0B, 0x84, 0x23, 0xF0];
    let user_data = [&[6][..], &ports, &[7; 250]].concat();
    for (number, concat) in [("447100900001", 0x00), ("447200900001", 0x08), ("447300900001", 0x00)] {
        taken(&mut esme, &payload_body(number, 4, UDHI, &user_data));
        let parts = arrived(&smsc, number, 2);
        let mut behind = Vec::new();
        for part in &parts {
            assert!(part.octets.len() <= 140 && part.esm_class & UDHI != 0 && part.tlvs.is_empty());
            let (header, text) = udh::split(&part.octets).expect("a whole header");
            assert_eq!(header[0], concat, "tied in its own header");
            assert!(header.ends_with(&ports), "the ports are in every part");
            behind.extend_from_slice(text);
        }
        assert_eq!(behind, [7; 250]);
    }
    taken(&mut esme, &payload_body("447400900001", 4, UDHI, &user_data));
    let whole = &arrived(&smsc, "447400900001", 1)[0];
    assert_eq!((whole.esm_class & UDHI, part_of(whole).2.len()), (UDHI, 250), "a carrier that cuts gets it whole");
}

#[test]
fn pairs_at_the_cut_stay_whole() {
    let smsc = Smsc::delivering();
    let (_daemon, mut esme) = start(smsc.address);
    let mut octets = Vec::new();
    ucs2::encode(&("a".to_owned() + &"😀".repeat(50)), &mut octets);
    taken(&mut esme, &body("447100900002", 8, 0, &octets, Tlvs::NONE));
    let lengths = |parts: &[Submit]| parts.iter().map(|part| part.octets.len()).collect::<Vec<_>>();
    let parts = arrived(&smsc, "447100900002", 2);
    assert_eq!(lengths(&parts), [6 + 134, 6 + 68]);
    ucs2::encode("b", &mut octets);
    octets.rotate_right(2);
    taken(&mut esme, &payload_body("447100900003", 8, 0, &octets));
    assert_eq!(lengths(&arrived(&smsc, "447100900003", 2)), [6 + 132, 6 + 72], "one unit is left free");
    let escape = [&[b'a'; 152][..], &[0x1B, 0x65], &[b'b'; 20]].concat();
    taken(&mut esme, &body("447100900004", 0, 0, &escape, Tlvs::NONE));
    assert_eq!(lengths(&arrived(&smsc, "447100900004", 2)), [6 + 152, 6 + 22]);
    let behind_header = [&[3, 0x24, 1, 1][..], &[b'a'; 148], &[0x1B, 0x65], &[b'b'; 20]].concat();
    taken(&mut esme, &body("447100900005", 0, UDHI, &behind_header, Tlvs::NONE));
    let parts = arrived(&smsc, "447100900005", 2);
    assert_eq!(lengths(&parts), [9 + 148, 9 + 22], "149 septets fit behind 9 octets");
    assert!(parts.iter().all(|part| part.octets[6..9] == [0x24, 1, 1]), "the language is named in every part");
}

#[test]
fn q57_a_wide_reference_leaves_66_code_units() {
    let smsc = Smsc::delivering();
    let (_daemon, mut esme) = start(smsc.address);
    let mut octets = Vec::new();
    ucs2::encode(&"ж".repeat(133), &mut octets);
    taken(&mut esme, &payload_body("447200900006", 8, 0, &octets));
    let lengths: Vec<usize> = arrived(&smsc, "447200900006", 3).iter().map(|part| part.octets.len()).collect();
    assert_eq!(lengths, [7 + 132, 7 + 132, 7 + 2]);
}

/// What an ESME sends when it carries a text in one of the ways itself.
fn esme_parts(to: &str, text: &str, concat: Concat) -> Vec<Vec<u8>> {
    let plan = plan(text, Options::new(Choice::Ucs2, concat)).expect("few parts");
    let (mut out, mut ends) = (Vec::new(), Vec::new());
    segment(text, &plan, 0x0A05, &mut out, &mut ends).expect("planned from this text");
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let octets = starts.zip(&ends).map(|(start, &end)| &out[start as usize..end as usize]);
    let parts = octets.zip(1..).map(|(octets, sequence)| match concat {
        Concat::Payload => payload_body(to, 8, 0, octets),
        Concat::Sar => {
            let mut scratch = Vec::new();
            let mut writer = TlvWriter::new(&mut scratch);
            writer.u16(Tag::SAR_MSG_REF_NUM, 0x0A05).u8(Tag::SAR_TOTAL_SEGMENTS, plan.parts);
            writer.u8(Tag::SAR_SEGMENT_SEQNUM, sequence);
            body(to, 8, 0, octets, writer.finish())
        }
        Concat::Udh8 | Concat::Udh16 => body(to, 8, UDHI, octets, Tlvs::NONE),
    });
    parts.collect()
}

#[test]
fn q61_one_text_sent_in_four_ways_arrives_the_same() {
    let smsc = Smsc::delivering();
    let (_daemon, mut esme) = start(smsc.address);
    let text = "Tiefkühl-😀-Straße ".repeat(12);
    let mut pdus = 0;
    for (prefix, _, asked) in WAYS {
        for (way, (_, _, given)) in WAYS.iter().enumerate() {
            let to = format!("{prefix}0090000{way}");
            let parts = esme_parts(&to, &text, *given);
            parts.iter().for_each(|part| taken(&mut esme, part));
            // What the ESME has cut goes on as it came; one long PDU is cut as this carrier wants it.
            pdus += match (given, asked) {
                (Concat::Payload, Concat::Payload) => 1,
                (Concat::Payload, _) => plan(&text, Options::new(Choice::Ucs2, asked)).expect("few parts").parts.into(),
                _ => parts.len(),
            };
        }
    }
    let submits = eventually("all parts arrive", || Some(smsc.submits()).filter(|submits| submits.len() == pdus));
    let texts = texts(&submits);
    assert_eq!(texts.len(), 16);
    assert!(texts.values().all(|arrived| *arrived == text), "{texts:?}");
}

#[test]
fn q62_a_header_and_sar_parameters_at_once_count_once() {
    let smsc = Smsc::delivering();
    let (_daemon, mut esme) = start(smsc.address);
    for sequence in [1, 2] {
        let mut scratch = Vec::new();
        let mut writer = TlvWriter::new(&mut scratch);
        writer.u16(Tag::SAR_MSG_REF_NUM, 9).u8(Tag::SAR_TOTAL_SEGMENTS, 2).u8(Tag::SAR_SEGMENT_SEQNUM, sequence);
        let part = [&[5, 0, 3, 9, 2, sequence], &b"half"[..]].concat();
        taken(&mut esme, &body("447100900007", 0, UDHI, &part, writer.finish()));
    }
    let parts = arrived(&smsc, "447100900007", 2);
    assert!(parts.iter().all(|part| part.tlvs.is_empty()), "the header stays and ties alone");
    assert_eq!(texts(&parts)["447100900007"], "halfhalf");
}

#[test]
fn q65_parts_of_one_message_over_two_binds_are_one_message() {
    let smsc = Smsc::delivering();
    let (daemon, mut first) = start(smsc.address);
    let mut second = Esme::riverside(daemon.smpp);
    let part = |sequence: u8, text: &[u8]| {
        body("447100900008", 0, UDHI, &[&[5, 0, 3, 0, 2, sequence], text].concat(), Tlvs::NONE)
    };
    taken(&mut first, &part(2, b"world"));
    taken(&mut second, &part(1, b"hello "));
    assert_eq!(texts(&arrived(&smsc, "447100900008", 2))["447100900008"], "hello world");
}
