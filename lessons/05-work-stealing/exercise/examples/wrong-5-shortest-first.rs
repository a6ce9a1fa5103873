//! A wrong answer to exercise 5: it sorts in the wrong direction.
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
    let mut numbered: Vec<(usize, A)> = items.into_iter().enumerate().collect();
    numbered.sort_by_key(|(_, item)| cost(item));
    let (places, items): (Vec<usize>, Vec<A>) = numbered.into_iter().unzip();
    let mut answers: Vec<(usize, R)> = places.into_iter().zip(pool.map(task, items)?).collect();
    answers.sort_unstable_by_key(|&(place, _)| place);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

#[path = "../check.rs"]
mod check;

fn main() -> ExitCode {
    check::run()
}
