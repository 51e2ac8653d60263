//! Where messages enter: the SMPP server and the HTTP API.

pub mod http;
