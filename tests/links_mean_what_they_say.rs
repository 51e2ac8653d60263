//! What a tenant's link calls a text and what a carrier's calls it are two matters: the characters arrive, whatever both
//! take data_coding 0 for.

mod support;

use std::net::SocketAddr;

use serde_json::json;
use support::esme::{BIND_TRANSCEIVER, Esme, Next, SUBMIT_SM};
use support::http::post;
use support::smsc::{Smsc, Submit};
use support::{Daemon, eventually, settings};

/// The default alphabets, and the number prefix whose carrier has it.
const LINKS: [(&str, &str); 4] = [("gsm7", "44"), ("latin1", "33"), ("ascii", "49"), ("gsm7-packed", "34")];

const UCS2: u8 = 8;

/// A text, and its octets and data_coding on each of [`LINKS`].
type Row = (&'static str, [(&'static [u8], u8); 4]);

const ROWS: [Row; 3] = [
    ("@_$[", [(&[0x00, 0x11, 0x02, 0x1B, 0x3C], 0), (b"@_$[", 0), (b"@_$[", 0), (&[0x80, 0x88, 0x60, 0xC3, 0x03], 0)]),
    (
        "@_$é[",
        [
            (&[0x00, 0x11, 0x02, 0x05, 0x1B, 0x3C], 0),
            (b"@_$\xE9[", 0),
            (&[0, b'@', 0, b'_', 0, b'$', 0, 0xE9, 0, b'['], UCS2),
            (&[0x80, 0x88, 0xA0, 0xB0, 0xE1, 0x01], 0),
        ],
    ),
    (
        "@_$é€[",
        [
            (&[0x00, 0x11, 0x02, 0x05, 0x1B, 0x65, 0x1B, 0x3C], 0),
            (&[0, b'@', 0, b'_', 0, b'$', 0, 0xE9, 0x20, 0xAC, 0, b'['], UCS2),
            (&[0, b'@', 0, b'_', 0, b'$', 0, 0xE9, 0x20, 0xAC, 0, b'['], UCS2),
            (&[0x80, 0x88, 0xA0, 0xB0, 0x29, 0x6F, 0x78], 0),
        ],
    ),
];

/// A daemon with a tenant and a carrier of each kind; `further` is said of every carrier.
fn ground(further: &str) -> (Daemon, Vec<Smsc>) {
    let carriers: Vec<Smsc> = LINKS.iter().map(|_| Smsc::delivering()).collect();
    let mut config = String::new();
    for ((alphabet, prefix), smsc) in LINKS.iter().zip(&carriers) {
        let line = format!("default_alphabet = \"{alphabet}\"");
        config += &settings::tenant(alphabet, &line);
        config += &settings::carrier(alphabet, smsc.address, &format!("{line}\n{further}"));
        config += &format!("[[route]]\nprefix = \"{prefix}\"\ncarriers = [\"{alphabet}\"]\n\n");
    }
    (Daemon::start(&config), carriers)
}

fn bound(address: SocketAddr, tenant: &str) -> Esme {
    Esme::bind(address, BIND_TRANSCEIVER, tenant, "secret").unwrap_or_else(|status| panic!("refused: {status:#x}"))
}

/// Submits octets and waits until they were taken.
fn submit(esme: &mut Esme, to: &str, esm_class: u8, data_coding: u8, octets: &[u8]) {
    let mut body = b"\0\x05\0Riverside\0\x01\x01".to_vec();
    body.extend_from_slice(to.as_bytes());
    body.extend_from_slice(&[0, esm_class, 0, 0, 0, 0, 0, 0, data_coding, 0]);
    body.push(u8::try_from(octets.len()).expect("it fits into short_message"));
    body.extend_from_slice(octets);
    let sequence = esme.request(SUBMIT_SM, &body);
    assert_eq!(esme.response_or_receipts(sequence, |_| ()).status, 0);
}

/// What the carrier was given for this number.
fn arrived(smsc: &Smsc, to: &str) -> Submit {
    eventually("the message arrives", || smsc.submits().into_iter().find(|submit| submit.to == to))
}

#[test]
fn q51_data_coding_0_means_what_each_link_says() {
    let (daemon, carriers) = ground("");
    let mut number = 0;
    for (from, (tenant, _)) in LINKS.iter().enumerate() {
        let mut esme = bound(daemon.smpp, tenant);
        for (text, octets) in &ROWS {
            let (sent, data_coding) = octets[from];
            if data_coding != 0 {
                continue;
            }
            for (to, (carrier, prefix)) in LINKS.iter().enumerate() {
                number += 1;
                let digits = format!("{prefix}77009{number:05}");
                submit(&mut esme, &digits, 0, 0, sent);
                let got = arrived(&carriers[to], &digits);
                assert_eq!((got.octets.as_slice(), got.data_coding), octets[to], "{text} from {tenant} to {carrier}");
            }
        }
    }
    assert_eq!(number, 36, "3, 2, 1 and 3 texts to four carriers");
}

#[test]
fn q51_a_text_over_http_is_put_into_the_carriers_alphabet() {
    let (daemon, carriers) = ground("");
    let mut number = 0;
    for (text, octets) in &ROWS {
        for (to, (carrier, prefix)) in LINKS.iter().enumerate() {
            number += 1;
            let digits = format!("{prefix}77009{number:05}");
            let body = json!({ "to": digits, "from": "Riverside", "text": text });
            let answer = post(daemon.http, "/v1/messages", Some("gsm7-key"), &body);
            assert_eq!(answer.status, 202, "{answer:?}");
            let got = arrived(&carriers[to], &digits);
            assert_eq!((got.octets.as_slice(), got.data_coding), octets[to], "{text} to {carrier}");
        }
    }
}

/// 7 and 15 septets leave seven bits over: without a carriage return in them they would read as one more `@`.
#[test]
fn q52_seven_spare_bits_are_no_at_sign() {
    const HEADER: [u8; 6] = [5, 0, 3, 9, 1, 1];
    const PACKED: [(&[u8], &[u8], &[u8]); 2] = [
        (b"1234567", &[0x31, 0xD9, 0x8C, 0x56, 0xB3, 0xDD, 0x1A], &[0x62, 0xB2, 0x19, 0xAD, 0x66, 0xBB, 0x01]),
        (
            b"123456789012345",
            &[0x31, 0xD9, 0x8C, 0x56, 0xB3, 0xDD, 0x70, 0x39, 0x58, 0x4C, 0x36, 0xA3, 0xD5, 0x1A],
            &[0x62, 0xB2, 0x19, 0xAD, 0x66, 0xBB, 0xE1, 0x72, 0xB0, 0x98, 0x6C, 0x46, 0xAB, 0x01],
        ),
    ];
    let (daemon, carriers) = ground("");
    let (mut plain, mut packing) = (bound(daemon.smpp, "gsm7"), bound(daemon.smpp, "gsm7-packed"));
    for (number, (text, alone, after_header)) in PACKED.into_iter().enumerate() {
        let [to_plain, to_packing] = [("44", number), ("34", number)].map(|(prefix, n)| format!("{prefix}77009{n:05}"));
        submit(&mut plain, &to_packing, 0, 0, text);
        assert_eq!(arrived(&carriers[3], &to_packing).octets, alone);
        submit(&mut packing, &to_plain, 0, 0, alone);
        assert_eq!(arrived(&carriers[0], &to_plain).octets, text);
        let [to_plain, to_packing] = [("44", number), ("34", number)].map(|(prefix, n)| format!("{prefix}88009{n:05}"));
        let (unpacked, packed) = ([&HEADER, text].concat(), [&HEADER, after_header].concat());
        submit(&mut plain, &to_packing, 0x40, 0, &unpacked);
        let got = arrived(&carriers[3], &to_packing);
        assert_eq!((got.octets, got.esm_class), (packed.clone(), 0x40));
        submit(&mut packing, &to_plain, 0x40, 0, &packed);
        assert_eq!(arrived(&carriers[0], &to_plain).octets, unpacked);
    }
}

/// A long text to a packed carrier takes 140 octets a part, header and fill bit included.
#[test]
fn q52_a_packed_part_holds_as_many_septets_as_any() {
    let (daemon, carriers) = ground("");
    let mut esme = bound(daemon.smpp, "gsm7");
    submit(&mut esme, "3477009100", 0, 0, &[b'x'; 160]);
    assert_eq!(arrived(&carriers[3], "3477009100").octets.len(), 140);
    submit(&mut esme, "3477009200", 0, 0, &[b'x'; 200]);
    let parts = eventually("both parts arrive", || {
        let parts: Vec<Submit> = carriers[3].submits().into_iter().filter(|part| part.to == "3477009200").collect();
        (parts.len() == 2).then_some(parts)
    });
    let mut lengths: Vec<usize> = parts.iter().map(|part| part.octets.len()).collect();
    lengths.sort_unstable();
    // 47 septets behind a header of six octets: one fill bit and 329 bits.
    assert_eq!(lengths, [6 + 42, 140]);
}

#[test]
fn q53_another_alphabet_is_used_only_for_what_gsm7_has_too() {
    let (daemon, carriers) = ground("");
    let mut esme = bound(daemon.smpp, "gsm7");
    for (number, (octets, form)) in [("½", (&[0, 0xBD][..], UCS2)), ("é", (&[0xE9][..], 0))].into_iter().enumerate() {
        let (to, (sent, data_coding)) = (format!("3377009{number:05}"), form);
        let body = json!({ "to": to, "from": "Riverside", "text": octets });
        assert_eq!(post(daemon.http, "/v1/messages", Some("gsm7-key"), &body).status, 202);
        let got = arrived(&carriers[1], &to);
        assert_eq!((got.octets.as_slice(), got.data_coding), (sent, data_coding), "{octets}");
    }
    // A segment of the sender cannot become UCS-2, because the others are not at hand: what is not in both is named.
    let header = [5, 0, 3, 9, 2, 1];
    submit(&mut esme, "3377009100", 0x40, 0, &[&header[..], &[0x05]].concat());
    let got = arrived(&carriers[1], "3377009100");
    assert_eq!((got.octets[6..].to_vec(), got.data_coding), (vec![0xE9], 0));
    submit(&mut esme, "3377009200", 0x40, 0, &[&header[..], &[0x1B, 0x65]].concat());
    let got = arrived(&carriers[1], "3377009200");
    assert_eq!((got.octets[6..].to_vec(), got.data_coding), (vec![0x1B, 0x65], 0xF1), "€ goes as GSM-7, and says so");
}

#[test]
fn q59_flash_is_written_as_the_carrier_wants_it() {
    for (style, flash) in [("as-sent", [0x10, 0xF0, 0x18]), ("0x10", [0x10, 0x10, 0x18]), ("0xF0", [0xF0, 0xF0, 0x18])]
    {
        let (daemon, carriers) = ground(&format!("message_class = \"{style}\""));
        let mut esme = bound(daemon.smpp, "gsm7");
        for (number, (sent, got)) in [0x10, 0xF0, 0x18].into_iter().zip(flash).enumerate() {
            let to = format!("4477009{number:05}");
            submit(&mut esme, &to, 0, sent, b"Hi");
            let arrived = arrived(&carriers[0], &to);
            assert_eq!((arrived.data_coding, arrived.octets.as_slice()), (got, &b"Hi"[..]), "{style} {sent:#04x}");
        }
        // Class and form are two things: on a packed link flash is packed, too.
        submit(&mut esme, "3477009100", 0, 0xF0, b"1234567");
        assert_eq!(arrived(&carriers[3], "3477009100").octets, [0x31, 0xD9, 0x8C, 0x56, 0xB3, 0xDD, 0x1A]);
    }
}

#[test]
fn values_of_data_coding_are_each_links_own() {
    let smsc = Smsc::delivering();
    let config = settings::tenant("riverside", "default_alphabet = \"latin1\"\ndata_coding = { ucs2 = \"0x19\" }")
        + &settings::carrier("alpha", smsc.address, "data_coding = { gsm7 = 241, ucs2 = \"0x18\" }")
        + &settings::route(&["alpha"]);
    let daemon = Daemon::start(&config);
    let mut esme = bound(daemon.smpp, "riverside");
    for (number, (sent, data_coding, octets, got)) in [
        (&[0xE9][..], 0, &[0x05][..], 0xF1),
        (&[0xBD], 0, &[0, 0xBD], 0x18),
        (&[0x04, 0x16], 0x19, &[0x04, 0x16], 0x18),
        (&[0xE9], 3, &[0xE9], 3),
    ]
    .into_iter()
    .enumerate()
    {
        let to = format!("4477009{number:05}");
        submit(&mut esme, &to, 0, data_coding, sent);
        let arrived = arrived(&smsc, &to);
        assert_eq!((arrived.octets.as_slice(), arrived.data_coding), (octets, got), "{sent:?} {data_coding}");
    }
}

/// A receipt is letters and digits. They are the same octets in every alphabet but a packed one, which is told so.
#[test]
fn receipts_can_be_read_on_every_link() {
    let (daemon, _carriers) = ground("");
    for ((tenant, prefix), data_coding) in LINKS.iter().zip([0, 0, 0, 1]) {
        let mut esme = bound(daemon.smpp, tenant);
        esme.submit(&format!("{prefix}7700912345"), "1234567");
        let receipt = loop {
            let Next::Pdu(pdu) = esme.next() else { panic!("closed instead of a receipt") };
            esme.answer(&pdu);
            if pdu.command == support::esme::DELIVER_SM {
                break pdu;
            }
        };
        assert!(receipt.short_message().contains("stat:DELIVRD"), "{tenant}: {}", receipt.short_message());
        let from_the_end = receipt.body.windows(3).position(|octets| octets == b"id:").expect("its text");
        assert_eq!(receipt.body[from_the_end - 3], data_coding, "{tenant}");
    }
}
