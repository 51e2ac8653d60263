//! A tenant's receipts are written as its `receipt_format` says, octet by octet, through the real daemon; whatever is written is read
//! back to the same fields by our own reader.

mod support;

use proptest::prelude::*;
use sluice::smpp::calendar::Civil;
use sluice::smpp::fields::MessageState;
use sluice::smpp::receipt::{Receipt, ReceiptText};
use sluice::smpp::receipt_style::{Quote, ReceiptStyle};
use sluice::smpp::tlv::Tlvs;
use support::esme::{BIND_TRANSCEIVER, Esme, Pdu};
use support::hand::{Deliver, Exchange, TO, tlv};
use support::{Daemon, settings};

/// Formats, and the text that a receipt of each has. `{id}` is the id of the response, `{low}` its low 32 bits in decimal;
/// `{d10}` and the like are dates of that many digits.
const FORMATS: &[(&str, &str)] = &[
    ("", "id:{id} sub:001 dlvrd:000 submit date:{d10} done date:{d10} stat:UNDELIV err:27 text:"),
    ("\"standard\"", "id:{id} sub:001 dlvrd:000 submit date:{d10} done date:{d10} stat:UNDELIV err:27 text:"),
    ("\"jsmpp\"", "id:{id} sub:001 dlvrd:000 submit date:{d10} done date:{d10} stat:UNDELIV err:27 Text:"),
    ("\"jasmin\"", "id:{id} submit date:{d10} done date:{d10} stat:UNDELIV err:27"),
    ("\"cloudhopper\"", "id:{id} submit date:{d14} done date:{d14} stat:UNDELIV err:27"),
    (
        "{ dates = 12, err = 3 }",
        "id:{id} sub:001 dlvrd:000 submit date:{d12} done date:{d12} stat:UNDELIV err:027 text:",
    ),
    (
        "{ counts = 1, err = 4, text = \"Text:\" }",
        "id:{id} sub:1 dlvrd:0 submit date:{d10} done date:{d10} stat:UNDELIV err:0027 Text:",
    ),
    (
        "{ labels = \"upper\", states = \"DELIVERED\" }",
        "ID:{id} SUB:001 DLVRD:000 SUBMIT DATE:{d10} DONE DATE:{d10} STAT:UNDELIVERABLE ERR:27 TEXT:",
    ),
    ("{ separator = \";\" }", "id:{id};sub:001;dlvrd:000;submit date:{d10};done date:{d10};stat:UNDELIV;err:27;text:"),
    ("{ like = \"jasmin\", dates = 12 }", "id:{id} submit date:{d12} done date:{d12} stat:UNDELIV err:27"),
    ("{ id = \"hex\" }", "id:{id} sub:001 dlvrd:000 submit date:{d10} done date:{d10} stat:UNDELIV err:27 text:"),
    ("{ id = \"decimal\" }", "id:{id} sub:001 dlvrd:000 submit date:{d10} done date:{d10} stat:UNDELIV err:27 text:"),
    (
        "{ id = \"hex-decimal\" }",
        "id:{low} sub:001 dlvrd:000 submit date:{d10} done date:{d10} stat:UNDELIV err:27 text:",
    ),
];

/// The text of a receipt with its dates, which are of the moment, replaced by their length.
fn undated(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.to_ascii_lowercase().find(" date:") {
        let from = at + " date:".len();
        let digits = rest[from..].bytes().take_while(u8::is_ascii_digit).count();
        out.push_str(&rest[..from]);
        out.push_str(&format!("{{d{digits}}}"));
        rest = &rest[from + digits..];
    }
    out + rest
}

/// Sends one message with this tenant format, lets it fail with error 27, and gives the id of the response and the receipt.
fn failed(format: &str, version: u8) -> (String, Pdu) {
    let exchange = Exchange::open();
    let line = if format.is_empty() { String::new() } else { format!("receipt_format = {format}") };
    let config = settings::tenant("riverside", &line)
        + &settings::carrier("alpha", exchange.address, "")
        + &settings::route(&["alpha"]);
    let daemon = Daemon::start(&config);
    let mut carrier = exchange.accept();
    let mut esme = Esme::connect(daemon.smpp);
    let sequence = esme.request(BIND_TRANSCEIVER, &[&b"riverside\0secret\0\0"[..], &[version], b"\0\0\0"].concat());
    assert_eq!(esme.response_to(sequence).status, 0);
    let sequence = esme.submit(TO, "hello");
    carrier.take("c1");
    let id = esme.response_to(sequence).message_id();
    carrier.report("id:c1 sub:001 dlvrd:000 submit date:2611211200 done date:2611211201 stat:UNDELIV err:27 text:");
    (id, esme.deliver_sm())
}

/// The parameters behind the message of a deliver_sm.
fn tlvs_of(pdu: &Pdu) -> Vec<u8> {
    let text: Vec<u8> = pdu.short_message().chars().map(|c| c as u8).collect();
    let whole = [&[text.len() as u8][..], &text].concat();
    let at = pdu.body.windows(whole.len()).position(|window| window == whole).expect("the message is there");
    pdu.body[at + whole.len()..].to_vec()
}

#[test]
fn octet_by_octet_as_the_tenant_wants_them() {
    for (format, wanted) in FORMATS {
        let (id, receipt) = failed(format, 0x34);
        let text = receipt.short_message();
        let low = u32::from_str_radix(&id, 16).map(|low| format!("{low:010}")).unwrap_or_default();
        assert_eq!(undated(&text), wanted.replace("{id}", &id).replace("{low}", &low), "{format}");
        let length = match *format {
            "{ id = \"hex\" }" | "{ id = \"hex-decimal\" }" => 8,
            "{ id = \"decimal\" }" => 10,
            _ => 26,
        };
        assert_eq!(id.len(), length, "{format}");
        let with_nul = [id.as_bytes(), b"\0"].concat();
        let wanted = [tlv(0x001E, &with_nul), tlv(0x0427, &[5]), tlv(0x0423, &[3, 0, 27])].concat();
        assert_eq!(tlvs_of(&receipt), wanted, "{format}: the id as in the response, the state, the error");
        let read = Receipt::parse(text.as_bytes(), Tlvs::NONE);
        assert_eq!(read.state, Some(MessageState::Undeliverable), "{format}");
        assert!(read.submit_micros.is_some() && read.done_micros >= read.submit_micros, "{format}: {text}");
    }
}

#[test]
fn parameters_can_be_left_out() {
    let (id, receipt) = failed("{ tlvs = [\"message_state\"] }", 0x34);
    assert!(receipt.short_message().starts_with(&format!("id:{id} ")));
    assert_eq!(tlvs_of(&receipt), tlv(0x0427, &[5]));
    let (_, receipt) = failed("{ tlvs = [] }", 0x34);
    assert!(tlvs_of(&receipt).is_empty());
}

#[test]
fn a_peer_of_3_3_gets_eight_digits_and_no_parameters() {
    let (id, receipt) = failed("\"standard\"", 0x33);
    assert_eq!(id.len(), 8, "{id}");
    assert!(receipt.short_message().starts_with(&format!("id:{id} ")));
    assert!(tlvs_of(&receipt).is_empty());
    let (id, receipt) = failed("{ id = \"hex-decimal\" }", 0x33);
    let low = u32::from_str_radix(&id, 16).expect("hexadecimal");
    assert!(receipt.short_message().starts_with(&format!("id:{low:010} ")));
}

#[test]
fn a_text_is_written_in_every_style() {
    let noon = Civil { year: 2026, month: 11, day: 21, hour: 12, minute: 0, second: 59 }.micros();
    let written = ReceiptText {
        id: b"1234567890",
        sub: 1,
        dlvrd: 1,
        submit_micros: noon,
        done_micros: noon + 60_000_000,
        state: MessageState::Delivered,
        err: b"0",
        text: b"Your parcel is at the door",
    };
    let styled = |style: ReceiptStyle| {
        let mut out = b"before ".to_vec();
        written.write_in(&style, &mut out);
        String::from_utf8(out).expect("ASCII")
    };
    let standard = ReceiptStyle::STANDARD;
    assert_eq!(
        styled(ReceiptStyle { date_digits: 12, err_digits: 3, quote: Quote::Capital, ..standard }),
        "before id:1234567890 sub:001 dlvrd:001 submit date:261121120059 done date:261121120159 stat:DELIVRD err:000 \
         Text:Your parcel is at th"
    );
    assert_eq!(
        styled(ReceiptStyle { date_digits: 14, count_digits: 0, quote: Quote::Absent, ..standard }),
        "before id:1234567890 submit date:20261121120059 done date:20261121120159 stat:DELIVRD err:0"
    );
    assert_eq!(
        styled(ReceiptStyle { upper_labels: true, long_states: true, semicolons: true, count_digits: 1, ..standard }),
        "before ID:1234567890;SUB:1;DLVRD:1;SUBMIT DATE:2611211200;DONE DATE:2611211201;STAT:DELIVERED;ERR:0;\
         TEXT:Your parcel is at th"
    );
}

prop_compose! {
    fn styles()(
        flags in any::<[bool; 3]>(),
        count_digits in 0_u8..4,
        date_digits in prop::sample::select(vec![10_u8, 12, 14]),
        err_digits in 0_u8..9,
        quote in prop::sample::select(vec![Quote::Absent, Quote::Lower, Quote::Capital]),
    ) -> ReceiptStyle {
        let [upper_labels, long_states, semicolons] = flags;
        ReceiptStyle { upper_labels, count_digits, date_digits, long_states, err_digits, quote, semicolons }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        style in styles(),
        id in "[0-9A-Za-z-]{1,26}",
        counts in (0_u16..=999, 0_u16..=999),
        seconds in (946_684_800_u64..4_102_444_800, 946_684_800_u64..4_102_444_800),
        state in 0_u8..10,
        err in "[0-9]{1,5}|[0-9a-f]{3}|0x1B",
        text in "[A-Za-z0-9 ]{0,30}",
    ) {
        let state = MessageState::of(state).expect("ten states");
        let written = ReceiptText {
            id: id.as_bytes(), sub: counts.0, dlvrd: counts.1, submit_micros: seconds.0 * 1_000_000,
            done_micros: seconds.1 * 1_000_000, state, err: err.as_bytes(), text: text.trim().as_bytes(),
        };
        let mut out = Vec::new();
        written.write_in(&style, &mut out);
        let read = Receipt::parse(&out, Tlvs::NONE);
        prop_assert_eq!((read.id, read.state), (Some(id.as_bytes()), Some(state)));
        let present = style.count_digits > 0;
        prop_assert_eq!(read.sub, present.then_some(counts.0.into()));
        prop_assert_eq!(read.dlvrd, present.then_some(counts.1.into()));
        let unit = if style.date_digits == 10 { 60 } else { 1 };
        let whole = |seconds: u64| Some(seconds / unit * unit * 1_000_000);
        prop_assert_eq!((read.submit_micros, read.done_micros), (whole(seconds.0), whole(seconds.1)));
        let shown = String::from_utf8(read.err.expect("an error").to_vec()).expect("ASCII");
        match (err.parse::<u32>(), shown.parse::<u32>()) {
            (Ok(number), Ok(shown_number)) => {
                prop_assert_eq!(number, shown_number);
                prop_assert!(shown.len() >= usize::from(style.err_digits));
            }
            _ => prop_assert_eq!(&shown, &err),
        }
        let quoted = &written.text[..written.text.len().min(20)];
        prop_assert_eq!(read.text, (style.quote != Quote::Absent).then_some(quoted.trim_ascii_end()));
    }
}

#[test]
fn the_carriers_own_dates_and_errors_come_through() {
    // A receipt without err and with a network error of three digits; the tenant wants three digits.
    let exchange = Exchange::open();
    let config = settings::tenant("riverside", "receipt_format = { err = 3 }")
        + &settings::carrier("alpha", exchange.address, "receipt_errors = { \"005\" = \"41\" }")
        + &settings::route(&["alpha"]);
    let daemon = Daemon::start(&config);
    let mut carrier = exchange.accept();
    let mut esme = Esme::riverside(daemon.smpp);
    let sequence = esme.submit(TO, "hello");
    carrier.take("c1");
    esme.response_to(sequence);
    let parameters = [tlv(0x001E, b"c1\0"), tlv(0x0427, &[5]), tlv(0x0423, b"005")].concat();
    assert_eq!(carrier.deliver(&Deliver { tlvs: &parameters, ..Deliver::default() }).status, 0);
    let text = esme.receipt();
    assert!(text.contains(" stat:UNDELIV err:041 text:"), "{text}");
}
