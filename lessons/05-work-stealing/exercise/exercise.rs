//! Exercise 5: longest first.
//!
//! A queue gives the next item to whoever is free, in the order in which the items stand. Items 8
//! and 9 of the ten pairs are the longest, and they come late: on six workers five of them are
//! done and wait while one runs on. If you know the costs beforehand, you can start the longest
//! items first and end with small ones, which fill the gaps (Graham's rule, 1969).
//!
//! Write `map_longest_first`. It works on any executor of the kit, since it changes the order of
//! the items and nothing else: `pool.map` gets them with the longest first. Its caller must not
//! notice: the answers come back in the order in which the items were given. Then type
//!
//! ```text
//! just exercise-5
//! ```
//!
//! The check notes in which order your items start, on one worker and on two: item 8 or item 9
//! must be the first. An error of the pool may be passed on as it is.

use kernel::{Executor, Message, TaskError};
use std::process::ExitCode;

/// Runs `task` on every item, on `pool`, the most costly items first. The answers are in the order
/// of `items`.
fn map_longest_first<E: Executor, A: Message, R: Message>(
    pool: &E,
    task: fn(A) -> R,
    items: Vec<A>,
    cost: fn(&A) -> u64,
) -> Result<Vec<R>, TaskError> {
    let _ = (task, cost);
    todo!("run {} items on a pool of {}, longest first", items.len(), pool.workers())
}

// There is nothing to do below this line. The check is in check.rs, beside this file.
mod check;

fn main() -> ExitCode {
    check::run()
}
