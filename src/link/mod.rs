//! One SMPP session over a socket: read until dry, hand on what was read in one piece, write once.
//!
//! [`drive::run`] moves octets and keeps the timers; the [`crate::smpp::session::Session`] keeps the protocol; an [`End`] decides what
//! a request means. Nothing here knows which end of the wire it is on.

pub mod buffers;
pub mod drive;

use std::fmt;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::smpp::frame::FrameError;
use crate::smpp::session::{CloseReason, Event, Session, TimeoutEvent};

/// What an end of the wire does with what the session passes on. Every `now` is time since the clock's start.
pub trait End {
    /// The connection is there and nothing was read yet.
    fn on_start(&mut self, _now: Duration, _session: &mut Session, _out: &mut Vec<u8>) {}

    /// This side is about to unbind.
    fn on_stop(&mut self) {}

    /// A request to be answered, now or later, or the response to a request of ours. Answers are appended to `out`.
    fn on_event(&mut self, now: Duration, event: Event<'_>, session: &mut Session, out: &mut Vec<u8>);

    /// A timer of the session has run out: a request of ours got no response, or the link is dead.
    fn on_timeout(&mut self, now: Duration, event: TimeoutEvent, session: &mut Session, out: &mut Vec<u8>);

    /// The socket is dry for now: what was gathered leaves in one piece.
    fn flush(&mut self);

    /// Whether more may be read at present. Asked before each PDU, so it only looks.
    fn takes_more(&self) -> bool {
        true
    }

    /// Pending while what is behind this end is full; then nothing is read until the task is woken.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Takes what others want of this link and appends it to `out`; pending once there is no more of it.
    fn poll_effects(
        &mut self,
        cx: &mut Context<'_>,
        now: Duration,
        session: &mut Session,
        out: &mut Vec<u8>,
    ) -> Poll<()>;

    /// When [`End::on_tick`] is due; `None` if it is not.
    fn next_at(&self) -> Option<Duration> {
        None
    }

    /// The moment that [`End::next_at`] named has come.
    fn on_tick(&mut self, _now: Duration, _session: &mut Session, _out: &mut Vec<u8>) {}

    /// The socket takes no more octets at present (`true`), or has taken what waited.
    fn on_pressure(&mut self, _full: bool) {}
}

/// What bounds a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The longest PDU that is read, octets.
    pub pdu_octets_max: usize,
    /// Octets that may wait for the peer to read before this side stops reading, too.
    pub unwritten_octets_max: usize,
    /// A peer that reads nothing for so long is closed.
    pub stalled_max: Duration,
    /// How long an unbind of ours may take.
    pub unbind_max: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            pdu_octets_max: crate::smpp::frame::PDU_OCTETS_MAX_DEFAULT,
            unwritten_octets_max: 256 * 1024,
            stalled_max: Duration::from_secs(30),
            unbind_max: Duration::from_secs(5),
        }
    }
}

/// Why a link ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// The peer closed the connection.
    ByPeer,
    /// The session came to its end.
    BySession(CloseReason),
    /// The stream cannot be read any further.
    OutOfStep(FrameError),
    /// The peer read nothing for [`Limits::stalled_max`].
    Stalled,
    /// It had to make room for others before it was bound.
    Crowded,
    /// This side is stopping.
    Stopped,
    /// The socket failed.
    Failed(std::io::ErrorKind),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::ByPeer => f.write_str("the peer closed the connection"),
            Ended::BySession(reason) => words(*reason, f),
            Ended::OutOfStep(error) => fmt::Display::fmt(error, f),
            Ended::Stalled => f.write_str("the peer reads nothing"),
            Ended::Crowded => f.write_str("too many connections wait to bind, and this one has waited longest"),
            Ended::Stopped => f.write_str("stopping"),
            Ended::Failed(kind) => write!(f, "the connection failed: {kind}"),
        }
    }
}

/// The reason as a log says it.
fn words(reason: CloseReason, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(match reason {
        CloseReason::BindTimeout => "no bind in time, or no answer to ours",
        CloseReason::BindRefused(status) => return write!(f, "the bind was refused: {status}"),
        CloseReason::PeerUnbound => "the peer unbound",
        CloseReason::Unbound => "unbound by this side",
        CloseReason::UnbindTimeout => "an unbind waited too long",
        CloseReason::Dead => "probes stayed unanswered",
        CloseReason::Unanswered => "requests stayed unanswered, though probes were answered",
        CloseReason::Idle => "nothing but probes for too long",
        CloseReason::OutOfStep => "what was read makes no sense as SMPP",
    })
}
