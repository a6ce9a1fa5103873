//! A wrong answer to exercise 3: it counts the answers, but a job that panics sends no answer.
//!
//! Refused on: a job that panics leaves None in its place, and map comes back

use std::process::ExitCode;
use std::sync::mpsc;
use threadpool::ThreadPool;

fn map<A, R>(pool: &ThreadPool, task: fn(A) -> R, items: Vec<A>) -> Vec<Option<R>>
where
    A: Send + 'static,
    R: Send + 'static,
{
    let count = items.len();
    let mut answers: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let (sender, receiver) = mpsc::channel();
    for (index, item) in items.into_iter().enumerate() {
        let sender = sender.clone();
        pool.execute(move || {
            let _ = sender.send((index, task(item)));
        });
    }
    for (index, answer) in receiver.iter().take(count) {
        answers[index] = Some(answer);
    }
    answers
}

#[path = "../check.rs"]
mod check;

fn main() -> ExitCode {
    check::run()
}
