//! The two buffers of a link. They start small, grow only as octets arrive, and are used again and again.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A read buffer before anything came: enough for a bind and a few messages.
const READ_OCTETS_MIN: usize = 4 * 1024;
/// What a busy link's read buffer grows to; a longer PDU makes it grow to that.
const READ_OCTETS_MAX: usize = 64 * 1024;
/// A write buffer beyond this is given back once it is empty.
const WRITE_OCTETS_KEPT: usize = 512 * 1024;

/// Octets that were read and not yet understood.
#[derive(Debug, Default)]
pub struct Incoming {
    octets: Vec<u8>,
    start: usize,
    end: usize,
    /// The last read filled the buffer: there is more where that came from.
    filled: bool,
}

impl Incoming {
    /// What was read and not yet consumed.
    pub fn octets(&self) -> &[u8] {
        &self.octets[self.start..self.end]
    }

    /// Drops the first `count` octets.
    pub fn consume(&mut self, count: usize) {
        self.start += count;
        debug_assert!(self.start <= self.end, "only what was read is consumed");
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Reads once and says how many octets came; zero is the end of the stream. What stands in the buffer must have been consumed but
    /// for the beginning of one PDU.
    pub fn poll_fill<S: AsyncRead + Unpin>(&mut self, cx: &mut Context<'_>, stream: &mut S) -> Poll<io::Result<usize>> {
        self.make_room();
        let mut room = ReadBuf::new(&mut self.octets[self.end..]);
        ready!(Pin::new(stream).poll_read(cx, &mut room))?;
        let count = room.filled().len();
        self.end += count;
        self.filled = self.end == self.octets.len();
        Poll::Ready(Ok(count))
    }

    /// Moves what is left to the front, and doubles a buffer that one read has filled or one PDU fills.
    fn make_room(&mut self) {
        if self.start > 0 {
            self.octets.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let size = self.octets.len();
        if size == 0 {
            self.octets.resize(READ_OCTETS_MIN, 0);
        } else if self.filled && (size < READ_OCTETS_MAX || self.end == size) {
            self.octets.resize(size * 2, 0);
        }
    }
}

/// Octets that wait to be written.
#[derive(Debug, Default)]
pub struct Outgoing {
    /// Append here.
    pub octets: Vec<u8>,
    written: usize,
}

impl Outgoing {
    /// How many octets wait.
    pub fn waiting(&self) -> usize {
        self.octets.len() - self.written
    }

    /// Writes until all is written or the socket takes no more; says whether anything was written.
    pub fn poll_drain<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
    ) -> (bool, Poll<io::Result<()>>) {
        let mut progress = false;
        while self.waiting() > 0 {
            match Pin::new(&mut *stream).poll_write(cx, &self.octets[self.written..]) {
                Poll::Ready(Ok(0)) => return (progress, Poll::Ready(Err(io::ErrorKind::WriteZero.into()))),
                Poll::Ready(Ok(count)) => {
                    self.written += count;
                    progress = true;
                }
                Poll::Ready(Err(error)) => return (progress, Poll::Ready(Err(error))),
                Poll::Pending => {
                    self.compact();
                    return (progress, Poll::Pending);
                }
            }
        }
        self.octets.clear();
        self.written = 0;
        if self.octets.capacity() > WRITE_OCTETS_KEPT {
            self.octets.shrink_to(WRITE_OCTETS_KEPT);
        }
        (progress, Poll::Ready(Ok(())))
    }

    /// What was written is dropped once it is the greater half, so that each octet moves at most twice.
    fn compact(&mut self) {
        if self.written > self.octets.len() / 2 {
            self.octets.copy_within(self.written.., 0);
            self.octets.truncate(self.waiting());
            self.written = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn fill(incoming: &mut Incoming, mut octets: &[u8]) -> usize {
        match incoming.poll_fill(&mut Context::from_waker(Waker::noop()), &mut octets) {
            Poll::Ready(Ok(count)) => count,
            other => panic!("a slice is always ready: {other:?}"),
        }
    }

    #[test]
    fn a_read_buffer_grows_with_what_arrives() {
        let mut incoming = Incoming::default();
        let flood = vec![7; 1 << 20];
        assert_eq!(fill(&mut incoming, &flood), READ_OCTETS_MIN);
        incoming.consume(READ_OCTETS_MIN - 3);
        assert_eq!(fill(&mut incoming, &flood), 2 * READ_OCTETS_MIN - 3, "the rest of a PDU stays in front");
        for _ in 0..10 {
            incoming.consume(incoming.octets().len());
            fill(&mut incoming, &flood);
        }
        assert_eq!(incoming.octets().len(), READ_OCTETS_MAX, "bounded while PDUs are short");
        fill(&mut incoming, &flood);
        assert_eq!(incoming.octets().len(), 2 * READ_OCTETS_MAX, "a PDU that fills it makes it grow");
    }

    #[test]
    fn a_write_buffer_keeps_what_was_not_taken() {
        let mut outgoing = Outgoing::default();
        outgoing.octets.extend_from_slice(b"0123456789");
        let (mut near, _far) = tokio::io::duplex(7);
        let mut cx = Context::from_waker(Waker::noop());
        let (progress, result) = outgoing.poll_drain(&mut cx, &mut near);
        assert!(progress && result.is_pending());
        assert_eq!(&outgoing.octets[outgoing.written..], b"789");
        let (progress, result) = outgoing.poll_drain(&mut cx, &mut near);
        assert!(!progress && result.is_pending(), "a full pipe takes nothing");
    }
}
