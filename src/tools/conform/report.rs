//! What a run came to: a table on a terminal, one JSON object a line, and JUnit for build servers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::tools::conform::player::Verdict;
use crate::tools::conform::script::Case;
use crate::tools::{Fault, terminal};

/// The cases that have been judged.
pub(super) struct Report {
    json: bool,
    bar: ProgressBar,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    clause: String,
    section: String,
    verdict: Verdict,
    took: Duration,
}

/// Passed, failed, skipped.
type Counts = [u64; 3];

impl Report {
    /// An empty report of a run of so many cases.
    pub(super) fn new(json: bool, cases: usize) -> Report {
        let shown = !json && std::io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}").unwrap_or(ProgressStyle::default_bar());
        Report {
            json,
            bar: ProgressBar::with_draw_target(Some(cases as u64), target).with_style(style),
            rows: Vec::new(),
        }
    }

    /// Adds a case, and tells it at once.
    pub(super) fn add(&mut self, case: &Case, verdict: Verdict, took: Duration) {
        let row =
            Row { name: case.name.clone(), clause: case.clause.clone(), section: case.section.clone(), verdict, took };
        let (word, detail) = row.result();
        if self.json {
            terminal::json(&json!({
                "case": row.name, "clause": row.clause, "section": row.section, "result": word, "detail": detail,
            }));
        } else if word != "pass" {
            let line = format!("{word:<5} {:<10} {} ({})\n      {detail}", row.section, row.name, row.clause);
            self.bar.suspend(|| terminal::line(&line));
        }
        self.bar.inc(1);
        self.rows.push(row);
    }

    /// Tells the totals, and whether nothing failed.
    pub(super) fn finish(&self, took: Duration) -> Result<(), Fault> {
        self.bar.finish_and_clear();
        let mut sections: BTreeMap<&str, Counts> = BTreeMap::new();
        for row in &self.rows {
            sections.entry(&row.section).or_default()[row.place()] += 1;
        }
        let total = sections.values().fold([0; 3], |sum: Counts, counts| [0, 1, 2].map(|at| sum[at] + counts[at]));
        if self.json {
            terminal::json(&totals(&sections, total, took));
        } else {
            terminal::line(&format!("{:<12} {:>6} {:>6} {:>6}", "section", "pass", "fail", "skip"));
            for (name, [pass, fail, skip]) in sections.iter().chain([(&"all", &total)]) {
                terminal::line(&format!("{name:<12} {pass:>6} {fail:>6} {skip:>6}"));
            }
            terminal::line(&format!("took {:.1} s", took.as_secs_f64()));
        }
        match total[1] {
            0 => Ok(()),
            failed => Err(Fault::Failed(format!("{failed} of {} cases failed", self.rows.len()))),
        }
    }

    /// Writes the run as JUnit XML.
    pub(super) fn write_junit(&self, path: &Path, took: Duration) -> Result<(), Fault> {
        let written = std::fs::write(path, self.junit(took));
        written.map_err(|error| Fault::Failed(format!("--junit {}: {error}", path.display())))
    }

    fn junit(&self, took: Duration) -> String {
        let count = |place: usize| self.rows.iter().filter(|row| row.place() == place).count();
        let (cases, failed, skipped, seconds) = (self.rows.len(), count(1), count(2), took.as_secs_f64());
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let counts = format!("tests=\"{cases}\" failures=\"{failed}\" skipped=\"{skipped}\" time=\"{seconds:.3}\"");
        // Writing into a String does not fail.
        let _ = writeln!(xml, "<testsuites {counts}>\n<testsuite name=\"sluice conform\" errors=\"0\" {counts}>");
        for row in &self.rows {
            let (section, name, seconds) = (escaped(&row.section), escaped(&row.name), row.took.as_secs_f64());
            let (_, detail) = row.result();
            let inner = match row.verdict {
                Verdict::Pass(_) => String::new(),
                Verdict::Fail(_) => format!("<failure message=\"{}\"/>", escaped(detail)),
                Verdict::Skip(_) => format!("<skipped message=\"{}\"/>", escaped(detail)),
            };
            let clause = escaped(&row.clause);
            let _ = writeln!(
                xml,
                "<testcase classname=\"{section}\" name=\"{name} ({clause})\" time=\"{seconds:.3}\">{inner}</testcase>"
            );
        }
        xml.push_str("</testsuite>\n</testsuites>\n");
        xml
    }
}

fn totals(sections: &BTreeMap<&str, Counts>, [pass, fail, skip]: Counts, took: Duration) -> Value {
    let counts =
        |[pass, fail, skip]: Counts| json!({ "cases": pass + fail + skip, "pass": pass, "fail": fail, "skip": skip });
    let by_section: serde_json::Map<String, Value> =
        sections.iter().map(|(name, counted)| ((*name).to_owned(), counts(*counted))).collect();
    let hostile = sections.get("hostile").copied().unwrap_or_default();
    json!({
        "total": pass + fail + skip, "pass": pass, "fail": fail, "skip": skip,
        "conformance": pass + fail + skip - hostile.iter().sum::<u64>(), "hostile": hostile.iter().sum::<u64>(),
        "seconds": (took.as_secs_f64() * 10.0).round() / 10.0, "sections": by_section,
    })
}

impl Row {
    fn place(&self) -> usize {
        match self.verdict {
            Verdict::Pass(_) => 0,
            Verdict::Fail(_) => 1,
            Verdict::Skip(_) => 2,
        }
    }

    fn result(&self) -> (&'static str, &str) {
        match &self.verdict {
            Verdict::Pass(detail) => ("pass", detail),
            Verdict::Fail(detail) => ("fail", detail),
            Verdict::Skip(detail) => ("skip", detail),
        }
    }
}

/// Text for an XML attribute. Control characters have no place in XML 1.0 at all.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            _ if character.is_control() => xml.push('?'),
            _ => xml.push(character),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::{Report, escaped};
    use crate::tools::conform::player::Verdict;
    use crate::tools::conform::script::parse;
    use std::time::Duration;

    #[test]
    fn a_failure_is_in_every_report() {
        let cases = parse("== bind\na < b & \"c\" | 3.4 §4.1\n  open\n").expect("a case");
        let mut report = Report::new(true, 1);
        report.add(&cases[0], Verdict::Fail("no\0answer".to_owned()), Duration::from_millis(5));
        let xml = report.junit(Duration::from_secs(1));
        assert!(xml.contains("failures=\"1\"") && xml.contains("a &lt; b &amp; &quot;c&quot; (3.4 §4.1)"), "{xml}");
        assert!(xml.contains("no?answer"), "{xml}");
        assert!(report.finish(Duration::from_secs(1)).is_err());
        assert_eq!(escaped("a>b"), "a&gt;b");
    }
}
