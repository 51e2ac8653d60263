//! The spellings of a carrier's message id: carriers answer a submit with one and write another into the receipt.
//!
//! Seen in the field: other letter case, leading zeros, hexadecimal for decimal and the reverse, decimal padded to ten digits (quirks
//! Q02, Q03 and Q04).

use std::io::Write;

use siphasher::sip::SipHasher13;

use crate::message::CarrierId;

/// Octets of an id that count; SMPP allows 64, and what is longer in a text is compared as far as this.
const ID_OCTETS_MAX: usize = 255;
const CARRIER_OCTETS: usize = 2;

/// Hashes spellings under a key, so that a carrier cannot choose ids that collide.
#[derive(Clone, Debug)]
pub struct Spelling {
    hasher: SipHasher13,
}

/// One id's hashes within its carrier account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hashes {
    /// Of the id in lower case without leading zeros.
    pub folded: u64,
    /// Of the id as it was written; 32 bits, which only tell apart what folds to the same.
    pub exact: u32,
}

impl Spelling {
    /// Spellings hashed under `key`.
    pub fn new(key: [u64; 2]) -> Spelling {
        Spelling { hasher: SipHasher13::new_with_keys(key[0], key[1]) }
    }

    /// The hashes of an id; `None` if it is empty.
    pub fn hashes(&self, carrier: CarrierId, id: &[u8]) -> Option<Hashes> {
        let id = &id[..id.len().min(ID_OCTETS_MAX)];
        let mut folded = Folded::new(carrier);
        folded.fold(id)?;
        let hash = self.hasher.hash(folded.octets());
        let exact = if folded.id() == id { hash } else { self.hasher.hash(id) };
        Some(Hashes { folded: hash, exact: exact as u32 })
    }

    /// The hashes, folded, of the id read as decimal and written in hexadecimal, and the other way round.
    pub fn converted(&self, carrier: CarrierId, id: &[u8]) -> [Option<u64>; 2] {
        let text = std::str::from_utf8(id).ok().filter(|text| text.bytes().all(|octet| octet.is_ascii_hexdigit()));
        let Some(text) = text else { return [None; 2] };
        let hash = |write: &dyn Fn(&mut Folded)| {
            let mut folded = Folded::new(carrier);
            write(&mut folded);
            self.hasher.hash(folded.octets())
        };
        let decimal = text.parse::<u128>().ok();
        let hexadecimal = u128::from_str_radix(text, 16).ok();
        [
            decimal.map(|number| hash(&|folded| folded.print(format_args!("{number:x}")))),
            hexadecimal.map(|number| hash(&|folded| folded.print(format_args!("{number}")))),
        ]
    }
}

/// What is hashed: the carrier's number and a folded id.
struct Folded {
    octets: [u8; CARRIER_OCTETS + ID_OCTETS_MAX],
    length: usize,
}

impl Folded {
    fn new(carrier: CarrierId) -> Folded {
        let mut octets = [0; CARRIER_OCTETS + ID_OCTETS_MAX];
        octets[..CARRIER_OCTETS].copy_from_slice(&carrier.0.to_le_bytes());
        Folded { octets, length: CARRIER_OCTETS }
    }

    /// Lower case, without leading zeros; nothing but zeros is one zero. `None` if the id is empty.
    fn fold(&mut self, id: &[u8]) -> Option<()> {
        let first = id.iter().position(|octet| *octet != b'0').unwrap_or(id.len().checked_sub(1)?);
        let id = &id[first..];
        let room = &mut self.octets[CARRIER_OCTETS..CARRIER_OCTETS + id.len()];
        room.copy_from_slice(id);
        room.make_ascii_lowercase();
        self.length = CARRIER_OCTETS + id.len();
        Some(())
    }

    /// Prints a number of at most 39 digits as the id.
    fn print(&mut self, number: std::fmt::Arguments<'_>) {
        let mut room = &mut self.octets[CARRIER_OCTETS..];
        let before = room.len();
        room.write_fmt(number).expect("39 digits fit");
        self.length = CARRIER_OCTETS + before - room.len();
    }

    fn octets(&self) -> &[u8] {
        &self.octets[..self.length]
    }

    fn id(&self) -> &[u8] {
        &self.octets[CARRIER_OCTETS..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALPHA: CarrierId = CarrierId(1);

    fn spelling() -> Spelling {
        Spelling::new([1, 2])
    }

    fn folded(id: &[u8]) -> Option<u64> {
        spelling().hashes(ALPHA, id).map(|hashes| hashes.folded)
    }

    #[test]
    fn folding_forgets_case_and_leading_zeros() {
        assert_eq!(folded(b"005A3F9C01"), folded(b"5a3f9c01"));
        assert_eq!(folded(b"000"), folded(b"0"));
        assert_ne!(folded(b"100"), folded(b"1"));
        assert_eq!(folded(b""), None);
        let exact = |id| spelling().hashes(ALPHA, id).map(|hashes| hashes.exact);
        assert_ne!(exact(b"005A3F9C01"), exact(b"5a3f9c01"));
        assert_ne!(folded(b"7"), spelling().hashes(CarrierId(2), b"7").map(|hashes| hashes.folded));
    }

    #[test]
    fn conversions_go_both_ways() {
        let converted = |id| spelling().converted(ALPHA, id);
        assert_eq!(converted(b"1514118145")[0], folded(b"5a3f9c01"));
        assert_eq!(converted(b"0998121924")[0], folded(b"3b7e21c4"));
        assert_eq!(converted(b"3B7E21C4")[1], folded(b"998121924"));
        assert_eq!(converted(b"3B7E21C4")[0], None, "it is no decimal");
        assert_eq!(converted(b"SAR-1"), [None; 2]);
        assert_eq!(converted(b"+12"), [None; 2]);
        assert_eq!(converted(b""), [None; 2]);
        assert_eq!(converted(&[b'f'; 33]), [None; 2], "too long for a number");
        assert_eq!(converted(&[b'f'; 32])[1], folded(b"340282366920938463463374607431768211455"));
    }

    #[test]
    fn ids_of_any_length_are_taken() {
        assert_ne!(folded(&[b'a'; 80]), folded(&[b'a'; 79]));
        assert_eq!(folded(&[b'a'; 300]), folded(&[b'a'; 255]));
        assert!(spelling().hashes(ALPHA, &[0xff; 65]).is_some());
    }
}
