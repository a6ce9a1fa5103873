//! Measurements that need a process of their own: this program, started again for one part.
//!
//! The fork server starts once in the life of a process, and the most memory that a process ever
//! had is told of its whole life.

use crate::{bare, ours};
use std::env;
use std::error::Error;
use std::io::{self, Write};
use std::process::{Command, ExitCode, Stdio};

/// The argument by which a process learns that it is for one part. Not for a person to type.
const FLAG: &str = "--part";

/// Runs the part that this process was started for. `None` if it was started by a person.
pub fn part(mut words: impl Iterator<Item = String>) -> Option<ExitCode> {
    if words.next().as_deref() != Some(FLAG) {
        return None;
    }
    let (name, words) = (words.next(), words.collect::<Vec<_>>());
    let told = match name.as_deref() {
        Some("bare") => {
            return Some(bare::play(&words).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS));
        }
        Some("start") => ours::start(),
        Some("stage-start") => ours::stage_start(),
        Some("fork") => ours::fork_and_wait(),
        Some("memory") => words.concat().parse().map_err(Into::into).and_then(ours::memory),
        _ => Err("no such part".into()),
    };
    let printed = told.and_then(|number| Ok(writeln!(io::stdout(), "{number}")?));
    Some(printed.map_or_else(
        |error| {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    ))
}

/// This program, to be started for a part.
pub fn command(words: &[&str]) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(FLAG).args(words);
    Ok(command)
}

/// Runs a part in a fresh process, and gives the number that it prints.
pub fn measure(words: &[&str]) -> Result<f64, Box<dyn Error>> {
    let output = command(words)?.stdin(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let number = text.trim().parse().ok().filter(|_| output.status.success());
    let words = words.join(" ");
    number.ok_or_else(|| {
        let error = String::from_utf8_lossy(&output.stderr);
        format!("{words}: {}: {}", output.status, error.trim()).into()
    })
}
