//! Drives one link: effects, writes, reads, writes, timers, in one pass for each time the task is woken.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::Sleep;

use crate::clock::Clock;
use crate::link::buffers::{Incoming, Outgoing};
use crate::link::{End, Ended, Limits};
use crate::smpp::decode::decode;
use crate::smpp::frame::frame;
use crate::smpp::session::{Event, Session};

/// Octets and PDUs that one wake handles before it hands on what it has and lets other tasks run.
const WAKE_OCTETS_MAX: usize = 256 * 1024;
const WAKE_PDUS_MAX: usize = 1_000;
/// A timer that comes so late tells of a process that was stopped, or had no processor.
const LATE_AFTER: Duration = Duration::from_secs(1);
/// How long what came meanwhile has to be read before timers run.
const READ_FIRST: Duration = Duration::from_millis(200);

/// Runs a session on `stream` until it ends. When `stop` turns true the session unbinds first.
pub async fn run<S, E>(
    stream: S,
    session: Session,
    end: &mut E,
    clock: Clock,
    limits: Limits,
    stop: &mut watch::Receiver<bool>,
) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin,
    E: End,
{
    let mut link = Link {
        stream,
        session,
        end,
        clock,
        limits,
        incoming: Incoming::default(),
        outgoing: Outgoing::default(),
        full: false,
        stalled_since: None,
        ending: None,
        close_by: None,
        timers_from: None,
        stopping: false,
        sleep: Box::pin(tokio::time::sleep_until(clock.instant(clock.elapsed()))),
        armed: None,
    };
    link.end.on_start(clock.elapsed(), &mut link.session, &mut link.outgoing.octets);
    tokio::select! {
        biased;
        ended = std::future::poll_fn(|cx| link.poll(cx)) => return ended,
        () = stopped(stop) => link.unbind(),
    }
    std::future::poll_fn(|cx| link.poll(cx)).await
}

/// Comes back once `stop` is true; whoever could set it being gone counts as well.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

struct Link<'e, S, E> {
    stream: S,
    session: Session,
    end: &'e mut E,
    clock: Clock,
    limits: Limits,
    incoming: Incoming,
    outgoing: Outgoing,
    /// The end has been told that the socket takes no more.
    full: bool,
    /// Since when the peer has read nothing of what waits.
    stalled_since: Option<Duration>,
    /// Why the connection closes once what waits is written.
    ending: Option<Ended>,
    /// The connection closes now at the latest, whatever waits.
    close_by: Option<Duration>,
    /// No timer runs before, because the last one came late.
    timers_from: Option<Duration>,
    stopping: bool,
    sleep: Pin<Box<Sleep>>,
    /// What `sleep` was set to. It may ring too early and is set again then, so that a busy link does not set it for every PDU.
    armed: Option<Duration>,
}

impl<S: AsyncRead + AsyncWrite + Unpin, E: End> Link<'_, S, E> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        let now = self.clock.elapsed();
        while self.end.poll_effects(cx, now, &mut self.session, &mut self.outgoing.octets).is_ready() {}
        if let Err(ended) = self.write(cx, now) {
            return Poll::Ready(ended);
        }
        let (was_bound, was_full) = (self.session.state().is_bound(), self.full);
        let ended = self.read(cx, now);
        self.run_timers(now);
        self.end.flush();
        if let Some(ended) = ended {
            // A peer that has only closed its own direction still reads what it was owed; for any other this changes nothing.
            let _ = self.write(cx, now);
            return Poll::Ready(ended);
        }
        if let Some(reason) = self.session.close_reason() {
            let why = if self.stopping { Ended::Stopped } else { Ended::BySession(reason) };
            self.close(why, now);
        }
        if let Err(ended) = self.write(cx, now) {
            return Poll::Ready(ended);
        }
        if was_bound != self.session.state().is_bound() || was_full != self.full {
            // There are effects to wait for that were not asked for above, or a socket that was not read.
            cx.waker().wake_by_ref();
        }
        let late = self.close_by.is_some_and(|by| by <= now);
        if late || (self.ending.is_some() && self.outgoing.waiting() == 0) {
            // The peer sees an orderly end; whether that succeeds changes nothing any more.
            let _ = Pin::new(&mut self.stream).poll_shutdown(cx);
            return Poll::Ready(self.ending.unwrap_or(Ended::Stopped));
        }
        self.arm(cx)
    }

    /// The connection ends for this reason, unless it already does for another, as soon as what waits is written.
    fn close(&mut self, why: Ended, now: Duration) {
        self.ending.get_or_insert(why);
        self.close_by.get_or_insert(now + self.limits.unbind_max);
    }

    /// Writes what waits, and keeps the account of a peer that does not read.
    fn write(&mut self, cx: &mut Context<'_>, now: Duration) -> Result<(), Ended> {
        if self.outgoing.waiting() == 0 {
            return Ok(());
        }
        let (progress, drained) = self.outgoing.poll_drain(cx, &mut self.stream);
        if progress {
            self.stalled_since = None;
        }
        match drained {
            Poll::Ready(Ok(())) => {
                if self.full {
                    self.full = false;
                    self.end.on_pressure(false);
                }
                Ok(())
            }
            Poll::Ready(Err(error)) => Err(failed(&error)),
            Poll::Pending => {
                let since = *self.stalled_since.get_or_insert(now);
                if now.saturating_sub(since) >= self.limits.stalled_max {
                    return Err(Ended::Stalled);
                }
                if !self.full && self.outgoing.waiting() > self.limits.unwritten_octets_max {
                    self.full = true;
                    self.end.on_pressure(true);
                }
                Ok(())
            }
        }
    }

    /// Reads until the socket is dry, the end takes no more, or this wake has done its share.
    fn read(&mut self, cx: &mut Context<'_>, now: Duration) -> Option<Ended> {
        if self.full || self.ending.is_some() || self.end.poll_room(cx).is_pending() {
            return None;
        }
        let (mut octets, mut pdus) = (0, 0);
        loop {
            pdus += self.understand(now, WAKE_PDUS_MAX - pdus);
            if self.ending.is_some() || !self.end.takes_more() {
                return None;
            }
            if octets >= WAKE_OCTETS_MAX || pdus >= WAKE_PDUS_MAX {
                cx.waker().wake_by_ref();
                return None;
            }
            match self.incoming.poll_fill(cx, &mut self.stream) {
                Poll::Pending => return None,
                Poll::Ready(Ok(0)) => return Some(Ended::ByPeer),
                Poll::Ready(Ok(count)) => octets += count,
                Poll::Ready(Err(error)) => return Some(failed(&error)),
            }
        }
    }

    /// Decodes what stands in the buffer in place, at most `pdus_max` PDUs, and says how many there were.
    fn understand(&mut self, now: Duration, pdus_max: usize) -> usize {
        let out = &mut self.outgoing.octets;
        let mut pdus = 0;
        let mut consumed = 0;
        while pdus < pdus_max && !self.session.is_closing() && self.end.takes_more() {
            let rest = &self.incoming.octets()[consumed..];
            let event = match frame(rest, self.limits.pdu_octets_max) {
                Ok(Some(octets)) => {
                    consumed += octets;
                    match decode(&rest[..octets]) {
                        Ok(pdu) => self.session.handle_pdu(now, pdu, out),
                        Err(error) => self.session.handle_decode_error(now, &error, out),
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    self.ending.get_or_insert(Ended::OutOfStep(error));
                    self.session.handle_frame_error(now, &error, out)
                }
            };
            pdus += 1;
            if event != Event::None {
                self.end.on_event(now, event, &mut self.session, out);
            }
        }
        self.incoming.consume(consumed);
        pdus
    }

    /// Runs what is due, after what has been read. A timer that comes late means that the process stood still: the answers may wait in
    /// the socket, of which the runtime has not heard yet, so they get a moment to be read first.
    fn run_timers(&mut self, now: Duration) {
        let due = [self.session.poll_timeout(), self.end.next_at()].into_iter().flatten().min();
        let late = due.is_some_and(|at| at + LATE_AFTER < now);
        match self.timers_from {
            None if late => self.timers_from = Some(now + READ_FIRST),
            Some(from) if from <= now => self.timers_from = None,
            _ => {}
        }
        if self.timers_from.is_some() {
            return;
        }
        let out = &mut self.outgoing.octets;
        if self.session.poll_timeout().is_some_and(|at| at <= now) {
            while let Some(event) = self.session.handle_timeout(now, out) {
                self.end.on_timeout(now, event, &mut self.session, out);
            }
        }
        if self.end.next_at().is_some_and(|at| at <= now) {
            self.end.on_tick(now, &mut self.session, out);
        }
    }

    fn unbind(&mut self) {
        let now = self.clock.elapsed();
        self.end.on_stop();
        self.session.unbind(now, &mut self.outgoing.octets);
        self.close_by = Some(now + self.limits.unbind_max);
        self.stopping = true;
    }

    /// Sets the timer to the next moment at which something is due, unless it rings before that anyway.
    fn arm(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        let stalled_at = self.stalled_since.map(|since| since + self.limits.stalled_max);
        let timers = [self.session.poll_timeout(), self.end.next_at()].into_iter().flatten().min();
        let moments = [self.timers_from.or(timers), stalled_at, self.close_by];
        if let Some(next) = moments.into_iter().flatten().min()
            && self.armed.is_none_or(|armed| armed > next)
        {
            self.sleep.as_mut().reset(self.clock.instant(next));
            self.armed = Some(next);
        }
        if self.armed.is_some() && self.sleep.as_mut().poll(cx).is_ready() {
            self.armed = None;
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

fn failed(error: &io::Error) -> Ended {
    Ended::Failed(error.kind())
}
