//! `POST /v1/messages` and `POST /v1/preview`: bodies become commands, answers become JSON.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::admission::refusal::Refusal;
use crate::admission::tenant::Tenant;
use crate::command::{Command, Denial};
use crate::envelope::Envelope;
use crate::exchange::Batch;
use crate::fact::Idempotency;
use crate::fact::layout::read_kept_payload;
use crate::ingress::accept::{Estimate, Intake, Rules, Submission};
use crate::ingress::http::answer::Row;
use crate::ingress::http::desk::{Answer, Answers, Ticket, Unanswered, WHOLE};
use crate::ingress::http::problem::Problem;
use crate::ingress::http::render::{self, Taken};
use crate::ingress::http::request::{self, Draft};
use crate::ingress::http::{Api, access, answer};
use crate::ingress::parts::Content;
use crate::ingress::reply;
use crate::message::smart::Smart;
use crate::message::{MessageId, State as MessageState, Timestamp};

/// Octets of an Idempotency-Key.
const KEY_OCTETS_MAX: usize = 255;

/// Messages of one request whatever is configured: their indexes stay below the one that stands for the whole request.
const BATCH_MAX: usize = WHOLE as usize - 1;

/// A whole request of one tenant, read and not yet admitted.
struct Order<'a> {
    api: &'a Arc<Api>,
    rules: &'a Rules,
    tenant: &'a Tenant,
    request: request::Request,
    now: Timestamp,
    idempotency: Idempotency,
}

/// What admission says to each message, in order.
type Verdicts = Vec<Result<Taken, Problem>>;

pub(super) async fn submit(State(api): State<Arc<Api>>, request: Request<Body>) -> Result<Response, Problem> {
    let rules = api.rules.load_full();
    let tenant = access::tenant(&api, &rules, request.headers(), request.extensions().get())?;
    let key = idempotency_key(request.headers())?.map(<[u8]>::to_vec);
    let body = access::json_body(request, &api.limits).await?;
    let idempotency = key.map(|key| api.idempotency(tenant, &key, &body)).unwrap_or_default();
    let request = request::read(&body, api.limits.batch_max.min(BATCH_MAX))?;
    let order = Order { api: &api, rules: &rules, tenant, request, now: api.clock.now(), idempotency };
    let ticket = api.desk.take();
    let (batch, verdicts) = order.admit(&ticket);
    let posted = batch.commands.len();
    let mut answers = match posted {
        0 => Answers::new(),
        _ if idempotency.key == 0 => api.in_time(ticket.ask(batch, posted)).await?,
        _ => api.in_time(ticket.ask_once(batch, posted, idempotency.key, idempotency.body)).await?,
    };
    if let Some((_, Answer::Denied(denial))) = answers.iter().find(|(index, _)| *index == WHOLE) {
        return Err(reply::problem(&Refusal::from(*denial)));
    }
    answers.sort_unstable_by_key(|(index, _)| *index);
    let settled = order.settle(verdicts, &answers).await?;
    Ok(order.respond(settled))
}

pub(super) async fn preview(State(api): State<Arc<Api>>, request: Request<Body>) -> Result<Response, Problem> {
    let rules = api.rules.load_full();
    let tenant = access::tenant(&api, &rules, request.headers(), request.extensions().get())?;
    let body = access::json_body(request, &api.limits).await?;
    let request = request::read(&body, api.limits.batch_max.min(BATCH_MAX))?;
    let now = api.clock.now();
    let order = Order { api: &api, rules: &rules, tenant, request, now, idempotency: Idempotency::default() };
    let estimates = api.with_intake(|intake| order.estimates(intake));
    let row = |(index, estimate): (usize, Result<Estimate, Problem>)| order.looked(estimate?, index);
    let mut rows: Vec<Result<Row<'_>, Problem>> = estimates.into_iter().enumerate().map(row).collect();
    if !order.request.many {
        let row = rows.pop().unwrap_or_else(|| unreachable!("one draft has one verdict"))?;
        return Ok(ok(StatusCode::OK, &row));
    }
    Ok(ok(StatusCode::OK, &answer::Rows::new(rows)))
}

/// The tenant's mark against repeats, if it gave one.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<&[u8]>, Problem> {
    let Some(key) = headers.get("idempotency-key").map(|value| value.as_bytes().trim_ascii()) else { return Ok(None) };
    if key.is_empty() || key.len() > KEY_OCTETS_MAX {
        let says = format!("The Idempotency-Key has 1 to {KEY_OCTETS_MAX} octets.");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_key", says));
    }
    Ok(Some(key))
}

impl Api {
    /// Keyed hashes of a request: the tenant's key, and the body that it stands for. Zero is kept for no key.
    fn idempotency(&self, tenant: &Tenant, key: &[u8], body: &[u8]) -> Idempotency {
        // Numbers are digits: what begins with a letter shares no hash with them.
        let hash = |kind: &[u8], octets: &[u8]| {
            let tenant = tenant.id.0.to_le_bytes();
            self.keyring.number_hash(&[kind, &tenant, octets].concat()).max(1)
        };
        Idempotency { key: hash(b"key", key), body: hash(b"body", body), index: 0, count: 0 }
    }

    /// Waits for the core as long as a client is made to wait.
    pub(super) async fn in_time(
        &self,
        asking: impl Future<Output = Result<Answers, Unanswered>>,
    ) -> Result<Answers, Problem> {
        match tokio::time::timeout(self.limits.answer_within, asking).await {
            Ok(Ok(answers)) => Ok(answers),
            Ok(Err(Unanswered)) => Err(reply::problem(&Refusal::Stopping)),
            Err(_) => {
                let says =
                    "No answer in time. A message may have been stored: with an Idempotency-Key it is safe to repeat.";
                Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no_answer", says).again_after(1))
            }
        }
    }

    /// Lends one of the intakes, whose buffers are used again.
    fn with_intake<T>(&self, work: impl FnOnce(&mut Intake) -> T) -> T {
        let pool = || self.intakes.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut intake = pool().pop().unwrap_or_else(|| (self.new_intake)());
        let done = work(&mut intake);
        pool().push(intake);
        done
    }
}

impl Order<'_> {
    /// Lays out the commands of all messages that may be sent.
    fn admit(&self, ticket: &Ticket) -> (Batch, Verdicts) {
        self.api.with_intake(|intake| {
            let mut batch = Batch::default();
            // The record of each message says how many of its request there are, so they are counted first.
            let count = if self.idempotency.key == 0 { 0 } else { self.accepted(intake) };
            let verdict = |(index, draft): (usize, &Result<Draft, Problem>)| {
                let draft = draft.as_ref().map_err(Problem::clone)?;
                let at = u16::try_from(index).expect("a request holds at most BATCH_MAX messages");
                let mut submission = self.submission(draft);
                submission.idempotency = Idempotency { index: at, count, ..self.idempotency };
                let taken = intake.accept(self.rules, &submission, ticket.reply(at), self.now, &mut batch);
                self.verdict(taken, index, draft)
            };
            let verdicts = self.request.drafts.iter().enumerate().map(verdict).collect();
            (batch, verdicts)
        })
    }

    fn accepted(&self, intake: &mut Intake) -> u16 {
        self.estimates(intake).iter().filter(|estimate| estimate.is_ok()).count() as u16
    }

    /// What admission would say; nothing is stored.
    fn estimates(&self, intake: &mut Intake) -> Vec<Result<Estimate, Problem>> {
        let estimate = |(index, draft): (usize, &Result<Draft, Problem>)| {
            let draft = draft.as_ref().map_err(Problem::clone)?;
            let said = intake.preview(self.rules, &self.submission(draft), self.now);
            said.map_err(|refusal| self.problem(&refusal, index))
        };
        self.request.drafts.iter().enumerate().map(estimate).collect()
    }

    /// The row of a message that was taken. Without an id it is a preview.
    fn row(&self, taken: Taken, id: Option<MessageId>, index: usize) -> Result<Row<'_>, Problem> {
        let draft = self.request.drafts[index].as_ref().map_err(Problem::clone)?;
        let id = id.map(|id| self.api.print_id(id));
        Ok(Row::new(taken, id.as_deref(), &draft.text, draft.encoding, self.smart(draft)))
    }

    /// The row of a preview.
    fn looked(&self, estimate: Estimate, index: usize) -> Result<Row<'_>, Problem> {
        let draft = self.request.drafts[index].as_ref().map_err(Problem::clone)?;
        let price = answer::per_part(estimate.price, estimate.parts);
        let row = self.row(self.taken(&estimate, draft), None, index)?;
        Ok(row.with_look(&draft.text, estimate.options, price))
    }

    fn smart(&self, draft: &Draft) -> Smart {
        draft.smart.unwrap_or(self.tenant.smart)
    }

    fn submission<'b>(&'b self, draft: &'b Draft) -> Submission<'b> {
        let expires = draft.validity.map(|validity| {
            let from = draft.send_at.unwrap_or(self.now).max(self.now);
            from.plus_seconds(i64::try_from(validity.as_secs()).unwrap_or(i64::MAX))
        });
        Submission {
            tenant: self.tenant,
            to: draft.to.as_bytes(),
            to_ton: 0,
            from: draft.from.as_bytes(),
            from_ton: 0,
            content: Content::Text { text: &draft.text, choice: draft.encoding, smart: self.smart(draft) },
            service_type: b"",
            esm_class: 0,
            protocol_id: 0,
            priority: 0,
            registered: 0,
            due: draft.send_at,
            expires,
            reference: draft.reference.as_bytes(),
            tlvs: &draft.tlvs,
            idempotency: Idempotency::default(),
            http: true,
        }
    }

    fn verdict(&self, said: Result<Estimate, Refusal>, index: usize, draft: &Draft) -> Result<Taken, Problem> {
        said.map(|estimate| self.taken(&estimate, draft)).map_err(|refusal| self.problem(&refusal, index))
    }

    fn taken(&self, estimate: &Estimate, draft: &Draft) -> Taken {
        let scheduled = draft.send_at.is_some_and(|at| at > self.now);
        Taken {
            parts: estimate.parts,
            encoding: estimate.encoding.name(),
            price: estimate.price,
            tables: estimate.tables,
            state: if scheduled { MessageState::Scheduled } else { MessageState::Accepted },
            replaced: estimate.replaced,
            suggestion: estimate.suggestion,
        }
    }

    /// The refusal of one message, with the field at fault.
    fn problem(&self, refusal: &Refusal, index: usize) -> Problem {
        let field = match refusal {
            Refusal::InvalidDestination | Refusal::NoRoute | Refusal::NoPrice => "/to",
            Refusal::InvalidSender | Refusal::SenderNotAllowed => "/from",
            Refusal::NotInAlphabet { .. } | Refusal::TooManyParts { .. } => "/text",
            Refusal::InvalidValidity => "/validity",
            Refusal::InvalidSchedule => "/send_at",
            _ => "",
        };
        let pointer = self.request.pointer(index) + field;
        let problem = reply::problem(refusal);
        if pointer.is_empty() { problem } else { problem.at(pointer) }
    }

    /// Joins what admission and the core said about each message; `answers` are in the order of their indexes.
    async fn settle(&self, verdicts: Verdicts, answers: &Answers) -> Result<Vec<Result<Row<'_>, Problem>>, Problem> {
        let mut recalled = self.recalled(answers).await?;
        recalled.sort_unstable_by_key(|(index, _)| *index);
        let repeated = answers.iter().any(|(_, answer)| matches!(answer, Answer::Recalled(_)));
        let settle = |(index, verdict): (usize, Result<Taken, Problem>)| {
            let answer = at(answers, index);
            match (answer, verdict) {
                (Some(Answer::Accepted(id)), Ok(taken)) => self.row(taken, Some(*id), index),
                (Some(Answer::Recalled(id)), verdict) => {
                    let stored = at(&recalled, index).copied();
                    let suggestion = verdict.as_ref().ok().and_then(|taken| taken.suggestion);
                    // What was stored decides; a message that history has dropped is answered by today's rules.
                    let taken = stored.map_or(verdict, |stored| Ok(Taken { suggestion, ..stored }))?;
                    self.row(taken, Some(*id), index)
                }
                (Some(Answer::Denied(denial)), _) => Err(self.problem(&Refusal::from(*denial), index)),
                (_, Err(problem)) => Err(problem),
                // Of a repeated request only the core knows why it stored the others and not this one: its credit had run out.
                (_, Ok(_)) if repeated => Err(self.problem(&Refusal::from(Denial::Credit), index)),
                (_, Ok(_)) => Err(self.problem(&Refusal::Stopping, index)),
            }
        };
        Ok(verdicts.into_iter().enumerate().map(settle).collect())
    }

    /// What was answered about the messages of a request that is repeated: parts and price as they were stored.
    async fn recalled(&self, answers: &Answers) -> Result<Vec<(u16, Taken)>, Problem> {
        let ticket = self.api.desk.take();
        let ask = |(index, answer): &(u16, Answer)| match answer {
            Answer::Recalled(id) => {
                Some(Command::Status { reply: ticket.reply(*index), tenant: self.tenant.id, id: *id })
            }
            _ => None,
        };
        let commands: Vec<Command> = answers.iter().filter_map(ask).collect();
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let expected = commands.len();
        let statuses = self.api.in_time(ticket.ask(Batch { commands, bytes: Vec::new() }, expected)).await?;
        let taken = |(index, answer): (u16, Answer)| match answer {
            Answer::Status { kept, envelope } => {
                let envelope = Envelope::read(&envelope);
                Some((index, render::taken(&read_kept_payload(&kept)?.accepted, envelope.as_ref())))
            }
            _ => None,
        };
        Ok(statuses.into_iter().filter_map(taken).collect())
    }

    fn respond(&self, mut settled: Vec<Result<Row<'_>, Problem>>) -> Response {
        settled.iter().flat_map(|row| row.as_ref().err()).for_each(|problem| self.api.refused.count(problem.code()));
        if !self.request.many {
            return match settled.pop() {
                Some(Ok(row)) => {
                    let place = format!("/v1/messages/{}", row.taken["id"].as_str().unwrap_or_default());
                    let mut response = ok(StatusCode::ACCEPTED, &row);
                    response.headers_mut().extend(place.parse().ok().map(|place| (header::LOCATION, place)));
                    response
                }
                Some(Err(problem)) => problem.into_response(),
                None => unreachable!("one draft has one answer"),
            };
        }
        let full = settled.iter().flat_map(|row| row.as_ref().err()).all(Problem::is_unavailable);
        let status = match settled.iter().any(Result::is_ok) {
            true => StatusCode::ACCEPTED,
            false if full => StatusCode::SERVICE_UNAVAILABLE,
            false => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let mut response = ok(status, &answer::Rows::new(settled));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, 1.into());
        }
        response
    }
}

impl Api {
    /// The id as its sender sees it.
    pub(super) fn print_id(&self, id: MessageId) -> String {
        crate::message::PrintedId::new(id, self.keyring.id_check(id)).to_string()
    }
}

/// What was said about message `index`, among rows in the order of their indexes.
fn at<T>(rows: &[(u16, T)], index: usize) -> Option<&T> {
    let place = rows.binary_search_by_key(&index, |(at, _)| usize::from(*at)).ok()?;
    Some(&rows[place].1)
}

fn ok(status: StatusCode, value: &impl Serialize) -> Response {
    let body = serde_json::to_string(value).expect("rows have names for keys and write to memory");
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
