//! Answers of the API: what was accepted, and where a message stands.

use serde_json::{Value, json};

use crate::envelope::Envelope;
use crate::fact::{Accepted, Kept, PartSummary, Stage, flags, layout};
use crate::ingress::accept::Suggestion;
use crate::ingress::tables::Tables;
use crate::message::{CarrierId, Money, State, Timestamp, print_micros};
use crate::smpp::status::CommandStatus;
use crate::text::replace::Reach;

/// What the sender is told about a message when it is accepted, and in a preview.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Parts on the air.
    pub parts: u8,
    /// Name of the alphabet.
    pub encoding: &'static str,
    /// Price of all parts; absent = unpriced.
    pub price: Option<Money>,
    /// National tables of its text.
    pub tables: Tables,
    /// `accepted`, or `scheduled` if it is to be sent later.
    pub state: State,
    /// How far characters of the text were replaced.
    pub replaced: Reach,
    /// What replacing would make of it, if its sender wants to know and it helps.
    pub suggestion: Option<Suggestion>,
}

impl Taken {
    /// `{id, state, parts, encoding, price}`; a preview has no id and no state.
    pub fn to_json(self, id: Option<&str>) -> Value {
        let mut value = json!({ "parts": self.parts, "encoding": self.encoding, "price": price(self.price) });
        if self.tables.any() {
            value["national_tables"] = self.tables.to_json();
        }
        if let Some(id) = id {
            value["id"] = json!(id);
            value["state"] = json!(self.state.name());
        }
        value
    }
}

/// `{amount, currency}`, or null for what has no price.
pub fn price(price: Option<Money>) -> Value {
    match price {
        Some(price) => json!({ "amount": print_micros(price.micros), "currency": price.currency.to_string() }),
        None => Value::Null,
    }
}

/// A time as RFC 3339 in UTC with microseconds; null for what stands for none.
pub fn time(at: Timestamp) -> Value {
    match jiff::Timestamp::from_microsecond(at.0) {
        Ok(time) if at.0 > 1 => json!(format!("{time:.6}")),
        _ => Value::Null,
    }
}

/// Where a message stands: the answer to `GET /v1/messages/{id}`. `carrier` gives the name of a carrier's number.
pub fn status(
    id: &str,
    kept: &Kept<'_>,
    envelope: Option<&Envelope<'_>>,
    carrier: &dyn Fn(CarrierId) -> String,
) -> Value {
    let accepted = &kept.accepted;
    let taken = taken(accepted, envelope);
    let mut value = taken.to_json(Some(id));
    value["state"] = json!(kept.state.name());
    value["text_replaced"] = json!(taken.replaced != Reach::Nothing);
    let text = |octets: &[u8]| json!(String::from_utf8_lossy(octets));
    if let Some(envelope) = envelope {
        value["to"] = text(envelope.dest.addr);
        value["from"] = text(envelope.source.addr);
        value["reference"] = if envelope.reference.is_empty() { Value::Null } else { text(envelope.reference) };
    } else {
        // The data key of its day has been destroyed: who wrote to whom is gone, and the rest stays readable.
        (value["to"], value["from"], value["reference"]) = (Value::Null, Value::Null, Value::Null);
    }
    value["accepted_at"] = time(accepted.at);
    value["send_at"] = if accepted.due > accepted.at { time(accepted.due) } else { Value::Null };
    value["expires_at"] = time(accepted.expires);
    value["done_at"] =
        time(if kept.concluded_at.0 > 1 { kept.concluded_at.max(accepted.at) } else { kept.concluded_at });
    value["part_list"] = part_list(kept, carrier);
    value
}

/// What was answered when the message was accepted, as far as its record tells, and its envelope while there is one.
pub fn taken(accepted: &Accepted<'_>, envelope: Option<&Envelope<'_>>) -> Taken {
    let total =
        Money { micros: accepted.price_micros.saturating_mul(i64::from(accepted.parts)), currency: accepted.currency };
    Taken {
        parts: accepted.parts,
        encoding: accepted.encoding.name(),
        price: (accepted.flags & flags::PRICED != 0).then_some(total),
        tables: envelope.map(Tables::of_envelope).unwrap_or_default(),
        state: if accepted.due > accepted.at { State::Scheduled } else { State::Accepted },
        replaced: Reach::of(flags::replaced_of(accepted.flags)),
        suggestion: None,
    }
}

fn part_list(kept: &Kept<'_>, carrier: &dyn Fn(CarrierId) -> String) -> Value {
    let accepted = &kept.accepted;
    // A part that has not left its lane shares the message's state: it waits, or ended with it.
    let waiting = PartSummary { state: kept.state, carrier: accepted.carrier, ..PartSummary::default() };
    let mut parts: Vec<PartSummary<'_>> = (0..accepted.parts).map(|part| PartSummary { part, ..waiting }).collect();
    for summary in layout::part_summaries(kept.parts) {
        if let Some(place) = parts.get_mut(usize::from(summary.part)) {
            *place = summary;
        }
    }
    if kept.concluded_at.0 == 0 {
        let state = if kept.state == State::Scheduled { State::Scheduled } else { State::Accepted };
        let unsent = parts.iter_mut().filter(|part| part.stage == Stage::Waiting && part.sent_at.0 == 0);
        unsent.for_each(|part| part.state = state);
    }
    let priced = accepted.flags & flags::PRICED != 0;
    let row = |part: &PartSummary<'_>| {
        let posted = Money { micros: part.posted_micros, currency: accepted.currency };
        json!({
            "part": u16::from(part.part) + 1,
            "carrier": carrier(part.carrier),
            "carrier_id": if part.carrier_id.is_empty() { Value::Null } else { json!(String::from_utf8_lossy(part.carrier_id)) },
            "state": part.state.name(),
            "error": error(part),
            "sent_at": time(part.sent_at),
            // Carriers tell the minute at best: nothing ends before it was sent.
            "done_at": time(if part.done_at.0 > 0 { part.done_at.max(part.sent_at) } else { part.done_at }),
            "price": price(priced.then_some(posted)),
            "possible_duplicate": part.repeat,
        })
    };
    parts.iter().map(row).collect()
}

/// Why a part did not arrive: the carrier's status by name, or the code of its receipt; null for none.
fn error(part: &PartSummary<'_>) -> Value {
    if part.status != 0 {
        let status = CommandStatus(part.status);
        // Carriers write their own statuses in decimal (quirk Q73).
        let vendors = || format!("{status} ({})", part.status);
        return json!(status.name().map_or_else(vendors, |_| status.to_string()));
    }
    let code = part.err.split(|octet| *octet == 0).next().unwrap_or_default();
    let says_nothing = code.iter().all(|octet| *octet == b'0');
    if says_nothing { Value::Null } else { json!(String::from_utf8_lossy(code)) }
}
