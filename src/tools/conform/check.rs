//! Whether a PDU that came in is laid out as the standard says, field by field and TLV by TLV.

use crate::tools::conform::layout::{Kind, Layout, RESPONSE};

/// A PDU as it came.
#[derive(Clone, Debug)]
pub(super) struct Received {
    /// command_id.
    pub(super) id: u32,
    /// command_status.
    pub(super) status: u32,
    /// sequence_number.
    pub(super) sequence: u32,
    /// What follows the header.
    pub(super) body: Vec<u8>,
}

/// The parts of a body that could be read.
#[derive(Default, Debug)]
pub(super) struct Read<'a> {
    fields: Vec<(&'static str, &'a [u8])>,
    tlvs: Vec<(u16, &'a [u8])>,
}

impl Read<'_> {
    /// A field's octets, text without its NUL.
    pub(super) fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find(|(found, _)| *found == name).map(|(_, octets)| *octets)
    }

    /// The value of the first TLV with this tag.
    pub(super) fn tlv(&self, tag: u16) -> Option<&[u8]> {
        self.tlvs.iter().find(|(found, _)| *found == tag).map(|(_, octets)| *octets)
    }

    /// How many TLVs there are.
    pub(super) fn tlv_count(&self) -> usize {
        self.tlvs.len()
    }
}

/// Reads a PDU strictly. An error response may be without its body (3.4 section 4.4.2).
pub(super) fn read(pdu: &Received) -> Result<Read<'_>, String> {
    let Some(layout) = Layout::of(pdu.id) else {
        return Err(format!("it sent command_id 0x{:08X}, which the standard reserves (3.4 §5.1.2.1)", pdu.id));
    };
    let mut found = Read::default();
    if pdu.body.is_empty() && pdu.id & RESPONSE != 0 && pdu.status != 0 {
        return Ok(found);
    }
    if pdu.id & RESPONSE == 0 && pdu.status != 0 {
        return Err(format!("{}: a request whose command_status is not 0 (3.4 §3.2)", layout.name));
    }
    let mut rest = &pdu.body[..];
    let mut count = 0;
    for field in layout.fields() {
        let wrong = |what: &str| format!("{}: {} {what}", layout.name, field.name);
        let octets = match field.kind {
            Kind::Octet => rest.get(..1).ok_or_else(|| wrong("is missing: the body is too short (3.4 §3.2)"))?,
            Kind::Text(max) => text(rest, max).map_err(wrong)?,
            Kind::Counted => rest.get(..count).ok_or_else(|| wrong("is shorter than its length says (3.4 §5.2.22)"))?,
            Kind::Dests => &[],
            Kind::Failures => failures(rest, count).map_err(wrong)?,
        };
        let terminator = usize::from(matches!(field.kind, Kind::Text(_)));
        rest = &rest[octets.len() + terminator..];
        if field.kind == Kind::Octet {
            count = usize::from(octets[0]);
        }
        found.fields.push((field.name, octets));
    }
    if !layout.tlvs && !rest.is_empty() {
        return Err(format!("{}: {} octets behind its last field (3.4 §3.2)", layout.name, rest.len()));
    }
    found.tlvs = tlvs(rest).map_err(|what| format!("{}: {what}", layout.name))?;
    Ok(found)
}

fn text(rest: &[u8], max: usize) -> Result<&[u8], &'static str> {
    let end = rest.iter().position(|octet| *octet == 0);
    match end {
        None => Err("is not terminated by a NUL (3.4 §3.1)"),
        Some(end) if end >= max => Err("is longer than the standard allows (3.4 §4)"),
        Some(end) => Ok(&rest[..end]),
    }
}

fn failures(rest: &[u8], count: usize) -> Result<&[u8], &'static str> {
    let mut at = 0;
    for _ in 0..count {
        let address = rest.get(at + 2..).ok_or("is shorter than its count says (3.4 §4.5.2)")?;
        at += 2 + text(address, 21)?.len() + 1 + 4;
    }
    rest.get(..at).ok_or("is shorter than its count says (3.4 §4.5.2)")
}

fn tlvs(mut rest: &[u8]) -> Result<Vec<(u16, &[u8])>, String> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let Some((head, value)) = rest.split_first_chunk::<4>() else {
            return Err(format!("{} octets behind the fields are no TLV (3.4 §3.2.4)", rest.len()));
        };
        let (tag, octets) = (u16::from_be_bytes([head[0], head[1]]), u16::from_be_bytes([head[2], head[3]]));
        let Some((value, behind)) = value.split_at_checked(usize::from(octets)) else {
            return Err(format!("TLV 0x{tag:04X} is longer than the PDU (3.4 §3.2.4)"));
        };
        found.push((tag, value));
        rest = behind;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{Received, read};

    fn received(id: u32, status: u32, body: &[u8]) -> Received {
        Received { id, status, sequence: 1, body: body.to_vec() }
    }

    #[test]
    fn a_body_is_read_strictly() {
        let resp = received(0x8000_0009, 0, b"mc\0\x02\x10\0\x01\x34");
        let found = read(&resp).expect("a bind response");
        assert_eq!(
            (found.field("system_id"), found.tlv(0x0210), found.tlv_count()),
            (Some(&b"mc"[..]), Some(&[0x34][..]), 1)
        );
        for (id, status, body, says) in [
            (0x8000_0004, 0, &b""[..], "not terminated"),
            (0x8000_0004, 0, b"12", "not terminated"),
            (0x8000_0009, 0, b"0123456789abcdef\0", "longer"),
            (0x8000_0004, 0, b"1\0\x02", "no TLV"),
            (0x8000_0004, 0, b"1\0\x02\x10\0\x02\x34", "longer than the PDU"),
            (0x8000_0015, 0, b"1", "behind its last field"),
            (0x15, 1, b"", "command_status"),
            (0x0A, 0, b"", "reserves"),
            (0x8000_0021, 0, b"1\0\x02\0\0a\0\0\0\0\x01", "shorter than its count"),
        ] {
            let error = read(&received(id, status, body)).expect_err("not as the standard has it");
            assert!(error.contains(says), "{error}");
        }
        assert!(read(&received(0x8000_0004, 8, b"")).is_ok(), "an error needs no body");
        assert!(read(&received(0x8000_0021, 0, b"1\0\x01\0\0a\0\0\0\0\x01")).is_ok());
    }
}
