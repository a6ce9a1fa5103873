//! The program that the lesson runs: the countdown in the tiny language, or the reader's own
//! program.
//!
//! A task is a plain `fn`, which captures nothing, so the program is a static. The static is set
//! before the process pool starts, because the workers are copies of this process from that moment.

use interpreter::{GCD, NATIVES, Program, ProgramError, interpreted_wait, interpreter};
use kernel::Pair;
use report::BadInput;
use spans::Task;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::OnceLock;
use std::{fs, io};

/// How long one wait takes, in milliseconds.
pub const WAIT_MS: u64 = 20;
/// How many waits there are at most: many pairs must not make the lesson wait for minutes.
pub const WAITS: usize = 10;

static PROGRAM: OnceLock<Program> = OnceLock::new();

/// Reads the program that the lesson runs: the program in `file`, or else the countdown.
///
/// # Errors
/// [`BadInput`], one line with the file's name and the line's number.
pub fn load(file: Option<&OsStr>) -> Result<&'static Program, BadInput> {
    let program = match file {
        Some(path) => read(path).map_err(BadInput)?,
        None => Program::compile(GCD, NATIVES).expect("the tests compile it"),
    };
    Ok(PROGRAM.get_or_init(|| program))
}

/// Runs a program of the reader's own on every pair, so that a failing program gives one line of
/// error, and not the panics of its tasks.
///
/// # Errors
/// [`BadInput`], one line with the file's name and the line's number.
pub fn try_on(file: &OsStr, pairs: &[Pair]) -> Result<(), BadInput> {
    let program = load(Some(file))?;
    for (item, pair) in (1..).zip(pairs) {
        interpreter().run(program, &[pair.a(), pair.b()]).map_err(|error| {
            let ProgramError { line, message } = error;
            BadInput(format!("{}:{line}: item {item}: {message}", shown(file)))
        })?;
    }
    Ok(())
}

fn shown(path: &OsStr) -> String {
    path.to_string_lossy().escape_debug().to_string()
}

/// Compiles a file, and checks that the program takes two numbers.
fn read(path: &OsStr) -> Result<Program, String> {
    let shown = shown(path);
    let source = fs::read_to_string(Path::new(path)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("{shown}: there is no such file"),
        io::ErrorKind::IsADirectory => format!("{shown}: this is a folder, not a program"),
        io::ErrorKind::InvalidData => format!("{shown}: this is not UTF-8 text"),
        _ => format!("{shown}: it cannot be read: {error}"),
    })?;
    let with_line = |ProgramError { line, message }| format!("{shown}:{line}: {message}");
    let program = Program::compile(&source, NATIVES).map_err(with_line)?;
    match parameters(&source) {
        2 => Ok(program),
        number => Err(format!("{shown}: the program takes {number} number(s), and a pair has two")),
    }
}

/// How many parameters the function has. The source compiles, so the parameters stand in its first
/// parentheses.
fn parameters(source: &str) -> usize {
    let lines = source.lines().map(|line| line.split('#').next().unwrap_or_default());
    let head = lines.map(str::trim).find(|line| line.contains('(')).unwrap_or_default();
    let inside = head.split(['(', ')']).nth(1).unwrap_or_default();
    inside.split(',').filter(|name| !name.trim().is_empty()).count()
}

/// The option's check that the file holds a program for pairs.
///
/// # Errors
/// One line with the file's name and the line's number.
pub fn check(path: &OsStr) -> Result<(), String> {
    read(path).map(drop)
}

/// The program on one pair, under the lock of this process's interpreter.
///
/// # Panics
/// If the program fails: with its line and the reason, which becomes the item's error.
// ANCHOR: interpreted
pub fn interpreted(pair: Pair) -> u64 {
    let program = PROGRAM.get().expect("the program is read before the first item");
    match interpreter().run(program, &[pair.a(), pair.b()]) {
        Ok(answer) => answer,
        Err(error) => panic!("{error}"),
    }
}
// ANCHOR_END: interpreted

/// [`interpreted`], to be timed.
#[derive(Clone, Copy, Debug)]
pub struct Interpreted;

impl Task for Interpreted {
    type In = Pair;
    type Out = u64;
    fn run(pair: Pair) -> u64 {
        interpreted(pair)
    }
}

/// A wait of [`WAIT_MS`] in the tiny language, whatever the pair.
#[derive(Clone, Copy, Debug)]
pub struct Waiting;

impl Task for Waiting {
    type In = Pair;
    type Out = u64;
    fn run(_: Pair) -> u64 {
        interpreted_wait(WAIT_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_counted() {
        assert_eq!(parameters("# f(a)\nfunction f(a, b) # (c)\nreturn a"), 2);
        assert_eq!(parameters("function f()\nreturn 1"), 0);
        assert_eq!(parameters(GCD), 2);
    }
}
