//! Sluice: an SMS gateway and SMPP bridge.
//!
//! ```text
//! ingress ──▶ admission ──▶ text ──▶ core ──▶ release ──▶ carrier     Everything after the core reads
//!  smpp, http  may it be     into    decide,   whose turn,  submit   and writes Facts. A Fact is durable
//!              sent?         parts   journal   how fast?       │     before anyone outside hears of it,
//! callback ◀── billing ◀── receipt ◀────────────── Facts ◀─────┘     and replay runs the same code.
//! ```
//!
//! | Module | may import | because |
//! |---|---|---|
//! | smpp, text | nothing of ours, no tokio, no clock | `cargo check --no-default-features` builds them alone |
//! | message, fact, command, envelope, seal, exchange, presence | text, one another | nouns and the past tense, shared by all |
//! | admission, release, receipt, billing | the nouns | pure: a test needs no runtime |
//! | core | the four above and the nouns | the one place where stages meet |
//! | store | the nouns | it keeps what happened, not why |
//! | clock | message | the edges read it, the rest is told the time |
//! | link | smpp, clock | bytes on a wire, whoever is at the other end |
//! | ingress, carrier, callback | smpp, text, link, clock, nouns; ingress also admission, callback and billing::price | edges |
//! | dashboard, config | message; a stage's snapshot or Config | they look, they do not act |
//! | tools | smpp, text, link, gateway | users of the rest |
//! | gateway, then main | everything | nobody imports them but tools |
//!
//! `tests/tidy.rs` holds this table.

pub mod smpp;
pub mod text;

#[cfg(feature = "daemon")]
pub mod message;
#[cfg(feature = "daemon")]
pub mod envelope;
#[cfg(feature = "daemon")]
pub mod seal;
#[cfg(feature = "daemon")]
pub mod fact;
#[cfg(feature = "daemon")]
pub mod command;
#[cfg(feature = "daemon")]
pub mod exchange;
#[cfg(feature = "daemon")]
pub mod presence;
#[cfg(feature = "daemon")]
pub mod clock;

#[cfg(feature = "daemon")]
pub mod ingress;
#[cfg(feature = "daemon")]
pub mod admission;
#[cfg(feature = "daemon")]
pub mod core;
#[cfg(feature = "daemon")]
pub mod release;
#[cfg(feature = "daemon")]
pub mod carrier;
#[cfg(feature = "daemon")]
pub mod receipt;
#[cfg(feature = "daemon")]
pub mod billing;
#[cfg(feature = "daemon")]
pub mod callback;
#[cfg(feature = "daemon")]
pub mod store;
#[cfg(feature = "daemon")]
pub mod link;
#[cfg(feature = "daemon")]
pub mod dashboard;
#[cfg(feature = "daemon")]
pub mod config;
#[cfg(feature = "daemon")]
pub mod gateway;
#[cfg(feature = "daemon")]
pub mod tools;
