//! A wrong answer to exercise 8: it lets go again for each item.
//!
//! Refused on: map_pairs lets go once, and not once for each item

use kernel::Pair;
use python::{List, Python};
use std::process::ExitCode;

fn map_pairs(py: Python<'_>, list: &List, work: fn(Pair) -> u64) -> Vec<u64> {
    let pairs = list.borrow(py).to_vec();
    pairs.into_iter().map(|pair| py.detach(|| work(pair))).collect()
}

#[path = "../check.rs"]
mod check;
#[path = "../python.rs"]
mod python;

fn main() -> ExitCode {
    check::run()
}
