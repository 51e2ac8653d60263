//! Who a caller is: a tenant by system_id and password, or by API key. Secrets are kept as digests only and compared
//! in constant time.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq;

use crate::admission::config::{Charge, Receipts, TenantConfig};
use crate::message::coding::{Coding, Languages, Link};
use crate::message::rate::Rate;
use crate::message::receipt_format::ReceiptFormat;
use crate::message::smart::Smart;
use crate::message::{Money, TenantId};

/// SHA-256 of a secret: of equal length whatever the secret's is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// What no secret is known to have: it stands in where there is nothing to compare with.
    pub(super) const NOBODY: SecretDigest = SecretDigest([0; 32]);

    /// The digest of a secret.
    pub fn of(secret: &[u8]) -> SecretDigest {
        let mut octets = [0; 32];
        octets.copy_from_slice(digest(&SHA256, secret).as_ref());
        SecretDigest(octets)
    }

    /// Whether both are of the same secret; takes the same time either way.
    pub fn matches(&self, other: &SecretDigest) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(…)")
    }
}

/// A tenant as the stages before the core see it.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its number in facts.
    pub id: TenantId,
    /// Its name in the configuration.
    pub name: String,
    /// Parts in time; absent = no limit.
    pub rate: Option<Rate>,
    /// Parts at once; one second's worth of the rate unless said otherwise.
    pub burst: u32,
    /// Requests without a response on a bind; absent = the bound of all.
    pub window: Option<u16>,
    /// Binds at once; absent = no limit of its own.
    pub binds_max: Option<u16>,
    /// Limit of reserved plus posted; absent = none.
    pub credit: Option<Money>,
    /// Receipts for each message or part.
    pub receipts: Receipts,
    /// How they are written.
    pub receipt_format: ReceiptFormat,
    /// What is paid for.
    pub charge: Charge,
    /// How long a message waits to be sent if the sender does not say.
    pub validity: Duration,
    /// Messages to one destination keep their order.
    pub ordered: bool,
    /// What its data_coding values mean.
    pub link: Link,
    /// Calling code for national numbers.
    pub country: Option<String>,
    /// Languages whose national tables its messages may use, of those that the carrier takes.
    pub languages: Languages,
    /// What is done about dear characters if a request does not say.
    pub smart: Smart,
    /// Optional parameters of each message that does not give them itself, as they stand on the wire.
    pub tlvs: Vec<u8>,
    /// Senders that it may use, in the form in which they go out; empty = any.
    senders: Vec<Vec<u8>>,
    password: Option<SecretDigest>,
    /// Its place in the policy.
    pub(super) place: usize,
}

impl Tenant {
    /// A tenant of the configuration under the number that a Named fact gave it.
    pub(super) fn new(config: &TenantConfig, id: TenantId, place: usize) -> Tenant {
        let plain = |sender: &String| sender.strip_prefix('+').unwrap_or(sender).as_bytes().to_vec();
        Tenant {
            id,
            name: config.id.clone(),
            rate: config.rate,
            burst: config.burst.or(config.rate.map(Rate::second_parts)).unwrap_or(u32::MAX),
            window: config.window,
            binds_max: config.binds_max,
            credit: config.credit,
            receipts: config.receipts,
            receipt_format: config.receipt_format,
            charge: config.charge,
            validity: config.validity,
            ordered: config.ordered,
            country: config.country.clone(),
            languages: config.languages,
            smart: config.smart,
            tlvs: config.tlvs.clone(),
            link: config.link,
            senders: config.senders.iter().map(plain).collect(),
            password: config.password.as_ref().map(|password| SecretDigest::of(password.0.as_bytes())),
            place,
        }
    }

    /// Whether it may send under these octets, as [`crate::admission::number::sender`] gives them.
    pub fn may_use_sender(&self, octets: &[u8]) -> bool {
        self.senders.is_empty() || self.senders.iter().any(|sender| sender == octets)
    }

    /// How a carrier wants texts, with the national tables alone that this tenant's may use.
    pub fn narrowed(&self, coding: Coding) -> Coding {
        Coding { languages: coding.languages.and(self.languages), ..coding }
    }

    /// The digest of its password. A tenant without one has no bind.
    pub(super) fn password(&self) -> Option<SecretDigest> {
        self.password
    }
}

/// Look-ups of tenants by what callers present.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    by_system_id: BTreeMap<Box<[u8]>, usize>,
    by_api_key: BTreeMap<SecretDigest, usize>,
}

impl Directory {
    /// Enters what a tenant may present.
    pub(super) fn insert(&mut self, config: &TenantConfig, place: usize) {
        if let Some(system_id) = &config.system_id {
            self.by_system_id.insert(system_id.as_bytes().into(), place);
        }
        for key in &config.api_keys {
            self.by_api_key.insert(SecretDigest::of(key.0.as_bytes()), place);
        }
    }

    /// The place of the tenant with this system_id.
    pub(super) fn with_system_id(&self, system_id: &[u8]) -> Option<usize> {
        self.by_system_id.get(system_id).copied()
    }

    /// The place of the tenant with this API key. The key's digest is looked up: how long that takes tells nothing
    /// about the key.
    pub(super) fn with_api_key(&self, key: &[u8]) -> Option<usize> {
        self.by_api_key.get(&SecretDigest::of(key)).copied()
    }
}
