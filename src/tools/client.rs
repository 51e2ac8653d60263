//! The HTTP API as the commands `send`, `status` and `message` use it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::tools::Fault;

/// How long a command waits for the daemon's answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(35);

/// Octets of an answer at most.
const ANSWER_OCTETS_MAX: u64 = 16 << 20;

/// Which daemon.
#[derive(clap::Args, Debug)]
pub struct Daemon {
    /// Where the daemon's HTTP interface answers
    #[arg(long, value_name = "URL", env = "SLUICE_URL", default_value = "http://127.0.0.1:8080", value_parser = base)]
    url: String,
}

/// Which daemon, and who asks.
#[derive(clap::Args, Debug)]
pub struct Target {
    #[command(flatten)]
    daemon: Daemon,
    /// A file that holds the API key; SLUICE_API_KEY is read when this is absent
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
}

/// What requests begin with.
fn base(url: &str) -> Result<String, String> {
    let url = url.trim_end_matches('/');
    let right = url.strip_prefix("http://").is_some_and(|host| !host.is_empty());
    if right { Ok(url.to_owned()) } else { Err("write it as http://HOST:PORT; this speaks no TLS".to_owned()) }
}

/// An answer: the status and the body, which is a JSON string when it is not JSON.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl Target {
    /// The daemon that is asked.
    pub fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    /// The API key, from the file or from the environment; never from an argument, which every user of the machine can see.
    pub fn api_key(&self) -> Result<String, Fault> {
        if let Some(path) = &self.api_key_file {
            let read = std::fs::read_to_string(path);
            let key = read.map_err(|error| Fault::Misused(format!("--api-key-file {}: {error}", path.display())))?;
            return Ok(key.trim().to_owned());
        }
        let key = std::env::var("SLUICE_API_KEY").unwrap_or_default();
        if key.trim().is_empty() {
            let what = "no API key: set SLUICE_API_KEY or name a file that holds it with --api-key-file";
            return Err(Fault::Misused(what.to_owned()));
        }
        Ok(key.trim().to_owned())
    }
}

impl Daemon {
    /// The daemon that answers at this address.
    pub fn at(address: SocketAddr) -> Daemon {
        Daemon { url: format!("http://{address}") }
    }

    /// The address that was asked for.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The token of operators, which they show from other machines; from the environment only.
    pub fn admin_token(&self) -> Option<String> {
        std::env::var("SLUICE_ADMIN_TOKEN").ok().map(|token| token.trim().to_owned()).filter(|token| !token.is_empty())
    }

    /// `GET path`, with this API key if there is one.
    pub fn get(&self, path: &str, api_key: Option<&str>) -> Result<Answer, Fault> {
        let mut request = agent().get(format!("{}{path}", self.url()));
        if let Some(key) = api_key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        self.answer(request.call())
    }

    /// `POST path` with a JSON body and, if given, an Idempotency-Key.
    pub fn post(&self, path: &str, api_key: &str, body: &Value, once: Option<&str>) -> Result<Answer, Fault> {
        let request = agent().post(format!("{}{path}", self.url()));
        let mut request = request.header("authorization", format!("Bearer {api_key}"));
        if let Some(once) = once {
            request = request.header("idempotency-key", once);
        }
        self.answer(request.send_json(body))
    }

    fn answer(&self, result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, Fault> {
        let unreachable = |error: ureq::Error| {
            Fault::Failed(format!("no answer from {}: {error}; is the daemon running, and is --url right?", self.url()))
        };
        let mut response = result.map_err(unreachable)?;
        let status = response.status().as_u16();
        let text = response.body_mut().with_config().limit(ANSWER_OCTETS_MAX).read_to_string().map_err(unreachable)?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, body })
    }
}

impl Answer {
    /// The body of a success; a problem becomes the fault that it describes.
    pub fn success(self) -> Result<Value, Fault> {
        if (200..300).contains(&self.status) { Ok(self.body) } else { Err(Fault::Failed(problem(&self))) }
    }
}

/// What a problem document says, on one line.
fn problem(answer: &Answer) -> String {
    let field = |name: &str| answer.body[name].as_str();
    let says = field("detail").or(field("title")).unwrap_or("the answer is no problem document; is this Sluice?");
    let code = field("code").map(|code| format!(" ({code})")).unwrap_or_default();
    let pointer = field("pointer").map(|pointer| format!(" at {pointer}")).unwrap_or_default();
    format!("HTTP {}: {}{pointer}{code}", answer.status, says.trim_end_matches('.'))
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder();
    config.http_status_as_error(false).timeout_global(Some(ANSWER_WITHIN)).proxy(None).build().into()
}
