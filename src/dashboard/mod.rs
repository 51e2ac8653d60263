//! Numbers and log lines for people and scrapers: reads snapshots, decides nothing.

pub mod log;
pub mod metrics;
pub mod page;
pub mod snapshot;
pub mod trend;
