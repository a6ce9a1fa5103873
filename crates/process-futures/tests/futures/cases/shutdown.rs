//! The pool's end.

use super::gate::{Gate, Gates, pass, touch};
use super::*;
use process_futures::{MapOptions, TaskFuture};

/// Submits one call that runs, and some calls behind it.
fn one_and_some(pool: &ProcessPoolExecutor, gates: &Gates) -> Vec<TaskFuture<u64>> {
    let mut futures = vec![pool.submit(pass, gates.gate(0))];
    futures.extend((1..5).map(|n| pool.submit(touch, gates.gate(n))));
    gates.gate(0).until_reached();
    futures
}

pub fn it_runs_what_is_queued() {
    let (pool, gates) = (pool(1), Gates::new());
    let futures = one_and_some(&pool, &gates);
    gates.gate(0).open();
    pool.shutdown(true, false);
    assert!(futures.iter().all(TaskFuture::done), "it has waited");
    assert!(futures.iter().map(|f| f.result().unwrap()).eq(0..5));
    assert!(pool.worker_pids().is_empty());
}

pub fn it_cancels_what_is_queued() {
    let (pool, gates) = (pool(1), Gates::new());
    let futures = one_and_some(&pool, &gates);
    pool.shutdown(false, true);
    assert!(futures[1..].iter().all(TaskFuture::cancelled));
    assert!(futures[0].running());
    gates.gate(0).open();
    pool.shutdown(true, true);
    assert_eq!(futures[0].result().unwrap(), 0);
    assert!((1..5).all(|n| !gates.gate(n).is_reached()));
}

pub fn without_waiting() {
    let (pool, gates) = (pool(1), Gates::new());
    let futures = one_and_some(&pool, &gates);
    pool.shutdown(false, false);
    assert!(!futures[4].done());
    assert!(broken(pool.submit(square, 2).result()).contains("shut down"));
    gates.gate(0).open();
    assert!(futures.iter().map(|f| f.result().unwrap()).eq(0..5), "they still run");
}

pub fn twice() {
    let pool = pool(2);
    let future = pool.submit(square, 4);
    pool.shutdown(true, false);
    pool.shutdown(true, false);
    pool.shutdown(false, true);
    pool.kill_workers();
    assert_eq!(future.result().unwrap(), 16);
    // Several threads may shut the pool down at once.
    let pool = super::pool(2);
    let futures: Vec<_> = (0..100).map(|n| pool.submit(square, n)).collect();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| pool.shutdown(true, false));
        }
    });
    assert!(futures.iter().map(|f| f.result().unwrap()).eq((0..100).map(square)));
}

pub fn before_any_call() {
    let with_wait = pool(2);
    with_wait.shutdown(true, false);
    assert!(broken(with_wait.submit(square, 2).result()).contains("shut down"));
    let without = pool(2);
    let pids = without.worker_pids();
    assert_eq!(pids.len(), 2);
    without.shutdown(false, false);
    until("the end of the workers", || pids.iter().copied().all(is_gone));
    drop(pool(2));
}

pub fn no_call_comes_after_it() {
    use kernel::{Executor, Ran};
    let pool = pool(1);
    pool.submit(square, 1).result().unwrap();
    pool.shutdown(true, false);
    let future = pool.submit(square, 2);
    assert!(future.done() && !future.cancel());
    let error = future.result().unwrap_err();
    assert_eq!(error.ran(), Ran::No);
    assert!(error.to_string().contains("shut down"), "{error}");
    let outcomes = pool.map_with(square, 0..3, MapOptions::default());
    assert_eq!(outcomes.map(broken).count(), 3);
    assert_eq!(pool.map_each(square, vec![1, 2]).into_iter().map(broken).count(), 2);
    assert_eq!(pool.map(square, vec![1, 2]).unwrap_err().index(), 0);
}

pub fn in_the_middle_of_submitting() {
    for cancel in [false, true] {
        let pool = pool(2);
        let outcomes: Vec<Vec<_>> = thread::scope(|scope| {
            let submit = |_| {
                scope.spawn(|| {
                    let futures: Vec<_> = (0..2000).map(|n| pool.submit(square, n)).collect();
                    futures.iter().map(TaskFuture::result).collect()
                })
            };
            let threads: Vec<_> = (0..4).map(submit).collect();
            thread::sleep(Duration::from_millis(2));
            pool.shutdown(false, cancel);
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for outcomes in outcomes {
            for (n, outcome) in (0..).zip(outcomes) {
                match outcome {
                    Ok(answer) => assert_eq!(answer, n * n),
                    Err(error) if matches!(error.kind(), TaskErrorKind::Cancelled) => {
                        assert!(cancel);
                    }
                    Err(_) => assert!(broken(outcome).contains("shut down")),
                }
            }
        }
    }
}

pub fn dropping_waits_and_cancels() {
    let (pool, gates) = (pool(1), Gates::new());
    let futures = one_and_some(&pool, &gates);
    let pids = pool.worker_pids();
    let dropping = thread::spawn(move || drop(pool));
    until("the cancelling", || futures[1..].iter().all(TaskFuture::cancelled));
    assert!(!dropping.is_finished(), "a call is running");
    gates.gate(0).open();
    dropping.join().unwrap();
    assert_eq!(futures[0].result().unwrap(), 0);
    assert!(pids.into_iter().all(is_gone));
    assert!((1..5).all(|n| !gates.gate(n).is_reached()));
}

pub fn dropping_while_others_wait() {
    let (pool, gates) = (pool(1), Gates::new());
    let futures = one_and_some(&pool, &gates);
    let waiting: Vec<_> =
        futures.into_iter().map(|future| thread::spawn(move || future.result())).collect();
    let dropping = thread::spawn(move || drop(pool));
    gates.gate(0).open();
    let outcomes: Vec<_> = waiting.into_iter().map(|thread| thread.join().unwrap()).collect();
    dropping.join().unwrap();
    assert_eq!(*outcomes[0].as_ref().unwrap(), 0);
    assert!((1..).zip(&outcomes[1..]).all(|(n, o)| is_cancelled(o) || *o.as_ref().unwrap() == n));
}

pub fn killing_the_workers() {
    let (pool, gates) = (pool(2), Gates::new());
    let running: Vec<_> = (0..2).map(|n| pool.submit(pass, gates.gate(n))).collect();
    (0..2).for_each(|n| gates.gate(n).until_reached());
    let queued: Vec<_> = (2..9).map(|n| pool.submit(touch, gates.gate(n))).collect();
    let waiting = thread::spawn({
        let future = running[1].clone();
        move || future.result()
    });
    let pids = pool.worker_pids();
    pool.kill_workers();
    assert!(pids.into_iter().all(is_gone));
    for result in running.iter().map(TaskFuture::result).chain([waiting.join().unwrap()]) {
        assert!(matches!(death(&result), Death::Killed { signal: 9, .. }), "{result:?}");
    }
    assert!(queued.iter().all(TaskFuture::cancelled));
    assert!(broken(pool.submit(square, 2).result()).contains("shut down"));
    assert!((2..9).all(|n| !gates.gate(n).is_reached()));
}

pub fn killing_the_workers_before_any_call() {
    let pool = pool(2);
    let pids = pool.worker_pids();
    pool.kill_workers();
    assert!(pids.into_iter().all(is_gone));
    assert!(pool.worker_pids().is_empty());
    pool.kill_workers();
}

pub fn a_map_outlives_the_pool() {
    let (pool, gates) = (pool(1), Gates::new());
    let items: Vec<Gate> = (0..4).map(|n| gates.gate(n)).collect();
    let options = MapOptions { buffersize: Some(count(2)), ..MapOptions::default() };
    let mut map = pool.map_with(pass, items, options);
    gates.gate(0).until_reached();
    gates.gate(0).open();
    drop(pool);
    assert_eq!(map.next().unwrap().unwrap(), 0);
    let rest: Vec<_> = map.collect();
    assert_eq!(rest.len(), 3);
    assert!(is_cancelled(&rest[0]), "it was queued: {rest:?}");
    assert!(rest.into_iter().skip(1).all(|outcome| broken(outcome).contains("shut down")));
}
