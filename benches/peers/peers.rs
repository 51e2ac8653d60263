//! How fast is our codec beside its peers? One command: `cargo bench --manifest-path benches/peers/Cargo.toml`.
//!
//! All run in rounds, one after the other in each round, so that what else the machine does meets all alike. A figure is the
//! fastest of the rounds, because a neighbour only ever makes one slower, and a ratio is one of such figures.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use rusmpp_core::command::borrowed::Command;
use rusmpp_core::decode::borrowed::DecodeWithLength;
use rusmpp_core::encode::Encode;
use sluice::smpp::decode::decode;
use sluice::smpp::encode::encode;
use sluice::smpp::address::Address;
use sluice::smpp::pdu::{Body, Pdu, SubmitSm};
use sluice::smpp::status::CommandStatus;
use sluice::text::segment::plan;
use sluice::text::{Options, gsm7, ucs2};

const ROUNDS: usize = 201;
const RUSSIAN: &str = "Ваша посылка прибудет сегодня. ";
const QUOTED: &str = "The surgery’s phone line opens at 8 – please don’t ring earlier. ";
const SENTENCE: &str = "Your parcel number 4711 will reach you today between 10:00 and 12:00. ";

/// One thing that is timed: who does it, and what runs so often.
struct Runner<'a> {
    name: &'static str,
    calls: u32,
    run: Box<dyn FnMut(u32) + 'a>,
    nanos: Vec<f64>,
}

/// Ours is the first runner, a copy of the same octets the second, the peers follow.
struct Contest<'a> {
    what: &'static str,
    runners: Vec<Runner<'a>>,
}

/// What a contest must show.
struct Goal {
    /// The fastest peer takes at least so many times as long as we.
    peer_ratio_min: f64,
    /// We take at most so many times as long as a copy.
    copy_ratio_max: f64,
}

impl<'a> Contest<'a> {
    fn new(what: &'static str) -> Contest<'a> {
        Contest { what, runners: Vec::new() }
    }

    fn runner<T>(&mut self, name: &'static str, calls: u32, mut call: impl FnMut() -> T + 'a) {
        let run = Box::new(move |calls| {
            for _ in 0..calls {
                black_box(call());
            }
        });
        self.runners.push(Runner { name, calls, run, nanos: Vec::new() });
    }

    /// Runs all rounds, prints the table, and says whether the goal was met.
    fn decide(mut self, goal: &Goal) -> bool {
        for _ in 0..ROUNDS {
            for runner in &mut self.runners {
                let started = Instant::now();
                (runner.run)(runner.calls);
                let nanos = started.elapsed().as_nanos() as f64 / f64::from(runner.calls);
                runner.nanos.push(nanos);
            }
        }
        println!("\n{:<44} {:>10} {:>10}", self.what, "ns", "to ours");
        let ours = fastest(&self.runners[0]);
        let ratios: Vec<f64> = self.runners.iter().map(|runner| fastest(runner) / ours).collect();
        for (runner, ratio) in self.runners.iter().zip(&ratios) {
            println!("  {:<42} {:>10.1} {:>10.2}", runner.name, fastest(runner), ratio);
        }
        let copy = 1.0 / ratios[1];
        let peer = ratios[2..].iter().copied().fold(f64::INFINITY, f64::min);
        let verdict = |is_met: bool| if is_met { "met" } else { "MISSED" };
        let (peer_met, copy_met) = (peer >= goal.peer_ratio_min, copy <= goal.copy_ratio_max);
        println!("  fastest peer: {peer:.1} times ours, goal {}: {}", goal.peer_ratio_min, verdict(peer_met));
        if goal.copy_ratio_max.is_finite() {
            println!("  ours: {copy:.1} times a copy, goal {}: {}", goal.copy_ratio_max, verdict(copy_met));
        }
        peer_met && copy_met
    }
}

fn fastest(runner: &Runner<'_>) -> f64 {
    runner.nanos.iter().copied().fold(f64::INFINITY, f64::min)
}

fn main() -> ExitCode {
    let results = [decoding(), encoding(), packing(), widening(RUSSIAN), widening(QUOTED), counting()];
    let met = results.iter().filter(|is_met| **is_met).count();
    println!("\n{met} of {} goals met", results.len());
    if met == results.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A submit_sm of 216 octets with 160 characters.
fn submit_sm() -> Pdu<'static> {
    let message = SubmitSm {
        source: Address { ton: 5, npi: 0, addr: b"MyBrandName" },
        dest: Address { ton: 1, npi: 1, addr: b"447700900123" },
        registered_delivery: 1,
        short_message: &[b'a'; 160],
        ..SubmitSm::default()
    };
    Pdu { status: CommandStatus::ROK, sequence: 4_711, body: Body::SubmitSm(message) }
}

fn octets() -> Vec<u8> {
    let mut octets = Vec::new();
    encode(&submit_sm(), &mut octets);
    assert_eq!(octets.len(), 216);
    octets
}

/// The limit. Source and copy lie half a page apart: at the same place of two pages a load waits for the store before it.
fn copy<'a>(contest: &mut Contest<'a>, octets: &'a [u8]) {
    let mut out: Vec<u8> = Vec::with_capacity(1 << 20);
    let start = octets.as_ptr().addr().wrapping_sub(out.as_ptr().addr()).wrapping_add(2_048) % 4_096;
    out.resize(start, 0);
    contest.runner("memcpy of the same octets", 20_000, move || {
        out.truncate(start);
        out.extend_from_slice(black_box(octets));
        out.len()
    });
}

fn rusmpp(octets: &[u8]) -> Command<'_, 16> {
    Command::decode(&octets[4..], octets.len() - 4).expect("rusmpp reads it").0
}

fn smpp34(octets: &[u8]) -> smpp34::submit_sm {
    let header = smpp34::CommandHeader::decode(octets).expect("smpp34 reads the header");
    smpp34::submit_sm::decode(header, octets).expect("smpp34 reads the body")
}

fn smpp_codec(octets: &[u8]) -> smpp_codec::pdus::SubmitSmRequest {
    smpp_codec::pdus::SubmitSmRequest::decode(octets).expect("smpp-codec reads it")
}

fn decoding() -> bool {
    let octets = octets();
    let mut contest = Contest::new("decode a submit_sm of 216 octets");
    contest.runner("ours, borrowed and held to the standard", 20_000, || decode(black_box(&octets)));
    copy(&mut contest, &octets);
    contest.runner("rusmpp-core, borrowed", 5_000, || rusmpp(black_box(&octets)));
    contest.runner("smpp34", 5_000, || smpp34(black_box(&octets)));
    contest.runner("smpp-codec", 5_000, || smpp_codec(black_box(&octets)));
    contest.decide(&Goal { peer_ratio_min: 4.0, copy_ratio_max: f64::INFINITY })
}

fn encoding() -> bool {
    let octets = octets();
    let mut contest = Contest::new("encode a submit_sm of 216 octets");
    let pdu = submit_sm();
    let mut out = Vec::with_capacity(1 << 20);
    contest.runner("ours, appended", 20_000, move || {
        out.clear();
        encode(black_box(&pdu), &mut out);
        out.len()
    });
    copy(&mut contest, &octets);

    let command = rusmpp(&octets);
    let mut slice = vec![0; 1 << 20];
    assert_eq!(command.encode(&mut slice), octets.len() - 4);
    assert_eq!(slice[..octets.len() - 4], octets[4..], "rusmpp writes the same");
    contest.runner("rusmpp-core, into a slice, without length", 5_000, move || black_box(&command).encode(&mut slice));

    let value = smpp34(&octets);
    assert_eq!(value.clone().encode()[..], octets[..], "smpp34 writes the same");
    contest.runner("smpp34, which consumes: clone and encode", 5_000, move || black_box(&value).clone().encode());

    let value = smpp_codec(&octets);
    let mut out = Vec::with_capacity(1 << 20);
    value.encode(&mut out).expect("smpp-codec writes it");
    assert_eq!(out, octets, "smpp-codec writes the same");
    contest.runner("smpp-codec, appended", 5_000, move || {
        out.clear();
        black_box(&value).encode(&mut out).expect("smpp-codec writes it");
        out.len()
    });
    contest.decide(&Goal { peer_ratio_min: 2.0, copy_ratio_max: f64::INFINITY })
}

fn text() -> String {
    SENTENCE.chars().cycle().take(160).collect()
}

fn packing() -> bool {
    let text = &text();
    let mut contest = Contest::new("160 characters of UTF-8 to packed GSM-7");
    let mut out = Vec::with_capacity(1 << 20);
    contest.runner("ours, packed", 20_000, move || {
        out.clear();
        gsm7::encode_packed(black_box(text), 0, &mut out).expect("plain")
    });
    copy(&mut contest, text.as_bytes());
    contest.runner("gsm7, packed", 500, || {
        let mut writer = ::gsm7::Gsm7Writer::new(Vec::with_capacity(160));
        writer.write_str(black_box(text)).expect("plain");
        writer.into_writer().expect("in memory")
    });
    contest.runner("gsm7-alt, not packed", 500, || gsm7_alt::encode(black_box(text)).expect("plain"));
    contest.runner("sms-pdu, not packed", 1_000, || sms_pdu::gsm_encoding::try_gsm_encode_string(black_box(text)));
    contest.runner("smpp-codec, packed", 100, || smpp_codec::encoding::gsm_7bit_encode(black_box(text)));
    contest.decide(&Goal { peer_ratio_min: 10.0, copy_ratio_max: 8.0 })
}

/// No crate is known that does this alone, so the peer is the standard library.
fn widening(sentence: &'static str) -> bool {
    let text: String = sentence.chars().cycle().take(70).collect();
    let octets: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let (mut out, mut other) = (Vec::with_capacity(1 << 20), Vec::with_capacity(1 << 20));
    println!("\n(the text: {sentence})");
    let mut contest = Contest::new("70 characters of UTF-8 to UTF-16BE");
    contest.runner("ours", 20_000, || {
        out.clear();
        ucs2::encode(black_box(&text), &mut out);
        out.len()
    });
    copy(&mut contest, &octets);
    contest.runner("encode_utf16 of the standard library", 2_000, || {
        other.clear();
        other.extend(black_box(&text).encode_utf16().flat_map(u16::to_be_bytes));
        other.len()
    });
    contest.decide(&Goal { peer_ratio_min: 1.0, copy_ratio_max: 4.0 })
}

fn counting() -> bool {
    let text = text();
    let mut contest = Contest::new("parts of 160 characters counted");
    contest.runner("ours", 20_000, || plan(black_box(&text), Options::default()));
    copy(&mut contest, text.as_bytes());
    contest.runner("gsm7-alt, units alone", 500, || gsm7_alt::encoded_len(black_box(&text)));
    contest.runner("smpp-codec, which splits", 100, || {
        smpp_codec::splitter::MessageSplitter::split(
            black_box(text.clone()),
            smpp_codec::splitter::EncodingType::Gsm7Bit,
            smpp_codec::splitter::SplitMode::Udh,
        )
    });
    contest.decide(&Goal { peer_ratio_min: 10.0, copy_ratio_max: f64::INFINITY })
}
