//! The language of cases: one case is a line `name | clause | …` and its steps below it, indented.
//!
//! `docs/conformance.md` describes it. A case with `for x in a b c` stands for as many cases.

use crate::tools::conform::answer::Answer;
use crate::tools::conform::template::{Template, number};

/// One case.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// What is claimed, in words. Unique.
    pub(super) name: String,
    /// The clause of the standard that says so.
    pub(super) clause: String,
    /// Which group it belongs to.
    pub(super) section: String,
    /// Played when all others are done: it may lock the account.
    pub(super) last: bool,
    /// The operation is optional: an answer ESME_RINVCMDID skips the case.
    pub(super) optional: bool,
    /// What to do.
    pub(super) steps: Vec<Step>,
}

/// One thing to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Connects; nobody is bound.
    Open,
    /// Connects and binds with these settings; a refusal fails the case.
    Bind(Template),
    /// The ESME under test has bound.
    Bound,
    /// The ESME under test has sent a bind, which is unanswered.
    Accept,
    /// Sends something so many times; all that is sent in a row leaves in one write.
    Send(usize, Template),
    /// Sends something octet by octet.
    Trickle(Template),
    /// The next so many requests that were sent are answered by one of these.
    Expect(usize, Vec<Answer>),
    /// Waits for a request of the peer.
    Await(u32),
    /// Answers the request that was awaited.
    Reply(Template),
    /// Closes the own direction.
    Shut,
    /// Closes the connection with unread octets in it.
    Drop,
    /// The peer closes the connection.
    Ends,
    /// Lets so many milliseconds pass.
    Pause(u64),
}

/// Reads a file of cases.
pub(super) fn parse(text: &str) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    let mut section = String::new();
    let mut head: Option<(usize, &str)> = None;
    let mut steps: Vec<&str> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with(' ') {
            steps.push(line.trim());
            continue;
        }
        if let Some((at, head)) = head.take() {
            expand(at, head, &steps, &section, &mut cases)?;
        }
        steps.clear();
        match line.strip_prefix("== ") {
            Some(name) => section = name.to_owned(),
            None => head = Some((at + 1, line)),
        }
    }
    if let Some((at, head)) = head {
        expand(at, head, &steps, &section, &mut cases)?;
    }
    Ok(cases)
}

/// Adds the case, or one for each combination of its variables.
fn expand(at: usize, head: &str, steps: &[&str], section: &str, cases: &mut Vec<Case>) -> Result<(), String> {
    let mut cells = head.split(" | ");
    let (name, clause) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
    let (mut last, mut optional) = (false, false);
    let mut variables: Vec<(&str, Vec<String>)> = Vec::new();
    for option in cells {
        match (option, option.strip_prefix("for ").and_then(|rest| rest.split_once(" in "))) {
            ("last", _) => last = true,
            ("optional", _) => optional = true,
            (_, Some((name, values))) => variables.push((name, values_of(values))),
            _ => return Err(format!("line {at}: {option:?} is neither last, nor optional, nor for X in …")),
        }
    }
    if clause.is_empty() || steps.is_empty() {
        return Err(format!("line {at}: a case is `name | clause` and its steps"));
    }
    let count: usize = variables.iter().map(|(_, values)| values.len()).product();
    for index in 0..count {
        let mut rest = index;
        let mut chosen = Vec::new();
        for (name, values) in &variables {
            chosen.push((format!("{{{name}}}"), values[rest % values.len()].as_str()));
            rest /= values.len();
        }
        let fill = |text: &str| chosen.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
        let steps = steps.iter().map(|step| {
            let step = fill(step);
            parse_step(&step).map_err(|error| format!("line {at}, {step:?}: {error}"))
        });
        cases.push(Case {
            name: fill(name),
            clause: fill(clause),
            section: section.to_owned(),
            last,
            optional,
            steps: steps.collect::<Result<_, _>>()?,
        });
    }
    Ok(())
}

/// Words, in which `~` stands for a space, and `A..B` for all numbers from A to B.
fn values_of(text: &str) -> Vec<String> {
    let mut values = Vec::new();
    for word in text.split_whitespace() {
        match word.split_once("..").map(|(from, to)| (from.parse::<u32>(), to.parse::<u32>())) {
            Some((Ok(from), Ok(to))) => values.extend((from..=to).map(|value| value.to_string())),
            _ => values.push(word.replace('~', " ")),
        }
    }
    values
}

fn parse_step(text: &str) -> Result<Step, String> {
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    Ok(match verb {
        "open" => Step::Open,
        "bound" => Step::Bound,
        "accept" => Step::Accept,
        "shut" => Step::Shut,
        "drop" => Step::Drop,
        "ends" => Step::Ends,
        "pause" => Step::Pause(number(rest)?.into()),
        "bind" => {
            let (kind, sets) = rest.split_once(' ').unwrap_or((rest, ""));
            let command = match kind {
                "trx" => "bind_transceiver",
                "tx" => "bind_transmitter",
                "rx" => "bind_receiver",
                _ => return Err(format!("bind trx, tx or rx, not {kind:?}")),
            };
            Step::Bind(Template::parse(&format!("{command} {sets}"))?)
        }
        ">" => {
            let (count, rest) = counted(rest);
            Step::Send(count, Template::parse(rest)?)
        }
        "<" => {
            let (count, rest) = counted(rest);
            Step::Expect(count, Answer::parse_all(rest)?)
        }
        "trickle" => Step::Trickle(Template::parse(rest)?),
        "await" => {
            let layout = crate::tools::conform::layout::Layout::named(rest);
            Step::Await(layout.ok_or_else(|| format!("{rest:?} is no PDU"))?.id)
        }
        "reply" => Step::Reply(Template::parse(rest)?),
        _ => {
            return Err(
                "a step begins with open, bind, bound, accept, >, trickle, <, await, reply, shut, drop, ends or pause"
                    .to_owned(),
            );
        }
    })
}

/// `N* …` is N of them.
fn counted(text: &str) -> (usize, &str) {
    match text.split_once("* ").map(|(count, rest)| (count.parse(), rest)) {
        Some((Ok(count), rest)) => (count, rest),
        _ => (1, text),
    }
}

#[cfg(test)]
mod tests {
    use super::{Step, parse};

    #[test]
    fn a_case_may_stand_for_many() {
        let text = "== bind\n# a remark\na {x} of {y} | 3.4 §4.1 | for x in 1..3 0x10 | for y in a b | last\n  \
            bind trx\n  > 5* enquire_link status={x}\n  < 5* resp ROK | nothing\n";
        let cases = parse(text).expect("cases");
        assert_eq!(cases.len(), 8);
        assert_eq!((cases[0].name.as_str(), cases[7].name.as_str()), ("a 1 of a", "a 0x10 of b"));
        assert!(cases[0].last && cases[0].section == "bind" && !cases[0].optional);
        assert!(matches!(cases[0].steps[1], Step::Send(5, _)));
        for wrong in ["a\n  open", "a | 3.4\n", "a | 3.4 | never\n  open", "a | 3.4\n  jump"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
