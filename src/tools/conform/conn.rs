//! One connection of the suite: what was asked on it, what came back, and what the peer asked of its own accord.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::tools::conform::answer::status_name;
use crate::tools::conform::check::{Received, read};
use crate::tools::conform::layout::{ENQUIRE_LINK, GENERIC_NACK, Layout, RESPONSE, name_of};
use crate::tools::conform::template::{Built, Template, Values};

/// The longest PDU that is taken from a peer, octets.
const PDU_OCTETS_MAX: usize = 1 << 20;

/// The pause between two octets that come one by one.
const TRICKLE_PAUSE: Duration = Duration::from_millis(2);

/// The last message_id that was given out, so that none is given twice in a run.
static LAST_ID: AtomicU32 = AtomicU32::new(0x0100_0000);

/// A request that was sent.
#[derive(Debug)]
pub(super) struct Ask {
    /// Its command_id; none when the octets sent do not reach so far.
    pub(super) id: Option<u32>,
    /// Its sequence number.
    pub(super) sequence: Option<u32>,
    /// What it was made of, to send it again when it is throttled.
    pub(super) template: Option<Template>,
    /// What came back.
    pub(super) reply: Option<Received>,
}

/// What reading brought.
#[derive(Debug)]
pub(super) enum Came {
    /// Something was taken in; look again.
    Pdu,
    /// The peer has closed the connection.
    End,
    /// Nothing until the deadline.
    Late,
}

/// Which side the suite plays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    /// It is the ESME.
    Esme,
    /// It is the message centre.
    Centre,
}

/// A connection.
pub(super) struct Conn {
    stream: TcpStream,
    side: Side,
    input: Vec<u8>,
    output: Vec<u8>,
    /// The peer has closed.
    pub(super) ended: bool,
    /// The next sequence number.
    sequence: u32,
    /// Requests in the order in which they were sent.
    pub(super) asks: Vec<Ask>,
    /// Responses under numbers that nobody asked under.
    pub(super) strays: Vec<Received>,
    /// The kinds of request that the case itself answers.
    pub(super) awaited: Vec<u32>,
    /// Requests of the peer of that kind.
    pub(super) requests: Vec<Received>,
}

impl Conn {
    /// A connection that was just made or accepted.
    pub(super) fn new(stream: TcpStream, side: Side) -> io::Result<Conn> {
        stream.set_nodelay(true)?;
        Ok(Conn {
            stream,
            side,
            input: Vec::new(),
            output: Vec::new(),
            ended: false,
            sequence: 0,
            asks: Vec::new(),
            strays: Vec::new(),
            awaited: Vec::new(),
            requests: Vec::new(),
        })
    }

    /// Puts something into the next write, and remembers it as an ask if it wants an answer.
    pub(super) fn send(&mut self, template: &Template, values: &Values) -> Result<(), String> {
        self.sequence += 1;
        let built = template.build(self.sequence, values)?;
        self.output.extend_from_slice(&built.octets);
        self.remember(built, Some(template.clone()));
        Ok(())
    }

    /// Sends a request again under a new number, in place of the one at this index.
    pub(super) fn send_again(&mut self, index: usize, values: &Values) -> Result<(), String> {
        let Some(template) = self.asks[index].template.clone() else { return Ok(()) };
        self.sequence += 1;
        let built = template.build(self.sequence, values)?;
        self.output.extend_from_slice(&built.octets);
        self.asks[index].sequence = built.sequence;
        self.asks[index].reply = None;
        Ok(())
    }

    /// Sends an enquire_link of the suite's own and says at which index its answer will stand.
    pub(super) fn probe(&mut self) -> usize {
        self.sequence += 1;
        // Apart from the numbers of cases, so that no answer is taken for another.
        let sequence = 0x0700_0000 + self.sequence;
        header(ENQUIRE_LINK, 0, sequence, &mut self.output);
        self.asks.push(Ask { id: Some(ENQUIRE_LINK), sequence: Some(sequence), template: None, reply: None });
        self.asks.len() - 1
    }

    /// Puts octets into the next write that want no answer.
    pub(super) fn answer(&mut self, octets: &[u8]) {
        self.output.extend_from_slice(octets);
    }

    fn remember(&mut self, built: Built, template: Option<Template>) {
        self.asks.push(Ask { id: built.id, sequence: built.sequence, template, reply: None });
    }

    /// Writes what waits. A peer that has closed is seen by reading.
    pub(super) async fn flush(&mut self, by: Instant) {
        let output = std::mem::take(&mut self.output);
        if output.is_empty() {
            return;
        }
        // A peer that stops reading is met by the deadline; what it has not taken is not the case's concern.
        let mut written = 0;
        while written < output.len() {
            let (mut reading, mut writing) = self.stream.split();
            let mut octets = [0; 16 * 1024];
            tokio::select! {
                wrote = timeout_at(by, writing.write(&output[written..])) => match wrote {
                    Ok(Ok(count)) if count > 0 => written += count,
                    _ => return,
                },
                read = reading.read(&mut octets), if !self.ended => match read {
                    Ok(count) if count > 0 => self.input.extend_from_slice(&octets[..count]),
                    _ => self.ended = true,
                },
            }
        }
    }

    /// Writes what waits octet by octet.
    pub(super) async fn trickle(&mut self, by: Instant) {
        for octet in std::mem::take(&mut self.output) {
            self.output.push(octet);
            self.flush(by).await;
            tokio::time::sleep(TRICKLE_PAUSE).await;
        }
    }

    /// Takes the next PDU in, or reads until the deadline.
    pub(super) async fn take(&mut self, by: Instant) -> Result<Came, String> {
        loop {
            if let Some(pdu) = self.next_pdu()? {
                self.sort(pdu)?;
                self.flush(by).await;
                return Ok(Came::Pdu);
            }
            if self.ended {
                return Ok(Came::End);
            }
            let mut octets = [0; 16 * 1024];
            match timeout_at(by, self.stream.read(&mut octets)).await {
                Err(_) => return Ok(Came::Late),
                Ok(Ok(0) | Err(_)) => self.ended = true,
                Ok(Ok(count)) => self.input.extend_from_slice(&octets[..count]),
            }
        }
    }

    fn next_pdu(&mut self) -> Result<Option<Received>, String> {
        let Some(head) = self.input.first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*head) as usize;
        if !(16..=PDU_OCTETS_MAX).contains(&length) {
            return Err(format!("it sent a command_length of {length} (3.4 §3.2)"));
        }
        if self.input.len() < length {
            return Ok(None);
        }
        let octets: Vec<u8> = self.input.drain(..length).collect();
        let word = |at: usize| u32::from_be_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]]);
        Ok(Some(Received { id: word(4), status: word(8), sequence: word(12), body: octets[16..].to_vec() }))
    }

    fn sort(&mut self, pdu: Received) -> Result<(), String> {
        let found = read(&pdu);
        if pdu.id & RESPONSE == 0 {
            found?;
            return self.asked(pdu);
        }
        // A probe that is refused is an answer, too: 3.4 does not know enquire_link before a bind.
        let matches = |ask: &Ask| {
            ask.reply.is_none()
                && ask.sequence == Some(pdu.sequence)
                && (pdu.id == GENERIC_NACK || ask.id.is_none_or(|id| pdu.id == id | RESPONSE))
        };
        match self.asks.iter().position(matches) {
            Some(index) => {
                found?;
                self.asks[index].reply = Some(pdu);
            }
            None => self.strays.push(pdu),
        }
        Ok(())
    }

    /// A request of the peer: answered as a friendly side would, unless the case does it.
    fn asked(&mut self, pdu: Received) -> Result<(), String> {
        let layout = Layout::of(pdu.id).expect("it was read");
        let may = if self.side == Side::Esme { layout.from_centre } else { layout.from_esme };
        if !may {
            return Err(format!("it sent {}, which its side may not send (3.4 §2.3)", layout.name));
        }
        if self.awaited.contains(&pdu.id) {
            self.requests.push(pdu);
            return Ok(());
        }
        let mut octets = Vec::new();
        match layout.name {
            "alert_notification" | "outbind" => {}
            "deliver_sm" | "data_sm" => {
                header(pdu.id | RESPONSE, 0, pdu.sequence, &mut octets);
                octets.push(0);
                octets[3] += 1;
            }
            "submit_sm" => {
                header(pdu.id | RESPONSE, 0, pdu.sequence, &mut octets);
                let id = LAST_ID.fetch_add(1, Ordering::Relaxed);
                octets.extend_from_slice(format!("{id:08x}\0").as_bytes());
                octets[3] = octets.len() as u8;
            }
            "enquire_link" | "unbind" => header(pdu.id | RESPONSE, 0, pdu.sequence, &mut octets),
            _ => header(pdu.id | RESPONSE, 3, pdu.sequence, &mut octets),
        }
        self.output.extend_from_slice(&octets);
        Ok(())
    }

    /// Closes the own direction.
    pub(super) async fn shut(&mut self) {
        // A peer that is gone already sees no difference.
        let _ = self.stream.shutdown().await;
    }

    /// Answers, as a friendly side would, what was kept for a case that did not come.
    pub(super) fn release(&mut self) -> Result<(), String> {
        self.awaited.clear();
        std::mem::take(&mut self.requests).into_iter().try_for_each(|pdu| self.asked(pdu))
    }

    /// Forgets what was asked by an earlier case.
    pub(super) fn forget(&mut self) {
        self.asks.clear();
        self.strays.clear();
    }

    /// Whether all that was asked is answered and nothing else came; says what is left over.
    pub(super) fn left_over(&self) -> Option<String> {
        let stray = self.strays.first()?;
        Some(format!(
            "it answered what nobody asked: {} {} under sequence_number {} (3.4 §2.6)",
            name_of(stray.id),
            status_name(stray.status),
            stray.sequence
        ))
    }

    /// Unbinds politely, and waits a little for the answer.
    pub(super) async fn leave(mut self, patience: Duration) {
        if self.ended {
            return;
        }
        self.sequence += 1;
        header(0x06, 0, 0x0600_0000 + self.sequence, &mut self.output);
        let by = Instant::now() + patience;
        self.flush(by).await;
        let mut answered = false;
        while !answered && matches!(self.take(by).await, Ok(Came::Pdu)) {
            answered = self.strays.iter().any(|pdu| pdu.id == 0x8000_0006);
        }
    }
}

fn header(id: u32, status: u32, sequence: u32, out: &mut Vec<u8>) {
    for word in [16, id, status, sequence] {
        out.extend_from_slice(&word.to_be_bytes());
    }
}
