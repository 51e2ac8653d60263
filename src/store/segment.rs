//! One segment file: its name, its header block, and the walk over its groups.
//! A segment is 64 MiB by default, filled with zeros or with an older segment's groups before it is used;
//! the epoch in each group's header tells what is this segment's own.

use crate::store::disk::{Disk, DiskFile};
use crate::store::error::Error;
use crate::store::record::{self, GROUP_ALIGN, GROUP_BYTES_MAX, GROUP_HEADER_BYTES, GroupHeader};

/// The journal's folder below the data directory.
pub(crate) const FOLDER: &str = "journal";
/// The newest format version that this program writes and reads.
pub(crate) const FORMAT_VERSION: u32 = 1;
/// Where a segment's first group starts; the header block has the page before it for itself.
pub(crate) const DATA_START: u32 = 4096;

const HEADER_MAGIC: &[u8; 8] = b"SLUICESG";
const HEADER_BYTES: usize = 28;
const SEGMENT_SUFFIX: &str = ".segment";
const SPARE_SUFFIX: &str = ".spare";
/// Bytes read at once by a walk.
const BLOCK_BYTES: usize = 1 << 20;

/// The file name of a segment.
pub(crate) fn segment_name(epoch: u32) -> String {
    format!("{FOLDER}/{epoch:010}{SEGMENT_SUFFIX}")
}

/// The file name of a spare, which waits to become a segment.
pub(crate) fn spare_name(number: u32) -> String {
    format!("{FOLDER}/{number:010}{SPARE_SUFFIX}")
}

/// The epoch in a segment's plain file name.
pub(crate) fn segment_epoch(plain_name: &str) -> Option<u32> {
    plain_name.strip_suffix(SEGMENT_SUFFIX)?.parse().ok()
}

/// The number in a spare's plain file name.
pub(crate) fn spare_number(plain_name: &str) -> Option<u32> {
    plain_name.strip_suffix(SPARE_SUFFIX)?.parse().ok()
}

/// The first bytes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) epoch: u32,
    pub(crate) segment_bytes: u32,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..8].copy_from_slice(HEADER_MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.segment_bytes.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..24]);
        bytes[24..28].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads and checks the header of the segment `epoch`. The version is looked at before the checksum, so that a
    /// newer format may lay out the rest as it likes.
    pub(crate) fn read<D: Disk>(disk: &D, file: &D::File, epoch: u32) -> Result<SegmentHeader, Error> {
        let path = disk.path(&segment_name(epoch));
        let damaged = |what: &str| Error::Damaged { path: path.clone(), offset: 0, what: what.to_string() };
        let mut bytes = [0; HEADER_BYTES];
        let read = file.read_full_at(&mut bytes, 0);
        if read.map_err(|source| Error::Disk { doing: "read", path: path.clone(), source })? < HEADER_BYTES {
            return Err(damaged("the file ends within the segment header"));
        }
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes of the header"));
        if &bytes[..8] != HEADER_MAGIC {
            return Err(damaged("this is no segment header"));
        }
        if word(8) > FORMAT_VERSION {
            return Err(Error::NewerFormat { path, found: word(8), known: FORMAT_VERSION });
        }
        if word(24) != crc32c::crc32c(&bytes[..24]) {
            return Err(damaged("the segment header's checksum does not fit"));
        }
        if word(12) != epoch {
            return Err(damaged("the segment header belongs to another segment"));
        }
        Ok(SegmentHeader { epoch, segment_bytes: word(16) })
    }
}

/// Where a whole group lies in a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupAt {
    pub(crate) header: GroupHeader,
    /// Offset of the group's header in the file.
    pub(crate) offset: u32,
}

impl GroupAt {
    /// Offset of the group's first record.
    pub(crate) fn records_at(&self) -> u32 {
        self.offset + GROUP_HEADER_BYTES as u32
    }
}

/// A walk over the whole groups of one segment, in blocks of 1 MiB. It owns its block and may be set to another
/// segment, so that a long replay allocates once.
#[derive(Debug)]
pub(crate) struct Walk {
    epoch: u32,
    block: Vec<u8>,
    /// File offset of the block's first byte, and how many bytes of it are read.
    block_at: u32,
    filled: usize,
    /// File offset where the next group is expected.
    next: u32,
}

impl Walk {
    pub(crate) fn new() -> Walk {
        Walk { epoch: 0, block: Vec::new(), block_at: 0, filled: 0, next: DATA_START }
    }

    /// Goes to the group at `offset` of the segment `epoch`.
    pub(crate) fn start(&mut self, epoch: u32, offset: u32) {
        (self.epoch, self.next, self.block_at, self.filled) = (epoch, offset, offset, 0);
    }

    /// The segment being walked.
    pub(crate) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Where the next group is expected: the end of the whole groups once `advance` has given nothing.
    pub(crate) fn position(&self) -> u32 {
        self.next
    }

    /// Goes over the next whole group; gives nothing, and stays, where there is none. Bytes from `end` on are not
    /// looked at.
    pub(crate) fn advance<F: DiskFile>(&mut self, file: &F, end: u32) -> std::io::Result<Option<GroupAt>> {
        let epoch = self.epoch;
        let available = self.fill(file, GROUP_HEADER_BYTES, end)?;
        let Some(header) = GroupHeader::decode(available, epoch) else { return Ok(None) };
        let group = self.fill(file, GROUP_HEADER_BYTES + header.length as usize, end)?;
        if !header.is_whole(group) {
            return Ok(None);
        }
        let offset = self.next;
        self.next += header.stride();
        Ok(Some(GroupAt { header, offset }))
    }

    /// The header and records of the group that `advance` gave last.
    pub(crate) fn group(&self, group: &GroupAt) -> &[u8] {
        let from = (group.offset - self.block_at) as usize;
        &self.block[from..from + GROUP_HEADER_BYTES + group.header.length as usize]
    }

    /// The records of the group that `advance` gave last.
    pub(crate) fn payload(&self, group: &GroupAt) -> &[u8] {
        &self.group(group)[GROUP_HEADER_BYTES..]
    }

    /// The bytes from `next` on, at least `wanted` of them unless the segment ends before.
    fn fill<F: DiskFile>(&mut self, file: &F, wanted: usize, end: u32) -> std::io::Result<&[u8]> {
        let from = (self.next - self.block_at) as usize;
        let missing = self.filled.saturating_sub(from) < wanted;
        if missing && self.block_at + (self.filled as u32) < end {
            // A checkpoint may be larger than the block is at first.
            self.block.resize(BLOCK_BYTES.max(wanted).max(self.block.len()).min(end as usize), 0);
            let keep = self.filled.saturating_sub(from);
            self.block.copy_within(self.filled - keep..self.filled, 0);
            (self.block_at, self.filled) = (self.next, keep);
            let read_from = self.block_at + keep as u32;
            let room = (self.block.len() - keep).min(end.saturating_sub(read_from) as usize);
            self.filled += file.read_full_at(&mut self.block[keep..keep + room], u64::from(read_from))?;
        }
        let from = ((self.next - self.block_at) as usize).min(self.filled);
        Ok(&self.block[from..self.filled])
    }
}

const _: () = assert!(BLOCK_BYTES > GROUP_HEADER_BYTES + GROUP_BYTES_MAX, "a block must hold the largest group");

/// The offset of the first whole group of this epoch at or after `from`, for telling damage from a torn tail.
/// What a recycled segment held before has older epochs and does not count.
pub(crate) fn find_group<F: DiskFile>(file: &F, epoch: u32, from: u32, end: u32) -> std::io::Result<Option<u32>> {
    let mark = record::group_mark(epoch).to_le_bytes();
    let mut block = vec![0; BLOCK_BYTES.min(end as usize)];
    let mut at = from.next_multiple_of(GROUP_ALIGN as u32);
    while at < end {
        let room = block.len().min((end - at) as usize);
        let read = file.read_full_at(&mut block[..room], u64::from(at))?;
        for (index, word) in block[..read].chunks_exact(GROUP_ALIGN).enumerate() {
            if word == mark {
                let offset = at + (index * GROUP_ALIGN) as u32;
                let mut walk = Walk::new();
                walk.start(epoch, offset);
                if walk.advance(file, end)?.is_some() {
                    return Ok(Some(offset));
                }
            }
        }
        if read < room {
            break;
        }
        at += room as u32;
    }
    Ok(None)
}
