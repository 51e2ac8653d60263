//! The core against a journal in memory: lives of messages, restarts at any group, and the books.

mod doubt;
mod faults;
mod lives;
mod order;
mod quirks;
mod random;
mod reports;
mod reroute;
mod world;
