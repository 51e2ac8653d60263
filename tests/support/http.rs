//! The HTTP interface as a client sees it: one request, the status and the JSON body.

use std::net::SocketAddr;

use serde_json::Value;

/// An answer: the status code and the body, which is `Null` when it is not JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body as JSON.
    pub(crate) body: Value,
    /// The body as it came.
    pub(crate) text: String,
}

/// `GET path`, with the API key as bearer token when there is one.
pub(crate) fn get(address: SocketAddr, path: &str, api_key: Option<&str>) -> Answer {
    let mut request = agent().get(format!("http://{address}{path}"));
    if let Some(key) = api_key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    answer(request.call())
}

/// `POST path` with a JSON body, with the API key as bearer token when there is one.
pub(crate) fn post(address: SocketAddr, path: &str, api_key: Option<&str>, body: &Value) -> Answer {
    let mut request = agent().post(format!("http://{address}{path}"));
    if let Some(key) = api_key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    answer(request.send_json(body))
}

/// A client that hands refusals back as answers and never waits for ever.
fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder();
    config.http_status_as_error(false).timeout_global(Some(super::PATIENCE)).proxy(None).build().into()
}

fn answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut response = result.expect("the HTTP interface answers");
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().expect("the body is text");
    Answer { status, body: serde_json::from_str(&text).unwrap_or_default(), text }
}
