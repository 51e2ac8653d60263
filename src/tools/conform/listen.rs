//! The other side: waits for an ESME, answers its binds and plays cases on its connections, many on each.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::tools::conform::conn::{Came, Conn, Side};
use crate::tools::conform::player::{Player, Stop, Verdict};
use crate::tools::conform::report::Report;
use crate::tools::conform::script::{Case, Step};
use crate::tools::conform::stage::Stage;
use crate::tools::conform::template::Template;
use crate::tools::{Fault, terminal};

/// How long an ESME may take to send its bind.
const BIND_PATIENCE: Duration = Duration::from_secs(10);
/// How long an ESME may stay away after a connection was lost.
const AWAY_MAX: Duration = Duration::from_secs(45);
/// How long an idle connection is listened to before a case that waits for a request chooses one.
const GLANCE: Duration = Duration::from_millis(5);
const BINDS: [u32; 3] = [1, 2, 9];
/// Kept on idle connections for the cases that answer it.
const SUBMIT_SM: u32 = 4;
/// After so many cases in vain nobody waits long for a request any more.
const BARREN_AFTER: u32 = 2;
const BARREN_PATIENCE: Duration = Duration::from_millis(200);

/// The ESME's connections.
struct Pool {
    /// Connections that have sent a bind, which is unanswered.
    arriving: mpsc::UnboundedReceiver<Conn>,
    /// Connections that are bound and with which nothing happens.
    idle: VecDeque<Conn>,
    /// Cases in a row that have waited for a request in vain.
    barren: u32,
}

/// Listens, plays every case and reports it.
pub(super) async fn play_all(
    listen: SocketAddr,
    stage: &Stage,
    cases: &[Case],
    report: &mut Report,
) -> Result<(), Fault> {
    let failed = |error: std::io::Error| Fault::Failed(format!("cannot listen on {listen}: {error}"));
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    // Where the lines of cases are read by a program, this is none of them.
    terminal::note(&format!("ready smpp={address}"));
    let (arrive, arriving) = mpsc::unbounded_channel();
    tokio::spawn(accept(listener, arrive));
    let mut pool = Pool { arriving, idle: VecDeque::new(), barren: 0 };
    for case in cases {
        let began = Instant::now();
        let verdict = match timeout_at(stage.deadline, play(stage, &mut pool, case)).await {
            Ok(verdict) => verdict,
            Err(_) => Verdict::Fail("not played: the time of the run is over".to_owned()),
        };
        report.add(case, verdict, began.elapsed());
    }
    for conn in pool.idle {
        conn.leave(stage.patience()).await;
    }
    Ok(())
}

/// Takes connections for ever, and hands each on once its bind is there.
async fn accept(listener: TcpListener, arrive: mpsc::UnboundedSender<Conn>) {
    while let Ok((stream, _)) = listener.accept().await {
        let arrive = arrive.clone();
        tokio::spawn(async move {
            if let Some(conn) = bind_of(stream).await {
                // Nobody waits any more when the run is over.
                let _ = arrive.send(conn);
            }
        });
    }
}

async fn bind_of(stream: TcpStream) -> Option<Conn> {
    let mut conn = Conn::new(stream, Side::Centre).ok()?;
    conn.awaited = BINDS.to_vec();
    let by = Instant::now() + BIND_PATIENCE;
    while conn.requests.is_empty() {
        match conn.take(by).await {
            Ok(Came::Pdu) => {}
            _ => return None,
        }
    }
    Some(conn)
}

impl Pool {
    /// Answers all binds that wait, so that no ESME gives up on the others while a case is played.
    async fn settle(&mut self, stage: &Stage) -> Result<(), String> {
        while let Ok(conn) = self.arriving.try_recv() {
            self.admit(stage, conn).await?;
        }
        Ok(())
    }

    async fn admit(&mut self, stage: &Stage, mut conn: Conn) -> Result<(), String> {
        let request = conn.requests.remove(0);
        let template = Template::parse("resp tlv=0x0210:34")?;
        let built = template.build_for(&request, &stage.values)?;
        conn.answer(&built.octets);
        conn.awaited = vec![SUBMIT_SM];
        conn.flush(Instant::now() + stage.patience()).await;
        self.idle.push_back(conn);
        Ok(())
    }

    /// Answers what idle connections have kept.
    async fn release(&mut self, stage: &Stage) {
        let by = Instant::now() + stage.patience();
        for conn in &mut self.idle {
            // A connection on which that fails is found dead when it is chosen.
            let _ = conn.release();
            conn.flush(by).await;
            conn.awaited = vec![SUBMIT_SM];
        }
    }

    /// The next connection that arrives, its bind unanswered. An ESME that is bound everywhere is made to come again.
    async fn arrival(&mut self) -> Option<Conn> {
        if let Ok(conn) = self.arriving.try_recv() {
            return Some(conn);
        }
        self.idle.pop_front();
        timeout_at(Instant::now() + AWAY_MAX, self.arriving.recv()).await.ok().flatten()
    }

    /// A connection that is bound and alive.
    async fn bound(&mut self, stage: &Stage) -> Option<Conn> {
        let away = Instant::now() + AWAY_MAX;
        loop {
            self.settle(stage).await.ok()?;
            while let Some(mut conn) = self.idle.pop_front() {
                // What came meanwhile is taken in; a connection that the ESME has left is left, too.
                while let Ok(Came::Pdu) = conn.take(Instant::now() + Duration::from_millis(1)).await {}
                if !conn.ended {
                    return Some(conn);
                }
            }
            let conn = timeout_at(away, self.arriving.recv()).await.ok().flatten()?;
            self.admit(stage, conn).await.ok()?;
        }
    }

    /// A bound connection on which a request has come already, else any.
    async fn bound_with_request(&mut self, stage: &Stage) -> Option<Conn> {
        self.settle(stage).await.ok()?;
        for at in 0..self.idle.len() {
            let conn = &mut self.idle[at];
            while let Ok(Came::Pdu) = conn.take(Instant::now() + GLANCE).await {}
            if !conn.ended && !conn.requests.is_empty() {
                return self.idle.remove(at);
            }
        }
        self.bound(stage).await
    }
}

async fn play(stage: &Stage, pool: &mut Pool, case: &Case) -> Verdict {
    let awaited = case.steps.iter().find_map(|step| if let Step::Await(id) = step { Some(*id) } else { None });
    if awaited.is_none() {
        pool.release(stage).await;
    }
    let conn = match (case.steps.first(), awaited) {
        (Some(Step::Accept), _) => pool.arrival().await,
        (_, Some(_)) => pool.bound_with_request(stage).await,
        _ => pool.bound(stage).await,
    };
    let Some(mut conn) = conn else {
        return Verdict::Fail(format!("no ESME has bound for {AWAY_MAX:?}"));
    };
    conn.forget();
    if awaited.is_none() && conn.awaited == [SUBMIT_SM] && conn.release().is_err() {
        return Verdict::Fail("what it sent cannot be answered".to_owned());
    }
    let mut player = Player::new(stage, case, Some(conn));
    if pool.barren >= BARREN_AFTER {
        player.request_patience = BARREN_PATIENCE;
    }
    let mut played = player.steps().await;
    if played.is_ok() && player.conn.as_ref().is_some_and(|conn| !conn.ended) {
        played = player.probe().await;
        if played.is_ok()
            && let Some(what) = player.conn.as_ref().and_then(Conn::left_over)
        {
            played = Err(Stop::Wrong(what));
        }
    }
    let not_offered = matches!(played, Err(Stop::NotOffered(_)));
    pool.barren = if not_offered { pool.barren + 1 } else { 0 };
    if let Some(mut conn) = player.conn.take().filter(|conn| !conn.ended && (played.is_ok() || not_offered)) {
        conn.awaited = vec![SUBMIT_SM];
        pool.idle.push_back(conn);
    }
    // Whoever was bound before is bound again, or still: else the case has driven the ESME away.
    match pool.bound(stage).await {
        Some(conn) => pool.idle.push_front(conn),
        None if played.is_ok() => {
            played = Err(Stop::Wrong(format!("afterwards the ESME does not come again for {AWAY_MAX:?}")));
        }
        None => {}
    }
    player.verdict(played)
}
