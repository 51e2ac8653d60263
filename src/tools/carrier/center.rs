//! The simulated message centre: one thread that looks at every connection whenever one of them has something, so that
//! a whole read is answered in one write.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Sleep;

use crate::clock::Clock;
use crate::smpp::command::CommandId;
use crate::smpp::decode::decode;
use crate::smpp::encode::encode;
use crate::smpp::pdu::{Body, Pdu, SubmitSmResp};
use crate::smpp::status::CommandStatus;
use crate::smpp::tlv::Tlvs;
use crate::tools::carrier::account::{Account, Receipt};
use crate::tools::carrier::bind::{Bind, Delivery};
use crate::tools::carrier::conduct::Conduct;
use crate::tools::carrier::record::Record;
use crate::tools::carrier::report::Report;
use crate::tools::carrier::spelling::{Speller, write_id};
use crate::tools::carrier::taken::Taken;
use crate::tools::carrier::{Args, ReceiptsAfter};
use crate::tools::wire::{Filled, Wire, write_header};

/// How often records are written out.
const RECORD_EVERY: Duration = Duration::from_secs(1);

/// The state of the simulator.
#[derive(Debug)]
pub(crate) struct Center {
    pub(super) args: Args,
    listener: TcpListener,
    pub(super) clock: Clock,
    /// Time since the start, read once each turn.
    pub(super) now: Duration,
    /// The same as a receipt has it: yyMMddhhmmss.
    pub(super) date: [u8; 12],
    dated: Option<u64>,
    binds: Vec<Option<Bind>>,
    connections: u64,
    pub(super) accounts: Vec<Account>,
    /// Responses that wait for their time, in its order.
    pub(super) responses: VecDeque<Response>,
    /// Receipts that wait for their time, in its order, with their account.
    pub(super) pending: VecDeque<(Duration, usize, Receipt)>,
    /// Receipts that were answered with "later", in the order of their time.
    pub(super) later: VecDeque<(Duration, usize, Receipt)>,
    pub(super) conduct: Conduct,
    pub(super) taken: Taken,
    pub(super) next_id: u64,
    pub(super) delivery: Delivery,
    pub(super) speller: Speller,
    id_text: Vec<u8>,
    pub(super) report: Report,
    pub(super) record: Option<Record>,
    pub(super) record_receipts: Option<Record>,
    record_due: Duration,
    pub(super) failure: Option<String>,
}

/// A submit_sm_resp that waits for its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Response {
    pub(super) due: Duration,
    /// The bind it belongs to: its place, and its number because places are used again.
    pub(super) slot: usize,
    pub(super) bind: u64,
    pub(super) sequence: u32,
    pub(super) answer: Answer,
}

/// What a submit_sm_resp says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// Taken, with this id; and the receipt that goes before it.
    Taken(u64, Option<Receipt>),
    /// Refused.
    Refused(CommandStatus),
}

/// What becomes of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    Stays,
    Goes,
}

/// What ends the simulator from outside, and its alarm clock.
struct Outside {
    terminate: Signal,
    interrupt: Signal,
    alarm: Pin<Box<Sleep>>,
}

impl Center {
    pub(crate) fn new(args: Args, listener: TcpListener) -> Result<Center, String> {
        let clock = Clock::start();
        let seconds = u64::try_from(clock.at(Duration::ZERO).0 / 1_000_000).unwrap_or(0);
        Ok(Center {
            listener,
            clock,
            now: Duration::ZERO,
            date: [b'0'; 12],
            dated: None,
            binds: Vec::new(),
            connections: 0,
            accounts: Vec::new(),
            responses: VecDeque::new(),
            pending: VecDeque::new(),
            later: VecDeque::new(),
            conduct: Conduct::new(&args),
            taken: Taken::default(),
            // A million ids a second of wall time: a simulator that is started again repeats none.
            next_id: args.first_id.unwrap_or(seconds * 1_000_000),
            delivery: Delivery { window: args.window, format: args.receipt_format, style: args.id_style },
            speller: Speller::default(),
            id_text: Vec::new(),
            report: Report::default(),
            record: args.record.as_deref().map(Record::create).transpose()?,
            record_receipts: args.record_receipts.as_deref().map(Record::create).transpose()?,
            record_due: RECORD_EVERY,
            failure: None,
            args,
        })
    }

    /// Runs until a signal, until `--count` is reached, or until a record cannot be written.
    pub(crate) async fn run(&mut self) -> Result<Report, String> {
        let listen = |kind| signal(kind).map_err(|error| format!("cannot listen to signals: {error}"));
        let mut outside = Outside {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            alarm: Box::pin(tokio::time::sleep_until(self.clock.instant(RECORD_EVERY))),
        };
        poll_fn(|cx| self.poll(cx, &mut outside)).await;
        self.flush_records();
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let mut report = std::mem::take(&mut self.report);
        let waiting = self.pending.len() + self.later.len();
        let ready: usize = self.accounts.iter().map(|account| account.ready.len()).sum();
        let unanswered: usize = self.binds.drain(..).flatten().map(|bind| bind.unanswered().count()).sum();
        report.receipts_open = (waiting + ready + unanswered) as u64;
        Ok(report)
    }

    /// One turn: takes what came, sends what is due, says when to be asked again.
    fn poll(&mut self, cx: &mut Context<'_>, outside: &mut Outside) -> Poll<()> {
        if outside.terminate.poll_recv(cx).is_ready() || outside.interrupt.poll_recv(cx).is_ready() {
            return Poll::Ready(());
        }
        loop {
            self.now = self.clock.elapsed();
            self.refresh_date();
            self.accept(cx);
            for slot in 0..self.binds.len() {
                self.visit(slot, |center, bind| center.read(bind, slot, cx));
            }
            self.release_due();
            self.deliver();
            for slot in 0..self.binds.len() {
                self.visit(slot, |_, bind| drain(bind, cx));
            }
            if self.now >= self.record_due {
                self.flush_records();
                self.record_due = self.now + RECORD_EVERY;
            }
            if self.failure.is_some() || self.is_done() {
                return Poll::Ready(());
            }
            outside.alarm.as_mut().reset(self.clock.instant(self.next_due()));
            if outside.alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn accept(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Ok((stream, _))) = self.listener.poll_accept(cx) {
            let Ok(wire) = Wire::new(stream) else { continue };
            self.connections += 1;
            let bind = Bind::new(wire, self.connections);
            match self.binds.iter_mut().find(|slot| slot.is_none()) {
                Some(slot) => *slot = Some(bind),
                None => self.binds.push(Some(bind)),
            }
        }
    }

    /// Does something with the bind of a slot; if it is to go, its unanswered receipts go back to their account.
    fn visit(&mut self, slot: usize, mut act: impl FnMut(&mut Center, &mut Bind) -> Fate) {
        let Some(mut bind) = self.binds[slot].take() else { return };
        if act(self, &mut bind) == Fate::Stays {
            self.binds[slot] = Some(bind);
        } else if let Some(account) = bind.account {
            let ready = &mut self.accounts[account].ready;
            for receipt in bind.unanswered().rev() {
                ready.push_front(Receipt { repeated: true, ..receipt });
            }
        }
    }

    fn read(&mut self, bind: &mut Bind, slot: usize, cx: &mut Context<'_>) -> Fate {
        while bind.wire.takes_more() && !bind.closing {
            match bind.wire.poll_fill(cx) {
                Poll::Pending => return Fate::Stays,
                Poll::Ready(Ok(Filled::Octets)) => {}
                Poll::Ready(_) => return Fate::Goes,
            }
            let mut input = std::mem::take(&mut bind.wire.input);
            let mut fate = Fate::Stays;
            while fate == Fate::Stays && !bind.closing {
                match input.next_frame() {
                    Ok(None) => break,
                    Ok(Some(frame)) => fate = self.take_frame(bind, slot, frame),
                    Err(_) => {
                        let (nack, status) = (CommandId::GENERIC_NACK, CommandStatus::RINVCMDLEN);
                        write_header(nack, status, 0, &mut bind.wire.output);
                        bind.closing = true;
                    }
                }
            }
            bind.wire.input = input;
            if fate == Fate::Goes {
                return Fate::Goes;
            }
        }
        Fate::Stays
    }

    fn take_frame(&mut self, bind: &mut Bind, slot: usize, frame: &[u8]) -> Fate {
        match decode(frame) {
            Ok(pdu) => self.take_pdu(bind, slot, &pdu),
            Err(error) => {
                let command = error.reply_command.unwrap_or(CommandId::GENERIC_NACK);
                write_header(command, error.status, error.sequence, &mut bind.wire.output);
                Fate::Stays
            }
        }
    }

    /// Sends the responses and moves the receipts whose time has come.
    fn release_due(&mut self) {
        while self.responses.front().is_some_and(|response| response.due <= self.now) {
            let Some(response) = self.responses.pop_front() else { return };
            self.visit(response.slot, |center, bind| {
                if bind.number == response.bind {
                    center.respond(bind, response.sequence, response.answer);
                }
                Fate::Stays
            });
        }
        for queue in [&mut self.pending, &mut self.later] {
            while queue.front().is_some_and(|(due, ..)| *due <= self.now) {
                let Some((_, account, receipt)) = queue.pop_front() else { break };
                self.accounts[account].ready.push_back(receipt);
            }
        }
    }

    /// Writes submit_sm_resp.
    pub(super) fn respond(&mut self, bind: &mut Bind, sequence: u32, answer: Answer) {
        let status = match answer {
            Answer::Refused(status) => status,
            Answer::Taken(..) => CommandStatus::ROK,
        };
        let message_id = match answer {
            Answer::Refused(_) => None,
            Answer::Taken(id, first) => {
                if let Some(receipt) = first {
                    self.send_receipt(bind, receipt);
                }
                self.id_text.clear();
                write_id(id, self.delivery.style, &mut self.id_text);
                Some(self.id_text.as_slice())
            }
        };
        let body = Body::SubmitSmResp(SubmitSmResp { message_id, tlvs: Tlvs::NONE });
        encode(&Pdu { status, sequence, body }, &mut bind.wire.output);
    }

    pub(super) fn send_receipt(&mut self, bind: &mut Bind, receipt: Receipt) {
        bind.deliver(receipt, &self.date, &self.delivery, &mut self.speller);
        self.report.receipts_sent += 1;
        self.report.receipts_repeated += u64::from(receipt.repeated);
    }

    /// Hands receipts to the binds that may receive them, another one first each time.
    fn deliver(&mut self) {
        let slots = self.binds.len();
        for account in 0..self.accounts.len() {
            if self.accounts[account].ready.is_empty() {
                continue;
            }
            self.accounts[account].turn += 1;
            let turn = self.accounts[account].turn;
            for slot in (0..slots).map(|slot| (slot + turn) % slots) {
                self.visit(slot, |center, bind| {
                    let window = center.delivery.window;
                    while bind.account == Some(account) && bind.may_deliver(window) {
                        let Some(receipt) = center.accounts[account].ready.pop_front() else { break };
                        center.send_receipt(bind, receipt);
                    }
                    Fate::Stays
                });
            }
        }
    }

    /// The earliest time at which something has to be done without being asked.
    fn next_due(&self) -> Duration {
        let response = self.responses.front().map(|response| response.due);
        let receipts = [&self.pending, &self.later].map(|queue| queue.front().map(|(due, ..)| *due));
        let records = [&self.record, &self.record_receipts];
        let waiting = records.into_iter().flatten().any(Record::is_waiting);
        let due = [response, receipts[0], receipts[1], waiting.then_some(self.record_due)];
        due.into_iter().flatten().min().unwrap_or(self.now + Duration::from_secs(3600))
    }

    /// Whether `--count` messages have been taken and all that follows from them is done.
    fn is_done(&self) -> bool {
        let reached = self.args.count.is_some_and(|count| self.report.accepted >= count);
        reached
            && self.responses.is_empty()
            && self.pending.is_empty()
            && self.later.is_empty()
            && self.accounts.iter().all(|account| account.ready.is_empty())
            && self.binds.iter().flatten().all(Bind::is_quiet)
    }

    fn refresh_date(&mut self) {
        if self.dated == Some(self.now.as_secs()) {
            return;
        }
        self.dated = Some(self.now.as_secs());
        let text = jiff::Timestamp::from_microsecond(self.clock.at(self.now).0)
            .map(|time| time.strftime("%y%m%d%H%M%S").to_string())
            .unwrap_or_default();
        if let Ok(date) = text.as_bytes().try_into() {
            self.date = date;
        }
    }

    fn flush_records(&mut self) {
        for record in [&mut self.record, &mut self.record_receipts].into_iter().flatten() {
            if let Err(error) = record.flush() {
                self.failure.get_or_insert(error);
            }
        }
    }

    /// Whether receipts are sent at all.
    pub(super) fn receipts_after(&self) -> Option<Duration> {
        match self.args.receipts_after {
            ReceiptsAfter::None => None,
            ReceiptsAfter::Delay(delay) => Some(delay),
        }
    }
}

/// Writes what waits; a connection that is to be closed goes when nothing does.
fn drain(bind: &mut Bind, cx: &mut Context<'_>) -> Fate {
    match bind.wire.poll_drain(cx) {
        Poll::Ready(Err(_)) => Fate::Goes,
        Poll::Ready(Ok(())) if bind.closing => Fate::Goes,
        _ => Fate::Stays,
    }
}
