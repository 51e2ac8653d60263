//! The usual PDU in one go: its header and mandatory fields are written into octets made ready for all of them, where
//! writing field by field would look for room each time. What is not usual (a string over 32 octets or with a NUL
//! inside, fields that do not fit) is not written at all, and the caller writes it field by field.

use crate::smpp::command::CommandId;
use crate::smpp::frame::HEADER_OCTETS;
use crate::smpp::status::CommandStatus;

/// What stands before the body, without the length.
#[derive(Clone, Copy)]
pub(in crate::smpp) struct Header {
    pub(in crate::smpp) command: CommandId,
    pub(in crate::smpp) status: CommandStatus,
    pub(in crate::smpp) sequence: u32,
}

impl Header {
    /// The octets on the wire.
    #[inline(always)]
    pub(in crate::smpp) fn octets(self, command_length: u32) -> [u8; HEADER_OCTETS] {
        let mut octets = [0; HEADER_OCTETS];
        octets[..4].copy_from_slice(&command_length.to_be_bytes());
        octets[4..8].copy_from_slice(&self.command.0.to_be_bytes());
        octets[8..12].copy_from_slice(&self.status.0.to_be_bytes());
        octets[12..].copy_from_slice(&self.sequence.to_be_bytes());
        octets
    }
}

/// Of a word of [`nuls`], the bits that count.
const NUL: u64 = 0x8080_8080_8080_8080;

/// The mandatory fields while they are written. Each writer gives None when the PDU is not a usual one.
pub(in crate::smpp) struct Fields<'b> {
    room: &'b mut [u8],
    /// Which of the bits of [`NUL`] were seen: a string holds a NUL.
    nuls: u64,
}

/// Appends the header, the fields that `write` writes, the message and the TLVs. `ROOM` is what header and fields
/// may take. False, and nothing appended: this is not a usual PDU.
#[inline(always)]
pub(in crate::smpp) fn append<const ROOM: usize>(
    out: &mut Vec<u8>,
    header: Header,
    [message, tlvs]: [&[u8]; 2],
    write: impl FnOnce(&mut Fields<'_>) -> Option<()>,
) -> bool {
    let start = out.len();
    out.reserve(ROOM + message.len() + tlvs.len());
    out.extend_from_slice(&[0; ROOM]);
    let Some((head, room)) = out.last_chunk_mut::<ROOM>().and_then(|room| room.split_first_chunk_mut()) else {
        return false;
    };
    let mut fields = Fields { room, nuls: 0 };
    let written = write(&mut fields);
    let head_octets = ROOM - fields.room.len();
    if written.is_none() || fields.nuls & NUL != 0 {
        out.truncate(start);
        return false;
    }
    let command_length = head_octets + message.len() + tlvs.len();
    *head = header.octets(u32::try_from(command_length).unwrap_or(u32::MAX));
    out.truncate(start + head_octets);
    out.extend_from_slice(message);
    if !tlvs.is_empty() {
        out.extend_from_slice(tlvs);
    }
    true
}

impl Fields<'_> {
    /// Octets as they are.
    #[inline(always)]
    pub(in crate::smpp) fn octets<const N: usize>(&mut self, octets: [u8; N]) -> Option<()> {
        let (field, room) = core::mem::take(&mut self.room).split_first_chunk_mut()?;
        self.room = room;
        *field = octets;
        Some(())
    }

    /// A C-octet string without its NUL, in one or two pieces of 16, 8 or 4 octets that may overlap.
    #[inline(always)]
    pub(in crate::smpp) fn text(&mut self, value: &[u8]) -> Option<()> {
        if value.is_empty() {
            return Some(());
        }
        let (field, room) = core::mem::take(&mut self.room).split_at_mut_checked(value.len())?;
        self.room = room;
        if let (Some(first), Some(last)) = (value.first_chunk::<8>(), value.last_chunk::<8>()) {
            if value.len() > 16 {
                self.nuls |= long_text(field, value);
                return Some(());
            }
            *field.first_chunk_mut()? = *first;
            *field.last_chunk_mut()? = *last;
            self.nuls |= nuls(u64::from_le_bytes(*first)) | nuls(u64::from_le_bytes(*last));
        } else if let (Some(first), Some(last)) = (value.first_chunk::<4>(), value.last_chunk::<4>()) {
            *field.first_chunk_mut()? = *first;
            *field.last_chunk_mut()? = *last;
            self.nuls |= nuls(u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)));
        } else {
            for at in [0, value.len() / 2, value.len() - 1] {
                field[at] = value[at];
                self.nuls |= u64::from(value[at] == 0) << 7;
            }
        }
        Some(())
    }
}

/// More than 16 octets. With bits of [`NUL`]: a NUL is among them, or they are too many.
#[inline(always)]
fn long_text(field: &mut [u8], value: &[u8]) -> u64 {
    let (Some(first), Some(last)) = (value.first_chunk::<16>(), value.last_chunk::<16>()) else { return NUL };
    let (Some(to), 17..=32) = (field.first_chunk_mut(), value.len()) else { return NUL };
    *to = *first;
    let Some(to) = field.last_chunk_mut() else { return NUL };
    *to = *last;
    nuls_of_two(*first) | nuls_of_two(*last)
}

/// The highest bit of an octet of the result is set if that octet is zero; none is set if no octet is. Other bits may be.
#[inline(always)]
fn nuls(word: u64) -> u64 {
    word.wrapping_sub(0x0101_0101_0101_0101) & !word
}

/// As [`nuls`], for sixteen octets.
#[inline(always)]
fn nuls_of_two(octets: [u8; 16]) -> u64 {
    let octets = u128::from_le_bytes(octets);
    nuls(octets as u64) | nuls((octets >> 64) as u64)
}
