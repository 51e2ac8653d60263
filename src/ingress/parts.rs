//! What a sender gave, as the parts that a carrier gets: a text is put into an alphabet, octets pass as they are or are cut.

use crate::admission::refusal::Refusal;
use crate::envelope::Carriage;
use crate::ingress::tables::Tables;
use crate::message::Encoding;
use crate::message::coding::Coding;
use crate::message::smart::Smart;
use crate::smpp::fields::ESM_UDHI;
use crate::text::replace::{Better, Reach};
use crate::text::resplit::{Resplit, Unfit, plan_user_data, resplit};
use crate::text::segment::{Plan, plan, segment};
use crate::text::segment_octets::{plan_octets, segment_octets};
use crate::text::{Alphabet, Choice, Concat, Options, TextError, gsm7, ucs2};

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
    pub(super) form: Form,
}

/// How the parts are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
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

/// Buffers for the parts of one message, used again for the next.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) bodies: Vec<u8>,
    pub(super) ends: Vec<u32>,
    pub(super) transcoded: String,
}

impl Parts {
    /// Counts what the content takes on a carrier that wants its texts like this. Writes no part.
    pub(super) fn lay_out(&mut self, content: Content<'_>, coding: Coding) -> Result<Layout, Refusal> {
        match content {
            Content::Text { text, choice, smart } => self.lay_out_text(text, choice, smart, coding),
            Content::Octets { octets, data_coding, esm_class, segment } => {
                let alphabet = Alphabet::of_data_coding(data_coding, Alphabet::Gsm7);
                let header = esm_class & ESM_UDHI != 0;
                if header {
                    let plan = plan_user_data(octets, alphabet, coding.concat).map_err(unfit)?;
                    return Ok(Layout::of_user_data(plan, coding.concat, data_coding));
                }
                if segment {
                    return Ok(Layout::of_segment(octets, alphabet, data_coding));
                }
                if alphabet == Alphabet::Ucs2 && ucs2::is_marked(octets) {
                    self.transcoded.clear();
                    ucs2::decode_marked(octets, &mut self.transcoded);
                    let plan = plan(&self.transcoded, coding.options(Choice::Ucs2)).map_err(refusal)?;
                    return Ok(Layout::of_plan(plan, data_coding, Form::Transcoded(plan)));
                }
                if needs_transcoding(data_coding, coding) {
                    self.transcoded.clear();
                    gsm7::decode(octets, &mut self.transcoded);
                    let plan = plan(&self.transcoded, coding.options(Choice::Auto)).map_err(refusal)?;
                    return Ok(Layout::of_plan(plan, coding.data_coding(plan.alphabet), Form::Transcoded(plan)));
                }
                let plan = plan_octets(octets, alphabet, coding.concat).map_err(refusal)?;
                Ok(Layout::of_plan(plan, data_coding, Form::Octets(plan)))
            }
        }
    }

    /// Writes the parts of the content that was laid out last into `bodies` and `ends`.
    pub(super) fn write(&mut self, content: Content<'_>, layout: &Layout, reference: u16) -> Result<(), Refusal> {
        self.bodies.clear();
        self.ends.clear();
        let (bodies, ends) = (&mut self.bodies, &mut self.ends);
        match (layout.form, content) {
            (Form::Text(plan), Content::Text { text, .. }) => {
                segment(text, &plan, reference, bodies, ends).map_err(refusal)
            }
            (Form::Transcoded(plan), _) => segment(&self.transcoded, &plan, reference, bodies, ends).map_err(refusal),
            (Form::Octets(plan), Content::Octets { octets, .. }) => {
                segment_octets(octets, &plan, reference, bodies, ends);
                Ok(())
            }
            (Form::UserData(plan), Content::Octets { octets, .. }) => {
                resplit(octets, &plan, reference, bodies, ends);
                Ok(())
            }
            (Form::Whole, Content::Octets { octets, .. }) => {
                bodies.extend_from_slice(octets);
                ends.push(octets.len() as u32);
                Ok(())
            }
            _ => Err(Refusal::Malformed("the content is not what was counted")),
        }
    }
}

impl Layout {
    pub(super) fn of_plan(plan: Plan, data_coding: u8, form: Form) -> Layout {
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
            form,
        }
    }

    /// User data with a header of the sender's. Where a carrier cuts it from message_payload, it is one PDU of several parts.
    fn of_user_data(plan: Resplit, concat: Concat, data_coding: u8) -> Layout {
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
            form: if in_payload { Form::Whole } else { Form::UserData(plan) },
        }
    }

    /// The national tables of its text.
    pub(super) fn tables(&self) -> Tables {
        match self.form {
            Form::Text(plan) | Form::Transcoded(plan) => Tables { locking: plan.locking, single: plan.single },
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
            form: Form::Whole,
        }
    }
}

/// Whether octets in the sender's default alphabet mean something else to this carrier. Octets with a header stay as they are.
fn needs_transcoding(data_coding: u8, coding: Coding) -> bool {
    data_coding == 0 && coding.default_alphabet != Alphabet::Gsm7
}

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
