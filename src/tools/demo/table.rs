//! Tables on a terminal: columns as wide as what is in them, numbers to the right.

use crate::tools::terminal;

/// Prints rows under their headings. Columns named in `right` are aligned to the right.
pub(crate) fn print(headings: &[&str], right: &[usize], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row.get(column).map_or(0, |cell| cell.chars().count()));
        cells.chain([headings[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if right.contains(&column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let headings: Vec<String> = headings.iter().map(|heading| (*heading).to_owned()).collect();
    terminal::line(&line(&headings));
    let rule = widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join("  ");
    terminal::line(&rule);
    rows.iter().for_each(|row| terminal::line(&line(row)));
}

/// A number with its middle hidden, as a screen that others may see should show it.
pub(crate) fn masked(number: &str) -> String {
    let digits: Vec<char> = number.chars().collect();
    let shown = |at: usize| at < 4 || at + 2 >= digits.len();
    digits.iter().enumerate().map(|(at, digit)| if shown(at) { *digit } else { '•' }).collect()
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn the_middle_of_a_number_is_hidden() {
        assert_eq!(masked("447700900123"), "4477••••••23");
        assert_eq!(masked("12ab"), "12ab");
    }
}
