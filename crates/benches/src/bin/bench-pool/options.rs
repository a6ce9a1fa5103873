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
    /// Write the JSON array into this file, beside the text. Hidden from the help: the option is
    /// for the book's recorder, which needs text and numbers of the same run.
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
