//! A million PDUs of every command survive: encode(decode(b)) = b for octets that were laid out by the table of commands,
//! and decode(encode(x)) = x for the values read from them and for values put together here.

mod layouts;

use layouts::{Layout, Random, TlvLayout, layouts, tlv_layouts};
use sluice::smpp::address::Address;
use sluice::smpp::command::CommandId;
use sluice::smpp::decode::decode;
use sluice::smpp::destinations::{Destination, Destinations};
use sluice::smpp::encode::encode;
use sluice::smpp::frame::{PDU_OCTETS_MAX_DEFAULT, frame};
use sluice::smpp::pdu::{Bind, BindResp, Body, DataSm, Pdu, SubmitMulti, SubmitSm, SubmitSmResp};
use sluice::smpp::status::CommandStatus;
use sluice::smpp::tag::Tag;
use sluice::smpp::tlv::{TlvWriter, Tlvs};

const LAID_OUT: usize = 500_000;
const PUT_TOGETHER: usize = 500_000;

#[test]
fn what_was_read_is_written_as_it_was() {
    let (layouts, known_tlvs) = (layouts(), tlv_layouts());
    assert_eq!(layouts.len(), CommandId::all().count() - 5, "all but four of a vendor and query_msg_details_resp");
    let mut random = Random(0x51_0C_E0_01);
    let (mut tlvs, mut octets, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..LAID_OUT {
        let layout = &layouts[turn % layouts.len()];
        octets.clear();
        lay_out(layout, &known_tlvs, &mut random, &mut tlvs, &mut octets);
        assert_eq!(frame(&octets, PDU_OCTETS_MAX_DEFAULT), Ok(Some(octets.len())));
        let pdu = decode(&octets).unwrap_or_else(|error| panic!("{} {error:?}: {octets:02X?}", layout.name));
        assert!(!matches!(pdu.body, Body::Unknown { .. }), "{} is known", layout.name);
        again.clear();
        encode(&pdu, &mut again);
        assert!(again == octets, "{}: {octets:02X?} became {again:02X?}", layout.name);
    }
}

fn lay_out(layout: &Layout, known_tlvs: &[TlvLayout], random: &mut Random, tlvs: &mut Vec<u8>, octets: &mut Vec<u8>) {
    tlvs.clear();
    if layout.takes_tlvs() && random.once_in(2) {
        for _ in 0..random.between(1, 3) {
            known_tlvs[random.between(0, known_tlvs.len() - 1)].write(random, tlvs);
        }
        if random.once_in(4) {
            TlvWriter::new(tlvs).u32(Tag(0x1400 | random.next() as u16), 7);
        }
    }
    layout.write(random, tlvs, octets);
}

#[test]
fn what_was_written_is_read_as_it_was() {
    let mut random = Random(0x51_0C_E0_02);
    let pool: Vec<u8> = (0..4_096).map(|_| random.next() as u8).collect();
    let letters: Vec<u8> = pool.iter().map(|octet| octet.saturating_sub(1) + 1).collect();
    let (mut tlvs, mut dests, mut octets) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..PUT_TOGETHER {
        tlvs.clear();
        dests.clear();
        let mut source = Source { random: &mut random, pool: &pool, letters: &letters };
        let body = source.body(turn, &mut tlvs, &mut dests);
        let pdu = Pdu { status: CommandStatus(source.random.next() as u32), sequence: turn as u32, body };
        octets.clear();
        encode(&pdu, &mut octets);
        let read = decode(&octets);
        assert!(read == Ok(pdu), "{pdu:?} became {read:?}");
    }
}

/// Where values come from.
struct Source<'a> {
    random: &'a mut Random,
    /// Any octets, and the same without a NUL.
    pool: &'a [u8],
    letters: &'a [u8],
}

impl<'a> Source<'a> {
    fn octet(&mut self) -> u8 {
        self.random.next() as u8
    }

    fn octets(&mut self, octets_max: usize) -> &'a [u8] {
        let octets = self.random.between(0, octets_max);
        let start = self.random.between(0, self.pool.len() - octets);
        &self.pool[start..start + octets]
    }

    /// A C-octet string of at most so many octets, without its NUL.
    fn text(&mut self, octets_max: usize) -> &'a [u8] {
        let octets = self.random.between(0, octets_max);
        let start = self.random.between(0, self.letters.len() - octets);
        &self.letters[start..start + octets]
    }

    fn address(&mut self, octets_max: usize) -> Address<'a> {
        Address { ton: self.octet(), npi: self.octet(), addr: self.text(octets_max) }
    }

    fn message(&mut self, tlvs: Tlvs<'a>) -> SubmitSm<'a> {
        SubmitSm {
            service_type: self.text(5),
            source: self.address(20),
            dest: self.address(20),
            esm_class: self.octet(),
            protocol_id: self.octet(),
            priority_flag: self.octet(),
            schedule_delivery_time: self.text(16),
            validity_period: self.text(16),
            registered_delivery: self.octet(),
            replace_if_present_flag: self.octet(),
            data_coding: self.octet(),
            sm_default_msg_id: self.octet(),
            short_message: self.octets(255),
            tlvs,
        }
    }

    fn multi(&mut self, dests: Destinations<'a>, tlvs: Tlvs<'a>) -> SubmitMulti<'a> {
        let message = self.message(tlvs);
        SubmitMulti {
            service_type: message.service_type,
            source: message.source,
            dests,
            esm_class: message.esm_class,
            protocol_id: message.protocol_id,
            priority_flag: message.priority_flag,
            schedule_delivery_time: message.schedule_delivery_time,
            validity_period: message.validity_period,
            registered_delivery: message.registered_delivery,
            replace_if_present_flag: message.replace_if_present_flag,
            data_coding: message.data_coding,
            sm_default_msg_id: message.sm_default_msg_id,
            short_message: message.short_message,
            tlvs,
        }
    }

    fn bind(&mut self) -> Bind<'a> {
        Bind {
            system_id: self.text(15),
            password: self.text(8),
            system_type: self.text(12),
            interface_version: self.octet(),
            addr_ton: self.octet(),
            addr_npi: self.octet(),
            address_range: self.text(40),
        }
    }

    fn body(&mut self, turn: usize, tlvs: &'a mut Vec<u8>, dests: &'a mut Vec<u8>) -> Body<'a> {
        let mut writer = TlvWriter::new(tlvs);
        for _ in 0..self.random.between(0, 3) {
            writer.octets(Tag(self.random.next() as u16), self.octets(60));
        }
        let tlvs = writer.finish();
        let message_id = Some(self.text(64));
        let resp = SubmitSmResp { message_id, tlvs };
        match turn % 12 {
            0..=2 => Body::SubmitSm(self.message(tlvs)),
            3..=4 => Body::DeliverSm(self.message(tlvs)),
            5 => Body::SubmitSmResp(resp),
            6 => Body::DeliverSmResp(resp),
            7 => Body::DataSmResp(SubmitSmResp { message_id: None, tlvs: Tlvs::NONE }),
            8 => Body::BindTransceiver(self.bind()),
            9 => Body::BindTransceiverResp(BindResp { system_id: Some(self.text(15)), tlvs }),
            10 => {
                let (device, list) = (Destination::Sme(self.address(20)), Destination::List(self.text(20)));
                let dests = Destinations::write(&[device, list, device], dests);
                Body::SubmitMulti(self.multi(dests, tlvs))
            }
            _ => Body::DataSm(DataSm {
                service_type: self.text(5),
                source: self.address(64),
                dest: self.address(64),
                esm_class: self.octet(),
                registered_delivery: self.octet(),
                data_coding: self.octet(),
                tlvs,
            }),
        }
    }
}
