//! Lesson 2: threads, three ways to split the work, and one lock.

#![forbid(unsafe_code)]

use kernel::{Executor, gcd};
use report::{Lesson, Policy, Predicted::OneAtATime, Run};
use serial::Serial;
use spans::{Gcd, GcdOneLock};
use std::{error::Error, process::ExitCode};
use threads::Split;

fn main() -> ExitCode {
    report::present(&Lesson::of(include_str!("lesson.toml")), lesson)
}

fn lesson(run: &mut Run) -> Result<(), Box<dyn Error>> {
    let (pairs, workers) = (run.pairs(), run.workers());
    // ANCHOR: core
    use threads::Threads;
    let pool = Threads::new(workers); // the one change
    let answers = pool.map(gcd, pairs)?;
    // ANCHOR_END: core

    run.one_change(&[include_str!("../01-serial/main.rs"), include_str!("main.rs")])?;
    run.setup(workers)?;
    run.predict(&[Policy::CeilChunks, Policy::BalancedChunks, Policy::Queue])?;

    let chunks = Threads::with_split(workers, Split::CeilChunks);
    let balanced = Threads::with_split(workers, Split::BalancedChunks);
    let mut table = run.table();
    table.row::<Gcd>("serial", OneAtATime, &Serial);
    table.row::<Gcd>("threads, chunks", Policy::CeilChunks, &chunks);
    table.row::<Gcd>("threads, balanced", Policy::BalancedChunks, &balanced);
    table.row::<Gcd>("threads, a queue", Policy::Queue, &pool).mark("<- one change");
    table.note("now every step needs one global lock, as in Python:");
    table.row::<GcdOneLock>("serial, one lock", OneAtATime, &Serial);
    table.row::<GcdOneLock>("threads, one lock", OneAtATime, &pool).mark("<- one change");
    run.measure(table)?;

    run.schedule(&["threads, chunks", "threads, a queue"])?;
    run.answers(&answers)
}
