//! `just bench-pool`: the process pool for keeps (`process-futures`) held against its bars; and stage
//! 4's pool, measured for three rows.
//!
//! Ours stands beside two others, and all take turns, round by round, in one run: *bare*, two
//! processes that send each other the same bytes and do nothing else, written as fast as a careful
//! person would; and *Python*, `concurrent.futures.ProcessPoolExecutor`. What can be measured once
//! in the life of a process is measured in fresh ones: this program starts itself again.
//!
//! It is a record and no test: its status is 0 whatever holds.

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
#[cfg(target_os = "linux")]
use serde_json::json as value;
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
            // If standard error is closed too, the status has to do.
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
    let (rows, python, version) = rounds::measure(options)?;
    let mut out = anstream::stdout();
    let json = benches::json(&rows);
    if let Some(path) = &options.record {
        let named = |error| format!("{}: {error}", path.display());
        let (table, missed) = (benches::markdown(&json)?, benches::missed(&json)?);
        let text = value!({"table": table, "missed": missed, "python": version});
        let record = value!({"run": json, "text": text});
        std::fs::write(path, format!("{record:#}\n")).map_err(named)?;
    }
    if options.json {
        writeln!(out, "{json:#}")?;
    } else {
        write!(out, "{}\n{python}\n", benches::table(&rows))?;
    }
    Ok(out.flush()?)
}

#[cfg(not(target_os = "linux"))]
fn report(_: &Options) -> Result<(), Box<dyn Error>> {
    Err("the process pool needs Linux: WSL2 or a container".into())
}

/// Whether nobody reads on, as in `| head -1`. That is the reader's right and no failure.
fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
