//! The elements that bodies are made of (SMPP 3.4 section 3.1): integers, C-octet strings, addresses, the message and
//! the optional parameters, each as a nom parser that says whose fault it is.

use core::num::NonZeroU64;

use nom::IResult;
use nom::error::{ErrorKind, ParseError};
use nom::number::complete::be_u8;

use crate::smpp::address::Address;
use crate::smpp::status::CommandStatus;
use crate::smpp::tlv::Tlvs;

/// The fault of one field, while parsing.
#[derive(Clone, Copy, Debug)]
pub(in crate::smpp) struct Fault(pub(in crate::smpp) CommandStatus);

/// What nom itself finds wrong is always that the body is too short.
impl ParseError<&[u8]> for Fault {
    fn from_error_kind(_: &[u8], _: ErrorKind) -> Fault {
        Fault(CommandStatus::RINVCMDLEN)
    }

    fn append(_: &[u8], _: ErrorKind, other: Fault) -> Fault {
        other
    }
}

#[inline]
pub(in crate::smpp) fn fault<T>(status: CommandStatus) -> IResult<&'static [u8], T, Fault> {
    Err(nom::Err::Error(Fault(status)))
}

/// Where the first NUL is.
#[inline]
pub(in crate::smpp) fn position_of_nul(octets: &[u8]) -> Option<usize> {
    let Some(last) = octets.last_chunk() else { return octets.iter().position(|octet| *octet == 0) };
    let mut rest = octets;
    while let Some((chunk, tail)) = rest.split_first_chunk() {
        if let Some(end) = nul_in(*chunk) {
            return Some(octets.len() - rest.len() + end);
        }
        rest = tail;
    }
    // What is left is in the last eight octets, and those before it hold none.
    nul_in(*last).map(|end| octets.len() - 8 + end)
}

/// Where the first NUL of eight octets is. The trick finds the lowest zero octet of a word exactly.
#[inline(always)]
fn nul_in(octets: [u8; 8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let word = u64::from_le_bytes(octets);
    let zeros = NonZeroU64::new(word.wrapping_sub(ONES) & !word & HIGHS)?;
    Some((zeros.trailing_zeros() / 8) as usize)
}

/// A C-octet string of at most `octets_max` octets with its NUL. Too long is the fault of this field, while a body that
/// ends early is the fault of the whole PDU.
#[inline(always)]
pub(in crate::smpp) fn text(input: &[u8], octets_max: usize, status: CommandStatus) -> IResult<&[u8], &[u8], Fault> {
    if let Some((0, rest)) = input.split_first() {
        return Ok((rest, &[]));
    }
    let mut at = 0;
    while at < octets_max {
        let Some(chunk) = input[at..].first_chunk() else { return last_text(input, octets_max, status) };
        if let Some(end) = nul_in(*chunk) {
            let end = at + end;
            return if end < octets_max { Ok((&input[end + 1..], &input[..end])) } else { fault(status) };
        }
        at += 8;
    }
    fault(status)
}

/// As [`text`], octet by octet, for the last eight octets of the input.
#[cold]
#[inline(never)]
fn last_text(input: &[u8], octets_max: usize, status: CommandStatus) -> IResult<&[u8], &[u8], Fault> {
    match input.iter().take(octets_max).position(|octet| *octet == 0) {
        Some(end) => Ok((&input[end + 1..], &input[..end])),
        None if input.len() < octets_max => fault(CommandStatus::RINVCMDLEN),
        None => fault(status),
    }
}

#[inline]
pub(in crate::smpp) fn octets<const N: usize>(input: &[u8]) -> IResult<&[u8], [u8; N], Fault> {
    match input.split_first_chunk::<N>() {
        Some((taken, rest)) => Ok((rest, *taken)),
        None => fault(CommandStatus::RINVCMDLEN),
    }
}

#[inline(always)]
pub(in crate::smpp) fn address(
    input: &[u8],
    octets_max: usize,
    status: CommandStatus,
) -> IResult<&[u8], Address<'_>, Fault> {
    let (rest, [ton, npi]) = octets(input)?;
    let (rest, addr) = text(rest, octets_max, status)?;
    Ok((rest, Address { ton, npi, addr }))
}

#[inline(always)]
pub(in crate::smpp) fn source(input: &[u8]) -> IResult<&[u8], Address<'_>, Fault> {
    address(input, 21, CommandStatus::RINVSRCADR)
}

#[inline(always)]
pub(in crate::smpp) fn dest(input: &[u8]) -> IResult<&[u8], Address<'_>, Fault> {
    address(input, 21, CommandStatus::RINVDSTADR)
}

#[inline(always)]
pub(in crate::smpp) fn service_type(input: &[u8]) -> IResult<&[u8], &[u8], Fault> {
    text(input, 6, CommandStatus::RINVSERTYP)
}

#[inline(always)]
pub(in crate::smpp) fn message_id(input: &[u8]) -> IResult<&[u8], &[u8], Fault> {
    text(input, 65, CommandStatus::RINVMSGID)
}

#[inline(always)]
pub(in crate::smpp) fn schedule(input: &[u8]) -> IResult<&[u8], &[u8], Fault> {
    text(input, 17, CommandStatus::RINVSCHED)
}

#[inline(always)]
pub(in crate::smpp) fn validity(input: &[u8]) -> IResult<&[u8], &[u8], Fault> {
    text(input, 17, CommandStatus::RINVEXPIRY)
}

#[inline(always)]
pub(in crate::smpp) fn short_message(input: &[u8]) -> IResult<&[u8], &[u8], Fault> {
    let (rest, sm_length) = be_u8(input)?;
    match rest.split_at_checked(usize::from(sm_length)) {
        Some((message, rest)) => Ok((rest, message)),
        None => fault(CommandStatus::RINVMSGLEN),
    }
}

#[inline(always)]
pub(in crate::smpp) fn tlvs(input: &[u8]) -> IResult<&[u8], Tlvs<'_>, Fault> {
    match Tlvs::parse(input) {
        Ok(tlvs) => Ok((&[], tlvs)),
        Err(_) => fault(CommandStatus::RINVTLVSTREAM),
    }
}

/// The string at the start of a response and what follows it; None: no body. The NUL may be missing (quirk Q37).
pub(in crate::smpp) fn whole_or_cut(body: &[u8]) -> Option<(&[u8], &[u8])> {
    if body.is_empty() {
        return None;
    }
    match position_of_nul(body) {
        Some(end) => Some((&body[..end], &body[end + 1..])),
        None => Some((body, &[])),
    }
}
