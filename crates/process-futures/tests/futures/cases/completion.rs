//! `wait` and `as_completed`.

use super::gate::{Gates, pass, pass_and_panic};
use super::*;
use process_futures::{ReturnWhen, TaskFuture, as_completed, wait};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc;

pub fn wait_for_all() {
    let pool = pool(2);
    let futures: Vec<_> = (0..20).map(|n| pool.submit(square_even, n)).collect();
    let all = wait(futures, None, ReturnWhen::AllCompleted);
    assert_eq!((all.done.len(), all.not_done.len()), (20, 0));
    for (n, future) in (0u64..).zip(&all.done) {
        assert_eq!(future.result().ok(), n.is_multiple_of(2).then_some(n * n), "in their order");
    }
}

pub fn wait_for_the_first() {
    let (pool, gates) = (pool(3), Gates::new());
    let futures: Vec<_> = (0..5).map(|n| pool.submit(pass, gates.gate(n))).collect();
    gates.gate(2).open();
    let some = wait(futures.clone(), None, ReturnWhen::FirstCompleted);
    assert_eq!(some.done.len(), 1);
    assert_eq!(some.done[0].result().unwrap(), 2);
    assert_eq!(some.not_done.len(), 4);
    // One future that has ended is enough: `wait` returns at once.
    let again = wait(futures.clone(), None, ReturnWhen::FirstCompleted);
    assert_eq!(again.done.len(), 1);
    (0..5).for_each(|n| gates.gate(n).open());
    let all = wait(some.not_done, None, ReturnWhen::AllCompleted);
    assert_eq!(all.done.len(), 4);
}

pub fn wait_for_the_first_error() {
    let (pool, gates) = (pool(3), Gates::new());
    let futures = vec![
        pool.submit(pass, gates.gate(0)),
        pool.submit(pass_and_panic, gates.gate(1)),
        pool.submit(pass, gates.gate(2)),
    ];
    let (to, from) = mpsc::channel();
    let waiting = {
        let futures = futures.clone();
        thread::spawn(move || {
            to.send(wait(futures, None, ReturnWhen::FirstException)).unwrap();
        })
    };
    gates.gate(0).open();
    futures[0].result().unwrap();
    assert!(from.try_recv().is_err(), "an answer is no error");
    gates.gate(1).open();
    let some = from.recv().unwrap();
    waiting.join().unwrap();
    let done = some.done.iter().filter(|future| future.result().is_err()).count();
    assert_eq!((done, some.not_done.len()), (1, 1));
    gates.gate(2).open();
    let without = vec![futures[0].clone(), futures[2].clone()];
    let all = wait(without, None, ReturnWhen::FirstException);
    assert_eq!(all.done.len(), 2, "without an error it waits for all");
}

pub fn a_cancelled_call_is_no_error() {
    let (pool, gates) = (pool(1), Gates::new());
    let first = pool.submit(pass, gates.gate(0));
    gates.gate(0).until_reached();
    let second = pool.submit(pass, gates.gate(1));
    let third = pool.submit(pass, gates.gate(2));
    assert!(second.cancel());
    let futures = vec![first, second, third];
    let some = wait(futures.clone(), Some(Duration::from_millis(30)), ReturnWhen::FirstException);
    assert_eq!((some.done.len(), some.not_done.len()), (1, 2));
    let some = wait(futures.clone(), None, ReturnWhen::FirstCompleted);
    assert_eq!(some.done.len(), 1, "but it is an end");
    (0..3).for_each(|n| gates.gate(n).open());
    assert_eq!(wait(futures, None, ReturnWhen::FirstException).done.len(), 3);
}

pub fn wait_for_nothing() {
    let none: Vec<TaskFuture<u64>> = Vec::new();
    for when in [ReturnWhen::FirstCompleted, ReturnWhen::FirstException, ReturnWhen::AllCompleted] {
        let nothing = wait(none.clone(), None, when);
        assert!(nothing.done.is_empty() && nothing.not_done.is_empty());
    }
    assert!(as_completed(none).next().is_none());
}

pub fn wait_no_longer() {
    let (pool, gates) = (pool(1), Gates::new());
    let workers = pool.worker_pids();
    let future = pool.submit(pass, gates.gate(0));
    for time in [Duration::ZERO, Duration::from_millis(20)] {
        let some = wait([future.clone()], Some(time), ReturnWhen::AllCompleted);
        assert_eq!((some.done.len(), some.not_done.len()), (0, 1));
    }
    gates.gate(0).open();
    let all = wait([future], Some(Duration::MAX), ReturnWhen::AllCompleted);
    assert_eq!(all.done[0].result().unwrap(), 0, "waiting has ended nothing");
    assert_eq!(pool.worker_pids(), workers);
}

pub fn wait_for_two_pools() {
    let (one, two) = (pool(1), pool(1));
    let mut futures: Vec<_> = (0..50).map(|n| one.submit(square, n)).collect();
    futures.extend((50..100).map(|n| two.submit(square, n)));
    let all = wait(futures, None, ReturnWhen::AllCompleted);
    assert!(all.done.iter().map(|f| f.result().unwrap()).eq((0..100).map(square)));
}

pub fn as_they_end() {
    let (pool, gates) = (pool(3), Gates::new());
    let order = [2, 0, 4, 1, 3];
    // The workers take the first three; a task that is let through makes room for the next.
    let futures: Vec<_> = (0..3).map(|n| pool.submit(pass, gates.gate(n))).collect();
    let more = (3..5).map(|n| pool.submit(pass, gates.gate(n)));
    let mut completed = as_completed(futures.into_iter().chain(more));
    assert_eq!(completed.len(), 5);
    for n in order {
        gates.gate(n).open();
        assert_eq!(completed.next().unwrap().result().unwrap(), n);
    }
    assert!(completed.next().is_none());
    assert!(completed.next().is_none());
}

pub fn as_they_have_ended() {
    let (pool, gates) = (pool(2), Gates::new());
    let late = pool.submit(pass, gates.gate(0));
    let (early, failed) = (pool.submit(square, 1), pool.submit(no_luck, 1));
    early.result().unwrap();
    failed.result().unwrap_err();
    let mut completed = as_completed([late, early, failed]);
    assert_eq!(completed.next().unwrap().result().unwrap(), 1);
    assert!(completed.next().unwrap().result().is_err());
    gates.gate(0).open();
    assert_eq!(completed.next().unwrap().result().unwrap(), 0);
    assert!(completed.next().is_none());
}

pub fn as_they_end_in_two_pools() {
    let (pools, gates) = ([pool(1), pool(1)], Gates::new());
    let futures = [0, 1].map(|n| pools[n as usize].submit(pass, gates.gate(n)));
    let mut completed = as_completed(futures);
    for n in [1, 0] {
        gates.gate(n).open();
        assert_eq!(completed.next().unwrap().result().unwrap(), n);
    }
}

pub fn what_is_given_twice_comes_once() {
    let pool = pool(1);
    let [a, b] = [1, 2].map(|n| pool.submit(square, n));
    let twice = || [a.clone(), a.clone(), b.clone(), a.clone()];
    let mut completed = as_completed(twice());
    assert_eq!(completed.len(), 2);
    assert!(completed.by_ref().eq([a.clone(), b.clone()]));
    assert!(completed.next().is_none());
    let all = wait(twice(), None, ReturnWhen::AllCompleted);
    assert_eq!(all.done, [a.clone(), b.clone()], "in their order");
    assert!(all.not_done.is_empty());
    assert!(as_completed(twice()).eq([a.clone(), b.clone()]), "also when they have ended");
}

/// An answer that tells when it is read.
#[derive(serde::Serialize)]
struct Read;

static READ: AtomicBool = AtomicBool::new(false);

impl<'de> serde::Deserialize<'de> for Read {
    fn deserialize<D: serde::Deserializer<'de>>(_from: D) -> Result<Self, D::Error> {
        READ.store(true, Relaxed);
        Err(serde::de::Error::custom("there is no way back"))
    }
}

pub fn waiting_reads_no_answer() {
    fn answer((): ()) -> Read {
        Read
    }
    let (pool, gates) = (pool(1), Gates::new());
    let (one, two) = (pool.submit(answer, ()), pool.submit(answer, ()));
    let gate = pool.submit(pass, gates.gate(0));
    gates.gate(0).until_reached();
    let all = wait([one.clone(), two], None, ReturnWhen::FirstException);
    assert_eq!(all.done.len(), 2, "an answer is no error, whatever its bytes");
    assert!(format!("{one:?}").contains("answered"));
    assert!(!READ.load(Relaxed));
    assert!(matches!(one.result().err().unwrap().kind(), TaskErrorKind::NotDeserialised(_)));
    assert!(READ.load(Relaxed));
    let some = wait([pool.submit(square, 2)], Some(Duration::ZERO), ReturnWhen::FirstException);
    assert_eq!(some.not_done.len(), 1);
    gates.gate(0).open();
    gate.result().unwrap();
}
