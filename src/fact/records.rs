//! The records of one group, as the core builds them: length, type, payload; runs of facts share a record.

use crate::fact::Fact;
use crate::fact::layout::{self, Kind};
use crate::message::{CarrierId, Timestamp};

/// Octets before each record's payload: length of the payload (u32, little-endian) and the type.
pub const RECORD_HEAD_OCTETS: usize = 5;

/// The payload of one commit group in the making. Its buffer is kept from group to group.
#[derive(Debug, Default)]
pub struct Records {
    octets: Vec<u8>,
    records: u32,
    facts: u32,
    run: Option<(usize, Kind, CarrierId, Timestamp)>,
}

impl Records {
    /// Appends a fact and says at which offset of the group its record starts.
    pub fn push(&mut self, fact: &Fact<'_>) -> u32 {
        let head = layout::run_head(fact);
        let start = match (head, self.run) {
            (Some((kind, carrier, at)), Some((start, k, c, a))) if (kind, carrier, at) == (k, c, a) => start,
            (Some((kind, carrier, at)), _) => {
                let start = self.open(kind);
                self.octets.extend_from_slice(&carrier.0.to_le_bytes());
                self.octets.extend_from_slice(&at.0.to_le_bytes());
                self.run = Some((start, kind, carrier, at));
                start
            }
            (None, _) => self.open(single_kind(fact)),
        };
        layout::write(fact, &mut self.octets);
        self.close(start);
        start as u32
    }

    /// Appends an Accepted record that an I/O thread has laid out; `stamp` writes the id and time into its octets.
    pub fn push_accepted(&mut self, octets: &[u8], stamp: impl FnOnce(&mut [u8])) -> u32 {
        let start = self.open(Kind::Accepted);
        self.octets.extend_from_slice(octets);
        stamp(&mut self.octets[start + RECORD_HEAD_OCTETS..]);
        self.close(start);
        start as u32
    }

    fn open(&mut self, kind: Kind) -> usize {
        let start = self.octets.len();
        self.octets.extend_from_slice(&[0, 0, 0, 0, kind as u8]);
        self.records += 1;
        self.run = None;
        start
    }

    fn close(&mut self, start: usize) {
        let payload =
            u32::try_from(self.octets.len() - start - RECORD_HEAD_OCTETS).expect("a group is at most 256 KiB");
        self.octets[start..start + 4].copy_from_slice(&payload.to_le_bytes());
        self.facts += 1;
    }

    /// The group's payload so far.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// How many records it holds.
    pub fn records(&self) -> u32 {
        self.records
    }

    /// How many facts it holds.
    pub fn facts(&self) -> u32 {
        self.facts
    }

    /// Whether nothing has happened.
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// Empties it for the next group and keeps the buffer.
    pub fn clear(&mut self) {
        self.octets.clear();
        self.records = 0;
        self.facts = 0;
        self.run = None;
    }
}

/// Iterates over the records of a group's payload: offset, type, payload. Ends early on octets that are no record.
pub fn iter(group: &[u8]) -> impl Iterator<Item = (u32, u8, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let head = group.get(at..at + RECORD_HEAD_OCTETS)?;
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let start = at;
        let payload = group.get(at + RECORD_HEAD_OCTETS..)?.get(..length)?;
        at += RECORD_HEAD_OCTETS + length;
        Some((start as u32, head[4], payload))
    })
}

fn single_kind(fact: &Fact<'_>) -> Kind {
    match fact {
        Fact::Unmatched { .. } => Kind::Unmatched,
        Fact::Concluded(_) => Kind::Concluded,
        Fact::Kept(_) => Kind::Kept,
        Fact::Named(_) => Kind::Named,
        _ => Kind::Accepted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Accepted, Account, Kept, Named, Notice, PartRef, PartSummary, Stage};
    use crate::message::{Currency, MessageId, State, TenantId};

    #[test]
    fn runs_share_a_record_and_read_back() {
        let part = |n| PartRef { id: MessageId(n), part: 0 };
        let (carrier, at) = (CarrierId(3), Timestamp(77));
        let mut records = Records::default();
        for n in 1..=3 {
            records.push(&Fact::Released { carrier, at, part: part(n), repeat: n == 2 });
        }
        let sent = Fact::Sent {
            carrier,
            at,
            part: part(1),
            account: Account { tenant: TenantId(9), currency: Currency(*b"GBP") },
            posted_micros: -5,
            carrier_id: b"abc",
        };
        records.push(&sent);
        let notice =
            Notice { tlv_id: b"1", text_id: b"01", number: 4, state: Some(State::Delivered), done_at: at, err: b"000" };
        records.push(&Fact::Unmatched { carrier, at, key: 8, notice });
        assert_eq!((records.records(), records.facts()), (3, 5));
        let mut seen = Vec::new();
        for (_, kind, payload) in iter(records.octets()) {
            layout::read(kind, payload, &mut |fact| seen.push(format!("{fact:?}"))).expect("whole records");
        }
        assert_eq!(seen.len(), 5);
        assert_eq!(seen[3], format!("{sent:?}"));
    }

    #[test]
    fn kept_holds_the_accepted_record() {
        let accepted = Accepted { id: MessageId(5), parts: 2, number: 6, sealed: b"sealed", ..Accepted::default() };
        let mut parts = Vec::new();
        let summary = PartSummary {
            part: 1,
            stage: Stage::Sent,
            state: State::Enroute,
            carrier_id: b"x1",
            ..PartSummary::default()
        };
        summary.write(&mut parts);
        let kept = Kept { accepted, started: 2, count: 1, parts: &parts, state: State::Enroute, ..Kept::default() };
        let mut records = Records::default();
        records.push(&Fact::Kept(kept));
        records.push(&Fact::Named(Named::Carrier { carrier: CarrierId(1), name: "alpha" }));
        let (_, kind, payload) = iter(records.octets()).next().expect("one record");
        layout::read(kind, payload, &mut |fact| {
            let Fact::Kept(read) = fact else { panic!("not a Kept record") };
            assert_eq!((read.accepted.id, read.accepted.sealed, read.started), (accepted.id, accepted.sealed, 2));
            assert_eq!(layout::part_summaries(read.parts).collect::<Vec<_>>(), vec![summary]);
        })
        .expect("a whole record");
    }
}
