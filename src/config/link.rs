//! default_alphabet and data_coding of a tenant or a carrier: what the octets on its link mean.

use toml::de::DeValue;

use crate::config::section::Section;
use crate::message::coding::{Form, Link};

/// Reads `default_alphabet = "latin1"` and `data_coding = { ucs2 = "0x18", gsm7 = 241 }`.
pub(super) fn read_link(section: &mut Section<'_>) -> Link {
    let mut link = Link::with_default(section.choice("default_alphabet", &Form::DEFAULTS));
    let Some(value) = section.value("data_coding", Some("{}".to_owned())) else { return link };
    let DeValue::Table(table) = value.value else {
        section.error(&value.place, "data_coding", "write a table, as in { ucs2 = \"0x18\", latin1 = 3 }");
        return link;
    };
    for (name, told) in table.iter() {
        let place = value.source.place(name.span().start);
        let name = name.get_ref();
        let form = Link::NAMES.iter().find(|(word, _)| word == name).map(|(_, form)| *form);
        let wrong = match (form, octet(told.get_ref())) {
            (None, _) => format!("{name:?} is none of gsm7, ascii, latin1, ucs2"),
            (_, None) => format!("{name}: write a number from 0 to 255, as 24 or \"0x18\""),
            (Some(form), Some(octet)) => match link.set(form, octet) {
                Ok(()) => continue,
                Err(_) => format!("{name}: {octet} has another meaning here; 0 is default_alphabet"),
            },
        };
        section.error(&place, "data_coding", wrong);
    }
    link
}

fn octet(value: &DeValue<'_>) -> Option<u8> {
    if let Some(integer) = value.as_integer() {
        return u8::from_str_radix(integer.as_str(), integer.radix()).ok();
    }
    let text = value.as_str()?;
    match text.strip_prefix("0x") {
        Some(digits) => u8::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
