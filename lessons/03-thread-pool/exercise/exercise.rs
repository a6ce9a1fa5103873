//! Exercise 3: the map that never comes back.
//!
//! Below stands a `map` on a thread pool, as many people first write it. Every job sends its answer
//! through a channel, and the loop at the end takes the answers out. This `map` compiles, every job
//! runs, and then `map` waits for ever. Many programs have a similar fault, and often it is found
//! only when the program is to end.
//!
//! Find out what the loop still waits for, and repair `map`. Then type
//!
//! ```text
//! just exercise-3
//! ```
//!
//! The check never hangs, even while your `map` does. The check also looks at two more cases. A job
//! that panics sends no answer, and must not make `map` wait for one: the item's place in the
//! answers stays `None`. And a slow answer must not be lost, so a time limit is no solution.

use std::process::ExitCode;
use std::sync::mpsc;
use threadpool::ThreadPool;

/// Runs `task` on every item, on the threads of the pool. The answers are in the order of the
/// items, with `None` for an item whose job panicked.
fn map<A, R>(pool: &ThreadPool, task: fn(A) -> R, items: Vec<A>) -> Vec<Option<R>>
where
    A: Send + 'static,
    R: Send + 'static,
{
    let mut answers: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let (sender, receiver) = mpsc::channel();
    for (index, item) in items.into_iter().enumerate() {
        let sender = sender.clone();
        pool.execute(move || {
            // If the receiver is gone, the answer is not needed any more.
            let _ = sender.send((index, task(item)));
        });
    }
    for (index, answer) in receiver {
        answers[index] = Some(answer);
    }
    answers
}

// You need not change anything below this line. The check is in check.rs, beside this file.
mod check;

fn main() -> ExitCode {
    check::run()
}
