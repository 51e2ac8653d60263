//! The way back to tenants: receipts on their binds.

pub mod deliver;
pub mod shown_id;
