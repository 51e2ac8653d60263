//! A platform on one transceiver, as plain as it gets: it submits its messages, answers what it is sent, and reads its
//! responses and receipts.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::smpp::address::Address;
use crate::smpp::command::CommandId;
use crate::smpp::decode::decode;
use crate::smpp::encode::encode;
use crate::smpp::fields::Version;
use crate::smpp::frame::{HEADER_OCTETS, PDU_OCTETS_MAX_DEFAULT};
use crate::smpp::pdu::{Bind, Body, Pdu, SubmitSm, SubmitSmResp};
use crate::smpp::status::CommandStatus;
use crate::smpp::tag::Tag;
use crate::smpp::tlv::Tlvs;
use crate::text::{Alphabet, gsm7, ucs2};
use crate::tools::demo::watch::Watch;
use crate::tools::wire::write_header;

/// How long a read waits before the watch is asked again.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A bound transceiver.
pub(crate) struct Platform {
    stream: TcpStream,
    sequence: u32,
    /// Responses to submits, by sequence number: the id, or the status that refuses.
    pub(crate) responses: BTreeMap<u32, Result<String, CommandStatus>>,
    /// Receipts by message id, with the word for the state.
    pub(crate) receipts: BTreeMap<String, Vec<String>>,
    bound: Option<CommandStatus>,
    unbound: bool,
}

impl Platform {
    pub(crate) fn bind(
        address: SocketAddr,
        system_id: &str,
        password: &str,
        watch: &Watch,
    ) -> Result<Platform, String> {
        let connected = TcpStream::connect(address).and_then(|stream| {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(LOOK_EVERY))?;
            Ok(stream)
        });
        let stream = connected.map_err(|error| format!("cannot connect to {address}: {error}"))?;
        let (responses, receipts) = (BTreeMap::new(), BTreeMap::new());
        let mut platform = Platform { stream, sequence: 0, responses, receipts, bound: None, unbound: false };
        let bind = Bind {
            system_id: system_id.as_bytes(),
            password: password.as_bytes(),
            interface_version: Version::V34.interface_version(),
            ..Bind::default()
        };
        platform.request(Body::BindTransceiver(bind))?;
        platform.read_until(watch, "the bind response", |platform| platform.bound.is_some())?;
        match platform.bound {
            Some(CommandStatus::ROK) => Ok(platform),
            status => Err(format!("the bind of {system_id} is refused: {status:?}")),
        }
    }

    /// Sends one message, which asks for a receipt. Gives its sequence number.
    pub(crate) fn submit(&mut self, from: &str, to: &str, text: &str) -> Result<u32, String> {
        let mut octets = Vec::new();
        let alphabet = if gsm7::encode(text, &mut octets).is_ok() { Alphabet::Gsm7 } else { Alphabet::Ucs2 };
        if alphabet == Alphabet::Ucs2 {
            octets.clear();
            ucs2::encode(text, &mut octets);
        }
        self.request(Body::SubmitSm(SubmitSm {
            source: Address { ton: 5, npi: 0, addr: from.as_bytes() },
            dest: Address { ton: 1, npi: 1, addr: to.as_bytes() },
            registered_delivery: 1,
            data_coding: if alphabet == Alphabet::Ucs2 { 8 } else { 0 },
            // Longer than short_message can be, it goes as message_payload: the gateway makes the parts.
            short_message: &octets,
            ..SubmitSm::default()
        }))
    }

    /// Says goodbye and waits for the answer.
    pub(crate) fn unbind(mut self, watch: &Watch) -> Result<(), String> {
        self.request(Body::Unbind)?;
        self.read_until(watch, "the unbind response", |platform| platform.unbound)
    }

    /// Reads and answers until `enough`.
    pub(crate) fn read_until(
        &mut self,
        watch: &Watch,
        what: &str,
        mut enough: impl FnMut(&Platform) -> bool,
    ) -> Result<(), String> {
        let deadline = watch.deadline();
        while !enough(self) {
            watch.check(deadline, what)?;
            let mut frame = vec![0; HEADER_OCTETS];
            match self.stream.peek(&mut frame) {
                Ok(0) => return Err(format!("the gateway closed the connection instead of sending {what}")),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
                Err(error) => return Err(format!("the connection broke: {error}")),
            }
            self.read_frame(&mut frame).map_err(|error| format!("a PDU came in half: {error}"))?;
            self.take(&frame)?;
        }
        Ok(())
    }

    fn read_frame(&mut self, frame: &mut Vec<u8>) -> std::io::Result<()> {
        self.stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        self.stream.read_exact(frame)?;
        let octets = u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]) as usize;
        if !(HEADER_OCTETS..=PDU_OCTETS_MAX_DEFAULT).contains(&octets) {
            return Err(ErrorKind::InvalidData.into());
        }
        frame.resize(octets, 0);
        self.stream.read_exact(&mut frame[HEADER_OCTETS..])?;
        self.stream.set_read_timeout(Some(LOOK_EVERY))
    }

    fn take(&mut self, frame: &[u8]) -> Result<(), String> {
        let pdu = decode(frame).map_err(|error| format!("the gateway sent a malformed PDU: {error:?}"))?;
        match pdu.body {
            Body::BindTransceiverResp(_) => self.bound = Some(pdu.status),
            Body::UnbindResp => self.unbound = true,
            Body::SubmitSmResp(response) => {
                let id = String::from_utf8_lossy(response.message_id.unwrap_or_default()).into_owned();
                self.responses.insert(pdu.sequence, if pdu.status.is_ok() { Ok(id) } else { Err(pdu.status) });
            }
            Body::DeliverSm(message) => {
                self.note_receipt(&message);
                let body = Body::DeliverSmResp(SubmitSmResp { message_id: Some(&[]), tlvs: Tlvs::NONE });
                self.send(&Pdu { status: CommandStatus::ROK, sequence: pdu.sequence, body })?;
            }
            Body::EnquireLink => {
                let mut octets = Vec::new();
                write_header(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, pdu.sequence, &mut octets);
                self.write(&octets)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn note_receipt(&mut self, message: &SubmitSm<'_>) {
        let id = message.tlvs.get_text(Tag::RECEIPTED_MESSAGE_ID).unwrap_or_default();
        let text = String::from_utf8_lossy(message.short_message);
        let state = text.split(' ').find_map(|word| word.strip_prefix("stat:")).unwrap_or("?");
        self.receipts.entry(String::from_utf8_lossy(id).into_owned()).or_default().push(state.to_owned());
    }

    fn request(&mut self, body: Body<'_>) -> Result<u32, String> {
        self.sequence += 1;
        self.send(&Pdu { status: CommandStatus::ROK, sequence: self.sequence, body })?;
        Ok(self.sequence)
    }

    fn send(&mut self, pdu: &Pdu<'_>) -> Result<(), String> {
        let mut octets = Vec::new();
        encode(pdu, &mut octets);
        self.write(&octets)
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), String> {
        self.stream.write_all(octets).map_err(|error| format!("the connection broke: {error}"))
    }
}
