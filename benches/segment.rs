//! What does it cost to count and to cut a text?

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use sluice::text::national::Languages;
use sluice::text::segment::{plan, segment};
use sluice::text::segment_octets::{plan_octets, segment_octets};
use sluice::text::{Alphabet, Concat, Options, gsm7, ucs2};

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

    let all = Options { languages: Languages::ALL, ..Options::default() };
    let clusters = Options { clusters: true, ..Options::default() };
    let special = [
        ("turkish_300", "Hoş geldiniz, siparişiniz yarın öğleden sonra teslim edilecek. ", 300, all),
        ("hindi_300", "नमस्ते आप कैसे हैं, आपका पार्सल आज आएगा। ", 300, all),
        ("gsm7_1530_languages", SENTENCE, 1530, all),
        ("russian_300_clusters", "Ваша посылка прибудет сегодня. ", 300, clusters),
    ];
    for (name, sentence, length, options) in special {
        let text: String = sentence.chars().cycle().take(length).collect();
        group.throughput(Throughput::Elements(length as u64));
        group.bench_function(format!("plan_and_segment/{name}"), |b| {
            b.iter(|| {
                out.clear();
                ends.clear();
                let plan = plan(black_box(&text), options).expect("fits");
                segment(&text, &plan, 7, &mut out, &mut ends).expect("planned from this text");
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

/// Into octets alone, beside a copy of as many octets: the limit of what can be done.
fn encoding(c: &mut Criterion) {
    let plain = |length: usize| SENTENCE.chars().cycle().take(length).collect::<String>();
    let of = |sentence: &str, length: usize| sentence.chars().cycle().take(length).collect::<String>();
    let russian = "Ваша посылка прибудет сегодня. ";
    let chinese = "您的包裹将于今天送达，请注意查收。";
    let quoted = "The surgery’s phone line opens at 8 – please don’t ring earlier. ";

    let mut group = c.benchmark_group("encode");
    let mut out = Vec::with_capacity(65536);
    let (short, long) = (plain(160), plain(1530));
    for (name, text) in [("gsm7_packed_160", &short), ("gsm7_packed_1530", &long)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                out.clear();
                black_box(gsm7::encode_packed(black_box(text), 0, &mut out))
            });
        });
        copying(&mut group, name, text.len());
    }
    for (name, text) in [
        ("ucs2_english_70", of(quoted, 70)),
        ("ucs2_russian_70", of(russian, 70)),
        ("ucs2_chinese_70", of(chinese, 70)),
        ("ucs2_english_1000", of(quoted, 1000)),
        ("ucs2_russian_1000", of(russian, 1000)),
        ("ucs2_chinese_1000", of(chinese, 1000)),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                out.clear();
                ucs2::encode(black_box(&text), &mut out);
                black_box(out.len())
            });
        });
        copying(&mut group, name, 2 * text.chars().count());
    }
    group.finish();
}

fn copying(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, octets: usize) {
    let from = vec![b'x'; octets];
    let mut out = Vec::with_capacity(octets);
    group.bench_function(format!("{name}/memcpy"), |b| {
        b.iter(|| {
            out.clear();
            out.extend_from_slice(black_box(&from));
            black_box(out.len())
        });
    });
}

criterion_group!(benches, cutting, encoding);
criterion_main!(benches);
