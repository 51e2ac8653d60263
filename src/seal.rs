//! Keys and authenticated encryption of addresses and bodies; keyed hashes for look-ups.
//!
//! A message is sealed with AES-256-GCM under a data key of its tenant and day. Data keys are random and wrapped by the
//! node's master key; `crate::store::keys` keeps them in files. Nothing here prints.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use siphasher::sip::SipHasher24;

use crate::message::{MessageId, TenantId};

/// Octets that sealing adds: the nonce before the ciphertext, the tag behind it.
pub const SEAL_OCTETS: usize = NONCE_LEN + TAG_OCTETS;
const TAG_OCTETS: usize = 16;
const KEY_OCTETS: usize = 32;
const COUNTER_BITS: u32 = 48;

/// Why something could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The data key of this tenant and day is not loaded; `store::keys` may load or make it.
    #[error("the data key of tenant {} and day {day} is not loaded", tenant.0)]
    NoKey {
        /// Whose.
        tenant: TenantId,
        /// Which day, counted from 1970-01-01.
        day: u32,
    },
    /// The octets were not sealed with this key and these associated data.
    #[error("sealed octets do not open: they were changed, or belong elsewhere")]
    Forged,
    /// The counter of this start is used up; the next start has a new one.
    #[error("no nonce is left until the next start")]
    NoNonce,
    /// The system gave no random octets.
    #[error("the system's random generator failed")]
    NoRandom,
    /// A master key that is not 64 hexadecimal digits.
    #[error("a master key is 64 hexadecimal digits, as `openssl rand -hex 32` prints them")]
    NoMasterKey,
}

/// The secret from which a node derives all others. It does not print.
pub struct MasterKey {
    prk: Prk,
}

impl MasterKey {
    /// Reads 64 hexadecimal digits; space around them does not count.
    pub fn from_hex(text: &str) -> Result<MasterKey, SealError> {
        let digits = text.trim().as_bytes();
        let mut secret = [0; KEY_OCTETS];
        if digits.len() != 2 * KEY_OCTETS {
            return Err(SealError::NoMasterKey);
        }
        for (octet, pair) in secret.iter_mut().zip(digits.chunks_exact(2)) {
            let nibble = |digit: u8| char::from(digit).to_digit(16).ok_or(SealError::NoMasterKey);
            *octet = (nibble(pair[0])? << 4 | nibble(pair[1])?) as u8;
        }
        Ok(MasterKey { prk: Salt::new(HKDF_SHA256, b"sluice master key").extract(&secret) })
    }

    /// A random one, as text for its file.
    pub fn generate_hex() -> Result<String, SealError> {
        let mut secret = [0; KEY_OCTETS];
        SystemRandom::new().fill(&mut secret).map_err(|_| SealError::NoRandom)?;
        Ok(hex(&secret))
    }

    /// A secret of its own for each purpose (HKDF-SHA-256, RFC 5869).
    pub fn derive<const OCTETS: usize>(&self, purpose: &str) -> [u8; OCTETS] {
        let mut secret = [0; OCTETS];
        let info = [purpose.as_bytes()];
        let okm = self.prk.expand(&info, Length(OCTETS)).expect("HKDF gives up to 8,160 octets");
        okm.fill(&mut secret).expect("the length is the one asked for");
        secret
    }

    fn wrapping_key(&self) -> LessSafeKey {
        aead_key(&self.derive::<KEY_OCTETS>("wrap data keys"))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn aead_key(secret: &[u8; KEY_OCTETS]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, secret).expect("AES-256 takes 32 octets"))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(octets: &[u8]) -> String {
    use fmt::Write;
    octets.iter().fold(String::new(), |mut text, octet| {
        write!(text, "{octet:02x}").expect("a String takes all");
        text
    })
}

/// The key under which the messages of one tenant and day are sealed. It does not print.
pub struct DataKey {
    key: LessSafeKey,
}

impl DataKey {
    /// A new random key, and its form wrapped by the master key: nonce, ciphertext, tag. `label` says whose key it is
    /// and is needed again to unwrap it.
    pub fn generate(master: &MasterKey, label: &[u8]) -> Result<(DataKey, Vec<u8>), SealError> {
        let random = SystemRandom::new();
        let mut secret = [0; KEY_OCTETS];
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut secret).and_then(|()| random.fill(&mut nonce)).map_err(|_| SealError::NoRandom)?;
        let mut wrapped = Vec::with_capacity(SEAL_OCTETS + KEY_OCTETS);
        seal_with(&master.wrapping_key(), nonce, &secret, label, &mut wrapped)?;
        Ok((DataKey { key: aead_key(&secret) }, wrapped))
    }

    /// Reads a wrapped key.
    pub fn unwrap_from(wrapped: &[u8], master: &MasterKey, label: &[u8]) -> Result<DataKey, SealError> {
        let mut secret = Vec::with_capacity(wrapped.len());
        open_with(&master.wrapping_key(), wrapped, label, &mut secret)?;
        let secret: &[u8; KEY_OCTETS] = secret.as_slice().try_into().map_err(|_| SealError::Forged)?;
        Ok(DataKey { key: aead_key(secret) })
    }

    /// Appends what was sealed to `out`, or leaves `out` as it was.
    pub fn open(&self, sealed: &[u8], aad: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        open_with(&self.key, sealed, aad, out)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

fn seal_with(
    key: &LessSafeKey,
    nonce: [u8; NONCE_LEN],
    plain: &[u8],
    aad: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), SealError> {
    out.extend_from_slice(&nonce);
    let start = out.len();
    out.extend_from_slice(plain);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut out[start..]);
    // Only a plaintext of more than 64 GiB is refused.
    out.extend_from_slice(tag.map_err(|_| SealError::NoNonce)?.as_ref());
    Ok(())
}

fn open_with(key: &LessSafeKey, sealed: &[u8], aad: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
    let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError::Forged)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Forged)?;
    let start = out.len();
    out.extend_from_slice(ciphertext);
    match key.open_in_place(nonce, Aad::from(aad), &mut out[start..]) {
        Ok(plain) => {
            let end = start + plain.len();
            out.truncate(end);
            Ok(())
        }
        Err(_) => {
            out.truncate(start);
            Err(SealError::Forged)
        }
    }
}

/// The loaded data keys, the nonces of this start, and the keyed hashes. Shared by all threads; sealing and opening
/// take no lock and allocate only if `out` has to grow.
pub struct Keyring {
    keys: ArcSwap<BTreeMap<(u32, TenantId), Arc<DataKey>>>,
    shard: u16,
    start: u32,
    counter: AtomicU64,
    numbers: SipHasher24,
    ids: SipHasher24,
}

impl Keyring {
    /// A keyring without keys. `start` must never have been used before with this master key and shard: it is raised
    /// and synced before the first seal. Hashes are the same at each start.
    pub fn new(master: &MasterKey, shard: u16, start: u32) -> Keyring {
        Keyring {
            keys: ArcSwap::default(),
            shard,
            start,
            counter: AtomicU64::new(0),
            numbers: SipHasher24::new_with_key(&master.derive("hash of numbers")),
            ids: SipHasher24::new_with_key(&master.derive("hash of message ids")),
        }
    }

    /// The start counter, which is part of each nonce.
    pub fn start(&self) -> u32 {
        self.start
    }

    /// Adds the key of a tenant and day. It must be durable already.
    pub fn insert(&self, tenant: TenantId, day: u32, key: DataKey) {
        self.insert_all([(tenant, day, Arc::new(key))]);
    }

    /// Adds several; each call copies the ring once.
    pub fn insert_all(&self, added: impl IntoIterator<Item = (TenantId, u32, Arc<DataKey>)>) {
        let added: Vec<_> = added.into_iter().map(|(tenant, day, key)| ((day, tenant), key)).collect();
        self.keys.rcu(|keys| {
            let mut keys = BTreeMap::clone(keys);
            keys.extend(added.iter().cloned());
            keys
        });
    }

    /// Forgets the keys of all days before `day`; what was sealed with them opens again only once they are loaded.
    pub fn forget_before(&self, day: u32) {
        self.keys.rcu(|keys| BTreeMap::clone(keys).split_off(&(day, TenantId(0))));
    }

    /// Forgets the keys of one day.
    pub fn forget(&self, day: u32) {
        self.keys.rcu(|keys| {
            let mut keys = BTreeMap::clone(keys);
            keys.retain(|(of, _), _| *of != day);
            keys
        });
    }

    /// Whether the key of this tenant and day is loaded.
    pub fn has(&self, tenant: TenantId, day: u32) -> bool {
        self.keys.load().contains_key(&(day, tenant))
    }

    /// The key of this tenant and day, if it is loaded.
    pub fn key(&self, tenant: TenantId, day: u32) -> Option<Arc<DataKey>> {
        self.keys.load().get(&(day, tenant)).cloned()
    }

    /// Appends the sealed form of `plain`: nonce (12 octets), ciphertext, tag (16). `aad` is not stored and has to be the
    /// same at `open`.
    pub fn seal(
        &self,
        tenant: TenantId,
        day: u32,
        plain: &[u8],
        aad: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        let keys = self.keys.load();
        let key = keys.get(&(day, tenant)).ok_or(SealError::NoKey { tenant, day })?;
        seal_with(&key.key, self.next_nonce()?, plain, aad, out)
    }

    /// Appends what was sealed to `out`, or leaves `out` as it was.
    pub fn open(
        &self,
        tenant: TenantId,
        day: u32,
        sealed: &[u8],
        aad: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        self.key(tenant, day).ok_or(SealError::NoKey { tenant, day })?.open(sealed, aad, out)
    }

    /// Shard (16 bits), start (32), counter (48): no nonce comes twice under one key.
    fn next_nonce(&self) -> Result<[u8; NONCE_LEN], SealError> {
        let counter = self.counter.fetch_add(1, Ordering::Relaxed);
        if counter >> COUNTER_BITS != 0 {
            return Err(SealError::NoNonce);
        }
        let mut nonce = [0; NONCE_LEN];
        nonce[0..2].copy_from_slice(&self.shard.to_be_bytes());
        nonce[2..6].copy_from_slice(&self.start.to_be_bytes());
        nonce[6..12].copy_from_slice(&counter.to_be_bytes()[2..]);
        Ok(nonce)
    }

    /// The keyed hash of a number's digits, for look-ups that do not store the number (SipHash-2-4).
    pub fn number_hash(&self, digits: &[u8]) -> u64 {
        self.numbers.hash(digits)
    }

    /// The keyed hash that completes a printed message id, so that ids cannot be guessed.
    pub fn id_check(&self, id: MessageId) -> u64 {
        self.ids.hash(&id.0.to_le_bytes())
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} keys, start {})", self.keys.load().len(), self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: TenantId = TenantId(3);
    const MASTER: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn keyring(start: u32) -> Keyring {
        let master = MasterKey::from_hex(MASTER).expect("64 digits");
        let keyring = Keyring::new(&master, 1, start);
        keyring.insert(TENANT, 20_000, DataKey::generate(&master, b"label").expect("random octets").0);
        keyring
    }

    #[test]
    fn what_is_sealed_opens_and_nothing_else_does() {
        let keyring = keyring(1);
        let mut sealed = b"before".to_vec();
        keyring.seal(TENANT, 20_000, b"a body", b"id 1", &mut sealed).expect("the key is loaded");
        assert_eq!(sealed.len(), 6 + SEAL_OCTETS + 6);
        let sealed = &sealed[6..];
        let mut plain = b"out: ".to_vec();
        keyring.open(TENANT, 20_000, sealed, b"id 1", &mut plain).expect("nothing was changed");
        assert_eq!(plain, b"out: a body");
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(keyring.open(TENANT, 20_000, &changed, b"id 1", &mut plain), Err(SealError::Forged));
        }
        for cut in 0..sealed.len() {
            assert_eq!(keyring.open(TENANT, 20_000, &sealed[..cut], b"id 1", &mut plain), Err(SealError::Forged));
        }
        assert_eq!(keyring.open(TENANT, 20_000, sealed, b"id 2", &mut plain), Err(SealError::Forged));
        assert_eq!(plain, b"out: a body", "a failure leaves the buffer alone");
        let missing = SealError::NoKey { tenant: TENANT, day: 20_001 };
        assert_eq!(keyring.open(TENANT, 20_001, sealed, b"id 1", &mut plain), Err(missing));
    }

    #[test]
    fn nonces_differ_within_and_between_starts() {
        let mut seen = std::collections::BTreeSet::new();
        for start in 1..4 {
            let keyring = keyring(start);
            for _ in 0..100 {
                assert!(seen.insert(keyring.next_nonce().expect("the counter has just begun")));
            }
        }
        let keyring = keyring(9);
        keyring.counter.store(1 << COUNTER_BITS, Ordering::Relaxed);
        assert_eq!(keyring.next_nonce(), Err(SealError::NoNonce));
    }

    #[test]
    fn a_wrapped_key_needs_its_master_and_its_label() {
        let master = MasterKey::from_hex(MASTER).expect("64 digits");
        let other = MasterKey::from_hex(&"ab".repeat(32)).expect("64 digits");
        let (_, wrapped) = DataKey::generate(&master, b"label").expect("random octets");
        assert!(DataKey::unwrap_from(&wrapped, &master, b"label").is_ok());
        assert!(DataKey::unwrap_from(&wrapped, &master, b"lapel").is_err());
        assert!(DataKey::unwrap_from(&wrapped, &other, b"label").is_err());
    }

    #[test]
    fn hashes_are_the_same_at_each_start_and_differ_by_purpose() {
        let (one, two) = (keyring(1), keyring(2));
        assert_eq!(one.number_hash(b"447700900123"), two.number_hash(b"447700900123"));
        assert_ne!(one.number_hash(b"447700900123"), one.number_hash(b"447700900124"));
        assert_eq!(one.id_check(MessageId(7)), two.id_check(MessageId(7)));
        assert_ne!(one.id_check(MessageId(7)), one.number_hash(&7u64.to_le_bytes()));
    }

    #[test]
    fn only_64_hexadecimal_digits_are_a_master_key() {
        assert!(MasterKey::from_hex(&format!("{MASTER}\n")).is_ok());
        for text in ["", "00", &MASTER[1..], &format!("{MASTER}00"), &MASTER.replace('0', "g")] {
            assert_eq!(MasterKey::from_hex(text).err(), Some(SealError::NoMasterKey));
        }
        assert!(MasterKey::from_hex(&MasterKey::generate_hex().expect("random octets")).is_ok());
    }

    #[test]
    fn forgotten_days_are_gone_and_others_stay() {
        let master = MasterKey::from_hex(MASTER).expect("64 digits");
        let keyring = keyring(1);
        for day in [19_998, 19_999, 20_001] {
            keyring.insert(TENANT, day, DataKey::generate(&master, b"").expect("random octets").0);
        }
        keyring.forget_before(19_999);
        keyring.forget(20_000);
        let loaded: Vec<u32> = (19_990..20_010).filter(|day| keyring.has(TENANT, *day)).collect();
        assert_eq!(loaded, [19_999, 20_001]);
        assert_eq!(format!("{keyring:?} {master:?}"), "Keyring(2 keys, start 1) MasterKey(…)");
    }
}
