//! What time brings: the bind, unbind, response, idle and enquire_link timers.

use core::time::Duration;

use crate::smpp::command::CommandId;
use crate::smpp::encode::encode_parts;
use crate::smpp::pdu::Body;
use crate::smpp::session::receive::answer;
use crate::smpp::session::{CloseReason, Session, SessionConfig, TimeoutEvent};
use crate::smpp::status::CommandStatus;

impl Session {
    /// When [`Session::handle_timeout`] is to be called next; None: no timer runs. Constant work.
    pub fn poll_timeout(&self) -> Option<Duration> {
        if self.is_closing() {
            return None;
        }
        let bound = self.state.is_bound();
        [
            self.bind_deadline,
            self.unbind_deadline,
            self.response_deadline(),
            self.idle_deadline().filter(|_| bound),
            Some(self.probe_deadline()).filter(|_| bound),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does what is due at `now`; to be called until it yields None. Each call is constant work.
    pub fn handle_timeout(&mut self, now: Duration, out: &mut Vec<u8>) -> Option<TimeoutEvent> {
        if self.is_closing() {
            return None;
        }
        let due = |deadline: Option<Duration>| deadline.is_some_and(|deadline| deadline <= now);
        if due(self.response_deadline()) {
            return self.expire_oldest();
        }
        if due(self.bind_deadline) {
            return Some(TimeoutEvent::Closed(self.close(CloseReason::BindTimeout)));
        }
        if due(self.unbind_deadline) {
            // The peer asked to go and has waited long enough for our answers.
            if let Some(sequence) = self.peer_unbind {
                answer(CommandId::UNBIND_RESP, CommandStatus::ROK, sequence, out);
            }
            return Some(TimeoutEvent::Closed(self.close(CloseReason::UnbindTimeout)));
        }
        if self.unanswered {
            return Some(TimeoutEvent::Closed(self.close(CloseReason::Unanswered)));
        }
        if !self.state.is_bound() {
            return None;
        }
        if due(self.idle_deadline()) {
            self.send(Body::Unbind, out);
            return Some(TimeoutEvent::Closed(self.close(CloseReason::Idle)));
        }
        if due(Some(self.probe_deadline())) {
            if self.probes_missed >= self.config.enquire_link_misses_max {
                return Some(TimeoutEvent::Closed(self.close(CloseReason::Dead)));
            }
            self.probes_missed += 1;
            self.probed_at = now;
            self.probe = Some(self.send(Body::EnquireLink, out));
        }
        None
    }

    fn expire_oldest(&mut self) -> Option<TimeoutEvent> {
        let oldest = self.window.oldest()?;
        self.window.settle(oldest.sequence);
        // Nothing was answered since it was sent: the peer answers probes at most (quirk Q79). A response of the same moment is
        // one since then: a caller may read it with the `now` with which it sent.
        self.unanswered |= self.last_response.is_none_or(|at| at < oldest.sent_at);
        Some(TimeoutEvent::Expired { token: oldest.token })
    }

    /// Asks at once for a sign of life; if none comes within the time of a probe, the session is over. For whoever has reason to think
    /// that the peer is gone (quirk Q80). A probe that is out already is the one that counts: whoever asks again and again wins the
    /// peer no time.
    pub fn probe(&mut self, now: Duration, out: &mut Vec<u8>) {
        if !self.state.is_bound() || self.is_closing() {
            return;
        }
        if self.probes_missed == 0 {
            self.probed_at = now;
            self.probe = Some(self.send(Body::EnquireLink, out));
        }
        self.probes_missed = self.config.enquire_link_misses_max.max(1);
    }

    fn send(&mut self, body: Body<'_>, out: &mut Vec<u8>) -> u32 {
        let sequence = self.window.next_sequence();
        encode_parts(CommandStatus::ROK, sequence, &body, out);
        sequence
    }

    fn response_deadline(&self) -> Option<Duration> {
        let SessionConfig { response_timeout, response_grace, .. } = self.config;
        self.window.oldest().map(|request| request.sent_at + response_timeout + response_grace)
    }

    fn idle_deadline(&self) -> Option<Duration> {
        // Requests under way are traffic, however long their answers take.
        let busy = self.incoming > 0 || self.window.outstanding() > 0;
        self.config.idle_timeout.filter(|_| !busy).map(|idle| self.last_traffic + idle)
    }

    /// `probes_missed` counts the probes sent since the peer was last heard. The second one waits from the first and not
    /// from the last sign of life, so that a process that slept does not take its own sleep for the peer's.
    fn probe_deadline(&self) -> Duration {
        match self.probes_missed {
            0 => self.last_received + self.config.enquire_link_interval,
            _ => self.probed_at + self.config.enquire_link_timeout,
        }
    }
}
