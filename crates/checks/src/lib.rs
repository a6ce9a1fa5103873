//! How an exercise's check speaks, and how it keeps from hanging.
//!
//! A check is a list of sentences about the reader's code, checked one after the other. The first
//! sentence that does not hold ends the check, so that the reader has one thing at a time to think
//! about. The message tells what was seen and what to think about, never only that something is
//! wrong.
//!
//! Every check ends with a verdict: a `todo!()` and a panic are reported in a sentence, and code
//! that does not come back is given up after a time limit.
//!
//! The verdict is a word in a file, and neither a line of the output nor an exit status. The
//! reader's code runs in the same process, so that it may end the process with any status
//! (`process::exit(0)`), and may print any line. The file's name is made anew for every check by
//! the program that starts the check ([`VERDICT`]), and only [`Checks::finish`] writes there. A
//! check that was ended before its last sentence has therefore no verdict.

#![forbid(unsafe_code)]

mod meeting;

pub use meeting::Meeting;

use std::fmt::Debug;
use std::io::{self, IsTerminal, Write};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::process::{self, ExitCode};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;
use std::{env, fs, thread};

/// How long the reader's code may take for one sentence. Every check here is done in milliseconds,
/// so ten seconds are long even on a busy machine, and short for a person who waits.
pub const LIMIT: Duration = Duration::from_secs(10);

/// The environment variable with the name of the file for the verdict. Without it no verdict is
/// written.
pub const VERDICT: &str = "ONE_CHANGE_VERDICT";

/// The verdict if all sentences hold.
pub const PASSED: &str = "passed";

/// The verdict if a sentence does not hold.
pub const NOT_YET: &str = "not yet";

/// How long a sentence is checked before a line on the terminal says that this takes time.
const SOON: Duration = Duration::from_secs(2);

/// The first panic of the reader's code, in words. The hook fills it in whichever thread
/// panics, and a check that fails reads it.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// The check of one exercise, while it runs.
#[derive(Debug)]
pub struct Checks {
    exercise: u32,
    file: &'static str,
    passed: usize,
    failed: bool,
    /// The process that began the check. A copy of it, forked by the reader's code, gives no verdict.
    process: u32,
}

impl Checks {
    /// Begins the check of the exercise of this number and name, whose code stands in `file`.
    ///
    /// From here on a panic prints nothing by itself: the check reports it in a sentence.
    pub fn of(exercise: u32, name: &str, file: &'static str) -> Self {
        say(format_args!("Exercise {exercise}   {name}"));
        panic::set_hook(Box::new(note_panic));
        Self { exercise, file, passed: 0, failed: false, process: process::id() }
    }

    /// Checks whether this sentence holds. If it does not, `check` returns what it saw.
    pub fn that(
        &mut self,
        sentence: &str,
        check: impl FnOnce() -> Result<(), String> + Send + 'static,
    ) {
        let seconds = LIMIT.as_secs();
        self.that_within(LIMIT, sentence, check, || {
            format!("Your code did not come back within {seconds} seconds: it waits, or it loops.")
        });
    }

    /// [`that`](Self::that) with a time limit of its own, and with its own message for code that
    /// exceeds the limit.
    pub fn that_within(
        &mut self,
        limit: Duration,
        sentence: &str,
        check: impl FnOnce() -> Result<(), String> + Send + 'static,
        stuck: impl FnOnce() -> String,
    ) {
        if self.failed {
            return; // one thing at a time
        }
        // The check gets a thread of its own, since a thread that hangs cannot be stopped: a
        // hanging thread is left behind, and ends with the program.
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let seen = catch_unwind(AssertUnwindSafe(check));
            // After the time limit the receiver is gone, and the answer is not needed.
            let _ = sender.send(seen);
        });
        let answer = receiver.recv_timeout(limit.min(SOON)).or_else(|_| {
            let line = WaitLine::new(sentence, limit);
            let answer = receiver.recv_timeout(limit.saturating_sub(SOON));
            drop(line);
            answer
        });
        let seen = match answer {
            // A panic in a thread that the code does not join is a panic all the same.
            Ok(Ok(seen)) => seen.and_then(|()| take_panic().map_or(Ok(()), Err)),
            Ok(Err(_)) => Err(take_panic().unwrap_or_else(|| "Your code panicked.".to_owned())),
            // A todo!() in one thread leaves other threads waiting: report the todo!(), not the
            // wait.
            Err(_) => Err(take_panic().unwrap_or_else(stuck)),
        };
        match seen {
            Ok(()) => {
                self.passed += 1;
                say(format_args!("  yes        {sentence}"));
            }
            Err(why) => {
                self.failed = true;
                say(format_args!("  not yet    {sentence}"));
                for line in why.lines() {
                    say(format_args!("             {line}"));
                }
            }
        }
    }

    /// Prints the verdict, and what to do next; if all sentences hold, the closing words.
    pub fn finish(self, closing: &str) -> ExitCode {
        let Self { exercise, file, passed, failed, process } = self;
        if failed {
            say(format_args!("Not yet      your file is {file}"));
            say(format_args!(
                "             a hint: just hint-{exercise}; again: just exercise-{exercise}"
            ));
            tell(process, NOT_YET);
            ExitCode::FAILURE
        } else {
            say(format_args!("Passed       all {passed} hold"));
            for line in closing.lines() {
                say(format_args!("             {line}"));
            }
            tell(process, PASSED);
            ExitCode::SUCCESS
        }
    }
}

/// Prints one line of the check. A closed output is no error: the exit status still tells the
/// verdict.
fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Writes the verdict, if a program waits for it. An error is not told: without a verdict the exercise
/// has not passed.
fn tell(process: u32, verdict: &str) {
    if let Some(file) = env::var_os(VERDICT).filter(|_| process == process::id()) {
        let _ = fs::write(file, verdict);
    }
}

/// A line on the terminal as long as a sentence takes its time.
struct WaitLine(bool);

impl WaitLine {
    fn new(sentence: &str, limit: Duration) -> Self {
        let line = Self(io::stderr().is_terminal());
        if line.0 {
            // As wide as the lines of the check, so that it is one line to empty.
            eprint!("  {:<11}{sentence}", format!("up to {} s", limit.as_secs()));
        }
        line
    }
}

impl Drop for WaitLine {
    fn drop(&mut self) {
        if self.0 {
            eprint!("\r\x1b[2K"); // back to the line's start, and the line is empty
        }
    }
}

/// Panics as a part of the check, not of the reader's code. The check does not report such a panic.
///
/// # Panics
/// Always.
pub fn panic_on_purpose() -> ! {
    panic::panic_any(OnPurpose)
}

struct OnPurpose;

/// The hook: turns the first panic into a sentence and keeps it.
fn note_panic(info: &PanicHookInfo<'_>) {
    if info.payload().is::<OnPurpose>() {
        return;
    }
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = text.unwrap_or("a panic whose value is not text");
    let place = info.location().map(|at| format!("{}:{}", at.file(), at.line()));
    let place = place.unwrap_or_else(|| "an unknown place".to_owned());
    let sentence = match message.strip_prefix("not yet implemented") {
        Some(rest) => {
            let task = rest.trim_start_matches([':', ' ']);
            let end = if task.is_empty() { "." } else { ":\n" };
            format!("There is still a todo!() at {place}{end}{task}")
        }
        None => format!("Your code panicked at {place}:\n{message}"),
    };
    PANIC.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(sentence);
}

fn take_panic() -> Option<String> {
    PANIC.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Compares one value of the reader's code with the value that is wanted.
///
/// # Errors
/// A sentence with both values, if they differ.
pub fn same<T: PartialEq + Debug>(what: &str, yours: &T, wanted: &T) -> Result<(), String> {
    if yours == wanted {
        return Ok(());
    }
    Err(format!("{what}\n  yours:  {yours:?}\n  wanted: {wanted:?}"))
}

/// Compares a list of answers with the list that is wanted.
///
/// # Errors
/// A sentence with the first difference: whole lists would be a screenful.
pub fn same_answers<T: PartialEq + Debug>(
    what: &str,
    yours: &[T],
    wanted: &[T],
) -> Result<(), String> {
    if yours.len() != wanted.len() {
        let (yours, wanted) = (yours.len(), wanted.len());
        return Err(format!("{what}\n  yours:  {yours} answers\n  wanted: {wanted} answers"));
    }
    let Some(place) = yours.iter().zip(wanted).position(|(yours, wanted)| yours != wanted) else {
        return Ok(());
    };
    let what = format!("{what}: answer {}", place + 1);
    same(&what, &yours[place], &wanted[place])
}
