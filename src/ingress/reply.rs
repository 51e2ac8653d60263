//! What each refusal becomes on the wire: command_status and HTTP status side by side, in one table.
//!
//! Only statuses that SMPP 3.4 knows are used, so that a peer of any version reads them. Where it has none of its own
//! for a reason, the sentence travels in additional_status_info_text or the problem's detail.

use axum::http::StatusCode;

use crate::admission::refusal::Refusal;
use crate::ingress::http::problem::{Problem, RETRY_AFTER_SECONDS};
use crate::smpp::status::CommandStatus;

/// The table.
fn row(refusal: &Refusal) -> (CommandStatus, StatusCode) {
    use CommandStatus as Smpp;
    use StatusCode as Http;
    match refusal {
        Refusal::WrongCredentials => (Smpp::RINVPASWD, Http::UNAUTHORIZED),
        Refusal::TooManyBinds => (Smpp::RBINDFAIL, Http::TOO_MANY_REQUESTS),
        Refusal::Throttled => (Smpp::RTHROTTLED, Http::TOO_MANY_REQUESTS),
        Refusal::Stopping => (Smpp::RSYSERR, Http::SERVICE_UNAVAILABLE),
        Refusal::Malformed(_) => (Smpp::RSUBMITFAIL, Http::BAD_REQUEST),
        Refusal::Unsupported(_) => (Smpp::RINVCMDID, Http::UNPROCESSABLE_ENTITY),
        Refusal::InvalidDestination => (Smpp::RINVDSTADR, Http::UNPROCESSABLE_ENTITY),
        Refusal::InvalidSender => (Smpp::RINVSRCADR, Http::UNPROCESSABLE_ENTITY),
        Refusal::SenderNotAllowed => (Smpp::RINVSRCADR, Http::UNPROCESSABLE_ENTITY),
        Refusal::InvalidValidity => (Smpp::RINVEXPIRY, Http::UNPROCESSABLE_ENTITY),
        Refusal::InvalidSchedule => (Smpp::RINVSCHED, Http::UNPROCESSABLE_ENTITY),
        Refusal::InvalidHeader => (Smpp::RINVESMCLASS, Http::UNPROCESSABLE_ENTITY),
        Refusal::NotInAlphabet { .. } => (Smpp::RSUBMITFAIL, Http::UNPROCESSABLE_ENTITY),
        Refusal::TooManyParts { .. } => (Smpp::RINVMSGLEN, Http::UNPROCESSABLE_ENTITY),
        Refusal::NoRoute => (Smpp::RINVDSTADR, Http::UNPROCESSABLE_ENTITY),
        // The destination is at fault, and not the message or the credit.
        Refusal::NoPrice => (Smpp::RINVDSTADR, Http::UNPROCESSABLE_ENTITY),
        Refusal::InsufficientCredit => (Smpp::RSUBMITFAIL, Http::PAYMENT_REQUIRED),
        Refusal::QueueFull => (Smpp::RMSGQFUL, Http::SERVICE_UNAVAILABLE),
        Refusal::KeyReused => (Smpp::RSUBMITFAIL, Http::UNPROCESSABLE_ENTITY),
        Refusal::KeyRunning => (Smpp::RSUBMITFAIL, Http::CONFLICT),
        Refusal::NoSuchMessage => (Smpp::RINVMSGID, Http::NOT_FOUND),
        Refusal::AlreadyReleased => (Smpp::RCANCELFAIL, Http::CONFLICT),
    }
}

/// The command_status of the response that refuses.
pub fn command_status(refusal: &Refusal) -> CommandStatus {
    row(refusal).0
}

/// The HTTP status of the response that refuses.
pub fn http_status(refusal: &Refusal) -> StatusCode {
    row(refusal).1
}

/// The problem details of the response that refuses; the caller adds the place of the field, if one is at fault.
pub fn problem(refusal: &Refusal) -> Problem {
    let problem = Problem::new(http_status(refusal), refusal.code(), refusal.to_string());
    match http_status(refusal) {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => problem.again_after(RETRY_AFTER_SECONDS),
        _ => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::{command_status, http_status, problem};
    use crate::admission::refusal::Refusal;
    use crate::ingress::refused::CODES;
    use crate::smpp::status::{CommandStatus, StatusClass};

    /// One of each; the compiler keeps the table whole, this list keeps the rules below applied to all of it.
    const ALL: [Refusal; 22] = [
        Refusal::WrongCredentials,
        Refusal::TooManyBinds,
        Refusal::Throttled,
        Refusal::Stopping,
        Refusal::Malformed("the field is missing"),
        Refusal::Unsupported("broadcast_sm"),
        Refusal::InvalidDestination,
        Refusal::InvalidSender,
        Refusal::SenderNotAllowed,
        Refusal::InvalidValidity,
        Refusal::InvalidSchedule,
        Refusal::InvalidHeader,
        Refusal::NotInAlphabet { at: 3 },
        Refusal::TooManyParts { parts: 300 },
        Refusal::NoRoute,
        Refusal::NoPrice,
        Refusal::InsufficientCredit,
        Refusal::QueueFull,
        Refusal::KeyReused,
        Refusal::KeyRunning,
        Refusal::NoSuchMessage,
        Refusal::AlreadyReleased,
    ];

    #[test]
    fn every_refusal_is_an_error_on_both_wires_with_its_own_code() {
        let mut codes = std::collections::BTreeSet::new();
        for refusal in &ALL {
            assert!(!command_status(refusal).is_ok(), "{refusal:?}");
            assert!(http_status(refusal).as_u16() >= 400, "{refusal:?}");
            assert!(command_status(refusal).0 <= 0x67, "{refusal:?}: not a status of SMPP 3.4");
            assert!(codes.insert(refusal.code()), "{refusal:?}: its code is another's");
            assert!(refusal.to_string().ends_with('.'), "{refusal:?}: not a sentence");
        }
    }

    #[test]
    fn the_pages_and_the_metric_name_every_refusal() {
        use Refusal::{AlreadyReleased, KeyReused, KeyRunning, NoSuchMessage, Throttled, TooManyBinds, Unsupported};
        let (http, smpp) = (include_str!("../../docs/http.md"), include_str!("../../docs/smpp.md"));
        for refusal in &ALL {
            let code = refusal.code();
            let binds = matches!(refusal, TooManyBinds | Throttled);
            let later = matches!(refusal, Unsupported(_) | AlreadyReleased);
            let by_key = matches!(refusal, KeyReused | KeyRunning | NoSuchMessage);
            let of_header = *refusal == Refusal::InvalidHeader;
            assert!(binds || later || of_header || http.contains(&format!("`{code}`")), "docs/http.md: {code}");
            let status = command_status(refusal).name().unwrap_or_default();
            assert!(later || by_key || smpp.contains(status), "docs/smpp.md: {code}, {status}");
            let of_no_message = by_key || matches!(refusal, TooManyBinds | AlreadyReleased | Refusal::WrongCredentials);
            assert!(of_no_message || CODES.contains(&code), "ingress::refused: {code}");
        }
    }

    #[test]
    fn only_what_may_pass_later_asks_to_come_again() {
        for refusal in &ALL {
            let class = command_status(refusal).class();
            let later =
                matches!(class, StatusClass::Throttle | StatusClass::System) || http_status(refusal).as_u16() == 503;
            assert!(!later || refusal.is_temporary(), "{refusal:?}");
        }
        assert_eq!(command_status(&Refusal::QueueFull), CommandStatus::RMSGQFUL);
        assert_eq!(http_status(&Refusal::QueueFull).as_u16(), 503);
        let value = problem(&Refusal::NoPrice).to_json();
        assert_eq!((value["status"].as_u64(), value["code"].as_str()), (Some(422), Some("no_price")));
    }
}
