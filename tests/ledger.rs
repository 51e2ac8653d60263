//! The shared test support itself: a ledger that misses nothing.

mod support;

use support::Ledger;

#[test]
fn ledger_tells_what_is_missing_and_what_is_repeated() {
    let mut ledger = Ledger::default();
    ledger.sent("a", 2);
    ledger.sent("b", 1);
    ledger.acknowledged("a", "id-a");
    ledger.submitted("a", 1);
    assert_eq!(ledger.missing_at_carrier(), ["a"], "part 2 of a was never seen; b was never promised");
    ledger.submitted("a", 2);
    ledger.submitted("a", 2);
    assert!(ledger.missing_at_carrier().is_empty());
    assert_eq!(ledger.repeated_more_than(0), ["a"]);
    assert!(ledger.repeated_more_than(1).is_empty());
    assert_eq!((ledger.repeats(), ledger.acknowledged_count()), (1, 1));
    assert_eq!(ledger.without_one_receipt(), ["a"]);
    ledger.receipted("id-a", "DELIVRD");
    assert!(ledger.without_one_receipt().is_empty());
    ledger.receipted("id-z", "DELIVRD");
    ledger.submitted("z", 1);
    assert_eq!(ledger.strays().len(), 2);
}
