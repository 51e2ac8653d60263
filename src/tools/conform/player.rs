//! Plays one case: takes its steps on a connection of its own and says whether the peer kept to the standard.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::tools::conform::answer::{Answer, in_words, status_name};
use crate::tools::conform::check::{Received, read};
use crate::tools::conform::conn::{Came, Conn, Side};
use crate::tools::conform::layout::name_of;
use crate::tools::conform::script::{Case, Step};
use crate::tools::conform::stage::Stage;
use crate::tools::conform::template::{Template, Values};

/// How long a peer must stay silent where silence is expected.
const QUIET: Duration = Duration::from_millis(400);
/// The pause before a throttled request is sent again, and how often that may happen in one case.
const THROTTLED_PAUSE: Duration = Duration::from_millis(200);
const THROTTLED_MAX: u32 = 60;
/// How long a polite unbind waits for its answer.
const LEAVE_PATIENCE: Duration = Duration::from_millis(500);
/// Statuses that ask to come again: ESME_RTHROTTLED, ESME_RMSGQFUL.
const COME_AGAIN: [u32; 2] = [0x58, 0x14];
/// Statuses of a refused bind that may be owed to the number of binds: ESME_RALYBND, ESME_RSYSERR, ESME_RBINDFAIL, and the above.
const TOO_MANY: [u32; 5] = [0x05, 0x08, 0x0D, 0x58, 0x14];
const RINVCMDID: u32 = 0x03;
const BINDS: [u32; 3] = [0x01, 0x02, 0x09];
/// How often a case is played again whose own bind was refused like that.
const CROWDED_MAX: u32 = 10;

/// What a case came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// As the standard has it; how it was.
    Pass(String),
    /// Not so; what was wrong.
    Fail(String),
    /// Not judged; why.
    Skip(String),
}

/// Why a case ends early.
#[derive(Debug)]
pub(super) enum Stop {
    /// The peer is wrong.
    Wrong(String),
    /// The operation is not offered.
    NotOffered(String),
    /// There is no bind to be had.
    NoBind(String),
    /// A bind of the case itself was refused, perhaps because there are too many.
    Crowded(String),
}

impl From<String> for Stop {
    fn from(what: String) -> Stop {
        Stop::Wrong(what)
    }
}

/// A case under way.
pub(super) struct Player<'a> {
    stage: &'a Stage,
    case: &'a Case,
    values: Values,
    pub(super) conn: Option<Conn>,
    /// Requests whose answers are still to be judged.
    open: VecDeque<usize>,
    throttled: u32,
    shut: bool,
    /// How long a request of the peer's own may take.
    pub(super) request_patience: Duration,
    notes: Vec<String>,
}

/// Plays a case against a message centre.
pub(super) async fn play(stage: &Stage, case: &Case) -> Verdict {
    for _ in 0..CROWDED_MAX {
        match play_once(stage, case).await {
            (_, Err(Stop::Crowded(_))) => stage.fewer().await,
            (player, played) => return player.verdict(played),
        }
    }
    let (player, played) = play_once(stage, case).await;
    player.verdict(played)
}

async fn play_once<'a>(stage: &'a Stage, case: &'a Case) -> (Player<'a>, Result<(), Stop>) {
    let mut player = Player::new(stage, case, None);
    let mut played = player.steps().await;
    if played.is_ok() {
        played = player.still_serves().await;
    }
    if let Some(conn) = player.conn.take() {
        conn.leave(LEAVE_PATIENCE).await;
    }
    match played {
        Err(Stop::NoBind(_)) => stage.no_bind(),
        _ => stage.some_bind(),
    }
    (player, played)
}

impl<'a> Player<'a> {
    /// A player at the start of a case, on a connection or with none yet.
    pub(super) fn new(stage: &'a Stage, case: &'a Case, conn: Option<Conn>) -> Player<'a> {
        let values = stage.values.clone();
        let (open, notes) = (VecDeque::new(), Vec::new());
        let request_patience = stage.patience();
        Player { stage, case, values, conn, open, throttled: 0, shut: false, request_patience, notes }
    }

    /// What the case came to.
    pub(super) fn verdict(self, played: Result<(), Stop>) -> Verdict {
        match played {
            Ok(()) => Verdict::Pass(self.notes.join("; ")),
            Err(Stop::Wrong(what) | Stop::NoBind(what) | Stop::Crowded(what)) => Verdict::Fail(what),
            Err(Stop::NotOffered(what)) => Verdict::Skip(what),
        }
    }

    /// Takes all steps.
    pub(super) async fn steps(&mut self) -> Result<(), Stop> {
        for step in &self.case.steps {
            match step {
                Step::Open => self.conn = Some(self.stage.connect().await.map_err(Stop::NoBind)?),
                Step::Bound | Step::Accept => {}
                Step::Bind(template) => self.bind(template).await?,
                Step::Send(count, template) => self.send(*count, template)?,
                Step::Trickle(template) => {
                    let by = Instant::now() + self.stage.patience();
                    self.send(1, template)?;
                    self.conn()?.trickle(by).await;
                }
                Step::Expect(count, answers) => self.expect(*count, answers).await?,
                Step::Await(id) => self.request(*id).await?,
                Step::Reply(template) => self.reply(template).await?,
                Step::Shut => {
                    self.flush().await?;
                    self.conn()?.shut().await;
                    self.shut = true;
                }
                Step::Drop => {
                    self.flush().await?;
                    self.conn = None;
                }
                Step::Ends => self.ends().await?,
                Step::Pause(millis) => {
                    self.flush().await?;
                    sleep(Duration::from_millis(*millis)).await;
                }
            }
        }
        self.flush().await
    }

    fn conn(&mut self) -> Result<&mut Conn, Stop> {
        self.conn
            .as_mut()
            .ok_or_else(|| Stop::Wrong("the case has no connection; it begins with open or bind".to_owned()))
    }

    async fn flush(&mut self) -> Result<(), Stop> {
        let by = Instant::now() + self.stage.patience();
        if let Some(conn) = &mut self.conn {
            conn.flush(by).await;
        }
        Ok(())
    }

    /// Binds, and comes again while the peer may only have too many binds.
    async fn bind(&mut self, template: &Template) -> Result<(), Stop> {
        for _ in 0..self.stage.bind_tries {
            let mut conn = self.stage.connect().await.map_err(Stop::NoBind)?;
            let by = Instant::now() + self.stage.patience_first;
            conn.send(template, &self.values)?;
            conn.flush(by).await;
            let reply = loop {
                if let Some(reply) = conn.asks[0].reply.take() {
                    break reply;
                }
                match conn.take(by).await? {
                    Came::Pdu => {}
                    Came::End => {
                        return Err(Stop::NoBind("it closed the connection instead of answering the bind".into()));
                    }
                    Came::Late => {
                        return Err(Stop::NoBind(format!("no answer to the bind in {:?}", self.stage.patience_first)));
                    }
                }
            };
            match reply.status {
                0 => {
                    conn.asks[0].reply = Some(reply);
                    self.conn = Some(conn);
                    return Ok(());
                }
                status if TOO_MANY.contains(&status) => {
                    drop(conn);
                    self.stage.fewer().await;
                }
                status => return Err(Stop::NoBind(format!("the bind was refused with {}", status_name(status)))),
            }
        }
        Err(Stop::NoBind("the bind was refused again and again, as if there were too many".to_owned()))
    }

    fn send(&mut self, count: usize, template: &Template) -> Result<(), Stop> {
        for _ in 0..count {
            let values = self.values.clone();
            let conn = self.conn()?;
            conn.send(template, &values)?;
            let index = conn.asks.len() - 1;
            self.open.push_back(index);
        }
        Ok(())
    }

    /// Judges the answers to the oldest `count` requests that were not judged yet.
    async fn expect(&mut self, count: usize, answers: &[Answer]) -> Result<(), Stop> {
        let mut batch: Vec<usize> = (0..count).filter_map(|_| self.open.pop_front()).collect();
        let patience = if answers.contains(&Answer::Quiet) { QUIET } else { self.stage.patience() };
        let probe = match answers.contains(&Answer::Nothing) {
            true => Some(self.conn()?.probe()),
            false => None,
        };
        let mut by = Instant::now() + patience;
        self.conn()?.flush(by).await;
        let (mut ids, mut ends) = (HashSet::new(), false);
        loop {
            let mut again = false;
            let mut waiting = Vec::new();
            for index in batch {
                match self.judge(index, answers, &mut ids)? {
                    Judged::Not => waiting.push(index),
                    Judged::Taken { and_ends } => ends |= and_ends,
                    Judged::Throttled => {
                        waiting.push(index);
                        again = true;
                    }
                }
            }
            batch = waiting;
            if again {
                self.come_again(&batch).await?;
                by = Instant::now() + patience;
                continue;
            }
            if batch.is_empty() {
                break;
            }
            if let Some(what) = self.conn()?.left_over() {
                return Err(Stop::Wrong(format!("{what}; expected {}", in_words(answers))));
            }
            if probe.is_some_and(|probe| self.conn.as_ref().is_some_and(|conn| conn.asks[probe].reply.is_some())) {
                self.notes.push("no answer".to_owned());
                break;
            }
            match self.conn()?.take(by).await? {
                Came::Pdu => {}
                Came::End if answers.contains(&Answer::Close) => {
                    self.notes.push("closed".to_owned());
                    break;
                }
                Came::End => {
                    return Err(Stop::Wrong(format!("it closed the connection; expected {}", in_words(answers))));
                }
                Came::Late if answers.contains(&Answer::Quiet) => {
                    self.notes.push("silence".to_owned());
                    break;
                }
                Came::Late => {
                    self.stage.missed();
                    return Err(Stop::Wrong(format!("no answer in {patience:?}; expected {}", in_words(answers))));
                }
            }
        }
        if ends { self.ends().await } else { Ok(()) }
    }

    /// Whether the reply to a request has come and is one of the answers.
    fn judge(&mut self, index: usize, answers: &[Answer], ids: &mut HashSet<Vec<u8>>) -> Result<Judged, Stop> {
        let optional = self.case.optional;
        let id = self.values.id.clone();
        let conn = self.conn()?;
        let asked = conn.asks[index].id.unwrap_or_default();
        let wanted = answers.iter().filter_map(|answer| match answer {
            Answer::Pdu(wanted) => Some(wanted),
            _ => None,
        });
        if conn.asks[index].reply.is_none() {
            let comes = |pdu: &Received| wanted.clone().any(|wanted| wanted.comes_as(pdu));
            let Some(stray) = conn.strays.iter().position(comes) else { return Ok(Judged::Not) };
            conn.asks[index].reply = Some(conn.strays.remove(stray));
        }
        let Some(reply) = &conn.asks[index].reply else { return Ok(Judged::Not) };
        let found = read(reply)?;
        let said = format!("{} {}", name_of(reply.id), status_name(reply.status));
        if let Some(wanted) = wanted.clone().find(|wanted| wanted.takes(asked, reply, &found, &id)) {
            let message_id = found.field("message_id").unwrap_or_default().to_vec();
            if wanted.distinct && !ids.insert(message_id.clone()) {
                return Err(Stop::Wrong(format!("{said}: two messages have one message_id (3.4 §4.4.2)")));
            }
            let and_ends = wanted.ends;
            if wanted.saves {
                self.values.id = String::from_utf8_lossy(&message_id).into_owned();
            }
            if self.notes.last() != Some(&said) && self.notes.len() < 6 {
                self.notes.push(said);
            }
            return Ok(Judged::Taken { and_ends });
        }
        if COME_AGAIN.contains(&reply.status) && conn.asks[index].template.is_some() {
            return Ok(Judged::Throttled);
        }
        if optional && reply.status == RINVCMDID {
            return Err(Stop::NotOffered(format!("{said}: this operation is not offered, as the standard allows")));
        }
        if BINDS.contains(&asked) && TOO_MANY.contains(&reply.status) {
            return Err(Stop::Crowded(format!("{said}; expected {}", in_words(answers))));
        }
        let text =
            |name: &str| found.field(name).map(|octets| format!(" {name} {:?}", String::from_utf8_lossy(octets)));
        let more = text("message_id").unwrap_or_default();
        Err(Stop::Wrong(format!("{said}{more}; expected {}", in_words(answers))))
    }

    /// Sends again what was throttled.
    async fn come_again(&mut self, batch: &[usize]) -> Result<(), Stop> {
        self.throttled += 1;
        if self.throttled > THROTTLED_MAX {
            return Err(Stop::Wrong("it asks to slow down and takes nothing for long".to_owned()));
        }
        sleep(THROTTLED_PAUSE).await;
        let (values, by) = (self.values.clone(), Instant::now() + self.stage.patience());
        let conn = self.conn()?;
        for index in batch {
            if conn.asks[*index].reply.is_some() {
                conn.send_again(*index, &values)?;
            }
        }
        conn.flush(by).await;
        Ok(())
    }

    /// Waits until the peer has closed.
    async fn ends(&mut self) -> Result<(), Stop> {
        let by = Instant::now() + self.stage.patience();
        let patience = self.stage.patience();
        let conn = self.conn()?;
        loop {
            match conn.take(by).await {
                Ok(Came::Pdu) => {}
                Ok(Came::End) => return Ok(()),
                Ok(Came::Late) => return Err(Stop::Wrong(format!("it keeps the connection open after {patience:?}"))),
                Err(what) => return Err(Stop::Wrong(what)),
            }
        }
    }

    /// Waits for a request of the peer.
    async fn request(&mut self, id: u32) -> Result<(), Stop> {
        let by = Instant::now() + self.request_patience;
        let conn = self.conn()?;
        if !conn.awaited.contains(&id) {
            conn.awaited.push(id);
        }
        conn.flush(by).await;
        while conn.requests.is_empty() {
            match conn.take(by).await? {
                Came::Pdu => {}
                Came::End => return Err(Stop::Wrong(format!("it closed the connection; awaited {}", name_of(id)))),
                Came::Late => return Err(Stop::NotOffered(format!("it sent no {}", name_of(id)))),
            }
        }
        Ok(())
    }

    /// Answers the oldest request that was awaited.
    async fn reply(&mut self, template: &Template) -> Result<(), Stop> {
        let values = self.values.clone();
        let by = Instant::now() + self.stage.patience();
        let conn = self.conn()?;
        if conn.requests.is_empty() {
            return Err(Stop::Wrong("nothing was awaited".to_owned()));
        }
        let request = conn.requests.remove(0);
        let built = template.build_for(&request, &values)?;
        conn.answer(&built.octets);
        conn.flush(by).await;
        Ok(())
    }

    /// After a case the peer serves on: on the same bind if there is one, else, after something hostile, on a new one.
    async fn still_serves(&mut self) -> Result<(), Stop> {
        if self.is_bound() {
            match self.probe().await {
                Ok(()) => return self.conn()?.left_over().map_or(Ok(()), |what| Err(Stop::Wrong(what))),
                Err(what) if self.case.section != "hostile" => return Err(what),
                Err(_) => {}
            }
        }
        if self.case.section != "hostile" {
            return Ok(());
        }
        self.conn = None;
        let bind = Template::parse("bind_transceiver").map_err(Stop::Wrong)?;
        let after = |stop: Stop| match stop {
            Stop::Wrong(what) | Stop::NoBind(what) | Stop::NotOffered(what) | Stop::Crowded(what) => {
                Stop::NoBind(format!("afterwards it does not serve: {what}"))
            }
        };
        self.bind(&bind).await.map_err(after)?;
        self.probe().await.map_err(after)
    }

    fn is_bound(&self) -> bool {
        let Some(conn) = &self.conn else { return false };
        let answered = |wanted: &dyn Fn(u32) -> bool| {
            conn.asks
                .iter()
                .any(|ask| ask.id.is_some_and(wanted) && ask.reply.as_ref().is_some_and(|pdu| pdu.status == 0))
        };
        !conn.ended && !self.shut && answered(&|id| BINDS.contains(&id)) && !answered(&|id| id == 6)
    }

    /// Asks for a sign of life.
    pub(super) async fn probe(&mut self) -> Result<(), Stop> {
        let by = Instant::now() + self.stage.patience();
        let patience = self.stage.patience();
        let conn = self.conn()?;
        let probe = conn.probe();
        conn.flush(by).await;
        while conn.asks[probe].reply.is_none() {
            match conn.take(by).await? {
                Came::Pdu => {}
                Came::End => return Err(Stop::Wrong("it closed the connection afterwards".to_owned())),
                Came::Late => {
                    self.stage.missed();
                    return Err(Stop::Wrong(format!("afterwards an enquire_link has no answer in {patience:?}")));
                }
            }
        }
        let status = conn.asks[probe].reply.as_ref().map_or(0, |pdu| pdu.status);
        match status {
            0 => Ok(()),
            status => Err(Stop::Wrong(format!("afterwards an enquire_link is answered with {}", status_name(status)))),
        }
    }
}

/// How far a request has come.
enum Judged {
    /// No answer yet.
    Not,
    /// One that is accepted.
    Taken { and_ends: bool },
    /// One that asks to come again.
    Throttled,
}

/// Connects within the patience.
pub(super) async fn connect(address: std::net::SocketAddr, patience: Duration) -> Result<Conn, String> {
    match timeout(patience, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => Conn::new(stream, Side::Esme).map_err(|error| format!("{address}: {error}")),
        Ok(Err(error)) => Err(format!("cannot connect to {address}: {error}")),
        Err(_) => Err(format!("cannot connect to {address}: no answer in {patience:?}")),
    }
}
