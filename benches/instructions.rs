//! Has a hot function become dearer? Instructions per call, counted by callgrind and held against the committed table
//! `benches/instructions.txt`: the same on every machine and under any load. `-- --bless` writes the table anew.
//!
//! Each function runs in a child of its own, N times and twice N times; the difference leaves only the calls. Counts depend
//! on the compiler, which the table names, and callgrind knows no AVX-512, so the paths without it are counted.

mod road;

use std::hint::black_box;
use std::process::{Command, ExitCode};

use road::Road;
use road::wire::Wire;
use sluice::smpp::address::Address;
use sluice::smpp::decode::decode;
use sluice::smpp::encode::encode;
use sluice::smpp::fields::MessageState;
use sluice::smpp::frame::{PDU_OCTETS_MAX_DEFAULT, frame};
use sluice::smpp::pdu::{Body, Pdu, SubmitSm, SubmitSmResp};
use sluice::smpp::receipt::{Receipt, ReceiptText};
use sluice::smpp::status::CommandStatus;
use sluice::smpp::tag::Tag;
use sluice::smpp::tlv::{TlvWriter, Tlvs};
use sluice::smpp::validate::validate_submit;
use sluice::text::Options;
use sluice::text::pack::pack;
use sluice::text::segment::{plan, segment};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt");
/// A count may rise by so much before the bench fails, in hundredths.
const RISE_PERCENT_MAX: u64 = 5;
const SENTENCE: &str = "Your parcel number 4711 will reach you today between 10:00 and 12:00. ";
const MESSAGES: usize = 100;

/// What is counted: its name, how often it runs, and what runs so often.
type Function = (&'static str, u32, fn(u32));

const FUNCTIONS: [Function; 18] = [
    ("frame", 20_000, |calls| {
        let octets = octets_of(&Body::SubmitSm(submit_sm()));
        repeat(calls, || frame(black_box(&octets), PDU_OCTETS_MAX_DEFAULT));
    }),
    ("decode submit_sm", 20_000, |calls| decode_calls(calls, &Body::SubmitSm(submit_sm()))),
    ("encode submit_sm", 20_000, |calls| encode_calls(calls, &Body::SubmitSm(submit_sm()))),
    ("decode submit_sm_resp", 20_000, |calls| decode_calls(calls, &Body::SubmitSmResp(RESP))),
    ("encode submit_sm_resp", 20_000, |calls| encode_calls(calls, &Body::SubmitSmResp(RESP))),
    ("decode deliver_sm receipt", 20_000, |calls| {
        with_receipt(|receipt| decode_calls(calls, &Body::DeliverSm(receipt)))
    }),
    ("encode deliver_sm receipt", 20_000, |calls| {
        with_receipt(|receipt| encode_calls(calls, &Body::DeliverSm(receipt)))
    }),
    ("validate submit_sm", 20_000, |calls| {
        let message = submit_sm();
        repeat(calls, || validate_submit(black_box(&message), 1));
    }),
    ("parse receipt", 5_000, |calls| with_receipt(|receipt| repeat(calls, || Receipt::of(black_box(&receipt))))),
    ("write receipt", 10_000, |calls| {
        let mut out = Vec::with_capacity(1_024);
        repeat(calls, || {
            out.clear();
            black_box(&RECEIPT_TEXT).write(&mut out);
        });
    }),
    ("plan 160 gsm7", 10_000, |calls| plan_calls(calls, &text(SENTENCE, 160))),
    ("plan and segment 160 gsm7", 10_000, |calls| segment_calls(calls, &text(SENTENCE, 160))),
    ("plan 1,530 gsm7", 2_000, |calls| plan_calls(calls, &text(SENTENCE, 1_530))),
    ("plan and segment 1,530 gsm7", 2_000, |calls| segment_calls(calls, &text(SENTENCE, 1_530))),
    ("plan and segment 70 ucs2", 10_000, |calls| segment_calls(calls, &text("Ваша посылка прибудет сегодня. ", 70))),
    ("pack 160 septets", 10_000, |calls| {
        let (septets, mut out) = ([0x55; 160], Vec::with_capacity(1_024));
        repeat(calls, || {
            out.clear();
            pack(black_box(&septets), 0, &mut out);
        });
    }),
    ("two sessions, 100 messages with receipts", 40, |calls| {
        let mut wire = Wire::new();
        (0..10 + calls).for_each(|_| wire.round(MESSAGES));
    }),
    ("admission to effects, 100 messages a step", 40, |calls| {
        let mut road = Road::new();
        (0..20 + calls).for_each(|_| road.step(MESSAGES));
    }),
];

const RESP: SubmitSmResp<'static> = SubmitSmResp { message_id: Some(b"0123456789abcdefghijklmnop"), tlvs: Tlvs::NONE };

const RECEIPT_TEXT: ReceiptText<'static> = ReceiptText {
    id: b"0123456789abcdef",
    sub: 1,
    dlvrd: 1,
    submit_micros: 1_795_262_400_000_000,
    done_micros: 1_795_262_460_000_000,
    state: MessageState::Delivered,
    err: b"000",
    text: b"Your parcel",
};

#[expect(clippy::print_stdout, reason = "a bench prints its table")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [child, name, calls] = arguments.as_slice()
        && child == "--child"
    {
        let (_, _, run) = FUNCTIONS.into_iter().find(|(known, ..)| known == name).expect("a name of the table");
        run(calls.parse().expect("a number"));
        return ExitCode::SUCCESS;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("SKIPPED instructions: valgrind is not installed, so nothing was counted");
        let is_strict = std::env::var("CI").is_ok_and(|value| value == "true");
        return if is_strict { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    let counted: Vec<(&str, u64)> = FUNCTIONS.iter().map(|function| (function.0, instructions(function))).collect();
    if arguments.iter().any(|argument| argument == "--bless") {
        std::fs::write(TABLE, table(&counted)).expect("the table can be written");
    }
    let known = known();
    let mut is_sound = true;
    println!("{:<42} {:>12} {:>12}", "instructions per call", "table", "now");
    for (name, now) in counted {
        let before = known.iter().find(|(known, _)| known == name).map(|(_, count)| *count);
        let verdict = match before {
            None => "  <- not in the table (`-- --bless` writes it)",
            Some(before) if now * 100 > before * (100 + RISE_PERCENT_MAX) => "  <- dearer",
            Some(_) => "",
        };
        is_sound &= verdict.is_empty();
        println!("{name:<42} {:>12} {now:>12}{verdict}", before.unwrap_or_default());
    }
    if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Instructions of one call.
fn instructions((name, calls, _): &Function) -> u64 {
    let (once, twice) = (collected(name, *calls), collected(name, 2 * calls));
    twice.saturating_sub(once).div_ceil(u64::from(*calls))
}

/// Instructions of a child that makes so many calls.
fn collected(name: &str, calls: u32) -> u64 {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--child", name, &calls.to_string()])
        .output()
        .expect("valgrind starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {told}");
    let count = told.lines().find_map(|line| line.split_once("Collected : ")).expect("callgrind tells its count").1;
    count.trim().parse().expect("a number")
}

/// The committed counts.
fn known() -> Vec<(String, u64)> {
    let table = std::fs::read_to_string(TABLE).unwrap_or_default();
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|row| row.rsplit_once(' '))
        .map(|(name, count)| (name.trim_end().to_owned(), count.parse().expect("a number")))
        .collect()
}

fn table(counted: &[(&str, u64)]) -> String {
    let compiler = Command::new("rustc").arg("--version").output().expect("rustc starts").stdout;
    let mut table = format!(
        "# Instructions per call, counted by `cargo bench --bench instructions`; `-- --bless` writes this file.\n# {}\n",
        String::from_utf8_lossy(&compiler).trim()
    );
    for (name, count) in counted {
        table.push_str(&format!("{name:<42} {count}\n"));
    }
    table
}

fn repeat<T>(calls: u32, mut call: impl FnMut() -> T) {
    (0..calls).for_each(|_| {
        black_box(call());
    });
}

fn submit_sm() -> SubmitSm<'static> {
    SubmitSm {
        source: Address { ton: 5, npi: 0, addr: b"MyBrand" },
        dest: Address { ton: 1, npi: 1, addr: b"447700900123" },
        registered_delivery: 1,
        short_message: &[b'a'; 160],
        ..SubmitSm::default()
    }
}

fn with_receipt(work: impl FnOnce(SubmitSm<'_>)) {
    let (mut text, mut tlvs) = (Vec::new(), Vec::new());
    RECEIPT_TEXT.write(&mut text);
    let mut writer = TlvWriter::new(&mut tlvs);
    writer.text(Tag::RECEIPTED_MESSAGE_ID, b"0123456789abcdef").u8(Tag::MESSAGE_STATE, 2);
    work(SubmitSm { esm_class: 4, short_message: &text, tlvs: writer.finish(), ..submit_sm() });
}

fn octets_of(body: &Body<'_>) -> Vec<u8> {
    let mut octets = Vec::new();
    encode(&Pdu { status: CommandStatus::ROK, sequence: 4_711, body: *body }, &mut octets);
    octets
}

fn decode_calls(calls: u32, body: &Body<'_>) {
    let octets = octets_of(body);
    repeat(calls, || decode(black_box(&octets)).is_ok_and(|pdu| black_box(&pdu).sequence == 4_711));
}

fn encode_calls(calls: u32, body: &Body<'_>) {
    let pdu = Pdu { status: CommandStatus::ROK, sequence: 4_711, body: *body };
    let mut out = Vec::with_capacity(1_024);
    repeat(calls, || {
        out.clear();
        encode(black_box(&pdu), &mut out);
    });
}

fn text(sentence: &str, characters: usize) -> String {
    sentence.chars().cycle().take(characters).collect()
}

fn plan_calls(calls: u32, text: &str) {
    repeat(calls, || plan(black_box(text), Options::default()).expect("fits"));
}

fn segment_calls(calls: u32, text: &str) {
    let (mut out, mut ends) = (Vec::with_capacity(8_192), Vec::with_capacity(256));
    repeat(calls, || {
        out.clear();
        ends.clear();
        let plan = plan(black_box(text), Options::default()).expect("fits");
        segment(text, &plan, 7, &mut out, &mut ends).expect("planned from this text");
    });
}
