//! Lesson NUMBER: todo, in one line.

#![forbid(unsafe_code)]

use kernel::{Executor, gcd};
use report::{Lesson, Policy, Predicted::OneAtATime, Run};
use spans::Gcd;
use serial::Serial;
use std::{error::Error, process::ExitCode};

fn main() -> ExitCode {
    report::present(&Lesson::of(include_str!("lesson.toml")), lesson)
}

fn lesson(run: &mut Run) -> Result<(), Box<dyn Error>> {
    let (pairs, workers) = (run.pairs(), run.workers());
    // ANCHOR: core
    use threads::Threads;
    let pool = Threads::new(workers); // todo: the one change
    let answers = pool.map(gcd, pairs)?;
    // ANCHOR_END: core

    run.setup(workers)?;
    run.predict(&[Policy::Queue])?;
    let mut table = run.table();
    table.row::<Gcd>("serial", OneAtATime, &Serial);
    table.row::<Gcd>("threads", Policy::Queue, &pool).mark("<- one change");
    run.measure(table)?;
    run.schedule(&["threads"])?;
    run.answers(&answers)
}
