//! What the simulator does about each PDU: binds, submits, answers to its receipts, and all that it does not support.

use std::time::Duration;

use crate::smpp::command::CommandId;
use crate::smpp::encode::encode;
use crate::smpp::fields::{MessageState, REGISTERED_RECEIPT_MASK, Version};
use crate::smpp::pdu::{Bind as BindRequest, BindResp, Body, Pdu, SubmitSm};
use crate::smpp::status::{CommandStatus, StatusAction};
use crate::smpp::tag::Tag;
use crate::smpp::tlv::TlvWriter;
use crate::tools::carrier::account::{Account, Number, Receipt};
use crate::tools::carrier::bind::Bind;
use crate::tools::carrier::center::{Answer, Center, Fate, Response};
use crate::tools::carrier::conduct::{Acceptance, Verdict};
use crate::tools::carrier::record::Seen;
use crate::tools::wire::write_header;

/// The system_id that the simulator gives as its own.
const SYSTEM_ID: &[u8] = b"simulator";

/// How long a receipt waits that was answered with a temporary error.
const LATER: Duration = Duration::from_secs(1);

impl Center {
    pub(super) fn take_pdu(&mut self, bind: &mut Bind, slot: usize, pdu: &Pdu<'_>) -> Fate {
        let (status, sequence) = (pdu.status, pdu.sequence);
        match &pdu.body {
            Body::SubmitSm(message) => return self.submit(bind, slot, sequence, message),
            Body::DeliverSmResp(_) | Body::GenericNack => self.receipt_answered(bind, sequence, status),
            Body::BindTransceiver(request) => self.bind(bind, pdu, request, true, true),
            Body::BindTransmitter(request) => self.bind(bind, pdu, request, true, false),
            Body::BindReceiver(request) => self.bind(bind, pdu, request, false, true),
            Body::EnquireLink => {
                write_header(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, sequence, &mut bind.wire.output);
            }
            Body::Unbind => {
                write_header(CommandId::UNBIND_RESP, CommandStatus::ROK, sequence, &mut bind.wire.output);
                bind.closing = true;
            }
            body => {
                let command = body.command();
                if !command.is_response() {
                    let reply = command.response().unwrap_or(CommandId::GENERIC_NACK);
                    write_header(reply, CommandStatus::RINVCMDID, sequence, &mut bind.wire.output);
                }
            }
        }
        Fate::Stays
    }

    fn bind(&mut self, bind: &mut Bind, pdu: &Pdu<'_>, request: &BindRequest<'_>, transmits: bool, receives: bool) {
        let status = self.may_bind(bind, request);
        let response = pdu.body.command().response().unwrap_or(CommandId::GENERIC_NACK);
        if !status.is_ok() {
            write_header(response, status, pdu.sequence, &mut bind.wire.output);
            return;
        }
        let known = self.accounts.iter().position(|account| account.system_id == request.system_id);
        bind.account = Some(known.unwrap_or_else(|| {
            self.accounts.push(Account { system_id: request.system_id.to_vec(), ready: Default::default(), turn: 0 });
            self.accounts.len() - 1
        }));
        (bind.transmits, bind.receives) = (transmits, receives);
        bind.version = Version::of(request.interface_version);
        self.report.binds += 1;
        let mut octets = Vec::new();
        let mut tlvs = TlvWriter::new(&mut octets);
        if bind.version > Version::V33 {
            tlvs.u8(Tag::SC_INTERFACE_VERSION, Version::V34.interface_version());
        }
        let accepted = BindResp { system_id: Some(SYSTEM_ID), tlvs: tlvs.finish() };
        let body = match pdu.body {
            Body::BindTransmitter(_) => Body::BindTransmitterResp(accepted),
            Body::BindReceiver(_) => Body::BindReceiverResp(accepted),
            _ => Body::BindTransceiverResp(accepted),
        };
        encode(&Pdu { status: CommandStatus::ROK, sequence: pdu.sequence, body }, &mut bind.wire.output);
    }

    fn may_bind(&self, bind: &Bind, request: &BindRequest<'_>) -> CommandStatus {
        let wrong =
            |wanted: &Option<String>, given: &[u8]| wanted.as_ref().is_some_and(|wanted| wanted.as_bytes() != given);
        if bind.account.is_some() {
            CommandStatus::RALYBND
        } else if wrong(&self.args.system_id, request.system_id) {
            CommandStatus::RINVSYSID
        } else if wrong(&self.args.password, request.password) {
            CommandStatus::RINVPASWD
        } else {
            CommandStatus::ROK
        }
    }

    fn submit(&mut self, bind: &mut Bind, slot: usize, sequence: u32, message: &SubmitSm<'_>) -> Fate {
        self.report.submits += 1;
        self.report.first.get_or_insert(self.now);
        self.report.last = self.now;
        let Some(account) = bind.account.filter(|_| bind.transmits) else {
            let status = CommandStatus::RINVBNDSTS;
            *self.report.refused.entry(status.0).or_default() += 1;
            self.respond(bind, sequence, Answer::Refused(status));
            return Fate::Stays;
        };
        let mut seen = Seen {
            number: self.report.submits,
            time_micros: self.clock.at(self.now).0,
            bind: bind.number,
            sequence,
            message,
            status: None,
            message_id: None,
            receipt: None,
            duplicate: false,
        };
        match self.conduct.judge(self.now) {
            Verdict::Disconnect => {
                self.report.disconnects += 1;
                self.note(&seen);
                return Fate::Goes;
            }
            Verdict::Refuse(status) => {
                *self.report.refused.entry(status.0).or_default() += 1;
                seen.status = Some(status.0);
                self.note(&seen);
                self.answer(bind, slot, sequence, Answer::Refused(status));
            }
            Verdict::Accept(acceptance) => self.take_message(bind, slot, account, acceptance, seen),
        }
        Fate::Stays
    }

    fn take_message(&mut self, bind: &mut Bind, slot: usize, account: usize, how: Acceptance, mut seen: Seen<'_>) {
        let message = seen.message;
        let id = self.next_id;
        self.next_id += 1;
        self.report.accepted += 1;
        seen.duplicate = !self.taken.insert(message);
        self.report.duplicates += u64::from(seen.duplicate);
        // 3 is "on success" in 5.0; 2 is "on failure" (3.4 section 5.2.17).
        let delivered = how.state == MessageState::Delivered;
        let wanted = match message.registered_delivery & REGISTERED_RECEIPT_MASK {
            0 => false,
            2 => !delivered,
            3 => delivered,
            _ => true,
        };
        let receipt = Receipt {
            id,
            state: how.state,
            repeated: false,
            submitted: self.date,
            source: Number::of(&message.source),
            dest: Number::of(&message.dest),
        };
        let after = self.receipts_after().filter(|_| wanted);
        let mut before_response = None;
        if let Some(after) = after {
            let mut times = how.receipts;
            if how.receipt_first && !how.response_lost && bind.may_deliver(self.delivery.window) {
                before_response = Some(receipt);
                times -= 1;
            }
            let due = self.now + self.args.delay + after;
            self.pending.extend((0..times).map(|_| (due, account, receipt)));
        }
        if self.record.is_some() {
            seen.message_id = Some((id, self.delivery.style));
            seen.status = (!how.response_lost).then_some(CommandStatus::ROK.0);
            seen.receipt = after.map(|_| how.state.stat());
            self.note(&seen);
        }
        if how.response_lost {
            self.report.responses_lost += 1;
        } else {
            self.answer(bind, slot, seen.sequence, Answer::Taken(id, before_response));
        }
    }

    /// Responds now or after the delay.
    fn answer(&mut self, bind: &mut Bind, slot: usize, sequence: u32, answer: Answer) {
        if self.args.delay.is_zero() {
            self.respond(bind, sequence, answer);
        } else {
            let due = self.now + self.args.delay;
            self.responses.push_back(Response { due, slot, bind: bind.number, sequence, answer });
        }
    }

    fn note(&mut self, seen: &Seen<'_>) {
        if let Some(record) = &mut self.record
            && let Err(error) = record.submit(seen)
        {
            self.failure.get_or_insert(error);
        }
    }

    fn receipt_answered(&mut self, bind: &mut Bind, sequence: u32, status: CommandStatus) {
        let Some(receipt) = bind.answered(sequence) else { return };
        let action = status.action();
        if action == StatusAction::Accept {
            self.report.receipts_answered += 1;
        } else if let (StatusAction::Retry | StatusAction::SlowDown, Some(account)) = (action, bind.account) {
            self.later.push_back((self.now + LATER, account, Receipt { repeated: true, ..receipt }));
        } else {
            self.report.receipts_refused += 1;
        }
        if let Some(record) = &mut self.record_receipts {
            let time_micros = self.clock.at(self.now).0;
            let id = (receipt.id, self.delivery.style);
            if let Err(error) = record.receipt(time_micros, id, receipt.state, status) {
                self.failure.get_or_insert(error);
            }
        }
    }
}
