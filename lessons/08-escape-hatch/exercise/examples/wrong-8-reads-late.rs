//! A wrong answer to exercise 8: it reads the list again after it has let go.
//!
//! Refused on: a change of the list meanwhile does not change the answers

use kernel::Pair;
use python::{List, Python};
use std::process::ExitCode;

fn map_pairs(py: Python<'_>, list: &List, work: fn(Pair) -> u64) -> Vec<u64> {
    let length = list.borrow(py).len();
    let item = |place: usize| {
        let pair = list.borrow(py).get(place).copied();
        pair.map(|pair| py.detach(|| work(pair)))
    };
    (0..length).filter_map(item).collect()
}

#[path = "../check.rs"]
mod check;
#[path = "../python.rs"]
mod python;

fn main() -> ExitCode {
    check::run()
}
