//! The two lists of submit_multi (SMPP 3.4 section 4.5): where a message goes, and where it could not go. Both stay
//! the octets of the frame and are read again on every pass.

use core::fmt;

use crate::smpp::address::Address;
use crate::smpp::status::CommandStatus;

/// Where one copy of a submit_multi goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Destination<'a> {
    /// One device (dest_flag 1).
    Sme(Address<'a>),
    /// A distribution list by its name (dest_flag 2).
    List(&'a [u8]),
}

/// A destination that was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failure<'a> {
    /// Which one.
    pub address: Address<'a>,
    /// Why.
    pub status: CommandStatus,
}

/// number_of_dests and the destinations; known to be whole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Destinations<'a> {
    count: u8,
    octets: &'a [u8],
}

/// no_unsuccess and the refused destinations; known to be whole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Failures<'a> {
    count: u8,
    octets: &'a [u8],
}

impl<'a> Destinations<'a> {
    /// For the decoder, which has checked that `octets` are `count` destinations.
    pub(in crate::smpp) fn checked(count: u8, octets: &'a [u8]) -> Destinations<'a> {
        Destinations { count, octets }
    }

    /// Writes destinations into a buffer of the caller. Only the first 255 fit.
    pub fn write<'b>(destinations: &[Destination<'_>], out: &'b mut Vec<u8>) -> Destinations<'b> {
        let start = out.len();
        let taken = &destinations[..destinations.len().min(usize::from(u8::MAX))];
        for destination in taken {
            match destination {
                Destination::Sme(address) => {
                    out.extend_from_slice(&[1, address.ton, address.npi]);
                    push_text(out, address.addr);
                }
                Destination::List(name) => {
                    out.push(2);
                    push_text(out, name);
                }
            }
        }
        Destinations { count: u8::try_from(taken.len()).unwrap_or(u8::MAX), octets: &out[start..] }
    }

    /// number_of_dests.
    pub fn count(&self) -> u8 {
        self.count
    }

    /// The octets behind number_of_dests.
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The destinations in wire order.
    pub fn iter(&self) -> impl Iterator<Item = Destination<'a>> + use<'a> {
        let mut rest = self.octets;
        core::iter::from_fn(move || {
            let (flag, tail) = rest.split_first()?;
            let (destination, tail) = match flag {
                1 => {
                    let (address, tail) = take_address(tail)?;
                    (Destination::Sme(address), tail)
                }
                _ => {
                    let (name, tail) = take_text(tail)?;
                    (Destination::List(name), tail)
                }
            };
            rest = tail;
            Some(destination)
        })
    }
}

impl<'a> Failures<'a> {
    /// For the decoder, which has checked that `octets` are `count` failures.
    pub(in crate::smpp) fn checked(count: u8, octets: &'a [u8]) -> Failures<'a> {
        Failures { count, octets }
    }

    /// Writes failures into a buffer of the caller. Only the first 255 fit.
    pub fn write<'b>(failures: &[Failure<'_>], out: &'b mut Vec<u8>) -> Failures<'b> {
        let start = out.len();
        let taken = &failures[..failures.len().min(usize::from(u8::MAX))];
        for failure in taken {
            out.extend_from_slice(&[failure.address.ton, failure.address.npi]);
            push_text(out, failure.address.addr);
            out.extend_from_slice(&failure.status.0.to_be_bytes());
        }
        Failures { count: u8::try_from(taken.len()).unwrap_or(u8::MAX), octets: &out[start..] }
    }

    /// no_unsuccess.
    pub fn count(&self) -> u8 {
        self.count
    }

    /// The octets behind no_unsuccess.
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The refused destinations in wire order.
    pub fn iter(&self) -> impl Iterator<Item = Failure<'a>> + use<'a> {
        let mut rest = self.octets;
        core::iter::from_fn(move || {
            let (address, tail) = take_address(rest)?;
            let (status, tail) = tail.split_first_chunk::<4>()?;
            rest = tail;
            Some(Failure { address, status: CommandStatus(u32::from_be_bytes(*status)) })
        })
    }
}

impl fmt::Debug for Destinations<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Failures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(text);
    out.push(0);
}

fn take_text(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = octets.iter().position(|octet| *octet == 0)?;
    Some((&octets[..end], &octets[end + 1..]))
}

fn take_address(octets: &[u8]) -> Option<(Address<'_>, &[u8])> {
    let ([ton, npi], rest) = octets.split_first_chunk::<2>()?;
    let (addr, rest) = take_text(rest)?;
    Some((Address { ton: *ton, npi: *npi, addr }, rest))
}
