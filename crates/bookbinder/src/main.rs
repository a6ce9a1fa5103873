//! The command behind `just book`, `just read`, `just record` and `just truth`.

#![forbid(unsafe_code)]

use anyhow::Result;
use bookbinder::read::Reader;
use bookbinder::{House, book, check, record};
use clap::Parser;
use std::process::ExitCode;

/// Makes the book, and sees to it that it says nothing that no file proves.
#[derive(Parser)]
#[command(name = "bookbinder", version, about)]
enum Command {
    /// Makes the book in book/build
    Build,
    /// Serves the book on 127.0.0.1 and makes it again when a page or a source is saved
    Read {
        /// The port; a free one if you name none
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Runs lessons and programs and writes down what they printed, measured and drew, with the
    /// machine
    Record {
        /// The records to replace, as lesson-4-steps; all, if you name none
        only: Vec<String>,
        /// Rounds of each measurement, instead of each lesson's own number; fewer are for trying
        /// the command out
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
        rounds: Option<u32>,
    },
    /// Checks that code, numbers, commands and links in the book are true
    Check,
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    let house = House::here();
    match command {
        Command::Build => {
            let index = book::build(&house)?;
            anstream::println!("The book is made: open {} in a browser.", index.display());
        }
        Command::Read { port } => Reader::new(house, port)?.serve(),
        Command::Record { rounds, only } => record::record(&house, rounds, &only)?,
        Command::Check => {
            check::everything(&house)?;
            anstream::println!("The book's code, numbers, commands and form are true.");
        }
    }
    Ok(())
}
