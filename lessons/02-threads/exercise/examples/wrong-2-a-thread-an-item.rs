//! A wrong answer to exercise 2: a thread for each item, however many there are.
//!
//! Refused on: there are no more threads than workers

use std::process::ExitCode;
use std::thread;

fn map<A: Sync, R: Send>(task: impl Fn(&A) -> R + Sync, items: &[A], _workers: usize) -> Vec<R> {
    thread::scope(|scope| {
        let task = &task;
        let threads: Vec<_> = items.iter().map(|item| scope.spawn(move || task(item))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[path = "../check.rs"]
mod check;

fn main() -> ExitCode {
    check::run()
}
