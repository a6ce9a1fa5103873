//! A wrong answer to exercise 2: contiguous chunks. Everything is right except which thread runs
//! which item.
//!
//! Refused on: a free worker takes the next item

use std::process::ExitCode;
use std::thread;

fn map<A: Sync, R: Send>(task: impl Fn(&A) -> R + Sync, items: &[A], workers: usize) -> Vec<R> {
    let size = items.len().div_ceil(workers).max(1);
    let run = |chunk: &[A]| chunk.iter().map(&task).collect::<Vec<R>>();
    thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> =
            items.chunks(size).map(|chunk| scope.spawn(move || run(chunk))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

#[path = "../check.rs"]
mod check;

fn main() -> ExitCode {
    check::run()
}
