//! Lesson 3: a pool of threads that stay.

#![forbid(unsafe_code)]

use kernel::{Executor, Pair, gcd};
use report::{Lesson, Policy::Queue, Predicted::OneAtATime, Run, grouped, time};
use serial::Serial;
use spans::Gcd;
use std::{error::Error, process::ExitCode};
use threads::Threads;

fn main() -> ExitCode {
    report::present(&Lesson::of(include_str!("lesson.toml")), lesson)
}

fn lesson(run: &mut Run) -> Result<(), Box<dyn Error>> {
    let (pairs, workers) = (run.pairs(), run.workers());
    // ANCHOR: core
    use thread_pool::ThreadPool;
    let pool = ThreadPool::new(workers); // the one change
    let answers = pool.map(gcd, pairs)?;
    // ANCHOR_END: core

    run.one_change(&[include_str!("../02-threads/main.rs"), include_str!("main.rs")])?;
    run.setup(workers)?;
    run.predict(&[Queue])?;

    let threads = Threads::new(workers);
    let mut table = run.table();
    table.row::<Gcd>("serial", OneAtATime, &Serial);
    table.row::<Gcd>("threads", Queue, &threads);
    table.row::<Gcd>("thread-pool", Queue, &pool).mark("<- one change");
    run.measure(table)?;

    // Fewer maps for more workers, because each map on scoped threads starts all of them.
    let maps = (2_000 / workers.get()).clamp(10, 1_000);
    let title = format!("{} maps", grouped(maps as u64));
    run.say("Tiny items", "ten pairs of seven steps, mapped again and again in each round")?;
    let mut table = run.table_of(&title, vec![Pair::new(12, 18)?; 10], maps);
    table.row::<Gcd>("serial", OneAtATime, &Serial);
    table.row::<Gcd>("threads", Queue, &threads);
    table.row::<Gcd>("thread-pool", Queue, &pool).mark("<- one change");
    run.measure(table)?;

    let a_map = |row| run.seconds(&format!("{row}, {title}")) / maps as f64;
    let (started, kept) = (a_map("threads"), a_map("thread-pool"));
    let costs = format!(
        "a map: {} with threads started for it, {} with the pool",
        time(started),
        time(kept)
    );
    run.say("Cost", &costs)?;
    run.schedule(&["thread-pool"])?;
    run.answers(&answers)
}
