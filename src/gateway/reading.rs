//! The thread that reads the journal back for the core: bodies that left memory, status queries, survivors of old segments.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::command::{Command, Effect, Reply, Span};
use crate::exchange::{Batch, Exchange, Mailbox, Outbox};
use crate::fact::layout::{Kind, read_kept_payload};
use crate::fact::{Accepted, Fact, layout};
use crate::gateway::seals::Seals;
use crate::message::{MessageId, Place};
use crate::store::disk::Disk;
use crate::store::reader::Reader;

/// Answers are posted when they have grown to this many octets.
const SLICE_OCTETS: usize = 256 << 10;
const PATIENCE: Duration = Duration::from_millis(50);

pub(super) struct Reading<D: Disk> {
    pub reader: Reader<D>,
    pub seals: Seals<D>,
    pub exchange: Arc<Exchange>,
    pub mailbox: Arc<Mailbox>,
    pub finish: Arc<AtomicBool>,
    pub batch: Batch,
    pub plain: Vec<u8>,
    /// Bodies of this batch that could not be read: how many, and which was the first and why.
    pub unread: Option<(u32, MessageId, Place, &'static str)>,
}

impl<D: Disk> Reading<D> {
    /// Works until told to finish.
    pub(super) fn run(mut self) {
        let mut outbox = Outbox::default();
        while !self.finish.load(Ordering::Acquire) {
            self.mailbox.take_blocking(&mut outbox, PATIENCE);
            for effect in &outbox.effects {
                self.answer(effect, &outbox.bytes);
            }
            outbox.clear();
            self.tell_unread();
            self.post();
        }
    }

    fn answer(&mut self, effect: &Effect, bytes: &[u8]) {
        match *effect {
            Effect::Load { id, place } => self.load(id, place),
            Effect::Describe { reply, id, place, summary } => self.describe(reply, id, place, summary.of(bytes)),
            Effect::Sweep { segment } => self.sweep(segment),
            _ => {}
        }
        if self.batch.bytes.len() > SLICE_OCTETS {
            self.post();
        }
    }

    fn post(&mut self) {
        if !self.batch.is_empty() {
            wait_for_room(&self.exchange);
            self.exchange.inbox.post(&mut self.batch);
        }
    }

    fn load(&mut self, id: MessageId, place: Place) {
        self.plain.clear();
        if let Err(why) = self.open(id, place, None) {
            self.unread.get_or_insert((0, id, place, why)).0 += 1;
            self.plain.clear();
        }
        let envelope = Span::append(&self.plain, &mut self.batch.bytes);
        self.batch.commands.push(Command::Loaded { id, place, envelope });
    }

    /// One line for all of a batch: where one body cannot be read there are mostly many.
    fn tell_unread(&mut self) {
        if let Some((bodies, id, place, why)) = self.unread.take() {
            let (message, segment) = (id.sequence(), place.segment);
            tracing::error!(
                bodies,
                message,
                segment,
                why,
                "bodies cannot be read back, this one first; what is to be sent is tried again each minute"
            );
        }
    }

    /// Opens the envelope of the record at `place` into `plain`; copies the accepted record to `copy` if it is wanted.
    fn open(&mut self, id: MessageId, place: Place, copy: Option<&mut Vec<u8>>) -> Result<(), &'static str> {
        let (kind, payload) = self.reader.read(place).map_err(|_| "its record is not there")?;
        let accepted = accepted_in(kind, payload).ok_or("its record is of another type")?;
        if accepted.id != id {
            return Err("another message's record is there");
        }
        if let Some(copy) = copy {
            Accepted { sealed: &[], ..accepted }.write(copy);
        }
        self.seals.open(&accepted, &mut self.plain)
    }

    fn describe(&mut self, reply: Reply, id: MessageId, place: Place, summary: &[u8]) {
        self.plain.clear();
        let mut outbox = Outbox::default();
        outbox.bytes.extend_from_slice(summary);
        let opened = self.open(id, place, Some(&mut outbox.bytes));
        let kept = Span::since(0, &outbox.bytes);
        let effect = match opened {
            Ok(()) => {
                let envelope = Span::append(&self.plain, &mut outbox.bytes);
                Effect::Status { tag: reply.tag, kept, envelope }
            }
            // Without its key the message is still there, without its addresses.
            Err(_) if kept.length as usize > summary.len() => {
                Effect::Status { tag: reply.tag, kept, envelope: Span::default() }
            }
            Err(_) => Effect::Denied { tag: reply.tag, denial: crate::command::Denial::NoSuchMessage },
        };
        outbox.effects.push(effect);
        if let Some(mailbox) = self.exchange.mailbox(reply.link) {
            mailbox.deliver(&mut outbox);
        }
    }

    /// Offers every message record of a segment; the core knows which are alive.
    fn sweep(&mut self, segment: u32) {
        let whole = self.offer_all(segment);
        if let Err(why) = whole {
            tracing::error!(segment, %why, "a segment cannot be read to its end, and is kept");
        }
        self.batch.commands.push(Command::Swept { segment });
        self.post();
    }

    fn offer_all(&mut self, segment: u32) -> Result<(), crate::store::error::Error> {
        let mut groups = self.reader.groups(segment)?;
        while let Some(group) = groups.next_group()? {
            for record in group.records() {
                let kept = record.kind == Kind::Kept as u8;
                if !kept && record.kind != Kind::Accepted as u8 {
                    continue;
                }
                let place = Place { segment, offset: group.place.offset + record.offset };
                let span = Span::append(record.payload, &mut self.batch.bytes);
                self.batch.commands.push(Command::Survivor { place, record: span, kept });
            }
            if self.batch.bytes.len() > SLICE_OCTETS {
                wait_for_room(&self.exchange);
                self.exchange.inbox.post(&mut self.batch);
            }
        }
        Ok(())
    }
}

fn accepted_in(kind: u8, payload: &[u8]) -> Option<Accepted<'_>> {
    if kind == Kind::Kept as u8 {
        return read_kept_payload(payload).map(|kept| kept.accepted);
    }
    let mut accepted = None;
    layout::read(kind, payload, &mut |fact| {
        if let Fact::Accepted(found) = fact {
            accepted = Some(found);
        }
    })
    .ok()?;
    accepted
}

/// Waits on this thread until the inbox has room.
fn wait_for_room(exchange: &Exchange) {
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    while exchange.inbox.poll_room(&mut Context::from_waker(&waker)) == Poll::Pending {
        bell.wait();
    }
}

#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    fn wait(&self) {
        let rung = self.rung.lock().unwrap_or_else(|e| e.into_inner());
        let (mut rung, _) =
            self.changed.wait_timeout_while(rung, PATIENCE, |rung| !*rung).unwrap_or_else(|e| e.into_inner());
        *rung = false;
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.rung.lock().unwrap_or_else(|e| e.into_inner()) = true;
        self.changed.notify_one();
    }
}
