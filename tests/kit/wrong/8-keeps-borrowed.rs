//! A wrong answer to exercise 8: copies, lets go, and still has the list borrowed.

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

#[path = "../../../lessons/08-escape-hatch/exercise/check.rs"]
mod check;
#[path = "../../../lessons/08-escape-hatch/exercise/python.rs"]
mod python;

fn main() -> ExitCode {
    check::run()
}
