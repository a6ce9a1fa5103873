//! Lesson 6: the work runs in an interpreter, under one lock. Then the ways out.

#![forbid(unsafe_code)]

use interpreter::{NativeGcd, NativeGcdUnlocked};
use kernel::{Executor, Pair};
use lesson_6::program::{Interpreted, WAITS, Waiting, interpreted, load, try_on};
use lesson_6::{EXTRAS, cpython, turns};
use processes::ProcessPool;
use report::{Lesson, Policy::Queue, Predicted::OneAtATime, Predicted::Unknown, Run, ratio};
use serial::Serial;
use std::{error::Error, ffi::OsStr, process::ExitCode};
use threads::Threads;

fn main() -> ExitCode {
    report::present_with(&Lesson::of(include_str!("lesson.toml")), &EXTRAS, lesson)
}

fn lesson(run: &mut Run) -> Result<(), Box<dyn Error>> {
    let (pairs, workers) = (run.pairs(), run.workers());
    let own = run.extra("program").map(OsStr::to_owned);
    let program = load(own.as_deref())?;
    if run.extra("disassemble").is_some() {
        return run.lines(&program.disassembly());
    }
    if let Some(file) = &own {
        run.say("Program", &file.to_string_lossy())?;
        try_on(file, &pairs)?;
    }
    // Processes come first: the program may fork only while it has one thread.
    let processes = ProcessPool::new(workers)?;
    // ANCHOR: core
    let pool = Threads::new(workers);
    let answers = pool.map(interpreted, pairs)?; // the one change
    // ANCHOR_END: core
    run.other_task(&[(2, include_str!("../02-threads/main.rs")), (6, include_str!("main.rs"))])?;
    run.setup(workers)?;
    let queue = if own.is_some() { Unknown } else { Queue.into() };
    let one_at_a_time = if own.is_some() { Unknown } else { OneAtATime };
    if own.is_none() {
        run.predict(&[Queue])?;
    }

    let mut table = run.table();
    table.row::<Interpreted>("serial", OneAtATime, &Serial);
    table.row::<Interpreted>("threads, one lock", one_at_a_time, &pool);
    table.row::<Interpreted>("processes, a lock each", queue, &processes);
    run.measure(table)?;
    run.schedule(&["threads, one lock", "processes, a lock each"])?;

    turns::show(run, &pool)?;
    if own.is_some() {
        return run.answers(&answers);
    }

    let equal = vec![Pair::new(1, 1)?; WAITS.min(answers.len())];
    let mut waits = run.table_of("Waits, not gcd", equal, 1);
    waits.row::<Waiting>("serial", OneAtATime, &Serial);
    waits.row::<Waiting>("threads, one lock", Queue, &pool);
    run.measure(waits)?;
    let mut native = run.table_of("Native gcd", run.pairs(), 1);
    native.row::<NativeGcd>("serial", OneAtATime, &Serial);
    native.row::<NativeGcd>("threads, lock held", OneAtATime, &pool);
    native.row::<NativeGcdUnlocked>("threads, lock let go", Queue, &pool);
    run.measure(native)?;
    let gain = ratio(run.seconds("serial") / run.seconds("serial, Native gcd"));
    run.say("Native", &format!("{gain} times as fast as interpreted, on one core"))?;

    cpython::beside(run, run.seconds("serial"))?;
    run.answers(&answers)
}
