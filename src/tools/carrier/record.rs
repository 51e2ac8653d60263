//! The simulator's own account of what came in, one JSON object a line, for tests that audit a gateway from outside.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::smpp::fields::{ESM_UDHI, MessageState};
use crate::smpp::pdu::SubmitSm;
use crate::smpp::status::CommandStatus;
use crate::smpp::tag::Tag;
use crate::text::data_coding::DataCoding;
use crate::text::{Alphabet, latin1, national, ucs2, udh};
use crate::tools::carrier::spelling::{IdStyle, write_id};

/// Lines are written when so many octets wait; the simulator also asks for it every second.
const BUFFER_OCTETS: usize = 64 * 1024;

/// A file of lines.
#[derive(Debug)]
pub(crate) struct Record {
    file: File,
    path: PathBuf,
    buffer: Vec<u8>,
}

/// A submit_sm as it came in and what became of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    /// Counted from 1 over all binds.
    pub(crate) number: u64,
    /// Microseconds since 1970.
    pub(crate) time_micros: i64,
    /// The connection, counted from 1.
    pub(crate) bind: u64,
    pub(crate) sequence: u32,
    pub(crate) message: &'a SubmitSm<'a>,
    /// The command_status answered; None: no answer.
    pub(crate) status: Option<u32>,
    /// The id it was taken under, told or not.
    pub(crate) message_id: Option<(u64, IdStyle)>,
    /// The state in its receipt; None: no receipt.
    pub(crate) receipt: Option<&'static str>,
    /// Its source, destination and octets had been taken before.
    pub(crate) duplicate: bool,
}

impl Record {
    /// Starts a new file.
    pub(crate) fn create(path: &Path) -> Result<Record, String> {
        let file = File::create(path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(Record { file, path: path.to_owned(), buffer: Vec::new() })
    }

    pub(crate) fn submit(&mut self, seen: &Seen<'_>) -> Result<(), String> {
        let message = seen.message;
        let (header, octets) = user_data(message);
        let part = header.and_then(concatenation).or_else(|| sar(message));
        self.line(&json!({
            "number": seen.number,
            "time": seen.time_micros,
            "bind": seen.bind,
            "sequence": seen.sequence,
            "source": String::from_utf8_lossy(message.source.addr),
            "dest": String::from_utf8_lossy(message.dest.addr),
            "esm_class": message.esm_class,
            "data_coding": message.data_coding,
            "registered_delivery": message.registered_delivery,
            "validity_period": String::from_utf8_lossy(message.validity_period),
            "octets": hex(message.short_message),
            "udh": header.map(hex),
            "tlvs": hex(message.tlvs.octets()),
            "reference": part.map(|part| part.reference),
            "part": part.map_or(1, |part| part.sequence),
            "parts": part.map_or(1, |part| part.total),
            "text": decoded(message.data_coding, header.unwrap_or_default(), octets),
            "status": seen.status,
            "message_id": seen.message_id.map(id_text),
            "receipt": seen.receipt,
            "duplicate": seen.duplicate,
        }))
    }

    /// A receipt that was answered with this command_status.
    pub(crate) fn receipt(
        &mut self,
        time_micros: i64,
        message_id: (u64, IdStyle),
        state: MessageState,
        status: CommandStatus,
    ) -> Result<(), String> {
        self.line(&json!({
            "time": time_micros,
            "message_id": id_text(message_id),
            "state": state.stat(),
            "status": status.0,
        }))
    }

    fn line(&mut self, value: &Value) -> Result<(), String> {
        // Writing to memory does not fail.
        let _ = writeln!(self.buffer, "{value}");
        if self.buffer.len() >= BUFFER_OCTETS { self.flush() } else { Ok(()) }
    }

    /// Whether lines wait to be written.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Writes the lines that wait.
    pub(crate) fn flush(&mut self) -> Result<(), String> {
        let written = self.file.write_all(&self.buffer);
        self.buffer.clear();
        written.map_err(|error| format!("cannot write {}: {error}", self.path.display()))
    }
}

/// The user data header, if there is one, and the text behind it.
fn user_data<'a>(message: &SubmitSm<'a>) -> (Option<&'a [u8]>, &'a [u8]) {
    let octets = message.tlvs.get(Tag::MESSAGE_PAYLOAD).unwrap_or(message.short_message);
    if message.esm_class & ESM_UDHI == 0 {
        return (None, octets);
    }
    match udh::split(octets) {
        Ok((header, rest)) => (Some(header), rest),
        Err(_) => (None, octets),
    }
}

fn concatenation(header: &[u8]) -> Option<udh::Concatenation> {
    udh::elements(header).flatten().filter_map(udh::Concatenation::of_element).last()
}

/// The same in SMPP's own words (3.4 section 5.3.2.22 and following).
fn sar(message: &SubmitSm<'_>) -> Option<udh::Concatenation> {
    let reference = message.tlvs.get_u16(Tag::SAR_MSG_REF_NUM)?;
    let total = message.tlvs.get_u8(Tag::SAR_TOTAL_SEGMENTS)?;
    let sequence = message.tlvs.get_u8(Tag::SAR_SEGMENT_SEQNUM)?;
    Some(udh::Concatenation { reference, wide: true, total, sequence })
}

fn id_text((id, style): (u64, IdStyle)) -> String {
    let mut text = Vec::new();
    write_id(id, style, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// The text by its data_coding, and by the national tables that its header names.
fn decoded(data_coding: u8, header: &[u8], octets: &[u8]) -> Option<String> {
    let mut text = String::new();
    let (locking, single) = national::tables_of(header).unwrap_or_default();
    match DataCoding(data_coding).alphabet(Alphabet::Gsm7) {
        Alphabet::Gsm7 => national::decode(octets, locking, single, &mut text),
        Alphabet::Ucs2 => ucs2::decode(octets, &mut text),
        Alphabet::Latin1 => latin1::decode(octets, &mut text),
        Alphabet::Binary => return None,
    }
    Some(text)
}

fn hex(octets: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value & 15)]);
    octets.iter().flat_map(|octet| [digit(octet >> 4), digit(*octet)]).collect()
}
