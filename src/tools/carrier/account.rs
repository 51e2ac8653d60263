//! One system_id at the simulator: the receipts that wait for one of its binds.

use std::collections::VecDeque;

use crate::smpp::address::Address;
use crate::smpp::fields::MessageState;

/// An address in place, so that a waiting receipt needs no allocation of its own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Number {
    ton: u8,
    npi: u8,
    length: u8,
    octets: [u8; 20],
}

/// A receipt to be sent, or sent and not answered yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receipt {
    pub(crate) id: u64,
    pub(crate) state: MessageState,
    /// It was sent before, on a bind that is gone or that asked for it later.
    pub(crate) repeated: bool,
    /// When the message came: yyMMddhhmmss.
    pub(crate) submitted: [u8; 12],
    pub(crate) source: Number,
    pub(crate) dest: Number,
}

/// Who binds under one system_id.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) system_id: Vec<u8>,
    /// Receipts whose time has come, oldest first.
    pub(crate) ready: VecDeque<Receipt>,
    /// Which bind is asked first for the next receipts.
    pub(crate) turn: usize,
}

impl Number {
    /// Keeps 20 octets, which is all that submit_sm allows.
    pub(crate) fn of(address: &Address<'_>) -> Number {
        let mut octets = [0; 20];
        let length = address.addr.len().min(octets.len());
        octets[..length].copy_from_slice(&address.addr[..length]);
        Number { ton: address.ton, npi: address.npi, length: length as u8, octets }
    }

    pub(crate) fn address(&self) -> Address<'_> {
        Address { ton: self.ton, npi: self.npi, addr: &self.octets[..usize::from(self.length)] }
    }
}
