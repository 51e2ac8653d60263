//! Another decoder reads the same: of 10,000 PDUs laid out by the table of commands, Wireshark's `tshark` and ours give the
//! same header, the same fields and the same TLVs.

mod layouts;
mod support;

use std::collections::BTreeMap;

use layouts::{Layout, Random, TlvLayout, layouts, tlv_layouts};
use serde_json::Value;
use sluice::smpp::decode::decode;
use sluice::smpp::encode::encode;
use sluice::smpp::pdu::Pdu;
use sluice::smpp::status::CommandStatus;
use sluice::smpp::tag::Tag;
use sluice::tools::inspect::fields::{Fields, tlvs};
use support::peers::{Peer, present, tshark_reads};
use support::tape::{Chunk, Way};

const PDUS: usize = 10_000;
const PORT: u16 = 2775;
/// Packets of the capture before the first PDU.
const HANDSHAKE_PACKETS: usize = 3;

/// The fields that are compared: the name here and at tshark, and whether it is a text. Two that tshark shows as calendar
/// times and two that it shows as flags are held by the fields that follow them.
const FIELDS: [(&str, &str, bool); 30] = [
    ("system_id", "smpp.system_id", true),
    ("password", "smpp.password", true),
    ("system_type", "smpp.system_type", true),
    ("interface_version", "smpp.interface_version", false),
    ("addr_ton", "smpp.addr_ton", false),
    ("addr_npi", "smpp.addr_npi", false),
    ("address_range", "smpp.address_range", true),
    ("service_type", "smpp.service_type", true),
    ("source_addr_ton", "smpp.source_addr_ton", false),
    ("source_addr_npi", "smpp.source_addr_npi", false),
    ("source_addr", "smpp.source_addr", true),
    ("dest_addr_ton", "smpp.dest_addr_ton", false),
    ("dest_addr_npi", "smpp.dest_addr_npi", false),
    ("destination_addr", "smpp.destination_addr", true),
    ("dl_name", "smpp.dl_name", true),
    ("esme_addr_ton", "smpp.esme_addr_ton", false),
    ("esme_addr_npi", "smpp.esme_addr_npi", false),
    ("esme_addr", "smpp.esme_addr", true),
    ("protocol_id", "smpp.protocol_id", false),
    ("priority_flag", "smpp.priority_flag", false),
    ("replace_if_present_flag", "smpp.replace_if_present_flag", false),
    ("data_coding", "smpp.data_coding", false),
    ("sm_default_msg_id", "smpp.sm_default_msg_id", false),
    ("sm_length", "smpp.sm_length", false),
    ("short_message_hex", "smpp.message", true),
    ("message_id", "smpp.message_id", true),
    ("message_state", "smpp.message_state", false),
    ("error_code", "smpp.error_code", false),
    ("error_status_code", "smpp.error_status_code", false),
    ("tlv", "smpp.opt_param_tag", false),
];

const HEADER: [&str; 5] =
    ["frame.number", "smpp.command_length", "smpp.command_id", "smpp.command_status", "smpp.sequence_number"];

/// TLVs of which tshark takes one octet, whatever their length: source_telematics_id, broadcast_rep_num (two octets by
/// the standard) and ms_validity (four are allowed).
const READ_AS_ONE_OCTET: [u16; 3] = [0x0010, 0x0604, 0x1204];

/// What tshark shows for an empty service_type.
const EMPTY_SERVICE_TYPE: &str = "(Default)";

/// Of 3.3 only, and not known to tshark beyond the header.
fn is_unknown_to_tshark(layout: &Layout) -> bool {
    matches!(layout.name.trim_end_matches("_resp"), "param_retrieve" | "query_last_msgs" | "query_msg_details")
}

#[test]
fn tshark_reads_what_we_read() {
    if !present("tshark_reads_what_we_read", &[Peer::Tshark]) {
        return;
    }
    let pdus = pdus();
    let dir = tempfile::tempdir().expect("a temporary directory");
    let capture = dir.path().join("generated.pcap");
    let chunk = |octets: &[u8]| Chunk { connection: 0, port: PORT, way: Way::Up, octets: octets.to_vec() };
    support::pcap::write(&capture, &pdus.iter().map(|octets| chunk(octets)).collect::<Vec<_>>());

    let mut arguments = vec!["-Y", "smpp", "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|"];
    for name in HEADER.into_iter().chain(FIELDS.map(|(_, name, _)| name)) {
        arguments.extend(["-e", name]);
    }
    let lines = tshark_reads(&capture, &[PORT], &arguments);
    let rows: BTreeMap<usize, Vec<&str>> = lines
        .iter()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .map(|columns| (columns[0].parse().expect("a packet's number"), columns))
        .collect();
    let mut differences = Vec::new();
    for (at, octets) in pdus.iter().enumerate() {
        let Some(columns) = rows.get(&(at + 1 + HANDSHAKE_PACKETS)) else {
            differences.push(format!("tshark sees no PDU in {octets:02x?}"));
            continue;
        };
        let pdu = decode(octets).expect("laid out by the table");
        differences.extend(compare(&pdu, octets, columns));
    }
    let shown = differences.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} differences:\n{shown}", differences.len());

    let first = decode(&pdus[0]).expect("laid out by the table");
    assert!(!compare(&first, &pdus[0], &rows[&(2 + HANDSHAKE_PACKETS)]).is_empty(), "a difference would be seen");
}

/// As we write them: read by our decoder and written by our encoder.
fn pdus() -> Vec<Vec<u8>> {
    let layouts: Vec<Layout> = layouts().into_iter().filter(|layout| !is_unknown_to_tshark(layout)).collect();
    let known_tlvs: Vec<TlvLayout> =
        tlv_layouts().into_iter().filter(|tlv| !READ_AS_ONE_OCTET.contains(&tlv.tag)).collect();
    let mut random = Random(0x51_0C_E0_03);
    let mut pdus = Vec::new();
    for turn in 0..PDUS {
        let layout = &layouts[turn % layouts.len()];
        let mut tlvs = Vec::new();
        if layout.takes_tlvs() && layout.name != "query_sm_resp" {
            for _ in 0..random.between(0, 3) {
                known_tlvs[random.between(0, known_tlvs.len() - 1)].write(&mut random, &mut tlvs);
            }
        }
        let (mut octets, mut written) = (Vec::new(), Vec::new());
        layout.write(&mut random, &tlvs, &mut octets);
        encode(&decode(&octets).expect("laid out by the table"), &mut written);
        pdus.push(written);
    }
    pdus
}

fn compare(pdu: &Pdu<'_>, octets: &[u8], columns: &[&str]) -> Vec<String> {
    let command = pdu.body.command();
    let mut ours = BTreeMap::new();
    let named = serde_json::to_value(Fields(&pdu.body)).expect("fields are JSON");
    collect(&named, &mut ours);
    // Of this flag tshark shows the lowest bit.
    if let Some([flag]) = ours.get_mut("replace_if_present_flag").map(Vec::as_mut_slice) {
        *flag = (flag.parse::<u8>().expect("an octet") & 1).to_string();
    }
    for tlv in tlvs(&pdu.body) {
        ours.entry("tlv".to_owned()).or_default().push(tlv.tag.0.to_string());
        // tshark has one name for the field and for the TLV.
        if let (Tag::MESSAGE_STATE, [state]) = (tlv.tag, tlv.value) {
            ours.entry("message_state".to_owned()).or_default().push(state.to_string());
        }
    }
    let mut differences = Vec::new();
    let mut hold = |name: &str, ours: &[String], theirs: &[String]| {
        if ours != theirs {
            differences.push(format!("{command} {name}: ours {ours:?}, tshark's {theirs:?}, of {octets:02x?}"));
        }
    };
    let number = |number: u32| vec![number.to_string()];
    hold("command_length", &number(u32::try_from(octets.len()).expect("short")), &values(columns[1], false));
    hold("command_id", &number(command.0), &values(columns[2], false));
    if command.is_response() {
        hold("command_status", &number(pdu.status.0), &values(columns[3], false));
    }
    hold("sequence_number", &number(pdu.sequence), &values(columns[4], false));
    // The standard has no body in a response that refuses, so tshark does not look at one.
    if pdu.status != CommandStatus::ROK {
        return differences;
    }
    for ((name, _, is_text), column) in FIELDS.into_iter().zip(&columns[5..]) {
        hold(name, ours.get(name).map_or(&[], Vec::as_slice), &values(column, is_text));
    }
    differences
}

/// All values of each name, in the order of the wire. An empty text is not shown.
fn collect(value: &Value, found: &mut BTreeMap<String, Vec<String>>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let shown = match value {
                    Value::Number(number) => number.to_string(),
                    Value::String(text) if !text.is_empty() => text.clone(),
                    _ => {
                        collect(value, found);
                        continue;
                    }
                };
                found.entry(name.clone()).or_default().push(shown);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}

fn values(column: &str, is_text: bool) -> Vec<String> {
    let shown = column.split('|').filter(|value| !value.is_empty() && *value != EMPTY_SERVICE_TYPE);
    shown
        .map(|value| match value.strip_prefix("0x") {
            Some(hex) if !is_text => u64::from_str_radix(hex, 16).expect("hexadecimal").to_string(),
            _ => value.to_owned(),
        })
        .collect()
}
