//! Who owes what: integer micro-units, reserved when a message is accepted, then posted or voided part by part.
//!
//! Applying never refuses; [`Ledger::room`] is asked before. The same facts give the same balances, to the unit.

use crate::message::{Currency, TenantId};

/// A tenant's totals in one currency, micro-units. Everything that was ever reserved is in one of the three.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Balance {
    /// Whose.
    pub tenant: TenantId,
    /// In which currency.
    pub currency: Currency,
    /// Reserved and neither posted nor voided yet.
    pub reserved_micros: i64,
    /// Posted: the bill.
    pub posted_micros: i64,
    /// Voided.
    pub voided_micros: i64,
}

/// All balances.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// By tenant, then in the order of currencies; a tenant has one or two.
    tenants: Vec<Vec<Balance>>,
    faults: u64,
}

impl Ledger {
    /// Without any balance.
    pub fn new() -> Ledger {
        Ledger::default()
    }

    /// Whether `amount_micros` more may be reserved: reserved, posted and the amount together stay within the credit.
    pub fn room(&self, tenant: TenantId, currency: Currency, amount_micros: i64, credit_micros: i64) -> bool {
        let owed_micros = self.balance(tenant, currency).map_or(0, |balance| {
            // Two counters of an i64 and an amount fit an i128 without a thought.
            i128::from(balance.reserved_micros) + i128::from(balance.posted_micros)
        });
        owed_micros + i128::from(amount_micros) <= i128::from(credit_micros)
    }

    /// A message was accepted: `amount_micros` are set aside for its parts.
    pub fn reserve(&mut self, tenant: TenantId, currency: Currency, amount_micros: i64) {
        self.add(tenant, currency, [amount_micros, 0, 0]);
    }

    /// A part is charged: from reserved to posted.
    pub fn post(&mut self, tenant: TenantId, currency: Currency, amount_micros: i64) {
        self.add(tenant, currency, [amount_micros.saturating_neg(), amount_micros, 0]);
    }

    /// A part will not be charged: from reserved to voided.
    pub fn void(&mut self, tenant: TenantId, currency: Currency, amount_micros: i64) {
        self.add(tenant, currency, [amount_micros.saturating_neg(), 0, amount_micros]);
    }

    /// The totals as a checkpoint has them. Where facts before it say otherwise that is a fault.
    pub fn set(
        &mut self,
        tenant: TenantId,
        currency: Currency,
        reserved_micros: i64,
        posted_micros: i64,
        voided_micros: i64,
    ) {
        let found = Balance { tenant, currency, reserved_micros, posted_micros, voided_micros };
        self.faults += u64::from(self.balance(tenant, currency).is_some_and(|balance| *balance != found));
        *self.entry(tenant, currency) = found;
    }

    /// A tenant's totals in a currency; `None` if nothing has moved yet.
    pub fn balance(&self, tenant: TenantId, currency: Currency) -> Option<&Balance> {
        self.tenants.get(usize::from(tenant.0))?.iter().find(|balance| balance.currency == currency)
    }

    /// All balances, in the order of tenants' numbers and then of currencies.
    pub fn balances(&self) -> impl Iterator<Item = &Balance> + '_ {
        self.tenants.iter().flatten()
    }

    /// How often more was posted or voided than was reserved, a checkpoint disagreed with the facts before it, or a total left the range
    /// of numbers. It is never anything but 0; the totals are held at their bound instead of going astray.
    pub fn faults(&self) -> u64 {
        self.faults
    }

    fn add(&mut self, tenant: TenantId, currency: Currency, [reserved, posted, voided]: [i64; 3]) {
        if (reserved, posted, voided) == (0, 0, 0) {
            return;
        }
        let balance = self.entry(tenant, currency);
        let sums = (
            balance.reserved_micros.checked_add(reserved).filter(|sum| *sum >= 0),
            balance.posted_micros.checked_add(posted),
            balance.voided_micros.checked_add(voided),
        );
        if let (Some(reserved_micros), Some(posted_micros), Some(voided_micros)) = sums {
            *balance = Balance { reserved_micros, posted_micros, voided_micros, ..*balance };
            return;
        }
        debug_assert!(false, "{balance:?}: {reserved} {posted} {voided} is more than was reserved");
        balance.reserved_micros = balance.reserved_micros.saturating_add(reserved).max(0);
        balance.posted_micros = balance.posted_micros.saturating_add(posted);
        balance.voided_micros = balance.voided_micros.saturating_add(voided);
        self.faults += 1;
    }

    fn entry(&mut self, tenant: TenantId, currency: Currency) -> &mut Balance {
        let number = usize::from(tenant.0);
        if self.tenants.len() <= number {
            self.tenants.resize_with(number + 1, Vec::new);
        }
        let balances = &mut self.tenants[number];
        let place = balances.binary_search_by_key(&currency, |balance| balance.currency).unwrap_or_else(|place| {
            let new = Balance { tenant, currency, reserved_micros: 0, posted_micros: 0, voided_micros: 0 };
            balances.insert(place, new);
            place
        });
        &mut balances[place]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GBP: Currency = Currency(*b"GBP");
    const EUR: Currency = Currency(*b"EUR");
    const T: TenantId = TenantId(3);

    fn totals(ledger: &Ledger, currency: Currency) -> (i64, i64, i64) {
        let balance = ledger.balance(T, currency).expect("it has moved");
        (balance.reserved_micros, balance.posted_micros, balance.voided_micros)
    }

    #[test]
    fn what_is_reserved_is_posted_or_voided() {
        let mut ledger = Ledger::new();
        ledger.reserve(T, GBP, 3 * 26_400);
        ledger.post(T, GBP, 26_400);
        assert_eq!(totals(&ledger, GBP), (52_800, 26_400, 0));
        ledger.void(T, GBP, 26_400);
        ledger.post(T, GBP, 26_400);
        assert_eq!((totals(&ledger, GBP), ledger.faults()), ((0, 52_800, 26_400), 0));
    }

    #[test]
    fn credit_covers_reserved_and_posted() {
        let mut ledger = Ledger::new();
        assert!(ledger.room(T, GBP, 100, 100));
        assert!(!ledger.room(T, GBP, 101, 100));
        ledger.reserve(T, GBP, 60);
        ledger.post(T, GBP, 20);
        assert!(ledger.room(T, GBP, 40, 100));
        assert!(!ledger.room(T, GBP, 41, 100));
        ledger.void(T, GBP, 40);
        assert!(ledger.room(T, GBP, 80, 100), "what is voided is free again");
        assert!(ledger.room(T, EUR, 100, 100), "currencies are not added");
        ledger.set(T, GBP, i64::MAX, i64::MAX, 0);
        assert!(!ledger.room(T, GBP, i64::MAX, i64::MAX));
    }

    #[test]
    fn balances_come_in_the_order_of_numbers() {
        let mut ledger = Ledger::new();
        for (tenant, currency) in [(4, GBP), (1, GBP), (4, EUR)] {
            ledger.set(TenantId(tenant), currency, 1, 2, 3);
        }
        ledger.reserve(TenantId(2), GBP, 0);
        let order: Vec<_> = ledger.balances().map(|balance| (balance.tenant.0, balance.currency)).collect();
        assert_eq!(order, [(1, GBP), (4, EUR), (4, GBP)]);
    }

    #[test]
    fn a_checkpoint_is_held_against_the_facts_before_it() {
        let mut ledger = Ledger::new();
        ledger.set(T, GBP, 10, 20, 30);
        ledger.post(T, GBP, 10);
        ledger.set(T, GBP, 0, 30, 30);
        assert_eq!((totals(&ledger, GBP), ledger.faults()), ((0, 30, 30), 0));
        ledger.set(T, GBP, 0, 29, 30);
        assert_eq!((totals(&ledger, GBP), ledger.faults()), ((0, 29, 30), 1));
    }

    #[cfg(debug_assertions)]
    #[test]
    #[should_panic(expected = "more than was reserved")]
    fn posting_what_was_not_reserved_is_a_fault() {
        Ledger::new().post(T, GBP, 1);
    }

    #[cfg(not(debug_assertions))]
    #[test]
    fn posting_what_was_not_reserved_is_a_fault() {
        let mut ledger = Ledger::new();
        ledger.post(T, GBP, 1);
        assert_eq!((totals(&ledger, GBP), ledger.faults()), ((0, 1, 0), 1));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_replay_agrees(prices in proptest::collection::vec((0..5u16, 0..1_000_000i64, 1..6i64, any::<u8>()), 0..100)) {
            let run = || {
                let (mut ledger, mut accepted) = (Ledger::new(), 0i64);
                for (tenant, price, parts, ends) in &prices {
                    let currency = if ends & 64 == 0 { GBP } else { EUR };
                    ledger.reserve(TenantId(*tenant), currency, price * parts);
                    accepted += price * parts;
                    // Each part is posted, voided or still open, as the bits of `ends` say.
                    for part in 0..*parts {
                        match (ends >> part) & 3 {
                            0 => ledger.post(TenantId(*tenant), currency, *price),
                            1 => ledger.void(TenantId(*tenant), currency, *price),
                            _ => {}
                        }
                    }
                }
                (ledger, accepted)
            };
            let (ledger, accepted) = run();
            let sum: i64 = ledger.balances().map(|b| b.reserved_micros + b.posted_micros + b.voided_micros).sum();
            prop_assert_eq!(sum, accepted);
            prop_assert!(ledger.balances().eq(run().0.balances()));
        }
    }
}
