//! Whatever a peer sends, a caller asks and a clock does, in any order: a session says only whole PDUs, its window holds,
//! each request of ours ends once, and it comes to its end.

use std::collections::BTreeSet;
use std::time::Duration;

use sluice::smpp::command::CommandId;
use sluice::smpp::decode::decode;
use sluice::smpp::frame::{HEADER_OCTETS, PDU_OCTETS_MAX_DEFAULT, frame};
use sluice::smpp::pdu::{Bind, Body, DataSm, SubmitSm, SubmitSmResp};
use sluice::smpp::session::{BindKind, Event, Role, Session, SessionConfig, TimeoutEvent};
use sluice::smpp::status::CommandStatus;

use super::octets::Octets;

/// What one call may say at most: a PDU of ours, and an unbind_resp behind it.
const SAID_OCTETS_MAX: usize = 512;

/// A session and what is known of it from outside.
struct Run {
    session: Session,
    now: Duration,
    out: Vec<u8>,
    /// Tokens of requests that have not ended.
    open: BTreeSet<u32>,
    token_next: u32,
    /// Requests of the peer that await our answer.
    asked: Vec<(u32, CommandId)>,
    window_max: u32,
}

/// Role and window, then operations.
pub fn body(data: &[u8]) {
    let mut data = Octets::new(data);
    let choice = data.octet();
    let window_max = u32::from(choice >> 4).max(1);
    let idle_timeout = (choice & 2 != 0).then_some(Duration::from_secs(100));
    let config = SessionConfig { window_max, idle_timeout, ..SessionConfig::default() };
    let now = Duration::from_secs(1_000);
    let session = if choice & 1 == 0 { Session::smsc(config, now) } else { Session::esme(config, now) };
    let (out, open, asked) = (Vec::new(), BTreeSet::new(), Vec::new());
    let mut run = Run { session, now, out, open, token_next: 0, asked, window_max };
    while !data.is_empty() {
        let closing = run.session.is_closing();
        run.out.clear();
        run.step(&mut data);
        run.check(closing);
    }
    run.finish();
}

impl Run {
    fn step(&mut self, data: &mut Octets<'_>) {
        let (now, kind) = (self.now, data.octet());
        match kind % 16 {
            0..=3 => self.hear_short(data),
            4 | 5 => self.hear(data.told()),
            6 => self.wait(u64::from(data.octet())),
            7 | 8 => self.submit(kind >> 4),
            9 => self.session.accept_bind(now, b"sluice", &mut self.out),
            10 => self.session.reject_bind(CommandStatus::RBINDFAIL, &mut self.out),
            11 | 12 => self.answer(kind >> 4),
            13 => self.session.unbind(now, &mut self.out),
            14 => {
                let kind =
                    [BindKind::Receiver, BindKind::Transmitter, BindKind::Transceiver][usize::from(kind >> 4) % 3];
                let bind = Bind { system_id: b"esme", password: b"secret", interface_version: 0x34, ..Bind::default() };
                self.session.bind(now, kind, bind, &mut self.out);
            }
            _ if kind >> 4 == 0 => {
                let error = frame(&[0; 4], PDU_OCTETS_MAX_DEFAULT).expect_err("no length");
                let event = self.session.handle_frame_error(now, &error, &mut self.out);
                self.note(&event);
            }
            _ => {
                if self.session.outstanding() == 0 {
                    self.window_max = u32::from(kind >> 4);
                }
                self.session.resize_window(u32::from(kind >> 4));
            }
        }
    }

    /// A PDU of a known command and a small sequence number, with whatever body.
    fn hear_short(&mut self, data: &mut Octets<'_>) {
        let (command, status, sequence) = (data.octet(), data.octet(), data.octet());
        let command = u32::from(command & 0x7F) | u32::from(command >> 7) << 31;
        let body: &[u8] = match command {
            1 | 2 | 9 => b"esme\0secret\0\0\x34\0\0\0",
            4 | 5 => b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            0x103 => b"\0\0\0\0\0\0\0\0\0\0",
            _ => data.told(),
        };
        let mut pdu = Vec::new();
        for word in [(HEADER_OCTETS + body.len()) as u32, command, status.into(), sequence.into()] {
            pdu.extend_from_slice(&word.to_be_bytes());
        }
        pdu.extend_from_slice(body);
        self.hear(&pdu);
    }

    fn hear(&mut self, pdu: &[u8]) {
        if pdu.len() < HEADER_OCTETS {
            return;
        }
        match decode(pdu) {
            Ok(pdu) => {
                let event = self.session.handle_pdu(self.now, pdu, &mut self.out);
                self.note(&event);
            }
            Err(error) => {
                let event = self.session.handle_decode_error(self.now, &error, &mut self.out);
                self.note(&event);
            }
        }
    }

    fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Request { sequence, body } if body.command() != CommandId::ALERT_NOTIFICATION => {
                self.asked.push((*sequence, body.command()));
            }
            Event::Response { token, .. } => assert!(self.open.remove(token), "a request ends once"),
            Event::Closed(reason) => assert_eq!(self.session.close_reason(), Some(*reason)),
            Event::BindFailed { .. } => assert!(self.session.is_closing()),
            Event::Bound { .. } => assert!(self.session.state().is_bound()),
            _ => {}
        }
    }

    /// Lets time pass and does what is due: bounded by what can be due.
    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        for _ in 0..self.open.len() + 4 {
            match self.session.handle_timeout(self.now, &mut self.out) {
                Some(TimeoutEvent::Expired { token }) => assert!(self.open.remove(&token), "a request ends once"),
                Some(TimeoutEvent::Closed(reason)) => assert_eq!(self.session.close_reason(), Some(reason)),
                None => return,
            }
        }
        panic!("timers without end");
    }

    fn submit(&mut self, kind: u8) {
        let body = match (self.session.role(), kind) {
            (Role::Smsc, 0..8) => Body::DeliverSm(SubmitSm::default()),
            (_, 0..12) => Body::SubmitSm(SubmitSm::default()),
            _ => Body::DataSm(DataSm::default()),
        };
        let free = self.session.free();
        match self.session.submit(self.now, &body, self.token_next, &mut self.out) {
            Ok(_) => {
                assert!(free > 0 && self.open.insert(self.token_next));
                self.token_next += 1;
            }
            Err(_) => assert!(self.out.is_empty(), "what is not taken is not said"),
        }
    }

    fn answer(&mut self, kind: u8) {
        if self.asked.is_empty() {
            return;
        }
        let (sequence, command) = self.asked.remove(usize::from(kind) % self.asked.len());
        if kind.is_multiple_of(2) {
            self.session.reject(sequence, command, CommandStatus::RSYSERR, &mut self.out);
        } else {
            let resp = SubmitSmResp { message_id: Some(b"1"), ..SubmitSmResp::default() };
            self.session.respond(sequence, CommandStatus::ROK, &Body::SubmitSmResp(resp), &mut self.out);
        }
    }

    /// What holds after each call.
    fn check(&self, was_closing: bool) {
        let mut said = self.out.as_slice();
        while let Some(octets) = frame(said, PDU_OCTETS_MAX_DEFAULT).expect("sound lengths") {
            decode(&said[..octets]).expect("what is said can be read");
            said = &said[octets..];
        }
        assert!(said.is_empty(), "only whole PDUs are said");
        assert!(self.out.len() <= SAID_OCTETS_MAX);
        assert_eq!(self.session.outstanding() as usize, self.open.len());
        assert!(self.session.outstanding() <= self.window_max && self.session.free() <= self.window_max);
        if self.session.is_closing() {
            assert_eq!((self.session.free(), self.session.poll_timeout()), (0, None));
        }
        assert!(self.session.is_closing() || !was_closing, "an end is an end");
    }

    /// A session that hears nothing more comes to its end, and gives every token back.
    fn finish(mut self) {
        for _ in 0..self.open.len() + 64 {
            let Some(at) = self.session.poll_timeout() else { break };
            self.now = self.now.max(at);
            self.out.clear();
            self.wait(0);
        }
        let waits_for_us = self.session.poll_timeout().is_none();
        assert!(self.session.is_closing() || waits_for_us, "no timer ends it");
        if self.session.is_closing() {
            while let Some(token) = self.session.drain() {
                assert!(self.open.remove(&token), "a request ends once");
            }
            assert!(self.open.is_empty(), "each request ends");
        }
    }
}
