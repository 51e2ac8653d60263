//! SMPP 3.3, 3.4 and 5.0, sans-IO: a library of its own that imports nothing else of this crate.
//!
//! Octets become values: [`frame`] finds a PDU in the stream, [`decode`] reads it in place, [`encode`] writes one.
//! [`session`] is the state machine on either side of a link, with [`window`] for the requests awaiting a response;
//! time comes in as an argument and octets go out into a buffer of the caller. [`receipt`] reads and writes delivery
//! receipts, [`time`] the standard's time strings, [`validate`] says which field of a message is wrong.

pub mod address;
pub mod calendar;
pub mod command;
pub mod decode;
pub mod destinations;
mod elements;
pub mod encode;
pub mod fields;
pub mod frame;
mod head;
pub mod pdu;
pub mod receipt;
pub mod receipt_style;
pub mod receipt_text;
mod redacted;
pub mod session;
pub mod status;
pub mod tag;
pub mod time;
pub mod tlv;
pub mod validate;
pub mod window;
