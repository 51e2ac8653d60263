//! What the demonstration sends, from whom, at which price. All numbers lie in ranges that are kept free for fiction.

use crate::text::Options;
use crate::text::segment::plan;

/// Prices: tenant, prefix, amount of a part, currency.
pub(crate) const PRICES: [(&str, &str, &str, &str); 4] = [
    ("riverside", "44", "0.0264", "GBP"),
    ("riverside", "33", "0.0451", "GBP"),
    ("northgate", "44", "0.0310", "EUR"),
    ("northgate", "49", "0.0712", "EUR"),
];

/// How a message is handed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// submit_sm on a transceiver.
    Smpp,
    /// `POST /v1/messages` with one message.
    HttpOne,
    /// One of many in one `POST /v1/messages`.
    HttpMany,
}

/// A message to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) way: Way,
    pub(crate) tenant: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: String,
    pub(crate) text: String,
    /// Why it should be refused; None: it should be accepted.
    pub(crate) refusal: Option<&'static str>,
}

impl Script {
    /// Parts that the text takes, by this program's own count.
    pub(crate) fn parts(&self) -> u8 {
        plan(&self.text, Options::default()).map_or(0, |plan| plan.parts)
    }

    /// Prefix, amount and currency by the price list, longest prefix first; None without a price.
    pub(crate) fn price(&self) -> Option<(&'static str, &'static str, &'static str)> {
        let matching =
            PRICES.iter().filter(|(tenant, prefix, ..)| *tenant == self.tenant && self.to.starts_with(prefix));
        matching
            .max_by_key(|(_, prefix, ..)| prefix.len())
            .map(|(_, prefix, amount, currency)| (*prefix, *amount, *currency))
    }
}

/// Everything that is sent: a few dozen messages of one to five parts, and some that must be refused.
pub(crate) fn script() -> Vec<Script> {
    let mut messages = riverside();
    messages.extend(northgate());
    messages
}

fn riverside() -> Vec<Script> {
    let mut messages = Vec::new();
    let mut send = |to: String, text: String, refusal| {
        messages.push(Script { way: Way::Smpp, tenant: "riverside", from: "Riverside", to, text, refusal });
    };
    for number in 0..12 {
        let text =
            format!("Your table for {} is booked for 19:{:02}. Reply STOP to opt out.", 2 + number % 4, number * 5);
        send(format!("4477009001{number:02}"), text, None);
    }
    for number in 0..4 {
        send(format!("3363998000{number}"), format!("Café Riverside: {} € de réduction aujourd'hui", 5 + number), None);
    }
    // The extension table: brackets and the euro sign take two septets each.
    send("447700900120".to_owned(), "Menu [today]: soup {of the day} 4.50 €".to_owned(), None);
    for (number, text) in
        ["Ваш столик заказан на 19:00", "您的餐桌已预订", "Dein Tisch ist reserviert 🎉"].iter().enumerate()
    {
        send(format!("44770090013{number}"), (*text).to_owned(), None);
    }
    for parts in 2..=5 {
        send(format!("44770090014{parts}"), sentence(153 * parts - 20), None);
    }
    send("447700900150".to_owned(), format!("{} 🎉", sentence(150)), None);
    send("44abc".to_owned(), "To nobody".to_owned(), Some("no number"));
    send("393312345678".to_owned(), "To where no price was agreed".to_owned(), Some("no price"));
    messages
}

fn northgate() -> Vec<Script> {
    let message = |way, to: &str, text: &str, refusal| Script {
        way,
        tenant: "northgate",
        from: "Northgate",
        to: to.to_owned(),
        text: text.to_owned(),
        refusal,
    };
    let mut messages = vec![
        message(Way::HttpOne, "447700900200", "Your code is 471100", None),
        message(Way::HttpOne, "12ab", "To nobody", Some("no number")),
    ];
    for number in 0..6 {
        let text = format!("Parcel {number} will arrive tomorrow between 9:00 and 11:00");
        messages.push(message(Way::HttpMany, &format!("4477009002{:02}", 10 + number), &text, None));
    }
    for number in 0..4 {
        let text = sentence(140 + 60 * number);
        messages.push(message(Way::HttpMany, &format!("491713920{number:02}"), &text, None));
    }
    messages.push(message(Way::HttpMany, "33639980099", "To where no price was agreed", Some("no price")));
    messages
}

/// GSM-7 text of so many characters.
fn sentence(characters: usize) -> String {
    let story = "The river is high this week, so the lower path is closed and the ferry leaves from the north bank. ";
    story.chars().cycle().take(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_shows_what_it_promises() {
        let script = script();
        let accepted: Vec<&Script> = script.iter().filter(|message| message.refusal.is_none()).collect();
        assert!(accepted.len() > 30, "a few dozen");
        for parts in 1..=5 {
            assert!(accepted.iter().any(|message| message.parts() == parts), "{parts} parts");
        }
        assert!(accepted.iter().all(|message| message.price().is_some()), "each has a price");
        let unpriced: Vec<&Script> = script.iter().filter(|message| message.refusal == Some("no price")).collect();
        assert!(unpriced.len() == 2 && unpriced.iter().all(|message| message.price().is_none()));
        let mut numbers: Vec<&str> = script.iter().map(|message| message.to.as_str()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), script.len(), "each message can be told by its destination");
    }
}
