//! Who asks: a tenant by its bearer token, an operator by the admin token or by being on this machine.

use std::net::{IpAddr, Ipv4Addr};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};

use crate::admission::refusal::Refusal;
use crate::admission::tenant::{SecretDigest, Tenant};
use crate::ingress::accept::Rules;
use crate::ingress::http::Api;
use crate::ingress::http::problem::Problem;
use crate::ingress::http::server::{Limits, Peer};
use crate::ingress::reply;

/// The operator's place among the accounts: no tenant has such a name.
const ADMIN: &[u8] = b"(operator)";

/// The token of `Authorization: Bearer …`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

/// The tenant whose API key is presented. No key and a wrong one are the same answer; where too many were wrong, a right one is, too.
pub(super) fn tenant<'a>(
    api: &Api,
    rules: &'a Rules,
    headers: &HeaderMap,
    peer: Option<&Peer>,
) -> Result<&'a Tenant, Problem> {
    let (address, now) = (address(peer), api.clock.elapsed());
    let found = rules.policy.bearer(bearer(headers).unwrap_or_default()).ok();
    let account = found.map_or("", |tenant| &tenant.name).as_bytes();
    if !api.attempts.may_try(address, account, now) {
        return Err(reply::problem(&Refusal::Throttled));
    }
    let Some(tenant) = found else {
        failed(api, address, b"");
        let says = "A valid API key is needed: Authorization: Bearer KEY.";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, Refusal::WrongCredentials.code(), says));
    };
    api.attempts.succeeded(address, account);
    Ok(tenant)
}

/// Counts a wrong admin token, or a wrong API key, which names no account.
fn failed(api: &Api, address: IpAddr, account: &[u8]) {
    api.attempts.failed(address, account, api.clock.elapsed());
    if api.attempts.mention(address, "wrong_key") {
        tracing::warn!(peer = %address, "a wrong API key or admin token was presented over HTTP");
    }
}

/// A connection without a peer does not occur; it would be a stranger.
fn address(peer: Option<&Peer>) -> IpAddr {
    peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0)
}

/// Lets operators through: with the admin token if there is one, else from loopback.
pub(super) fn admin(api: &Api, request: &Request) -> Result<(), Problem> {
    let shown = bearer(request.headers());
    let Some(token) = &api.admin_token else {
        let says = "This is for the operator: ask from the machine itself, or set [http] admin_token and send it as bearer token.";
        let here = address(request.extensions().get()).is_loopback();
        return if here { Ok(()) } else { Err(Problem::new(StatusCode::FORBIDDEN, "not_the_operator", says)) };
    };
    let says = "This is for the operator: send the admin token as bearer token.";
    let status = StatusCode::FORBIDDEN;
    presents(api, request, token, shown, || Problem::new(status, "not_the_operator", says))
}

/// Whether this is the admin token, within the budget for wrong ones.
pub(super) fn presents(
    api: &Api,
    request: &Request,
    token: &SecretDigest,
    shown: Option<&[u8]>,
    no: impl FnOnce() -> Problem,
) -> Result<(), Problem> {
    let address = address(request.extensions().get());
    if !api.attempts.may_try(address, ADMIN, api.clock.elapsed()) {
        return Err(reply::problem(&Refusal::Throttled));
    }
    let Some(shown) = shown else { return Err(no()) };
    if SecretDigest::of(shown).matches(token) {
        api.attempts.succeeded(address, ADMIN);
        return Ok(());
    }
    failed(api, address, ADMIN);
    Err(no())
}

/// The whole body of a request that says it is JSON.
pub(super) async fn json_body(request: Request<Body>, limits: &Limits) -> Result<Bytes, Problem> {
    let content_type = request.headers().get(header::CONTENT_TYPE).map(|value| value.as_bytes());
    if !content_type.is_some_and(is_json) {
        let says = "The body must be JSON: Content-Type: application/json.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", says));
    }
    let too_large = || {
        let says = format!("The body is larger than {} octets.", limits.body_octets_max);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", says)
    };
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|octets: u64| octets > limits.body_octets_max as u64) {
        return Err(too_large());
    }
    let reading = axum::body::to_bytes(request.into_body(), limits.body_octets_max);
    match tokio::time::timeout(limits.body_within, reading).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if is_length_limit(&error) => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(StatusCode::BAD_REQUEST, "body_cut", "The body ended early.")),
        Err(_) => {
            let says = "The body did not arrive in time.";
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", says))
        }
    }
}

/// `application/json` and `application/…+json`, with or without parameters.
fn is_json(value: &[u8]) -> bool {
    let kind = value.split(|octet| *octet == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
    kind == b"application/json" || (kind.starts_with(b"application/") && kind.ends_with(b"+json"))
}

fn is_length_limit(error: &axum::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if error.to_string().contains("length limit exceeded") {
            return true;
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{bearer, is_json};
    use axum::http::{HeaderMap, HeaderValue};

    #[test]
    fn bearer_tokens_are_read() {
        let token = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("authorization", HeaderValue::from_static(value));
            bearer(&headers).map(<[u8]>::to_vec)
        };
        assert_eq!(token("Bearer dev-key"), Some(b"dev-key".to_vec()));
        assert_eq!(token("bearer  dev-key "), Some(b"dev-key".to_vec()));
        assert_eq!(token("Basic dev-key"), None);
        assert_eq!(token("Bear"), None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }

    #[test]
    fn json_is_known_by_its_type() {
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json"] {
            assert!(is_json(good.as_bytes()), "{good}");
        }
        for bad in ["", "text/plain", "application/x-www-form-urlencoded", "text/json+json"] {
            assert!(!is_json(bad.as_bytes()), "{bad}");
        }
    }
}
