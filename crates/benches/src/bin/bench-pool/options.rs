//! The command-line options.

use clap::Parser;
use clap::builder::StyledStr;
use clap::error::ErrorKind;
use std::ffi::OsString;
use std::path::PathBuf;

/// The process pool beside bare sockets and Python's ProcessPoolExecutor.
#[derive(Debug, Parser)]
#[command(name = "bench-pool", disable_version_flag = true)]
#[command(override_usage = "just bench-pool [OPTIONS]")]
pub struct Options {
    /// Number of rounds, 1 to 1000; everything is measured once in each, and the median counts
    #[arg(long, value_name = "N", default_value = "21", value_parser = rounds)]
    #[arg(allow_negative_numbers = true)]
    pub rounds: usize,
    /// The Python to measure beside ours [default: python3, where there is one]
    #[arg(long, value_name = "PATH")]
    pub python: Option<PathBuf>,
    /// Print the rows as one JSON array, times in seconds
    #[arg(long)]
    pub json: bool,
    /// Few and small items, to see that it works: the figures mean little
    #[arg(long)]
    pub quick: bool,
    /// Exit with 0 although bars do not hold, as on a machine that has other work; without it 1
    #[arg(long)]
    pub report_only: bool,
    /// Write the JSON array into this file, beside the text. Hidden from the help: the option is
    /// for the book's recorder, which needs text and numbers of the same run. A record is made of
    /// whatever was measured, so the bars do not decide the status.
    #[arg(long, value_name = "FILE", hide = true)]
    pub record: Option<PathBuf>,
}

/// The reason why there are no options.
pub enum Other {
    /// The user asked for help; this is the text.
    Help(StyledStr),
    /// The command line cannot be used; this one line says why.
    Mistake(String),
}

impl Options {
    /// The exit status: 1 if the bars are to decide and do not all hold.
    pub fn status(&self, all_hold: bool) -> u8 {
        let reports = self.report_only || self.record.is_some();
        u8::from(!reports && !all_hold)
    }

    /// Reads the arguments, the program's name first.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Other> {
        Self::try_parse_from(arguments).map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp => Other::Help(error.render()),
            _ => {
                let text = error.render().to_string();
                let line = text.lines().next().unwrap_or_default();
                Other::Mistake(line.trim_start_matches("error: ").to_owned())
            }
        })
    }
}

fn rounds(word: &str) -> Result<usize, String> {
    word.parse()
        .ok()
        .filter(|rounds| (1..=1000).contains(rounds))
        .ok_or_else(|| "a whole number from 1 to 1000 is wanted".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bars_decide_the_status_unless_they_are_only_reported() {
        let statuses = |words: &[&str]| {
            let words = std::iter::once("bench-pool").chain(words.iter().copied());
            let Ok(options) = Options::read(words.map(OsString::from)) else { panic!("options") };
            [true, false].map(|all_hold| options.status(all_hold))
        };
        assert_eq!(statuses(&[]), [0, 1]);
        assert_eq!(statuses(&["--json"]), [0, 1]);
        assert_eq!(statuses(&["--quick"]), [0, 1]);
        assert_eq!(statuses(&["--report-only"]), [0, 0]);
        assert_eq!(statuses(&["--record", "file"]), [0, 0]);
    }
}
