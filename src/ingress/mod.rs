//! Where messages enter: the SMPP server and the HTTP API.

pub mod accept;
pub mod attempts;
pub mod http;
pub mod lobby;
pub mod parts;
pub mod references;
pub mod refused;
pub mod reply;
pub mod smpp;
pub mod tables;

mod accepting;
mod smart;
