//! The check of exercise 5: which item starts when, and in which place its answer stands.

use crate::map_longest_first;
use checks::{Checks, Meeting, same, same_answers};
use kernel::{Executor, Pair, TaskError, gcd, steps, ten_pairs};
use schedule::{Policy, speedup};
use serial::Serial;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use thread_pool::ThreadPool;
use threads::Threads;
use work_stealing::WorkStealing;

/// The pairs in the order in which they were started.
static STARTED: Mutex<Vec<Pair>> = Mutex::new(Vec::new());

/// Checks `map_longest_first`, on one worker, on two, and on three kinds of pool.
pub fn run() -> ExitCode {
    let file = "lessons/05-work-stealing/exercise/exercise.rs";
    let mut checks = Checks::of(5, "longest first", file);
    checks.that("the answers are in the order of the items", || {
        same_answers("the ten pairs", &of(&Serial, ten_pairs())?, &ANSWERS)?;
        same_answers("no item at all", &of(&Serial, Vec::new())?, &[])?;
        let equal = map_longest_first(&Serial, |n: u64| n, vec![3, 1, 2], |_| 7);
        same_answers("three items of equal cost", &told(equal)?, &[3, 1, 2])
    });
    checks.that("on one worker the items run from the longest to the shortest", || {
        let costs: Vec<u64> = started_on(&Serial)?.into_iter().map(steps).collect();
        let mut wanted = costs.clone();
        wanted.sort_by(|a, b| b.cmp(a));
        same_answers("the steps of the items, in the order of their start", &costs, &wanted)
    });
    checks.that("on two workers item 8 or 9 starts first", || {
        let first = started_on(&Threads::new(workers(2)))?.first().copied();
        let item = 1 + ten_pairs().iter().position(|&pair| Some(pair) == first).unwrap_or(0);
        if item == 8 || item == 9 { Ok(()) } else { same("the first item", &item, &8) }
    });
    checks.that("two items are in progress at once on a pool of two workers", || {
        static MEETING: Meeting = Meeting::of(2);
        fn meet(_: u64) {
            MEETING.attend();
        }
        told(map_longest_first(&Threads::new(workers(2)), meet, vec![1, 2], |&n| n))?;
        if MEETING.most() == 2 {
            return Ok(());
        }
        Err("Two items wait for each other, and in 5 seconds only one item was\n\
             ever started, though the pool has two workers. Let pool.map run\n\
             the items."
            .to_owned())
    });
    checks.that("the answers are right on a thread pool and on rayon, too", || {
        let pool = ThreadPool::new(workers(3));
        same_answers("the thread pool", &of(&pool, ten_pairs())?, &ANSWERS)?;
        let rayon = WorkStealing::with_max_len(workers(2), NonZeroUsize::MIN);
        let rayon = rayon.map_err(|error| format!("rayon does not start: {error}"))?;
        same_answers("rayon", &of(&rayon, ten_pairs())?, &ANSWERS)
    });
    checks.finish(&closing())
}

const ANSWERS: [u64; 10] = [1, 1, 5, 1, 32, 1, 14, 9, 1, 9];

/// The gcds of these pairs, through the reader's function.
fn of(pool: &impl Executor, pairs: Vec<Pair>) -> Result<Vec<u64>, String> {
    told(map_longest_first(pool, gcd, pairs, |&pair| steps(pair)))
}

/// The ten pairs in the order in which the reader's function starts them on this pool.
fn started_on(pool: &impl Executor) -> Result<Vec<Pair>, String> {
    fn note(pair: Pair) {
        STARTED.lock().unwrap_or_else(PoisonError::into_inner).push(pair);
    }
    STARTED.lock().unwrap_or_else(PoisonError::into_inner).clear();
    told(map_longest_first(pool, note, ten_pairs(), |&pair| steps(pair)))?;
    let started = STARTED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    same("how many items were started", &started.len(), &10)?;
    Ok(started)
}

fn told<R>(answers: Result<Vec<R>, TaskError>) -> Result<Vec<R>, String> {
    answers.map_err(|error| format!("map_longest_first gave an error: {error}"))
}

fn workers(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

/// The gain of the order, by arithmetic.
fn closing() -> String {
    let costs: Vec<u64> = ten_pairs().into_iter().map(steps).collect();
    let gain = |policy, number| speedup(policy, &costs, workers(number));
    format!(
        "Predicted for the ten pairs: on 2 workers longest first gains\n\
         {:.2}x and a plain queue {:.2}x; on 6 workers {:.2}x and {:.2}x.\n\
         Longest first needs the costs beforehand. Rayon gains less: it\n\
         halves your sorted list, and the second worker starts in the\n\
         middle of the list.",
        gain(Policy::LongestFirst, 2),
        gain(Policy::Queue, 2),
        gain(Policy::LongestFirst, 6),
        gain(Policy::Queue, 6),
    )
}
