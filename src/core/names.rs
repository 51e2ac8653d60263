//! Numbers for tenants and carriers: given once, by a Named fact, and never given again.

use crate::message::{CarrierId, TenantId};

/// The names by their numbers; number 0 is nobody's.
#[derive(Debug, Default)]
pub(super) struct Names {
    tenants: Vec<String>,
    carriers: Vec<String>,
}

impl Names {
    pub(super) fn tenant(&self, name: &str) -> Option<TenantId> {
        position(&self.tenants, name).map(TenantId)
    }

    pub(super) fn carrier(&self, name: &str) -> Option<CarrierId> {
        position(&self.carriers, name).map(CarrierId)
    }

    pub(super) fn next_tenant(&self) -> TenantId {
        TenantId(self.tenants.len().max(1) as u16)
    }

    pub(super) fn next_carrier(&self) -> CarrierId {
        CarrierId(self.carriers.len().max(1) as u16)
    }

    pub(super) fn set_tenant(&mut self, tenant: TenantId, name: &str) {
        set(&mut self.tenants, usize::from(tenant.0), name);
    }

    pub(super) fn set_carrier(&mut self, carrier: CarrierId, name: &str) {
        set(&mut self.carriers, usize::from(carrier.0), name);
    }

    pub(super) fn tenants(&self) -> impl Iterator<Item = (TenantId, &str)> {
        named(&self.tenants).map(|(number, name)| (TenantId(number), name))
    }

    pub(super) fn carriers(&self) -> impl Iterator<Item = (CarrierId, &str)> {
        named(&self.carriers).map(|(number, name)| (CarrierId(number), name))
    }
}

fn position(names: &[String], name: &str) -> Option<u16> {
    names.iter().skip(1).position(|known| known == name).map(|index| index as u16 + 1)
}

fn set(names: &mut Vec<String>, number: usize, name: &str) {
    if names.len() <= number {
        names.resize(number + 1, String::new());
    }
    names[number] = name.to_owned();
}

fn named(names: &[String]) -> impl Iterator<Item = (u16, &str)> {
    names.iter().enumerate().skip(1).map(|(number, name)| (number as u16, name.as_str()))
}
