//! The workers' lives: how workers begin, how they end, and how they are replaced.

use super::gate::{Gates, pass};
use super::*;
use process_futures::{BuildError, OnDeath, TaskFuture};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::OnceLock;

/// The value that an initializer has left in its worker.
static LEFT: OnceLock<u64> = OnceLock::new();

fn leave(n: u64) {
    LEFT.set(n).expect("it runs once in a process");
}

fn left((): ()) -> (Option<u64>, u32) {
    (LEFT.get().copied(), process::id())
}

pub fn an_initializer_comes_first() {
    let pool = builder(3).initializer(leave, 17).build().unwrap();
    let futures: Vec<_> = (0..50).map(|_| pool.submit(left, ())).collect();
    assert!(futures.iter().all(|future| future.result().unwrap().0 == Some(17)));
    assert_eq!(LEFT.get(), None, "it runs in the workers and nowhere else");
}

pub fn an_initializer_in_each_that_comes_later() {
    let pool = builder(2).initializer(leave, 18).max_tasks_per_child(count(3)).build().unwrap();
    let futures: Vec<_> = (0..40).map(|_| pool.submit(left, ())).collect();
    let all: Vec<_> = futures.iter().map(|future| future.result().unwrap()).collect();
    assert!(all.iter().all(|(left, _)| *left == Some(18)));
    let pids: HashSet<u32> = all.iter().map(|(_, pid)| *pid).collect();
    assert!(pids.len() >= 40 / 3, "{pids:?}");
    pool.submit(exit, 1).result().unwrap_err();
    assert_eq!(pool.submit(left, ()).result().unwrap().0, Some(18), "after a death");
}

/// Adds a line to a file, so that the test can count.
fn note(file: &PathBuf) {
    use std::io::Write;
    let file = fs::OpenOptions::new().append(true).create(true).open(file);
    file.and_then(|mut file| file.write_all(b"here\n")).expect("a line");
}

fn note_and_panic(file: PathBuf) {
    note(&file);
    panic!("the table is not there");
}

fn note_and_exit(file: PathBuf) {
    note(&file);
    process::exit(4);
}

fn note_and_die(file: PathBuf) {
    note(&file);
    process::abort();
}

/// Builds a pool of two workers with this initializer. Returns each call's error, and how many
/// times the initializer was begun.
fn refused(initializer: fn(PathBuf), limit: usize) -> (HashSet<String>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines");
    let pool = builder(2)
        .initializer(initializer, file.clone())
        .on_death(OnDeath::Replace { limit })
        .build()
        .unwrap();
    let futures: Vec<_> = (0..20).map(|n| pool.submit(square, n)).collect();
    let mut whys: HashSet<_> = futures.iter().map(|future| broken(future.result())).collect();
    whys.insert(broken(pool.submit(square, 1).result()));
    drop(pool);
    (whys, fs::read_to_string(file).unwrap().lines().count())
}

pub fn an_initializer_that_panics() {
    let (whys, begun) = refused(note_and_panic, 5);
    assert_eq!(whys.len(), 1, "{whys:?}");
    let why = whys.into_iter().next().unwrap();
    assert!(why.contains("the initializer failed in worker"), "{why}");
    assert!(why.contains("the table is not there"), "{why}");
    assert!(begun <= 2, "{begun}");
}

fn leave_unless(file: PathBuf) {
    assert!(!file.exists(), "the table is gone");
    leave(1);
}

pub fn an_initializer_that_panics_later() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gone");
    let pool = builder(2).initializer(leave_unless, file.clone()).build().unwrap();
    // After these calls a worker has many calls at a time; but a new worker has none before it is
    // ready.
    let early: Vec<_> = (0..500).map(|_| pool.submit(left, ())).collect();
    assert!(early.iter().all(|future| future.result().unwrap().0 == Some(1)));
    fs::write(&file, "").unwrap();
    let pids = pool.worker_pids();
    let late: Vec<_> = (0..2000).map(|_| pool.submit(left, ())).collect();
    pids.into_iter().for_each(kill);
    for result in late.iter().chain(&[pool.submit(left, ())]).map(TaskFuture::result) {
        match result {
            Ok((left, _)) => assert_eq!(left, Some(1)),
            Err(error) if matches!(error.kind(), TaskErrorKind::WorkerDied(_)) => {}
            Err(_) => assert!(broken(result).contains("the table is gone")),
        }
    }
}

pub fn an_initializer_that_exits() {
    let (whys, begun) = refused(note_and_exit, 5);
    let why = whys.into_iter().next().unwrap();
    assert!(why.contains("exited with status 4 in its initializer"), "{why}");
    assert!(begun <= 2, "no worker comes after it: {begun}");
}

pub fn an_initializer_that_is_killed() {
    let (whys, begun) = refused(note_and_die, 5);
    let why = whys.into_iter().next().unwrap();
    assert!(why.contains("SIGABRT in its initializer"), "{why}");
    assert!((3..=8).contains(&begun), "not for ever: {begun}");
}

pub fn an_initializer_that_cannot_be_sent() {
    #[derive(serde::Deserialize)]
    struct Wrong;
    impl serde::Serialize for Wrong {
        fn serialize<S: serde::Serializer>(&self, _to: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("this one does not travel"))
        }
    }
    fn take(_wrong: Wrong) {}
    let error = builder(2).initializer(take, Wrong).build().unwrap_err();
    assert!(matches!(error, BuildError::Initializer(TaskErrorKind::NotSerialised(_))), "{error:?}");
    assert!(error.to_string().starts_with("the initializer: "), "{error}");
}

pub fn a_new_one_for_each_call() {
    let pool = builder(2).max_tasks_per_child(count(1)).build().unwrap();
    let futures: Vec<_> = (0..100).map(|_| pool.submit(my_pid, ())).collect();
    let pids: HashSet<u32> = futures.iter().map(|future| future.result().unwrap()).collect();
    assert_eq!(pids.len(), 100);
    // A call that panics counts as one call. A death needs only one replacement.
    pool.submit(no_luck, 1).result().unwrap_err();
    pool.submit(exit, 1).result().unwrap_err();
    assert_eq!(pool.submit(square, 3).result().unwrap(), 9);
    assert_eq!(pool.worker_pids().len(), 2);
    let futures: Vec<_> = (0..20).map(|_| pool.submit(my_pid, ())).collect();
    assert!(futures.iter().all(|future| future.result().is_ok()));
    drop(pool);
    // Check at once: the shutdown also waits for workers that have retired.
    let server = process_futures::ForkServer::start().unwrap().pid();
    let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children")).unwrap();
    assert_eq!(children, "", "workers");
}

pub fn a_new_one_after_some_calls() {
    let pool = builder(1).max_tasks_per_child(count(4)).build().unwrap();
    let futures: Vec<_> = (0..20).map(|_| pool.submit(my_pid, ())).collect();
    let pids: Vec<u32> = futures.iter().map(|future| future.result().unwrap()).collect();
    let lives: Vec<&[u32]> = pids.chunk_by(|a, b| a == b).collect();
    assert!(lives.iter().all(|life| life.len() == 4), "{lives:?}");
    assert_eq!(lives.len(), 5);
}

pub fn ten_thousand_of_them() {
    let pool = builder(2).max_tasks_per_child(count(1)).build().unwrap();
    let futures: Vec<_> = (0..10_000).map(|n| pool.submit(square, n)).collect();
    assert!(futures.iter().map(|future| future.result().unwrap()).eq((0..10_000).map(square)));
}

pub fn their_deaths_are_put_up_with() {
    let pool = pool(2);
    for n in 0..30 {
        pool.submit(exit, n).result().unwrap_err();
        assert_eq!(pool.submit(square, 3).result().unwrap(), 9);
    }
}

pub fn so_many_and_no_more() {
    let pool = builder(1).on_death(OnDeath::Replace { limit: 2 }).build().unwrap();
    for _ in 0..2 {
        death(&pool.submit(exit, 1).result());
        death(&pool.submit(exit, 1).result());
        assert_eq!(pool.submit(square, 3).result().unwrap(), 9, "two in a row are put up with");
    }
    for _ in 0..3 {
        death(&pool.submit(exit, 1).result());
    }
    let why = broken(pool.submit(square, 3).result());
    assert!(why.contains("3 workers died without an answer between"), "{why}");
    assert!(why.contains("worker A (pid ") && why.contains(") exited with status 1"), "{why}");
}

pub fn one_is_too_many() {
    let gates = Gates::new();
    let pool = builder(2).on_death(OnDeath::Break).build().unwrap();
    let running = pool.submit(pass, gates.gate(0));
    gates.gate(0).until_reached();
    let dying = pool.submit(exit, 1);
    let queued: Vec<_> = (0..10).map(|n| pool.submit(square, n)).collect();
    death(&dying.result());
    for result in queued.iter().map(TaskFuture::result) {
        let why = broken(result);
        assert!(why.contains("exited with status 1"), "{why}");
    }
    gates.gate(0).open();
    assert_eq!(running.result().unwrap(), 0, "what runs elsewhere ends as it would have");
    broken(pool.submit(square, 3).result());
}

pub fn killed_while_nobody_waits() {
    let (pool, gates) = (pool(1), Gates::new());
    let first = pool.submit(pass, gates.gate(0));
    let second = pool.submit(square, 3);
    gates.gate(0).until_reached();
    kill(pool.worker_pids()[0]);
    until("the manager's notice", || first.done() && second.done());
    assert!(matches!(death(&first.result()), Death::Killed { signal: 9, .. }));
    assert_eq!(second.result().unwrap(), 9, "it was behind, and the next worker has run it");
}

pub fn killed_behind_our_back() {
    let pool = pool(2);
    for _ in 0..10 {
        for pid in pool.worker_pids() {
            kill(pid);
        }
        let futures: Vec<_> = (0..10).map(|n| pool.submit(square, n)).collect();
        // Calls that a dying worker may have begun fail; the other calls do not.
        for (n, future) in (0..).zip(&futures) {
            match future.result() {
                Ok(answer) => assert_eq!(answer, n * n),
                result => _ = death(&result),
            }
        }
        assert_eq!(pool.submit(square, 3).result().unwrap(), 9);
    }
}
