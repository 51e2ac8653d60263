//! Which carriers a destination may take: the longest prefix, and of equal ones the tenant's own.

use crate::message::CarrierId;
use crate::message::prefix::{NotDigits, PrefixMap};

/// Routes compiled at load. A look-up walks at most 15 digits twice and allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    shared: PrefixMap<Box<[CarrierId]>>,
    /// By the tenant's place in the policy; most tenants have none of their own.
    own: Vec<Option<PrefixMap<Box<[CarrierId]>>>>,
}

impl Routes {
    /// Enters a route; of two with the same prefix and tenant the later one holds.
    pub(super) fn insert(
        &mut self,
        tenant: Option<usize>,
        prefix: &str,
        carriers: Vec<CarrierId>,
    ) -> Result<(), NotDigits> {
        let map = match tenant {
            None => &mut self.shared,
            Some(place) => {
                if self.own.len() <= place {
                    self.own.resize_with(place + 1, || None);
                }
                self.own[place].get_or_insert_default()
            }
        };
        map.insert(prefix, carriers.into_boxed_slice()).map(|_| ())
    }

    /// The carriers for `digits`, the preferred one first. `tenant` is the tenant's place in the policy.
    pub(super) fn find(&self, tenant: usize, digits: &[u8]) -> Option<&[CarrierId]> {
        let shared = self.shared.longest(digits);
        let own = self.own.get(tenant).and_then(Option::as_ref).and_then(|map| map.longest(digits));
        let (_, carriers) = match (own, shared) {
            (Some(own), Some(shared)) if own.0 >= shared.0 => own,
            (own, shared) => shared.or(own)?,
        };
        Some(carriers)
    }
}

#[cfg(test)]
mod tests {
    use super::Routes;
    use crate::message::CarrierId;

    #[test]
    fn the_longest_prefix_wins_and_then_the_tenants_own() {
        let mut routes = Routes::default();
        for (tenant, prefix, carrier) in [(None, "44", 1), (None, "447", 2), (Some(1), "44", 3), (Some(1), "33", 4)] {
            routes.insert(tenant, prefix, vec![CarrierId(carrier)]).expect("digits");
        }
        let of = |tenant, digits: &str| routes.find(tenant, digits.as_bytes()).map(|carriers| carriers[0].0);
        assert_eq!(of(0, "442079460000"), Some(1));
        assert_eq!(of(1, "442079460000"), Some(3), "of equal prefixes its own");
        assert_eq!(of(1, "447700900123"), Some(2), "a longer one of all is nearer");
        assert_eq!(of(1, "33123456789"), Some(4));
        assert_eq!(of(0, "33123456789"), None);
        assert_eq!(of(7, "447700900123"), Some(2));
    }
}
