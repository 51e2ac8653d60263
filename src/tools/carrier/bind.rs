//! One connection to the simulator: what it may do, and the receipts it has not answered yet.

use std::collections::VecDeque;

use crate::smpp::encode::encode;
use crate::smpp::fields::Version;
use crate::smpp::pdu::{Body, Pdu, SubmitSm};
use crate::smpp::status::CommandStatus;
use crate::smpp::tlv::Tlvs;
use crate::tools::carrier::account::Receipt;
use crate::tools::carrier::spelling::{IdStyle, ReceiptFormat, Speller, Told};
use crate::tools::wire::Wire;

/// esm_class of a delivery receipt (SMPP 3.4 section 5.2.12).
const ESM_RECEIPT: u8 = 0x04;

/// A connection, bound or not yet.
#[derive(Debug)]
pub(crate) struct Bind {
    pub(crate) wire: Wire,
    /// Counted from 1 over all connections.
    pub(crate) number: u64,
    /// Which account it is bound to.
    pub(crate) account: Option<usize>,
    pub(crate) transmits: bool,
    pub(crate) receives: bool,
    pub(crate) version: Version,
    /// It is closed as soon as what is waiting has been written.
    pub(crate) closing: bool,
    /// Receipts by sequence number from `first`; None once answered.
    outstanding: VecDeque<Option<Receipt>>,
    first: u32,
    unanswered: u32,
}

/// How receipts look and how many may be unanswered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery {
    pub(crate) window: u32,
    pub(crate) format: ReceiptFormat,
    pub(crate) style: IdStyle,
}

impl Bind {
    pub(crate) fn new(wire: Wire, number: u64) -> Bind {
        Bind {
            wire,
            number,
            account: None,
            transmits: false,
            receives: false,
            version: Version::V34,
            closing: false,
            outstanding: VecDeque::new(),
            first: 1,
            unanswered: 0,
        }
    }

    /// Whether it can be sent a receipt now. One that is never answered stops the bind in the end, as in the field.
    pub(crate) fn may_deliver(&self, window: u32) -> bool {
        let span_max = window as usize * 16;
        self.receives
            && !self.closing
            && self.unanswered < window
            && self.outstanding.len() < span_max
            && self.wire.takes_more()
    }

    /// Whether receipts are unanswered or octets unwritten.
    pub(crate) fn is_quiet(&self) -> bool {
        self.unanswered == 0 && self.wire.output.is_empty()
    }

    /// Writes a receipt as deliver_sm, the other way round than its message went.
    pub(crate) fn deliver(&mut self, receipt: Receipt, done: &[u8; 12], delivery: &Delivery, speller: &mut Speller) {
        let told = Told { id: receipt.id, state: receipt.state, submitted: &receipt.submitted, done };
        let (short_message, tlvs) = speller.receipt(&told, delivery.format, delivery.style);
        // A 3.3 peer must not be sent optional parameters.
        let tlvs = if self.version == Version::V33 { Tlvs::NONE } else { tlvs };
        let deliver_sm = SubmitSm {
            source: receipt.dest.address(),
            dest: receipt.source.address(),
            esm_class: ESM_RECEIPT,
            short_message,
            tlvs,
            ..SubmitSm::default()
        };
        let sequence = self.first.wrapping_add(self.outstanding.len() as u32);
        let pdu = Pdu { status: CommandStatus::ROK, sequence, body: Body::DeliverSm(deliver_sm) };
        encode(&pdu, &mut self.wire.output);
        self.outstanding.push_back(Some(receipt));
        self.unanswered += 1;
    }

    /// The receipt that a response belongs to; None if there is none, or if it has been answered before.
    pub(crate) fn answered(&mut self, sequence: u32) -> Option<Receipt> {
        let at = sequence.wrapping_sub(self.first) as usize;
        let receipt = self.outstanding.get_mut(at)?.take()?;
        self.unanswered -= 1;
        while let Some(None) = self.outstanding.front() {
            self.outstanding.pop_front();
            self.first = self.first.wrapping_add(1);
        }
        Some(receipt)
    }

    /// What was not answered, oldest first, for another bind to repeat.
    pub(crate) fn unanswered(self) -> impl DoubleEndedIterator<Item = Receipt> {
        self.outstanding.into_iter().flatten()
    }
}
