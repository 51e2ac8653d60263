//! submit_sm and data_sm of an ESME as submissions: checked field by field, with the optional parameters that are passed on.

use crate::admission::tenant::Tenant;
use crate::fact::Idempotency;
use crate::ingress::accept::Submission;
use crate::ingress::parts::Content;
use crate::message::Timestamp;
use crate::smpp::fields::{ESM_REPLY_PATH, ESM_UDHI};
use crate::smpp::pdu::{DataSm, SubmitSm};
use crate::smpp::status::CommandStatus;
use crate::smpp::tag::Tag;
use crate::smpp::tlv::{TlvWriter, Tlvs};
use crate::smpp::validate::{validate_data, validate_submit};

const SAR_TAGS: [Tag; 3] = [Tag::SAR_MSG_REF_NUM, Tag::SAR_TOTAL_SEGMENTS, Tag::SAR_SEGMENT_SEQNUM];

/// The submission of a submit_sm, or the status that says which field is wrong. `scratch` holds the parameters that are passed on.
pub fn of_submit<'a>(
    sm: &SubmitSm<'a>,
    tenant: &'a Tenant,
    now: Timestamp,
    scratch: &'a mut Vec<u8>,
) -> Result<Submission<'a>, CommandStatus> {
    let times = validate_submit(sm, u64::try_from(now.0).unwrap_or(0))?;
    let payload = sm.tlvs.get(Tag::MESSAGE_PAYLOAD);
    if sm.sm_default_msg_id != 0 && sm.short_message.is_empty() && payload.is_none() {
        return Err(CommandStatus::RINVDFTMSGID);
    }
    let octets = if sm.short_message.is_empty() { payload.unwrap_or_default() } else { sm.short_message };
    let at = |micros: Option<u64>| micros.and_then(|micros| i64::try_from(micros).ok()).map(Timestamp);
    Ok(Submission {
        tenant,
        to: sm.dest.addr,
        to_ton: sm.dest.ton,
        from: sm.source.addr,
        from_ton: sm.source.ton,
        content: content(octets, sm.data_coding, sm.esm_class, &sm.tlvs),
        service_type: sm.service_type,
        esm_class: sm.esm_class & ESM_REPLY_PATH,
        protocol_id: sm.protocol_id,
        priority: sm.priority_flag,
        registered: sm.registered_delivery,
        due: at(times.schedule_micros),
        expires: at(times.validity_micros),
        reference: b"",
        tlvs: passed_on(sm.tlvs, sm.esm_class, scratch),
        idempotency: Idempotency::default(),
        http: false,
    })
}

/// The submission of a data_sm: its text is in message_payload.
pub fn of_data<'a>(
    sm: &DataSm<'a>,
    tenant: &'a Tenant,
    scratch: &'a mut Vec<u8>,
) -> Result<Submission<'a>, CommandStatus> {
    validate_data(sm)?;
    let octets = sm.tlvs.get(Tag::MESSAGE_PAYLOAD).unwrap_or_default();
    Ok(Submission {
        tenant,
        to: sm.dest.addr,
        to_ton: sm.dest.ton,
        from: sm.source.addr,
        from_ton: sm.source.ton,
        content: content(octets, sm.data_coding, sm.esm_class, &sm.tlvs),
        service_type: sm.service_type,
        esm_class: sm.esm_class & ESM_REPLY_PATH,
        protocol_id: 0,
        priority: 0,
        registered: sm.registered_delivery,
        due: None,
        expires: None,
        reference: b"",
        tlvs: passed_on(sm.tlvs, sm.esm_class, scratch),
        idempotency: Idempotency::default(),
        http: false,
    })
}

fn content<'a>(octets: &'a [u8], data_coding: u8, esm_class: u8, tlvs: &Tlvs<'_>) -> Content<'a> {
    let segment = !tlvs.is_empty() && tlvs.get(Tag::SAR_TOTAL_SEGMENTS).is_some();
    Content::Octets { octets, data_coding, esm_class, segment }
}

/// All optional parameters but message_payload, which becomes the text; and of two ways to tie segments together the header stays
/// (quirk Q62).
fn passed_on<'a>(tlvs: Tlvs<'a>, esm_class: u8, scratch: &'a mut Vec<u8>) -> &'a [u8] {
    let header = esm_class & ESM_UDHI != 0;
    let dropped = |tag: Tag| tag == Tag::MESSAGE_PAYLOAD || (header && SAR_TAGS.contains(&tag));
    if !tlvs.iter().any(|tlv| dropped(tlv.tag)) {
        return tlvs.octets();
    }
    scratch.clear();
    let mut writer = TlvWriter::new(scratch);
    for tlv in tlvs.iter().filter(|tlv| !dropped(tlv.tag)) {
        writer.octets(tlv.tag, tlv.value);
    }
    writer.finish().octets()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlvs<'a>(octets: &'a mut Vec<u8>, payload: &[u8]) -> Tlvs<'a> {
        let mut writer = TlvWriter::new(octets);
        writer.u8(Tag::SAR_TOTAL_SEGMENTS, 2).octets(Tag::MESSAGE_PAYLOAD, payload).octets(Tag(0x1400), b"7");
        writer.finish()
    }

    #[test]
    fn what_is_not_the_text_is_passed_on() {
        let (mut octets, mut scratch) = (Vec::new(), Vec::new());
        let tlvs = tlvs(&mut octets, b"long");
        let tags = |passed: &[u8]| -> Vec<u16> {
            Tlvs::parse(passed).expect("whole TLVs").iter().map(|tlv| tlv.tag.0).collect()
        };
        assert_eq!(tags(passed_on(tlvs, 0, &mut scratch)), [0x020E, 0x1400]);
        assert_eq!(tags(passed_on(tlvs, 0x40, &mut scratch)), [0x1400], "a header and sar_* are never sent together");
        assert!(passed_on(Tlvs::NONE, 0, &mut scratch).is_empty());
    }
}
