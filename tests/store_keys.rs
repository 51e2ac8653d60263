//! Data keys are durable before they are used, open only with their own master key, and are gone once destroyed.

use sluice::message::{TenantId, Timestamp};
use sluice::seal::{MasterKey, SealError};
use sluice::store::Error;
use sluice::store::disk::{Disk, RealDisk};
use sluice::store::keys::Keys;
use sluice::store::sim_disk::{Call, Fault, SimDisk};

const TENANT: TenantId = TenantId(1);
const DAY: u32 = 20_777;

/// Before the day above, so that starts are counted up.
const EARLY: Timestamp = Timestamp(0);

fn open(disk: &SimDisk, master: Option<MasterKey>) -> Result<Keys<SimDisk>, Error> {
    Keys::open(disk.clone(), 0, master, EARLY, true)
}

fn keys(disk: &SimDisk) -> Keys<SimDisk> {
    open(disk, None).expect("keys open")
}

fn sealed(keys: &Keys<SimDisk>) -> Vec<u8> {
    let mut out = Vec::new();
    keys.keyring().seal(TENANT, DAY, b"a body", b"", &mut out).expect("the key is ready");
    out
}

#[test]
fn a_key_that_was_used_survives_any_loss_of_power() {
    for seed in 0..50 {
        let disk = SimDisk::new();
        let before = keys(&disk);
        before.prepare([(TENANT, "riverside")].into_iter(), DAY).expect("new keys");
        let body = sealed(&before);
        disk.crash(seed);
        let after = keys(&disk);
        assert!(after.keyring().start() > before.keyring().start(), "a start number is never used twice");
        after.load(TENANT, "riverside", DAY).expect("the key is on the disk");
        let mut plain = Vec::new();
        after.keyring().open(TENANT, DAY, &body, b"", &mut plain).expect("the same key");
        assert_eq!(plain, b"a body");
        let again = sealed(&after);
        assert_ne!(body[..12], again[..12], "a nonce is never used twice");
    }
}

#[test]
fn no_failure_of_the_disk_leaves_a_key_in_use_that_is_not_stored() {
    for nth in 1..40 {
        let disk = SimDisk::new();
        disk.fail(Call::Change, nth, Fault::Broken, false);
        let Ok(opened) = open(&disk, None) else { continue };
        let made = opened.prepare([(TENANT, "riverside")].into_iter(), DAY);
        let loaded = opened.keyring().has(TENANT, DAY);
        assert!(made.is_err() || loaded, "call {nth}");
        if loaded {
            disk.crash(nth);
            keys(&disk).load(TENANT, "riverside", DAY).expect("the key is on the disk");
        }
    }
}

#[test]
fn tomorrow_is_made_ahead_for_each_tenant() {
    let opened = keys(&SimDisk::new());
    let tenants = [(TENANT, "riverside"), (TenantId(2), "hill.top/../x")];
    opened.prepare(tenants.into_iter(), DAY).expect("four keys");
    for (tenant, _) in tenants {
        assert!(opened.keyring().has(tenant, DAY) && opened.keyring().has(tenant, DAY + 1));
    }
    assert_eq!(opened.days().expect("a list"), [DAY, DAY + 1]);
}

/// A disk that has no room for one new key has still those that exist.
#[test]
fn a_key_that_cannot_be_made_keeps_no_other_from_being_ready() {
    let disk = SimDisk::new();
    keys(&disk).prepare([(TENANT, "riverside")].into_iter(), DAY).expect("two keys");
    let after = keys(&disk);
    disk.set_capacity(Some(0));
    let tenants = [(TenantId(2), "hilltop"), (TENANT, "riverside")];
    let error = after.prepare(tenants.into_iter(), DAY).expect_err("no room for two of them");
    assert!(error.is_full(), "{error}");
    assert!(after.keyring().has(TENANT, DAY) && after.keyring().has(TENANT, DAY + 1));
}

#[test]
fn days_long_past_leave_the_memory_and_come_back_from_their_files() {
    let opened = keys(&SimDisk::new());
    let tenants = [(TENANT, "riverside")];
    opened.prepare(tenants.into_iter(), DAY).expect("two keys");
    let body = sealed(&opened);
    opened.prepare(tenants.into_iter(), DAY + 100).expect("two more");
    assert!(!opened.keyring().has(TENANT, DAY));
    let key = opened.load(TENANT, "riverside", DAY).expect("the file is there");
    // Whoever has it may use it, whatever happens to the ring.
    opened.keyring().forget(DAY);
    let mut plain = Vec::new();
    key.open(&body, b"", &mut plain).expect("the same key");
}

#[test]
fn a_destroyed_day_stays_unreadable() {
    let disk = SimDisk::new();
    let opened = keys(&disk);
    opened.prepare([(TENANT, "riverside"), (TenantId(2), "hilltop")].into_iter(), DAY).expect("four keys");
    let body = sealed(&opened);
    assert_eq!(opened.destroy(DAY).expect("two files"), 2);
    disk.crash(7);
    let after = keys(&disk);
    assert!(matches!(after.load(TENANT, "riverside", DAY), Err(Error::Key { .. })));
    let missing = SealError::NoKey { tenant: TENANT, day: DAY };
    assert_eq!(after.keyring().open(TENANT, DAY, &body, b"", &mut Vec::new()), Err(missing));
    after.load(TENANT, "riverside", DAY + 1).expect("the other day is untouched");
}

#[test]
fn another_master_key_is_refused() {
    let disk = SimDisk::new();
    drop(keys(&disk));
    let other = MasterKey::from_hex(&"ab".repeat(32)).expect("64 digits");
    assert!(matches!(open(&disk, Some(other)), Err(Error::Key { .. })));
    disk.remove("master.key").expect("it was there");
    let error = open(&disk, None).err().expect("a new master key would open nothing").to_string();
    assert!(error.contains("master.key") && error.contains("restore"), "{error}");
}

/// A directory that is put back from an older copy knows nothing of the starts since; the nonces of those starts may not come again.
#[test]
fn an_older_copy_repeats_no_nonce() {
    let at = |seconds: i64| Timestamp(seconds * 1_000_000);
    let disk = SimDisk::new();
    let start = |at: Timestamp| Keys::open(disk.clone(), 0, None, at, true).expect("keys open").keyring().start();
    start(at(1_763_000_000));
    let copy = disk.peek("keys/starts").expect("starts are counted");
    let lost: Vec<u32> = (0..5).map(|n| start(at(1_763_000_100 + n))).collect();
    disk.poke("keys/starts", copy);
    let after = start(at(1_763_000_200));
    assert!(lost.iter().all(|lost| *lost < after), "{lost:?}, then {after}");
    assert_eq!(start(at(0)), after + 1, "a clock that is wrong repeats none either");
}

/// The number of a start is written over the one before, so that a full disk does not keep a daemon from starting.
#[test]
fn a_start_needs_no_room() {
    let disk = SimDisk::new();
    drop(keys(&disk));
    disk.set_capacity(Some(0));
    assert_eq!(keys(&disk).keyring().start(), 2);
}

/// Keys that belong to no message of the journal would end all that wait, unread.
#[test]
fn a_journal_without_its_keys_is_refused() {
    let disk = SimDisk::new();
    let error = Keys::open(disk.clone(), 0, None, EARLY, false).err().expect("there is no key").to_string();
    assert!(error.contains("keys/master.check") && error.contains("restore"), "{error}");
    assert!(disk.peek("master.key").is_none(), "nothing is made");
}

#[test]
fn a_lost_start_counter_is_refused() {
    let disk = SimDisk::new();
    keys(&disk).prepare([(TENANT, "riverside")].into_iter(), DAY).expect("new keys");
    disk.remove("keys/starts").expect("it was there");
    assert!(matches!(open(&disk, None), Err(Error::Key { .. })));
}

#[test]
fn a_changed_or_exchanged_key_file_is_refused() {
    let disk = SimDisk::new();
    keys(&disk).prepare([(TENANT, "riverside")].into_iter(), DAY).expect("two keys");
    let today = format!("keys/riverside.{DAY}.key");
    let content = disk.peek(&today).expect("a key file");
    disk.poke(&format!("keys/riverside.{}.key", DAY + 1), content.clone());
    let opened = keys(&disk);
    assert!(opened.load(TENANT, "riverside", DAY).is_ok());
    assert!(matches!(opened.load(TENANT, "riverside", DAY + 1), Err(Error::Key { .. })));
    for byte in 0..content.len() {
        let mut changed = content.clone();
        changed[byte] ^= 0x10;
        disk.poke(&today, changed);
        assert!(matches!(keys(&disk).load(TENANT, "riverside", DAY), Err(Error::Key { .. })), "byte {byte}");
    }
}

#[test]
fn secrets_on_a_real_disk_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a place for a store");
    let root = directory.path().join("data");
    let disk = RealDisk::open(&root).expect("a new data directory");
    let opened = Keys::open(disk, 0, None, EARLY, true).expect("keys open");
    opened.prepare([(TENANT, "riverside")].into_iter(), DAY).expect("new keys");
    for (name, mode) in
        [("", 0o700), ("keys", 0o700), ("master.key", 0o600), (&format!("keys/riverside.{DAY}.key"), 0o600)]
    {
        let found = root.join(name).metadata().expect("it was made").permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name}");
    }
}
