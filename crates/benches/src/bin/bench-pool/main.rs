//! `just bench-pool`: the process pool for keeps (`process-futures`) compared with its bars; and
//! stage 4's pool, measured for three rows.
//!
//! Our pool stands beside two contenders: *bare*, two processes that send each other the same bytes
//! and do nothing else, in carefully written code; and *Python*,
//! `concurrent.futures.ProcessPoolExecutor`. All take turns, round by round, in one run. Some
//! quantities can be measured only once in the life of a process: for these, the program starts
//! itself again.
//!
//! This program makes a record and is no test: its status is 0 whether the bars hold or not.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod bare;
#[cfg(target_os = "linux")]
mod fresh;
mod options;
#[cfg(target_os = "linux")]
mod ours;
#[cfg(target_os = "linux")]
mod python;
#[cfg(target_os = "linux")]
mod rounds;
#[cfg(target_os = "linux")]
mod samples;

use options::Options;
use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if let Some((name, words)) = fresh::part() {
        return run_part(&name, &words);
    }
    let told = match Options::read(std::env::args_os()) {
        Ok(options) => report(&options),
        Err(options::Other::Help(help)) => write!(anstream::stdout(), "{help}").map_err(Into::into),
        Err(options::Other::Mistake(line)) => Err(line.into()),
    };
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            // If standard error is closed too, only the exit status can report the error.
            let _ = writeln!(anstream::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs the part that this process was started for, and prints its number.
#[cfg(target_os = "linux")]
fn run_part(name: &str, words: &[String]) -> ExitCode {
    let number = match name {
        "bare" => {
            return bare::play(words).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
        }
        "start" => ours::start(),
        "stage-start" => ours::stage_start(),
        "fork" => ours::fork_and_wait(),
        "memory" => words.concat().parse().map_err(Into::into).and_then(ours::memory),
        _ => Err("no such part".into()),
    };
    match number.and_then(|number| Ok(writeln!(io::stdout(), "{number}")?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(target_os = "linux")]
fn report(options: &Options) -> Result<(), Box<dyn Error>> {
    let (rows, python) = rounds::measure(options)?;
    let mut out = anstream::stdout();
    let json = benches::json(&rows);
    if let Some(path) = &options.record {
        let named = |error| format!("{}: {error}", path.display());
        let record = benches::record(&json, &python.version);
        std::fs::write(path, format!("{record:#}\n")).map_err(named)?;
    }
    if options.json {
        writeln!(out, "{json:#}")?;
    } else {
        write!(out, "{}\n{python}\n", benches::table(&rows), python = python.sentence)?;
    }
    Ok(out.flush()?)
}

#[cfg(not(target_os = "linux"))]
fn report(_: &Options) -> Result<(), Box<dyn Error>> {
    Err("the process pool needs Linux: WSL2 or a container".into())
}

/// Whether the output was closed early, as by `| head -1`. A closed output is no failure.
fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
