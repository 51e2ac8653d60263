//! `GET /v1/messages/{id}`: where one message stands.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::Value;
use subtle::ConstantTimeEq;

use crate::admission::refusal::Refusal;
use crate::command::Command;
use crate::envelope::Envelope;
use crate::exchange::Batch;
use crate::fact::layout::read_kept_payload;
use crate::ingress::http::desk::Answer;
use crate::ingress::http::problem::Problem;
use crate::ingress::http::server::Peer;
use crate::ingress::http::{Api, access, render};
use crate::ingress::reply;
use crate::message::{MessageId, PrintedId};

/// An id that cannot be read, a forged one and another tenant's are one and the same answer.
pub(super) async fn message(
    State(api): State<Arc<Api>>,
    printed: Result<Path<String>, PathRejection>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let rules = api.rules.load_full();
    let tenant = access::tenant(&api, &rules, &headers, peer.as_deref())?;
    let unknown = || reply::problem(&Refusal::NoSuchMessage);
    let id = printed.ok().and_then(|printed| api.genuine(&printed)).ok_or_else(unknown)?;
    let ticket = api.desk.take();
    let command = Command::Status { reply: ticket.reply(0), tenant: tenant.id, id };
    let answers = api.in_time(ticket.ask(Batch { commands: vec![command], bytes: Vec::new() }, 1)).await?;
    match answers.first() {
        Some((_, Answer::Status { kept, envelope })) => {
            let kept = read_kept_payload(kept).ok_or_else(unknown)?;
            let envelope = Envelope::read(envelope);
            let name = |carrier| (api.carrier_name)(carrier);
            Ok(Json(render::status(&api.print_id(id), &kept, envelope.as_ref(), &name)))
        }
        Some((_, Answer::Denied(denial))) => Err(reply::problem(&Refusal::from(*denial))),
        _ => Err(unknown()),
    }
}

impl Api {
    /// The id that was printed, if this node printed it.
    fn genuine(&self, printed: &str) -> Option<MessageId> {
        let (id, claimed) = PrintedId::parse(printed.as_bytes())?;
        bool::from(self.keyring.id_check(id).ct_eq(&claimed)).then_some(id)
    }
}
