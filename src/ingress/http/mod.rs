//! The HTTP API: who asks, what for, and the answer. Requests wait for the core at one [`desk::Desk`].

pub mod board;
pub mod desk;
pub mod problem;
pub mod render;
pub mod request;
pub mod server;

mod access;
mod answer;
mod json;
mod lookup;
mod messages;
mod patient;

use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::admission::tenant::SecretDigest;
use crate::clock::Clock;
use crate::ingress::accept::{Intake, Rules};
use crate::ingress::attempts::Attempts;
use crate::ingress::http::board::Board;
use crate::ingress::http::desk::Desk;
use crate::ingress::http::problem::Problem;
use crate::ingress::http::server::Limits;
use crate::ingress::refused::Refused;
use crate::message::CarrierId;
use crate::seal::Keyring;

/// What the API stands on. Built once; what a reload changes is behind `rules`.
pub struct Api {
    /// Where requests wait for the core.
    pub desk: Arc<Desk>,
    /// Tenants, routes, prices.
    pub rules: Arc<ArcSwap<Rules>>,
    /// Hashes of ids and keys.
    pub keyring: Arc<Keyring>,
    /// The edges' clock.
    pub clock: Clock,
    /// Makes another intake, when more requests are admitted at once than ever before.
    pub new_intake: Box<dyn Fn() -> Intake + Send + Sync>,
    /// Intakes that nobody uses now; empty at first.
    pub intakes: Mutex<Vec<Intake>>,
    /// The name of a carrier's number.
    pub carrier_name: Box<dyn Fn(CarrierId) -> String + Send + Sync>,
    /// Bounds towards clients.
    pub limits: Limits,
    /// Who may see `/` and `/metrics` from anywhere; without one only loopback peers may.
    pub admin_token: Option<SecretDigest>,
    /// Wrong keys.
    pub attempts: Attempts,
    /// The metrics as OpenMetrics text.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
    /// The dashboard.
    pub board: Board,
    /// Whether messages are taken now.
    pub ready: Box<dyn Fn() -> bool + Send + Sync>,
    /// Messages that were refused, by reason.
    pub refused: Arc<Refused>,
    /// Told the status of each answer, for the metrics.
    pub answered: Box<dyn Fn(u16) + Send + Sync>,
}

/// The routes of the API.
pub fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/v1/messages", post(messages::submit))
        .route("/v1/messages/{id}", get(lookup::message))
        .route("/v1/preview", post(messages::preview))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/", get(board::page))
        .route("/numbers.json", get(board::numbers))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(api.clone(), seen))
        .with_state(api)
}

/// Alive: the process answers. It carries no data.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Ready: messages are taken.
async fn readyz(State(api): State<Arc<Api>>) -> Response {
    if (api.ready)() {
        "ready\n".into_response()
    } else {
        let says = "The gateway does not take messages now.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", says)
            .again_after(problem::RETRY_AFTER_SECONDS)
            .into_response()
    }
}

async fn metrics(State(api): State<Arc<Api>>, request: Request) -> Result<Response, Problem> {
    access::admin(&api, &request)?;
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, content_type)], (api.metrics)()).into_response())
}

async fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this path.")
}

async fn method_not_allowed() -> Problem {
    let says = "This path does not take this method; the Allow header names those it takes.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", says)
}

/// Counts every answer, and forbids caches to keep any.
async fn seen(State(api): State<Arc<Api>>, request: Request<Body>, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (api.answered)(response.status().as_u16());
    response
}
