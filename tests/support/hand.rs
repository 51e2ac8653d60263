//! A carrier that is played by hand: the test sees every submit_sm and says every word, PDU by PDU, on connections that
//! it accepts one by one.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::esme::{
    BIND_RECEIVER, BIND_TRANSCEIVER, BIND_TRANSMITTER, DELIVER_SM, ENQUIRE_LINK, Esme, Next, Pdu, RESPONSE, SUBMIT_SM,
};
use super::{Daemon, http, settings};

/// Where the daemon binds.
pub(crate) struct Exchange {
    pub(crate) address: SocketAddr,
    listener: TcpListener,
}

/// One bind of the daemon.
pub(crate) struct Hand {
    pub(crate) link: Esme,
    /// The command of its bind.
    pub(crate) bound_as: u32,
}

impl Exchange {
    /// Listens on a free port.
    pub(crate) fn open() -> Exchange {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        Exchange { address: listener.local_addr().expect("a bound listener has an address"), listener }
    }

    /// Waits for the next connection and accepts its bind.
    pub(crate) fn accept(&self) -> Hand {
        let (stream, _) = self.listener.accept().expect("the daemon connects");
        let mut hand = Hand { link: Esme::over(stream), bound_as: 0 };
        let bind = hand.request();
        hand.bound_as = bind.command;
        assert!([BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER].contains(&bind.command), "{bind:?}");
        // sc_interface_version 3.4, so that parameters are taken.
        hand.respond(&bind, 0, b"smsc\0\x02\x10\0\x01\x34");
        hand
    }
}

impl Hand {
    /// The next request of the daemon.
    pub(crate) fn request(&mut self) -> Pdu {
        loop {
            match self.link.next() {
                Next::Pdu(pdu) if pdu.command & RESPONSE == 0 => return pdu,
                Next::Pdu(_) => {}
                Next::Closed => panic!("closed instead of a request"),
            }
        }
    }

    /// The next submit_sm, unanswered.
    pub(crate) fn submit(&mut self) -> Pdu {
        let pdu = self.request();
        assert_eq!(pdu.command, SUBMIT_SM, "{pdu:?}");
        pdu
    }

    /// Answers a request.
    pub(crate) fn respond(&mut self, request: &Pdu, status: u32, body: &[u8]) {
        let command = request.command | RESPONSE;
        self.link.send(&Pdu { command, status, sequence: request.sequence, body: body.to_vec() });
    }

    /// Waits for a submit_sm and takes it under this id.
    pub(crate) fn take(&mut self, id: &str) -> Pdu {
        let submit = self.submit();
        self.respond(&submit, 0, &[id.as_bytes(), b"\0"].concat());
        submit
    }

    /// Sends a deliver_sm and returns the response to it.
    pub(crate) fn deliver(&mut self, deliver: &Deliver<'_>) -> Pdu {
        let sequence = self.link.request(DELIVER_SM, &deliver.body());
        let response = self.link.response_to(sequence);
        assert_eq!(response.command, DELIVER_SM | RESPONSE, "{response:?}");
        response
    }

    /// Sends a receipt of this text about the number that the tests send to; it must be taken.
    pub(crate) fn report(&mut self, text: &str) {
        let response = self.deliver(&Deliver { text: text.as_bytes(), ..Deliver::default() });
        assert_eq!(response.status, 0, "{text}");
    }
}

/// What a deliver_sm says. At rest it is a receipt without a text, from [`TO`] to `Riverside`.
#[derive(Clone, Copy)]
pub(crate) struct Deliver<'a> {
    pub(crate) from: (u8, u8, &'a str),
    pub(crate) to: (u8, u8, &'a str),
    pub(crate) esm_class: u8,
    pub(crate) text: &'a [u8],
    /// Parameters as on the wire.
    pub(crate) tlvs: &'a [u8],
}

/// The number that the tests send to unless it matters.
pub(crate) const TO: &str = "447700900123";

impl Default for Deliver<'_> {
    fn default() -> Self {
        Deliver { from: (1, 1, TO), to: (5, 0, "Riverside"), esm_class: 4, text: b"", tlvs: b"" }
    }
}

impl Deliver<'_> {
    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = vec![0];
        for (ton, npi, address) in [self.from, self.to] {
            body.extend_from_slice(&[ton, npi]);
            body.extend_from_slice(address.as_bytes());
            body.push(0);
        }
        body.extend_from_slice(&[self.esm_class, 0, 0, 0, 0, 0, 0, 0, 0]);
        body.push(u8::try_from(self.text.len()).expect("a receipt is short"));
        body.extend_from_slice(self.text);
        body.extend_from_slice(self.tlvs);
        body
    }
}

/// A parameter as on the wire.
pub(crate) fn tlv(tag: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).expect("a parameter holds 64 KiB");
    [&tag.to_be_bytes()[..], &length.to_be_bytes(), value].concat()
}

/// The tenant `riverside` bound to a daemon, and the one bind of its carrier in the hand of the test.
pub(crate) struct Road {
    pub(crate) daemon: Daemon,
    pub(crate) exchange: Exchange,
    pub(crate) carrier: Hand,
    pub(crate) esme: Esme,
}

impl Road {
    /// With these further lines for the carrier.
    pub(crate) fn open(further: &str) -> Road {
        Road::with(further, "")
    }

    /// With these further lines for the carrier and for the tenant.
    pub(crate) fn with(carrier: &str, tenant: &str) -> Road {
        let exchange = Exchange::open();
        let config = settings::tenant("riverside", tenant)
            + &settings::carrier("alpha", exchange.address, carrier)
            + &settings::route(&["alpha"]);
        let daemon = Daemon::start(&config);
        let carrier = exchange.accept();
        let esme = Esme::riverside(daemon.smpp);
        Road { daemon, exchange, carrier, esme }
    }

    /// Sends a message to this number, which the carrier takes under its own id, and returns ours.
    pub(crate) fn sent(&mut self, to: &str, carrier_id: &str) -> String {
        let sequence = self.esme.submit(to, "hello");
        self.carrier.take(carrier_id);
        let response = self.esme.response_in_any_order(sequence);
        assert_eq!(response.status, 0, "{response:?}");
        response.message_id()
    }

    /// Where a message of ours stands, in the words of the HTTP interface.
    pub(crate) fn state(&self, id: &str) -> String {
        let answer = http::get(self.daemon.http, &format!("/v1/messages/{id}"), Some("riverside-key"));
        answer.body["state"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }

    /// The next receipt of the tenant, which must be of this message and in this state.
    pub(crate) fn told(&mut self, id: &str, stat: &str) {
        let text = self.esme.receipt();
        assert!(
            text.starts_with(&format!("id:{id} ")) && text.contains(&format!(" stat:{stat} ")),
            "{id} {stat}: {text}"
        );
    }

    /// Nothing more has come for the tenant when its probe is answered.
    pub(crate) fn silent(&mut self) {
        let sequence = self.esme.request(ENQUIRE_LINK, &[]);
        match self.esme.next() {
            Next::Pdu(pdu) => assert_eq!((pdu.command, pdu.sequence), (ENQUIRE_LINK | RESPONSE, sequence), "{pdu:?}"),
            Next::Closed => panic!("closed"),
        }
    }
}

/// A receipt's text with this id and state.
pub(crate) fn text(id: &str, stat: &str) -> String {
    format!("id:{id} sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 stat:{stat} err:000 text:")
}
