//! What lesson 7 can be told on the command line.

use crate::Lesson;
use crate::output_file::OutputFile;
use clap::builder::StyledStr;
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser};
use std::ffi::OsString;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

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
    /// Print one JSON document instead of text, times in seconds
    #[arg(long)]
    json: bool,
    /// Also draw the maps into this file, as SVG
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the JSON document into this file, beside the text. Not in the help: it is for the
    /// book's recorder, whose text, numbers and drawing have to be of one run.
    #[arg(long, value_name = "FILE", hide = true)]
    record: Option<PathBuf>,
}

fn whole(word: &str, most: usize) -> Result<NonZeroUsize, String> {
    word.parse()
        .ok()
        .filter(|number: &NonZeroUsize| number.get() <= most)
        .ok_or_else(|| format!("a whole number from 1 to {most} is wanted"))
}

fn workers(word: &str) -> Result<NonZeroUsize, String> {
    whole(word, 1024)
}

fn rounds(word: &str) -> Result<usize, String> {
    whole(word, 1000).map(NonZeroUsize::get)
}

/// The options of a run, checked.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) workers: NonZeroUsize,
    pub(super) rounds: usize,
    pub(super) columns: Vec<f64>,
    pub(super) json: bool,
    pub(super) svg: Option<OutputFile>,
    pub(super) record: Option<PathBuf>,
}

/// Why there are no options to run with.
#[derive(Debug)]
pub(super) enum NoOptions {
    /// Help was asked for; this is it.
    Help(StyledStr),
    /// What was typed cannot be used: one line.
    Input(String),
}

impl Options {
    /// Reads the options from the arguments, the program's name first.
    pub(super) fn read(
        lesson: &Lesson,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, NoOptions> {
        let Lesson { number, name, question, .. } = lesson;
        let matches = Arguments::command()
            .name(name.clone())
            .about(format!("Lesson {number}, {name}: {question}"))
            .override_usage(format!(
                "just lesson-{number} [OPTIONS]\n       cargo lesson {number} -- [OPTIONS]"
            ))
            .try_get_matches_from(arguments);
        let arguments =
            matches.and_then(|matches| Arguments::from_arg_matches(&matches)).map_err(|error| {
                match error.kind() {
                    ErrorKind::DisplayHelp => NoOptions::Help(error.render()),
                    _ => NoOptions::Input(one_line(&error.render().to_string())),
                }
            })?;
        let columns = if arguments.quick { &COLUMNS[..4] } else { &COLUMNS };
        // Last, so that a mistake elsewhere touches no file.
        let svg = arguments.svg.map(|path| svg_file(&path)).transpose()?;
        Ok(Self {
            workers: arguments.workers,
            rounds: if arguments.quick { 1 } else { arguments.rounds },
            columns: columns.to_vec(),
            json: arguments.json,
            svg,
            record: arguments.record,
        })
    }
}

fn svg_file(path: &Path) -> Result<OutputFile, NoOptions> {
    OutputFile::open(path).map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "there is no such folder".to_owned(),
            io::ErrorKind::IsADirectory => "this is a folder".to_owned(),
            _ => error.to_string(),
        };
        let shown = path.display().to_string().escape_debug().to_string();
        NoOptions::Input(format!("{shown}: the drawing cannot go here: {why}"))
    })
}

/// clap explains itself in paragraphs; the first says what is wrong, and `--help` says the rest.
fn one_line(message: &str) -> String {
    let paragraph = message.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    let line = words.join(" ");
    format!("{}; --help lists the options", line.strip_prefix("error: ").unwrap_or(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_are_consistent() {
        Arguments::command().debug_assert();
    }
}
