//! A wrong answer to exercise 8: it copies, and keeps the lock.
//!
//! Refused on: another thread has the lock while the work goes on

use kernel::Pair;
use python::{List, Python};
use std::process::ExitCode;

fn map_pairs(py: Python<'_>, list: &List, work: fn(Pair) -> u64) -> Vec<u64> {
    let pairs = list.borrow(py).to_vec();
    pairs.into_iter().map(work).collect()
}

#[path = "../check.rs"]
mod check;
#[path = "../python.rs"]
mod python;

fn main() -> ExitCode {
    check::run()
}
