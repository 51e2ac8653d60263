//! A message id as a tenant's bind sees it: in submit_sm_resp and in receipts alike.

use crate::message::{MessageId, PRINTED_ID_OCTETS, PrintedId};
use crate::seal::Keyring;
use crate::smpp::fields::Version;

/// An id in the form that fits the peer: 26 characters of base 32, or for a 3.3 peer, whose ids have at most 8 characters, the low
/// 32 bits in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShownId {
    octets: [u8; PRINTED_ID_OCTETS],
    length: usize,
}

impl ShownId {
    /// The form of `id` for a peer of this version.
    pub fn new(id: MessageId, version: Version, keyring: &Keyring) -> ShownId {
        let mut octets = [0; PRINTED_ID_OCTETS];
        if version >= Version::V34 {
            octets.copy_from_slice(PrintedId::new(id, keyring.id_check(id)).as_bytes());
            return ShownId { octets, length: PRINTED_ID_OCTETS };
        }
        for (place, octet) in octets.iter_mut().take(8).enumerate() {
            let nibble = (id.0 as u32 >> (28 - 4 * place)) & 15;
            *octet = b"0123456789abcdef"[nibble as usize];
        }
        ShownId { octets, length: 8 }
    }

    /// The characters.
    pub fn as_bytes(&self) -> &[u8] {
        &self.octets[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::MasterKey;

    #[test]
    fn a_peer_of_3_3_gets_eight_hexadecimal_digits() {
        let keyring = Keyring::new(&MasterKey::from_hex(&"17".repeat(32)).expect("64 digits"), 0, 1);
        let id = MessageId::new(5, 0x12_89ab_cdef);
        assert_eq!(ShownId::new(id, Version::V33, &keyring).as_bytes(), b"89abcdef");
        let shown = ShownId::new(id, Version::V34, &keyring);
        assert_eq!(PrintedId::parse(shown.as_bytes()), Some((id, keyring.id_check(id))));
    }
}
