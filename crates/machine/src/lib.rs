//! What this machine is and has: processors and the limits on them, the system, and what a program
//! says when it is asked. The doctor prints these facts, the book's records keep them, and lessons 6
//! and 8 ask here for a Python.

#![forbid(unsafe_code)]

mod facts;
mod python;

pub use facts::Facts;
pub use python::{NoPython, Python};

use indicatif::{ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take to answer. A Python on a busy machine needs a good part of a second.
/// A wait that is longer than this is also one that a person is told of.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a program prints, if it ends well within two seconds.
///
/// This needs no thread: lesson 6 asks before its fork server starts, and the fork server refuses a
/// program with threads.
///
/// # Errors
/// If the program does not start. [`TimedOut`](ErrorKind::TimedOut) if it has not ended in time; so
/// a program that prints without an end (`yes`) is given up, because it fills the pipe and waits
/// there.
pub fn said(command: &mut Command) -> io::Result<Option<String>> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let status = wait(&mut child, None, PATIENCE)?;
    let silent = || io::Error::new(ErrorKind::TimedOut, "it gave no answer within 2 seconds");
    if !status.ok_or_else(silent)?.success() {
        return Ok(None);
    }
    child.stdout.as_mut().map(content).transpose()
}

/// What is in the pipe of a program that has ended: at most 64 KiB, which is what a pipe holds.
fn content(pipe: &mut ChildStdout) -> io::Result<String> {
    // A child of the program may still hold the pipe open. To read must not mean to wait for that
    // child.
    #[cfg(unix)]
    nix::fcntl::fcntl(&*pipe, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK))?;
    let mut text = vec![0; 1 << 16];
    match pipe.read(&mut text) {
        Ok(length) => Ok(String::from_utf8_lossy(&text[..length]).into_owned()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// Waits until a program has ended, and gives its status; or kills the program when the time limit
/// is over, and gives `None`.
///
/// If the program takes more than two seconds and standard error is a terminal, a line there says
/// `what` is being done, and for how long. The line has no thread.
///
/// # Errors
/// If the system does not tell the program's state.
pub fn wait(
    child: &mut Child,
    what: Option<&str>,
    limit: Duration,
) -> io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    let mut line = None;
    let status = loop {
        let (status, waited) = (child.try_wait()?, begun.elapsed());
        if status.is_some() || waited >= limit {
            break status;
        }
        if let Some(what) = what.filter(|_| waited > PATIENCE) {
            line.get_or_insert_with(|| progress(what)).tick();
        }
        thread::sleep(Duration::from_millis(5));
    };
    if let Some(line) = line {
        line.finish_and_clear();
    }
    if status.is_none() {
        // An error of kill means that the program has ended in this very moment.
        let _ = child.kill();
        child.wait()?;
    }
    Ok(status)
}

/// Runs a program to its end, and gives all that it printed. There is no time limit, because a
/// download or a compiler may need minutes; a line on the terminal tells of the [`wait`].
///
/// # Errors
/// If the program does not start, or there is no room for what it prints.
pub fn output(command: &mut Command, what: &str) -> io::Result<Output> {
    let [mut stdout, mut stderr] = [tempfile::tempfile()?, tempfile::tempfile()?];
    command.stdin(Stdio::null()).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    let status = wait(&mut command.spawn()?, Some(what), Duration::MAX)?;
    let status = status.expect("a wait without a limit ends with a status");
    let read = |file: &mut File| {
        let mut bytes = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut bytes).map(|_| bytes)
    };
    Ok(Output { status, stdout: read(&mut stdout)?, stderr: read(&mut stderr)? })
}

fn progress(what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("  {spinner} {msg} ({elapsed})");
    let style = style.expect("the template is a constant");
    ProgressBar::new_spinner().with_style(style).with_message(what.to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_does_not_end_is_given_up() {
        let said = |words: &[&str]| said(Command::new(words[0]).args(&words[1..]));
        assert_eq!(said(&["sleep", "60"]).unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(said(&["yes"]).unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(said(&["no-such-program-here"]).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(said(&["false"]).unwrap(), None);
        assert_eq!(said(&["echo", "one two"]).unwrap().unwrap(), "one two\n");
    }

    #[test]
    fn a_child_that_is_left_behind_is_not_waited_for() {
        // The child of this shell holds the pipe open, and says something much later.
        let left = said(Command::new("sh").args(["-c", "(sleep 4; echo late) &"]));
        assert_eq!(left.unwrap().unwrap(), "");
    }
}
