//! One TCP connection of an instrument with its buffers. A read takes all that is there, a write sends all that is
//! waiting, and PDUs are looked at where they were read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::smpp::command::CommandId;
use crate::smpp::frame::{FrameError, HEADER_OCTETS, PDU_OCTETS_MAX_DEFAULT, frame};
use crate::smpp::status::CommandStatus;

/// Room for what a window of PDUs takes, and for the largest PDU whatever stands before it.
const INPUT_OCTETS: usize = 2 * PDU_OCTETS_MAX_DEFAULT;

/// A peer that leaves more than this unread is written nothing further.
const OUTPUT_OCTETS_MAX: usize = 256 * 1024;

/// A connection. `input` and `output` are apart so that a PDU can be answered while it is still being looked at.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    pub(crate) input: Input,
    pub(crate) output: Vec<u8>,
    written: usize,
}

/// Octets that have been read and not yet taken.
#[derive(Debug, Default)]
pub(crate) struct Input {
    octets: Vec<u8>,
    start: usize,
    end: usize,
}

/// What a read brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Filled {
    /// There is something new.
    Octets,
    /// The peer sends no more.
    Closed,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> io::Result<Wire> {
        stream.set_nodelay(true)?;
        let input = Input { octets: vec![0; INPUT_OCTETS], start: 0, end: 0 };
        Ok(Wire { stream, input, output: Vec::new(), written: 0 })
    }

    /// Reads once. Call it until it is pending; a short read has already told the runtime that the socket is dry.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Filled>> {
        self.input.make_room();
        let mut room = ReadBuf::new(&mut self.input.octets[self.input.end..]);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut room))?;
        let octets = room.filled().len();
        self.input.end += octets;
        Poll::Ready(Ok(if octets == 0 { Filled::Closed } else { Filled::Octets }))
    }

    /// Writes what is waiting. Ready when nothing is left.
    pub(crate) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.output.len() {
            let octets = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.output[self.written..]))?;
            if octets == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += octets;
        }
        self.output.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    /// Whether the peer keeps up with reading.
    pub(crate) fn takes_more(&self) -> bool {
        self.output.len() - self.written < OUTPUT_OCTETS_MAX
    }
}

impl Input {
    /// Takes the next whole PDU, if there is one.
    pub(crate) fn next_frame(&mut self) -> Result<Option<&[u8]>, FrameError> {
        let rest = &self.octets[self.start..self.end];
        let Some(octets) = frame(rest, PDU_OCTETS_MAX_DEFAULT)? else { return Ok(None) };
        self.start += octets;
        Ok(Some(&rest[..octets]))
    }

    /// Moves what is left to the front when the room behind it has become too small for a PDU.
    fn make_room(&mut self) {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.octets.len() - self.end < PDU_OCTETS_MAX_DEFAULT {
            self.octets.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
    }
}

/// Appends a PDU that is nothing but its header.
pub(crate) fn write_header(command: CommandId, status: CommandStatus, sequence: u32, out: &mut Vec<u8>) {
    const OCTETS: u32 = HEADER_OCTETS as u32;
    for word in [OCTETS, command.0, status.0, sequence] {
        out.extend_from_slice(&word.to_be_bytes());
    }
}
