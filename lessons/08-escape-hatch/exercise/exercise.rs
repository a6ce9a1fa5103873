//! Exercise 8: copy, then let go.
//!
//! `map_pairs` is a function of a native module. Python calls it with a list of pairs, and the
//! calling thread holds the interpreter lock, which is what `py` shows. It works on all pairs, and
//! all other threads of the program wait until it is done.
//!
//! Let go of the lock while it works: `py.detach(|| …)` does, and takes the lock again afterwards.
//! But without the lock nothing of Python's may be touched: another thread may change the list
//! meanwhile. So copy what you need first, and keep nothing borrowed. And choose: where there is
//! nothing to do, letting go is not worth a hand-over. Then type
//!
//! ```text
//! just exercise-8
//! ```
//!
//! The module `python` is a model, so you need no Python for this. Its types refuse what pyo3's
//! refuse: if the compiler says that something cannot be sent between threads, it is right.

use kernel::Pair;
use python::{List, Python};
use std::process::ExitCode;

/// The answers of `work` for each pair in the list, in its order.
fn map_pairs(py: Python<'_>, list: &List, work: fn(Pair) -> u64) -> Vec<u64> {
    let pairs = list.borrow(py);
    pairs.iter().map(|&pair| work(pair)).collect()
}

// There is nothing to do below this line. The check and the model of Python are beside this file.
mod check;
mod python;

fn main() -> ExitCode {
    check::run()
}
