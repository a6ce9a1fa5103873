//! The end of workers, and of what they have started: on a drop with a limit, on a time limit, when
//! the program has the workers killed.

use super::{builder, death, is_gone, is_timed_out, pool, square, until};
use kernel::Death;
use one_change_tests::surroundings;
use process_futures::ProcessPoolExecutor;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SOON: Duration = Duration::from_millis(100);
const AN_HOUR: Duration = Duration::from_secs(3600);

/// Writes `reached` and then hangs.
fn hang(folder: PathBuf) {
    fs::write(folder.join("reached"), "").unwrap();
    super::sleep_for_ever(());
}

fn reached(folder: &Path) {
    until("the hang", || folder.join("reached").exists());
}

/// Without a limit, each of these drops would wait for ever.
pub fn a_drop_with_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = || folder.path().to_owned();
    // A task that hangs.
    let pool = builder(1).drop_timeout(SOON).build().unwrap();
    let future = pool.submit(hang, path());
    reached(&path());
    let worker = pool.worker_pids()[0];
    drop(pool);
    assert!(is_gone(worker));
    let result = future.result();
    assert!(matches!(death(&result), Death::Killed { signal: 9, .. }), "{result:?}");
    assert_eq!(death(&result).why(), Some("the program had the pool's workers killed"));

    // An initializer that hangs, with a call behind it and without one.
    for submits in [false, true] {
        fs::remove_file(folder.path().join("reached")).unwrap();
        let builder = builder(1).initializer(hang, path()).drop_timeout(SOON);
        let pool = builder.build().unwrap();
        let future = submits.then(|| pool.submit(square, 3));
        reached(&path());
        let worker = pool.worker_pids()[0];
        drop(pool);
        assert!(is_gone(worker));
        assert!(future.is_none_or(|future| future.result().is_err()));
    }
    drop(builder(2).drop_timeout(Duration::MAX).build().unwrap());
    drop(builder(2).drop_timeout(Duration::ZERO).build().unwrap());
}

/// A limit that is long enough changes nothing: the running call ends with its answer.
pub fn a_drop_within_its_limit() {
    fn soon(_: u8) -> u8 {
        std::thread::sleep(SOON);
        7
    }
    let pool = builder(1).drop_timeout(AN_HOUR).build().unwrap();
    let future = pool.submit(soon, 0);
    until("the start", || future.running());
    drop(pool);
    assert_eq!(future.result().unwrap(), 7);
}

/// Starts a program in the worker's process group, and returns its process id or hangs.
///
/// The program is a grandchild of the worker. The shell itself dies with the worker in any case
/// (`surroundings::program` asks the kernel for that), so the shell's death would say nothing about
/// the pool. The kernel forgets this wish at a fork.
fn start((file, hangs): (PathBuf, bool)) -> u32 {
    let mut shell = surroundings::program("sh");
    shell.args(["-c", "sleep 1000 >/dev/null 2>&1 & echo $!"]);
    let output = shell.output().unwrap();
    let pid: u32 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    fs::write(file.with_extension("half"), pid.to_string()).unwrap();
    fs::rename(file.with_extension("half"), &file).unwrap();
    if hangs {
        super::sleep_for_ever(());
    }
    pid
}

fn started(file: &Path) -> u32 {
    let mut pid = None;
    until("the program's start", || {
        pid = fs::read_to_string(file).ok().and_then(|text| text.parse().ok());
        pid.is_some()
    });
    pid.unwrap()
}

/// What a task has started is killed with its worker: on a time limit, by `kill_workers`, when a
/// worker retires, and at the pool's end.
pub fn programs_that_tasks_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let ends = |pid: u32| until("the program's end", || is_gone(pid));
    let one = pool(1);
    let late = one.submit(start, (file("late"), true)).result_or_kill(Duration::from_secs(1));
    assert!(is_timed_out(&late), "{late:?}");
    ends(started(&file("late")));

    let killed = one.submit(start, (file("killed"), true));
    let pid = started(&file("killed"));
    one.kill_workers();
    ends(pid);
    assert_eq!(death(&killed.result()).why(), Some("the program had the pool's workers killed"));

    let retiring = builder(1).max_tasks_per_child(super::count(1)).build().unwrap();
    ends(retiring.submit(start, (file("retired"), false)).result().unwrap());

    let last = pool(1);
    let pid = last.submit(start, (file("last"), false)).result().unwrap();
    assert!(!is_gone(pid));
    drop(last);
    ends(pid);
}

/// A program that has closed its standard descriptors: the pool's descriptors, also the one that
/// wakes the driving thread, have none of these numbers.
pub fn closed_standard_descriptors() {
    // SAFETY: nobody uses these three numbers any more.
    (0..3).for_each(|number| unsafe {
        libc::close(number);
    });
    let pool: ProcessPoolExecutor = pool(2);
    let futures: Vec<_> = (0..100).map(|n| pool.submit(square, n)).collect();
    println!("the program prints, and nobody hears");
    for (n, future) in futures.iter().enumerate() {
        assert_eq!(future.result().unwrap(), (n * n) as u64);
    }
    for number in 0..3 {
        assert!(fs::read_link(format!("/proc/self/fd/{number}")).is_err(), "{number} is in use");
    }
}

/// The program loses its patience: while one thread ends the pool and waits for an initializer that
/// hangs, another kills the workers.
pub fn killing_the_workers_while_the_pool_ends() {
    fn hang_in_one(file: PathBuf) {
        if fs::OpenOptions::new().write(true).create_new(true).open(file).is_ok() {
            super::sleep_for_ever(());
        }
    }
    for submits in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hangs");
        let pool = builder(2).initializer(hang_in_one, file.clone()).build().unwrap();
        until("the hang", || file.exists());
        if submits {
            // The other worker answers, and the manager is there.
            assert_eq!(pool.submit(square, 3).result().unwrap(), 9);
            pool.shutdown(false, true);
            std::thread::sleep(SOON); // the manager is on its way, or there already
            pool.kill_workers();
        } else {
            std::thread::scope(|scope| {
                scope.spawn(|| pool.shutdown(true, true));
                std::thread::sleep(SOON);
                pool.kill_workers();
            });
        }
        assert!(pool.worker_pids().is_empty());
    }
}
