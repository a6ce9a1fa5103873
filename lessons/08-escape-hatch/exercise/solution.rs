//! Exercise 8, solved. Try it yourself first: `just hint-8` gives three hints.

use kernel::Pair;
use python::{List, Python};
use std::process::ExitCode;

/// The answers of `work` for each pair in the list, in the order of the list.
fn map_pairs(py: Python<'_>, list: &List, work: fn(Pair) -> u64) -> Vec<u64> {
    // Copy the pairs. The borrow ends on this line, so other threads may change the list again.
    let pairs = list.borrow(py).to_vec();
    if pairs.is_empty() {
        return Vec::new();
    }
    py.detach(|| pairs.into_iter().map(work).collect())
}

// The check and the model of Python are beside this file.
mod check;
mod python;

fn main() -> ExitCode {
    check::run()
}
