//! What one part costs: the longest prefix of the destination among the tenant's prices.

use std::fmt;

pub use crate::billing::config::PriceConfig;
use crate::message::prefix::PrefixMap;
use crate::message::{Money, TenantId};

/// All prices, compiled at load. A look-up walks at most 15 digits and allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct PriceBook {
    /// By the tenant's number; numbers are small and dense.
    tenants: Vec<PrefixMap<Money>>,
}

/// What a destination costs a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// One part costs this.
    PerPart(Money),
    /// The tenant has no prices at all: it sends unpriced.
    Unpriced,
    /// The tenant has prices, and none for this destination: to be refused.
    NoPrice,
}

impl Quote {
    /// The price of `parts` parts; `None` if there is none, or it does not fit into 64 bits.
    pub fn total(self, parts: u8) -> Option<Money> {
        let Quote::PerPart(price) = self else { return None };
        Some(Money { micros: price.micros.checked_mul(i64::from(parts))?, ..price })
    }
}

/// A price whose prefix is not made of digits. The configuration's own checks find it earlier and with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPrefix(pub String);

impl fmt::Display for BadPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the price prefix {:?} is not made of digits", self.0)
    }
}

impl std::error::Error for BadPrefix {}

impl PriceBook {
    /// Compiles prices. `tenant_id` gives the number of a tenant's name, as Named facts have it.
    pub fn new(prices: &[PriceConfig], mut tenant_id: impl FnMut(&str) -> TenantId) -> Result<PriceBook, BadPrefix> {
        let mut book = PriceBook::default();
        for price in prices {
            let place = usize::from(tenant_id(&price.tenant).0);
            if book.tenants.len() <= place {
                book.tenants.resize_with(place + 1, PrefixMap::new);
            }
            let entered = book.tenants[place].insert(&price.prefix, price.per_part);
            entered.map_err(|_| BadPrefix(price.prefix.clone()))?;
        }
        Ok(book)
    }

    /// What one part to this number costs; `digits` in international form.
    pub fn quote(&self, tenant: TenantId, digits: &[u8]) -> Quote {
        match self.tenants.get(usize::from(tenant.0)) {
            Some(prices) if !prices.is_empty() => {
                prices.longest(digits).map_or(Quote::NoPrice, |(_, price)| Quote::PerPart(*price))
            }
            _ => Quote::Unpriced,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BadPrefix, PriceBook, Quote};
    use crate::billing::config::PriceConfig;
    use crate::message::{Currency, Money, TenantId};

    fn price(tenant: &str, prefix: &str, per_part: &str) -> PriceConfig {
        let per_part = per_part.parse().expect("an amount");
        PriceConfig { tenant: tenant.to_owned(), prefix: prefix.to_owned(), per_part }
    }

    fn book(prices: &[PriceConfig]) -> Result<PriceBook, BadPrefix> {
        PriceBook::new(prices, |name| TenantId(name.len() as u16))
    }

    #[test]
    fn the_longest_prefix_of_the_tenant_holds() {
        let prices = [price("aa", "44", "0.0264 GBP"), price("aa", "447", "0.03 GBP"), price("bbb", "", "0.01 EUR")];
        let book = book(&prices).expect("digits");
        let quote = |tenant, digits: &str| book.quote(TenantId(tenant), digits.as_bytes());
        assert_eq!(quote(2, "442079460000"), Quote::PerPart(prices[0].per_part));
        assert_eq!(quote(2, "447700900123"), Quote::PerPart(prices[1].per_part));
        assert_eq!(quote(2, "33123456789"), Quote::NoPrice);
        assert_eq!(quote(3, "33123456789"), Quote::PerPart(prices[2].per_part));
        assert_eq!(quote(1, "447700900123"), Quote::Unpriced);
        assert_eq!(quote(9, "447700900123"), Quote::Unpriced);
    }

    #[test]
    fn totals_are_exact_or_absent() {
        let quote = Quote::PerPart("0.0264 GBP".parse().expect("an amount"));
        assert_eq!(quote.total(3), Some(Money { micros: 79_200, currency: Currency(*b"GBP") }));
        assert_eq!(Quote::Unpriced.total(3), None);
        let huge = Quote::PerPart(Money { micros: i64::MAX / 2, currency: Currency(*b"GBP") });
        assert_eq!(huge.total(3), None);
        assert_eq!(book(&[price("a", "+44", "1 GBP")]).err(), Some(BadPrefix("+44".into())));
    }
}
