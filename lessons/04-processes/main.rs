//! Lesson 4: the workers become processes. One line changes.

#![forbid(unsafe_code)]

use kernel::{Bytes, Executor, Pair, gcd};
use nix::sys::signal::{Signal, raise};
use report::{Lesson, Policy, Predicted::OneAtATime, Run, share, time};
use serial::Serial;
use spans::{Gcd, GcdOneLock};
use std::{error::Error, process::ExitCode};
use threads::Threads;

fn main() -> ExitCode {
    report::present_with(&Lesson::of(include_str!("lesson.toml")), &lesson_4::OPTIONS, lesson)
}

fn lesson(run: &mut Run) -> Result<(), Box<dyn Error>> {
    if lesson_4::is_asked_for(run) {
        return lesson_4::steps(run);
    }
    let (pairs, workers) = (run.pairs(), run.workers());
    // ANCHOR: core
    use processes::ProcessPool;
    let pool = ProcessPool::new(workers)?; // the one change
    let answers = pool.map(gcd, pairs)?;
    // ANCHOR_END: core

    run.one_change(&[include_str!("../03-thread-pool/main.rs"), include_str!("main.rs")])?;
    run.setup(workers)?;
    run.predict(&[Policy::Queue, Policy::CeilChunks])?;

    let threads = Threads::new(workers);
    let mut table = run.table();
    table.row::<Gcd>("serial", OneAtATime, &Serial);
    table.row::<Gcd>("threads", Policy::Queue, &threads);
    table.row::<Gcd>("processes", Policy::Queue, &pool).mark("<- one change");
    table.note("now every step needs one global lock, as in Python:");
    table.row::<GcdOneLock>("threads, one lock", OneAtATime, &threads);
    table.row::<GcdOneLock>("processes, a lock each", Policy::Queue, &pool).mark("<- one change");
    run.measure(table)?;
    run.schedule(&["processes"])?;

    let item = run.seconds("serial") / answers.len() as f64;
    let pool_alone = run.clock("one_step_item", &[Pair::new(1, 1)?], |one| pool.map(gcd, one))?;
    let (around, work, part) = (time(pool_alone), time(item), share(pool_alone / item));
    run.say("Cost", &format!("{around} of pool around {work} of gcd for each item: {part}"))?;
    let mib = vec![7; 1 << 20];
    let block =
        run.clock("mib_as_bytes", &[Bytes::from(mib.clone())], |one| pool.map(|b| b, one))?;
    let list = run.clock("mib_as_vec", &[mib], |one| pool.map(|v| v, one))?;
    let (block, list) = (time(block), time(list));
    run.say("", &format!("1 MiB there and back: {block} as Bytes, {list} as Vec<u8>"))?;

    let victim = answers.len().min(8);
    let items = (1..).zip(run.pairs()).map(|(item, pair)| (item == victim, pair)).collect();
    let outcomes = pool.map_each(gcd_or_killed, items);
    let errors: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    let (lost, kept) = (errors.len(), outcomes.len() - errors.len());
    pool.map(gcd, run.pairs())?; // or the lesson ends here, with the error
    let goes_on = format!("{kept} answers, {lost} error, the pool goes on");
    run.say("A kill", &format!("a worker is killed in item {victim}: {goes_on}"))?;
    let told = errors.iter().map(|error| error.to_string().replace(" while it", "\nwhile it"));
    run.say("", &told.collect::<Vec<_>>().join("\n"))?;
    run.answers(&answers)
}

/// The task of the kill: on the marked item, the worker ends as by `kill -9`.
fn gcd_or_killed((killed, pair): (bool, Pair)) -> u64 {
    if killed {
        let _ = raise(Signal::SIGKILL);
    }
    gcd(pair)
}
