//! Where one PDU ends in a stream of octets (SMPP 3.4 section 3.2): the length is checked against a cap before
//! anything is read or allocated for it, and how the stream was cut does not matter (quirk Q50).

use core::fmt;

/// Octets of a PDU header: command_length, command_id, command_status, sequence_number.
pub const HEADER_OCTETS: usize = 16;

/// The cap on command_length when nothing else is configured: 64 KiB, so that message_payload fits.
pub const PDU_OCTETS_MAX_DEFAULT: usize = 65_536;

/// The stream is out of step: its next command_length cannot be one. Nothing behind it can be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameError {
    /// The length as it was read.
    pub command_length: u32,
    /// The cap it was held against.
    pub octets_max: usize,
}

/// Finds the first PDU.
///
/// `Ok(Some(n))`: a whole PDU of n octets stands at the start of `bytes`. `Ok(None)`: more octets are needed.
/// The error is known as soon as the four octets of command_length are there.
#[inline]
pub fn frame(bytes: &[u8], octets_max: usize) -> Result<Option<usize>, FrameError> {
    let Some(head) = bytes.first_chunk::<4>() else { return Ok(None) };
    let command_length = u32::from_be_bytes(*head);
    // A target of fewer than 32 bits cannot hold such a PDU, so the cap refuses it there too.
    let octets = usize::try_from(command_length).unwrap_or(usize::MAX);
    if octets < HEADER_OCTETS || octets > octets_max {
        return Err(FrameError { command_length, octets_max });
    }
    Ok((bytes.len() >= octets).then_some(octets))
}

impl FrameError {
    /// The other protocol that seems to be spoken here, judged by the octets that were read as a length (quirk Q49). For the
    /// log.
    pub fn protocol(&self) -> Option<&'static str> {
        let head = self.command_length.to_be_bytes();
        match &head {
            b"GET " | b"POST" | b"PUT " | b"HEAD" | b"DELE" | b"OPTI" | b"PATC" | b"CONN" | b"TRAC" | b"HTTP" => {
                Some("HTTP")
            }
            b"PRI " => Some("HTTP/2"),
            b"SSH-" => Some("SSH"),
            b"AMQP" => Some("AMQP"),
            b"PROX" => Some("PROXY protocol"),
            b"EHLO" | b"HELO" => Some("SMTP"),
            // A TLS record: handshake, version 3.0 to 3.4, and a length below 2^14.
            [0x16, 0x03, 0..=4, 0..=0x40] => Some("TLS"),
            _ => None,
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "command_length {} is not between {HEADER_OCTETS} and {}", self.command_length, self.octets_max)?;
        match self.protocol() {
            Some(protocol) => write!(f, " (the peer seems to speak {protocol})"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for FrameError {}
