//! A receipt's text says what it says or says nothing; what is written reads as it was meant, in the standard's form.

use sluice::smpp::fields::MessageState;
use sluice::smpp::receipt::{NetworkError, Receipt, ReceiptText, is_receipt, receipt_text};
use sluice::smpp::tlv::Tlvs;

use super::octets::Octets;

/// A minute, to which a receipt is written.
const MINUTE_MICROS: u64 = 60_000_000;

/// esm_class, a run of TLVs whose length the second octet tells, then the text.
pub fn body(data: &[u8]) {
    let mut data = Octets::new(data);
    let esm_class = data.octet();
    let tlvs = Tlvs::parse_lossy(data.told());
    let message = data.all();
    let _ = is_receipt(esm_class, &tlvs);
    let text = receipt_text(esm_class, message, tlvs);
    assert!(text.len() <= message.len() || message.is_empty());
    let receipt = Receipt::parse(text, tlvs);
    let _ = receipt.is_final();
    assert!(receipt.extras.iter().take(text.len() + 1).count() <= text.len(), "each label takes octets");
    for value in [receipt.stat, receipt.err, receipt.text] {
        assert!(value.is_none_or(|value| value.len() <= text.len()));
    }
    if let Some(error) = receipt.network_error {
        assert!(NetworkError::of(&error.octets()).is_some());
    }
    written_and_read(&receipt);
}

/// A receipt of ours with these values reads as it was meant.
fn written_and_read(receipt: &Receipt<'_>) {
    let plain = |value: &[u8]| !value.is_empty() && value.iter().all(u8::is_ascii_alphanumeric);
    let id = receipt.id.filter(|id| plain(id)).unwrap_or(b"0a1b");
    let err = receipt.err.filter(|err| plain(err)).unwrap_or(b"000");
    let minute = |micros: Option<u64>| micros.unwrap_or(0) / MINUTE_MICROS % 50_000_000 * MINUTE_MICROS;
    let ours = ReceiptText {
        id,
        sub: receipt.sub.unwrap_or(1).min(999) as u16,
        dlvrd: receipt.dlvrd.unwrap_or(1).min(999) as u16,
        submit_micros: minute(receipt.submit_micros),
        done_micros: minute(receipt.done_micros),
        state: receipt.state.unwrap_or(MessageState::Delivered),
        err,
        text: receipt.text.unwrap_or_default(),
    };
    let mut written = Vec::new();
    ours.write(&mut written);
    assert!(written.len() <= 256 + id.len() + err.len());
    let read = Receipt::parse(&written, Tlvs::NONE);
    assert_eq!((read.id, read.err, read.state), (Some(id), Some(err), Some(ours.state)));
    assert_eq!((read.sub, read.dlvrd), (Some(ours.sub.into()), Some(ours.dlvrd.into())));
}
