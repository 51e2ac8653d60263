//! The core against a journal in memory: lives of messages, restarts at any group, and the books.

mod lives;
mod random;
mod world;
