//! What a sender gave, as the parts that a carrier gets: a text is put into an alphabet, octets pass as they are or are cut.

use crate::admission::refusal::Refusal;
use crate::envelope::Carriage;
use crate::ingress::tables::Tables;
use crate::message::Encoding;
use crate::message::coding::Coding;
use crate::message::smart::Smart;
use crate::smpp::fields::ESM_UDHI;
use crate::text::link::{Form, Link, reform};
use crate::text::replace::{Better, Reach};
use crate::text::resplit::{Resplit, Unfit, plan_user_data, resplit};
use crate::text::segment::{Plan, plan, segment};
use crate::text::segment_octets::{plan_octets, segment_octets};
use crate::text::{Alphabet, Choice, Concat, Options, TextError, latin1, pack, ucs2, udh};

/// What is to be sent.
#[derive(Clone, Copy)]
pub enum Content<'a> {
    /// A text, to be put into the alphabet that was asked for.
    Text {
        /// The text; it may be empty.
        text: &'a str,
        /// Which alphabet.
        choice: Choice,
        /// What is done about characters that make it dear.
        smart: Smart,
    },
    /// Octets that an ESME has encoded.
    Octets {
        /// The octets of short_message or message_payload, a user data header included.
        octets: &'a [u8],
        /// data_coding as the ESME gave it.
        data_coding: u8,
        /// esm_class as the ESME gave it; says whether there is a user data header.
        esm_class: u8,
        /// It is one segment of a message by its sar_* TLVs, so it is not cut.
        segment: bool,
    },
}

/// How a message goes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Layout {
    /// Its alphabet.
    pub(super) encoding: Encoding,
    /// data_coding.
    pub(super) data_coding: u8,
    /// The bits of esm_class that come from the content.
    pub(super) esm_class: u8,
    /// How several parts are tied together.
    pub(super) carriage: Carriage,
    /// Parts on the air: what is counted and charged.
    pub(super) parts: u8,
    /// PDUs on the carrier's link: fewer than parts if message_payload carries them.
    pub(super) pdus: u8,
    /// Septets, UTF-16 code units or octets of the whole.
    pub(super) units_total: usize,
    /// By which options the text was counted; those of octets are not told.
    pub(super) options: Options,
    /// How far characters of the text were replaced.
    pub(super) replaced: Reach,
    /// What replacing would make of a text that goes as it was given, if its sender wants to know and it helps.
    pub(super) suggestion: Option<Better>,
    pub(super) source: Source,
    /// The sender's octets are packed septets: their unpacked form is taken in their place.
    pub(super) unpacked: bool,
    /// The parts, made as septets, go out in this form.
    pub(super) reformed: Option<Form>,
    /// Octets of user data header at the start of each part.
    pub(super) header_octets: usize,
}

/// What the parts are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    /// From the sender's text.
    Text(Plan),
    /// From the text that the sender's octets were decoded to, or that was made of its text by replacing characters.
    Transcoded(Plan),
    /// From the sender's octets, cut where they are too long.
    Octets(Plan),
    /// From the sender's octets, whose header is kept in every part.
    UserData(Resplit),
    /// The sender's octets as they are.
    Whole,
}

/// Octets as the sender's link reads them.
#[derive(Clone, Copy)]
struct Sent {
    form: Form,
    /// Octets of its user data header, if it has one.
    header: Option<usize>,
    segment: bool,
}

/// Buffers for the parts of one message, used again for the next.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) bodies: Vec<u8>,
    pub(super) ends: Vec<u32>,
    pub(super) transcoded: String,
    scratch: String,
    unpacked: Vec<u8>,
    reformed: Vec<u8>,
}

impl Parts {
    /// Counts what the content of a sender with this link takes on a carrier that wants its texts like this. Writes no part.
    pub(super) fn lay_out(&mut self, content: Content<'_>, from: &Link, coding: Coding) -> Result<Layout, Refusal> {
        match content {
            Content::Text { text, choice, smart } => self.lay_out_text(text, choice, smart, coding),
            Content::Octets { octets, data_coding, esm_class, segment } => {
                let header = match esm_class & ESM_UDHI {
                    0 => None,
                    _ => Some(octets.len() - udh::split(octets).map_err(|_| Refusal::InvalidHeader)?.1.len()),
                };
                let sent = Sent { form: from.form(data_coding), header, segment };
                if sent.form == Form::Gsm7Packed {
                    let (header, packed) = octets.split_at(header.unwrap_or(0));
                    self.unpacked.clear();
                    self.unpacked.extend_from_slice(header);
                    pack::unpack(packed, header.len(), &mut self.unpacked);
                }
                if sent.form == Form::Ucs2 && header.is_none() && !segment && ucs2::is_marked(octets) {
                    self.transcoded.clear();
                    ucs2::decode_marked(octets, &mut self.transcoded);
                    let (options, _) = coding.options(&self.transcoded, Choice::Ucs2);
                    let plan = plan(&self.transcoded, options).map_err(refusal)?;
                    let data_coding = coding.link.rewritten(from, data_coding, Form::Ucs2);
                    return Ok(Layout::of_plan(plan, data_coding, Source::Transcoded(plan)));
                }
                match coding.link.carries(sent.form, data_coding == 0) {
                    Some(to) => {
                        self.carried(octets, sent, to, coding.link.rewritten(from, data_coding, to), coding.concat)
                    }
                    None => self.transcoded(octets, sent, coding),
                }
            }
        }
    }

    /// The layout of octets that go out as they are, or as the same septets packed otherwise.
    fn carried(&self, octets: &[u8], sent: Sent, to: Form, data_coding: u8, concat: Concat) -> Result<Layout, Refusal> {
        let octets = self.unpacked_or(octets, sent.form);
        let reformed = (sent.form.is_gsm7() && to != Form::Gsm7).then_some(to);
        // What is reformed is cut before, as septets.
        let alphabet = if reformed.is_some() { Alphabet::Gsm7 } else { to.alphabet() };
        let layout = if let Some(header_octets) = sent.header {
            let plan = plan_user_data(octets, alphabet, concat).map_err(unfit)?;
            Layout::of_user_data(plan, concat, data_coding, header_octets)
        } else if sent.segment {
            Layout::of_segment(octets, alphabet, data_coding)
        } else {
            let plan = plan_octets(octets, alphabet, concat).map_err(refusal)?;
            Layout::of_plan(plan, data_coding, Source::Octets(plan))
        };
        let unpacked = sent.form == Form::Gsm7Packed;
        Ok(Layout { encoding: encoding(to.alphabet()), unpacked, reformed, ..layout })
    }

    /// The layout of octets in the sender's default alphabet for a carrier that has another one.
    fn transcoded(&mut self, octets: &[u8], sent: Sent, coding: Coding) -> Result<Layout, Refusal> {
        let mut transcoded = std::mem::take(&mut self.transcoded);
        transcoded.clear();
        let (header, body) = self.unpacked_or(octets, sent.form).split_at(sent.header.unwrap_or(0));
        sent.form.decode(body, &mut transcoded);
        let layout = if sent.header.is_some() || sent.segment {
            let to = segment_form(sent.form, header, &transcoded, &coding.link);
            self.carried(octets, sent, to, coding.link.data_coding(to), coding.concat)
        } else {
            let (options, gsm7) = coding.options(&transcoded, Choice::Auto);
            let planned = plan(&transcoded, options).map_err(refusal);
            planned.map(|plan| Layout::of_text(plan, coding, gsm7, Source::Transcoded(plan)))
        };
        self.transcoded = transcoded;
        layout
    }

    /// The sender's octets, a septet an octet.
    fn unpacked_or<'a>(&'a self, octets: &'a [u8], form: Form) -> &'a [u8] {
        if form == Form::Gsm7Packed { &self.unpacked } else { octets }
    }

    /// Writes the parts of the content that was laid out last into `bodies` and `ends`.
    pub(super) fn write(&mut self, content: Content<'_>, layout: &Layout, reference: u16) -> Result<(), Refusal> {
        self.bodies.clear();
        self.ends.clear();
        let (bodies, ends) = (&mut self.bodies, &mut self.ends);
        match (layout.source, content) {
            (Source::Text(plan), Content::Text { text, .. }) => {
                segment(text, &plan, reference, bodies, ends).map_err(refusal)?;
            }
            (Source::Transcoded(plan), _) => {
                segment(&self.transcoded, &plan, reference, bodies, ends).map_err(refusal)?;
            }
            (Source::Octets(plan), Content::Octets { octets, .. }) => {
                let octets = if layout.unpacked { &self.unpacked } else { octets };
                segment_octets(octets, &plan, reference, bodies, ends);
            }
            (Source::UserData(plan), Content::Octets { octets, .. }) => {
                let octets = if layout.unpacked { &self.unpacked } else { octets };
                resplit(octets, &plan, reference, bodies, ends);
            }
            (Source::Whole, Content::Octets { octets, .. }) => {
                bodies.extend_from_slice(if layout.unpacked { &self.unpacked } else { octets });
                ends.push(bodies.len() as u32);
            }
            _ => return Err(Refusal::Malformed("the content is not what was counted")),
        }
        if let Some(form) = layout.reformed {
            self.reform(form, layout.header_octets);
        }
        Ok(())
    }

    /// Puts parts that were made as septets into the form of the carrier's link.
    fn reform(&mut self, form: Form, header_octets: usize) {
        self.reformed.clear();
        let mut start = 0;
        for end in &mut self.ends {
            let part = &self.bodies[start..*end as usize];
            let (header, septets) = part.split_at(header_octets.min(part.len()));
            self.reformed.extend_from_slice(header);
            reform(septets, header_octets, form, &mut self.scratch, &mut self.reformed);
            start = *end as usize;
            *end = self.reformed.len() as u32;
        }
        std::mem::swap(&mut self.bodies, &mut self.reformed);
    }
}

impl Layout {
    /// Of a text that was planned for this carrier; `gsm7` is its form of GSM-7.
    pub(super) fn of_text(plan: Plan, coding: Coding, gsm7: Form, source: Source) -> Layout {
        let form = Coding::form(plan.alphabet, gsm7);
        let reformed = (plan.alphabet == Alphabet::Gsm7 && gsm7 != Form::Gsm7).then_some(gsm7);
        Layout { reformed, ..Layout::of_plan(plan, coding.link.data_coding(form), source) }
    }

    fn of_plan(plan: Plan, data_coding: u8, source: Source) -> Layout {
        let carriage = match plan.concat {
            Concat::Sar if plan.parts > 1 => Carriage::Sar,
            Concat::Payload if plan.parts > 1 => Carriage::Payload,
            _ => Carriage::InBody,
        };
        Layout {
            encoding: encoding(plan.alphabet),
            data_coding,
            esm_class: if plan.header_octets > 0 { ESM_UDHI } else { 0 },
            carriage,
            parts: plan.parts,
            pdus: plan.pdus(),
            units_total: plan.units_total,
            options: Options::default(),
            replaced: Reach::Nothing,
            suggestion: None,
            source,
            unpacked: false,
            reformed: None,
            header_octets: usize::from(plan.header_octets),
        }
    }

    /// User data with a header of the sender's. Where a carrier cuts it from message_payload, it is one PDU of several parts.
    fn of_user_data(plan: Resplit, concat: Concat, data_coding: u8, header_octets: usize) -> Layout {
        let in_payload = concat == Concat::Payload && plan.parts > 1;
        Layout {
            encoding: encoding(plan.alphabet),
            data_coding,
            esm_class: ESM_UDHI,
            carriage: if in_payload { Carriage::Payload } else { Carriage::InBody },
            parts: plan.parts,
            pdus: if in_payload { 1 } else { plan.parts },
            units_total: plan.units_total,
            options: Options::default(),
            replaced: Reach::Nothing,
            suggestion: None,
            source: if in_payload { Source::Whole } else { Source::UserData(plan) },
            unpacked: false,
            reformed: None,
            header_octets: if in_payload { header_octets } else { usize::from(plan.header_octets) },
        }
    }

    /// The national tables of its text.
    pub(super) fn tables(&self) -> Tables {
        match self.source {
            Source::Text(plan) | Source::Transcoded(plan) => Tables { locking: plan.locking, single: plan.single },
            _ => Tables::default(),
        }
    }

    /// A segment that the sender has made itself: one part, whatever its length.
    fn of_segment(octets: &[u8], alphabet: Alphabet, data_coding: u8) -> Layout {
        Layout {
            encoding: encoding(alphabet),
            data_coding,
            esm_class: 0,
            carriage: Carriage::InBody,
            parts: 1,
            pdus: 1,
            units_total: octets.len() / alphabet.unit_octets(),
            options: Options::default(),
            replaced: Reach::Nothing,
            suggestion: None,
            source: Source::Whole,
            unpacked: false,
            reformed: None,
            header_octets: 0,
        }
    }
}

/// The form in which a segment goes to a carrier of another default alphabet: it may not grow and its other segments are
/// not at hand. What it holds is named for what it is, and GSM-7 becomes the carrier's alphabet where that has all of it.
fn segment_form(form: Form, header: &[u8], text: &str, link: &Link) -> Form {
    if !form.is_gsm7() {
        return form;
    }
    let elements = header.get(1..).unwrap_or_default();
    let national = udh::elements(elements).flatten().any(|element| NATIONAL_ELEMENTS.contains(&element.id));
    let has_all = match link.default_form {
        Form::Ascii => text.is_ascii(),
        Form::Latin1 => latin1::count(text).is_ok(),
        _ => false,
    };
    if has_all && !national { link.default_form } else { Form::Gsm7 }
}

/// Elements of a header that choose a national language table (TS 23.040, 9.2.3.24.15 and 16).
const NATIONAL_ELEMENTS: [u8; 2] = [0x24, 0x25];

/// The encoding by which a message of this alphabet is known.
pub(super) fn encoding(alphabet: Alphabet) -> Encoding {
    match alphabet {
        Alphabet::Gsm7 => Encoding::Gsm7,
        Alphabet::Ucs2 => Encoding::Ucs2,
        Alphabet::Latin1 => Encoding::Latin1,
        Alphabet::Binary => Encoding::Binary,
    }
}

fn unfit(unfit: Unfit) -> Refusal {
    match unfit {
        Unfit::Header => Refusal::InvalidHeader,
        Unfit::TooManyParts { parts } => Refusal::TooManyParts { parts },
    }
}

pub(super) fn refusal(error: TextError) -> Refusal {
    match error {
        TextError::TooManyParts { parts, .. } => Refusal::TooManyParts { parts },
        TextError::NotInAlphabet { at, .. } => Refusal::NotInAlphabet { at },
    }
}
