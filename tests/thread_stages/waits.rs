//! Every worker of a pool waits for a map that needs a worker.
//!
//! A case that waits for ever is ended by the harness's limit; no case looks at a clock.

use super::{Test, this_thread, workers};
use kernel::Executor;
use one_change_tests::ThreadPool;
use one_change_tests::meeting::{Guest, WHERE_THEY_MUST_MEET, WHERE_THEY_MUST_NOT, guests, meet};
use one_change_tests::own_process::Expect;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

/// The cases of one kind of pool, which has no closure here: two pools, `A` and `B`, and tasks that
/// map over them.
macro_rules! waits {
    ($module:ident, $pool:ty, $make:expr) => {
        mod $module {
            use super::super::workers;
            use kernel::Executor;
            use std::sync::OnceLock;
            use std::thread;

            static A: OnceLock<$pool> = OnceLock::new();
            static B: OnceLock<$pool> = OnceLock::new();

            fn over_a(n: u64) -> u64 {
                A.get().unwrap().map(|n: u64| n + 1, vec![n, n, n]).unwrap().iter().sum()
            }

            fn over_b(n: u64) -> u64 {
                B.get().unwrap().map(over_a, vec![n, n, n]).unwrap().iter().sum()
            }

            fn over_a_in_a_thread(n: u64) -> u64 {
                thread::scope(|scope| scope.spawn(|| over_a(n)).join().unwrap())
            }

            /// Maps over `A`, and asserts that each item has this many times its number as answer.
            fn run<const WORKERS: usize>(task: fn(u64) -> u64, times: u64) {
                for pool in [&A, &B] {
                    pool.set(($make)(workers(WORKERS))).unwrap();
                }
                let answers = A.get().unwrap().map(task, (0..20).collect()).unwrap();
                assert_eq!(answers, (1..=20).map(|n| times * n).collect::<Vec<_>>());
            }

            pub fn own_pool<const WORKERS: usize>() {
                run::<WORKERS>(over_a, 3);
            }

            pub fn through_another_pool<const WORKERS: usize>() {
                run::<WORKERS>(over_b, 9);
            }

            pub fn through_a_thread<const WORKERS: usize>() {
                run::<WORKERS>(over_a_in_a_thread, 3);
            }
        }
    };
}

waits!(threads, one_change_tests::Threads, one_change_tests::Threads::new);
waits!(thread_pool, one_change_tests::ThreadPool, one_change_tests::ThreadPool::new);
waits!(rayon, one_change_tests::WorkStealing, |workers| {
    one_change_tests::WorkStealing::new(workers).unwrap()
});

/// The tests of one kind of pool, with one worker and with two.
macro_rules! tests {
    ($label:literal, $module:ident: $($test:ident)*) => { vec![$(
        (
            concat!($label, "::a_task_waits::", stringify!($test), "::one_worker"),
            Expect::Pass,
            $module::$test::<1> as fn(),
        ),
        (
            concat!($label, "::a_task_waits::", stringify!($test), "::two_workers"),
            Expect::Pass,
            $module::$test::<2> as fn(),
        ),
    )*] };
}

pub fn tests() -> Vec<Test> {
    let mut all = tests!("threads", threads: own_pool through_another_pool through_a_thread);
    all.extend(tests!("thread-pool", thread_pool: own_pool through_another_pool through_a_thread));
    all.extend(tests!("rayon", rayon: own_pool through_another_pool));
    // Rayon does not see a wait for a plain thread. The crate's documentation names this limit.
    let lacking = "rayon::a_task_waits::through_a_thread::lacking";
    all.push((lacking, Expect::Fail, rayon::through_a_thread::<1>));
    all.push(("thread-pool::a_caller_that_helps", Expect::Pass, a_caller_that_helps));
    all
}

/// Both workers wait for an item of the second map, which only the caller's thread can run. Then
/// they join in, and the second map is as wide as the pool: two of its items meet, and three do
/// not.
fn a_caller_that_helps() {
    static WAITING: AtomicUsize = AtomicUsize::new(0);
    fn wait((): ()) {
        WAITING.fetch_add(1, SeqCst);
        while WAITING.load(SeqCst) < 3 {
            thread::sleep(Duration::from_millis(1));
        }
    }
    /// Ends the waiting on the caller's thread; afterwards, whether this guest met the others.
    fn release_or_meet(guest: Option<Guest>) -> (String, bool) {
        let met = guest.map(meet);
        if met.is_none() {
            WAITING.fetch_add(1, SeqCst);
        }
        (this_thread(), met.unwrap_or(false))
    }
    let pool = ThreadPool::new(workers(2));
    for (wanted, patience) in [(2, WHERE_THEY_MUST_MEET), (3, WHERE_THEY_MUST_NOT)] {
        WAITING.store(0, SeqCst);
        let folder = tempfile::tempdir().unwrap();
        let guests = guests(folder.path(), wanted, patience).into_iter();
        thread::scope(|scope| {
            scope.spawn(|| pool.map(wait, vec![(), ()]).unwrap());
            while WAITING.load(SeqCst) < 2 {
                thread::sleep(Duration::from_millis(1));
            }
            let items = [None].into_iter().chain(guests.map(Some)).collect();
            let answers = pool.map(release_or_meet, items).unwrap();
            assert_eq!(answers[0].0, this_thread());
            assert!(answers[1..].iter().all(|(_, met)| *met == (wanted == 2)), "{answers:?}");
        });
    }
}
