//! A disk in memory for simulations: it keeps what is synced and what is not apart, forgets, tears and reorders the
//! latter at a crash, and fails the call it is told to. Everything follows from the seeds it is given.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::store::disk::{Disk, DiskFile, Mode, folder_of};

/// What a crash keeps or loses as one.
const SECTOR_BYTES: usize = 512;

/// Which calls are counted for a planned failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `write_at`.
    Write,
    /// `sync` and `sync_dir`.
    Sync,
    /// Every call that changes something: writes, syncs, cuts, reservations, creations, renames, removals.
    Change,
}

/// How a planned failure looks to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// EIO; of a write, an unknown part has been done.
    Broken,
    /// ENOSPC; of a write, an unknown part has been done.
    Full,
    /// A write does half of it and says so; any other call is spared.
    Short,
}

#[derive(Clone, Copy, Debug)]
struct Plan {
    call: Call,
    /// Calls until the fault; 1 is the next.
    left: u64,
    fault: Fault,
    /// Whether every later call of the kind fails too.
    lasting: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Cut { bytes: usize },
}

#[derive(Clone, Debug, Default)]
struct Content {
    now: Vec<u8>,
    synced: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Clone, Debug)]
enum NameChange {
    Create { name: String, content: usize },
    Rename { from: String, to: String },
    Remove { name: String },
}

#[derive(Debug, Default)]
struct State {
    contents: Vec<Content>,
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    unsynced_names: Vec<NameChange>,
    locks: BTreeMap<String, u64>,
    /// Counts crashes; what was opened before one is of no use after it.
    life: u64,
    plan: Option<Plan>,
    capacity_bytes: Option<u64>,
    calls: u64,
}

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

impl SimDisk {
    /// An empty disk without failures and without a limit.
    pub fn new() -> SimDisk {
        SimDisk::default()
    }

    /// Lets the `nth` call of a kind fail, counted from 1 and from now; with `lasting`, all later ones too.
    pub fn fail(&self, call: Call, nth: u64, fault: Fault, lasting: bool) {
        self.lock().plan = Some(Plan { call, left: nth, fault, lasting });
    }

    /// Takes back what `fail` has planned.
    pub fn heal(&self) {
        self.lock().plan = None;
    }

    /// Calls that change something, so far.
    pub fn changes(&self) -> u64 {
        self.lock().calls
    }

    /// Limits the bytes of all files together; `None` takes the limit away.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.lock().capacity_bytes = bytes;
    }

    /// Loses power: what was not synced is kept, dropped or torn as the seed says, names as well as bytes. Open files
    /// and locks are gone, planned failures too.
    pub fn crash(&self, seed: u64) {
        let mut random = SplitMix(seed);
        let mut state = self.lock();
        for content in &mut state.contents {
            let mut after = std::mem::take(&mut content.synced);
            // One crash in four keeps all and one in four nothing; between them pieces survive at random.
            let temper = random.next() % 4;
            for change in content.unsynced.drain(..) {
                change.survive(&mut after, temper, &mut random);
            }
            (content.now, content.synced) = (after.clone(), after);
        }
        let mut names = std::mem::take(&mut state.synced_names);
        for change in std::mem::take(&mut state.unsynced_names) {
            if random.next().is_multiple_of(2) {
                change.apply(&mut names);
            }
        }
        (state.names, state.synced_names) = (names.clone(), names);
        state.locks.clear();
        state.plan = None;
        state.life += 1;
    }

    /// The present bytes of a file.
    pub fn peek(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.lock();
        state.names.get(name).map(|content| state.contents[*content].now.clone())
    }

    /// Puts bytes into a file behind the store's back, synced.
    pub fn poke(&self, name: &str, bytes: Vec<u8>) {
        let mut state = self.lock();
        let next = state.contents.len();
        let content = *state.names.entry(name.to_string()).or_insert(next);
        state.synced_names.insert(name.to_string(), content);
        let poked = Content { now: bytes.clone(), synced: bytes, unsynced: Vec::new() };
        if content == next { state.contents.push(poked) } else { state.contents[content] = poked }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Change::Write { offset, bytes: written } => {
                if bytes.len() < offset + written.len() {
                    bytes.resize(offset + written.len(), 0);
                }
                bytes[*offset..offset + written.len()].copy_from_slice(written);
            }
            Change::Cut { bytes: length } => bytes.resize(*length, 0),
        }
    }

    /// Applies what of it a crash has left, sector by sector.
    fn survive(&self, bytes: &mut Vec<u8>, temper: u64, random: &mut SplitMix) {
        let keep = |random: &mut SplitMix| match temper {
            0 => true,
            1 => false,
            _ => random.next().is_multiple_of(2),
        };
        let Change::Write { offset, bytes: written } = self else {
            if keep(random) {
                self.apply(bytes);
            }
            return;
        };
        let mut from = 0;
        while from < written.len() {
            let sector_end = (offset + from + 1).next_multiple_of(SECTOR_BYTES) - offset;
            let to = sector_end.min(written.len());
            if keep(random) {
                Change::Write { offset: offset + from, bytes: written[from..to].to_vec() }.apply(bytes);
            }
            from = to;
        }
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            NameChange::Create { name, content } => {
                names.insert(name.clone(), *content);
            }
            NameChange::Rename { from, to } => {
                if let Some(content) = names.remove(from) {
                    names.insert(to.clone(), content);
                }
            }
            NameChange::Remove { name } => {
                names.remove(name);
            }
        }
    }

    fn folder(&self) -> &str {
        match self {
            NameChange::Create { name, .. } | NameChange::Remove { name } => folder_of(name),
            NameChange::Rename { to, .. } => folder_of(to),
        }
    }
}

impl State {
    /// Counts a call and says which fault it meets.
    fn meet(&mut self, call: Call) -> Option<Fault> {
        self.calls += 1;
        let plan = self.plan.as_mut().filter(|plan| plan.call == call || plan.call == Call::Change)?;
        plan.left = plan.left.saturating_sub(1);
        if plan.left > 0 {
            return None;
        }
        let fault = plan.fault;
        if !plan.lasting {
            self.plan = None;
        }
        Some(fault)
    }

    fn meet_or_go_on(&mut self, call: Call) -> io::Result<()> {
        match self.meet(call) {
            Some(Fault::Broken) => Err(broken()),
            Some(Fault::Full) => Err(io::ErrorKind::StorageFull.into()),
            Some(Fault::Short) | None => Ok(()),
        }
    }

    fn change_names(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.unsynced_names.push(change);
    }

    fn has_room(&self, more: usize) -> bool {
        let held: usize = self.names.values().map(|content| self.contents[*content].now.len()).sum();
        more == 0 || self.capacity_bytes.is_none_or(|capacity| (held + more) as u64 <= capacity)
    }
}

fn broken() -> io::Error {
    io::Error::other("input/output error (simulated)")
}

impl Disk for SimDisk {
    type File = SimFile;
    type Lock = SimLock;

    fn open(&self, name: &str, mode: Mode) -> io::Result<SimFile> {
        let mut state = self.lock();
        let content = match (state.names.get(name), mode) {
            (Some(_), Mode::CreateNew) => return Err(io::ErrorKind::AlreadyExists.into()),
            (Some(content), _) => *content,
            (None, Mode::CreateNew) => {
                state.meet_or_go_on(Call::Change)?;
                let content = state.contents.len();
                state.contents.push(Content::default());
                state.change_names(NameChange::Create { name: name.to_string(), content });
                content
            }
            (None, _) => return Err(io::ErrorKind::NotFound.into()),
        };
        Ok(SimFile { disk: self.clone(), content, life: state.life })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.lock();
        if !state.names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.meet_or_go_on(Call::Change)?;
        state.change_names(NameChange::Rename { from: from.to_string(), to: to.to_string() });
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.lock();
        if !state.names.contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.meet_or_go_on(Call::Change)?;
        state.change_names(NameChange::Remove { name: name.to_string() });
        Ok(())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let state = self.lock();
        let inside = state.names.keys().filter(|name| folder_of(name) == folder);
        Ok(inside.map(|name| name.rsplit('/').next().unwrap_or(name).to_string()).collect())
    }

    /// Folders need no making here.
    fn create_dir(&self, _folder: &str) -> io::Result<()> {
        Ok(())
    }

    fn sync_dir(&self, folder: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.meet_or_go_on(Call::Sync)?;
        let (done, left) =
            std::mem::take(&mut state.unsynced_names).into_iter().partition(|change| change.folder() == folder);
        state.unsynced_names = left;
        let done: Vec<NameChange> = done;
        for change in done {
            change.apply(&mut state.synced_names);
        }
        Ok(())
    }

    fn lock(&self, name: &str) -> io::Result<SimLock> {
        let mut state = SimDisk::lock(self);
        if state.locks.contains_key(name) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let life = state.life;
        state.locks.insert(name.to_string(), life);
        Ok(SimLock { disk: self.clone(), name: name.to_string(), life })
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from("simulated").join(name)
    }
}

/// An exclusive lock on a simulated disk, freed when dropped.
#[derive(Debug)]
pub struct SimLock {
    disk: SimDisk,
    name: String,
    life: u64,
}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = self.disk.lock();
        // After a crash the lock may be another's.
        if state.locks.get(&self.name) == Some(&self.life) {
            state.locks.remove(&self.name);
        }
    }
}

/// An open file of a simulated disk.
#[derive(Debug)]
pub struct SimFile {
    disk: SimDisk,
    content: usize,
    life: u64,
}

impl SimFile {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.lock();
        if state.life == self.life { Ok(state) } else { Err(io::Error::other("this file was open before the crash")) }
    }

    fn change(state: &mut State, content: usize, change: Change) {
        let content = &mut state.contents[content];
        change.apply(&mut content.now);
        content.unsynced.push(change);
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.state()?;
        let bytes = &state.contents[self.content].now;
        let from = bytes.len().min(offset as usize);
        let count = buffer.len().min(bytes.len() - from);
        buffer[..count].copy_from_slice(&bytes[from..from + count]);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut state = self.state()?;
        let grows = (offset as usize + bytes.len()).saturating_sub(state.contents[self.content].now.len());
        let fault = state.meet(Call::Write);
        let fault = if fault.is_none() && !state.has_room(grows) { Some(Fault::Full) } else { fault };
        let done = if fault.is_some() { bytes.len() / 2 } else { bytes.len() };
        let write = Change::Write { offset: offset as usize, bytes: bytes[..done].to_vec() };
        SimFile::change(&mut state, self.content, write);
        match fault {
            Some(Fault::Broken) => Err(broken()),
            Some(Fault::Full) => Err(io::ErrorKind::StorageFull.into()),
            Some(Fault::Short) if bytes.len() < 2 => Err(io::ErrorKind::Interrupted.into()),
            Some(Fault::Short) | None => Ok(done),
        }
    }

    fn sync(&self) -> io::Result<Duration> {
        let mut state = self.state()?;
        let met = state.meet_or_go_on(Call::Sync);
        let content = &mut state.contents[self.content];
        let changes = std::mem::take(&mut content.unsynced);
        // As in the kernel, what a failed sync has not written counts as clean afterwards: it can be read, and no
        // later sync will write it.
        met?;
        for change in changes {
            change.apply(&mut content.synced);
        }
        Ok(Duration::ZERO)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.state()?.contents[self.content].now.len() as u64)
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.state()?;
        state.meet_or_go_on(Call::Change)?;
        SimFile::change(&mut state, self.content, Change::Cut { bytes: bytes as usize });
        Ok(())
    }

    fn reserve(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.state()?;
        state.meet_or_go_on(Call::Change)?;
        let grows = (bytes as usize).saturating_sub(state.contents[self.content].now.len());
        if state.has_room(grows) { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, and good enough to choose what a crash keeps.
#[derive(Debug)]
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
