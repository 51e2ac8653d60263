//! A bind that carries nothing but probes for as long as `[smpp] idle_timeout` says is ended in order.

mod support;

use support::esme::{Esme, Next, UNBIND};
use support::{Daemon, settings, silent_address};

#[test]
fn an_idle_bind_is_unbound_and_closed() {
    let config = "[smpp]\nlisten = \"127.0.0.1:0\"\nidle_timeout = \"1s\"\n\n".to_owned()
        + &settings::one_carrier(silent_address(), "");
    let daemon = Daemon::start(&config);
    let mut esme = Esme::riverside(daemon.smpp);
    assert!(esme.is_alive(), "it is bound");
    assert!(matches!(esme.next(), Next::Pdu(pdu) if pdu.command == UNBIND));
    assert_eq!(esme.next(), Next::Closed);
}
