//! Errors as people and programs read them: RFC 9457 problem details, with a JSON pointer to the field at fault.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Seconds after which a client may come again when the gateway is full.
pub const RETRY_AFTER_SECONDS: u16 = 1;

/// Why a request, or one message of it, was not accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    pointer: Option<String>,
    retry_after_seconds: Option<u16>,
}

impl Problem {
    /// A problem with a stable `code` for programs and a sentence for people. The sentence holds no number and no text of a message.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem { status, code, detail: detail.into(), pointer: None, retry_after_seconds: None }
    }

    /// A field that is missing or wrong.
    pub fn field(code: &'static str, pointer: String, detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail).at(pointer)
    }

    /// The same problem at this place of the request (RFC 6901), for example `/messages/3/to`.
    pub fn at(mut self, pointer: String) -> Problem {
        self.pointer = Some(pointer);
        self
    }

    /// The same problem, and when to come again.
    pub fn again_after(mut self, seconds: u16) -> Problem {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// The status of a response that is this problem.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Whether the gateway is full or stopping, so that everything sent now would be refused.
    pub fn is_unavailable(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
    }

    /// The word for programs.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The problem as a JSON object (RFC 9457 section 3), with `code` and `pointer` as extension members.
    pub fn to_json(&self) -> Value {
        let mut value = json!({
            "type": format!("urn:sluice:problem:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Some(pointer) = &self.pointer {
            value["pointer"] = json!(pointer);
        }
        value
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.to_json().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"sluice\""));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::Problem;
    use axum::http::StatusCode;
    use axum::response::IntoResponse;

    #[test]
    fn a_problem_is_one_of_rfc_9457() {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "full", "come again").at("/to".to_owned());
        let value = problem.to_json();
        assert_eq!((value["status"].as_u64(), value["pointer"].as_str()), (Some(503), Some("/to")));
        let response = problem.again_after(2).into_response();
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["retry-after"], "2");
    }
}
