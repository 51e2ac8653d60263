//! The single writer: a sans-IO state machine over admission, release, receipt and billing.
