//! What does a message cost on its way to the disk, and how fast does a restart read it back?
//!
//! `append/wall` includes the sync; `append/cpu` is the processor time of the writing thread alone, user and system.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ring::aead::{AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use sluice::message::TenantId;
use sluice::seal::{DataKey, Keyring, MasterKey};
use sluice::store::disk::RealDisk;
use sluice::store::journal::{Config, Journal};
use sluice::store::record::put_record;

const RECORDS: u32 = 64;
const RECORD_BYTES: usize = 350;

fn group() -> Vec<u8> {
    let mut payload = Vec::new();
    for record in 0..RECORDS {
        put_record(&mut payload, 1, &[record as u8; RECORD_BYTES]);
    }
    payload
}

/// A journal in a directory of its own, read to its end.
fn journal(directory: &std::path::Path) -> Journal<RealDisk> {
    let disk = RealDisk::open(directory).expect("a data directory");
    let (journal, mut replay) = Journal::open(disk, Config::default()).expect("a sound journal");
    while replay.next_group().expect("a sound journal").is_some() {}
    journal
}

/// Processor time of this thread so far; the kernel brings it up to date at each tick.
fn thread_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux has it");
    let nanos = text.split(' ').next().expect("the first figure is the time on a processor");
    Duration::from_nanos(nanos.parse().expect("a number"))
}

fn commit(journal: &mut Journal<RealDisk>, payload: &[u8], groups: u64) {
    for _ in 0..groups {
        let opens_segment = journal.next_place().expect("space").opens_segment;
        black_box(journal.commit(payload, RECORDS).expect("a sound disk"));
        if opens_segment && journal.segments().len() > 4 {
            let oldest = journal.segments()[0].segment;
            assert!(journal.recycle(oldest));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn append(c: &mut Criterion) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a place for a store");
    let mut journal = journal(directory.path());
    journal.wait_for_spares();
    let payload = group();
    let mut benches = c.benchmark_group("journal");
    benches.throughput(Throughput::Elements(u64::from(RECORDS)));
    benches.bench_function(BenchmarkId::new("append", "wall"), |b| {
        b.iter_custom(|groups| {
            let started = Instant::now();
            commit(&mut journal, &payload, groups);
            started.elapsed()
        });
    });
    benches.bench_function(BenchmarkId::new("append", "cpu"), |b| {
        b.iter_custom(|groups| {
            let before = thread_cpu();
            commit(&mut journal, &payload, groups);
            (thread_cpu() - before).max(Duration::from_nanos(1))
        });
    });
    benches.finish();
}

fn replay(c: &mut Criterion) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a place for a store");
    let mut first = journal(directory.path());
    let payload = group();
    while first.segments().len() < 3 {
        first.next_place().expect("space");
        first.commit(&payload, RECORDS).expect("a sound disk");
    }
    let bytes: u64 = first.segments().iter().map(|segment| u64::from(segment.used)).sum();
    drop(first);
    let mut benches = c.benchmark_group("journal");
    benches.throughput(Throughput::Bytes(bytes)).sample_size(10);
    benches.bench_function("open_and_replay", |b| b.iter(|| journal(directory.path())));
    benches.finish();
}

fn seal(c: &mut Criterion) {
    let master = MasterKey::from_hex(&"5c".repeat(32)).expect("64 digits");
    let keyring = Keyring::new(&master, 0, 1);
    let (tenant, day) = (TenantId(1), 20_000);
    keyring.insert(tenant, day, DataKey::generate(&master, b"bench").expect("random octets").0);
    let body = [b'x'; 200];
    let (mut sealed, mut out) = (Vec::with_capacity(512), Vec::with_capacity(512));
    keyring.seal(tenant, day, &body, b"", &mut sealed).expect("the key is loaded");
    let mut benches = c.benchmark_group("seal_200_octets");
    benches.bench_function("keyring/seal", |b| {
        b.iter(|| {
            out.clear();
            keyring.seal(tenant, day, black_box(&body), b"", &mut out).expect("the key is loaded");
        });
    });
    benches.bench_function("keyring/open", |b| {
        b.iter(|| {
            out.clear();
            keyring.open(tenant, day, black_box(&sealed), b"", &mut out).expect("nothing was changed");
        });
    });
    for (name, algorithm) in [("aes_256_gcm", &AES_256_GCM), ("chacha20_poly1305", &CHACHA20_POLY1305)] {
        let key = LessSafeKey::new(UnboundKey::new(algorithm, &[7; 32]).expect("32 octets"));
        let mut buffer = body;
        benches.bench_function(BenchmarkId::new("ring", name), |b| {
            b.iter(|| {
                let nonce = Nonce::assume_unique_for_key([1; 12]);
                let tag = key.seal_in_place_separate_tag(nonce, Aad::empty(), black_box(&mut buffer));
                black_box(tag.expect("it is short").as_ref()[0])
            });
        });
    }
    benches.bench_function("number_hash", |b| b.iter(|| keyring.number_hash(black_box(b"447700900123"))));
    benches.finish();
}

criterion_group!(benches, append, replay, seal);
criterion_main!(benches);
