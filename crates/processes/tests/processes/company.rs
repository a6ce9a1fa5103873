//! The pool in company: threads, signals, rayon, and what all workers inherit from one template.

use crate::raw::{self, ANSWER, Way};
use crate::{ForkServer, Pool, StartError, is_gone, pool_of, try_pool, until, works};
use kernel::{Bytes, Executor, Ran, TaskErrorKind};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::unistd::Pid;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use std::{fs, os::fd::AsRawFd, process, thread};

fn same<T>(value: T) -> T {
    value
}

/// Signals a thousand times a second, without `SA_RESTART`, to the program, to the fork server and
/// to the workers: every kind of system call is interrupted at some time.
pub fn a_thousand_signals_a_second() {
    static CAUGHT: AtomicU32 = AtomicU32::new(0);
    extern "C" fn count(_: i32) {
        CAUGHT.fetch_add(1, Relaxed);
    }
    /// Installs the handler in this process, and returns the process's id. (Workers do not inherit
    /// the program's handlers.)
    fn install(_: u8) -> u32 {
        let action = SigAction::new(SigHandler::Handler(count), SaFlags::empty(), SigSet::empty());
        // SAFETY: the handler adds to an atomic number, which a handler may.
        unsafe { sigaction(Signal::SIGUSR1, &action) }.unwrap();
        thread::sleep(Duration::from_millis(20)); // so that the other worker gets an item, too
        process::id()
    }
    install(0);
    let server = ForkServer::start().unwrap().pid();
    let (pool, done) = (pool_of(2), AtomicBool::new(false));
    let mut installed = BTreeSet::new();
    while installed.len() < 2 {
        installed.extend(pool.map(install, vec![0; 4]).unwrap());
    }
    let mut all = pool.worker_pids();
    all.extend([server, process::id()]);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                for &pid in &all {
                    kill(Pid::from_raw(pid as i32), Signal::SIGUSR1).unwrap();
                }
                thread::sleep(Duration::from_millis(1));
            }
        });
        while CAUGHT.load(Relaxed) < 300 {
            let items: Vec<Bytes> = (0..20).map(|n| Bytes::from(vec![n; 300_000])).collect();
            assert!(pool.map(same, items.clone()).unwrap() == items);
            drop(pool_of(1));
        }
        done.store(true, Relaxed);
    });
    let caught = pool.map(|_: u8| CAUGHT.load(Relaxed), vec![0; 2]).unwrap();
    assert!(caught.iter().all(|&caught| caught > 10), "the workers caught {caught:?}");
}

fn sum_of_squares(n: u64) -> u64 {
    (0..n).into_par_iter().map(|n| n * n).sum()
}

/// Rayon's threads in the program, and then rayon in a task: the worker has none of the program's
/// threads, and rayon there does not expect any, because the template is older than these threads.
pub fn rayon_in_the_program_and_in_a_task() {
    let expected: u64 = (0..1_000).map(|n| n * n).sum();
    assert_eq!(sum_of_squares(1_000), expected);
    let pool = pool_of(2);
    assert_eq!(pool.map(sum_of_squares, vec![1_000; 20]).unwrap(), [expected; 20]);
    // The map also works from one of rayon's threads.
    let (answers, sum) = rayon::join(|| pool.map(sum_of_squares, vec![10]), || sum_of_squares(10));
    assert_eq!(answers.unwrap(), [sum]);
}

/// Rayon first and the fork server later is refused.
pub fn rayon_before_the_fork_server() {
    assert_eq!(sum_of_squares(3), 5);
    let error = try_pool(1).unwrap_err();
    assert!(matches!(error, StartError::Threads(2..)), "{error:?}");
}

/// The hash of one number in a hash map of this process: two processes get the same hash only if
/// they have the same seed.
fn random(_: u8) -> (u32, u64) {
    (process::id(), RandomState::new().hash_one(1))
}

fn seeds_of_six_workers() -> BTreeSet<u64> {
    let mut seen = BTreeSet::new();
    for _ in 0..6 {
        let (_, seed) = pool_of(1).map(random, vec![0]).unwrap()[0]; // its first seed, each time
        seen.insert(seed);
    }
    seen
}

/// Each worker draws a seed of its own.
pub fn workers_have_seeds_of_their_own() {
    assert_eq!(seeds_of_six_workers().len(), 6);
}

/// The standard library draws a thread's seed once, and counts on from it. A seed that is drawn
/// before the start is in every worker, as the documentation of `ForkServer` says. If this test
/// fails, that paragraph can be removed.
pub fn a_seed_from_before_the_start_is_shared() {
    let _ = RandomState::new();
    assert_eq!(seeds_of_six_workers().len(), 1);
}

/// A worker dies when it has received only a part of its argument. The dead worker cannot have
/// begun the item, so another worker runs it.
pub fn killed_while_ten_megabytes_are_on_their_way() {
    /// How many bytes wait in the sockets of this process for their readers.
    fn waiting() -> i32 {
        let numbers = fs::read_dir("/proc/self/fd").unwrap().flatten();
        let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let count = |number: i32| {
            let mut bytes = 0;
            // SAFETY: the call writes one number, and is an error for a descriptor that is no
            // socket or terminal.
            let done = unsafe { libc::ioctl(number, libc::TIOCOUTQ, &mut bytes) };
            if done == 0 { bytes } else { 0 }
        };
        numbers.map(count).sum()
    }
    let pool = pool_of(1);
    assert!(std::io::stdin().as_raw_fd() == 0 && waiting() < 50_000);
    for _ in 0..3 {
        let worker = pool.worker_pids()[0];
        // The stopped worker reads no more, so the ten megabytes stay on their way to it.
        kill(Pid::from_raw(worker as i32), Signal::SIGSTOP).unwrap();
        let item = Bytes::from((0..10_000_000).map(|n| n as u8).collect::<Vec<_>>());
        thread::scope(|scope| {
            scope.spawn(|| {
                until(|| (waiting() > 50_000).then_some(()));
                kill(Pid::from_raw(worker as i32), Signal::SIGKILL).unwrap();
            });
            assert!(pool.map(same, vec![item.clone()]).unwrap() == [item]);
        });
        assert!(is_gone(worker));
        works(&pool);
    }
}

/// A pool in a static: with the fork server started first, a task that touches the pool gets an
/// error, and does not wait for ever.
pub fn a_pool_in_a_lazy_static() {
    static POOL: LazyLock<Pool> = LazyLock::new(|| pool_of(2));
    ForkServer::start().unwrap();
    assert_eq!(POOL.map(same, vec![1, 2]).unwrap(), [1, 2]);
    let error = POOL.map(|n: u64| POOL.map(same, vec![n]).unwrap(), vec![1]).unwrap_err();
    assert!(matches!(error.kind(), TaskErrorKind::Panicked(_)), "{error}");
    assert!(error.to_string().contains("InWorker"), "{error}");
    works(&*POOL);
}

/// Workers ignore Ctrl-C, and programs that tasks start handle it as usual.
pub fn ctrl_c_in_a_program_that_a_task_starts() {
    let interrupted = |_: u8| {
        let status = Command::new("sh").args(["-c", "kill -INT $$; exit 5"]).status().unwrap();
        status.signal()
    };
    assert_eq!(pool_of(1).map(interrupted, vec![0]).unwrap(), [Some(libc::SIGINT)]);
}

/// The place of a panic that a task has caught by itself is not reported for a later task's panic.
pub fn the_place_of_a_panic_is_its_own() {
    fn task(first: bool) {
        if first {
            assert!(std::panic::catch_unwind(|| panic!("caught")).is_err());
        } else {
            std::panic::resume_unwind(Box::new("from nowhere"));
        }
    }
    let mut answers = pool_of(1).map_each(task, vec![true, false]);
    let error = answers.remove(1).unwrap_err();
    let TaskErrorKind::Panicked(panic) = error.kind() else { panic!("{error}") };
    assert_eq!((panic.message.as_str(), &panic.location), ("from nowhere", &None));
}

/// A worker answers the next call before that call has come, with a header but no whole body, and
/// dies. The buffer of the next call has been used for that answer, so the call cannot be sent
/// again. The call must still end.
pub fn a_false_answer_to_the_next_call() {
    fn lie(file: PathBuf) -> u64 {
        let mut bytes = raw::answer(&7u64, 0);
        bytes.extend(raw::header(1 << 20, ANSWER, 1));
        bytes.extend([0; 1000]);
        raw::write(&bytes);
        until(|| file.exists().then_some(()));
        Way::Sigkill.go()
    }
    let folder = tempfile::tempdir().unwrap();
    let pool = pool_of(1);
    assert_eq!(pool.map(lie, vec![folder.path().join("die")]).unwrap(), [7]);
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(100));
            fs::write(folder.path().join("die"), "").unwrap();
        });
        // The item is large, so that its buffer is reused, and it is sent whole although no worker
        // reads it yet.
        let item = Bytes::from(vec![0; 100_000]);
        if let Err(error) = pool.map(same, vec![item]) {
            assert_eq!(error.ran(), Ran::Unknown, "{error}");
        }
    });
    works(&pool);
}
