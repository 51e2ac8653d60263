//! An address of a message, as all PDUs have it (SMPP 3.4 sections 5.2.5 to 5.2.9).

/// An address: type of number, numbering plan, and the digits or letters, at most 20 octets (64 in data_sm).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Address<'a> {
    /// Type of number: 0 unknown, 1 international, 2 national, 5 alphanumeric, ...
    pub ton: u8,
    /// Numbering plan: 0 unknown, 1 E.164, ...
    pub npi: u8,
    /// The octets without the NUL.
    pub addr: &'a [u8],
}
