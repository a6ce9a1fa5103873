//! Small parts of sentences: labels, numbers, lists.

use anstyle::Style;
use std::fmt::Display;
use std::io::{self, Write};

/// How wide the column of labels is.
pub const LABEL: usize = 13;

/// Writes a paragraph: its label in bold, its lines beside and below each other.
pub fn paragraph(out: &mut impl Write, label: &str, text: &str) -> io::Result<()> {
    let bold = Style::new().bold();
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    writeln!(out, "{bold}{label:<LABEL$}{bold:#}{first}")?;
    for line in lines {
        writeln!(out, "{:LABEL$}{line}", "")?;
    }
    Ok(())
}

/// "1, 2 and 3".
pub fn list<T: Display>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [only] => only.to_string(),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(T::to_string).collect();
            format!("{} and {last}", first.join(", "))
        }
    }
}

/// The counted thing: "1 worker", "2 workers".
pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_counts() {
        assert_eq!(list::<u8>(&[]), "");
        assert_eq!(list(&[1]), "1");
        assert_eq!(list(&[1, 2, 3]), "1, 2 and 3");
        assert_eq!(count(1, "worker"), "1 worker");
    }
}
