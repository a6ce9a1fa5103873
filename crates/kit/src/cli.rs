//! What a person types.

use crate::{
    Failure, advise, compare, doctor, exercise, generated, new_lesson, predict, workspace,
};
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use report::Lesson;
use report::typed::{one_line, workers};
use report::words::list;
use std::ffi::OsString;
use std::io::Write;
use std::num::NonZeroUsize;

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
        /// Your guess: a speed-up such as 1.9 or 1.9x; --workers N (1 to 1024) instead of 2;
        /// --pairs FILE instead of the ten pairs.
        #[arg(
            value_name = "GUESS AND OPTIONS",
            trailing_var_arg = true,
            allow_hyphen_values = true
        )]
        rest: Vec<OsString>,
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
    /// Begin a lesson: its folder and its chapter, with a `todo` wherever something must be said.
    NewLesson {
        /// Its name in small letters and hyphens, such as shared-memory.
        #[arg(value_name = "NAME", value_parser = name)]
        name: String,
        /// Its number, if it is not the next one.
        #[arg(long, value_name = "N")]
        number: Option<u32>,
    },
    /// Write what follows from the lessons' folders: the numbered recipes, and README's table.
    Generate,
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
        Command::Predict { lesson, rest } => predict::predict(&lesson, &rest, out),
        Command::Compare { lesson } => compare::compare(&lesson, out),
        Command::Exercise { lesson, solution } => exercise::check(&lesson, solution, out),
        Command::Hint { lesson, which } => {
            exercise::hint(&lesson, which, out)?;
            Ok(0)
        }
        Command::Advise { item_ms, bytes, workers, items } => {
            let work = advise::Work { item_seconds: item_ms / 1e3, bytes, workers, items };
            advise::advise(work, out)?;
            Ok(0)
        }
        Command::NewLesson { name, number } => {
            new_lesson::create(&workspace::root()?, &name, number, out)?;
            Ok(0)
        }
        Command::Generate => {
            let root = workspace::root()?;
            generated::write(&root, &workspace::lessons()?)?;
            Ok(0)
        }
        Command::Doctor => {
            let facts = machine::Facts::gather();
            doctor::print(&facts, &doctor::find_tools(), &workspace::lessons()?, out)?;
            Ok(0)
        }
    }
}

fn lesson(word: &str) -> Result<Lesson, String> {
    let lessons = curriculum::lessons(&curriculum::root()?)?;
    let number: Option<u32> = word.parse().ok();
    let found = lessons.iter().find(|lesson| Some(lesson.number) == number);
    found.cloned().ok_or_else(|| {
        let numbers: Vec<u32> = lessons.iter().map(|lesson| lesson.number).collect();
        format!("there is no such lesson; the lessons are {}", list(&numbers))
    })
}

/// A lesson's name, as a folder's and a chapter's.
fn name(word: &str) -> Result<String, String> {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase());
    let fits = word.split('-').all(is_word);
    let wanted = || "small letters and hyphens are wanted, as in shared-memory".to_owned();
    fits.then(|| word.to_owned()).ok_or_else(wanted)
}

fn which_hint(word: &str) -> Result<usize, String> {
    let last = exercise::HINTS_EACH;
    word.parse()
        .ok()
        .filter(|which| (1..=last).contains(which))
        .ok_or_else(|| format!("there are {last} hints, 1 to {last}"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
