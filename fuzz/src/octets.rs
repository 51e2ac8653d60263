//! Octets that are taken one after another, so that a run of them is a series of decisions.

/// What is left of an input. Behind its end there are zeros.
pub struct Octets<'a> {
    rest: &'a [u8],
}

impl<'a> Octets<'a> {
    /// All of them.
    pub fn new(octets: &'a [u8]) -> Octets<'a> {
        Octets { rest: octets }
    }

    /// Whether all are taken.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next one.
    pub fn octet(&mut self) -> u8 {
        self.run(1).first().copied().unwrap_or(0)
    }

    /// The next two, big-endian.
    pub fn pair(&mut self) -> u16 {
        u16::from_be_bytes([self.octet(), self.octet()])
    }

    /// The next four, big-endian.
    pub fn quad(&mut self) -> u32 {
        u32::from(self.pair()) << 16 | u32::from(self.pair())
    }

    /// Up to `octets` of them.
    pub fn run(&mut self, octets: usize) -> &'a [u8] {
        let (run, rest) = self.rest.split_at(octets.min(self.rest.len()));
        self.rest = rest;
        run
    }

    /// A run whose length the next octet tells.
    pub fn told(&mut self) -> &'a [u8] {
        let octets = self.octet();
        self.run(octets.into())
    }

    /// All that are left.
    pub fn all(&mut self) -> &'a [u8] {
        self.run(usize::MAX)
    }
}
