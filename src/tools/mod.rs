//! Programs around the daemon: its command line, and what people use to look, ask, load and demonstrate.

pub mod carrier;
pub mod check;
pub mod cli;
pub mod client;
pub mod conform;
mod dear;
pub mod demo;
pub mod inspect;
pub mod journal;
pub mod load;
pub mod message;
mod quantity;
pub mod segment;
pub mod send;
pub mod status;
pub mod terminal;
mod wire;

use std::fmt;
use std::process::ExitCode;

/// Why a command ended without doing what it was asked for. It says what, where and what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It was tried and failed: exit code 1.
    Failed(String),
    /// What was asked for or configured makes no sense: exit code 2.
    Misused(String),
}

impl Fault {
    /// The exit code that programs see.
    pub fn code(&self) -> ExitCode {
        match self {
            Fault::Failed(_) => ExitCode::from(1),
            Fault::Misused(_) => ExitCode::from(2),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Failed(says) | Fault::Misused(says) => f.write_str(says),
        }
    }
}
