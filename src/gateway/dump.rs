//! A store's facts as JSON, for people and scripts. Bodies, addresses and hashes of numbers are left out.

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::fact::{Accepted, Concluded, Fact, Kept, Named, Notice, PartRef, PartSummary, flags, layout};
use crate::gateway::offline::{self, Looked};
use crate::message::{MessageId, Timestamp};
use crate::store::error::Error;
use crate::store::inspect;

/// Gives every fact of a store that is not running to `line`, in order, until it breaks off.
pub fn dump(dir: &Path, mut line: impl FnMut(&Value) -> ControlFlow<()>) -> Result<Looked, String> {
    let disk = offline::disk(dir)?;
    let mut over = false;
    let report = inspect::dump(&disk, |place, number, record| {
        if over {
            return Ok(());
        }
        let mut tell = |mut value: Value| {
            if !over {
                value["record"] = json!(number);
                value["segment"] = json!(place.segment);
                value["offset"] = json!(place.offset);
                over = line(&value).is_break();
            }
        };
        let mut facts = Vec::new();
        match layout::read(record.kind, record.payload, &mut |fact| facts.push(of(&fact))) {
            Ok(_) => facts.into_iter().for_each(&mut tell),
            Err(error) => tell(json!({ "fact": "unreadable", "error": error.to_string() })),
        }
        Ok::<(), Error>(())
    });
    report.map(Looked::from).map_err(|error| error.to_string())
}

fn of(fact: &Fact<'_>) -> Value {
    match *fact {
        Fact::Accepted(ref accepted) => of_accepted("Accepted", accepted),
        Fact::Kept(ref kept) => of_kept(kept),
        Fact::Concluded(ref concluded) => of_concluded(concluded),
        Fact::Named(ref named) => of_named(named),
        Fact::Expired { at, id, account, state, voided_micros } => json!({
            "fact": "Expired", "at": time(at), "message": id.0, "tenant": account.tenant.0, "state": state.name(),
            "voided_micros": voided_micros, "currency": account.currency.to_string(),
        }),
        Fact::Unmatched { carrier, at, key, ref notice } => {
            let mut value = json!({ "fact": "Unmatched", "carrier": carrier.0, "at": time(at), "key": key });
            of_notice(notice, &mut value);
            value
        }
        Fact::Reported { at, id } => json!({ "fact": "Reported", "at": time(at), "message": id.0 }),
        Fact::Quarantined { at, key } => json!({ "fact": "Quarantined", "at": time(at), "key": key }),
        ref on_part => of_part(on_part),
    }
}

/// Facts about one part.
fn of_part(fact: &Fact<'_>) -> Value {
    let (name, carrier, at, part, rest) = match *fact {
        Fact::Released { carrier, at, part, repeat } => ("Released", carrier, at, part, json!({ "repeat": repeat })),
        Fact::Sent { carrier, at, part, account, posted_micros, carrier_id } => {
            let rest = json!({
                "tenant": account.tenant.0, "posted_micros": posted_micros,
                "currency": account.currency.to_string(), "carrier_id": text(carrier_id),
            });
            ("Sent", carrier, at, part, rest)
        }
        Fact::Deferred { carrier, at, part, status } => ("Deferred", carrier, at, part, json!({ "status": status })),
        Fact::Rejected { carrier, at, part, account, status, voided_micros } => {
            let rest = json!({
                "tenant": account.tenant.0, "status": status, "voided_micros": voided_micros,
                "currency": account.currency.to_string(),
            });
            ("Rejected", carrier, at, part, rest)
        }
        Fact::InDoubt { carrier, at, part } => ("InDoubt", carrier, at, part, json!({})),
        Fact::Receipted {
            carrier,
            at,
            part,
            account,
            state,
            done_at,
            posted_micros,
            voided_micros,
            unmatched,
            err,
        } => {
            let rest = json!({
                "tenant": account.tenant.0, "state": state.name(), "done_at": time(done_at),
                "posted_micros": posted_micros, "voided_micros": voided_micros,
                "currency": account.currency.to_string(), "unmatched": unmatched, "err": text(err),
            });
            ("Receipted", carrier, at, part, rest)
        }
        _ => return json!({ "fact": "unknown" }),
    };
    let PartRef { id: MessageId(message), part } = part;
    let mut value = Map::new();
    value.insert("fact".to_owned(), json!(name));
    value.insert("at".to_owned(), time(at));
    value.insert("message".to_owned(), json!(message));
    value.insert("part".to_owned(), json!(part));
    value.insert("carrier".to_owned(), json!(carrier.0));
    if let Value::Object(rest) = rest {
        value.extend(rest);
    }
    Value::Object(value)
}

fn of_accepted(name: &str, accepted: &Accepted<'_>) -> Value {
    let flag = |flag: u8| accepted.flags & flag != 0;
    json!({
        "fact": name, "at": time(accepted.at), "message": accepted.id.0, "tenant": accepted.tenant.0,
        "carrier": accepted.carrier.0, "parts": accepted.parts, "encoding": accepted.encoding.name(),
        "registered": accepted.registered, "class": accepted.class, "priced": flag(flags::PRICED),
        "price_micros": accepted.price_micros, "currency": accepted.currency.to_string(), "http": flag(flags::HTTP),
        "due": time(accepted.due), "expires": time(accepted.expires), "key_day": accepted.day,
        "sealed_octets": accepted.sealed.len(),
    })
}

fn of_kept(kept: &Kept<'_>) -> Value {
    let mut value = of_accepted("Kept", &kept.accepted);
    value["kept_at"] = time(kept.at);
    value["state"] = json!(kept.state.name());
    value["concluded_at"] = time(kept.concluded_at);
    value["report"] = json!(kept.report);
    value["part_list"] = layout::part_summaries(kept.parts).map(|part| of_summary(&part)).collect();
    value
}

fn of_concluded(concluded: &Concluded<'_>) -> Value {
    json!({
        "fact": "Concluded", "at": time(concluded.at), "message": concluded.id.0, "tenant": concluded.tenant.0,
        "state": concluded.state.name(), "encoding": concluded.encoding.name(), "report": concluded.report,
        "currency": concluded.currency.to_string(), "accepted_at": time(concluded.accepted_at),
        "part_list": layout::part_summaries(concluded.parts).map(|part| of_summary(&part)).collect::<Vec<_>>(),
    })
}

fn of_summary(part: &PartSummary<'_>) -> Value {
    json!({
        "part": part.part, "stage": format!("{:?}", part.stage), "state": part.state.name(), "repeat": part.repeat,
        "carrier": part.carrier.0, "status": part.status, "sent_at": time(part.sent_at),
        "done_at": time(part.done_at), "posted_micros": part.posted_micros, "voided_micros": part.voided_micros,
        "carrier_id": text(part.carrier_id), "err": text(part.err),
    })
}

fn of_notice(notice: &Notice<'_>, value: &mut Value) {
    value["tlv_id"] = text(notice.tlv_id);
    value["text_id"] = text(notice.text_id);
    value["state"] = json!(notice.state.map(|state| state.name()));
    value["done_at"] = time(notice.done_at);
    value["err"] = text(notice.err);
}

fn of_named(named: &Named<'_>) -> Value {
    match *named {
        Named::Tenant { tenant, name } => json!({ "fact": "Named", "tenant": tenant.0, "name": name }),
        Named::Carrier { carrier, name } => json!({ "fact": "Named", "carrier": carrier.0, "name": name }),
        Named::Balance { tenant, currency, reserved_micros, posted_micros, voided_micros } => json!({
            "fact": "Named", "tenant": tenant.0, "currency": currency.to_string(),
            "reserved_micros": reserved_micros, "posted_micros": posted_micros, "voided_micros": voided_micros,
        }),
        Named::Counters { sequence, unmatched } => {
            json!({ "fact": "Named", "sequence": sequence, "unmatched": unmatched })
        }
    }
}

fn text(octets: &[u8]) -> Value {
    let end = octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    json!(String::from_utf8_lossy(&octets[..end]))
}

fn time(at: Timestamp) -> Value {
    match jiff::Timestamp::from_microsecond(at.0) {
        Ok(time) if at.0 != 0 => json!(format!("{time:.6}")),
        _ => Value::Null,
    }
}
