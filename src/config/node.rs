//! [node], [store], [smpp] and [http]: this gateway itself. Their bounds protect it; limits on traffic stand with
//! tenants and carriers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::section::Section;
use crate::message::Hidden;

/// What `log` may say, the quietest first.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

const SECOND: Duration = Duration::from_secs(1);

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// [node]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// The title of its dashboard.
    pub name: String,
    /// Where everything that lasts is kept; made with mode 0700.
    pub data_dir: PathBuf,
    /// The master key that wraps data keys; absent = `data_dir/master.key`.
    pub key: Option<Hidden<String>>,
    /// A secret that others can read is an error and not a warning.
    pub strict: bool,
    /// Number of this node's shard, in the upper 10 bits of every message id. Never change it on a store in use.
    pub shard: u16,
    /// Messages that may wait at once; at it new ones are refused as queue_full. Each takes about 100 octets.
    pub messages_max: u64,
    /// Receipts that may wait for tenants at once; beyond it the oldest are given up. Each takes about 250 octets.
    pub receipts_max: u64,
    /// What is logged, in the form of tracing's filters.
    pub log: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// How long a stop waits for what is in windows.
    pub drain: Duration,
}

/// [store]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// Octets of one journal segment.
    pub segment_octets: u64,
    /// Octets that the journal may take; at it new messages are refused and those that wait go on.
    pub disk_octets_max: u64,
    /// How long the oldest fact waits for company before a sync.
    pub linger: Duration,
    /// Facts that are synced without waiting for more.
    pub group_facts: u32,
    /// Octets of bodies kept ready in memory.
    pub arena_octets: u64,
    /// How long finished messages can be asked for.
    pub history: Duration,
    /// Octets that they may take.
    pub history_octets_max: u64,
    /// Where CDR files go; absent = `data_dir/cdr`.
    pub cdr_dir: Option<PathBuf>,
}

/// [smpp]: the server that tenants bind to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmppConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// What the gateway calls itself in bind responses; at most 15 octets.
    pub system_id: String,
    /// Octets of a PDU; a longer one closes the link before anything is allocated.
    pub pdu_octets_max: u32,
    /// How long a connection may stay unbound.
    pub bind_timeout: Duration,
    /// Silence after which a link is probed.
    pub enquire_link: Duration,
    /// How long a probe or a deliver_sm may stay unanswered.
    pub response_timeout: Duration,
    /// How long a bound link may carry nothing but probes; absent = for ever.
    pub idle_timeout: Option<Duration>,
    /// Bound links of all tenants.
    pub binds_max: u32,
    /// Connections that have not bound yet.
    pub unbound_max: u32,
    /// Requests without a response on any bind, each way; the window of a tenant may be smaller.
    pub window_max: u16,
}

/// [http]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Octets of a request's body.
    pub body_octets_max: u64,
    /// Messages in one request.
    pub batch_max: u32,
    /// Connections at once.
    pub connections_max: u32,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// Opens the pages of operators to other than loopback peers who present it; absent = loopback only.
    pub admin_token: Option<Hidden<String>>,
}

/// Reads [node].
pub(super) fn read_node(mut section: Section<'_>) -> NodeConfig {
    let strict = section.flag("strict");
    section.findings.strict = strict;
    let config = NodeConfig {
        name: section.text("name", "sluice"),
        data_dir: section.path("data_dir", "data"),
        key: section.secret("key"),
        strict,
        shard: section.count("shard", 0, 0..=1023),
        messages_max: section.count("messages_max", 5_000_000, 1..=1_000_000_000),
        receipts_max: section.count("receipts_max", 2_000_000, 1..=1_000_000_000),
        log: read_log(&mut section),
        log_format: section.choice("log_format", &[("text", LogFormat::Text), ("json", LogFormat::Json)]),
        drain: section.duration("drain", "10s", Duration::ZERO),
    };
    if config.key.as_ref().is_some_and(|key| !is_master_key(key.0.trim())) {
        let place = section.place_of("key");
        section.error(&place, "key", "a master key is 64 hexadecimal digits, as `openssl rand -hex 32` prints them");
    }
    section.finish();
    config
}

fn is_master_key(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Reads what is logged. A word that is no level would silence everything, so it is refused here.
fn read_log(section: &mut Section<'_>) -> String {
    let filter = section.text("log", "info");
    let level = |text: &str| LEVELS.contains(&text.to_ascii_lowercase().as_str());
    let right = |one: &str| match one.split_once('=') {
        Some((target, text)) => !target.trim().is_empty() && level(text.trim()),
        None => level(one.trim()),
    };
    if let Some(wrong) = filter.split(',').find(|one| !right(one)) {
        let place = section.place_of("log");
        let what = format!(
            "{wrong:?} is none of {}, nor a module with one, as in \"sluice::carrier=debug\"",
            LEVELS.join(", ")
        );
        section.error(&place, "log", what);
    }
    filter
}

/// Reads [store].
pub(super) fn read_store(mut section: Section<'_>) -> StoreConfig {
    let config = StoreConfig {
        segment_octets: section.octets("segment", "64MiB", 1 << 20..=1 << 30),
        disk_octets_max: section.octets("disk_max", "16GiB", 8 << 20..=1 << 50),
        linger: section.duration("linger", "500us", Duration::ZERO),
        group_facts: section.count("group_facts", 256, 1..=100_000),
        arena_octets: section.octets("arena", "64MiB", 1 << 20..=1 << 40),
        history: section.duration("history", "30d", Duration::ZERO),
        history_octets_max: section.octets("history_max", "4GiB", 0..=1 << 50),
        cdr_dir: section.optional_path("cdr_dir"),
    };
    if config.disk_octets_max < 4 * config.segment_octets {
        let place = section.place_of("disk_max");
        section.error(&place, "disk_max", "it must have room for at least four segments");
    }
    if !config.segment_octets.is_multiple_of(4096) {
        let place = section.place_of("segment");
        section.error(&place, "segment", "it must be a multiple of 4KiB");
    }
    section.finish();
    config
}

/// Reads [smpp].
pub(super) fn read_smpp(mut section: Section<'_>) -> SmppConfig {
    let config = SmppConfig {
        listen: section.listen("listen", "127.0.0.1:2775"),
        system_id: section.text("system_id", "sluice"),
        pdu_octets_max: u32::try_from(section.octets("pdu_max", "64KiB", 1024..=1 << 24)).unwrap_or(u32::MAX),
        bind_timeout: section.duration("bind_timeout", "5s", Duration::from_millis(100)),
        enquire_link: section.duration("enquire_link", "30s", SECOND),
        response_timeout: section.duration("response_timeout", "10s", SECOND),
        idle_timeout: section.optional_duration("idle_timeout"),
        binds_max: section.count("binds_max", 1000, 1..=1_000_000),
        unbound_max: section.count("unbound_max", 1_000, 1..=1_000_000),
        window_max: section.count("window_max", 1000, 1..=10_000),
    };
    c_octets(&mut section, "system_id", Some(&config.system_id), 15);
    section.finish();
    config
}

/// Reads [http].
pub(super) fn read_http(mut section: Section<'_>) -> HttpConfig {
    let config = HttpConfig {
        listen: section.listen("listen", "127.0.0.1:8080"),
        body_octets_max: section.octets("body_max", "1MiB", 1024..=1 << 30),
        batch_max: section.count("batch_max", 1000, 1..=100_000),
        connections_max: section.count("connections_max", 1000, 1..=1_000_000),
        request_timeout: section.duration("request_timeout", "30s", SECOND),
        admin_token: section.secret("admin_token"),
    };
    section.finish();
    config
}

/// Checks a text that goes into a C-octet string of SMPP: no NUL, at most `octets_max` octets without its NUL.
pub(super) fn c_octets(section: &mut Section<'_>, key: &'static str, text: Option<&str>, octets_max: usize) {
    let Some(text) = text else { return };
    if text.len() > octets_max || text.contains('\0') {
        let place = section.place_of(key);
        section.error(&place, key, format!("SMPP holds at most {octets_max} octets here, none of them NUL"));
    }
}
