//! What a part costs, and who has paid for it.

pub mod config;
pub mod price;
pub mod ledger;
pub mod cdr;
