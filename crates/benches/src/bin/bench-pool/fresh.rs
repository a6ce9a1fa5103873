//! Measurements that need a process of their own: this program, started again for one part.
//!
//! The fork server starts once in the life of a process, and the system reports the most memory of
//! a process for its whole life.

use std::env;
use std::error::Error;
use std::io;
use std::process::{Command, Stdio};

/// The argument that tells a process to run one part. People need not type this argument.
const FLAG: &str = "--part";

/// What follows the flag, if this process was started for a part: the part's name and its
/// arguments.
pub fn part() -> Option<(String, Vec<String>)> {
    let mut words = env::args().skip(1);
    let is_part = words.next().as_deref() == Some(FLAG);
    is_part.then(|| (words.next().unwrap_or_default(), words.collect()))
}

/// This program, to be started for a part.
pub fn command(words: &[&str]) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(FLAG).args(words);
    Ok(command)
}

/// Runs a part in a fresh process, and returns the number that it prints.
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
