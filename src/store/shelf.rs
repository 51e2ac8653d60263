//! The shelf of spare segments: keeps the next segment prepared under its final name and a few zeroed ones behind it,
//! so that a roll costs the writer no system call. A helper thread does the slow work; without one (simulation) the
//! writer does it at the roll, in the same steps.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::store::disk::{Disk, DiskFile, Mode};
use crate::store::error::{self, Error};
use crate::store::segment::{self, FOLDER, SegmentHeader};

/// How long the helper thread waits before it asks a full disk again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Zeros are written in pieces, each synced, so that the journal's own syncs never queue behind 64 MiB.
const ZERO_BYTES: u64 = 2 << 20;
/// One write of zeros. The page cache keeps a file in folios as large as the writes that made them, and each later write into a folio
/// walks over all its blocks: pieces of 2 MiB would make that a tenth of what a small group costs.
const WRITE_BYTES: u64 = 64 << 10;
/// The name of a spare while it is being zeroed; one left by a crash is removed at start.
pub(crate) const MAKING: &str = "journal/making";

/// How the shelf is to be kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShelfConfig {
    pub(crate) segment_bytes: u32,
    pub(crate) spares: usize,
    pub(crate) segments_max: Option<u32>,
    pub(crate) helper_thread: bool,
}

/// What is on the disk when the shelf is set up.
pub(crate) struct Stock<F> {
    /// Segments in use, the prepared ones not counted.
    pub(crate) live: u32,
    /// Empty segments after the active one, in order of their epochs.
    pub(crate) prepared: VecDeque<(u32, Arc<F>)>,
    /// The epoch after the last one in existence.
    pub(crate) next_epoch: u32,
    /// Numbers of the spares.
    pub(crate) spares: Vec<u32>,
}

impl<F> Stock<F> {
    /// All files there are.
    fn held(&self) -> usize {
        self.live as usize + self.prepared.len() + self.spares.len()
    }
}

/// The shelf, seen from the writer.
pub(crate) struct Shelf<D: Disk> {
    inside: Arc<Inside<D>>,
    thread: Option<JoinHandle<()>>,
}

struct Inside<D: Disk> {
    disk: Arc<D>,
    config: ShelfConfig,
    state: Mutex<State<D::File>>,
    changed: Condvar,
    /// Whether the last job failed: intake has to be refused while the writer lives on what is left.
    low: AtomicBool,
    /// Whether a renaming or its sync failed, so that nobody knows which names are on the disk.
    broken: AtomicBool,
    /// Segments that are allowed although the limit says fewer.
    allowed: AtomicU32,
    /// Makes the zeroing of a spare end early.
    stopping: AtomicBool,
}

struct State<F> {
    stock: Stock<F>,
    next_spare: u32,
    /// Segments given back by the writer, still under their old names.
    /// The flag says whether one may become a spare.
    retired: VecDeque<(u32, bool)>,
    failure: Option<Failure>,
    /// Set to make the helper try again at once after a failure.
    retry: bool,
    /// A job is being run.
    busy: bool,
    stop: bool,
}

#[derive(Clone)]
struct Failure {
    full: bool,
    why: String,
}

enum Job {
    Retire { epoch: u32, keep: bool, number: Option<u32> },
    Prepare(u32, u32),
    Zero(u32),
}

enum Done<F> {
    Retired(Option<u32>),
    Prepared(u32, Arc<F>),
    Zeroed(u32),
}

impl<D: Disk> Shelf<D> {
    pub(crate) fn start(disk: Arc<D>, config: ShelfConfig, stock: Stock<D::File>) -> Shelf<D> {
        let next_spare = stock.spares.iter().max().map_or(1, |last| last + 1);
        let state = State {
            stock,
            next_spare,
            retired: VecDeque::new(),
            failure: None,
            retry: false,
            busy: false,
            stop: false,
        };
        let inside = Arc::new(Inside {
            disk,
            config,
            state: Mutex::new(state),
            changed: Condvar::new(),
            low: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            allowed: AtomicU32::new(0),
            stopping: AtomicBool::new(false),
        });
        let thread = config.helper_thread.then(|| {
            let inside = Arc::clone(&inside);
            let builder = std::thread::Builder::new().name("segments".into());
            builder.spawn(move || inside.work()).expect("a thread can be started while the store opens")
        });
        Shelf { inside, thread }
    }

    /// Takes the next segment. Waits for the helper thread if it is behind; `Full` if there is no space for one.
    pub(crate) fn take(&self) -> Result<(u32, Arc<D::File>), Error> {
        let mut state = self.inside.lock();
        state.retry = true;
        loop {
            if let Some(prepared) = state.stock.prepared.pop_front() {
                state.stock.live += 1;
                self.inside.changed.notify_all();
                return Ok(prepared);
            }
            if self.thread.is_none() {
                state.failure = None;
                if let Some(job) = self.inside.next_job(&mut state) {
                    drop(state);
                    let result = self.inside.run(job);
                    state = self.inside.lock();
                    self.inside.settle(&mut state, result);
                }
            }
            match &state.failure {
                Some(failure) if !state.retry || self.thread.is_none() => return Err(self.refusal(failure)),
                _ => {}
            }
            if let Some(thread) = &self.thread {
                if thread.is_finished() {
                    return Err(Error::Poisoned { why: "the thread that makes segments has died".into() });
                }
                self.inside.changed.notify_all();
                state = self.wait_a_while(state);
            }
        }
    }

    /// Waits for news of the helper, but not for ever: it may have died without any.
    fn wait_a_while<'a>(&self, state: MutexGuard<'a, State<D::File>>) -> MutexGuard<'a, State<D::File>> {
        self.inside.changed.wait_timeout(state, RETRY_AFTER).unwrap_or_else(PoisonError::into_inner).0
    }

    fn refusal(&self, failure: &Failure) -> Error {
        let why = failure.why.clone();
        if failure.full { Error::Full { path: self.inside.disk.path(FOLDER), why } } else { Error::Poisoned { why } }
    }

    /// Gives back a segment of which nobody needs anything; it becomes a spare if one is missing and `keep` says that
    /// it has the size. Without a thread the work is done before this returns.
    pub(crate) fn retire(&self, epoch: u32, keep: bool) {
        let mut state = self.inside.lock();
        state.retired.push_back((epoch, keep));
        state.retry = true;
        self.inside.changed.notify_all();
        drop(state);
        if self.thread.is_none() {
            self.settle_all();
        }
    }

    /// Does all work there is, in the caller's thread, until none is left or a job fails.
    fn settle_all(&self) {
        let mut state = self.inside.lock();
        state.failure = None;
        while let Some(job) = self.inside.next_job(&mut state) {
            drop(state);
            let result = self.inside.run(job);
            state = self.inside.lock();
            self.inside.settle(&mut state, result);
            if state.failure.is_some() {
                return;
            }
        }
    }

    /// Waits until the helper has nothing left to do, or has failed. For tests and for an orderly stop.
    pub(crate) fn wait_until_idle(&self) {
        let Some(thread) = &self.thread else { return self.settle_all() };
        let mut state = self.inside.lock();
        let busy = |state: &State<D::File>| state.busy || (state.failure.is_none() && self.inside.has_work(state));
        while busy(&state) && !thread.is_finished() {
            state = self.wait_a_while(state);
        }
    }

    /// Whether the shelf could not be filled at the last try.
    pub(crate) fn is_low(&self) -> bool {
        self.inside.low.load(Ordering::Relaxed)
    }

    /// Why it could not.
    pub(crate) fn why_low(&self) -> Option<String> {
        self.inside.lock().failure.as_ref().map(|failure| failure.why.clone())
    }

    /// Allows one segment more than there are, whatever the limit.
    pub(crate) fn allow_one_more(&self) {
        let stock = &self.inside.lock().stock;
        self.inside.allowed.store(stock.held() as u32 + 1, Ordering::Relaxed);
    }

    /// Fails if nobody knows any more which names the segments have on the disk.
    pub(crate) fn refuse_if_broken(&self) -> Result<(), Error> {
        if !self.inside.broken.load(Ordering::Relaxed) {
            return Ok(());
        }
        let why = self.why_low().unwrap_or_default();
        Err(Error::Poisoned {
            why: format!("cannot rename segments in {}: {why}", self.inside.disk.path(FOLDER).display()),
        })
    }

    /// Files held beside the segments in use: prepared ones and spares.
    pub(crate) fn ready(&self) -> usize {
        let state = self.inside.lock();
        state.stock.prepared.len() + state.stock.spares.len()
    }
}

impl<D: Disk> Drop for Shelf<D> {
    fn drop(&mut self) {
        self.inside.stopping.store(true, Ordering::Relaxed);
        self.inside.lock().stop = true;
        self.inside.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic in the helper has already been printed, and stops the writer at its next roll.
            let _ = thread.join();
        }
    }
}

impl<D: Disk> Inside<D> {
    fn lock(&self) -> MutexGuard<'_, State<D::File>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.lock();
        while !state.stop {
            let waiting = state.failure.is_some() && !state.retry;
            let job = if waiting { None } else { self.next_job(&mut state) };
            if let Some(job) = job {
                drop(state);
                let result = self.run(job);
                state = self.lock();
                self.settle(&mut state, result);
                state.retry = false;
                self.changed.notify_all();
            } else {
                state.retry = false;
                self.changed.notify_all();
                state = self.rest(state);
            }
        }
    }

    /// Waits for something to do. After a failure the disk is asked again after a while.
    fn rest<'a>(&self, state: MutexGuard<'a, State<D::File>>) -> MutexGuard<'a, State<D::File>> {
        if state.failure.is_none() {
            return self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let (mut state, waited) = self.changed.wait_timeout(state, RETRY_AFTER).unwrap_or_else(PoisonError::into_inner);
        state.retry |= waited.timed_out();
        state
    }

    fn has_work(&self, state: &State<D::File>) -> bool {
        !state.retired.is_empty() || state.stock.prepared.is_empty() || state.stock.spares.len() < self.config.spares
    }

    /// The most urgent job, taken out of the state; `settle` has to follow.
    fn next_job(&self, state: &mut State<D::File>) -> Option<Job> {
        let job = self.pick(state);
        state.busy = job.is_some();
        job
    }

    fn pick(&self, state: &mut State<D::File>) -> Option<Job> {
        if let Some((epoch, keep)) = state.retired.pop_front() {
            state.stock.live -= 1;
            let wanted = keep && state.stock.spares.len() < self.config.spares;
            let number = wanted.then_some(state.next_spare);
            state.next_spare += 1;
            return Some(Job::Retire { epoch, keep, number });
        }
        if state.stock.prepared.is_empty()
            && let Some(number) = state.stock.spares.pop()
        {
            return Some(Job::Prepare(state.stock.next_epoch, number));
        }
        if !self.has_work(state) {
            return None;
        }
        let held = state.stock.held();
        let allowed = self.allowed.load(Ordering::Relaxed);
        if self.config.segments_max.is_some_and(|most| held >= most.max(allowed) as usize) {
            let why = format!("the journal's limit of {held} segments is reached ([store] disk_max)");
            self.fail(state, Failure { full: true, why });
            return None;
        }
        state.next_spare += 1;
        Some(Job::Zero(state.next_spare - 1))
    }

    fn run(&self, job: Job) -> Result<Done<D::File>, (Job, io::Error)> {
        let done = match job {
            Job::Retire { epoch, number, .. } => self.rename_away(epoch, number).map(|()| Done::Retired(number)),
            Job::Prepare(epoch, number) => self.prepare(epoch, number).map(|file| Done::Prepared(epoch, file)),
            Job::Zero(number) => self.zero(number).map(|()| Done::Zeroed(number)),
        };
        done.map_err(|error| (job, error))
    }

    fn settle(&self, state: &mut State<D::File>, result: Result<Done<D::File>, (Job, io::Error)>) {
        state.busy = false;
        match result {
            Ok(done) => {
                match done {
                    Done::Retired(number) => state.stock.spares.extend(number),
                    Done::Zeroed(number) => state.stock.spares.push(number),
                    Done::Prepared(epoch, file) => {
                        state.stock.prepared.push_back((epoch, file));
                        state.stock.next_epoch = epoch + 1;
                    }
                }
                state.failure = None;
                if !self.has_work(state) {
                    self.low.store(false, Ordering::Relaxed);
                }
            }
            Err((job, error)) => {
                let full = error::is_full(&error);
                // What was not made is made again; names that may or may not be on the disk are a matter for the next start.
                self.broken.fetch_or(!full && !matches!(job, Job::Zero(_)), Ordering::Relaxed);
                // The file is still there under its old name and must be counted and tried again.
                match job {
                    Job::Retire { epoch, keep, .. } => {
                        state.retired.push_front((epoch, keep));
                        state.stock.live += 1;
                    }
                    Job::Prepare(_, number) => state.stock.spares.push(number),
                    Job::Zero(_) => {}
                }
                self.fail(state, Failure { full, why: error.to_string() });
            }
        }
    }

    fn fail(&self, state: &mut State<D::File>, failure: Failure) {
        state.failure = Some(failure);
        self.low.store(true, Ordering::Relaxed);
    }

    /// A retired segment becomes a spare as it is, or goes if there are enough of them.
    fn rename_away(&self, epoch: u32, number: Option<u32>) -> io::Result<()> {
        let segment = segment::segment_name(epoch);
        match number {
            Some(number) => self.disk.rename(&segment, &segment::spare_name(number))?,
            None => self.disk.remove(&segment)?,
        }
        self.sync_names()
    }

    /// Makes names that have changed durable. Whatever fails here, the job cannot be tried again under the old ones, so no failure
    /// counts as a full disk.
    fn sync_names(&self) -> io::Result<()> {
        self.disk.sync_dir(FOLDER).map_err(io::Error::other)
    }

    /// Writes the header of the segment `epoch` into a spare and gives it its name; durable when this returns.
    fn prepare(&self, epoch: u32, number: u32) -> io::Result<Arc<D::File>> {
        let spare = segment::spare_name(number);
        let file = self.disk.open(&spare, Mode::Write)?;
        file.write_all_at(&SegmentHeader { epoch, segment_bytes: self.config.segment_bytes }.encode(), 0)?;
        file.sync()?;
        self.disk.rename(&spare, &segment::segment_name(epoch))?;
        self.sync_names()?;
        Ok(Arc::new(file))
    }

    /// Makes a spare full of zeros. What a full disk leaves half-made is removed, so that it does not keep it full.
    fn zero(&self, number: u32) -> io::Result<()> {
        let made = self.write_zeros();
        if made.is_err() {
            // The first error is the one to tell; what cannot be removed is removed at the next start.
            let _ = self.disk.remove(MAKING);
            return made;
        }
        self.disk.rename(MAKING, &segment::spare_name(number))?;
        self.sync_names()
    }

    fn write_zeros(&self) -> io::Result<()> {
        let file = self.disk.open(MAKING, Mode::CreateNew)?;
        let bytes = u64::from(self.config.segment_bytes);
        file.reserve(bytes)?;
        let zeros = [0; WRITE_BYTES as usize];
        let mut offset = 0;
        while offset < bytes {
            if self.stopping.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let end = bytes.min(offset + ZERO_BYTES);
            while offset < end {
                let piece = (end - offset).min(WRITE_BYTES);
                file.write_all_at(&zeros[..piece as usize], offset)?;
                offset += piece;
            }
            file.sync()?;
        }
        Ok(())
    }
}
