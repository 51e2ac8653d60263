//! Where HTTP requests wait for the core: one link of the exchange for all of them, and a slot for each request.
//!
//! A request may hold many messages; its slot counts answers and wakes the request once. A request that went away (its client hung up)
//! leaves its slot until the answers have come, so that a mark is never given to two requests at once.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::oneshot;

use crate::command::{Command, Denial, Effect, Reply};
use crate::exchange::{Batch, Exchange, Mailbox, Outbox};
use crate::message::{LinkId, MessageId};

/// What the core said about one message of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It is stored.
    Accepted(MessageId),
    /// No.
    Denied(Denial),
    /// It was stored by an earlier request with the same key.
    Recalled(MessageId),
    /// Where it stands: a Kept payload and the open envelope.
    Status {
        /// Octets of [`crate::fact::Kept`].
        kept: Vec<u8>,
        /// Octets of [`crate::envelope::Envelope`]; empty if it could not be opened.
        envelope: Vec<u8>,
    },
}

/// Which message of the request, and what was said about it. [`WHOLE`] stands for the request itself.
pub type Answers = Vec<(u16, Answer)>;

/// The index that stands for the whole request.
pub const WHOLE: u16 = u16::MAX;

/// The core has stopped, and will not answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unanswered;

/// The link of the HTTP server, and the requests that wait on it.
#[derive(Debug)]
pub struct Desk {
    exchange: Arc<Exchange>,
    link: LinkId,
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    places: Vec<Place>,
    free: Vec<u32>,
    stopped: bool,
}

#[derive(Debug, Default)]
struct Place {
    /// Counts uses, so that an answer to an earlier use finds nobody.
    generation: u16,
    waiting: Option<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    expected: usize,
    answers: Answers,
    sender: oneshot::Sender<Answers>,
    /// Posted when the core says that it has not seen the request before.
    when_fresh: Option<Fresh>,
    /// The key that the core holds for the request until one of its messages is accepted.
    held: Option<u64>,
}

/// What is posted for a request with a key that is new.
#[derive(Debug)]
struct Fresh {
    batch: Batch,
    expected: usize,
    key: u64,
}

/// A request's place at the desk.
#[derive(Debug)]
pub struct Ticket {
    desk: Arc<Desk>,
    slot: u32,
    generation: u16,
    posted: bool,
    receiver: oneshot::Receiver<Answers>,
}

impl Desk {
    /// Opens the HTTP server's link. Somebody must run [`Desk::run`] with the mailbox.
    pub fn open(exchange: Arc<Exchange>) -> (Arc<Desk>, Arc<Mailbox>) {
        let (link, mailbox) = exchange.open();
        (Arc::new(Desk { exchange, link, slots: Mutex::default() }), mailbox)
    }

    /// Takes a place for a request.
    pub fn take(self: &Arc<Desk>) -> Ticket {
        let (sender, receiver) = oneshot::channel();
        let mut slots = self.lock();
        let slot = slots.free.pop().unwrap_or(slots.places.len() as u32);
        if slot as usize == slots.places.len() {
            slots.places.push(Place::default());
        }
        let place = &mut slots.places[slot as usize];
        place.generation = place.generation.wrapping_add(1);
        let generation = place.generation;
        place.waiting = Some(Waiting { expected: 0, answers: Vec::new(), sender, when_fresh: None, held: None });
        Ticket { desk: self.clone(), slot, generation, posted: false, receiver }
    }

    /// Gives the core's answers to the requests that wait for them; never returns by itself.
    pub async fn run(self: Arc<Desk>, mailbox: Arc<Mailbox>) {
        let mut outbox = Outbox::default();
        loop {
            poll_fn(|cx| mailbox.poll_take(cx, &mut outbox)).await;
            self.dispatch(&outbox);
            outbox.clear();
        }
    }

    /// Nothing will be answered any more: all who wait are told so.
    pub fn stop(&self) {
        let mut slots = self.lock();
        slots.stopped = true;
        slots.places.iter_mut().for_each(|place| place.waiting = None);
    }

    fn dispatch(&self, outbox: &Outbox) {
        let mut slots = self.lock();
        let mut freed = Batch::default();
        for effect in &outbox.effects {
            let nothing_accepted = match *effect {
                Effect::Accepted { tag, id } => slots.answer(tag, None, Answer::Accepted(id)),
                Effect::Denied { tag, denial } => slots.answer(tag, None, Answer::Denied(denial)),
                Effect::Recalled { tag, index, id } => slots.answer(tag, Some(index), Answer::Recalled(id)),
                Effect::Repeated { tag, count } => slots.repeated(tag, usize::from(count)),
                Effect::Fresh { tag } => {
                    if let Some(mut batch) = slots.fresh(tag) {
                        self.exchange.inbox.post(&mut batch);
                    }
                    None
                }
                Effect::Status { tag, kept, envelope } => {
                    let (kept, envelope) = (kept.of(&outbox.bytes).to_vec(), envelope.of(&outbox.bytes).to_vec());
                    slots.answer(tag, None, Answer::Status { kept, envelope })
                }
                // Nothing else is ever addressed to a link that neither submits nor receives.
                _ => None,
            };
            freed.commands.extend(nothing_accepted.map(|key| Command::Forget { key }));
        }
        if !freed.is_empty() {
            self.exchange.inbox.post(&mut freed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        // What the lock guards is whole after each statement.
        self.slots.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Slots {
    fn place(&mut self, tag: u64) -> Option<&mut Place> {
        let place = self.places.get_mut((tag >> 32) as usize)?;
        (place.generation == (tag >> 16) as u16).then_some(place)
    }

    fn answer(&mut self, tag: u64, index: Option<u16>, answer: Answer) -> Option<u64> {
        let place = self.place(tag)?;
        if let Some(waiting) = &mut place.waiting {
            waiting.answers.push((index.unwrap_or(tag as u16), answer));
        }
        self.settle(tag, 0)
    }

    /// The request was answered before: its messages follow.
    fn repeated(&mut self, tag: u64, count: usize) -> Option<u64> {
        self.settle(tag, count)
    }

    fn fresh(&mut self, tag: u64) -> Option<Batch> {
        let waiting = self.place(tag)?.waiting.as_mut()?;
        let Fresh { batch, expected, key } = waiting.when_fresh.take()?;
        waiting.held = Some(key);
        self.settle(tag, expected);
        Some(batch)
    }

    /// One answer has come and `more` are to follow; the last wakes the request and frees the place. Gives the key that the core
    /// holds in vain, if nothing of the request was accepted.
    fn settle(&mut self, tag: u64, more: usize) -> Option<u64> {
        let place = self.place(tag)?;
        let mut waiting = place.waiting.take()?;
        waiting.expected = (waiting.expected + more).saturating_sub(1);
        if waiting.expected > 0 {
            place.waiting = Some(waiting);
            return None;
        }
        let accepted = waiting.answers.iter().any(|(_, answer)| matches!(answer, Answer::Accepted(_)));
        // A request whose client has hung up is not there to be told.
        let _ = waiting.sender.send(waiting.answers);
        self.free.push((tag >> 32) as u32);
        waiting.held.filter(|_| !accepted)
    }
}

impl Ticket {
    /// Where the core is to answer about message `index` of this request.
    pub fn reply(&self, index: u16) -> Reply {
        let tag = u64::from(self.slot) << 32 | u64::from(self.generation) << 16 | u64::from(index);
        Reply { link: self.desk.link, tag }
    }

    /// Posts commands of which `expected` are to be answered, and waits for all answers.
    pub async fn ask(mut self, mut batch: Batch, expected: usize) -> Result<Answers, Unanswered> {
        self.post(&mut batch, expected, None).await?;
        (&mut self.receiver).await.map_err(|_| Unanswered)
    }

    /// As [`Ticket::ask`], but posts `batch` only if the core has not yet seen a request with this key and body.
    pub async fn ask_once(mut self, batch: Batch, expected: usize, key: u64, body: u64) -> Result<Answers, Unanswered> {
        let mut recall = Batch::default();
        recall.commands.push(Command::Recall { reply: self.reply(WHOLE), key, body });
        self.post(&mut recall, 1, Some(Fresh { batch, expected, key })).await?;
        (&mut self.receiver).await.map_err(|_| Unanswered)
    }

    async fn post(&mut self, batch: &mut Batch, expected: usize, when_fresh: Option<Fresh>) -> Result<(), Unanswered> {
        let desk = self.desk.clone();
        poll_fn(|cx| desk.exchange.inbox.poll_room(cx)).await;
        {
            let mut slots = desk.lock();
            if slots.stopped {
                return Err(Unanswered);
            }
            let waiting = slots.places[self.slot as usize].waiting.as_mut().expect("a ticket holds its place");
            (waiting.expected, waiting.when_fresh) = (expected, when_fresh);
        }
        // From here on the place is freed by the answers, even if the client hangs up.
        self.posted = true;
        desk.exchange.inbox.post(batch);
        Ok(())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.posted {
            let mut slots = self.desk.lock();
            slots.places[self.slot as usize].waiting = None;
            slots.free.push(self.slot);
        }
    }
}

#[cfg(test)]
#[path = "desk_tests.rs"]
mod tests;
