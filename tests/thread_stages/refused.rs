//! The system refuses a thread.
//!
//! The limit of threads does not bind the superuser, so the address space is limited instead: there
//! is room for three large stacks, and for no fourth. The limit holds for the case's own process.

use super::{Test, different, this_thread, workers};
use kernel::Executor;
use one_change_tests::own_process::Expect;
use one_change_tests::{Split, Threads};
use std::thread;

/// The stack of a thread in these cases, in bytes.
#[cfg(target_os = "linux")]
const LARGE: usize = 64 << 20;

/// A stack for which no system has the addresses.
const IMPOSSIBLE: usize = 1 << 56;

const SPLITS: [Split; 3] = [Split::Queue, Split::CeilChunks, Split::BalancedChunks];

pub fn tests() -> Vec<Test> {
    vec![
        #[cfg(target_os = "linux")]
        ("threads::map_goes_on", Expect::Pass, limited::threads_map_goes_on),
        #[cfg(target_os = "linux")]
        ("threads::map_closure_goes_on", Expect::Pass, limited::threads_map_closure_goes_on),
        #[cfg(target_os = "linux")]
        ("thread-pool::it_goes_on", Expect::Pass, limited::the_thread_pool_goes_on),
        #[cfg(target_os = "linux")]
        ("rayon::it_is_an_error", Expect::Pass, limited::rayon_is_an_error),
        ("threads::the_caller_works_if_no_thread_starts", Expect::Pass, no_thread_starts),
        ("threads::no_more_threads_than_items", Expect::Pass, no_more_threads_than_items),
    ]
}

#[cfg(target_os = "linux")]
mod limited {
    use super::*;
    use nix::sys::resource::{Resource, setrlimit};
    use one_change_tests::{ThreadPool, WorkStealing};
    use std::fs;
    use std::time::{Duration, Instant};

    /// Leaves room for three large stacks, and for half a stack of other memory.
    fn limit() {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
        let kib: u64 = size.trim().trim_end_matches(" kB").parse().unwrap();
        let most = kib * 1024 + LARGE as u64 * 7 / 2;
        setrlimit(Resource::RLIMIT_AS, most, most).unwrap();
    }

    /// Waits until this process has one thread: threads that are gone take a moment to go.
    fn assert_alone() {
        let start = Instant::now();
        while fs::read_dir("/proc/self/task").unwrap().count() > 1 {
            assert!(start.elapsed() < Duration::from_secs(30), "a thread has stayed");
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn double(n: u64) -> (u64, String) {
        (2 * n, this_thread())
    }

    /// Asserts that all answers are there, and that the limit was met: there were three threads at
    /// most, and the caller's. Returns how many of these ran items.
    fn assert_doubles(answers: Vec<(u64, String)>) -> usize {
        let (doubles, threads): (Vec<u64>, Vec<String>) = answers.into_iter().unzip();
        assert_eq!(doubles, (0..1000).map(|n| 2 * n).collect::<Vec<_>>());
        let ran = different(threads);
        assert!(ran <= 4, "{ran} threads");
        ran
    }

    pub fn threads_map_goes_on() {
        limit();
        for split in SPLITS {
            let threads = Threads::with_split(workers(1024), split).with_stack_size(LARGE);
            let ran = assert_doubles(threads.map(double, (0..1000).collect()).unwrap());
            // A queue may be empty before a second thread comes, but a chunk waits for its thread.
            assert!(split == Split::Queue || ran >= 2, "no thread started");
            assert_alone();
        }
    }

    pub fn threads_map_closure_goes_on() {
        limit();
        let threads = Threads::new(workers(1024)).with_stack_size(LARGE);
        let items: Vec<u64> = (0..1000).collect();
        assert_doubles(threads.map_closure(|&n| double(n), &items));
    }

    pub fn the_thread_pool_goes_on() {
        limit();
        let pool = ThreadPool::with_stack_size(workers(1024), LARGE);
        assert!(pool.workers() <= workers(3), "{} workers", pool.workers());
        let there = fs::read_dir("/proc/self/task").unwrap().count();
        assert_eq!(there, pool.workers().get() + 1);
        for _ in 0..10 {
            assert_doubles(pool.map(double, (0..1000).collect()).unwrap());
        }
        drop(pool);
        assert_alone();
    }

    pub fn rayon_is_an_error() {
        limit();
        assert!(WorkStealing::with_stack_size(workers(1024), workers(1), LARGE).is_err());
        assert_alone();
        let small = WorkStealing::new(workers(2)).unwrap();
        assert_eq!(small.map(|n: u64| n + 1, vec![1, 2]).unwrap(), [2, 3]);
    }
}

fn no_thread_starts() {
    for split in SPLITS {
        let threads = Threads::with_split(workers(3), split).with_stack_size(IMPOSSIBLE);
        let answers = threads.map(|()| this_thread(), vec![(); 10]).unwrap();
        assert_eq!(answers, vec![this_thread(); 10]);
        assert_eq!(threads.map_closure(|()| this_thread(), &[(); 10]), answers);
    }
}

/// Rust numbers the threads of a process as they are made, so two numbers tell how many were made
/// between them.
fn next_number() -> u64 {
    let id = thread::spawn(this_thread).join().unwrap();
    id.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

fn no_more_threads_than_items() {
    for split in SPLITS {
        let threads = Threads::with_split(workers(1000), split);
        for items in [0, 1, 7] {
            let before = next_number();
            assert_eq!(
                threads.map(|n: u64| n, (0..items).collect()).unwrap().len(),
                items as usize
            );
            assert_eq!(next_number() - before - 1, items, "{split:?}");
            let before = next_number();
            threads.map_closure(|_| (), &vec![(); items as usize]);
            assert_eq!(next_number() - before - 1, items, "a closure");
        }
    }
    // Nine workers, ten items, rounded up: five chunks of two.
    let before = next_number();
    let chunks = Threads::with_split(workers(9), Split::CeilChunks);
    assert_eq!(chunks.map(|n: u64| n, (0..10).collect()).unwrap().len(), 10);
    assert_eq!(next_number() - before - 1, 5);
}
