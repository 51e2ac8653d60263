//! Receipts are told from messages, read from wherever they are put, and written in the standard's words.

use sluice::smpp::address::Address;
use sluice::smpp::calendar::Civil;
use sluice::smpp::fields::{MessageState, MessageType};
use sluice::smpp::pdu::SubmitSm;
use sluice::smpp::receipt::{NetworkError, Receipt, ReceiptText, is_receipt};
use sluice::smpp::status::CommandStatus;
use sluice::smpp::tag::Tag;
use sluice::smpp::tlv::{TlvWriter, Tlvs};
use sluice::smpp::validate::{Times, validate_submit};

const NOON: Civil = Civil { year: 2026, month: 11, day: 21, hour: 12, minute: 0, second: 59 };

fn receipt_text() -> ReceiptText<'static> {
    ReceiptText {
        id: b"1234567890",
        sub: 1,
        dlvrd: 1,
        submit_micros: NOON.micros(),
        done_micros: NOON.micros() + 60_000_000,
        state: MessageState::Delivered,
        err: b"000",
        text: b"Your parcel is at the door",
    }
}

#[test]
fn our_receipts_are_in_the_words_of_appendix_b() {
    let mut out = b"before ".to_vec();
    receipt_text().write(&mut out);
    let wanted = "before id:1234567890 sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 stat:DELIVRD \
                  err:000 text:Your parcel is at th";
    assert_eq!(String::from_utf8(out).expect("ASCII"), wanted);
}

#[test]
fn our_receipts_are_read_as_they_were_written() {
    for state in MessageState::ALL {
        let written = ReceiptText { state, ..receipt_text() };
        let mut out = Vec::new();
        written.write(&mut out);
        let read = Receipt::parse(&out, Tlvs::NONE);
        assert_eq!((read.id, read.state, read.err), (Some(written.id), Some(state), Some(written.err)));
        assert_eq!((read.sub, read.dlvrd, read.text), (Some(1), Some(1), Some(&written.text[..20])));
        let minute = NOON.micros() - 59_000_000;
        assert_eq!((read.submit_micros, read.done_micros), (Some(minute), Some(minute + 60_000_000)));
    }
}

#[test]
fn only_the_type_bits_of_esm_class_tell_a_receipt() {
    for (esm_class, wanted) in [(0x04, true), (0x44, true), (0x84, true), (0x24, false), (0x20, true), (0x00, false)] {
        assert_eq!(is_receipt(esm_class, &Tlvs::NONE), wanted, "0x{esm_class:02X}");
    }
    assert_eq!(MessageType::of(0x44), MessageType::Receipt);
    assert_eq!(MessageType::of(0xD8), MessageType::ConversationAbort);
    let mut buffer = Vec::new();
    let mut writer = TlvWriter::new(&mut buffer);
    writer.text(Tag::RECEIPTED_MESSAGE_ID, b"99");
    let tlvs = writer.finish();
    assert!(is_receipt(0, &tlvs), "not flagged, but it has the id of a message");
    assert!(!is_receipt(0x08, &tlvs), "an acknowledgement by the device is another matter");
}

#[test]
fn the_text_is_found_in_the_payload_and_behind_a_header() {
    let mut text = Vec::new();
    receipt_text().write(&mut text);
    let mut buffer = Vec::new();
    let mut writer = TlvWriter::new(&mut buffer);
    writer.octets(Tag::MESSAGE_PAYLOAD, &text);
    let in_payload = SubmitSm { esm_class: 4, tlvs: writer.finish(), ..SubmitSm::default() };
    assert_eq!(Receipt::of(&in_payload).state, Some(MessageState::Delivered));

    let behind_header = [&[5, 0, 3, 9, 1, 1], &text[..]].concat();
    let behind_header = SubmitSm { esm_class: 0x44, short_message: &behind_header, ..SubmitSm::default() };
    assert_eq!(Receipt::of(&behind_header).id, Some(&b"1234567890"[..]));
}

#[test]
fn a_tlv_id_wins_and_the_other_spelling_is_kept() {
    let mut buffer = Vec::new();
    let mut writer = TlvWriter::new(&mut buffer);
    writer.text(Tag::RECEIPTED_MESSAGE_ID, b"5a3f9c01").octets(Tag::NETWORK_ERROR_CODE, &[3, 0, 27]);
    let receipt = Receipt::parse(b"id:1514118145 stat:UNDELIV err:27", writer.finish());
    assert_eq!((receipt.id, receipt.text_id), (Some(&b"5a3f9c01"[..]), Some(&b"1514118145"[..])));
    assert_eq!(receipt.network_error, Some(NetworkError { network: 3, code: 27 }));
}

#[test]
fn network_errors_of_three_digits_are_decimal() {
    assert_eq!(NetworkError::of(&[3, 0, 5]), Some(NetworkError { network: 3, code: 5 }));
    assert_eq!(NetworkError::of(b"005"), Some(NetworkError { network: 0, code: 5 }));
    assert_eq!(NetworkError::of(&[3, 0]), None);
    let error = NetworkError { network: 3, code: 0x1234 };
    assert_eq!(NetworkError::of(&error.octets()), Some(error));
}

#[test]
fn fields_are_read_with_blanks_and_commas_between() {
    for text in [
        "id: 42 sub: 001 dlvrd: 001 submit date: 2611211200 done date: 2611211201 stat: DELIVRD err: 000 text: Hello",
        "id:42,sub:001,dlvrd:001,submit date:2611211200,done date:2611211201,stat:DELIVRD,err:000,text:Hello",
        "id:42|sub:001|dlvrd:001|submit date:2611211200|done date:2611211201|stat:DELIVRD|err:000|text:Hello",
        "id : 42 sub : 001 dlvrd : 001 submit date : 2611211200 done date : 2611211201 stat : DELIVRD err : 000 text : Hello",
        "id:42\tsub:001\ndlvrd:001 submitdate:2611211200 donedate:2611211201 Stat:Delivrd Err:000 Text:Hello\0",
    ] {
        let receipt = Receipt::parse(text.as_bytes(), Tlvs::NONE);
        assert_eq!((receipt.id, receipt.state), (Some(&b"42"[..]), Some(MessageState::Delivered)), "{text}");
        assert_eq!((receipt.err, receipt.text), (Some(&b"000"[..]), Some(&b"Hello"[..])), "{text}");
        assert!(receipt.submit_micros.is_some() && receipt.done_micros > receipt.submit_micros, "{text}");
    }
}

#[test]
fn dates_of_ten_twelve_and_fourteen_digits_are_read() {
    for (digits, wanted) in [
        ("2611211200", Some((2026, 0))),
        ("261121120059", Some((2026, 59))),
        ("202611211200", Some((2026, 0))),
        ("20261121120059", Some((2026, 59))),
        ("26112112", None),
        ("2611211260", None),
        ("now", None),
    ] {
        let text = format!("id:1 submit date:{digits} stat:DELIVRD");
        let micros = Receipt::parse(text.as_bytes(), Tlvs::NONE).submit_micros;
        assert_eq!(micros, wanted.map(|(year, second)| Civil { year, second, ..NOON }.micros()), "{digits}");
    }
}

#[test]
fn the_times_of_a_message_are_read_together() {
    let message = SubmitSm {
        dest: Address { ton: 1, npi: 1, addr: b"447700900123" },
        schedule_delivery_time: b"000000020000000R",
        validity_period: b"000000010000000R",
        short_message: b"later",
        ..SubmitSm::default()
    };
    let hour = 3_600_000_000;
    let now = NOON.micros();
    let times = Times { schedule_micros: Some(now + 2 * hour), validity_micros: Some(now + 3 * hour) };
    assert_eq!(validate_submit(&message, now), Ok(times), "validity counts from the time of sending");
    let message = SubmitSm { validity_period: b"261121130000000+", ..message };
    assert_eq!(validate_submit(&message, now), Err(CommandStatus::RINVEXPIRY), "over before it is sent");
}
