//! A tour of the pool: everything that the pool can do, once. A test runs this tour.

use process_futures::{MapOptions, OnDeath, ProcessPoolExecutor, ReturnWhen, as_completed, wait};
use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;
use std::{process, thread};

// ANCHOR: initializer
static TABLE: OnceLock<Vec<u64>> = OnceLock::new();

fn load_table(size: u64) {
    TABLE.get_or_init(|| (0..size).map(|n| n * n).collect());
}

fn look_up(n: usize) -> u64 {
    TABLE.get().expect("the initializer was here")[n]
}
// ANCHOR_END: initializer

fn square(n: u64) -> u64 {
    n * n
}

fn nap(milliseconds: u64) -> u64 {
    thread::sleep(Duration::from_millis(milliseconds));
    milliseconds
}

fn fall(status: i32) -> u64 {
    process::exit(status)
}

/// The tour.
///
/// # Errors
/// The first error that the tour does not expect.
pub fn main() -> Result<(), Box<dyn Error>> {
    // ANCHOR: build
    // Make the pool first in main: workers are forked from the program as it is before it has
    // threads.
    let pool = ProcessPoolExecutor::builder()
        .max_workers(2.try_into()?)
        .max_tasks_per_child(1000.try_into()?)
        .on_death(OnDeath::Replace { limit: 3 })
        .initializer(load_table, 100)
        .build()?;
    // ANCHOR_END: build

    // ANCHOR: submit
    let future = pool.submit(square, 7);
    println!("seven times seven is {}", future.result()?);
    println!("and in the table it is {}", pool.submit(look_up, 7).result()?);
    // ANCHOR_END: submit

    // ANCHOR: as_completed
    let naps = [300, 1].map(|milliseconds| pool.submit(nap, milliseconds));
    for future in as_completed(naps) {
        println!("slept for {} ms", future.result()?);
    }
    // ANCHOR_END: as_completed

    // ANCHOR: stream
    let stream = MapOptions { buffersize: Some(8.try_into()?), ..MapOptions::default() };
    let sum: u64 = pool.map_with(square, 1..=100, stream).sum::<Result<u64, _>>()?;
    println!("the squares up to a hundred make {sum}");
    // ANCHOR_END: stream

    // ANCHOR: death
    match pool.submit(fall, 3).result() {
        Ok(_) => println!("it came back"),
        Err(error) => println!("{error}"),
    }
    println!("and the pool goes on: {}", pool.submit(square, 8).result()?);
    // ANCHOR_END: death

    // ANCHOR: timeout
    let endless = pool.submit(nap, 3_600_000);
    match endless.result_or_kill(Duration::from_millis(50)) {
        Ok(_) => println!("an hour is over"),
        Err(error) => println!("{error}"),
    }
    // ANCHOR_END: timeout

    // ANCHOR: wait
    let futures: Vec<_> = (0..10).map(|n| pool.submit(square, n)).collect();
    let all = wait(futures, None, ReturnWhen::AllCompleted);
    println!("{} done, {} not", all.done.len(), all.not_done.len());
    // ANCHOR_END: wait

    // ANCHOR: shutdown
    pool.shutdown(true, false); // runs what is queued, and waits
    // ANCHOR_END: shutdown
    Ok(())
}
