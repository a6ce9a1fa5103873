//! A wrong answer to exercise 2: every thread runs every item, and one thread's answers win.
//!
//! Refused on: each item is run once

use std::process::ExitCode;
use std::thread;

fn map<A: Sync, R: Send>(task: impl Fn(&A) -> R + Sync, items: &[A], workers: usize) -> Vec<R> {
    let work = || items.iter().map(&task).collect::<Vec<R>>();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let all = threads.into_iter().map(|thread| thread.join().unwrap());
        all.last().unwrap_or_default()
    })
}

#[path = "../check.rs"]
mod check;

fn main() -> ExitCode {
    check::run()
}
