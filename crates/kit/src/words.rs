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

/// The unit in which a run's steps are printed, chosen by the longest item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Single steps, where millions would be all zeros.
    Steps,
    /// Millions, with two decimals.
    Millions,
}

impl Unit {
    /// The unit that suits items of up to this many steps.
    pub fn of(longest: u64) -> Self {
        if longest < 100_000 { Self::Steps } else { Self::Millions }
    }

    /// The number alone.
    pub fn number(self, steps: u64) -> String {
        match self {
            Self::Steps => steps.to_string(),
            Self::Millions => format!("{:.2}", steps as f64 / 1e6),
        }
    }

    /// The number with its unit.
    pub fn steps(self, steps: u64) -> String {
        match self {
            Self::Steps => count(steps as usize, "step"),
            Self::Millions => format!("{} million steps", self.number(steps)),
        }
    }
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
        assert_eq!(Unit::of(3_823_804).steps(20_620_754), "20.62 million steps");
        assert_eq!(Unit::of(7).steps(1), "1 step");
    }
}
