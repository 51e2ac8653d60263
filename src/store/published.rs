//! What the journal lets other threads see: the segments' files, how far they are synced, and how far followers
//! have come, so that nothing is recycled under them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use crate::message::Place;
use crate::store::disk::Disk;
use crate::store::error::Error;
use crate::store::segment;

/// A segment in use.
#[derive(Debug)]
pub(crate) struct Segment<F> {
    pub(crate) file: Arc<F>,
    /// Size of the file.
    pub(crate) bytes: u32,
    /// Number of its first record; `None` while it has no group.
    pub(crate) first_fact: Option<u64>,
    /// Bytes up to the end of its last group. Until the replay has passed a closed segment, its size.
    pub(crate) used: u32,
}

impl<F> Clone for Segment<F> {
    fn clone(&self) -> Segment<F> {
        Segment { file: Arc::clone(&self.file), ..*self }
    }
}

/// Shared between the journal, its readers and its followers.
pub(crate) struct Published<D: Disk> {
    pub(crate) disk: Arc<D>,
    segments: RwLock<BTreeMap<u32, Segment<D::File>>>,
    /// Packed place of the first byte that is not yet synced.
    synced: AtomicU64,
    /// Epoch of the oldest segment that has not been given back.
    oldest: AtomicU32,
    /// Each follower's number of the first record that it still needs.
    followers: Mutex<Vec<Weak<AtomicU64>>>,
    /// Whether the replay has been read to its end.
    pub(crate) replayed: AtomicBool,
    /// Held until the last reader and follower is gone: another process may not begin while one of them still works.
    _lock: D::Lock,
}

fn pack(place: Place) -> u64 {
    u64::from(place.segment) << 32 | u64::from(place.offset)
}

impl<D: Disk> Published<D> {
    pub(crate) fn new(
        disk: Arc<D>,
        segments: BTreeMap<u32, Segment<D::File>>,
        synced: Place,
        lock: D::Lock,
    ) -> Published<D> {
        let oldest = *segments.keys().next().expect("an open journal has a segment");
        Published {
            disk,
            segments: RwLock::new(segments),
            synced: AtomicU64::new(pack(synced)),
            oldest: AtomicU32::new(oldest),
            followers: Mutex::new(Vec::new()),
            replayed: AtomicBool::new(false),
            _lock: lock,
        }
    }

    /// Where the synced groups end.
    pub(crate) fn synced(&self) -> Place {
        let packed = self.synced.load(Ordering::Acquire);
        Place { segment: (packed >> 32) as u32, offset: packed as u32 }
    }

    /// Called once a group is synced.
    pub(crate) fn advance(&self, synced: Place) {
        self.synced.store(pack(synced), Ordering::Release);
    }

    /// The oldest segment in use.
    pub(crate) fn oldest(&self) -> u32 {
        self.oldest.load(Ordering::SeqCst)
    }

    pub(crate) fn segment(&self, epoch: u32) -> Option<Segment<D::File>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner).get(&epoch).cloned()
    }

    /// Epoch and segment of all in use, oldest first.
    pub(crate) fn segments(&self) -> Vec<(u32, Segment<D::File>)> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        segments.iter().map(|(epoch, segment)| (*epoch, segment.clone())).collect()
    }

    /// Notes where the groups of a segment end that is not written any more.
    pub(crate) fn close_segment(&self, end: Place) {
        self.change(|segments| {
            if let Some(closed) = segments.get_mut(&end.segment) {
                closed.used = end.offset;
            }
        });
    }

    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut BTreeMap<u32, Segment<D::File>>) -> R) -> R {
        change(&mut self.segments.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the oldest segment out of use. Readers look at `oldest` after they have read, so what they read of a
    /// file that is about to be overwritten is thrown away.
    pub(crate) fn remove_oldest(&self, epoch: u32) {
        self.oldest.store(epoch + 1, Ordering::SeqCst);
        self.change(|segments| segments.remove(&epoch));
    }

    pub(crate) fn follow(&self, from_fact: u64) -> Arc<AtomicU64> {
        let mark = Arc::new(AtomicU64::new(from_fact));
        self.followers.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&mark));
        mark
    }

    /// The first record that some follower still needs.
    pub(crate) fn needed_from(&self) -> Option<u64> {
        let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        followers.retain(|mark| mark.strong_count() > 0);
        followers.iter().filter_map(Weak::upgrade).map(|mark| mark.load(Ordering::Acquire)).min()
    }

    /// An error of the disk at a segment.
    pub(crate) fn disk_error(&self, doing: &'static str, epoch: u32) -> impl FnOnce(std::io::Error) -> Error {
        let path = self.disk.path(&segment::segment_name(epoch));
        move |source| Error::Disk { doing, path, source }
    }
}
