//! A platform in few lines, written against SMPP 3.4 and not against the daemon's own codec: it sends any
//! octets it is told to and reads PDUs one by one with a deadline.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

pub(crate) const GENERIC_NACK: u32 = 0x8000_0000;
pub(crate) const BIND_RECEIVER: u32 = 1;
pub(crate) const BIND_TRANSMITTER: u32 = 2;
pub(crate) const SUBMIT_SM: u32 = 4;
pub(crate) const DELIVER_SM: u32 = 5;
pub(crate) const UNBIND: u32 = 6;
pub(crate) const BIND_TRANSCEIVER: u32 = 9;
pub(crate) const ENQUIRE_LINK: u32 = 0x15;
/// Set in the command_id of every response.
pub(crate) const RESPONSE: u32 = 0x8000_0000;

const ROK: u32 = 0;
const RINVCMDLEN: u32 = 2;
const MESSAGE_PAYLOAD: u16 = 0x0424;

/// How long a peer may take for an answer that it owes at once.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A PDU as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pdu {
    pub(crate) command: u32,
    pub(crate) status: u32,
    pub(crate) sequence: u32,
    pub(crate) body: Vec<u8>,
}

/// What came next on a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Pdu(Pdu),
    Closed,
}

/// One connection of a platform.
#[derive(Debug)]
pub(crate) struct Esme {
    stream: TcpStream,
    sequence: u32,
    /// Responses that came while another was awaited.
    early: Vec<Pdu>,
}

impl Esme {
    /// Connects and says nothing.
    pub(crate) fn connect(address: SocketAddr) -> Esme {
        let stream = TcpStream::connect_timeout(&address, ANSWER_WITHIN).expect("the port is open");
        Esme::over(stream)
    }

    /// A peer on a connection that is there already.
    pub(crate) fn over(stream: TcpStream) -> Esme {
        stream.set_read_timeout(Some(ANSWER_WITHIN)).expect("a socket takes a timeout");
        stream.set_nodelay(true).expect("a socket takes the option");
        Esme { stream, sequence: 0, early: Vec::new() }
    }

    /// Connects and binds with this command; a refusal gives its command_status.
    pub(crate) fn bind(address: SocketAddr, command: u32, system_id: &str, password: &str) -> Result<Esme, u32> {
        let mut esme = Esme::connect(address);
        let body = [system_id.as_bytes(), b"\0", password.as_bytes(), b"\0\0\x34\0\0\0"].concat();
        let sequence = esme.request(command, &body);
        let answer = esme.response_to(sequence);
        assert_eq!(answer.command, command | RESPONSE, "{answer:?}");
        if answer.status == ROK { Ok(esme) } else { Err(answer.status) }
    }

    /// A transceiver of the tenant `riverside` with the password `secret`, as the tests configure it.
    pub(crate) fn riverside(address: SocketAddr) -> Esme {
        let bound = Esme::bind(address, BIND_TRANSCEIVER, "riverside", "secret");
        bound.unwrap_or_else(|status| panic!("the bind is refused with {status:#x}"))
    }

    /// Sends a request and returns its sequence_number.
    pub(crate) fn request(&mut self, command: u32, body: &[u8]) -> u32 {
        self.sequence += 1;
        self.send(&Pdu { command, status: ROK, sequence: self.sequence, body: body.to_vec() });
        self.sequence
    }

    /// Sends a GSM-7 text (ASCII letters and digits only) as submit_sm that asks for a receipt.
    pub(crate) fn submit(&mut self, to: &str, text: &str) -> u32 {
        self.request(SUBMIT_SM, &submit_body(to, text))
    }

    /// Sends a PDU as it is.
    pub(crate) fn send(&mut self, pdu: &Pdu) {
        self.write(&pdu.octets());
    }

    /// Sends any octets. A peer that has already closed is noticed at the next read.
    pub(crate) fn write(&mut self, octets: &[u8]) {
        let _ = self.stream.write_all(octets);
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// The next PDU, or that the peer closed.
    ///
    /// # Panics
    /// When neither comes in time, or when a PDU is cut off or has an impossible length.
    pub(crate) fn next(&mut self) -> Next {
        let mut head = [0; 16];
        match self.stream.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                return Next::Closed;
            }
            Err(error) => panic!("no PDU within {ANSWER_WITHIN:?}: {error}"),
        }
        let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let length = word(0) as usize;
        assert!((16..=65_536).contains(&length), "a PDU of {length} octets");
        let mut body = vec![0; length - 16];
        self.stream.read_exact(&mut body).expect("a PDU comes whole");
        Next::Pdu(Pdu { command: word(4), status: word(8), sequence: word(12), body })
    }

    /// The next PDU of a peer that may be killed in the middle of one; nothing once it is gone.
    pub(crate) fn next_before_the_end(&mut self) -> Option<Pdu> {
        let mut head = [0; 16];
        self.stream.read_exact(&mut head).ok()?;
        let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let mut body = vec![0; (word(0) as usize).checked_sub(16)?];
        self.stream.read_exact(&mut body).ok()?;
        Some(Pdu { command: word(4), status: word(8), sequence: word(12), body })
    }

    /// The response to a request; requests of the peer that come first are answered on the way.
    ///
    /// # Panics
    /// When the peer closes first.
    pub(crate) fn response_to(&mut self, sequence: u32) -> Pdu {
        loop {
            match self.next() {
                Next::Closed => panic!("closed instead of a response to {sequence}"),
                Next::Pdu(pdu) if pdu.command & RESPONSE != 0 && pdu.sequence == sequence => return pdu,
                Next::Pdu(pdu) => self.answer(&pdu),
            }
        }
    }

    /// As [`Esme::response_to`], keeping responses to other requests for later calls.
    pub(crate) fn response_in_any_order(&mut self, sequence: u32) -> Pdu {
        if let Some(at) = self.early.iter().position(|pdu| pdu.sequence == sequence) {
            return self.early.swap_remove(at);
        }
        loop {
            match self.next() {
                Next::Closed => panic!("closed instead of a response to {sequence}"),
                Next::Pdu(pdu) if pdu.command & RESPONSE == 0 => self.answer(&pdu),
                Next::Pdu(pdu) if pdu.sequence == sequence => return pdu,
                Next::Pdu(pdu) => self.early.push(pdu),
            }
        }
    }

    /// As [`Esme::response_to`], handing the text of every receipt that comes first to `note`.
    pub(crate) fn response_or_receipts(&mut self, sequence: u32, mut note: impl FnMut(String)) -> Pdu {
        loop {
            match self.next() {
                Next::Closed => panic!("closed instead of a response to {sequence}"),
                Next::Pdu(pdu) if pdu.command & RESPONSE != 0 && pdu.sequence == sequence => return pdu,
                Next::Pdu(pdu) => {
                    self.answer(&pdu);
                    if pdu.command == DELIVER_SM {
                        note(pdu.short_message());
                    }
                }
            }
        }
    }

    /// Waits for the next receipt, answers it, and returns its text.
    pub(crate) fn receipt(&mut self) -> String {
        loop {
            match self.next() {
                Next::Closed => panic!("closed instead of a receipt"),
                Next::Pdu(pdu) => {
                    self.answer(&pdu);
                    if pdu.command == DELIVER_SM {
                        return pdu.short_message();
                    }
                }
            }
        }
    }

    /// Answers a request of the peer; responses need no answer.
    pub(crate) fn answer(&mut self, pdu: &Pdu) {
        if pdu.command & RESPONSE == 0 {
            let body = if pdu.command == DELIVER_SM { vec![0] } else { Vec::new() };
            self.send(&Pdu { command: pdu.command | RESPONSE, status: ROK, sequence: pdu.sequence, body });
        }
    }

    /// The next deliver_sm, answered.
    pub(crate) fn deliver_sm(&mut self) -> Pdu {
        loop {
            match self.next() {
                Next::Closed => panic!("closed instead of a deliver_sm"),
                Next::Pdu(pdu) => {
                    self.answer(&pdu);
                    if pdu.command == DELIVER_SM {
                        return pdu;
                    }
                }
            }
        }
    }

    /// Whether the link answers an enquire_link.
    pub(crate) fn is_alive(&mut self) -> bool {
        let sequence = self.request(ENQUIRE_LINK, &[]);
        self.response_to(sequence).status == ROK
    }
}

impl Pdu {
    /// The octets on the wire.
    pub(crate) fn octets(&self) -> Vec<u8> {
        let length = u32::try_from(self.body.len() + 16).expect("a test PDU is small");
        let head = [length, self.command, self.status, self.sequence];
        let head = head.iter().flat_map(|word| word.to_be_bytes());
        head.chain(self.body.iter().copied()).collect()
    }

    /// The message_id of a submit_sm_resp.
    pub(crate) fn message_id(&self) -> String {
        let end = self.body.iter().position(|octet| *octet == 0).unwrap_or(self.body.len());
        String::from_utf8_lossy(&self.body[..end]).into_owned()
    }

    /// Whether this refuses the length of a PDU, which is the one thing to say about an impossible one.
    pub(crate) fn refuses_the_length(&self) -> bool {
        self.command == GENERIC_NACK && self.status == RINVCMDLEN
    }

    /// The short_message of a deliver_sm, as Latin-1.
    pub(crate) fn short_message(&self) -> String {
        let mut rest = self.body.as_slice();
        let string = |rest: &mut &[u8]| {
            let end = rest.iter().position(|octet| *octet == 0).expect("a C-octet string ends with NUL");
            *rest = &rest[end + 1..];
        };
        string(&mut rest);
        for _address in 0..2 {
            rest = &rest[2..];
            string(&mut rest);
        }
        rest = &rest[3..];
        string(&mut rest);
        string(&mut rest);
        // registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id, sm_length.
        let length = usize::from(rest[4]);
        rest[5..5 + length].iter().map(|octet| char::from(*octet)).collect()
    }
}

/// The body of a submit_sm from `Riverside`, with the text in message_payload when it is longer than an octet can say.
pub(crate) fn submit_body(to: &str, text: &str) -> Vec<u8> {
    let mut body = b"\0\x05\0Riverside\0\x01\x01".to_vec();
    body.extend_from_slice(to.as_bytes());
    body.extend_from_slice(b"\0\0\0\0\0\0\x01\0\0\0");
    if let Ok(length) = u8::try_from(text.len()) {
        body.push(length);
        body.extend_from_slice(text.as_bytes());
        return body;
    }
    body.push(0);
    body.extend_from_slice(&MESSAGE_PAYLOAD.to_be_bytes());
    body.extend_from_slice(&u16::try_from(text.len()).expect("a parameter holds 64 KiB").to_be_bytes());
    body.extend_from_slice(text.as_bytes());
    body
}
