//! The small door to the disk: everything the store asks of a file system, as two traits.
//! `RealDisk` is the machine's; `crate::store::sim_disk::SimDisk` forgets, tears and fails on demand.
//! Names are relative to the disk's root (the data directory), with `/` between a folder and a file.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// A killed process holds its lock until the kernel has taken its memory down and its last write has come back, so a lock
/// is asked for this often before it counts as held: two seconds.
const LOCK_TRIES: u32 = 100;
const LOCK_TRY_EVERY: Duration = Duration::from_millis(20);

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Reading only; the file must exist.
    Read,
    /// Reading and writing; the file must exist.
    Write,
    /// Reading and writing; the file must not exist and is created for its owner alone (0600).
    CreateNew,
}

/// A directory tree in which the store lives. No call is retried by the disk itself.
pub trait Disk: Send + Sync + 'static {
    /// An open file.
    type File: DiskFile;
    /// Holds an exclusive lock until dropped.
    type Lock: Send + Sync + 'static;

    /// Opens a file. A created one is durable only after `sync_dir` of its folder.
    fn open(&self, name: &str, mode: Mode) -> io::Result<Self::File>;
    /// Gives a file another name, replacing what had it. Durable only after `sync_dir`.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file. Durable only after `sync_dir`.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// The plain names of the files in a folder, sorted; an absent folder is `NotFound`.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;
    /// Makes a folder for its owner alone (0700) and syncs its parent; one that exists is fine.
    fn create_dir(&self, folder: &str) -> io::Result<()>;
    /// Makes creations, renames and removals in a folder durable.
    fn sync_dir(&self, folder: &str) -> io::Result<()>;
    /// Keeps one folder at hand, so that from now on `sync_dir` of it cannot fail for want of a descriptor.
    fn hold_dir(&self, _folder: &str) -> io::Result<()> {
        Ok(())
    }
    /// Takes the exclusive lock `name`, creating the file; `WouldBlock` when another holder keeps it.
    fn lock(&self, name: &str) -> io::Result<Self::Lock>;
    /// The name as an operator would type it, for error texts.
    fn path(&self, name: &str) -> PathBuf;

    /// Reads a small whole file; one of more than `bytes_max` is refused with `FileTooLarge`.
    fn read_whole(&self, name: &str, bytes_max: usize) -> io::Result<Vec<u8>> {
        let file = self.open(name, Mode::Read)?;
        let bytes = file.len()?;
        if bytes > bytes_max as u64 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut content = vec![0; bytes as usize];
        file.read_exact_at(&mut content, 0)?;
        Ok(content)
    }

    /// Writes a small whole file durably: beside it, synced, renamed over it, folder synced.
    fn write_whole(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let beside = format!("{name}.new");
        match self.remove(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = self.open(&beside, Mode::CreateNew)?;
        file.write_all_at(content, 0)?;
        file.sync()?;
        self.rename(&beside, name)?;
        self.sync_dir(folder_of(name))
    }
}

/// An open file, read and written at explicit offsets, usable from several threads.
pub trait DiskFile: Send + Sync + 'static {
    /// Reads up to `buffer.len()` bytes; 0 at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes some of `bytes`, and says how many.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Makes the written bytes durable (fdatasync), and says how long that took.
    /// After a failure nothing may be assumed of what was written: see `Error::Poisoned`.
    fn sync(&self) -> io::Result<Duration>;
    /// The file's size in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Cuts or grows the file.
    fn set_len(&self, bytes: u64) -> io::Result<()>;
    /// Claims space for the first `bytes` bytes, so that a full disk shows here and not half-way
    /// through writing them. Does nothing where the file system cannot.
    fn reserve(&self, bytes: u64) -> io::Result<()>;

    /// Reads exactly `buffer.len()` bytes, or fails with `UnexpectedEof`.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let read = self.read_full_at(buffer, offset)?;
        if read == buffer.len() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Reads until `buffer` is full or the file ends; says how many bytes it read.
    fn read_full_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// Writes all of `bytes`, continuing after short writes and interruptions.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut written = 0;
        while written < bytes.len() {
            match self.write_at(&bytes[written..], offset + written as u64) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The folder part of a name; the root is the empty name.
pub(crate) fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The machine's file system below one directory.
#[derive(Clone, Debug)]
pub struct RealDisk {
    root: PathBuf,
    /// The folder that is kept open.
    held: Arc<OnceLock<(String, File)>>,
}

impl RealDisk {
    /// The disk rooted at `root`, which is created (0700) when absent.
    pub fn open(root: impl AsRef<Path>) -> io::Result<RealDisk> {
        let root = root.as_ref().to_path_buf();
        if !root.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(&root)?;
            // A root of one component ("data") has the empty path as its parent, which is ".".
            let parent = root.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(RealDisk { root, held: Arc::default() })
    }

    /// The disk rooted at a directory that must already exist; nothing is created.
    pub fn open_existing(root: impl AsRef<Path>) -> io::Result<RealDisk> {
        let root = root.as_ref().to_path_buf();
        if !root.metadata()?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(RealDisk { root, held: Arc::default() })
    }
}

impl Disk for RealDisk {
    type File = RealFile;
    type Lock = File;

    fn open(&self, name: &str, mode: Mode) -> io::Result<RealFile> {
        let mut options = OpenOptions::new();
        options.read(true).write(mode != Mode::Read).create_new(mode == Mode::CreateNew).mode(0o600);
        Ok(RealFile { file: options.open(self.path(name))? })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path(name))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.path(folder))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                // A name that is no UTF-8 is none of ours.
                names.extend(OsString::into_string(entry.file_name()).ok());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn create_dir(&self, folder: &str) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(self.path(folder)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => self.sync_dir(folder_of(folder)),
        }
    }

    fn sync_dir(&self, folder: &str) -> io::Result<()> {
        match self.held.get() {
            Some((held, file)) if held == folder => file.sync_all(),
            _ => File::open(self.path(folder))?.sync_all(),
        }
    }

    fn hold_dir(&self, folder: &str) -> io::Result<()> {
        let file = File::open(self.path(folder))?;
        self.held.get_or_init(|| (folder.to_owned(), file));
        Ok(())
    }

    fn lock(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(self.path(name))?;
        for _ in 0..LOCK_TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_TRY_EVERY),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.root.clone() } else { self.root.join(name) }
    }
}

/// A file of the machine.
#[derive(Debug)]
pub struct RealFile {
    file: File,
}

impl DiskFile for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }

    #[expect(clippy::disallowed_methods, reason = "the disk is an edge: it measures itself")]
    fn sync(&self) -> io::Result<Duration> {
        let started = Instant::now();
        self.file.sync_data()?;
        Ok(started.elapsed())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn reserve(&self, bytes: u64) -> io::Result<()> {
        match rustix::fs::fallocate(&self.file, rustix::fs::FallocateFlags::empty(), 0, bytes) {
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => Ok(()),
            result => Ok(result?),
        }
    }
}
