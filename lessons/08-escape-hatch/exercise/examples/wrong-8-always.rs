//! A wrong answer to exercise 8: it lets go where there is nothing to do.
//!
//! Refused on: map_pairs does not let go for an empty list

use kernel::Pair;
use python::{List, Python};
use std::process::ExitCode;

fn map_pairs(py: Python<'_>, list: &List, work: fn(Pair) -> u64) -> Vec<u64> {
    let pairs = list.borrow(py).to_vec();
    py.detach(|| pairs.into_iter().map(work).collect())
}

#[path = "../check.rs"]
mod check;
#[path = "../python.rs"]
mod python;

fn main() -> ExitCode {
    check::run()
}
