//! An outside ledger: what a client was promised, what the carrier saw, what came back. It knows nothing
//! of the daemon, so that the daemon cannot be right by its own account alone.

use std::collections::BTreeMap;

/// One message as seen from outside, under a key the test chose and put into its text.
#[derive(Debug, Default, Clone)]
pub(crate) struct Entry {
    /// The id in the success response, when one was read.
    pub(crate) acknowledged: Option<String>,
    /// How many parts the sender expects it to have; at least one.
    pub(crate) parts: usize,
    /// How often the carrier saw each part, by part number from 1.
    pub(crate) submits: BTreeMap<usize, usize>,
    /// The final states that came back to the sender, in order.
    pub(crate) receipts: Vec<String>,
}

/// Entries by key, in the order of keys.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: BTreeMap<String, Entry>,
    /// What was seen for keys that nobody sent.
    strays: Vec<String>,
}

impl Ledger {
    /// Notes that a message was sent; nothing is promised yet.
    pub(crate) fn sent(&mut self, key: &str, parts: usize) {
        self.entries.entry(key.to_owned()).or_default().parts = parts.max(1);
    }

    /// Notes a success response: from here on the message may not be lost.
    pub(crate) fn acknowledged(&mut self, key: &str, id: &str) {
        self.entries.entry(key.to_owned()).or_default().acknowledged = Some(id.to_owned());
    }

    /// Notes that the carrier saw a part.
    pub(crate) fn submitted(&mut self, key: &str, part: usize) {
        match self.entries.get_mut(key) {
            Some(entry) => *entry.submits.entry(part).or_default() += 1,
            None => self.strays.push(format!("the carrier saw {key} part {part}, which nobody sent")),
        }
    }

    /// Notes a receipt that reached the sender, by the id that the success response gave.
    pub(crate) fn receipted(&mut self, id: &str, state: &str) {
        let entry = self.entries.values_mut().find(|entry| entry.acknowledged.as_deref() == Some(id));
        match entry {
            Some(entry) => entry.receipts.push(state.to_owned()),
            None => self.strays.push(format!("a receipt ({state}) for {id}, which was never given out")),
        }
    }

    /// How many messages were acknowledged.
    pub(crate) fn acknowledged_count(&self) -> usize {
        self.entries.values().filter(|entry| entry.acknowledged.is_some()).count()
    }

    /// I1: acknowledged messages of which the carrier has not seen every part.
    pub(crate) fn missing_at_carrier(&self) -> Vec<String> {
        self.keys(|entry| {
            entry.acknowledged.is_some() && (1..=entry.parts).any(|part| !entry.submits.contains_key(&part))
        })
    }

    /// I2: parts that the carrier saw more than `1 + excused` times.
    pub(crate) fn repeated_more_than(&self, excused: usize) -> Vec<String> {
        self.keys(|entry| entry.submits.values().any(|&times| times > 1 + excused))
    }

    /// Parts that the carrier saw more than once, counted once for each further time.
    pub(crate) fn repeats(&self) -> usize {
        self.entries.values().flat_map(|entry| entry.submits.values()).map(|times| times - 1).sum()
    }

    /// I3, as far as a sender can see: acknowledged messages without exactly one final receipt.
    pub(crate) fn without_one_receipt(&self) -> Vec<String> {
        self.keys(|entry| entry.acknowledged.is_some() && entry.receipts.len() != 1)
    }

    /// What was seen and belongs to nothing that was sent.
    pub(crate) fn strays(&self) -> &[String] {
        &self.strays
    }

    /// The entries themselves.
    pub(crate) fn entries(&self) -> &BTreeMap<String, Entry> {
        &self.entries
    }

    fn keys(&self, wrong: impl Fn(&Entry) -> bool) -> Vec<String> {
        self.entries.iter().filter(|(_, entry)| wrong(entry)).map(|(key, _)| key.clone()).collect()
    }
}
