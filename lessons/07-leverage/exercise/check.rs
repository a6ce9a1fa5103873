//! The check of exercise 7: what is counted, and what crosses.

use crate::count_lines;
use checks::{Checks, same};
use kernel::{Executor, Message, Ran, TaskError, TaskErrorKind, catch_panic};
use std::fs;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tempfile::TempDir;
use threads::Threads;

/// How large the large file is.
const LARGE: usize = 8 << 20;

/// In how many pieces it is searched.
const PIECES: usize = 12;

/// How many bytes of an item and its answer may cross: room for a long path and some numbers.
const FEW: usize = 4096;

/// Looks at `count_lines`, on an executor that counts bytes, and on threads.
pub fn run() -> ExitCode {
    let file = "lessons/07-leverage/exercise/exercise.rs";
    let mut checks = Checks::of(7, "send a description", file);
    checks.that("every line end is counted once, in one piece and in many", || {
        for (name, bytes) in
            [("three lines", &b"one\ntwo\nthree\n"[..]), ("no line end", b"one"), ("nothing", b"")]
        {
            for count in [1, 2, 3, 5, 40] {
                counted_right(name, bytes, &Counting::new(), count)?;
            }
        }
        Ok(())
    });
    checks.that("a large file is cut into as many items as pieces", || {
        let pool = Counting::new();
        counted_right("8 MiB", &large(), &pool, PIECES)?;
        same("how many items the pool was given", &pool.items.load(Relaxed), &PIECES)
    });
    checks.that("few bytes cross, there and back", || {
        let pool = Counting::new();
        counted_right("8 MiB", &large(), &pool, PIECES)?;
        let most = pool.most.load(Relaxed);
        if most <= FEW {
            return Ok(());
        }
        Err(format!(
            "An item and its answer take {most} bytes, and {FEW} would be plenty.\n\
             The worker can read the file. What must it know to read its piece?"
        ))
    });
    checks.that("a file that is not there is an error that names it", || {
        let folder = folder()?;
        let missing = folder.path().join("missing");
        match count_lines(&Counting::new(), &missing, workers(3)) {
            Ok(lines) => Err(format!("Your answer for a file that is not there is {lines} lines.")),
            Err(why) if why.contains("missing") && why.lines().count() == 1 => Ok(()),
            Err(why) => Err(format!("The error does not name the file in one line: {why}")),
        }
    });
    checks.that("the same on threads", || {
        let bytes = large();
        let file = written(&bytes)?;
        let path = file.path().join("file");
        let lines = count_lines(&Threads::new(workers(2)), &path, workers(PIECES));
        same("the lines of 8 MiB", &lines, &Ok(line_ends(&bytes)))
    });
    checks.finish(&closing())
}

/// Runs one item after the other, each written down and read again, as it would be on its way to
/// another process; counts items and bytes.
struct Counting {
    items: AtomicUsize,
    /// The bytes of the largest item together with its answer.
    most: AtomicUsize,
}

impl Counting {
    fn new() -> Self {
        Self { items: AtomicUsize::new(0), most: AtomicUsize::new(0) }
    }
}

impl Executor for Counting {
    fn map_each<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: Vec<A>,
    ) -> Vec<Result<R, TaskError>> {
        self.items.fetch_add(items.len(), Relaxed);
        let carried = |(index, item): (usize, A)| {
            let lost = |error: postcard::Error| {
                let why = TaskErrorKind::NotSerialised(error.to_string());
                TaskError::new(index, Ran::Unknown, why)
            };
            let there = postcard::to_stdvec(&item).map_err(lost)?;
            let answer = catch_panic(index, task, postcard::from_bytes(&there).map_err(lost)?)?;
            let back = postcard::to_stdvec(&answer).map_err(lost)?;
            self.most.fetch_max(there.len() + back.len(), Relaxed);
            postcard::from_bytes(&back).map_err(lost)
        };
        items.into_iter().enumerate().map(carried).collect()
    }

    fn workers(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }
}

fn counted_right(name: &str, bytes: &[u8], pool: &Counting, count: usize) -> Result<(), String> {
    let folder = written(bytes)?;
    let lines = count_lines(pool, &folder.path().join("file"), workers(count));
    same(&format!("{name}, pieces: {count}"), &lines, &Ok(line_ends(bytes)))
}

/// A folder with these bytes in a file.
fn written(bytes: &[u8]) -> Result<TempDir, String> {
    let folder = folder()?;
    fs::write(folder.path().join("file"), bytes).map_err(|error| error.to_string())?;
    Ok(folder)
}

fn folder() -> Result<TempDir, String> {
    tempfile::tempdir().map_err(|error| format!("there is no room for a file: {error}"))
}

/// Lines of different lengths, and a last one without an end.
fn large() -> Vec<u8> {
    let line = |number: usize| "x".repeat(number * 7 % 4099) + "\n";
    let mut bytes: Vec<u8> = (0..).map(line).take(LARGE / 1024).collect::<String>().into();
    bytes.resize(LARGE + 1, b'x');
    bytes
}

fn line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

fn workers(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

fn closing() -> String {
    "The bytes stayed where they were, and a description of them travelled: the same\n\
     work, and a payload that no longer matters. It does not need a file: a range, a seed,\n\
     a key of a database do as well, if the worker can make or find the data itself."
        .to_owned()
}
