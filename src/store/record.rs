//! Groups and records as bytes, sans-IO. A group is what one sync makes durable: a header whose CRC-32C covers
//! itself and the payload, then records of length, type and payload. `docs/format.md` has the tables.

/// Bytes of a group's header.
pub const GROUP_HEADER_BYTES: usize = 40;
/// Bytes before a record's payload: its length (u32) and its type (u8).
pub const RECORD_HEADER_BYTES: usize = 5;
/// The most bytes of records that one group may hold.
pub const GROUP_BYTES_MAX: usize = 256 * 1024;
/// The same of the first group of a segment, which holds the checkpoint: names and balances of as many tenants as there can be.
pub const CHECKPOINT_BYTES_MAX: usize = 8 << 20;
/// Groups start at multiples of this, so that a search for one compares whole words.
pub const GROUP_ALIGN: usize = 8;

const MAGIC: u32 = u32::from_le_bytes(*b"SGRP");
const CRC_AT: usize = 36;

/// What stands before the records of a group. All integers are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupHeader {
    /// The sequence number of the segment the group was written to; tells it from what a recycled segment held.
    pub epoch: u32,
    /// 1 for the first group of a store, then without a gap.
    pub number: u64,
    /// The number of the group's first record; records are numbered through the whole store without a gap.
    pub first_fact: u64,
    /// Records in the group.
    pub records: u32,
    /// Bytes of records.
    pub length: u32,
}

impl GroupHeader {
    /// The header's bytes, with the checksum over them and over `payload`.
    pub fn encode(&self, payload: &[u8]) -> [u8; GROUP_HEADER_BYTES] {
        let mut bytes = [0; GROUP_HEADER_BYTES];
        bytes[0..4].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.number.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first_fact.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.records.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.length.to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes[..CRC_AT]), payload);
        bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a header if one of this epoch may start here; the checksum is for `is_whole`.
    pub fn decode(bytes: &[u8], epoch: u32) -> Option<GroupHeader> {
        let bytes: &[u8; GROUP_HEADER_BYTES] = bytes.get(..GROUP_HEADER_BYTES)?.try_into().ok()?;
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes of forty"));
        let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes of forty"));
        let header =
            GroupHeader { epoch: word(4), number: long(8), first_fact: long(16), records: word(24), length: word(28) };
        let plausible = word(0) == MAGIC && header.epoch == epoch && header.length as usize <= CHECKPOINT_BYTES_MAX;
        plausible.then_some(header)
    }

    /// Whether `group` (header and at least its payload) is exactly what was once written.
    pub fn is_whole(&self, group: &[u8]) -> bool {
        let Some(payload) = group.get(GROUP_HEADER_BYTES..GROUP_HEADER_BYTES + self.length as usize) else {
            return false;
        };
        let crc = crc32c::crc32c_append(crc32c::crc32c(&group[..CRC_AT]), payload);
        crc.to_le_bytes() == group[CRC_AT..GROUP_HEADER_BYTES] && count_records(payload) == Some(self.records)
    }

    /// Bytes from this group's start to where the next one may start.
    pub fn stride(&self) -> u32 {
        group_stride(self.length as usize) as u32
    }
}

/// The eight bytes with which each group of an epoch begins.
pub(crate) fn group_mark(epoch: u32) -> u64 {
    u64::from(MAGIC) | u64::from(epoch) << 32
}

/// Bytes that a group of `payload_bytes` takes in a segment.
pub(crate) const fn group_stride(payload_bytes: usize) -> usize {
    (GROUP_HEADER_BYTES + payload_bytes).next_multiple_of(GROUP_ALIGN)
}

/// Appends one record. What a type octet means is `crate::fact`'s business.
pub fn put_record(out: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    out.push(kind);
    out.extend_from_slice(payload);
}

/// One record of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where its first byte is, counted from the group's first record; add the group's place to get its own.
    pub offset: u32,
    /// Its type octet.
    pub kind: u8,
    /// Its bytes.
    pub payload: &'a [u8],
}

/// The records of a group's payload, in written order.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    payload: &'a [u8],
    offset: usize,
}

impl<'a> Records<'a> {
    /// Reads `payload`, which is a whole group's; a record that overruns it ends the iteration.
    pub fn new(payload: &'a [u8]) -> Records<'a> {
        Records { payload, offset: 0 }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let rest = &self.payload[self.offset..];
        let (kind, payload) = split_record(rest)?;
        let offset = self.offset as u32;
        self.offset += RECORD_HEADER_BYTES + payload.len();
        Some(Record { offset, kind, payload })
    }
}

/// The record at the start of `bytes`, or nothing if it is not all there.
pub(crate) fn split_record(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let kind = *bytes.get(4)?;
    Some((kind, bytes.get(RECORD_HEADER_BYTES..)?.get(..length)?))
}

/// How many records fill `payload` exactly; nothing if they do not.
pub(crate) fn count_records(payload: &[u8]) -> Option<u32> {
    let mut records = Records::new(payload);
    let mut count = 0;
    while records.next().is_some() {
        count += 1;
    }
    (records.offset == payload.len()).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(records: &[(u8, &[u8])]) -> (GroupHeader, Vec<u8>) {
        let mut payload = Vec::new();
        for (kind, bytes) in records {
            put_record(&mut payload, *kind, bytes);
        }
        let header = GroupHeader {
            epoch: 7,
            number: 3,
            first_fact: 11,
            records: records.len() as u32,
            length: payload.len() as u32,
        };
        let mut bytes = header.encode(&payload).to_vec();
        bytes.extend_from_slice(&payload);
        (header, bytes)
    }

    #[test]
    fn a_group_reads_back_as_written() {
        let (header, bytes) = group(&[(1, b"first"), (2, b""), (9, b"third")]);
        assert_eq!(GroupHeader::decode(&bytes, 7), Some(header));
        assert!(header.is_whole(&bytes));
        let records: Vec<_> =
            Records::new(&bytes[GROUP_HEADER_BYTES..]).map(|r| (r.offset, r.kind, r.payload)).collect();
        assert_eq!(records, [(0, 1, &b"first"[..]), (10, 2, b""), (15, 9, b"third")]);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let (_, bytes) = group(&[(1, b"first"), (2, b"second")]);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let accepted = GroupHeader::decode(&flipped, 7).is_some_and(|header| header.is_whole(&flipped));
            assert!(!accepted, "bit {bit}");
        }
    }

    #[test]
    fn another_epoch_is_no_group() {
        let (_, bytes) = group(&[(1, b"first")]);
        assert_eq!(GroupHeader::decode(&bytes, 8), None);
        assert_eq!(group_mark(7).to_le_bytes(), bytes[..8]);
    }

    #[test]
    fn records_that_do_not_fill_the_payload_are_not_counted() {
        let mut payload = Vec::new();
        put_record(&mut payload, 1, b"whole");
        assert_eq!(count_records(&payload), Some(1));
        payload.push(0);
        assert_eq!(count_records(&payload), None);
    }
}
