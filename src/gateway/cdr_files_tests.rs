//! What operators and crashes do to CDR files, and that each line stands there once all the same.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::CdrFiles;
use crate::message::Timestamp;
use crate::store::disk::RealDisk;

const DAY_MICROS: i64 = 86_400_000_000;
const FIRST_DAY: i64 = 20_000;

/// A journal whose fact `n` ends a message on `days[n - 1]`, and the files that are to have a line for each.
struct Ground {
    home: TempDir,
    files: CdrFiles<RealDisk>,
    days: Vec<i64>,
    /// The first fact that has not been handed in.
    reached: u64,
}

impl Ground {
    fn new() -> Ground {
        let home = tempfile::tempdir().expect("a temporary directory");
        let files = opened(home.path());
        let mut ground = Ground { home, files, days: Vec::new(), reached: 0 };
        ground.begin();
        ground
    }

    fn dir(&self) -> PathBuf {
        self.home.path().join("cdr")
    }

    fn newest(&self) -> Option<PathBuf> {
        let files = fs::read_dir(self.dir()).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
        files.max()
    }

    fn begin(&mut self) {
        self.reached = self.files.resume(self.days.len() as u64 + 1).expect("a directory to write in");
    }

    fn restart(&mut self) {
        self.files = opened(self.home.path());
        self.begin();
    }

    /// Messages end on this day.
    fn ends(&mut self, count: usize, day: i64) {
        self.days.extend(std::iter::repeat_n(day, count));
    }

    /// Hands in what has not been, and writes it.
    fn write(&mut self) -> io::Result<()> {
        for fact in self.reached.max(1)..=self.days.len() as u64 {
            let at = Timestamp((FIRST_DAY + self.days[fact as usize - 1]) * DAY_MICROS + 5);
            let line = format!("{{\"fact\":{fact},\"part\":1,\"parts\":1,\"filling\":\"{}\"}}\n", "x".repeat(80));
            self.files.lines(fact, at)?.extend_from_slice(line.as_bytes());
        }
        self.reached = self.days.len() as u64 + 1;
        self.files.flush()
    }

    /// Writes and syncs; begins anew if that fails.
    fn settle(&mut self) {
        while self.write().and_then(|()| self.files.sync(self.reached)).is_err() {
            self.begin();
        }
    }

    /// How many lines each fact has, here and in what was taken away.
    fn lines(&self) -> BTreeMap<u64, usize> {
        let mut lines = BTreeMap::new();
        for dir in [self.dir(), self.home.path().join("archive")] {
            let Ok(entries) = fs::read_dir(dir) else { continue };
            for entry in entries {
                let text = fs::read_to_string(entry.expect("a file").path()).expect("text");
                for line in text.lines() {
                    let line: serde_json::Value = serde_json::from_str(line).expect("a whole line");
                    *lines.entry(line["fact"].as_u64().expect("a fact")).or_default() += 1;
                }
            }
        }
        lines
    }

    fn take_away(&self, which: impl Fn(&Path) -> bool) {
        let archive = self.home.path().join("archive");
        fs::create_dir_all(&archive).expect("a directory");
        for entry in fs::read_dir(self.dir()).expect("the files") {
            let path = entry.expect("a file").path();
            if which(&path) {
                // A second file of the same day goes beside the first.
                let count = fs::read_dir(&archive).expect("the archive").count();
                let name = format!("{count}.{}", path.file_name().expect("a name").to_string_lossy());
                fs::rename(&path, archive.join(name)).expect("moved");
            }
        }
    }

    fn assert_each_once(&self) {
        let lines = self.lines();
        assert!(lines.values().all(|times| *times == 1), "{lines:?}");
        assert_eq!(lines.len(), self.days.len(), "{lines:?}");
    }
}

fn opened(home: &Path) -> CdrFiles<RealDisk> {
    CdrFiles::new(home.join("cdr"), RealDisk::open(home).expect("a data directory"))
}

#[test]
fn files_that_were_taken_away_are_not_written_again() {
    let mut ground = Ground::new();
    for day in 0..3 {
        ground.ends(5, day);
        ground.settle();
    }
    ground.take_away(|_| true);
    ground.restart();
    ground.ends(5, 3);
    ground.settle();
    ground.assert_each_once();
    // Today's, while it is being written; the next lines go into a new one.
    ground.take_away(|_| true);
    ground.ends(2, 3);
    ground.settle();
    ground.ends(2, 3);
    ground.settle();
    ground.assert_each_once();
    assert_eq!(fs::read_dir(ground.dir()).expect("the directory").count(), 1);
}

#[test]
fn lines_that_went_with_their_directory_since_the_last_sync_are_written_again() {
    let mut ground = Ground::new();
    ground.ends(5, 0);
    ground.settle();
    ground.ends(3, 0);
    ground.write().expect("room");
    fs::remove_dir_all(ground.dir()).expect("removed");
    ground.ends(2, 0);
    ground.settle();
    assert_eq!(ground.lines().into_iter().collect::<Vec<_>>(), [6, 7, 8, 9, 10].map(|fact| (fact, 1)));
}

#[test]
fn files_of_another_store_hold_nothing_up() {
    let mut ground = Ground::new();
    ground.ends(40, 0);
    ground.settle();
    // The data directory is new, the bill of the old one is still there.
    fs::remove_file(ground.home.path().join("cdr.position")).expect("removed");
    ground.days.clear();
    ground.restart();
    ground.ends(3, 1);
    ground.settle();
    let lines = ground.lines();
    assert!((1..=3).all(|fact| lines[&fact] == 2), "{lines:?}");
    ground.restart();
    assert_eq!(ground.reached, 4);
}

/// What is written and not synced when the process is killed stands there, also if its file is not the newest by name.
#[test]
fn a_day_that_comes_again_is_gone_on_with() {
    let mut ground = Ground::new();
    ground.ends(5, 0);
    ground.ends(5, 1);
    ground.settle();
    // The clock was set back while it was down.
    ground.restart();
    ground.ends(3, 0);
    ground.write().expect("room");
    ground.restart();
    ground.settle();
    ground.assert_each_once();
}

#[test]
fn what_a_day_lacks_is_written_again_and_not_what_the_day_before_has() {
    let mut ground = Ground::new();
    ground.ends(5, 0);
    ground.settle();
    // All before the next sync: the rest of a day, the first of the next one, and a kill.
    ground.ends(4, 0);
    ground.ends(4, 1);
    ground.write().expect("room");
    ground.restart();
    fs::write(ground.newest().expect("a file"), "").expect("emptied");
    ground.restart();
    ground.settle();
    ground.assert_each_once();
}

#[test]
fn a_file_that_is_new_lacks_nothing_of_the_one_that_was_taken_away() {
    let mut ground = Ground::new();
    ground.ends(5, 0);
    ground.settle();
    ground.take_away(|_| true);
    ground.restart();
    ground.ends(2, 0);
    ground.files.lines(6, Timestamp(FIRST_DAY * DAY_MICROS)).expect("a new file of the same day");
    // Killed before a line is in it.
    ground.restart();
    ground.settle();
    ground.assert_each_once();
}

/// The size of a file may reach the disk before its pages do, and those in any order.
#[test]
fn a_hole_that_a_power_cut_left_is_filled() {
    for (from, octets) in [(0, 512), (50, 2_000), (1_000, 1), (3_000, 100_000)] {
        let mut ground = Ground::new();
        ground.ends(5, 0);
        ground.settle();
        let path = ground.newest().expect("a file");
        let synced = fs::metadata(&path).expect("its length").len() as usize;
        ground.ends(60, 0);
        ground.write().expect("room");
        let mut text = fs::read(&path).expect("the lines");
        let end = text.len().min(synced + from + octets);
        text[synced + from..end].fill(0);
        fs::write(&path, text).expect("written");
        ground.restart();
        ground.settle();
        ground.assert_each_once();
    }
}

#[test]
fn nothing_is_written_while_the_position_cannot_be_read() {
    let mut ground = Ground::new();
    ground.ends(5, 0);
    ground.settle();
    ground.take_away(|_| true);
    let position = ground.home.path().join("cdr.position");
    let text = fs::read(&position).expect("the position");
    // A directory in its place gives an error that is not "not found".
    fs::remove_file(&position).expect("removed");
    fs::create_dir(&position).expect("a directory");
    ground.files = opened(ground.home.path());
    assert!(ground.files.resume(6).is_err());
    fs::remove_dir(&position).expect("removed");
    fs::write(&position, &text[..text.len() / 2]).expect("written");
    assert!(ground.files.resume(6).is_err());
    // The same thread goes on once it can be read.
    fs::write(&position, &text).expect("written");
    ground.begin();
    ground.ends(2, 0);
    ground.settle();
    ground.assert_each_once();
}

#[test]
fn what_is_no_cdr_file_is_left_alone() {
    let mut ground = Ground::new();
    let note = ground.dir().join("zebra.jsonl");
    fs::write(&note, "half a note").expect("written");
    ground.ends(3, 0);
    ground.settle();
    ground.restart();
    assert_eq!((ground.reached, fs::read(&note).expect("still there")), (4, b"half a note".to_vec()));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Ends(usize),
    NextDay,
    Write,
    Settle,
    /// The process ends; its last write may have been cut off.
    Crash {
        half: bool,
    },
    /// Files of earlier days go into the archive.
    TakeAway,
    /// Somebody cuts today's file.
    Truncate(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1usize..20).prop_map(Step::Ends),
        1 => Just(Step::NextDay),
        3 => Just(Step::Write),
        3 => Just(Step::Settle),
        2 => any::<bool>().prop_map(|half| Step::Crash { half }),
        1 => Just(Step::TakeAway),
        1 => (0u64..4_000).prop_map(Step::Truncate),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn each_line_stands_there_once(steps in proptest::collection::vec(step(), 1..40)) {
        let (mut ground, mut day) = (Ground::new(), 0);
        for step in steps {
            match step {
                Step::Ends(count) => ground.ends(count, day),
                Step::NextDay => day += 1,
                Step::Write => ground.write().expect("room"),
                Step::Settle => ground.settle(),
                Step::Crash { half } => {
                    if let Some(newest) = ground.newest().filter(|_| half) {
                        let mut file = OpenOptions::new().append(true).open(newest).expect("the file");
                        file.write_all(b"{\"fact\":7,\"pa").expect("room");
                    }
                    ground.restart();
                }
                Step::TakeAway => {
                    ground.settle();
                    let newest = ground.newest();
                    ground.take_away(|path| Some(path) != newest.as_deref());
                }
                Step::Truncate(octets) => {
                    ground.ends(1, day);
                    ground.settle();
                    let newest = ground.newest().expect("it has a line");
                    let file = OpenOptions::new().write(true).open(newest).expect("the file");
                    let length = file.metadata().expect("its length").len();
                    file.set_len(length.min(octets)).expect("cut");
                    ground.ends(1, day);
                    ground.settle();
                }
            }
        }
        ground.settle();
        ground.assert_each_once();
    }
}
