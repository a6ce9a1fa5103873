//! A wrong answer to exercise 5: the answers come in the order in which the items ran.
//!
//! Refused on: the answers are in the order of the items

use kernel::{Executor, Message, TaskError};
use std::cmp::Reverse;
use std::process::ExitCode;

fn map_longest_first<E: Executor, A: Message, R: Message>(
    pool: &E,
    task: fn(A) -> R,
    items: Vec<A>,
    cost: fn(&A) -> u64,
) -> Result<Vec<R>, TaskError> {
    let mut items = items;
    items.sort_by_key(|item| Reverse(cost(item)));
    pool.map(task, items)
}

#[path = "../check.rs"]
mod check;

fn main() -> ExitCode {
    check::run()
}
