//! Opens the envelopes of records that were sealed on any day, fetching data keys as they are needed.

use std::sync::Arc;

use crate::fact::Accepted;
use crate::gateway::names::NameBook;
use crate::store::disk::Disk;
use crate::store::keys::Keys;

/// The keys, and the names by which they are filed.
pub(super) struct Seals<D: Disk> {
    pub keys: Arc<Keys<D>>,
    pub names: Arc<NameBook>,
    /// What the seals are bound to.
    pub context: &'static [u8],
}

impl<D: Disk> Seals<D> {
    /// Appends a message's open envelope, or says why it cannot be opened.
    pub(super) fn open(&self, accepted: &Accepted<'_>, plain: &mut Vec<u8>) -> Result<(), &'static str> {
        let names = self.names.read();
        let key = self.keys.load(accepted.tenant, names.tenant(accepted.tenant), accepted.day);
        let opened = key.map_err(|_| "its data key is not there")?.open(accepted.sealed, self.context, plain);
        opened.map_err(|_| "its seal is broken")
    }
}
