//! A wrong answer to exercise 5: it runs the items itself, one after the other.
//!
//! Refused on: two items are in progress at once on a pool of two workers

use kernel::{Executor, Message, TaskError};
use std::cmp::Reverse;
use std::process::ExitCode;

fn map_longest_first<E: Executor, A: Message, R: Message>(
    pool: &E,
    task: fn(A) -> R,
    items: Vec<A>,
    cost: fn(&A) -> u64,
) -> Result<Vec<R>, TaskError> {
    let _ = pool;
    let mut numbered: Vec<(usize, A)> = items.into_iter().enumerate().collect();
    numbered.sort_by_key(|(_, item)| Reverse(cost(item)));
    let mut answers: Vec<(usize, R)> =
        numbered.into_iter().map(|(place, item)| (place, task(item))).collect();
    answers.sort_unstable_by_key(|&(place, _)| place);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

#[path = "../check.rs"]
mod check;

fn main() -> ExitCode {
    check::run()
}
