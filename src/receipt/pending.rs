//! Receipts that found no part yet, because they overtook the submit_sm_resp that carries their id (quirk Q01). Bounded, in arrival
//! order.
//!
//! Each is indexed by every spelling under which a response could claim it, so that a response looks once.

use std::collections::BTreeMap;
use std::fmt;

use hashbrown::HashTable;

use crate::fact::Notice;
use crate::message::{CarrierId, Timestamp};
use crate::receipt::spelling::{Hashes, Spelling};

/// Octets that a pending receipt is counted with beside its notice: its entry and index.
const OVERHEAD_OCTETS: usize = 192;
/// Octets of a notice at most: two ids and an error code of 255 octets each, and what is of fixed length.
const NOTICE_OCTETS_MAX: usize = 1_024;
/// Receipts of one spelling that wait at most: what repeats one id has others to wait for no longer, and looking for them stays short.
const ALIKE_MAX: usize = 64;
/// Two ids in three spellings each.
const SPELLINGS_MAX: usize = 6;

/// As many receipts pend as may, or as many octets, or as many of one spelling.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PendingFull;

impl fmt::Display for PendingFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no room for another receipt without a part")
    }
}

impl std::error::Error for PendingFull {}

/// A receipt that waits for its part.
#[derive(Clone, Debug)]
pub struct PendingReceipt {
    key: u64,
    carrier: CarrierId,
    at: Timestamp,
    segment: u32,
    octets: Box<[u8]>,
}

impl PendingReceipt {
    /// The number of its Unmatched fact.
    pub fn key(&self) -> u64 {
        self.key
    }

    /// From which carrier account it is.
    pub fn carrier(&self) -> CarrierId {
        self.carrier
    }

    /// In which segment of the journal its record lies.
    pub fn segment(&self) -> u32 {
        self.segment
    }

    /// When it was read.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// What it says.
    pub fn notice(&self) -> Notice<'_> {
        Notice::read(&self.octets).expect("written from a notice")
    }
}

/// All of them.
#[derive(Debug)]
pub struct Pending {
    receipts: BTreeMap<u64, PendingReceipt>,
    index: HashTable<Claim>,
    spelling: Spelling,
    octets: usize,
    entries_max: usize,
    octets_max: usize,
}

/// One spelling under which a receipt can be claimed.
#[derive(Clone, Copy, Debug)]
struct Claim {
    hash: u64,
    /// The exact hash, if the receipt itself spells it so.
    exact: Option<u32>,
    key: u64,
}

impl Pending {
    /// Room for `entries_max` receipts of `octets_max` octets in all; `key` is for the hashes.
    pub fn new(key: [u64; 2], entries_max: usize, octets_max: usize) -> Pending {
        let (receipts, index) = (BTreeMap::new(), HashTable::new());
        Pending { receipts, index, spelling: Spelling::new(key), octets: 0, entries_max, octets_max }
    }

    /// Keeps a receipt under `key`, which counts up in arrival order. A key that is here already is replaced, as when its record has
    /// been copied to another segment.
    pub fn insert(
        &mut self,
        key: u64,
        carrier: CarrierId,
        notice: &Notice<'_>,
        at: Timestamp,
        place_segment: u32,
    ) -> Result<(), PendingFull> {
        self.remove(key);
        let mut octets = Vec::new();
        notice.write(&mut octets);
        let more = OVERHEAD_OCTETS + octets.len();
        let claims = claims(&self.spelling, key, carrier, notice);
        let is_crowded = |claim: Claim| self.alike(claim.hash).take(ALIKE_MAX).count() >= ALIKE_MAX;
        let is_full = self.receipts.len() >= self.entries_max || self.octets + more > self.octets_max;
        if is_full || claims.into_iter().flatten().any(is_crowded) {
            return Err(PendingFull);
        }
        self.octets += more;
        for claim in claims.into_iter().flatten() {
            self.index.insert_unique(claim.hash, claim, |claim| claim.hash);
        }
        let octets = octets.into_boxed_slice();
        self.receipts.insert(key, PendingReceipt { key, carrier, at, segment: place_segment, octets });
        Ok(())
    }

    /// The receipts that may speak of this id, those first that spell it exactly so, then those of this number in another spelling; each
    /// oldest first. Called when a response brings an id; it costs nothing when nothing pends.
    ///
    /// Whether other parts could claim them as well, only [`crate::receipt::correlate::Correlation::find`] can say.
    pub fn claimed_by(&self, carrier: CarrierId, id: &[u8], number: u64) -> Vec<u64> {
        if self.receipts.is_empty() {
            return Vec::new();
        }
        let Some(Hashes { folded, exact }) = self.spelling.hashes(carrier, id) else { return Vec::new() };
        let is_written_so = |claim: &Claim| claim.exact == Some(exact);
        let ours = self
            .alike(folded)
            .filter(|claim| is_written_so(claim) || self.receipts[&claim.key].notice().number == number);
        let mut keys: Vec<(bool, u64)> = ours.map(|claim| (!is_written_so(claim), claim.key)).collect();
        keys.sort_unstable();
        keys.dedup_by_key(|(_, key)| *key);
        keys.into_iter().map(|(_, key)| key).collect()
    }

    /// The receipt of this key.
    pub fn get(&self, key: u64) -> Option<&PendingReceipt> {
        self.receipts.get(&key)
    }

    fn alike(&self, hash: u64) -> impl Iterator<Item = &Claim> + '_ {
        self.index.iter_hash(hash).filter(move |claim| claim.hash == hash)
    }

    /// Takes out the receipt of this key.
    pub fn remove(&mut self, key: u64) -> Option<PendingReceipt> {
        let receipt = self.receipts.remove(&key)?;
        self.octets -= OVERHEAD_OCTETS + receipt.octets.len();
        for claim in claims(&self.spelling, key, receipt.carrier, &receipt.notice()).into_iter().flatten() {
            if let Ok(entry) = self.index.find_entry(claim.hash, |old| (old.hash, old.key) == (claim.hash, key)) {
                entry.remove();
            }
        }
        Some(receipt)
    }

    /// Takes out the oldest receipt if it was read before `than`.
    pub fn pop_older(&mut self, than: Timestamp) -> Option<PendingReceipt> {
        let (key, _) = self.receipts.first_key_value().filter(|(_, receipt)| receipt.at < than)?;
        let key = *key;
        self.remove(key)
    }

    /// Whether another receipt of any length has room, as far as all of them go.
    pub fn has_room(&self) -> bool {
        let more = OVERHEAD_OCTETS + NOTICE_OCTETS_MAX;
        self.receipts.len() < self.entries_max && self.octets + more <= self.octets_max
    }

    /// Whether another receipt might go beyond half of the room. What could be settled at once and waits by choice stays within it,
    /// so that receipts that must wait find room.
    pub fn is_half_full(&self) -> bool {
        let more = OVERHEAD_OCTETS + NOTICE_OCTETS_MAX;
        self.receipts.len() >= self.entries_max / 2 || self.octets + more > self.octets_max / 2
    }

    /// When the oldest was read.
    pub fn oldest_at(&self) -> Option<Timestamp> {
        self.receipts.first_key_value().map(|(_, receipt)| receipt.at)
    }

    /// Copies of the receipts whose records lie in this segment, oldest first. It looks at all that pend.
    pub fn in_segment(&self, segment: u32) -> impl Iterator<Item = PendingReceipt> + '_ {
        self.receipts.values().filter(move |receipt| receipt.segment == segment).cloned()
    }

    /// How many pend.
    pub fn len(&self) -> usize {
        self.receipts.len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.receipts.is_empty()
    }
}

/// The spellings of both ids, each hash once.
fn claims(spelling: &Spelling, key: u64, carrier: CarrierId, notice: &Notice<'_>) -> [Option<Claim>; SPELLINGS_MAX] {
    let mut claims: [Option<Claim>; SPELLINGS_MAX] = [None; SPELLINGS_MAX];
    let mut count = 0;
    let mut add = |claim: Claim| {
        let known =
            |old: &&mut Option<Claim>| old.is_some_and(|old| (old.hash, old.exact) == (claim.hash, claim.exact));
        if claims.iter_mut().find(known).is_none() {
            claims[count] = Some(claim);
            count += 1;
        }
    };
    for id in [notice.tlv_id, notice.text_id] {
        let Some(Hashes { folded, exact }) = spelling.hashes(carrier, id) else { continue };
        add(Claim { hash: folded, exact: Some(exact), key });
        for hash in spelling.converted(carrier, id).into_iter().flatten().filter(|hash| *hash != folded) {
            add(Claim { hash, exact: None, key });
        }
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALPHA: CarrierId = CarrierId(1);
    const NUMBER: u64 = 77;

    fn pending() -> Pending {
        Pending::new([8, 9], 100, 1 << 20)
    }

    fn notice<'a>(tlv_id: &'a [u8], text_id: &'a [u8]) -> Notice<'a> {
        Notice { tlv_id, text_id, number: NUMBER, err: b"000", ..Notice::default() }
    }

    fn add(pending: &mut Pending, key: u64, notice: &Notice<'_>) {
        pending.insert(key, ALPHA, notice, Timestamp(key as i64), (key / 10) as u32).expect("there is room");
    }

    /// Takes out the first receipt that an id may claim.
    fn taken(pending: &mut Pending, id: &[u8], number: u64) -> Option<u64> {
        let key = *pending.claimed_by(ALPHA, id, number).first()?;
        pending.remove(key).map(|receipt| receipt.key)
    }

    #[test]
    fn a_response_finds_its_receipt_in_any_spelling() {
        let rows: [(&str, &str); 7] = [
            ("0012345678", "12345678"),
            ("5A3F9C01", "5a3f9c01"),
            ("1514118145", "5a3f9c01"),
            ("3b7e21c4", "998121924"),
            ("0998121924", "3b7e21c4"),
            ("SAR-447700900123-2C7FA019-2-1", "SAR-447700900123-2c7fa019-2-1"),
            ("12345678", "0012345678"),
        ];
        for (receipt, response) in rows {
            for notice in
                [notice(receipt.as_bytes(), b""), notice(b"", receipt.as_bytes()), notice(b"zz", receipt.as_bytes())]
            {
                let mut pending = pending();
                add(&mut pending, 1, &notice);
                assert_eq!(taken(&mut pending, response.as_bytes(), 1), None, "of another number it is a guess");
                assert!(pending.claimed_by(CarrierId(2), response.as_bytes(), NUMBER).is_empty());
                assert_eq!(pending.get(1).map(|found| found.notice()), Some(notice));
                let found = taken(&mut pending, response.as_bytes(), NUMBER);
                assert_eq!((found, pending.len()), (Some(1), 0), "{receipt} for {response}");
                assert!(pending.index.is_empty());
            }
        }
    }

    #[test]
    fn exact_ids_need_no_number_and_the_oldest_comes_first() {
        let mut pending = pending();
        for key in 1..4 {
            add(&mut pending, key, &notice(b"a1", b"a1"));
        }
        add(&mut pending, 4, &notice(b"A1", b"a1"));
        let order: Vec<u64> = std::iter::from_fn(|| taken(&mut pending, b"a1", 5)).collect();
        assert_eq!((order, pending.index.len()), (vec![1, 2, 3, 4], 0));
        // An older one that reads so in another base gives way to the one that is spelled so.
        add(&mut pending, 5, &notice(b"", b"10"));
        add(&mut pending, 6, &notice(b"", b"a"));
        let order: Vec<u64> = std::iter::from_fn(|| taken(&mut pending, b"a", NUMBER)).collect();
        assert_eq!(order, [6, 5]);
    }

    #[test]
    fn one_id_takes_no_more_than_its_share() {
        let mut pending = Pending::new([8, 9], 1_000, 1 << 20);
        let same = notice(b"", b"7");
        let insert = |pending: &mut Pending, key| pending.insert(key, ALPHA, &same, Timestamp(1), 0);
        assert!((0..ALIKE_MAX as u64).all(|key| insert(&mut pending, key).is_ok()));
        assert_eq!(insert(&mut pending, 500), Err(PendingFull));
        assert!(pending.insert(501, ALPHA, &notice(b"", b"8"), Timestamp(1), 0).is_ok(), "others have room");
        // Those without any id stand in nobody's way.
        assert!((600..800).all(|key| pending.insert(key, ALPHA, &notice(b"", b""), Timestamp(1), 0).is_ok()));
    }

    #[test]
    fn what_is_full_says_so() {
        let mut few = Pending::new([1, 1], 2, 1 << 20);
        add(&mut few, 1, &notice(b"a", b""));
        add(&mut few, 2, &notice(b"b", b""));
        assert_eq!(few.insert(3, ALPHA, &notice(b"c", b""), Timestamp(3), 0), Err(PendingFull));
        add(&mut few, 2, &notice(b"d", b""));
        assert_eq!((few.len(), taken(&mut few, b"b", 0), taken(&mut few, b"d", 0)), (2, None, Some(2)), "replaced");
        let mut small = Pending::new([1, 1], 100, 300);
        add(&mut small, 1, &notice(b"a", b""));
        assert_eq!(small.insert(2, ALPHA, &notice(b"b", b""), Timestamp(3), 0), Err(PendingFull));
        small.remove(1);
        assert_eq!((small.octets, small.insert(2, ALPHA, &notice(b"b", b""), Timestamp(3), 0)), (0, Ok(())));
    }

    #[test]
    fn the_oldest_are_given_up_first() {
        let mut pending = pending();
        for key in [5, 7, 12] {
            add(&mut pending, key, &notice(b"", b"x"));
        }
        assert_eq!(pending.in_segment(0).map(|receipt| receipt.key).collect::<Vec<_>>(), [5, 7]);
        assert_eq!(
            (pending.oldest_at(), pending.pop_older(Timestamp(5)).map(|receipt| receipt.key)),
            (Some(Timestamp(5)), None)
        );
        assert_eq!(
            (
                pending.pop_older(Timestamp(8)).map(|receipt| receipt.key),
                pending.pop_older(Timestamp(8)).map(|receipt| receipt.key)
            ),
            (Some(5), Some(7))
        );
        assert_eq!(
            (pending.pop_older(Timestamp(8)).map(|receipt| receipt.key), pending.len(), pending.is_empty()),
            (None, 1, false)
        );
        assert!(pending.remove(5).is_none());
    }

    #[test]
    fn a_receipt_without_an_id_pends_until_it_is_given_up() {
        let mut pending = pending();
        add(&mut pending, 1, &notice(b"", b""));
        assert_eq!(taken(&mut pending, b"", NUMBER), None);
        assert_eq!(pending.pop_older(Timestamp(2)).map(|receipt| receipt.key), Some(1));
    }
}
