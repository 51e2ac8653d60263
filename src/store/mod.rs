//! The durable side: a segment log of groups that are synced before anyone hears of them.
//! The journal knows nothing of what records mean; `crate::fact` lays them out, `crate::core` reads them back.
//! `docs/format.md` describes every byte.

pub mod accepted;
pub mod disk;
pub mod error;
pub mod history;
pub mod inspect;
pub mod journal;
pub mod keys;
pub mod record;
pub mod recovery;
pub mod reader;
pub mod salvage;
pub mod sim_disk;

mod published;
mod segment;
mod shelf;

pub use error::Error;
