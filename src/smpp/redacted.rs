//! How PDUs look in a log or a panic: commands, flags and lengths, never a number, a text or a password.

use core::fmt;

use crate::smpp::address::Address;
use crate::smpp::pdu::{Bind, Body, Outbind, ReplaceSm, SubmitMulti, SubmitSm};
use crate::smpp::receipt::{Receipt, ReceiptText};
use crate::smpp::tlv::Tlv;

/// Stands for octets that are not shown.
struct Hidden(usize);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets", self.0)
    }
}

/// Octets that may be shown: names and ids.
struct Shown<'a>(&'a [u8]);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl fmt::Debug for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} {:?}", self.ton, self.npi, Hidden(self.addr.len()))
    }
}

impl fmt::Debug for Tlv<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.tag, Hidden(self.value.len()))
    }
}

/// The kinds of body whose own `Debug` is worth its length are shown whole, the others by their name.
impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = self.command();
        match self {
            Body::SubmitSm(message) | Body::DeliverSm(message) => write!(f, "{command} {message:?}"),
            Body::SubmitSmResp(resp) | Body::DeliverSmResp(resp) => write!(f, "{command} {resp:?}"),
            Body::BindReceiver(bind) | Body::BindTransmitter(bind) | Body::BindTransceiver(bind) => {
                write!(f, "{command} {bind:?}")
            }
            Body::Unknown { body, .. } => write!(f, "{command} {:?}", Hidden(body.len())),
            _ => write!(f, "{command}"),
        }
    }
}

impl fmt::Debug for Bind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bind")
            .field("system_id", &Shown(self.system_id))
            .field("interface_version", &self.interface_version)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Outbind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbind").field("system_id", &Shown(self.system_id)).finish_non_exhaustive()
    }
}

impl fmt::Debug for SubmitSm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("source", &self.source)
            .field("dest", &self.dest)
            .field("esm_class", &self.esm_class)
            .field("registered_delivery", &self.registered_delivery)
            .field("data_coding", &self.data_coding)
            .field("short_message", &Hidden(self.short_message.len()))
            .field("tlvs", &self.tlvs)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SubmitMulti<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmitMulti")
            .field("source", &self.source)
            .field("dests", &self.dests.count())
            .field("short_message", &Hidden(self.short_message.len()))
            .field("tlvs", &self.tlvs)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ReplaceSm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplaceSm")
            .field("source", &self.source)
            .field("short_message", &Hidden(self.short_message.len()))
            .field("tlvs", &self.tlvs)
            .finish_non_exhaustive()
    }
}

/// Without a known state this may be somebody's message that only looks like a receipt, so its words are not shown.
impl fmt::Debug for Receipt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |octets: &Option<&[u8]>| octets.filter(|_| self.state.is_some()).is_some();
        let mut shown = f.debug_struct("Receipt");
        shown.field("state", &self.state);
        for (name, octets) in [("id", &self.id), ("stat", &self.stat), ("err", &self.err)] {
            if known(octets) {
                shown.field(name, &octets.map(Shown));
            }
        }
        shown.field("text", &self.text.map(|text| Hidden(text.len()))).finish_non_exhaustive()
    }
}

impl fmt::Debug for ReceiptText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiptText")
            .field("id", &Shown(self.id))
            .field("state", &self.state)
            .field("err", &Shown(self.err))
            .field("text", &Hidden(self.text.len()))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::smpp::address::Address;
    use crate::smpp::pdu::{Bind, Body, DataSm, Outbind, ReplaceSm, SubmitSm};
    use crate::smpp::receipt::Receipt;
    use crate::smpp::tag::Tag;
    use crate::smpp::tlv::{TlvWriter, Tlvs};

    #[test]
    fn no_number_text_or_password_is_shown() {
        let address = Address { ton: 1, npi: 1, addr: b"secret" };
        let mut buffer = Vec::new();
        let mut writer = TlvWriter::new(&mut buffer);
        writer.octets(Tag::MESSAGE_PAYLOAD, b"secret");
        let tlvs = writer.finish();
        let message =
            SubmitSm { source: address, dest: address, short_message: b"secret", tlvs, ..SubmitSm::default() };
        let replace = ReplaceSm {
            message_id: b"1",
            source: address,
            schedule_delivery_time: b"",
            validity_period: b"",
            registered_delivery: 0,
            sm_default_msg_id: 0,
            short_message: b"secret",
            tlvs,
        };
        let bind = Bind { system_id: b"esme01", password: b"secret", ..Bind::default() };
        let receipt = Receipt::parse(b"id:1 stat:DELIVRD err:000 to:secret text:secret", Tlvs::NONE);
        assert!(format!("{receipt:?}").contains("\"DELIVRD\""));
        let looks_alike = Receipt::parse(b"id:secret stat:secret err:secret", Tlvs::NONE);
        let data = DataSm { source: address, dest: address, tlvs, ..DataSm::default() };
        let octets = "115, 101, 99, 114";
        for shown in [
            format!("{:?}", Body::SubmitSm(message)),
            format!("{:?}", Body::ReplaceSm(replace)),
            format!("{replace:?} {bind:?} {receipt:?} {looks_alike:?} {data:?} {:?}", receipt.extras),
            format!("{:?} {:?}", Body::BindReceiver(bind), Outbind { system_id: b"smsc", password: b"secret" }),
        ] {
            assert!(!shown.contains("secret") && !shown.contains(octets), "{shown}");
        }
    }
}
