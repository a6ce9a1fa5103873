//! Limits on time. The time limits here end calls that would not end by themselves. No test checks
//! how exactly a limit is kept.

use super::gate::{Gates, pass, touch};
use super::*;
use kernel::Ran;
use process_futures::{MapOptions, OnDeath};
use std::cell::Cell;

const SOON: Duration = Duration::from_millis(50);
const AN_HOUR: Duration = Duration::from_secs(3600);

pub fn an_answer_in_time() {
    let pool = pool(1);
    assert_eq!(pool.submit(square, 4).result_or_kill(AN_HOUR).unwrap(), 16);
    assert_eq!(pool.submit(square, 5).result_or_kill(Duration::MAX).unwrap(), 25);
    let future = pool.submit(square, 6);
    future.result().unwrap();
    assert_eq!(future.result_or_kill(Duration::ZERO).unwrap(), 36, "it is there already");
}

pub fn a_queued_call_is_withdrawn() {
    let (pool, gates) = (pool(1), Gates::new());
    let workers = pool.worker_pids();
    let first = pool.submit(pass, gates.gate(0));
    gates.gate(0).until_reached();
    let queued = pool.submit(touch, gates.gate(1));
    let result = queued.result_or_kill(SOON);
    assert!(is_timed_out(&result), "{result:?}");
    assert_eq!(result.unwrap_err().ran(), Ran::No);
    assert!(queued.done() && !queued.cancelled());
    gates.gate(0).open();
    assert_eq!(first.result().unwrap(), 0, "the running one is spared");
    assert_eq!(pool.submit(square, 2).result().unwrap(), 4);
    assert!(!gates.gate(1).is_reached());
    assert_eq!(pool.worker_pids(), workers);
}

pub fn a_running_call_costs_its_worker() {
    let (pool, gates) = (pool(2), Gates::new());
    let other = pool.submit(pass, gates.gate(0));
    gates.gate(0).until_reached();
    let before = pool.worker_pids();
    let endless = pool.submit(sleep_for_ever, ());
    let behind = pool.submit(touch, gates.gate(1));
    let result = endless.result_or_kill(SOON);
    assert!(is_timed_out(&result), "{result:?}");
    assert_eq!(result.unwrap_err().ran(), Ran::Unknown);
    assert_eq!(behind.result().unwrap(), 1, "the next worker runs it");
    let after = pool.worker_pids();
    assert_eq!(after.len(), 2);
    let gone: Vec<&u32> = before.iter().filter(|pid| !after.contains(pid)).collect();
    assert_eq!(gone.len(), 1, "{before:?} {after:?}");
    assert!(is_gone(*gone[0]));
    gates.gate(0).open();
    assert_eq!(other.result().unwrap(), 0, "the other worker is spared");
}

pub fn an_end_is_an_end_for_all() {
    let pool = pool(1);
    let future = pool.submit(sleep_for_ever, ());
    let clone = future.clone();
    let waiting = thread::spawn(move || clone.result());
    assert!(is_timed_out(&future.result_or_kill(SOON)));
    assert!(is_timed_out(&waiting.join().unwrap()), "the thread that waited without a limit");
    assert!(is_timed_out(&future.result()));
    assert_eq!(pool.submit(square, 3).result().unwrap(), 9);
}

pub fn a_call_behind_another() {
    let (pool, gates) = (pool(1), Gates::new());
    // Many tiny calls make the pool give a worker several at a time, also the last two. On a
    // machine so busy that the pool does not, the second call is withdrawn from the queue, and all
    // other checks still hold.
    let tiny: Vec<_> = (0..500).map(|n| pool.submit(square, n)).collect();
    let first = pool.submit(pass, gates.gate(0));
    let second = pool.submit(sleep_for_ever, ());
    gates.gate(0).until_reached();
    assert!(is_timed_out(&second.result_or_kill(SOON)));
    gates.gate(0).open();
    assert_eq!(first.result().unwrap(), 0, "the one before it is spared");
    assert_eq!(pool.submit(square, 3).result().unwrap(), 9, "and it holds nobody up");
    assert!(tiny.iter().all(|future| future.result().is_ok()));
}

pub fn no_time_at_all() {
    let pool = pool(1);
    for n in 0..200 {
        // Both outcomes are right. The outcome stays, and the pool goes on.
        let future = pool.submit(square, n);
        let first = future.result_or_kill(Duration::ZERO);
        let second = future.result();
        match first {
            Ok(answer) => assert_eq!((answer, second.unwrap()), (n * n, n * n)),
            Err(_) => assert!(is_timed_out(&first) && is_timed_out(&second)),
        }
    }
    assert_eq!(pool.submit(square, 3).result().unwrap(), 9);
}

pub fn they_are_no_deaths() {
    let pool = builder(1).on_death(OnDeath::Break).build().unwrap();
    for _ in 0..3 {
        assert!(is_timed_out(&pool.submit(sleep_for_ever, ()).result_or_kill(SOON)));
        assert_eq!(pool.submit(square, 3).result().unwrap(), 9);
    }
}

pub fn of_a_map() {
    let (pool, gates) = (pool(2), Gates::new());
    let read = Cell::new(0);
    let source = (0..).map(|n| {
        read.set(read.get() + 1);
        gates.gate(n)
    });
    gates.gate(0).open(); // no other gate is opened
    let options = MapOptions {
        buffersize: Some(count(5)),
        timeout: Some(Duration::from_millis(300)),
        ..MapOptions::default()
    };
    let outcomes: Vec<_> = pool.map_with(pass, source, options).collect();
    assert_eq!(outcomes.len(), read.get(), "an outcome for each item that was read, then the end");
    // The first item may be in time or late, depending on the machine; the gates of the others stay
    // closed.
    let late = outcomes.iter().filter(|outcome| is_timed_out(outcome)).count();
    assert!(late >= outcomes.len() - 1, "{outcomes:?}");
    let running = outcomes.iter().enumerate().filter(|(n, outcome)| {
        let ran = outcome.as_ref().err().map(TaskError::ran);
        assert!(outcome.as_ref().err().is_none_or(|error| error.index() == *n));
        ran == Some(Ran::Unknown)
    });
    assert!(running.count() <= 2, "at most one for each worker: {outcomes:?}");
    for (n, outcome) in outcomes.iter().enumerate() {
        if outcome.as_ref().err().map(TaskError::ran) == Some(Ran::No) {
            assert!(!gates.gate(n as u64).is_reached(), "{n} was withdrawn");
        }
    }
    assert_eq!(pool.submit(square, 3).result().unwrap(), 9);
    assert_eq!(pool.worker_pids().len(), 2);
}

pub fn of_a_map_in_chunks() {
    let pool = pool(1);
    let options = MapOptions { chunksize: count(3), timeout: Some(SOON), ..MapOptions::default() };
    let outcomes: Vec<_> = pool.map_with(sleep_for_ever, vec![(); 7], options).collect();
    assert_eq!(outcomes.len(), 7);
    assert!(outcomes.iter().all(is_timed_out));
    let indices: Vec<_> = outcomes.into_iter().map(|o| o.unwrap_err().index()).collect();
    assert_eq!(indices, [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(pool.submit(square, 3).result().unwrap(), 9);
}

pub fn of_a_map_that_keeps_them() {
    let pool = pool(2);
    for unordered in [false, true] {
        let options = MapOptions { timeout: Some(AN_HOUR), unordered, ..MapOptions::default() };
        let mut squares: Vec<_> =
            pool.map_with(square, 0..100, options).map(Result::unwrap).collect();
        squares.sort_unstable();
        assert!(squares.into_iter().eq((0..100).map(square)));
    }
}

pub fn to_wait_for_a_while_ends_nothing() {
    let (pool, gates) = (pool(1), Gates::new());
    let workers = pool.worker_pids();
    let [running, queued] = [0, 1].map(|n| pool.submit(pass, gates.gate(n)));
    gates.gate(0).until_reached();
    for time in [Duration::ZERO, Duration::from_millis(20)] {
        assert!(running.result_timeout(time).is_none());
        assert!(queued.result_timeout(time).is_none());
    }
    assert!(running.running() && !queued.done());
    (0..2).for_each(|n| gates.gate(n).open());
    assert_eq!(running.result_timeout(AN_HOUR).unwrap().unwrap(), 0);
    assert_eq!(queued.result().unwrap(), 1);
    assert_eq!(queued.result_timeout(Duration::ZERO).unwrap().unwrap(), 1, "it is there already");
    assert_eq!(pool.worker_pids(), workers, "no worker was killed");
    let late = pool.submit(sleep_for_ever, ());
    assert!(is_timed_out(&late.result_or_kill(SOON)));
    assert!(is_timed_out(&late.result_timeout(AN_HOUR).expect("an end")), "its own end");
}

/// Asks again and again, as a program does that has other work too.
pub fn a_look_moves_the_call_on() {
    let pool = pool(1);
    for n in 0..100 {
        let future = pool.submit(square, n);
        let mut result = None;
        until("an answer", || {
            result = future.result_timeout(Duration::ZERO);
            result.is_some()
        });
        assert_eq!(result.unwrap().unwrap(), n * n);
    }
}
