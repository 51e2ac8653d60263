//! The dashboard at `/`, and its numbers at `/numbers.json`, for operators with a browser.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::ingress::http::Api;
use crate::ingress::http::access;
use crate::ingress::http::problem::Problem;

/// What the dashboard says now.
pub struct Board {
    /// The page.
    pub page: Box<dyn Fn() -> String + Send + Sync>,
    /// Its numbers as JSON.
    pub numbers: Box<dyn Fn() -> String + Send + Sync>,
    /// The Content-Security-Policy of the page.
    pub policy: HeaderValue,
}

/// `GET /`.
pub(super) async fn page(State(api): State<Arc<Api>>, request: Request) -> Response {
    let mut response = answer(&api, &request, "text/html; charset=utf-8", &api.board.page);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, api.board.policy.clone());
    response
}

/// `GET /numbers.json`.
pub(super) async fn numbers(State(api): State<Arc<Api>>, request: Request) -> Response {
    answer(&api, &request, "application/json", &api.board.numbers)
}

/// What `say` says, for operators. Other sites may neither take it for another type, nor embed it, nor learn the address.
fn answer(api: &Api, request: &Request, content_type: &'static str, say: &dyn Fn() -> String) -> Response {
    if let Err(problem) = admitted(api, request) {
        let asks = problem.status() == StatusCode::UNAUTHORIZED;
        let mut response = problem.into_response();
        if asks {
            let ask = HeaderValue::from_static("Basic realm=\"Sluice\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
        }
        return response;
    }
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    (headers, say()).into_response()
}

/// The operators' rule, as browsers can follow it: they send a token as the password of Basic authentication (RFC 7617) after they
/// were asked for one. That is taken here and nowhere else, because a browser sends it along with what other sites make it ask.
fn admitted(api: &Api, request: &Request) -> Result<(), Problem> {
    let Some(token) = &api.admin_token else {
        if !names_this_machine(request) {
            let says = "Without [http] admin_token this is shown under an IP address or localhost only.";
            return Err(Problem::new(StatusCode::FORBIDDEN, "not_the_operator", says));
        }
        return access::admin(api, request);
    };
    let says = "The admin token is needed, as bearer token or as the password of any user.";
    let basic = password(request.headers());
    let shown = basic.as_deref().or(access::bearer(request.headers()));
    access::presents(api, request, token, shown, || Problem::new(StatusCode::UNAUTHORIZED, "not_the_operator", says))
}

/// The password of `Authorization: Basic …`.
fn password(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, rest) = value.split_at_checked(6)?;
    let pair = STANDARD.decode(rest.trim_ascii()).ok().filter(|_| scheme.eq_ignore_ascii_case(b"basic "))?;
    let colon = pair.iter().position(|octet| *octet == b':')?;
    Some(pair[colon + 1..].to_vec())
}

/// Whether it was asked for under a name that nobody else can point at this machine. A name of the DNS might be a hostile site's, which
/// a browser on this machine would take for that site.
fn names_this_machine(request: &Request) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(host) = request.uri().authority().map(|authority| authority.as_str()).or(host) else { return true };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::{names_this_machine, password};
    use axum::body::Body;
    use axum::extract::Request;
    use axum::http::{HeaderMap, HeaderValue};

    #[test]
    fn a_password_is_read() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("authorization", HeaderValue::from_static(value));
            password(&headers)
        };
        assert_eq!(read("Basic b3BzOmE6Yg=="), Some(b"a:b".to_vec()));
        assert_eq!(read("basic OnRva2Vu"), Some(b"token".to_vec()));
        assert_eq!((read("Basic ???"), read("Bearer b3BzOmE6Yg=="), read("Basic b3Bz")), (None, None, None));
    }

    #[test]
    fn names_of_others_are_not_this_machine() {
        let asked = |host: &str| {
            let request = Request::builder().uri("/").header("host", host).body(Body::empty());
            names_this_machine(&request.expect("a request"))
        };
        for host in ["127.0.0.1", "127.0.0.1:8080", "[::1]:8080", "[::1]", "localhost", "LOCALHOST:80", "10.0.0.7:8080"]
        {
            assert!(asked(host), "{host}");
        }
        for host in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", ""] {
            assert!(!asked(host), "{host}");
        }
    }
}
