//! One pool and many threads.

use super::*;
use process_futures::{MapOptions, ReturnWhen, as_completed, wait};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

pub fn many_submit_at_once() {
    let pool = pool(2);
    thread::scope(|scope| {
        for thread in 0..16 {
            let pool = &pool;
            scope.spawn(move || {
                let numbers = || (0..300).map(|n| 1000 * thread + n);
                let futures: Vec<_> = numbers().map(|n| pool.submit(square, n)).collect();
                let answers = futures.iter().map(|future| future.result().unwrap());
                assert!(answers.eq(numbers().map(square)));
            });
        }
    });
}

pub fn many_wait_for_one_future() {
    let pool = pool(1);
    for n in 0..50 {
        let future = pool.submit(square, n);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(future.result().unwrap(), n * n));
            }
        });
    }
}

/// Each thread waits for its own call, again and again: the driver changes all the time.
pub fn the_driver_changes() {
    for threads in [2, 3, 8] {
        let pool = pool(2);
        thread::scope(|scope| {
            for thread in 0..threads {
                let pool = &pool;
                scope.spawn(move || {
                    for n in 0..3000 {
                        let n = n + 10_000 * thread;
                        assert_eq!(pool.submit(square, n).result().unwrap(), n * n);
                    }
                });
            }
        });
    }
}

/// A waiting thread drives for a long time, and must send the calls that other threads submit
/// meanwhile.
pub fn one_waits_and_others_submit() {
    use super::gate::{Gates, pass};
    let (pool, gates) = (pool(2), Gates::new());
    let long = pool.submit(pass, gates.gate(0));
    thread::scope(|scope| {
        scope.spawn(|| long.result().unwrap());
        gates.gate(0).until_reached();
        for n in 0..2000 {
            let future = pool.submit(square, n);
            if n % 2 == 0 {
                assert_eq!(future.result().unwrap(), n * n);
            } else {
                until("an answer that nobody waits for", || future.done());
            }
        }
        gates.gate(0).open();
    });
}

/// Many threads use the pool in every way, while workers are killed.
pub fn all_ways_at_once() {
    let pool = pool(3);
    let (left, good) = (AtomicUsize::new(6), AtomicUsize::new(0));
    let right = |n: u64, outcome: Result<u64, TaskError>| match outcome {
        Ok(answer) => {
            assert_eq!(answer, n * n);
            good.fetch_add(1, Relaxed);
        }
        Err(error) => assert!(
            matches!(
                error.kind(),
                TaskErrorKind::WorkerDied(_) | TaskErrorKind::Cancelled | TaskErrorKind::TimedOut
            ),
            "{error}"
        ),
    };
    thread::scope(|scope| {
        for thread in 0..6u64 {
            let (pool, left, right) = (&pool, &left, &right);
            scope.spawn(move || {
                for round in 0..60 {
                    let numbers = || (0..20).map(|n| n + 100 * round + 10_000 * thread);
                    let futures: Vec<_> = numbers().map(|n| pool.submit(square, n)).collect();
                    let options = MapOptions {
                        buffersize: Some(count(3)),
                        chunksize: count(1 + round as usize % 4),
                        ..MapOptions::default()
                    };
                    match (thread + round) % 6 {
                        0 => numbers().zip(futures).for_each(|(n, f)| right(n, f.result())),
                        1 => assert_eq!(as_completed(futures).count(), 20),
                        2 => {
                            let all = wait(futures, None, ReturnWhen::AllCompleted);
                            numbers().zip(all.done).for_each(|(n, f)| right(n, f.result()));
                        }
                        3 => numbers()
                            .zip(pool.map_with(square, numbers(), options))
                            .for_each(|(n, outcome)| right(n, outcome)),
                        4 => {
                            let cancelled = futures.iter().filter(|f| f.cancel()).count();
                            let found = futures.iter().filter(|f| is_cancelled(&f.result()));
                            assert_eq!(found.count(), cancelled);
                        }
                        _ => {
                            let time = Duration::from_micros(50 * round);
                            let outcomes = futures.iter().map(|f| f.result_or_kill(time));
                            numbers().zip(outcomes).for_each(|(n, outcome)| right(n, outcome));
                        }
                    }
                }
                left.fetch_sub(1, Relaxed);
            });
        }
        while left.load(Relaxed) > 0 {
            // The worker may be gone by now, but another process cannot have its process id so
            // soon.
            if let Some(&pid) = pool.worker_pids().first() {
                let pid = nix::unistd::Pid::from_raw(pid as i32);
                let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
            }
            thread::sleep(Duration::from_millis(5));
        }
    });
    assert!(good.into_inner() > 0);
    assert_eq!(pool.submit(square, 3).result().unwrap(), 9);
    assert_eq!(pool.worker_pids().len(), 3);
}
