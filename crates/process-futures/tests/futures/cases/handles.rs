//! Futures, one at a time.

use super::gate::{Gate, Gates, pass, touch};
use super::*;
use kernel::{Bytes, Ran};
use std::collections::HashMap;

pub fn an_answer_may_be_asked_for_again() {
    let pool = pool(1);
    let future = pool.submit(square, 7);
    assert_eq!(future.result().unwrap(), 49);
    assert_eq!(future.result().unwrap(), 49);
    assert!(future.done() && !future.running() && !future.cancelled());
    drop(pool);
    assert_eq!(future.result().unwrap(), 49, "it outlives the pool");
}

pub fn a_panic_is_the_futures_error() {
    let pool = pool(1);
    let future = pool.submit(no_luck, 13);
    for _ in 0..2 {
        let error = future.result().unwrap_err();
        assert_eq!(error.ran(), Ran::Yes);
        assert!(error.to_string().contains("no luck with 13"), "{error}");
        assert!(error.to_string().contains("mod.rs:"), "the place: {error}");
    }
    assert_eq!(pool.submit(square, 2).result().unwrap(), 4);
}

pub fn a_death_is_the_futures_error() {
    let pool = pool(2);
    let before = pool.worker_pids();
    let result = pool.submit(exit, 3).result();
    assert!(matches!(death(&result), Death::Exited { status: 3, .. }), "{result:?}");
    assert_eq!(result.unwrap_err().ran(), Ran::Unknown);
    let result = pool.submit(abort, ()).result();
    assert!(matches!(death(&result), Death::Killed { signal: 6, .. }), "{result:?}");
    assert_eq!(pool.submit(square, 2).result().unwrap(), 4);
    let after = pool.worker_pids();
    assert_eq!(after.len(), 2);
    assert_ne!(before, after);
}

pub fn errors_count_the_calls() {
    let pool = pool(1);
    let futures: Vec<_> = (0..4).map(|n| pool.submit(square_even, n)).collect();
    assert_eq!(futures[3].result().unwrap_err().index(), 3);
    assert_eq!(futures[1].result().unwrap_err().index(), 1);
}

pub fn what_cannot_be_sent_has_failed_at_once() {
    /// A value that cannot be serialised.
    #[derive(serde::Deserialize)]
    struct Wrong;
    impl serde::Serialize for Wrong {
        fn serialize<S: serde::Serializer>(&self, _to: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("this one does not travel"))
        }
    }
    fn take(_wrong: Wrong) -> u64 {
        1
    }
    let pool = pool(1);
    let future = pool.submit(take, Wrong);
    assert!(future.done());
    let error = future.result().unwrap_err();
    assert_eq!(error.ran(), Ran::No);
    assert!(matches!(error.kind(), TaskErrorKind::NotSerialised(_)), "{error}");
    assert_eq!(pool.submit(square, 2).result().unwrap(), 4);
}

pub fn what_nobody_waits_for_runs() {
    let (pool, gates) = (pool(1), Gates::new());
    // Submit more calls than the worker takes at once, so that some thread has to send the others
    // later.
    let futures: Vec<_> = (0..20).map(|n| pool.submit(touch, gates.gate(n))).collect();
    until("the last of them", || gates.gate(19).is_reached());
    until("its answer", || futures.iter().all(|future| future.done()));
}

pub fn dropping_a_future_does_not_cancel() {
    let (pool, gates) = (pool(1), Gates::new());
    for n in 0..3 {
        drop(pool.submit(touch, gates.gate(n)));
    }
    pool.shutdown(true, false);
    assert!((0..3).all(|n| gates.gate(n).is_reached()));
}

pub fn a_queued_call_can_be_cancelled() {
    let (pool, gates) = (pool(1), Gates::new());
    let first = pool.submit(pass, gates.gate(0));
    gates.gate(0).until_reached();
    let second = pool.submit(touch, gates.gate(1));
    let third = pool.submit(touch, gates.gate(2));
    assert!(!second.running() && !second.done());
    assert!(second.cancel());
    assert!(second.cancelled() && second.done() && !second.running());
    assert!(second.cancel(), "it stays cancelled");
    let result = second.result();
    assert!(is_cancelled(&result), "{result:?}");
    assert_eq!(result.unwrap_err().ran(), Ran::No);
    gates.gate(0).open();
    assert_eq!(first.result().unwrap(), 0);
    assert_eq!(third.result().unwrap(), 2);
    assert!(!gates.gate(1).is_reached(), "it has not run");
}

pub fn cancelling_wakes_who_waits() {
    let (pool, gates) = (pool(1), Gates::new());
    let first = pool.submit(pass, gates.gate(0));
    gates.gate(0).until_reached();
    for waiting in [1, 3] {
        let future = pool.submit(touch, gates.gate(1));
        thread::scope(|scope| {
            // One of the threads drives, and the only event for it is this call's end.
            let threads: Vec<_> =
                (0..waiting).map(|_| scope.spawn(|| is_cancelled(&future.result()))).collect();
            thread::sleep(Duration::from_millis(20));
            assert!(future.cancel());
            assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
        });
    }
    gates.gate(0).open();
    assert_eq!(first.result().unwrap(), 0);
}

pub fn a_running_call_cannot_be_cancelled() {
    let (pool, gates) = (pool(1), Gates::new());
    let future = pool.submit(pass, gates.gate(5));
    gates.gate(5).until_reached();
    assert!(future.running());
    assert!(!future.cancel());
    assert!(!future.cancelled() && !future.done());
    gates.gate(5).open();
    assert_eq!(future.result().unwrap(), 5);
}

pub fn a_call_that_has_ended_cannot_be_cancelled() {
    let pool = pool(1);
    let (answered, failed) = (pool.submit(square, 3), pool.submit(no_luck, 3));
    assert_eq!(answered.result().unwrap(), 9);
    failed.result().unwrap_err();
    assert!(!answered.cancel() && !failed.cancel());
    assert_eq!(answered.result().unwrap(), 9);
}

#[expect(clippy::mutable_key_type, reason = "a future's hash is of what never changes")]
pub fn clones_are_one_call() {
    let (pool, gates) = (pool(1), Gates::new());
    let first = pool.submit(pass, gates.gate(0));
    let future = pool.submit(touch, gates.gate(1));
    let clone = future.clone();
    assert!(future.cancel());
    assert!(clone.cancelled());
    gates.gate(0).open();
    let clone = first.clone();
    assert_eq!(first.result().unwrap(), clone.result().unwrap());
    assert!(first == clone && first != future);
    let names = HashMap::from([(&first, "first"), (&future, "second")]);
    assert_eq!(names[&clone], "first");
    assert!(format!("{clone:?}").contains("answered"), "{clone:?}");
}

/// A future tells how its call ended, also a panic, which comes as a packet like an answer.
pub fn its_debug_text_tells_the_end() {
    let (pool, gates) = (pool(1), Gates::new());
    let says = |future: &process_futures::TaskFuture<u64>, end: &str| {
        assert!(format!("{future:?}").ends_with(&format!(", {end})")), "{future:?}");
    };
    let ended = |future: process_futures::TaskFuture<u64>, end: &str| {
        _ = future.result();
        says(&future, end);
    };
    ended(pool.submit(square, 2), "answered");
    ended(pool.submit(no_luck, 2), "failed");
    ended(pool.submit(exit, 2), "its worker died");
    let late = pool.submit(sleep_for_ever, ());
    late.result_or_kill(Duration::from_millis(20)).unwrap_err();
    says(&late, "timed out");
    let [running, queued] = [0, 1].map(|n| pool.submit(pass, gates.gate(n)));
    gates.gate(0).until_reached();
    says(&running, "running");
    says(&queued, "pending");
    assert!(queued.cancel());
    says(&queued, "cancelled");
    gates.gate(0).open();
    pool.shutdown(true, false);
    says(&running, "answered");
    says(&pool.submit(square, 2), "its pool is broken");
}

pub fn no_long_call_waits_on_the_word_of_tiny_ones() {
    let (pool, gates) = (pool(2), Gates::new());
    // After these calls, a worker may have many calls at a time, as long as such calls keep coming.
    let tiny: Vec<_> = (0..500).map(|n| pool.submit(square, n)).collect();
    assert!(tiny.iter().all(|future| future.result().is_ok()));
    let futures: Vec<_> = (0..4).map(|n| pool.submit(pass, gates.gate(n))).collect();
    gates.gate(0).until_reached();
    for n in 1..4 {
        // One worker stays at the first gate. The other worker must reach all other gates.
        gates.gate(n).until_reached();
        gates.gate(n).open();
    }
    gates.gate(0).open();
    assert!(futures.iter().map(|future| future.result().unwrap()).eq(0..4));
}

/// A call that is short or long.
fn pass_if_any(gate: Option<Gate>) -> u64 {
    gate.map_or(0, pass)
}

pub fn no_long_call_waits_on_the_word_of_those_before_a_pause() {
    let (pool, gates) = (pool(2), Gates::new());
    let short: Vec<_> = (0..500).map(|_| pool.submit(pass_if_any, None)).collect();
    assert!(short.iter().all(|future| future.result().is_ok()));
    thread::sleep(Duration::from_millis(20)); // the pause
    let long: Vec<_> = (0..4).map(|n| pool.submit(pass_if_any, Some(gates.gate(n)))).collect();
    gates.gate(0).until_reached();
    for n in 1..4 {
        gates.gate(n).until_reached();
        gates.gate(n).open();
    }
    gates.gate(0).open();
    assert!(long.iter().map(|future| future.result().unwrap()).eq(0..4));
}

fn reversed(bytes: Bytes) -> Bytes {
    let mut bytes = bytes.into_vec();
    bytes.reverse();
    Bytes::from(bytes)
}

pub fn large_arguments_and_answers_at_once() {
    let pool = pool(2);
    let large: Vec<Bytes> = (0..6u8).map(|n| Bytes::from(vec![n; 10 << 20])).collect();
    let futures: Vec<_> = large.iter().map(|b| pool.submit(reversed, b.clone())).collect();
    for (bytes, future) in large.iter().zip(&futures) {
        assert!(future.result().unwrap() == *bytes);
    }
    // When no thread waits, the manager moves the bytes.
    let future = pool.submit(reversed, large[1].clone());
    until("ten megabytes there and back", || future.done());
}

pub fn it_works_after_every_kind_of_error() {
    let pool = pool(2);
    let mut kinds: HashMap<&str, u32> = HashMap::new();
    for _ in 0..3 {
        let outcomes = [
            ("panic", pool.submit(no_luck, 1).result()),
            ("exit", pool.submit(exit, 0).result()),
            ("abort", pool.submit(abort, ()).result()),
            ("time", pool.submit(sleep_for_ever, ()).result_or_kill(Duration::from_millis(20))),
        ];
        for (what, outcome) in outcomes {
            outcome.unwrap_err();
            *kinds.entry(what).or_default() += 1;
            assert_eq!(pool.submit(square, 9).result().unwrap(), 81, "after {what}");
        }
    }
    assert_eq!(kinds.len(), 4);
    assert_eq!(pool.worker_pids().len(), 2);
}

/// `ran()` is true for calls that no worker gets: cancelled, without a worker, or too late. The
/// test compares `ran()` with the files that the tasks touch.
pub fn ran_is_the_truth_of_what_waits() {
    let (pool, gates) = (pool(1), Gates::new());
    let runs = pool.submit(pass, gates.gate(0));
    gates.gate(0).until_reached();
    let [waits, behind] = [1, 2].map(|n| pool.submit(touch, gates.gate(n)));
    assert!(waits.cancel());
    kill(process_futures::ForkServer::start().unwrap().pid());
    let result = runs.result();
    assert!(matches!(death(&result), Death::Unknown { .. }), "{result:?}");
    assert_eq!(result.unwrap_err().ran(), Ran::Unknown);
    let late = pool.submit(touch, gates.gate(3));
    for future in [&behind, &late] {
        assert_eq!(future.result().unwrap_err().ran(), Ran::No);
        assert!(broken(future.result()).contains("fork server"));
    }
    assert_eq!(waits.result().unwrap_err().ran(), Ran::No);
    assert!((1..4).all(|n| !gates.gate(n).is_reached()));
    let address = libc::getppid as *const (); // `getpid` is a function of this program (`scale.rs`)
    // SAFETY: the function is never called, as the test checks.
    let elsewhere = unsafe { std::mem::transmute::<*const (), fn(Gate) -> u64>(address) };
    let error = pool.submit(elsewhere, gates.gate(4)).result().unwrap_err();
    assert!(matches!(error.kind(), TaskErrorKind::NotInTemplate), "{error}");
    assert_eq!(error.ran(), Ran::No);
}
