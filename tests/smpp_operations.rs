//! Whatever happens to a session in whatever order, every request of ours ends exactly once, the window holds, and
//! nobody but the state decides what may be asked.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use sluice::smpp::command::CommandId;
use sluice::smpp::decode::decode;
use sluice::smpp::frame::{PDU_OCTETS_MAX_DEFAULT, frame};
use sluice::smpp::pdu::{Bind, Body, Pdu, SubmitSm, SubmitSmResp};
use sluice::smpp::session::{BindKind, Event, Session, SessionConfig, TimeoutEvent};
use sluice::smpp::status::CommandStatus;

const WINDOW: u32 = 4;

/// What may happen next to an ESME's session.
#[derive(Clone, Copy, Debug)]
enum Operation {
    /// The caller submits.
    Submit,
    /// The peer answers one of what it has ever been asked, perhaps for the second time.
    Answer(usize),
    /// The peer answers by generic_nack.
    Nack(usize),
    /// The peer asks something.
    Ask(usize),
    /// The caller answers what it was asked.
    Respond,
    /// Seconds pass and the timers run.
    Wait(u64),
    /// The caller unbinds.
    Unbind,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        8 => Just(Operation::Submit),
        6 => any::<usize>().prop_map(Operation::Answer),
        1 => any::<usize>().prop_map(Operation::Nack),
        3 => any::<usize>().prop_map(Operation::Ask),
        3 => Just(Operation::Respond),
        2 => (0_u64..40).prop_map(Operation::Wait),
        1 => Just(Operation::Unbind),
    ]
}

struct World {
    session: Session,
    now: Duration,
    out: Vec<u8>,
    next_token: u32,
    /// Sequence numbers of all submits, in order.
    asked: Vec<u32>,
    /// How often each token has ended.
    ended: BTreeMap<u32, u32>,
    /// Requests of the peer that await an answer.
    owed: Vec<u32>,
}

impl World {
    fn new() -> World {
        let config = SessionConfig { window_max: WINDOW, ..SessionConfig::default() };
        let mut world = World {
            session: Session::esme(config, Duration::ZERO),
            now: Duration::ZERO,
            out: Vec::new(),
            next_token: 0,
            asked: Vec::new(),
            ended: BTreeMap::new(),
            owed: Vec::new(),
        };
        world.session.bind(world.now, BindKind::Transceiver, Bind::default(), &mut world.out);
        world.hear(1, CommandStatus::ROK, Body::BindTransceiverResp(Default::default()));
        world
    }

    fn hear(&mut self, sequence: u32, status: CommandStatus, body: Body<'_>) {
        match self.session.handle_pdu(self.now, Pdu { status, sequence, body }, &mut self.out) {
            Event::Response { token, .. } => *self.ended.entry(token).or_insert(0) += 1,
            Event::Request { sequence, .. } => self.owed.push(sequence),
            _ => {}
        }
    }

    fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Submit => {
                let free = self.session.free();
                let submit = Body::SubmitSm(SubmitSm::default());
                let result = self.session.submit(self.now, &submit, self.next_token, &mut self.out);
                assert_eq!(result.is_ok(), free > 0);
                if let Ok(sequence) = result {
                    self.asked.push(sequence);
                    self.next_token += 1;
                }
            }
            Operation::Answer(which) | Operation::Nack(which) if !self.asked.is_empty() => {
                let sequence = self.asked[which % self.asked.len()];
                let body = match operation {
                    Operation::Nack(_) => Body::GenericNack,
                    _ => Body::SubmitSmResp(SubmitSmResp { message_id: Some(b"1"), ..SubmitSmResp::default() }),
                };
                self.hear(sequence, CommandStatus::ROK, body);
            }
            Operation::Answer(_) | Operation::Nack(_) => {}
            Operation::Ask(which) => {
                let vendor = Body::Unknown { command: CommandId(0x999), body: b"" };
                let deliver = Body::DeliverSm(SubmitSm::default());
                let bodies =
                    [deliver, deliver, Body::EnquireLink, Body::SubmitSm(SubmitSm::default()), vendor, Body::Unbind];
                self.hear(500, CommandStatus::ROK, bodies[which % bodies.len()]);
            }
            Operation::Respond => {
                if let Some(sequence) = self.owed.pop() {
                    let resp = Body::DeliverSmResp(SubmitSmResp::default());
                    self.session.respond(sequence, CommandStatus::ROK, &resp, &mut self.out);
                }
            }
            Operation::Wait(seconds) => {
                self.now += Duration::from_secs(seconds);
                while let Some(event) = self.session.handle_timeout(self.now, &mut self.out) {
                    if let TimeoutEvent::Expired { token } = event {
                        *self.ended.entry(token).or_insert(0) += 1;
                    }
                }
            }
            Operation::Unbind => self.session.unbind(self.now, &mut self.out),
        }
    }

    fn assert_sound(&self) {
        assert!(self.session.outstanding() <= WINDOW);
        let ended = u32::try_from(self.ended.len()).expect("few tokens");
        assert_eq!(self.session.outstanding(), self.next_token - ended, "no request is forgotten");
        assert_eq!(self.session.poll_timeout().is_none(), self.session.is_closing(), "a live session has a timer");
        assert!(self.session.poll_timeout().is_none_or(|at| at > self.now), "no timer is left behind");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_request_ends_exactly_once(operations in prop::collection::vec(operation(), 1..150)) {
        let mut world = World::new();
        for operation in operations {
            world.apply(operation);
            world.assert_sound();
        }
        while let Some(token) = world.session.drain() {
            *world.ended.entry(token).or_insert(0) += 1;
        }
        prop_assert!(world.ended.values().all(|times| *times == 1), "{:?}", world.ended);
        prop_assert_eq!(world.ended.len(), world.next_token as usize);
        let mut rest = &world.out[..];
        while let Some(length) = frame(rest, PDU_OCTETS_MAX_DEFAULT).expect("sound lengths") {
            prop_assert!(decode(&rest[..length]).is_ok());
            rest = &rest[length..];
        }
        prop_assert!(rest.is_empty());
    }
}
