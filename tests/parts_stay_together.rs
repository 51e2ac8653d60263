//! The parts of one message go to one carrier, also when that carrier goes away in the middle of it.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use support::esme::Esme;
use support::smsc::{Answer, Smsc, receipt};
use support::{Daemon, eventually, settings};

const MESSAGES: usize = 40;
const PARTS: usize = 3;

/// One for each message, so that a part shows whose it is.
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

#[test]
fn when_a_carrier_hangs_up_and_throttles() {
    // Alpha is the first choice and unreliable: it hangs up on every 17th submit and throttles every 11th.
    let alpha = Smsc::start(|submit| match submit.number {
        n if n % 17 == 0 => Answer::HangUp,
        n if n % 11 == 0 => Answer::Refuse(0x58),
        n => {
            let id = format!("{n:08x}");
            Answer::Take(id.clone(), vec![receipt(&id, "DELIVRD")])
        }
    });
    let beta = Smsc::delivering();
    let config = settings::tenant("riverside", "")
        + &settings::carrier("alpha", alpha.address, "binds = 2\nwindow = 4")
        + &settings::carrier("beta", beta.address, "binds = 2\nwindow = 4")
        + &settings::route(&["alpha", "beta"]);
    let daemon = Daemon::start(&config);
    let mut esme = Esme::riverside(daemon.smpp);
    let mut receipts = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for n in 0..MESSAGES {
        let sequence = esme.submit(&number(n), &"0123456789".repeat(PARTS * 15));
        let response = esme.response_or_receipts(sequence, |text| receipts.extend([id_in(&text)]));
        assert_eq!(response.status, 0, "{response:?}");
        ids.insert(response.message_id());
        if n == MESSAGES / 2 {
            alpha.hang_up();
        }
    }
    while receipts.len() < MESSAGES {
        receipts.insert(id_in(&esme.receipt()));
    }
    assert_eq!(receipts, ids, "one receipt for each message");

    let mut at: BTreeMap<String, BTreeMap<&str, BTreeSet<u8>>> = BTreeMap::new();
    for (name, smsc) in [("alpha", &alpha), ("beta", &beta)] {
        for submit in smsc.submits() {
            assert_eq!(submit.esm_class & 0x40, 0x40, "each part says that it is one");
            let part = submit.octets[usize::from(submit.octets[0])];
            at.entry(submit.to).or_default().entry(name).or_default().insert(part);
        }
    }
    assert_eq!(at.len(), MESSAGES);
    for (to, carriers) in &at {
        assert_eq!(carriers.len(), 1, "{to} was split over carriers: {carriers:?}");
        let parts = carriers.values().next().expect("one carrier");
        assert_eq!(parts.iter().copied().collect::<Vec<u8>>(), [1, 2, 3], "{to} is complete");
    }
}

#[test]
fn all_parts_carry_one_reference() {
    let smsc = Smsc::delivering();
    let daemon = Daemon::start(&settings::one_carrier(smsc.address, "binds = 4"));
    let mut esme = Esme::riverside(daemon.smpp);
    for letter in LETTERS.chars().take(MESSAGES) {
        // All to one number: there the references must also differ from message to message.
        let text = letter.to_string().repeat(PARTS * 150);
        let sequence = esme.submit(&number(0), &text);
        assert_eq!(esme.response_or_receipts(sequence, |_| ()).status, 0);
    }
    let submits = eventually("all parts arrive", || {
        let submits = smsc.submits();
        (submits.len() == MESSAGES * PARTS).then_some(submits)
    });
    let mut references: BTreeMap<Vec<u8>, BTreeSet<u8>> = BTreeMap::new();
    for submit in submits {
        let header = usize::from(submit.octets[0]) + 1;
        let reference = submit.octets[3..header - 2].to_vec();
        references.entry(reference).or_default().insert(submit.octets[header]);
    }
    assert_eq!(references.len(), MESSAGES, "one reference for each message");
    assert!(references.values().all(|letters| letters.len() == 1), "shared by two messages: {references:?}");
}

fn number(n: usize) -> String {
    format!("4477009{n:05}")
}

fn id_in(text: &str) -> String {
    text.split(' ').find_map(|word| word.strip_prefix("id:")).unwrap_or_default().to_owned()
}
