//! A run of TLVs is whole or its fault is at a known place; what is read of it is written again as it was.

use sluice::smpp::tlv::{TlvWriter, Tlvs};
use sluice::smpp::validate::validate_tlvs;

/// Octets of a tag and its length.
const HEAD_OCTETS: usize = 4;

/// The data is a run of TLVs.
pub fn body(data: &[u8]) {
    let lossy = Tlvs::parse_lossy(data);
    match Tlvs::parse(data) {
        Ok(tlvs) => {
            assert_eq!(tlvs, lossy);
            assert!(data.len() - tlvs.octets().len() <= 1, "but for a lone NUL all is taken");
        }
        Err(error) => {
            assert_eq!(lossy.octets(), &data[..error.good_octets]);
            assert!(error.good_octets < data.len());
        }
    }
    let mut octets = Vec::new();
    let mut writer = TlvWriter::new(&mut octets);
    for tlv in lossy {
        writer.octets(tlv.tag, tlv.value);
    }
    assert_eq!(writer.finish().octets(), lossy.octets());
    assert!(lossy.iter().count() <= data.len() / HEAD_OCTETS);
    assert_eq!(lossy.is_empty(), lossy.iter().next().is_none());
    for tlv in lossy.iter().take(64) {
        let first = lossy.get(tlv.tag).expect("it is there");
        let text = lossy.get_text(tlv.tag).expect("it is there");
        assert!(first.starts_with(text) && !text.contains(&0));
        assert_eq!(lossy.get_u8(tlv.tag).is_some(), first.len() == 1);
        assert_eq!(lossy.get_u16(tlv.tag).is_some(), first.len() == 2);
        let _ = tlv.tag.name();
    }
    let _ = validate_tlvs(&lossy);
}
