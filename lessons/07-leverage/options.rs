//! What lesson 7 can be told on the command line.

use clap::{CommandFactory, FromArgMatches, Parser};
use report::Lesson;
use report::session::{self, Destination, NoOptions, Output};
use report::typed::{rounds, workers};
use std::ffi::OsString;
use std::num::NonZeroUsize;

/// The seconds that an item computes, a column each: from too little to plenty.
const COLUMNS: [f64; 5] = [20e-6, 100e-6, 500e-6, 2.5e-3, 10e-3];

/// The options as they are typed.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Arguments {
    /// Number of workers, 1 to 1024; not your core count, so that
    /// the questions are the same everywhere
    #[arg(long, value_name = "N", default_value = "2", verbatim_doc_comment)]
    #[arg(value_parser = workers, allow_negative_numbers = true)]
    workers: NonZeroUsize,
    /// Number of measured rounds, 1 to 1000; in each round every
    /// stage has every cell once
    #[arg(long, value_name = "N", default_value = "5", verbatim_doc_comment)]
    #[arg(value_parser = rounds, allow_negative_numbers = true)]
    rounds: usize,
    /// A quick look: one round, and not the longest items
    #[arg(long, conflicts_with = "rounds")]
    quick: bool,
    #[command(flatten)]
    output: Output,
}

/// The options of a run, checked.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) workers: NonZeroUsize,
    pub(crate) rounds: usize,
    pub(crate) columns: Vec<f64>,
    pub(crate) destination: Destination,
}

impl Options {
    /// Reads the options from the arguments, the program's name first.
    pub(crate) fn read(
        lesson: &Lesson,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, NoOptions> {
        let command = Arguments::command()
            .mut_arg("svg", |argument| argument.help("Also draw the maps into this file, as SVG"));
        let matches = session::arguments(lesson, command, arguments)?;
        let Arguments { workers, rounds, quick, output } = Arguments::from_arg_matches(&matches)?;
        let columns = if quick { &COLUMNS[..4] } else { &COLUMNS };
        Ok(Self {
            workers,
            rounds: if quick { 1 } else { rounds },
            columns: columns.to_vec(),
            destination: output.open()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_are_consistent() {
        Arguments::command().debug_assert();
    }
}
