//! The national tables of a message, as its sender is told: those that were chosen, or those that its header names.

use serde_json::{Value, json};

use crate::envelope::Envelope;
use crate::smpp::fields::ESM_UDHI;
use crate::text::data_coding::DataCoding;
use crate::text::{Alphabet, national, udh};

/// Languages of national tables, 0 for the default ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tables {
    /// The language of the locking shift table.
    pub locking: u8,
    /// The language of the single shift table.
    pub single: u8,
}

impl Tables {
    /// What the header of the first part names; nothing unless the message is in GSM-7.
    pub(super) fn of_envelope(envelope: &Envelope<'_>) -> Tables {
        if envelope.esm_class & ESM_UDHI == 0
            || DataCoding(envelope.data_coding).alphabet(Alphabet::Gsm7) != Alphabet::Gsm7
        {
            return Tables::default();
        }
        let header = envelope.part(0).and_then(|octets| udh::split(octets).ok());
        let named = header.and_then(|(elements, _)| national::tables_of(elements).ok());
        named.map(|(locking, single)| Tables { locking, single }).unwrap_or_default()
    }

    /// Whether there is any.
    pub fn any(self) -> bool {
        self != Tables::default()
    }

    /// `{locking, single}`, each the name of a language or null.
    pub fn to_json(self) -> Value {
        json!({ "locking": national::name(self.locking), "single": national::name(self.single) })
    }
}
