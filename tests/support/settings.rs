//! Pieces of a configuration, put together by concatenation: a test shows only what matters to it.

use std::net::SocketAddr;

/// What one part costs every tenant that [`tenant`] makes, in micro-units of GBP.
pub(crate) const PRICE_MICROS: i64 = 26_400;

/// A tenant with this id, `system_id = id`, `password = "secret"`, `api_key = "<id>-key"`, a price for every
/// destination, and these further lines.
pub(crate) fn tenant(id: &str, further: &str) -> String {
    format!(
        "[[tenant]]\nid = \"{id}\"\nsystem_id = \"{id}\"\npassword = \"secret\"\napi_key = \"{id}-key\"\n{further}\n\
         [[price]]\ntenant = \"{id}\"\nprefix = \"\"\nper_part = \"0.0264 GBP\"\n\n"
    )
}

/// A carrier at this address, with these further lines (`binds = 2`, `window = 10`).
pub(crate) fn carrier(id: &str, address: SocketAddr, further: &str) -> String {
    format!(
        "[[carrier]]\nid = \"{id}\"\naddress = \"{address}\"\nsystem_id = \"sluice\"\npassword = \"hush\"\n{further}\n\n"
    )
}

/// A route for every destination over these carriers.
pub(crate) fn route(carriers: &[&str]) -> String {
    format!("[[route]]\nprefix = \"\"\ncarriers = {carriers:?}\n\n")
}

/// The tenant `riverside` on one carrier with these further lines: the whole configuration of most tests.
pub(crate) fn one_carrier(address: SocketAddr, further: &str) -> String {
    tenant("riverside", "") + &carrier("alpha", address, further) + &route(&["alpha"])
}
