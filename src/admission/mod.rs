//! May this tenant send this, and by which carriers? Pure: everything is in one immutable [`policy::Policy`], which is
//! swapped whole at a reload.

pub mod config;
pub mod number;
pub mod policy;
pub mod refusal;
pub mod route;
pub mod tenant;
