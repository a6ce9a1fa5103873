//! Workers that die, in every way and at every moment; and tasks that panic, which is no death.

use crate::{is_gone, pool_of, until, works};
use kernel::{Death, Executor, Ran, RemotePanic, TaskError, TaskErrorKind};
use nix::sys::signal::{Signal::SIGKILL, kill};
use nix::unistd::{ForkResult, Pid, fork, getpid};
use processes::ProcessPool;
use std::num::NonZeroUsize;
use std::panic::panic_any;
use std::path::PathBuf;
use std::time::Duration;
use std::{fs, hint, process, ptr, thread};

fn double(n: u64) -> u64 {
    2 * n
}

fn kill_it(pid: u32) {
    kill(Pid::from_raw(pid as i32), SIGKILL).unwrap();
}

fn the_death<R: std::fmt::Debug>(answer: Result<R, TaskError>) -> Death {
    let error = answer.unwrap_err();
    assert_eq!(error.ran(), Ran::Unknown, "{error}");
    let TaskErrorKind::WorkerDied(death) = error.kind() else { panic!("{error}") };
    death.clone()
}

/// Ten items, of which the eighth waits to be killed: nine answers, one error.
pub fn killed_while_it_ran_an_item() {
    fn report_and_wait(file: Option<PathBuf>) -> u32 {
        if let Some(file) = file {
            let (half, whole) = (file.with_extension("half"), file);
            fs::write(&half, process::id().to_string()).unwrap();
            fs::rename(half, whole).unwrap();
            thread::sleep(Duration::from_secs(1000));
        }
        process::id()
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("worker");
    let pool = pool_of(2);
    let before = pool.worker_pids();
    let items = (0..10).map(|item| (item == 7).then(|| file.clone())).collect();
    let (answers, killed) = thread::scope(|scope| {
        let killer = scope.spawn(|| {
            let pid: u32 = until(|| fs::read_to_string(&file).ok()).parse().unwrap();
            kill_it(pid);
            pid
        });
        let answers = pool.map_each(report_and_wait, items);
        (answers, killer.join().unwrap())
    });
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 9);
    let error = answers.into_iter().nth(7).unwrap().unwrap_err();
    let at = before.iter().position(|&pid| pid == killed).expect("a worker's");
    let letter = kernel::worker_name(at);
    assert_eq!(
        error.to_string(),
        format!(
            "item 8: worker {letter} (pid {killed}) was killed by SIGKILL while it ran this item; \
             did the item run? unknown"
        )
    );
    assert_eq!((error.index(), error.ran()), (7, Ran::Unknown));
    // A new worker has the dead worker's letter; the other worker is the same as before.
    let after = pool.worker_pids();
    assert_eq!(after.len(), 2);
    assert_ne!(after[at], before[at]);
    assert_eq!(after[1 - at], before[1 - at]);
    works(&pool);
}

/// The death of an idle worker costs no item.
pub fn killed_while_idle() {
    let pool = pool_of(2);
    for round in 0..50 {
        works(&pool);
        let worker = pool.worker_pids()[round % 2];
        kill_it(worker);
        if round % 3 == 0 {
            until(|| is_gone(worker).then_some(()));
        } // else the map begins while the worker still dies
    }
    works(&pool);
}

pub fn all_killed_while_idle() {
    let pool = pool_of(4);
    works(&pool);
    for _ in 0..5 {
        pool.worker_pids().into_iter().for_each(kill_it);
        works(&pool);
    }
}

pub fn killed_before_any_answer() {
    let pool = pool_of(1);
    kill_it(pool.worker_pids()[0]);
    works(&pool);
    let pool = pool_of(1);
    let mut answers = pool.map_each(go, vec!["abort".to_owned(), String::new()]).into_iter();
    the_death(answers.next().unwrap());
    answers.next().unwrap().unwrap();
}

/// Really ends the process in the way that `how` says.
fn go(how: String) {
    match how.as_str() {
        "exit(0)" => process::exit(0),
        "exit(3)" => process::exit(3),
        "abort" => process::abort(),
        "an invalid write" => {
            // SAFETY: none. The write is invalid on purpose: the process ends here, by the
            // hardware's signal. (Rust's handler would return from a signal that is sent.)
            unsafe { ptr::write_volatile(hint::black_box(8 as *mut u8), 1) }
        }
        "a real-time signal" => {
            // SAFETY: the signal's default action ends this process, as intended.
            unsafe { libc::raise(libc::SIGRTMIN()) };
        }
        _ => {}
    }
}

/// Sixty deadly items, then a thousand good ones: all good ones are answered, if the program says
/// that no number of deaths is too many; with the default limit, none is.
pub fn the_limit_of_deaths_is_a_choice() {
    fn deadly(n: u64) -> u64 {
        if n < 60 { process::abort() } else { n }
    }
    let answered = |pool: ProcessPool| {
        pool.map_each(deadly, (0..1060).collect()).iter().filter(|answer| answer.is_ok()).count()
    };
    let pool = || ProcessPool::new(NonZeroUsize::MIN).unwrap();
    assert_eq!(answered(pool().with_death_limit(usize::MAX)), 1000);
    assert_eq!(answered(pool()), 0);
    let pool = pool().with_death_limit(0);
    let errors = pool.map_each(deadly, vec![0, 100]).into_iter().map(Result::unwrap_err);
    let kinds: Vec<_> = errors.map(|error| error.kind().clone()).collect();
    assert!(matches!(kinds[..], [TaskErrorKind::WorkerDied(_), TaskErrorKind::Broken(_)]));
}

pub fn every_way_to_go() {
    let pool = pool_of(1);
    let died = |how: &str| {
        let mut answers = pool.map_each(go, vec![String::new(), how.to_owned(), String::new()]);
        answers.remove(0).unwrap();
        answers.remove(1).unwrap();
        the_death(answers.remove(0))
    };
    let exited = |how, wanted| {
        let worker = pool.worker_pids()[0];
        let Death::Exited { worker: 0, pid, status, why: None } = died(how) else {
            panic!("{how}")
        };
        assert_eq!((pid, status), (worker, wanted));
    };
    let killed = |how, wanted, wanted_name: &str| {
        let worker = pool.worker_pids()[0];
        let Death::Killed { worker: 0, pid, signal, name, why: None } = died(how) else {
            panic!("{how}")
        };
        assert_eq!((pid, signal, &*name), (worker, wanted, wanted_name));
    };
    exited("exit(0)", 0);
    exited("exit(3)", 3);
    killed("abort", libc::SIGABRT, "SIGABRT");
    killed("an invalid write", libc::SIGSEGV, "SIGSEGV");
    let number = libc::SIGRTMIN();
    killed("a real-time signal", number, &format!("signal {number}"));
}

/// The worker's child has a copy of the worker's socket, so no end of file comes while the child
/// lives.
pub fn a_grandchild_does_not_hide_a_death() {
    fn fork_and_die(file: PathBuf) {
        // SAFETY: a worker has one thread.
        match unsafe { fork() }.unwrap() {
            ForkResult::Parent { .. } => process::abort(),
            ForkResult::Child => {
                until(|| file.exists().then_some(()));
                // SAFETY: ends this process.
                unsafe { libc::_exit(0) }
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("enough");
    let pool = pool_of(1);
    the_death(pool.map_each(fork_and_die, vec![file.clone()]).remove(0));
    works(&pool);
    fs::write(file, "").unwrap();
}

/// Deaths cost the items that kill their workers, and no others.
pub fn items_behind_a_dying_one_are_run() {
    fn deadly(n: u64) -> u64 {
        if n % 500 == 499 { process::abort() } else { n }
    }
    let pool = pool_of(2);
    for (n, answer) in (0..5_000).zip(pool.map_each(deadly, (0..5_000).collect())) {
        match answer {
            Ok(answer) => assert_eq!(answer, n),
            Err(_) => assert_eq!(n % 500, 499, "{answer:?}"),
        }
    }
}

pub fn too_many_in_a_row_break_the_pool() {
    let pool = pool_of(2);
    let answers = pool.map_each(|_: u64| -> u64 { process::abort() }, (0..200).collect());
    let died = |error: &TaskError| matches!(error.kind(), TaskErrorKind::WorkerDied(_));
    let broken = |error: &TaskError| matches!(error.kind(), TaskErrorKind::Broken(_));
    let errors: Vec<TaskError> = answers.into_iter().map(Result::unwrap_err).collect();
    let deaths = errors.iter().filter(|error| died(error)).count();
    assert!((2..50).contains(&deaths), "{deaths} deaths");
    for error in errors.iter().filter(|error| !died(error)) {
        assert!(broken(error) && error.ran() == Ran::No, "{error}");
        assert!(error.to_string().contains("SIGABRT"), "{error}");
    }
    assert!(broken(&pool.map(double, vec![1]).unwrap_err()));
}

/// Any number of deaths does not break the pool if there are answers between them.
pub fn answers_between_deaths_keep_the_pool() {
    let pool = pool_of(2);
    for round in 0..60 {
        let item = if round % 2 == 0 { "abort" } else { "" };
        let answer = pool.map_each(go, vec![item.to_owned()]).remove(0);
        assert_eq!(answer.is_err(), round % 2 == 0, "{answer:?}");
    }
}

pub fn the_next_pool_is_not_broken() {
    too_many_in_a_row_break_the_pool();
    works(&pool_of(2));
}

fn the_panic<R: std::fmt::Debug>(answer: Result<R, TaskError>) -> RemotePanic {
    let error = answer.unwrap_err();
    assert_eq!(error.ran(), Ran::Yes, "{error}");
    let TaskErrorKind::Panicked(panic) = error.kind() else { panic!("{error}") };
    panic.clone()
}

fn unlucky(n: u64) -> u64 {
    assert_ne!(n, 13, "no luck with {n}");
    n
}

pub fn a_panic_has_message_and_place() {
    let pool = pool_of(2);
    let workers = pool.worker_pids();
    let mut answers = pool.map_each(unlucky, vec![1, 13, 2]);
    let panic = the_panic(answers.remove(1));
    assert!(panic.message.contains("no luck with 13"), "{panic}");
    assert!(panic.location.as_ref().unwrap().contains("processes/deaths.rs:"), "{panic}");
    assert_eq!(panic.backtrace, None, "nobody asked for one");
    assert!(answers.into_iter().all(|answer| answer.is_ok()));
    assert_eq!(pool.worker_pids(), workers, "a panic is no death");
}

pub fn a_backtrace_comes_if_it_is_asked_for() {
    // SAFETY: this process has one thread.
    unsafe { std::env::set_var("RUST_BACKTRACE", "1") };
    let panic = the_panic(pool_of(1).map_each(unlucky, vec![13]).remove(0));
    assert!(panic.backtrace.unwrap().contains("unlucky"), "the task is in it");
}

pub fn a_panic_with_no_text_and_a_panic_in_its_drop() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("and again");
        }
    }
    let pool = pool_of(1);
    let workers = pool.worker_pids();
    let number = |_: u8| panic_any(7);
    let panic = the_panic::<Vec<()>>(pool.map(number, vec![0]));
    assert!(panic.message.contains("not text"), "{panic}");
    let panic = the_panic::<Vec<()>>(pool.map(|_: u8| panic_any(Bomb), vec![0]));
    assert!(panic.message.contains("not text"), "{panic}");
    assert_eq!((pool.worker_pids(), getpid().as_raw() > 0), (workers, true));
    works(&pool);
}
