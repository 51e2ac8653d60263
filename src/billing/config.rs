//! What an operator says about prices. `config` fills it in; [`crate::billing::price`] compiles it.

use crate::message::Money;

/// One [[price]].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceConfig {
    /// Whose price.
    pub tenant: String,
    /// E.164 digits; empty = every number.
    pub prefix: String,
    /// What one part costs.
    pub per_part: Money,
}
