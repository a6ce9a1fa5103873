//! Lesson 5: rayon, and the five stages side by side.

#![forbid(unsafe_code)]

use kernel::{Executor, gcd};
use processes::ProcessPool;
use report::{Lesson, Policy, Predicted, Run};
use serial::Serial;
use spans::Gcd;
use std::{error::Error, num::NonZeroUsize, process::ExitCode};
use thread_pool::ThreadPool;
use threads::{Split, Threads};

fn main() -> ExitCode {
    report::present(&Lesson::of(include_str!("lesson.toml")), lesson)
}

fn lesson(run: &mut Run) -> Result<(), Box<dyn Error>> {
    let (pairs, workers) = (run.pairs(), run.workers());
    // Processes come first: the program may fork only while it has one thread.
    let processes = ProcessPool::new(workers)?;
    // ANCHOR: core
    use work_stealing::WorkStealing;
    let pool = WorkStealing::new(workers)?; // the one change
    let answers = pool.map(gcd, pairs)?;
    // ANCHOR_END: core

    run.one_change(&[include_str!("../04-processes/main.rs"), include_str!("main.rs")])?;
    run.setup(workers)?;
    run.predict(&[Policy::Queue, Policy::CeilChunks])?;

    let single = NonZeroUsize::MIN;
    let chunks = Threads::with_split(workers, Split::CeilChunks);
    let (threads, thread_pool) = (Threads::new(workers), ThreadPool::new(workers));
    let single_items = WorkStealing::with_max_len(workers, single)?;
    let mut table = run.table();
    table.bare_loop::<Gcd>("a bare loop", Predicted::OneAtATime);
    table.row::<Gcd>("serial", Predicted::OneAtATime, &Serial).start(|| Ok(Serial));
    table
        .row::<Gcd>("threads, chunks", Policy::CeilChunks, &chunks)
        .start(move || Ok(Threads::with_split(workers, Split::CeilChunks)));
    table.row::<Gcd>("threads", Policy::Queue, &threads).start(move || Ok(Threads::new(workers)));
    table
        .row::<Gcd>("thread-pool", Policy::Queue, &thread_pool)
        .start(move || Ok(ThreadPool::new(workers)));
    table
        .row::<Gcd>("processes", Policy::Queue, &processes)
        .start(move || Ok(ProcessPool::new(workers)?));
    table
        .row::<Gcd>("rayon", Predicted::Unknown, &pool)
        .start(move || Ok(WorkStealing::new(workers)?));
    table
        .row::<Gcd>("rayon, with_max_len(1)", Policy::Queue, &single_items)
        .start(move || Ok(WorkStealing::with_max_len(workers, single)?));
    run.measure(table)?;
    run.say("Start", "from nothing to one small answer from each worker")?;

    run.schedule(&["threads", "rayon", "rayon, with_max_len(1)"])?;
    run.answers(&answers)
}
