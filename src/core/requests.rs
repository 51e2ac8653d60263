//! Requests with an Idempotency-Key, for a day: what was answered, and which are still being answered.

use std::collections::{BTreeMap, VecDeque};

use crate::fact::Idempotency;
use crate::message::{MessageId, Timestamp};

/// How long a key is remembered.
pub(super) const KEY_SECONDS: i64 = 24 * 3600;
const RUNNING_SECONDS: i64 = 30;

#[derive(Debug, Default)]
struct Request {
    body: u64,
    count: u16,
    denied: u16,
    since: Timestamp,
    messages: Vec<(u16, MessageId)>,
}

impl Request {
    /// Messages whose answer is known.
    fn told(&self) -> usize {
        self.messages.len() + usize::from(self.denied)
    }
}

/// What is known of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known<'a> {
    /// Never seen; from now on it is running.
    Fresh,
    /// Being answered.
    Running,
    /// Seen with another body.
    OtherBody,
    /// Answered, with these messages by their index in the request.
    Answered(&'a [(u16, MessageId)]),
}

/// Keys by their hash. Bounded by a day's keyed requests; keys come over HTTP only.
#[derive(Debug, Default)]
pub(super) struct Requests {
    by_key: BTreeMap<u64, Request>,
    in_order: VecDeque<(Timestamp, u64)>,
}

impl Requests {
    /// A message of a keyed request was accepted.
    pub(super) fn record(&mut self, request: &Idempotency, id: MessageId, at: Timestamp) {
        let entry = self.by_key.entry(request.key).or_default();
        if entry.messages.is_empty() {
            let denied = entry.denied;
            *entry = Request { body: request.body, count: request.count, denied, since: at, messages: Vec::new() };
            self.in_order.push_back((at, request.key));
        }
        if !entry.messages.contains(&(request.index, id)) {
            entry.messages.push((request.index, id));
        }
    }

    /// Asks for a key and marks it as running if it is new.
    pub(super) fn recall(&mut self, key: u64, body: u64, now: Timestamp) -> Known<'_> {
        let entry = self.by_key.entry(key).or_default();
        let fresh = entry.messages.is_empty() && now.micros_since(entry.since) > RUNNING_SECONDS * 1_000_000;
        if fresh {
            *entry = Request { body, since: now, ..Request::default() };
            self.in_order.push_back((now, key));
            return Known::Fresh;
        }
        if entry.body != body {
            return Known::OtherBody;
        }
        // A crash may have cut a request in two; what was stored of it is its answer once nobody can be at work on it.
        let abandoned = now.micros_since(entry.since) > RUNNING_SECONDS * 1_000_000;
        if entry.messages.is_empty() || (entry.told() < usize::from(entry.count) && !abandoned) {
            return Known::Running;
        }
        Known::Answered(&entry.messages)
    }

    /// A message of a keyed request was denied: its answer is complete without it.
    pub(super) fn denied(&mut self, request: &Idempotency) {
        if let Some(entry) = self.by_key.get_mut(&request.key).filter(|_| request.key != 0) {
            entry.denied += 1;
        }
    }

    /// Nothing of the request was accepted: the key may be used again.
    pub(super) fn forget(&mut self, key: u64) {
        if self.by_key.get(&key).is_some_and(|entry| entry.messages.is_empty()) {
            self.by_key.remove(&key);
        }
    }

    /// Drops what is older than a day.
    pub(super) fn expire(&mut self, now: Timestamp) {
        while let Some((at, key)) = self.in_order.front().copied()
            && now.micros_since(at) > KEY_SECONDS * 1_000_000
        {
            self.in_order.pop_front();
            if self.by_key.get(&key).is_some_and(|entry| now.micros_since(entry.since) > KEY_SECONDS * 1_000_000) {
                self.by_key.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_fresh_once_and_answers_for_a_day() {
        let mut requests = Requests::default();
        let now = Timestamp(1_000_000_000_000_000);
        let idempotency = Idempotency { key: 7, body: 8, index: 0, count: 1 };
        assert_eq!(requests.recall(7, 8, now), Known::Fresh);
        assert_eq!(requests.recall(7, 8, now), Known::Running);
        requests.record(&idempotency, MessageId(3), now);
        assert_eq!(requests.recall(7, 8, now), Known::Answered(&[(0, MessageId(3))]));
        assert_eq!(requests.recall(7, 9, now), Known::OtherBody);
        let later = now.plus_seconds(KEY_SECONDS + 1);
        requests.expire(later);
        assert_eq!(requests.recall(7, 9, later), Known::Fresh);
        requests.forget(7);
        assert_eq!(requests.recall(7, 8, later), Known::Fresh);
    }

    #[test]
    fn a_request_of_which_some_were_denied_is_answered_with_the_rest() {
        let mut requests = Requests::default();
        let now = Timestamp(1_000_000_000_000_000);
        let of = |index| Idempotency { key: 7, body: 8, index, count: 3 };
        assert_eq!(requests.recall(7, 8, now), Known::Fresh);
        requests.denied(&of(0));
        requests.record(&of(1), MessageId(3), now);
        assert_eq!(requests.recall(7, 8, now), Known::Running);
        requests.denied(&of(2));
        assert_eq!(requests.recall(7, 8, now), Known::Answered(&[(1, MessageId(3))]));
    }

    #[test]
    fn what_a_crash_left_of_a_request_is_its_answer_in_the_end() {
        let mut requests = Requests::default();
        let now = Timestamp(1_000_000_000_000_000);
        requests.record(&Idempotency { key: 7, body: 8, index: 0, count: 2 }, MessageId(3), now);
        assert_eq!(requests.recall(7, 8, now), Known::Running);
        let later = now.plus_seconds(RUNNING_SECONDS + 1);
        assert_eq!(requests.recall(7, 8, later), Known::Answered(&[(0, MessageId(3))]));
    }
}
