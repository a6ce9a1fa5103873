//! A wrong answer to exercise 3: it stops waiting after a while, and loses slow answers.
//!
//! Refused on: a slow answer is waited for

use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;
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
    while let Ok((index, answer)) = receiver.recv_timeout(Duration::from_millis(100)) {
        answers[index] = Some(answer);
    }
    assert_eq!(answers.len(), count);
    answers
}

#[path = "../check.rs"]
mod check;

fn main() -> ExitCode {
    check::run()
}
