//! The options that are typed behind `just predict-4`.

use clap::{CommandFactory, FromArgMatches, Parser};
use curriculum::Lesson;
use kernel::{Pair, steps, ten_pairs};
use report::session::NoOptions;
use report::typed::{pairs, workers};
use report::words::count;
use schedule::{Policy, bound, speedup};
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// The command-line options, the same for every lesson.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Arguments {
    /// Your guess: a speed-up such as 1.9 or 1.9x
    #[arg(value_name = "GUESS", value_parser = guess, allow_negative_numbers = true)]
    guess: Option<f64>,
    /// Predict for this many workers, 1 to 1024
    #[arg(long, value_name = "N", default_value = "2", value_parser = workers)]
    #[arg(allow_negative_numbers = true)]
    workers: NonZeroUsize,
    /// Predict for the pairs in this file instead of the ten: two positive integers a line
    #[arg(long, value_name = "FILE")]
    pairs: Option<PathBuf>,
}

/// The checked input of a prediction.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The lesson that asks.
    pub lesson: Lesson,
    /// The reader's guess, if there is one.
    pub guess: Option<f64>,
    /// How many workers there are.
    pub workers: NonZeroUsize,
    /// The file of the pairs, if the pairs are not the ten of the kit.
    file: Option<PathBuf>,
    /// The items.
    pub pairs: Vec<Pair>,
    /// Each item's steps.
    pub costs: Vec<u64>,
    /// The steps of all items.
    pub total: u64,
    /// The steps of the longest item.
    pub longest: u64,
}

impl Asked {
    /// The speed-up of these items on these workers under a policy.
    pub fn speedup(&self, policy: Policy) -> f64 {
        speedup(policy, &self.costs, self.workers)
    }

    /// The speed-up that no schedule on this many workers can beat.
    pub fn bound(&self) -> f64 {
        bound(&self.costs, self.workers)
    }

    /// total / longest: the bound for an unlimited number of workers.
    pub fn any_number(&self) -> f64 {
        self.total as f64 / self.longest as f64
    }

    /// "2 threads", "1 thread".
    pub fn threads(&self) -> String {
        count(self.workers.get(), "thread")
    }

    /// "2 workers", "1 worker".
    pub fn workers_in_words(&self) -> String {
        count(self.workers.get(), "worker")
    }

    /// The command that was typed, with a guess inserted.
    pub fn command(&self, guess: &str) -> String {
        let mut command = format!("just predict-{} {guess}", self.lesson.number);
        if self.workers.get() != 2 {
            command += &format!(" --workers {}", self.workers);
        }
        if let Some(file) = &self.file {
            command += &format!(" --pairs {}", file.display());
        }
        command
    }
}

/// Reads the arguments, the program's name first.
pub(crate) fn read(
    lesson: Lesson,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Asked, NoOptions> {
    let Lesson { number, name, question, .. } = &lesson;
    let command = Arguments::command()
        .name(name.clone())
        .about(format!(
            "Guess before you run lesson {number}, {name}: {question}\n\
             With your guess, the answer. Nothing is run."
        ))
        .override_usage(format!("just predict-{number} [GUESS] [OPTIONS]"));
    let matches = command.try_get_matches_from(arguments)?;
    let Arguments { guess, workers, pairs: file } = Arguments::from_arg_matches(&matches)?;
    let pairs = match &file {
        Some(path) => pairs(path).map_err(NoOptions::Input)?,
        None => ten_pairs(),
    };
    let costs: Vec<u64> = pairs.iter().copied().map(steps).collect();
    let (total, longest) = (costs.iter().sum(), costs.iter().copied().max().unwrap_or(0));
    Ok(Asked { lesson, guess, workers, file, pairs, costs, total, longest })
}

/// `1.9`, `1.9x` or `1.9×`.
fn guess(word: &str) -> Result<f64, String> {
    let number = word.trim_end_matches(['x', 'X', '×']);
    // Only digits and a point are allowed: `parse` would also take "inf", "nan" and "1e3".
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

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
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
