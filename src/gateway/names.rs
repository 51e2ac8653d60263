//! The names of tenants and carriers by their numbers, for threads that only have numbers.

use std::collections::BTreeMap;
use std::sync::{RwLock, RwLockReadGuard};

use crate::message::{CarrierId, TenantId};

/// Names that were ever configured while this process runs.
#[derive(Debug, Default)]
pub(super) struct NameBook(RwLock<Book>);

#[derive(Debug, Default)]
pub(super) struct Book {
    tenants: BTreeMap<TenantId, String>,
    carriers: BTreeMap<CarrierId, String>,
}

impl Book {
    /// A tenant's name; empty for a number that this configuration does not name.
    pub(super) fn tenant(&self, tenant: TenantId) -> &str {
        self.tenants.get(&tenant).map_or("", String::as_str)
    }

    /// A carrier's name, likewise.
    pub(super) fn carrier(&self, carrier: CarrierId) -> &str {
        self.carriers.get(&carrier).map_or("", String::as_str)
    }
}

impl Book {
    pub(super) fn tenants(&self) -> impl Iterator<Item = (TenantId, &str)> {
        self.tenants.iter().map(|(id, name)| (*id, name.as_str()))
    }

    pub(super) fn carriers(&self) -> impl Iterator<Item = (CarrierId, &str)> {
        self.carriers.iter().map(|(id, name)| (*id, name.as_str()))
    }
}

impl NameBook {
    /// Adds names.
    pub(super) fn add(&self, tenants: &[(TenantId, String)], carriers: &[(CarrierId, String)]) {
        let mut book = self.0.write().unwrap_or_else(|e| e.into_inner());
        book.tenants.extend(tenants.iter().cloned());
        book.carriers.extend(carriers.iter().cloned());
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Book> {
        self.0.read().unwrap_or_else(|e| e.into_inner())
    }
}
