//! Two sessions and the octets between them: what a link does with a PDU beside reading and writing its socket.

use std::time::Duration;

use sluice::smpp::address::Address;
use sluice::smpp::decode::decode;
use sluice::smpp::fields::MessageState;
use sluice::smpp::frame::{PDU_OCTETS_MAX_DEFAULT, frame};
use sluice::smpp::pdu::{Bind, Body, SubmitSm, SubmitSmResp};
use sluice::smpp::receipt::{Receipt, ReceiptText};
use sluice::smpp::session::{BindKind, Event, Session, SessionConfig};
use sluice::smpp::status::CommandStatus;
use sluice::smpp::tag::Tag;
use sluice::smpp::tlv::{TlvWriter, Tlvs};

const TEXT: &[u8; 160] = &[b'a'; 160];

/// An ESME and a message centre, bound as transceiver.
pub(crate) struct Wire {
    esme: Session,
    smsc: Session,
    /// Towards the message centre, and towards the ESME.
    up: Vec<u8>,
    down: Vec<u8>,
    text: Vec<u8>,
    tlvs: Vec<u8>,
    now: Duration,
    responses: u64,
}

impl Wire {
    /// Bound, with windows of 1,000.
    pub(crate) fn new() -> Wire {
        let config = SessionConfig { window_max: 1_000, ..SessionConfig::default() };
        let now = Duration::ZERO;
        let (esme, smsc) = (Session::esme(config.clone(), now), Session::smsc(config, now));
        let (up, down, text, tlvs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut wire = Wire { esme, smsc, up, down, text, tlvs, now, responses: 0 };
        let bind = Bind {
            system_id: b"riverside",
            password: b"secret",
            system_type: b"",
            interface_version: 0x34,
            addr_ton: 0,
            addr_npi: 0,
            address_range: b"",
        };
        wire.esme.bind(now, BindKind::Transceiver, bind, &mut wire.up);
        wire.read_up();
        wire.read_down();
        assert!(wire.esme.state().is_bound() && wire.smsc.state().is_bound());
        wire
    }

    /// Responses that found their request, on both sides.
    pub(crate) fn responses(&self) -> u64 {
        self.responses
    }

    /// `messages` submit_sm and as many receipts go over and are answered: four PDUs a message, written and read.
    pub(crate) fn round(&mut self, messages: usize) {
        self.now += Duration::from_millis(1);
        let message = SubmitSm {
            source: Address { ton: 5, npi: 0, addr: b"MyBrand" },
            dest: Address { ton: 1, npi: 1, addr: b"447700900123" },
            registered_delivery: 1,
            short_message: TEXT,
            ..SubmitSm::default()
        };
        for token in 0..messages {
            let sent = self.esme.submit(self.now, &Body::SubmitSm(message), token as u32, &mut self.up);
            sent.expect("the window has room");
            self.receipt(&message, token);
        }
        self.read_up();
        self.read_down();
        self.read_up();
        for session in [&mut self.esme, &mut self.smsc] {
            assert!(session.poll_timeout().is_some());
            assert_eq!(session.handle_timeout(self.now, &mut self.down), None);
        }
        assert!(self.up.is_empty() && self.down.is_empty());
    }

    fn receipt(&mut self, message: &SubmitSm<'_>, token: usize) {
        self.text.clear();
        self.tlvs.clear();
        let receipt = ReceiptText {
            id: b"0123456789abcdef",
            sub: 1,
            dlvrd: 1,
            submit_micros: 1_795_262_400_000_000,
            done_micros: 1_795_262_460_000_000,
            state: MessageState::Delivered,
            err: b"000",
            text: b"",
        };
        receipt.write(&mut self.text);
        let mut writer = TlvWriter::new(&mut self.tlvs);
        writer.text(Tag::RECEIPTED_MESSAGE_ID, b"0123456789abcdef").u8(Tag::MESSAGE_STATE, 2);
        let deliver = SubmitSm { esm_class: 4, short_message: &self.text, tlvs: writer.finish(), ..*message };
        let sent = self.smsc.submit(self.now, &Body::DeliverSm(deliver), token as u32, &mut self.down);
        sent.expect("the window has room");
    }

    fn read_up(&mut self) {
        self.responses += read(&mut self.smsc, self.now, &self.up, &mut self.down);
        self.up.clear();
    }

    fn read_down(&mut self) {
        self.responses += read(&mut self.esme, self.now, &self.down, &mut self.up);
        self.down.clear();
    }
}

/// Reads all PDUs and answers them. Says how many responses found their request.
fn read(session: &mut Session, now: Duration, mut octets: &[u8], out: &mut Vec<u8>) -> u64 {
    let mut responses = 0;
    while let Some(length) = frame(octets, PDU_OCTETS_MAX_DEFAULT).expect("in step") {
        let (pdu, rest) = octets.split_at(length);
        octets = rest;
        match session.handle_pdu(now, decode(pdu).expect("whole PDUs"), out) {
            Event::Bind { .. } => session.accept_bind(now, b"sluice", out),
            Event::Bound { .. } | Event::None => {}
            Event::Request { sequence, body } => {
                let resp = SubmitSmResp { message_id: Some(b"0123456789abcdefghijklmnop"), tlvs: Tlvs::NONE };
                let answer = match body {
                    Body::DeliverSm(ref deliver) => {
                        assert!(Receipt::of(deliver).done_micros.is_some(), "a receipt");
                        Body::DeliverSmResp(SubmitSmResp { message_id: Some(b""), ..resp })
                    }
                    _ => Body::SubmitSmResp(resp),
                };
                session.respond(sequence, CommandStatus::ROK, &answer, out);
            }
            Event::Response { .. } => responses += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(octets.is_empty(), "whole PDUs");
    responses
}
