//! A wrong answer to exercise 5: it leaves the order as it is.
//!
//! Refused on: on one worker the items run from the longest to the shortest

use kernel::{Executor, Message, TaskError};
use std::process::ExitCode;

fn map_longest_first<E: Executor, A: Message, R: Message>(
    pool: &E,
    task: fn(A) -> R,
    items: Vec<A>,
    cost: fn(&A) -> u64,
) -> Result<Vec<R>, TaskError> {
    let _ = cost;
    pool.map(task, items)
}

#[path = "../check.rs"]
mod check;

fn main() -> ExitCode {
    check::run()
}
