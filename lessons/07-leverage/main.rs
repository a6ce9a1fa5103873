//! Lesson 7: computing against bytes. Which items are worth the trip to a worker?

#![forbid(unsafe_code)]

use lesson_7::{Leverage, present};
use processes::ProcessPool;
use report::{Lesson, Memory};
use serial::Serial;
use std::{error::Error, process::ExitCode};
use threads::Threads;

fn main() -> ExitCode {
    present(&Lesson::of(include_str!("lesson.toml")), lesson)
}

fn lesson(run: &mut Leverage) -> Result<(), Box<dyn Error>> {
    let workers = run.workers();
    // ANCHOR: core
    // Processes come first: the program may fork only while it has one thread.
    let processes = ProcessPool::new(workers)?;
    let threads = Threads::new(workers);

    run.setup()?;
    run.alone(Serial);
    run.stage("threads", threads, Memory::Shared, move || Ok(Threads::new(workers)))?;
    run.stage("processes", processes, Memory::Copied, move || Ok(ProcessPool::new(workers)?))?;
    run.sweep()
    // ANCHOR_END: core
}
