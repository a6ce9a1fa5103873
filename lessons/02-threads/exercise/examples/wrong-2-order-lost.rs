//! A wrong answer to exercise 2: the answers come in the order in which the threads took the items.
//!
//! Refused on: the answers

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

fn map<A: Sync, R: Send>(task: impl Fn(&A) -> R + Sync, items: &[A], workers: usize) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let take = || items.get(next.fetch_add(1, Relaxed));
        std::iter::from_fn(take).map(&task).collect::<Vec<R>>()
    };
    let all: Vec<R> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        // Join the last thread first: then every run shows the wrong order that is otherwise a
        // matter of luck.
        threads.into_iter().rev().flat_map(|thread| thread.join().unwrap()).collect()
    });
    all
}

#[path = "../check.rs"]
mod check;

fn main() -> ExitCode {
    check::run()
}
