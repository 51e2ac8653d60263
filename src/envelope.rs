//! What a carrier needs in order to submit a message: addresses, options and the encoded parts, as one run of octets.
//!
//! The same octets are sealed into the Accepted record and kept open in the arena while the message is about to be sent.

use std::fmt;

/// An address of SMPP: type of number, numbering plan, and the octets without their NUL. It does not print.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Party<'a> {
    /// Type of number (SMPP 3.4 section 5.2.5).
    pub ton: u8,
    /// Numbering plan indicator (SMPP 3.4 section 5.2.6).
    pub npi: u8,
    /// Digits or letters, at most 20 octets.
    pub addr: &'a [u8],
}

/// How the parts of a long message are tied together on the carrier's link.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Carriage {
    /// One part, or a user data header that stands in the part's octets already.
    #[default]
    InBody = 0,
    /// sar_msg_ref_num, sar_total_segments and sar_segment_seqnum.
    Sar = 1,
    /// The whole text in message_payload.
    Payload = 2,
}

/// A message ready to be submitted, borrowed from its octets.
#[derive(Clone, Copy, Default)]
pub struct Envelope<'a> {
    /// service_type, at most 5 octets.
    pub service_type: &'a [u8],
    /// The sender.
    pub source: Party<'a>,
    /// The recipient.
    pub dest: Party<'a>,
    /// esm_class of each part.
    pub esm_class: u8,
    /// protocol_id.
    pub protocol_id: u8,
    /// priority_flag.
    pub priority: u8,
    /// data_coding.
    pub data_coding: u8,
    /// How parts are tied together.
    pub carriage: Carriage,
    /// Reference number of a concatenated message.
    pub sar_reference: u16,
    /// The sender's own reference, at most 255 octets, given back with the status.
    pub reference: &'a [u8],
    /// Optional parameters passed through to each part, as they stand on the wire.
    pub tlvs: &'a [u8],
    /// How many parts there are.
    pub parts: u8,
    pub(crate) lengths: &'a [u8],
    pub(crate) bodies: &'a [u8],
}

const FIXED_OCTETS: usize = 18;

impl<'a> Envelope<'a> {
    /// An envelope between two addresses with everything else at rest.
    pub fn between(source: Party<'a>, dest: Party<'a>) -> Envelope<'a> {
        Envelope { source, dest, ..Envelope::default() }
    }

    /// Reads an envelope; `None` if the octets are not one.
    pub fn read(octets: &'a [u8]) -> Option<Envelope<'a>> {
        let (fixed, rest) = octets.split_at_checked(FIXED_OCTETS)?;
        let (service_type, rest) = rest.split_at_checked(usize::from(fixed[12]))?;
        let (source, rest) = rest.split_at_checked(usize::from(fixed[13]))?;
        let (dest, rest) = rest.split_at_checked(usize::from(fixed[14]))?;
        let (reference, rest) = rest.split_at_checked(usize::from(fixed[15]))?;
        let (tlvs, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([fixed[16], fixed[17]])))?;
        let (lengths, bodies) = rest.split_at_checked(2 * usize::from(fixed[9]))?;
        let carriage = match fixed[8] {
            0 => Carriage::InBody,
            1 => Carriage::Sar,
            2 => Carriage::Payload,
            _ => return None,
        };
        let envelope = Envelope {
            service_type,
            source: Party { ton: fixed[4], npi: fixed[5], addr: source },
            dest: Party { ton: fixed[6], npi: fixed[7], addr: dest },
            esm_class: fixed[0],
            protocol_id: fixed[1],
            priority: fixed[2],
            data_coding: fixed[3],
            carriage,
            sar_reference: u16::from_le_bytes([fixed[10], fixed[11]]),
            reference,
            tlvs,
            parts: fixed[9],
            lengths,
            bodies,
        };
        (envelope.lengths().sum::<usize>() == bodies.len()).then_some(envelope)
    }

    /// The octets of part `index` (from 0), the user data header included where there is one.
    pub fn part(&self, index: u8) -> Option<&'a [u8]> {
        let start: usize = self.lengths().take(usize::from(index)).sum();
        let length = self.lengths().nth(usize::from(index))?;
        self.bodies.get(start..start + length)
    }

    fn lengths(&self) -> impl Iterator<Item = usize> + 'a {
        self.lengths.chunks_exact(2).map(|pair| usize::from(u16::from_le_bytes([pair[0], pair[1]])))
    }

    /// Appends the envelope's octets with the given parts: `ends` are the offsets in `bodies` at which each part ends.
    /// The `parts` field and any parts this envelope was read with are not used.
    pub fn write(&self, bodies: &[u8], ends: &[u32], out: &mut Vec<u8>) {
        let octet = |length: usize| u8::try_from(length).expect("addresses and references are checked at admission");
        let tlv_octets = u16::try_from(self.tlvs.len()).expect("a PDU holds fewer than 65,536 octets of TLVs");
        out.extend_from_slice(&[self.esm_class, self.protocol_id, self.priority, self.data_coding]);
        out.extend_from_slice(&[self.source.ton, self.source.npi, self.dest.ton, self.dest.npi]);
        out.extend_from_slice(&[self.carriage as u8, octet(ends.len())]);
        out.extend_from_slice(&self.sar_reference.to_le_bytes());
        out.extend_from_slice(&[octet(self.service_type.len()), octet(self.source.addr.len())]);
        out.extend_from_slice(&[octet(self.dest.addr.len()), octet(self.reference.len())]);
        out.extend_from_slice(&tlv_octets.to_le_bytes());
        for field in [self.service_type, self.source.addr, self.dest.addr, self.reference, self.tlvs] {
            out.extend_from_slice(field);
        }
        let mut start = 0;
        for end in ends {
            let length = u16::try_from(end - start).expect("a part is shorter than 65,536 octets");
            out.extend_from_slice(&length.to_le_bytes());
            start = *end;
        }
        out.extend_from_slice(bodies);
    }
}

impl fmt::Debug for Envelope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope {{ parts: {}, data_coding: {}, … }}", self.parts, self.data_coding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelope_reads_back() {
        let written = Envelope {
            service_type: b"CMT",
            source: Party { ton: 5, npi: 0, addr: b"MyBrand" },
            dest: Party { ton: 1, npi: 1, addr: b"447700900123" },
            esm_class: 0x40,
            data_coding: 8,
            reference: b"appointment-7",
            tlvs: &[0x14, 0, 0, 1, 7],
            ..Envelope::default()
        };
        let mut octets = Vec::new();
        written.write(b"onethree", &[3, 8], &mut octets);
        let read = Envelope::read(&octets).expect("what was written");
        assert_eq!(
            (read.parts, read.part(0), read.part(1), read.part(2)),
            (2, Some(&b"one"[..]), Some(&b"three"[..]), None)
        );
        assert_eq!((read.source.addr, read.dest.addr), (written.source.addr, written.dest.addr));
        assert_eq!(
            (read.reference, read.tlvs, read.service_type),
            (written.reference, written.tlvs, written.service_type)
        );
        for cut in 0..octets.len() {
            assert!(Envelope::read(&octets[..cut]).is_none(), "cut at {cut}");
        }
    }
}
