//! The rows of an answer.

use crate::{ANY_NUMBER, Asked, Out};
use report::words::{count, list};
use report::{speedup as shown_speedup, steps as steps_of};
use schedule::{Policy, plan};
use std::io;

/// One line of the answer: a way to run the items, and its speed-up.
#[derive(Clone, Debug)]
pub struct Row {
    /// The way to run the items.
    pub name: &'static str,
    /// The speed-up from and to; the same number twice where the schedule is fixed.
    pub range: (f64, f64),
    /// A few words on why.
    pub note: String,
    /// Whether to leave the row out when the guess is judged, because the row limits or repeats
    /// another row.
    pub aside: bool,
}

impl Row {
    /// A row with one speed-up, which a guess is compared with.
    pub fn new(name: &'static str, speedup: f64, note: impl Into<String>) -> Self {
        Self { name, range: (speedup, speedup), note: note.into(), aside: false }
    }

    /// The same row, which a guess is not compared with.
    pub fn aside(self) -> Self {
        Self { aside: true, ..self }
    }

    /// The speed-up as it is printed: `1.97x`, or `1.84 to 1.99x`.
    pub fn shown(&self) -> String {
        let (from, to) = (shown_speedup(self.range.0), shown_speedup(self.range.1));
        if from == to { from } else { format!("{} to {to}", from.trim_end_matches('x')) }
    }

    /// How far a guess is off, as a factor of at least 1.
    pub fn distance(&self, guess: f64) -> f64 {
        let (from, to) = self.range;
        if guess < from {
            from / guess
        } else if guess > to {
            guess / to
        } else {
            1.0
        }
    }
}

/// The rows that follow from the costs alone. A guess is compared with the row for any number of
/// workers only if that row was asked for: with fewer workers, nothing reaches that row.
pub(crate) fn policy_rows(asked: &Asked, answer: &str) -> Vec<Row> {
    let workers = asked.workers.get();
    let any = asked.any_number();
    let divided =
        format!("{} / {}: total / longest item", steps_of(asked.total), steps_of(asked.longest));
    let limit = if any < workers as f64 {
        "the longest item alone takes that long"
    } else {
        "one for each worker, and no more"
    };
    let policy =
        |policy: Policy, note: String| Row::new(policy.name(), asked.speedup(policy), note);
    let mut rows = vec![
        Row::new(ANY_NUMBER, any, divided),
        Row::new("the bound", asked.bound(), limit).aside(),
        policy(Policy::Queue, "a free worker takes the next item".to_owned()),
        policy(Policy::CeilChunks, sizes(asked, Policy::CeilChunks)),
        policy(Policy::BalancedChunks, sizes(asked, Policy::BalancedChunks)),
        policy(Policy::LongestFirst, "a queue, sorted by cost: it must be known".to_owned()),
    ];
    rows[0].aside = answer != ANY_NUMBER;
    rows
}

/// How many items each worker gets: "5 and 5 items".
fn sizes(asked: &Asked, policy: Policy) -> String {
    let mut sizes = vec![0usize; asked.workers.get()];
    for slot in plan(policy, &asked.costs, asked.workers) {
        sizes[slot.worker] += 1;
    }
    if sizes.len() <= 10 {
        let items = if sizes == [1] { "item" } else { "items" };
        format!("{} {items}", list(&sizes))
    } else {
        let idle = sizes.iter().filter(|&&size| size == 0).count();
        format!("{} at most; {} without one", count(sizes[0], "item"), count(idle, "worker"))
    }
}

/// Prints the rows, one a line.
///
/// # Errors
/// If `out` cannot be written.
pub fn print_rows(rows: &[Row], out: Out) -> io::Result<()> {
    for row in rows {
        let line = format!("  {:<24}{:>13}   {}", row.name, row.shown(), row.note);
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
