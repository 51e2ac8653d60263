//! Optional parameters (TLVs, SMPP 3.4 section 5.3): a run of tag, length and value that stays in wire order,
//! with unknown tags kept as they are.

use core::fmt;

use crate::smpp::tag::Tag;

/// Octets of tag and length before each value.
const HEAD_OCTETS: usize = 4;

/// One optional parameter. The value is as received: a C-octet string still has its NUL, if it had one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// What the parameter is.
    pub tag: Tag,
    /// Its value.
    pub value: &'a [u8],
}

/// The optional parameters of a PDU: octets that are known to be a whole number of TLVs.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Tlvs<'a> {
    octets: &'a [u8],
}

/// What stands behind the mandatory fields is not a whole number of TLVs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TlvStreamError {
    /// Octets before the place where the run broke; so many are good.
    pub good_octets: usize,
}

/// The TLVs of a [`Tlvs`], in wire order.
#[derive(Clone, Debug)]
pub struct TlvIter<'a> {
    rest: &'a [u8],
}

/// Builds TLVs in a buffer of the caller, which is appended to and can be used again.
#[derive(Debug)]
pub struct TlvWriter<'b> {
    out: &'b mut Vec<u8>,
    start: usize,
}

impl<'a> Tlvs<'a> {
    /// No optional parameters.
    pub const NONE: Tlvs<'static> = Tlvs { octets: &[] };

    /// Checks the run and takes it; tags of no table are kept like others (quirk Q39). One lone NUL at the end is dropped, because some peers send one (quirk Q37).
    #[inline]
    pub fn parse(octets: &'a [u8]) -> Result<Tlvs<'a>, TlvStreamError> {
        if octets.is_empty() { Ok(Tlvs { octets }) } else { Tlvs::parse_any(octets) }
    }

    fn parse_any(octets: &'a [u8]) -> Result<Tlvs<'a>, TlvStreamError> {
        let mut at = 0;
        while let Some(head) = octets.get(at..at + HEAD_OCTETS) {
            let value_octets = usize::from(u16::from_be_bytes([head[2], head[3]]));
            let end = at + HEAD_OCTETS + value_octets;
            if end > octets.len() {
                return Err(TlvStreamError { good_octets: at });
            }
            at = end;
        }
        match &octets[at..] {
            [] | [0] => Ok(Tlvs { octets: &octets[..at] }),
            _ => Err(TlvStreamError { good_octets: at }),
        }
    }

    /// Takes the TLVs before the first fault and forgets the rest: for responses, which are never refused.
    #[inline]
    pub fn parse_lossy(octets: &'a [u8]) -> Tlvs<'a> {
        Tlvs::parse(octets).unwrap_or_else(|error| Tlvs { octets: &octets[..error.good_octets] })
    }

    /// The TLVs in wire order.
    pub fn iter(&self) -> TlvIter<'a> {
        TlvIter { rest: self.octets }
    }

    /// The value of the first TLV with this tag: where a parameter stands twice, the first one counts.
    pub fn get(&self, tag: Tag) -> Option<&'a [u8]> {
        self.iter().find(|tlv| tlv.tag == tag).map(|tlv| tlv.value)
    }

    /// The value of a parameter of one octet.
    pub fn get_u8(&self, tag: Tag) -> Option<u8> {
        match self.get(tag)? {
            [octet] => Some(*octet),
            _ => None,
        }
    }

    /// The value of a parameter of two octets.
    pub fn get_u16(&self, tag: Tag) -> Option<u16> {
        self.get(tag)?.try_into().ok().map(u16::from_be_bytes)
    }

    /// The value of a C-octet string parameter without its NUL, which may be missing.
    pub fn get_text(&self, tag: Tag) -> Option<&'a [u8]> {
        let value = self.get(tag)?;
        Some(value.split(|octet| *octet == 0).next().unwrap_or(value))
    }

    /// The octets as they stand on the wire.
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Whether there is no parameter.
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }
}

impl<'a> IntoIterator for Tlvs<'a> {
    type Item = Tlv<'a>;
    type IntoIter = TlvIter<'a>;

    fn into_iter(self) -> TlvIter<'a> {
        self.iter()
    }
}

impl fmt::Debug for Tlvs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> Iterator for TlvIter<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        let (head, rest) = self.rest.split_first_chunk::<HEAD_OCTETS>()?;
        let value_octets = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let (value, rest) = rest.split_at_checked(value_octets)?;
        self.rest = rest;
        Some(Tlv { tag: Tag(u16::from_be_bytes([head[0], head[1]])), value })
    }
}

impl<'b> TlvWriter<'b> {
    /// Starts behind what `out` holds already.
    pub fn new(out: &'b mut Vec<u8>) -> TlvWriter<'b> {
        let start = out.len();
        TlvWriter { out, start }
    }

    /// Adds a value as it is. A value over 65,535 octets, which the length field cannot hold, is cut there.
    pub fn octets(&mut self, tag: Tag, value: &[u8]) -> &mut TlvWriter<'b> {
        self.head(tag, value.len());
        self.out.extend_from_slice(&value[..value.len().min(usize::from(u16::MAX))]);
        self
    }

    /// Adds an integer of one octet.
    pub fn u8(&mut self, tag: Tag, value: u8) -> &mut TlvWriter<'b> {
        self.octets(tag, &[value])
    }

    /// Adds an integer of two octets.
    pub fn u16(&mut self, tag: Tag, value: u16) -> &mut TlvWriter<'b> {
        self.octets(tag, &value.to_be_bytes())
    }

    /// Adds an integer of four octets.
    pub fn u32(&mut self, tag: Tag, value: u32) -> &mut TlvWriter<'b> {
        self.octets(tag, &value.to_be_bytes())
    }

    /// Adds a string with the NUL that ends a C-octet string; `value` has none itself.
    pub fn text(&mut self, tag: Tag, value: &[u8]) -> &mut TlvWriter<'b> {
        let value = &value[..value.len().min(usize::from(u16::MAX) - 1)];
        self.head(tag, value.len() + 1);
        self.out.extend_from_slice(value);
        self.out.push(0);
        self
    }

    /// The TLVs written since [`TlvWriter::new`].
    pub fn finish(self) -> Tlvs<'b> {
        Tlvs { octets: &self.out[self.start..] }
    }

    fn head(&mut self, tag: Tag, value_octets: usize) {
        let value_octets = u16::try_from(value_octets).unwrap_or(u16::MAX);
        self.out.extend_from_slice(&tag.0.to_be_bytes());
        self.out.extend_from_slice(&value_octets.to_be_bytes());
    }
}
