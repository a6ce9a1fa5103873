//! Lesson 1: the ten pairs in a loop.

#![forbid(unsafe_code)]

use kernel::{Executor, gcd};
use report::{Lesson, Predicted::OneAtATime, Run};
use spans::Gcd;
use std::{error::Error, process::ExitCode};

fn main() -> ExitCode {
    report::present(&Lesson::of(include_str!("lesson.toml")), lesson)
}

fn lesson(run: &mut Run) -> Result<(), Box<dyn Error>> {
    let pairs = run.pairs();
    // ANCHOR: core
    use serial::Serial;
    let pool = Serial; // the line that changes
    let answers = pool.map(gcd, pairs)?;
    // ANCHOR_END: core

    run.one_change(&[include_str!("main.rs")])?;
    run.setup(pool.workers())?;
    run.items()?;
    run.predict(&[])?;
    run.bound()?;

    let mut table = run.table();
    table.bare_loop::<Gcd>("a bare loop", OneAtATime);
    table.row::<Gcd>("serial", OneAtATime, &pool);
    run.measure(table)?;

    run.schedule(&["serial"])?;
    run.answers(&answers)
}
