//! The dashboard's page: one file with its style and script inside, sent with the numbers already in it. The script only keeps them fresh.
//!
//! An element with `data-show="KIND PATH"` shows the value at PATH of the snapshot's JSON. The kinds are the same here and in the script.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use serde_json::Value;

use crate::dashboard::snapshot::Snapshot;

const TEMPLATE: &str = include_str!("assets/dashboard.html");
const SHOW: &str = "data-show=\"";
/// The chart's box, in its own units: a second is one wide.
const CHART_WIDE: f64 = 120.0;
const CHART_HIGH: f64 = 40.0;

/// The snapshot as JSON.
pub fn json(snapshot: &Snapshot) -> String {
    serde_json::to_string(snapshot).expect("plain values have no map with other keys than strings")
}

/// The page with the values of this snapshot.
pub fn html(snapshot: &Snapshot) -> String {
    let values = serde_json::to_value(snapshot).expect("as above");
    let mut page = String::with_capacity(2 * TEMPLATE.len());
    let mut rest = TEMPLATE;
    while let Some(at) = rest.find(SHOW) {
        let (before, from) = rest.split_at(at + SHOW.len());
        let (what, after) = from.split_once('"').expect("the template closes its quotes");
        let (attributes, after) = after.split_once('>').expect("the template closes its tags");
        let (kind, path) = what.split_once(' ').expect("a kind and a path");
        let (is, shown) = show(kind, path, &values);
        let is = is.map_or_else(String::new, |is| format!(" data-is=\"{}\"", escaped(&is)));
        page.extend([before, what, "\"", &is, attributes, ">", &shown]);
        rest = after;
    }
    page + rest
}

/// The Content-Security-Policy of the page: its own style and script by their hashes, its own numbers, and nothing else.
pub fn policy() -> String {
    let hash = |tag: &str| {
        let (_, from) = TEMPLATE.split_once(&format!("<{tag}>")).expect("the template has one of each");
        let (inside, _) = from.split_once(&format!("</{tag}>")).expect("and closes it");
        STANDARD.encode(digest(&SHA256, inside.as_bytes()))
    };
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash("style"),
        hash("script")
    )
}

/// What stands in `data-is` (for the style) and what stands inside the element.
fn show(kind: &str, path: &str, values: &Value) -> (Option<String>, String) {
    let value = at(values, path);
    let number = value.as_f64().unwrap_or(0.0);
    match kind {
        "text" => {
            let text = value.as_str().unwrap_or_default();
            (Some(text.to_owned()), escaped(text))
        }
        "count" => (None, grouped(number)),
        "alarm" => (Some(if number > 0.0 { "raised" } else { "calm" }.to_owned()), grouped(number)),
        "rate" => (None, rate(number)),
        "octets" => (None, octets(number)),
        "micros" => (None, micros(number)),
        "span" => (None, span(number)),
        "clock" => (None, clock(number)),
        "peak" => (None, rate(peak(value))),
        "line" => (None, format!("<polyline points=\"{}\"/>", points(value, peak(at(values, "trend"))))),
        "rows" => (None, rows(path, values)),
        _ => unreachable!("the template names a kind that does not exist: {kind}"),
    }
}

fn at<'a>(values: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(values, |value, key| &value[key])
}

/// `ROWS COLUMN COLUMN…`: the first column names the row, words get `data-is`, numbers are grouped.
fn rows(path: &str, values: &Value) -> String {
    let (list, columns) = path.split_once(' ').expect("a list and its columns");
    let columns: Vec<&str> = columns.split(' ').collect();
    let rows = at(values, list).as_array().map_or(&[][..], Vec::as_slice);
    if rows.is_empty() {
        return format!("<tr><td colspan=\"{}\">none</td></tr>", columns.len());
    }
    let mut html = String::new();
    for row in rows {
        html += "<tr>";
        for (n, column) in columns.iter().enumerate() {
            html += &match (&row[column], n) {
                (Value::String(name), 0) => format!("<th scope=\"row\">{}</th>", escaped(name)),
                (Value::String(word), _) => format!("<td data-is=\"{0}\">{0}</td>", escaped(word)),
                (number, _) => format!("<td>{}</td>", grouped(number.as_f64().unwrap_or(0.0))),
            };
        }
        html += "</tr>";
    }
    html
}

/// The highest rate of all lines, at least 1.
fn peak(trend: &Value) -> f64 {
    let lines = trend.as_object().into_iter().flat_map(|lines| lines.values());
    lines.filter_map(Value::as_array).flatten().filter_map(Value::as_f64).fold(1.0, f64::max)
}

/// A polyline that ends at the right edge.
fn points(line: &Value, peak: f64) -> String {
    let rates = line.as_array().map_or(&[][..], Vec::as_slice);
    let from = CHART_WIDE - rates.len() as f64;
    let point = |(n, rate): (usize, &Value)| {
        let high = rate.as_f64().unwrap_or(0.0) / peak * (CHART_HIGH - 2.0);
        format!("{},{:.1}", from + n as f64 + 1.0, CHART_HIGH - 1.0 - high)
    };
    rates.iter().enumerate().map(point).collect::<Vec<_>>().join(" ")
}

fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn rate(per_second: f64) -> String {
    if per_second > 0.0 && per_second < 10.0 { format!("{per_second:.1}") } else { grouped(per_second) }
}

fn octets(octets: f64) -> String {
    let units = [(1024.0 * 1024.0 * 1024.0, "GiB"), (1024.0 * 1024.0, "MiB"), (1024.0, "KiB")];
    match units.iter().find(|(size, _)| octets >= *size) {
        Some((size, unit)) => format!("{:.1} {unit}", octets / size),
        None => format!("{octets:.0} B"),
    }
}

fn micros(micros: f64) -> String {
    match micros {
        _ if micros < 1e3 => format!("{micros:.0} µs"),
        _ if micros < 1e6 => format!("{:.1} ms", micros / 1e3),
        _ => format!("{:.1} s", micros / 1e6),
    }
}

fn span(seconds: f64) -> String {
    let (minutes, hours, days) = ((seconds / 60.0).floor(), (seconds / 3600.0).floor(), (seconds / 86400.0).floor());
    match seconds {
        _ if seconds < 60.0 => format!("{seconds:.0} s"),
        _ if seconds < 3600.0 => format!("{minutes} min"),
        _ if seconds < 86400.0 => format!("{hours} h {} min", minutes - 60.0 * hours),
        _ => format!("{days} d {} h", hours - 24.0 * days),
    }
}

fn clock(micros: f64) -> String {
    let seconds = (micros / 1e6).floor().rem_euclid(86400.0) as u32;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::{SHOW, TEMPLATE, at, grouped, html, json, micros, octets, policy, rate, span};
    use crate::dashboard::snapshot::{Carrier, Snapshot, Trend};

    fn snapshot() -> Snapshot {
        let trend = Trend { accepted: vec![0.0, 5.0], sent: vec![10.0, 20.0] };
        let carrier =
            Carrier { carrier: "a<b>&\"".to_owned(), standing: "down", waiting: 1_234_567, ..Carrier::default() };
        let mut snapshot = Snapshot { trend, carriers: vec![carrier], ..Snapshot::default() };
        snapshot.parts.in_doubt = 7;
        snapshot
    }

    #[test]
    fn the_template_shows_what_the_snapshot_has() {
        let values: serde_json::Value = serde_json::from_str(&json(&snapshot())).expect("JSON");
        for from in TEMPLATE.split(SHOW).skip(1) {
            let what = from.split('"').next().expect("a quote");
            let mut words = what.split(' ');
            let (_, path) = (words.next(), words.next().expect("a path"));
            assert!(!at(&values, path).is_null(), "{what}: there is no {path}");
            for column in words.filter(|_| path == "carriers") {
                assert!(!values["carriers"][0][column].is_null(), "{what}: there is no {column}");
            }
        }
    }

    #[test]
    fn values_are_in_the_page_before_any_script_runs() {
        let page = html(&snapshot());
        for shown in [
            "data-show=\"text standing\" data-is=\"draining\"",
            "data-is=\"raised\">7<",
            "<th scope=\"row\">a&lt;b&gt;&amp;&quot;</th><td data-is=\"down\">down</td>",
            "<td>1,234,567</td>",
            "<polyline points=\"119,20.0 120,1.0\"/>",
        ] {
            assert!(page.contains(shown), "{shown} is not in\n{page}");
        }
        assert!(!page.contains("a<b>"));
    }

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        assert!(!TEMPLATE.contains("http://www") && !TEMPLATE.contains("https:") && !TEMPLATE.contains("src="));
        assert!(!TEMPLATE.contains(" style=") && !TEMPLATE.contains(" onclick="), "the policy would forbid it");
        assert_eq!((TEMPLATE.matches("<style>").count(), TEMPLATE.matches("<script>").count()), (1, 1));
        assert!(policy().starts_with("default-src 'none'; style-src 'sha256-"));
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!([grouped(0.0), grouped(999.0), grouped(1e6)], ["0", "999", "1,000,000"]);
        assert_eq!([rate(0.0), rate(2.5), rate(12.4)], ["0", "2.5", "12"]);
        assert_eq!([octets(12.0), octets(4194304.0)], ["12 B", "4.0 MiB"]);
        assert_eq!([micros(640.0), micros(1250.0), micros(2.5e6)], ["640 µs", "1.2 ms", "2.5 s"]);
        assert_eq!([span(59.0), span(125.0), span(7500.0), span(90000.0)], ["59 s", "2 min", "2 h 5 min", "1 d 1 h"]);
    }
}
