//! How a carrier wants its texts: what its data_coding values mean, and how the parts of a long message are tied together.

pub use crate::text::data_coding::ClassStyle;
pub use crate::text::link::{Form, Link};
pub use crate::text::national::Languages;
use crate::text::{Alphabet, Choice, Concat, Options, gsm7, latin1};

/// The encoding settings of one carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coding {
    /// How the parts of a long message are carried.
    pub concat: Concat,
    /// What the carrier takes data_coding 0 and the others for.
    pub link: Link,
    /// The languages whose national tables the carrier takes.
    pub languages: Languages,
    /// Whether grapheme clusters stay in one part.
    pub clusters: bool,
}

impl Default for Coding {
    fn default() -> Coding {
        Coding { concat: Concat::Udh8, link: Link::default(), languages: Languages::NONE, clusters: false }
    }
}

impl Coding {
    /// The forms of concatenation by the words of the configuration; the first is the default.
    pub const CONCATS: [(&str, Concat); 4] =
        [("udh8", Concat::Udh8), ("udh16", Concat::Udh16), ("sar", Concat::Sar), ("payload", Concat::Payload)];

    /// What to ask `text::segment::plan` for when the sender asks for `wanted` and this carrier takes the message, and the
    /// form in which a text that is GSM-7 by the plan goes out.
    ///
    /// A carrier of another alphabet converts to GSM-7 itself and loses what is not in it. So its alphabet is used only for
    /// what is in both, else UCS-2 (quirk Q53).
    pub fn options(self, text: &str, wanted: Choice) -> (Options, Form) {
        let options =
            |choice| Options { choice, concat: self.concat, languages: self.languages, clusters: self.clusters };
        let gsm7 = self.link.gsm7_form();
        if !matches!(wanted, Choice::Auto | Choice::AutoLatin1 | Choice::Gsm7) || self.link.sends_gsm7() {
            return (options(wanted), gsm7);
        }
        let plain = |choice| Options { languages: Languages::NONE, ..options(choice) };
        let in_both = gsm7::count(text).is_ok()
            && if self.link.default_form == Form::Ascii { text.is_ascii() } else { latin1::count(text).is_ok() };
        match self.link.default_form {
            Form::Ascii if in_both => (plain(Choice::Gsm7), Form::Ascii),
            Form::Latin1 if in_both || wanted != Choice::Gsm7 => (plain(Choice::AutoLatin1), gsm7),
            // Who insists on GSM-7 gets it under a data_coding of its own.
            _ if wanted == Choice::Gsm7 => (plain(Choice::Gsm7), gsm7),
            _ => (plain(Choice::Ucs2), gsm7),
        }
    }

    /// The form of what was planned in this alphabet; `gsm7` is that of GSM-7, as [`Coding::options`] gave it.
    pub fn form(alphabet: Alphabet, gsm7: Form) -> Form {
        match alphabet {
            Alphabet::Gsm7 => gsm7,
            Alphabet::Latin1 => Form::Latin1,
            Alphabet::Ucs2 => Form::Ucs2,
            Alphabet::Binary => Form::Octets,
        }
    }

    /// The word of the API for what a sender asks for: "auto", "gsm7", "ucs2", "latin1".
    pub fn choice_of(word: &str) -> Option<Choice> {
        Some(match word {
            "auto" => Choice::Auto,
            "gsm7" => Choice::Gsm7,
            "ucs2" => Choice::Ucs2,
            "latin1" => Choice::Latin1,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Coding;
    use crate::text::link::{Form, Link};
    use crate::text::{Choice, Concat};

    #[test]
    fn another_alphabet_takes_only_what_is_in_both() {
        let asked = |form: Form, text: &str, wanted| {
            let (options, form) = Coding { link: Link::with_default(form), ..Coding::default() }.options(text, wanted);
            (options.choice, form)
        };
        for (text, latin1, ascii) in [
            ("$[", Choice::AutoLatin1, (Choice::Gsm7, Form::Ascii)),
            ("é", Choice::AutoLatin1, (Choice::Ucs2, Form::Gsm7)),
            ("½", Choice::AutoLatin1, (Choice::Ucs2, Form::Gsm7)),
            ("€", Choice::AutoLatin1, (Choice::Ucs2, Form::Gsm7)),
            ("`", Choice::AutoLatin1, (Choice::Ucs2, Form::Gsm7)),
        ] {
            assert_eq!(asked(Form::Latin1, text, Choice::Auto).0, latin1, "{text}");
            assert_eq!(asked(Form::Ascii, text, Choice::Auto), ascii, "{text}");
            assert_eq!(asked(Form::Gsm7Packed, text, Choice::Auto), (Choice::Auto, Form::Gsm7Packed));
        }
        assert_eq!(asked(Form::Latin1, "€", Choice::Gsm7), (Choice::Gsm7, Form::Gsm7));
        assert_eq!(asked(Form::Ascii, "½", Choice::Latin1).0, Choice::Latin1);
        assert_eq!(asked(Form::Latin1, "x", Choice::Ucs2).0, Choice::Ucs2);
    }

    #[test]
    fn a_carrier_with_a_value_for_gsm7_is_sent_gsm7() {
        let mut link = Link::with_default(Form::Latin1);
        link.set(Form::Gsm7, 0xF0).expect("nothing else has it");
        let (options, form) = Coding { link, ..Coding::default() }.options("€", Choice::Auto);
        assert_eq!((options.choice, form, link.data_coding(form)), (Choice::Auto, Form::Gsm7, 0xF0));
    }

    #[test]
    fn words_have_their_choice() {
        assert_eq!(Coding::choice_of("latin1"), Some(Choice::Latin1));
        assert_eq!(Coding::choice_of("payload"), None);
        assert_eq!(Coding::CONCATS[0].1, Concat::Udh8);
    }
}
