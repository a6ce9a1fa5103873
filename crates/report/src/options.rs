//! What a lesson can be told on the command line.

use crate::Lesson;
use crate::session::{self, Destination, NoOptions, OutputArguments};
use crate::typed::{self, rounds, workers};
use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory, FromArgMatches, Parser};
use kernel::{Pair, gcd, ten_pairs};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// The options as they are typed, the same for every lesson.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Arguments {
    /// Number of workers, 1 to 1024; not your core count, so
    /// that predictions hold on every machine
    #[arg(long, value_name = "N", default_value = "2", verbatim_doc_comment)]
    #[arg(value_parser = workers, allow_negative_numbers = true)]
    workers: NonZeroUsize,
    /// File of pairs to run instead of the ten: two positive
    /// integers a line; # begins a comment
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    pairs: Option<PathBuf>,
    /// Number of measured rounds, 1 to 1000; every row of a
    /// table runs once in each
    #[arg(long, value_name = "N", default_value = "21", verbatim_doc_comment)]
    #[arg(value_parser = rounds, allow_negative_numbers = true)]
    rounds: usize,
    #[command(flatten)]
    output: OutputArguments,
}

/// What a lesson takes beside the options that all have.
#[derive(Clone, Copy, Debug)]
pub struct Extras {
    /// How many rounds are measured unless `--rounds` says otherwise, as it would be typed.
    pub rounds: &'static str,
    /// Options of the lesson's own.
    pub options: &'static [Extra],
    /// The task that runs the pairs, as its time follows from their steps; none if there is no such
    /// task with the lesson's own options that were given.
    pub task: fn(&OwnOptions) -> Option<PairTask>,
}

/// A task on pairs.
pub type PairTask = fn(Pair) -> u64;

/// The lesson's own options that were given, by name; a flag's value is empty.
pub type OwnOptions = BTreeMap<&'static str, OsString>;

impl Extras {
    /// What all lessons have unless they say otherwise.
    pub const NONE: Self = Self { rounds: "21", options: &[], task: |_| Some(gcd) };
}

/// An option of one lesson.
#[derive(Clone, Copy, Debug)]
pub struct Extra {
    /// Its name, without the hyphens.
    pub name: &'static str,
    /// What its value is called in the help; empty if it takes none.
    pub value: &'static str,
    /// Whether it asks for text that no document can hold, and so goes against `--json`.
    pub text_only: bool,
    /// Whether its value names a file that the lesson writes, even where nobody reads what it
    /// prints.
    pub is_written: bool,
    /// Its line in the help.
    pub help: &'static str,
    /// Looks at the value before anything is printed. The error is one line, in which the option
    /// or the file is named.
    pub check: fn(&OsStr) -> Result<(), String>,
}

impl Extra {
    fn argument(&self) -> Arg {
        let argument = Arg::new(self.name).long(self.name).help(self.help);
        let argument = if self.text_only { argument.conflicts_with("json") } else { argument };
        match self.value {
            "" => argument.action(ArgAction::SetTrue),
            value => argument.value_name(value).value_parser(ValueParser::os_string()),
        }
    }
}

/// The options of a run, checked: files are read and writable.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) workers: NonZeroUsize,
    pub(crate) pairs: Vec<Pair>,
    pub(crate) rounds: usize,
    pub(crate) destination: Destination,
    pub(crate) extras: OwnOptions,
}

impl Options {
    /// Reads the options from the arguments, the program's name first.
    pub(crate) fn read(
        lesson: &Lesson,
        extras: &Extras,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, NoOptions> {
        let command = Arguments::command()
            .mut_arg("rounds", |argument| argument.default_value(extras.rounds))
            .args(extras.options.iter().map(Extra::argument));
        let matches = session::arguments(lesson, command, arguments)?;
        let given = given(extras.options, &matches);
        let Arguments { workers, pairs, rounds, output } = Arguments::from_arg_matches(&matches)?;
        let pairs = pairs.map_or_else(|| Ok(ten_pairs()), |path| typed::pairs(&path));
        let pairs = pairs.map_err(NoOptions::Input)?;
        for extra in extras.options {
            let checked = given.get(extra.name).map_or(Ok(()), |value| (extra.check)(value));
            checked.map_err(NoOptions::Input)?;
        }
        let mut destination = output.open()?;
        let mut written = extras.options.iter().filter(|extra| extra.is_written);
        destination.own_file = written.any(|extra| given.contains_key(extra.name));
        Ok(Self { workers, pairs, rounds, destination, extras: given })
    }
}

/// The lesson's own options among those that were typed.
fn given(extras: &[Extra], matches: &ArgMatches) -> OwnOptions {
    let value = |extra: &Extra| match extra.value {
        "" => matches.get_flag(extra.name).then(OsString::new),
        _ => matches.get_one::<OsString>(extra.name).cloned(),
    };
    extras.iter().filter_map(|extra| Some((extra.name, value(extra)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lesson of no folder.
    fn ninth() -> Lesson {
        Lesson::of(
            "number = 9\nname = 'ninth'\ntitle = ''\nquestion = 'Why?'\nminutes = 1\nneeds = ''\n\
             learn = ['', '', '']\nmisconception = ''\nremember = ''\nnext = ''",
        )
    }

    fn read(arguments: &[&str]) -> Result<Options, NoOptions> {
        Options::read(&ninth(), &Extras::NONE, ["9"].iter().chain(arguments).map(OsString::from))
    }

    fn complaint(arguments: &[&str]) -> String {
        match read(arguments) {
            Err(NoOptions::Input(line)) => line,
            other => panic!("{arguments:?}: {other:?}"),
        }
    }

    #[test]
    fn the_options_are_consistent() {
        Arguments::command().debug_assert();
        let options = read(&[]).unwrap();
        assert_eq!((options.workers.get(), options.rounds, options.pairs.len()), (2, 21, 10));
        assert_eq!(read(&["--workers", "1024", "--rounds", "1000"]).unwrap().rounds, 1000);
    }

    #[test]
    fn every_complaint_is_one_line() {
        for word in ["0", "x", "-1", "1.5", "1025", "", "99999999999999999999"] {
            let line = complaint(&["--workers", word]);
            assert!(
                line.ends_with("a whole number from 1 to 1024 is wanted; --help lists the options"),
                "{line}"
            );
            assert!(!line.contains('\n'));
        }
        // Options that some lesson has of its own.
        for arguments in [
            &["--steps"][..],
            &["--trace", "x"],
            &["--rounds", "0"],
            &["--workers"],
            &["--speed"],
            &["stray"],
            &["--json", "--json"],
        ] {
            let line = complaint(arguments);
            assert!(!line.contains('\n') && !line.starts_with("error"), "{line}");
        }
    }

    #[test]
    fn a_lesson_s_own_options_are_read_and_looked_at() {
        let extras = Extras {
            rounds: "5",
            options: &[
                Extra {
                    name: "tool",
                    value: "PATH",
                    text_only: false,
                    is_written: false,
                    help: "a tool",
                    check: |path| match path.to_str() {
                        Some("good") => Ok(()),
                        _ => Err("--tool: no good".to_owned()),
                    },
                },
                Extra {
                    name: "list",
                    value: "",
                    text_only: true,
                    is_written: false,
                    help: "a list",
                    check: |_| Ok(()),
                },
            ],
            ..Extras::NONE
        };
        let read = |words: &[&str]| {
            Options::read(&ninth(), &extras, ["9"].iter().chain(words).map(OsString::from))
        };
        let none = read(&[]).unwrap();
        assert_eq!((none.rounds, none.extras.len()), (5, 0));
        let both = read(&["--list", "--tool", "good", "--rounds", "7"]).unwrap();
        assert_eq!((both.rounds, both.extras.len()), (7, 2));
        assert_eq!(both.extras["tool"], "good");
        for (words, complaint) in [
            (&["--tool", "bad"][..], "--tool: no good"),
            (&["--tool"], "a value is required"),
            (&["--list", "--json"], "cannot be used with"),
        ] {
            match read(words) {
                Err(NoOptions::Input(line)) => assert!(line.contains(complaint), "{line}"),
                other => panic!("{words:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn more_steps_than_can_be_counted_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("long");
        std::fs::write(&file, "18446744073709551615 18446744073709551614\n".repeat(2)).unwrap();
        let line = complaint(&["--pairs", file.to_str().unwrap()]);
        assert!(
            line.ends_with("long: all these pairs take more steps than 64 bits can count"),
            "{line}"
        );
    }
}
