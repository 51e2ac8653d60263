//! One transceiver of the load generator: its connection, its window, and what is in flight on it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::smpp::command::CommandId;
use crate::smpp::encode::encode;
use crate::smpp::fields::Version;
use crate::smpp::pdu::{Bind, Body, Pdu};
use crate::smpp::status::CommandStatus;
use crate::tools::load::template::Template;
use crate::tools::wire::{Wire, write_header};

/// Where a transceiver stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// It connects at this time.
    Waiting(Duration),
    Connecting,
    /// The bind is sent and not answered.
    Binding,
    Bound,
    /// The unbind is sent and not answered.
    Unbinding,
    /// It will not come back.
    Gone,
}

/// A submit that has not been answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InFlight {
    pub(crate) number: u32,
    /// When it was sent, or when its rate wanted it sent if the window held it back. Microseconds since the start.
    pub(crate) sent_micros: u64,
    sequence: u32,
}

/// A transceiver.
pub(crate) struct Esme {
    pub(crate) phase: Phase,
    pub(crate) wire: Option<Wire>,
    connecting: Option<Pin<Box<dyn Future<Output = io::Result<TcpStream>>>>>,
    /// By sequence number modulo the length. Twice the window, so that one late answer stops nobody.
    in_flight: Vec<Option<InFlight>>,
    unanswered: u32,
    window: u32,
    next_sequence: u32,
    /// It was told to slow down, and submits nothing before this time.
    pub(crate) paused_until: Duration,
    /// How long it pauses the next time; back to the least at every acceptance.
    pub(crate) pause: Duration,
}

/// The first pause after a status that asks for a lower rate, and the longest.
pub(crate) const PAUSE_MIN: Duration = Duration::from_millis(50);
pub(crate) const PAUSE_MAX: Duration = Duration::from_secs(1);

impl Esme {
    pub(crate) fn new(window: u32) -> Esme {
        let slots = (window as usize * 2).next_power_of_two();
        Esme {
            phase: Phase::Waiting(Duration::ZERO),
            wire: None,
            connecting: None,
            in_flight: vec![None; slots],
            unanswered: 0,
            window,
            next_sequence: 1,
            paused_until: Duration::ZERO,
            pause: PAUSE_MIN,
        }
    }

    /// Connects and sends the bind.
    pub(crate) fn poll_connect(
        &mut self,
        address: &str,
        (system_id, password): (&str, &str),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let connecting = self.connecting.get_or_insert_with(|| Box::pin(TcpStream::connect(address.to_owned())));
        self.phase = Phase::Connecting;
        let Poll::Ready(connected) = connecting.as_mut().poll(cx) else { return Poll::Pending };
        self.connecting = None;
        let mut wire = Wire::new(connected?)?;
        let bind = Bind {
            system_id: system_id.as_bytes(),
            password: password.as_bytes(),
            interface_version: Version::V34.interface_version(),
            ..Bind::default()
        };
        let sequence = self.take_sequence();
        let body = Body::BindTransceiver(bind);
        encode(&Pdu { status: CommandStatus::ROK, sequence, body }, &mut wire.output);
        self.wire = Some(wire);
        self.phase = Phase::Binding;
        Poll::Ready(Ok(()))
    }

    /// Whether a submit can be written now.
    pub(crate) fn may_submit(&self, now: Duration) -> bool {
        self.phase == Phase::Bound
            && self.unanswered < self.window
            && now >= self.paused_until
            && self.in_flight[self.slot(self.next_sequence)].is_none()
            && self.wire.as_ref().is_some_and(Wire::takes_more)
    }

    /// Writes the message with this number, if there is a connection.
    pub(crate) fn submit(&mut self, template: &Template, number: u32, sent_micros: u64) {
        let sequence = self.take_sequence();
        let Some(wire) = &mut self.wire else { return };
        template.write(number, sequence, &mut wire.output);
        let slot = self.slot(sequence);
        self.in_flight[slot] = Some(InFlight { number, sent_micros, sequence });
        self.unanswered += 1;
    }

    /// The submit that a response belongs to.
    pub(crate) fn answered(&mut self, sequence: u32) -> Option<InFlight> {
        let slot = self.slot(sequence);
        let found = self.in_flight[slot].take_if(|in_flight| in_flight.sequence == sequence)?;
        self.unanswered -= 1;
        Some(found)
    }

    /// Says goodbye.
    pub(crate) fn unbind(&mut self) {
        let sequence = self.take_sequence();
        if let Some(wire) = &mut self.wire {
            write_header(CommandId::UNBIND, CommandStatus::ROK, sequence, &mut wire.output);
        }
        self.phase = Phase::Unbinding;
    }

    /// Forgets the connection and gives what was in flight, in the order of its numbers.
    pub(crate) fn reset(&mut self, phase: Phase) -> Vec<u32> {
        self.phase = phase;
        self.wire = None;
        self.connecting = None;
        self.unanswered = 0;
        let mut lost: Vec<u32> = self.in_flight.iter_mut().filter_map(Option::take).map(|sent| sent.number).collect();
        lost.sort_unstable();
        lost
    }

    /// Waits no longer for what is in flight, and tells how many that were.
    pub(crate) fn give_up_in_flight(&mut self) -> u64 {
        self.in_flight.fill(None);
        u64::from(std::mem::take(&mut self.unanswered))
    }

    pub(crate) fn unanswered(&self) -> u32 {
        self.unanswered
    }

    fn slot(&self, sequence: u32) -> usize {
        sequence as usize & (self.in_flight.len() - 1)
    }

    /// 1 to 0x7FFFFFFF, and then from 1 again (SMPP 3.4 section 3.2).
    fn take_sequence(&mut self) -> u32 {
        let sequence = self.next_sequence;
        self.next_sequence = if sequence >= 0x7FFF_FFFF { 1 } else { sequence + 1 };
        sequence
    }
}
