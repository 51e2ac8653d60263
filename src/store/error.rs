//! What can go wrong between the store and its disk: what happened, to which file, and what to do.

use std::io;
use std::path::PathBuf;

use rustix::io::Errno;

/// An error of ours or of the disk. A refusal to a sender is another thing, see `admission`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk refused a call.
    #[error("cannot {doing} {}: {source}", path.display())]
    Disk {
        /// The verb, e.g. "open".
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Another process works on this data directory.
    #[error("{} is locked by another process; stop the sluice that runs on this data directory first", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A newer sluice wrote this store.
    #[error(
        "{} has format version {found}, this sluice knows versions up to {known}; \
         run the newer version, or restore a backup made before the upgrade", path.display()
    )]
    NewerFormat {
        /// The segment.
        path: PathBuf,
        /// The version in its header.
        found: u32,
        /// The newest version that this program reads.
        known: u32,
    },
    /// Bytes that were synced are gone or changed. Nothing is guessed: the start is refused.
    #[error(
        "{} is damaged at byte {offset}: {what}; nothing was changed. Look with `sluice journal verify DIR`, \
         keep a copy, then restore a backup or take what is whole with `sluice journal salvage DIR OUT`",
        path.display()
    )]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where the first unreadable byte of it is.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// No space: nothing of this call counts, and the journal stays usable. Refuse intake and try again later;
    /// a group that was refused may be committed again byte by byte.
    #[error("no space left for the journal in {}: {why}; new messages are refused until there is", path.display())]
    Full {
        /// The journal's folder.
        path: PathBuf,
        /// The system's or the budget's words.
        why: String,
    },
    /// A write or a sync failed, so nobody knows what is on disk; every further call fails like this one.
    /// The process has to end and the store to be opened again, which reads what is really there. A sync is never
    /// tried twice, because the kernel reports a lost page once and then forgets it.
    #[error("the journal stopped for good: {why}; check the disk, then start again")]
    Poisoned {
        /// The first failure.
        why: String,
    },
    /// A group that breaks the format's bounds; a defect of the caller.
    #[error("a group of {bytes} bytes and {records} records cannot be written: {what}")]
    BadGroup {
        /// Payload bytes.
        bytes: usize,
        /// Records as announced.
        records: u32,
        /// Which bound it breaks.
        what: &'static str,
    },
    /// A place whose segment has been recycled or which was never written.
    #[error("there is no record at {segment}:{offset} (segment recycled, or not yet synced)")]
    NoRecord {
        /// Segment of the place.
        segment: u32,
        /// Offset of the place.
        offset: u32,
    },
    /// A setting that cannot work.
    #[error("{what}")]
    Config {
        /// Which, and what would do.
        what: String,
    },
    /// A key that is missing, destroyed or does not fit.
    #[error("key {}: {what}", path.display())]
    Key {
        /// The key's file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

impl Error {
    /// Whether it is only that the disk has no room.
    pub fn is_full(&self) -> bool {
        match self {
            Error::Full { .. } => true,
            Error::Disk { source, .. } => is_full(source),
            _ => false,
        }
    }
}

/// Whether the disk says that it has no room, or the system that it has no descriptor, as against that something is broken.
pub(crate) fn is_full(error: &io::Error) -> bool {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    full || Errno::from_io_error(error).is_some_and(|errno| [Errno::MFILE, Errno::NFILE].contains(&errno))
}
