//! What the octets of one SMPP link mean: its default alphabet, the data_coding of each other one, and how a message class
//! is written. Two peers rarely agree (quirk Q51), so a message is read by one link and written by another.

use crate::text::data_coding::{Charset, ClassStyle, DataCoding, Lettering};
use crate::text::{Alphabet, latin1, pack};
use crate::text::{gsm7, ucs2};

/// How characters stand on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Form {
    /// GSM 7-bit default alphabet, a septet an octet.
    #[default]
    Gsm7 = 0,
    /// The same, eight septets in seven octets (quirk Q52).
    Gsm7Packed = 1,
    /// ASCII, an octet a character.
    Ascii = 2,
    /// ISO 8859-1, an octet a character.
    Latin1 = 3,
    /// UTF-16 big endian.
    Ucs2 = 4,
    /// Octets that are not read.
    Octets = 5,
}

/// How many forms may have a data_coding of their own: all but octets.
const FORMS: usize = 5;

impl Form {
    /// The alphabets that data_coding 0 may stand for, by the words of the configuration; the first is the default.
    pub const DEFAULTS: [(&str, Form); 4] =
        [("gsm7", Form::Gsm7), ("latin1", Form::Latin1), ("ascii", Form::Ascii), ("gsm7-packed", Form::Gsm7Packed)];

    /// How such octets are counted and cut. ASCII counts as septets, because that is what it becomes on the air.
    pub fn alphabet(self) -> Alphabet {
        match self {
            Form::Gsm7 | Form::Gsm7Packed | Form::Ascii => Alphabet::Gsm7,
            Form::Latin1 => Alphabet::Latin1,
            Form::Ucs2 => Alphabet::Ucs2,
            Form::Octets => Alphabet::Binary,
        }
    }

    /// Whether it is septets of GSM-7, packed or not.
    pub fn is_gsm7(self) -> bool {
        matches!(self, Form::Gsm7 | Form::Gsm7Packed)
    }

    /// Appends the text of unpacked octets in this form; octets that are not read add nothing.
    pub fn decode(self, octets: &[u8], out: &mut String) {
        match self {
            Form::Gsm7 | Form::Gsm7Packed => gsm7::decode(octets, out),
            Form::Ascii | Form::Latin1 => latin1::decode(octets, out),
            Form::Ucs2 => ucs2::decode(octets, out),
            Form::Octets => {}
        }
    }
}

/// The settings of one link. The default is that of the standard: GSM-7 unpacked, and the values of SMPP 3.4, 5.2.19.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Link {
    /// What data_coding 0 stands for.
    pub default_form: Form,
    /// How a message class is written.
    pub class_style: ClassStyle,
    values: [Option<u8>; FORMS],
}

/// Two forms would have the same data_coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous;

impl Link {
    /// The alphabets whose data_coding may be set, by the words of the configuration.
    pub const NAMES: [(&str, Form); 4] =
        [("gsm7", Form::Gsm7), ("ascii", Form::Ascii), ("latin1", Form::Latin1), ("ucs2", Form::Ucs2)];

    /// A link whose data_coding 0 stands for this.
    pub fn with_default(default_form: Form) -> Link {
        Link { default_form, ..Link::default() }
    }

    /// The same link with its message classes written so.
    #[must_use]
    pub fn with_class_style(self, class_style: ClassStyle) -> Link {
        Link { class_style, ..self }
    }

    /// Gives a form its own data_coding. GSM-7 has one, packed or not, because a link has only one of the two.
    pub fn set(&mut self, form: Form, data_coding: u8) -> Result<(), Ambiguous> {
        let place = if form.is_gsm7() { Form::Gsm7 } else { form } as usize;
        let own = form == self.default_form || (form.is_gsm7() && self.default_form.is_gsm7());
        if (data_coding == 0 && !own) || self.values.contains(&Some(data_coding)) {
            return Err(Ambiguous);
        }
        if let Some(value) = self.values.get_mut(place) {
            *value = Some(data_coding);
        }
        Ok(())
    }

    /// How this link carries GSM-7.
    pub fn gsm7_form(&self) -> Form {
        if self.default_form == Form::Gsm7Packed { Form::Gsm7Packed } else { Form::Gsm7 }
    }

    /// Whether text goes as GSM-7: by default, or because the link has a data_coding that says so.
    pub fn sends_gsm7(&self) -> bool {
        self.default_form.is_gsm7() || self.values[Form::Gsm7 as usize].is_some()
    }

    fn set_for(&self, form: Form) -> Option<u8> {
        let place = if form.is_gsm7() { Form::Gsm7 } else { form } as usize;
        self.values.get(place).copied().flatten()
    }

    /// How octets with this data_coding are read.
    pub fn form(&self, data_coding: u8) -> Form {
        if let Some((_, form)) = Link::NAMES.iter().find(|(_, form)| self.set_for(*form) == Some(data_coding)) {
            return if form.is_gsm7() { self.gsm7_form() } else { *form };
        }
        match DataCoding(data_coding).charset() {
            Charset::PeerDefault => self.default_form,
            Charset::Gsm7 => self.gsm7_form(),
            Charset::Ascii => Form::Ascii,
            Charset::Latin1 => Form::Latin1,
            Charset::Utf16 => Form::Ucs2,
            Charset::Binary | Charset::Named(_) => Form::Octets,
        }
    }

    /// The data_coding with which this form is sent: the one that was set, 0 for the default, else the standard's. GSM-7
    /// on a link of another default has none in SMPP; it is told by a class that every handset stores as usual.
    pub fn data_coding(&self, form: Form) -> u8 {
        if let Some(set) = self.set_for(form) {
            return set;
        }
        match form {
            _ if form == self.default_form => 0,
            Form::Gsm7 | Form::Gsm7Packed => DataCoding(0xF0).with_class(1, Alphabet::Gsm7, self.class_style).0,
            Form::Ascii => 1,
            Form::Latin1 => 3,
            Form::Ucs2 => 8,
            Form::Octets => 4,
        }
    }

    /// The data_coding under which letters, digits and plain punctuation, an octet each, mean themselves: those are the same
    /// in every alphabet that is not packed. For receipts.
    pub fn plain_data_coding(&self) -> u8 {
        if self.default_form == Form::Gsm7Packed { self.data_coding(Form::Ascii) } else { 0 }
    }

    /// The data_coding of octets that were sent with `sent` on the link `from` and go out in `form`. What is no character
    /// set but class, message waiting or deletion stays what it was; a class is written as this link writes it.
    pub fn rewritten(&self, from: &Link, sent: u8, form: Form) -> u8 {
        let value = DataCoding(sent);
        let names_a_set = sent < 0x10 || from.values.contains(&Some(sent));
        if names_a_set {
            return if form == Form::Octets { sent } else { self.data_coding(form) };
        }
        let styled = self.class_style != ClassStyle::AsSent && value.lettering() != Lettering::Reserved;
        match value.class().filter(|_| styled && !value.is_compressed()) {
            Some(class) => value.with_class(class, form.alphabet(), self.class_style).0,
            None => sent,
        }
    }

    /// The form in which octets read as `form` can go out here without being read as text: the same octets, or the same
    /// septets packed otherwise. `default` says that the sender's link took them for its default alphabet; what was
    /// named stays what it was named. `None`: it is a matter of characters.
    pub fn carries(&self, form: Form, default: bool) -> Option<Form> {
        match form {
            Form::Gsm7 | Form::Gsm7Packed => (!default || self.sends_gsm7()).then(|| self.gsm7_form()),
            _ if form == self.default_form || !default => Some(form),
            Form::Ascii if self.default_form == Form::Latin1 => Some(Form::Latin1),
            _ => None,
        }
    }
}

/// Appends unpacked GSM-7 septets, which follow a header of `header_octets` in the same message, in another form. A
/// character that the form does not have becomes a question mark; whoever plans a text sees to it that there is none.
pub fn reform(septets: &[u8], header_octets: usize, form: Form, scratch: &mut String, out: &mut Vec<u8>) {
    match form {
        Form::Gsm7Packed => pack::pack(septets, header_octets, out),
        Form::Ascii | Form::Latin1 => {
            let last = if form == Form::Ascii { '\x7F' } else { '\u{FF}' };
            scratch.clear();
            gsm7::decode(septets, scratch);
            out.extend(scratch.chars().map(|character| if character <= last { character as u8 } else { b'?' }));
        }
        Form::Gsm7 | Form::Ucs2 | Form::Octets => out.extend_from_slice(septets),
    }
}

#[cfg(test)]
mod tests {
    use super::{Ambiguous, Form, Link};
    use crate::text::data_coding::ClassStyle;

    #[test]
    fn zero_means_what_the_link_says() {
        for (_, form) in Form::DEFAULTS {
            let link = Link::with_default(form);
            assert_eq!((link.form(0), link.data_coding(form)), (form, 0));
            assert_eq!(
                [1, 3, 8, 4].map(|value| link.form(value)),
                [Form::Ascii, Form::Latin1, Form::Ucs2, Form::Octets]
            );
            assert_eq!(link.form(0xF0), link.gsm7_form(), "{form:?}");
        }
        let latin1 = Link::with_default(Form::Latin1);
        assert_eq!([Form::Gsm7, Form::Ascii, Form::Ucs2].map(|form| latin1.data_coding(form)), [0xF1, 1, 8]);
    }

    #[test]
    fn a_value_that_was_set_is_read_and_written() {
        let mut link = Link::with_default(Form::Latin1);
        assert_eq!(link.set(Form::Ucs2, 0x18), Ok(()));
        assert_eq!(link.set(Form::Gsm7, 0xF0), Ok(()));
        assert_eq!((link.form(0x18), link.data_coding(Form::Ucs2)), (Form::Ucs2, 0x18));
        assert!(link.sends_gsm7());
        assert_eq!(link.set(Form::Ascii, 0xF0), Err(Ambiguous));
        assert_eq!(link.set(Form::Ascii, 0), Err(Ambiguous), "0 is Latin-1 here");
        let mut packed = Link::with_default(Form::Gsm7Packed);
        assert_eq!(packed.set(Form::Gsm7, 0xF1), Ok(()));
        assert_eq!((packed.form(0xF1), packed.data_coding(Form::Gsm7Packed)), (Form::Gsm7Packed, 0xF1));
    }

    #[test]
    fn what_is_not_a_character_set_stays_what_it_was() {
        let from = Link::default();
        let styled = Link { class_style: ClassStyle::Class, ..Link::with_default(Form::Gsm7Packed) };
        for sent in [0x40, 0x85, 0xC8, 0xD0, 0xE9, 0x30, 0x1C] {
            assert_eq!(styled.rewritten(&from, sent, styled.form(sent)), sent, "{sent:#04x}");
        }
        assert_eq!([0x10, 0x14, 0x18].map(|sent| styled.rewritten(&from, sent, styled.form(sent))), [0xF0, 0xF4, 0x18]);
        assert_eq!(styled.rewritten(&from, 9, Form::Octets), 9);
        for sent in 0x10..=0xFFu8 {
            assert_eq!(Link::default().rewritten(&from, sent, from.form(sent)), sent, "as sent");
        }
    }

    #[test]
    fn characters_matter_only_where_the_defaults_differ() {
        let latin1 = Link::with_default(Form::Latin1);
        let packed = Link::with_default(Form::Gsm7Packed);
        assert_eq!(packed.carries(Form::Gsm7, true), Some(Form::Gsm7Packed));
        assert_eq!(latin1.carries(Form::Gsm7, true), None);
        assert_eq!(latin1.carries(Form::Gsm7, false), Some(Form::Gsm7), "0xF0 says GSM-7 to everybody");
        assert_eq!(latin1.carries(Form::Ascii, true), Some(Form::Latin1));
        assert_eq!(packed.carries(Form::Latin1, true), None);
        assert_eq!(packed.carries(Form::Latin1, false), Some(Form::Latin1));
    }
}
