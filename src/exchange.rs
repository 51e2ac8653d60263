//! The buffers between the I/O threads and the core: one inbox of commands, one mailbox of effects for each link.
//!
//! An I/O thread appends a batch under one lock and the core takes all of them at once, so a turn costs two locks and at most one
//! wake-up however many messages it holds. Nothing here allocates once its buffers have grown.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::command::{Command, Effect};
use crate::message::LinkId;

/// Commands and the octets their spans refer to.
#[derive(Debug, Default)]
pub struct Batch {
    /// In the order in which they are decided.
    pub commands: Vec<Command>,
    /// What the spans refer to.
    pub bytes: Vec<u8>,
}

impl Batch {
    /// Empties it and keeps the buffers.
    pub fn clear(&mut self) {
        self.commands.clear();
        self.bytes.clear();
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    fn append(&mut self, other: &mut Batch) {
        let offset = u32::try_from(self.bytes.len()).expect("the inbox is bounded far below 4 GiB");
        self.bytes.extend_from_slice(&other.bytes);
        self.commands.extend(other.commands.iter().map(|command| {
            let mut command = *command;
            command.rebase(offset);
            command
        }));
        other.clear();
    }
}

/// The inbox holds more than this many octets only if one batch does: then posting waits.
pub const INBOX_OCTETS_MAX: usize = 1 << 20;
const INBOX_COMMANDS_MAX: usize = 16_384;

/// Where commands wait for the core's next turn.
#[derive(Debug, Default)]
pub struct Inbox {
    state: Mutex<InboxState>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct InboxState {
    batch: Batch,
    taker_wants: usize,
    waiting: Vec<Waker>,
}

impl InboxState {
    fn has_room(&self) -> bool {
        self.batch.bytes.len() < INBOX_OCTETS_MAX && self.batch.commands.len() < INBOX_COMMANDS_MAX
    }
}

impl Inbox {
    /// Appends `batch` and empties it. It is bounded by [`Inbox::poll_room`]: who posts much asks first.
    pub fn post(&self, batch: &mut Batch) {
        let mut state = lock(&self.state);
        state.batch.append(batch);
        if state.taker_wants > 0 && state.batch.commands.len() >= state.taker_wants {
            state.taker_wants = 0;
            drop(state);
            self.filled.notify_one();
        }
    }

    /// Ready when the inbox has room for another batch.
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.has_room() {
            return Poll::Ready(());
        }
        state.waiting.push(cx.waker().clone());
        Poll::Pending
    }

    /// Waits until at least `enough` commands are there, or until one is there and `linger` has passed, or until `timeout` has passed;
    /// then swaps what is there into `into`, which must be empty.
    pub fn take(&self, into: &mut Batch, enough: usize, linger: Duration, timeout: Duration) {
        debug_assert!(into.is_empty(), "a batch is taken once the previous one has been decided");
        let mut state = lock(&self.state);
        if state.batch.is_empty() && !timeout.is_zero() {
            state = self.wait(state, 1, timeout);
        }
        if !state.batch.is_empty() && state.batch.commands.len() < enough && !linger.is_zero() {
            state = self.wait(state, enough, linger);
        }
        std::mem::swap(&mut state.batch, into);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Wakes all who wait for room, although there is none: those that still want it come again, and the others are let go.
    pub fn rouse(&self) {
        let waiting = std::mem::take(&mut lock(&self.state).waiting);
        waiting.into_iter().for_each(Waker::wake);
    }

    fn wait<'a>(
        &'a self,
        mut state: MutexGuard<'a, InboxState>,
        wants: usize,
        limit: Duration,
    ) -> MutexGuard<'a, InboxState> {
        state.taker_wants = wants;
        let enough = |state: &mut InboxState| state.batch.commands.len() < wants;
        let (mut state, _) = self.filled.wait_timeout_while(state, limit, enough).unwrap_or_else(|e| e.into_inner());
        state.taker_wants = 0;
        state
    }
}

/// Effects for one link and the octets their spans refer to.
#[derive(Debug, Default)]
pub struct Outbox {
    /// In the order in which they were decided.
    pub effects: Vec<Effect>,
    /// What the spans refer to.
    pub bytes: Vec<u8>,
}

impl Outbox {
    /// Empties it and keeps the buffers.
    pub fn clear(&mut self) {
        self.effects.clear();
        self.bytes.clear();
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.effects.is_empty()
    }

    fn append(&mut self, other: &mut Outbox) {
        let offset = u32::try_from(self.bytes.len()).expect("credits bound a mailbox far below 4 GiB");
        self.bytes.extend_from_slice(&other.bytes);
        self.effects.extend(other.effects.iter().map(|effect| rebased(*effect, offset)));
        other.clear();
    }
}

fn rebased(mut effect: Effect, offset: u32) -> Effect {
    match &mut effect {
        Effect::Submit { envelope: span, .. }
        | Effect::Deliver { envelope: span, .. }
        | Effect::Describe { summary: span, .. } => span.start += offset,
        Effect::Status { kept, envelope, .. } => {
            kept.start += offset;
            envelope.start += offset;
        }
        _ => {}
    }
    effect
}

/// Where a link finds the effects meant for it. Credits bound what can wait in it.
#[derive(Debug, Default)]
pub struct Mailbox {
    state: Mutex<MailboxState>,
}

#[derive(Debug, Default)]
struct MailboxState {
    outbox: Outbox,
    waker: Option<Waker>,
}

impl Mailbox {
    /// Moves all of `outbox` in and wakes the link.
    pub fn deliver(&self, outbox: &mut Outbox) {
        let mut state = lock(&self.state);
        if state.outbox.is_empty() {
            std::mem::swap(&mut state.outbox, outbox);
            outbox.clear();
        } else {
            state.outbox.append(outbox);
        }
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Swaps what is there into `into`, which must be empty; pending while there is nothing.
    pub fn poll_take(&self, cx: &mut Context<'_>, into: &mut Outbox) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.outbox.is_empty() {
            state.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        std::mem::swap(&mut state.outbox, into);
        Poll::Ready(())
    }

    /// Waits on a thread of its own, at most `timeout`; `into` stays empty if nothing came.
    pub fn take_blocking(&self, into: &mut Outbox, timeout: Duration) {
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut cx = Context::from_waker(&waker);
        if self.poll_take(&mut cx, into).is_pending() {
            std::thread::park_timeout(timeout);
            let _ = self.poll_take(&mut cx, into);
        }
    }
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The inbox, and the mailbox of every link.
#[derive(Debug, Default)]
pub struct Exchange {
    /// The core's inbox.
    pub inbox: Inbox,
    links: Mutex<Vec<Option<Arc<Mailbox>>>>,
}

impl Exchange {
    /// Gives a new link its number and mailbox.
    pub fn open(&self) -> (LinkId, Arc<Mailbox>) {
        let mailbox = Arc::new(Mailbox::default());
        let mut links = lock(&self.links);
        let index = links.iter().position(Option::is_none).unwrap_or(links.len());
        if index == links.len() {
            links.push(None);
        }
        links[index] = Some(mailbox.clone());
        (LinkId(index as u32), mailbox)
    }

    /// The mailbox of a link; `None` once it was released.
    pub fn mailbox(&self, link: LinkId) -> Option<Arc<Mailbox>> {
        lock(&self.links).get(link.0 as usize).cloned().flatten()
    }

    /// Waits until the core has forgotten a link, whose closing was posted, and frees its number. What was still on its way to the
    /// link is dropped.
    pub async fn closed(&self, link: LinkId, mailbox: &Mailbox) {
        let mut outbox = Outbox::default();
        while !outbox.effects.contains(&Effect::Closed) {
            outbox.clear();
            std::future::poll_fn(|cx| mailbox.poll_take(cx, &mut outbox)).await;
        }
        self.release(link);
    }

    /// For a link that ended without closing, by a panic: tells the core that it is gone, and frees its number once the core has seen
    /// that. What was in its window is in doubt or owed again then, as after any end.
    pub fn abandon(self: &Arc<Exchange>, link: LinkId, mailbox: Arc<Mailbox>) {
        self.inbox.post(&mut Batch { commands: vec![Command::Close { link }], bytes: Vec::new() });
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let exchange = self.clone();
            runtime.spawn(async move { exchange.closed(link, &mailbox).await });
        }
    }

    /// Frees a link's number, once the core has said [`Effect::Closed`].
    pub fn release(&self, link: LinkId) {
        if let Some(place) = lock(&self.links).get_mut(link.0 as usize) {
            *place = None;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere must not stop the road: what these locks guard is whole after each statement.
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Reply, Span};
    use crate::message::CarrierId;

    #[test]
    fn batches_are_taken_together_and_spans_follow() {
        let inbox = Inbox::default();
        for text in [&b"one"[..], b"three"] {
            let mut batch = Batch::default();
            let notice = Span::append(text, &mut batch.bytes);
            batch.commands.push(Command::Receipt {
                reply: Reply::default(),
                carrier: CarrierId(0),
                notice,
                only_if_known: false,
            });
            inbox.post(&mut batch);
            assert!(batch.is_empty() && batch.bytes.is_empty());
        }
        let mut taken = Batch::default();
        inbox.take(&mut taken, 1, Duration::ZERO, Duration::ZERO);
        let texts: Vec<_> = taken
            .commands
            .iter()
            .map(|command| match command {
                Command::Receipt { notice, .. } => notice.of(&taken.bytes),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(texts, [&b"one"[..], b"three"]);
    }

    #[test]
    fn mailbox_keeps_order_over_deliveries() {
        let mailbox = Mailbox::default();
        for tag in 0..3 {
            let mut outbox = Outbox { effects: vec![Effect::Noted { tag }], bytes: Vec::new() };
            mailbox.deliver(&mut outbox);
        }
        let mut into = Outbox::default();
        mailbox.take_blocking(&mut into, Duration::ZERO);
        assert_eq!(into.effects, (0..3).map(|tag| Effect::Noted { tag }).collect::<Vec<_>>());
    }

    #[test]
    fn numbers_of_links_are_reused_after_release() {
        let exchange = Exchange::default();
        let (first, _) = exchange.open();
        let (second, _) = exchange.open();
        exchange.release(first);
        assert_eq!(exchange.open().0, first);
        assert_ne!(first, second);
        assert!(exchange.mailbox(LinkId(99)).is_none());
    }
}
