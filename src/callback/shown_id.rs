//! A message id as a tenant's bind sees it: in submit_sm_resp and in receipts alike.

use crate::message::receipt_format::IdForm;
use crate::message::{MessageId, PRINTED_ID_OCTETS, PrintedId};
use crate::seal::Keyring;
use crate::smpp::fields::Version;

/// An id in the form that the tenant expects and that fits the peer: the ids of SMPP 3.3 have at most 8 characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShownId {
    octets: [u8; PRINTED_ID_OCTETS],
    length: usize,
}

impl ShownId {
    /// The form of `id` in a response to a peer of this version, and in the TLV receipted_message_id.
    pub fn in_response(id: MessageId, form: IdForm, version: Version, keyring: &Keyring) -> ShownId {
        let form = if version < Version::V34 { IdForm::Hex } else { form };
        ShownId::written(id, form, keyring)
    }

    /// The form of `id` in the text of a receipt, which has room for any but the one that a 3.3 peer does not know.
    pub fn in_receipt(id: MessageId, form: IdForm, version: Version, keyring: &Keyring) -> ShownId {
        let form = if version < Version::V34 && form == IdForm::Long { IdForm::Hex } else { form };
        ShownId::written(id, form, keyring)
    }

    fn written(id: MessageId, form: IdForm, keyring: &Keyring) -> ShownId {
        let mut octets = [0; PRINTED_ID_OCTETS];
        let low = id.0 as u32;
        let (base, length) = match form {
            IdForm::Long => {
                octets.copy_from_slice(PrintedId::new(id, keyring.id_check(id)).as_bytes());
                return ShownId { octets, length: PRINTED_ID_OCTETS };
            }
            IdForm::Hex => (16, 8),
            IdForm::Decimal => (10, 10),
        };
        let mut rest = low;
        for octet in octets[..length].iter_mut().rev() {
            *octet = b"0123456789abcdef"[(rest % base) as usize];
            rest /= base;
        }
        ShownId { octets, length }
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
        let response = |form, version| ShownId::in_response(id, form, version, &keyring).as_bytes().to_vec();
        let receipt = |form, version| ShownId::in_receipt(id, form, version, &keyring).as_bytes().to_vec();
        for form in [IdForm::Long, IdForm::Hex, IdForm::Decimal] {
            assert_eq!(response(form, Version::V33), b"89abcdef", "it takes no other");
        }
        assert_eq!(receipt(IdForm::Long, Version::V33), b"89abcdef");
        assert_eq!(receipt(IdForm::Decimal, Version::V33), b"2309737967");
        assert_eq!(response(IdForm::Hex, Version::V34), b"89abcdef");
        assert_eq!(response(IdForm::Decimal, Version::V34), b"2309737967");
        let shown = response(IdForm::Long, Version::V34);
        assert_eq!(PrintedId::parse(&shown), Some((id, keyring.id_check(id))));
    }
}
