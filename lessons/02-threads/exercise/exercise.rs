//! Exercise 2: the shared counter.
//!
//! Chunks are assigned before the cost of an item is known. A queue is fairer: a worker that is
//! free takes the next item. If the items stand in a slice, the whole queue can be one number, the
//! index of the next item; to take an item, a worker adds one to this number.
//!
//! Write `map`: start `workers` threads in a `std::thread::scope`, let each thread take the next
//! item until no item is left, and give the answers in the order of the items. Scoped threads may
//! borrow, so nothing has to be copied or put behind an `Arc`. Then type
//!
//! ```text
//! just exercise-2
//! ```
//!
//! The check reads no clock, and gives you items that wait for each other: two items that go on
//! only when both are in progress, and one item that waits until all others are done. A loop on one
//! thread gives the right answers and does not pass. Chunks do not pass either.

use std::process::ExitCode;

/// Runs `task` on every item, on `workers` threads (one at least), each item once. The answers are
/// in the order of the items.
fn map<A: Sync, R: Send>(task: impl Fn(&A) -> R + Sync, items: &[A], workers: usize) -> Vec<R> {
    let _ = &task;
    todo!("run {} items on {workers} threads", items.len())
}

// You need not change anything below this line. The check is in check.rs, beside this file.
mod check;

fn main() -> ExitCode {
    check::run()
}
