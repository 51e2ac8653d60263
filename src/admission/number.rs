//! Numbers and senders in one form. Destinations become 7 to 15 digits in international form; a sender is a number, a
//! short code or a name.

use std::fmt;

use crate::admission::refusal::Refusal;

/// Digits of an international number (E.164, 6.1): at least 7 by house rule, at most 15 by the standard.
const DIGITS_MIN: usize = 7;
const DIGITS_MAX: usize = 15;

/// Digits up to which a sender without + counts as a short code.
const SHORT_CODE_DIGITS_MAX: usize = DIGITS_MIN - 1;

/// Septets of a name as sender (TS 23.040, 9.1.2.5).
const NAME_SEPTETS_MAX: usize = 11;

/// Types of number (SMPP 3.4, 5.2.5).
const TON_INTERNATIONAL: u8 = 1;
const TON_NATIONAL: u8 = 2;
const TON_NETWORK_SPECIFIC: u8 = 3;
const TON_ALPHANUMERIC: u8 = 5;

/// Numbering plan of telephone numbers (SMPP 3.4, 5.2.6).
const NPI_E164: u8 = 1;

/// An international number: digits without + or 00. It does not print.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    digits: [u8; DIGITS_MAX],
    length: u8,
}

impl Number {
    /// The digits, as ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        &self.digits[..usize::from(self.length)]
    }

    /// Type of number for the link: international.
    pub fn ton(&self) -> u8 {
        TON_INTERNATIONAL
    }

    /// Numbering plan for the link: E.164.
    pub fn npi(&self) -> u8 {
        NPI_E164
    }

    fn push(&mut self, digit: u8) -> Result<(), Refusal> {
        let place = self.digits.get_mut(usize::from(self.length)).ok_or(Refusal::InvalidDestination)?;
        *place = digit;
        self.length += 1;
        Ok(())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number({} digits)", self.length)
    }
}

/// Reads a destination: spaces are ignored, + or 00 in front removed. `ton` is SMPP's type of number (0 if unknown).
///
/// A national number (type of number 2, or one leading 0) needs `country`, a calling code; without it a number that
/// begins with 0 is refused, and the type of number is not believed. Numbers are not checked against any plan.
pub fn destination(text: &[u8], ton: u8, country: Option<&str>) -> Result<Number, Refusal> {
    let mut digits = text.iter().copied().filter(|&octet| octet != b' ').peekable();
    let mut number = Number { digits: [0; DIGITS_MAX], length: 0 };
    let mut zeros = 0;
    let international = digits.next_if_eq(&b'+').is_some();
    if !international {
        while zeros < 2 && digits.next_if_eq(&b'0').is_some() {
            zeros += 1;
        }
    }
    let national = !international && zeros < 2 && (zeros == 1 || (ton == TON_NATIONAL && country.is_some()));
    if national {
        for digit in country.ok_or(Refusal::InvalidDestination)?.bytes() {
            number.push(digit)?;
        }
    }
    for octet in digits {
        if !octet.is_ascii_digit() {
            return Err(Refusal::InvalidDestination);
        }
        number.push(octet)?;
    }
    // No calling code begins with 0.
    if usize::from(number.length) < DIGITS_MIN || number.digits[0] == b'0' {
        return Err(Refusal::InvalidDestination);
    }
    Ok(number)
}

/// What a sender is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SenderKind {
    /// None: the carrier puts its own.
    Absent,
    /// An international number.
    Number,
    /// A number of at most six digits.
    ShortCode,
    /// A name of at most 11 septets.
    Name,
}

/// A sender in the form in which it goes out. It does not print.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sender {
    kind: SenderKind,
    octets: [u8; 20],
    length: u8,
}

impl Sender {
    /// What it is.
    pub fn kind(&self) -> SenderKind {
        self.kind
    }

    /// The digits or the name. A name is in the octets that the caller gave.
    pub fn as_bytes(&self) -> &[u8] {
        &self.octets[..usize::from(self.length)]
    }

    /// Type of number for the link, unless the carrier wants another: international 1, short code 3, name 5.
    pub fn ton(&self) -> u8 {
        match self.kind {
            SenderKind::Absent => 0,
            SenderKind::Number => TON_INTERNATIONAL,
            SenderKind::ShortCode => TON_NETWORK_SPECIFIC,
            SenderKind::Name => TON_ALPHANUMERIC,
        }
    }

    /// Numbering plan for the link, unless the carrier wants another.
    pub fn npi(&self) -> u8 {
        if self.kind == SenderKind::Number { NPI_E164 } else { 0 }
    }

    fn new(kind: SenderKind, text: &[u8]) -> Result<Sender, Refusal> {
        let mut octets = [0; 20];
        octets.get_mut(..text.len()).ok_or(Refusal::InvalidSender)?.copy_from_slice(text);
        Ok(Sender { kind, octets, length: text.len() as u8 })
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender({:?}, {} octets)", self.kind, self.length)
    }
}

/// Reads a sender. Whatever is not digits with an optional + is a name, and so is what the caller says is one (`ton` 5).
///
/// `septets` is how many GSM-7 septets the text takes, `None` if it is not in that alphabet; asked only for names. An
/// extension character counts two. Nothing is cut.
pub fn sender(text: &[u8], ton: u8, septets: impl FnOnce() -> Option<usize>) -> Result<Sender, Refusal> {
    if text.is_empty() {
        return Sender::new(SenderKind::Absent, text);
    }
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if !is_number || (ton == TON_ALPHANUMERIC && digits.len() == text.len()) {
        return match septets() {
            Some(septets) if septets <= NAME_SEPTETS_MAX => Sender::new(SenderKind::Name, text),
            _ => Err(Refusal::InvalidSender),
        };
    }
    if digits.len() == text.len() && digits.len() <= SHORT_CODE_DIGITS_MAX {
        return Sender::new(SenderKind::ShortCode, digits);
    }
    let digits = digits.strip_prefix(b"00").unwrap_or(digits);
    if digits.len() > DIGITS_MAX || digits.is_empty() {
        return Err(Refusal::InvalidSender);
    }
    Sender::new(SenderKind::Number, digits)
}

#[cfg(test)]
mod tests {
    use super::{Number, Sender, SenderKind, destination, sender};
    use crate::admission::refusal::Refusal;
    use crate::text::gsm7;

    fn digits(text: &str, ton: u8, country: Option<&str>) -> Option<String> {
        let number: Result<Number, Refusal> = destination(text.as_bytes(), ton, country);
        number.ok().map(|number| String::from_utf8(number.as_bytes().to_vec()).expect("ASCII digits"))
    }

    #[test]
    fn all_spellings_of_a_number_become_one() {
        for text in ["447700900123", "+447700900123", "00447700900123", "+44 7700 900123", " 44 7700900123 "] {
            assert_eq!(digits(text, 0, None).as_deref(), Some("447700900123"), "{text:?}");
            assert_eq!(digits(text, 1, Some("44")).as_deref(), Some("447700900123"), "{text:?}");
        }
    }

    #[test]
    fn national_numbers_need_a_country() {
        assert_eq!(digits("07700900123", 0, Some("44")).as_deref(), Some("447700900123"));
        assert_eq!(digits("7700900123", 2, Some("44")).as_deref(), Some("447700900123"));
        assert_eq!(digits("07700900123", 2, Some("44")).as_deref(), Some("447700900123"));
        assert_eq!(digits("+447700900123", 2, Some("44")).as_deref(), Some("447700900123"));
        assert_eq!(digits("07700900123", 0, None), None);
        assert_eq!(digits("447700900123", 2, None).as_deref(), Some("447700900123"));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "+",
            "00",
            "123456",
            "+12 34 56",
            "1234567890123456",
            "44770090012x",
            "+0044770090",
            "0007700900",
            "44-7700-900123",
        ] {
            assert_eq!(digits(text, 1, None), None, "{text:?}");
        }
        assert_eq!(digits("1234567", 1, None).as_deref(), Some("1234567"));
        assert_eq!(digits("123456789012345", 1, None).as_deref(), Some("123456789012345"));
        assert_eq!(digits("012345678901234", 0, Some("44")), None, "16 digits with the country");
    }

    fn sent(text: &str, ton: u8) -> Result<Sender, Refusal> {
        sender(text.as_bytes(), ton, || gsm7::count(text).ok().map(|count| count.septets))
    }

    #[test]
    fn senders_get_the_type_that_carriers_expect() {
        let told = |text, ton| {
            let sender = sent(text, ton).expect("a sender");
            let octets = String::from_utf8(sender.as_bytes().to_vec()).expect("UTF-8");
            (sender.kind(), sender.ton(), sender.npi(), octets)
        };
        assert_eq!(told("+447700900123", 0), (SenderKind::Number, 1, 1, "447700900123".into()));
        assert_eq!(told("00447700900123", 0), (SenderKind::Number, 1, 1, "447700900123".into()));
        assert_eq!(told("60606", 0), (SenderKind::ShortCode, 3, 0, "60606".into()));
        assert_eq!(told("Test-SM", 0), (SenderKind::Name, 5, 0, "Test-SM".into()));
        assert_eq!(told("12345678", 5), (SenderKind::Name, 5, 0, "12345678".into()));
        assert_eq!(told("", 0), (SenderKind::Absent, 0, 0, String::new()));
    }

    #[test]
    fn names_are_at_most_eleven_septets() {
        assert!(sent("ABCDEFGHIJK", 0).is_ok());
        assert_eq!(sent("ABCDEFGHIJKL", 0), Err(Refusal::InvalidSender));
        assert!(sent("ABCDEFGHI€", 0).is_ok());
        assert_eq!(sent("ABCDEFGHIJ€", 0), Err(Refusal::InvalidSender), "the extension table counts two");
        assert_eq!(sent("Дом", 0), Err(Refusal::InvalidSender));
        assert_eq!(sent("1234567890123456", 0), Err(Refusal::InvalidSender));
        assert_eq!(sent("+", 0).map(|sender| sender.kind()), Ok(SenderKind::Name));
    }

    #[test]
    fn nothing_prints() {
        let number = destination(b"+447700900123", 0, None).expect("a number");
        assert_eq!(format!("{number:?}"), "Number(12 digits)");
        assert_eq!(format!("{:?}", sent("MyBrand", 0).expect("a name")), "Sender(Name, 7 octets)");
    }
}
