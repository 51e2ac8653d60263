//! A carrier in few lines, written against SMPP 3.4 and not against the daemon's own codec: it accepts binds,
//! notes every submit, and answers as a test tells it to. One thread for each connection, ended by the peer.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::esme::{
    BIND_RECEIVER, BIND_TRANSCEIVER, BIND_TRANSMITTER, DELIVER_SM, GENERIC_NACK, Pdu, RESPONSE, SUBMIT_SM, UNBIND,
};
use super::pause;

/// A submit_sm as it came.
#[derive(Debug, Clone)]
pub(crate) struct Submit {
    /// Counted from 1 over all binds.
    pub(crate) number: usize,
    /// The connection it came on, counted from 0.
    pub(crate) connection: usize,
    pub(crate) sequence: u32,
    /// Type of number and numbering plan of the sender.
    pub(crate) from_plan: (u8, u8),
    pub(crate) from: String,
    /// Type of number and numbering plan of the destination.
    pub(crate) to_plan: (u8, u8),
    pub(crate) to: String,
    pub(crate) esm_class: u8,
    /// validity_period.
    pub(crate) validity: String,
    pub(crate) data_coding: u8,
    pub(crate) registered: u8,
    /// short_message, with its user data header if it has one.
    pub(crate) octets: Vec<u8>,
    /// Its optional parameters as they came.
    pub(crate) tlvs: Vec<u8>,
}

impl Submit {
    /// Tag and value of its optional parameters, in their order.
    pub(crate) fn parameters(&self) -> Vec<(u16, Vec<u8>)> {
        let (mut rest, mut found) = (self.tlvs.as_slice(), Vec::new());
        while let [tag_high, tag_low, high, low, ..] = *rest {
            let end = 4 + usize::from(u16::from_be_bytes([high, low]));
            found.push((u16::from_be_bytes([tag_high, tag_low]), rest[4..end].to_vec()));
            rest = &rest[end..];
        }
        found
    }
}

/// What the carrier does about a submit.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Takes it under this id, and sends these receipts (texts) after the response.
    Take(String, Vec<String>),
    /// Sends these receipts first and takes it under this id afterwards.
    ReceiptsFirst(String, Vec<String>),
    /// Refuses it with this command_status.
    Refuse(u32),
    /// Refuses it by a generic_nack with this command_status.
    Nack(u32),
    /// As [`Answer::Take`], with a response after the first time and receipts after the second. Other submits are
    /// taken meanwhile.
    TakeSlowly(String, Vec<String>, Duration, Duration),
    /// Says nothing.
    Silence,
    /// Closes the connection without a word.
    HangUp,
}

type Policy = dyn Fn(&Submit) -> Answer + Send + Sync;

/// The command_status that answers a bind.
type BindPolicy = dyn Fn(&Pdu) -> u32 + Send + Sync;

/// A listening carrier. It goes on until the test program ends.
#[derive(Clone)]
pub(crate) struct Smsc {
    /// Where the daemon binds.
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    submits: Vec<Submit>,
    /// Connections in the order they came; the second value says whether deliver_sm may go there.
    connections: Vec<(TcpStream, bool)>,
    binds: usize,
    unbinds: usize,
    /// Every request to bind, refused or not.
    asked: Vec<Pdu>,
    /// Submits without a response by connection, and the most there ever were on one.
    outstanding: BTreeMap<usize, usize>,
    most_outstanding: usize,
    /// command_id of everything that came, over all connections.
    heard: Vec<u32>,
    /// command_status of every deliver_sm_resp.
    delivered: Vec<u32>,
    /// Receipts for which no bind could be found yet.
    unreported: Vec<(Submit, String)>,
    /// Receipts that were sent and not answered, by connection and sequence_number.
    unanswered: BTreeMap<(usize, u32), (Submit, String)>,
    next_sequence: u32,
}

impl Smsc {
    /// Listens on a free port; `policy` is asked once for each submit.
    pub(crate) fn start(policy: impl Fn(&Submit) -> Answer + Send + Sync + 'static) -> Smsc {
        Smsc::choosing(|_| 0, policy)
    }

    /// As [`Smsc::start`], answering each bind with the command_status that `binds` says.
    pub(crate) fn choosing(
        binds: impl Fn(&Pdu) -> u32 + Send + Sync + 'static,
        policy: impl Fn(&Submit) -> Answer + Send + Sync + 'static,
    ) -> Smsc {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let smsc = Smsc { address, state: Arc::default() };
        let (accepting, policy): (Smsc, Arc<Policy>) = (smsc.clone(), Arc::new(policy));
        let binds: Arc<BindPolicy> = Arc::new(binds);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // Answers are small; without this they would wait for each other.
                let _ = stream.set_nodelay(true);
                let twin = stream.try_clone().expect("a socket has a twin");
                let connection = {
                    let mut state = accepting.lock();
                    state.connections.push((twin, false));
                    state.connections.len() - 1
                };
                let (smsc, binds, policy) = (accepting.clone(), binds.clone(), policy.clone());
                std::thread::spawn(move || smsc.serve(stream, connection, &*binds, &*policy));
            }
        });
        smsc
    }

    /// Takes everything and reports it as delivered.
    pub(crate) fn delivering() -> Smsc {
        Smsc::start(|submit| {
            let id = format!("{:08x}", submit.number);
            let receipt = receipt(&id, "DELIVRD");
            Answer::Take(id, vec![receipt])
        })
    }

    /// What was submitted so far.
    pub(crate) fn submits(&self) -> Vec<Submit> {
        self.lock().submits.clone()
    }

    /// How many binds were accepted, and how many unbinds answered.
    pub(crate) fn binds(&self) -> (usize, usize) {
        let state = self.lock();
        (state.binds, state.unbinds)
    }

    /// Every request to bind so far, refused or not.
    pub(crate) fn asked(&self) -> Vec<Pdu> {
        self.lock().asked.clone()
    }

    /// command_id of everything that came so far, over all connections.
    pub(crate) fn heard(&self) -> Vec<u32> {
        self.lock().heard.clone()
    }

    /// The most submits that were ever without a response on one connection.
    pub(crate) fn most_outstanding(&self) -> usize {
        self.lock().most_outstanding
    }

    /// The command_status of every answered receipt so far.
    pub(crate) fn delivered(&self) -> Vec<u32> {
        self.lock().delivered.clone()
    }

    /// Sends any PDU with command_status 0 over a connection.
    pub(crate) fn say(&self, connection: usize, command: u32, sequence: u32, body: &[u8]) {
        let octets = Pdu { command, status: 0, sequence, body: body.to_vec() }.octets();
        // A peer that is gone hears nothing.
        let _ = self.lock().connections[connection].0.write_all(&octets);
    }

    /// Sends a receipt for this submit over the last bind that may receive, and again over another as long as
    /// the connection it went to closes before it was answered. Waits while there is none.
    pub(crate) fn report(&self, submit: &Submit, text: &str) {
        self.lock().unreported.push((submit.clone(), text.to_owned()));
        self.send_receipts();
    }

    /// Sends what waits for a bind that may receive.
    fn send_receipts(&self) {
        let mut state = self.lock();
        let State { connections, unreported, unanswered, next_sequence, .. } = &mut *state;
        let Some((at, (stream, _))) = connections.iter_mut().enumerate().rev().find(|(_, (_, receives))| *receives)
        else {
            return;
        };
        for (submit, text) in unreported.drain(..) {
            *next_sequence += 1;
            let body = receipt_body(&submit, &text);
            let pdu = Pdu { command: DELIVER_SM, status: 0, sequence: *next_sequence, body };
            unanswered.insert((at, *next_sequence), (submit, text));
            // A connection that has just closed gives its receipts back.
            let _ = stream.write_all(&pdu.octets());
        }
    }

    /// Closes every connection without a word.
    pub(crate) fn hang_up(&self) {
        for (stream, receives) in &mut self.lock().connections {
            *receives = false;
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the carrier panics while it holds this")
    }

    fn serve(&self, mut stream: TcpStream, connection: usize, binds: &BindPolicy, policy: &Policy) {
        while let Some(pdu) = read(&mut stream) {
            self.lock().heard.push(pdu.command);
            match pdu.command {
                BIND_RECEIVER | BIND_TRANSMITTER | BIND_TRANSCEIVER => {
                    let status = binds(&pdu);
                    let mut state = self.lock();
                    state.asked.push(pdu.clone());
                    if status == 0 {
                        state.binds += 1;
                        state.connections[connection].1 = pdu.command != BIND_TRANSMITTER;
                    }
                    drop(state);
                    self.respond(connection, &pdu, status, if status == 0 { b"smsc\0" } else { b"" });
                    self.send_receipts();
                }
                SUBMIT_SM => self.submitted(connection, &pdu, policy),
                UNBIND => {
                    self.lock().unbinds += 1;
                    self.respond(connection, &pdu, 0, &[]);
                }
                command if command == DELIVER_SM | RESPONSE => {
                    let mut state = self.lock();
                    state.delivered.push(pdu.status);
                    state.unanswered.remove(&(connection, pdu.sequence));
                }
                command if command & RESPONSE == 0 => self.respond(connection, &pdu, 0, &[]),
                _ => {}
            }
        }
        let mut state = self.lock();
        state.connections[connection].1 = false;
        let mine: Vec<(usize, u32)> = state.unanswered.keys().copied().filter(|(at, _)| *at == connection).collect();
        for key in mine {
            let receipt = state.unanswered.remove(&key).expect("the key was just seen");
            state.unreported.push(receipt);
        }
        drop(state);
        self.send_receipts();
    }

    fn submitted(&self, connection: usize, pdu: &Pdu, policy: &Policy) {
        let submit = {
            let mut state = self.lock();
            let submit = parsed(pdu, state.submits.len() + 1, connection);
            state.submits.push(submit.clone());
            let State { outstanding, most_outstanding, .. } = &mut *state;
            let outstanding = outstanding.entry(connection).or_default();
            *outstanding += 1;
            *most_outstanding = (*most_outstanding).max(*outstanding);
            submit
        };
        match policy(&submit) {
            Answer::Take(id, receipts) => {
                self.respond(connection, pdu, 0, &[id.as_bytes(), b"\0"].concat());
                receipts.iter().for_each(|text| self.report(&submit, text));
            }
            Answer::ReceiptsFirst(id, receipts) => {
                receipts.iter().for_each(|text| self.report(&submit, text));
                self.respond(connection, pdu, 0, &[id.as_bytes(), b"\0"].concat());
            }
            Answer::TakeSlowly(id, receipts, response_after, receipts_after) => {
                let (smsc, pdu) = (self.clone(), pdu.clone());
                std::thread::spawn(move || {
                    pause(response_after);
                    smsc.respond(connection, &pdu, 0, &[id.as_bytes(), b"\0"].concat());
                    pause(receipts_after);
                    receipts.iter().for_each(|text| smsc.report(&submit, text));
                });
            }
            Answer::Refuse(status) => self.respond(connection, pdu, status, &[]),
            Answer::Nack(status) => {
                let nack = Pdu { command: GENERIC_NACK, status, sequence: pdu.sequence, body: Vec::new() };
                self.write(connection, &nack);
            }
            Answer::Silence => {}
            Answer::HangUp => {
                let _ = self.lock().connections[connection].0.shutdown(Shutdown::Both);
            }
        }
    }

    /// All writes go through the lock, so that two threads never mix their PDUs on one connection.
    fn respond(&self, connection: usize, pdu: &Pdu, status: u32, body: &[u8]) {
        let command = pdu.command | RESPONSE;
        self.write(connection, &Pdu { command, status, sequence: pdu.sequence, body: body.to_vec() });
    }

    fn write(&self, connection: usize, response: &Pdu) {
        let mut state = self.lock();
        if [SUBMIT_SM | RESPONSE, GENERIC_NACK].contains(&response.command) {
            // Counted before it leaves: what it makes room for comes after it.
            *state.outstanding.entry(connection).or_default() -= 1;
        }
        // A peer that is gone needs no response.
        let _ = state.connections[connection].0.write_all(&response.octets());
    }
}

/// A receipt's text in the words of SMPP 3.4 appendix B.
pub(crate) fn receipt(id: &str, stat: &str) -> String {
    let dates = "submit date:2601010000 done date:2601010000";
    format!("id:{id} sub:001 dlvrd:001 {dates} stat:{stat} err:000 text:")
}

/// The next PDU, or nothing when the peer closed.
pub(crate) fn read(stream: &mut TcpStream) -> Option<Pdu> {
    let mut head = [0; 16];
    match stream.read_exact(&mut head) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::Interrupted => return read(stream),
        Err(_) => return None,
    }
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let mut body = vec![0; (word(0) as usize).checked_sub(16).expect("the daemon sends whole headers")];
    stream.read_exact(&mut body).ok()?;
    Some(Pdu { command: word(4), status: word(8), sequence: word(12), body })
}

pub(crate) fn parsed(pdu: &Pdu, number: usize, connection: usize) -> Submit {
    let mut rest = pdu.body.as_slice();
    string(&mut rest);
    let from_plan = plan(&mut rest);
    let from = string(&mut rest);
    let to_plan = plan(&mut rest);
    let to = string(&mut rest);
    let esm_class = rest[0];
    rest = &rest[3..];
    string(&mut rest);
    let validity = string(&mut rest);
    let (registered, data_coding, length) = (rest[0], rest[2], usize::from(rest[4]));
    let octets = rest[5..5 + length].to_vec();
    let tlvs = rest[5 + length..].to_vec();
    Submit {
        number,
        connection,
        sequence: pdu.sequence,
        from_plan,
        from,
        to_plan,
        to,
        esm_class,
        validity,
        data_coding,
        registered,
        octets,
        tlvs,
    }
}

/// Type of number and numbering plan.
fn plan(rest: &mut &[u8]) -> (u8, u8) {
    let plan = (rest[0], rest[1]);
    *rest = &rest[2..];
    plan
}

/// The body of a deliver_sm that reports this submit.
fn receipt_body(submit: &Submit, text: &str) -> Vec<u8> {
    let mut body = b"\0\x01\x01".to_vec();
    body.extend_from_slice(submit.to.as_bytes());
    body.extend_from_slice(b"\0\x05\0");
    body.extend_from_slice(submit.from.as_bytes());
    // esm_class 4 says that this is a receipt; no schedule, no validity, data_coding 0.
    body.extend_from_slice(b"\0\x04\0\0\0\0\0\0\0\0");
    body.push(u8::try_from(text.len()).expect("a receipt is short"));
    body.extend_from_slice(text.as_bytes());
    body
}

fn string(rest: &mut &[u8]) -> String {
    let end = rest.iter().position(|octet| *octet == 0).expect("a C-octet string ends with NUL");
    let text = String::from_utf8_lossy(&rest[..end]).into_owned();
    *rest = &rest[end + 1..];
    text
}
