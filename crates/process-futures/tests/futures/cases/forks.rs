//! Forks of the program, while calls are under way. A fork has copies of the pool, of its futures
//! and of its iterators: every copy gives an error for each call that had not ended, at once, and
//! the program still gets all its answers.
//!
//! The program has a second thread in all cases, the pool's manager, and more threads in one.

use super::gate::{Gate, Gates, pass};
use super::*;
use kernel::{Executor, Ran};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, alarm, fork};
use process_futures::{AsCompleted, Map, MapOptions, ReturnWhen, TaskFuture, as_completed, wait};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Runs the check in a fork of this process, and asserts that it ends well. The fork has copies of
/// all values, so what the check does to a value is not seen here.
fn in_a_fork(check: impl FnOnce()) {
    assert!(ends_well_in_a_fork(check), "the check panicked (see above) or hung");
}

fn ends_well_in_a_fork(check: impl FnOnce()) -> bool {
    // SAFETY: this process has other threads, so the fork must take no lock that one of them may
    // hold. That the pool takes none is what these cases test; what else the check uses (memory,
    // the standard error) is safe with the C library of Linux. The fork leaves by `_exit`.
    match unsafe { fork() }.expect("a fork") {
        ForkResult::Child => {
            alarm::set(30); // so that a check that hangs ends
            let ended = catch_unwind(AssertUnwindSafe(check)); // a panic has been printed
            // SAFETY: `_exit` runs no exit handlers, which belong to the program.
            unsafe { libc::_exit(i32::from(ended.is_err())) }
        }
        ForkResult::Parent { child } => {
            waitpid(child, None).unwrap() == WaitStatus::Exited(child, 0)
        }
    }
}

fn is_refused<R>(result: Result<R, TaskError>) -> bool {
    broken(result).contains("another process")
}

/// A pool of one worker that is at gate 0, and a call behind it for each other gate.
fn calls(gates: &Gates) -> (ProcessPoolExecutor, Vec<TaskFuture<u64>>) {
    let pool = pool(1);
    let futures = (0..4).map(|n| pool.submit(pass, gates.gate(n))).collect();
    gates.gate(0).until_reached();
    (pool, futures)
}

/// The fork was a fork: the program's calls have not run before, and run now, once each.
fn all_run_once(gates: &Gates, number: u64) {
    assert!((0..number).all(|n| gates.gate(n).runs() == 1));
}

fn open(gates: &Gates) {
    (0..10).for_each(|n| gates.gate(n).open());
}

pub fn of_futures() {
    let gates = Gates::new();
    let (pool, futures) = calls(&gates);
    let ended = super::pool(1).submit(square, 3);
    ended.result().unwrap();
    in_a_fork(|| {
        for future in &futures {
            let started = future.running();
            assert!(is_refused(future.result()));
            assert!(is_refused(future.result_timeout(Duration::MAX).unwrap()));
            assert!(is_refused(future.result_or_kill(Duration::ZERO)));
            assert_eq!(future.result().unwrap_err().ran(), Ran::Unknown);
            assert!(!future.cancel() && !future.done() && !future.cancelled());
            assert_eq!(future.running(), started);
            let _ = format!("{future:?}");
        }
        assert_eq!(ended.result().unwrap(), 9, "its answer came before the fork");
    });
    assert!(futures.iter().all(|future| !future.done()));
    open(&gates);
    assert!(futures.iter().map(|future| future.result().unwrap()).eq(0..4));
    all_run_once(&gates, 4);
    drop(pool);
}

pub fn of_the_pool() {
    let gates = Gates::new();
    let (pool, futures) = calls(&gates);
    let mut pool = Some(pool);
    in_a_fork(|| {
        let pool = pool.take().unwrap();
        let error = pool.submit(square, 2).result().unwrap_err();
        assert_eq!(error.ran(), Ran::No);
        assert!(is_refused(pool.submit(square, 2).result()));
        let map = pool.map_with(square, 0..3, MapOptions::default());
        assert_eq!(map.map(is_refused).filter(|&refused| refused).count(), 3);
        assert!(pool.map_each(square, vec![1, 2]).into_iter().all(is_refused));
        assert!(pool.worker_pids().is_empty());
        pool.shutdown(true, true);
        pool.shutdown(true, false);
        pool.kill_workers();
        drop(pool);
    });
    open(&gates);
    assert!(futures.iter().map(|future| future.result().unwrap()).eq(0..4));
    let pool = pool.expect("only the fork has dropped it");
    assert_eq!(pool.submit(square, 3).result().unwrap(), 9);
    all_run_once(&gates, 4);
}

/// A fork drops all that it has, the last reference to a pool too, of which the manager has ended.
pub fn of_what_is_dropped() {
    let idle = pool(1);
    let over = pool(1);
    let future = over.submit(square, 3);
    over.shutdown(false, false);
    until("the end of its workers", || over.worker_pids().is_empty());
    until("the end of its manager", || fs::read_dir("/proc/self/task").unwrap().count() == 1);
    let mut all = Some((idle, over, future));
    in_a_fork(|| drop(all.take()));
    let (idle, _, future) = all.expect("only the fork has dropped them");
    assert_eq!(idle.submit(square, 3).result().unwrap() + future.result().unwrap(), 18);
}

pub fn of_a_wait() {
    let gates = Gates::new();
    let (pool, futures) = calls(&gates);
    let other = super::pool(1);
    let ended = other.submit(square, 3);
    ended.result().unwrap();
    let all = || futures.iter().chain([&ended]).cloned();
    in_a_fork(|| {
        use ReturnWhen::{AllCompleted, FirstCompleted, FirstException};
        for when in [AllCompleted, FirstCompleted, FirstException] {
            let some = wait(futures.clone(), None, when);
            assert_eq!((some.done.len(), some.not_done.len()), (0, 4));
            let some = wait(all(), None, when);
            assert_eq!((some.done.len(), some.not_done.len()), (1, 4));
            assert_eq!(wait([ended.clone()], None, when).done.len(), 1);
        }
    });
    open(&gates);
    assert_eq!(wait(all(), None, ReturnWhen::AllCompleted).done.len(), 5);
    all_run_once(&gates, 4);
    drop(pool);
}

/// What an iterator yields in a fork: each future once, with an answer only if it was there before.
fn are_left(completed: &mut AsCompleted<u64>, left: usize, answered: usize) {
    assert_eq!(completed.len(), left);
    let results: Vec<_> = completed.map(|future| future.result()).collect();
    assert_eq!(results.len(), left);
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), answered);
    assert!(results.into_iter().filter(Result::is_err).all(is_refused));
    assert!(completed.next().is_none());
}

pub fn of_as_completed() {
    for pools in 1..3 {
        let gates = Gates::new();
        let (pool, mut futures) = calls(&gates);
        if pools == 2 {
            futures.push(super::pool(1).submit(square, 9)); // its pool goes when it has answered
        }
        let mut completed = as_completed(futures.clone());
        in_a_fork(|| {
            are_left(&mut as_completed(futures.clone()), futures.len(), pools - 1);
            are_left(&mut completed, futures.len(), pools - 1);
        });
        let mut never_asked = Some(as_completed(futures.clone()));
        in_a_fork(|| drop(never_asked.take()));
        gates.gate(0).open();
        gates.gate(1).until_reached();
        completed.by_ref().take(pools).for_each(|future| _ = future.result().unwrap());
        in_a_fork(|| are_left(&mut completed, 3, 0));
        open(&gates);
        let mut rest: Vec<_> = completed.map(|future| future.result().unwrap()).collect();
        rest.sort_unstable();
        assert_eq!(rest, [1, 2, 3]);
        assert_eq!(never_asked.unwrap().count(), futures.len());
        all_run_once(&gates, 4);
        drop(pool);
    }
}

/// A map over nine gates. The first call has ended, and the second call is at its gate.
fn begun(
    pool: &ProcessPoolExecutor,
    gates: &Gates,
    options: MapOptions,
) -> Map<Gate, u64, impl Iterator<Item = Gate>> {
    let chunk = options.chunksize.get() as u64;
    (0..chunk).for_each(|n| gates.gate(n).open());
    let items: Vec<Gate> = (0..9).map(|n| gates.gate(n)).collect();
    let mut map = pool.map_with(pass, items, options);
    for n in 0..chunk {
        assert_eq!(map.next().unwrap().unwrap(), n);
    }
    gates.gate(chunk).until_reached();
    map
}

pub fn of_a_map() {
    for (chunksize, buffersize) in [(1, None), (1, Some(2)), (2, None), (2, Some(2))] {
        for unordered in [false, true] {
            let (pool, gates) = (pool(1), Gates::new());
            let (chunksize, buffersize) = (count(chunksize), buffersize.map(count));
            let timeout = unordered.then_some(Duration::from_secs(3600));
            let options = MapOptions { chunksize, buffersize, timeout, unordered };
            let mut map = begun(&pool, &gates, options);
            let first = chunksize.get();
            in_a_fork(|| {
                let rest: Vec<_> = map.by_ref().collect();
                assert_eq!(rest.len(), 9 - first, "none is lost");
                for (n, outcome) in (first..).zip(rest) {
                    assert_eq!(outcome.as_ref().unwrap_err().index(), n);
                    assert!(is_refused(outcome));
                }
                assert!(map.next().is_none());
            });
            let mut map = Some(map);
            in_a_fork(|| drop(map.take()));
            open(&gates);
            let mut rest: Vec<_> = map.unwrap().map(Result::unwrap).collect();
            rest.sort_unstable();
            assert!(rest.into_iter().eq(first as u64..9), "the program's own goes on");
            all_run_once(&gates, 9);
        }
    }
}

/// Other threads take the locks all the time, so some of the forks find a lock that is held.
pub fn beside_threads_that_hold_locks() {
    let (pool, gates) = (pool(1), Gates::new());
    let busy = super::pool(1);
    let waiting = pool.submit(pass, gates.gate(0));
    gates.gate(0).until_reached();
    let futures: Vec<_> = (0..50).map(|n| pool.submit(square, n)).collect();
    let mut completed = as_completed(futures.clone());
    let mut map = pool.map_with(square, 0..50, MapOptions::default());
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Relaxed) {
                    drop(pool.submit(square, 1));
                    _ = futures[7].result_timeout(Duration::ZERO);
                    wait(futures.clone(), Some(Duration::ZERO), ReturnWhen::AllCompleted);
                    busy.submit(square, 2).result().unwrap();
                }
            });
        }
        let good = (0..40).take_while(|_| {
            ends_well_in_a_fork(|| {
                assert!(is_refused(pool.submit(square, 2).result()));
                assert!(
                    futures.iter().all(|future| is_refused(future.result()) && !future.cancel())
                );
                assert_eq!(wait(futures.clone(), None, ReturnWhen::AllCompleted).done.len(), 0);
                are_left(&mut as_completed(futures.clone()), 50, 0);
                are_left(&mut completed, 50, 0);
                assert!(map.by_ref().all(is_refused));
                assert!(pool.worker_pids().is_empty() && busy.worker_pids().is_empty());
                pool.kill_workers();
            })
        });
        let good = good.count();
        stop.store(true, Relaxed);
        assert_eq!(good, 40);
    });
    gates.gate(0).open();
    assert_eq!(waiting.result().unwrap(), 0);
    assert_eq!(completed.map(|future| future.result().unwrap()).max(), Some(square(49)));
    assert!(map.map(Result::unwrap).eq((0..50).map(square)));
}

/// The program's own code, which reads the source for a map, forks: the map goes on in both.
pub fn in_the_middle_of_a_source() {
    let (pool, gates, other) = (pool(1), Gates::new(), Cell::new(None));
    (0..4).for_each(|n| gates.gate(n).open());
    let source = (0..9).map(|n| {
        // The fifth call is under way, and cannot end.
        if n == 5 {
            // SAFETY: as above. The fork leaves by `_exit` below, or by its alarm.
            let forked = unsafe { fork() }.expect("a fork");
            match forked {
                ForkResult::Child => _ = alarm::set(30),
                ForkResult::Parent { .. } => open(&gates),
            }
            other.set(Some(forked));
        }
        gates.gate(n)
    });
    let options = MapOptions { buffersize: Some(count(2)), ..MapOptions::default() };
    let outcomes: Vec<_> = pool.map_with(pass, source, options).collect();
    match other.take().expect("the source has forked") {
        ForkResult::Child => {
            let refused = outcomes.into_iter().skip(4).filter(Result::is_err).map(is_refused);
            let good = refused.filter(|&refused| refused).count() == 5;
            // SAFETY: `_exit` runs no exit handlers, which belong to the program.
            unsafe { libc::_exit(i32::from(!good)) }
        }
        ForkResult::Parent { child } => {
            assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 0));
            assert!(outcomes.into_iter().map(Result::unwrap).eq(0..9));
            all_run_once(&gates, 9);
        }
    }
}
