//! CDR files: one a day, each line exactly once, whatever crashes and operators do to them.
//!
//! Where writing goes on stands in the data directory, so that finished files may be taken away. A file that has become shorter is
//! written again from where it breaks off; one that is gone is not, because somebody has it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::billing::cdr::{is_line, last_whole_line};
use crate::message::Timestamp;
use crate::store::disk::Disk;

const SUFFIX: &str = ".jsonl";
/// Enough for the lines of the largest message.
const TAIL_OCTETS: u64 = 1 << 20;
/// So much is synced at once: the journal's own syncs queue behind it.
const UNSYNCED_OCTETS_MAX: usize = 1 << 20;
/// In the data directory; `journal salvage` takes it along.
const POSITION: &str = "cdr.position";
const POSITION_OCTETS_MAX: usize = 4096;

/// How far the files go. It is written once what it says is on the disk.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Position {
    /// The first fact whose lines may be missing.
    next_fact: u64,
    /// The file written last; empty if there was none.
    file: String,
    /// Octets of it that are on the disk.
    octets: u64,
    /// The first fact whose lines are to stand in it.
    begun: u64,
}

/// The files of one directory.
pub(super) struct CdrFiles<D: Disk> {
    dir: PathBuf,
    disk: D,
    position: Option<Position>,
    day: Option<Day>,
    lines: Vec<u8>,
}

/// The file that is being written.
struct Day {
    day: u32,
    name: String,
    file: File,
    begun: u64,
    octets: u64,
    /// Of these, what was written since the last sync.
    unsynced: usize,
}

impl<D: Disk> CdrFiles<D> {
    /// The files in `dir`; `disk` is the data directory. If the position cannot be read, [`CdrFiles::resume`] tries again.
    pub(super) fn new(dir: PathBuf, disk: D) -> CdrFiles<D> {
        let position = read_position(&disk).unwrap_or_default();
        CdrFiles { dir, disk, position, day: None, lines: Vec::new() }
    }

    /// The first fact whose lines may be missing, as far as is known before the files have been looked at.
    pub(super) fn known(&self) -> u64 {
        self.position.as_ref().map_or(0, |position| position.next_fact)
    }

    /// Makes the directory, cuts the newest file to whole messages, and gives the first fact whose lines are missing. Facts from
    /// `limit` on have not been written yet, whatever a file says: it may be of another store, or of a later moment of this one.
    pub(super) fn resume(&mut self, limit: u64) -> io::Result<u64> {
        self.day = None;
        self.lines.clear();
        if self.position.is_none() {
            self.position = read_position(&self.disk)?;
        }
        fs::create_dir_all(&self.dir)?;
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            names.extend(entry?.file_name().into_string().ok().filter(|name| is_ours(name)));
        }
        names.sort_unstable_by(|a, b| b.cmp(a));
        let mut position = self.found(&names)?;
        position.next_fact = position.next_fact.min(limit);
        self.save(position)?;
        Ok(self.known())
    }

    /// How far the files go; `names` are those of our files, newest first.
    fn found(&self, names: &[String]) -> io::Result<Position> {
        let known = self.position.clone().unwrap_or_default();
        for name in names.iter().take_while(|name| **name > known.file) {
            let Cut { octets, fact, .. } = cut(&self.dir.join(name), None)?;
            if let Some(fact) = fact.filter(|fact| *fact >= known.next_fact) {
                let begun = if self.position.is_some() { known.next_fact } else { fact + 1 };
                return Ok(Position { next_fact: fact + 1, file: name.clone(), octets, begun });
            }
        }
        if !names.contains(&known.file) {
            return Ok(known);
        }
        let Cut { is_whole, fact, octets } = cut(&self.dir.join(&known.file), Some(known.octets))?;
        let next_fact = match fact {
            Some(fact) => fact + 1,
            None if is_whole => known.next_fact,
            None => known.begun,
        };
        if !is_whole {
            let file = &known.file;
            tracing::warn!(
                file,
                from_fact = next_fact,
                "a CDR file has become shorter; what it lacks is written again"
            );
        }
        Ok(Position { next_fact, octets, ..known })
    }

    /// Where the lines of `fact`, a message that ended `at`, are to be appended.
    pub(super) fn lines(&mut self, fact: u64, at: Timestamp) -> io::Result<&mut Vec<u8>> {
        if self.day.as_ref().is_none_or(|day| day.day != at.day()) {
            self.settle()?;
            self.open_day(fact, at)?;
        }
        Ok(&mut self.lines)
    }

    /// All lines before `fact` are on the disk. That the next ones go into this file is written before it gets any: its name alone
    /// does not tell, because the clock may have gone back, or the file may be another one of that name.
    fn open_day(&mut self, fact: u64, at: Timestamp) -> io::Result<()> {
        let time = jiff::Timestamp::from_second(at.seconds()).unwrap_or_default();
        let name = format!("{}{SUFFIX}", time.to_zoned(jiff::tz::TimeZone::UTC).date());
        let path = self.dir.join(&name);
        let length = match fs::metadata(&path) {
            Ok(found) => Some(found.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let known = self.position.as_ref().filter(|position| position.file == name && length.is_some());
        let (begun, octets) = (known.map_or(fact, |known| known.begun), length.unwrap_or(0));
        if known.is_some_and(|known| octets < known.octets) {
            return Err(io::Error::other(format!("{name} was cut")));
        }
        self.save(Position { next_fact: fact, file: name.clone(), octets, begun })?;
        let file = OpenOptions::new().append(true).create(true).open(&path)?;
        File::open(&self.dir)?.sync_all()?;
        self.day = Some(Day { day: at.day(), begun, octets, unsynced: 0, name, file });
        Ok(())
    }

    /// Octets of lines that wait for [`CdrFiles::flush`].
    pub(super) fn waiting(&self) -> usize {
        self.lines.len()
    }

    /// Writes what waits, so that readers of the file and a restart of the process find it. It is an error if lines have gone.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let Some(day) = self.day.as_mut().filter(|_| !self.lines.is_empty()) else { return Ok(()) };
        day.check()?;
        day.file.write_all(&self.lines)?;
        day.octets += self.lines.len() as u64;
        day.unsynced += self.lines.len();
        self.lines.clear();
        if day.unsynced >= UNSYNCED_OCTETS_MAX { day.sync() } else { Ok(()) }
    }

    /// Makes all lines of facts before `next_fact` durable; from then on the journal is not needed for them.
    pub(super) fn sync(&mut self, next_fact: u64) -> io::Result<()> {
        let in_place = self.settle()?;
        let mut position = Position { next_fact, ..self.position.clone().unwrap_or_default() };
        if let Some(day) = &self.day {
            (position.file, position.octets, position.begun) = (day.name.clone(), day.octets, day.begun);
        }
        if !in_place {
            (position.octets, position.begun) = (0, next_fact);
            self.day = None;
        }
        self.save(position)
    }

    /// Writes and syncs the day's file, and says whether it is still where it was: somebody may have moved it away with all its lines.
    fn settle(&mut self) -> io::Result<bool> {
        self.flush()?;
        let Some(day) = &mut self.day else { return Ok(true) };
        day.sync()?;
        let held = day.check()?;
        let found = fs::metadata(self.dir.join(&day.name));
        Ok(found.is_ok_and(|found| (found.dev(), found.ino()) == (held.dev(), held.ino())))
    }

    fn save(&mut self, position: Position) -> io::Result<()> {
        self.disk.write_whole(POSITION, &serde_json::to_vec(&position)?)?;
        self.position = Some(position);
        Ok(())
    }
}

impl Day {
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        self.unsynced = 0;
        // Nobody reads it again here, so its pages serve for the next lines. Advice may be refused.
        let _ = rustix::fs::fadvise(&self.file, 0, None, rustix::fs::Advice::DontNeed);
        Ok(())
    }

    /// Whether all lines that were written are still there.
    fn check(&self) -> io::Result<Metadata> {
        let held = self.file.metadata()?;
        if held.nlink() == 0 || (held.len() < self.octets && held.is_file()) {
            return Err(io::Error::other(format!("{} was removed or cut while it was written", self.name)));
        }
        Ok(held)
    }
}

/// None is there before the first line. One that cannot be read is an error: without it, what was taken away is written again.
fn read_position<D: Disk>(disk: &D) -> io::Result<Option<Position>> {
    let unreadable = |error: io::Error| {
        let path = disk.path(POSITION);
        io::Error::other(format!("{} cannot be read, see \"Taking files away\" in billing.md: {error}", path.display()))
    };
    match disk.read_whole(POSITION, POSITION_OCTETS_MAX) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| unreadable(error.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(error)),
    }
}

/// Whether it is the name of a CDR file and not something that an operator keeps beside them.
fn is_ours(name: &str) -> bool {
    name.strip_suffix(SUFFIX).is_some_and(|date| date.parse::<jiff::civil::Date>().is_ok())
}

struct Cut {
    /// The file goes at least as far as was known.
    is_whole: bool,
    /// The last fact behind that; of the whole file if it does not go so far.
    fact: Option<u64>,
    /// How far it goes now.
    octets: u64,
}

/// Cuts what follows the last whole message of a file of which `octets` are known to be good. A line behind those that cannot be read
/// is where a power cut has left a hole; in a file of which nothing is known it may be anybody's and stays.
fn cut(path: &Path, octets: Option<u64>) -> io::Result<Cut> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let size = file.seek(SeekFrom::End(0))?;
    let is_whole = match octets {
        Some(octets) => octets == 0 || (octets <= size && octet_at(&mut file, octets - 1)? == b'\n'),
        None => false,
    };
    let known = octets.filter(|_| is_whole).unwrap_or(0);
    let length = if is_whole { readable_to(&mut file, known)? } else { size };
    let from = known.max(length.saturating_sub(TAIL_OCTETS));
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    Read::by_ref(&mut file).take(length - from).read_to_end(&mut tail)?;
    let line_end = || tail.iter().position(|octet| *octet == b'\n');
    let first_line = if from == known { 0 } else { line_end().map_or(0, |at| at + 1) };
    let whole = last_whole_line(&tail[first_line..]);
    let end = from + (first_line + whole.octets) as u64;
    if end < size {
        file.set_len(end)?;
    }
    file.sync_data()?;
    Ok(Cut { is_whole, fact: whole.fact, octets: end })
}

/// Where the first line from `from` on begins that cannot be read.
fn readable_to(file: &mut File, from: u64) -> io::Result<u64> {
    file.seek(SeekFrom::Start(from))?;
    let (mut reader, mut line, mut end) = (BufReader::new(file), Vec::new(), from);
    while reader.read_until(b'\n', &mut line)? > 0 && is_line(&line) {
        end += line.len() as u64;
        line.clear();
    }
    Ok(end)
}

fn octet_at(file: &mut File, at: u64) -> io::Result<u8> {
    let mut octet = [0];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut octet)?;
    Ok(octet[0])
}

#[cfg(test)]
#[path = "cdr_files_tests.rs"]
mod tests;
