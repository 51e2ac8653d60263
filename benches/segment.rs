//! What does it cost to count and to cut a text?

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sluice::text::segment::{plan, segment};
use sluice::text::segment_octets::{plan_octets, segment_octets};
use sluice::text::{Alphabet, Concat, Options, gsm7};

const SENTENCE: &str = "Your parcel number 4711 will reach you today between 10:00 and 12:00. ";

fn cutting(c: &mut Criterion) {
    let plain = |length: usize| SENTENCE.chars().cycle().take(length).collect::<String>();
    let brackets = "{\"order\": [4711, 12], \"price\": \"7 €\"} ".chars().cycle().take(900).collect::<String>();
    let russian = "Ваша посылка прибудет сегодня. ".chars().cycle().take(70).collect::<String>();
    let texts =
        [("gsm7_160", plain(160)), ("gsm7_1530", plain(1530)), ("gsm7_extended_900", brackets), ("ucs2_70", russian)];

    let mut group = c.benchmark_group("segment");
    let (mut out, mut ends) = (Vec::with_capacity(8192), Vec::with_capacity(256));
    for (name, text) in &texts {
        group.throughput(Throughput::Elements(text.chars().count() as u64));
        group.bench_function(format!("plan/{name}"), |b| {
            b.iter(|| plan(black_box(text), Options::default()).expect("fits"));
        });
        group.bench_function(format!("plan_and_segment/{name}"), |b| {
            b.iter(|| {
                out.clear();
                ends.clear();
                let plan = plan(black_box(text), Options::default()).expect("fits");
                segment(text, &plan, 7, &mut out, &mut ends).expect("planned from this text");
                black_box(out.len())
            });
        });
    }

    let mut septets = Vec::new();
    gsm7::encode(&texts[0].1, &mut septets).expect("plain");
    group.bench_function("octets/gsm7_160", |b| {
        b.iter(|| {
            out.clear();
            ends.clear();
            let plan = plan_octets(black_box(&septets), Alphabet::Gsm7, Concat::Udh8).expect("fits");
            segment_octets(&septets, &plan, 7, &mut out, &mut ends);
            black_box(out.len())
        });
    });
    group.finish();
}

criterion_group!(benches, cutting);
criterion_main!(benches);
