//! A PDU that can be read is written in one way, and that way reads as the same PDU.

use sluice::smpp::decode::decode;
use sluice::smpp::encode::encode;
use sluice::smpp::frame::{HEADER_OCTETS, PDU_OCTETS_MAX_DEFAULT, frame};
use sluice::smpp::pdu::Body;
use sluice::smpp::validate::{validate_data, validate_replace, validate_submit, validate_submit_multi, validate_tlvs};

/// A moment of 2026, in microseconds since 1970.
const NOW_MICROS: u64 = 1_795_262_400_000_000;

/// The data is one PDU, whose command_length is put right.
pub fn body(data: &[u8]) {
    let mut octets = data[..data.len().min(PDU_OCTETS_MAX_DEFAULT)].to_vec();
    if let Some(length) = octets.first_chunk_mut() {
        *length = (data.len().min(PDU_OCTETS_MAX_DEFAULT) as u32).to_be_bytes();
    }
    let pdu = match decode(&octets) {
        Ok(pdu) => pdu,
        Err(error) => {
            assert!(octets.len() < HEADER_OCTETS || !error.command.is_response(), "a response is never refused");
            return;
        }
    };
    validate(&pdu.body);
    let mut written = Vec::new();
    encode(&pdu, &mut written);
    assert!(written.len() <= octets.len() + 16, "{} octets from {}", written.len(), octets.len());
    assert_eq!(frame(&written, 2 * PDU_OCTETS_MAX_DEFAULT), Ok(Some(written.len())));
    let again = decode(&written).expect("what was written can be read");
    assert_eq!(again, pdu);
    let mut twice = Vec::new();
    encode(&again, &mut twice);
    assert_eq!(twice, written, "there is one way to write it");
    if written.len() == octets.len() {
        assert_eq!(written, octets, "octets that were read are written as they were");
    }
}

/// A field that is found wrong is a status, whatever it holds.
fn validate(body: &Body<'_>) {
    match body {
        Body::SubmitSm(message) | Body::DeliverSm(message) => {
            let _ = (validate_submit(message, NOW_MICROS), validate_tlvs(&message.tlvs));
        }
        Body::SubmitMulti(message) => {
            let _ = validate_submit_multi(message, NOW_MICROS);
        }
        Body::DataSm(message) => {
            let _ = validate_data(message);
        }
        Body::ReplaceSm(message) => {
            let _ = validate_replace(message, NOW_MICROS);
        }
        _ => {}
    }
}
