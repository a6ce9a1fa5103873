//! Exercise 8: copy, then let go.
//!
//! `map_pairs` is a function of a native module. Python calls it with a list of pairs, and the
//! calling thread holds the interpreter lock: the token `py` proves it. `map_pairs` works on all
//! pairs, and all other threads of the program wait until it is done.
//!
//! Let go of the lock during the work: `py.detach(|| …)` lets go, and takes the lock again
//! afterwards. But without the lock no Python object may be touched: another thread may change the
//! list meanwhile. So copy what you need first, and keep nothing borrowed. If there is nothing to
//! do, keep the lock: letting go is not worth a hand-over. Then type
//!
//! ```text
//! just exercise-8
//! ```
//!
//! The module `python` is a model, so you need no Python for this. The model's types refuse what
//! pyo3's types refuse: if the compiler says that something cannot be sent between threads, it is
//! right.

use kernel::Pair;
use python::{List, Python};
use std::process::ExitCode;

/// The answers of `work` for each pair in the list, in the order of the list.
fn map_pairs(py: Python<'_>, list: &List, work: fn(Pair) -> u64) -> Vec<u64> {
    let pairs = list.borrow(py);
    pairs.iter().map(|&pair| work(pair)).collect()
}

// You need not change anything below this line. The check and the model of Python are beside this
// file.
mod check;
mod python;

fn main() -> ExitCode {
    check::run()
}
