//! What becomes of submissions: the record and the envelope that the core is given, or the reason to refuse.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::admission::config::{RouteConfig, TenantConfig};
use crate::admission::policy::CarrierEntry;
use crate::billing::price::PriceConfig;
use crate::envelope::Carriage;
use crate::message::coding::{Coding, Form, Languages, Link};
use crate::message::smart::Smart;
use crate::message::{Hidden, LinkId, TenantId};
use crate::seal::{DataKey, MasterKey};
use crate::text::{Choice, Concat};

const NOW: Timestamp = Timestamp(1_795_000_000_000_000);
const TENANT: TenantId = TenantId(4);

struct Ground {
    rules: Rules,
    intake: Intake,
    keyring: Arc<Keyring>,
    presence: Arc<Presence>,
}

fn ground(coding: Coding) -> Ground {
    let tenant = TenantConfig {
        id: "riverside".to_owned(),
        system_id: Some("riverside".to_owned()),
        password: Some(Hidden("secret".to_owned())),
        validity: Duration::from_secs(3600),
        languages: Languages::NONE.with(1).with(2),
        ..TenantConfig::default()
    };
    let route = |prefix: &str, carriers: &[&str]| RouteConfig {
        prefix: prefix.to_owned(),
        carriers: carriers.iter().map(|carrier| (*carrier).to_owned()).collect(),
        tenant: None,
    };
    let carriers = [
        CarrierEntry { name: "alpha", id: CarrierId(0), coding },
        CarrierEntry { name: "beta", id: CarrierId(1), coding },
    ];
    let routes = [route("44", &["alpha", "beta"]), route("33", &["alpha"])];
    let policy = Policy::new(&[tenant], &routes, &carriers, |_| TENANT).expect("it holds together");
    let per_part = "0.0264 GBP".parse().expect("an amount");
    let price = PriceConfig { tenant: "riverside".to_owned(), prefix: "44".to_owned(), per_part };
    let prices = PriceBook::new(&[price], |_| TENANT).expect("digits");
    let master = MasterKey::from_hex(&"17".repeat(32)).expect("64 digits");
    let keyring = Arc::new(Keyring::new(&master, 0, 1));
    keyring.insert(TENANT, NOW.day(), DataKey::generate(&master, b"riverside").expect("random octets").0);
    let presence = Arc::new(Presence::new(2, 5));
    let intake = Intake::new(keyring.clone(), presence.clone(), Arc::default());
    Ground { rules: Rules { policy, prices }, intake, keyring, presence }
}

fn submission<'a>(rules: &'a Rules, content: Content<'a>) -> Submission<'a> {
    Submission {
        tenant: &rules.policy.tenants()[0],
        to: b"+44 7700 900123",
        to_ton: 0,
        from: b"MyBrand",
        from_ton: 0,
        content,
        service_type: b"",
        esm_class: 0,
        protocol_id: 0,
        priority: 0,
        registered: 1,
        due: None,
        expires: None,
        reference: b"",
        tlvs: b"",
        idempotency: Idempotency::default(),
        http: false,
    }
}

fn text(text: &str) -> Content<'_> {
    Content::Text { text, choice: Choice::Auto, smart: Smart::Strict }
}

fn octets(octets: &[u8], data_coding: u8, esm_class: u8) -> Content<'_> {
    Content::Octets { octets, data_coding, esm_class, segment: false }
}

/// Accepts one submission and gives back what stands in the batch.
fn accepted(ground: &mut Ground, change: impl FnOnce(&mut Submission<'_>), content: Content<'_>) -> (Estimate, Batch) {
    let mut batch = Batch::default();
    let mut submission = submission(&ground.rules, content);
    change(&mut submission);
    let reply = Reply { link: LinkId(3), tag: 9 };
    let estimate = ground.intake.accept(&ground.rules, &submission, reply, NOW, &mut batch).expect("acceptable");
    (estimate, batch)
}

fn spans(batch: &Batch) -> (Accepted<'_>, &[u8]) {
    let [Command::Accept { reply, record, envelope }] = batch.commands[..] else { panic!("{:?}", batch.commands) };
    assert_eq!(reply, Reply { link: LinkId(3), tag: 9 });
    (Accepted::read(record.of(&batch.bytes)).expect("a record"), envelope.of(&batch.bytes))
}

fn refused(ground: &mut Ground, change: impl FnOnce(&mut Submission<'_>), content: Content<'_>) -> Refusal {
    let mut batch = Batch::default();
    let mut submission = submission(&ground.rules, content);
    change(&mut submission);
    let refusal = ground.intake.accept(&ground.rules, &submission, Reply::default(), NOW, &mut batch);
    assert!(batch.is_empty() && batch.bytes.is_empty(), "a refusal leaves nothing behind");
    assert_eq!(ground.intake.preview(&ground.rules, &submission, NOW), refusal, "a preview says the same");
    refusal.expect_err("not acceptable")
}

#[test]
fn the_record_says_what_was_decided_and_the_seal_opens_to_the_envelope() {
    let mut ground = ground(Coding::default());
    let (estimate, batch) = accepted(&mut ground, |_| {}, text("hello"));
    let (record, open) = spans(&batch);
    assert_eq!((record.tenant, record.carrier, record.parts, record.registered), (TENANT, CarrierId(0), 1, 1));
    assert_eq!((record.price_micros, record.flags, record.credit_micros), (26_400, flags::PRICED, i64::MAX));
    assert_eq!((record.due, record.expires), (Timestamp(0), NOW.plus_seconds(3600)));
    assert_eq!(record.number, ground.keyring.number_hash(b"447700900123"));
    assert_eq!(estimate.price.map(|price| price.micros), Some(26_400));
    let mut plain = Vec::new();
    ground.keyring.open(TENANT, record.day, record.sealed, SEAL_CONTEXT, &mut plain).expect("sealed here");
    assert_eq!(plain, open);
    let envelope = Envelope::read(open).expect("an envelope");
    assert_eq!((envelope.source.ton, envelope.source.addr), (5, &b"MyBrand"[..]));
    assert_eq!((envelope.dest.ton, envelope.dest.npi, envelope.dest.addr), (1, 1, &b"447700900123"[..]));
    assert_eq!((envelope.data_coding, envelope.esm_class, envelope.part(0)), (0, 0, Some(&b"hello"[..])));
}

#[test]
fn long_texts_are_cut_and_priced_by_part() {
    let mut ground = ground(Coding::default());
    let long = "a".repeat(400);
    let (estimate, batch) = accepted(&mut ground, |_| {}, text(&long));
    let (record, open) = spans(&batch);
    let envelope = Envelope::read(open).expect("an envelope");
    assert_eq!((estimate.parts, record.parts, envelope.parts, envelope.esm_class), (3, 3, 3, 0x40));
    assert_eq!((record.price_micros, estimate.price.map(|price| price.micros)), (26_400, Some(79_200)));
    let (again, _) = accepted(&mut ground, |_| {}, octets(long.as_bytes(), 0, 0));
    assert_eq!(again.parts, 3, "octets that an ESME encoded are cut like a text");
}

#[test]
fn q67_one_payload_pdu_costs_what_its_parts_cost() {
    let mut ground = ground(Coding { concat: Concat::Payload, ..Coding::default() });
    let ported = [&[6, 0x05, 4, 0, 1, 0, 2][..], &[7; 300]].concat();
    let (estimate, batch) = accepted(&mut ground, |_| {}, octets(&ported, 4, 0x40));
    let (record, open) = spans(&batch);
    let envelope = Envelope::read(open).expect("an envelope");
    assert_eq!((estimate.parts, record.parts, record.price_micros), (3, 1, 79_200), "also behind a header");
    assert_eq!((envelope.carriage, envelope.esm_class, envelope.part(0)), (Carriage::Payload, 0x40, Some(&ported[..])));
    let (estimate, batch) = accepted(&mut ground, |_| {}, text(&"a".repeat(400)));
    let (record, open) = spans(&batch);
    let envelope = Envelope::read(open).expect("an envelope");
    assert_eq!((estimate.parts, record.parts, envelope.parts), (3, 1, 1));
    assert_eq!((record.price_micros, envelope.carriage), (79_200, Carriage::Payload));
}

#[test]
fn national_tables_are_named_in_every_pdu() {
    let turkish = "ş".repeat(200);
    for (concat, carriage, header, parts, pdus) in [
        (Concat::Udh8, Carriage::InBody, &[8, 0, 3, 0, 2, 1, 0x25, 1, 1][..], 2, 2),
        (Concat::Udh16, Carriage::InBody, &[9, 8, 4, 0, 0, 2, 1, 0x25, 1, 1], 2, 2),
        (Concat::Sar, Carriage::Sar, &[3, 0x25, 1, 1], 2, 2),
        (Concat::Payload, Carriage::Payload, &[3, 0x25, 1, 1], 2, 1),
    ] {
        let mut ground = ground(Coding { concat, languages: Languages::ALL, ..Coding::default() });
        let (estimate, batch) = accepted(&mut ground, |_| {}, text(&turkish));
        let envelope = Envelope::read(spans(&batch).1).expect("an envelope");
        assert_eq!((estimate.encoding, estimate.parts, envelope.parts), (Encoding::Gsm7, parts, pdus));
        assert_eq!((envelope.esm_class, envelope.data_coding, envelope.carriage), (0x40, 0, carriage));
        for part in 0..pdus {
            let octets = envelope.part(part).expect("a part");
            let (mut written, mut expected) = (octets[..header.len()].to_vec(), header.to_vec());
            if carriage == Carriage::InBody {
                // The reference is its own in each message; the number of the part stands behind it and the total.
                let reference = if concat == Concat::Udh8 { 3..4 } else { 3..5 };
                expected[reference.end + 1] = part + 1;
                written[reference].fill(0);
            }
            assert_eq!(written, expected, "{concat:?}");
            assert_eq!(octets[header.len()], 0x1D, "ş of the locking table");
        }
        assert_eq!(Tables::of_envelope(&envelope), estimate.tables);
        let (estimate, batch) = accepted(&mut ground, |_| {}, text("ş"));
        let envelope = Envelope::read(spans(&batch).1).expect("an envelope");
        assert_eq!((estimate.parts, envelope.esm_class, envelope.carriage), (1, 0x40, Carriage::InBody));
        assert_eq!(envelope.part(0), Some(&[3, 0x25, 1, 1, 0x1D][..]), "one part names its table as well");
    }
}

#[test]
fn tables_are_used_where_carrier_and_tenant_both_take_them() {
    let encoding = |languages, content: &str| {
        let mut ground = ground(Coding { languages, ..Coding::default() });
        accepted(&mut ground, |_| {}, text(content)).0.encoding
    };
    assert_eq!(encoding(Languages::NONE, "ş"), Encoding::Ucs2);
    assert_eq!(encoding(Languages::NONE.with(1), "ş"), Encoding::Gsm7);
    assert_eq!(
        encoding(Languages::ALL, "õ"),
        Encoding::Ucs2,
        "the carrier takes Portuguese tables, the tenant does not use them"
    );
}

#[test]
fn a_segment_of_the_sender_passes_as_it_is() {
    let mut ground = ground(Coding::default());
    let segment = [&[5, 0, 3, 7, 2, 1][..], &[b'x'; 153]].concat();
    let (estimate, batch) = accepted(&mut ground, |_| {}, octets(&segment, 0, 0x43));
    let envelope = Envelope::read(spans(&batch).1).expect("an envelope");
    assert_eq!((estimate.parts, envelope.esm_class, envelope.part(0)), (1, 0x40, Some(&segment[..])));
    let broken = octets(&[9, 0, 3], 0, 0x40);
    assert_eq!(refused(&mut ground, |_| {}, broken), Refusal::InvalidHeader);
}

#[test]
fn octets_in_our_default_alphabet_become_the_carriers() {
    let mut ground = ground(Coding { link: Link::with_default(Form::Latin1), ..Coding::default() });
    let (estimate, batch) = accepted(&mut ground, |_| {}, octets(&[0x05, b'a'], 0, 0));
    let envelope = Envelope::read(spans(&batch).1).expect("an envelope");
    assert_eq!((estimate.encoding, envelope.data_coding), (Encoding::Latin1, 0));
    assert_eq!(envelope.part(0), Some(&[0xE9, b'a'][..]), "é");
    let (estimate, batch) = accepted(&mut ground, |_| {}, octets(&[0x10], 0, 0));
    let envelope = Envelope::read(spans(&batch).1).expect("an envelope");
    assert_eq!((estimate.encoding, envelope.data_coding), (Encoding::Ucs2, 8), "Δ is not in Latin-1");
    assert_eq!(envelope.part(0), Some(&[0x03, 0x94][..]));
}

#[test]
fn the_first_carrier_that_is_up_is_taken() {
    let mut ground = ground(Coding::default());
    let beta = ground.presence.clone();
    beta.carrier(CarrierId(1)).expect("it exists").came_up(true, true);
    assert_eq!(accepted(&mut ground, |_| {}, text("x")).0.carrier, CarrierId(1));
    beta.carrier(CarrierId(0)).expect("it exists").came_up(true, true);
    assert_eq!(accepted(&mut ground, |_| {}, text("x")).0.carrier, CarrierId(0));
}

#[test]
fn every_reason_to_refuse_has_its_name() {
    let mut ground = ground(Coding::default());
    let hello = || text("hello");
    assert_eq!(refused(&mut ground, |s| s.to = b"123", hello()), Refusal::InvalidDestination);
    assert_eq!(refused(&mut ground, |s| s.to = b"", hello()), Refusal::InvalidDestination);
    assert_eq!(refused(&mut ground, |s| s.from = b"TwelveLetter", hello()), Refusal::InvalidSender);
    assert_eq!(refused(&mut ground, |s| s.expires = Some(NOW), hello()), Refusal::InvalidValidity);
    let far = NOW.plus_seconds(400 * 86_400);
    assert_eq!(refused(&mut ground, |s| s.expires = Some(far), hello()), Refusal::InvalidValidity);
    assert_eq!(refused(&mut ground, |s| s.due = Some(far), hello()), Refusal::InvalidSchedule);
    let gsm7 = Content::Text { text: "aж", choice: Choice::Gsm7, smart: Smart::Strict };
    assert_eq!(refused(&mut ground, |_| {}, gsm7), Refusal::NotInAlphabet { at: 1 });
    let huge = "a".repeat(153 * 299 + 1);
    assert_eq!(refused(&mut ground, |_| {}, text(&huge)), Refusal::TooManyParts { parts: 300 });
    assert_eq!(refused(&mut ground, |s| s.to = b"15550100123", hello()), Refusal::NoRoute);
    assert_eq!(refused(&mut ground, |s| s.to = b"33123456789", hello()), Refusal::NoPrice);
}

#[test]
fn a_message_that_cannot_be_sealed_is_not_taken() {
    let mut ground = ground(Coding::default());
    ground.keyring.forget(NOW.day());
    let mut batch = Batch::default();
    let submission = submission(&ground.rules, text("hello"));
    let refusal = ground.intake.accept(&ground.rules, &submission, Reply::default(), NOW, &mut batch);
    assert_eq!(refusal, Err(Refusal::QueueFull));
    assert!(batch.is_empty() && batch.bytes.is_empty());
}

#[test]
fn optional_parameters_that_an_envelope_cannot_hold_are_refused() {
    // Tag 0 without a value, again and again.
    static TLVS: [u8; 65_536] = [0; 65_536];
    let mut ground = ground(Coding::default());
    let refusal = refused(&mut ground, |submission| submission.tlvs = &TLVS, text("hello"));
    assert!(matches!(refusal, Refusal::Malformed(_)), "{refusal:?}");
    accepted(&mut ground, |submission| submission.tlvs = &TLVS[4..], text("hello"));
}
