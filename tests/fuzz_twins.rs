//! Every fuzz target holds on the stable toolchain as well: for each file of its corpus, for generated octets, and for
//! corpus files with octets changed, cut out and put together.

use std::path::{Path, PathBuf};

use proptest::prelude::{ProptestConfig, Strategy, any, prop_oneof};
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "the fuzz targets see it as a crate")]
mod targets;

/// Octets of all corpora at most, so that the repository stays small.
const CORPORA_OCTETS_MAX: usize = 200_000;

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).expect("each target has a corpus");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable entry").path()).collect();
    paths.sort();
    let read = |path: PathBuf| (path.clone(), std::fs::read(path).expect("a readable file"));
    paths.into_iter().map(read).collect()
}

fn body_of(target: &str) -> fn(&[u8]) {
    targets::TARGETS.iter().find(|(name, _)| *name == target).expect("a target").1
}

/// Octets from nowhere, or from two corpus files: the start of one, the end of another, and changes here and there.
fn inputs(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = proptest::collection::vec((any::<Index>(), any::<u8>()), 0..8);
    let spliced = (select(corpus.clone()), select(corpus), any::<Index>(), any::<Index>(), changes);
    let spliced = spliced.prop_map(|(mut first, second, end, start, changes)| {
        first.truncate(end.index(2 * first.len() + 1));
        first.extend_from_slice(&second[start.index(second.len() + 1)..]);
        for (at, octet) in changes {
            if !first.is_empty() {
                let at = at.index(first.len());
                first[at] = octet;
            }
        }
        first
    });
    prop_oneof![1 => proptest::collection::vec(any::<u8>(), 0..700), 3 => spliced]
}

fn holds(target: &str) {
    let (body, corpus) = (body_of(target), corpus(target));
    assert!(corpus.len() >= 8, "{target}: a corpus of {} files", corpus.len());
    for (path, octets) in &corpus {
        if std::panic::catch_unwind(|| body(octets)).is_err() {
            panic!("{} breaks {target}", path.display());
        }
    }
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) };
    let octets = corpus.into_iter().map(|(_, octets)| octets).collect();
    let result = TestRunner::new(config).run(&inputs(octets), |input| {
        body(&input);
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{target}: {failure}"));
}

#[test]
fn frame() {
    holds("frame");
}

#[test]
fn pdu() {
    holds("pdu");
}

#[test]
fn tlvs() {
    holds("tlvs");
}

#[test]
fn session() {
    holds("session");
}

#[test]
fn udh_reassembly() {
    holds("udh_reassembly");
}

#[test]
fn gsm7_ucs2() {
    holds("gsm7_ucs2");
}

#[test]
fn receipt_text() {
    holds("receipt_text");
}

#[test]
fn time() {
    holds("time");
}

#[test]
fn corpora_are_small_and_of_known_targets() {
    let mut octets = 0;
    for (target, _) in targets::TARGETS {
        octets += corpus(target).iter().map(|(_, octets)| octets.len()).sum::<usize>();
        let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz/fuzz_targets/{target}.rs"));
        assert!(harness.is_file(), "{} is missing", harness.display());
    }
    assert!(octets <= CORPORA_OCTETS_MAX, "{octets} octets of corpora");
    let folders = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")).expect("a folder");
    assert_eq!(folders.count(), targets::TARGETS.len(), "one folder a target");
}
