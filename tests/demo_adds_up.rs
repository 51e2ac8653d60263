//! The demonstration ends well, and what it prints adds up by anybody's arithmetic.

mod support;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};

use support::program::Program;
use support::{cdr, daemon};

/// Sums in micro-units by currency.
type Sums = BTreeMap<String, i64>;

#[test]
fn demo_adds_up() {
    let output = daemon::sluice().args(["demo", "--exit"]).output().expect("the binary starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}\n{errors}");
    let messages = table(&said, "id ");
    let bill = table(&said, "tenant ");
    assert!(messages.len() > 30, "a few dozen messages: {said}");
    for parts in ["1", "2", "3", "4", "5"] {
        assert!(messages.iter().any(|row| row[3] == parts), "a message of {parts} parts: {said}");
    }
    for word in ["gsm7", "ucs2"] {
        assert!(messages.iter().any(|row| row[4] == word), "a message in {word}: {said}");
    }
    let refused = messages.iter().filter(|row| row[0] == "-").count();
    assert_eq!(refused, 4, "an invalid number and a number without price on each way in: {said}");

    let of_messages = sum(messages.iter().filter(|row| row[0] != "-").map(|row| row[6].as_str()));
    let of_bill = sum(bill.iter().map(|row| row[5].as_str()));
    assert_eq!(of_messages, of_bill, "{said}");
    for source in [" CDR lines", "parts in the API", "carrier's record at list prices"] {
        let line = said.lines().find(|line| line.contains(source)).unwrap_or_else(|| panic!("no {source}: {said}"));
        let amounts = line.split_once(source).map(|(_, amounts)| amounts.trim()).unwrap_or_default();
        assert_eq!(sum([amounts]), of_bill, "{source}: {said}");
    }
    let charged: u64 = bill.iter().map(|row| row[4].parse::<u64>().expect("a count")).sum();
    assert!(charged > 40 && !of_bill.values().any(|micros| *micros == 0), "something was charged: {said}");
}

#[test]
fn demo_stays_up_and_ends_on_a_signal() {
    let logs = tempfile::tempdir().expect("a temporary directory");
    let mut command = daemon::sluice();
    command.arg("demo");
    let mut program = Program::start("sluice demo", command, &logs.path().join("demo.log"));
    let dashboard = program.line_after("  dashboard   http://");
    let address: SocketAddr = dashboard.trim_end_matches('/').parse().expect("an address");
    assert!(TcpStream::connect(address).is_ok(), "the daemon is there to be looked at");
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0), "{}", program.log());
    assert!(TcpStream::connect(address).is_err(), "the daemon ended with its demonstration");
}

/// The cells of the table whose heading starts with this word. Cells are two blanks apart.
fn table(said: &str, heading: &str) -> Vec<Vec<String>> {
    let lines = said.lines().skip_while(|line| !line.starts_with(heading)).skip(2);
    let cells =
        |line: &str| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect();
    lines.take_while(|line| !line.is_empty()).map(cells).collect()
}

/// Adds up amounts such as `0.0264 GBP` and `0.7154 EUR + 0.9537 GBP`.
fn sum<'a>(amounts: impl IntoIterator<Item = &'a str>) -> Sums {
    let mut sums = Sums::new();
    for amount in amounts.into_iter().flat_map(|amounts| amounts.split(" + ")).filter(|amount| *amount != "0") {
        let (number, currency) = amount.split_once(' ').unwrap_or_else(|| panic!("no amount: {amount:?}"));
        *sums.entry(currency.to_owned()).or_default() += cdr::micros(number);
    }
    sums
}
