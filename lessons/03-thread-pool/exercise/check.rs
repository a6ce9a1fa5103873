//! The check of exercise 3. Code that may hang runs on a thread that can be left behind.

use crate::map;
use checks::{Checks, Meeting, panic_on_purpose, same_answers};
use kernel::{Pair, gcd, ten_pairs};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;
use threadpool::ThreadPool;

/// The time limit: long for ten jobs of a few milliseconds, short for a person who waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many jobs have run to their end in the current sentence of the check.
static ENDED: AtomicUsize = AtomicUsize::new(0);

/// Checks whether `map` comes back, and with which answers.
pub fn run() -> ExitCode {
    let file = "lessons/03-thread-pool/exercise/exercise.rs";
    let mut checks = Checks::of(3, "the map that never comes back", file);
    checks.that_within(
        PATIENCE,
        "map comes back, with the answers in the order of the items",
        || {
            let answers = map(&ThreadPool::new(2), counted_gcd, ten_pairs());
            let wanted = [1, 1, 5, 1, 32, 1, 14, 9, 1, 9].map(Some);
            same_answers("the ten pairs", &answers, &wanted)
        },
        || match ENDED.load(Relaxed) {
            10 => "map hangs. All 10 jobs have ended and sent their answers, and map\n\
                   still waits. A receiver waits as long as a sender exists that\n\
                   could still send. The jobs are gone, and their senders with\n\
                   them: which sender is left?"
                .to_owned(),
            ended => format!(
                "map hangs. In 5 seconds {ended} of 10 jobs came to their end: do the\n\
                 jobs wait for something, or were they never started?"
            ),
        },
    );
    ENDED.store(0, Relaxed);
    checks.that_within(
        PATIENCE,
        "a job that panics leaves None in its place, and map comes back",
        || {
            let answers = map(&ThreadPool::new(2), unlucky_three, vec![1, 2, 3, 4, 5]);
            let wanted = [Some(10), Some(20), None, Some(40), Some(50)];
            same_answers("five items, of which item 3 panics", &answers, &wanted)
        },
        || {
            format!(
                "map hangs. Item 3 of 5 panicked, so {} answers came, and map waits\n\
                 for an answer that no job will send. Do not count answers: wait\n\
                 until no sender is left.",
                ENDED.load(Relaxed)
            )
        },
    );
    checks.that("a slow answer is waited for", || {
        let answers = map(&ThreadPool::new(2), slow_two, vec![1, 2, 3]);
        same_answers("three items, of which item 2 takes a second", &answers, &[1, 2, 3].map(Some))
    });
    checks.that("two jobs are in progress at once", || {
        static MEETING: Meeting = Meeting::of(2);
        fn meet((): ()) {
            MEETING.attend();
        }
        map(&ThreadPool::new(2), meet, vec![(), ()]);
        if MEETING.most() == 2 {
            return Ok(());
        }
        Err("Two jobs wait for each other, and in 5 seconds only one job was\n\
             ever started. Hand out all jobs before you wait for the first\n\
             answer."
            .to_owned())
    });
    checks.that("the pool can be used again", || {
        let pool = ThreadPool::new(2);
        for _ in 0..100 {
            same_answers(
                "three items",
                &map(&pool, |n: u8| n, vec![1, 2, 3]),
                &[1, 2, 3].map(Some),
            )?;
        }
        Ok(())
    });
    checks.finish(
        "A channel ends when its last sender is gone, and not before. A\n\
         loop that counts answers instead hangs at the first panic.",
    )
}

fn counted_gcd(pair: Pair) -> u64 {
    let answer = gcd(pair);
    ENDED.fetch_add(1, Relaxed);
    answer
}

fn unlucky_three(item: u64) -> u64 {
    if item == 3 {
        panic_on_purpose();
    }
    ENDED.fetch_add(1, Relaxed);
    item * 10
}

fn slow_two(item: u64) -> u64 {
    if item == 2 {
        thread::sleep(Duration::from_secs(1));
    }
    item
}
