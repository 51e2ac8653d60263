//! The run itself: one thread that looks at every transceiver whenever one of them has something, fills the windows
//! that are open, and writes once for each connection.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::IsTerminal;
use std::mem;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Sleep;

use crate::clock::Clock;
use crate::smpp::command::CommandId;
use crate::smpp::decode::decode;
use crate::smpp::encode::encode;
use crate::smpp::fields::MessageType;
use crate::smpp::pdu::{Body, Pdu, SubmitSm, SubmitSmResp};
use crate::smpp::status::{CommandStatus, StatusAction, StatusClass};
use crate::smpp::tlv::Tlvs;
use crate::tools::Fault;
use crate::tools::load::awaited::{Awaited, Match, read_receipt};
use crate::tools::load::esme::{Esme, PAUSE_MAX, PAUSE_MIN, Phase};
use crate::tools::load::ledger::Ledger;
use crate::tools::load::report::Report;
use crate::tools::load::template::{Pattern, Template};
use crate::tools::load::{Args, Receipts};
use crate::tools::quantity::micros;
use crate::tools::wire::{Filled, write_header};

/// Messages when the arguments say nothing.
const COUNT_DEFAULT: u32 = 10_000;

/// How long a lost connection waits before it is tried again.
const RECONNECT_AFTER: Duration = Duration::from_millis(100);

/// How long an unbind may go unanswered.
const UNBIND_WITHIN: Duration = Duration::from_secs(5);

/// A message that its rate wanted sent more than this long ago was held back by a window, and its wait counts.
const TICK: Duration = Duration::from_millis(2);

/// How often a person is shown how far it is.
const SHOW_EVERY: Duration = Duration::from_millis(100);

/// The state of a run.
pub(crate) struct Generator {
    args: Args,
    clock: Clock,
    now: Duration,
    template: Template,
    esmes: Vec<Esme>,
    /// When the first submit may go: every transceiver is bound.
    start: Option<Duration>,
    /// Messages at most.
    count: u32,
    issued: u32,
    /// Numbers to be submitted again.
    again: VecDeque<u32>,
    awaited: Awaited,
    ledger: Option<Ledger>,
    receipt_ledger: Option<Ledger>,
    report: Report,
    /// The last time that anything came.
    news: Duration,
    interrupted: bool,
    unbinding_since: Option<Duration>,
    failure: Option<String>,
    progress: ProgressBar,
    shown: Duration,
}

struct Outside {
    terminate: Signal,
    interrupt: Signal,
    alarm: Pin<Box<Sleep>>,
}

impl Generator {
    pub(crate) fn new(args: Args) -> Result<Generator, Fault> {
        let count = match (args.count, args.seconds) {
            (Some(count), _) => count,
            (None, Some(_)) => u32::MAX,
            (None, None) => COUNT_DEFAULT,
        };
        let bounded = args.seconds.is_none();
        let pattern = Pattern {
            source: &args.source,
            dest_prefix: &args.dest_prefix,
            text: args.text.as_deref(),
            characters: args.characters,
            receipts: args.receipts != Receipts::None,
            last: bounded.then(|| args.first.saturating_add(count - 1)),
        };
        let template = Template::new(&pattern).map_err(Fault::Misused)?;
        let style = "{elapsed_precise} {wide_bar} {pos}/{len} {per_sec} {msg}";
        let progress = match std::io::stderr().is_terminal() {
            true if bounded => ProgressBar::new(u64::from(count))
                .with_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar())),
            true => ProgressBar::new_spinner(),
            false => ProgressBar::hidden(),
        };
        let open = |path: Option<&Path>| path.map(Ledger::open).transpose().map_err(Fault::Failed);
        Ok(Generator {
            clock: Clock::start(),
            now: Duration::ZERO,
            template,
            esmes: (0..args.binds).map(|_| Esme::new(args.window)).collect(),
            start: None,
            count,
            issued: 0,
            again: VecDeque::new(),
            awaited: Awaited::default(),
            ledger: open(args.ledger.as_deref())?,
            receipt_ledger: open(args.receipt_ledger.as_deref())?,
            report: Report::new(args.reconnect),
            news: Duration::ZERO,
            interrupted: false,
            unbinding_since: None,
            failure: None,
            progress,
            shown: Duration::ZERO,
            args,
        })
    }

    /// Runs to the end and gives what was measured. An error is what kept it from measuring anything.
    pub(crate) async fn run(mut self) -> Result<Report, String> {
        let listen = |kind| signal(kind).map_err(|error| format!("cannot listen to signals: {error}"));
        let mut outside = Outside {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            alarm: Box::pin(tokio::time::sleep(Duration::ZERO)),
        };
        poll_fn(|cx| self.poll(cx, &mut outside)).await;
        self.progress.finish_and_clear();
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        self.report.unanswered += self.esmes.iter_mut().map(Esme::give_up_in_flight).sum::<u64>();
        self.report.unanswered += self.again.len() as u64;
        self.report.receipts_unknown = self.awaited.early;
        if self.args.receipts == Receipts::Wait {
            self.report.receipts_missing = self.awaited.open;
        }
        Ok(self.report)
    }

    fn poll(&mut self, cx: &mut Context<'_>, outside: &mut Outside) -> Poll<()> {
        if outside.terminate.poll_recv(cx).is_ready() || outside.interrupt.poll_recv(cx).is_ready() {
            if self.interrupted {
                return Poll::Ready(());
            }
            // The first signal ends the submitting and still waits for what is owed; the second ends everything.
            self.interrupted = true;
        }
        loop {
            self.now = self.clock.elapsed();
            self.visit(|run, esme| run.drive(esme, cx));
            self.submit();
            for ledger in [&mut self.ledger, &mut self.receipt_ledger].into_iter().flatten() {
                if let Err(error) = ledger.flush() {
                    self.failure.get_or_insert(error);
                }
            }
            self.end_when_done();
            self.visit(|run, esme| {
                let drained = esme.wire.as_mut().map(|wire| wire.poll_drain(cx));
                if matches!(drained, Some(Poll::Ready(Err(_)))) {
                    run.connection_lost(esme, "it was closed");
                }
            });
            self.show();
            if self.failure.is_some() || self.esmes.iter().all(|esme| esme.phase == Phase::Gone) {
                return Poll::Ready(());
            }
            outside.alarm.as_mut().reset(self.clock.instant(self.next_due()));
            if outside.alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Does something with each transceiver while the rest of the run is at hand.
    fn visit(&mut self, mut act: impl FnMut(&mut Generator, &mut Esme)) {
        let mut esmes = mem::take(&mut self.esmes);
        for esme in &mut esmes {
            act(self, esme);
        }
        self.esmes = esmes;
    }

    /// Connects, or takes what came.
    fn drive(&mut self, esme: &mut Esme, cx: &mut Context<'_>) {
        match esme.phase {
            Phase::Gone => return,
            Phase::Waiting(until) if self.now < until => return,
            Phase::Waiting(_) | Phase::Connecting => {
                let who = (self.args.system_id.as_str(), self.args.password.as_str());
                match esme.poll_connect(&self.args.connect, who, cx) {
                    Poll::Pending => return,
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) => return self.connection_lost(esme, &error.to_string()),
                }
            }
            Phase::Binding | Phase::Bound | Phase::Unbinding => {}
        }
        loop {
            let Some(wire) = &mut esme.wire else { return };
            match wire.poll_fill(cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(Filled::Octets)) => self.news = self.now,
                Poll::Ready(Ok(Filled::Closed)) => return self.connection_lost(esme, "it was closed"),
                Poll::Ready(Err(error)) => return self.connection_lost(esme, &error.to_string()),
            }
            let mut input = mem::take(&mut wire.input);
            loop {
                match input.next_frame().map(|frame| frame.map(decode)) {
                    Ok(None) => break,
                    Ok(Some(Ok(pdu))) => self.take_pdu(esme, &pdu),
                    Ok(Some(Err(error))) => {
                        let command = error.reply_command.unwrap_or(CommandId::GENERIC_NACK);
                        if let Some(wire) = &mut esme.wire {
                            write_header(command, error.status, error.sequence, &mut wire.output);
                        }
                    }
                    Err(error) => {
                        self.failure = Some(format!("{}: {error}", self.args.connect));
                        return;
                    }
                }
            }
            match &mut esme.wire {
                Some(wire) => wire.input = input,
                None => return,
            }
        }
    }

    fn take_pdu(&mut self, esme: &mut Esme, pdu: &Pdu<'_>) {
        let sequence = pdu.sequence;
        match &pdu.body {
            Body::SubmitSmResp(response) => self.answered(esme, pdu, response.message_id.unwrap_or_default()),
            Body::GenericNack => self.answered(esme, pdu, &[]),
            Body::DeliverSm(message) => {
                let body = Body::DeliverSmResp(SubmitSmResp { message_id: Some(&[]), tlvs: Tlvs::NONE });
                if let Some(wire) = &mut esme.wire {
                    encode(&Pdu { status: CommandStatus::ROK, sequence, body }, &mut wire.output);
                }
                self.receipted(message);
            }
            Body::BindTransceiverResp(_) => self.bound(esme, pdu.status),
            Body::UnbindResp => drop(esme.reset(Phase::Gone)),
            Body::Unbind => {
                if let Some(wire) = &mut esme.wire {
                    write_header(CommandId::UNBIND_RESP, CommandStatus::ROK, sequence, &mut wire.output);
                }
            }
            Body::EnquireLink => {
                if let Some(wire) = &mut esme.wire {
                    write_header(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, sequence, &mut wire.output);
                }
            }
            _ => {}
        }
    }

    fn bound(&mut self, esme: &mut Esme, status: CommandStatus) {
        if status.is_ok() {
            esme.phase = Phase::Bound;
        } else if self.args.reconnect && matches!(status.class(), StatusClass::System | StatusClass::Throttle) {
            self.connection_lost(esme, "the bind was refused");
        } else {
            self.failure = Some(format!("{} refuses the bind with {status}", self.args.connect));
        }
    }

    fn answered(&mut self, esme: &mut Esme, pdu: &Pdu<'_>, id: &[u8]) {
        let Some(sent) = esme.answered(pdu.sequence) else { return };
        let status = pdu.status;
        if status.is_ok() {
            esme.pause = PAUSE_MIN;
            self.report.accepted += 1;
            self.report.accepting = self.since_start();
            self.report.response_micros.saturating_record(micros(self.now).saturating_sub(sent.sent_micros));
            if let Some(ledger) = &mut self.ledger {
                ledger.batch.extend_from_slice(id);
                ledger.batch.push(b' ');
                self.template.write_dest(sent.number, &mut ledger.batch);
                ledger.batch.extend_from_slice(format!(" {:08}\n", sent.number).as_bytes());
            }
            if self.args.receipts == Receipts::Wait {
                let matched = self.awaited.accepted(id, sent.sent_micros);
                self.note_match(matched);
            }
        } else if status.action() == StatusAction::SlowDown {
            *self.report.slowed.entry(status.0).or_default() += 1;
            self.again.push_back(sent.number);
            if self.now >= esme.paused_until {
                esme.paused_until = self.now + esme.pause;
                esme.pause = (esme.pause * 2).min(PAUSE_MAX);
            }
        } else {
            *self.report.refused.entry(status.0).or_default() += 1;
        }
    }

    fn receipted(&mut self, message: &SubmitSm<'_>) {
        if MessageType::of(message.esm_class) != MessageType::Receipt {
            return;
        }
        let Some((id, state)) = read_receipt(message) else { return };
        let state = String::from_utf8_lossy(state);
        if let Some(ledger) = &mut self.receipt_ledger {
            ledger.batch.extend_from_slice(id);
            ledger.batch.extend_from_slice(format!(" {state}\n").as_bytes());
        }
        match self.report.receipts.get_mut(&*state) {
            Some(count) => *count += 1,
            None => {
                self.report.receipts.insert(state.into_owned(), 1);
            }
        }
        self.report.ending = self.since_start();
        if self.args.receipts == Receipts::Wait {
            let matched = self.awaited.receipted(id, micros(self.now));
            self.note_match(matched);
        }
    }

    fn note_match(&mut self, matched: Match) {
        match matched {
            Match::Complete(elapsed_micros) => self.report.receipt_micros.saturating_record(elapsed_micros),
            Match::Again => self.report.receipts_repeated += 1,
            Match::Half => {}
        }
    }

    fn connection_lost(&mut self, esme: &mut Esme, why: &str) {
        let address = &self.args.connect;
        match esme.phase {
            Phase::Unbinding => drop(esme.reset(Phase::Gone)),
            _ if self.args.reconnect => {
                self.report.connections_lost += u64::from(esme.phase == Phase::Bound);
                let lost = self.lose_in_flight(esme, Phase::Waiting(self.now + RECONNECT_AFTER));
                if self.args.retry_unanswered {
                    self.report.lost -= lost.len() as u64;
                    self.again.extend(lost);
                }
            }
            Phase::Bound => {
                self.report.connections_lost += 1;
                self.lose_in_flight(esme, Phase::Gone);
            }
            Phase::Binding => {
                self.failure = Some(format!("{address} closed the connection instead of a bind response"))
            }
            _ => self.failure = Some(format!("cannot connect to {address}: {why}")),
        }
    }

    fn lose_in_flight(&mut self, esme: &mut Esme, phase: Phase) -> Vec<u32> {
        let lost = esme.reset(phase);
        self.report.lost += lost.len() as u64;
        lost
    }

    /// Fills the windows that are open.
    fn submit(&mut self) {
        if self.start.is_none() && self.esmes.iter().all(|esme| esme.phase == Phase::Bound) {
            self.start = Some(self.now);
        }
        for index in 0..self.esmes.len() {
            while self.esmes[index].may_submit(self.now) {
                let Some((number, sent)) = self.next_message() else { return };
                self.esmes[index].submit(&self.template, number, micros(sent));
                self.news = self.now;
            }
        }
    }

    /// The next number whose time has come, and the time from which its wait counts.
    fn next_message(&mut self) -> Option<(u32, Duration)> {
        let start = self.start?;
        if let Some(number) = self.again.pop_front() {
            return Some((number, self.now));
        }
        if self.has_issued_all() {
            return None;
        }
        let due = self.due(start);
        if due > self.now {
            return None;
        }
        let number = self.args.first + self.issued;
        self.issued += 1;
        self.report.sent += 1;
        let held_back = self.args.rate.is_some() && self.now - due > TICK;
        Some((number, if held_back { due } else { self.now }))
    }

    /// When the rate wants the next message sent.
    fn due(&self, start: Duration) -> Duration {
        match self.args.rate {
            Some(rate) => start + rate.interval().mul_f64(f64::from(self.issued)),
            None => start,
        }
    }

    fn has_issued_all(&self) -> bool {
        let time_is_up = self.args.seconds.is_some_and(|limit| self.since_start() >= limit);
        self.interrupted || time_is_up || self.issued >= self.count
    }

    fn since_start(&self) -> Duration {
        self.start.map_or(Duration::ZERO, |start| self.now - start)
    }

    /// Unbinds when nothing is left to do or to wait for.
    fn end_when_done(&mut self) {
        if let Some(since) = self.unbinding_since {
            if self.now >= since + UNBIND_WITHIN {
                for esme in &mut self.esmes {
                    esme.reset(Phase::Gone);
                }
            }
            return;
        }
        if !self.has_issued_all() {
            return;
        }
        let answered = self.again.is_empty() && self.esmes.iter().all(|esme| esme.unanswered() == 0);
        let receipted = self.args.receipts != Receipts::Wait || self.awaited.open == 0;
        if (answered && receipted) || self.now >= self.news + self.args.patience {
            self.unbinding_since = Some(self.now);
            for esme in &mut self.esmes {
                self.report.unanswered += esme.give_up_in_flight();
                if esme.phase == Phase::Bound {
                    esme.unbind();
                } else {
                    esme.reset(Phase::Gone);
                }
            }
        }
    }

    /// The earliest time at which something has to be done without being asked.
    fn next_due(&self) -> Duration {
        let mut due = self.now + Duration::from_secs(1);
        if let Some(start) = self.start.filter(|_| !self.has_issued_all()) {
            let next = self.due(start);
            if next > self.now {
                due = due.min(next);
            }
        }
        for esme in &self.esmes {
            if let Phase::Waiting(until) = esme.phase {
                due = due.min(until);
            }
            if esme.paused_until > self.now {
                due = due.min(esme.paused_until);
            }
        }
        due
    }

    fn show(&mut self) {
        if self.progress.is_hidden() || self.now < self.shown + SHOW_EVERY {
            return;
        }
        self.shown = self.now;
        self.progress.set_position(self.report.accepted);
        if self.args.receipts == Receipts::Wait {
            self.progress.set_message(format!("{} receipts to come", self.awaited.open));
        }
    }
}
