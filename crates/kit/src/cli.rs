//! What a person types.

use crate::words::list;
use crate::{Failure, LESSONS, advise, compare, doctor, exercise, predict};
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use report::Lesson;
use std::ffi::OsString;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// The command behind the justfile.
#[derive(Debug, Parser)]
#[command(name = "kit", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Guess before you run a lesson; with your guess, the answer. Nothing is run.
    Predict {
        /// The lesson's number.
        #[arg(value_name = "LESSON", value_parser = lesson)]
        lesson: Lesson,
        /// Your guess: a speed-up such as 1.9 or 1.9x.
        #[arg(value_name = "GUESS", value_parser = guess, allow_negative_numbers = true)]
        guess: Option<f64>,
        /// Predict for this many workers (1 to 1024).
        #[arg(long, value_name = "N", default_value = "2", value_parser = workers)]
        #[arg(allow_negative_numbers = true)]
        workers: NonZeroUsize,
        /// Predict for the pairs in this file instead of the ten: two positive integers a line.
        #[arg(long, value_name = "FILE")]
        pairs: Option<PathBuf>,
    },
    /// Run a lesson and lay its output beside the recorded one.
    Compare {
        /// The lesson's number.
        #[arg(value_name = "LESSON", value_parser = lesson)]
        lesson: Lesson,
    },
    /// Check your solution of a lesson's exercise.
    Exercise {
        /// The lesson's number.
        #[arg(value_name = "LESSON", value_parser = lesson)]
        lesson: Lesson,
        /// Check the solution that stands beside your file, instead of yours.
        #[arg(long)]
        solution: bool,
    },
    /// A hint for a lesson's exercise.
    Hint {
        /// The lesson's number.
        #[arg(value_name = "LESSON", value_parser = lesson)]
        lesson: Lesson,
        /// Which hint, 1 to 3.
        #[arg(value_name = "HINT", value_parser = which_hint, default_value = "1")]
        #[arg(allow_negative_numbers = true)]
        which: usize,
    },
    /// Which stage to take for work of your own. What stages cost is measured here and now.
    Advise {
        /// Milliseconds that one item computes in a loop.
        #[arg(long, value_name = "MS", value_parser = milliseconds, allow_negative_numbers = true)]
        item_ms: f64,
        /// Bytes of one item and its answer together.
        #[arg(long, value_name = "N", value_parser = bytes, allow_negative_numbers = true)]
        bytes: u64,
        /// How many workers (1 to 1024).
        #[arg(long, value_name = "N", default_value = "2", value_parser = workers)]
        #[arg(allow_negative_numbers = true)]
        workers: NonZeroUsize,
        /// How many items.
        #[arg(long, value_name = "N", default_value = "1000", value_parser = items)]
        #[arg(allow_negative_numbers = true)]
        items: NonZeroUsize,
    },
    /// What this machine can show: cores and limits on them, tools, and which lessons work.
    Doctor,
}

/// Does what the arguments (the program's name first) ask for, and writes to `out`.
///
/// # Errors
/// A [`Failure`] if the arguments, or a file that they name, cannot be used, or if `out` cannot be
/// written.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut impl Write,
) -> Result<u8, Failure> {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                write!(out, "{}", error.render().ansi())?;
                return Ok(0);
            }
            _ => return Err(Failure::input(one_line(&error.render().to_string()))),
        },
    };
    match cli.command {
        Command::Predict { lesson, guess, workers, pairs } => {
            let asked = predict::Asked::new(lesson, guess, workers, pairs)?;
            predict::print(&asked, out)?;
            Ok(0)
        }
        Command::Compare { lesson } => compare::compare(lesson, out),
        Command::Exercise { lesson, solution } => exercise::check(lesson, solution, out),
        Command::Hint { lesson, which } => {
            exercise::hint(lesson, which, out)?;
            Ok(0)
        }
        Command::Advise { item_ms, bytes, workers, items } => {
            let work = advise::Work { item_seconds: item_ms / 1e3, bytes, workers, items };
            advise::advise(work, out)?;
            Ok(0)
        }
        Command::Doctor => {
            doctor::print(&doctor::Facts::gather(), out)?;
            Ok(0)
        }
    }
}

/// The first paragraph of clap's message as one line, without its "error: ".
fn one_line(message: &str) -> String {
    let paragraph = message.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    let line = words.join(" ");
    format!("{}; --help lists the options", line.strip_prefix("error: ").unwrap_or(&line))
}

fn lesson(word: &str) -> Result<Lesson, String> {
    let number: Option<u32> = word.parse().ok();
    let found = LESSONS.iter().find(|lesson| Some(lesson.number) == number);
    found.copied().ok_or_else(|| {
        let numbers: Vec<u32> = LESSONS.iter().map(|lesson| lesson.number).collect();
        format!("there is no such lesson; the lessons are {}", list(&numbers))
    })
}

fn which_hint(word: &str) -> Result<usize, String> {
    let last = exercise::HINTS_EACH;
    word.parse()
        .ok()
        .filter(|which| (1..=last).contains(which))
        .ok_or_else(|| format!("there are {last} hints, 1 to {last}"))
}

fn workers(word: &str) -> Result<NonZeroUsize, String> {
    word.parse()
        .ok()
        .filter(|workers: &NonZeroUsize| workers.get() <= 1024)
        .ok_or_else(|| "a whole number from 1 to 1024 is wanted".to_owned())
}

/// A plain decimal: a time that somebody may have measured, up to a day.
fn milliseconds(word: &str) -> Result<f64, String> {
    // Only digits and a point: `parse` would also take "inf", "nan" and "1e3".
    let plain = word.chars().all(|c| c.is_ascii_digit() || c == '.');
    word.parse()
        .ok()
        .filter(|&number: &f64| plain && number > 0.0 && number <= 86_400_000.0)
        .ok_or_else(|| {
            "milliseconds are wanted, more than 0 and at most a day, as 2 or 0.05".into()
        })
}

fn bytes(word: &str) -> Result<u64, String> {
    word.parse()
        .ok()
        .filter(|&bytes: &u64| bytes <= 1 << 40)
        .ok_or_else(|| "a whole number of bytes is wanted, at most 2^40".to_owned())
}

fn items(word: &str) -> Result<NonZeroUsize, String> {
    word.parse()
        .ok()
        .filter(|items: &NonZeroUsize| items.get() <= 1_000_000_000)
        .ok_or_else(|| "a whole number from 1 to 1,000,000,000 is wanted".to_owned())
}

/// `1.9`, `1.9x` or `1.9×`.
fn guess(word: &str) -> Result<f64, String> {
    let number = word.trim_end_matches(['x', 'X', '×']);
    // Only digits and a point: `parse` would also take "inf", "nan" and "1e3".
    let plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    number
        .parse()
        .ok()
        .filter(|&guess: &f64| plain && guess > 0.0 && guess <= 1e12)
        .ok_or_else(|| "a speed-up is wanted, a positive number such as 1.9 or 1.9x".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn guesses() {
        for (word, number) in [("1.9", 1.9), ("1.9x", 1.9), ("2×", 2.0), (".5", 0.5), ("3.", 3.0)]
        {
            assert_eq!(guess(word), Ok(number), "{word}");
        }
        for word in ["", "x", "0", "0.0", "-1", "inf", "nan", "1e3", "1,9", "two", "1.9.2", "+2"] {
            assert!(guess(word).is_err(), "{word}");
        }
    }
}
