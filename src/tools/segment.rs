//! `sluice segment`: what a text takes, without sending it. Encoding, units, parts, and the characters that make it dear.

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::gateway::offline::{self, Offer};
use crate::text::national::{self, Languages};
use crate::text::segment::{Plan, segment};
use crate::text::{Choice, Concat, Options, TextError};
use crate::tools::dear::{Dry, SmartChoice};
use crate::tools::{Fault, terminal};

/// Arguments of `sluice segment`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The text; read from standard input when it is absent or "-"
    text: Option<String>,
    /// The alphabet: what fits best, or one that is forced
    #[arg(long, value_enum, default_value = "auto")]
    encoding: EncodingChoice,
    /// How the parts of a long message are tied together
    #[arg(long, value_enum, default_value = "udh8")]
    concat: ConcatChoice,
    /// Languages whose national tables may be used, as in tr,pt or turkish,portuguese; "all" is every one
    #[arg(long, value_name = "LANGUAGES", value_delimiter = ',')]
    national: Vec<String>,
    /// Keep grapheme clusters, such as an emoji of several code points, in one part
    #[arg(long)]
    clusters: bool,
    /// What is done about characters that make the message dear
    #[arg(long, value_enum, value_name = "MODE", default_value = "suggest")]
    smart: SmartChoice,
    /// A destination, for its route and price (needs --config)
    #[arg(long, value_name = "NUMBER", requires = "config")]
    to: Option<String>,
    /// The configuration that routes and prices are taken from
    #[arg(long, value_name = "FILE")]
    config: Option<std::path::PathBuf>,
    /// Whose price; every tenant's when it is absent
    #[arg(long, value_name = "ID", requires = "to")]
    tenant: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum EncodingChoice {
    Auto,
    Gsm7,
    Ucs2,
    Latin1,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum ConcatChoice {
    Udh8,
    Udh16,
    Sar,
    Payload,
}

/// Runs `sluice segment`.
pub fn run(args: &Args) -> Result<(), Fault> {
    let text = terminal::argument_or_input(args.text.as_deref())?;
    let choice = match args.encoding {
        EncodingChoice::Auto => Choice::Auto,
        EncodingChoice::Gsm7 => Choice::Gsm7,
        EncodingChoice::Ucs2 => Choice::Ucs2,
        EncodingChoice::Latin1 => Choice::Latin1,
    };
    let concat = match args.concat {
        ConcatChoice::Udh8 => Concat::Udh8,
        ConcatChoice::Udh16 => Concat::Udh16,
        ConcatChoice::Sar => Concat::Sar,
        ConcatChoice::Payload => Concat::Payload,
    };
    let languages = args.languages()?;
    let options = Options { choice, concat, languages, clusters: args.clusters };
    let dry = |options| Dry::of(&text, options, args.smart).map_err(|error| Fault::Failed(refused(&error)));
    // What a tenant pays is counted as its carrier wants the text, whatever was asked for here.
    let of_offer = |offer: Offer| Ok((dry(offer.options(&text, choice).unwrap_or(options))?, offer));
    let offers = args.offers()?.into_iter().map(of_offer).collect::<Result<Vec<(Dry<'_>, Offer)>, Fault>>()?;
    let dry = dry(options)?;
    let units = units_per_part(&dry.sent, &dry.plan);
    if args.json {
        let mut value = as_json(&dry.plan, &units);
        dry.add_to(&mut value);
        if args.to.is_some() {
            value["offers"] = offers.iter().map(|(dry, offer)| offer_json(offer, dry)).collect();
        }
        terminal::json(&value);
        return Ok(());
    }
    print(&dry.plan, &units);
    dry.print();
    for (dry, offer) in &offers {
        terminal::row("price", &offer_line(offer, &dry.plan));
        dry.savings_line(offer).iter().for_each(|line| terminal::row("", line));
    }
    Ok(())
}

impl Args {
    /// The languages that --national names.
    fn languages(&self) -> Result<Languages, Fault> {
        Languages::named(self.national.iter().map(String::as_str)).map_err(|unknown| {
            let names: Vec<&str> = Languages::ALL.names().collect();
            Fault::Misused(format!(
                "--national: {unknown:?} has no national table; there are all, {}",
                names.join(", ")
            ))
        })
    }

    /// What each tenant, or the one that was named, would pay.
    fn offers(&self) -> Result<Vec<Offer>, Fault> {
        let (Some(to), Some(config)) = (&self.to, &self.config) else { return Ok(Vec::new()) };
        offline::offers(config, to, self.tenant.as_deref()).map_err(Fault::Misused)
    }
}

fn offer_line(offer: &Offer, plan: &Plan) -> String {
    let carrier = offer.carrier.as_ref().map_or("no carrier", |carrier| carrier.as_str());
    let price = match offer.total(plan.parts) {
        Ok(Some(price)) => price,
        Ok(None) => "unpriced".to_owned(),
        Err(refused) => format!("not sent: {refused}"),
    };
    let (parts, encoding) = (plan.parts, plan.alphabet.name());
    format!("{price} (tenant {}, carrier {carrier}, {encoding} x {parts})", offer.tenant)
}

fn offer_json(offer: &Offer, dry: &Dry<'_>) -> Value {
    let plan = &dry.plan;
    let (price, error) = match offer.total(plan.parts) {
        Ok(price) => (price, None),
        Err(refused) => (None, Some(refused)),
    };
    json!({
        "tenant": offer.tenant, "carrier": offer.carrier.as_ref().ok(), "encoding": plan.alphabet.name(),
        "parts": plan.parts, "price": price, "error": error, "savings": dry.savings_json(offer),
    })
}

/// A refusal with what to do about it. This is the user's own text, so the character may be shown.
fn refused(error: &TextError) -> String {
    match error {
        TextError::NotInAlphabet { character, at, alphabet } => {
            let (code, name, place) = (u32::from(*character), alphabet.name(), at + 1);
            format!(
                "character {place} ({character:?}, U+{code:04X}) is not in {name}: replace it or use --encoding auto"
            )
        }
        TextError::TooManyParts { .. } => format!("{error}: send it as several messages"),
    }
}

/// Units of text that each part takes, in order.
pub(super) fn units_per_part(text: &str, plan: &Plan) -> Vec<usize> {
    let (mut octets, mut ends) = (Vec::new(), Vec::new());
    segment(text, plan, 0, &mut octets, &mut ends).expect("the plan was made of this text");
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let header = usize::from(plan.header_octets);
    starts
        .zip(&ends)
        .map(|(start, end)| ((end - start) as usize).saturating_sub(header) / plan.alphabet.unit_octets())
        .collect()
}

fn as_json(plan: &Plan, units: &[usize]) -> Value {
    json!({
        "encoding": plan.alphabet.name(),
        "national_tables": tables_json(plan),
        "units": plan.units_total,
        "parts": plan.parts,
        "units_per_part": units,
        "header_octets": plan.header_octets,
    })
}

/// The tables by name, or null for the default ones alone.
fn tables_json(plan: &Plan) -> Value {
    match (national::name(plan.locking), national::name(plan.single)) {
        (None, None) => Value::Null,
        (locking, single) => json!({ "locking": locking, "single": single }),
    }
}

fn print(plan: &Plan, units: &[usize]) {
    terminal::row("encoding", plan.alphabet.name());
    let tables = [("locking shift", plan.locking), ("single shift", plan.single)];
    for (kind, name) in tables.into_iter().filter_map(|(kind, id)| Some((kind, national::name(id)?))) {
        terminal::row("table", &format!("{name} ({kind})"));
    }
    terminal::row("units", &format!("{} (a part takes {})", plan.units_total, plan.part_units_max));
    let list: Vec<String> = units.iter().map(usize::to_string).collect();
    terminal::row("parts", &format!("{} ({})", plan.parts, list.join(" + ")));
}
