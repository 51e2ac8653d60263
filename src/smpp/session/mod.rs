//! One SMPP session, on either side, sans-IO: PDUs and time come in, events and octets go out.
//!
//! `handle_*` is told what happened, plain verbs say what the caller wants, `poll_timeout` says when to come back with
//! `handle_timeout`. `now` is the time since any fixed origin of the caller and never goes back. Whatever is to be
//! sent is appended to `out`; once [`Session::is_closing`], the caller writes that out and closes the connection.

mod receive;
mod send;
mod timers;

use core::time::Duration;

use crate::smpp::command::CommandId;
use crate::smpp::fields::Version;
use crate::smpp::pdu::{Bind, Body, Outbind};
use crate::smpp::status::CommandStatus;
use crate::smpp::window::Window;

/// The limits and timers of a session.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Requests of ours that may await a response. 1 alternates strictly; a large one hides the round trip and leaves
    /// more in doubt when the link is lost. Default 10.
    pub window_max: u32,
    /// How long a connection may stay unbound. Default 5 s.
    pub bind_timeout: Duration,
    /// How long the link may be silent before it is probed. Default 30 s.
    pub enquire_link_interval: Duration,
    /// How long a probe may stay unanswered before it counts as missed. Default 10 s.
    pub enquire_link_timeout: Duration,
    /// How many missed probes in a row close the link. Default 2.
    pub enquire_link_misses_max: u32,
    /// How long a request may await its response. Default 60 s.
    pub response_timeout: Duration,
    /// How long beyond that a late response is still taken for the answer (quirk Q74). Until then the request keeps its place in
    /// the window. Default none.
    pub response_grace: Duration,
    /// How long a bound session may carry nothing but enquire_link; None, the default, is for ever.
    pub idle_timeout: Option<Duration>,
    /// How long an unbind waits: ours for its response, the peer's for our answers to its requests. Default 5 s.
    pub unbind_timeout: Duration,
    /// How many generic_nacks in a row that answer nothing are borne before the stream counts as out of step. Default 10.
    pub unmatched_nacks_max: u32,
    /// What we announce. Default 3.4.
    pub version: Version,
    /// What a message centre counts as that does not announce its version. Default 3.3, as the standard has it, so that
    /// no TLV is sent to it (quirk Q85).
    pub version_when_absent: Version,
}

impl Default for SessionConfig {
    fn default() -> SessionConfig {
        SessionConfig {
            window_max: 10,
            bind_timeout: Duration::from_secs(5),
            enquire_link_interval: Duration::from_secs(30),
            enquire_link_timeout: Duration::from_secs(10),
            enquire_link_misses_max: 2,
            response_timeout: Duration::from_secs(60),
            response_grace: Duration::ZERO,
            idle_timeout: None,
            unbind_timeout: Duration::from_secs(5),
            unmatched_nacks_max: 10,
            version: Version::V34,
            version_when_absent: Version::V33,
        }
    }
}

/// The side that a session plays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The message centre: it is bound to.
    Smsc,
    /// The external short message entity: it binds.
    Esme,
}

/// Session states (SMPP 3.4 section 2.2, 5.0 section 2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionState {
    /// Connected, nobody bound.
    Open,
    /// The message centre asked us to bind.
    Outbound,
    /// A bind awaits its answer.
    Binding,
    /// Bound as transmitter.
    BoundTx,
    /// Bound as receiver.
    BoundRx,
    /// Bound as transceiver.
    BoundTrx,
    /// The peer has unbound: no more requests, outstanding ones are still answered.
    Unbound,
    /// Over; nothing more is read or written.
    Closed,
}

impl SessionState {
    /// Whether requests may go from the ESME to the message centre.
    pub fn transmits(self) -> bool {
        matches!(self, SessionState::BoundTx | SessionState::BoundTrx)
    }

    /// Whether requests may go from the message centre to the ESME.
    pub fn receives(self) -> bool {
        matches!(self, SessionState::BoundRx | SessionState::BoundTrx)
    }

    /// Whether this is one of the three bound states.
    pub fn is_bound(self) -> bool {
        self.transmits() || self.receives()
    }
}

/// The three ways to bind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BindKind {
    /// bind_receiver.
    Receiver,
    /// bind_transmitter.
    Transmitter,
    /// bind_transceiver.
    Transceiver,
}

impl BindKind {
    /// The state after the bind was accepted.
    pub fn bound_state(self) -> SessionState {
        match self {
            BindKind::Receiver => SessionState::BoundRx,
            BindKind::Transmitter => SessionState::BoundTx,
            BindKind::Transceiver => SessionState::BoundTrx,
        }
    }

    /// The request that asks for it.
    pub fn command(self) -> CommandId {
        match self {
            BindKind::Receiver => CommandId::BIND_RECEIVER,
            BindKind::Transmitter => CommandId::BIND_TRANSMITTER,
            BindKind::Transceiver => CommandId::BIND_TRANSCEIVER,
        }
    }
}

/// Why a session is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseReason {
    /// No bind came in time, or no response to ours.
    BindTimeout,
    /// The bind was refused, by us or by the peer.
    BindRefused(CommandStatus),
    /// The peer unbound and was answered.
    PeerUnbound,
    /// Our unbind was answered.
    Unbound,
    /// An unbind waited too long.
    UnbindTimeout,
    /// enquire_link stayed unanswered.
    Dead,
    /// The link is alive but requests stay unanswered.
    Unanswered,
    /// Nothing but enquire_link for too long.
    Idle,
    /// What was read makes no sense as SMPP.
    OutOfStep,
}

/// What a PDU meant to the caller. It borrows the frame and not the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event<'a> {
    /// Nothing: the session settled it.
    None,
    /// A bind to be answered by `accept_bind` or `reject_bind`.
    Bind {
        /// Which bind.
        kind: BindKind,
        /// Who asks.
        bind: Bind<'a>,
    },
    /// Our bind was accepted.
    Bound {
        /// The message centre's name for itself.
        system_id: Option<&'a [u8]>,
        /// Which rules it keeps to.
        version: Version,
    },
    /// Our bind was refused; the session is closing. [`CommandStatus::RINVCMDID`] says that this kind of bind is
    /// not known there.
    BindFailed {
        /// Why.
        status: CommandStatus,
    },
    /// The message centre asks us to bind; check who it is, then `bind` or close.
    Outbind(Outbind<'a>),
    /// A request to be answered by `respond` or `reject`, except alert_notification, which is not answered.
    Request {
        /// The number to answer with.
        sequence: u32,
        /// What is asked.
        body: Body<'a>,
    },
    /// The answer to a request of ours; a generic_nack counts as one.
    Response {
        /// As given to `submit`.
        token: u32,
        /// What became of the request.
        status: CommandStatus,
        /// The response's fields.
        body: Body<'a>,
    },
    /// The peer unbinds and waits for our answers to its requests; the last one frees the unbind_resp.
    Unbinding,
    /// The session is over; see [`Session::drain`].
    Closed(CloseReason),
}

/// What a timer brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeoutEvent {
    /// A request of ours was not answered in time; what became of it is unknown.
    Expired {
        /// As given to `submit`.
        token: u32,
    },
    /// The session is over; see [`Session::drain`].
    Closed(CloseReason),
}

/// The window has no free place, or the session is not bound in a way that allows the request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WindowFull;

impl core::fmt::Display for WindowFull {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the window has no free place")
    }
}

impl core::error::Error for WindowFull {}

/// What was borne in silence, for metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tolerated {
    /// Responses that answer nothing: late, doubled, or never asked for.
    pub unmatched_responses: u64,
    /// generic_nacks that answer nothing.
    pub unmatched_nacks: u64,
    /// Responses that came after their time and within the grace.
    pub late_responses: u64,
    /// Requests that the state or the role forbids, or that are not known.
    pub refused_requests: u64,
    /// Requests that could not be read.
    pub malformed_requests: u64,
}

/// A session. See the module's words for the order of calls.
pub struct Session {
    role: Role,
    config: SessionConfig,
    state: SessionState,
    close_reason: Option<CloseReason>,
    peer_version: Version,
    window: Window,
    /// A bind that awaits its answer, and its sequence number: the peer's (Smsc) or ours (Esme).
    bind: Option<(BindKind, u32)>,
    /// Requests of the peer that await our answer.
    incoming: u32,
    /// Sequence number of the peer's unbind, while it awaits our answers.
    peer_unbind: Option<u32>,
    /// Sequence number of our unbind.
    own_unbind: Option<u32>,
    /// Sequence number of the last enquire_link that awaits its response.
    probe: Option<u32>,
    probes_missed: u32,
    probed_at: Duration,
    bind_deadline: Option<Duration>,
    unbind_deadline: Option<Duration>,
    last_received: Duration,
    last_traffic: Duration,
    /// When a request of the window was last answered.
    last_response: Option<Duration>,
    /// A request expired and nothing sent after it was answered either.
    unanswered: bool,
    /// generic_nacks that answered nothing since the last response that answered something.
    nacks_in_a_row: u32,
    tolerated: Tolerated,
}

impl Session {
    /// The message centre's side of a connection that was accepted at `now`.
    pub fn smsc(config: SessionConfig, now: Duration) -> Session {
        Session::new(Role::Smsc, config, now)
    }

    /// The ESME's side of a connection that was made at `now`.
    pub fn esme(config: SessionConfig, now: Duration) -> Session {
        Session::new(Role::Esme, config, now)
    }

    fn new(role: Role, config: SessionConfig, now: Duration) -> Session {
        Session {
            role,
            state: SessionState::Open,
            close_reason: None,
            peer_version: config.version_when_absent,
            window: Window::new(config.window_max),
            bind: None,
            incoming: 0,
            peer_unbind: None,
            own_unbind: None,
            probe: None,
            probes_missed: 0,
            probed_at: now,
            bind_deadline: Some(now + config.bind_timeout),
            unbind_deadline: None,
            last_received: now,
            last_traffic: now,
            last_response: None,
            unanswered: false,
            nacks_in_a_row: 0,
            tolerated: Tolerated::default(),
            config,
        }
    }

    /// The side we play.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Where the session stands.
    pub fn state(&self) -> SessionState {
        self.state
    }

    /// Whether all that is left to do is to write out and close.
    pub fn is_closing(&self) -> bool {
        self.close_reason.is_some()
    }

    /// Why the session is over, once it is.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.close_reason
    }

    /// Which rules the peer keeps to; known once bound. A 3.3 peer is sent no TLVs.
    pub fn peer_version(&self) -> Version {
        self.peer_version
    }

    /// Requests of ours that await a response.
    pub fn outstanding(&self) -> u32 {
        self.window.outstanding()
    }

    /// Requests of the peer that await our answer.
    pub fn incoming(&self) -> u32 {
        self.incoming
    }

    /// How many requests may be sent now; none unless bound and not unbinding.
    pub fn free(&self) -> u32 {
        let may_send = self.state.is_bound() && self.own_unbind.is_none() && !self.is_closing();
        if may_send { self.window.free() } else { 0 }
    }

    /// Gives the session another window. Only while nothing of ours is outstanding; else nothing happens. A message centre learns who
    /// binds, and what window that peer has, after the session has begun.
    pub fn resize_window(&mut self, window_max: u32) {
        if self.window.outstanding() == 0 {
            self.window = Window::new(window_max);
        }
    }

    /// What was borne in silence so far.
    pub fn tolerated(&self) -> Tolerated {
        self.tolerated
    }

    /// After the session is over: the tokens of the requests that were not answered, oldest first, one at a call.
    pub fn drain(&mut self) -> Option<u32> {
        let oldest = self.window.oldest()?;
        self.window.settle(oldest.sequence).map(|request| request.token)
    }

    fn close(&mut self, reason: CloseReason) -> CloseReason {
        // A peer that has unbound may have sent more before it read our answer, and is told that it was too late.
        if reason != CloseReason::PeerUnbound {
            self.state = SessionState::Closed;
        }
        *self.close_reason.get_or_insert(reason)
    }
}
