//! What reading and writing one PDU costs, beside a plain copy of the same octets.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sluice::smpp::address::Address;
use sluice::smpp::decode::decode;
use sluice::smpp::encode::encode;
use sluice::smpp::fields::MessageState;
use sluice::smpp::pdu::{Body, Pdu, SubmitSm, SubmitSmResp};
use sluice::smpp::receipt::{Receipt, ReceiptText};
use sluice::smpp::status::CommandStatus;
use sluice::smpp::tag::Tag;
use sluice::smpp::tlv::{TlvWriter, Tlvs};
use sluice::smpp::validate::validate_submit;
use sluice::smpp::window::Window;

const TEXT: &[u8; 160] = &[b'a'; 160];
const RECEIPT_TEXT: ReceiptText<'static> = ReceiptText {
    id: b"0123456789abcdef",
    sub: 1,
    dlvrd: 1,
    submit_micros: 1_795_262_400_000_000,
    done_micros: 1_795_262_460_000_000,
    state: MessageState::Delivered,
    err: b"000",
    text: TEXT,
};

fn submit_sm() -> SubmitSm<'static> {
    SubmitSm {
        source: Address { ton: 5, npi: 0, addr: b"MyBrand" },
        dest: Address { ton: 1, npi: 1, addr: b"447700900123" },
        registered_delivery: 1,
        short_message: TEXT,
        ..SubmitSm::default()
    }
}

fn pdu(body: Body<'_>) -> Pdu<'_> {
    Pdu { status: CommandStatus::ROK, sequence: 4_711, body }
}

fn bench_pdu(criterion: &mut Criterion, name: &str, pdu: &Pdu<'_>) {
    let mut octets = Vec::new();
    encode(pdu, &mut octets);
    let mut group = criterion.benchmark_group(format!("{name}_{}_octets", octets.len()));
    group.throughput(Throughput::Bytes(octets.len() as u64));
    group.bench_function("decode", |bencher| bencher.iter(|| decode(black_box(&octets)).is_ok()));
    let mut out = Vec::with_capacity(65_536);
    group.bench_function("encode", |bencher| {
        bencher.iter(|| {
            out.clear();
            encode(black_box(pdu), &mut out);
            out.len()
        });
    });
    group.bench_function("memcpy", |bencher| {
        bencher.iter(|| {
            out.clear();
            out.extend_from_slice(black_box(&octets));
            out.len()
        });
    });
    group.finish();
}

fn codec(criterion: &mut Criterion) {
    bench_pdu(criterion, "submit_sm", &pdu(Body::SubmitSm(submit_sm())));
    let resp = SubmitSmResp { message_id: Some(b"0123456789abcdefghijklmnop"), tlvs: Tlvs::NONE };
    bench_pdu(criterion, "submit_sm_resp", &pdu(Body::SubmitSmResp(resp)));

    let (mut text, mut tlvs) = (Vec::new(), Vec::new());
    RECEIPT_TEXT.write(&mut text);
    let mut writer = TlvWriter::new(&mut tlvs);
    writer.text(Tag::RECEIPTED_MESSAGE_ID, b"0123456789abcdef").u8(Tag::MESSAGE_STATE, 2);
    let receipt = SubmitSm { esm_class: 4, short_message: &text, tlvs: writer.finish(), ..submit_sm() };
    bench_pdu(criterion, "deliver_sm_receipt", &pdu(Body::DeliverSm(receipt)));

    criterion.bench_function("receipt_parse", |bencher| bencher.iter(|| Receipt::of(black_box(&receipt))));
    let mut out = Vec::with_capacity(256);
    criterion.bench_function("receipt_write", |bencher| {
        bencher.iter(|| {
            out.clear();
            black_box(&RECEIPT_TEXT).write(&mut out);
            out.len()
        });
    });
    let message = submit_sm();
    criterion.bench_function("validate_submit", |bencher| bencher.iter(|| validate_submit(black_box(&message), 1)));
    let mut window = Window::new(100);
    criterion.bench_function("window_take_and_settle", |bencher| {
        bencher.iter(|| {
            let sequence = window.take(Duration::ZERO, Body::SubmitSm(message).command(), 7).unwrap_or_default();
            window.settle(sequence)
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(30);
    targets = codec
}
criterion_main!(benches);
