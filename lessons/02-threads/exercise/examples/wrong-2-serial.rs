//! A wrong answer to exercise 2: a loop. The loop's answers are right.
//!
//! Refused on: two items are in progress at once on two workers

use std::process::ExitCode;

fn map<A: Sync, R: Send>(task: impl Fn(&A) -> R + Sync, items: &[A], _workers: usize) -> Vec<R> {
    items.iter().map(task).collect()
}

#[path = "../check.rs"]
mod check;

fn main() -> ExitCode {
    check::run()
}
