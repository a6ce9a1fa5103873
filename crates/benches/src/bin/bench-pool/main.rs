//! `just bench-pool`: the process pool for keeps (`process-futures`) compared with its bars; and
//! stage 4's pool, measured for three rows.
//!
//! Our pool stands beside two contenders: *bare*, two processes that send each other the same bytes
//! and do nothing else, in carefully written code; and *Python*,
//! `concurrent.futures.ProcessPoolExecutor`. All take turns, round by round, in one run. Some
//! quantities can be measured only once in the life of a process: for these, the program starts
//! itself again.
//!
//! The exit status is 0 if all bars hold, 1 if one does not or was not measured, and 2 if nothing
//! was measured. With `--report-only` the bars do not decide: on a machine that has other work, a
//! missed bar says little about the pool.

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
use report::OutputFile;
use std::error::Error;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if let Some((name, words)) = fresh::part() {
        return run_part(&name, &words);
    }
    let status = match Options::read(std::env::args_os()) {
        Ok(options) => report(&options),
        Err(options::Other::Help(help)) => print(&help).map(|()| 0),
        Err(options::Other::Mistake(line)) => Err(line.into()),
    };
    match status {
        Ok(status) => ExitCode::from(status),
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
fn report(options: &Options) -> Result<u8, Box<dyn Error>> {
    // Looked at before minutes of measuring.
    let file = options.record.as_ref().map(|path| OutputFile::named(path, "record")).transpose()?;
    let (rows, python) = rounds::measure(options)?;
    let json = benches::json(&rows);
    if let Some(file) = file {
        file.write(&format!("{:#}\n", benches::record(&json, &python.version)))?;
    }
    if options.json {
        print(&format!("{json:#}\n"))?;
    } else {
        let (table, verdict) = (benches::table(&rows), benches::missed(&json));
        print(&format!("{table}\n{verdict}\n{}\n", python.sentence))?;
    }
    Ok(options.status(benches::all_hold(&rows)))
}

#[cfg(not(target_os = "linux"))]
fn report(_: &Options) -> Result<u8, Box<dyn Error>> {
    Err("the process pool needs Linux: WSL2 or a container".into())
}

/// Prints, in colour where there is colour. An output that is closed early, as by `| head -1`, is
/// no failure. (A contender's closed socket is one, so nothing else is forgiven.)
fn print(text: &impl Display) -> Result<(), Box<dyn Error>> {
    let mut out = anstream::stdout();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
