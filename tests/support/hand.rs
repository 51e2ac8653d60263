//! A carrier that is played by hand: the test sees every submit_sm and says every word, PDU by PDU, on connections that
//! it accepts one by one.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::esme::{
    BIND_RECEIVER, BIND_TRANSCEIVER, BIND_TRANSMITTER, DELIVER_SM, Esme, Next, Pdu, RESPONSE, SUBMIT_SM,
};

/// Where the daemon binds.
pub(crate) struct Exchange {
    pub(crate) address: SocketAddr,
    listener: TcpListener,
}

/// One bind of the daemon.
pub(crate) struct Hand {
    pub(crate) link: Esme,
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
        let mut hand = Hand { link: Esme::over(stream) };
        let bind = hand.request();
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
