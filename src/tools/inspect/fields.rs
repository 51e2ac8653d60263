//! The fields of a decoded PDU under the names of the standard.

use serde_json::{Map, Value, json};

use crate::smpp::destinations::Destination;
use crate::smpp::pdu::{Address, Body};
use crate::smpp::tlv::Tlvs;
use crate::tools::inspect::{hex_of, text_of};

fn text(octets: &[u8]) -> Value {
    Value::from(text_of(octets))
}

fn message(octets: &[u8]) -> Value {
    json!({"sm_length": octets.len(), "short_message_hex": hex_of(octets)})
}

fn address(prefix: &str, name: &str, address: &Address<'_>) -> Value {
    let mut fields = Map::new();
    fields.insert(format!("{prefix}_ton"), address.ton.into());
    fields.insert(format!("{prefix}_npi"), address.npi.into());
    fields.insert(name.to_owned(), text(address.addr));
    Value::Object(fields)
}

fn source(from: &Address<'_>) -> Value {
    address("source_addr", "source_addr", from)
}

fn dest(to: &Address<'_>) -> Value {
    address("dest_addr", "destination_addr", to)
}

fn merged(objects: impl IntoIterator<Item = Value>) -> Map<String, Value> {
    let mut fields = Map::new();
    for object in objects {
        if let Value::Object(object) = object {
            fields.extend(object);
        }
    }
    fields
}

/// The mandatory fields by name, and the TLVs.
pub fn of<'a>(body: &Body<'a>) -> (Map<String, Value>, Tlvs<'a>) {
    let parts = match body {
        Body::BindReceiver(b) | Body::BindTransmitter(b) | Body::BindTransceiver(b) => vec![json!({
            "system_id": text(b.system_id), "password": text(b.password), "system_type": text(b.system_type),
            "interface_version": b.interface_version, "addr_ton": b.addr_ton, "addr_npi": b.addr_npi,
            "address_range": text(b.address_range),
        })],
        Body::Outbind(b) => vec![json!({"system_id": text(b.system_id), "password": text(b.password)})],
        Body::BindReceiverResp(b) | Body::BindTransmitterResp(b) | Body::BindTransceiverResp(b) => {
            return (merged(b.system_id.map(|id| json!({"system_id": text(id)}))), b.tlvs);
        }
        Body::SubmitSmResp(b)
        | Body::DeliverSmResp(b)
        | Body::DataSmResp(b)
        | Body::BroadcastSmResp(b)
        | Body::QueryBroadcastSmResp(b) => {
            return (merged(b.message_id.map(|id| json!({"message_id": text(id)}))), b.tlvs);
        }
        _ => return of_messages(body),
    };
    (merged(parts), Tlvs::NONE)
}

fn of_messages<'a>(body: &Body<'a>) -> (Map<String, Value>, Tlvs<'a>) {
    match body {
        Body::SubmitSm(b) | Body::DeliverSm(b) => {
            let own = json!({
                "service_type": text(b.service_type), "esm_class": b.esm_class, "protocol_id": b.protocol_id,
                "priority_flag": b.priority_flag, "schedule_delivery_time": text(b.schedule_delivery_time),
                "validity_period": text(b.validity_period), "registered_delivery": b.registered_delivery,
                "replace_if_present_flag": b.replace_if_present_flag, "data_coding": b.data_coding,
                "sm_default_msg_id": b.sm_default_msg_id,
            });
            (merged([own, source(&b.source), dest(&b.dest), message(b.short_message)]), b.tlvs)
        }
        Body::SubmitMulti(b) => {
            let dests: Vec<Value> = b.dests.iter().map(|to| destination(&to)).collect();
            let own = json!({
                "service_type": text(b.service_type), "esm_class": b.esm_class, "protocol_id": b.protocol_id,
                "priority_flag": b.priority_flag, "schedule_delivery_time": text(b.schedule_delivery_time),
                "validity_period": text(b.validity_period), "registered_delivery": b.registered_delivery,
                "replace_if_present_flag": b.replace_if_present_flag, "data_coding": b.data_coding,
                "sm_default_msg_id": b.sm_default_msg_id, "number_of_dests": b.dests.count(), "dest_address": dests,
            });
            (merged([own, source(&b.source), message(b.short_message)]), b.tlvs)
        }
        Body::SubmitMultiResp(Some(b)) => {
            let failures: Vec<Value> = b
                .failures
                .iter()
                .map(|failure| merged([dest(&failure.address), json!({"error_status_code": failure.status.0})]).into())
                .collect();
            let own = json!({
                "message_id": text(b.message_id), "no_unsuccess": b.failures.count(), "unsuccess_sme": failures,
            });
            (merged([own]), b.tlvs)
        }
        Body::DataSm(b) => {
            let own = json!({
                "service_type": text(b.service_type), "esm_class": b.esm_class,
                "registered_delivery": b.registered_delivery, "data_coding": b.data_coding,
            });
            (merged([own, source(&b.source), dest(&b.dest)]), b.tlvs)
        }
        Body::AlertNotification(b) => (merged([source(&b.source), address("esme_addr", "esme_addr", &b.esme)]), b.tlvs),
        _ => of_operations(body),
    }
}

fn destination(to: &Destination<'_>) -> Value {
    match to {
        Destination::Sme(address) => dest(address),
        Destination::List(name) => json!({"dl_name": text(name)}),
    }
}

fn of_operations<'a>(body: &Body<'a>) -> (Map<String, Value>, Tlvs<'a>) {
    match body {
        Body::QuerySm(b) => (merged([json!({"message_id": text(b.message_id)}), source(&b.source)]), Tlvs::NONE),
        Body::QuerySmResp(Some(b)) => {
            let own = json!({
                "message_id": text(b.message_id), "final_date": text(b.final_date),
                "message_state": b.message_state, "error_code": b.error_code,
            });
            (merged([own]), b.tlvs)
        }
        Body::CancelSm(b) => {
            let own = json!({"service_type": text(b.service_type), "message_id": text(b.message_id)});
            (merged([own, source(&b.source), dest(&b.dest)]), Tlvs::NONE)
        }
        Body::ReplaceSm(b) => {
            let own = json!({
                "message_id": text(b.message_id), "schedule_delivery_time": text(b.schedule_delivery_time),
                "validity_period": text(b.validity_period), "registered_delivery": b.registered_delivery,
                "sm_default_msg_id": b.sm_default_msg_id,
            });
            (merged([own, source(&b.source), message(b.short_message)]), b.tlvs)
        }
        Body::BroadcastSm(b) => {
            let own = json!({
                "service_type": text(b.service_type), "message_id": text(b.message_id),
                "priority_flag": b.priority_flag, "schedule_delivery_time": text(b.schedule_delivery_time),
                "validity_period": text(b.validity_period), "replace_if_present_flag": b.replace_if_present_flag,
                "data_coding": b.data_coding, "sm_default_msg_id": b.sm_default_msg_id,
            });
            (merged([own, source(&b.source)]), b.tlvs)
        }
        Body::QueryBroadcastSm(b) => (merged([json!({"message_id": text(b.message_id)}), source(&b.source)]), b.tlvs),
        Body::CancelBroadcastSm(b) => {
            let own = json!({"service_type": text(b.service_type), "message_id": text(b.message_id)});
            (merged([own, source(&b.source)]), b.tlvs)
        }
        _ => (Map::new(), Tlvs::NONE),
    }
}
