//! A wrong answer to exercise 8: it copies, lets go, and still has the list borrowed.
//!
//! Refused on: a change of the list meanwhile does not change the answers

use kernel::Pair;
use python::{List, Python};
use std::process::ExitCode;

fn map_pairs(py: Python<'_>, list: &List, work: fn(Pair) -> u64) -> Vec<u64> {
    let borrowed = list.borrow(py);
    if borrowed.is_empty() {
        return Vec::new();
    }
    let pairs = borrowed.to_vec();
    let answers = py.detach(|| pairs.into_iter().map(work).collect());
    drop(borrowed);
    answers
}

#[path = "../check.rs"]
mod check;
#[path = "../python.rs"]
mod python;

fn main() -> ExitCode {
    check::run()
}
