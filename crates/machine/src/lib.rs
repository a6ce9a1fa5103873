//! What this machine is and has: processors and the limits on them, the system, and what a program
//! says when it is asked. The doctor prints these facts, the book's records keep them, and lessons 6
//! and 8 ask here for a Python.

#![forbid(unsafe_code)]

mod facts;
mod python;

pub use facts::Facts;
pub use python::{NoPython, Python};

use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take to answer. A Python on a busy machine needs a good part of a second.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a program prints, if it ends well within two seconds. A program that prints without an end
/// (`yes`) fills the pipe, waits there, and has not ended in time.
///
/// This needs no thread: lesson 6 asks before its fork server starts, and the fork server refuses a
/// program with threads.
///
/// # Errors
/// If the program does not start.
pub fn said(command: &mut Command) -> io::Result<Option<String>> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait()? {
            None if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
            status => break status,
        }
    };
    if !status.is_some_and(|status| status.success()) {
        // The program has ended or is about to: either way there is nothing more to do about it.
        let _ = child.kill();
        child.wait()?;
        return Ok(None);
    }
    // The pipe holds everything that the program wrote, so one read takes it.
    let mut text = vec![0; 1 << 16];
    let length = child.stdout.as_mut().map_or(Ok(0), |pipe| pipe.read(&mut text))?;
    Ok(Some(String::from_utf8_lossy(&text[..length]).into_owned()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_does_not_end_is_given_up() {
        let said = |words: &[&str]| said(Command::new(words[0]).args(&words[1..]));
        assert_eq!(said(&["sleep", "60"]).unwrap(), None);
        assert_eq!(said(&["yes"]).unwrap(), None);
        assert_eq!(said(&["no-such-program-here"]).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(said(&["false"]).unwrap(), None);
        assert_eq!(said(&["echo", "one two"]).unwrap().unwrap(), "one two\n");
    }
}
