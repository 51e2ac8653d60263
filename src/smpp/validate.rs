//! Field by field: what a message centre refuses in a message that could be read, and with which status. What the
//! standard leaves open is accepted, because a refusal costs the sender a message.

use crate::smpp::address::Address;
use crate::smpp::destinations::Destination;
use crate::smpp::fields::{ESM_UDHI, MessageType};
use crate::smpp::pdu::{DataSm, ReplaceSm, SubmitMulti, SubmitSm};
use crate::smpp::status::CommandStatus;
use crate::smpp::tag::Tag;
use crate::smpp::time::{ParsedTime, parse_time};
use crate::smpp::tlv::Tlvs;

/// The two times of a message, read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Times {
    /// When to send it, in microseconds since 1970 (may lie in the past: at once). None: at once.
    pub schedule_micros: Option<u64>,
    /// Until when it may be delivered. None: not said.
    pub validity_micros: Option<u64>,
}

/// Checks a submit_sm and reads its times, in the order of its fields; the first fault decides. A relative validity
/// counts from the time of sending, so from the schedule if there is one.
pub fn validate_submit(message: &SubmitSm<'_>, now_micros: u64) -> Result<Times, CommandStatus> {
    validate_source(&message.source)?;
    validate_dest(&message.dest)?;
    validate_esm_class(message.esm_class)?;
    let times = validate_flags(
        [message.priority_flag, message.registered_delivery, message.replace_if_present_flag, message.data_coding],
        [message.schedule_delivery_time, message.validity_period],
        now_micros,
    )?;
    validate_tlvs(&message.tlvs)?;
    validate_text(message.esm_class, message.data_coding, message.short_message, &message.tlvs)?;
    Ok(times)
}

/// As [`validate_submit`]. Each device is checked; a distribution list is only a name.
pub fn validate_submit_multi(message: &SubmitMulti<'_>, now_micros: u64) -> Result<Times, CommandStatus> {
    validate_source(&message.source)?;
    for destination in message.dests.iter() {
        match destination {
            Destination::Sme(address) => validate_dest(&address)?,
            Destination::List([]) => return Err(CommandStatus::RINVDLNAME),
            Destination::List(_) => {}
        }
    }
    validate_esm_class(message.esm_class)?;
    let times = validate_flags(
        [message.priority_flag, message.registered_delivery, message.replace_if_present_flag, message.data_coding],
        [message.schedule_delivery_time, message.validity_period],
        now_micros,
    )?;
    validate_tlvs(&message.tlvs)?;
    validate_text(message.esm_class, message.data_coding, message.short_message, &message.tlvs)?;
    Ok(times)
}

/// Checks a data_sm of an ESME.
pub fn validate_data(message: &DataSm<'_>) -> Result<(), CommandStatus> {
    validate_source(&message.source)?;
    validate_dest(&message.dest)?;
    validate_esm_class(message.esm_class)?;
    validate_registered_delivery(message.registered_delivery)?;
    validate_data_coding(message.data_coding)?;
    validate_tlvs(&message.tlvs)?;
    validate_text(message.esm_class, message.data_coding, &[], &message.tlvs)
}

/// Checks a replace_sm and reads its times.
pub fn validate_replace(message: &ReplaceSm<'_>, now_micros: u64) -> Result<Times, CommandStatus> {
    validate_registered_delivery(message.registered_delivery)?;
    validate_tlvs(&message.tlvs)?;
    if !message.short_message.is_empty() && message.tlvs.get(Tag::MESSAGE_PAYLOAD).is_some() {
        return Err(CommandStatus::RINVMSGLEN);
    }
    validate_times(message.schedule_delivery_time, message.validity_period, now_micros)
}

/// Every TLV with a name has a length that the standards allow (rule R11), and segment numbers make sense (R12).
pub fn validate_tlvs(tlvs: &Tlvs<'_>) -> Result<(), CommandStatus> {
    if tlvs.is_empty() {
        return Ok(());
    }
    for tlv in tlvs.iter() {
        if let Some((octets_min, octets_max)) = tlv.tag.octets_range()
            && !(usize::from(octets_min)..=usize::from(octets_max)).contains(&tlv.value.len())
        {
            return Err(CommandStatus::RINVTLVLEN);
        }
    }
    let (total, segment) = (tlvs.get_u8(Tag::SAR_TOTAL_SEGMENTS), tlvs.get_u8(Tag::SAR_SEGMENT_SEQNUM));
    if total == Some(0)
        || segment == Some(0)
        || matches!((total, segment), (Some(total), Some(segment)) if segment > total)
    {
        return Err(CommandStatus::RINVTLVVAL);
    }
    Ok(())
}

fn validate_source(address: &Address<'_>) -> Result<(), CommandStatus> {
    if !ton_is_known(address.ton) {
        return Err(CommandStatus::RINVSRCTON);
    }
    if !npi_is_known(address.npi) {
        return Err(CommandStatus::RINVSRCNPI);
    }
    Ok(())
}

fn validate_dest(address: &Address<'_>) -> Result<(), CommandStatus> {
    if !ton_is_known(address.ton) {
        return Err(CommandStatus::RINVDSTTON);
    }
    if !npi_is_known(address.npi) {
        return Err(CommandStatus::RINVDSTNPI);
    }
    if address.addr.is_empty() {
        return Err(CommandStatus::RINVDSTADR);
    }
    Ok(())
}

/// SMPP 3.4 section 5.2.5.
fn ton_is_known(ton: u8) -> bool {
    ton <= 6
}

/// SMPP 3.4 section 5.2.6.
fn npi_is_known(npi: u8) -> bool {
    matches!(npi, 0 | 1 | 3 | 4 | 6 | 8 | 9 | 10 | 14 | 18)
}

fn validate_esm_class(esm_class: u8) -> Result<(), CommandStatus> {
    match MessageType::of(esm_class) {
        MessageType::Reserved => Err(CommandStatus::RINVESMCLASS),
        _ => Ok(()),
    }
}

/// `flags` are priority_flag, registered_delivery, replace_if_present_flag, data_coding; `times` schedule and validity.
fn validate_flags(flags: [u8; 4], times: [&[u8]; 2], now_micros: u64) -> Result<Times, CommandStatus> {
    let [priority_flag, registered_delivery, replace_if_present_flag, data_coding] = flags;
    if priority_flag > 3 {
        return Err(CommandStatus::RINVPRTFLG);
    }
    let times = validate_times(times[0], times[1], now_micros)?;
    validate_registered_delivery(registered_delivery)?;
    if replace_if_present_flag > 1 {
        return Err(CommandStatus::RINVREPFLAG);
    }
    validate_data_coding(data_coding)?;
    Ok(times)
}

fn validate_times(schedule: &[u8], validity: &[u8], now_micros: u64) -> Result<Times, CommandStatus> {
    let micros = |time: Option<ParsedTime>| time.map(|time| time.micros);
    let schedule_micros = micros(parse_time(schedule, now_micros).map_err(|_| CommandStatus::RINVSCHED)?);
    let from = schedule_micros.unwrap_or(now_micros).max(now_micros);
    let validity_micros = micros(parse_time(validity, from).map_err(|_| CommandStatus::RINVEXPIRY)?);
    if validity_micros.is_some_and(|until| until < from) {
        return Err(CommandStatus::RINVEXPIRY);
    }
    Ok(Times { schedule_micros, validity_micros })
}

/// Bits 5 to 7 are reserved.
fn validate_registered_delivery(registered_delivery: u8) -> Result<(), CommandStatus> {
    if registered_delivery & 0xE0 != 0 { Err(CommandStatus::RINVREGDLVFLG) } else { Ok(()) }
}

/// Reserved in SMPP and without a meaning in 3GPP TS 23.038 (0x0F has one at many message centres).
fn validate_data_coding(data_coding: u8) -> Result<(), CommandStatus> {
    if matches!(data_coding, 0x0B | 0x0C) { Err(CommandStatus::RINVDCS) } else { Ok(()) }
}

fn validate_text(esm_class: u8, data_coding: u8, short: &[u8], tlvs: &Tlvs<'_>) -> Result<(), CommandStatus> {
    let payload = tlvs.get(Tag::MESSAGE_PAYLOAD);
    // Nobody can say which of the two was meant (quirk Q43).
    if payload.is_some() && !short.is_empty() {
        return Err(CommandStatus::RINVMSGLEN);
    }
    let message = payload.unwrap_or(short);
    let text = if esm_class & ESM_UDHI == 0 {
        message
    } else {
        let (_, text) = split_udh(message).ok_or(CommandStatus::RINVESMCLASS)?;
        text
    };
    if is_ucs2(data_coding) && !text.len().is_multiple_of(2) {
        return Err(CommandStatus::RINVMSGLEN);
    }
    Ok(())
}

/// The user data header (without its length octet) and the text behind it; None: the header or one of its elements does
/// not end where it should (3GPP TS 23.040 section 9.2.3.24).
pub fn split_udh(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let (udh_octets, rest) = message.split_first()?;
    let (udh, text) = rest.split_at_checked(usize::from(*udh_octets))?;
    let mut elements = udh;
    while let Some((_, rest)) = elements.split_first() {
        let (element_octets, rest) = rest.split_first()?;
        elements = rest.get(usize::from(*element_octets)..)?;
    }
    Some((udh, text))
}

/// Whether the text is UCS-2 that is not compressed: SMPP's 8, and the groups of 3GPP TS 23.038 section 4.
fn is_ucs2(data_coding: u8) -> bool {
    match data_coding {
        0x08 | 0xE0..=0xEF => true,
        0x10..=0x1F | 0x40..=0x5F => data_coding & 0x0C == 0x08,
        _ => false,
    }
}
