//! The check of exercise 2: it uses no clock, only items that wait for each other.

use crate::map;
use checks::{Checks, Meeting, same_answers};
use std::collections::HashSet;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

/// Checks `map`, from the plain properties to the subtle ones.
pub fn run() -> ExitCode {
    let file = "lessons/02-threads/exercise/exercise.rs";
    let mut checks = Checks::of(2, "the shared counter", file);
    checks.that("the answers are right, and in the order of the items", || {
        for workers in [2, 1, 3, 8] {
            for count in [7, 2, 1, 0, 100] {
                let items: Vec<usize> = (0..count).collect();
                let wanted: Vec<usize> = items.iter().map(|n| n * 10).collect();
                let what = format!("{count} items, each times ten, on {workers} workers");
                same_answers(&what, &map(|n| n * 10, &items, workers), &wanted)?;
            }
        }
        Ok(())
    });
    checks.that("each item is run once", || {
        let runs: Vec<AtomicUsize> = (0..1000).map(|_| AtomicUsize::new(0)).collect();
        map(|run: &AtomicUsize| run.fetch_add(1, Relaxed), &runs, 4);
        for (index, run) in runs.iter().enumerate() {
            let times = run.load(Relaxed);
            if times != 1 {
                return Err(format!("Item {} of 1000 was run {times} times.", index + 1));
            }
        }
        Ok(())
    });
    checks.that("two items are in progress at once on two workers", || meet(2));
    checks.that("five items are in progress at once on five workers", || meet(5));
    checks.that("there are no more threads than workers", || {
        let threads = Mutex::new(HashSet::new());
        let note = |_: &()| {
            let id = thread::current().id();
            threads.lock().expect("nobody panics here").insert(id);
        };
        map(note, &[(); 100], 3);
        let number = threads.into_inner().expect("nobody panics here").len();
        if number <= 3 {
            return Ok(());
        }
        Err(format!(
            "100 items on 3 workers were run by {number} threads. A worker runs\n\
             many items, one after the other: start no thread for each item."
        ))
    });
    checks.that("a free worker takes the next item", || {
        // Item 1 goes on when the seven others are done. The worker that runs item 1 is busy until
        // then, so the other worker has to run the seven others.
        let done = AtomicUsize::new(0);
        let by_then = AtomicUsize::new(0);
        let others = Meeting::of(2);
        let task = |&index: &usize| {
            if index == 0 {
                let met = others.attend();
                by_then.store(done.load(Relaxed), Relaxed);
                return met;
            }
            if done.fetch_add(1, Relaxed) == 6 {
                others.attend();
            }
            true
        };
        let met = map(task, &[0, 1, 2, 3, 4, 5, 6, 7], 2);
        if met == [true; 8] {
            return Ok(());
        }
        Err(format!(
            "Item 1 of 8 was long: it waited until the seven others were done.\n\
             With two workers, one worker runs item 1, and the other is free\n\
             for all the rest; after 5 seconds {} of the seven had been run.\n\
             Were the items assigned beforehand?",
            by_then.load(Relaxed)
        ))
    });
    checks.that("the answers stay in order when two workers take turns", || {
        // Items 1 and 2 wait for each other, then 3 and 4, then 5 and 6: so each of the two workers
        // runs one item of every couple, and no worker runs only neighbours.
        let couples = [const { Meeting::of(2) }; 3];
        let task = |&index: &usize| {
            couples[index / 2].attend();
            index + 1
        };
        let answers = map(task, &[0, 1, 2, 3, 4, 5], 2);
        same_answers("six items that answer with their number", &answers, &[1, 2, 3, 4, 5, 6])
    });
    checks.finish(
        "Your map is Threads::map_closure of lesson 2: one number is the\n\
         whole queue. Your answers kept the order of the items, although\n\
         the items ran in another order.",
    )
}

/// Maps as many items as workers; each item waits until all of them are in progress.
fn meet(workers: usize) -> Result<(), String> {
    let meeting = Meeting::of(workers);
    let items = vec![(); workers];
    map(|()| meeting.attend(), &items, workers);
    let most = meeting.most();
    if most >= workers {
        return Ok(());
    }
    Err(format!(
        "{workers} items wait for each other until all are in progress. In\n\
         5 seconds no more than {most} of them ever {}. A loop gives the\n\
         right answers too, but no speed-up: are all threads started\n\
         before the first thread is joined?",
        if most == 1 { "was" } else { "were" }
    ))
}
