//! The threads beside the runtime: the core, the journal's reader, the CDR writer, the history. Each ends after the one that feeds it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::config::Config;
use crate::exchange::Batch;
use crate::gateway::cdr_files::CdrFiles;
use crate::gateway::cdr_writer::{CdrWriter, Progress};
use crate::gateway::history::{Following, History, Source};
use crate::gateway::names::NameBook;
use crate::gateway::opening;
use crate::gateway::reading::Reading;
use crate::gateway::seals::Seals;
use crate::gateway::spine::{Shared, Spine};
use crate::gateway::start_error::StartError;
use crate::ingress::accept::SEAL_CONTEXT;
use crate::message::LinkId;
use crate::store::disk::RealDisk;
use crate::store::error::Error as StoreError;
use crate::store::keys::Keys;

/// The threads, and what tells them to end.
pub(super) struct Threads {
    spine: JoinHandle<Result<(), StoreError>>,
    reading: JoinHandle<()>,
    cdr: JoinHandle<()>,
    history: JoinHandle<()>,
    finish_reading: Arc<AtomicBool>,
    finish_cdr: Arc<AtomicBool>,
    finish_history: Arc<AtomicBool>,
}

impl Threads {
    /// Starts all of them. From here on the core takes commands.
    pub(super) fn start(
        mut spine: Spine<RealDisk>,
        config: &Config,
        keys: &Arc<Keys<RealDisk>>,
        names: &Arc<NameBook>,
        (reader, history): (LinkId, LinkId),
    ) -> Result<Threads, StartError> {
        let [finish_reading, finish_cdr, finish_history] = [(); 3].map(|()| Arc::new(AtomicBool::new(false)));
        let cdr_dir = config.store.cdr_dir.clone().unwrap_or_else(|| config.node.data_dir.join("cdr"));
        let cdr_files = CdrFiles::new(cdr_dir, opening::disk(&config.node.data_dir)?);
        let source = Source::of(config, spine.journal.reader());
        let following = source.as_ref().and_then(Source::open);
        spine.catch_up_with(cdr_files.known().max(following.as_ref().map_or(0, Following::next_fact)))?;
        let mut cdr = CdrWriter {
            reader: spine.journal.reader(),
            follower: spine.journal.follow(cdr_files.known()),
            files: cdr_files,
            names: names.clone(),
            keyring: keys.keyring(),
            shared: spine.shared.clone(),
            metrics: spine.metrics.clone(),
            clock: spine.clock,
            finish: finish_cdr.clone(),
            limit: spine.journal.next_fact(),
            now: Progress::default(),
        };
        let seals = || Seals { keys: keys.clone(), names: names.clone(), context: SEAL_CONTEXT };
        let mailbox = |link| spine.exchange.mailbox(link).expect("opened with the store");
        let history = History {
            following,
            source,
            again_at: spine.clock.now(),
            seals: seals(),
            exchange: spine.exchange.clone(),
            mailbox: mailbox(history),
            shared: spine.shared.clone(),
            clock: spine.clock,
            finish: finish_history.clone(),
        };
        let reading = Reading {
            reader: spine.journal.reader(),
            seals: seals(),
            mailbox: mailbox(reader),
            exchange: spine.exchange.clone(),
            finish: finish_reading.clone(),
            batch: Batch::default(),
            plain: Vec::new(),
            unread: None,
        };
        Ok(Threads {
            reading: thread("reader", move || reading.run())?,
            cdr: thread("cdr", move || cdr.run())?,
            history: thread("history", move || history.run())?,
            spine: thread("core", move || spine.run())?,
            finish_reading,
            finish_cdr,
            finish_history,
        })
    }

    /// Whether a thread has ended without which nothing goes on; none does so by itself.
    pub(super) fn have_ended(&self) -> bool {
        self.spine.is_finished() || self.reading.is_finished()
    }

    /// Why one has ended.
    pub(super) fn autopsy(self) -> String {
        if !self.spine.is_finished() {
            return "the journal's reader has panicked; nothing that was acknowledged is lost".to_owned();
        }
        match self.spine.join() {
            Ok(Err(error)) => format!("the journal cannot be written, so nothing more is accepted: {error}"),
            Ok(Ok(())) => "the core has ended by itself".to_owned(),
            Err(_) => "the core has panicked; nothing that was acknowledged is lost".to_owned(),
        }
    }

    /// Ends them in order, when the links are closed.
    pub(super) fn end(self, shared: &Shared) -> Result<(), String> {
        shared.finish();
        let spine = self.spine.join().map_err(|_| "the core has panicked".to_owned())?;
        self.finish_reading.store(true, Ordering::Release);
        self.finish_cdr.store(true, Ordering::Release);
        self.finish_history.store(true, Ordering::Release);
        let _ = self.reading.join();
        let _ = self.cdr.join();
        let _ = self.history.join();
        spine.map_err(|error| error.to_string())
    }
}

fn thread<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, StartError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(body).map_err(StartError::Thread)
}
