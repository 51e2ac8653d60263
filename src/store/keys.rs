//! Data keys as files: one for each tenant and day, outside the journal, wrapped by the master key. A key is durable
//! before it is first used; destroying a day's files makes what was sealed on that day unreadable for good.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::message::{TenantId, Timestamp};
use crate::seal::{self, DataKey, Keyring, MasterKey};
use crate::store::disk::{Disk, DiskFile, Mode};
use crate::store::error::Error;
use crate::store::recovery::disk_error;

const FOLDER: &str = "keys";
const SUFFIX: &str = ".key";
/// The master key's file, used when the configuration names no key.
const MASTER: &str = "master.key";
/// Tells another master key from the one that wrapped the files.
const CHECK: &str = "keys/master.check";
/// How often the store has been opened; part of each nonce.
const STARTS: &str = "keys/starts";
const MAGIC: &[u8; 4] = b"SLKY";
/// Format 1: AES-256-GCM.
const VERSION: u8 = 1;
const FILE_BYTES_MAX: usize = 4096;
/// Keys of days before these are not kept in memory: a year of a thousand tenants would be hundreds of MiB.
const DAYS_LOADED: u32 = 3;

/// The data keys of a node.
pub struct Keys<D: Disk> {
    disk: D,
    master: MasterKey,
    keyring: Arc<Keyring>,
    /// Only one thread makes or destroys files at a time.
    files: Mutex<()>,
    /// No key is loaded while a day's are destroyed; that keys are made, which may take long, keeps nobody from loading one.
    loads: Mutex<()>,
}

impl<D: Disk> Keys<D> {
    /// Opens the keys of a data directory whose lock the caller holds. Without `master` the one in `master.key` is
    /// used, which is made (0600) when absent. Raises and syncs the start counter. `store_is_new` says that nothing was
    /// ever written to the journal, so that there need not be any key.
    pub fn open(
        disk: D,
        shard: u16,
        master: Option<MasterKey>,
        now: Timestamp,
        store_is_new: bool,
    ) -> Result<Keys<D>, Error> {
        if !store_is_new && disk.read_whole(CHECK, FILE_BYTES_MAX).is_err() {
            let what = "it is missing although the journal holds messages, none of which could be read; \
                        restore the folder keys/ that belongs to this journal";
            return Err(Error::Key { path: disk.path(CHECK), what: what.into() });
        }
        disk.create_dir(FOLDER).map_err(disk_error(&disk, "create", FOLDER))?;
        let master = match master {
            Some(master) => master,
            None => own_master(&disk)?,
        };
        check_master(&disk, &master)?;
        let start = raise_starts(&disk, now)?;
        let keyring = Arc::new(Keyring::new(&master, shard, start));
        Ok(Keys { disk, master, keyring, files: Mutex::new(()), loads: Mutex::new(()) })
    }

    /// The keyring, into which keys are loaded.
    pub fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(&self.keyring)
    }

    /// A secret for another keyed hash of this node, the same at each start.
    pub fn derive<const OCTETS: usize>(&self, purpose: &str) -> [u8; OCTETS] {
        self.master.derive(purpose)
    }

    /// Makes the keys of today and tomorrow ready for each tenant, so that nobody waits for a key at midnight, and lets go of those
    /// of days long past: [`Keys::load`] finds them again. Call it at start, when tenants are added, and at least daily. An error
    /// keeps none of the other keys; of several the first is told, a full disk only if there is no other.
    pub fn prepare<'a>(&self, tenants: impl Iterator<Item = (TenantId, &'a str)>, today: u32) -> Result<(), Error> {
        let _one_at_a_time = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut ready, mut failed) = (Vec::new(), None);
        for (tenant, name) in tenants {
            for day in [today, today + 1] {
                if !self.keyring.has(tenant, day) {
                    match self.read_or_make(&file_name(name, day)) {
                        Ok(key) => ready.push((tenant, day, Arc::new(key))),
                        Err(error) => failed = failed.filter(|first: &Error| !first.is_full()).or(Some(error)),
                    }
                }
            }
        }
        if !ready.is_empty() {
            self.keyring.insert_all(ready);
        }
        self.keyring.forget_before(today.saturating_sub(DAYS_LOADED));
        failed.map_or(Ok(()), Err)
    }

    fn read_or_make(&self, file: &str) -> Result<DataKey, Error> {
        if let Some(key) = self.read(file)? {
            return Ok(key);
        }
        let made = DataKey::generate(&self.master, file.as_bytes());
        let (key, wrapped) = made.map_err(|error| self.key_error(file, error.to_string()))?;
        let mut content = MAGIC.to_vec();
        content.push(VERSION);
        content.extend_from_slice(&wrapped);
        self.disk.write_whole(file, &content).map_err(disk_error(&self.disk, "write", file))?;
        Ok(key)
    }

    /// The key of a tenant (its number and its configured id) and any day, from its file if it is not loaded. `Key` if it has been
    /// destroyed.
    pub fn load(&self, tenant: TenantId, name: &str, day: u32) -> Result<Arc<DataKey>, Error> {
        if let Some(key) = self.keyring.key(tenant, day) {
            return Ok(key);
        }
        let _one_at_a_time = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
        let file = file_name(name, day);
        let gone = "it does not exist; messages of that tenant and day cannot be read any more";
        let key = Arc::new(self.read(&file)?.ok_or_else(|| self.key_error(&file, gone.into()))?);
        self.keyring.insert_all([(tenant, day, Arc::clone(&key))]);
        Ok(key)
    }

    /// Destroys the keys of all tenants for one day and says how many there were. When this returns, what was sealed
    /// on that day cannot be read again, whatever copies of the journal exist.
    pub fn destroy(&self, day: u32) -> Result<usize, Error> {
        let _one_at_a_time = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let _nobody_loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
        self.keyring.forget(day);
        let mut destroyed = 0;
        for name in self.disk.list(FOLDER).map_err(disk_error(&self.disk, "list", FOLDER))? {
            if day_of(&name) == Some(day) {
                let file = format!("{FOLDER}/{name}");
                self.disk.remove(&file).map_err(disk_error(&self.disk, "remove", &file))?;
                destroyed += 1;
            }
        }
        self.disk.sync_dir(FOLDER).map_err(disk_error(&self.disk, "sync", FOLDER))?;
        Ok(destroyed)
    }

    /// The days for which there are key files, in order.
    pub fn days(&self) -> Result<Vec<u32>, Error> {
        let names = self.disk.list(FOLDER).map_err(disk_error(&self.disk, "list", FOLDER))?;
        let mut days: Vec<u32> = names.iter().filter_map(|name| day_of(name)).collect();
        days.sort_unstable();
        days.dedup();
        Ok(days)
    }

    /// Reads a key's file; nothing if it does not exist.
    fn read(&self, file: &str) -> Result<Option<DataKey>, Error> {
        let content = match self.disk.read_whole(file, FILE_BYTES_MAX) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(disk_error(&self.disk, "read", file)(error)),
        };
        let Some((version, wrapped)) = content.strip_prefix(MAGIC).and_then(<[u8]>::split_first) else {
            return Err(self.key_error(file, "this is no data key; restore it from a backup".into()));
        };
        if *version != VERSION {
            let what = format!("it has format {version}, this sluice knows {VERSION}; run the newer version");
            return Err(self.key_error(file, what));
        }
        let key = DataKey::unwrap_from(wrapped, &self.master, file.as_bytes()).map_err(|_| {
            self.key_error(file, "the master key does not open it; restore the file or the master key".into())
        })?;
        Ok(Some(key))
    }

    fn key_error(&self, file: &str, what: String) -> Error {
        Error::Key { path: self.disk.path(file), what }
    }
}

/// The name of a key's file. It is the wrapped key's label too, so that no file can stand in for another.
fn file_name(tenant: &str, day: u32) -> String {
    let mut name = format!("{FOLDER}/");
    for octet in tenant.bytes() {
        if octet.is_ascii_alphanumeric() || octet == b'_' || octet == b'-' {
            name.push(char::from(octet));
        } else {
            name.push('%');
            name.push_str(&seal::hex(&[octet]));
        }
    }
    format!("{name}.{day}{SUFFIX}")
}

/// The day in the plain name of a key's file.
fn day_of(plain_name: &str) -> Option<u32> {
    plain_name.strip_suffix(SUFFIX)?.rsplit_once('.')?.1.parse().ok()
}

/// Reads `master.key`, or makes it.
fn own_master<D: Disk>(disk: &D) -> Result<MasterKey, Error> {
    let broken = |what: String| Error::Key { path: disk.path(MASTER), what };
    let text = match disk.read_whole(MASTER, FILE_BYTES_MAX) {
        Ok(content) => String::from_utf8(content).map_err(|_| broken("it is not text".into()))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if disk.read_whole(CHECK, FILE_BYTES_MAX).is_ok() {
                let what = "it is missing, although this store has keys; restore it, or set `[node] key`";
                return Err(broken(what.into()));
            }
            let text = MasterKey::generate_hex().map_err(|error| broken(error.to_string()))?;
            disk.write_whole(MASTER, format!("{text}\n").as_bytes()).map_err(disk_error(disk, "write", MASTER))?;
            text
        }
        Err(error) => return Err(disk_error(disk, "read", MASTER)(error)),
    };
    MasterKey::from_hex(&text).map_err(|error| broken(error.to_string()))
}

/// Refuses a master key other than the store's own, which would find no number and open no message.
fn check_master<D: Disk>(disk: &D, master: &MasterKey) -> Result<(), Error> {
    let check = seal::hex(&master.derive::<16>("check of the master key"));
    match disk.read_whole(CHECK, FILE_BYTES_MAX) {
        Ok(content) if content == check.as_bytes() => Ok(()),
        Ok(_) => {
            let what = "this store was made with another master key; set `[node] key` (or master.key) to that one";
            Err(Error::Key { path: disk.path(CHECK), what: what.into() })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            disk.write_whole(CHECK, check.as_bytes()).map_err(disk_error(disk, "write", CHECK))
        }
        Err(error) => Err(disk_error(disk, "read", CHECK)(error)),
    }
}

/// Numbers this start, durably: higher than the one before, and at least the seconds since 1970, so that a directory that was put back
/// from an older copy does not repeat the numbers of the starts that the copy does not know.
fn raise_starts<D: Disk>(disk: &D, now: Timestamp) -> Result<u32, Error> {
    let broken = |what: &str| Error::Key { path: disk.path(STARTS), what: what.into() };
    let before = match disk.read_whole(STARTS, FILE_BYTES_MAX) {
        Ok(content) => {
            let text = String::from_utf8(content).ok();
            let number = text.and_then(|text| text.trim().parse::<u32>().ok());
            number.ok_or_else(|| broken("it holds no number; restore it, or write one larger than it ever was"))?
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Beginning at 1 again would use nonces twice under keys that exist.
            let names = disk.list(FOLDER).map_err(disk_error(disk, "list", FOLDER))?;
            if names.iter().any(|name| day_of(name).is_some()) {
                return Err(broken("it is missing beside data keys; restore it, or write a number larger than it was"));
            }
            0
        }
        Err(error) => return Err(disk_error(disk, "read", STARTS)(error)),
    };
    let next = before.checked_add(1).ok_or_else(|| broken("no start number is left"))?;
    let start = next.max(u32::try_from(now.seconds()).unwrap_or(0));
    let content = format!("{start:010}\n");
    overwrite(disk, STARTS, content.as_bytes()).map_err(disk_error(disk, "write", STARTS))?;
    Ok(start)
}

/// Makes `content` the file's, durably. A file of the same few octets is written in place, as one sector, so that a start needs no room
/// on a full disk.
fn overwrite<D: Disk>(disk: &D, name: &str, content: &[u8]) -> io::Result<()> {
    match disk.open(name, Mode::Write) {
        Ok(file) if file.len()? == content.len() as u64 => {
            file.write_all_at(content, 0)?;
            file.sync().map(|_| ())
        }
        _ => disk.write_whole(name, content),
    }
}
