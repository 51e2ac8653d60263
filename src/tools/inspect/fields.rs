//! The fields of a decoded PDU under the names of the standard, written straight to where they are wanted.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::smpp::address::Address;
use crate::smpp::destinations::{Destination, Destinations, Failures};
use crate::smpp::pdu::{Bind, Body, DataSm, SubmitMulti, SubmitSm};
use crate::smpp::tlv::Tlvs;
use crate::tools::inspect::{Hex, Text};

/// The mandatory fields of a body as an object.
pub struct Fields<'b, 'a>(pub &'b Body<'a>);

impl Serialize for Fields<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object(serializer, |entries| of(self.0, entries))
    }
}

/// The TLVs of a body; none where its command has none.
pub fn tlvs<'a>(body: &Body<'a>) -> Tlvs<'a> {
    match body {
        Body::BindReceiverResp(b) | Body::BindTransmitterResp(b) | Body::BindTransceiverResp(b) => b.tlvs,
        Body::SubmitSmResp(b)
        | Body::DeliverSmResp(b)
        | Body::DataSmResp(b)
        | Body::BroadcastSmResp(b)
        | Body::QueryBroadcastSmResp(b) => b.tlvs,
        Body::SubmitSm(b) | Body::DeliverSm(b) => b.tlvs,
        Body::SubmitMulti(b) => b.tlvs,
        Body::SubmitMultiResp(Some(b)) => b.tlvs,
        Body::DataSm(b) => b.tlvs,
        Body::AlertNotification(b) => b.tlvs,
        Body::QuerySmResp(Some(b)) => b.tlvs,
        Body::ReplaceSm(b) => b.tlvs,
        Body::BroadcastSm(b) => b.tlvs,
        Body::QueryBroadcastSm(b) => b.tlvs,
        Body::CancelBroadcastSm(b) => b.tlvs,
        _ => Tlvs::NONE,
    }
}

/// Entries of an object, with the first error kept, so that the fields can be written one below the other.
struct Entries<M: SerializeMap> {
    map: M,
    error: Option<M::Error>,
}

fn object<S: Serializer>(serializer: S, write: impl FnOnce(&mut Entries<S::SerializeMap>)) -> Result<S::Ok, S::Error> {
    let mut entries = Entries { map: serializer.serialize_map(None)?, error: None };
    write(&mut entries);
    entries.error.map_or(Ok(()), Err)?;
    entries.map.end()
}

impl<M: SerializeMap> Entries<M> {
    fn entry(&mut self, name: &'static str, value: &impl Serialize) -> &mut Self {
        if self.error.is_none() {
            self.error = self.map.serialize_entry(name, value).err();
        }
        self
    }

    fn text(&mut self, name: &'static str, octets: &[u8]) -> &mut Self {
        self.entry(name, &Text(octets))
    }

    fn int(&mut self, name: &'static str, number: impl Into<u64>) -> &mut Self {
        self.entry(name, &number.into())
    }

    fn source(&mut self, from: &Address<'_>) -> &mut Self {
        self.int("source_addr_ton", from.ton).int("source_addr_npi", from.npi).text("source_addr", from.addr)
    }

    fn dest(&mut self, to: &Address<'_>) -> &mut Self {
        self.int("dest_addr_ton", to.ton).int("dest_addr_npi", to.npi).text("destination_addr", to.addr)
    }

    fn message(&mut self, octets: &[u8]) -> &mut Self {
        self.int("sm_length", octets.len() as u64).entry("short_message_hex", &Hex(octets))
    }
}

fn of<M: SerializeMap>(body: &Body<'_>, entries: &mut Entries<M>) {
    match body {
        Body::BindReceiver(b) | Body::BindTransmitter(b) | Body::BindTransceiver(b) => of_bind(b, entries),
        Body::Outbind(b) => {
            entries.text("system_id", b.system_id).text("password", b.password);
        }
        Body::BindReceiverResp(b) | Body::BindTransmitterResp(b) | Body::BindTransceiverResp(b) => {
            b.system_id.map(|id| entries.text("system_id", id));
        }
        Body::SubmitSmResp(b)
        | Body::DeliverSmResp(b)
        | Body::DataSmResp(b)
        | Body::BroadcastSmResp(b)
        | Body::QueryBroadcastSmResp(b) => {
            b.message_id.map(|id| entries.text("message_id", id));
        }
        Body::SubmitSm(b) | Body::DeliverSm(b) => of_submit(b, entries),
        Body::SubmitMulti(b) => of_submit_multi(b, entries),
        Body::SubmitMultiResp(Some(b)) => {
            entries.text("message_id", b.message_id).int("no_unsuccess", u64::from(b.failures.count()));
            entries.entry("unsuccess_sme", &Unsuccessful(b.failures));
        }
        Body::DataSm(b) => of_data(b, entries),
        Body::AlertNotification(b) => {
            entries.source(&b.source).int("esme_addr_ton", b.esme.ton).int("esme_addr_npi", b.esme.npi);
            entries.text("esme_addr", b.esme.addr);
        }
        _ => of_operation(body, entries),
    }
}

fn of_bind<M: SerializeMap>(b: &Bind<'_>, entries: &mut Entries<M>) {
    entries.text("system_id", b.system_id).text("password", b.password).text("system_type", b.system_type);
    entries.int("interface_version", b.interface_version).int("addr_ton", b.addr_ton).int("addr_npi", b.addr_npi);
    entries.text("address_range", b.address_range);
}

fn of_submit<M: SerializeMap>(b: &SubmitSm<'_>, entries: &mut Entries<M>) {
    entries.text("service_type", b.service_type).source(&b.source).dest(&b.dest);
    entries.int("esm_class", b.esm_class).int("protocol_id", b.protocol_id).int("priority_flag", b.priority_flag);
    entries.text("schedule_delivery_time", b.schedule_delivery_time).text("validity_period", b.validity_period);
    entries.int("registered_delivery", b.registered_delivery);
    entries.int("replace_if_present_flag", b.replace_if_present_flag).int("data_coding", b.data_coding);
    entries.int("sm_default_msg_id", b.sm_default_msg_id).message(b.short_message);
}

fn of_submit_multi<M: SerializeMap>(b: &SubmitMulti<'_>, entries: &mut Entries<M>) {
    entries.text("service_type", b.service_type).source(&b.source);
    entries.int("number_of_dests", u64::from(b.dests.count())).entry("dest_address", &Dests(b.dests));
    entries.int("esm_class", b.esm_class).int("protocol_id", b.protocol_id).int("priority_flag", b.priority_flag);
    entries.text("schedule_delivery_time", b.schedule_delivery_time).text("validity_period", b.validity_period);
    entries.int("registered_delivery", b.registered_delivery);
    entries.int("replace_if_present_flag", b.replace_if_present_flag).int("data_coding", b.data_coding);
    entries.int("sm_default_msg_id", b.sm_default_msg_id).message(b.short_message);
}

fn of_data<M: SerializeMap>(b: &DataSm<'_>, entries: &mut Entries<M>) {
    entries.text("service_type", b.service_type).source(&b.source).dest(&b.dest).int("esm_class", b.esm_class);
    entries.int("registered_delivery", b.registered_delivery).int("data_coding", b.data_coding);
}

fn of_operation<M: SerializeMap>(body: &Body<'_>, entries: &mut Entries<M>) {
    match body {
        Body::QuerySm(b) => {
            entries.text("message_id", b.message_id).source(&b.source);
        }
        Body::QuerySmResp(Some(b)) => {
            entries.text("message_id", b.message_id).text("final_date", b.final_date);
            entries.int("message_state", b.message_state).int("error_code", b.error_code);
        }
        Body::CancelSm(b) => {
            entries.text("service_type", b.service_type).text("message_id", b.message_id);
            entries.source(&b.source).dest(&b.dest);
        }
        Body::ReplaceSm(b) => {
            entries.text("message_id", b.message_id).source(&b.source);
            entries.text("schedule_delivery_time", b.schedule_delivery_time);
            entries.text("validity_period", b.validity_period).int("registered_delivery", b.registered_delivery);
            entries.int("sm_default_msg_id", b.sm_default_msg_id).message(b.short_message);
        }
        Body::BroadcastSm(b) => {
            entries.text("service_type", b.service_type).source(&b.source).text("message_id", b.message_id);
            entries.int("priority_flag", b.priority_flag);
            entries.text("schedule_delivery_time", b.schedule_delivery_time);
            entries.text("validity_period", b.validity_period);
            entries.int("replace_if_present_flag", b.replace_if_present_flag).int("data_coding", b.data_coding);
            entries.int("sm_default_msg_id", b.sm_default_msg_id);
        }
        Body::QueryBroadcastSm(b) => {
            entries.text("message_id", b.message_id).source(&b.source);
        }
        Body::CancelBroadcastSm(b) => {
            entries.text("service_type", b.service_type).text("message_id", b.message_id).source(&b.source);
        }
        _ => {}
    }
}

/// The destinations of a submit_multi.
struct Dests<'a>(Destinations<'a>);

impl Serialize for Dests<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Dest))
    }
}

struct Dest<'a>(Destination<'a>);

impl Serialize for Dest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object(serializer, |entries| {
            match &self.0 {
                Destination::Sme(address) => entries.dest(address),
                Destination::List(name) => entries.text("dl_name", name),
            };
        })
    }
}

/// The destinations that a submit_multi did not reach.
struct Unsuccessful<'a>(Failures<'a>);

impl Serialize for Unsuccessful<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|failure| Unreached(failure.address, failure.status.0)))
    }
}

struct Unreached<'a>(Address<'a>, u32);

impl Serialize for Unreached<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object(serializer, |entries| {
            entries.dest(&self.0).int("error_status_code", self.1);
        })
    }
}
