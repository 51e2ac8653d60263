//! Every row of the tables of commands, TLVs, statuses, receipts, states and time strings holds in the code.

use std::collections::BTreeMap;

use sluice::smpp::calendar::Civil;
use sluice::smpp::command::CommandId;
use sluice::smpp::decode::decode;
use sluice::smpp::encode::encode;
use sluice::smpp::fields::MessageState;
use sluice::smpp::pdu::{Body, Pdu, SubmitSm};
use sluice::smpp::receipt::Receipt;
use sluice::smpp::status::CommandStatus;
use sluice::smpp::tag::{Tag, TagKind};
use sluice::smpp::time::{format_absolute, parse_time};
use sluice::smpp::tlv::{TlvWriter, Tlvs};
use sluice::smpp::validate::validate_tlvs;

type Row = BTreeMap<String, String>;

fn rows(csv: &str) -> Vec<Row> {
    let rows: Vec<Row> =
        csv::Reader::from_reader(csv.as_bytes()).deserialize().map(|row| row.expect("a row")).collect();
    assert!(!rows.is_empty());
    rows
}

fn hexadecimal(text: &str) -> u32 {
    u32::from_str_radix(text.trim_start_matches("0x"), 16).expect("hexadecimal")
}

fn octets_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")).collect()
}

/// Microseconds since 1970 of `2026-11-21T12:00:00.0Z` or `2026-11-21T12:00:00`.
fn micros_of(text: &str) -> u64 {
    let number = |from: usize, to: usize| text[from..to].parse::<u64>().expect("digits");
    let civil = Civil {
        year: number(0, 4),
        month: number(5, 7),
        day: number(8, 10),
        hour: number(11, 13),
        minute: number(14, 16),
        second: number(17, 19),
    };
    let tenths = text.get(20..21).map_or(0, |tenths| tenths.parse::<u64>().expect("a digit"));
    civil.micros() + tenths * 100_000
}

#[test]
fn every_command_has_its_name_and_number() {
    let rows = rows(include_str!("data/facts/smpp_commands.csv"));
    assert_eq!(rows.len(), CommandId::all().count());
    for row in &rows {
        let command = CommandId(hexadecimal(&row["command_id"]));
        assert_eq!(command.name(), Some(row["name"].as_str()));
        assert_eq!(command.is_response(), row["name"].ends_with("_resp") || row["name"] == "generic_nack");
        if let Some(response) = command.response() {
            assert_eq!(response.name(), Some(format!("{}_resp", row["name"]).as_str()));
        }
    }
}

#[test]
fn every_command_round_trips_with_the_shortest_body() {
    for row in rows(include_str!("data/facts/smpp_commands.csv")) {
        let command = CommandId(hexadecimal(&row["command_id"]));
        // Zero octets are empty strings, zero counts and zero integers; one destination is the least there may be.
        let body: Vec<u8> = match row["name"].as_str() {
            "submit_multi" => [vec![0; 4], vec![1, 2, b'l', 0], vec![0; 10]].concat(),
            _ => row["body"].split(';').flat_map(|field| vec![0; shortest(field)]).collect(),
        };
        let mut octets = vec![0; 16];
        octets[3] = 16 + body.len() as u8;
        octets[4..8].copy_from_slice(&command.0.to_be_bytes());
        octets[15] = 9;
        octets.extend_from_slice(&body);
        let pdu = decode(&octets).unwrap_or_else(|error| panic!("{}: {error:?}", row["name"]));
        assert_eq!(pdu.body.command(), command, "{}", row["name"]);
        let vendor = matches!(command, CommandId::AUTH_ACC | CommandId::SM_RESULT_NOTIFY)
            || command.0 & 0x0F00_0000 != 0
            || command == CommandId::QUERY_MSG_DETAILS_RESP;
        assert_eq!(matches!(pdu.body, Body::Unknown { .. }), vendor, "{}", row["name"]);
        let mut out = Vec::new();
        encode(&pdu, &mut out);
        assert_eq!(out, octets, "{}", row["name"]);
    }
}

/// Octets of the shortest value of a field of the commands table.
fn shortest(field: &str) -> usize {
    match field.split_once(':').map(|(_, kind)| kind) {
        Some(kind) if kind.starts_with('i') => kind[1..].parse().expect("a number of octets"),
        Some(kind) if kind.starts_with('c') || kind.starts_with('t') => usize::from(!kind.contains('[')),
        _ => 0,
    }
}

#[test]
fn every_tlv_round_trips_at_its_least_and_most_octets() {
    let rows = rows(include_str!("data/facts/smpp_tlvs.csv"));
    assert_eq!(rows.len(), Tag::all().count());
    for row in &rows {
        let tag = Tag(u16::try_from(hexadecimal(&row["tag"])).expect("two octets"));
        let bounds: Vec<usize> = ["len_min", "len_max"].map(|name| row[name].parse().expect("a length")).into();
        assert_eq!(tag.name(), Some(row["name"].as_str()));
        assert_eq!(tag.octets_range().map(|(least, most)| vec![least.into(), most.into()]), Some(bounds.clone()));
        let kind = match row["type"].as_str() {
            "int1" | "int2" | "int4" | "bitmask" => TagKind::Int,
            "cstring" => TagKind::CString,
            _ => TagKind::Octets,
        };
        assert_eq!(tag.kind(), kind, "{tag}");
        for octets in &bounds {
            let value = vec![1; *octets];
            let mut buffer = Vec::new();
            let mut writer = TlvWriter::new(&mut buffer);
            writer.octets(tag, &value).octets(Tag(0x3FFE), b"unknown").u8(tag, 7);
            let tlvs = writer.finish();
            let mut out = Vec::new();
            let body = Body::SubmitSm(SubmitSm { tlvs, ..SubmitSm::default() });
            encode(&Pdu { status: CommandStatus::ROK, sequence: 1, body }, &mut out);
            let read = decode(&out).expect("a whole PDU");
            assert_eq!(read.body, body);
            assert_eq!(tlvs.get(tag), Some(value.as_slice()), "the first of two counts");
            assert_eq!(tlvs.iter().map(|tlv| tlv.tag).collect::<Vec<_>>(), [tag, Tag(0x3FFE), tag]);
        }
        assert_wrong_length_is_refused(tag, bounds[0], bounds[1]);
    }
}

fn assert_wrong_length_is_refused(tag: Tag, least: usize, most: usize) {
    let verdict = |octets: usize| {
        let mut buffer = Vec::new();
        let mut writer = TlvWriter::new(&mut buffer);
        writer.octets(tag, &vec![1; octets]);
        validate_tlvs(&writer.finish())
    };
    assert_eq!(verdict(least), Ok(()), "{tag}");
    assert_eq!(verdict(most), Ok(()), "{tag}");
    if least > 0 {
        assert_eq!(verdict(least - 1), Err(CommandStatus::RINVTLVLEN), "{tag}");
    }
    if most < 65_535 {
        assert_eq!(verdict(most + 1), Err(CommandStatus::RINVTLVLEN), "{tag}");
    }
}

#[test]
fn every_status_has_its_name_class_and_action() {
    let rows = rows(include_str!("data/facts/smpp_status.csv"));
    assert_eq!(rows.len(), CommandStatus::all().count());
    for row in &rows {
        let status = CommandStatus(hexadecimal(&row["code"]));
        assert_eq!(status.name(), Some(row["name"].as_str()));
        assert_eq!(status.meaning(), row["meaning"]);
        assert_eq!(status.class().name(), row["class"], "{status}");
        assert_eq!(status.action().name(), row["gateway_action"], "{status}");
    }
}

#[test]
fn reserved_and_vendor_statuses_are_kept_and_permanent() {
    for row in self::rows(include_str!("data/facts/smpp_status_ranges.csv")) {
        for code in [hexadecimal(&row["from"]), hexadecimal(&row["to"])] {
            let status = CommandStatus(code);
            assert_eq!((status.name(), status.class().name(), status.action().name()), (None, "permanent", "fail"));
            assert_eq!(status.is_vendor(), row["meaning"].starts_with("vendor"), "{status}");
            assert_eq!(status.to_string(), format!("0x{code:08X}"));
        }
    }
}

#[test]
fn every_state_word_is_read() {
    for row in self::rows(include_str!("data/facts/dlr_states.csv")) {
        let word = row["stat_text"].as_str();
        let state = MessageState::from_stat(word.as_bytes()).unwrap_or_else(|| panic!("{word} is known"));
        assert_eq!(state.octet().to_string(), row["message_state"], "{word}");
        assert_eq!(state.name(), row["state_name"], "{word}");
        assert_eq!(if state.is_final() { "yes" } else { "no" }, row["final"], "{word}");
        assert_eq!(MessageState::from_stat(word.to_ascii_lowercase().as_bytes()), Some(state), "{word}");
        if row["origin"].starts_with("SMPP") {
            assert_eq!(state.stat(), word);
        }
    }
}

fn write_receipt_tlvs(spec: &str, writer: &mut TlvWriter<'_>) {
    for pair in spec.split(';').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=').expect("name=value") {
            ("receipted_message_id", id) => writer.text(Tag::RECEIPTED_MESSAGE_ID, id.as_bytes()),
            ("message_state", state) => writer.u8(Tag::MESSAGE_STATE, state.parse().expect("a number")),
            ("network_error_code", hex) => writer.octets(Tag::NETWORK_ERROR_CODE, &octets_of(hex)),
            other => panic!("a TLV this test does not know: {other:?}"),
        };
    }
}

#[test]
fn every_receipt_is_understood() {
    for row in self::rows(include_str!("data/facts/dlr_receipt_formats.csv")) {
        let about = format!("{} {}", row["id"], row["variant"]);
        let sample: String = serde_json::from_str(&row["sample_json"]).expect("a JSON string");
        let octets: Vec<u8> = sample.chars().map(|c| u8::try_from(u32::from(c)).expect("an octet")).collect();
        let mut buffer = Vec::new();
        let mut writer = TlvWriter::new(&mut buffer);
        write_receipt_tlvs(&row["tlvs"], &mut writer);
        let receipt = Receipt::parse(&octets, writer.finish());

        let text = |octets: Option<&[u8]>| String::from_utf8(octets.unwrap_or_default().to_vec()).expect("ASCII");
        let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
        let date = |text: &str| (!text.is_empty()).then(|| micros_of(text));
        assert_eq!(text(receipt.id), row["exp_id"], "{about}: id");
        assert_eq!(number(receipt.sub), row["exp_sub"], "{about}: sub");
        assert_eq!(number(receipt.dlvrd), row["exp_dlvrd"], "{about}: dlvrd");
        assert_eq!(receipt.submit_micros, date(&row["exp_submit_date"]), "{about}: submit date");
        assert_eq!(receipt.done_micros, date(&row["exp_done_date"]), "{about}: done date");
        assert_eq!(text(receipt.stat), row["exp_stat"], "{about}: stat");
        assert_eq!(text(receipt.err), row["exp_err"], "{about}: err");
        let state = receipt.state;
        assert_eq!(number(state.map(|state| state.octet().into())), row["exp_message_state"], "{about}: state");
        assert_eq!(state.map_or("", MessageState::name), row["exp_state_name"], "{about}: state name");
        let is_final = receipt.is_final().map_or("", |is_final| if is_final { "yes" } else { "no" });
        assert_eq!(is_final, row["exp_final"], "{about}: final");
        let wanted: Option<String> = (!row["exp_text_json"].is_empty())
            .then(|| serde_json::from_str(&row["exp_text_json"]).expect("a JSON string"));
        assert_eq!(receipt.text.map(|octets| text(Some(octets))), wanted, "{about}: text");
        if row["variant"] == "extra vendor fields" {
            let extras: Vec<_> = receipt.extras.iter().collect();
            assert_eq!(extras, [(&b"mccmnc"[..], &b"23415"[..]), (&b"price"[..], &b"0.012"[..])]);
        } else if row["tlvs"].is_empty() && row["exp_text_json"] != "\"Thanks again\"" {
            assert_eq!(receipt.extras.iter().count(), 0, "{about}: extras");
        }
    }
}

#[test]
fn every_time_string_is_read() {
    for row in self::rows(include_str!("data/facts/time_formats.csv")) {
        let about = format!("{} {}", row["id"], row["value_json"]);
        let value: String = serde_json::from_str(&row["value_json"]).expect("a JSON string");
        let now = micros_of(&row["now_utc"]);
        let parsed = parse_time(value.as_bytes(), now);
        let Ok(parsed) = parsed else {
            assert_eq!(row["result"], "invalid", "{about}");
            continue;
        };
        assert_ne!(row["result"], "invalid", "{about}");
        let Some(parsed) = parsed else {
            assert_eq!(row["kind"], "null", "{about}");
            continue;
        };
        assert_eq!(parsed.micros, micros_of(&row["expected_utc"]), "{about}");
        assert_eq!(parsed.lenient, row["result"] == "lenient", "{about}");
        assert!(row["result"] != "ok_past" || parsed.micros < now, "{about}");
        // Two digits cannot say 2126.
        if parsed.micros < micros_of("2100-01-01T00:00:00") {
            let again = parse_time(&format_absolute(parsed.micros), 0).expect("our own form is valid");
            assert_eq!(again.map(|time| (time.micros, time.lenient)), Some((parsed.micros, false)), "{about}");
        }
    }
}

#[test]
fn an_empty_run_of_tlvs_is_none() {
    assert_eq!(Tlvs::parse(&[]), Ok(Tlvs::NONE));
    assert_eq!(Tlvs::parse(&[0]), Ok(Tlvs::NONE), "one lone NUL is borne");
    assert!(Tlvs::parse(&[0, 0]).is_err());
}
