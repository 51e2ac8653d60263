//! Prepaid to the penny: 64 platforms send over SMPP and HTTP on two balances while the daemon is killed again and again. In the end
//! exactly what the balances allow has been accepted, and the journal, the bill, the metrics, the API and the carrier's own count
//! agree to the unit. Checked: I1, I4. `SLUICE_MONEY_ROUNDS` sets the number of kills.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use support::daemon::sluice;
use support::esme::{BIND_TRANSCEIVER, DELIVER_SM, Esme, RESPONSE, SUBMIT_SM, submit_body};
use support::settings::PRICE_MICROS;
use support::smsc::{Answer, Smsc, Submit, receipt};
use support::{Daemon, cdr, eventually, http, pause, settings};

const PLATFORMS: usize = 64;
/// Parts that each balance pays for, for each kill. Some hundreds are stored and not acknowledged when it comes.
const PARTS_PER_ROUND: usize = 400;
/// The first pays for what a carrier took, the second for what was delivered.
const TENANTS: [&str; 2] = ["riverside", "harbour"];
/// SMPP 3.4 section 5.1.3.
const RINVDSTADR: u32 = 0x0b;
const RSUBMITFAIL: u32 = 0x45;

#[test]
fn whatever_is_killed() {
    let rounds = std::env::var("SLUICE_MONEY_ROUNDS").map_or(4, |rounds| rounds.parse().expect("a number"));
    let credit_parts = rounds * PARTS_PER_ROUND;
    let smsc = Smsc::start(answer);
    let mut daemon = Daemon::start(&configuration(&smsc, credit_parts));
    let street = Street::default();
    street.open(&daemon);
    std::thread::scope(|scope| {
        let street = &street;
        for n in 0..PLATFORMS {
            let tenant = TENANTS[n % 2];
            scope.spawn(move || if n % 4 < 2 { street.over_smpp(tenant) } else { street.over_http(tenant) });
        }
        let _stop = AtTheEnd(&street.stop);
        for _ in 0..rounds {
            let enough = street.parts.load(Ordering::Relaxed) + PARTS_PER_ROUND / 2;
            street.refused.store(0, Ordering::Relaxed);
            eventually("messages are accepted or refused", || {
                let is_empty = street.refused.load(Ordering::Relaxed) > 0;
                (is_empty || street.parts.load(Ordering::Relaxed) >= enough).then_some(())
            });
            street.close();
            daemon.kill9();
            daemon.restart();
            street.open(&daemon);
        }
        eventually("a balance is used up", || (street.refused.load(Ordering::Relaxed) > 0).then_some(()));
    });
    assert_eq!(*street.strange.lock().expect("no panic"), Vec::<String>::new());
    let credit_micros = credit_parts as i64 * PRICE_MICROS;
    for tenant in TENANTS {
        // What is voided may be spent again: to the last part, and not one more. Metrics may be a moment old, so it is tried until
        // nothing is left.
        eventually("the whole balance is posted", || {
            street.spend_the_rest(&daemon, tenant);
            let (reserved, posted) = (account(&daemon, "reserved", tenant), account(&daemon, "posted", tenant));
            assert!(posted <= credit_micros, "{tenant}: {posted} of {credit_micros}");
            (reserved == 0 && posted == credit_micros).then_some(())
        });
    }
    judge(&mut daemon, &street, &smsc, credit_micros);
}

/// 7: refused. 9: not delivered, which the carrier says three times. Anything else: delivered.
fn answer(submit: &Submit) -> Answer {
    let id = format!("{:08x}", submit.number);
    match submit.to.as_bytes().last() {
        Some(b'7') => Answer::Refuse(RINVDSTADR),
        Some(b'9') => Answer::Take(id.clone(), vec![receipt(&id, "UNDELIV"); 3]),
        _ => Answer::Take(id.clone(), vec![receipt(&id, "DELIVRD")]),
    }
}

fn configuration(smsc: &Smsc, credit_parts: usize) -> String {
    let credit = credit_parts as i64 * PRICE_MICROS;
    let credit = format!("credit = \"{}.{:06} GBP\"\n", credit / 1_000_000, credit % 1_000_000);
    let tenants = [
        settings::tenant(TENANTS[0], &credit),
        settings::tenant(TENANTS[1], &format!("{credit}charge = \"delivered\"\n")),
        settings::carrier("alpha", smsc.address, "binds = 2\nwindow = 20\nreconnect_max = \"250ms\""),
    ];
    tenants.concat() + &settings::route(&["alpha"])
}

/// Lets the platforms end, also when a test fails.
struct AtTheEnd<'a>(&'a AtomicBool);

impl Drop for AtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// All platforms, and what they were told.
#[derive(Default)]
struct Street {
    /// SMPP and HTTP of the daemon, while it is there.
    doors: Mutex<Option<(SocketAddr, SocketAddr)>>,
    stop: AtomicBool,
    next: AtomicUsize,
    /// Tenant and id of each success response.
    acknowledged: Mutex<BTreeSet<(&'static str, String)>>,
    parts: AtomicUsize,
    refused: AtomicUsize,
    /// Refusals for any other reason than the credit.
    strange: Mutex<Vec<String>>,
}

impl Street {
    fn open(&self, daemon: &Daemon) {
        *self.doors.lock().expect("no panic") = Some((daemon.smpp, daemon.http));
    }

    fn close(&self) {
        *self.doors.lock().expect("no panic") = None;
    }

    /// The doors, or nothing when it is time to end.
    fn doors(&self) -> Option<(SocketAddr, SocketAddr)> {
        while !self.stop.load(Ordering::Relaxed) {
            if let Some(doors) = *self.doors.lock().expect("no panic") {
                return Some(doors);
            }
            pause(Duration::from_millis(5));
        }
        None
    }

    /// A destination that nobody else has, a text, and how many parts it takes.
    fn message(&self) -> (String, String, usize) {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let parts = 1 + n % 3;
        (format!("44770{n:08}"), "number ".repeat([2, 30, 60][parts - 1]), parts)
    }

    fn accepted(&self, tenant: &'static str, id: &str, parts: usize) {
        self.acknowledged.lock().expect("no panic").insert((tenant, id.to_owned()));
        self.parts.fetch_add(parts, Ordering::Relaxed);
    }

    fn refused(&self, for_the_credit: bool, what: impl FnOnce() -> String) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        if !for_the_credit {
            self.strange.lock().expect("no panic").push(what());
        }
        // Some of it may be voided meanwhile.
        pause(Duration::from_millis(5));
    }

    fn over_smpp(&self, tenant: &'static str) {
        while let Some((smpp, _)) = self.doors() {
            let Some(mut esme) = bound(smpp, tenant) else { continue };
            let mut is_there = true;
            while is_there && !self.stop.load(Ordering::Relaxed) {
                is_there = self.some_submits(tenant, &mut esme).is_some();
            }
        }
    }

    /// A few submits in one window; nothing if the daemon went.
    fn some_submits(&self, tenant: &'static str, esme: &mut Esme) -> Option<()> {
        let mut unanswered = BTreeMap::new();
        for _ in 0..4 {
            let (to, text, parts) = self.message();
            unanswered.insert(esme.request(SUBMIT_SM, &submit_body(&to, &text)), parts);
        }
        while !unanswered.is_empty() {
            let pdu = esme.next_before_the_end()?;
            match (pdu.command, pdu.status) {
                (command, 0) if command == SUBMIT_SM | RESPONSE => {
                    let parts = unanswered.remove(&pdu.sequence).expect("a response to ours");
                    self.accepted(tenant, &pdu.message_id(), parts);
                }
                (command, status) if command == SUBMIT_SM | RESPONSE => {
                    unanswered.remove(&pdu.sequence);
                    self.refused(status == RSUBMITFAIL, || format!("{tenant}: {status:#x}"));
                }
                (DELIVER_SM, _) => esme.answer(&pdu),
                _ => {}
            }
        }
        Some(())
    }

    fn over_http(&self, tenant: &'static str) {
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
        let agent: ureq::Agent = config.timeout_global(Some(Duration::from_secs(20))).build().into();
        while let Some((_, http)) = self.doors() {
            let messages: Vec<_> = (0..5).map(|_| self.message()).collect();
            let list: Vec<Value> =
                messages.iter().map(|(to, text, _)| json!({"to": to, "from": "Riverside", "text": text})).collect();
            let request = agent.post(format!("http://{http}/v1/messages"));
            let request = request.header("authorization", format!("Bearer {tenant}-key"));
            let answer = request.send_json(json!({ "messages": list }));
            let Ok(text) = answer.and_then(|mut answer| answer.body_mut().read_to_string()) else { continue };
            let body: Value = serde_json::from_str(&text).unwrap_or_default();
            for (told, (_, _, parts)) in body["messages"].as_array().into_iter().flatten().zip(&messages) {
                match told["id"].as_str() {
                    Some(id) => self.accepted(tenant, id, *parts),
                    None => self.refused(told["error"]["code"] == "insufficient_credit", || told.to_string()),
                }
            }
        }
    }

    /// One part after the other until the balance is used up.
    fn spend_the_rest(&self, daemon: &Daemon, tenant: &'static str) {
        loop {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            let message = json!({"to": format!("4499{n:07}1"), "from": "Riverside", "text": format!("the rest {n}")});
            let answer = http::post(daemon.http, "/v1/messages", Some(&format!("{tenant}-key")), &message);
            match answer.body["id"].as_str() {
                Some(id) => self.accepted(tenant, id, 1),
                None => return assert_eq!(answer.body["code"], "insufficient_credit", "{answer:?}"),
            }
        }
    }
}

fn bound(smpp: SocketAddr, tenant: &str) -> Option<Esme> {
    let mut esme = Esme::over(TcpStream::connect_timeout(&smpp, Duration::from_secs(5)).ok()?);
    esme.request(BIND_TRANSCEIVER, &[tenant.as_bytes(), b"\0secret\0\0\x34\0\0\0"].concat());
    esme.next_before_the_end().filter(|answer| answer.status == 0).map(|_| esme)
}

/// A total of a tenant as /metrics has it, in micro-units.
fn account(daemon: &Daemon, kind: &str, tenant: &str) -> i64 {
    let text = http::get(daemon.http, "/metrics", None).text;
    let suffix = if kind == "reserved" { "" } else { "_total" };
    let name = format!("sluice_tenant_{kind}_micros{suffix}{{tenant=\"{tenant}\",currency=\"GBP\"}} ");
    let value = text.lines().find_map(|line| line.strip_prefix(&name)).unwrap_or_else(|| panic!("no {name}: {text}"));
    value.parse().expect("a whole number")
}

/// Holds all books against one another.
fn judge(daemon: &mut Daemon, street: &Street, smsc: &Smsc, credit_micros: i64) {
    let data = daemon.dir.join("data");
    let voided = TENANTS.map(|tenant| account(daemon, "voided", tenant));
    let acknowledged = street.acknowledged.lock().expect("no panic").clone();
    eventually("what was acknowledged is billed", || {
        let billed: BTreeSet<String> = cdr::by_part(&cdr::lines(&data)).into_keys().map(|(id, _)| id).collect();
        acknowledged.iter().all(|(_, id)| billed.contains(id)).then_some(())
    });
    let lines = cdr::lines(&data);
    assert!(cdr::by_part(&lines).values().all(|times| *times == 1), "a part has two lines");
    let mut shown = BTreeMap::<&str, i64>::new();
    let ids: BTreeSet<_> =
        lines.iter().filter_map(|line| Some((line["tenant"].as_str()?, line["id"].as_str()?))).collect();
    for (tenant, id) in ids {
        let status = http::get(daemon.http, &format!("/v1/messages/{id}"), Some(&format!("{tenant}-key"))).body;
        let parts = status["part_list"].as_array().unwrap_or_else(|| panic!("{id}: {status}")).iter();
        let prices = parts.map(|part| cdr::micros(part["price"]["amount"].as_str().expect("an amount")));
        *shown.entry(tenant).or_default() += prices.sum::<i64>();
    }
    assert_eq!(daemon.term().code(), Some(0), "{}", daemon.log());

    let facts = dump(&data);
    for (tenant, voided) in TENANTS.into_iter().zip(voided) {
        let number = facts.iter().find(|fact| fact["name"] == tenant).map(|fact| &fact["tenant"]).expect("its name");
        let sum = |amount: &dyn Fn(&Value) -> Option<i64>| -> i64 {
            facts.iter().filter(|fact| &fact["tenant"] == number && fact["fact"] != "Named").filter_map(amount).sum()
        };
        let reserved = sum(&|fact| Some(fact["price_micros"].as_i64()? * fact["parts"].as_i64()?));
        assert_eq!(sum(&|fact| fact["posted_micros"].as_i64()), credit_micros, "{tenant}: the journal");
        assert_eq!(sum(&|fact| fact["voided_micros"].as_i64()), voided, "{tenant}: the journal and /metrics");
        assert_eq!(reserved, credit_micros + voided, "{tenant}: what was reserved is posted or voided");
        let own: Vec<Value> = lines.iter().filter(|line| line["tenant"] == tenant).cloned().collect();
        assert_eq!(cdr::total_micros(&own), credit_micros, "{tenant}: the bill");
        assert_eq!(own.len() as i64 * PRICE_MICROS, reserved, "{tenant}: a line for each part that was accepted");
        assert_eq!(shown[tenant], credit_micros, "{tenant}: the API");
    }
    // A part that was sent again is one part. Each tenant's destinations are its own.
    let tenant_of: BTreeMap<&str, &str> =
        lines.iter().filter_map(|line| Some((line["carrier_id"].as_str()?, line["tenant"].as_str()?))).collect();
    let (mut taken, mut owner) = (BTreeSet::new(), BTreeMap::new());
    for submit in smsc.submits() {
        if let Some(tenant) = tenant_of.get(format!("{:08x}", submit.number).as_str()) {
            owner.insert((submit.to.clone(), submit.octets.clone()), *tenant);
        }
        taken.insert((submit.to, submit.octets));
    }
    for tenant in TENANTS {
        let paid = |to: &str| !to.ends_with('7') && (tenant == TENANTS[0] || !to.ends_with('9'));
        let own = taken.iter().filter(|part| paid(&part.0) && owner.get(part) == Some(&tenant)).count();
        assert_eq!(own as i64 * PRICE_MICROS, credit_micros, "{tenant}: the carrier's own count");
    }
    assert!(
        taken.iter().filter(|(to, _)| !to.ends_with('7')).all(|part| owner.contains_key(part)),
        "sent and not billed"
    );
}

/// The facts of a store that is not running.
fn dump(data: &std::path::Path) -> Vec<Value> {
    let output = sluice().args(["journal", "dump"]).arg(data).output().expect("the binary starts");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}
