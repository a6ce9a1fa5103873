//! A recipe to copy: how to test a function that uses worker processes.
//!
//! A process that has a second thread must not fork workers, so the fork server has to start before
//! the first thread: at the top of `main`. A `#[test]` has no `main`. The `main` of Rust's test
//! harness runs each test on a thread of its own, and inside such a test it is too late: there,
//! `ProcessPool::new` returns `StartError::Threads`, even with `--test-threads=1`.
//!
//! The way out is a test file with a `main` of its own:
//!
//! 1. `Cargo.toml` says `harness = false` for the file, below `[[test]]`.
//! 2. The file's `main` calls `ForkServer::start()` first.
//! 3. Then `main` hands over to libtest-mimic, a test harness that is an ordinary library. It
//!    reads the same options as Rust's harness: `cargo test -- some_name`, `cargo test -- --list`.
//!
//! From then on a test may make a pool on any thread, because the fork server forks the workers and
//! has one thread for ever. See `tests/tests.rs`. Tests without a pool may stay `#[test]` functions
//! in other files.

#![forbid(unsafe_code)]

use kernel::{Executor, TaskError};
use processes::{ProcessPool, StartError};
use std::num::NonZeroUsize;

/// The number of words in each text. The texts are counted by two worker processes, so a text that
/// ends a worker costs its own answer and no other.
///
/// # Errors
/// [`StartError`] if the pool cannot be made: in a program with threads, `main` has to call
/// [`ForkServer::start`](processes::ForkServer::start) before them.
pub fn words(texts: Vec<String>) -> Result<Vec<Result<usize, TaskError>>, StartError> {
    let two = const { NonZeroUsize::new(2).unwrap() };
    Ok(ProcessPool::new(two)?.map_each(words_of, texts))
}

fn words_of(text: String) -> usize {
    if text.contains('\0') {
        std::process::abort(); // stands for a fault in a library that a task calls
    }
    text.split_whitespace().count()
}
